"""Tunes: a folder or tar of MIDI files into windows of piano keys, and keys back into a MIDI file.

One token is the key that sounds at one moment, moments lie `step` seconds apart (0.4 in the SeqGAN paper),
starting with the first note of the track:

- of several keys the highest counts, as a melody's does; keys beyond the 88 of a piano and drums are left out;
- in a rest the last key is carried on, so that all 88 ids are pitches and distances between them are intervals;
- a tune is cut into windows of `length` tokens that do not overlap; what is left at its end is dropped, and
  there is no end token, since all windows have the same length.

A moment is looked at one millisecond after its time, so that rounding in a file's tempo decides nothing.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from seqgans.data.assembly import FEWEST, check_symbols, facts_of
from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.midi import Note, melody_file, read_notes
from seqgans.data.splits import SPLITS, divide, repeats
from seqgans.data.text import read_bytes
from seqgans.data.vocabulary import PIANO_KEYS, PIANO_LOWEST, Vocabulary
from seqgans.errors import BadInput
from seqgans.sequences import Sequences

LENGTH = 32  # tokens of a window, the paper's
SUFFIXES = (".mid", ".midi")
LATER = 0.001  # seconds after each moment at which it is looked at
SPLIT_FILE = "split.json"

Tune = tuple[int, ...]


def melody_ids(notes: Sequence[Note], step: float) -> list[int]:
    """The key (0 to 87) that sounds at each step, from the first note to the end of the last.

    Args:
        notes: by start, then pitch.
        step: seconds per token.
    """
    keys = [note for note in notes if 0 <= note.pitch - PIANO_LOWEST < PIANO_KEYS]
    if not keys:
        return []
    origin, stop = keys[0].start, max(note.stop for note in keys)
    ids: list[int] = []
    begun, sounding = 0, list[Note]()
    while (moment := origin + len(ids) * step + LATER) < stop:
        while begun < len(keys) and keys[begun].start <= moment:
            sounding.append(keys[begun])
            begun += 1
        sounding = [note for note in sounding if note.stop > moment]
        key = max(note.pitch for note in sounding) if sounding else keys[begun - 1].pitch
        ids.append(key - PIANO_LOWEST)
    return ids


def write_midi(ids: Sequence[int], path: Path, step: float = 0.4) -> None:
    """Write keys as a MIDI file that plays, `step` seconds each; equal neighbours are one held note.

    Reading it back with the same `step` gives the same ids.

    Args:
        ids: keys of a piano, 0 (A0) to 87 (C8).
        path: the file to write.
        step: seconds per token.

    Raises:
        BadInput: there is nothing to play, or an id is no key.
    """
    wrong = [number for number in ids if not 0 <= number < PIANO_KEYS]
    if wrong or not ids:
        came = str(wrong[0]) if wrong else "none at all"
        raise BadInput(f"a tune must be piano keys from 0 to {PIANO_KEYS - 1}, got {came}; sample a music model")
    path.write_bytes(melody_file([number + PIANO_LOWEST for number in ids], step))


def music_corpus(name: str, path: Path, settings: CorpusSettings, seed: int) -> Corpus:
    """The tunes of a folder or tar as a corpus of windows.

    A `split.json` (lists of file names under "train", "valid", "test") in the folder, in the tar or beside it
    says which tune belongs where; without one, tunes are divided by the seed. Windows of one tune never lie in
    two splits.

    Raises:
        BadInput: a file is damaged, `split.json` names tunes that are not there, or too few windows come out.
    """
    length = settings.length or LENGTH
    vocabulary = Vocabulary.of_notes()
    tunes, splits = _splits(path, settings, seed)
    sequences: dict[str, Sequences] = {}
    counts: dict[str, Any] = {}
    windows: dict[str, list[Tune]] = {}
    for split in SPLITS:
        parts = [_windows(tune, length) for tune in splits[split]]
        windows[split] = [window for part in parts for window in part]
        sequences[split] = Sequences.of(torch.tensor(windows[split], dtype=torch.long).reshape(-1, length))
        counts[split] = {
            "tunes": len(parts),
            "tunes_too_short": sum(not part for part in parts),
            "tokens_left_over": sum(len(tune) % length for tune in splits[split]),
            "kept": len(windows[split]),
            "tokens": len(windows[split]) * length,
        }
    if sum(map(len, windows.values())) < FEWEST or not windows["train"]:
        longest = max(map(len, tunes), default=0)
        raise BadInput(
            f"{name} must have at least {FEWEST} windows of {length} tokens, but its {len(tunes)} tunes have "
            f"{sum(map(len, windows.values()))} (the longest has {longest} tokens); lower --corpus.length or "
            "--corpus.step, or choose another --corpus.track"
        )
    check_symbols(name, sequences["train"], vocabulary)
    return Corpus(
        name=name,
        train=sequences["train"],
        valid=sequences["valid"],
        test=sequences["test"],
        vocabulary=vocabulary,
        length=length,
        facts={
            "kind": "music",
            **facts_of(name, settings, seed, vocabulary, length),
            **counts,
            "tunes_without_notes": sum(not tune for tune in tunes),
            "repeats": repeats(windows),
        },
    )


def _windows(tune: Tune, length: int) -> list[Tune]:
    return [tune[first : first + length] for first in range(0, len(tune) - length + 1, length)]


def _splits(path: Path, settings: CorpusSettings, seed: int) -> tuple[list[Tune], dict[str, list[Tune]]]:
    """All tunes, and those of each split."""
    tunes, table = _read(path, settings)
    given: dict[str, Sequence[Tune]] = {"train": list(tunes.values())}
    if table is not None:
        absent = [file for files in table.values() for file in files if file not in tunes]
        if absent:
            raise BadInput(f"{SPLIT_FILE} of {path} must name files that exist, but {absent[0]} does not; mend it")
        given = {split: [tunes[file] for file in table[split]] for split in SPLITS if split in table}
    for split, further in (("valid", settings.valid_file), ("test", settings.test_file)):
        if further is not None:
            given[split] = list(_read(Path(further), settings)[0].values())
    return list(tunes.values()), divide(given, settings, seed)


def _read(path: Path, settings: CorpusSettings) -> tuple[dict[str, Tune], dict[str, list[str]] | None]:
    """The tunes by file name, in the order of names, and the table of `split.json` if there is one."""
    tunes: dict[str, Tune] = {}
    table: bytes | None = None
    for name, content in sorted(_files(path)):
        if PurePosixPath(name).name == SPLIT_FILE:
            table = content
            continue
        try:
            tunes[name] = tuple(melody_ids(read_notes(content, settings.track), settings.step))
        except ValueError as error:
            raise BadInput(f"{name} in {path} must be a MIDI file, but is {error}; remove or replace it") from error
    if not tunes:
        raise BadInput(f"{path} must hold MIDI files ({', '.join(SUFFIXES)}), but has none; check the path")
    beside = path.parent / SPLIT_FILE
    if table is None and path.is_file() and beside.is_file():
        table = read_bytes(beside)
    return tunes, None if table is None else _table(path, table)


def _table(path: Path, content: bytes) -> dict[str, list[str]]:
    try:
        table: Mapping[str, Sequence[str]] = json.loads(content)
        lists = {split: [str(file) for file in table[split]] for split in SPLITS if split in table}
    except (ValueError, TypeError) as error:
        raise BadInput(f"{SPLIT_FILE} of {path} must hold lists of file names, but: {error}; mend it") from error
    if "train" not in lists:
        raise BadInput(f"{SPLIT_FILE} of {path} must have a list called 'train', got {list(table)}; mend it")
    return lists


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names within the folder or tar, and contents, of tunes and of `split.json`."""
    if path.is_dir():
        for file in path.rglob("*"):
            if _wanted(file.name) and file.is_file():
                yield file.relative_to(path).as_posix(), read_bytes(file)
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and _wanted(member.name) else None
                if file is not None:
                    yield member.name.removeprefix("./"), file.read()
    except FileNotFoundError as error:
        raise BadInput(f"a corpus must be a file that exists, but there is none at {path}; check the path") from error
    except PermissionError as error:
        raise BadInput(f"{path} must be readable, but permission was denied; change its permissions") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(":")
        raise BadInput(f"{path} must be a tar of MIDI files, but cannot be read ({reason}); fetch it again") from error


def _wanted(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) or PurePosixPath(name).name == SPLIT_FILE
