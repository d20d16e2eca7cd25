"""The multi-view discriminator against a plain one, view by view.

Mutants killed: views mixed or ordered wrongly, a view reading its neighbour's columns, sum for mean over views,
padding read, the padding symbol's row used for a real token, ReLU left out, the dense layer's bias forgotten,
dropout without a stream, soft rows scored through the padding row.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqgans.discriminators.multi_view import MultiView, MultiViewCNN
from seqgans.randomness import Stream

SMALL = MultiView(embedding=6, views=3, widths=(2, 3), maps=5, dense=4)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(settings: MultiView = SMALL, vocabulary_size: int = 7, length: int = 6) -> MultiViewCNN:
    """A discriminator in float64 whose every parameter, biases included, is far from its start."""
    discriminator = settings.build(vocabulary_size, length, seeded())
    assert isinstance(discriminator, MultiViewCNN)
    discriminator = discriminator.double()
    random = seeded(1)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter.add_(0.4 * torch.randn(parameter.shape, generator=random, dtype=torch.float64))
    return discriminator


def batch() -> tuple[Tensor, Tensor]:
    tokens = torch.randint(7, (4, 6), generator=seeded(2))
    mask = torch.arange(6) < torch.tensor([6, 4, 1, 5])[:, None]
    return tokens, mask


def plain_scores(d: MultiViewCNN, tokens: Tensor, mask: Tensor) -> Tensor:
    """One view after another, every layer on its own."""
    embedded = d.embedding[torch.where(mask, tokens, 7)]
    size = d.settings.embedding // d.settings.views
    scores = []
    for view in range(d.settings.views):
        own = embedded[:, :, view * size : (view + 1) * size]
        pooled = []
        for width, filters in zip(d.settings.widths, d.filters, strict=True):
            assert isinstance(filters, nn.Linear)
            windows = torch.stack([own[:, t : t + width].flatten(1) for t in range(6 - width + 1)], 1)
            pooled.append((windows @ filters.weight.t() + filters.bias).relu().amax(1))
        features = torch.cat(pooled, 1)
        gate = d.highway.gate(features).sigmoid()
        features = gate * d.highway.transform(features).relu() + (1 - gate) * features
        scores.append(d.output(d.dense(features))[:, 0])
    return torch.stack(scores, 1)


def test_scores_are_the_plain_ones() -> None:
    discriminator = made()
    tokens, mask = batch()
    views = discriminator.view_scores(tokens, mask)
    torch.testing.assert_close(views, plain_scores(discriminator, tokens, mask))
    torch.testing.assert_close(discriminator.scores(tokens, mask), views.mean(1))
    assert views.std(1).min() > 0.01  # views differ, so a mix-up would show


def test_gradients_are_the_plain_ones() -> None:
    discriminator = made()
    tokens, mask = batch()
    parameters = [*discriminator.parameters()]
    ruler = torch.randn(4, 3, generator=seeded(3), dtype=torch.float64)
    ours = torch.autograd.grad((discriminator.view_scores(tokens, mask) * ruler).sum(), parameters)
    theirs = torch.autograd.grad((plain_scores(discriminator, tokens, mask) * ruler).sum(), parameters)
    for (name, _), mine, other in zip(discriminator.named_parameters(), ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, msg=name)
        assert bool(mine.any()), name


def test_hard_and_soft_rows_agree() -> None:
    discriminator = MultiView().build(7, 6, seeded())
    tokens, mask = batch()
    soft = nn.functional.one_hot(tokens, 7).float()
    torch.testing.assert_close(
        discriminator.view_scores(soft, mask), discriminator.view_scores(tokens, mask), atol=1e-5, rtol=0
    )


def test_gradient_reaches_soft_rows_but_not_padding() -> None:
    discriminator = made()
    _, mask = batch()
    soft = torch.randn(4, 6, 7, generator=seeded(4), dtype=torch.float64).softmax(2).requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator.scores(soft, mask).sum(), soft)
    assert not gradient[~mask].any()
    assert gradient[mask].any(1).sum() > 0.5 * mask.sum()
    step = 1e-6
    way = torch.randn(soft.shape, generator=seeded(5), dtype=torch.float64)
    with torch.no_grad():
        slope = discriminator.scores(soft + step * way, mask) - discriminator.scores(soft - step * way, mask)
    assert slope.sum().item() / (2 * step) == pytest.approx((gradient * way).sum().item(), rel=1e-5)


def test_what_stands_in_padding_is_not_read() -> None:
    discriminator = made()
    tokens, mask = batch()
    other = tokens.masked_fill(~mask, 3)
    assert torch.equal(discriminator.view_scores(tokens, mask), discriminator.view_scores(other, mask))
    assert not torch.equal(discriminator.scores(tokens, mask), discriminator.scores(tokens, torch.ones_like(mask)))


def test_a_view_sees_its_own_columns_only() -> None:
    discriminator = made()
    tokens, mask = batch()
    before = discriminator.view_scores(tokens, mask)
    with torch.no_grad():
        discriminator.embedding[:, 2:4] += 1.0  # the second of three views, two columns each
    changed = (discriminator.view_scores(tokens, mask) - before).abs() > 1e-9
    assert changed[:, 1].all()
    assert not changed[:, [0, 2]].any()


def test_equal_views_are_one_view() -> None:
    many = made()
    one = MultiView(embedding=2, views=1, widths=(2, 3), maps=5, dense=4).build(7, 6, seeded()).double()
    tokens, mask = batch()
    with torch.no_grad():
        many.embedding.copy_(many.embedding[:, :2].repeat(1, 3))
        one.load_state_dict({**many.state_dict(), "embedding": many.embedding[:, :2]})
    torch.testing.assert_close(many.view_scores(tokens, mask), one.view_scores(tokens, mask).expand(-1, 3))
    torch.testing.assert_close(many.scores(tokens, mask), one.scores(tokens, mask))


def test_dropout_needs_a_stream_and_repeats() -> None:
    discriminator = made()
    tokens, mask = batch()
    plain = discriminator.view_scores(tokens, mask)
    first, second, third = (discriminator.view_scores(tokens, mask, random=Stream(seeded(s))) for s in (6, 6, 7))
    assert torch.equal(plain, discriminator.view_scores(tokens, mask))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)
    assert not torch.equal(first, plain)


def test_the_paper_sizes() -> None:
    discriminator = MultiView().build(5_000, 20, seeded())
    tokens = torch.randint(5_000, (2, 20), generator=seeded(8))
    scores = discriminator.view_scores(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert scores.shape == (2, 64)
    assert scores.abs().max() < 0.1  # embeddings of deviation 1/√V: nearly zero at the start
    sizes = {name: tuple(parameter.shape) for name, parameter in discriminator.named_parameters()}
    assert sizes["filters.3.weight"] == (300, 5)
    assert sizes["highway.gate.weight"] == (1200, 1200)
    assert sizes["dense.weight"] == (100, 1200)


def test_long_filters_are_left_out() -> None:
    short = SMALL.build(7, 2, seeded())
    assert len([name for name, _ in short.named_parameters() if name.startswith("filters")]) == 2
    with pytest.raises(ValueError, match=r"MultiView.widths must hold a width of at most the length 1, got"):
        SMALL.build(7, 1, seeded())


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"MultiView.embedding must be a multiple of MultiView.views, got 10 and 4"):
        MultiView(embedding=10, views=4)
    with pytest.raises(ValueError, match=r"MultiView.widths must be numbers of at least 1 and not empty, got \(\)"):
        MultiView(widths=())
    with pytest.raises(ValueError, match=r"MultiView.dropout must be at least 0 and below 1, got 1.0"):
        MultiView(dropout=1.0)
    with pytest.raises(ValueError, match=r"MultiView.maps must be at least 1, got 0"):
        MultiView(maps=0)
