"""A minibatch in parts is the minibatch: every loss of every algorithm, on sequences of several lengths.

Mutants killed: a mean over tokens that counts a part by its rows, random numbers that differ between parts.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from seqgans.algorithms import ALGORITHMS
from seqgans.algorithms.base import Phase, Play
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.options.phases import updates_of
from seqgans.training.build import build_players
from seqgans.training.loop import Training
from seqgans.training.recipe import Recipe
from seqgans.training.team import Team
from tests.contracts.small import LINES, mapping


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Sequences that end, of two categories."""
    path: Path = tmp_path_factory.mktemp("text") / "lines.tsv"
    path.write_text("".join(f"{place % 2}\t{line}\n" for place, line in enumerate(LINES * 2)))
    return open_text_corpus(str(path), CorpusSettings(text="1", label="0", valid=0.0, test=0.0), 0)


def losses(training: Training, phase: Phase, play: Play, parts: int) -> list[float]:
    """Of the updates of a phase, none of which is made, on all rows of a play, the longest first, in so many parts."""
    rows = torch.arange(len(play)) if play.real is None else play.real.mask.sum(1).argsort(descending=True)
    found = []
    for update in updates_of(dataclasses.replace(phase, lowerings=0)):
        stream = training.streams["update"].random
        before, training.accumulate = stream.get_state(), parts
        with training.only(update.player) as parameters:
            found.append(training.backward(update, play, rows, parameters)[0])
            for parameter in parameters:
                parameter.grad = None
        stream.set_state(before)
    return found


STEPS = {"seqgan": {"reward": "step"}, "regs": {"learns_from": "every"}}
"""Settings in which a discriminator learns after every token: both sides of a part have shares of their own."""


CASES = {**{name: (name, {}) for name in ALGORITHMS}, **{f"{name}-steps": (name, own) for name, own in STEPS.items()}}


@pytest.mark.parametrize(("name", "settings"), CASES.values(), ids=CASES)
def test_a_minibatch_in_parts_has_the_loss_of_the_whole(name: str, settings: dict[str, str], text: Corpus) -> None:
    facts = mapping(name)
    facts["algorithm"] |= settings
    if settings:
        facts["discriminator"] = {"name": "lstm", "hidden": 4, "embedding": 4}
    recipe = Recipe.of(facts)
    training = Training(recipe.settings, build_players(recipe, text, 0), text, 0, Team("cpu"))
    for phase in (*training.schedule.before, *training.schedule.round):
        play = training.gathered(phase)
        if len(play) and not phase.variants:  # CatGAN's compare with means over the minibatch
            whole, parts = (losses(training, phase, play, count) for count in (1, 2))
            assert parts == pytest.approx(whole, rel=1e-4, abs=1e-5), phase.name
