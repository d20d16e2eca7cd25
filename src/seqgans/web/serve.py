"""The studio on 127.0.0.1, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from seqgans.errors import BadInput
from seqgans.web.app import application
from seqgans.web.runs import Runs
from seqgans.web.store import Store

HERE = "127.0.0.1"
PORT = 8642
BACKLOG = 2048
STORE = "turing.sqlite"


def studio(
    runs: Sequence[Path | str],
    port: int = PORT,
    store: Path | str = STORE,
    announce: Callable[[str], object] = print,
) -> None:
    """Serve the studio to browsers on this machine, until it is interrupted (Ctrl-C).

    Args:
        runs: folders of runs, folders that hold some, and files of samples for the Turing test beside them.
        port: where it listens, 0 for any that is free.
        store: file of the Turing test's items, judges and answers; made where there is none.
        announce: is told the link that lets in who started it.

    Raises:
        BadInput: a folder is missing, the port is taken, or the extra [studio] is not installed.
    """
    if not 0 <= port <= 65535:
        raise BadInput(f"--port must be from 0 to 65535, got {port}")
    key = secrets.token_urlsafe(18)
    app = application(Runs(runs), Store(store), key)
    import uvicorn

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HERE, port))
        listening.listen(BACKLOG)  # whoever follows the link at once waits until we answer
    except OSError as error:
        listening.close()
        raise BadInput(f"--port {port} cannot be had ({error.strerror}); choose another, or 0 for any") from error
    announce(f"http://{HERE}:{listening.getsockname()[1]}/enter?key={key}")
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none", lifespan="off")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:  # how one leaves
        return
    finally:
        listening.close()
