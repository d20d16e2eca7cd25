"""What passes between a law and vLLM, against a fake engine: vLLM itself is not here, and nothing of it is tested.

Mutants killed: prompts with their padding, one seed for all rows, seeds that forget the process, parameters handed over
once, too late or without their adapters, a cache that is kept, log-probabilities of another temperature or another row,
an answer that ends where the law does not.
"""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.cli.entry import carry_out
from seqgans.errors import BadInput, Failed
from seqgans.generators.behaviour import decoded_log_probs
from seqgans.generators.decoding import Decoding
from seqgans.generators.engines import VLLM, weights_of
from seqgans.generators.pretrained import CausalLM, Pretrained
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Sequences
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from seqgans.verbs.loading import load_run
from seqgans.verbs.train import train
from tests.generators.fake_engine import FakeEngine, installed
from tests.generators.models import VOCABULARY, model_folder

LENGTH = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    return installed(monkeypatch)


def built(folder: Path, end: int | None = 0, **settings: Any) -> CausalLM:
    found = Pretrained(model=str(folder), engine="vllm", **settings).build(VOCABULARY, 1, end, generator_for(0))
    assert isinstance(found, CausalLM)
    return found


def prompts() -> Sequences:
    """Of three tokens, one and none; what stands behind them is never sent."""
    tokens = torch.tensor([[3, 4, 5], [6, 9, 9], [9, 9, 9]])
    return Sequences(tokens, torch.tensor([[True, True, True], [True, False, False], [False, False, False]]))


def test_prompts_numbers_and_seeds_arrive(fake: type[FakeEngine], folder: Path) -> None:
    model = built(folder, engine_memory=0.25, min_new_tokens=2)
    decoding = Decoding(temperature=0.7, top_k=9, top_p=0.9)
    law = model.given(prompts())
    samples = law.sample(3, LENGTH, random=generator_for(1), decoding=decoding)
    (engine,) = fake.made
    assert engine.settings == {"memory": 0.25, "backend": None}
    assert os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    (rows, asked), *more = engine.asked
    assert not more
    assert rows == [[3, 4, 5], [6], [1]]  # without padding; nothing to answer is the start token
    assert {(how.temperature, how.top_k, how.top_p) for how in asked} == {(0.7, 9, 0.9)}
    assert {(how.max_tokens, how.min_tokens, how.logprobs) for how in asked} == {(LENGTH, 2, 0)}
    assert [how.stop_token_ids for how in asked] == [[0]] * 3
    assert len({how.seed for how in asked}) == 3
    again = law.sample(3, LENGTH, random=generator_for(1), decoding=decoding)
    assert again.tokens.equal(samples.tokens)
    other = law.sample(3, LENGTH, random=generator_for(2), decoding=decoding)
    assert not other.tokens.equal(samples.tokens)
    assert len(fake.made) == 1


def test_each_process_has_the_seeds_of_its_rows(fake: type[FakeEngine], folder: Path) -> None:
    law, four = built(folder).given(prompts()[:1]), Stream(generator_for(1))
    law.sample(4, LENGTH, random=four)
    for rank in (0, 1):
        stream = Stream(generator_for(1))
        with stream.share(rank, rank + 1, 2):
            law.sample(2, LENGTH, random=stream)
        assert torch.equal(stream.random.get_state(), four.random.get_state())
    whole, first, second = ([how.seed for how in asked] for _, asked in fake.made[0].asked)
    assert [whole[0::2], whole[1::2]] == [first, second]


@pytest.mark.parametrize(
    "decoding",
    [Decoding(), Decoding(temperature=0.7), Decoding(top_k=5), Decoding(top_p=0.8), Decoding(temperature=0.0)],
    ids=str,
)
@pytest.mark.parametrize(("minimum", "stop"), [(0, ()), (2, ("w3", "w7 w", "5"))])
def test_log_probabilities_are_those_of_the_law(
    fake: type[FakeEngine], folder: Path, decoding: Decoding, minimum: int, stop: tuple[str, ...]
) -> None:
    law = built(folder, min_new_tokens=minimum, stop=stop).given(prompts()[:1])
    samples = law.sample(24, LENGTH, random=generator_for(3), decoding=decoding)
    again = decoded_log_probs(law, samples.tokens, decoding).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again, rtol=0, atol=1e-4)
    assert bool((samples.tokens[~samples.mask] == 0).all())
    assert int(samples.mask.sum(1).min()) >= min(minimum + 1, LENGTH)
    closed = law.closed(samples.tokens) & samples.mask
    assert bool((samples.tokens[closed] == 0).all())
    assert fake.made[0].asked


def test_samples_have_the_frequencies_of_the_law(fake: type[FakeEngine], folder: Path) -> None:
    law = built(folder, end=None).given(prompts()[:1])
    rows = 600
    samples = law.sample(rows, 1, random=generator_for(4))
    exact = law.log_probs(torch.arange(VOCABULARY)[:, None]).exp()[:, 0].detach()
    found = torch.bincount(samples.tokens[:, 0], minlength=VOCABULARY) / rows
    assert float((found - exact).abs().max()) < 4 * 0.5 / rows**0.5
    assert bool(samples.mask.all())


def test_sequences_without_an_end_token_are_full(fake: type[FakeEngine], folder: Path) -> None:
    samples = built(folder, end=None).sample(4, LENGTH, random=generator_for(5))
    assert bool(samples.mask.all())
    assert fake.made[0].asked[0][1][0].stop_token_ids is None
    assert fake.made[0].asked[0][0] == [[1]] * 4


def test_parameters_are_handed_over_where_they_changed_and_only_there(fake: type[FakeEngine], folder: Path) -> None:
    model = built(folder)
    for _ in range(2):
        model.sample(2, LENGTH, random=generator_for(6))
    (engine,) = fake.made
    assert len(engine.handed) == 1
    assert engine.handed[0] == {name for name, _ in engine.inside.model.named_parameters()}
    with torch.no_grad():
        model.output.weight.mul_(0.5)
    model.sample(2, LENGTH, random=generator_for(6))
    assert len(engine.handed) == engine.resets == 2
    assert engine.inside.model.get_output_embeddings().weight.equal(model.output.weight)


def recipe(folder: Path, pairs: Path, lora: int) -> Recipe:
    pairs.write_text("".join(f"w1 w{2 + number % 5}\tw{number} w9\n" for number in range(2, 18)))
    return Recipe.of(
        {
            "algorithm": {
                "name": "rlgaf",
                "pretrain_epochs": 1,
                "discriminator_pretrain_steps": 1,
                "rounds": 2,
                "batch": 4,
                "group": 2,
                "memory": 8,
                "generator_rate": 0.01,
            },
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "end": "yes"},
            "generator": {"model": str(folder), "lora": lora, "engine": "vllm"},
            "run": {"device": "cpu", "final_samples": 4, "eval_samples": 4, "tensorboard": False},
        }
    )


@pytest.mark.parametrize("lora", [0, 2])
def test_every_answer_of_a_game_is_written_with_the_parameters_of_the_moment(
    fake: type[FakeEngine], folder: Path, tmp_path: Path, lora: int
) -> None:
    asked = recipe(folder, tmp_path / "pairs.tsv", lora)
    corpus, _ = open_corpus(asked.corpus, asked.corpus_settings, 0)
    players = build_players(asked, corpus, 0)
    generator: Any = players.generator
    apart: list[float] = []

    def watch(engine: FakeEngine) -> None:
        inside = engine.inside.model.state_dict()
        apart.append(max(float((inside[name] - part).abs().max()) for name, part in weights_of(generator.model)))

    training = Training(asked.settings, players, corpus, 0, Team("cpu"))
    for _ in training.events():
        if fake.made:
            fake.made[0].watch = watch
    (engine,) = fake.made
    assert len(engine.asked) == 3  # before the discriminator's first look, and in each round
    assert len(apart) >= 2
    assert max(apart) == 0.0
    assert len(engine.handed) == 2  # after maximum likelihood, and after the first round's step
    reference: Any = players.get_submodule("reference")
    assert reference.engine is generator.engine  # never asked, and no second one in memory


def test_adapters_arrive_merged_and_stay_apart_in_the_model(fake: type[FakeEngine], folder: Path) -> None:
    model = built(folder, lora=2)
    with torch.no_grad():
        for name, part in model.named_parameters():
            if "lora_B" in name:
                part.normal_(generator=generator_for(7))
    before = {name: part.clone() for name, part in model.state_dict().items()}
    samples = model.given(prompts()[:1]).sample(8, LENGTH, random=generator_for(8))
    again = model.given(prompts()[:1]).log_probs(samples.tokens).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again.detach(), rtol=0, atol=1e-4)
    assert all(part.equal(before[name]) for name, part in model.state_dict().items())
    assert not any("lora" in name or "base_layer" in name for name in fake.made[0].handed[0])


def test_a_hand_over_that_does_not_arrive_is_noticed(
    fake: type[FakeEngine], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "deaf", True)
    with pytest.raises(
        Failed, match=r"vllm writes by another law than .* nats a token apart; take --generator\.engine"
    ):
        built(folder).sample(4, LENGTH, random=generator_for(9))


def test_an_answer_that_ends_elsewhere_is_noticed(
    fake: type[FakeEngine], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "answer", lambda self, prompt, how: whole(self, prompt, how, 3))
    with pytest.raises(
        Failed, match=r"vllm ended an answer after 3 of 6 tokens without the end token or a stop string"
    ):
        built(folder, min_new_tokens=5).sample(4, LENGTH, random=generator_for(10))


ANSWER = FakeEngine.answer


def whole(engine: FakeEngine, prompt: list[int], how: Any, size: int) -> Any:
    """An answer cut short."""
    found = ANSWER(engine, prompt, how)
    return type(found)(found.token_ids[:size], found.logprobs[:size])


def test_what_an_engine_cannot_do_the_model_does_itself(fake: type[FakeEngine], folder: Path) -> None:
    law: Any = built(folder).given(prompts())
    law.sample(3, LENGTH, random=generator_for(11), prefix=torch.tensor([[4], [5], [6]]))
    law.sample(3, LENGTH, random=generator_for(11), decoding=Decoding(excluded=(5,)))
    law.sample(3, LENGTH, random=generator_for(11), decoding=Decoding(share=0.5, other=Decoding(top_p=0.5)))
    law.relax(3, LENGTH, random=generator_for(11))
    complete(law, torch.full((3, LENGTH), 4), 2, Stream(generator_for(11)))
    assert not fake.made
    assert copy.deepcopy(law.whole).engine is law.whole.engine


def test_runs_are_read_without_the_engine(
    fake: type[FakeEngine], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(recipe(folder, tmp_path / "pairs.tsv", 0), tmp_path / "run")
    assert fake.made
    monkeypatch.setitem(sys.modules, "vllm", None)
    loaded: Any = load_run(tmp_path / "run").players.generator
    assert loaded.engine is None


def test_without_vllm_it_is_one_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    pairs = tmp_path / "pairs.tsv"
    recipe(folder, pairs, 0)
    words = ["train", "rlgaf", "--model", str(folder), "--corpus", str(pairs), "--corpus.text", "1"]
    words += ["--corpus.source", "0", "--generator.engine", "vllm", "--out", str(tmp_path / "run")]
    assert carry_out(words) == 2
    line = "--generator.engine vllm needs the package vllm: pip install 'seqgans[vllm]'"
    assert line in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    with pytest.raises(BadInput, match=r"vllm needs a model folder or a hub name, got a\.gguf"):
        VLLM("a.gguf", 0.3)
    with pytest.raises(ValueError, match=r"Pretrained\.engine_memory must be above 0 and below 1, got 1\.0"):
        Pretrained(engine_memory=1.0)
