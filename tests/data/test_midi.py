"""MIDI files against mido. Mutants killed: tempo unread, running status lost, drums kept, velocity 0 read as a note."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from seqgans.data.midi import Note, melody_file, read_notes

mido = pytest.importorskip("mido")


def by_mido(content: bytes, track: int = 0) -> list[tuple[float, float, int]]:
    """The notes of one track in seconds, through mido's own tempo conversion."""
    file = mido.MidiFile(file=io.BytesIO(content))
    tempos = [(0, 500_000)]
    for events in file.tracks:
        time = 0
        for event in events:
            time += event.time
            if event.type == "set_tempo":
                tempos.append((time, event.tempo))
    tempos.sort(key=lambda change: change[0])

    def seconds(tick: int) -> float:
        total = 0.0
        for (start, tempo), (stop, _) in zip(tempos, [*tempos[1:], (tick, 0)], strict=True):
            total += mido.tick2second(max(0, min(stop, tick) - start), file.ticks_per_beat, tempo)
        return total

    notes, time, sounding = [], 0, {}
    for event in file.tracks[track]:
        time += event.time
        if event.type not in ("note_on", "note_off") or event.channel == 9:
            continue
        start = sounding.pop((event.channel, event.note), None)
        if start is not None and start < time:
            notes.append((seconds(start), seconds(time), event.note))
        if event.type == "note_on" and event.velocity:
            sounding[event.channel, event.note] = time
    notes += [(seconds(start), seconds(time), note) for (_, note), start in sounding.items()]  # held to the end
    return sorted(notes, key=lambda note: (note[0], note[2]))


def saved(*tracks: list, ticks: int = 480) -> bytes:
    file = mido.MidiFile(type=1, ticks_per_beat=ticks)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def on(note: int, time: int = 0, channel: int = 0, velocity: int = 64) -> object:
    return mido.Message("note_on", note=note, time=time, channel=channel, velocity=velocity)


def off(note: int, time: int = 0, channel: int = 0) -> object:
    return mido.Message("note_off", note=note, time=time, channel=channel)


def agree(content: bytes, track: int, of_mido: int) -> list[Note]:
    notes, expected = read_notes(content, track), by_mido(content, of_mido)
    assert [note.pitch for note in notes] == [pitch for _, _, pitch in expected]
    for note, (start, stop, _) in zip(notes, expected, strict=True):
        assert (note.start, note.stop) == pytest.approx((start, stop), abs=1e-9)
    return notes


def test_tempo_changes_running_status_and_other_events() -> None:
    conductor = [
        mido.MetaMessage("track_name", name="x" * 200),
        mido.MetaMessage("set_tempo", tempo=400_000, time=0),
        mido.MetaMessage("set_tempo", tempo=1_000_000, time=720),
        mido.Message("sysex", data=[1, 2, 3]),
    ]
    melody = [
        mido.Message("program_change", program=4),
        mido.Message("control_change", control=7, value=9),
        mido.Message("pitchwheel", pitch=100),
        *(on(60), on(64, 480), on(60, 10_000, velocity=0), off(64, 30)),
        *(on(62, 5), on(62, 100), off(62, 100), on(40, 0, channel=9), on(65, 1)),
        mido.Message("aftertouch", value=3, time=70_000),
    ]
    notes = agree(saved(conductor, melody), 0, 1)
    assert len(notes) == 5
    assert 40 not in {note.pitch for note in notes}


def test_tracks_are_counted_among_those_with_notes() -> None:
    content = saved([], [on(60), off(60, 10)], [on(36, 0, 9), off(36, 9, 9)], [on(72), off(72, 10)])
    assert [note.pitch for note in read_notes(content, 0)] == [60]
    assert [note.pitch for note in read_notes(content, 1)] == [72]
    assert read_notes(content, 2) == []


def test_ticks_per_second() -> None:
    content = bytearray(saved([on(60, 500), off(60, 1000)]))
    content[12:14] = bytes((256 - 25, 40))  # 25 frames of 40 ticks
    assert read_notes(bytes(content)) == [Note(0.5, 1.5, 60)]


def test_melodies_play_in_mido() -> None:
    content = melody_file([60, 60, 64, 60], 0.4)
    assert by_mido(content) == [
        (0.0, pytest.approx(0.8), 60),
        (pytest.approx(0.8), pytest.approx(1.2), 64),
        (pytest.approx(1.2), pytest.approx(1.6), 60),
    ]
    assert mido.MidiFile(file=io.BytesIO(content)).length == pytest.approx(1.6)
    long = melody_file([60] * 100_000, 0.4)
    assert agree(long, 0, 0)[0].stop == pytest.approx(40_000)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"MThd", saved([on(60), off(60, 9)])[:-5], saved([on(60)])[:27]])
def test_damaged_files(content: bytes) -> None:
    with pytest.raises(ValueError, match="MIDI file"):
        read_notes(content)


def test_real_tunes(shared_data: Path) -> None:
    with tarfile.open(shared_data / "nottingham" / "nottingham_midi.tar.gz") as archive:
        for number, member in enumerate(archive):
            file = archive.extractfile(member)
            if number % 60 == 0 and file is not None:
                content = file.read()
                assert len(agree(content, 0, 0)) > 10
                agree(content, 1, 1)
