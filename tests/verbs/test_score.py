"""Score: the discriminator's own probability of each line, whatever chunk it is in."""

from __future__ import annotations

import json
from inspect import unwrap
from pathlib import Path

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe
from seqgans.verbs.loading import load_run
from seqgans.verbs.score import ROWS, score, score_texts
from seqgans.verbs.train import train
from tests.generators.models import model_folder
from tests.verbs.conftest import RUN


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


def test_a_list_is_scored_as_a_file(runs: Path, tmp_path: Path) -> None:
    lines = [" ".join(["1"] * 12), "", " ".join(["2"] * 12)]
    (tmp_path / "lines.txt").write_text("\n".join(lines))
    assert score(runs / "seqgan-1", lines) == score(runs / "seqgan-1", tmp_path / "lines.txt")
    assert score(runs / "seqgan-1", []) == []
    with pytest.raises(BadInput, match=r"3 texts need 0 sources to answer in this run, got 1"):
        score(runs / "seqgan-1", lines, sources=["1"])
    with pytest.raises(BadInput, match="each text must be text, got nan"):
        unwrap(score_texts)(load_run(runs / "seqgan-1"), [float("nan")], None)  # pyright: ignore[reportArgumentType]


def test_lengths_that_do_not_fit_are_said(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    whole = " ".join(["1"] * 12)
    file.write_text(f"1 2\n{whole}\n{whole} 2 3\n")
    short, fits, long = score(runs / "seqgan-1", file)
    assert (short.probability, short.note) == (None, "shorter than the 12 tokens of this run")
    assert fits.note == ""
    assert (long.probability, long.note) == (fits.probability, "cut from 14 to 12 tokens")


@pytest.mark.parametrize("kind", ["columns", "named", "chat"])
def test_the_file_that_a_run_learnt_from_can_be_scored(kind: str, tmp_path: Path) -> None:
    """Columns that train found by their usual names are found again; what sample writes is read as well.

    Mutants killed: columns called source and text alone; those that the run names alone; conversations that are not
    written out.
    """
    folder = model_folder(tmp_path / "model")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    template = "{% for one in messages %}w20 {{ one['content'] }} {% endfor %}"
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": template}))
    pairs = [(f"w1 w{1 + row % 5}", f"w3 w{1 + row % 4}") for row in range(16)]
    names = ("question", "answer") if kind == "named" else ("prompt", "completion")
    rows = [dict(zip(names, pair, strict=True)) for pair in pairs]
    if kind == "chat":
        said = [[("user", prompt), ("assistant", answer)] for prompt, answer in pairs]
        rows = [{"messages": [{"role": role, "content": text} for role, text in talk]} for talk in said]
        pairs = [(f"w20 {prompt} ", f"w20 {answer}") for prompt, answer in pairs]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    columns = dict(zip(("source", "text"), names, strict=True)) if kind == "named" else {}
    game = {
        "name": "rlgaf",
        "pretrain_epochs": 0,
        "discriminator_pretrain_steps": 1,
        "rounds": 1,
        "batch": 4,
        "group": 2,
    }
    recipe = Recipe.of(
        {
            "algorithm": game,
            "corpus": {"spec": str(file), "valid": 0.2, "test": 0.2, **columns},
            "generator": {"name": "pretrained", "model": str(folder)},
            "run": {"final_samples": 4, "eval_samples": 4, "tensorboard": False},
        }
    )
    run = train(recipe, tmp_path / "run").path
    found = score(run, file)
    assert [(one.source, one.text) for one in found] == pairs
    assert all(one.probability is not None for one in found)
    written = tmp_path / "written.jsonl"
    written.write_text("".join(f"{json.dumps({'source': one.source, 'text': one.text})}\n" for one in found))
    assert [one.probability for one in score(run, written)] == [one.probability for one in found]


def test_what_sample_writes_is_scored_by_a_run_on_a_named_column(tmp_path: Path) -> None:
    """Kills: the column of the run's corpus alone, which a table of samples does not have."""
    file, written, plain = (tmp_path / name for name in ("rows.jsonl", "written.jsonl", "written.txt"))
    lines = [f"w{row % 5} w{row % 3}" for row in range(24)]
    file.write_text("".join(f"{json.dumps({'review': line})}\n" for line in lines))
    written.write_text("".join(f"{json.dumps({'text': line, 'ids': []})}\n" for line in lines))
    plain.write_text("".join(f"{line}\n" for line in lines))
    facts = {
        "algorithm": {"name": "seqgan", "pretrain_epochs": 0, "discriminator_pretrain_steps": 1, "rounds": 1},
        "corpus": {"spec": str(file), "text": "review", "valid": 0.2, "test": 0.2},
        "run": RUN,
    }
    run = train(Recipe.of(facts), tmp_path / "run").path
    assert score(run, written) == score(run, file) == score(run, plain)
