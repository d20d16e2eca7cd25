"""Judges of real against generated, and the table of their settings."""

from __future__ import annotations

from typing import Any

from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.leaking import LeakingCNN
from seqgans.discriminators.multi_view import MultiView
from seqgans.discriminators.recurrent import GRUScorer, LSTMScorer
from seqgans.discriminators.seq2seq import Seq2SeqScorer

DISCRIMINATORS: dict[str, type[Any]] = {
    "cnn": CNN,
    "lstm": LSTMScorer,
    "gru": GRUScorer,
    "leaking": LeakingCNN,
    "seq2seq": Seq2SeqScorer,
    "multi_view": MultiView,
}
