"""A law that stops: behind a stop string the end token follows for sure, and not before the minimum.

Exact on a world of four symbols and four steps. Mutants killed: the forced end token drawn and scored as any other, one
that is forced a token late or early, a minimum or a string that roll-outs or relaxed samples do not know, a string
before the minimum that ends a sequence.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from scipy.stats import chisquare

from seqgans.data.stops import Stops
from seqgans.data.vocabulary import Vocabulary
from seqgans.generators import GENERATORS
from seqgans.generators.base import Generator
from seqgans.generators.behaviour import Behaviour, decoded_log_probs
from seqgans.generators.decoding import Decoding
from seqgans.generators.pretrained import CausalLM, Pretrained
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete
from seqgans.sequences import Sequences, mask_until
from seqgans.training.build import build_players, open_corpus
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.generators.models import VOCABULARY, causal_model, model_folder

SIZE, LENGTH = 4, 4
SYMBOLS = Vocabulary(("<end>", "a", "b", "c"), "characters", 0)
EVERY = torch.tensor(list(itertools.product(range(SIZE), repeat=LENGTH)))
WAYS = [(0, ("ab",)), (3, ()), (2, ("ab", "c")), (0, ("ba", "c"))]


def build(minimum: int, strings: tuple[str, ...]) -> Generator:
    """An LSTM whose law is far from even."""
    built: Generator = GENERATORS["lstm"]().build(SIZE, 0, 0, generator_for(0))
    with torch.no_grad():
        built.output.weight.div_((built.hidden(EVERY) @ built.output.weight.t()).std())
    built.minimum, built.stops = minimum, Stops(SYMBOLS, strings) if strings else None
    return built


def possible(law: Generator) -> dict[tuple[int, ...], float]:
    """Every sequence up to its end token, and its probability by the rules alone."""
    strings = law.stops.strings if law.stops else ()
    found = {}
    for row, logits in zip(EVERY.tolist(), law.logits(EVERY).detach().double(), strict=True):
        probability, text, size = 1.0, "", 0
        for time, token in enumerate(row):
            early = time < law.minimum
            if not early and text.endswith(strings or "-"):
                probability *= float(token == 0)
            else:
                choices = logits[time].clone()
                choices[0] = -torch.inf if early else choices[0]
                probability *= float(choices.softmax(0)[token])
            text, size = text + SYMBOLS.symbols[token], time + 1
            if token == 0:
                break
        found[tuple(row[:size])] = probability
    return {row: probability for row, probability in found.items() if probability > 0}


def counted(tokens: torch.Tensor, law: dict[tuple[int, ...], float]) -> list[int]:
    """How often each sequence came, those that cannot be last."""
    sizes = mask_until(tokens, 0).sum(1).tolist()
    rows = [tuple(row[:size]) for row, size in zip(tokens.tolist(), sizes, strict=True)]
    assert set(rows) <= set(law)
    return [rows.count(row) for row in law]


@pytest.mark.parametrize(("minimum", "strings"), WAYS)
def test_likelihoods_are_those_of_the_rules_and_sum_to_one(minimum: int, strings: tuple[str, ...]) -> None:
    law = build(minimum, strings)
    exact = possible(law)
    assert sum(exact.values()) == pytest.approx(1)
    rows = torch.tensor([(*row, *[0] * (LENGTH - len(row))) for row in exact])
    found = law.log_probs(rows).masked_fill(~mask_until(rows, 0), 0.0).sum(1)
    torch.testing.assert_close(found.exp().double(), torch.tensor(list(exact.values())).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("minimum", "strings"), WAYS)
def test_samples_and_relaxed_samples_have_that_law(minimum: int, strings: tuple[str, ...]) -> None:
    law = build(minimum, strings)
    exact = possible(law)
    samples = law.sample(1500, LENGTH, random=generator_for(1))
    again = law.log_probs(samples.tokens).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again.detach(), rtol=0, atol=1e-5)
    relaxed = law.relax(1500, LENGTH, random=generator_for(2))
    assert relaxed.mask.equal(mask_until(relaxed.tokens, 0))
    expected = [1500 * probability for probability in exact.values()]
    for tokens in (samples.tokens, relaxed.tokens):
        assert chisquare(counted(tokens, exact), expected).pvalue > 0.001
    sure = law.closed(relaxed.tokens)
    assert bool(sure.any()) == bool(strings)
    assert bool((relaxed.weights[sure][:, 0] == 1).all())  # no share of any other token


@pytest.mark.parametrize("raised", [0.0, 10.0, 18.0, 40.0, 1e4])
def test_an_end_that_is_all_but_sure_leaves_the_others_their_law(raised: float) -> None:
    """Values and gradients are those of the other tokens' softmax, where the end token may not come yet.

    Mutants killed: log(1 − p_end) in float32, of which no digit stays.
    """
    law = build(3, ())
    with torch.no_grad():
        law.output.bias[0] += raised
    samples = law.sample(200, LENGTH, random=generator_for(1))
    again = law.log_probs(samples.tokens)
    torch.testing.assert_close(samples.log_probs[:, :3], again[:, :3].detach(), rtol=0, atol=1e-4)
    exact = law.logits(samples.tokens)[:, :3, 1:].log_softmax(2).gather(2, samples.tokens[:, :3, None] - 1)
    slopes = [torch.autograd.grad(part.sum(), [*law.parameters()]) for part in (again[:, :3], exact)]
    for found, wanted in zip(*slopes, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("minimum", "strings"), [(0, ()), (2, ()), (3, ())])
def test_what_is_kept_has_the_likelihood_of_that_law(minimum: int, strings: tuple[str, ...]) -> None:
    law = build(minimum, strings)
    rows = EVERY[:, :2][(EVERY[:, :2] != 0).all(1)]
    kept = law.sample(len(rows), LENGTH, random=generator_for(3), prefix=rows)
    torch.testing.assert_close(kept.log_probs[:, :2], law.log_probs(rows).detach(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("minimum", "strings"), WAYS)
def test_roll_outs_have_that_law_after_their_prefix(minimum: int, strings: tuple[str, ...]) -> None:
    law = build(minimum, strings)
    first = torch.tensor([[1, 3, 3, 3]])
    completed = complete(law, first, 1500, Stream(generator_for(3)), [1])[0, :, 0]
    exact = {row: probability for row, probability in possible(law).items() if row[0] == 1}
    total = sum(exact.values())
    expected = [1500 * probability / total for probability in exact.values()]
    assert chisquare(counted(completed, exact), expected).pvalue > 0.001


def test_nothing_is_learnt_from_what_is_no_choice() -> None:
    law = build(0, ("b",))
    tokens = torch.tensor([[2, 0, 0, 0], [1, 2, 0, 0]])
    sure = law.closed(tokens)
    assert sure.tolist() == [[False, True, False, False], [False, False, True, False]]
    log_probs = law.log_probs(tokens)
    assert log_probs[sure].tolist() == [0.0, 0.0]
    log_probs[sure].sum().backward()
    assert not any(part.grad is not None and bool((part.grad != 0).any()) for part in law.parameters())
    assert law.log_probs(torch.tensor([[2, 1, 0, 0]]))[0, 1] == -torch.inf  # never written


@pytest.mark.parametrize("decoding", [Decoding(temperature=0.7), Decoding(top_k=3), Decoding(top_p=0.8)], ids=str)
def test_prompts_and_decodings_keep_the_law(decoding: Decoding, tmp_path: Path) -> None:
    """The log-probabilities of samples are those of samples scored again, whatever shapes the law."""
    folder = model_folder(tmp_path)
    whole = Pretrained(model=str(folder), min_new_tokens=2, stop=("w3", "w7 w", "5")).build(
        VOCABULARY, 0, 0, generator_for(0)
    )
    assert isinstance(whole, CausalLM)
    law = whole.given(Sequences.of(torch.tensor([[3, 4, 5]]).expand(64, 3)))
    samples = law.sample(64, 12, random=generator_for(4), decoding=decoding)
    again = decoded_log_probs(law, samples.tokens, decoding).masked_fill(~samples.mask, 0.0)
    torch.testing.assert_close(samples.log_probs, again, rtol=0, atol=1e-4)
    sure = law.closed(samples.tokens)
    assert bool(sure.any())
    assert bool((samples.tokens[sure] == 0).all())
    assert int(samples.mask.sum(1).min()) >= 3
    cautious, density = Behaviour(kind="mixture", temperature=0.5).draw(law, 64, 12, Stream(generator_for(5)))
    assert bool((cautious.tokens[law.closed(cautious.tokens)] == 0).all())
    assert bool(density.isfinite().all())


def causal() -> Any:
    return CausalLM(causal_model("gpt2"), VOCABULARY, 0, 0)


def test_a_law_without_either_is_as_it_was() -> None:
    plain, ruled = causal(), causal()
    ruled.stops = Stops(Vocabulary(tuple(f"w{number}" for number in range(VOCABULARY)), "words", 0), ("none",))
    tokens = plain.sample(16, 6, random=generator_for(6)).tokens
    assert ruled.sample(16, 6, random=generator_for(6)).tokens.equal(tokens)
    assert ruled.log_probs(tokens).equal(plain.log_probs(tokens))


@pytest.mark.parametrize("algorithm", ["rlgaf", "coldgan", "seqgan"])
def test_games_are_played_by_the_rules(algorithm: str, tmp_path: Path) -> None:
    """Samples, the roll-outs of SeqGAN and real answers alike: none goes on behind a string."""
    folder, pairs = model_folder(tmp_path / "model"), tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"w1 w{2 + number % 5}\tw{number} w9 w3 w4 w5 w6\n" for number in range(2, 22)))
    small = {
        "rlgaf": {"group": 4, "memory": 16, "discriminator_pretrain_steps": 1, "likelihood_weight": 0.1},
        "coldgan": {"memory": 16, "discriminator_pretrain_steps": 1},
        "seqgan": {"rollouts": 2, "discriminator_pretrain_steps": 1},
    }[algorithm]
    recipe = Recipe.of(
        {
            "algorithm": {"name": algorithm, "pretrain_epochs": 1, "rounds": 1, "batch": 8, **small},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0"},
            "generator": {"model": str(folder), "stop": ["w9", "w1"], "min_new_tokens": 1},
        }
    )
    corpus, _ = open_corpus(recipe.corpus, recipe.corpus_settings, 0)
    players = build_players(recipe, corpus, 0)
    training, seen = Training(recipe.settings, players, corpus, 0, Team("cpu")), 0
    for event in training.events():
        assert event.kind != "update" or abs(event.loss) < 1e6  # no likelihood of what is never written
        if training.play is not None and training.play.fake is not None:
            fake = training.play.fake
            closed = players.generator.closed(fake.tokens) & fake.mask
            assert bool((fake.tokens[closed] == 0).all())
            assert int(fake.mask.sum(1).min()) >= 2
            seen += int(closed.sum())
    assert seen
