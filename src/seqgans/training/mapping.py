"""Settings as plain mappings: read from YAML, laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from seqgans.errors import BadInput

PARTS = ("algorithm", "corpus", "generator", "discriminator", "options", "run")


class OnceLoader(yaml.SafeLoader):
    """Reads plain values, and refuses a mapping that has a key twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping at a node.

        Raises:
            BadInput: a key stands there twice.
        """
        known: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in known:
                line = key.start_mark.line + 1
                raise BadInput(f"settings must have each key once, {key.value} stands twice (again in line {line})")
            known.add(str(key.value))
        return super().construct_mapping(node, deep)


def mapping_of(text: str) -> dict[str, Any]:
    """What a YAML file holds, if that is a mapping.

    Raises:
        BadInput: it is not YAML, not a mapping, or has a key twice.
    """
    try:
        found = yaml.load(text, OnceLoader)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>", ', "in ")
        raise BadInput(f"settings must be YAML: {said}") from error
    if not isinstance(found, dict):
        raise BadInput(f"settings must be a mapping with the keys {', '.join(PARTS)}; got {type(found).__name__}")
    return found


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two mappings as one; where both have a value, that of `over`."""
    found = dict(under)
    for name, value in over.items():
        old = found.get(name)
        found[name] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found
