"""The sections of a page, each a function from plain values to HTML; empty where there is nothing to show.

Whatever comes from outside goes through `html.escape`: samples may hold markup.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from seqgans.report.charts import HUES, legend
from seqgans.report.figures import (
    ARROWS,
    MISSING,
    OUTSIDE,
    SPOKEN,
    best_of,
    direction_of,
    error,
    is_of_samples,
    legend_of_marks,
    marks,
    meaning,
    number,
    ordered,
    p_of,
    probability,
    shown_of,
    spread_of,
    written,
)
from seqgans.report.learning import curved, learning_curves, phases_of, training_curves

Plain = Mapping[str, Any]

SHOWN_AT_ONCE = 6  # charts; the rest can be unfolded


def section(name: str, title: str, body: str, about: str = "") -> str:
    """A titled part of the page, or nothing where the body is empty. `about` is HTML."""
    if not body:
        return ""
    words = f'<p class="about">{about}</p>' if about else ""
    return f'<section id="{name}"><h2>{escape(title)}</h2>{words}{body}</section>'


def header(title: str, facts: Plain, notes: Sequence[str] = (), commands: Sequence[str] = ()) -> str:
    """Title, facts in a row, notes and the commands that repeat it."""
    chips = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in facts.items()
        if value not in (None, "", [])
    )
    said = "".join(f'<p class="about">{escape(note)}</p>' for note in notes)
    typed = f'<pre class="commands"><code>{escape(chr(10).join(commands))}</code></pre>' if commands else ""
    return f"<header><h1>{escape(title)}</h1>{f'<dl>{chips}</dl>' if chips else ''}{said}{typed}</header>"


def figures_section(systems: Sequence[Plain], baseline: str | None, order: Iterable[str], seeds: bool) -> str:
    """The table of figures: mean ± spread, stars of p-values, the best of each row.

    Args:
        systems: as `report.page` describes them.
        baseline: whom p-values compare with.
        order: figures, rows of the table.
        seeds: whether ± is the deviation over seeds, where there are some; else it is the standard error of one run.
    """
    names = ordered([system.get("figures", {}) for system in systems], order)
    if not names:
        return ""
    heads = "".join(
        f'<th scope="col"><span class="swatch hue-{hue % HUES}"></span>{escape(system["name"])}'
        f"{'<small>baseline</small>' if system['name'] == baseline else ''}</th>"
        for hue, system in enumerate(systems)
    )
    rows = "".join(figure_row(name, systems, baseline, seeds) for name in names)
    told = legend_of_marks(systems, baseline)
    error_is, where = "standard error", " where it is so by more than twice the error of the difference"
    if seeds:
        error_is, where = "standard deviation over seeds", ""
        error_is += f", {OUTSIDE}" if 'class="spread of-samples"' in rows else ""
    about = f"Mean ± {error_is}; the best of a row is marked{where}."
    about += "".join(f" {escape(words)}." for words in told)
    about += f" {MISSING}." if 'class="missing"' in rows else ""
    kind = "figures starred" if told else "figures"
    body = (
        f'<div class="wide" tabindex="0" role="region" aria-label="Figures"><table class="{kind}"><thead><tr>'
        f'<th scope="col">figure</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return section("figures", "Figures", body, about)


def figure_row(name: str, systems: Sequence[Plain], baseline: str | None, seeds: bool) -> str:
    """A figure of all systems."""
    figures = {system["name"]: system.get("figures", {}).get(name) for system in systems}
    direction = direction_of(name, figures.values())
    best = best_of(figures, direction, seeds)
    arrow = f' <abbr title="{SPOKEN[direction]}">{ARROWS[direction]}</abbr>' if direction else ""
    cells = "".join(cell(figure, system == best, baseline, seeds) for system, figure in figures.items())
    return f'<tr><th scope="row" title="{escape(meaning(name))}">{escape(written(name))}{arrow}</th>{cells}</tr>'


def cell(figure: Plain | None, best: bool, baseline: str | None, seeds: bool) -> str:
    """A figure of one system; beside figures over seeds, the standard error of one run or file is in parentheses."""
    value, spread = shown_of(figure), spread_of(figure)
    if figure is None or value is None:
        return '<td class="missing">–</td>'
    p, count = p_of(figure), figure.get("n")
    words = [f"{count} seed{'s' if count > 1 else ''}"] if count else []
    words += [f"of {figure['samples']} samples"] if "samples" in figure else []
    words += [f"{probability(p)} against {baseline}"] if p is not None else []
    width = ""
    if error(spread) and math.isfinite(value):
        aside = seeds and is_of_samples(figure)
        around = f"(± {error(spread)})" if aside else f"± {error(spread)}"
        width = f'<span class="spread{" of-samples" if aside else ""}">{around}</span>'
        words += ["± standard error of its samples"] if aside else []
    stars = f'<span class="stars">{marks(p, figure.get("kind"))}</span>' if p is not None else ""
    title = f' title="{escape("; ".join(words))}"' if words else ""
    text = f'<span class="value"><b>{number(value, spread)}</b>{stars}{width}</span>'
    return f"<td{' class=best' if best else ''}{title}>{text}</td>"


def learning_section(systems: Sequence[Plain], order: Iterable[str]) -> str:
    """The learning curves."""
    charts = learning_curves(systems, order)
    names, once = curved(systems)
    runs = sum(len(system.get("runs", ())) for system in systems)
    many = "Seeds thin, their mean thick. Updates of different systems cost different amounts of time. "
    about = (
        f"{many if runs > 1 else ''}The ring is where the game begins. Heights are those of the game: what lies far "
        "outside during pre-training is cut off."
    )
    about += f" Measured once, at its end, so without a curve: {escape(', '.join(once))}." if once else ""
    body = legend(names) + gallery(charts) if charts else ""
    return section("learning", "Learning curves", body, about)


def training_section(events: Sequence[Plain]) -> str:
    """What the losses and rewards of one run did."""
    charts = training_curves(events)
    body = legend(dict(enumerate(phases_of(events)))) + gallery(charts) if charts else ""
    return section("training", "During training", body, "Means over the updates of each gathering, a line a phase.")


def gallery(charts: Sequence[str]) -> str:
    """Charts side by side, those beyond the first few folded."""
    more = charts[SHOWN_AT_ONCE:]
    first = f'<div class="charts">{"".join(charts[:SHOWN_AT_ONCE])}</div>'
    folded = f'<details><summary>{len(more)} more</summary><div class="charts">{"".join(more)}</div></details>'
    return first + (folded if more else "")


def samples_section(systems: Sequence[Plain]) -> str:
    """Samples, each beside the training line nearest to it."""
    parts = []
    for hue, system in enumerate(systems):
        rows = "".join(sample_row(sample) for sample in system.get("samples", ()))
        if rows:
            parts.append(
                f'<details open><summary><span class="swatch hue-{hue % HUES}"></span>'
                f"{escape(system['name'])}</summary>"
                f'<div class="samples">{rows}</div></details>'
            )
    beside = any(isinstance(sample, Mapping) for system in systems for sample in system.get("samples", ()))
    about = (
        "Left the sample, right the training line nearest to it (longest common subsequence over the longer length, in "
        "tokens); words in common are underlined. Copies are marked, and what a run wrote several times among the (at "
        "most a hundred) samples it kept."
    )
    return section("samples", "Samples", "".join(parts), about if beside else "")


def sample_row(sample: Any) -> str:
    """A sample and its neighbour, or a sample alone."""
    if not isinstance(sample, Mapping):
        return f'<p class="sample alone" dir="auto">{escape(str(sample)) or "<i>empty</i>"}</p>'
    text, nearest = str(sample.get("text", "")), sample.get("nearest")
    copied, times = bool(sample.get("copy")), int(sample.get("times") or 1)
    if nearest is None:
        return f'<p class="sample alone" dir="auto">{escape(text) or "<i>empty</i>"}</p>'
    share = min(1.0, max(0.0, float(sample.get("similarity") or 0.0)))
    badge = "<strong>copy</strong>" if copied else f"{share:.0%}"
    badge += f" <strong>{times} times</strong>" if times > 1 else ""
    kind = f"pair{' copy' if copied else ''}{' again' if times > 1 else ''}"
    return (
        f'<article class="{kind}"><p class="sample" dir="auto">{alike(text, str(nearest))}</p>'
        f'<p class="likeness" title="similarity {share:.2f}"><span class="bar"><i style="width:{share:.0%}"></i></span>'
        f'{badge}</p><p class="sample nearest" dir="auto">{alike(str(nearest), text)}</p></article>'
    )


def alike(text: str, other: str) -> str:
    """A text with the words that the other one holds as well underlined; letters where there are no spaces."""
    spaced = " " in text.strip() or " " in other.strip()
    words, known = (text.split(), set(other.split())) if spaced else (list(text), set(other))
    shown = [f"<u>{escape(word)}</u>" if word in known else escape(word) for word in words]
    return (" " if spaced else "").join(shown) or "<i>empty</i>"


def findings_section(systems: Sequence[Plain], alone: bool = False) -> str:
    """What the detectors said, and whom they did not hear.

    Args:
        systems: as `report.page` describes them.
        alone: there is one run only, which need not be named.
    """
    cards = []
    for hue, system in enumerate(systems):
        for run in system.get("runs", ()):
            for finding in run.get("findings", ()):
                where = "" if alone else f"{system['name']}, seed {run.get('seed', '?')}, "
                cards.append(
                    f'<article class="finding"><h3>{escape(str(finding.get("detector", "")))}</h3><p class="where">'
                    f'<span class="swatch hue-{hue % HUES}"></span>{escape(where)}'
                    f"update {escape(str(finding.get('step', 0)))}</p><p>{escape(str(finding.get('saw', '')))}</p>"
                    f"<p><b>Try:</b> {escape(str(finding.get('try', '')))}</p>"
                    "</article>"
                )
    runs = [(system["name"], run) for system in systems for run in system.get("runs", ())]
    files = [name for name, run in runs if is_file(run)]
    watched = any("findings" in run and not is_file(run) for _, run in runs)
    body = f'<div class="cards">{"".join(cards)}</div>' if cards else '<p class="about">Nothing.</p>' if watched else ""
    if files:
        kind = "a file of samples" if len(files) == 1 else "files of samples"
        body += f'<p class="about">Not looked at: {escape(", ".join(files))} ({kind}).</p>'
    return section("findings", "What the detectors saw", body)


def is_file(run: Plain) -> bool:
    """Whether a run is a file of samples, which nobody watched as it was made."""
    return "algorithm" in run and run["algorithm"] is None


def differences_section(differences: Mapping[str, Plain], systems: Sequence[str]) -> str:
    """Settings that are not the same everywhere."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in systems)
    rows = "".join(
        f'<tr><th scope="row">{setting_name(name)}</th>'
        + "".join(f"<td>{setting(values.get(system))}</td>" for system in systems)
        + "</tr>"
        for name, values in differences.items()
    )
    body = (
        f'<div class="wide" tabindex="0" role="region" aria-label="Settings"><table class="settings"><thead><tr>'
        f'<th scope="col">setting</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return section("differences", "Settings that differ", body if rows else "")


def settings_section(settings: Plain) -> str:
    """All settings of a run, a table a part, folded."""
    parts = []
    for part, values in settings.items():
        pairs = values.items() if isinstance(values, Mapping) else [("", values)]
        rows = "".join(
            f'<tr><th scope="row">{setting_name(str(name))}</th><td>{setting(value)}</td></tr>' for name, value in pairs
        )
        parts.append(f'<details><summary>{escape(str(part))}</summary><table class="settings">{rows}</table></details>')
    return section("settings", "Settings", "".join(parts))


def time_section(seconds: Plain) -> str:
    """Processor time of each phase."""
    most = max(seconds.values(), default=0.0)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{spent:.1f} s</td>'
        f'<td class="bar"><i style="width:{spent / most if most else 0:.0%}"></i></td></tr>'
        for name, spent in seconds.items()
    )
    return section("time", "Processor time", f'<table class="time">{rows}</table>' if rows else "")


def setting_name(name: str) -> str:
    """A setting's name as HTML, which breaks between its words alone.

    >>> setting_name("algorithm.generator_steps")
    '<code>algorithm.<wbr>generator_<wbr>steps</code>'
    """
    return f"<code>{escape(name).replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"


def setting(value: Any) -> str:
    """A setting's value as HTML."""
    if value is None:
        return '<span class="missing">–</span>'
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
