"""Planes of texts: BLEU-5 and self-BLEU-5, `lm_kn` and `reverse_lm_kn` of texts beside real ones."""

from __future__ import annotations

from collections.abc import Sequence

from seqgans.data.streaming import Numbering
from seqgans.errors import BadInput
from seqgans.evaluation import Figure
from seqgans.evaluation.base import doubts
from seqgans.evaluation.evidence import Evidence
from seqgans.evaluation.likelihood import as_sequences
from seqgans.evaluation.sweep import language_curve, overlap_curve


class Measured:
    """From texts to the figures of both planes.

    Args:
        numbering: what texts are cut into.
        real: what they are compared with.

    Attributes:
        sizes: of the texts that were measured, one for each setting.
        doubts: what makes the figures doubtful, each said once.
    """

    def __init__(self, numbering: Numbering, real: Sequence[str]) -> None:
        self.numbering, self.held_out = numbering, [ids for ids in numbering.encode(real) if ids]
        self.curves = overlap_curve(self.held_out, 0), language_curve(self.held_out, 0)
        self.sizes: list[int] = []
        self.found: dict[str, None] = {}

    def __call__(self, texts: Sequence[str], where: str) -> dict[str, Figure]:
        """The figures.

        Args:
            texts: of one setting.
            where: which, for messages.

        Raises:
            BadInput: fewer than two of them hold a token.
        """
        rows = [ids for ids in self.numbering.encode(texts) if ids]
        if len(rows) < 2:
            raise BadInput(f"{where}: at least 2 of {len(texts)} texts must hold a token, got {len(rows)}")
        self.sizes.append(len(texts))
        for doubt in doubts(Evidence(samples=rows, references=self.held_out)):
            self.found[f"{where}: {doubt}"] = None
        drawn = as_sequences(rows, end=0)
        return {name: figure for curve in self.curves for name, figure in curve(1.0, drawn).items()}

    @property
    def counted(self) -> str:
        """How many texts there were."""
        least, most = min(self.sizes), max(self.sizes)
        return f"{most} texts" if least == most else f"{least} to {most} texts"

    @property
    def doubts(self) -> list[str]:
        """What makes the figures doubtful."""
        uneven = "self-BLEU rises with the number of texts: compare settings of equally many (--samples)."
        return [*([uneven] if min(self.sizes) < max(self.sizes) else []), *self.found]
