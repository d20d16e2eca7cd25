"""Tunes into windows and back. Mutants killed: lowest for highest, rests dropped, windows across tunes or splits."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.midi import Note, melody_file, read_notes
from seqgans.data.music import melody_ids, music_corpus, write_midi
from seqgans.errors import BadInput


def corpus(path: Path, **settings: float | str) -> Corpus:
    return music_corpus(str(path), path, CorpusSettings(**settings), 0)  # pyright: ignore[reportArgumentType]


def refused(path: Path, **settings: float | str) -> str:
    with pytest.raises(BadInput) as error:
        corpus(path, **settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def folder(path: Path, lengths: list[int]) -> Path:
    """Tunes 0.mid, 1.mid ... each of them a scale that starts on a key of its own."""
    path.mkdir(exist_ok=True)
    for number, length in enumerate(lengths):
        write_midi([(number + time) % 88 for time in range(length)], path / f"{number}.mid")
    return path


def packed(path: Path, source: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(source, arcname=".")
    return path


def test_one_key_a_step_from_the_first_note() -> None:
    notes = [Note(1.0, 1.8, 60), Note(1.8, 2.2, 62)]
    assert melody_ids(notes, 0.4) == [39, 39, 41]


def test_the_highest_key_counts_and_rests_carry_on() -> None:
    notes = [Note(0.0, 0.4, 60), Note(0.0, 0.4, 67), Note(0.0, 1.2, 48), Note(1.6, 2.0, 50)]
    assert [key + 21 for key in melody_ids(notes, 0.4)] == [67, 48, 48, 48, 50]


def test_keys_beyond_the_piano_are_left_out() -> None:
    assert melody_ids([Note(0.0, 1.0, 20), Note(0.0, 0.8, 21), Note(0.0, 0.8, 109)], 0.4) == [0, 0]
    assert melody_ids([Note(0.0, 1.0, 127)], 0.4) == []
    assert melody_ids([], 0.4) == []


@given(st.lists(st.integers(0, 87), min_size=1, max_size=200), st.sampled_from([0.01, 0.125, 1 / 3, 0.4, 16.0]))
def test_the_way_back_and_forth(ids: list[int], step: float) -> None:
    assert melody_ids(read_notes(melody_file([key + 21 for key in ids], step)), step) == ids


def test_written_files_are_read_again(tmp_path: Path) -> None:
    ids = [0, 0, 87, 39, 39, 0] * 50
    write_midi(ids, tmp_path / "a.mid", step=0.4)
    assert melody_ids(read_notes((tmp_path / "a.mid").read_bytes()), 0.4) == ids


@pytest.mark.parametrize(("ids", "came"), [([], "none at all"), ([88], "88"), ([3, -1], "-1")])
def test_what_is_no_tune_is_not_written(tmp_path: Path, ids: list[int], came: str) -> None:
    with pytest.raises(BadInput) as error:
        write_midi(ids, tmp_path / "a.mid")
    assert str(error.value) == f"a tune must be piano keys from 0 to 87, got {came}; sample a music model"
    assert not (tmp_path / "a.mid").exists()


def test_windows_do_not_overlap_nor_cross_tunes(tmp_path: Path) -> None:
    made = corpus(folder(tmp_path, [8, 3, 10]), length=4, valid=0.0, test=0.0)
    assert made.train.tokens.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [2, 3, 4, 5], [6, 7, 8, 9]]
    assert bool(made.train.mask.all())
    assert (made.vocabulary.kind, made.vocabulary.size, made.vocabulary.end, made.length) == ("notes", 88, None, 4)
    assert made.facts["train"] == {"tunes": 3, "tunes_too_short": 1, "tokens_left_over": 5, "kept": 4, "tokens": 16}
    assert json.loads(json.dumps(made.facts)) == made.facts


def test_tunes_not_windows_are_divided(tmp_path: Path) -> None:
    made = corpus(folder(tmp_path, [40] * 10), length=4, valid=0.2, test=0.3)
    assert [len(split) for split in (made.train, made.valid, made.test)] == [50, 20, 30]
    first = {split: {row[0] % 4 for row in getattr(made, split).tokens.tolist()} for split in ("train", "valid")}
    assert all(first.values())
    assert corpus(tmp_path, length=4, valid=0.2, test=0.3).test.tokens.equal(made.test.tokens)


@pytest.mark.parametrize("place", ["folder", "tar", "beside"])
def test_a_split_file_is_followed(tmp_path: Path, place: str) -> None:
    source = folder(tmp_path / "tunes", [4] * 6)
    table = {"train": ["0.mid", "1.mid", "2.mid"], "valid": ["4.mid"], "test": ["3.mid"]}
    (tmp_path / "split.json" if place == "beside" else source / "split.json").write_text(json.dumps(table))
    path = source if place == "folder" else packed(tmp_path / "tunes.tar.gz", source)
    made = corpus(path, length=4)
    assert [split.tokens[:, 0].tolist() for split in (made.train, made.valid, made.test)] == [[0, 1, 2], [4], [3]]


def test_further_folders_are_splits(tmp_path: Path) -> None:
    source, further = folder(tmp_path / "a", [8] * 4), folder(tmp_path / "b", [4])
    made = corpus(source, length=4, valid=0.0, test_file=str(further))
    assert (len(made.train), len(made.test)) == (8, 1)


def test_damaged_splits_and_tunes(tmp_path: Path) -> None:
    source = folder(tmp_path, [8] * 4)
    (source / "split.json").write_text('{"train": ["0.mid", "9.mid"]}')
    assert refused(source) == f"split.json of {source} must name files that exist, but 9.mid does not; mend it"
    (source / "split.json").write_text('{"learn": []}')
    assert refused(source) == f"split.json of {source} must have a list called 'train', got ['learn']; mend it"
    (source / "split.json").write_text("[")
    assert refused(source).startswith(f"split.json of {source} must hold lists of file names, but: ")
    (source / "split.json").write_text("[]")
    assert refused(source).startswith(f"split.json of {source} must ")
    (source / "split.json").unlink()
    (source / "2.mid").write_bytes(b"MThd")
    assert refused(source) == (
        f"2.mid in {source} must be a MIDI file, but is a MIDI file that ends too early; remove or replace it"
    )


def test_too_little_music(tmp_path: Path) -> None:
    assert refused(folder(tmp_path, [31, 40])) == (
        f"{tmp_path} must have at least 3 windows of 32 tokens, but its 2 tunes have 1 (the longest has 40 tokens); "
        "lower --corpus.length or --corpus.step, or choose another --corpus.track"
    )
    assert refused(tmp_path, track=1).startswith(
        f"{tmp_path} must have at least 3 windows of 32 tokens, but its 2 tunes have 0"
    )


def test_one_key_is_too_few(tmp_path: Path) -> None:
    for number in range(3):
        write_midi([39] * 8, tmp_path / f"{number}.mid")
    assert refused(tmp_path, length=4).startswith(
        f"{tmp_path} must have at least 2 distinct symbols, but its training sequences have only 'C4'"
    )


def test_no_music_at_all(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path} must hold MIDI files (.mid, .midi), but has none; check the path"
    path = tmp_path / "a.tar"
    path.write_bytes(b"no tar")
    assert refused(path).startswith(f"{path} must be a tar of MIDI files, but cannot be read (")
    absent = tmp_path / "b.tar"
    assert refused(absent) == f"a corpus must be a file that exists, but there is none at {absent}; check the path"


def test_a_tar_cut_short(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.tar.gz", folder(tmp_path / "tunes", [8] * 4))
    path.write_bytes(path.read_bytes()[:-40])
    assert refused(path).startswith(f"{path} must be a tar of MIDI files, but cannot be read (")


def test_nottingham(shared_data: Path, tmp_path: Path) -> None:
    made = corpus(shared_data / "nottingham" / "nottingham_midi.tar.gz")
    assert [made.facts[split]["tunes"] for split in ("train", "valid", "test")] == [728, 103, 103]
    assert made.facts["tunes_without_notes"] == 0
    keys = made.train.tokens.unique()
    assert (int(keys.min()) + 21 >= 55, int(keys.max()) + 21 <= 88, len(keys) <= 32) == (True, True, True)
    row = made.train.tokens[0].tolist()
    write_midi(row, tmp_path / "a.mid")
    assert melody_ids(read_notes((tmp_path / "a.mid").read_bytes()), 0.4) == row
    mido = pytest.importorskip("mido")
    assert mido.MidiFile(file=io.BytesIO((tmp_path / "a.mid").read_bytes())).length == pytest.approx(12.8)
