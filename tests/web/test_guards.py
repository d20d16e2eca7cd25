"""Requests that are refused, and headers that every answer has.

Mutants killed: `in` instead of equality of hosts, an Origin that may be missing, a length that is believed, errors
without headers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seqgans.web.guards import LARGEST
from seqgans.web.store import Item, Store

from .conftest import HERE


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8642", "evil.example:127.0.0.1", "127.0.0.2", ""]
)
def test_other_names_for_this_machine_are_refused(client: Any, host: str):
    assert client.get("/judge/x", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8642", "localhost:9"])
def test_our_own_names_are_not(client: Any, host: str):
    assert client.get("/static/studio.css", headers={"host": host}).status_code == 200


@pytest.fixture
def link(store: Store, judged: list[Item]) -> str:
    store.begin(judged)
    return f"/judge/{store.add_judge('ann').token}/answer"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:8642", ""])
def test_forms_of_other_sites_are_refused(client: Any, link: str, origin: str):
    assert client.post(link, json={}, headers={"origin": origin}).status_code == 403


def test_without_an_origin_the_browser_must_say_that_it_is_ours(client: Any, link: str):
    del client.headers["origin"]
    assert client.post(link, json={}).status_code == 403
    assert client.post(link, json={}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post(link, json={}, headers={"sec-fetch-site": "same-origin"}).status_code == 400
    assert client.post(link, json={}, headers={"origin": HERE}).status_code == 400


def test_only_json_of_moderate_size(client: Any, link: str):
    assert client.post(link, data={"item": "x"}).status_code == 415
    assert client.post(link, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    json = {"content-type": "application/json"}
    assert client.post(link, content=b"{", headers=json).status_code == 400
    assert client.post(link, content=b"[" * 60_000, headers=json).status_code == 400
    assert client.post(link, content=b" " * (LARGEST + 1), headers=json).status_code == 413
    assert client.post(link, content=b"{}", headers={**json, "content-length": "-1"}).status_code == 413


def test_a_length_that_is_not_told_is_measured(client: Any, link: str):
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    response = client.post(link, content=endless(), headers={"content-type": "application/json"})
    assert response.status_code == 413


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client: Any, method: str):
    assert client.request(method, "/turing").status_code == 405


@pytest.mark.parametrize("path", ["/judge/x", "/static/judge.js", "/nowhere", "/turing", "/judge/x/item"])
def test_every_answer_is_hardened(client: Any, path: str):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert client.get(path, headers={"host": "evil.example"}).headers["content-security-policy"] == policy
