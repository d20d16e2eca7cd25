"""Sampling by hand: equal seeds, prompts, alternatives of the right law, scores of the right prefix.

Mutants killed: alternatives of the next token instead of this one, the plain law instead of the drawn one, scores of
the whole sequence at every token, a checkpoint's name joined to a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from seqgans.errors import BadInput
from seqgans.verbs.loading import LoadedRun, load_run
from seqgans.verbs.score import score_lines
from seqgans.web.readings import Wish, written
from seqgans.web.store import Store

from .conftest import client_of, let_in


@pytest.fixture(scope="session")
def text(runs: Path) -> LoadedRun:
    return load_run(runs / "text" / "seqgan")


def test_equal_seeds_write_the_same_and_others_do_not(text: LoadedRun):
    first, again, other = (written(text, Wish(count=4, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_alternatives_are_those_of_the_law_that_was_drawn_from(text: LoadedRun):
    for sequence in written(text, Wish(count=3, temperature=0.7, top_k=3)):
        for token in sequence["tokens"]:
            shares = [share for _, share in token["alternatives"]]
            assert len(shares) <= 3
            assert sum(shares) == pytest.approx(1, abs=1e-5)
            assert shares == sorted(shares, reverse=True)
            assert min(abs(token["probability"] - share) for share in shares) < 1e-5
            assert "<unk>" not in dict(token["alternatives"])


def test_probabilities_are_the_likelihood(text: LoadedRun):
    """The product over tokens is G(Y), given that <unk> is not drawn."""
    vocabulary = text.corpus.vocabulary
    (sequence,) = written(text, Wish(count=1, seed=3))
    ids = vocabulary.encode(sequence["text"])
    ids += [0] * (text.corpus.length - len(ids))
    logits = text.players.generator.logits(torch.tensor([ids]))[0]
    logits[:, vocabulary.unknown] = -torch.inf
    expected = logits.softmax(1)[torch.arange(len(ids)), ids].tolist()
    found = [token["probability"] for token in sequence["tokens"]]
    assert found == pytest.approx(expected[: len(found)], rel=1e-4)


def test_a_prompt_stays_and_is_marked(text: LoadedRun):
    for sequence in written(text, Wish(prompt="the cat", count=3)):
        assert sequence["text"].startswith("the cat")
        assert [token["given"] for token in sequence["tokens"][:3]] == [True, True, False][: len(sequence["tokens"])]
        assert "".join(token["text"] for token in sequence["tokens"]) == sequence["text"]


def test_scores_are_of_the_prefix(text: LoadedRun):
    """At the end the discriminator has seen all: what `score` says of the line."""
    every = written(text, Wish(count=16, temperature=0.5))
    sequences = [one for one in every if one["text"].strip() and one["tokens"][-1]["end"]]
    assert len(sequences) > 1
    whole = score_lines(text, [one["text"] for one in sequences])
    assert [one["score"] for one in sequences] == pytest.approx([score.probability for score in whole], abs=1e-5)
    assert any(len({token["score"] for token in one["tokens"]}) > 1 for one in sequences)


def test_without_a_discriminator_there_is_no_score(runs: Path):
    (tune,) = written(load_run(runs / "tunes"), Wish(count=1, temperature=0.0))
    assert tune["score"] is None
    assert len(tune["keys"]) == len(tune["tokens"]) == 8
    assert all(token["probability"] == pytest.approx(1) for token in tune["tokens"])  # temperature 0


@pytest.mark.parametrize(
    "wish",
    [
        Wish(count=0),
        Wish(count=17),
        Wish(temperature=-1.0),
        Wish(temperature=float("nan")),
        Wish(top_p=0.0),
        Wish(top_k=-1),
        Wish(seed=-1),
        Wish(seed=2**80),
        Wish(category="none of these"),
        Wish(prompt="the cat " * 50),
    ],
)
def test_wishes_that_cannot_be(text: LoadedRun, wish: Wish):
    with pytest.raises(BadInput):
        written(text, wish)


@pytest.fixture(scope="module")
def player(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with client_of(runs, Store(tmp_path_factory.mktemp("play") / "store")) as client:
        yield let_in(client)


def test_over_http(player: Any):
    listed = player.get("/play/runs").json()["runs"]
    assert [run["name"] for run in listed] == ["text/likelihood", "text/seqgan", "tunes"]
    assert listed[1]["checkpoints"][0] == "latest"
    about = player.get("/play/run", params={"name": "text/seqgan"}).json()
    assert (about["categories"], about["answers"], about["discriminator"]) == ([], False, True)
    found = player.post("/play/draw", json={"run": "text/seqgan", "prompt": "the", "count": 2, "temperature": 1}).json()
    assert len(found["sequences"]) == 2
    filled = player.post("/play/draw", json={"run": "text/seqgan", "prompt": "the _ sleeps", "fill": True, "count": 2})
    assert [one["text"].split()[2] for one in filled.json()["sequences"]] == ["sleeps", "sleeps"]
    assert player.post("/play/draw", json={"run": "text/seqgan", "prompt": "the cat", "fill": True}).status_code == 400
    same = player.post("/play/draw", json={"run": "text/seqgan", "prompt": "the", "count": 2}).json()
    assert same == found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"run": "../text"}, 404),
        ({"run": "text/seqgan/checkpoints"}, 404),
        ({"run": "tunes", "checkpoint": "../../text/seqgan/checkpoints/best"}, 400),
        ({"run": "tunes", "checkpoint": "pretrained"}, 400),
        ({"run": "tunes", "prompt": "no note"}, 400),
        ({"run": "tunes", "count": "3"}, 400),
        ({"run": "tunes", "count": True}, 400),
        ({"run": "tunes", "fill": 1}, 400),
        ({"run": "tunes", "temperature": "Infinity"}, 400),
        ({"run": ["tunes"]}, 400),
        ({"run": "tunes", "prompt": "x" * 20_001}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_asked(player: Any, sent: dict[str, Any], status: int):
    response = player.post("/play/draw", json=sent)
    assert response.status_code == status
    assert response.json()["error"]
