"""What it spares to drop roll-outs that have come to their end.

    python benchmarks/ended_rollouts.py

CPU seconds of one thread for the rewards of a batch (four roll-outs of every prefix, scored by a CNN), with roll-outs
dropped and with all of them kept to the end; the best of three. The generator's end token is made likelier until its
sequences have the mean length of a corpus.
"""

from __future__ import annotations

import argparse
import time

import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards import rollouts

CASES = ((None, 20, 5000, 64, 0.0), (0, 37, 4000, 64, 6.1), (0, 51, 5000, 32, 5.5))
"""End token, tokens, words, sequences, and what is added to the end token's logit."""


def seconds(end: int | None, length: int, words: int, batch: int, push: float, keeping: float) -> tuple[float, float]:
    """Mean length of the sequences, and CPU seconds of their rewards."""
    generator = LSTM(embedding=32, hidden=64).build(words, 0, end, generator_for(0))
    if end is not None:
        with torch.no_grad():
            generator.output.bias[end] += push
    judge = CNN(embedding=32, widths=(1, 2, 3, 4), maps=(100, 200, 200, 200)).build(words, length, generator_for(1))
    samples = generator.sample(batch, length, random=Stream(generator_for(2)))
    rollouts.WORTH_KEEPING = keeping
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        rollouts.rollout_values(generator, judge, samples.tokens, samples.mask, 4, Stream(generator_for(3)))
        best = min(best, time.process_time() - start)
    return samples.mask.sum(1).float().mean().item(), best


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    torch.set_num_threads(1)
    print("| at most | mean length | kept | dropped |\n| ---: | ---: | ---: | ---: |")
    for case in CASES:
        (mean, kept), (_, dropped) = (seconds(*case, keeping) for keeping in (-1.0, 0.8))
        print(f"| {case[1]} | {mean:.1f} | {kept:.2f} | {dropped:.2f} |", flush=True)


if __name__ == "__main__":
    main()
