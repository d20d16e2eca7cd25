"""The vocabulary of a pre-trained model: its own tokenizer, and as many ids as its network has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from seqgans.data.packages import optional_package
from seqgans.data.vocabulary import Vocabulary
from seqgans.errors import BadInput
from seqgans.memory import shortage

GGUF = ".gguf"
FILES = ("tokenizer*", "vocab*", "*.model")  # one of which a tokenizer is made from


def address(spec: str) -> tuple[str, dict[str, Any]]:
    """What `from_pretrained` is called with: the folder or name, and the file within it where that is a GGUF file.

    >>> address("models/small.gguf")
    ('models', {'gguf_file': 'small.gguf'})
    >>> address("gpt2")
    ('gpt2', {})
    """
    return (str(Path(spec).parent), {"gguf_file": Path(spec).name}) if spec.endswith(GGUF) else (spec, {})


def check_there(spec: str) -> None:
    """Refuse a path that leads nowhere; what can be a name on the hub is left to the hub.

    Raises:
        BadInput: there is neither such a folder nor such a file.
    """
    path = spec.startswith(("/", ".", "~")) or spec.endswith(GGUF) or spec.count("/") > 1
    if path and not (Path(spec).is_file() if spec.endswith(GGUF) else Path(spec).exists()):
        raise BadInput(f"there is no such folder or file: {spec}; check the path of the model")


def base_of(spec: str) -> str:
    """The model that a folder of low-rank adapters was made for; any other spec is its own base.

    Raises:
        BadInput: the adapters do not say which model.
    """
    told = Path(spec) / "adapter_config.json"
    if not told.is_file():
        return spec
    try:
        base = json.loads(told.read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError) as error:
        raise BadInput(f"{told} must be the settings of adapters; {error}") from error
    if not isinstance(base, str) or not base:
        raise BadInput(f"{told} must name the model the adapters are for (base_model_name_or_path), got {base!r}")
    if Path(base).resolve() == Path(spec).resolve():
        raise BadInput(f"{told} must name the model the adapters are for, got their own folder")
    return base


def tokenizer_of_model(spec: str) -> Any:
    """The tokenizer of a pre-trained model, as transformers reads it.

    Args:
        spec: a folder that `save_pretrained` wrote, a .gguf file, or a name on the hub.

    Raises:
        BadInput: there is no such tokenizer.
    """
    transformers = optional_package("transformers", "the tokenizer of a pre-trained model", extra="lm")
    where, more = address(spec)
    if more:
        optional_package("gguf", "a GGUF file", extra="lm")
    check_there(spec)
    if Path(spec).is_dir() and not any(True for pattern in FILES for _ in Path(spec).glob(pattern)):
        if (base := base_of(spec)) != spec:
            return tokenizer_of_model(base)
        raise BadInput(
            f"the model folder {spec} must hold a tokenizer (tokenizer.json); save it there beside the model"
        )
    try:
        if not Path(spec).exists():  # asks a hub that does not answer once, where a tokenizer is looked for twice
            transformers.AutoConfig.from_pretrained(where)
        return transformers.AutoTokenizer.from_pretrained(where, **more)
    except Exception as error:  # a damaged file can make its reader raise anything
        raise unreadable(spec, error) from error


def unreadable(spec: str, error: Exception) -> BadInput:
    """What to raise where a tokenizer cannot be loaded: memory that was short is no fault of its files."""
    if short := shortage(error):
        return BadInput(f"{short} for the tokenizer of {spec}; make room")
    reason = " ".join(str(error).split())[:300]
    return BadInput(f"{spec} must be a model with a tokenizer: a folder, a .gguf file or a hub name; {reason}")


def vocabulary_of_model(spec: str, lowercase: bool = False, specials: bool = False) -> Vocabulary:
    """The symbols of a pre-trained model.

    Args:
        spec: a folder that `save_pretrained` wrote, a .gguf file, or a name on the hub.
        lowercase: make text lower-case first.
        specials: a text may spell special tokens, as what a chat template writes does.

    Raises:
        BadInput: there is no such tokenizer, it is not one of the `tokenizers` library, or it has no end token.
    """
    tokenizer = tokenizer_of_model(spec)
    transformers = optional_package("transformers", "the tokenizer of a pre-trained model", extra="lm")
    where, more = address(base_of(spec))
    try:
        ids = transformers.AutoConfig.from_pretrained(where, **more).vocab_size
    except Exception as error:  # as above
        raise unreadable(spec, error) from error
    if not tokenizer.is_fast:
        raise BadInput(f"the tokenizer of {spec} must be a fast one (tokenizer.json), got {type(tokenizer).__name__}")
    if tokenizer.eos_token_id is None:
        raise BadInput(
            f"the tokenizer of {spec} must have an end token (eos_token); name one in its tokenizer_config.json"
        )
    if len(tokenizer) > ids:
        raise BadInput(f"the tokenizer of {spec} has {len(tokenizer)} ids and its network {ids}; resize its embeddings")
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return Vocabulary(
        symbols_of(tokenizer, ids),
        "model",
        end=tokenizer.eos_token_id,
        start=start,
        lowercase=lowercase,
        tokenizer=tokenizer.backend_tokenizer.to_str(),
        specials=specials,
    )


def symbols_of(tokenizer: Any, ids: int) -> tuple[str, ...]:
    """What each of so many ids stands for to a tokenizer; those it does not know have names of their own."""
    symbols = {number: symbol for symbol, number in sorted(tokenizer.get_vocab().items())}
    return tuple(symbols.get(number, f"<unused {number}>") for number in range(ids))


def check_shared(spec: str, vocabulary: Vocabulary) -> None:
    """Refuse a model to which the ids of a vocabulary mean something else, though it knows as many.

    Args:
        spec: as for `tokenizer_of_model`; a model without a tokenizer has nothing to compare.
        vocabulary: that of another model.

    Raises:
        BadInput: an id stands for another symbol.
    """
    try:
        there = symbols_of(tokenizer_of_model(spec), vocabulary.size)
    except BadInput:  # a judge may be a bare trunk
        return
    apart = [number for number, both in enumerate(zip(there, vocabulary.symbols, strict=True)) if len(set(both)) > 1]
    if apart:
        first = apart[0]
        raise BadInput(
            f"{spec} and the tokenizer that reads the corpus must share one vocabulary, but {len(apart)} of "
            f"{len(there)} ids differ: {first} is {there[first]!r} there and {vocabulary.symbols[first]!r} here; "
            "choose models of one tokenizer"
        )
