"""Charts as SVG: drawn here, so that they are there without any script; `page.js` adds what one reads by hovering."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from seqgans.report.figures import number

WIDTH, HEIGHT = 360, 250  # the units of the drawing; it scales with the page
LEFT, RIGHT, TOP, BOTTOM = 50, 10, 10, 40
MARKED = 40  # points beyond which a line is drawn without marks, but for rings
HUES = 8  # colours of the palette, and shapes of the marks


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A point of a line.

    Attributes:
        x: place along the horizontal axis.
        y: place along the vertical axis.
        read: what one reads when hovering over it.
        ring: drawn larger, with a ring.
        around: corners of an area around it.
    """

    x: float
    y: float
    read: str
    ring: bool = False
    around: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points joined in their order.

    Attributes:
        name: whose they are.
        hue: number of its colour and mark.
        dots: the points.
        thin: drawn faintly, without marks (one of several seeds).
    """

    name: str
    hue: int
    dots: Sequence[Dot]
    thin: bool = False


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A direction of a chart.

    Attributes:
        name: what is written beside it.
        low: its first value.
        high: its last value.
        reversed: larger values stand nearer to the origin.
    """

    name: str
    low: float
    high: float
    reversed: bool = False

    def share(self, value: float) -> float:
        """Where a value stands between both ends, 0 to 1 within them."""
        share = (value - self.low) / (self.high - self.low)
        return 1 - share if self.reversed else share

    def ticks(self, most: int = 5) -> list[float]:
        """Round values between both ends, at most about `most`."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [tick * step for tick in range(first, last + 1)]

    def written(self, tick: float) -> str:
        """A tick for people, with the digits that tell it from its neighbours."""
        ticks = self.ticks()
        step = ticks[1] - ticks[0] if len(ticks) > 1 else abs(tick) or 1.0
        if max(map(abs, ticks)) >= 10_000:
            return f"{tick / 1000:g}k"
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        if abs(step * 10**digits - round(step * 10**digits)) > 1e-6:
            digits += 1  # steps of 0.25
        return f"{tick:.{digits}f}".replace("-", "−")


def axis(name: str, values: Sequence[float], reversed: bool = False) -> Axis:
    """An axis that holds all values with a little room."""
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    spread = high - low if high - low > 1e-9 * size else 0.0  # a constant with rounding errors is a constant
    room = spread * 0.06 or size * 0.05 or 1.0
    return Axis(name=name, low=low - room, high=high + room, reversed=reversed)


def chart(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], *, hint: str = "", about: str = "", outside: Sequence[str] = ()
) -> str:
    """A figure element with a caption and the drawing.

    Args:
        title: the caption, which is also what a screen reader says.
        x: horizontal axis.
        y: vertical axis.
        lines: what is drawn, the last above the others; what lies outside the axes is cut off.
        hint: words below the caption on how to read it.
        about: shown when pointing at the caption.
        outside: lines on what is cut off: the first below the caption, further ones folded up below the drawing.
    """
    thin_first = sorted(lines, key=lambda line: not line.thin)
    dots = [
        [*place(dot, x, y), line.hue, line.name, dot.read]
        for line in thin_first
        for dot in line.dots
        if 0 <= x.share(dot.x) <= 1 and 0 <= y.share(dot.y) <= 1
    ]
    said = f"{title}: {y.name} against {x.name}. {len(lines)} lines, {len(dots)} points; arrow keys read them."
    inside = f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT - TOP - BOTTOM}"'
    return "".join(
        (
            f'<figure class="chart"><figcaption title="{escape(about)}">{escape(title)}',
            *(f"<small>{escape(words)}</small>" for words in (hint, *outside[:1]) if words),
            "</figcaption>",
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" aria-label="{escape(said)}" ',
            f'data-dots="{escape(json.dumps(dots, ensure_ascii=False))}">',
            *frame(x, y, named=y.name != title),
            f'<svg {inside} viewBox="{LEFT} {TOP} {WIDTH - LEFT - RIGHT} {HEIGHT - TOP - BOTTOM}">',
            *(drawn(line, x, y) for line in thin_first),
            "</svg>",
            '<circle class="cursor" r="7" cx="-20" cy="-20"/></svg>',
            folded(outside),
            "</figure>",
        )
    )


def folded(lines: Sequence[str]) -> str:
    """All lines but the first, to be unfolded; empty where there is one at most."""
    each = "".join(f"<li>{escape(line)}</li>" for line in lines[1:])
    return f"<details><summary>{escape(lines[0])}: which</summary><ul>{each}</ul></details>" if each else ""


def frame(x: Axis, y: Axis, named: bool) -> list[str]:
    """Grid, ticks and the names of the axes, that of the vertical one where it is not the caption."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for tick in y.ticks():
        height = round(bottom - y.share(tick) * (bottom - TOP), 1)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{height}" y2="{height}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 7}" y="{height + 4}" text-anchor="end">{y.written(tick)}</text>')
    for tick in x.ticks():
        across = round(LEFT + x.share(tick) * (right - LEFT), 1)
        parts.append(f'<line class="grid" x1="{across}" x2="{across}" y1="{TOP}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{across}" y="{bottom + 16}" text-anchor="middle">{x.written(tick)}</text>')
    middle = (TOP + bottom) / 2
    parts.append(
        f'<text class="name" x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.name)}</text>'
    )
    if named:
        parts.append(
            f'<text class="name" x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">'
            f"{escape(y.name)}</text>"
        )
    return parts


def drawn(line: Line, x: Axis, y: Axis) -> str:
    """A line and its marks, in its colour."""
    places = [place(dot, x, y) for dot in line.dots]
    corners = " ".join(f"{across},{height}" for across, height in places)
    hue = line.hue % HUES
    dashed = " dashed" if line.hue >= HUES else ""
    group = f'<g class="hue hue-{hue} system-{line.hue}{dashed}{" thin" if line.thin else ""}">'
    marks = (
        mark(hue, across, height, 5.2 if dot.ring else 3.0, dot.ring)
        for dot, (across, height) in zip(line.dots, places, strict=True)
        if len(line.dots) == 1 or (not line.thin and (dot.ring or len(line.dots) <= MARKED))
    )
    areas = (f'<polygon class="area" points="{outline(dot, x, y)}"/>' for dot in line.dots if dot.around)
    return f'{group}{"".join(areas)}<polyline points="{corners}"/>{"".join(marks)}</g>'


def place(dot: Dot, x: Axis, y: Axis) -> tuple[float, float]:
    """Where a dot stands in the drawing."""
    return placed(dot.x, dot.y, x, y)


def placed(across: float, up: float, x: Axis, y: Axis) -> tuple[float, float]:
    """Where a pair of values stands in the drawing."""
    return (
        round(LEFT + x.share(across) * (WIDTH - LEFT - RIGHT), 1),
        round(HEIGHT - BOTTOM - y.share(up) * (HEIGHT - TOP - BOTTOM), 1),
    )


def outline(dot: Dot, x: Axis, y: Axis) -> str:
    """The corners of the area around a dot, in the drawing."""
    return " ".join("{:g},{:g}".format(*placed(*corner, x, y)) for corner in dot.around)


def mark(hue: int, across: float, height: float, size: float, ring: bool = False) -> str:
    """The mark of a colour: its shape tells lines apart where colours do not."""
    kind = "mark ring" if ring else "mark"
    if hue == 0:
        return f'<circle class="{kind}" cx="{across:g}" cy="{height:g}" r="{size:g}"/>'
    corners = [
        (across + size * reach * math.sin(turn), height - size * reach * math.cos(turn)) for turn, reach in SHAPES[hue]
    ]
    points = " ".join(f"{one:.1f},{other:.1f}" for one, other in corners)
    return f'<polygon class="{kind}" points="{points}"/>'


def star(corners: int, turn: float = 0.0, inner: float | None = None) -> list[tuple[float, float]]:
    """Directions and reaches of the corners of a regular polygon, or of a star with an inner radius."""
    count = corners * (2 if inner is not None else 1)
    reach = [1.25, inner if inner is not None else 1.25]
    return [(turn + 2 * math.pi * corner / count, reach[corner % 2]) for corner in range(count)]


SHAPES = {
    1: star(4, math.pi / 4),  # square
    2: star(3),  # triangle
    3: star(4),  # diamond
    4: star(3, math.pi),  # triangle that points down
    5: star(4, 0.0, 0.45),  # star of four
    6: star(6),  # hexagon
    7: star(5, 0.0, 0.55),  # star of five
}


def legend(names: Mapping[int, str]) -> str:
    """Names by the number of their colour, with mark; each can be switched off and on."""
    keys = "".join(
        f'<button type="button" class="key hue hue-{hue % HUES}" data-system="{hue}" aria-pressed="true">'
        f'<svg viewBox="0 0 28 14" aria-hidden="true"><polyline points="1,7 27,7"/>'
        f"{mark(hue % HUES, 14.0, 7.0, 4.5)}</svg>{escape(name)}</button>"
        for hue, name in names.items()
    )
    return f'<div class="legend" role="group" aria-label="Lines; press to hide or show">{keys}</div>'


def reading(name: str, value: float) -> str:
    """A figure's name and value as one reads them when hovering."""
    return f"{name} {number(value)}"
