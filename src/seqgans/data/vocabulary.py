"""Symbols and their ids: words, characters, byte pairs, piano keys, or plain numbers.

For text, id 0 is `<end>` (the start symbol, the end token where there is one, the filler of padded
positions) and id 1 is `<unk>`. For notes and plain ids every id is ordinary, and 0 is also the input
before the first token. A vocabulary knows how its text was prepared, so that a line given later is read
exactly as the training lines were.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal, final, get_args

from seqgans.data.packages import optional_package
from seqgans.errors import BadInput

Kind = Literal["words", "characters", "bytepair", "model", "notes", "ids"]
"""What one symbol is."""

TOKENIZED = ("bytepair", "model")  # those that the tokenizers library reads and writes
END = "<end>"
UNKNOWN = "<unk>"
SPECIAL = (END, UNKNOWN)
BYTES = 256  # the alphabet of byte pairs: every text can be written with it
BYTE_PAIRS = 4096  # size of a byte-pair vocabulary when no other is asked for
NOTE_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PIANO_LOWEST = 21  # the MIDI number of A0, the lowest of the 88 keys
PIANO_KEYS = 88


def pieces_of(texts: Iterable[str], kind: Kind, *, lowercase: bool = False, spaces: bool = True) -> list[list[str]]:
    """The symbols of each text, before they become ids.

    White space is never more than a separator: runs of it count as one space, and none stands at the ends.

    Args:
        texts: one sequence each.
        kind: what one symbol is; byte pairs have no pieces before they are learnt, and each text comes as one, as it
            does for the tokenizer of a model.
        lowercase: make texts lower-case first.
        spaces: keep the spaces between words as symbols, for characters; False takes them out.

    >>> pieces_of(["A  man ."], "words", lowercase=True)
    [['a', 'man', '.']]
    >>> pieces_of(["塞外 悲风"], "characters", spaces=False)
    [['塞', '外', '悲', '风']]
    """
    if kind == "model":  # its tokenizer reads white space as it stands
        return [[text.lower() if lowercase else text] for text in texts]
    words = [(text.lower() if lowercase else text).split() for text in texts]
    if kind == "characters":
        return [list((" " if spaces else "").join(row)) for row in words]
    return [[" ".join(row)] for row in words] if kind == "bytepair" else words


@final
@dataclass(frozen=True)
class Vocabulary:
    """The symbols a model knows.

    Attributes:
        symbols: the symbol of each id.
        kind: what one symbol is.
        end: the id after which a sequence is over, or None where all have the same length.
        start: the id read before the first token; no part of the sequence.
        unknown: the id of whatever is not in `symbols`, or None where that is an error.
        lowercase: whether text is made lower-case before it is read.
        spaces: whether spaces are symbols, for characters.
        tokenizer: what the `tokenizers` library writes of the learnt merges, for byte pairs and models only.
        specials: whether a text may spell special tokens, for models; otherwise it is plain text.
    """

    symbols: tuple[str, ...]
    kind: Kind
    end: int | None
    start: int = 0
    unknown: int | None = None
    lowercase: bool = False
    spaces: bool = True
    tokenizer: str | None = None
    specials: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"Vocabulary.kind must be one of {', '.join(get_args(Kind))}, got {self.kind!r}")
        if not all(isinstance(symbol, str) for symbol in self.symbols):
            raise ValueError("Vocabulary.symbols must all be text")
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("Vocabulary.symbols must all differ")
        for name in ("start", "end", "unknown"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < self.size:
                raise ValueError(f"Vocabulary.{name} must be an id from 0 to {self.size - 1}, got {value}")
        if (self.tokenizer is not None) != (self.kind in TOKENIZED):
            raise ValueError(
                f"Vocabulary.tokenizer must be given for byte pairs and models and only there, kind is {self.kind!r}"
            )

    @property
    def unwritten(self) -> tuple[int, ...]:
        """Ids that stand for no text: of what is unknown, and of an end token that ends nothing."""
        idle = self.end is None and self.symbols[:1] == (END,)
        return (*((0,) if idle else ()), *(() if self.unknown is None else (self.unknown,)))

    @classmethod
    def build(
        cls,
        texts: Iterable[str],
        kind: Kind,
        minimum_count: int = 1,
        maximum_size: int | None = None,
        end: bool = True,
        *,
        lowercase: bool = False,
        spaces: bool = True,
    ) -> Vocabulary:
        """The vocabulary of some texts: most frequent symbols first, equally frequent ones in code point order.

        Args:
            texts: what is counted, one sequence each.
            kind: "words", "characters" or "bytepair".
            minimum_count: rarer symbols become `<unk>`; for byte pairs, rarer pairs are not merged.
            maximum_size: at most so many ids, the two special ones included; None sets no bound to words and
                characters, and 4096 to byte pairs.
            end: whether sequences end with id 0.
            lowercase: make texts lower-case first.
            spaces: keep spaces as symbols, for characters.

        Raises:
            BadInput: `maximum_size` leaves no room.
        """
        last = 0 if end else None
        if kind == "bytepair":
            prepared = pieces_of(texts, kind, lowercase=lowercase)
            symbols, learnt = _byte_pairs([text for (text,) in prepared], minimum_count, maximum_size)
            return cls(symbols, kind, last, 0, 1, lowercase, True, learnt)
        if kind not in ("words", "characters"):
            raise ValueError(f"a vocabulary is counted for words, characters or bytepair, got {kind!r}")
        if maximum_size is not None and maximum_size <= len(SPECIAL):
            raise BadInput(f"a vocabulary of {kind} must have room for at least 3 ids, got {maximum_size}; raise it")
        counts = Counter(chain.from_iterable(pieces_of(texts, kind, lowercase=lowercase, spaces=spaces)))
        ranked = sorted(
            (symbol for symbol, count in counts.items() if count >= minimum_count and symbol not in SPECIAL),
            key=lambda symbol: (-counts[symbol], symbol),
        )
        room = None if maximum_size is None else maximum_size - len(SPECIAL)
        return cls((*SPECIAL, *ranked[:room]), kind, last, 0, 1, lowercase, spaces)

    @classmethod
    def of_ids(cls, count: int) -> Vocabulary:
        """Plain numbers from 0 to `count` − 1, all ordinary: what oracles and worlds speak."""
        return cls(tuple(map(str, range(count))), "ids", end=None)

    @classmethod
    def of_notes(cls) -> Vocabulary:
        """The 88 keys of a piano, A0 (id 0, MIDI 21) to C8 (id 87, MIDI 108)."""
        pitches = range(PIANO_LOWEST, PIANO_LOWEST + PIANO_KEYS)
        return cls(tuple(f"{NOTE_NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in pitches), "notes", end=None)

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.symbols)

    @cached_property
    def _ids(self) -> dict[str, int]:
        ids = {symbol: number for number, symbol in enumerate(self.symbols)}
        if self.unknown is not None and ids.get(END) == 0:
            ids[END] = self.unknown  # a text that spells the end token does not end there
        return ids

    @cached_property
    def _byte_pair_tokenizer(self) -> Any:
        tokenizers = optional_package("tokenizers", "a byte-pair vocabulary")
        try:
            tokenizer = tokenizers.Tokenizer.from_str(self.tokenizer)
        except Exception as error:  # the library raises nothing more precise
            raise BadInput(f"Vocabulary.tokenizer must be what the tokenizers library wrote, but: {error}") from error
        tokenizer.encode_special_tokens = not self.specials  # or a text that spells a special token is plain text
        return tokenizer

    def encode(self, text: str) -> list[int]:
        """The ids of one text; no end token is added.

        Raises:
            BadInput: a symbol is not in the vocabulary and there is no id for unknown ones.
        """
        return self.encode_all([text])[0]

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """The ids of each text, as `encode` gives them."""
        rows = pieces_of(texts, self.kind, lowercase=self.lowercase, spaces=self.spaces)
        if self.kind in TOKENIZED:
            prepared = [text for (text,) in rows]
            return [found.ids for found in self._byte_pair_tokenizer.encode_batch(prepared, add_special_tokens=False)]
        return self._ids_of(rows)

    def encode_with_blanks(self, text: str, blank: str) -> tuple[list[int], list[str]]:
        """The ids of a text in which one symbol stands for whatever is missing, and its pieces.

        Args:
            text: one sequence.
            blank: the symbol; its id is `size`, the one behind all others.

        Raises:
            BadInput: the blank is a symbol itself or no single one, tokens are byte pairs, or as `encode`.
        """
        if self.kind in TOKENIZED:
            raise BadInput("blanks need tokens that are words, characters, notes or ids; byte pairs have none to name")
        mark, row = pieces_of([blank, text], self.kind, lowercase=self.lowercase, spaces=self.spaces)
        if len(mark) != 1:
            raise BadInput(f"a blank must be one of the {self.kind}, got {blank!r}; choose another --blank")
        if mark[0] in self._ids:
            raise BadInput(f"{blank!r} is in this vocabulary, so it cannot mean a blank; choose another --blank")
        known = iter(self._ids_of([[piece for piece in row if piece != mark[0]]])[0])
        return [self.size if piece == mark[0] else next(known) for piece in row], row

    def _ids_of(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        ids, unknown = self._ids, self.unknown
        if unknown is not None:
            return [[ids.get(piece, unknown) for piece in row] for row in rows]
        try:
            return [[ids[piece] for piece in row] for row in rows]
        except KeyError as error:
            raise BadInput(
                f"{self.kind} must be among {self.symbols[0]} ... {self.symbols[-1]}, got {error.args[0]!r}; "
                "use the corpus the model was trained on"
            ) from None

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some ids, up to the first end token.

        Words, notes and numbers are joined by spaces, characters by nothing; byte pairs that do not make up
        whole characters show as U+FFFD.

        Raises:
            BadInput: an id is not in the vocabulary.
        """
        wrong = next((number for number in ids if not 0 <= number < self.size), None)
        if wrong is not None:
            raise BadInput(f"ids must be from 0 to {self.size - 1}, got {wrong}; use the vocabulary they came from")
        if self.end is not None and self.end in ids:
            ids = ids[: ids.index(self.end)]
        if self.kind in TOKENIZED:
            return self._byte_pair_tokenizer.decode(list(ids), skip_special_tokens=False)
        return ("" if self.kind == "characters" else " ").join(self.symbols[number] for number in ids)

    def to_json(self) -> str:
        """Everything there is to know, as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """The vocabulary that `to_json` wrote.

        Raises:
            BadInput: the text is something else, or damaged.
        """
        try:
            fields = json.loads(text)
            return cls(**{**fields, "symbols": tuple(fields["symbols"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BadInput(
                f"a vocabulary must be the JSON that seqgans wrote, but: {error}; restore the file"
            ) from error


def _byte_pairs(texts: Iterable[str], minimum_count: int, maximum_size: int | None) -> tuple[tuple[str, ...], str]:
    """Byte-level byte pairs learnt from texts: the symbols by id, and the tokenizer as JSON."""
    tokenizers = optional_package("tokenizers", "a byte-pair vocabulary")
    size = BYTE_PAIRS if maximum_size is None else maximum_size
    smallest = BYTES + len(SPECIAL)
    if size < smallest:
        raise BadInput(f"a byte-pair vocabulary must have room for at least {smallest} ids, got {size}; raise it")
    levels = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = levels
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=minimum_count,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(levels.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    ranked = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda item: item[1])
    return tuple(symbol for symbol, _ in ranked), tokenizer.to_str()
