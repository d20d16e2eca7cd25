"""Plain facts as strict JSON, which knows no infinite numbers, and back.

A number that is not finite stands in our files and in what --json prints as the string "Infinity", "-Infinity" or
"NaN", which Python's `float` and JavaScript's `Number` read. The value of a key that is such a string comes back
as the number; in a list, where texts stand, strings stay strings.
"""

from __future__ import annotations

import json
import math
from typing import Any

NUMBERS = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def to_json(facts: Any, indent: int | None = None) -> str:
    """Facts as JSON that any reader takes.

    Args:
        facts: mappings, sequences, texts, numbers, None.
        indent: spaces a level; None for one line.

    >>> to_json({"best": math.inf, "samples": ["NaN"]})
    '{"best": "Infinity", "samples": ["NaN"]}'
    """
    return json.dumps(spelled(facts), indent=indent, ensure_ascii=False, allow_nan=False)


def from_json(text: str | bytes) -> Any:
    """The facts that `to_json` wrote.

    Raises:
        ValueError: it is not JSON, or not UTF-8.

    >>> from_json('{"best": "Infinity", "samples": ["NaN"]}')
    {'best': inf, 'samples': ['NaN']}
    """
    return json.loads(text, object_hook=lambda found: {name: number_in(value) for name, value in found.items()})


def spelled(facts: Any) -> Any:
    """The same with the name of every number that is not finite in its place."""
    if isinstance(facts, dict):
        return {str(name): spelled(value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [spelled(value) for value in facts]
    if isinstance(facts, float) and not math.isfinite(facts):
        return "NaN" if math.isnan(facts) else "Infinity" if facts > 0 else "-Infinity"
    return facts


def number_in(value: Any) -> Any:
    """The number that a string names, every other value as it is."""
    return NUMBERS.get(value, value) if isinstance(value, str) else value
