"""Ranks instead of values, and roll-outs only where a block of tokens ends.

Mutants killed: ranks low to high, ranks over rows instead of columns, insertion order instead of order of size,
ties broken by position, values of one block given to the next, prefixes swapped with sequences, the last block
rolled out, a prefix one token short or long, the wrong way.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.shaping import block_rewards, rank_rescale
from seqgans.sequences import mask_until

ROWS, COLUMNS = 16, 5


def raw() -> torch.Tensor:
    return torch.rand(ROWS, COLUMNS, generator=generator_for(1))


def test_only_the_order_counts() -> None:
    ranked = rank_rescale(raw())
    torch.testing.assert_close(rank_rescale(raw() ** 5 * 1e-6), ranked)
    torch.testing.assert_close(rank_rescale(raw().logit()), ranked)
    assert torch.equal(ranked.argsort(0), raw().argsort(0))


def test_mean_and_spread_do_not_depend_on_the_rewards() -> None:
    ranked = rank_rescale(raw())
    torch.testing.assert_close(ranked.mean(0), torch.full((COLUMNS,), 0.5))
    torch.testing.assert_close(ranked.std(0), ranked[:, :1].std(0).expand(COLUMNS))
    positions = (torch.arange(ROWS) + 0.5) / ROWS
    torch.testing.assert_close(ranked.sort(0).values[:, 0], (12 * (positions - 0.5)).sigmoid())


def test_each_column_is_ranked_on_its_own() -> None:
    shifted = raw() + 10 * torch.arange(COLUMNS)
    torch.testing.assert_close(rank_rescale(shifted), rank_rescale(raw()))


def test_equal_rewards_share_their_rank() -> None:
    torch.testing.assert_close(rank_rescale(torch.full((ROWS, 2), 0.3)), torch.full((ROWS, 2), 0.5))
    one_best = rank_rescale(torch.tensor([[0.1], [0.7], [0.1], [0.1]]))
    assert one_best[1] > 0.5
    assert (one_best[[0, 2, 3]] == one_best[0]).all()


def test_a_larger_delta_pushes_further_apart() -> None:
    assert rank_rescale(raw(), 16.0).std() > rank_rescale(raw(), 12.0).std()


@pytest.mark.parametrize(("block", "end"), [(1, None), (2, None), (3, None), (7, None), (9, None), (3, 0)])
def test_a_block_is_worth_what_its_completions_score(block: int, end: int | None) -> None:
    length = 7
    generator = LSTM(deviation=1.0).build(5, 0, end, generator_for(2))
    with torch.no_grad():
        generator.output.weight.mul_(1e4)  # every completion is the most likely one
        generator.output.bias.mul_(1e4)
    discriminator = CNN(embedding=4, widths=(1, 3), maps=(4, 4)).build(5, length, generator_for(3))
    tokens = torch.randint(5, (6, length), generator=generator_for(4))
    mask = mask_until(tokens, end)
    found = block_rewards(generator, discriminator, tokens, mask, 2, Stream(generator_for(5)), block)
    assert found.shape == tokens.shape
    for time in range(length):
        upto = min((time // block + 1) * block, length)
        whole = generator.sample(6, length, prefix=tokens[:, :upto], random=generator_for(6))
        expected = discriminator.scores(whole.tokens, whole.mask).sigmoid()
        torch.testing.assert_close(found[:, time], expected, rtol=0, atol=1e-5)
    assert found.unique(dim=0).shape[0] > 1


@pytest.mark.parametrize(("block", "end"), [(1, None), (2, None), (3, 0), (7, None), (9, None)])
def test_a_block_may_be_worth_what_its_padded_prefix_scores(block: int, end: int | None) -> None:
    """Nothing is drawn; a block that ends behind the end of a sequence is worth the sequence."""
    length = 7
    generator = LSTM().build(5, 0, end, generator_for(2))
    discriminator = CNN(embedding=4, widths=(1, 3), maps=(4, 4)).build(5, length, generator_for(3))
    tokens = torch.randint(5, (6, length), generator=generator_for(4))
    mask = mask_until(tokens, end)
    stream = Stream(generator_for(5))
    before = stream.random.get_state()
    found = block_rewards(generator, discriminator, tokens, mask, 2, stream, block, "prefix")
    assert torch.equal(stream.random.get_state(), before)
    for time in range(length):
        upto = min((time // block + 1) * block, length)
        expected = discriminator.scores(tokens, mask & (torch.arange(length) < upto)).sigmoid()
        torch.testing.assert_close(found[:, time], expected, rtol=0, atol=1e-6)
    assert found.unique(dim=0).shape[0] > 1
