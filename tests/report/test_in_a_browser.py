"""Pages in a real browser: on a phone, in the dark, by keyboard alone, without network.

Mutants killed: a table that widens the page, a script that reads nothing out, a key that hides and is not pressed, ink
of one ground on the other, a chart that the tabulator does not reach, a file that is not what its name says.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from seqgans.report.page import comparison_page, run_page

PHONE = {"width": 360, "height": 740}
ACTIVE = "a[href], button, summary, svg[data-dots], .wide"
LEGIBLE = 4.5  # contrast of small text, WCAG 2 AA
CONTRAST = """() => {
  const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => { const [r, g, b] = numbers(colour).map((one) => channel(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (element) => { for (let at = element; at; at = at.parentElement) {
    const found = numbers(getComputedStyle(at).backgroundColor);
    if (found.length === 3 || found[3] > 0) return getComputedStyle(at).backgroundColor; }
    return "rgb(255, 255, 255)"; };
  const found = [];
  for (const element of document.querySelectorAll("main *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || !box.width || element.closest("svg")) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
    const words = element.textContent.trim().slice(0, 40);
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.tagName, words]);
  }
  return found; }"""


@pytest.fixture(params=["comparison", "run"])
def file(request: Any, comparison: dict[str, Any], crafted: ModuleType, tmp_path: Path) -> Path:
    """A page of each kind."""
    path = tmp_path / f"{request.param}.html"
    path.write_text(comparison_page(comparison) if request.param == "comparison" else run_page(*crafted.run()))
    return path


@pytest.mark.parametrize("width", [PHONE["width"], 768, 1280])
def test_no_page_is_wider_than_its_window(page: Any, file: Path, width: int) -> None:
    page.set_viewport_size({**PHONE, "width": width})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "[...document.querySelectorAll('main p, main td, main li')].map((one) => "
        "parseFloat(getComputedStyle(one).fontSize)).filter((size) => size < 12)"
    )
    assert not small


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_that_goes_on_is_shaded_at_its_edge(
    page: Any, comparison: dict[str, Any], tmp_path: Path, scheme: str
) -> None:
    """On a phone, until it is scrolled to its end; a table that is all there has no shade.

    Mutants killed: columns behind an edge that looks like an end; a shade that stays, or that the dark swallows.
    """
    images = pytest.importorskip("PIL.Image", reason="pixels are read with Pillow")
    file = tmp_path / "page.html"
    file.write_text(comparison_page(comparison))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    page.goto(file.as_uri())
    wide = page.locator("#figures .wide")

    def shade() -> int:
        """How much the edge differs from the ground of the table, at a height where nothing is written."""
        picture = images.open(BytesIO(wide.screenshot())).convert("L")
        width, height = picture.size
        edge, ground = (picture.crop((left, height // 3, left + 1, height - 20)) for left in (width - 3, width - 30))
        usual = [max(set(values), key=values.count) for values in (list(edge.tobytes()), list(ground.tobytes()))]
        return abs(usual[0] - usual[1])

    assert shade() > 25
    wide.evaluate("one => { one.scrollLeft = one.scrollWidth; }")
    assert shade() < 3


def test_names_of_settings_are_cut_between_words_alone(page: Any, tmp_path: Path) -> None:
    """On a phone. Kills: a word on two lines, where a column is narrow."""
    names = ["algorithm.discriminator_pretraining_temperature", "generator.name"]
    systems = [{"name": name, "figures": {}} for name in ("one", "two", "three")]
    values = {system["name"]: "a value" for system in systems}
    file = tmp_path / "page.html"
    file.write_text(comparison_page({"systems": systems, "differences": dict.fromkeys(names, values)}))
    page.set_viewport_size(PHONE)
    page.goto(file.as_uri())
    heights = page.evaluate(
        """() => [...document.querySelectorAll("#differences code")].flatMap((code) => [...code.childNodes]
        .filter((node) => node.nodeType === 3).map((node) => { const range = document.createRange();
          range.selectNodeContents(node); return range.getClientRects().length; }))"""
    )
    assert heights
    assert set(heights) == {1}


def test_a_page_asks_for_nothing_else(page: Any, file: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.mouse.wheel(0, 5000)
    assert asked == [file.as_uri()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(page: Any, file: Path, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = page.evaluate(CONTRAST)
    assert len(found) > 20
    assert not [one for one in found if one[0] < LEGIBLE]
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(ground) < 60) == (scheme == "dark")


def test_all_that_does_something_is_reached_by_the_tabulator(page: Any, file: Path) -> None:
    page.goto(file.as_uri())
    wanted = page.locator(ACTIVE).count()
    reached = set()
    for _ in range(3 * wanted + 5):
        page.keyboard.press("Tab")
        number, outline = page.evaluate(
            "(which) => { const at = document.activeElement;"
            " return [[...document.querySelectorAll(which)].indexOf(at), getComputedStyle(at).outlineStyle]; }",
            ACTIVE,
        )
        if number >= 0:
            assert outline != "none"  # the focus can be seen
            reached.add(number)
    assert len(reached) == wanted


def test_a_chart_is_read_out_point_by_point(page: Any, file: Path) -> None:
    page.goto(file.as_uri())
    chart = page.locator("svg[data-dots]").first
    assert chart.get_attribute("aria-label") or chart.locator("title").count()
    dots = json.loads(chart.get_attribute("data-dots"))
    chart.focus()
    reading = page.locator("#reading")
    assert reading.is_hidden()
    seen = []
    for _ in range(len(dots) + 1):
        page.keyboard.press("ArrowRight")
        assert reading.is_visible()
        seen.append(reading.inner_text())
    assert seen[0] == seen[-1]  # once around
    assert len(set(seen)) > 1
    assert all(dot[3] in text and dot[4] in text for dot, text in zip(dots, seen, strict=False))
    page.keyboard.press("ArrowLeft")
    assert reading.inner_text() == seen[-2]
    page.keyboard.press("Escape")
    assert reading.is_hidden()


def test_a_key_hides_its_system_from_eye_and_keyboard(page: Any, comparison: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(comparison_page(comparison))
    page.goto((tmp_path / "page.html").as_uri())
    section = page.locator("section", has=page.locator(".key")).filter(has=page.locator("svg[data-dots]")).first
    key, chart = section.locator(".key").first, section.locator("svg[data-dots]").first
    system = key.get_attribute("data-system")
    line = section.locator(f".system-{system}").first
    assert line.is_visible()
    key.focus()
    page.keyboard.press("Space")
    assert key.get_attribute("aria-pressed") == "false"
    assert not line.is_visible()
    names = {dot[3] for dot in json.loads(chart.get_attribute("data-dots")) if str(dot[2]) == system}
    chart.focus()
    for _ in range(len(json.loads(chart.get_attribute("data-dots")))):
        page.keyboard.press("ArrowRight")
        assert page.locator("#reading b").inner_text() not in names
    key.focus()
    page.keyboard.press("Enter")
    assert key.get_attribute("aria-pressed") == "true"
    assert line.is_visible()


def test_its_data_can_be_kept(page: Any, comparison: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(comparison_page(comparison))
    page.goto((tmp_path / "page.html").as_uri())
    links = page.locator("a[download]")
    assert links.count() >= 2
    for link in links.all():
        with page.expect_download() as waiting:
            link.click()
        kept = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(kept)
        if kept.suffix == ".json":
            assert json.loads(kept.read_text())
        else:
            head, *rows = kept.read_text().splitlines()
            assert rows
            assert all(row.count(",") >= head.count(",") for row in rows)
