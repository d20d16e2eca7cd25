"""What figures of likelihood do not see: how much of what a generator writes is the same few tokens.

    python benchmarks/collapse.py RUN[:CHECKPOINT][@TEMPERATURE] … [--samples 4000]

Prints, for each checkpoint and for the training sequences, NLL_gen of held-out sequences at that temperature, the share
of the ten most frequent tokens, distinct-2, the commonest pair, and mean and quartiles of NLL_oracle over sequences.
"""

from __future__ import annotations

import argparse
from collections import Counter

import torch
from torch import Tensor

from seqgans.generators.base import Generator
from seqgans.generators.decoding import Decoding
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
        f"{losses.mean().item():.2f}",
        *(f"{value:.2f}" for value in quartiles),
    ]
    return " | ".join(cells)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="RUN[:CHECKPOINT][@TEMPERATURE] on an oracle")
    parser.add_argument("--samples", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    heads = ["run", "NLL_gen", "ten commonest tokens", "distinct-2", "commonest pair", "NLL_oracle"]
    print(f"| {' | '.join(heads)} | first quartile | median | third quartile |")
    print(f"| --- {'| ---: ' * 8}|")
    for run in arguments.runs:
        place, _, heat = run.partition("@")
        path, _, which = place.partition(":")
        loaded, temperature = load_run(path, which or "latest"), float(heat or 1)
        if not isinstance(loaded.truth, Generator):
            raise SystemExit(f"{path} was not trained on an oracle")
        truth, generator, corpus = loaded.truth, loaded.players.generator, loaded.corpus
        random, decoding = generator_for(0, "collapse"), Decoding(temperature=temperature)
        samples = generator.sample(arguments.samples, corpus.length, random=random, decoding=decoding)
        with torch.no_grad():
            fresh = -generator.log_probs(corpus.test.tokens[: arguments.samples], temperature).mean().item()
        print(f"| {run} | {fresh:.2f} | {described(samples.tokens, truth)} |", flush=True)
        real = described(corpus.train.tokens[: arguments.samples], truth)
        print(f"| training sequences | | {real} |")


if __name__ == "__main__":
    main()
