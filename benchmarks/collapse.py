"""What figures of likelihood do not see: how much of what a generator writes is the same few tokens.

    python benchmarks/collapse.py RUN[:CHECKPOINT] … [--samples 4000]

Prints, for each checkpoint and for the training sequences, the share of the ten most frequent tokens, distinct-2, the
commonest pair, and the quartiles of NLL_oracle over sequences.
"""

from __future__ import annotations

import argparse
from collections import Counter

import torch
from torch import Tensor

from seqgans.generators.base import Generator
from seqgans.randomness import generator_for
from seqgans.verbs.loading import load_run


def described(tokens: Tensor, oracle: Generator) -> str:
    """One row of the table."""
    with torch.no_grad():
        losses = -oracle.log_probs(tokens).mean(1)
    single = Counter(tokens.flatten().tolist())
    pairs = Counter(map(tuple, torch.stack([tokens[:, :-1], tokens[:, 1:]], 2).reshape(-1, 2).tolist()))
    (pair, count), total = pairs.most_common(1)[0], sum(pairs.values())
    quartiles = torch.quantile(losses, torch.tensor([0.25, 0.5, 0.75])).tolist()
    cells = [
        f"{sum(times for _, times in single.most_common(10)) / tokens.numel():.3f}",
        f"{len(pairs) / total:.3f}",
        f"{pair} {count / total:.1%}",
        *(f"{value:.2f}" for value in quartiles),
    ]
    return " | ".join(cells)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="RUN[:CHECKPOINT] on an oracle")
    parser.add_argument("--samples", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| run | ten commonest tokens | distinct-2 | commonest pair | first quartile | median | third quartile |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for run in arguments.runs:
        path, _, which = run.partition(":")
        loaded = load_run(path, which or "latest")
        if not isinstance(loaded.truth, Generator):
            raise SystemExit(f"{path} was not trained on an oracle")
        length = loaded.corpus.length
        samples = loaded.players.generator.sample(arguments.samples, length, random=generator_for(0, "collapse"))
        print(f"| {run} | {described(samples.tokens, loaded.truth)} |", flush=True)
        print(f"| training sequences | {described(loaded.corpus.train.tokens[: arguments.samples], loaded.truth)} |")


if __name__ == "__main__":
    main()
