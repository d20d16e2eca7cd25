"""A comparison and a run such as the verbs make them, small, with text that tries to break out of the page."""

from __future__ import annotations

import math
from typing import Any

HOSTILE = '</script><script>alert("1")</script><img src=x onerror=alert(2)> & \'quoted\' "twice"'


def evaluation(step: int, stage: str, round: int, gathering: int, figures: dict[str, float]) -> dict[str, Any]:
    return {
        "kind": "evaluation",
        "stage": stage,
        "step": step,
        "round": round,
        "gathering": gathering,
        "phase": "likelihood" if stage == "pretraining" else "",
        "figures": {name: {"mean": value, "error": 0.01} for name, value in figures.items()},
        "samples": [],
    }


def at(progress: float, seed: int, slope: float) -> dict[str, float]:
    wave = 0.015 * math.sin(7 * progress + 3 * seed)
    return {
        "nll_oracle": 4.9 - slope * progress + wave + 0.02 * seed,
        "nll_gen_test": 4.6 + 0.1 * progress * slope + wave,
        "nll_div": 4.3 - 0.2 * slope * progress - wave,
        "reverse_kl_per_token": 0.6 - slope * progress * 0.5 + wave / 3,
        "jsd": 0.31 - 0.1 * slope * progress + wave / 5,
    }


def events(seed: int, slope: float) -> list[dict[str, Any]]:
    lines = []
    for epoch in range(5, 45, 5):
        early = {name: value + 3 * math.exp(-epoch / 6) for name, value in at(0, seed, slope).items()}
        lines.append(evaluation(epoch * 20, "pretraining", 0, epoch, early))
    lines.append(evaluation(800, "pretrained", 0, 0, at(0, seed, slope)))
    for round in range(1, 41):
        step = 800 + 16 * round
        entropy, reward = 4.3 - 0.02 * round, 0.2 + 0.004 * round
        accuracy = 0.7 + 0.002 * round + 0.03 * math.sin(round)
        lines.append(
            {
                "kind": "gathering",
                "phase": "generator",
                "step": step - 15,
                "round": round,
                "gathering": 1,
                "figures": {"reward": reward, "entropy": entropy, "generator.loss": -reward * 3},
            }
        )
        lines.append(
            {
                "kind": "gathering",
                "phase": "discriminator",
                "step": step,
                "round": round,
                "gathering": 1,
                "figures": {"discriminator.loss": 0.5 - 0.004 * round, "discriminator.accuracy": accuracy},
            }
        )
        if round % 5 == 0 and round < 40:
            lines.append(evaluation(step, "game", round, 0, at(round / 40, seed, slope)))
    lines.append(evaluation(1440, "final", 40, 0, at(1, seed, slope)))
    return lines


def sweep(offset: float) -> list[dict[str, float]]:
    rows = []
    for inverse in (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0):
        rows.append(
            {
                "temperature": 1 / inverse,
                "nll_oracle": 4.0 + 0.9 / inverse**1.5 + offset,
                "nll_gen": 4.3 + offset + 0.9 * (inverse - 0.95) ** 2 + (3.0 if inverse == 3.0 else 0.0),
            }
        )
    return rows


def finding() -> dict[str, Any]:
    return {
        "kind": "finding",
        "step": 1200,
        "detector": "mode collapse",
        "saw": "the entropy of samples fell from 4.1 to 1.9 nats per token since the game began",
        "try": "a lower generator rate, fewer generator steps a round, more roll-outs or a baseline",
    }


def comparison() -> dict[str, Any]:
    systems = []
    for name, slope in (("likelihood", 0.0), ("seqgan", 0.32), ("seqgan-shuffled", 0.05), ("leakgan", 0.2)):
        runs = [
            {
                "path": f"runs/{name}-{seed}",
                "seed": seed,
                "algorithm": name.partition("-")[0],
                "events": [line for line in events(seed, slope) if line["kind"] == "evaluation"],
                "findings": [finding()] if name == "leakgan" and seed == 1 else [],
                "sweep": sweep(-0.2 * slope + 0.01 * (seed - 1)),
            }
            for seed in range(3)
        ]
        last = [at(1, seed, slope) for seed in range(3)]
        means = {key: sum(one[key] for one in last) / 3 for key in last[0]}
        ps = {"likelihood": None, "seqgan": 0.0004, "seqgan-shuffled": 0.41, "leakgan": 0.03}
        figures = {
            key: {
                "mean": value,
                "spread": 0.012 + 0.01 * slope,
                "n": 3,
                "p": ps[name],
                "better": None if key == "nll_div" else "lower",
            }
            for key, value in means.items()
        }
        samples = [
            {
                "text": "we will not rest until every child can go to school",
                "nearest": "we will not rest until every american can go to a good school",
                "similarity": 10 / 12,
                "copy": False,
            },
            {
                "text": "thank you and god bless",
                "nearest": "thank you and god bless",
                "similarity": 1.0,
                "copy": True,
                "times": 3,
            },
            {"text": HOSTILE, "nearest": "the question is not whether", "similarity": 0.0, "copy": False},
            {"text": "春眠不觉晓", "nearest": "春眠不知晓", "similarity": 0.8, "copy": False},
        ]
        systems.append(
            {"name": name, "runs": runs, "figures": figures, "sweep": sweep(-0.2 * slope), "samples": samples}
        )
    return {
        "title": "SeqGAN, LeakGAN and a control against maximum likelihood",
        "corpus": "oracle",
        "seeds": [0, 1, 2],
        "commands": ["seqgans compare runs/likelihood-* runs/seqgan-* runs/leakgan-* --out page.html"],
        "notes": ["p-values: paired t-test over seeds, corrected by Holm."],
        "baseline": "likelihood",
        "systems": systems,
        "planes": [
            {
                "x": "nll_oracle",
                "y": "nll_gen",
                "areas": {"seqgan": -0.041, "seqgan-shuffled": 0.002, "leakgan": None},
                "matched": {
                    "seqgan": {"quality": 4.9, "diversity": 4.205, "baseline": 4.302},
                    "seqgan-shuffled": None,
                    "leakgan": None,
                },
            }
        ],
        "differences": {
            "algorithm.rounds": {"seqgan": 40, "seqgan-shuffled": 40, "leakgan": 20},
            "algorithm.shuffled": {"seqgan": False, "seqgan-shuffled": True},
            "generator.name": {"likelihood": "lstm", "seqgan": "lstm", "seqgan-shuffled": "lstm", "leakgan": "leaking"},
        },
        "figures_order": ["nll_oracle", "nll_gen_test", "nll_div", "reverse_kl_per_token", "jsd"],
    }


def run() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    lines = events(0, 0.32)
    stages = {line["stage"]: line["figures"] for line in lines if line["kind"] == "evaluation"}
    report = {
        "algorithm": "seqgan",
        "corpus": "oracle",
        "seed": 0,
        "evaluations": {stage: figures for stage, figures in stages.items() if stage != "game"},
        "sweeps": {"pretrained": sweep(0.0), "final": sweep(-0.06)},
        "samples": ["12 7 33 21 5 90 14", HOSTILE, ""],
        "findings": [finding()],
        "cpu_seconds": {
            "likelihood": 31.2,
            "discriminator pre-training": 12.0,
            "generator": 55.1,
            "discriminator": 80.4,
        },
        "settings": {"algorithm": {"name": "seqgan", "rounds": 40}, "run": {"seed": 0, "best": "auto"}},
        "commands": ["seqgans train seqgan --corpus oracle --out run"],
    }
    return report, lines
