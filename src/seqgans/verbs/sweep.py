"""Sweep: quality against diversity of any writers of texts, while temperature, top-k or the nucleus move.

    each setting: texts → words or characters, numbered anew → BLEU-5 and self-BLEU-5, lm_kn and reverse_lm_kn

Runs, plain models of transformers and files that others wrote, one a temperature, lie in one plane, since all are read
as texts. What comes out is the dict that `report.page` describes, the
baseline is the first curve, that of the first target.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from seqgans.data import CorpusSettings
from seqgans.data.streaming import Numbering
from seqgans.errors import BadInput
from seqgans.evaluation import Figure
from seqgans.evaluation.sweep import INVERSE_TEMPERATURES
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.verbs.evaluate import READING, lines_in, read_sequences
from seqgans.verbs.labelled import word_like
from seqgans.verbs.planes import PLANES, beside
from seqgans.verbs.planes_of_texts import Measured
from seqgans.verbs.writers import Writer, check_checkpoint, held_out, is_model, writer_of

COUNT = 1000  # texts at each setting
SHOWN = 5  # of a writer, as it is
TEMPERATURES = [1 / inverse for inverse in INVERSE_TEMPERATURES]
KNOBS = ("temperature", "top_k", "top_p")
Texts = Callable[[Decoding], list[str]]


@dataclasses.dataclass(frozen=True)
class Swept:
    """One curve to be.

    Attributes:
        name: whose it is, and what moves.
        settings: its points.
        texts: what was written at each.
    """

    name: str
    settings: Sequence[Decoding]
    texts: Texts


def sweep(
    targets: Sequence[str],
    references: str | None = None,
    *,
    temperatures: Sequence[float] = (),
    top_ks: Sequence[int] = (),
    top_ps: Sequence[float] = (),
    at: Sequence[float] = (),
    checkpoint: str = "latest",
    count: int = COUNT,
    seed: int = 0,
    reading: CorpusSettings = READING,
    watch: Callable[[str, int], None] | None = None,
) -> dict[str, Any]:
    """Curves of runs, models of transformers and files of samples in the planes of quality and diversity.

    Args:
        targets: folders of runs, models (a folder of `save_pretrained`, a .gguf file, hf:NAME), files of samples.
        references: a file of real texts that nothing was trained on; None for the test split of the runs.
        temperatures: a curve of each run and model; by default from 1/3 to 1.4 where no other knob moves.
        top_ks: another curve, each point drawn among so many most likely tokens.
        top_ps: another curve, each point drawn from the fewest tokens that reach this probability.
        at: temperatures of files; so many files one after another are one curve.
        checkpoint: of runs.
        count: texts at each setting.
        seed: where they come from.
        reading: how files are read, and whether texts are cut into words or characters.
        watch: called before each setting with its curve's name and how many settings there are.

    Raises:
        BadInput: a target cannot be read, a number is not allowed, or files and temperatures do not match.
    """
    if count < 2:
        raise BadInput(f"the number of samples must be at least 2, got {count}")
    check_checkpoint(targets, checkpoint)
    if not (temperatures or top_ks or top_ps or at):
        temperatures = TEMPERATURES
    moved = {"--temperature": temperatures, "--top-k": top_ks, "--top-p": top_ps, "--at": at}
    typed = command(targets, references, moved, checkpoint, count, seed, reading)
    if references is None:
        real, reading = held_out(targets, reading)
    else:
        real = read_sequences(Path(references), reading)
    beside_what = "the test split" if references is None else Path(references).name
    read = [*filed(targets, at, count, reading)]
    drawn = written(targets, real, (temperatures, top_ks, top_ps), checkpoint, count, seed)
    curves = in_order(targets, [*drawn, *read])
    numbering = Numbering(word_like(reading), reading.lowercase, reading.spaces != "drop")
    measured = Measured(numbering, real)
    total, systems = sum(len(curve.settings) for curve in curves), []
    known: dict[tuple[Texts, Decoding], dict[str, Figure]] = {}
    for curve in curves:
        rows, errors = [], []
        for setting in curve.settings:
            if watch is not None:
                watch(curve.name, total)
            key = (curve.texts, setting)
            if key not in known:
                known[key] = measured(curve.texts(setting), f"{curve.name}, {words(setting)}")
            rows.append({**knobs(setting), **{name: figure.value for name, figure in known[key].items()}})
            errors.append({name: figure.standard_error for name, figure in known[key].items()})
        plain = PLAIN if PLAIN in curve.settings else curve.settings[0]
        shown = curve.texts(plain)[:SHOWN]
        systems.append({"name": curve.name, "sweep": rows, "sweep_errors": errors, "samples": shown})
    sweeps, baseline = {one["name"]: one["sweep"] for one in systems}, systems[0]["name"]
    return {
        "title": f"Quality and diversity beside {beside_what}",
        "corpus": references or beside_what,
        "commands": [typed],
        "baseline": baseline,
        "notes": [f"{measured.counted} at each setting, cut into {numbering.kind}, seed {seed}.", *measured.doubts],
        "planes": [beside(axes, sweeps, baseline) for axes in PLANES[1:]],  # nobody knows the law of texts
        "systems": systems,
    }


def command(
    targets: Sequence[str],
    references: str | None,
    moved: Mapping[str, Sequence[float]],
    checkpoint: str,
    count: int,
    seed: int,
    reading: CorpusSettings,
) -> str:
    """What to type to get the same curves; `moved` are numbers by the flag that names them, the rest as in `sweep`."""
    flags = {
        "--references": references,
        **{flag: ",".join(map(str, values)) or None for flag, values in moved.items()},
        "--checkpoint": None if checkpoint == "latest" else checkpoint,
        "--samples": None if count == COUNT else count,
        "--seed": seed or None,
        "--text": reading.text,
        "--tokens": None if reading.tokens == READING.tokens else reading.tokens,
    }
    words = [str(part) for flag, value in flags.items() if value is not None for part in (flag, value)]
    words += ["--lowercase"] if reading.lowercase else []
    return shlex.join(["seqgans", "evaluate", *map(str, targets), *words])


def in_order(targets: Sequence[str], curves: Sequence[tuple[str, Swept]]) -> list[Swept]:
    """Curves in the order of their targets, names that occur twice numbered."""
    places = {target: place for place, target in reversed([*enumerate(targets)])}
    ordered = [curve for _, curve in sorted(curves, key=lambda pair: places[pair[0]])]
    names = [curve.name for curve in ordered]
    return [
        dataclasses.replace(curve, name=f"{curve.name} ({names[: place + 1].count(curve.name)})")
        if names.count(curve.name) > 1
        else curve
        for place, curve in enumerate(ordered)
    ]


def written(
    targets: Sequence[str],
    real: Sequence[str],
    moved: tuple[Sequence[float], Sequence[int], Sequence[float]],
    checkpoint: str,
    count: int,
    seed: int,
) -> Iterable[tuple[str, Swept]]:
    """The curves of runs and models, each with its target: one a knob."""
    settings = settings_of(*moved)
    for target in dict.fromkeys(targets):
        if is_file(target):
            continue
        writer = writer_of(target, real, checkpoint, seed)
        texts = drawn_once(writer, count)
        for knob, points in settings.items():
            yield target, Swept(f"{writer.name} by {knob}" if len(settings) > 1 else writer.name, points, texts)


def drawn_once(writer: Writer, count: int) -> Texts:
    """What a writer writes, remembered: the law as it is stands on several curves."""
    return cache(lambda setting: writer.write(setting, count))


def read_from(files: Mapping[Decoding, str], count: int, reading: CorpusSettings) -> Texts:
    """The first texts of the file of a setting."""
    return lambda setting: [*islice(lines_in(Path(files[setting]), reading), count)]


def settings_of(
    temperatures: Sequence[float], top_ks: Sequence[int], top_ps: Sequence[float]
) -> dict[str, list[Decoding]]:
    """The points of each knob, and the law as it is on every curve; temperatures where no knob is named.

    >>> [setting.top_k for setting in settings_of((), (5, 50), ())["top-k"]]
    [5, 50, 0]
    """
    if not (temperatures or top_ks or top_ps):
        temperatures = TEMPERATURES
    try:
        found = {
            "temperature": [Decoding(temperature=float(value)) for value in temperatures],
            "top-k": [Decoding(top_k=value) for value in top_ks],
            "top-p": [Decoding(top_p=float(value)) for value in top_ps],
        }
    except ValueError as error:
        raise BadInput(str(error)) from error
    return {knob: list(dict.fromkeys([*points, PLAIN])) for knob, points in found.items() if points}


def filed(
    targets: Sequence[str], at: Sequence[float], count: int, reading: CorpusSettings
) -> Iterable[tuple[str, Swept]]:
    """The curves of files, each with its first file: one point a temperature.

    Raises:
        BadInput: there are not as many files as temperatures, or a multiple of them; or one cannot be a temperature.
    """
    files = [target for target in targets if is_file(target)]
    if bool(files) != bool(at):
        raise BadInput(
            f"--at must name the temperatures at which files of samples were drawn, got {len(files)} files and "
            f"{len(at)} temperatures"
        )
    if at and len(files) % len(at):
        raise BadInput(
            f"--at names {len(at)} temperatures, so there must be as many files or a multiple, got {len(files)}"
        )
    if len(set(at)) < len(at) or not all(0 <= value < math.inf for value in at):
        raise BadInput(
            f"--at must name different temperatures of at least 0, all finite, got {', '.join(map(str, at))}"
        )
    for first in range(0, len(files), max(1, len(at))):
        group = files[first : first + len(at)]
        by_setting = {Decoding(temperature=float(value)): file for value, file in zip(at, group, strict=True)}
        yield group[0], Swept(common_name(group), [*by_setting], read_from(by_setting, count, reading))


def common_name(files: Sequence[str]) -> str:
    """What the names of files begin with, or the first of them.

    >>> common_name(["out/leakgan-0.8.txt", "out/leakgan-1.0.txt"])
    'leakgan'
    """
    names = [Path(file).name.partition(".txt")[0] for file in files]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = "".join(letters[0] for letters in alike).rstrip("-_. 0123456789") if len(names) > 1 else names[0]
    return shared or names[0]


def knobs(setting: Decoding) -> dict[str, float]:
    """A setting as it stands in a row of a sweep."""
    found: dict[str, float] = {"temperature": setting.temperature}
    if setting.top_k:
        found["top_k"] = setting.top_k
    if setting.top_p < 1:
        found["top_p"] = setting.top_p
    return found


def words(setting: Decoding) -> str:
    """A setting for people.

    >>> words(Decoding(top_k=5))
    'temperature 1, top_k 5'
    """
    return ", ".join(f"{name} {value:g}" for name, value in knobs(setting).items())


def is_file(target: str) -> bool:
    """Whether a target is a file of samples.

    Raises:
        BadInput: there is nothing of that name.
    """
    if is_model(target) or Path(target).is_dir():
        return False
    if not Path(target).exists():
        raise BadInput(f"evaluate needs a run's folder, a model or a file of samples, but there is none at {target}")
    return True
