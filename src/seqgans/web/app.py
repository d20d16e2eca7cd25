"""The studio as one ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqgans.errors import BadInput
from seqgans.web.guards import Application, Guard
from seqgans.web.live import live_routes
from seqgans.web.play import play_routes
from seqgans.web.runs import Runs
from seqgans.web.shell import Given, entrance, route, statics
from seqgans.web.store import Store
from seqgans.web.turing import turing_routes

if TYPE_CHECKING:
    from starlette.requests import Request


def application(runs: Runs, store: Store, key: str) -> Application:
    """Everything the studio answers.

    Args:
        runs: what there is to look at.
        store: the Turing test's.
        key: lets in who started the studio; judges come by links of their own.

    Raises:
        BadInput: the extra [studio] is not installed.
    """
    try:  # not by `optional_package`, which would load torch: the studio is there at once, judges need no networks
        from starlette.applications import Starlette
        from starlette.responses import RedirectResponse
    except ImportError as error:
        raise BadInput("the studio needs the packages starlette and uvicorn: pip install 'seqgans[studio]'") from error

    def home(request: Request, _: Given) -> Any:
        return RedirectResponse("/live", 303)

    views = [*live_routes(runs, key), *play_routes(runs, key), *turing_routes(runs, store, key)]
    return Guard(Starlette(routes=[route("/", home), entrance(key), statics(), *views]))  # pyright: ignore
