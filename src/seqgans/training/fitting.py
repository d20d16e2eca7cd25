"""Does it fit: prompts and answers into a pre-trained model's positions, parameters and a step into memory?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqgans.algorithms.base import Players
from seqgans.data.corpus import Corpus
from seqgans.errors import BadInput
from seqgans.generators.decoding import CHUNK_VALUES
from seqgans.training.recipe import PRETRAINED, Recipe

POSITIONS = ("n_positions", "max_position_embeddings", "n_ctx")
MOMENTS = 3  # a gradient and two moments of Adam beside each parameter that learns
KEPT = 18  # widths of activations that a block keeps for each token on its way back
GIB = float(1 << 30)


@dataclass(frozen=True)
class Estimate:
    """Bytes that a run needs at once.

    Attributes:
        parameters: of all players, those they share counted once.
        learning: gradients and moments of those that learn.
        activations: what a step of one player keeps on its way back.
        cache: keys and values while answers are written, and logits in flight.
    """

    parameters: int
    learning: int
    activations: int
    cache: int

    @property
    def certain(self) -> int:
        """What no batch size makes smaller."""
        return self.parameters + self.learning

    @property
    def total(self) -> int:
        """All of it, without the program itself."""
        return self.certain + self.activations + self.cache


def check_fit(recipe: Recipe, players: Players, corpus: Corpus, accumulate: int, device: torch.device) -> str:
    """Refuse what cannot fit; of what perhaps does not, a line to be said.

    Args:
        recipe: of the run; one without a pre-trained generator is not looked at.
        players: built, on any device.
        corpus: how long prompts and answers are.
        accumulate: parts of a minibatch.
        device: where the run takes place.

    Returns:
        A warning, empty where there is nothing to say.

    Raises:
        BadInput: prompts with answers have more tokens than the model has positions, no answer could end behind the
            least number of tokens, or the parameters and their moments alone need more memory than there is.
    """
    if recipe.generator != PRETRAINED:
        return ""
    config = model_config(players.generator)
    both = corpus.source_width + corpus.length
    room = positions_of(config)
    if room is not None and both > room:
        raise BadInput(
            f"prompts and answers have up to {both} tokens together, and the model has {room} positions; lower "
            "--corpus.source-length or --corpus.length"
        )
    short = shorter_answers(recipe, corpus)
    need = estimate(players, config, both, getattr(recipe.settings, "batch", 64), accumulate)
    there = free_memory(device)
    if there is None or need.total < there:
        return short
    words = f"about {need.total / GIB:.1f} GiB of memory are needed and {there / GIB:.1f} GiB are free"
    advice = "lower --algorithm.batch, raise --run.accumulate, or learn adapters only (--generator.lora 8)"
    if need.certain > there:
        raise BadInput(f"{words}, {need.certain / GIB:.1f} GiB of it for parameters and their moments alone; {advice}")
    return "; ".join(filter(None, [short, f"{words}: this may not go well; {advice}"]))


def shorter_answers(recipe: Recipe, corpus: Corpus) -> str:
    """Refuse a least number of tokens that leaves no room for an end; of real answers with fewer, a line to be said.

    Raises:
        BadInput: no answer could ever end.
    """
    least = recipe.generator_settings.min_new_tokens
    if not least:
        return ""
    if corpus.vocabulary.end is None or least >= corpus.length:
        most = corpus.length - 1
        why = f"have at most {most} tokens before their end" if corpus.vocabulary.end is not None else "have no end"
        raise BadInput(
            f"answers must be able to end behind --generator.min-new-tokens {least}, but they {why}; lower it"
        )
    few = int((corpus.train.mask.sum(1) - 1 < least).sum())
    if not few:
        return ""
    return (
        f"{few} of {len(corpus.train)} real answers have fewer than {least} tokens, and no written one can; "
        "lower --generator.min-new-tokens"
    )


def positions_of(config: Any) -> int | None:
    """How many tokens a model can read in a row; None where it does not say."""
    return next((getattr(config, name) for name in POSITIONS if getattr(config, name, None)), None)


def estimate(players: nn.Module, config: Any, length: int, batch: int, accumulate: int) -> Estimate:
    """How much memory a run needs, before anything is run.

    Args:
        players: all of them.
        config: of the model.
        length: tokens of a prompt and an answer.
        batch: rows of a step.
        accumulate: parts in which it is computed.
    """
    every = {id(part): part for part in (*players.parameters(), *players.buffers())}.values()
    sizes = [(part.numel() * part.element_size(), part.requires_grad) for part in every]
    width, layers = config.hidden_size, config.num_hidden_layers
    rows = -(-batch // accumulate)
    step = 2 * rows * length * width * KEPT * layers * 4  # real and written answers
    cache = 2 * batch * length * width * layers * 4 + 4 * CHUNK_VALUES
    learning = sum(size for size, learns in sizes if learns) * MOMENTS
    return Estimate(sum(size for size, _ in sizes), learning, step, cache)


def model_config(generator: nn.Module) -> Any:
    """The sizes of a pre-trained generator."""
    return generator.get_submodule("model").config


def free_memory(device: torch.device) -> int | None:
    """Bytes that are free where a run takes place; None where nobody says."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    facts = Path("/proc/meminfo")
    if not facts.is_file():
        return None
    lines = dict(line.split(":", 1) for line in facts.read_text().splitlines() if ":" in line)
    found = lines.get("MemAvailable", "").split()
    return int(found[0]) * 1024 if found else None
