"""What goes wrong in a fine-tuning by a discriminator: answers of nothing or without end, one word, the reference lost.

As the detectors of `detectors.py`: each speaks once, and knows only the events of a run. `STOPS` are those, and the
collapse detector of every game, after which a run that is asked to goes back to its last good checkpoint and ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import mean
from typing import Any

Event = Mapping[str, Any]

LAST = 5  # gatherings that must agree
SUSTAINED = 10  # of repetition beside real answers that do not become likelier
LONG = 40  # of repetition whatever becomes of them: a game from random parameters passes through thirty to be right
LIKELIER = 0.5  # nats a token that real answers gained since the game began: it still learns
NOTHING = 1.5  # tokens, the end token included: more than half of the answers hold nothing else
TIMES_AS_LONG = 1.5  # as real answers, or they as these: a batch's mean length varies by a fifth
SOMETHING = 3.0  # tokens of real answers, so that short ones are no alarm
REPEATED = 0.4  # by so much more of an answer repeats itself than of a real one
ADRIFT = 1.0  # nats a token away from the reference: e times likelier at every token
UNLIKELIER = 0.1  # nats a token that real answers lost since the game began
LOST = 0.5  # share of the entropy at the start

STOPS = ("mode collapse", "answers of nothing", "repetition", "narrowing")
"""Names of the detectors that end a run which is to stop where it collapses."""


class Speechless:
    """Answers that end at once, where real ones do not."""

    name = "answers of nothing"
    advice = "maximum likelihood first, a smaller generator rate, or --generator.min-new-tokens"

    def __init__(self) -> None:
        self.lengths: deque[float] = deque(maxlen=LAST)

    def notice(self, event: Event) -> str | None:
        """Lengths of the game's gatherings."""
        figures = of_game(event)
        if "length" not in figures or figures.get("real_length", 0.0) < SOMETHING:
            return None
        self.lengths.append(figures["length"])
        if len(self.lengths) < LAST or max(self.lengths) > NOTHING:
            return None
        return f"answers have {max(self.lengths):.2g} tokens, real ones {figures['real_length']:.3g}"


class Unscored:
    """Answers to which the discriminator gives no number; they are paid as the mean of the others."""

    name = "answers without a score"
    advice = "a smaller discriminator rate, a larger --algorithm.score-penalty, or --run.precision float32"

    def notice(self, event: Event) -> str | None:
        """Share of such answers: one gathering is enough, since no score of a sound network is missing."""
        share = of_game(event).get("unscored", 0.0)
        return f"the discriminator's score of {share:.0%} of the answers is no number" if share else None


class OtherLength:
    """Answers that the game made longer or shorter than real ones: an end is lost, or everything but the safe words."""

    name = "answers of another length"
    advice = "a smaller generator rate, a larger --algorithm.kl, or longer pre-training of the discriminator"

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: deque[float] = deque(maxlen=LAST)

    def notice(self, event: Event) -> str | None:
        """Lengths of the game's gatherings beside those of real answers; the first one is as the game began."""
        figures = of_game(event)
        if "length" not in figures or figures.get("real_length", 0.0) < SOMETHING:
            return None
        share = figures["length"] / figures["real_length"]
        self.first = share if self.first is None else self.first
        self.last.append(share)
        low, high = 1 / TIMES_AS_LONG, TIMES_AS_LONG
        if len(self.last) < LAST or not low < self.first < high or (max(self.last) >= low and min(self.last) <= high):
            return None
        said = f"answers have {figures['length']:.3g} tokens, real ones {figures['real_length']:.3g}"
        return None if figures["length"] <= NOTHING else f"{said}; when the game began, {self.first:.0%} of that"


class Repetition:
    """Answers that say a word over and over, where real ones do not."""

    name = "repetition"
    advice = "a smaller generator rate, a larger --algorithm.kl or --algorithm.likelihood-weight"

    def __init__(self) -> None:
        self.excess: deque[float] = deque(maxlen=LONG)
        self.likelihoods: list[float] = []

    def notice(self, event: Event) -> str | None:
        """Shares of tokens that stood in the same answer before, and NLL of real ones."""
        figures = of_game(event)
        if "repeated" not in figures or "real_repeated" not in figures:
            return None
        self.excess.append(figures["repeated"] - figures["real_repeated"])
        self.likelihoods.append(figures.get("real_nll", 0.0))
        del self.likelihoods[LAST:-SUSTAINED]  # the first and the last few
        gained = mean(self.likelihoods[:LAST]) - mean(self.likelihoods[-SUSTAINED:])
        least = SUSTAINED if gained < LIKELIER else LONG
        if len(self.excess) < least or min(list(self.excess)[-least:]) < REPEATED:
            return None
        return (
            f"{figures['repeated']:.0%} of the tokens of an answer stood in it before, "
            f"{figures['real_repeated']:.0%} of those of a real one"
        )


class Narrowing:
    """Entropy lost while real answers became less likely: a model that only learns has more likely ones."""

    name = "narrowing"
    advice = "a smaller generator rate, a larger --algorithm.kl or --algorithm.likelihood-weight"

    def __init__(self) -> None:
        self.entropies: list[float] = []
        self.likelihoods: list[float] = []

    def notice(self, event: Event) -> str | None:
        """Entropy of answers and NLL of real ones, now and when the game began."""
        figures = of_game(event)
        if "entropy" not in figures or "real_nll" not in figures:
            return None
        for values, name in ((self.entropies, "entropy"), (self.likelihoods, "real_nll")):
            values.append(figures[name])
            del values[LAST:-LAST]  # the first and the last few
        if len(self.entropies) < 2 * LAST:
            return None
        now, before = max(self.entropies[-LAST:]), sum(self.entropies[:LAST]) / LAST
        less = min(self.likelihoods[-LAST:]) - sum(self.likelihoods[:LAST]) / LAST
        if now >= LOST * before or less < UNLIKELIER:
            return None
        return (
            f"the entropy of answers fell from {before:.3g} to {now:.3g} nats per token, "
            f"and real answers became less likely by {less:.3g}"
        )


class Adrift:
    """A model far from its reference."""

    name = "far from the reference"
    advice = "a larger --algorithm.kl, or --algorithm.kl-target 0.1, which makes it adaptive"

    def __init__(self) -> None:
        self.divergences: deque[float] = deque(maxlen=LAST)

    def notice(self, event: Event) -> str | None:
        """Divergence of the game's gatherings, nats per token."""
        figures = of_game(event)
        if "kl" not in figures:
            return None
        self.divergences.append(figures["kl"])
        if len(self.divergences) < LAST or min(self.divergences) < ADRIFT:
            return None
        return f"answers are {min(self.divergences):.3g} nats per token and more away from the reference"


def of_game(event: Event) -> dict[str, float]:
    """Figures of a gathering of the game; nothing of any other event."""
    if event.get("kind") != "gathering" or event.get("round", 0) == 0:
        return {}
    return {name: float(value) for name, value in event.get("figures", {}).items() if isinstance(value, int | float)}
