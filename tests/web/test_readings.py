"""Every algorithm's players can be played with: what is said of a token is what it was drawn by.

Mutants killed: a state begun anew with other numbers (latent codes, categories), a law without its source, the law
after the token, a mask of the whole sequence for every prefix, scores of one row at another.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqgans.data import CorpusSettings, open_text_corpus
from seqgans.data.corpus import Corpus
from seqgans.discriminators.pairs import beside
from seqgans.errors import BadInput
from seqgans.training.build import build_players
from seqgans.training.folder import RunFolder
from seqgans.training.recipe import Recipe
from seqgans.verbs.loading import LoadedRun
from seqgans.web.readings import Wish, law_for, prompt_of, scores_of, source_of, steps, stream_of, written
from tests.contracts.test_algorithms import CASES, LINES, PAIRS, mapping


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Corpus]:
    """Text of two categories, and pairs."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "labelled.tsv").write_text(
        "".join(f"{'long' if len(line) > 3 else 'short'}\t{line}\n" for line in LINES * 2)
    )
    (folder / "pairs.tsv").write_text("".join(f"{line}\t{line}\n" for line in LINES * 2))
    usual = {"text": "1", "valid": 0.25, "test": 0.25}
    return {
        False: open_text_corpus(str(folder / "labelled.tsv"), CorpusSettings(**usual, label="0"), 0),
        True: open_text_corpus(str(folder / "pairs.tsv"), CorpusSettings(**usual, source="0"), 0),
    }


@pytest.fixture(params=CASES)
def run(request: pytest.FixtureRequest, corpora: dict[bool, Corpus], tmp_path: Path) -> LoadedRun:
    """Fresh players of each."""
    corpus = corpora[request.param.endswith(PAIRS)]
    recipe = Recipe.of(mapping(request.param))
    return LoadedRun(RunFolder(tmp_path), recipe, corpus, build_players(recipe, corpus, 0).eval(), None, {})


@torch.no_grad()
def test_the_law_of_each_token_is_what_it_was_drawn_by(run: LoadedRun):
    tied = run.recipe.algorithm == "random"  # which of equally likely tokens top-k keeps is nobody's to say
    wish = Wish(prompt="a c", count=3, temperature=0.8, top_k=0 if tied else 4)
    source = source_of(run, wish.prompt)
    prefix = [] if source is not None else prompt_of(run, wish.prompt)
    law = law_for(run, wish, source)
    start = torch.tensor([prefix] * 3) if prefix else None
    samples = law.sample(3, run.corpus.length, random=stream_of(wish), prefix=start, decoding=wish.decoding())
    there = [place < len(prefix) for place in range(run.corpus.length)]
    laws = torch.stack(steps(law, samples.tokens, wish.decoding(), there, stream_of(wish)), 1)
    found = laws.gather(2, samples.tokens[:, :, None])[:, :, 0].log()
    torch.testing.assert_close(found[samples.mask], samples.log_probs[samples.mask], atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_the_last_score_is_that_of_the_whole(run: LoadedRun):
    wish = Wish(prompt="a c", count=3)
    source = source_of(run, wish.prompt)
    samples = law_for(run, wish, source).sample(3, run.corpus.length, random=stream_of(wish))
    scores = scores_of(run, samples, source)
    if run.recipe.discriminator is None:
        assert scores is None
        return
    assert scores is not None
    judge = beside(run.players.discriminator, None if source is None else source[torch.zeros(3, dtype=torch.long)])
    whole = judge.scores(samples.tokens, samples.mask).sigmoid()
    last = scores.gather(1, samples.mask.sum(1, keepdim=True) - 1)[:, 0]
    torch.testing.assert_close(last, whole, atol=1e-5, rtol=1e-4)


def test_blanks_are_filled_by_the_law_that_is_shown(run: LoadedRun):
    """What is given stays; of what is drawn the alternatives hold it with its probability. A run that answers refuses.

    Mutants killed: the law of what stands before for a reader of both sides; the end drawn in a blank; one category.
    """
    wish = Wish(prompt="a _ c _", fill=True, count=3, temperature=0.8)
    if run.corpus.source_width:
        with pytest.raises(BadInput, match="learnt to answer sources, not to fill in blanks"):
            written(run, wish)
        return
    for sequence in written(run, wish):
        words = sequence["text"].split()
        assert (words[0], words[2], len(words)) == ("a", "c", 4)
        assert [token["given"] for token in sequence["tokens"]][:4] == [True, False, True, False]
        for token in (sequence["tokens"][1], sequence["tokens"][3]):
            named = dict(token["alternatives"])
            assert "<unk>" not in named
            share = named.get(token["text"].strip(), min(named.values()))  # if it is none of these it is less likely
            assert token["probability"] <= share + 1e-4
            if token["text"].strip() in named:
                assert token["probability"] == pytest.approx(share, abs=1e-4)
    with pytest.raises(BadInput, match="a line to fill in must hold _ for each missing token"):
        written(run, Wish(prompt="a c", fill=True))


def test_what_is_told_can_be_shown(run: LoadedRun):
    for sequence in written(run, Wish(prompt="a c", count=2)):
        assert "".join(token["text"] for token in sequence["tokens"]) == sequence["text"]
        assert sequence["tokens"]
        for token in sequence["tokens"]:
            assert 0 <= token["probability"] <= 1
            assert sum(share for _, share in token["alternatives"]) <= 1 + 1e-5
