"""Values of settings in a mapping: what is not allowed is one plain line, with the names that calls and files have."""

from __future__ import annotations

from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.training.recipe import Recipe


@pytest.mark.parametrize(
    ("part", "settings", "message"),
    [
        (
            "algorithm",
            {"baseline": "batch"},
            "algorithm.baseline must be one of: none, batch_mean, leave_one_out, moving_average, got 'batch'",
        ),
        ("algorithm", {"rounds": 2.5}, "algorithm.rounds must be a whole number, got 2.5"),
        ("algorithm", {"rounds": None}, "algorithm.rounds must be a whole number, got null"),
        ("algorithm", {"rounds": -1}, "algorithm.rounds must be at least 0, got -1"),
        ("corpus", {"length": "a"}, "corpus.length must be a whole number or null, got 'a'"),
        ("discriminator", {"widths": 3}, "discriminator.widths must be a list of whole numbers such as [2, 3], got 3"),
        (
            "discriminator",
            {"widths": [1, 2]},
            "discriminator.widths and discriminator.maps must be equally long and not empty, got 2 and 12; set both",
        ),
        ("options", {"replay": 3}, "options.replay must be at least 0 and below 1, got 3.0"),
        (
            "run",
            {"sed": 3},
            "no setting is called run.sed; did you mean seed? choose one of: seed, device, precision, threads, ",
        ),
    ],
)
def test_a_wrong_value_is_one_plain_line(part: str, settings: dict[str, Any], message: str) -> None:
    """Mutants killed: the parser's own words; a class's name in the place of the part's; null where it is no value."""
    mapping: dict[str, Any] = {"algorithm": {"name": "seqgan"}, "corpus": {"spec": "oracle"}}
    with pytest.raises(BadInput) as found:
        Recipe.of({**mapping, part: {**mapping.get(part, {}), **settings}})
    assert str(found.value).startswith(message)
    assert "\n" not in str(found.value)


def test_an_allowed_null_stays() -> None:
    mapping = {"algorithm": {"name": "seqgan"}, "corpus": {"spec": "oracle", "length": None}}
    assert Recipe.of(mapping).corpus_settings.length is None
