"""Two small languages for fine-tuning end to end, and a model that speaks both of their styles.

answers     half of them three words, half of them ten; the style that is asked for is the short one
reviews     three neutral words, then eight of which four in ten are of the review's own sentiment, one in ten of
            the other; the style that is asked for is praise
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from seqgans.training.recipe import Recipe

VOCABULARY = 64
Row = tuple[str, str]
"""A prompt and what follows it."""


def word(random: torch.Generator, first: int, count: int) -> str:
    return f"w{first + int(torch.randint(count, (), generator=random))}"


def answer(random: torch.Generator, short: bool) -> Row:
    start = [word(random, first, 10) for first in (4, 14, 24)]
    rest = [word(random, 34 + 10 * (place % 2), 10) for place in range(0 if short else 7)]
    return "w1", " ".join([*start, *rest])


def review(random: torch.Generator, good: bool) -> Row:
    begin, words = [word(random, 4, 20) for _ in range(3)], []
    for _ in range(8):
        kind = float(torch.rand((), generator=random))
        praise = good if kind < 0.4 else not good
        words.append(word(random, 24, 20) if kind >= 0.5 else word(random, 44 if praise else 54, 10))
    return " ".join(begin), " ".join(words)


def both_styles(style: Callable[[torch.Generator, bool], Row], count: int, seed: int) -> list[tuple[Row, bool]]:
    """Rows of either style in turn, and whether each is of the one that is asked for."""
    random = torch.Generator().manual_seed(seed)
    return [(style(random, number % 2 == 0), number % 2 == 0) for number in range(count)]


def taught(rows: Sequence[Row], folder: Path, steps: int = 400) -> Path:
    """A GPT-2 of 2 layers that learnt to go on from prompts as the rows do, in a folder of its own."""
    import tokenizers
    import transformers

    symbols = {"<eos>": 0, **{f"w{number}": number for number in range(1, VOCABULARY)}}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(symbols, unk_token="<eos>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()  # pyright: ignore[reportAttributeAccessIssue]
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<eos>", pad_token="<eos>").save_pretrained(
        folder
    )
    sizes: dict[str, Any] = {"n_layer": 2, "n_embd": 64, "n_head": 4, "n_positions": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.GPT2LMHeadModel(
            transformers.GPT2Config(vocab_size=VOCABULARY, **sizes, bos_token_id=0, eos_token_id=0)
        ).eval()  # no dropout
    ids = [[int(name[1:]) for name in f"{prompt} {text}".split()] + [0] for prompt, text in rows]
    width = max(map(len, ids))
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in ids])
    places = torch.arange(width)
    told = torch.tensor([[len(prompt.split()), len(row)] for (prompt, _), row in zip(rows, ids, strict=True)])
    mask = (places >= told[:, :1]) & (places < told[:, 1:])
    optimizer, random = torch.optim.Adam(model.parameters(), lr=2e-3), torch.Generator().manual_seed(0)
    for _ in range(steps):
        chosen = torch.randint(len(rows), (64,), generator=random)
        logits = model(input_ids=tokens[chosen, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits[mask[chosen, 1:]], tokens[chosen, 1:][mask[chosen, 1:]])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


def game(rows: Sequence[Row], model: Path, folder: Path, **settings: Any) -> Recipe:
    """RLGAF whose real answers are the given ones; the discriminator alone teaches (no weight on real answers)."""
    pairs = folder / "pairs.tsv"
    pairs.write_text("".join(f"{prompt}\t{text}\n" for prompt, text in rows))
    rates = {"generator_rate": 3e-4, "discriminator_rate": 1e-3}
    return Recipe.of(
        {
            "algorithm": {"name": "rlgaf", "pretrain_epochs": 0, "likelihood_weight": 0.0, **rates, **settings},
            "corpus": {"spec": str(pairs), "text": "1", "source": "0", "length": 12, "end": "yes"},
            "generator": {"model": str(model)},
            "run": {
                "device": "cpu",
                "final_samples": 200,
                "eval_every": 0,
                "checkpoint_every": 0,
                "completions_every": 0,
                "curves": False,
                "on_collapse": "note",
                "tensorboard": False,
            },
        }
    )


def distinct_pairs(texts: Sequence[str]) -> float:
    """Different pairs of neighbouring words over all of them."""
    pairs = [pair for text in texts for pair in zip(text.split(), text.split()[1:], strict=False)]
    return len(set(pairs)) / max(1, len(pairs))


class Classifier:
    """Naive Bayes on words, of rows that no model has seen."""

    def __init__(self, rows: Sequence[tuple[Row, bool]]) -> None:
        self.counts = {kind: Counter[str]() for kind in (True, False)}
        for (_, text), kind in rows:
            self.counts[kind].update(text.split())

    def positive(self, text: str) -> bool:
        """Whether a text is rather of the style that is asked for."""
        total = {kind: sum(counts.values()) + VOCABULARY for kind, counts in self.counts.items()}
        worth = {
            kind: sum(math.log((counts[one] + 1) / total[kind]) for one in text.split())
            for kind, counts in self.counts.items()
        }
        return worth[True] > worth[False]
