"""Prompts that rows share are read once, and activations can be forgotten: values and gradients are what they were.

Mutants killed: rows that go on from another row's prompt, a prompt whose gradient is lost, answers that begin at one
position for all, padding of shorter prompts that is looked at, a saving that saves nothing.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.algorithms.equipment import frozen_copy
from seqgans.data.sources import apart
from seqgans.discriminators import pretrained as judging
from seqgans.discriminators.pairs import beside
from seqgans.discriminators.pretrained import Judge, PretrainedScorer
from seqgans.errors import BadInput
from seqgans.generators import pretrained as writing
from seqgans.generators.encoder_decoder import EncoderDecoderLM
from seqgans.generators.loading import trunk_of
from seqgans.generators.pretrained import CausalLM, Pretrained
from seqgans.generators.reading import checkpoint_activations, forgets
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences
from tests.generators.models import KINDS, VOCABULARY, answering_model, causal_model, model_folder

START, LENGTH = 1, 5
WHICH = torch.tensor([1, 0, 1, 2, 2, 0, 1])


def groups(sizes: tuple[int, ...] = (5, 2, 3)) -> Sequences:
    """Rows that share three prompts."""
    tokens = torch.randint(2, VOCABULARY, (len(sizes), max(sizes)), generator=generator_for(3))
    return Sequences(tokens, torch.arange(max(sizes)) < torch.tensor(sizes)[:, None])[WHICH]


def answers() -> Tensor:
    return torch.randint(2, VOCABULARY, (len(WHICH), LENGTH), generator=generator_for(4))


def found(model: torch.nn.Module, values: Tensor) -> list[Tensor]:
    """Values, and the gradients of a weighted sum of them; 0 for parameters that are never reached."""
    weights = torch.randn(values.shape, generator=generator_for(5))
    parameters = [each for each in model.parameters() if each.requires_grad]
    gradients = torch.autograd.grad((values * weights).sum(), parameters, allow_unused=True)
    return [values.detach(), *(torch.zeros(()) if each is None else each for each in gradients)]


def same(ours: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.allclose(one, other, rtol=1e-3, atol=1e-4) for one, other in zip(ours, theirs, strict=True))


def test_what_rows_share() -> None:
    once, which = apart(groups())
    assert once.lists() == [groups().lists()[row] for row in (0, 1, 3)]
    assert which.tolist() == [0, 1, 0, 2, 2, 1, 0]


@pytest.mark.parametrize("sizes", [(5, 2, 3), (4, 0, 1)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_reads_shared_prompts_once(kind: str, sizes: tuple[int, ...], monkeypatch) -> None:
    generator = CausalLM(causal_model(kind), VOCABULARY, START, None)
    law, read = generator.given(groups(sizes)), count_reads(generator.trunk)
    shared = found(generator, law.log_probs(answers()))
    assert read == [(3, max(sizes) - 1), (7, LENGTH)]
    monkeypatch.setattr(writing, "worth_sharing", lambda *_: False)
    assert same(shared, found(generator, law.log_probs(answers())))


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_of_one_token_among_longer_ones(kind: str) -> None:
    """The rows of a minibatch are as wide as the longest prompt of the corpus, whatever stands in them.

    Mutants killed: a shared prefix of no token at all, which no model reads.
    """
    generator = CausalLM(causal_model(kind), VOCABULARY, START, None)
    narrow = Sequences(torch.tensor([[5], [6]]).repeat_interleave(4, 0), torch.ones(8, 1, dtype=torch.bool))
    wide = Sequences(torch.nn.functional.pad(narrow.tokens, (0, 2)), torch.nn.functional.pad(narrow.mask, (0, 2)))
    tokens = answers()[torch.arange(8) % 7]
    both = [found(generator, generator.given(source).log_probs(tokens)) for source in (narrow, wide)]
    assert same(*both)
    drawn = [generator.given(source).sample(8, LENGTH, random=generator_for(0)).tokens for source in (narrow, wide)]
    assert torch.equal(*drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_a_judge_reads_shared_prompts_once(kind: str, monkeypatch) -> None:
    judge = Judge(trunk_of(causal_model(kind)), VOCABULARY)
    torch.nn.init.normal_(judge.head.weight, generator=generator_for(0))
    source, tokens, mask = groups((5, 0, 3)), answers(), torch.ones(len(WHICH), LENGTH, dtype=torch.bool)
    read = count_reads(judge.trunk)
    soft = torch.nn.functional.one_hot(tokens, VOCABULARY).float()
    shared = [found(judge, beside(judge, source).step_scores(each, mask)) for each in (tokens, soft)]
    assert read == [(3, 5), (7, LENGTH)] * 2
    monkeypatch.setattr(judging, "worth_sharing", lambda *_: False)
    plain = found(judge, beside(judge, source).step_scores(tokens, mask))
    assert all(same(each, plain) for each in shared)


def test_samples_are_those_of_rows_read_alone() -> None:
    generator = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    law = generator.given(groups())
    read = count_reads(generator.trunk)
    samples = law.sample(len(WHICH), LENGTH, random=generator_for(6))
    assert read[0] == (3, 4)
    with torch.no_grad():
        for row in range(len(WHICH)):
            alone = generator.given(groups()[row : row + 1]).log_probs(samples.tokens[row : row + 1])
            assert torch.allclose(alone[0], samples.log_probs[row], atol=1e-5)


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_an_encoder_reads_shared_sources_once(kind: str) -> None:
    generator = EncoderDecoderLM(answering_model(kind), VOCABULARY, 0)
    counts: list[int] = []
    encoder = generator.model.get_encoder()
    encoder.register_forward_pre_hook(lambda _, __, named: counts.append(len(named["input_ids"])), with_kwargs=True)
    together = generator.given(groups()).log_probs(answers())
    assert counts == [3]
    apart = [generator.given(groups()[row : row + 1]).log_probs(answers()[row : row + 1]) for row in range(len(WHICH))]
    assert torch.allclose(together, torch.cat(apart), atol=1e-4)


@pytest.mark.parametrize("kind", [*KINDS, "bart"])
def test_activations_are_forgotten_and_made_again(kind: str) -> None:
    """Values and gradients stay; what is kept for the gradient is less; samples still use their cache."""

    def made() -> Any:
        if kind == "bart":
            return EncoderDecoderLM(answering_model(kind), VOCABULARY, 0)
        return CausalLM(causal_model(kind), VOCABULARY, START, None)

    kept: dict[bool, int] = {}
    results = {}
    for saving in (False, True):
        generator = made()
        if saving:
            checkpoint_activations(generator.model)
            assert forgets(generator.model)
        law = generator.given(groups())
        values, kept[saving] = kept_for_gradient(law)
        results[saving] = found(generator, values), law.sample(len(WHICH), LENGTH, random=generator_for(6)).tokens
    assert same(results[True][0], results[False][0])
    assert results[True][1].equal(results[False][1])
    assert kept[True] < 0.6 * kept[False]


def test_the_setting_reaches_both_players(tmp_path: Path) -> None:
    folder = str(model_folder(tmp_path / "model"))
    generator = Pretrained(model=folder, gradient_checkpointing=True).build(VOCABULARY, 0, 0, generator_for(0))
    judge = PretrainedScorer(model=folder, gradient_checkpointing=True).build(VOCABULARY, LENGTH, generator_for(0))
    assert forgets(generator)
    assert forgets(judge)
    adapted = dataclasses.replace(Pretrained(model=folder, lora=2), gradient_checkpointing=True)
    learning = adapted.build(VOCABULARY, 0, 0, generator_for(0))
    learning.log_probs(answers()).sum().backward()
    gradients = [each.grad for each in learning.parameters() if each.requires_grad]
    assert all(each is not None for each in gradients)


def test_a_model_that_cannot_forget_is_one_line() -> None:
    with pytest.raises(BadInput, match="gradient_checkpointing must be false for a Linear, which cannot"):
        checkpoint_activations(torch.nn.Linear(2, 2))


def test_a_copy_forgets_with_its_own_parameters() -> None:
    generator = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    checkpoint_activations(generator.model)
    copied = frozen_copy(generator)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.zero_()
    other = CausalLM(causal_model("gpt2"), VOCABULARY, START, None)
    assert torch.allclose(copied.log_probs(answers()), other.log_probs(answers()), atol=1e-6)


def kept_for_gradient(law: Any) -> tuple[Tensor, int]:
    """Log-probabilities, and how many numbers their gradient remembers."""
    sizes: list[int] = []

    def keep(each: Tensor) -> Tensor:
        sizes.append(each.numel())
        return each

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda each: each):
        return law.log_probs(answers()), sum(sizes)


def count_reads(trunk: torch.nn.Module) -> list[tuple[int, int]]:
    """Rows and tokens of every pass, as they come."""
    sizes: list[tuple[int, int]] = []

    def note(_: torch.nn.Module, __: Any, named: dict[str, Any]) -> None:
        read = named.get("input_ids") if named.get("input_ids") is not None else named["inputs_embeds"]
        sizes.append(tuple(read.shape[:2]))

    trunk.register_forward_pre_hook(note, with_kwargs=True)
    return sizes
