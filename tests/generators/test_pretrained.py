"""A causal model as a generator, against the model itself, row by row.

Named traps: padding without positions (3), dropout while learning (4), samples and re-scored samples that differ (5), a
reference that is not the model itself (11). Mutants killed: a prompt whose last token is read twice or not at all,
positions counted over padding, a state shared by rows, an empty prompt that starts elsewhere than no prompt.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.algorithms.equipment import frozen_copy
from seqgans.errors import BadInput
from seqgans.generators.decoding import Decoding
from seqgans.generators.pretrained import CausalLM, Pretrained, adapted
from seqgans.randomness import Stream
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Sequences
from tests.generators.models import KINDS, VOCABULARY, causal_model, model_folder

START, LENGTH = 1, 6
SIZES = (5, 2, 0, 1, 4)


def prompts() -> Sequences:
    """Prompts of several lengths; what stands behind them is never to be read."""
    random = torch.Generator().manual_seed(3)
    tokens = torch.randint(2, VOCABULARY, (len(SIZES), max(SIZES)), generator=random)
    return Sequences(tokens, torch.arange(max(SIZES)) < torch.tensor(SIZES)[:, None])


def drawn(law, decoding: Decoding | None = None):
    return law.sample(
        len(SIZES), LENGTH, random=torch.Generator().manual_seed(5), **({"decoding": decoding} if decoding else {})
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_has_the_law_of_the_model_alone(kind: str) -> None:
    model = causal_model(kind)
    law = CausalLM(model, VOCABULARY, START, None).given(prompts())
    samples = drawn(law)
    with torch.no_grad():
        found = law.log_probs(samples.tokens)
        for row, size in enumerate(SIZES):
            prompt = prompts().tokens[row, :size] if size else torch.tensor([START])
            ids = torch.cat([prompt, samples.tokens[row]])[None]
            logits = model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
            exact = logits.gather(1, samples.tokens[row][:, None])[:, 0]
            assert torch.allclose(found[row], exact, atol=1e-5)
            assert torch.allclose(samples.log_probs[row], exact, atol=1e-5)  # no second pass needed


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_row_is_padded_with_changes_nothing(kind: str) -> None:
    generator, source = CausalLM(causal_model(kind), VOCABULARY, START, None), prompts()
    other = Sequences(torch.where(source.mask, source.tokens, 7), source.mask)
    wide = Sequences(torch.nn.functional.pad(source.tokens, (0, 4)), torch.nn.functional.pad(source.mask, (0, 4)))
    tokens = drawn(generator.given(source)).tokens
    plain = generator.given(source).log_probs(tokens)
    for same in (other, wide):
        assert torch.allclose(generator.given(same).log_probs(tokens), plain, atol=1e-5)
        assert drawn(generator.given(same)).tokens.equal(tokens)


def test_no_prompt_is_an_empty_prompt() -> None:
    generator = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    tokens = torch.randint(VOCABULARY, (3, LENGTH), generator=torch.Generator().manual_seed(0))
    empty = generator.given(generator.nothing(3))
    assert torch.allclose(generator.log_probs(tokens), empty.log_probs(tokens), atol=1e-6)
    state = generator.start_state(3)
    hidden, _ = generator.advance(torch.full((3,), START), state)
    assert torch.allclose(hidden, generator.hidden(tokens)[:, 0], atol=1e-5)


def test_log_probabilities_of_samples_are_those_of_the_law_they_were_drawn_from() -> None:
    law = CausalLM(causal_model("gpt2"), VOCABULARY, START, None).given(prompts())
    samples = drawn(law, Decoding(temperature=0.7))
    with torch.no_grad():
        assert torch.allclose(law.log_probs(samples.tokens, temperature=0.7), samples.log_probs, atol=1e-5)


def test_prompts_are_continued_in_roll_outs() -> None:
    law = CausalLM(causal_model("gpt2"), VOCABULARY, START, 0).given(prompts())
    samples = drawn(law)
    found = complete(law, samples.tokens, 2, Stream(torch.Generator().manual_seed(0)))
    assert found.shape == (LENGTH - 1, 2, len(SIZES), LENGTH)
    for length in range(1, LENGTH):
        assert bool((found[length - 1, :, :, :length] == samples.tokens[:, :length]).all())
    state = law.start_state(len(SIZES))
    previous = torch.full((len(SIZES),), START)
    with torch.no_grad():
        for time in range(LENGTH):  # what roll-outs step through is what is read at once
            hidden, state = law.advance(previous, state)
            assert torch.allclose(hidden, law.hidden(samples.tokens)[:, time], atol=1e-4)
            previous = samples.tokens[:, time]


def test_dropout_is_off_whoever_asks_for_it() -> None:
    generator = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    tokens = torch.randint(VOCABULARY, (3, LENGTH), generator=torch.Generator().manual_seed(0))
    before = generator.log_probs(tokens)
    generator.train()
    assert generator.log_probs(tokens).equal(before)
    assert not any(part.training for part in generator.modules())


def test_the_reference_is_the_model_as_it_stands_and_stays(tmp_path: Path) -> None:
    generator = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    tokens = torch.randint(VOCABULARY, (3, LENGTH), generator=torch.Generator().manual_seed(0))
    reference = frozen_copy(generator)
    assert reference.log_probs(tokens).equal(generator.log_probs(tokens))  # KL is exactly 0
    with torch.no_grad():
        generator.output.weight.mul_(0.5)
    assert not reference.log_probs(tokens).equal(generator.log_probs(tokens))
    assert not any(parameter.requires_grad for parameter in reference.parameters())


def test_adapters_alone_learn_and_start_as_nothing() -> None:
    pytest.importorskip("peft", reason="adapters need the extra [lm]")
    plain = CausalLM(causal_model("llama"), VOCABULARY, START, None)
    tokens = torch.randint(VOCABULARY, (3, LENGTH), generator=torch.Generator().manual_seed(0))
    generator = CausalLM(
        adapted(causal_model("llama"), 2, 4.0, torch.Generator().manual_seed(0)), VOCABULARY, START, None
    )
    assert torch.allclose(plain.log_probs(tokens), generator.log_probs(tokens), atol=1e-6)
    moved = {name for name, part in generator.named_parameters() if part.requires_grad}
    assert moved
    assert all("lora_" in name for name in moved)
    reference = frozen_copy(generator)
    base = {id(part) for part in generator.parameters() if not part.requires_grad}
    assert base <= {id(part) for part in reference.parameters()}  # what does not learn is shared


def test_folders_load_and_what_does_not_fit_is_one_line(tmp_path: Path) -> None:
    whole, bare = model_folder(tmp_path / "whole"), model_folder(tmp_path / "bare", weights=False)
    random = torch.Generator().manual_seed(0)
    tokens = torch.tensor([[3, 4]])
    loaded = Pretrained(model=str(whole)).build(VOCABULARY, 0, 0, random)
    exact = CausalLM(causal_model("gpt2"), VOCABULARY, 0, 0)
    assert torch.allclose(loaded.log_probs(tokens), exact.log_probs(tokens), atol=1e-6)
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    first, same, other = [Pretrained(model=str(bare)).build(VOCABULARY, 0, 0, seed).log_probs(tokens) for seed in seeds]
    assert first.equal(same)
    assert not first.equal(other)
    with pytest.raises(BadInput, match=f"knows {VOCABULARY} ids and the corpus 9; read the corpus with"):
        Pretrained(model=str(whole)).build(9, 0, 0, random)
    with pytest.raises(BadInput, match=r"there is no such folder or file: .*nothing; check the path of the model"):
        Pretrained(model=str(tmp_path / "nothing")).build(9, 0, 0, random)
    with pytest.raises(BadInput, match="give --model FOLDER"):
        Pretrained().build(9, 0, 0, random)
    with pytest.raises(BadInput, match=r"there is no such folder or file: .*nothing\.gguf; check the path"):
        Pretrained(model=str(tmp_path / "nothing.gguf")).build(9, 0, 0, random)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "old", weights=False)
    (folder / "pytorch_model.bin").write_bytes(b"no tensors")
    with pytest.raises(BadInput, match="must be a causal language model"):
        Pretrained(model=str(folder)).build(VOCABULARY, 0, 0, torch.Generator().manual_seed(0))


def test_a_model_that_reads_ahead_is_refused(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
    sizes = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    transformers.BertForMaskedLM(sizes).save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="must be a causal language model, but it reads what follows a token too"):
        Pretrained(model=str(tmp_path)).build(VOCABULARY, 0, 0, torch.Generator().manual_seed(0))
