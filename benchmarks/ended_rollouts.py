"""What it spares to leave out roll-outs that have come to their end, and prefixes of sequences that have.

    python benchmarks/ended_rollouts.py

CPU seconds of one thread for the rewards of a batch (four roll-outs of every prefix, scored by a CNN): as the library
does it, and with every roll-out advanced and every prefix scored to the full length; the best of three. The
generator's end token is made likelier until its sequences have the mean length of a corpus.
"""

from __future__ import annotations

import argparse
import time

import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards import rollouts
from seqgans.sequences import mask_until

CASES = ((None, 20, 5000, 64, 0.0), (0, 37, 4000, 64, 6.1), (0, 51, 5000, 32, 5.5))
"""End token, tokens, words, sequences, and what is added to the end token's logit."""


def seconds(end: int | None, length: int, words: int, batch: int, push: float) -> tuple[float, float, float]:
    """Mean length of the sequences, and CPU seconds of their rewards: all of it, and as the library does it."""
    generator = LSTM(embedding=32, hidden=64).build(words, 0, end, generator_for(0))
    if end is not None:
        with torch.no_grad():
            generator.output.bias[end] += push
    judge = CNN(embedding=32, widths=(1, 2, 3, 4), maps=(100, 200, 200, 200)).build(words, length, generator_for(1))
    samples = generator.sample(batch, length, random=Stream(generator_for(2)))

    def in_full() -> None:
        generator.end = None  # nothing has ever ended
        completed = rollouts.complete(generator, samples.tokens, 4, Stream(generator_for(3)))
        real = mask_until(completed.flatten(0, 2), end).view(completed.shape)
        judge.completion_scores(completed, real, range(1, length))

    def as_it_is() -> None:
        generator.end = end
        rollouts.rollout_values(generator, judge, samples.tokens, samples.mask, 4, Stream(generator_for(3)))

    found = []
    for way in (in_full, as_it_is):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            way()
            best = min(best, time.process_time() - start)
        found.append(best)
    return samples.mask.sum(1).float().mean().item(), found[0], found[1]


def main() -> None:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    torch.set_num_threads(1)
    print("| at most | mean length | in full | as it is |\n| ---: | ---: | ---: | ---: |")
    for case in CASES:
        mean, full, less = seconds(*case)
        print(f"| {case[1]} | {mean:.1f} | {full:.2f} | {less:.2f} |", flush=True)


if __name__ == "__main__":
    main()
