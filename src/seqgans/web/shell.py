"""Pages, the files they load, and who may see what."""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from seqgans.errors import BadInput

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

Given = Mapping[str, Any]
Handler = Callable[["Request", Given], Any]
"""From a request and the JSON that was sent to a page (str), to JSON (dict), or to a whole response."""
Kind = TypeVar("Kind", int, float, str, bool)

LARGEST = 1e300  # beyond which a whole number is no float
VIEWS = {"/live": "Live", "/play": "Play", "/turing": "Turing test"}
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
PLACES = {"page.css": "seqgans.report", "page.js": "seqgans.report"}  # the rest lies in static/
NAMES = ("studio.css", "judge.js", "turing.js", "live.js", "play.js", "roll.js", "common.js", "icon.svg", *PLACES)
ENTRY = "open the link that the studio printed when it was started"


class Absent(BadInput):
    """There is nothing of that name."""


def route(path: str, handler: Handler, method: str = "GET", key: str | None = None) -> Route:
    """A handler at a path.

    Args:
        path: with parts in braces, which the request then has as `path_params`.
        handler: runs in a thread of its own, so that it may wait for a disk or a network.
        method: GET or POST.
        key: the admin's, who alone may come here; None for everybody.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    async def endpoint(request: Request) -> Response:
        if key is not None and not is_admin(request, key):
            return HTMLResponse(notice("Not for everybody", f"To see this, {ENTRY}."), 403)
        try:
            given = sent(await request.body()) if method == "POST" else {}
            found = await run_in_threadpool(handler, request, given)
        except Absent as error:
            return JSONResponse({"error": str(error)}, 404)
        except BadInput as error:
            return JSONResponse({"error": str(error)}, 400)
        if isinstance(found, Response):
            return found
        return HTMLResponse(found) if isinstance(found, str) else JSONResponse(found)

    return Route(path, endpoint, methods=[method])


def sent(body: bytes) -> dict[str, Any]:
    """The JSON object that a request holds.

    Raises:
        BadInput: it holds something else, or text that is none: half of a surrogate pair, which nothing can write down.
    """
    try:
        found = json.loads(body)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadInput("a request must hold text, but half of a surrogate pair is none") from error
    except (ValueError, RecursionError) as error:
        raise BadInput("a request must hold a JSON object") from error
    if not isinstance(found, dict):
        raise BadInput("a request must hold a JSON object")
    return found


def asked(given: Given, name: str, kind: type[Kind], default: Kind | None = None) -> Kind:
    """A value of a request.

    Args:
        given: what was sent.
        name: of the value.
        kind: what it must be; a whole number is a number too.
        default: where it is missing; None where it must be there.

    Raises:
        BadInput: it is missing or something else.
    """
    value: Any = given.get(name, default)
    if kind is float and type(value) is int:
        value = float(value) if abs(value) < LARGEST else math.inf
    if type(value) is not kind:
        raise BadInput(f"{name} must be {'a text' if kind is str else kind.__name__}, got {type(value).__name__}")
    return value


def cookie_of(request: Request) -> str:
    """The name of our cookie; browsers do not tell ports apart, we do."""
    return f"studio-{request.url.port or 80}"


def is_admin(request: Request, key: str) -> bool:
    """Whether a request comes from who started the studio."""
    return hmac.compare_digest(request.cookies.get(cookie_of(request), "").encode(), key.encode())


def entrance(key: str) -> Route:
    """The printed link: exchanges the key for a cookie, so that it stands in no further address."""
    from starlette.responses import HTMLResponse, RedirectResponse

    def enter(request: Request, _: Given) -> Any:
        if not hmac.compare_digest(request.query_params.get("key", "").encode(), key.encode()):
            return HTMLResponse(notice("This link is too old", f"To come in, {ENTRY} last."), 403)
        response = RedirectResponse("/live", 303)
        response.set_cookie(cookie_of(request), key, httponly=True, samesite="strict", path="/")
        return response

    return route("/enter", enter)


def statics() -> Route:
    """The scripts and styles: those that are listed, nothing else of the disk."""
    from starlette.responses import Response

    def file(request: Request, _: Given) -> Response:
        name = request.path_params["name"]
        if name not in NAMES:
            raise Absent("there is no such file")
        return Response(content_of(name), media_type=TYPES[name.rpartition(".")[2]])

    return route("/static/{name}", file)


@cache
def content_of(name: str) -> str:
    """The text of a listed file."""
    folder = files(PLACES[name]) if name in PLACES else files("seqgans.web") / "static"
    return folder.joinpath(name).read_text(encoding="utf-8")


@cache
def body(name: str) -> str:
    """What stands in a view's page, which the server does not change."""
    return (files("seqgans.web") / "pages" / name).read_text(encoding="utf-8")


def document(title: str, content: str, scripts: Sequence[str] = (), view: str | None = None) -> str:
    """A whole page.

    Args:
        title: its name.
        content: HTML, whatever is not ours escaped.
        scripts: names of files.
        view: path of the view that this is, for the menu; None for a page without one.
    """
    loaded = "".join(f'<script src="/static/{name}" defer></script>' for name in scripts)
    here = ' aria-current="page"'
    links = "".join(f'<a href="{path}"{here if path == view else ""}>{name}</a>' for path, name in VIEWS.items())
    menu = f'<nav aria-label="Views"><b>seqgans studio</b>{links}</nav>' if view is not None else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/page.css">'
        f'<link rel="stylesheet" href="/static/studio.css">{loaded}</head>\n<body>{menu}<main>{content}</main>'
        '<output id="reading" hidden></output><p id="trouble" role="alert" hidden></p></body></html>\n'
    )


def notice(title: str, words: str) -> str:
    """A page that says one thing."""
    return document(title, f"<h1>{escape(title)}</h1><p>{escape(words)}</p>")
