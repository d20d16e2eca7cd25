"""What discriminator and generator minimise when one plays against the other through scores.

Scores are logits, one for each sequence or one for each sequence and view; every loss is a mean over all of
them. Real and generated scores are aligned by position where a loss compares them in pairs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softplus

Losses = tuple[Float[Tensor, ""], Float[Tensor, ""]]
"""What the discriminator minimises and what the generator minimises, in nats where there is a unit."""


def relativistic(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """Which of a pair is real (RSGAN, the loss of RelGAN).

        L_D = −mean log σ(r − f),   L_G = −mean log σ(f − r)

    Only differences count: adding one number to all scores changes nothing.

    References:
        Jolicoeur-Martineau (2018), arXiv:1807.00734; Nie, Narodytska and Patel (2019), Eq. 7.

    >>> relativistic(torch.tensor([1.0]), torch.tensor([1.0]))[0]  # cannot tell: ln 2
    tensor(0.6931)
    """
    return softplus(fake_scores - real_scores).mean(), softplus(real_scores - fake_scores).mean()


def relativistic_average(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """How much more real than the average of the other side (RaGAN, the loss of CatGAN).

        r̃ = r − mean f,   f̃ = f − mean r
        L_D = −mean log σ(r̃) − mean log σ(−f̃),   L_G = −mean log σ(f̃) − mean log σ(−r̃)

    Averages run over all scores that are given, and gradient flows through them.

    References:
        Jolicoeur-Martineau (2018), arXiv:1807.00734; Liu, Wang and Liang (2020), arXiv:1911.06641.

    >>> relativistic_average(torch.tensor([1.0, 1.0]), torch.tensor([1.0]))[1]  # cannot tell: 2 ln 2
    tensor(1.3863)
    """
    real, fake = real_scores - fake_scores.mean(), fake_scores - real_scores.mean()
    return (
        softplus(-real).mean() + softplus(fake).mean(),
        softplus(-fake).mean() + softplus(real).mean(),
    )


def standard(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """Non-saturating cross-entropy.

        L_D = −mean log σ(r) − mean log σ(−f),   L_G = −mean log σ(f)

    References:
        Goodfellow et al. (2014), arXiv:1406.2661.
    """
    return softplus(-real_scores).mean() + softplus(fake_scores).mean(), softplus(-fake_scores).mean()


def minimax(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """Cross-entropy whose generator plays for the opposite of the discriminator's loss ("JS" in RelGAN's code).

    L_D = −mean log σ(r) − mean log σ(−f),   L_G = mean log σ(−f)
    """
    return softplus(-real_scores).mean() + softplus(fake_scores).mean(), -softplus(fake_scores).mean()


def kullback_leibler(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """Cross-entropy for the discriminator, the log-ratio for the generator ("KL" in RelGAN's code).

        L_D = −mean log σ(r) − mean log σ(−f),   L_G = −mean f

    At the best discriminator f = log p(x)/G(x), so L_G is the reverse KL divergence KL(G ‖ p).
    """
    return softplus(-real_scores).mean() + softplus(fake_scores).mean(), -fake_scores.mean()


def least_squares(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """Squared distance to 1 for real and 0 for generated.

        L_D = mean (r − 1)² + mean f²,   L_G = mean (f − 1)²

    References:
        Mao et al. (2017), arXiv:1611.04076.
    """
    return (real_scores - 1).square().mean() + fake_scores.square().mean(), (fake_scores - 1).square().mean()


def hinge(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """A margin of 1 on each side of 0.

        L_D = mean max(0, 1 − r) + mean max(0, 1 + f),   L_G = −mean f

    References:
        Lim and Ye (2017), arXiv:1705.02894.
    """
    return (1 - real_scores).relu().mean() + (1 + fake_scores).relu().mean(), -fake_scores.mean()


def total_variation(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """The difference of scores squeezed into (−1, 1) ("tv" in RelGAN's code).

    L_D = mean tanh f − mean tanh r,   L_G = −mean tanh f
    """
    return fake_scores.tanh().mean() - real_scores.tanh().mean(), -fake_scores.tanh().mean()


def wasserstein(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> Losses:
    """The difference of mean scores; says something about a distance only while the discriminator is Lipschitz.

        L_D = mean f − mean r,   L_G = −mean f

    References:
        Arjovsky, Chintala and Bottou (2017), arXiv:1701.07875.
    """
    return fake_scores.mean() - real_scores.mean(), -fake_scores.mean()


ADVERSARIAL: dict[str, Callable[[Tensor, Tensor], Losses]] = {
    "relativistic": relativistic,
    "relativistic_average": relativistic_average,
    "standard": standard,
    "minimax": minimax,
    "kullback_leibler": kullback_leibler,
    "least_squares": least_squares,
    "hinge": hinge,
    "total_variation": total_variation,
    "wasserstein": wasserstein,
}
ACROSS = ("relativistic_average",)
"""Those that compare a score with a mean over the minibatch: of parts of it, another loss."""
CROSS_ENTROPIES = ("standard", "minimax", "kullback_leibler")
"""Those whose discriminator learns by cross-entropy of real against generated, each score by itself."""


def by_category(
    objective: Callable[[Tensor, Tensor], Losses],
    real_scores: Float[Tensor, "*axes"],
    fake_scores: Float[Tensor, "*axes"],
    categories: Int[Tensor, " batch"],
    count: int,
) -> Losses:
    """A loss within each category, summed over categories: real and generated are compared with their own kind only.

        L = k Σ_c (n_c / n) L_c, which is Σ_c L_c where there are equally many of each

    Args:
        objective: the loss of each category.
        real_scores: scores of real sequences.
        fake_scores: scores of generated sequences, row by row of the same category.
        categories: of the rows, from 0.
        count: k.

    References:
        Liu, Wang and Liang (2020), arXiv:1911.06641.
    """
    rows = [categories == category for category in categories.unique().tolist()]
    parts = [(objective(real_scores[chosen], fake_scores[chosen]), int(chosen.sum())) for chosen in rows]
    ours, theirs = (sum(losses[side] * size for losses, size in parts) * (count / len(categories)) for side in (0, 1))
    return ours, theirs  # pyright: ignore[reportReturnType]


def discriminator_loss(
    real_scores: Float[Tensor, " real"],
    fake_scores: Float[Tensor, " fake"],
    smoothing: float = 0.0,
    shares: tuple[float, float] = (1.0, 1.0),
) -> Float[Tensor, ""]:
    """Cross-entropy of telling real from generated, half of its weight on each.

        L(φ) = −½ mean [(1 − s) log σ(r) + s log σ(−r)] − ½ mean log σ(−f)

    This is SeqGAN's Eq. 5 halved: a mean over a minibatch that is half real, as in the authors' code, so that
    a weight penalty keeps its strength beside it.

    Args:
        real_scores: logits of real sequences.
        fake_scores: logits of generated sequences; their number may differ.
        smoothing: s, by how much the target of real sequences stays below 1; in [0, 1).
        shares: factors of both sides, where they are parts of larger ones.

    Returns:
        The loss in nats: ln 2 where all scores are 0.

    References:
        Yu, Zhang, Wang and Yu (2017), arXiv:1609.05473, Eq. 5; smoothing: Salimans et al. (2016), arXiv:1606.03498.

    >>> discriminator_loss(torch.zeros(2), torch.zeros(3))
    tensor(0.6931)
    """
    real = softplus(-real_scores) + smoothing * real_scores  # softplus(r) = softplus(−r) + r
    return 0.5 * (shares[0] * real.mean() + shares[1] * softplus(fake_scores).mean())


@torch.no_grad()
def accuracy(real_scores: Float[Tensor, " real"], fake_scores: Float[Tensor, " fake"]) -> float:
    """Share told apart by the sign of the score, half of its weight on each side; a score of 0 counts as real.

    >>> accuracy(torch.tensor([2.0, -1.0]), torch.tensor([-3.0]))
    0.75
    """
    right = (real_scores >= 0).float().mean() + (fake_scores < 0).float().mean()
    return 0.5 * right.item()


@torch.no_grad()
def pair_accuracy(real_scores: Float[Tensor, "*axes"], fake_scores: Float[Tensor, "*axes"]) -> float:
    """Share of aligned pairs whose real one scores higher, a draw counting half; what a relativistic loss pushes up.

    >>> pair_accuracy(torch.tensor([5.0, -1.0]), torch.tensor([4.0, -1.0]))
    0.75
    """
    return 0.5 * ((real_scores - fake_scores).sign().mean().item() + 1)
