"""What does a discriminator know? On an oracle the true log-ratio of every sequence is known, so it can be asked.

    python benchmarks/discriminator_study.py --run MLE --checkpoint best --out benchmarks/results/discriminators.json

For each kind of discriminator, trained against one fixed generator: accuracy on training and on unseen sequences, and
how its scores of generated sequences correlate with log p(Y) − log G(Y), after each pass. `fresh` takes new real
sequences from the oracle in every pass, which shows what more data would buy.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqgans.discriminators.base import Discriminator
from seqgans.discriminators.convolutional import CNN
from seqgans.discriminators.language import Language, LanguageScorer
from seqgans.discriminators.recurrent import LSTMScorer
from seqgans.generators.base import Generator
from seqgans.objectives.adversarial import discriminator_loss
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.prefixes import gains
from seqgans.verbs.loading import load_run

BATCH, JUDGED = 64, 2000
REDUCED = {"embedding": 32, "widths": (1, 2, 3, 4), "maps": (100, 100, 100, 100), "dropout": 0.5, "decay": 0.4}
KINDS: dict[str, tuple[Any, float, bool]] = {
    "cnn, widths 1 to 4": (CNN(**REDUCED), 0.001, False),
    "lstm, score per step": (LSTMScorer(dropout=0.3), 0.003, True),
    "language model": (Language(), 0.001, True),
}
"""Settings, learning rate, and whether it learns after every token."""


def main() -> None:
    """Train each kind and print what it knows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, help="a run on an oracle, whose generator is judged")
    parser.add_argument("--checkpoint", default="best")
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--likelihood", type=int, default=30, help="passes of likelihood of the language model")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_run(arguments.run, arguments.checkpoint)
    generator, oracle = loaded.players.generator, loaded.truth
    if not isinstance(oracle, Generator):
        raise SystemExit(f"{arguments.run} was not trained on an oracle")
    rows = []
    print(
        "| discriminator | real sequences | accuracy, training | accuracy, unseen | r, sequences | r, tokens | CPU s |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, (settings, rate, each_step) in KINDS.items():
        for fresh in (False, True):
            judge = settings.build(oracle.vocabulary_size, loaded.corpus.length, generator_for(0, name))
            begin = time.process_time()
            if isinstance(judge, LanguageScorer):
                learn_language(judge, loaded.corpus.train.tokens, arguments.likelihood)
            study = Study(
                judge, generator, oracle, loaded.corpus.train.tokens, loaded.corpus.test.tokens[:JUDGED], each_step
            )
            for number in range(1, arguments.passes + 1):
                study.learn(rate, fresh)
                row = {"discriminator": name, "fresh": fresh, "pass": number, **study.figures()}
                rows.append({**row, "cpu_seconds": time.process_time() - begin})
            last = rows[-1]
            cells = [f"{last[key]:.3f}" for key in ("accuracy_training", "accuracy_unseen", "r_sequences")]
            token = f"{last['r_tokens']:.3f}" if "r_tokens" in last else ""
            kind = "fresh ones in each pass" if fresh else f"{len(loaded.corpus.train):,}"
            print(f"| {name} | {kind} | {' | '.join(cells)} | {token} | {last['cpu_seconds']:.0f} |", flush=True)
    arguments.out.parent.mkdir(exist_ok=True)
    facts = {"run": arguments.run.name, "checkpoint": arguments.checkpoint, "torch": torch.__version__}
    arguments.out.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")


class Study:
    """One discriminator at work against a generator that stands still."""

    def __init__(
        self,
        judge: Discriminator,
        generator: Generator,
        oracle: Generator,
        real: Tensor,
        unseen: Tensor,
        each_step: bool,
    ) -> None:
        self.judge, self.generator, self.oracle = judge, generator, oracle
        self.real, self.unseen, self.each_step = real, unseen, each_step
        self.stream = Stream(generator_for(0, "study"))
        self.optimizer: torch.optim.Adam | None = None
        self.fake = generator.sample(JUDGED, real.shape[1], random=self.stream).tokens
        with torch.no_grad():
            self.truth = oracle.log_probs(self.fake) - generator.log_probs(self.fake)  # (batch, time)

    def learn(self, rate: float, fresh: bool) -> None:
        """One pass over real sequences and as many samples."""
        if self.optimizer is None:
            self.optimizer = torch.optim.Adam(self.judge.parameters(), lr=rate)
        count, length = self.real.shape
        real = self.oracle.sample(count, length, random=self.stream).tokens if fresh else self.real
        fake = self.generator.sample(count, length, random=self.stream).tokens
        for rows in self.stream.permutation(count).split(BATCH):
            both = torch.cat([real[rows], fake[rows]])
            mask = torch.ones_like(both, dtype=torch.bool)
            score: Callable[..., Tensor] = self.judge.step_scores if self.each_step else self.judge.scores  # pyright: ignore[reportAttributeAccessIssue, reportAssignmentType]
            scores = score(both, mask, random=self.stream)
            loss = discriminator_loss(scores[: len(rows)].flatten(), scores[len(rows) :].flatten())
            self.optimizer.zero_grad()
            (loss + self.judge.penalty()).backward()
            self.optimizer.step()

    @torch.no_grad()
    def figures(self) -> dict[str, float]:
        """Accuracies, and correlations with the truth over generated sequences."""
        fake = self.scores(self.fake)
        missed = float((fake < 0).float().mean())
        found = {
            "accuracy_training": 0.5 * (float((self.scores(self.real[:JUDGED]) > 0).float().mean()) + missed),
            "accuracy_unseen": 0.5 * (float((self.scores(self.unseen) > 0).float().mean()) + missed),
            "r_sequences": correlation(fake[:, None], self.truth.sum(1, keepdim=True)),
        }
        if self.each_step:
            mask = torch.ones_like(self.fake, dtype=torch.bool)
            found["r_tokens"] = correlation(gains(self.judge, self.fake, mask), self.truth)
        return found

    def scores(self, tokens: Tensor) -> Tensor:
        """Scores without dropout, (batch,)."""
        parts = tokens.split(500)
        return torch.cat([self.judge.scores(part, torch.ones_like(part, dtype=torch.bool)) for part in parts])


def learn_language(judge: LanguageScorer, real: Tensor, passes: int) -> None:
    """Maximum likelihood, as before a game."""
    optimizer, stream = torch.optim.Adam(judge.parameters(), lr=0.01), Stream(generator_for(0, "language"))
    for _ in range(passes):
        for rows in stream.permutation(len(real)).split(BATCH):
            mask = torch.ones_like(real[rows], dtype=torch.bool)
            optimizer.zero_grad()
            negative_log_likelihood(judge.log_probs(real[rows], mask), mask).backward()
            torch.nn.utils.clip_grad_norm_(judge.parameters(), 5.0)
            optimizer.step()
    judge.settle()


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's r of two tensors, each position less its mean over the batch."""
    one, other = one - one.mean(0), other - other.mean(0)
    return float((one * other).sum() / (one.norm() * other.norm()))


if __name__ == "__main__":
    main()
