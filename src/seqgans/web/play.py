"""Sampling by hand: what a run writes, token by token, beside another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgans.errors import BadInput
from seqgans.web.heavy import load_heavy
from seqgans.web.runs import Runs
from seqgans.web.shell import Given, asked, body, document, route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from seqgans.verbs.loading import LoadedRun

CHECKPOINTS = ("latest", "best", "pretrained")
LONGEST = 20_000  # characters of a prompt
HELD = 3  # runs kept in memory


class Shelf:
    """The runs that were asked for last, in memory; one thread at a time computes with them."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.lock = threading.Lock()
        self.held: OrderedDict[tuple[Path, str, int], LoadedRun] = OrderedDict()

    def run(self, name: str, checkpoint: str) -> LoadedRun:
        """A run as its checkpoint stands now.

        Raises:
            BadInput: there is no such run or checkpoint, or it is damaged.
        """
        load_heavy()
        from seqgans.verbs.loading import load_run

        path = self.runs.path(name)
        if checkpoint not in CHECKPOINTS:
            raise BadInput(f"checkpoint must be one of: {', '.join(CHECKPOINTS)}")
        key = (path, checkpoint, latest_change(path))
        if key not in self.held:
            self.held[key] = load_run(path, checkpoint)
            while len(self.held) > HELD:
                self.held.popitem(last=False)
        self.held.move_to_end(key)
        return self.held[key]


def latest_change(path: Path) -> int:
    """When a run's checkpoints last changed, in nanoseconds."""
    folder = path / "checkpoints"
    try:
        return max(found.stat().st_mtime_ns for found in (folder, *folder.iterdir()))
    except OSError:
        return 0


def names_of(path: Path) -> list[str]:
    """The checkpoints that can be asked for."""
    folder = path / "checkpoints"
    numbered = ["latest"] if any(folder.glob("step-*")) else []
    return [*numbered, *(name for name in CHECKPOINTS[1:] if (folder / name).is_dir())]


def play_routes(runs: Runs, key: str) -> list[Route]:
    """The page, what can be asked of a run, and what it writes."""
    shelf = Shelf(runs)

    def page(request: Request, _: Given) -> str:
        return document("Play", body("play.html"), ("common.js", "roll.js", "play.js"), "/play")

    def listed(request: Request, _: Given) -> dict[str, Any]:
        found = {name: names_of(path) for name, path in runs.found().items()}
        return {"runs": [{"name": name, "checkpoints": names} for name, names in found.items() if names]}

    def about(request: Request, _: Given) -> dict[str, Any]:
        load_heavy()
        from seqgans.verbs.fill import reads_both_sides

        name = request.query_params.get("name", "")
        names = names_of(runs.path(name))
        with shelf.lock:
            run = shelf.run(name, names[0] if names else "latest")
        return {
            "categories": list(run.corpus.categories),
            "answers": bool(run.corpus.source_width),
            "length": run.corpus.length,
            "kind": run.corpus.vocabulary.kind,
            "both": reads_both_sides(run),
            "discriminator": run.recipe.discriminator is not None,
        }

    def write(request: Request, given: Given) -> dict[str, Any]:
        load_heavy()
        from seqgans.web.readings import Wish, written

        prompt, category = asked(given, "prompt", str, ""), asked(given, "category", str, "")
        if len(prompt) > LONGEST:
            raise BadInput(f"a prompt must have at most {LONGEST} characters, got {len(prompt)}")
        wish = Wish(
            prompt=prompt,
            fill=asked(given, "fill", bool, False),
            category=category or None,
            count=asked(given, "count", int, 3),
            temperature=asked(given, "temperature", float, 1.0),
            top_k=asked(given, "top_k", int, 0),
            top_p=asked(given, "top_p", float, 1.0),
            seed=asked(given, "seed", int, 0),
        )
        with shelf.lock:
            run = shelf.run(asked(given, "run", str), asked(given, "checkpoint", str, "latest"))
            judged = run.recipe.discriminator is not None
            return {"sequences": written(run, wish), "step": run.recipe.corpus_settings.step, "judged": judged}

    return [
        route("/play", page, key=key),
        route("/play/runs", listed, key=key),
        route("/play/run", about, key=key),
        route("/play/draw", write, "POST", key=key),
    ]
