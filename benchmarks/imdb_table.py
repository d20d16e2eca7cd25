"""Who judges the completions of benchmarks/imdb.py, and the table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from imdb_data import HELD_OUT, LENGTH, PROMPT, Place, encoder, generator_of, held_out, of_lists, reviews

from seqgans.data.sources import encode_sources
from seqgans.data.tokenizer import vocabulary_of_model
from seqgans.discriminators.pairs import beside
from seqgans.evaluation.diversity import distinct
from seqgans.evaluation.overlap import self_bleu
from seqgans.evaluation.two_sample import accuracy_interval
from seqgans.generators.conditional import given
from seqgans.generators.decoding import Decoding
from seqgans.rewards.answers import repeated_share
from seqgans.training.checkpoint import write_atomically
from seqgans.training.facts import to_json
from seqgans.training.folder import RunFolder
from seqgans.verbs.loading import load_run

TRIED = 6000  # reviews of the training split that the judge is tried on
BEST_OF, ASKED = 8, 60  # candidates, and prompts that have them
LIKELIHOODS = 150  # completions whose perplexity is taken
DECODING = Decoding(temperature=0.8, top_k=100)  # paper
ARMS = {
    "as it is": None,
    "sft": "sft",
    "rlgaf": "rlgaf",
    "rlgaf, told": "rlgaf-told",
    "told, control": "rlgaf-told-control",
}
"""What is asked, and the run that answers."""
RESULTS = Path(__file__).parent / "results" / "imdb.json"
Pairs = list[tuple[str, list[int]]]


def judge(place: Place) -> None:
    """judge.npz, the weights of a classifier that read the test split, cut; and its accuracy on the training split."""
    if (place.folder / "judge.npz").exists():
        return
    from sklearn.linear_model import LogisticRegression

    train_split, test_split, encode = reviews(place, "train"), reviews(place, "test"), encoder(place)
    chosen = np.random.default_rng(0).permutation(len(train_split["text"]))[:TRIED]
    unseen, labels = [train_split["text"][row] for row in chosen], np.array(train_split["label"])[chosen]
    facts: dict[str, Any] = {"read": len(test_split["text"]), "asked": TRIED}
    for name, cut in (("whole", None), ("cut", PROMPT + LENGTH)):
        fitted = LogisticRegression(C=3.0, max_iter=200)
        fitted.fit(features(shortened(encode, test_split["text"], cut)), test_split["label"])
        said = fitted.predict(features(shortened(encode, unseen, cut)))
        facts[f"accuracy_{name}"] = float(np.equal(said, labels).mean())
        facts[f"positive_of_positive_{name}"] = float(said[labels == 1].mean())
        facts[f"positive_of_negative_{name}"] = float(said[labels == 0].mean())
    write_atomically(place.folder / "judge.json", to_json(facts, 1).encode())
    with (place.folder / "judge.npz").open("wb") as file:
        np.savez_compressed(file, weights=fitted.coef_[0].astype(np.float32), bias=fitted.intercept_)


def shortened(encode: Any, texts: Sequence[str], tokens: int | None) -> list[str]:
    """Texts cut to their first tokens; None leaves them whole."""
    if tokens is None:
        return list(texts)
    return [encode.decode(one.ids[:tokens]) for one in encode.encode_batch([text[: 16 * tokens] for text in texts])]


def features(texts: Sequence[str]) -> Any:
    """Which words and pairs of words occur, hashed to 2¹⁸ places, in rows of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer

    words = r"(?u)\b\w+\b|[!?]"
    return HashingVectorizer(
        ngram_range=(1, 2), n_features=1 << 18, alternate_sign=False, binary=True, token_pattern=words
    ).transform(texts)


def table(place: Place) -> None:
    """One row an arm, into the results and on the screen; an arm is measured once."""
    results = place.results or RESULTS
    known = json.loads(results.read_text()) if results.exists() else {"rows": [], "runs": {}}
    rows = [row for row in known["rows"] if row["seed"] != place.seed]
    others = {name: run for name, run in known["runs"].items() if not name.endswith(f"-{place.seed}")}
    untouched = None
    for arm, pairs in arms_of(place).items():
        file = file_of(place, f"figures {arm}").with_suffix(".json")
        if not file.exists():
            untouched = untouched or generator_of(place, None)
            write_atomically(file, to_json(figures(place, arm, pairs, untouched), 1).encode())
        rows.append(json.loads(file.read_text()))
        print({name: value for name, value in rows[-1].items() if name != "first"}, flush=True)
    facts = {
        "command": "python benchmarks/imdb.py --data DIR --model FILE.gguf --folder DIR --seed SEED",
        "judge": json.loads((place.folder / "judge.json").read_text()),
        "prompt_tokens": PROMPT,
        "completion_tokens": LENGTH,
        "runs": others
        | {place.run(run).name: done(place, run) for run in ARMS.values() if run and place.run(run).is_dir()},
        "perplexity_of": LIKELIHOODS,
        "decoding": {"temperature": DECODING.temperature, "top_k": DECODING.top_k},
        "rows": rows,
    }
    write_atomically(results, (to_json(facts, 1) + "\n").encode())


def figures(place: Place, arm: str, pairs: Pairs, untouched: Any) -> dict[str, Any]:
    """What the judge thinks of completions, and what was paid for it."""
    encode, ids = encoder(place), [row for _, row in pairs]
    texts = [begins + encode.decode(row) for begins, row in pairs]
    with np.load(place.folder / "judge.npz") as file:
        positive = int((features(texts) @ file["weights"] + file["bias"] > 0).sum())
    return {
        "arm": arm,
        "seed": place.seed,
        "completions": len(texts),
        "positive": positive / len(texts),
        "positive_95": accuracy_interval(positive, len(texts)),
        "perplexity": perplexity(place, untouched, pairs[:LIKELIHOODS]),
        **{name: figure.value for name, figure in distinct(ids, orders=(1, 2)).items()},
        "self_bleu_3": self_bleu(ids, orders=(3,))["self_bleu_3"].value,
        "repeated": repeated_share(of_lists(ids)),
        "words": float(np.mean([len(text.split()) for text in texts])),
        "first": texts[:6],
    }


def done(place: Place, run: str) -> dict[str, int]:
    """How far a run has come."""
    where = RunFolder.existing(place.run(run)).load("latest")[1]["place"]
    return {"updates": where["step"], "rounds": where["round"]}


def file_of(place: Place, arm: str) -> Path:
    """What an arm made of the prompts."""
    return place.folder / f"{'-'.join(arm.replace(',', '').split())}-{place.seed}.jsonl"


def arms_of(place: Place) -> dict[str, Pairs]:
    """Prompts and completions of each arm: real reviews, what the stages wrote, what the game's judge liked best."""
    encode, arms = encoder(place), {}
    real = [line.split("\t") for line in held_out(place)]
    arms["real reviews"] = [(begins, encode.encode(text).ids) for begins, text in real]
    arms |= {name: read(file) for name in ARMS if (file := file_of(place, name)).exists()}
    candidates, arms["sft"] = arms["sft"], arms["sft"][:HELD_OUT]
    for name, which in ARMS.items():
        if name in arms and which in ("rlgaf", "rlgaf-told") and len(candidates) > HELD_OUT:
            picked = f"best of {BEST_OF} by {name}"
            if not file_of(place, picked).exists():
                write(file_of(place, picked), best(place, which, candidates))
            arms[picked] = read(file_of(place, picked))
    return arms | {f"{name}, the first {ASKED}": arms[name][:ASKED] for name in ARMS if name in arms}


def write(file: Path, pairs: Iterable[tuple[str, list[int]]]) -> None:
    """Keep prompts and completions."""
    lines = [to_json({"prompt": begins, "ids": ids}) for begins, ids in pairs]
    write_atomically(file, ("\n".join(lines) + "\n").encode())


def read(file: Path) -> Pairs:
    """Prompts and completions that were kept."""
    lines = map(json.loads, file.read_text().splitlines())
    return [(line["prompt"], line["ids"]) for line in lines]


@torch.no_grad()
def best(place: Place, which: str, candidates: Pairs) -> Pairs:
    """Of the candidates for each of the first prompts, what the discriminator of a game likes most in the end."""
    run, found = load_run(place.run(which)), []
    for number in range(ASKED):
        first = HELD_OUT + number * (BEST_OF - 1)
        pairs = [candidates[number], *candidates[first : first + BEST_OF - 1]]
        source = encode_sources([begins for begins, _ in pairs], run.corpus.vocabulary, PROMPT)[0]
        rows = of_lists([ids for _, ids in pairs])
        scores = beside(run.players.discriminator, source).scores(rows.tokens, rows.mask)
        found.append(pairs[int(scores.argmax())])
    return found


@torch.no_grad()
def perplexity(place: Place, untouched: Any, pairs: Pairs) -> float:
    """Of completions under the model as it came: e to the mean negative log-likelihood of a token."""
    vocabulary, total, count = vocabulary_of_model(str(place.model)), 0.0, 0
    for first in range(0, len(pairs), 50):
        part = pairs[first : first + 50]
        source, rows = (
            encode_sources([begins for begins, _ in part], vocabulary, PROMPT)[0],
            of_lists([i for _, i in part]),
        )
        log_probs = given(untouched, source).log_probs(rows.tokens)
        total, count = total - float(log_probs[rows.mask].sum()), count + int(rows.mask.sum())
    return math.exp(total / count)
