"""RLGAF end to end: the toy where a discriminator inside a reward function fails, then two small languages.

The toy has one prompt and one answer of six tokens.

A GPT-2 with random parameters learns the answer with the default settings and no maximum likelihood before the game;
their share of likelihood within it does not teach the answer, as the control shows. Measured on seeds 0 to 2 after 300
rounds (`benchmarks/rlgaf_toy.py`), exact answers: 0.99, 0.975, 0.99 (REINFORCE), 0.995, 0.985, 1.0 (PPO), 0.995,
0.97, 0.99 (moving average); with rewards of other answers 0.015, 0.035, 0.005. Kills: rewards of other rows, returns of
one token alone, a discriminator that does not learn.

The languages are those of `styles.py`, the models GPT-2s that learnt both styles of one, and the weight on real answers
is 0, so that what moves them is the discriminator. Measured on seed 0 after 100 rounds of 32 answers, of 300 samples:

    answers                 tokens    KL, nats an answer    distinct-2
    before                  7.40                            0.289
    REINFORCE, β = 0.1      4.01      1.48 at most          0.327
    PPO, β = 0.2            4.03      1.24 at most          0.344
    rewards of others       7.02      0.19 at most          0.307
    naive, β = 0            1.26                            0.786: answers of nothing, as the alarm says in round 69

    reviews                 positive  distinct-2 (the judge is right in 90.9 % of real ones)
    before                  0.503     0.542
    REINFORCE, β = 0.1      0.890     0.462
    rewards of others       0.527     0.544
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from seqgans.training.alarms import STOPS
from seqgans.training.folder import RunFolder
from seqgans.verbs.sample import sample
from seqgans.verbs.train import train
from tests.learning.styles import Classifier, Row, answer, both_styles, distinct_pairs, game, review, taught

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "rlgaf_toy.py"

pytestmark = pytest.mark.slow
pytest.importorskip("transformers", reason="pre-trained models need the extra [lm]")
pytest.importorskip("tokenizers", reason="tokenizers need the extra [data]")


def toy(arm: str, folder: Path) -> dict[str, Any]:
    """The figures of an arm, seed 0."""
    spec = importlib.util.spec_from_file_location("rlgaf_toy", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.played(arm, 0, 300, folder)


@pytest.mark.parametrize("arm", ["reinforce", "ppo", "moving average"])
def test_the_answer_is_learnt(arm: str, tmp_path: Path) -> None:
    assert toy(arm, tmp_path)["exact"] >= 0.9


def test_rewards_of_other_answers_teach_nothing(tmp_path: Path) -> None:
    found = toy("control", tmp_path)
    assert found["exact"] <= 0.1
    assert found["commonest_share"] <= 0.5


ROUNDS, SAMPLES = 100, 300
STEADY = {"kl": 0.1, "generator_rate": 1e-4, "discriminator_rate": 1e-3}
NAIVE = {
    "kl": 0.0,
    "generator_rate": 1e-3,
    "discriminator_rate": 1e-3,
    "credit": "end",
    "discriminator_loss": "standard",
    "smoothing": 0.0,
    "replay": 0.0,
    "score_penalty": 0.0,
    "scaled": True,
    "baseline": "none",
}
"""As published, and as bare: no reference, no baseline, a discriminator that learns in every round."""


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers in short and in long."""
    return taught([row for row, _ in both_styles(answer, 2000, 0)], tmp_path_factory.mktemp("speaker"))


def short_ones() -> list[Row]:
    """Short answers, and one in twenty long, so that there is room for long ones."""
    short = [row for row, asked in both_styles(answer, 400, 1) if asked]
    return short + [row for row, asked in both_styles(answer, 20, 5) if not asked]


def ended(rows: list[Row], model: Path, folder: Path, rounds: int, **settings: Any) -> tuple[RunFolder, list[str]]:
    """The run of a game, and what its generator writes in the end."""
    folder.mkdir()
    run = train(game(rows, model, folder, rounds=rounds, **settings), folder / "run")
    return run, [one.text for one in sample(run.path, SAMPLES, seed=0)]


def tokens_of(texts: list[str]) -> float:
    """Mean tokens of an answer, the end token included."""
    return sum(len(text.split()) + 1 for text in texts) / len(texts)


def divergences(run: RunFolder) -> list[float]:
    """KL(π ‖ π_ref) of the rounds, in nats an answer."""
    figures = [line["figures"] for line in run.events() if line["kind"] == "gathering" and line.get("round")]
    return [one["kl"] * one["length"] for one in figures if "kl" in one]


@pytest.mark.parametrize("settings", [{}, {"variant": "ppo", "kl": 0.2, "generator_rate": 5e-5}])
def test_answers_become_as_short_as_the_real_ones(settings: dict[str, Any], speaker: Path, tmp_path: Path) -> None:
    """Section 9.5: at least half-way in 200 steps, less than 5 nats an answer away, distinct-2 at least 70 %."""
    rows = short_ones()
    _, before = ended(rows, speaker, tmp_path / "before", 0, **STEADY)
    run, after = ended(rows, speaker, tmp_path / "after", ROUNDS, **{**STEADY, **settings})
    wanted = tokens_of([text for _, text in rows])
    assert tokens_of(before) > wanted + 2
    assert tokens_of(after) <= (tokens_of(before) + wanted) / 2
    assert tokens_of(after) >= 0.8 * wanted  # as short, and no shorter
    assert 0 < max(divergences(run)) < 5
    assert distinct_pairs(after) >= 0.7 * distinct_pairs(before)


def test_with_rewards_of_other_answers_they_stay_as_long(speaker: Path, tmp_path: Path) -> None:
    rows = short_ones()
    _, before = ended(rows, speaker, tmp_path / "before", 0, **STEADY)
    _, after = ended(rows, speaker, tmp_path / "after", ROUNDS, **STEADY, shuffled=True)
    wanted = tokens_of([text for _, text in rows])
    assert tokens_of(after) > (tokens_of(before) + wanted) / 2


def test_without_a_reference_and_a_discriminator_that_always_learns_they_collapse(
    speaker: Path, tmp_path: Path
) -> None:
    """Section 9.5: the collapse that the paper describes, and that the alarms hear."""
    run, after = ended(short_ones(), speaker, tmp_path / "naive", ROUNDS, **NAIVE)
    alarms = {line["detector"] for line in run.events() if line["kind"] == "finding"}
    assert alarms & set(STOPS)
    assert len(set(after)) < SAMPLES / 4
    assert sum(len(text.split()) == 3 for text in after) < SAMPLES / 4  # hardly any looks like a real one


def test_praise_alone_makes_reviews_positive(tmp_path: Path) -> None:
    """Section 9.6: at least 20 points over SFT, by the word of a classifier that no part of training saw."""
    model = taught([row for row, _ in both_styles(review, 2000, 0)], tmp_path / "model")
    praise = [row for row, asked in both_styles(review, 400, 1) if asked]
    judge = Classifier(both_styles(review, 2000, 2))
    unseen = both_styles(review, 1000, 3)
    assert sum(judge.positive(text) == good for (_, text), good in unseen) > 0.85 * len(unseen)
    _, before = ended(praise, model, tmp_path / "before", 0, **STEADY)
    run, after = ended(praise, model, tmp_path / "after", ROUNDS, **STEADY)
    _, control = ended(praise, model, tmp_path / "control", ROUNDS, **STEADY, shuffled=True)
    positive = [sum(map(judge.positive, texts)) / SAMPLES for texts in (before, after, control)]
    assert positive[1] >= positive[0] + 0.2
    assert positive[2] <= positive[0] + 0.1
    assert max(divergences(run)) < 5
    assert distinct_pairs(after) >= 0.7 * distinct_pairs(before)
