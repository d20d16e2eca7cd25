"""Laws over token sequences that can be learnt, and the table of their settings."""

from __future__ import annotations

from typing import Any

from seqgans.generators.category_memory import CategoryMemory
from seqgans.generators.hierarchical import Hierarchical
from seqgans.generators.latent import Latent
from seqgans.generators.memory import RelationalMemory
from seqgans.generators.mixture import Mixture
from seqgans.generators.pretrained import Pretrained
from seqgans.generators.recurrent import GRU, LSTM
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.generators.transformer import Transformer
from seqgans.generators.uniform import Uniform

GENERATORS: dict[str, type[Any]] = {
    "lstm": LSTM,
    "gru": GRU,
    "memory": RelationalMemory,
    "transformer": Transformer,
    "hierarchical": Hierarchical,
    "latent": Latent,
    "mixture": Mixture,
    "category_memory": CategoryMemory,
    "seq2seq": Seq2Seq,
    "pretrained": Pretrained,
    "uniform": Uniform,
}
