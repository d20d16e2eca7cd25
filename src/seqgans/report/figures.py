"""How figures are written: their names, which direction is better, how many digits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from seqgans.evaluation import METRICS

Direction = Literal["lower", "higher"]

ARROWS: Mapping[str | None, str] = {"lower": "↓", "higher": "↑", None: ""}
SPOKEN: Mapping[str | None, str] = {"lower": "lower is better", "higher": "higher is better", None: ""}
METRIC_OF = {"nll_valid": "nll_gen", "mse": "music_mse"}  # figures that do not begin with the name of their metric
WORDS = {"nll": "NLL", "kl": "KL", "jsd": "JSD", "bleu": "BLEU", "f1": "F1", "mse": "MSE", "lm": "LM"}
WORDS |= {
    "kn": "Kneser-Ney",
    "lstm": "LSTM",
    "fed": "FED",
    "mauve": "MAUVE",
    "minilm": "MiniLM",
    "c2st": "C2ST",
    "embsim": "EmbSim",
}
UNITS = {"_per_token": "nats per token", "_perplexity": "tokens to choose from"}  # of figures whose names end so
MISSING = "–: not measured, or not a number"
LEVELS = (0.05, 0.01, 0.001)  # of p-values, a sign each
SIGNS = {"between-run": "*", "within-run": "†"}  # by the kind of test: over seeds; of samples of one run each
OUTSIDE = "in parentheses the standard error of one run or file"  # beside figures whose ± is over seeds


def written(name: str) -> str:
    """A figure's name for people.

    >>> written("nll_gen_test"), written("real_self_bleu_4"), written("reverse_kl_per_token")
    ('NLL gen test', 'real self-BLEU-4', 'reverse KL per token')
    """
    parts = [WORDS.get(part, part) for part in name.split("_")]
    text = parts[0]
    for part in parts[1:]:
        joined = part.isdigit() or (part == "BLEU" and text.endswith(("self", "backward")))
        text += f"-{part}" if joined else f" {part}"
    return text


def better(name: str) -> Direction | None:
    """Which direction of a figure is better; None where the best value is that of real sequences, or it is unknown.

    >>> better("nll_oracle"), better("bleu_4"), better("self_bleu_4"), better("real_bleu_4")
    ('lower', 'higher', None, None)
    """
    metric = metric_of(name)
    direction = METRICS[metric].better if metric is not None else None
    return direction if direction in ("lower", "higher") else None


def direction_of(name: str, figures: Iterable[Mapping[str, Any] | None]) -> Direction | None:
    """Which direction is better: what the figures of the systems say, else what is known of the name."""
    said = [figure["better"] for figure in figures if figure and "better" in figure]
    if not said:
        return better(name)
    return said[0] if said[0] in ("lower", "higher") else None


def meaning(name: str) -> str:
    """What a figure says, with its unit; empty where that is not known."""
    metric = metric_of(name)
    if metric is None:
        return ""
    found = METRICS[metric]
    unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), found.unit)
    return f"{found.description} ({unit})"


def metric_of(name: str) -> str | None:
    """The metric a figure belongs to: the longest whose name it begins with."""
    found = [METRIC_OF[start] for start in METRIC_OF if begins(name, start)]
    return found[0] if found else max((metric for metric in METRICS if begins(name, metric)), key=len, default=None)


def begins(name: str, start: str) -> bool:
    """Whether a name is `start` or goes on after it with an underscore."""
    return name == start or name.startswith(f"{start}_")


def number(value: float | None, spread: float | None = None) -> str:
    """A number with as many digits as its spread supports, four significant ones without a spread.

    >>> number(9.03712, 0.0213), number(0.5), number(12345.678, 100.0), number(None)
    ('9.037', '0.5000', '12346', '–')
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number")
    if spread is None or not math.isfinite(spread) or round(spread, 6) <= 0:
        spread = abs(value) / 100 or 0.01
    digits = min(6, max(0, 1 - math.floor(math.log10(spread))))
    return f"{value:.{digits}f}"


def error(value: float | None) -> str:
    """A spread or an error with two significant digits; nothing for none, where all values are one.

    >>> error(0.02134), error(None), error(0.0), error(1e-17)
    ('0.021', '', '', '')
    """
    return "" if value is None or not math.isfinite(value) or round(value, 6) <= 0 else number(value, value)


def marks(p: float | None, kind: str | None = None) -> str:
    """Signs of a p-value, one below 0.05, two below 0.01, three below 0.001: stars over seeds, daggers within runs.

    >>> marks(0.03), marks(0.2), marks(None), marks(0.0001, "within-run")
    ('*', '', '', '†††')
    """
    sign = SIGNS.get(kind or "", "*")
    return "" if p is None else sign * sum(p < level for level in LEVELS)


def legend_of_marks(systems: Iterable[Mapping[str, Any]], baseline: str | None) -> list[str]:
    """What each kind of sign says, of those that figures can have; with a p-value but no kind it is a star."""
    figures = [figure for system in systems for figure in system.get("figures", {}).values()]
    kinds = {figure.get("kind") for figure in figures if p_of(figure) is not None}
    found = []
    if kinds - {"within-run"}:
        levels = ", ".join(f"{'*' * (place + 1)} p < {level}" for place, level in enumerate(LEVELS))
        found.append(f"{levels} against {baseline}{' over seeds' if 'between-run' in kinds else ''}")
    if "within-run" in kinds:
        levels = ", ".join("†" * (place + 1) for place in range(len(LEVELS)))
        same = "at the same levels" if found else f"p < {', '.join(map(str, LEVELS))}"
        found.append(f"{levels} {same} against {baseline}, of samples of one run each: says nothing of other seeds")
    return found


def is_of_samples(figure: Any) -> bool:
    """Whether the ± of a figure is a standard error of samples, not the deviation over seeds."""
    return isinstance(figure, Mapping) and figure.get("spread") is None and bool(error(spread_of(figure)))


def probability(p: float) -> str:
    """A p-value for people."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def shown_of(figure: Any) -> float | None:
    """The number of a figure as it is shown, infinite ones too: an oracle rules out what it never writes."""
    value = figure.get("mean") if isinstance(figure, Mapping) else figure
    return float(value) if isinstance(value, (int, float)) else None


def mean_of(figure: Any) -> float | None:
    """The number of a figure, which is a mapping with its mean or a plain number; None where that is not finite."""
    value = shown_of(figure)
    return value if value is not None and math.isfinite(value) else None


def spread_of(figure: Any) -> float | None:
    """Its spread over seeds or, of a single run, its standard error."""
    if not isinstance(figure, Mapping):
        return None
    spread = figure.get("error") if figure.get("spread") is None else figure["spread"]
    return None if spread is None else float(spread)


def p_of(figure: Any) -> float | None:
    """Its p-value against the baseline, where it has one."""
    p = figure.get("p") if isinstance(figure, Mapping) else None
    return None if p is None else float(p)


def apart(one: Any, other: Any) -> bool:
    """Whether two figures differ by more than twice the error of their difference; errors not known count as 0."""
    first, second = mean_of(one), mean_of(other)
    if first is None or second is None:
        return False
    errors = [spread_of(figure) or 0.0 for figure in (one, other)]
    return abs(first - second) > 2 * math.hypot(*errors)


def ordered(mappings: Iterable[Mapping[str, Any]], order: Iterable[str] = ()) -> list[str]:
    """The names of all figures: those of `order` that occur, else all in the order of first appearance."""
    found = list(dict.fromkeys(name for mapping in mappings for name in mapping))
    wanted = [name for name in order if name in found]
    return wanted or found


def best_of(figures: Mapping[str, Any], direction: str | None, seeds: bool) -> str | None:
    """Whose figure is best; None without a direction, where fewer than two have one, or of other numbers of samples.

    Args:
        figures: by system.
        direction: "lower" or "higher".
        seeds: whether they are means over seeds. Of single runs one is best only where sampling again would not
            turn it: apart from all others.
    """
    known = {name: value for name, figure in figures.items() if (value := mean_of(figure)) is not None}
    if direction not in ("lower", "higher") or len(known) < 2:
        return None
    sizes = {figure["samples"] for figure in figures.values() if isinstance(figure, Mapping) and "samples" in figure}
    if len(sizes) > 1:
        return None
    best = (min if direction == "lower" else max)(known, key=lambda name: known[name])
    sure = all(apart(figures[best], figures[name]) for name in known if name != best)
    return best if seeds or sure else None


def over_seeds(systems: Iterable[Mapping[str, Any]]) -> int:
    """Over how many seeds the figures of systems are means, at most."""
    figures = [figure for system in systems for figure in system.get("figures", {}).values()]
    return max((figure.get("n") or 1 for figure in figures if isinstance(figure, Mapping)), default=1)


def with_errors(system: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The points of a system's sweep, each with its standard errors, empty where none are known."""
    rows = system.get("sweep", ())
    return list(zip(rows, system.get("sweep_errors") or [{}] * len(rows), strict=True))
