"""Leaked features equal those of the padded prefix, whichever way they are computed.

Mutants killed: windows of padding left out (their filters miss the padding's value), a window dropped when it
becomes full, partial windows not read against padding, taps in the wrong order, the bias added twice or never,
features that depend on later tokens, gradient through leaked features, a stale tap table after an update.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqgans.discriminators.leaking import Leaking, LeakingCNN
from seqgans.errors import BadInput
from seqgans.generators.base import join, repeat, select
from seqgans.randomness import generator_for

LENGTH = 7
SETTINGS = LeakingCNN(embedding=5, widths=(1, 2, 3, 5, 7), maps=(2, 3, 4, 3, 2))


@pytest.fixture
def leaking() -> Leaking:
    discriminator = Leaking(6, LENGTH, SETTINGS, generator_for(1, "leaking"))
    with torch.no_grad():  # biases that differ, so that adding one twice shows
        for layer in discriminator.network.filters:
            layer.bias.normal_(0.0, 1.0, generator=generator_for(2))
    return discriminator


@pytest.fixture
def tokens() -> Tensor:
    return torch.randint(6, (9, LENGTH), generator=generator_for(3))


def padded(tokens: Tensor, length: int) -> tuple[Tensor, Tensor]:
    mask = torch.arange(tokens.shape[1]).expand(tokens.shape) < length
    return tokens.masked_fill(~mask, 5), mask


def test_prefix_features_equal_direct_features(leaking: Leaking, tokens: Tensor) -> None:
    leaked = leaking.prefix_features(tokens)
    assert leaked.shape == (9, LENGTH + 1, leaking.feature_count)
    for length in range(LENGTH + 1):
        direct = leaking.features(*padded(tokens, length))
        torch.testing.assert_close(leaked[:, length], direct, rtol=0, atol=1e-5)


def test_paper_sizes_agree_too() -> None:
    discriminator = Leaking(50, 20, LeakingCNN(), generator_for(1))
    assert discriminator.feature_count == 1720
    tokens = torch.randint(50, (3, 20), generator=generator_for(2))
    leaked = discriminator.prefix_features(tokens)
    for length in (0, 1, 9, 19, 20):
        torch.testing.assert_close(
            leaked[:, length], discriminator.features(*padded(tokens, length)), rtol=0, atol=1e-5
        )


def test_features_stay_after_the_end(leaking: Leaking, tokens: Tensor) -> None:
    mask = torch.arange(LENGTH).expand(9, -1) < torch.arange(9)[:, None].clamp(max=LENGTH)
    leaked = leaking.prefix_features(tokens, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        torch.testing.assert_close(leaked[row, length:], leaked[row, length].expand(LENGTH + 1 - length, -1))
    torch.testing.assert_close(leaked[:, -1], leaking.features(tokens, mask), rtol=0, atol=1e-5)


def test_a_feature_does_not_see_later_tokens(leaking: Leaking, tokens: Tensor) -> None:
    changed = tokens.clone()
    changed[:, 4:] = (changed[:, 4:] + 1) % 6
    before, after = leaking.prefix_features(tokens), leaking.prefix_features(changed)
    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] != after[:, 5:]).flatten(1).any(1).all()


def test_reading_token_by_token_equals_all_prefixes(leaking: Leaking, tokens: Tensor) -> None:
    leaked = leaking.prefix_features(tokens)
    torch.testing.assert_close(leaking.empty_features(9), leaked[:, 0])
    state = leaking.start_state(9)
    for read in range(LENGTH):
        now, state = leaking.advance(tokens[:, read], state, read)
        torch.testing.assert_close(now, leaked[:, read + 1], rtol=0, atol=1e-6)


def test_states_can_be_chosen_repeated_and_joined(leaking: Leaking, tokens: Tensor) -> None:
    state = leaking.start_state(9)
    for read in range(3):
        _, state = leaking.advance(tokens[:, read], state, read)
    rows = torch.tensor([4, 2, 4])
    several = join((repeat(state, 2), select(state, rows)))
    order = torch.cat([torch.arange(9), torch.arange(9), rows])
    now, _ = leaking.advance(tokens[order, 3], several, 3)
    torch.testing.assert_close(now, leaking.prefix_features(tokens)[order, 4], rtol=0, atol=1e-6)


def test_soft_one_hot_rows_read_as_ids(leaking: Leaking, tokens: Tensor) -> None:
    hot = torch.nn.functional.one_hot(tokens, 6).float()
    torch.testing.assert_close(leaking.prefix_features(hot), leaking.prefix_features(tokens), rtol=0, atol=1e-5)
    first, _ = leaking.advance(hot[:, 0], leaking.start_state(9), 0)
    torch.testing.assert_close(first, leaking.prefix_features(tokens)[:, 1], rtol=0, atol=1e-5)


def test_an_update_is_seen_and_no_gradient_leaks(leaking: Leaking, tokens: Tensor) -> None:
    assert not leaking.prefix_features(tokens).requires_grad
    with torch.no_grad():
        for parameter in leaking.parameters():
            parameter.add_(0.1)
    torch.testing.assert_close(
        leaking.prefix_features(tokens)[:, 3], leaking.features(*padded(tokens, 3)), rtol=0, atol=1e-5
    )


def test_scores_are_the_output_layer_on_the_features(leaking: Leaking, tokens: Tensor) -> None:
    mask = torch.ones_like(tokens, dtype=torch.bool)
    of_features = leaking.network.output(leaking.features(tokens, mask))[:, 0]
    torch.testing.assert_close(leaking.scores(tokens, mask), of_features)
    rollouts = tokens[None, None]
    of_rollouts = leaking.completion_scores(rollouts, torch.ones_like(rollouts, dtype=torch.bool), [2])
    torch.testing.assert_close(of_rollouts[0, 0], of_features)


def test_shorter_sequences_are_padded_and_longer_refused(leaking: Leaking, tokens: Tensor) -> None:
    short = tokens[:, :4]
    torch.testing.assert_close(
        leaking.features(short, torch.ones_like(short, dtype=torch.bool)), leaking.features(*padded(tokens, 4))
    )
    long = torch.zeros(2, LENGTH + 1, dtype=torch.long)
    with pytest.raises(BadInput, match="at most 7 tokens, got 8"):
        leaking.scores(long, torch.ones_like(long, dtype=torch.bool))
    with pytest.raises(BadInput, match="at most 7 tokens"):
        leaking.prefix_features(long)


def test_settings_name_themselves_in_errors() -> None:
    with pytest.raises(ValueError, match=r"^LeakingCNN.dropout must be at least 0 and below 1, got 1.0$"):
        LeakingCNN(dropout=1.0)
