"""Speed at the paper's synthetic setting, beside a plain implementation in the same run and the arithmetic floor.

    python benchmarks/speed.py [--threads 1 2] [--quick]

Vocabulary 5000, length 20, batch 64, LSTM 32/32, 16 roll-outs, the 12-width CNN. All figures are CPU seconds of this
process.
"Plain" is the textbook: one call a position and roll-out, the prefix read again each time by the same step that draws,
`torch.multinomial`, `nn.Conv2d`, all logits at once. The two are measured in turns; the ratio is the median over turns.
The floor is FLOPs of the plain arithmetic over the rate of a large matrix product measured in the same run.
Writes benchmarks/results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

from seqgans.discriminators.convolutional import CNN, PAPER_MAPS, PAPER_WIDTHS, Convolutional
from seqgans.generators.base import Generator
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.objectives.adversarial import discriminator_loss
from seqgans.objectives.likelihood import negative_log_likelihood
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete, rollout_rewards

VOCABULARY, LENGTH, BATCH, ROLLOUTS, WIDTH = 5000, 20, 64, 16, 32
TURNS = 4
Figures = dict[str, float]
RESULTS = Path(__file__).parent / "results" / "speed.json"


def once(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Median CPU seconds of one call, after one to warm up."""
    work()
    return median([once(work) for _ in range(repeats)])


def in_turns(ours: Callable[[], object], plain: Callable[[], object]) -> tuple[list[float], list[float]]:
    """CPU seconds of each, called in turns so that both meet the same neighbours on the machine."""
    ours()
    pairs = [(once(ours), once(plain)) for _ in range(TURNS)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


class PlainDiscriminator(nn.Module):
    """The same network the usual way: one Conv2d a width over the embedded sequence."""

    def __init__(self, ours: Convolutional) -> None:
        super().__init__()
        self.ours = ours
        self.convolutions = nn.ModuleList()
        for width, layer in zip(ours.widths, ours.filters, strict=True):
            state, size = layer.state_dict(), ours.settings.embedding
            maps = len(state["bias"])
            convolution = nn.Conv2d(1, maps, (width, size))
            convolution.load_state_dict({**state, "weight": state["weight"].view(maps, 1, width, size)})
            self.convolutions.append(convolution)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        embedded = self.ours.embedding[tokens][:, None]
        pooled = [convolution(embedded).relu().squeeze(3).amax(2) for convolution in self.convolutions]
        return self.ours.output(self.ours.highway(torch.cat(pooled, 1)))[:, 0]


@torch.no_grad()
def plain_sample(generator: Recurrent, count: int, prefix: Tensor | None = None) -> Tensor:
    """One step of the model a token: embedding, cell, logits, softmax; the prefix is read by the same step.

    So do the widely used ports; a step on a prefix token computes a law that nobody draws from.
    """
    tokens = torch.zeros(count, 0, dtype=torch.long) if prefix is None else prefix
    given = tokens.shape[1]
    previous, state = torch.zeros(count, 1, dtype=torch.long), None
    for time_step in range(LENGTH):
        hidden, state = generator.cell(generator.embedding(previous), state)
        law = torch.softmax(generator.output(hidden[:, 0]), 1)
        if time_step >= given:
            tokens = torch.cat([tokens, torch.multinomial(law, 1)], 1)
        previous = tokens[:, time_step : time_step + 1]
    return tokens


@torch.no_grad()
def plain_rollouts(generator: Recurrent, tokens: Tensor, rollouts: int) -> list[list[Tensor]]:
    """One call for each roll-out and position."""
    return [
        [plain_sample(generator, len(tokens), tokens[:, :length]) for length in range(1, LENGTH)]
        for _ in range(rollouts)
    ]


@torch.no_grad()
def plain_reward(generator: Recurrent, discriminator: PlainDiscriminator, tokens: Tensor, rollouts: int) -> Tensor:
    """The textbook reward of a batch."""
    total = torch.zeros(len(tokens), LENGTH)
    for completions in plain_rollouts(generator, tokens, rollouts):
        for position, completed in enumerate(completions):
            total[:, position] += discriminator(completed).sigmoid() / rollouts
    total[:, -1] = discriminator(tokens).sigmoid()
    return total


def machine() -> dict[str, float]:
    """GFLOP/s of a large product and GB/s of a large copy, on the threads in use."""
    square, source = torch.randn(1536, 1536), torch.randn(1 << 25)
    target = torch.empty_like(source)
    rate = 2 * 1536**3 / seconds(lambda: square @ square) / 1e9
    return {"gflops": rate, "gbytes": 2 * source.numel() * 4 / seconds(lambda: target.copy_(source)) / 1e9}


def flops() -> dict[str, float]:
    """Floating-point operations of each piece."""
    step = 2 * (2 * WIDTH * 4 * WIDTH) / 2 + 2 * WIDTH * VOCABULARY  # recurrent product and logits; inputs are a table
    convolutions = sum(
        2 * width * 64 * maps * (LENGTH - width + 1) for width, maps in zip(PAPER_WIDTHS, PAPER_MAPS, strict=True)
    )
    highway = 2 * 2 * sum(PAPER_MAPS) ** 2
    steps = ROLLOUTS * BATCH * (LENGTH - 1) * (LENGTH - 2) / 2 + BATCH * LENGTH
    scored = BATCH * ROLLOUTS * (LENGTH - 1) + BATCH
    return {
        "rollouts": steps * step,
        "reward": steps * step + scored * (convolutions + highway),
        "sample_10000": 10_000 * LENGTH * step,
        "likelihood_epoch": 3 * 10_000 * LENGTH * step,
        "discriminator_epoch": 3 * 20_000 * (convolutions + highway),
    }


def likelihood_batch(generator: Generator, optimizer: torch.optim.Optimizer, tokens: Tensor, mask: Tensor) -> None:
    """One update of maximum likelihood."""
    optimizer.zero_grad(set_to_none=True)
    negative_log_likelihood(generator.log_probs(tokens), mask).backward()
    nn.utils.clip_grad_norm_(generator.parameters(), 5.0)
    optimizer.step()


def plain_likelihood_batch(generator: Recurrent, optimizer: torch.optim.Optimizer, tokens: Tensor) -> None:
    """The same with all logits at once."""
    optimizer.zero_grad(set_to_none=True)
    logits = generator.logits(tokens)
    nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten()).backward()
    nn.utils.clip_grad_norm_(generator.parameters(), 5.0)
    optimizer.step()


@torch.no_grad()
def lower_precision(generator: Generator, discriminator: Convolutional, tokens: Tensor, stream: Stream) -> Figures:
    """What `--run.precision bfloat16` does to the discriminator's part of a reward: its time and its error."""
    completed = complete(generator, tokens, 4, stream)
    mask, lengths = torch.ones_like(completed, dtype=torch.bool), range(1, LENGTH)

    def probabilities() -> Tensor:
        return discriminator.completion_scores(completed, mask, lengths).float().sigmoid()

    def rounded() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return probabilities()

    exact, rough = probabilities(), rounded()
    return {
        "float32": seconds(probabilities, 1),
        "bfloat16": seconds(rounded, 1),
        "mean_error": float((rough - exact).abs().mean()),
        "largest_error": float((rough - exact).abs().max()),
        "spread": float(exact.std()),
    }


def measured(quick: bool) -> dict[str, Figures]:
    """Ours, plain and floor of every piece."""
    generator = LSTM().build(VOCABULARY, 0, None, generator_for(0, "generator"))
    discriminator = CNN().build(VOCABULARY, LENGTH, generator_for(0, "discriminator"))
    if not isinstance(generator, Recurrent) or not isinstance(discriminator, Convolutional):
        raise TypeError("the paper's setting is an LSTM and a CNN")
    plain = PlainDiscriminator(discriminator)
    stream = Stream(generator_for(0, "samples"))
    tokens = generator.sample(BATCH, LENGTH, random=stream).tokens
    mask = torch.ones_like(tokens, dtype=torch.bool)
    share = 16 if quick else 4  # a turn of the plain loop is over fewer roll-outs, times as many
    batches, epoch = 5, 157
    adam = torch.optim.Adam(generator.parameters(), 0.0, fused=True)
    judge = torch.optim.Adam(discriminator.parameters(), 0.0, fused=True)
    critic = torch.optim.Adam(plain.parameters(), 0.0)
    both = torch.cat([tokens[:32], torch.randint(VOCABULARY, (32, LENGTH))])

    def tell_apart(network: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad(set_to_none=True)
        scores = network(both)
        discriminator_loss(scores[:32], scores[32:]).backward()
        optimizer.step()

    work: dict[str, tuple[Callable[[], object], Callable[[], object], float, float]] = {
        "rollouts": (
            lambda: complete(generator, tokens, ROLLOUTS, stream),
            lambda: plain_rollouts(generator, tokens, ROLLOUTS // share),
            1.0,
            share,
        ),
        "reward": (
            lambda: rollout_rewards(generator, discriminator, tokens, mask, ROLLOUTS, stream),
            lambda: plain_reward(generator, plain, tokens, ROLLOUTS // share),
            1.0,
            share,
        ),
        "sample_10000": (
            lambda: generator.sample(1000, LENGTH, random=stream),
            lambda: [plain_sample(generator, BATCH) for _ in range(batches)],
            10.0,
            10_000 / BATCH / batches,
        ),
        "likelihood_epoch": (
            lambda: [likelihood_batch(generator, adam, tokens, mask) for _ in range(batches)],
            lambda: [plain_likelihood_batch(generator, adam, tokens) for _ in range(batches)],
            epoch / batches,
            epoch / batches,
        ),
        "discriminator_epoch": (
            lambda: [tell_apart(lambda given: discriminator.scores(given, mask), judge) for _ in range(batches)],
            lambda: [tell_apart(plain, critic) for _ in range(batches)],
            20_000 / BATCH / batches,
            20_000 / BATCH / batches,
        ),
    }
    hardware = machine()
    found = {}
    for name, (ours, textbook, times, plain_times) in work.items():
        measurements = in_turns(ours, textbook)
        ratios = [plain_times * b / (times * a) for a, b in zip(*measurements, strict=True)]
        found[name] = {
            "ours": times * median(measurements[0]),
            "plain": plain_times * median(measurements[1]),
            "ratio": median(ratios),
            "lowest_ratio": min(ratios),
            "highest_ratio": max(ratios),
            "floor": flops()[name] / hardware["gflops"] / 1e9,
        }
        print(f"{name:20} " + "  ".join(f"{label} {value:.2f}" for label, value in found[name].items()), flush=True)
    rounding = lower_precision(generator, discriminator, tokens, stream)
    print("scores of 4 roll-outs: " + ", ".join(f"{name} {value:.4g}" for name, value in rounding.items()))
    return {"machine": hardware, **found, "precision": rounding}


def main() -> None:
    """Measure on each number of threads and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true", help="a quarter as much of the plain loop")
    arguments = parser.parse_args()
    results = {}
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        print(f"threads: {threads} (CPU seconds)")
        results[str(threads)] = measured(arguments.quick)
    RESULTS.parent.mkdir(exist_ok=True)
    facts = {"torch": torch.__version__, "processor": platform.processor() or platform.machine(), "threads": results}
    RESULTS.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
