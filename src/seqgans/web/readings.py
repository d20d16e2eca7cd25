"""What both players make of each token that was written: alternatives of the one, the word of the other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence as SequenceOf
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seqgans.data.vocabulary import TOKENIZED
from seqgans.discriminators.pairs import beside
from seqgans.errors import BadInput
from seqgans.generators.base import Generator
from seqgans.generators.categories import CategoryGenerator
from seqgans.generators.conditional import Conditional, given
from seqgans.generators.decoding import PLAIN, Decoding
from seqgans.randomness import Stream, generator_for
from seqgans.rewards.prefixes import PrefixScorer, StepScorer, of_prefixes
from seqgans.sequences import Samples, Sequences
from seqgans.verbs.asking import encoded_questions
from seqgans.verbs.loading import LoadedRun
from seqgans.verbs.sample import checked, law_of
from seqgans.web.blanks import Begun, begun

MOST = 16  # sequences at once
ALTERNATIVES = 6  # most likely tokens that are shown


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be written.

    Attributes:
        prompt: what the sequence begins with; of a run that answers, what is to be answered.
        fill: the prompt is a whole line, and each `_` in it a token that is missing.
        category: of all; None draws one for each.
        count: sequences.
        temperature: logits are divided by it; 0 takes the most likely token.
        top_k: draw among so many most likely tokens, 0 for all.
        top_p: draw among the fewest tokens whose probabilities reach this, 1 for all.
        seed: equal seeds give equal sequences.
    """

    prompt: str = ""
    fill: bool = False
    category: str | None = None
    count: int = 3
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def decoding(self) -> Decoding:
        """How tokens are drawn.

        Raises:
            BadInput: a number is not allowed.
        """
        if self.count > MOST:
            raise BadInput(f"the number of sequences must be at most {MOST} here, got {self.count}")
        if self.seed >= 2**63:
            raise BadInput(f"seed must be below 2^63, got {self.seed}")
        return checked(self.count, self.temperature, self.top_k, self.top_p, self.seed)


@torch.no_grad()
def written(run: LoadedRun, wish: Wish) -> list[dict[str, Any]]:
    """Sequences, token by token.

    Args:
        run: whose generator writes, and whose discriminator judges.
        wish: what is to be written.

    Returns:
        For each sequence its "text"; its "score", the discriminator's probability that it is real; "keys" of a tune;
        and "tokens", each with "text", whether it was "given" or is the "end", its "probability" under the law it was
        drawn from, the "alternatives" of that law, and the "score" of the sequence up to it.

    Raises:
        BadInput: the wish does not fit the run.
    """
    corpus, vocabulary = run.corpus, run.corpus.vocabulary
    decoding = dataclasses.replace(wish.decoding(), excluded=vocabulary.unwritten)
    source = None if wish.fill else source_of(run, wish.prompt)
    start = begin(run, wish, source, decoding)
    samples = start.law.sample(
        wish.count,
        corpus.length,
        random=stream_of(wish),
        prefix=start.tokens,
        kept=start.kept,
        decoding=start.decoding,
    )
    given = start.given(corpus.length)
    laws = steps(start.law, samples.tokens, start.decoding, given, stream_of(wish))
    scores = scores_of(run, samples, source)
    return [told(run, samples, row, given, laws, None if scores is None else scores[row]) for row in range(wish.count)]


def begin(run: LoadedRun, wish: Wish, source: Sequences | None, decoding: Decoding) -> Begun:
    """What is given, and who goes on from it: a prompt, what is to be answered, or a line with blanks."""
    if wish.fill:
        categories = Stream(generator_for(wish.seed, "categories"))
        return begun(run, law_of(run, wish.category), wish.prompt, wish.count, decoding, categories)
    prefix = [] if source is not None else prompt_of(run, wish.prompt)
    tokens = torch.tensor([prefix] * wish.count, dtype=torch.long) if prefix else None
    return Begun(law_for(run, wish, source), tokens, None, decoding)


def stream_of(wish: Wish) -> Stream:
    """Where tokens come from."""
    return Stream(generator_for(wish.seed, "play"))


def source_of(run: LoadedRun, prompt: str) -> Sequences | None:
    """What is to be answered, one row for all; None where nothing is answered.

    Raises:
        BadInput: it is missing, or too long.
    """
    if not run.corpus.source_width:
        return None
    if not prompt.strip():
        raise BadInput("this run answers: write what it is to answer as the prompt")
    return encoded_questions(run, [prompt])


def prompt_of(run: LoadedRun, prompt: str) -> list[int]:
    """What every sequence begins with.

    Raises:
        BadInput: it leaves no room, or holds a symbol that does not exist.
    """
    vocabulary = run.corpus.vocabulary
    ids = vocabulary.encode(prompt) if prompt.strip() else []
    room = run.corpus.length - 1
    if len(ids) > room:
        raise BadInput(f"a prompt must leave room to write: at most {room} tokens, got {len(ids)}; shorten it")
    return ids


def law_for(run: LoadedRun, wish: Wish, source: Sequences | None) -> Generator:
    """The generator as one that can be stepped: its source and its categories known."""
    law = law_of(run, wish.category)
    if source is not None:
        return given(law, source)
    if isinstance(law, CategoryGenerator):
        return law.freely(wish.count, Stream(generator_for(wish.seed, "categories")))
    return law.given(law.blanks(1, run.corpus.length)) if isinstance(law, Conditional) else law


def steps(
    law: Generator, tokens: Int[Tensor, "batch time"], decoding: Decoding, given: SequenceOf[bool], stream: Stream
) -> list[Float[Tensor, "batch vocab"]]:
    """The law of each token, what came before being known: of given tokens the plain one.

    Args:
        law: who wrote them.
        tokens: what was written.
        decoding: how.
        given: whether the token at a place was not drawn.
        stream: as it was when they were drawn, for a state that is drawn begins both times as the same one.
    """
    count, time = tokens.shape
    stream.uniform(count, time)
    state = law.begin(count, stream)
    previous = torch.full((count,), law.start, dtype=torch.long, device=tokens.device)
    found = []
    for place in range(time):
        hidden, state = law.advance(previous, state)
        how = law.decoding_at(place, PLAIN if given[place] else decoding)
        found.append(how.shape(law.output(hidden).float()).softmax(1))
        previous = tokens[:, place]
    return found


def scores_of(run: LoadedRun, samples: Samples, source: Sequences | None) -> Float[Tensor, "batch time"] | None:
    """D after each token: its score per step where it has one, else of the prefix; None without a discriminator."""
    if run.recipe.discriminator is None:
        return None
    rows = None if source is None else source[torch.zeros(len(samples), dtype=torch.long)]
    judge = beside(run.players.discriminator, rows)
    if isinstance(judge, StepScorer):
        with suppress(BadInput):  # an ensemble, or a reader of pairs, whose parts have none
            return judge.step_scores(samples.tokens, samples.mask).sigmoid()
    if isinstance(judge, PrefixScorer):
        return judge.prefix_scores(samples.tokens, samples.mask).sigmoid()
    return of_prefixes(judge.scores, samples.tokens, samples.mask).sigmoid()


def told(
    run: LoadedRun,
    samples: Samples,
    row: int,
    given: SequenceOf[bool],
    laws: list[Float[Tensor, "batch vocab"]],
    scores: Float[Tensor, " time"] | None,
) -> dict[str, Any]:
    """One sequence as plain values."""
    vocabulary = run.corpus.vocabulary
    ids = samples.tokens[row][: int(samples.mask[row].sum())].tolist()
    tokens, before = [], ""
    for place, number in enumerate(ids):
        ends = number == vocabulary.end
        text = "" if ends else vocabulary.decode(ids[: place + 1])
        law = laws[place][row]
        best = law.topk(min(ALTERNATIVES, len(law)))
        token = {
            "text": "" if ends else text[len(before) :],
            "given": given[place],
            "end": ends,
            "probability": finite(samples.log_probs[row, place].exp()),
            "score": None if scores is None else finite(scores[place]),
            "alternatives": [
                [named(run, other), finite(share)]
                for other, share in zip(best.indices.tolist(), best.values, strict=True)
                if share > 0
            ],
        }
        tokens.append(token)
        before = text
    body = ids[:-1] if ids and ids[-1] == vocabulary.end else ids
    return {
        "text": vocabulary.decode(body),
        "score": tokens[-1]["score"] if tokens else None,
        "keys": body if vocabulary.kind == "notes" else None,
        "tokens": tokens,
    }


def named(run: LoadedRun, number: int) -> str:
    """A token alone, for people."""
    vocabulary = run.corpus.vocabulary
    if number != vocabulary.end and vocabulary.kind in TOKENIZED:
        return vocabulary.decode([number])
    return vocabulary.symbols[number]


def finite(value: Tensor) -> float | None:
    """A number as JSON knows it."""
    number = float(value)
    return number if math.isfinite(number) else None
