"""The Turing test: pages of judges, who see items and nothing else, and of who set it up, who sees all."""

from __future__ import annotations

import math
import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from unicodedata import category

from seqgans.errors import BadInput
from seqgans.web.heavy import load_heavy
from seqgans.web.items import draw_items
from seqgans.web.runs import Runs
from seqgans.web.shell import Absent, Given, asked, body, document, notice, route
from seqgans.web.store import Judge, Store

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

LONGEST_NAME = 80
UNPRINTABLE = ("Cc", "Zl", "Zp")  # control characters, and what breaks a line
LONGEST_LOOK = 3600.0  # seconds; whoever took longer was away


def turing_routes(runs: Runs, store: Store, key: str) -> list[Route]:
    """Where judges judge, and where their answers are looked at."""
    drawing = threading.Lock()

    def judge_of(request: Request) -> Judge:
        judge = store.judge(request.path_params["token"])
        if judge is None:
            raise Absent("there is no such link")
        return judge

    def page(request: Request, _: Given) -> Any:
        from starlette.responses import HTMLResponse

        if store.judge(request.path_params["token"]) is None:
            return HTMLResponse(notice("No such link", "Ask whoever sent it to you for a new one."), 404)
        return document("Real or generated?", body("judge.html"), ("common.js", "roll.js", "judge.js"))

    def item(request: Request, _: Given) -> dict[str, Any]:
        place = request.query_params.get("place")
        if place is not None and not (place.isdecimal() and len(place) < 8):
            raise BadInput("place must be a number from 0 on")
        judge = judge_of(request)
        return seen(judge, None if place is None else int(place))

    def seen(judge: Judge, place: int | None = None) -> dict[str, Any]:
        return {"done": judge.done, "of": judge.of, "item": store.item_for(judge.token, place)}

    def answer(request: Request, given: Given) -> dict[str, Any]:
        token = judge_of(request).token
        seconds = asked(given, "seconds", float, 0.0)
        if not math.isfinite(seconds):
            raise BadInput("seconds must be a finite number")
        store.answer(token, asked(given, "item", str), asked(given, "real", bool), min(max(seconds, 0.0), LONGEST_LOOK))
        return seen(judge_of(request))

    def admin(request: Request, _: Given) -> str:
        return document("Turing test", body("turing.html"), ("common.js", "turing.js"), "/turing")

    def state(request: Request, _: Given) -> dict[str, Any]:
        load_heavy()
        from seqgans.web.scores import agreement, scores_of

        sources, answers = store.sources(), store.answers()
        return {
            "runs": list(dict.fromkeys([*runs.found(), *runs.files])),
            "sources": sources,
            "draw": store.told(),
            "judges": [
                {"name": judge.name, "link": f"/judge/{judge.token}", "done": judge.done, "of": judge.of}
                for judge in store.judges()
            ],
            "scores": [asdict(score) for score in scores_of(answers, list(sources))],
            "answers": len(answers),
            "agreement": agreement(answers),
        }

    def draw(request: Request, given: Given) -> dict[str, Any]:
        names = given.get("runs")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadInput("runs must be a list of names")
        anew = asked(given, "anew", bool, False)
        with drawing:
            if anew or not store.sources():
                count, seed = asked(given, "count", int, 20), asked(given, "seed", int, 0)
                chosen, files = runs.sources(list(dict.fromkeys(names)))
                temperature = asked(given, "temperature", float, 1.0)
                drawn = draw_items(chosen, count, seed, temperature, files)
                told = {"asked": count, "seed": seed, "temperature": temperature, "left_out": drawn.left_out}
                store.begin(drawn.items, anew, told)
        return state(request, given)

    def add(request: Request, given: Given) -> dict[str, Any]:
        name = asked(given, "name", str).strip()
        if not 1 <= len(name) <= LONGEST_NAME:
            raise BadInput(f"a name must have 1 to {LONGEST_NAME} characters, got {len(name)}")
        if any(category(letter) in UNPRINTABLE for letter in name):
            raise BadInput("a name must be one line of letters, got a control character; type it anew")
        store.add_judge(name)
        return state(request, given)

    def download(request: Request, _: Given) -> Any:
        from starlette.responses import Response

        load_heavy()
        from seqgans.web.scores import answers_csv

        headers = {"content-disposition": 'attachment; filename="answers.csv"'}
        return Response(answers_csv(store.answers()), media_type="text/csv; charset=utf-8", headers=headers)

    return [
        route("/judge/{token}", page),
        route("/judge/{token}/item", item),
        route("/judge/{token}/answer", answer, "POST"),
        route("/turing", admin, key=key),
        route("/turing/state", state, key=key),
        route("/turing/draw", draw, "POST", key=key),
        route("/turing/judges", add, "POST", key=key),
        route("/turing/answers.csv", download, key=key),
    ]
