"""Judges of real against generated, and the table of their settings."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from seqgans.discriminators.classes import Classes
from seqgans.discriminators.comparing import Comparer
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.language import Language
from seqgans.discriminators.leaking import LeakingCNN
from seqgans.discriminators.matching import Matching
from seqgans.discriminators.multi_view import MultiView
from seqgans.discriminators.positional import PositionalLSTM
from seqgans.discriminators.pretrained import PretrainedScorer
from seqgans.discriminators.ranking import Ranker
from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.discriminators.seq2seq import Seq2SeqScorer
from seqgans.discriminators.strided import Strided

DISCRIMINATORS: dict[str, type[Any]] = {
    "cnn": CNN,
    "lstm": LSTMScorer,
    "gru": GRUScorer,
    "leaking": LeakingCNN,
    "language": Language,
    "seq2seq": Seq2SeqScorer,
    "multi_view": MultiView,
    "classes": Classes,
    "positional": PositionalLSTM,
    "matching": Matching,
    "strided": Strided,
    "ranker": Ranker,
    "comparer": Comparer,
    "pretrained": PretrainedScorer,
}


def with_step_scores() -> list[str]:
    """The names of those that give a score after every token, by what their settings say they build."""
    kinds = {name: get_type_hints(kind.build)["return"] for name, kind in DISCRIMINATORS.items()}
    return [
        name for name, kind in kinds.items() if all(hasattr(one, "step_scores") for one in get_args(kind) or [kind])
    ]


def no_step_scores(who: str) -> str:
    """What is said where `who` gives no score per step and one is needed."""
    names = ", ".join(with_step_scores())
    return f"rewards per step need a discriminator with a score per step, got {who}; choose one of: {names}"
