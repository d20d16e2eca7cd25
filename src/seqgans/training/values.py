"""Values of settings: what kinds there are, in words, and a settings dataclass filled with them."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from seqgans.errors import BadInput
from seqgans.spelling import asked

PLAIN_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "null"}


def filled(kind: type[Any], values: Mapping[str, Any], part: str) -> Any:
    """A settings dataclass filled with values of the types it declares.

    Args:
        kind: the dataclass.
        values: what is not left at its default.
        part: what the settings are called, for messages.

    Raises:
        BadInput: a setting does not exist or its value is not allowed.
    """
    from jsonargparse import ArgumentError

    known = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in known:
            raise BadInput(f"no setting is called {part}.{name};{asked(name, known)} choose one of: {', '.join(known)}")
    for name, value in values.items():
        if isinstance(value, float) and math.isnan(value):
            raise BadInput(f"{part}.{name} must be a number, got nan")
    if not known:  # a parser without arguments has no settings to give back
        return kind()
    hints = get_type_hints(kind)
    empty = next(
        (name for name, value in values.items() if value is None and NoneType not in get_args(hints[name])), None
    )
    if empty is not None:
        raise BadInput(f"{part}.{empty} must be {in_words(hints[empty])}, got null")
    try:
        return kind(**parser_of(kind).parse_object({"settings": dict(values)}).settings.as_dict())
    except ArgumentError as error:
        wrong = re.search(r'Parser key "settings\.(\w+)', str(error))
        if wrong is None:
            raise BadInput(f"{part}: {' '.join(str(error).split())}") from error
        name = wrong[1]
        raise BadInput(f"{part}.{name} must be {in_words(hints[name])}, got {values[name]!r}") from error
    except (ValueError, TypeError) as error:
        raise BadInput(by_part(" ".join(str(error).split()), kind, part)) from error


def by_part(message: str, kind: type[Any], part: str) -> str:
    """What a settings dataclass says of its settings, with the names that calls and files have for them.

    >>> by_part("Recipe.rounds must be at least 0, got -1", type("Recipe", (), {}), "algorithm")
    'algorithm.rounds must be at least 0, got -1'
    """
    classes = "|".join(re.escape(one.__name__) for one in kind.__mro__ if one is not object)
    found, changed = re.subn(rf"\b(?:{classes})\.(?=[a-z])", f"{part}.", message)
    return found if changed else f"{part}: {message}"


@functools.cache
def parser_of(kind: type[Any]) -> Any:
    """What reads the settings of a dataclass, by the types it declares."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings", help=None)
    return parser


def in_words(hint: Any) -> str:
    """A type as a reader says it.

    >>> in_words(int | None), in_words(Literal["a", "b"]), in_words(tuple[int, ...])
    ('a whole number or null', 'one of: a, b', 'a list of whole numbers such as [2, 3]')
    """
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(in_words(part) for part in parts)
    if origin is Literal:
        return f"one of: {', '.join(map(str, parts))}"
    if origin is tuple:
        if int in parts:
            return "a list of whole numbers such as [2, 3]"
        if str in parts:
            return "a list of names such as [one, other]"
        return "a list of numbers such as [0.9, 0.99]"
    return PLAIN_WORDS.get(hint, getattr(hint, "__name__", str(hint)))
