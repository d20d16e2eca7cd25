"""Exact match and F1 beside another reading of SQuAD's rules, and which answers are measured.

Mutants killed: a mean over references for the best, references of another source, precision for F1, words counted once,
punctuation or articles that count, sampled answers for the likeliest, unknown words that match unknown words.
"""

from __future__ import annotations

import dataclasses
import re
import string
from typing import Any

import pytest
import torch
from jaxtyping import Int
from torch import Tensor

from seqgans.data.vocabulary import Vocabulary
from seqgans.evaluation import Evidence, measure
from seqgans.evaluation.answers import exact_match, token_f1
from seqgans.generators.base import Generator
from seqgans.generators.conditional import given
from seqgans.generators.seq2seq import Seq2Seq
from seqgans.randomness import generator_for
from seqgans.sequences import Sequences

WORDS = ["the", "a", "An", "cat", "Cat's", "sat.", "on", "mat", "mat,", "1,000", "-", "dog", "dog"]


def official(answer: str, truth: str) -> tuple[float, float]:
    """EM and F1 of one pair as the published script has them, written anew."""

    def cleaned(text: str) -> list[str]:
        kept = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
        return [word for word in re.split(r"\s+", kept) if word not in ("", "a", "an", "the")]

    one, other = cleaned(answer), cleaned(truth)
    if not one or not other:
        return float(one == other), float(one == other)
    left, shared = list(other), 0
    for word in one:
        if word in left:
            left.remove(word)
            shared += 1
    if not shared:
        return float(one == other), 0.0
    precision, recall = shared / len(one), shared / len(other)
    return float(one == other), 2 * precision * recall / (precision + recall)


def test_both_measures_are_those_of_torchmetrics() -> None:
    from torchmetrics.functional.text import squad

    random = generator_for(1, "words")

    def text() -> str:
        size = int(torch.randint(1, 5, (), generator=random))
        return " ".join(WORDS[int(torch.randint(len(WORDS), (), generator=random))] for _ in range(size))

    for _ in range(60):
        answer, references = text(), [text(), text()]
        asked = {"answers": {"answer_start": [0, 0], "text": references}, "id": "0"}
        theirs = squad({"prediction_text": answer, "id": "0"}, asked)
        assert exact_match(answer, references) == pytest.approx(theirs["exact_match"].item() / 100)
        assert token_f1(answer, references) == pytest.approx(theirs["f1"].item() / 100, abs=1e-6)


def test_both_measures_are_those_of_squad() -> None:
    random = generator_for(0, "words")

    def text() -> str:
        size = int(torch.randint(0, 5, (), generator=random))
        return " ".join(WORDS[int(torch.randint(len(WORDS), (), generator=random))] for _ in range(size))

    matched = 0.0
    for _ in range(400):
        answer, references = text(), [text() for _ in range(int(torch.randint(1, 4, (), generator=random)))]
        found = [official(answer, reference) for reference in references]
        assert exact_match(answer, references) == max(em for em, _ in found)
        assert token_f1(answer, references) == pytest.approx(max(f1 for _, f1 in found))
        matched += exact_match(answer, references)
    assert 20 < matched < 300


VOCABULARY = Vocabulary.build(["red blue green dark red"], "words")  # ids: red 2, then blue, dark, green


def evidence(count: int = 100) -> Evidence:
    """Two sources, the first answered twice; a generator that knows nothing."""
    generator = Seq2Seq(hidden=4, layers=1).build(VOCABULARY.size, 0, 0, generator_for(1, "answers"))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(3.0)
    sources = Sequences.of(torch.tensor([[3, 0, 0], [4, 5, 0], [3, 0, 0]]), end=0)
    references = [VOCABULARY.encode(text) for text in ("red", "blue", "dark red")]
    return Evidence(
        generator=generator, references=references, sources=sources, vocabulary=VOCABULARY, length=3, end=0, count=count
    )


def likeliest(generator: Generator, source: Int[Tensor, "1 source"]) -> str:
    """The answer of the largest logits, unknown words left out."""
    law = given(generator, Sequences.of(source, end=0))
    tokens = torch.zeros(1, 3, dtype=torch.long)
    for place in range(3):
        logits = law.logits(tokens)[0, place]
        logits[1] = -torch.inf
        tokens[0, place] = int(logits.argmax())
    return VOCABULARY.decode(Sequences.of(tokens, end=0).lists(0)[0])


def test_the_likeliest_answer_to_each_source_is_measured() -> None:
    found = evidence()
    assert isinstance(found.generator, Generator)
    assert found.sources is not None
    answers = [likeliest(found.generator, found.sources.tokens[row : row + 1]) for row in (0, 1)]
    wanted = (["red", "dark red"], ["blue"])
    figures = measure(found, ["exact_match", "f1", "answer_length"]).flat()
    for name, function in (("exact_match", exact_match), ("f1", token_f1)):
        expected = sum(function(answer, real) for answer, real in zip(answers, wanted, strict=True)) / 2
        assert figures[name].value == pytest.approx(expected)
        assert (figures[name].count, figures[name].details["references"]) == (2, 3)
    assert figures["answer_length"].value == sum(len(answer.split()) for answer in answers) / 2
    assert figures["real_answer_length"].value == pytest.approx(4 / 3)
    assert measure(evidence(1), ["f1"]).flat()["f1"].count == 1


def test_answers_are_drawn_once_for_all_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Likeliest and sampled, whatever is asked of them: with a language model each takes minutes."""
    plain, asked = Evidence.answers, []

    def counted(self: Evidence, *arguments: Any) -> Sequences:
        asked.append(arguments)
        return plain(self, *arguments)

    monkeypatch.setattr(Evidence, "answers", counted)
    measure(evidence(), ["exact_match", "f1", "answer_length"])
    assert len(asked) == 2


def test_unknown_words_never_match() -> None:
    """A generator that would say little else, beside references of nothing else."""
    found = evidence()
    with torch.no_grad():
        found.generator.output.bias[1] = 50.0  # pyright: ignore
    unknown = dataclasses.replace(found, references=[[1], [1, 1], [1]])
    figures = measure(unknown, ["exact_match", "f1"]).flat()
    assert all(figure.value == 0 for figure in figures.values())


def test_likelihoods_and_samples_know_their_sources() -> None:
    found = evidence()
    assert found.generated.source is not None
    assert found.generated.source.tokens.tolist() == [[3, 0, 0], [4, 5, 0]]
    assert isinstance(found.generator, Generator)
    real = found.real("references")
    log_probs = [
        given(found.generator, real.source[slice(row, row + 1)]).log_probs(real.tokens[row : row + 1])[  # pyright: ignore
            real.mask[row][None]
        ]  # pyright: ignore
        for row in range(3)
    ]
    expected = -torch.cat(log_probs).mean().item()
    assert measure(found, ["nll_gen"]).flat()["nll_gen_test"].value == pytest.approx(expected, abs=1e-5)


def test_where_they_do_not_apply() -> None:
    plain = dataclasses.replace(evidence(), sources=None, samples=[[2], [3]])
    skipped = measure(plain).skipped
    for name in ("exact_match", "f1", "answer_length"):
        assert skipped[name] == "needs sources (what each reference answers)"
    assert measure(evidence(), None).skipped["infill_perplexity"] == "needs a generator of texts, got one of answers"
