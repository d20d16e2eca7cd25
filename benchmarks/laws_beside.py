"""Other implementations of likelihoods, divergences, answers, melodies and categories, for benchmarks/metrics_speed.py.

Likelihoods are read by an LSTM in NumPy that shares nothing with ours but the parameters; divergences are sums over all
sequences of a small world. Of `infill_perplexity` there is none: which tokens are missing is ours alone to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqgans.data import CorpusSettings
from seqgans.evaluation import Evidence
from seqgans.evaluation.answers import exact_match, token_f1
from seqgans.evaluation.categories import judge_of
from seqgans.evaluation.language import lstm, of_references
from seqgans.evaluation.likelihood import divergences, draw_sequences, nll_div, nll_gen, nll_oracle
from seqgans.evaluation.lstm_language import EVEN, LstmLanguage
from seqgans.evaluation.melody import histograms
from seqgans.evaluation.music import mse_interval, mse_mean
from seqgans.generators.recurrent import LSTM, Recurrent
from seqgans.verbs.labelled import evidence_of_labelled

Rows = Sequence[list[int]]
Compared = tuple[str, str, Callable[[], float], Callable[[], float]]
"""Figure, what the other is and on how much, ours, the other."""
KINDS, STEPS, DRAWN = 5, 5, 20_000  # of the small world: ids, tokens, samples of each side
LEARNT = 2000  # captions that a reverse model learns from, and that are read


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^−x)."""
    return 1 / (1 + np.exp(-x))


def numpy_log_probs(network: Recurrent, tokens: np.ndarray) -> np.ndarray:
    """Log-probability of each token, (rows, steps), by an LSTM written in NumPy, in double precision."""
    part = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}
    into, onward = part["cell.weight_ih_l0"].T, part["cell.weight_hh_l0"].T
    bias = part["cell.bias_ih_l0"] + part["cell.bias_hh_l0"]
    rows = np.arange(len(tokens))
    hidden = np.zeros((len(tokens), onward.shape[0]))
    memory, before = hidden.copy(), np.full(len(tokens), network.start)
    found = []
    for now in tokens.T:
        gates = part["embedding.weight"][before] @ into + hidden @ onward + bias
        enters, stays, new, leaves = np.split(gates, 4, axis=1)
        memory = sigmoid(stays) * memory + sigmoid(enters) * np.tanh(new)
        hidden = sigmoid(leaves) * np.tanh(memory)
        logits = hidden @ part["output.weight"].T + part["output.bias"]
        most = logits.max(1)
        found.append(logits[rows, now] - most - np.log(np.exp(logits - most[:, None]).sum(1)))
        before = now
    return np.stack(found, 1)


def numpy_lstm_nll(model: LstmLanguage, rows: Rows) -> float:
    """NLL per token of a model of ours, its parameters read by NumPy, its even share and unknown word by hand."""
    number = {int(word): place for place, word in enumerate(model.vocabulary, start=2)}
    coded = [[number.get(token, 1) for token in row] for row in rows]
    tokens = np.zeros((len(rows), max(map(len, coded))), np.int64)
    for place, row in enumerate(coded):
        tokens[place, : len(row)] = row
    even = EVEN / (len(number) + 2)
    chances = np.log((1 - EVEN) * np.exp(numpy_log_probs(model.network, tokens)) + even)
    chances[tokens == 1] -= np.log(model.rare + 1)
    return -float(chances[tokens > 0].sum() / sum(map(len, coded)))


def network_of(size: int, width: int, deviation: float, seed: int) -> Recurrent:
    """An LSTM as it begins."""
    settings = LSTM(embedding=width, hidden=width, deviation=deviation)
    return Recurrent("lstm", size, 0, None, settings, torch.Generator().manual_seed(seed))


@cache
def laws() -> tuple[Recurrent, Recurrent]:
    """Two LSTM over the ids of the small world."""
    return network_of(KINDS, 8, 0.6, 0), network_of(KINDS, 8, 0.6, 1)


@cache
def sampled() -> dict[str, Any]:
    """Our divergences of the two, from samples."""
    return divergences(*laws(), STEPS, DRAWN, torch.Generator().manual_seed(2))


def enumerated(name: str) -> float:
    """A divergence of the two by SciPy, from the probability of every sequence."""
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import entropy

    every = np.array(list(product(range(KINDS), repeat=STEPS)))
    ours, theirs = (np.exp(numpy_log_probs(law, every).sum(1)) for law in laws())
    if name == "jsd":
        return float(jensenshannon(ours, theirs) ** 2)
    return float(entropy(ours, theirs) if name == "reverse_kl" else entropy(theirs, ours))


def of_divergences() -> list[Compared]:
    """Samples beside sums."""
    about = f"SciPy, all {KINDS**STEPS:,} sequences of a world; ours from {DRAWN:,} samples of each side, ±"
    return [
        (name, f"{about} {sampled()[name].standard_error:.1g}",
         lambda name=name: divergences(*laws(), STEPS, DRAWN, torch.Generator().manual_seed(2))[name].value,
         lambda name=name: enumerated(name))
        for name in ("reverse_kl", "forward_kl", "jsd")
    ]  # fmt: skip


def of_likelihoods() -> list[Compared]:
    """The three of an oracle's task, at its size."""
    random = torch.Generator().manual_seed(3)
    oracle, learnt = network_of(5000, 32, 0.5, 4), network_of(5000, 32, 0.5, 5)
    samples, real = (draw_sequences(law, 1000, 20, random) for law in (learnt, oracle))
    about = "NumPy's LSTM, 1,000 sequences of 20 tokens, 5,000 ids"

    def other(law: Recurrent, rows: Any) -> float:
        return -float(numpy_log_probs(law, rows.tokens.numpy()).mean())

    return [
        ("nll_oracle", about, lambda: nll_oracle(oracle, samples).value, lambda: other(oracle, samples)),
        ("nll_gen", about, lambda: nll_gen(learnt, real).value, lambda: other(learnt, real)),
        ("nll_div", about, lambda: nll_div(learnt, samples).value, lambda: other(learnt, samples)),
    ]


def of_models(evidence: Evidence) -> list[Compared]:
    """Both directions of the neural language model; what it learnt is ours."""
    rows, real = evidence.drawn[:LEARNT], evidence.part("references")[:LEARNT]
    forward, backward = of_references(evidence), lstm(evidence, rows)
    about = f"NumPy's LSTM with the parameters that ours learnt, {LEARNT:,} captions"
    return [
        ("lm_lstm", about, lambda: forward.score(rows).nll().value, lambda: numpy_lstm_nll(forward, rows)),
        ("reverse_lm_lstm", about, lambda: backward.score(real).nll().value, lambda: numpy_lstm_nll(backward, real)),
    ]


def torchmetrics_squad(answers: Sequence[str], references: Sequence[Sequence[str]], name: str) -> float:
    """SQuAD's measures by torchmetrics, as shares."""
    from torchmetrics.functional.text import squad

    asked = [
        {"answers": {"answer_start": [0] * len(few), "text": list(few)}, "id": str(number)}
        for number, few in enumerate(references)
    ]
    given = [{"prediction_text": answer, "id": str(number)} for number, answer in enumerate(answers)]
    return float(squad(given, asked)[name]) / 100


def of_answers(evidence: Evidence) -> list[Compared]:
    """Captions as answers, every third with another case, article and full stop than its reference."""
    known, real = evidence.known, evidence.part("references")[:LEARNT]
    references = [[known.decode(list(row)), known.decode(list(other))] for row, other in pairwise(real)]
    answers = [
        f"The {few[1].upper()}." if number % 3 == 0 else known.decode(list(evidence.drawn[number]))
        for number, few in enumerate(references)
    ]
    about = f"torchmetrics' SQuAD, {len(answers):,} captions, two references each"
    return [
        (name, about,
         lambda ours=ours: float(np.mean([ours(*pair) for pair in zip(answers, references, strict=True)])),
         lambda name=name: torchmetrics_squad(answers, references, name))
        for name, ours in (("exact_match", exact_match), ("f1", token_f1))
    ]  # fmt: skip


def counted_histograms(one: Rows, other: Rows, kind: str) -> float:
    """Half the city-block distance of two histograms (SciPy), of notes grouped by itertools."""
    from scipy.spatial.distance import cityblock

    sides = []
    for tunes in (one, other):
        notes = [[(key, len(list(run))) for key, run in groupby(tune)] for tune in tunes]
        heard = {
            "pitch": [key for tune in tunes for key in tune],
            "interval": [later[0] - note[0] for tune in notes for note, later in pairwise(tune)],
            "duration": [steps for tune in notes for _, steps in tune],
        }[kind]
        sides.append(np.histogram(heard, np.arange(-128.5, 129.5), density=True)[0])
    return float(cityblock(*sides) / 2)


def cdist_mse(one: np.ndarray, other: np.ndarray, how: str) -> float:
    """Squared distances a step, the mean of all pairs or the nearest of their differences, by SciPy."""
    from scipy.spatial.distance import cdist

    if how == "mean":
        return float(cdist(one, other, "sqeuclidean").mean() / one.shape[1])
    one, other = np.diff(one), np.diff(other)
    return float(cdist(one, other, "sqeuclidean").min(1).mean() / one.shape[1])


def of_melodies() -> list[Compared]:
    """Random walks in which most notes are held."""
    random = np.random.default_rng(0)
    steps = [random.integers(-3, 4, (1000, 32)) * (random.random((1000, 32)) < share) for share in (0.4, 0.6)]
    one, other = (60 + np.cumsum(each, 1) for each in steps)
    ours, theirs, about = one.tolist(), other.tolist(), "1,000 random melodies on each side"
    return [
        ("music_mse_mean", f"SciPy's cdist, {about}", lambda: mse_mean(ours, theirs).value,
         lambda: cdist_mse(one, other, "mean")),
        ("music_mse_interval", f"SciPy's cdist, {about}", lambda: mse_interval(ours, theirs).value,
         lambda: cdist_mse(one, other, "interval")),
        *((f"music_{kind}", f"NumPy's histogram, SciPy's cityblock, {about}",
           lambda kind=kind: histograms(ours, theirs)[f"music_{kind}"].value,
           lambda kind=kind: counted_histograms(ours, theirs, kind)) for kind in ("pitch", "interval", "duration")),
    ]  # fmt: skip


def of_categories(train: Path, test: Path) -> list[Compared]:
    """How often labelled sequences that a judge did not learn from get their category: two kinds of judge."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    reading = CorpusSettings(text="1", label="0", lowercase=True)
    evidence = evidence_of_labelled(train, str(test), str(train), 10_000, 0, reading)
    sides = [(evidence.train, evidence.train_categories), (evidence.references, evidence.categories)]
    learn, held_out = ((list(rows or []), list(labels or [])) for rows, labels in sides)

    def other() -> float:
        judge = make_pipeline(CountVectorizer(ngram_range=(1, 2), binary=True), LogisticRegression(max_iter=200, C=0.1))
        texts = [[" ".join(map(str, row)) for row in rows] for rows, _ in (learn, held_out)]
        judge.fit(texts[0], learn[1])
        return float((judge.predict(texts[1]) == np.array(held_out[1])).mean())

    about = (
        f"scikit-learn: logistic regression on words and pairs, {len(learn[0]):,} labelled, {len(held_out[0])} named"
    )
    ours = "category_accuracy of real ones"
    return [(ours, about, lambda: judge_of(learn, held_out, kinds=max(learn[1]) + 1).ceiling.value, other)]


def comparisons(evidence: Evidence, labelled: Sequence[Path] | None = None) -> list[Compared]:
    """What there are other implementations of; categories where there are labelled files, a train and a test one."""
    return [
        *of_likelihoods(),
        *of_divergences(),
        *of_models(evidence),
        *of_answers(evidence),
        *of_melodies(),
        *(of_categories(*labelled) if labelled else ()),
    ]
