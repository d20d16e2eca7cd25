"""Several discriminators that judge together.

Mutants killed: a sum for the mean, one member asked twice, views averaged, tables that are copies, penalties averaged.
"""

from __future__ import annotations

import pytest
import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.ensemble import Ensemble
from seqgans.discriminators.multi_view import MultiView
from seqgans.discriminators.recurrent import GRUScorer
from seqgans.errors import BadInput
from seqgans.randomness import generator_for

TOKENS = torch.randint(5, (4, 6), generator=generator_for(0))
MASK = torch.arange(6) < torch.tensor([6, 3, 1, 5])[:, None]


def test_scores_are_means_and_views_stand_side_by_side() -> None:
    views = MultiView(embedding=4, views=2, widths=(2, 3), maps=4, dense=3)
    members = [views.build(5, 6, generator_for(seed)) for seed in range(3)]
    both = Ensemble(members)
    alone = [member.scores(TOKENS, MASK) for member in members]
    torch.testing.assert_close(both.scores(TOKENS, MASK), sum(alone) / 3)
    assert both.view_scores(TOKENS, MASK).shape == (4, 6)
    torch.testing.assert_close(both.view_scores(TOKENS, MASK).mean(1), both.scores(TOKENS, MASK))
    soft = torch.nn.functional.one_hot(TOKENS, 5).float()
    torch.testing.assert_close(both.scores(soft, MASK), both.scores(TOKENS, MASK))
    with pytest.raises(BadInput, match="score per step"):
        both.step_scores(TOKENS, MASK)


def test_steps_completions_and_penalties() -> None:
    gru = Ensemble([GRUScorer(embedding=3, hidden=4).build(5, 6, generator_for(seed)) for seed in range(2)])
    torch.testing.assert_close(gru.step_scores(TOKENS, MASK)[:, -1][MASK[:, -1]], gru.scores(TOKENS, MASK)[MASK[:, -1]])
    cnn = Ensemble([CNN(embedding=3, widths=(1, 2), maps=(2, 2)).build(5, 6, generator_for(seed)) for seed in range(2)])
    found = cnn.completion_scores(TOKENS[None, None], MASK[None, None], [0])
    torch.testing.assert_close(found[0, 0], cnn.scores(TOKENS, MASK))
    torch.testing.assert_close(cnn.penalty(), sum(member.penalty() for member in cnn.members))  # pyright: ignore
    assert cnn.penalty().item() > 0


def test_layers_with_as_many_rows_as_there_are_symbols_are_not_shared() -> None:
    members = [CNN(embedding=3, widths=(1, 2), maps=(5, 6)).build(5, 6, generator_for(seed)) for seed in range(2)]
    names = set(dict(Ensemble(members, shared=True).named_parameters()))
    assert {name for name in names if name.startswith("members.1.")} == {
        f"members.1.{name}" for name, _ in members[0].named_parameters() if name != "embedding"
    }
    assert Ensemble(members, shared=True).tables() == ["members.0.embedding"]


def test_a_shared_table_is_one_parameter() -> None:
    settings = GRUScorer(embedding=3, hidden=4)
    apart, shared = (
        Ensemble([settings.build(5, 6, generator_for(seed)) for seed in range(2)], shared) for shared in (False, True)
    )
    one, other = (dict(part.named_parameters()) for part in (apart, shared))
    assert one.keys() - other.keys() == {"members.1.embedding"}
    shared.scores(TOKENS, MASK).sum().backward()
    table = shared.get_parameter("members.0.embedding")
    assert shared.members[1].embedding is table
    alone = [settings.build(5, 6, generator_for(seed)) for seed in range(2)]
    with torch.no_grad():
        alone[1].get_parameter("embedding").copy_(table)
    (alone[0].scores(TOKENS, MASK).sum() / 2 + alone[1].scores(TOKENS, MASK).sum() / 2).backward()
    expected = sum(member.get_parameter("embedding").grad for member in alone)  # pyright: ignore
    torch.testing.assert_close(table.grad, expected)
