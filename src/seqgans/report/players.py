"""The curves of both players as one picture, and the answers of a fine-tuning as a section of the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from seqgans.report.sections import section

Plain = Mapping[str, Any]

HEADS = ("round", "prompt", "answer", "score", "reward", "kl")
GENERATOR = ("reward", "generator.reward")
DISCRIMINATOR = ("discriminator.loss", "discriminator.accuracy")


def curve(events: Sequence[Plain], name: str) -> tuple[list[int], list[float]]:
    """Rounds and values of a figure of the game."""
    found = [
        (line["round"], line["figures"][name])
        for line in events
        if line.get("kind") == "gathering" and line.get("round") and name in line.get("figures", {})
    ]
    return [round for round, _ in found], [float(value) for _, value in found]


def curves_png(events: Sequence[Plain], title: str) -> bytes | None:
    """Reward of the generator with its spread, and loss and accuracy of the discriminator, over rounds.

    Args:
        events: lines of events.jsonl.
        title: of the picture.

    Returns:
        A PNG; None where matplotlib is not installed or there is no game to draw.
    """
    rounds, rewards = curve(events, "reward")
    judged, losses = curve(events, "discriminator.loss")
    if not rounds and not judged:
        return None
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(rounds, rewards, color="C0", label="reward")
    spread = curve(events, "reward_spread")[1]
    if len(spread) == len(rewards):
        low, high = ([value + sign * width for value, width in zip(rewards, spread, strict=True)] for sign in (-1, 1))
        above.fill_between(rounds, low, high, color="C0", alpha=0.2, linewidth=0, label="± deviation over the batch")
    above.set_ylabel("generator: reward")
    above.set_title(title)
    above.legend(loc="best", fontsize="small")
    below.plot(judged, losses, color="C1", label="loss")
    below.set_ylabel("discriminator: loss, nats")
    below.set_xlabel("round")
    beside = below.twinx()
    beside.plot(*curve(events, "discriminator.accuracy"), color="C2", linewidth=1, label="accuracy (right)")
    beside.set_ylim(0, 1.02)
    lines = [*below.get_lines(), *beside.get_lines()]
    below.legend(lines, [str(line.get_label()) for line in lines], loc="best", fontsize="small")
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def completions_section(rows: Sequence[Plain]) -> str:
    """Answers of some rounds: prompt, answer, score, reward, divergence."""
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    body = "".join(f"<tr>{''.join(cell(row.get(head)) for head in HEADS)}</tr>" for row in rows)
    inner = (
        '<div class="wide" tabindex="0" role="region" aria-label="Answers"><table class="figures"><thead><tr>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    about = "What the discriminator said (score, a logit), what it was worth (reward), nats away from the reference."
    return section("completions", "Answers", inner, about)


def cell(value: Any) -> str:
    """A cell; whatever was written is text and never markup."""
    if value is None:
        return '<td class="missing">–</td>'
    text = f"{value:.3f}" if isinstance(value, float) else escape(str(value))
    return f'<td dir="auto">{text}</td>'
