"""RLGAF against exact expectations, and the traps of fine-tuning by a reward that learns.

Named traps: the end token as padding (1), where the score lies (2), equal and missing rewards (7), other ids than were
sampled (12), answers of nothing (14); resume (9) is in the contract suite. Mutants killed: the old law left out of the
ratio, a discriminator that learns from the generator's update, a reference that follows, a gate that never opens,
negatives beside another prompt's real answer.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path

import pytest
import torch

from seqgans.algorithms.answering import answer_play, chosen, spread_of
from seqgans.algorithms.judging import BETWEEN, judge_loss, right, to_tell_apart
from seqgans.algorithms.rlgaf import RLGAF
from seqgans.algorithms.tuning import tuning_loss
from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.generators.conditional import given
from seqgans.objectives.adversarial import ADVERSARIAL
from seqgans.objectives.divergence import DIVERGENCES
from seqgans.randomness import Stream
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.algorithms.tuned import GAME, players_of, scene_of


def test_prompts_are_read_by_the_models_tokenizer_and_not_closed(corpus: Corpus) -> None:
    source = corpus.train.source
    assert source is not None
    assert bool((source.tokens[:, 0] == 1).all())
    assert bool(source.mask.all())  # two tokens each, and nothing behind them
    assert corpus.vocabulary.end == 0
    assert bool((corpus.train.tokens[~corpus.train.mask] == 0).all())
    ends = corpus.train.tokens.gather(1, corpus.train.mask.sum(1, keepdim=True) - 1)
    assert bool((ends == 0).all())  # the end token is real although padding is the same id


@pytest.mark.parametrize("credit", ["token", "end"])
@pytest.mark.parametrize("baseline", ["group", "none", "moving_average", "value"])
def test_a_play_pays_real_tokens_alone(folder: Path, corpus: Corpus, credit: str, baseline: str) -> None:
    settings, players = players_of(folder, corpus, credit=credit, baseline=baseline)
    play = answer_play(settings, players, scene_of(corpus))
    assert play.fake is not None
    assert play.rewards is not None
    assert bool((play.rewards[~play.fake.mask] == 0).all())
    assert bool(play.rewards.isfinite().all())
    assert play.figures["kl"] == pytest.approx(0.0, abs=1e-6)  # the reference is the model as the game found it
    loss = tuning_loss(settings, players, dataclasses.replace(play, random=Stream(torch.Generator())))
    assert loss.value.isfinite()


def test_answers_stand_beside_the_real_ones_of_their_prompt(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus)
    scene = scene_of(corpus)
    for _ in range(3):
        answer_play(settings, players, scene)
    play = to_tell_apart(players, scene, batch=settings.batch, objective="relativistic", replay=0.5)
    assert play.real is not None
    assert play.fake is not None
    assert play.fake.source is not None
    assert play.real.source is not None
    assert play.fake.source.tokens.equal(play.real.source.tokens)
    pairs = {(tuple(row), tuple(answer)) for row, answer in zip(*sides(corpus.train), strict=True)}
    assert all(
        pair in pairs for pair in zip(map(tuple, sides(play.real)[0]), map(tuple, sides(play.real)[1]), strict=True)
    )


def sides(rows) -> tuple[list[list[int]], list[list[int]]]:
    return rows.source.tokens.tolist(), rows.tokens.tolist()


def test_groups_answer_one_prompt(corpus: Corpus) -> None:
    rows = chosen(scene_of(corpus), 8, 4)
    assert rows.view(2, 4).unique(dim=1).shape == (2, 1)


def test_the_first_clipped_step_is_that_of_reinforce(folder: Path, corpus: Corpus) -> None:
    gradients = []
    for variant in ("ppo", "reinforce"):
        settings, players = players_of(folder, corpus, variant=variant, baseline="group")
        play = answer_play(settings, players, scene_of(corpus))
        loss = tuning_loss(settings, players, play)
        gradients.append(torch.autograd.grad(loss.value, players.generator.output.weight)[0])
        assert loss.figures.get("clipped", 0.0) == 0.0  # dropout is off: every ratio is 1
    assert torch.allclose(*gradients, atol=1e-5)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_relaxed_answers_are_on_the_leash(folder: Path, corpus: Corpus, estimator: str) -> None:
    """Kills: a reference that costs nothing; one that costs where it is not left; k1 as a loss, which has no say."""
    free, players = players_of(folder, corpus, variant="gumbel", kl=0.5, kl_estimator=estimator)
    with torch.no_grad():
        for part in players.generator.parameters():
            part.add_(0.05 * torch.randn(part.shape, generator=torch.Generator().manual_seed(3)))
    play = answer_play(free, players, scene_of(corpus))
    assert play.fake is not None
    assert play.figures["kl_cost"] == 0.5
    assert play.figures["kl"] == pytest.approx((play.extras["kl"].sum() / play.fake.mask.sum()).item())

    def lost(extras: dict[str, torch.Tensor]) -> float:
        same = dataclasses.replace(play, extras=extras, random=Stream(torch.Generator().manual_seed(1)))
        return tuning_loss(free, players, same).value.item()

    log_probs = given(players.generator, play.fake.source).log_probs(play.fake.tokens).detach()
    apart = DIVERGENCES["k2" if estimator == "k1" else "k3"](log_probs, play.extras["reference"])
    expected = 0.5 * apart.masked_fill(~play.fake.mask, 0.0).sum(1).mean().item()
    assert expected > 1e-3
    assert lost(play.extras) - lost({}) == pytest.approx(expected, rel=1e-3)
    assert "kl" not in answer_play(*players_of(folder, corpus, variant="gumbel"), scene_of(corpus)).figures
    _, unmoved = players_of(folder, corpus, variant="gumbel", kl=0.5)
    assert answer_play(free, unmoved, scene_of(corpus)).figures["kl"] == pytest.approx(0.0, abs=1e-6)


def test_the_control_of_relaxed_answers_sees_no_gradient_of_the_discriminator(folder: Path, corpus: Corpus) -> None:
    for shuffled in (False, True):
        settings, players = players_of(folder, corpus, variant="gumbel", likelihood_weight=0.0, shuffled=shuffled)
        play = answer_play(settings, players, scene_of(corpus))
        play = dataclasses.replace(play, random=Stream(torch.Generator().manual_seed(1)))
        tuning_loss(settings, players, play).value.backward()
        moved = [float(part.grad.abs().sum()) for part in players.generator.parameters() if part.grad is not None]
        assert (sum(moved) == 0) == shuffled


def test_only_a_weight_on_real_answers_is_maximum_likelihood(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus, likelihood_weight=1.0, kl=0.0, credit="end", baseline="none")
    torch.nn.init.zeros_(players.discriminator.get_parameter("head.weight"))  # every reward is 0
    play = answer_play(settings, players, scene_of(corpus)).rows(torch.tensor([0, 1, 2, 4]))  # three to one prompt
    found = tuning_loss(settings, players, play).value
    assert play.real is not None
    law = players.generator.given(play.real.source)  # pyright: ignore
    nll = -((law.log_probs(play.real.tokens) * play.real.mask).sum(1) / play.real.mask.sum(1)).mean()
    assert torch.allclose(found, nll, atol=1e-6)


def test_no_gradient_crosses_over(folder: Path, corpus: Corpus) -> None:
    for variant in ("reinforce", "gumbel"):
        settings, players = players_of(folder, corpus, variant=variant)
        play = dataclasses.replace(
            answer_play(settings, players, scene_of(corpus)), random=Stream(torch.Generator().manual_seed(0))
        )
        told = {"objective": "relativistic", "smoothing": 0.1, "score_penalty": 0.001, "each_token": True}
        judge_loss(players, play, **told).value.backward()  # pyright: ignore[reportArgumentType]
        assert all(part.grad is None for part in players.generator.parameters())
        for part in players.discriminator.parameters():
            part.grad = None
            part.requires_grad_(False)
        tuning_loss(settings, players, play).value.backward()
        assert any(part.grad is not None and bool((part.grad != 0).any()) for part in players.generator.parameters())


def test_the_discriminator_waits_while_it_is_right_but_not_for_ever(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus, gate=0.0, gate_rounds=3)
    scene = scene_of(corpus)
    answer_play(settings, players, scene)
    looks = [
        to_tell_apart(
            players,
            dataclasses.replace(scene, round=round),
            batch=settings.batch,
            objective="relativistic",
            replay=0.0,
            gate=-1.0,
            gate_rounds=3,
        )
        for round in (1, 2, 3)
    ]
    assert [len(look) for look in looks] == [0, 0, settings.batch]
    assert [look.figures["waits"] for look in looks] == [1.0, 1.0, 0.0]


def test_answers_of_nothing_end_no_step(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus)
    with torch.no_grad():
        players.generator.output.bias[0] = 1e4  # `<eos>` at once, always
    play = answer_play(settings, players, scene_of(corpus))
    assert play.figures["length"] == 1.0
    assert play.rewards is not None
    assert bool((play.rewards.abs() < 1e-4).all())  # all alike: nothing to choose between
    loss = tuning_loss(settings, players, dataclasses.replace(play, random=None))
    assert loss.value.isfinite()


def test_scores_that_are_no_numbers_leave_the_step_finite(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus, credit="end", scaled=True)
    torch.nn.init.constant_(players.discriminator.get_parameter("head.bias"), float("nan"))
    play = answer_play(settings, players, scene_of(corpus))
    assert play.rewards is not None
    assert bool(play.rewards.isfinite().all())
    assert play.figures["unscored"] == 1.0


def test_answers_without_a_score_are_counted_and_left_out_of_the_mean() -> None:
    found = spread_of(torch.tensor([1.0, float("nan"), 3.0, float("inf")]))
    assert found == {"reward": 2.0, "reward_spread": pytest.approx(2**0.5), "unscored": 0.5}
    assert spread_of(torch.tensor([1.0])) == {"reward": 1.0, "reward_spread": 0.0}
    assert spread_of(torch.tensor([float("nan")])) == {"unscored": 1.0}
    assert "unscored" not in spread_of(torch.tensor([1.0, 3.0]))


@pytest.mark.parametrize("objective", ADVERSARIAL)
def test_accuracy_is_that_of_the_loss(objective: str) -> None:
    """Kills: the sign of a score where a loss draws no line at 0, pairs where it compares with a mean."""
    real, fake = torch.tensor([5.0, -1.0]), torch.tensor([4.0, -2.0])  # each a little above its partner
    wanted: dict[str, float] = dict.fromkeys(("relativistic", "total_variation", "wasserstein"), 1.0)
    assert right(objective, real, fake) == wanted.get(objective, 0.5)
    high, low = torch.tensor([1.4, 0.9]), torch.tensor([0.1, 0.4])  # about 1 and about 0
    assert right(objective, high, low) == (0.5 if BETWEEN.get(objective) == 0 else 1.0)


@pytest.mark.parametrize("objective", ADVERSARIAL)
def test_the_discriminator_learns_by_every_objective(folder: Path, corpus: Corpus, objective: str) -> None:
    settings, players = players_of(folder, corpus, discriminator_loss=objective, smoothing=0.0)
    scene = scene_of(corpus)
    answer_play(settings, players, scene)
    play = to_tell_apart(players, scene, batch=settings.batch, objective=objective, replay=0.0)
    optimizer = torch.optim.Adam(players.discriminator.parameters(), lr=0.01)
    seen = []
    for _ in range(40):
        loss = judge_loss(
            players, play, objective=objective, smoothing=0.0, score_penalty=settings.score_penalty, each_token=False
        )
        optimizer.zero_grad()
        loss.value.backward()
        optimizer.step()
        seen.append(loss.figures)
    assert seen[-1]["loss"] < seen[0]["loss"] - 0.05
    assert seen[-1]["accuracy"] >= 0.9


@pytest.mark.parametrize("variant", ["reinforce", "ppo", "gumbel"])
def test_in_half_precision_all_that_is_kept_is_not(folder: Path, corpus: Corpus, variant: str) -> None:
    settings, players = players_of(folder, corpus, variant=variant, pretrain_epochs=1)
    learner = Training(settings, players, corpus, 0, Team("cpu", "bfloat16"))
    losses = [event.loss for event in learner.events() if event.kind == "update"]
    assert all(math.isfinite(loss) for loss in losses)
    assert {tensor.dtype for tensor in learner.state()[0].values() if tensor.is_floating_point()} == {torch.float32}
    same, again = players_of(folder, corpus, variant=variant, pretrain_epochs=1)
    full = [event.loss for event in Training(same, again, corpus, 0, Team("cpu")).events() if event.kind == "update"]
    assert losses[0] == pytest.approx(full[0], rel=0.02)  # before answers can differ; bfloat16 has 8 bits
    assert losses != full


@pytest.mark.parametrize("variant", ["reinforce", "ppo", "gumbel"])
def test_every_variant_plays_its_rounds(folder: Path, corpus: Corpus, variant: str) -> None:
    settings, players = players_of(folder, corpus, variant=variant, likelihood_weight=0.1, kl=0.02)
    before = {name: part.clone() for name, part in players.get_submodule("reference").named_parameters()}
    events = list(Training(settings, players, corpus, 0, Team("cpu")).events())
    assert events[-1].kind == "end"
    assert [event.kind for event in events].count("round") == 2
    for name, part in players.get_submodule("reference").named_parameters():
        assert part.equal(before[name]), name


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"group": 3}, r"RLGAF.group must be at least 2 and divide the batch of 32, got 3"),
        ({"memory": 4}, r"RLGAF.memory must hold at least a batch of 32, got 4"),
        ({"kl": -1.0}, r"RLGAF.kl must be at least 0, got -1.0"),
        ({"discriminator_loss": "hinge"}, r"RLGAF.smoothing goes with relativistic and standard alone; set it to 0"),
        ({"gate": 2.0}, r"RLGAF.gate must be from 0 to 1, got 2.0"),
        ({"kl_target": 0.0}, r"RLGAF.kl_target must be above 0, got 0.0"),
        ({"reference_every": -1}, r"RLGAF.reference_every must be at least 0, got -1"),
        ({"reference_mixup": 0.0}, r"RLGAF.reference_mixup must be above 0 and at most 1, got 0.0"),
        ({"reference_every": 5, "kl": 0.0}, r"there is only with kl above 0, got 0.0; set kl, or reference_every to 0"),
        ({"reference_every": 5, "variant": "gumbel"}, r"RLGAF.reference_every moves a reference, which there is only"),
        ({"missing_eos_penalty": -1.0}, r"RLGAF.missing_eos_penalty must be at least 0, got -1.0"),
        ({"missing_eos_penalty": 1.0, "variant": "gumbel"}, r"rewards, and gumbel has none; set it to 0"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, object], line: str) -> None:
    with pytest.raises(ValueError, match=line.replace(".", r"\.")):
        RLGAF(**settings)  # pyright: ignore


def test_paying_each_token_needs_a_score_for_each(folder: Path, corpus: Corpus) -> None:
    recipe = functools.partial(Recipe.of)
    mapping = {
        "algorithm": {"name": "rlgaf", **GAME},
        "corpus": {"spec": "pairs.tsv"},
        "generator": {"model": str(folder)},
        "discriminator": {"name": "cnn", "embedding": 4, "widths": [1, 2], "maps": [2, 2]},
    }
    with pytest.raises(BadInput, match="score per step"):
        build_players(recipe(mapping), corpus, 0)
