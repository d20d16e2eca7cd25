"""The Turing test's memory: one SQLite file that any number of judges write to, and that survives `kill -9`.

What is committed is on the disk (write-ahead log, synchronous): an answer is confirmed only after that.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqgans.errors import BadInput

REAL = "real"  # the source of items that nobody generated
PATIENCE = 30.0  # seconds that one writer waits for another
TABLES = """
CREATE TABLE IF NOT EXISTS items (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, shown TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS judges (
    token TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, began REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
    judge TEXT NOT NULL REFERENCES judges, place INTEGER NOT NULL, item TEXT NOT NULL REFERENCES items,
    PRIMARY KEY (judge, place), UNIQUE (judge, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    judge TEXT NOT NULL REFERENCES judges, item TEXT NOT NULL REFERENCES items, is_real INTEGER NOT NULL,
    seconds REAL NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (judge, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draws (
    told TEXT NOT NULL
) STRICT;
"""


@dataclass(frozen=True)
class Item:
    """Something to be judged.

    Attributes:
        source: the run that wrote it, or "real".
        shown: what a judge sees: "text", and "keys" of a melody or the "source" it answers.
    """

    source: str
    shown: dict[str, Any]


@dataclass(frozen=True)
class Judge:
    """Someone who judges.

    Attributes:
        token: the secret part of the link.
        name: for the admin.
        done: items answered.
        of: items in all.
    """

    token: str
    name: str
    done: int
    of: int


@dataclass(frozen=True)
class Answer:
    """What a judge said of an item.

    Attributes:
        judge: name.
        item: the random id.
        source: the run that wrote it, or "real".
        shown: what the judge saw.
        is_real: whether the judge took it for real.
        seconds: from seeing to answering.
        at: seconds since 1970.
    """

    judge: str
    item: str
    source: str
    shown: dict[str, Any]
    is_real: bool
    seconds: float
    at: float


class Store:
    """The items, judges and answers of one Turing test.

    Args:
        path: the file; made where there is none.

    Raises:
        BadInput: it is another kind of file, or cannot be made.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            with self.connected() as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(TABLES)
        except sqlite3.Error as error:
            raise BadInput(
                f"{path} must be a file of the studio, or new, but: {error}; choose another --store"
            ) from error

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """A connection of this thread's own; what is done in it is done wholly or not at all."""
        with closing(sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that begins as a writer, so that two never wait for each other."""
        with self.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def begin(self, items: Sequence[Item], anew: bool = False, told: Mapping[str, Any] | None = None) -> None:
        """Set up the test. Ids are random: neither they nor their order say anything of an item.

        Args:
            items: what is judged.
            anew: they take the place of those of an earlier draw; judges keep their links.
            told: what is to be known of the draw later on, for `told`.

        Raises:
            BadInput: it is set up already, or is to be anew although a judge has answered.
        """
        with self.writing() as connection:
            if not anew and connection.execute("SELECT 1 FROM items LIMIT 1").fetchone():
                raise BadInput(f"{self.path} holds a test already; choose another --store for another")
            if connection.execute("SELECT 1 FROM answers LIMIT 1").fetchone():
                raise BadInput("a judge has answered already, so the draw stands; choose another --store for another")
            connection.execute("DELETE FROM places")
            connection.execute("DELETE FROM items")
            connection.execute("DELETE FROM draws")
            connection.execute("INSERT INTO draws VALUES (?)", (json.dumps(dict(told or {})),))
            rows = [(secrets.token_urlsafe(12), item.source, json.dumps(item.shown)) for item in items]
            connection.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)
            for (token,) in connection.execute("SELECT token FROM judges").fetchall():
                deal(connection, token)

    def told(self) -> dict[str, Any]:
        """What was said of the draw when it was made; nothing in a file of before this was kept."""
        with self.connected() as connection:
            row = connection.execute("SELECT told FROM draws").fetchone()
        return {} if row is None else json.loads(row[0])

    def sources(self) -> dict[str, int]:
        """How many items there are of each source, real ones first."""
        with self.connected() as connection:
            rows = connection.execute("SELECT source, COUNT(*) FROM items GROUP BY source ORDER BY source").fetchall()
        return dict(sorted(rows, key=lambda row: row[0] != REAL))

    def add_judge(self, name: str) -> Judge:
        """A judge with a link and an order of all items of their own.

        Raises:
            BadInput: there is no test yet, or a judge of that name.
        """
        token = secrets.token_urlsafe(18)
        with self.writing() as connection:
            if not connection.execute("SELECT 1 FROM items LIMIT 1").fetchone():
                raise BadInput("there is nothing to judge yet; draw the items first")
            if connection.execute("SELECT 1 FROM judges WHERE name = ?", (name,)).fetchone():
                raise BadInput(f"there is a judge called {name!r} already; choose another name")
            connection.execute("INSERT INTO judges VALUES (?, ?, ?)", (token, name, time.time()))
            return Judge(token, name, 0, deal(connection, token))

    def judges(self) -> list[Judge]:
        """All of them, in the order in which they were added."""
        with self.connected() as connection:
            rows = connection.execute(
                "SELECT token, name, (SELECT COUNT(*) FROM answers WHERE judge = token), "
                "(SELECT COUNT(*) FROM places WHERE judge = token) FROM judges ORDER BY began"
            ).fetchall()
        return [Judge(*row) for row in rows]

    def judge(self, token: str) -> Judge | None:
        """The judge with this link."""
        with self.connected() as connection:
            row = connection.execute("SELECT name FROM judges WHERE token = ?", (token,)).fetchone()
            if row is None:
                return None
            done = connection.execute("SELECT COUNT(*) FROM answers WHERE judge = ?", (token,)).fetchone()[0]
            of = connection.execute("SELECT COUNT(*) FROM places WHERE judge = ?", (token,)).fetchone()[0]
        return Judge(token, row[0], done, of)

    def item_for(self, token: str, place: int | None = None) -> dict[str, Any] | None:
        """What a judge is to see: at a place of their order, or the first without an answer.

        Args:
            token: whose.
            place: from 0; None for the first that is open.

        Returns:
            "id", "place", "answer" (the judge's own, or None) and what is shown; None where there is no such place.
        """
        where = "place = ?" if place is not None else "is_real IS NULL"
        with self.connected() as connection:
            row = connection.execute(
                "SELECT places.item, place, is_real, shown FROM places JOIN items ON items.id = places.item "
                "LEFT JOIN answers ON answers.judge = places.judge AND answers.item = places.item "
                f"WHERE places.judge = ? AND {where} ORDER BY place LIMIT 1",
                (token,) if place is None else (token, place),
            ).fetchone()
        if row is None:
            return None
        item, place, is_real, shown = row
        return {**json.loads(shown), "id": item, "place": place, "answer": None if is_real is None else bool(is_real)}

    def answer(self, token: str, item: str, is_real: bool, seconds: float) -> None:
        """Keep an answer; a later one of the same judge takes its place.

        Raises:
            BadInput: this judge was not asked that.
        """
        with self.writing() as connection:
            if not connection.execute("SELECT 1 FROM places WHERE judge = ? AND item = ?", (token, item)).fetchone():
                raise BadInput("this item is not among yours; reload the page")
            connection.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT (judge, item) DO UPDATE SET "
                "is_real = excluded.is_real, seconds = answers.seconds + excluded.seconds, at = excluded.at",
                (token, item, int(is_real), seconds, time.time()),
            )

    def answers(self) -> list[Answer]:
        """All answers, as they came."""
        with self.connected() as connection:
            rows = connection.execute(
                "SELECT judges.name, item, source, shown, is_real, seconds, at FROM answers "
                "JOIN items ON items.id = item JOIN judges ON judges.token = judge ORDER BY at"
            ).fetchall()
        return [
            Answer(judge, item, source, json.loads(shown), bool(is_real), seconds, at)
            for judge, item, source, shown, is_real, seconds, at in rows
        ]


def deal(connection: sqlite3.Connection, token: str) -> int:
    """Give a judge all items in an order of their own, and return how many."""
    items = [row[0] for row in connection.execute("SELECT id FROM items")]
    secrets.SystemRandom().shuffle(items)
    rows = [(token, place, item) for place, item in enumerate(items)]
    connection.executemany("INSERT INTO places VALUES (?, ?, ?)", rows)
    return len(items)
