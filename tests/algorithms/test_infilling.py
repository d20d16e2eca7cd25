"""Blanks in sequences that end: which tokens are chosen, and which of them the likelihood is a mean over.

Mutants killed: padding behind a sequence without any kept token that counts as missing, blanks that stand elsewhere
than they should, a sequence that is never blanked as a whole, minibatches that count alike whatever they miss.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.infilling import blanks_loss, with_blanks
from seqgans.algorithms.maskgan import MaskGAN
from seqgans.data.blanks import kept_tokens
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.open import open_text_corpus
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.randomness import Stream, generator_for


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text("".join(f"{line}\n" for line in ("a b c d e", "a c", "b", "d d a", "c a b b", "e d") * 3))
    return open_text_corpus(str(path), CorpusSettings(valid=0.0, test=0.0), 0)


@pytest.fixture(scope="module")
def players(corpus: Corpus) -> Players:
    end = corpus.vocabulary.end
    return Players({"generator": Seq2Seq(hidden=4, layers=1).build(corpus.vocabulary.size, 0, end, generator_for(0))})


def scene(corpus: Corpus) -> Scene:
    return Scene(corpus, Stream(generator_for(5)))


@pytest.mark.parametrize("missing", ["block", "scattered"])
@pytest.mark.parametrize("whole", [0.0, 0.7])
def test_settings_choose_the_blanks(corpus: Corpus, missing: Any, whole: float) -> None:
    settings: dict[str, Any] = {"present": 0.6, "missing": missing, "whole": whole}
    kept = MaskGAN(**settings, present_last=0.6).kept(corpus.train, scene(corpus))
    expected = kept_tokens(corpus.train, corpus.vocabulary.end, scene(corpus).random, **settings)
    assert torch.equal(kept, expected)
    assert bool((~kept).all(1).any()) == (whole > 0)


@pytest.mark.parametrize("whole", [0.0, 1.0])
def test_the_likelihood_is_a_mean_over_missing_tokens(players: Players, corpus: Corpus, whole: float) -> None:
    kept = MaskGAN(whole=whole).kept
    play: Play = with_blanks(players, scene(corpus), kept)
    real, loss = play.real, blanks_loss(players, play)
    assert real is not None
    assert not bool(real.mask.all())
    law = players.generator.given(play.source)  # pyright: ignore[reportCallIssue]
    missing = [(row, time) for row, time in real.mask.nonzero().tolist() if not bool(play.extras["kept"][row, time])]
    rows, times = torch.tensor(missing).t()
    torch.testing.assert_close(loss.value, -law.log_probs(real.tokens)[rows, times].mean())
    assert loss.weight == len(missing)
    assert whole == 0.0 or len(missing) == int(real.mask.sum())
