"""How the cost of a SeqGAN reward grows with length, vocabulary, roll-outs and batch.

    python benchmarks/growth.py

One axis at a time around length 20, vocabulary 5000, 16 roll-outs, batch 64; CPU seconds on one thread of drawing the
roll-outs and of the whole reward with a CNN of six widths. Writes benchmarks/results/growth.json and growth.svg.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import torch

from seqgans.discriminators.convolutional import CNN
from seqgans.generators.recurrent import LSTM
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.rollouts import complete, rollout_rewards

CENTRE = {"length": 20, "vocabulary": 5000, "rollouts": 16, "batch": 64}
AXES = {
    "length": (10, 20, 40),
    "vocabulary": (500, 1000, 5000, 20000),
    "rollouts": (2, 4, 8, 16, 32),
    "batch": (16, 32, 64, 128),
}
RESULTS = Path(__file__).parent / "results"


def cost(length: int, vocabulary: int, rollouts: int, batch: int) -> tuple[float, float]:
    """CPU seconds of the roll-outs and of the whole reward."""
    generator = LSTM().build(vocabulary, 0, None, generator_for(0, "generator"))
    discriminator = CNN(widths=(1, 2, 3, 4, 5, 6), maps=(64,) * 6).build(
        vocabulary, length, generator_for(0, "discriminator")
    )
    stream = Stream(generator_for(0, "samples"))
    tokens = generator.sample(batch, length, random=stream).tokens
    mask = torch.ones_like(tokens, dtype=torch.bool)
    began = time.process_time()
    complete(generator, tokens, rollouts, stream)
    drawn = time.process_time()
    rollout_rewards(generator, discriminator, tokens, mask, rollouts, stream)
    return drawn - began, time.process_time() - drawn


def plot(rows: dict[str, list[dict[str, float]]]) -> str:
    """Four small charts on logarithmic axes as one SVG."""
    import math

    width, height, gap = 220, 150, 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {4 * (width + gap)} {height + 70}" '
        'font-family="sans-serif" font-size="11">'
    ]
    seconds = [row[name] for points in rows.values() for row in points for name in ("rollouts_s", "reward_s")]
    low, high = math.log(min(seconds)), math.log(max(seconds))
    for index, (axis, points) in enumerate(rows.items()):
        left = index * (width + gap) + gap
        logs = [math.log(row["value"]) for row in points]
        parts.append(f'<text x="{left}" y="14" font-weight="bold">{axis}</text>')
        for name, colour in (("rollouts_s", "#0072B2"), ("reward_s", "#D55E00")):
            places = []
            for row, across in zip(points, logs, strict=True):
                x = left + (across - logs[0]) / (logs[-1] - logs[0]) * (width - 30)
                y = 30 + height - (math.log(row[name]) - low) / (high - low) * height
                places.append((x, y))
                parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>')
                parts.append(f'<text x="{x + 4:.0f}" y="{y - 4:.0f}" fill="{colour}">{row[name]:.2g}</text>')
            line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        for row, across in zip(points, logs, strict=True):
            x = left + (across - logs[0]) / (logs[-1] - logs[0]) * (width - 30)
            parts.append(f'<text x="{x:.0f}" y="{height + 50}" text-anchor="middle">{row["value"]:g}</text>')
    legend = "CPU seconds; blue: drawing the roll-outs, orange: the whole reward"
    parts.append(f'<text x="{gap}" y="{height + 66}">{legend}</text></svg>')
    return "\n".join(parts)


def main() -> None:
    """Measure every point, print a table, write JSON and SVG."""
    torch.set_num_threads(1)
    cost(**{**CENTRE, "batch": 8})
    rows: dict[str, list[dict[str, float]]] = {}
    print("| axis | value | roll-outs, s | reward, s |\n| --- | ---: | ---: | ---: |")
    for axis, values in AXES.items():
        rows[axis] = []
        for value in values:
            drawn, whole = cost(**{**CENTRE, axis: value})
            rows[axis].append({"value": value, "rollouts_s": drawn, "reward_s": whole})
            print(f"| {axis} | {value} | {drawn:.2f} | {whole:.2f} |", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "growth.json").write_text(json.dumps({"centre": CENTRE, "axes": rows}, indent=1) + "\n")
    (RESULTS / "growth.svg").write_text(plot(rows) + "\n")


if __name__ == "__main__":
    main()
