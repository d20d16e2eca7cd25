"""Packages that only some corpora and models need: imported where used, with a clear line if one is missing."""

from __future__ import annotations

import importlib
from typing import Any

from seqgans.errors import BadInput


class NotInstalled(BadInput):
    """What was asked for needs a package that is not there; it can be had once the package is installed.

    Args:
        message: what needs it, and how to install it.
        package: the module that could not be imported.
    """

    def __init__(self, message: str, package: str) -> None:
        super().__init__(message)
        self.package = package


def optional_package(name: str, purpose: str, extra: str = "data") -> Any:
    """The module called `name`.

    Args:
        name: the module to import, dots allowed.
        purpose: what needs it, the subject of the error ("a .parquet file").
        extra: the optional dependencies of ours that bring it.

    Raises:
        NotInstalled: the package is not there; the message names the extra that brings it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise NotInstalled(f"{purpose} needs the package {package}: pip install 'seqgans[{extra}]'", name) from error


def installed(name: str) -> bool:
    """Whether there is a module called `name` that can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
