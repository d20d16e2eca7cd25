"""How RLGAF pays for its distance from the reference: from the rewards (k1), or as a term of the loss (k2, k3).

Mutants killed: a divergence paid twice or not at all, one of padding, a mean over tokens instead of a sum, β left out,
a gradient that is not that of KL(π ‖ π_ref).
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch

from seqgans.algorithms.answering import answer_play
from seqgans.algorithms.tuning import tuning_loss
from seqgans.data.corpus import Corpus
from seqgans.generators.conditional import given
from seqgans.objectives.divergence import DIVERGENCES
from tests.algorithms.tuned import players_of, scene_of


@pytest.mark.parametrize("variant", ["reinforce", "ppo"])
@pytest.mark.parametrize("estimator", ["k2", "k3"])
def test_the_loss_pays_what_rewards_do_not(folder: Path, corpus: Corpus, variant: str, estimator: str) -> None:
    settings, players = players_of(folder, corpus, variant=variant, kl=0.5, kl_estimator=estimator, baseline="group")
    with torch.no_grad():  # apart from the reference
        players.get_parameter("reference.model.lm_head.weight").mul_(1.5)
    play = answer_play(settings, players, scene_of(corpus))
    free = dataclasses.replace(settings, kl=0.0)
    same = answer_play(free, players, scene_of(corpus))
    assert play.rewards is not None
    assert same.rewards is not None
    torch.testing.assert_close(play.rewards, same.rewards)  # the same samples, unpaid
    assert play.figures["kl"] != 0
    assert play.fake is not None
    log_probs = given(players.generator, play.fake.source).log_probs(play.fake.tokens)
    known = given(players.get_submodule("reference"), play.fake.source).log_probs(play.fake.tokens)  # pyright: ignore
    apart = DIVERGENCES[estimator](log_probs, known)
    expected = 0.5 * sum(apart[row, play.fake.mask[row]].sum() for row in range(len(apart))) / len(apart)
    found = tuning_loss(settings, players, play).value - tuning_loss(free, players, same).value
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    paid = answer_play(dataclasses.replace(settings, kl_estimator="k1"), players, scene_of(corpus))
    assert paid.rewards is not None
    assert not torch.allclose(paid.rewards, play.rewards)
    assert "reference" not in paid.extras


def test_in_expectation_it_is_the_divergence_and_the_gradient_of_the_last_token() -> None:
    """All sequences of two tokens: Σ π k3 is the divergence, Σ π ∇k2 its gradient where nothing follows.

    A first token answers for what follows it, too. Log-ratios to go as rewards, the default, have all of it.
    """
    logits, other = torch.randn(2, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits.requires_grad_()
    laws = [table.log_softmax(-1) for table in (logits, other)]

    def of(law: torch.Tensor, first: int, second: int) -> torch.Tensor:
        return torch.stack([law[0, 0, first], law[1, first, second]])

    exact = values = slopes = charged = torch.zeros((), dtype=torch.float64)
    for pair in itertools.product(range(3), repeat=2):
        ours, theirs = (of(law, *pair) for law in laws)
        share = ours.sum().exp()
        exact = exact + share * (ours - theirs).sum()
        values = values + share * DIVERGENCES["k3"](ours, theirs).sum()
        slopes = slopes + share.detach() * DIVERGENCES["k2"](ours, theirs).sum()
        to_go = DIVERGENCES["k1"](ours, theirs).detach().flip(0).cumsum(0).flip(0)
        charged = charged + share.detach() * (to_go * ours).sum()
    torch.testing.assert_close(values, exact)
    gradients = (torch.autograd.grad(one, logits, retain_graph=True)[0] for one in (exact, slopes, charged))
    wanted, found, whole = gradients
    assert wanted.abs().max() > 0.01
    torch.testing.assert_close(found[1], wanted[1])
    assert not torch.allclose(found[0], wanted[0], rtol=0.01)
    torch.testing.assert_close(whole, wanted)
