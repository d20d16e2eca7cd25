"""The settings that --config names: a YAML file, or a recipe that comes with the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqgans.data.kinds import is_law
from seqgans.errors import BadInput
from seqgans.training.mapping import PARTS, mapping_of
from seqgans.training.shipped import shipped


def read_config(file: str) -> dict[str, dict[str, Any]]:
    """The parts of a YAML file of settings, or of a recipe by name, each a mapping, missing ones empty.

    Raises:
        BadInput: it cannot be read, or is something else.
    """
    try:
        path = Path(file)
        text = (path if path.exists() or path.suffix else shipped(file)).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"--config must be a YAML file or a recipe such as seqgan/short, {file} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"--config must be a YAML file, {file} is not UTF-8 text") from error
    try:
        found = mapping_of(text)
    except BadInput as error:
        raise BadInput(f"{error} (in {file})") from error
    unknown = [str(part) for part in found if part not in PARTS]
    if unknown:
        raise BadInput(f"settings have the parts {', '.join(PARTS)}, got {', '.join(unknown)} (in {file})")
    for part, settings in found.items():
        if settings is not None and not isinstance(settings, dict):
            raise BadInput(f"{part} must be a mapping of settings, got {settings!r} (in {file})")
    return {part: dict(found.get(part) or {}) for part in PARTS}


def on_another_corpus(
    config: Mapping[str, dict[str, Any]], spec: str | None
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Settings of a file as they are for the corpus that a call names; of a drawn corpus none are for one that is read.

    How many ids an oracle has and how many sequences are drawn from it says nothing of a text.

    Args:
        config: parts of the file.
        spec: the corpus that the call names, None where it names none.

    Returns:
        The parts, and the names of the settings that were left out.
    """
    corpus = dict(config["corpus"])
    own = corpus.pop("spec", None)
    if spec is None or not isinstance(own, str) or not is_law(own) or is_law(spec):
        return dict(config), ()
    return {**config, "corpus": {}}, tuple(corpus)


def algorithm_of(named: Sequence[str], config: Mapping[str, Mapping[str, Any]], source: str) -> str | None:
    """The algorithm that the words or the file name; they must not contradict each other."""
    in_file = config["algorithm"].get("name")
    in_words = named[0] if named else None
    if in_words and in_file and in_words != in_file:
        raise BadInput(
            f"{source} has settings of {in_file}, but {in_words} was asked for; take algorithm: out of the file, "
            f"or leave {in_words} out"
        )
    return in_words or in_file


def without_name(config: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings of a file without the algorithm's name, which is no setting, and without empty parts."""
    parts = {part: dict(settings) for part, settings in config.items()}
    parts["algorithm"].pop("name", None)
    return {part: settings for part, settings in parts.items() if settings}
