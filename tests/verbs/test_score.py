"""Score: the discriminator's own probability of each line, whatever chunk it is in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.verbs.loading import load_run
from seqgans.verbs.score import ROWS, score


def test_a_score_is_the_sigmoid_of_the_logit(runs: Path, tmp_path: Path) -> None:
    run = load_run(runs / "seqgan-1")
    tokens = run.corpus.test.tokens[: ROWS + 2]
    file = tmp_path / "lines.txt"
    lines = [" ".join(map(str, row)) for row in tokens.tolist()]
    file.write_text("\n".join([lines[0], "", *lines[1:]]))
    found = score(runs / "seqgan-1", file)
    assert [entry.text for entry in found] == [lines[0], "", *lines[1:]]
    assert (found[1].probability, found[1].note) == (None, "blank")
    with torch.no_grad():
        expected = run.players.discriminator.scores(tokens, torch.ones_like(tokens, dtype=torch.bool)).sigmoid()
    assert [entry.probability for entry in found if not entry.note] == pytest.approx(expected.tolist(), abs=1e-5)


def test_lengths_that_do_not_fit_are_said(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    whole = " ".join(["1"] * 12)
    file.write_text(f"1 2\n{whole}\n{whole} 2 3\n")
    short, fits, long = score(runs / "seqgan-1", file)
    assert (short.probability, short.note) == (None, "shorter than the 12 tokens of this run")
    assert fits.note == ""
    assert (long.probability, long.note) == (fits.probability, "cut from 14 to 12 tokens")
