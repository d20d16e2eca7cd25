"""RLGAF whose reference follows the generator, and whose answers lose by being cut; both off by default.

Mutants killed: a reference that moves in every round or before the generator did, shares the wrong way round, a tied
parameter that moves twice, a base that is moved with its adapters, a resume that forgets where the reference stood, an
end token sought in the padding (which is the end token), a penalty of every token or of ended answers.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.algorithms.answering import answer_play, unended
from seqgans.algorithms.equipment import follow
from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.sequences import Sequences
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.algorithms.tuned import GAME, players_of, scene_of

MOVING: dict[str, Any] = {"reference_every": 2, "reference_mixup": 0.25, "generator_rate": 0.01, "rounds": 5}


def copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: part.clone() for name, part in module.named_parameters()}


def test_the_reference_moves_so_far_and_so_often(folder: Path, corpus: Corpus) -> None:
    settings, players = players_of(folder, corpus, **MOVING)
    training = Training(settings, players, corpus, 0, Team("cpu"))
    known = copied(players.get_submodule("reference"))
    for event in training.events():
        if event.kind != "round":
            continue
        now, policy = copied(players.get_submodule("reference")), copied(players.generator)
        for name, part in now.items():
            expected = known[name] if event.round % 2 else 0.75 * known[name] + 0.25 * policy[name]
            torch.testing.assert_close(part, expected, rtol=0, atol=1e-6)
        assert any(not part.equal(known[name]) for name, part in now.items()) == (event.round % 2 == 0)
        known = now
    assert players.generator.output.weight.data_ptr() != players.get_submodule("reference").output.weight.data_ptr()  # pyright: ignore


@pytest.mark.parametrize("mixup", [0.5, 1.0])
def test_what_is_tied_moves_once(folder: Path, corpus: Corpus, mixup: float) -> None:
    _, players = players_of(folder, corpus, **MOVING)
    trunk = [players.get_submodule(name).model.base_model for name in ("generator", "reference")]  # pyright: ignore
    assert trunk[0].wte.weight is players.generator.output.weight  # pyright: ignore
    before = trunk[1].wte.weight.clone()  # pyright: ignore
    with torch.no_grad():
        trunk[0].wte.weight.add_(1.0)  # pyright: ignore
        follow(players, dataclasses.replace(scene_of(corpus), round=3), every=3, mixup=mixup)
    torch.testing.assert_close(trunk[1].wte.weight, before + mixup)  # pyright: ignore


def test_adapters_move_and_their_base_stays(folder: Path, corpus: Corpus) -> None:
    pytest.importorskip("peft", reason="low-rank adapters need the extra [lm]")
    mapping = {
        "algorithm": {"name": "rlgaf", **GAME, **MOVING},
        "corpus": {"spec": "pairs.tsv"},
        "generator": {"model": str(folder), "lora": 2},
        "discriminator": {"lora": 2},
    }
    recipe = Recipe.of(mapping)
    players = build_players(recipe, corpus, 0)
    before = copied(players.get_submodule("reference"))
    list(Training(recipe.settings, players, corpus, 0, Team("cpu")).events())
    after = copied(players.get_submodule("reference"))
    moved = {name for name, part in after.items() if not part.equal(before[name])}
    assert moved
    assert all("lora_" in name for name in moved)


def test_going_on_is_not_stopping(folder: Path, corpus: Corpus) -> None:
    """From every event: the reference, and with it the rewards, stand where they stood."""
    settings, players = players_of(folder, corpus, **MOVING, variant="ppo", ppo_epochs=2, missing_eos_penalty=0.5)
    whole = Training(settings, players, corpus, 0, Team("cpu"))
    states, losses = [], []
    for event in whole.events():
        tensors, facts = whole.state()
        states.append(({name: part.clone() for name, part in tensors.items()}, facts, len(losses)))
        if event.kind == "update":
            losses.append(event.loss)
            states[-1] = (*states[-1][:2], len(losses))
    end = {name: part.clone() for name, part in players.state_dict().items()}
    for tensors, facts, done in states[3::9]:
        same, again = players_of(folder, corpus, **MOVING, variant="ppo", ppo_epochs=2, missing_eos_penalty=0.5)
        rest = Training(same, again, corpus, 0, Team("cpu"))
        rest.restore(tensors, facts)
        assert [event.loss for event in rest.events() if event.kind == "update"] == losses[done:]
        assert all(part.equal(end[name]) for name, part in again.state_dict().items())


@pytest.mark.parametrize("credit", ["token", "end"])
@pytest.mark.parametrize("scaled", [False, True])
def test_answers_without_an_end_lose_at_their_last_token(
    folder: Path, corpus: Corpus, credit: str, scaled: bool
) -> None:
    how = {"credit": credit, "scaled": scaled, "baseline": "none", "kl": 0.0, "decay": 0.0, "batch": 16}
    plays = []
    for penalty in (0.0, 2.5):
        settings, players = players_of(folder, corpus, **how, missing_eos_penalty=penalty)
        with torch.no_grad():  # hardly ever an end: 0 is also what fills up
            players.generator.output.bias[0] -= 1.0
        plays.append(answer_play(settings, players, scene_of(corpus)))
    fake, free, paid = plays[0].fake, plays[0].rewards, plays[1].rewards
    assert fake is not None
    assert free is not None
    assert paid is not None
    assert plays[1].fake is not None
    assert fake.tokens.equal(plays[1].fake.tokens)
    cut = torch.tensor([0 not in row[mask] for row, mask in zip(fake.tokens, fake.mask, strict=True)])
    assert 0 < int(cut.sum()) < len(cut)
    lost = torch.zeros_like(free)
    lost[cut, -1] = 2.5
    if credit == "end":  # the whole return at every token
        lost = lost.sum(1, keepdim=True) * fake.mask
    torch.testing.assert_close(free - paid, lost, rtol=0, atol=1e-5)
    torch.testing.assert_close(plays[0].extras["reward"] - plays[1].extras["reward"], 2.5 * cut.float())
    assert plays[1].figures["unended"] == pytest.approx(float(cut.float().mean()))
    assert "unended" not in plays[0].figures


def test_answers_that_never_end_are_no_fault_of_theirs(folder: Path, corpus: Corpus) -> None:
    endless = dataclasses.replace(corpus, vocabulary=dataclasses.replace(corpus.vocabulary, end=None))
    with pytest.raises(BadInput, match=r"needs answers that end, and these have no end token; set --corpus\.end yes"):
        players_of(folder, endless, missing_eos_penalty=1.0)


def test_an_end_token_that_fills_up_is_no_end(folder: Path, corpus: Corpus) -> None:
    _, players = players_of(folder, corpus)
    tokens = torch.tensor([[5, 6, 0], [5, 0, 0], [5, 6, 7], [5, 0, 0]])
    mask = torch.tensor([[True, True, True], [True, True, False], [True, True, True], [True, False, False]])
    assert unended(players, Sequences(tokens, mask)).tolist() == [False, False, True, True]
