"""Whoever writes texts: a run of ours or a plain model of `transformers`, which was never trained by us."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from seqgans.data import CorpusSettings
from seqgans.data.tokenizer import GGUF, vocabulary_of_model
from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import draw_sequences
from seqgans.generators.decoding import Decoding
from seqgans.generators.pretrained import CausalLM, Pretrained
from seqgans.randomness import generator_for
from seqgans.training.fitting import POSITIONS
from seqgans.verbs.loading import load_run, open_run
from seqgans.verbs.sample import ROWS, draw

HUB = "hf:"


@dataclass(frozen=True)
class Writer:
    """Something that texts can be drawn from.

    Attributes:
        name: what it is called in tables.
        write: from a way of decoding and a number to so many texts; the same ones at every call.
    """

    name: str
    write: Callable[[Decoding, int], list[str]]


def is_model(target: str) -> bool:
    """Whether a target names a model of transformers: a folder of `save_pretrained`, a .gguf file, or hf:NAME."""
    folder = Path(target)
    return (
        target.startswith(HUB)
        or target.endswith(GGUF)
        or ((folder / "config.json").is_file() and not (folder / "settings.yaml").is_file())
    )


def check_checkpoint(targets: Sequence[str], checkpoint: str) -> None:
    """Refuse to name a checkpoint where there is no run.

    Raises:
        BadInput: one is named, and all targets are models or files.
    """
    if checkpoint != "latest" and all(is_model(target) or Path(target).is_file() for target in targets):
        raise BadInput(f"--checkpoint is of runs, but there is none among {', '.join(targets)}; leave it out")


def held_out(targets: Sequence[str], reading: CorpusSettings) -> tuple[list[str], CorpusSettings]:
    """The texts of the test split that runs among the targets share, and how to read them: as the runs do.

    Args:
        targets: as `is_model` and `writer_of` know them, or files.
        reading: how files are read.

    Raises:
        BadInput: there is no run among them, their test splits differ, or are too small.
    """
    runs = [target for target in dict.fromkeys(targets) if not is_model(target) and Path(target).is_dir()]
    if not runs:
        raise BadInput("curves of files and models need --references, a file of real texts; a run has its own")
    corpora = [open_run(run)[2] for run in runs]
    first, *others = [
        [corpus.vocabulary.decode(ids) for ids in corpus.test.lists(corpus.vocabulary.end)] for corpus in corpora
    ]
    other = next((run for run, texts in zip(runs[1:], others, strict=True) if texts != first), None)
    if other is not None:
        raise BadInput(f"the test splits of {runs[0]} and {other} differ; give --references, a file of real texts")
    if len(first) < 2:
        raise BadInput(f"the test split of {runs[0]} must hold at least 2 texts, got {len(first)}; give --references")
    by_letter = corpora[0].vocabulary.kind == "characters"
    return first, dataclasses.replace(reading, tokens="characters") if by_letter else reading


def writer_of(target: str, references: Sequence[str], checkpoint: str = "latest", seed: int = 0) -> Writer:
    """A run or a model as a writer.

    A model writes without a prompt, up to as many of its tokens as the longest reference has.

    Args:
        target: a run's folder, or a model as `is_model` knows them.
        references: real texts.
        checkpoint: of a run.
        seed: where the random numbers come from.

    Raises:
        BadInput: it cannot be loaded, or is a run that answers sources.
    """
    if is_model(target):
        return model_writer(target.removeprefix(HUB), references, seed)
    run = load_run(target, checkpoint)
    if run.corpus.source_width:
        raise BadInput(f"{target} learnt to answer, and has no texts of its own to compare")
    return Writer(
        run.folder.path.name,
        lambda decoding, count: [one.text for one in islice(draw(run, count, decoding, seed), count)],
    )


def model_writer(spec: str, references: Sequence[str], seed: int) -> Writer:
    """A causal language model as a writer."""
    vocabulary = vocabulary_of_model(spec)
    random = generator_for(seed, "model")
    model = Pretrained(model=spec).build(vocabulary.size, vocabulary.start, vocabulary.end, random)
    config = model.model.config if isinstance(model, CausalLM) else None
    room = min((getattr(config, name) for name in POSITIONS if hasattr(config, name)), default=None)
    longest = max(len(vocabulary.encode(text)) for text in references) + 1
    length = longest if room is None else min(longest, room - 1)

    def write(decoding: Decoding, count: int) -> list[str]:
        stream = generator_for(seed, "sample")
        rows = draw_sequences(model, count, length, stream, decoding=decoding, rows=ROWS)
        return [vocabulary.decode(ids) for ids in rows.lists(vocabulary.end)]

    return Writer(Path(spec).name.removesuffix(GGUF), write)
