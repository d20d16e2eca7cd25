"""The oracle of the synthetic experiment: an LSTM with parameters from N(0, 1) whose law is the data.

Its likelihood can be computed, so that a generator that learnt from its samples can be judged exactly.

References: Yu et al. (2017), arXiv:1609.05473, section "Synthetic Data Experiments".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from seqgans.data.corpus import Corpus, CorpusSettings
from seqgans.data.drawn import drawn_corpus
from seqgans.errors import BadInput
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.randomness import generator_for

GATES = ("i", "f", "c", "o")  # in the order in which nn.LSTM stacks them
ROWS = 1000  # sequences drawn at once
PAPER_LENGTH = 20  # tokens


def fresh_oracle(vocabulary_size: int, seed: int, embedding: int = 32, hidden: int = 32) -> Recurrent:
    """An oracle whose every parameter is drawn from N(0, 1), frozen.

    Args:
        vocabulary_size: number of ids, all ordinary; 0 is also the input before the first token.
        seed: equal seeds give equal oracles.
        embedding: width of a token's embedding.
        hidden: units.
    """
    settings = LSTM(embedding=embedding, hidden=hidden, deviation=1.0)
    oracle = Recurrent("lstm", vocabulary_size, 0, None, settings, generator_for(seed, "oracle"))
    oracle.requires_grad_(False)
    return oracle


def published_oracle(path: str | Path) -> Recurrent:
    """The oracle whose parameters stand in a file, frozen.

        i, f, o = σ(x W + h U + b),  g = tanh(x W_c + h U_c + b_c),  logits = h W_out + b_out

    Args:
        path: a safetensors file with `embedding`, `W_g`, `U_g`, `b_g` for the gates g = i, f, o, c, `W_out` and
            `b_out`; weights multiply from the right.

    Raises:
        BadInput: the file cannot be read, or holds something else.
    """
    if not Path(path).is_file():
        raise BadInput(f"an oracle must be a safetensors file, but there is none at {path}; check the path")
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"an oracle must be a safetensors file, {path} cannot be read as one: {reason}") from None
    sizes = _check_oracle(found, path)
    settings = LSTM(embedding=sizes[1], hidden=sizes[2], deviation=1.0)
    oracle = Recurrent("lstm", sizes[0], 0, None, settings, torch.Generator().manual_seed(0))
    oracle.load_state_dict(
        {
            "embedding.weight": found["embedding"],
            "cell.weight_ih_l0": torch.cat([found[f"W_{gate}"] for gate in GATES], 1).t().contiguous(),
            "cell.weight_hh_l0": torch.cat([found[f"U_{gate}"] for gate in GATES], 1).t().contiguous(),
            "cell.bias_ih_l0": torch.cat([found[f"b_{gate}"] for gate in GATES]),
            "cell.bias_hh_l0": torch.zeros(4 * sizes[2]),
            "output.weight": found["W_out"].t().contiguous(),
            "output.bias": found["b_out"],
        }
    )
    oracle.requires_grad_(False)
    return oracle


def _check_oracle(found: dict[str, Tensor], path: str | Path) -> tuple[int, int, int]:
    """Vocabulary, embedding and hidden size, once every array is there, finite and of the right shape."""
    names = ["embedding", *(f"{part}_{gate}" for gate in GATES for part in "WUb"), "W_out", "b_out"]
    missing = [name for name in names if name not in found]
    if missing:
        raise BadInput(f"an oracle file must hold {', '.join(names)}; {path} has no {', '.join(missing)}")
    if found["embedding"].dim() != 2 or found["U_i"].dim() != 2:
        raise BadInput(f"embedding and U_i of an oracle file must be matrices; in {path} they are not")
    vocabulary, embedding = found["embedding"].shape
    hidden = found["U_i"].shape[0]
    shapes = {"W": (embedding, hidden), "U": (hidden, hidden), "b": (hidden,)}
    wanted = {name: shapes[name[0]] for name in names if name[:2] in ("W_", "U_", "b_")}
    wanted |= {"embedding": (vocabulary, embedding), "W_out": (hidden, vocabulary), "b_out": (vocabulary,)}
    for name, shape in wanted.items():
        if tuple(found[name].shape) != shape:
            raise BadInput(
                f"{name} of an oracle file must have shape {shape}, got {tuple(found[name].shape)} in {path}"
            )
        if not found[name].is_floating_point() or not bool(found[name].isfinite().all()):
            raise BadInput(f"{name} of an oracle file must hold finite real numbers; in {path} it does not")
    return vocabulary, embedding, hidden


def oracle_corpus(
    oracle: Recurrent,
    settings: CorpusSettings,
    seed: int,
    *,
    name: str = "oracle",
    facts: Mapping[str, Any] | None = None,
) -> Corpus:
    """Sequences drawn from an oracle: some to learn from, further ones to stop by and to be judged on.

    Args:
        oracle: the law they are drawn from.
        settings: `length` (20 where it is not given), `sequences`, and the shares `valid` and `test`.
        seed: equal seeds give equal corpora; each split has random numbers of its own.
        name: the spec it goes by.
        facts: what is further known about the oracle.

    Raises:
        BadInput: a setting is given that only corpora read from files have.
    """
    length = settings.length or PAPER_LENGTH

    def sample(count: int, random: torch.Generator) -> Tensor:
        parts = [
            oracle.sample(min(ROWS, count - first), length, random=random).tokens for first in range(0, count, ROWS)
        ]
        return torch.cat(parts) if parts else torch.zeros(0, length, dtype=torch.long)

    recorded = {"kind": "oracle", **(facts or {})}
    return drawn_corpus(name, sample, oracle.vocabulary_size, settings, seed, recorded)
