"""The discriminator of blanks: what it may look at, and that the context is what tells a fill from what was kept.

Mutants killed: a score that has read later tokens, a state before a token that has read it or of another layer, a
context that is ignored or read beyond its mask, weights of a language model that are not taken over.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqgans.discriminators.seq2seq import ContextScorer, Seq2SeqScorer
from seqgans.generators.recurrent import LSTM
from seqgans.generators.seq2seq import Seq2Seq, Seq2SeqGenerator
from seqgans.objectives.infilling import fill_loss
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences

BLANK = 3
MASK = torch.ones(2, 4, dtype=torch.bool)


def judge(seed: int = 0, **settings: Any) -> ContextScorer:
    found = Seq2SeqScorer(**{"hidden": 6, "layers": 2, "dropout": 0.0, **settings}).build(3, 4, generator_for(seed))
    assert isinstance(found, ContextScorer)
    return found


def test_scores_have_read_the_context_and_the_tokens_so_far() -> None:
    scorer = judge()
    tokens = torch.tensor([[0, 1, 2, 0], [2, 2, 1, 0]])
    context = Sequences(torch.tensor([[0, 3, 3, 0], [2, 3, 3, 0]]), MASK)
    scores = scorer.step_scores(tokens, MASK, context=context)
    before = scorer.states_before(tokens, MASK, context=context)
    for time in range(4):
        moved = tokens.clone()
        moved[:, time] = (moved[:, time] + 1) % 3
        changed = scorer.step_scores(moved, MASK, context=context) != scores
        assert bool(changed[:, time:].all())
        assert not changed[:, :time].any()
        changed = (scorer.states_before(moved, MASK, context=context) != before).any(2)
        assert bool(changed[:, time + 1 :].all())
        assert not changed[:, : time + 1].any()
    other = Sequences(torch.tensor([[0, 3, 3, 1], [1, 3, 3, 0]]), MASK)
    assert bool((scorer.step_scores(tokens, MASK, context=other) != scores).all())
    assert bool((scorer.states_before(tokens, MASK, context=other) != before).any(2).all())
    embedded = torch.cat([scorer.embedding[:3], scorer.unknown])[context.tokens]
    state = scorer.network.encode(embedded, MASK)  # before the first token: the last layer, the whole context read
    torch.testing.assert_close(before[:, :1], scorer.network.attend(state[2][:, -1:], state))
    blanks = Sequences(torch.full((2, 4), BLANK), MASK)
    assert torch.equal(scorer.step_scores(tokens, MASK), scorer.step_scores(tokens, MASK, context=blanks))


def test_it_takes_over_a_language_model_of_its_size() -> None:
    scorer = judge()
    generator = Seq2Seq(hidden=6, layers=2).build(3, 0, None, generator_for(1))
    assert isinstance(generator, Seq2SeqGenerator)
    scorer.start_from(generator)
    for cell in (scorer.network.encoder, scorer.network.decoder):
        pairs = zip(cell.parameters(), generator.network.decoder.parameters(), strict=True)
        assert all(torch.equal(one, other) for one, other in pairs)
    assert torch.equal(scorer.embedding[:3], generator.output.weight)
    kept = [part.clone() for part in scorer.parameters()]
    scorer.start_from(Seq2Seq(hidden=5, layers=2).build(3, 0, None, generator_for(2)))
    scorer.start_from(LSTM().build(3, 0, None, generator_for(2)))
    assert all(torch.equal(one, other) for one, other in zip(kept, scorer.parameters(), strict=True))


def inconsistent(rows: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Real sequences aa or bb, what is kept of them (one of the two tokens), and fills that are always wrong."""
    random = generator_for(seed, "inconsistent")
    real = torch.randint(2, (rows, 1), generator=random).repeat(1, 2)
    kept = torch.nn.functional.one_hot(torch.randint(2, (rows,), generator=random), 2).bool()
    return real, kept, torch.where(kept, real, 1 - real)


@pytest.mark.parametrize("sees", [True, False])
def test_of_two_inconsistent_tokens_only_the_context_tells_which_is_the_fake(sees: bool) -> None:
    scorer = judge(hidden=8, layers=1)
    optimizer = torch.optim.Adam(scorer.parameters(), lr=0.02)
    mask = torch.ones(128, 2, dtype=torch.bool)

    def scored(tokens: Tensor, real: Tensor, kept: Tensor) -> Tensor:
        context = Sequences(torch.where(kept, real, BLANK), mask) if sees else None
        return scorer.step_scores(tokens, mask, context=context)

    for step in range(120):
        real, kept, fake = inconsistent(128, step)
        value = fill_loss(scored(real, real, kept), scored(fake, real, kept), mask, mask, kept)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    real, kept, fake = inconsistent(128, 1000)
    told = ((scored(fake, real, kept) >= 0) == kept).float().mean().item()
    assert told > 0.95 if sees else abs(told - 0.5) < 0.15


@pytest.mark.parametrize(("name", "value"), [("hidden", 0), ("layers", 0), ("dropout", 1.0)])
def test_settings_that_mean_nothing(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Seq2SeqScorer.{name} must be"):
        Seq2SeqScorer(**{name: value})
