"""Standard MIDI files: the notes of one track in seconds, and a melody written back.

Only what a melody needs is read (notes and tempo), straight from the bytes: a whole corpus of tunes then
opens ten times faster than through a general MIDI library, against which the tests check it.

References:
    The Complete MIDI 1.0 Detailed Specification, Standard MIDI Files 1.0 (1996).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

DRUMS = 9  # the channel whose note numbers are drums, not pitches
DEFAULT_TEMPO = 500_000  # microseconds per quarter note where a file sets none
TICKS = 480  # per quarter note in written files, where a quarter note lasts one step
VELOCITY = 80


class Note(NamedTuple):
    """One sounding key.

    Attributes:
        start: seconds from the start of the file.
        stop: seconds, later than `start`.
        pitch: MIDI number, 0 to 127; 60 is middle C.
    """

    start: float
    stop: float
    pitch: int


def read_notes(content: bytes, track: int = 0) -> list[Note]:
    """The notes of one track, by start, then pitch; drums are left out.

    Args:
        content: the bytes of a MIDI file.
        track: which track, counted from 0 among those that have notes.

    Returns:
        The notes, or nothing where there are fewer such tracks.

    Raises:
        ValueError: the bytes are no MIDI file, or a damaged one.
    """
    try:
        ticks_per_beat, chunks = _header(content)
        tempos: list[tuple[int, int]] = []
        for chunk in chunks:  # the first track of a file holds its tempos, so they are known in time
            notes = _track(chunk, tempos)
            if notes and track == 0:
                return sorted(_in_seconds(notes, tempos, ticks_per_beat), key=lambda note: (note.start, note.pitch))
            track -= bool(notes)
    except (IndexError, struct.error) as error:
        raise ValueError("a MIDI file that ends too early") from error
    return []


def melody_file(pitches: list[int], step: float) -> bytes:
    """A MIDI file that plays one pitch after another; equal neighbours are one held note.

    Args:
        pitches: MIDI numbers, one a step.
        step: seconds each lasts.
    """
    events = bytearray(b"\x00\xff\x51\x03" + round(step * 1e6).to_bytes(3, "big"))
    for pitch, run in groupby(pitches):
        events += bytes((0, 0x90, pitch, VELOCITY)) + _variable(len(list(run)) * TICKS) + bytes((0x80, pitch, 0))
    events += b"\x00\xff\x2f\x00"
    return struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS) + struct.pack(">4sI", b"MTrk", len(events)) + bytes(events)


def _header(content: bytes) -> tuple[int, Iterator[bytes]]:
    """Ticks per quarter note (negative: ticks per second) and the track chunks."""
    if content[:4] != b"MThd":
        raise ValueError("no MIDI file")
    size, _, _, division = struct.unpack(">IHHH", content[4:14])
    ticks = -(256 - (division >> 8)) * (division & 0xFF) if division & 0x8000 else division
    if ticks == 0:
        raise ValueError("a MIDI file without a time unit")
    return ticks, _chunks(content, 8 + size)


def _chunks(content: bytes, place: int) -> Iterator[bytes]:
    while place < len(content):
        name, size = struct.unpack(">4sI", content[place : place + 8])
        place += 8 + size
        if place > len(content):
            raise IndexError(place)
        if name == b"MTrk":
            yield content[place - size : place]


def _track(chunk: bytes, tempos: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Notes of a track as (start, stop, pitch) in ticks; tempo changes are added to `tempos`."""
    notes: list[tuple[int, int, int]] = []
    sounding: dict[int, int] = {}  # channel and pitch → start
    place = time = status = 0
    while place < len(chunk):
        byte = chunk[place]
        place += 1
        delta = byte & 0x7F
        while byte & 0x80:
            byte = chunk[place]
            place += 1
            delta = delta << 7 | byte & 0x7F
        time += delta
        if chunk[place] & 0x80:
            status = chunk[place]
            place += 1
        kind = status & 0xF0
        if kind in (0x80, 0x90):
            pitch, velocity = chunk[place], chunk[place + 1]
            place += 2
            if status & 0x0F != DRUMS:
                key = (status & 0x0F) << 8 | pitch
                start = sounding.pop(key, time)
                if start < time:
                    notes.append((start, time, pitch))
                if kind == 0x90 and velocity:
                    sounding[key] = time
        elif kind in (0xA0, 0xB0, 0xE0):
            place += 2
        elif kind in (0xC0, 0xD0):
            place += 1
        elif status in (0xFF, 0xF0, 0xF7):
            meta = chunk[place] if status == 0xFF else -1
            place += status == 0xFF
            size, place = _length(chunk, place)
            if meta == 0x51:
                tempos.append((time, int.from_bytes(chunk[place : place + size], "big")))
            place += size
            status = 0  # these end a running status
        else:
            raise ValueError(f"a MIDI file with an event {status:#04x} that does not exist")
    notes.extend((start, time, key & 0x7F) for key, start in sounding.items() if start < time)
    return notes


def _in_seconds(notes: list[tuple[int, int, int]], tempos: list[tuple[int, int]], ticks_per_beat: int) -> list[Note]:
    """Ticks into seconds through the tempo changes."""
    ticks = np.array([note[:2] for note in notes], dtype=np.float64)  # (notes, start and stop)
    if ticks_per_beat < 0:
        seconds = ticks / -ticks_per_beat
    else:
        changes = [(0, DEFAULT_TEMPO), *sorted(tempos, key=lambda change: change[0])]
        at = np.array([tick for tick, _ in changes] + [max(ticks.max(), changes[-1][0])], dtype=np.float64)
        rates = np.array([tempo for _, tempo in changes]) / (1e6 * ticks_per_beat)  # seconds per tick
        seconds = np.interp(ticks, at, np.concatenate(([0.0], (np.diff(at) * rates).cumsum())))
    return [Note(start, stop, pitch) for (start, stop), (_, _, pitch) in zip(seconds.tolist(), notes, strict=True)]


def _length(chunk: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and the place after it."""
    value = 0
    while chunk[place] & 0x80:
        value = value << 7 | chunk[place] & 0x7F
        place += 1
    return value << 7 | chunk[place], place + 1


def _variable(value: int) -> bytes:
    """A number as bytes of 7 bits, the last without the top bit."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.append(value & 0x7F | 0x80)
    return bytes(reversed(parts))
