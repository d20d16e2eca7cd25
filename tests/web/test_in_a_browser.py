"""The studio in a real browser: views without a word on the console, the keyboard, refreshes, `kill -9` in between.

Mutants killed: an inline style or script (the policy speaks on the console), keys without listeners, innerHTML for
items, answers kept in the page.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from seqgans.web.store import Item, Store

from .conftest import HOSTILE, Served
from .test_live import append, growing

Serve = Callable[..., Served]


def answered(page: Any, done: int) -> None:
    """Waits until a judge's page shows so many answers (strings of JavaScript are forbidden)."""
    page.get_by_text(f"{done} of 12 answered", exact=True).wait_for()


def test_judging_by_keyboard_with_a_refresh_in_between(
    page: Any, serve: Serve, store: Store, judged: list[Item], tmp_path: Path
):
    store.begin(judged)
    token = store.add_judge("ann").token
    served = serve(tmp_path, store.path)
    page.goto(f"{served.root}/judge/{token}")
    seen = []
    for done in range(12):
        answered(page, done)
        seen.append(page.locator("#item").inner_text())
        if done == 5:
            page.reload()
            answered(page, 5)
            assert page.locator("#item").inner_text() == seen[-1]
        page.keyboard.press("r" if done % 2 else "g")
    page.wait_for_selector(".thanks")
    assert sorted(seen) == sorted(item.shown["text"] for item in judged)
    assert page.title() == "Real or generated?"  # markup in items was not run
    said = {answer.shown["text"]: answer.is_real for answer in store.answers()}
    assert [said[text] for text in seen] == [bool(done % 2) for done in range(12)]
    page.keyboard.press("b")
    page.wait_for_selector("#real[aria-pressed=true]")
    page.keyboard.press("g")
    page.wait_for_selector(".thanks")
    assert not {answer.shown["text"]: answer.is_real for answer in store.answers()}[seen[-1]]


def test_killed_and_started_again_with_no_answer_lost(
    page: Any, serve: Serve, store: Store, judged: list[Item], tmp_path: Path
):
    store.begin(judged)
    token = store.add_judge("ann").token
    served = serve(tmp_path, store.path)
    page.goto(f"{served.root}/judge/{token}")
    page.wait_for_selector("#item .text")
    for done in range(1, 5):
        page.keyboard.press("r")
        answered(page, done)
    served.kill()
    assert len(store.answers()) == 4
    again = serve(tmp_path, store.path, int(served.root.rpartition(":")[2]))
    assert again.root == served.root
    page.keyboard.press("g")  # the page was open all the while
    answered(page, 5)
    page.reload()
    answered(page, 5)
    assert [answer.is_real for answer in store.answers()] == [True] * 4 + [False]


def test_fifty_judges_while_the_server_is_killed(serve: Serve, store: Store, judged: list[Item], tmp_path: Path):
    """What was confirmed to a judge is in the file, whenever the server dies."""
    store.begin(judged)
    tokens = [store.add_judge(f"judge {number}").token for number in range(50)]
    served = serve(tmp_path, store.path)
    confirmed: list[tuple[str, str]] = []

    def judge(token: str) -> None:
        connection = HTTPConnection(served.root.removeprefix("http://"), timeout=120)
        try:
            while (item := asked(connection, f"/judge/{token}/item")["item"]) is not None:
                asked(connection, f"/judge/{token}/answer", {"item": item["id"], "real": True})
                confirmed.append((token, item["id"]))
                if len(confirmed) > 150:
                    served.process.kill()
        except (ConnectionError, HTTPException):
            assert len(confirmed) > 150  # not before it was killed
        finally:
            connection.close()

    def asked(connection: HTTPConnection, path: str, sent: Any = None) -> Any:
        headers = {"origin": served.root, "content-type": "application/json"}
        connection.request("GET" if sent is None else "POST", path, sent and json.dumps(sent), headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        assert response.status == 200, found
        return found

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(judge, tokens))
    served.kill()
    assert len(confirmed) > 150
    with sqlite3.connect(store.path) as connection:
        kept = set(connection.execute("SELECT judge, item FROM answers"))
    connection.close()
    assert set(confirmed) <= kept


def test_the_admin_sets_up_hands_out_links_and_sees_scores(page: Any, serve: Serve, runs: Path, tmp_path: Path):
    store = Store(tmp_path / "turing.sqlite")
    served = serve(runs, store.path)
    page.goto(served.link)
    assert "key=" not in page.url
    page.goto(f"{served.root}/turing")
    page.get_by_label("text/seqgan").check()
    page.get_by_label("Items of each source").fill("400")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.locator("#items", has_text="so there are").wait_for()
    real = store.sources()["real"]
    assert store.sources() == {"real": real, "text/seqgan": real}
    said = page.locator("#items").inner_text()
    assert f"Drawn with seed 0 at temperature 1. One source has no more than {real}" in said
    assert f"{real} of each source instead of 400" in said
    page.reload()
    page.locator("#items", has_text="so there are").wait_for()
    assert page.locator("#items").inner_text() == said
    page.get_by_role("button", name="Draw anew").click()
    page.get_by_label("text/seqgan").check()
    page.get_by_label("Items of each source").fill("3")
    page.get_by_role("button", name="Draw", exact=True).click()
    page.locator("#items", has_text="Items: 3 real, 3 text/seqgan.").wait_for()
    page.get_by_label("Name").fill(f"ann {HOSTILE}")
    page.get_by_role("button", name="Add a judge").click()
    link = page.locator("#judges code").inner_text()
    token = link.rpartition("/")[2]
    while (item := store.item_for(token)) is not None:
        store.answer(token, item["id"], item["place"] < 4, 1.0)
    page.wait_for_selector("#table tr")
    assert page.locator("#table tr").count() == 2
    assert page.locator("#anew").is_hidden()  # somebody has answered
    assert page.title() == "Turing test"
    assert "<script>" in page.locator("#judges th").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="All answers as CSV").click()
    assert download.value.path().read_text().count("\n") == 7


def test_an_error_of_an_action_outlives_the_polls(browser: Any, serve: Serve, runs: Path, tmp_path: Path):
    served = serve(runs, tmp_path / "turing.sqlite")
    page = browser.new_page()  # not the fixture: a refusal is told on its console
    page.goto(served.link)
    page.goto(f"{served.root}/turing")
    page.get_by_label("text/seqgan").check()
    page.get_by_label("tunes").check()
    page.get_by_label("Items of each source").fill("3")
    page.get_by_role("button", name="Draw", exact=True).click()
    trouble = page.locator("#trouble", has_text="text/seqgan learnt from")
    trouble.wait_for()
    for _ in range(2):
        page.wait_for_event("requestfinished", lambda request: request.url.endswith("/turing/state"))
        page.wait_for_timeout(200)  # milliseconds: what a poll that succeeded does
        assert trouble.is_visible()
    page.get_by_label("tunes").uncheck()
    page.get_by_role("button", name="Draw", exact=True).click()
    page.locator("#judging").wait_for()
    trouble.wait_for(state="hidden")
    page.close()


def test_a_run_is_watched_as_it_grows(page: Any, serve: Serve, tmp_path: Path):
    run = growing(tmp_path / "runs" / "new")
    served = serve(tmp_path / "runs", tmp_path / "turing.sqlite")
    page.goto(served.link)
    page.wait_for_selector("#curves svg[data-dots]")
    assert page.locator("#texts .sample").inner_text() == f"sample 3 {HOSTILE}"
    page.locator("#curves svg[data-dots]").first.focus()
    page.keyboard.press("ArrowRight")
    assert "update 1" in page.locator("#reading").inner_text()
    append(run, 4)
    page.locator("#stage", has_text="update 4").wait_for()
    page.locator("#when").focus()
    page.keyboard.press("ArrowLeft")
    assert "update 3" in page.locator("#stage").inner_text()
    growing(tmp_path / "runs" / "newer")
    page.locator("[data-run=newer]").click()
    page.locator("#name", has_text="newer").wait_for()
    assert page.title() == "Live"


def test_two_runs_side_by_side_and_what_else_could_have_stood_there(
    page: Any, serve: Serve, runs: Path, tmp_path: Path
):
    served = serve(runs, tmp_path / "turing.sqlite")
    page.goto(served.link)
    page.goto(f"{served.root}/play")
    page.wait_for_selector("#checkpoint-0 option", state="attached")
    page.locator("#run-0").select_option("text/seqgan")
    page.locator("#run-1").select_option("tunes")
    page.get_by_role("button", name="Write").click()
    page.wait_for_selector("#columns.two svg.roll")
    assert page.locator("#colour").input_value() == "probability"  # the tunes have no discriminator
    assert "tunes: this run has no discriminator" in page.locator("#bare").inner_text()
    boxes = page.locator("svg.roll").evaluate_all("rolls => rolls.map(roll => roll.getAttribute('viewBox'))")
    assert len(boxes) == 3
    assert len(set(boxes)) == 1  # one scale
    named = page.locator(".pitches").first.locator("span").all_inner_texts()
    assert named
    assert set(named) <= {f"C{octave}" for octave in range(1, 9)}
    line = page.locator(".tokens").first
    line.locator(".token").first.focus()
    assert page.locator("#reading li").count() > 1
    page.keyboard.press("ArrowRight")
    assert line.locator(".token").nth(1).evaluate("box => box === document.activeElement")
    assert page.locator("[class*=shade-]").count() > 7
    page.locator("button.play").first.click()
    page.wait_for_selector(".note.now")
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Prompt").fill("the cat")
    page.locator("#run-1").select_option("")
    page.get_by_role("button", name="Another seed").click()
    page.wait_for_selector(".token.given")
    labels = page.locator(".tokens").first.locator(".token")
    assert "given" in labels.first.get_attribute("aria-label")
    assert "drawn with" not in labels.first.get_attribute("aria-label")
    assert "drawn with" in labels.nth(2).get_attribute("aria-label")
    assert page.locator("#colour").input_value() == "score"  # as before the tunes
    assert page.locator("#bare").is_hidden()
    prompt = page.get_by_label("Prompt")
    prompt.fill("the cat sleeps")
    prompt.evaluate("field => field.setSelectionRange(5, 6)")
    page.get_by_role("button", name="Blank the selection").click()
    assert prompt.input_value() == "the _ sleeps"
    assert page.locator("#sides").inner_text() == "read: what stands before a blank"
    page.get_by_role("button", name="Write").click()
    page.locator(".tokens").first.locator(".token.given").nth(2).wait_for()  # two words and the end
    assert "sleeps" in page.locator(".tokens").first.inner_text()
    assert page.title() == "Play"
