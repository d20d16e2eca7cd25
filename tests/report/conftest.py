"""What the tests of pages share: a comparison, a run, and a reader that parses a page strictly."""

from __future__ import annotations

import importlib.util
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Elements, text and attributes of a page; fails where a tag is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def count(self, tag: str, **attributes: str) -> int:
        """Elements of a kind with these attributes (class_ for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return sum(
            1 for kind, has in self.elements if kind == tag and all(has.get(name) == wanted[name] for name in wanted)
        )

    def text(self) -> str:
        """What is read, without style and script."""
        return "".join(text for tag, text in self.texts if tag not in ("style", "script"))

    def within(self, tag: str) -> list[str]:
        """Text directly inside elements of a kind."""
        return [text for kind, text in self.texts if kind == tag]


@pytest.fixture(scope="session")
def crafted() -> ModuleType:
    """The module beside this one that makes comparisons and runs."""
    spec = importlib.util.spec_from_file_location("crafted", Path(__file__).with_name("crafted.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def comparison(crafted: ModuleType) -> dict[str, Any]:
    """A comparison of four systems with three seeds each."""
    return crafted.comparison()


@pytest.fixture
def parse() -> type[Page]:
    """From the text of a page to its elements."""
    return Page
