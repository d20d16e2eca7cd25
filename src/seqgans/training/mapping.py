"""Settings as plain mappings: read from YAML, laid over each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqgans.errors import BadInput

PARTS = ("algorithm", "corpus", "generator", "discriminator", "options", "run")


def mapping_of(text: str) -> dict[str, Any]:
    """What a YAML file holds, if that is a mapping.

    Raises:
        BadInput: it is not YAML or not a mapping.
    """
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"settings must be YAML: {' '.join(str(error).split())}") from error
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
