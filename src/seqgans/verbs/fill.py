"""Fill: what a run's generator puts in the place of blanks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from seqgans.errors import BadInput
from seqgans.evaluation.likelihood import as_sequences
from seqgans.generators.conditional import around, reads_around
from seqgans.generators.decoding import Decoding
from seqgans.randomness import Stream, generator_for
from seqgans.sequences import Sequences
from seqgans.verbs.loading import LoadedRun, load_run
from seqgans.verbs.sample import ROWS, Sample, checked

BLANK = "_"


@dataclass(frozen=True)
class Template:
    """A line with blanks.

    Attributes:
        ids: of its tokens, blanks as the id behind the vocabulary's; nothing for a line without tokens.
        pieces: the tokens as they were written.
        note: what is special about it.
    """

    ids: list[int]
    pieces: list[str]
    note: str = ""


def fill(
    path: Path | str,
    lines: Sequence[str],
    *,
    blank: str = BLANK,
    count: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    checkpoint: str = "latest",
    unknown: bool = False,
) -> list[Sample]:
    """Fill in the blanks of lines, one token each; everything else stays as it is.

    A generator that reads a source (one trained by maskgan) goes by all that is given, any other by what stands
    before each blank.

    Args:
        path: the run's folder.
        lines: one sequence each, with blanks; one without tokens stays empty.
        blank: the token that stands for what is missing.
        count: fills of each line, one after another.
        temperature: logits are divided by it; 0 takes the most likely token every time.
        top_k: draw among so many most likely tokens, 0 for all.
        top_p: draw among the fewest tokens whose probabilities reach this, 1 for all.
        seed: equal seeds give equal fills, and the first lines of many are filled as they would be alone.
        checkpoint: "latest", "best" or "pretrained".
        unknown: also draw the symbol of what the vocabulary lacks.

    Raises:
        BadInput: a number is not allowed, a line does not fit the run, or there is no such run or checkpoint.
    """
    decoding = checked(count, temperature, top_k, top_p, seed)
    run = load_run(path, checkpoint)
    return list(filled(run, read_templates(run, lines, blank), count, decoding, seed, unknown))


def read_templates(run: LoadedRun, lines: Sequence[str], blank: str = BLANK) -> list[Template]:
    """Lines with blanks in the ids of a run.

    Raises:
        BadInput: the run answers sources, a line is too long, or too short where all sequences have one length, or a
            token does not exist.
    """
    vocabulary = run.corpus.vocabulary
    if run.corpus.source_width:
        raise BadInput(f"{run.folder.path} learnt to answer sources, not to fill in blanks; use sample --source FILE")
    room = run.corpus.length - (vocabulary.end is not None)
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            ids, pieces = vocabulary.encode_with_blanks(line, blank)
        except BadInput as error:
            raise BadInput(f"line {number}: {error}") from error
        if len(ids) > room:
            raise BadInput(f"line {number} must have at most {room} tokens, got {len(ids)}; shorten it")
        if ids and len(ids) < room and vocabulary.end is None:
            raise BadInput(
                f"line {number} must have {room} tokens, as all sequences of this run, got {len(ids)}; add blanks"
            )
        note = "blank" if not ids else "" if vocabulary.size in ids else f"no {blank} to fill in"
        found.append(Template(ids, pieces, note))
    return found


def filled(
    run: LoadedRun, templates: Sequence[Template], count: int, decoding: Decoding, seed: int, unknown: bool = False
) -> Iterator[Sample]:
    """Fills one after another, made a few at a time, so that the first is there soon.

    Args:
        run: whose generator.
        templates: lines with blanks.
        count: fills of each.
        decoding: temperature, top-k, top-p.
        seed: where the random numbers start.
        unknown: also draw the symbol of what the vocabulary lacks.
    """
    vocabulary = run.corpus.vocabulary
    never = (vocabulary.end, *vocabulary.unwritten)  # how long a line is, is given
    allowed = (None, vocabulary.unknown if unknown else None)
    decoding = replace(decoding, excluded=tuple(number for number in never if number not in allowed))
    stream = Stream(generator_for(seed, "fill"))
    wanted = [template for template in templates for _ in range(count)]
    for first in range(0, len(wanted), ROWS):
        part = wanted[first : first + ROWS]
        for template, ids in zip(part, drawn(run, [template.ids for template in part], decoding, stream), strict=True):
            missing = [number == vocabulary.size for number in template.ids]
            pieces = [
                vocabulary.symbols[number] if blank else piece
                for number, piece, blank in zip(ids, template.pieces, missing, strict=True)
            ]
            yield Sample(ids, ("" if vocabulary.kind == "characters" else " ").join(pieces))


def drawn(run: LoadedRun, rows: Sequence[list[int]], decoding: Decoding, stream: Stream) -> list[list[int]]:
    """Ids with their blanks filled in; as many random numbers are used however many rows there are."""
    length = run.corpus.length
    empty = [] if run.corpus.vocabulary.end is not None else [0] * length
    given, kept = given_of(run, [row or empty for row in rows] + [empty] * (ROWS - len(rows)))
    law = around(run.players.generator, given, kept)
    samples = law.sample(ROWS, length, random=stream, prefix=given.tokens, kept=kept, decoding=decoding)
    return [ids[: len(row)] for ids, row in zip(samples.tokens.tolist(), rows, strict=False)]


def given_of(run: LoadedRun, rows: Sequence[list[int]]) -> tuple[Sequences, Bool[Tensor, "batch time"]]:
    """Ids with blanks as whole sequences, with id 0 in the place of a blank, and where a token is given."""
    vocabulary = run.corpus.vocabulary
    given = as_sequences(rows, run.corpus.length, vocabulary.end)
    kept = given.tokens != vocabulary.size
    return replace(given, tokens=given.tokens.where(kept, torch.zeros(())).long()), kept


def reads_both_sides(run: LoadedRun) -> bool:
    """Whether what follows a blank counts."""
    return reads_around(run.players.generator)
