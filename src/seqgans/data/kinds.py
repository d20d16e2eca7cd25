"""What a corpus can be: one line for each form of spec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.worlds import WORLDS


@dataclass(frozen=True)
class CorpusKind:
    """A form of spec.

    Attributes:
        name: what a list shows.
        description: one line.
        example: a spec of this form.
        open: of a kind of one's own, opens the specs NAME and NAME:…, given spec, settings and seed.
    """

    name: str
    description: str
    example: str
    open: Callable[[str, CorpusSettings, int], Corpus] | None = None


CORPORA: dict[str, CorpusKind] = {
    kind.name: kind
    for kind in (
        CorpusKind("oracle", "an LSTM with N(0, 1) parameters drawn from the seed", "oracle"),
        CorpusKind("oracle:FILE", "an LSTM with published parameters", "oracle:seqgan_oracle.safetensors"),
        *(CorpusKind(f"world:{name}", world.description, f"world:{name}") for name, world in WORLDS.items()),
        CorpusKind("text", "one sequence a line: .txt, or .smi without its names; .gz", "captions.txt.gz"),
        CorpusKind("table", "a text column of .tsv, .csv, .jsonl (.gz too) or .parquet", "reviews.tsv.gz"),
        CorpusKind("squad", "questions and answers in the SQuAD layout: .json or .json.gz", "squad_v2_train.json.gz"),
        CorpusKind("music", "a folder or tar of MIDI files", "tunes.tar.gz"),
        CorpusKind("hf", "a dataset of the hub, or a folder that `datasets` saved", "hf:imdb"),
    )
}


LAWS = ("oracle", "oracle:", "world:")  # specs of what is drawn, not read: the name itself, and two beginnings


def is_law(spec: str) -> bool:
    """Whether a spec names an oracle or a world, which have ids and no text."""
    return spec == LAWS[0] or spec.startswith(LAWS[1:])


def without_folders(spec: str) -> str:
    """A spec or path, of files and folders only the name.

    >>> without_folders("oracle:/data/oracle.safetensors"), without_folders("world:markov"), without_folders("a/b.txt")
    ('oracle:oracle.safetensors', 'world:markov', 'b.txt')
    """
    kind, colon, rest = spec.rpartition(":")
    return f"{kind}{colon}{Path(rest).name}"
