"""Packages that only some corpora and models need: imported where used, with a clear line if one is missing."""

from __future__ import annotations

import importlib
from typing import Any

from seqgans.errors import BadInput


def optional_package(name: str, purpose: str, extra: str = "data") -> Any:
    """The module called `name`.

    Args:
        name: the module to import, dots allowed.
        purpose: what needs it, the subject of the error ("a .parquet file").
        extra: the optional dependencies of ours that bring it.

    Raises:
        BadInput: the package is not installed; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise BadInput(f"{purpose} needs the package {package}: pip install 'seqgans[{extra}]'") from error
