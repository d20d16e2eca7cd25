"""Runs in progress: what their events say so far, asked for again and again by the page."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgans.web.heavy import load_heavy
from seqgans.web.runs import MOST, SETTINGS, Runs
from seqgans.web.shell import Given, body, document, route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

EVENTS = "events.jsonl"
TAIL = 1 << 20  # bytes at the end of the events in which the last line stands
SILENT = 300.0  # seconds without an event after which a run may have been stopped
RUNNING, FINISHED, FAILED, QUIET, STARTING = "running", "finished", "failed", "silent", "starting"


def live_routes(runs: Runs, key: str) -> list[Route]:
    """The page, the list of runs, and one of them."""

    def page(request: Request, _: Given) -> str:
        return document("Live", body("live.html"), ("common.js", "roll.js", "page.js", "live.js"), "/live")

    def listed(request: Request, _: Given) -> dict[str, Any]:
        return {"runs": [{"name": name, **summary(path)} for name, path in runs.found().items()]}

    def one(request: Request, _: Given) -> dict[str, Any]:
        path = runs.path(request.query_params.get("name", ""))
        version = version_of(path)
        if request.query_params.get("seen") == version:
            return {"version": version}
        return {"version": version, **so_far(path)}

    return [
        route("/live", page, key=key),
        route("/live/runs", listed, key=key),
        route("/live/run", one, key=key),
    ]


def version_of(path: Path, name: str = EVENTS) -> str:
    """Changes whenever something was added to a file of a run."""
    try:
        found = (path / name).stat()
    except OSError:
        return "0"
    return f"{found.st_size}-{found.st_mtime_ns}"


def summary(path: Path) -> dict[str, Any]:
    """A run in one line: what it is, how far it is, whether it still goes on."""
    settings = settings_of(path, version_of(path, SETTINGS))
    algorithm, corpus, run = (part_of(settings, name) for name in ("algorithm", "corpus", "run"))
    line = last_line(path, version_of(path))
    return {
        "algorithm": str(algorithm.get("name", "")),
        "corpus": str(corpus.get("spec", "")),
        "seed": run.get("seed"),
        "step": line.get("step", 0),
        "round": line.get("round", 0),
        "rounds": algorithm.get("rounds"),
        "state": state_of(path, line),
    }


@lru_cache(MOST)
def settings_of(path: Path, version: str) -> dict[str, Any]:
    """What settings.yaml holds in this version; nothing where it cannot be read (it may be about to be written)."""
    import yaml

    try:
        found = yaml.safe_load((path / SETTINGS).read_bytes())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def part_of(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings of one part."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


@lru_cache(MOST)
def last_line(path: Path, version: str) -> dict[str, Any]:
    """The last whole event in this version; nothing where there is none yet."""
    try:
        with (path / EVENTS).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return {}
    if not lines:
        return {}
    try:
        found = json.loads(lines[-1])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def state_of(path: Path, line: dict[str, Any]) -> str:
    """Whether a run goes on."""
    if line.get("kind") == "failed":
        return FAILED
    if (path / "report.json").is_file():
        return FINISHED
    if not line:
        return STARTING
    try:
        quiet = time.time() - (path / EVENTS).stat().st_mtime
    except OSError:
        return STARTING
    return QUIET if quiet > SILENT else RUNNING


def so_far(path: Path) -> dict[str, Any]:
    """Everything the page shows of a run; charts and findings as HTML, whose texts are escaped."""
    load_heavy()
    from seqgans.report.sections import findings_section, learning_section, training_section
    from seqgans.training.folder import RunFolder

    events = RunFolder(path).events()
    about = summary(path)
    findings = [event for event in events if event["kind"] == "finding"]
    system = {"name": about["algorithm"], "runs": [{"seed": about["seed"], "events": events, "findings": findings}]}
    return {
        **about,
        "findings": findings_section([system], alone=True),
        "curves": learning_section([system], ()),
        "training": training_section(events),
        "samples": samples_of(events),
        "music": music_in(path),
    }


def samples_of(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was written at each evaluation."""
    return [
        {
            "step": event.get("step", 0),
            "round": event.get("round", 0),
            "stage": str(event.get("stage", "")),
            "texts": [str(text) for text in event.get("samples", ())],
        }
        for event in events
        if event["kind"] == "evaluation"
    ]


def music_in(path: Path) -> list[str] | None:
    """The names of notes by their key, where a run writes tunes; None where it does not."""
    try:
        vocabulary = json.loads((path / "vocabulary.json").read_bytes())
    except (OSError, ValueError):
        return None
    return list(vocabulary["symbols"]) if isinstance(vocabulary, dict) and vocabulary.get("kind") == "notes" else None
