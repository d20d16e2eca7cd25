"""Questions for a run that answers: whole, never cut in silence."""

from __future__ import annotations

from collections.abc import Sequence

from seqgans.data.sources import encode_sources
from seqgans.errors import BadInput
from seqgans.sequences import Sequences
from seqgans.training.fitting import model_config, positions_of
from seqgans.training.recipe import PRETRAINED
from seqgans.verbs.loading import LoadedRun


def encoded_questions(run: LoadedRun, texts: Sequence[str]) -> Sequences:
    """What is to be answered, as ids.

    A small model reads as many tokens as it was trained with; a pre-trained one as many as its positions leave beside
    an answer, however long the prompts of its corpus were.

    Raises:
        BadInput: a text has more tokens.
    """
    corpus = run.corpus
    sizes = [len(row) for row in corpus.vocabulary.encode_all(texts)]
    longest = max(sizes, default=0)
    if run.recipe.generator == PRETRAINED:
        room = positions_of(model_config(run.players.generator))
        width, most = longest, longest if room is None else room - corpus.length
        advice = f"the model has {room} positions and an answer takes {corpus.length}; shorten it"
    else:
        width, most = corpus.source_width, corpus.source_width - (corpus.vocabulary.kind != "model")
        advice = "shorten it, or train with a larger --corpus.source-length"
    if longest > most:
        raise BadInput(
            f"what is to be answered must have at most {most} tokens, number {sizes.index(longest) + 1} has {longest}; "
            f"{advice}"
        )
    return encode_sources(texts, corpus.vocabulary, max(width, 1))[0]
