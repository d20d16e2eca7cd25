"""Items, judges, answers in one file.

Mutants killed: an order by row (orders of two judges), ON CONFLICT DO NOTHING (changed answers), an answer without
asking whether the judge was asked, ids that count.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seqgans.errors import BadInput
from seqgans.web.store import Item, Store


def answered(store: Store, token: str, times: int) -> list[str]:
    """Answers the next open items with yes; their ids."""
    found = []
    for _ in range(times):
        item = store.item_for(token)
        assert item is not None
        store.answer(token, item["id"], True, 1.5)
        found.append(item["id"])
    return found


def test_a_judge_sees_every_item_once_and_then_none(store: Store, judged: list[Item]):
    store.begin(judged)
    judge = store.add_judge("ann")
    ids = answered(store, judge.token, judge.of)
    assert len(set(ids)) == len(judged) == judge.of
    assert store.item_for(judge.token) is None
    found = store.judge(judge.token)
    assert found is not None
    assert found.done == found.of


def test_what_a_judge_gets_says_nothing_of_where_it_is_from(store: Store, judged: list[Item]):
    store.begin(judged)
    judge = store.add_judge("ann")
    for place in range(judge.of):
        item = store.item_for(judge.token, place)
        assert item is not None
        assert set(item) == {"text", "id", "place", "answer"}
        assert len(item["id"]) == 16
    assert store.item_for(judge.token, judge.of) is None


def test_orders_are_of_each_judge_alone(store: Store):
    store.begin([Item("real", {"text": str(number)}) for number in range(40)])
    orders = set()
    for name in ("ann", "bob", "cleo"):
        token = store.add_judge(name).token
        shown = [store.item_for(token, place) for place in range(40)]
        orders.add(tuple(item["text"] for item in shown if item is not None))
    assert len(orders) == 3
    assert all(order != tuple(map(str, range(40))) for order in orders)


def test_an_answer_can_be_changed_and_stays_one(store: Store, judged: list[Item]):
    store.begin(judged)
    token = store.add_judge("ann").token
    (first,) = answered(store, token, 1)
    store.answer(token, first, False, 2.0)
    (answer,) = store.answers()
    assert (answer.is_real, answer.seconds, answer.judge) == (False, 3.5, "ann")
    before = store.item_for(token, 0)
    assert before is not None
    assert before["answer"] is False


def test_it_is_all_there_after_opening_anew(tmp_path: Path, judged: list[Item]):
    first = Store(tmp_path / "test.sqlite")
    first.begin(judged)
    token = first.add_judge("ann").token
    ids = answered(first, token, 4)
    second = Store(tmp_path / "test.sqlite")
    assert [answer.item for answer in second.answers()] == ids
    judge = second.judge(token)
    assert judge is not None
    assert (judge.done, judge.of) == (4, 12)


def test_what_cannot_be(store: Store, judged: list[Item], tmp_path: Path):
    with pytest.raises(BadInput, match="draw the items first"):
        store.add_judge("ann")
    store.begin(judged)
    with pytest.raises(BadInput, match="a test already"):
        store.begin(judged)
    token = store.add_judge("ann").token
    with pytest.raises(BadInput, match="another name"):
        store.add_judge("ann")
    with pytest.raises(BadInput, match="not among yours"):
        store.answer(token, "guessed", True, 1.0)
    assert store.judge("guessed") is None
    assert store.item_for("guessed") is None
    (tmp_path / "other").write_text("this is no database, but a text that is long enough to be looked at" * 20)
    with pytest.raises(BadInput, match="choose another --store"):
        Store(tmp_path / "other")


def test_fifty_at_once_lose_nothing(store: Store, judged: list[Item]):
    store.begin(judged)
    tokens = [store.add_judge(f"judge {number}").token for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        given = list(pool.map(lambda token: answered(store, token, 4), tokens))
    kept = {(answer.judge, answer.item) for answer in store.answers()}
    assert kept == {(f"judge {number}", item) for number, items in enumerate(given) for item in items}


def test_the_log_is_written_ahead(store: Store):
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
