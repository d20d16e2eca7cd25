"""Old negatives among fresh ones.

Mutants killed: another share, old rows that are copies of this gathering's, shown negatives remembered, real sequences
replaced, masks or sources left behind, a memory that an optimiser or a checkpoint forgets.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from seqgans.algorithms.base import Play, Players, Scene
from seqgans.algorithms.scratchgan import ScratchGAN
from seqgans.algorithms.seqgan import SeqGAN
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.errors import BadInput
from seqgans.generators.oracle import fresh_oracle, oracle_corpus
from seqgans.options.replay import replaying, with_old
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.self_play import PastSamples
from seqgans.sequences import Sequences

ROWS = 8


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return oracle_corpus(fresh_oracle(9, 0), CorpusSettings(length=3, sequences=10), 0)


def numbered(call: int) -> Play:
    """Rows that say in which gathering they were drawn and which they are; the mask says the same."""
    tokens = torch.stack([torch.full((ROWS,), call), torch.arange(ROWS), torch.zeros(ROWS, dtype=torch.long)], 1)
    fake = Sequences(tokens, torch.arange(3) < 1 + tokens[:, :1] % 3)
    real = Sequences(torch.full((ROWS, 3), -1), torch.ones(ROWS, 3, dtype=torch.bool))
    return Play(real=real, fake=fake)


def test_a_share_of_the_negatives_is_old(corpus: Corpus) -> None:
    memory = PastSamples(4, 3)
    players, scene = Players({"replay": memory}), Scene(corpus, Stream(generator_for(0)))
    remembered: list[list[int]] = []
    for call in range(6):
        known = [memory.tokens[place].tolist() for place in range(len(memory))]
        play = with_old(players, scene, lambda *_, call=call: numbered(call), share=0.25)
        assert play.fake is not None
        assert play.real is not None
        assert bool((play.real.tokens == -1).all())
        old = [row for row in play.fake.tokens.tolist() if row[0] != call]
        assert len(old) == (2 if call else 0) == play.figures["replayed"] * ROWS
        assert all(row in known for row in old)
        assert torch.equal(play.fake.mask, torch.arange(3) < 1 + play.fake.tokens[:, :1] % 3)
        new = [row for row in memory.tokens[: len(memory)].tolist() if row[0] == call]
        assert len(new) == 2
        shown = [row for row in play.fake.tokens.tolist() if row[0] == call]
        assert call == 0 or all(row not in shown for row in new)
        remembered += new
        assert sorted(memory.tokens[: len(memory)].tolist()) == sorted(remembered[-4:])


def test_old_answers_keep_what_they_answer(corpus: Corpus) -> None:
    """Every row's source says in which gathering it was drawn and which it is, as its tokens do."""

    def answers(call: int) -> Play:
        play = numbered(call)
        assert play.fake is not None
        source = Sequences(play.fake.tokens[:, :2] + 50, play.fake.mask[:, :2])
        return dataclasses.replace(play, fake=dataclasses.replace(play.fake, source=source))

    memory = PastSamples(4, 3, source_width=2)
    players, scene = Players({"replay": memory}), Scene(corpus, Stream(generator_for(0)))
    for call in range(4):
        play = with_old(players, scene, lambda *_, call=call: answers(call), share=0.5)
        assert play.fake is not None
        assert play.fake.source is not None
        assert torch.equal(play.fake.source.tokens, play.fake.tokens[:, :2] + 50)
        assert torch.equal(play.fake.source.mask, play.fake.mask[:, :2])
        assert int((play.fake.tokens[:, 0] != call).sum()) == (4 if call else 0)
    assert {name for name, _ in memory.named_buffers()} >= {"source_tokens", "source_mask"}


def test_two_processes_choose_what_one_does(corpus: Corpus) -> None:
    def played(rank: int, processes: int) -> Any:
        players = Players({"replay": PastSamples(50, 3)})
        stream, found = Stream(generator_for(1)), None
        for call in range(3):
            whole = numbered(call)
            own = torch.arange(rank, ROWS, processes)
            every = iter((whole.fake.tokens, whole.fake.mask))  # pyright: ignore[reportOptionalMemberAccess]
            joined = (lambda part, every=every: next(every)) if processes > 1 else (lambda part: part)
            scene = Scene(corpus, stream, rank, processes, gather=joined)
            found = with_old(players, scene, lambda *_, play=whole, own=own: play.rows(own), share=0.5)
        assert found is not None
        assert found.fake is not None
        return found.fake.tokens

    alone = played(0, 1)
    for rank in range(2):
        assert torch.equal(played(rank, 2), alone[rank::2])


def test_what_cannot_be_replayed_is_an_error(corpus: Corpus) -> None:
    with pytest.raises(BadInput, match=r"discriminator alone, got 'game', which moves discriminator, generator"):
        replaying(ScratchGAN().schedule(), 0.5)
    plain = SeqGAN().schedule()
    changed = replaying(plain, 0.5)
    assert changed.before[0] == plain.before[0]
    assert changed.round[0] == plain.round[0]
    assert changed.round[1].gather != plain.round[1].gather
    players, scene = Players({"replay": PastSamples(4, 3)}), Scene(corpus, Stream(generator_for(0)))
    soft = Play(real=numbered(0).real, extras={"weights": torch.ones(ROWS, 3, 9)})
    with pytest.raises(BadInput, match="plain sequences"):
        with_old(players, scene, lambda *_: soft, share=0.5)
    alone = Play(real=numbered(0).real)
    assert with_old(players, scene, lambda *_: alone, share=0.5) is alone
