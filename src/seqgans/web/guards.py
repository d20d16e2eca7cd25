"""Which requests are answered at all, and what a browser may do with the answers. One layer around everything.

- the Host must be this machine's own name, or a page elsewhere could reach us under its own (DNS rebinding);
- what changes something must be a POST of JSON from our own pages (no cross-site forgery), and small;
- pages load scripts and styles from here alone, run none that stand inside the page, and are framed by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost")
LARGEST = 64 * 1024  # bytes of a request's body
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",  # links of judges and of the admin are secrets
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """An ASGI application that hands on only what it should.

    Args:
        inner: the application.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.inner(scope, receive, send)
            return  # no web sockets here
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        wrong = refused(scope["method"], headers)
        body = b""
        if wrong is None and scope["method"] == "POST":
            found = await whole(receive)
            wrong = (413, f"a request must be at most {LARGEST} bytes") if found is None else None
            body = found or b""
        if wrong is not None:
            await refuse(send, *wrong)
            return
        await self.inner(scope, again(body, receive), hardened(send))


def refused(method: str, headers: dict[str, str]) -> tuple[int, str] | None:
    """Why a request is not answered, as status and words; None where it is."""
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
        return 421, "the studio answers on 127.0.0.1 alone"
    if method in ("GET", "HEAD"):
        return None
    if method != "POST":
        return 405, "only GET and POST are known here"
    if "origin" in headers:
        ours = headers["origin"] == f"http://{host}"
    else:
        ours = headers.get("sec-fetch-site") == "same-origin"
    if not ours:
        return 403, "changes are made from the studio's own pages alone"
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return 415, "a request must be JSON"
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > LARGEST:
        return 413, f"a request must be at most {LARGEST} bytes"
    return None


async def whole(receive: Receive) -> bytes | None:
    """The body of a request, whatever it claims its length to be; None where it is too long."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, to be read once more."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receiving() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return receiving


def hardened(send: Send) -> Send:
    """Answers with the headers that every one of them has."""
    extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0].decode().lower() not in HEADERS]
            message = {**message, "headers": [*kept, *extra]}
        await send(message)

    return sending


async def refuse(send: Send, status: int, words: str) -> None:
    """A short answer, after which the connection is closed: what else was sent is not read."""
    body = json.dumps({"error": words}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    sending = hardened(send)
    await sending({"type": "http.response.start", "status": status, "headers": headers})
    await sending({"type": "http.response.body", "body": body})
