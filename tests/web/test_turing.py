"""The Turing test over HTTP: what judges may and may not see and do.

Mutants killed: a view without its key, a page that names the source, state for everybody, items drawn twice.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from seqgans.errors import BadInput
from seqgans.web.runs import Runs
from seqgans.web.store import Item, Store

from .conftest import HOSTILE, KEY, client_of, let_in

SECRETS = ("secret-name", '"real"', "source")


def test_judging_from_link_to_thanks(client: Any, store: Store, judged: list[Item]):
    store.begin(judged)
    link = f"/judge/{store.add_judge('ann').token}"
    assert client.get(link).status_code == 200
    found = client.get(f"{link}/item").json()
    for done in range(12):
        assert (found["done"], found["of"], found["item"]["place"]) == (done, 12, done)
        found = client.post(
            f"{link}/answer", json={"item": found["item"]["id"], "real": done % 2 == 0, "seconds": 1}
        ).json()
    assert found == {"done": 12, "of": 12, "item": None}
    assert len(store.answers()) == 12


def test_a_refresh_goes_on_where_it_was(client: Any, store: Store, judged: list[Item]):
    store.begin(judged)
    link = f"/judge/{store.add_judge('ann').token}"
    first = client.get(f"{link}/item").json()["item"]
    second = client.post(f"{link}/answer", json={"item": first["id"], "real": True}).json()
    assert client.get(f"{link}/item").json() == second
    assert client.get(f"{link}/item", params={"place": 0}).json()["item"] == {**first, "answer": True}


def test_no_response_to_a_judge_holds_labels_or_answers_of_others(client: Any, store: Store, judged: list[Item]):
    store.begin(judged)
    other, judge = store.add_judge("bob-the-other"), store.add_judge("ann")
    item = store.item_for(other.token)
    assert item is not None
    store.answer(other.token, item["id"], False, 1.0)
    link = f"/judge/{judge.token}"
    responses = [client.get(link), *(client.get(f"{link}/item", params={"place": place}) for place in range(13))]
    for _ in range(12):
        shown = client.get(f"{link}/item").json()["item"]
        assert set(shown) == {"id", "place", "text", "answer"}
        assert shown["answer"] is None  # also of what the other has answered
        responses.append(client.post(f"{link}/answer", json={"item": shown["id"], "real": True}))
    for response in responses:
        everything = response.text + json.dumps(dict(response.headers))
        assert "secret-name" not in everything
        assert "bob" not in everything
        assert '"source"' not in everything
    places = ["/", "/turing", "/turing/state", "/turing/answers.csv", "/live", "/live/runs", "/play"]
    for path in places:
        response = client.get(path)
        assert response.status_code in (403, 404), path
        assert "secret-name" not in response.text
    for path in ("/turing/draw", "/turing/judges", "/play/draw"):
        assert client.post(path, json={}).status_code in (403, 404), path


def test_what_was_said_of_a_draw_survives(store: Store, judged: list[Item]):
    """A file of before it was kept opens as ever, with nothing said."""
    assert store.told() == {}
    store.begin(judged, told={"seed": 3})
    assert Store(store.path).told() == {"seed": 3}
    store.begin(judged, anew=True, told={"seed": 4})
    assert store.told() == {"seed": 4}
    with store.connected() as connection:
        connection.execute("DROP TABLE draws")
    older = Store(store.path)
    assert older.told() == {}
    assert older.sources() == store.sources()


def test_ids_do_not_follow_the_items(store: Store, judged: list[Item]):
    """Sorted by id, real and generated items are mixed; over some draws every place is taken by both."""
    firsts = set()
    for number in range(40):
        other = Store(store.path.with_name(f"{number}.sqlite"))
        other.begin(judged)
        with other.connected() as connection:
            firsts.add(connection.execute("SELECT source FROM items ORDER BY id LIMIT 1").fetchone()[0])
    assert firsts == {"real", "runs/secret-name"}


def test_unknown_links_and_bad_answers(client: Any, store: Store, judged: list[Item]):
    store.begin(judged)
    link = f"/judge/{store.add_judge('ann').token}"
    item = client.get(f"{link}/item").json()["item"]["id"]
    assert client.get("/judge/guessed").status_code == 404
    assert client.get("/judge/guessed/item").status_code == 404
    assert client.post("/judge/guessed/answer", json={"item": item, "real": True}).status_code == 404
    bad: list[Any] = [
        {"item": item},
        {"item": item, "real": "yes"},
        {"item": item, "real": 1},
        {"item": 5, "real": True},
        {"item": "of nobody", "real": True},
        {"item": item, "real": True, "seconds": "NaN"},
        {"item": item, "real": True, "seconds": [1]},
        [item, True],
    ]
    for given in bad:
        response = client.post(f"{link}/answer", json=given)
        assert response.status_code == 400, given
        assert response.json()["error"]
    for place in ("-1", "x", "9" * 30, "../../x"):
        assert client.get(f"{link}/item", params={"place": place}).status_code == 400
    assert store.answers() == []


def test_bytes_that_are_no_utf_8_are_no_json(admin: Any) -> None:
    """Latin letters of one byte, say. Kills: the word on surrogates for whatever cannot be decoded."""
    response = admin.post("/turing/judges", content=b'{"name": "Zo\xeb"}', headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["error"]) == (400, "a request must hold a JSON object")


@pytest.mark.parametrize("sent", [b'"\\ud800"', b'"a\\udfffb"', b'"\xed\xa0\x80"'])
def test_half_a_surrogate_pair_is_no_text(admin: Any, store: Store, judged: list[Item], sent: bytes):
    """Escaped or as bytes, in any value or key. Kills: an error of the studio's own, and its traceback."""
    store.begin(judged)
    link = f"/judge/{store.add_judge('ann').token}"
    kind = {"content-type": "application/json"}
    for path, body in (
        (f"{link}/answer", b'{"item": %b, "real": true}'),
        ("/turing/judges", b'{"name": %b}'),
        ("/turing/draw", b'{"runs": [%b]}'),
        ("/play/draw", b'{"run": "a", "prompt": "b", %b: 1}'),
    ):
        response = admin.post(path, content=body % sent, headers=kind)
        assert response.status_code == 400, path
        assert "surrogate" in response.json()["error"] or b"\xed" in sent
    assert [judge.name for judge in store.judges()] == ["ann"]
    pair = admin.post("/turing/judges", content=b'{"name": "\\ud83d\\ude00"}', headers=kind)
    assert [judge["name"] for judge in pair.json()["judges"]] == ["ann", "😀"]


@pytest.mark.parametrize("name", ["a\0b", "\x1b[31mred", "two\nlines", "a\x7f", "a\x85b", "a\u2028b", "\0"])
def test_names_of_judges_are_letters(admin: Any, store: Store, judged: list[Item], name: str):
    """Kills: a name that ends where C ends it, colours a terminal or is two lines; scripts of the world refused."""
    store.begin(judged)
    response = admin.post("/turing/judges", json={"name": name})
    assert response.status_code == 400
    assert "control character" in response.json()["error"]
    assert store.judges() == []
    for good in ("Ångström", "李 明", "मीरा", "👩\u200d🔬"):
        assert admin.post("/turing/judges", json={"name": good}).status_code == 200


def test_setting_up_and_scores(runs: Path, store: Store):
    with client_of(runs, store) as client:
        let_in(client)
        state = client.get("/turing/state").json()
        assert (state["runs"], state["sources"]) == (["text/likelihood", "text/seqgan", "tunes"], {})
        mixed = client.post("/turing/draw", json={"runs": ["text/seqgan", "tunes"], "count": 3})
        assert mixed.status_code == 400
        said = mixed.json()["error"]
        assert "text/seqgan learnt from" in said
        assert "tunes learnt from" in said
        assert "(" not in said  # no tuple
        for name in ("../../etc", "text", "/etc/passwd", "text/seqgan/../likelihood"):
            assert client.post("/turing/draw", json={"runs": [name], "count": 3}).status_code == 404
        assert client.post("/turing/draw", json={"runs": []}).status_code == 400
        assert client.post("/turing/draw", json={"runs": ["tunes"], "count": 10**9}).status_code == 400
        assert client.post("/turing/draw", json={"runs": ["tunes"], "temperature": -1}).status_code == 400
        names = ["text/likelihood", "text/seqgan"]
        state = client.post("/turing/draw", json={"runs": names, "count": 2}).json()
        assert state["sources"] == {"real": 2, "text/likelihood": 2, "text/seqgan": 2}
        again = client.post("/turing/draw", json={"runs": ["tunes"], "count": 5}).json()
        assert again["sources"] == state["sources"]  # the draw stands
        link = client.post("/turing/judges", json={"name": "early"}).json()["judges"][0]["link"]
        state = client.post("/turing/draw", json={"runs": names, "count": 400, "anew": True}).json()
        assert set(state["sources"]) == {"real", *names}
        assert len(set(state["sources"].values())) == 1  # equally many, though the test split is small
        assert 0 < state["sources"]["real"] < 400
        assert client.get(f"{link}/item").json()["of"] == 3 * state["sources"]["real"]  # the link holds
        state = client.post("/turing/draw", json={"runs": names, "count": 2, "anew": True}).json()
        assert state["sources"] == {"real": 2, "text/likelihood": 2, "text/seqgan": 2}
        for name in ("ann", "bob"):
            client.post("/turing/judges", json={"name": name})
        assert client.post("/turing/judges", json={"name": "ann"}).status_code == 400
        assert client.post("/turing/judges", json={"name": "x" * 81}).status_code == 400
        links = [judge["link"] for judge in client.get("/turing/state").json()["judges"]]
        for link in links:
            while (item := client.get(f"{link}/item").json()["item"]) is not None:
                client.post(f"{link}/answer", json={"item": item["id"], "real": len(item["id"]) > 0})
        state = client.get("/turing/state").json()
        assert [judge["done"] for judge in state["judges"]] == [6, 6, 6]
        late = client.post("/turing/draw", json={"runs": names, "count": 1, "anew": True})
        assert late.status_code == 400
        assert "answered already" in late.json()["error"]
        assert client.get("/turing/state").json()["sources"] == state["sources"]
        assert [score["score"] for score in state["scores"]] == [1, 1, 1]
        assert state["agreement"] is None  # all the same: nothing to agree on
        response = client.get("/turing/answers.csv")
        assert "attachment" in response.headers["content-disposition"]
        assert len(list(csv.DictReader(io.StringIO(response.text)))) == 18


def test_a_file_of_samples_is_a_source(runs: Path, store: Store, tmp_path: Path):
    """Its items are written as those of the runs; what these could not have written is left out.

    Mutants killed: unknown words or long lines among the items; spelling kept that gives the source away; a path
    that is not among the files given; a source without items.
    """
    file, strange = tmp_path / "other.txt", tmp_path / "strange.txt"
    short = [f"the {animal}   {verb}" for animal in ("cat", "dog") for verb in ("sleeps", "runs")]
    file.write_text("\n".join([*short, "the zebra sleeps", "the cat " * 20, "", "THE CAT runs"]) + "\n")
    strange.write_text("quite something else\n" * 9)
    names = ["text/likelihood", "other.txt"]
    with client_of(runs, store, file, strange) as client:
        let_in(client)
        assert client.get("/turing/state").json()["runs"][-2:] == ["other.txt", "strange.txt"]
        assert client.post("/turing/draw", json={"runs": [str(file)], "count": 3}).status_code == 404
        assert client.post("/turing/draw", json={"runs": ["other.txt"], "count": 3}).status_code == 400
        refused = client.post("/turing/draw", json={"runs": ["text/likelihood", "strange.txt"], "count": 3})
        assert refused.json()["error"].startswith("strange.txt must have lines that the runs could have written: of 9 ")
        state = client.post("/turing/draw", json={"runs": names, "count": 5}).json()
        assert state["sources"] == {"real": 4, "text/likelihood": 4, "other.txt": 4}
        link = client.post("/turing/judges", json={"name": "ann"}).json()["judges"][0]["link"]
        seen = []
        while (item := client.get(f"{link}/item").json()["item"]) is not None:
            seen.append(item["text"])
            client.post(f"{link}/answer", json={"item": item["id"], "real": True})
        assert {" ".join(text.split()) for text in short} <= set(seen)
        assert not {"zebra", "THE"} & set(" ".join(seen).split())
    with pytest.raises(BadInput, match="needs a run's folder beside files of samples"):
        Runs([file])


def test_blank_sequences_are_no_items(runs: Path, store: Store, monkeypatch: pytest.MonkeyPatch):
    """Others of the same run take their place while there are some, and the page hears how many there were.

    Mutants killed: blank cards, which give the run away; one that is all spaces; fewer items of one source than of the
    others; blanks of the one run counted for the other; a run of blanks that is drawn from for ever, or has no items.
    """
    from seqgans.verbs import sample

    draw, empty, usual = sample.draw, {"text/seqgan": 3}, []

    def drawing(run: Any, count: int, *rest: Any) -> Any:
        few = empty.get("/".join(run.folder.path.parts[-2:]), 0)
        for number, one in enumerate(draw(run, count, *rest)):
            usual.append(number)
            blank = {"ids": [], "text": ""} if number % 2 else {"text": "  "}
            yield dataclasses.replace(one, **blank if number < few else {"ids": [3], "text": "the cat"})

    monkeypatch.setattr(sample, "draw", drawing)
    names = ["text/likelihood", "text/seqgan"]
    with client_of(runs, store) as client:
        let_in(client)
        state = client.post("/turing/draw", json={"runs": names, "count": 2}).json()
        assert state["sources"] == {"real": 2, "text/likelihood": 2, "text/seqgan": 2}
        assert state["draw"] == {"asked": 2, "seed": 0, "temperature": 1.0, "left_out": {"text/seqgan": 3}}
        assert len(usual) == 2 + 5
        assert client.post("/turing/draw", json={"runs": names, "count": 9}).json()["draw"] == state["draw"]  # stands
        assert client.get("/turing/state").json()["draw"] == state["draw"]
        link = client.post("/turing/judges", json={"name": "ann"}).json()["judges"][0]["link"]
        for place in range(6):
            assert client.get(f"{link}/item", params={"place": place}).json()["item"]["text"].strip()
        empty["text/seqgan"] = 7
        state = client.post("/turing/draw", json={"runs": names, "count": 2, "anew": True}).json()
        assert state["sources"] == {"real": 1, "text/likelihood": 1, "text/seqgan": 1}
        empty["text/seqgan"] = 99
        refused = client.post("/turing/draw", json={"runs": names, "count": 2, "anew": True})
        assert refused.status_code == 400
        assert refused.json()["error"].startswith("text/seqgan wrote 8 sequences, all of them blank")


def test_tunes_come_as_keys(runs: Path, store: Store):
    with client_of(runs, store) as client:
        let_in(client).post("/turing/draw", json={"runs": ["tunes"], "count": 3})
        link = client.post("/turing/judges", json={"name": "ann"}).json()["judges"][0]["link"]
        item = client.get(f"{link}/item").json()["item"]
        assert len(item["keys"]) == 8
        assert item["step"] == 0.4


def test_markup_in_names_and_items_stays_text(admin: Any, store: Store, judged: list[Item]):
    """What comes from outside travels as JSON alone, which is never taken for a page."""
    store.begin(judged)
    response = admin.post("/turing/judges", json={"name": HOSTILE})
    assert response.headers["content-type"] == "application/json"
    link = response.json()["judges"][0]["link"]
    for path in ("/turing", link):
        assert "document.title" not in admin.get(path).text
    assert admin.get(f"{link}/item").headers["content-type"] == "application/json"


def test_fifty_judges_at_once(client: Any, store: Store, judged: list[Item]):
    store.begin(judged)
    links = [f"/judge/{store.add_judge(f'judge {number}').token}" for number in range(50)]

    def judge(link: str) -> int:
        saved = 0
        for _ in range(4):
            item = client.get(f"{link}/item").json()["item"]
            saved += client.post(f"{link}/answer", json={"item": item["id"], "real": True}).status_code == 200
        return saved

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(judge, links)) == len(store.answers()) == 200


def test_the_key_lets_in_and_nothing_else_does(client: Any):
    assert client.get("/turing").status_code == 403
    assert client.get("/enter", params={"key": "wrong"}).status_code == 403
    assert client.get("/enter").status_code == 403
    assert client.get("/turing", headers={"cookie": "studio-8642=wrong"}).status_code == 403
    assert client.get("/turing", headers={"cookie": f"studio-1={KEY}"}).status_code == 403
    response = client.get("/enter", params={"key": KEY}, follow_redirects=False)
    assert "httponly" in response.headers["set-cookie"].lower()
    assert "samesite=strict" in response.headers["set-cookie"].lower()
    assert client.get("/turing").status_code == 200


@pytest.mark.parametrize(
    "name", ["..%2fstore.py", "%2e%2e/store.py", "store.py", "studio.css%00", "../../../etc/passwd"]
)
def test_only_listed_files_are_served(client: Any, name: str):
    assert client.get(f"/static/{name}").status_code == 404
    assert client.get("/static/studio.css").status_code == 200
