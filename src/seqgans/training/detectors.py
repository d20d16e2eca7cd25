"""What goes wrong in such games, noticed from the events of a run: what was seen, and what to try.

Each detector speaks once. All of their state comes from the events, so feeding them the lines of events.jsonl
again brings them back to where a run stopped.

A game collapses where a generator loses its own entropy and no longer covers the real sequences; a
discriminator has won where it is always right and its rewards no longer tell one sample from another.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from seqgans.training.alarms import Adrift, Narrowing, OtherLength, Repetition, Speechless, Unscored

Event = Mapping[str, Any]

LAST = 5  # gatherings or evaluations that must agree: one minibatch proves nothing
COLLAPSED = 0.5  # share of the entropy or of the distinct bigrams at the start; a healthy game moves a few per cent
DETERMINISTIC = 0.05  # nats per token: over twenty tokens one nat, so that the typical sequences are three
MORE_DUPLICATES = 0.2  # rise of their share: one sample in five repeats another that did not before
WON = 0.98  # accuracy above which fewer than one in fifty is mistaken
NO_REWARD = 0.05  # of rewards in [0, 1]; an undecided discriminator gives 0.5
NO_SPREAD = 0.02  # standard deviation of the rewards of a batch: samples earn all the same
CHANCE = 0.03  # distance of the accuracy from one half; the error of a mean over a thousand examples is 0.016
BLIND = 10  # gatherings at chance: two rounds of five d-steps, the published schedule
OVERFITTED = 15  # epochs since the best validation NLL; more than the patience of 10 with which training stops itself
WORSE = 0.01  # share by which it must have risen, so that a plateau is not over-fitting


@dataclass(frozen=True)
class Finding:
    """Something worth saying, once.

    Attributes:
        detector: who noticed.
        saw: what, with numbers.
        advice: what to try.
        step: updates done when it was noticed.
    """

    detector: str
    saw: str
    advice: str
    step: int


class Detector(Protocol):
    """Watches events until it has something to say."""

    name: str
    advice: str

    def notice(self, event: Event) -> str | None:
        """Take one event; what was seen, where it is time to speak."""
        ...


class Detectors:
    """All detectors of one run."""

    def __init__(self) -> None:
        self._waiting: list[Detector] = [Collapse(), Won(), Blind(), NotFinite(), Overfitting()]
        self._waiting += [Speechless(), Unscored(), OtherLength(), Repetition(), Narrowing(), Adrift()]

    def watch(self, event: Event) -> list[Finding]:
        """Take the next event; what is worth saying now and was not said before.

        Args:
            event: a line of events.jsonl. Findings of earlier lines are taken as said.
        """
        if event.get("kind") == "finding":
            self._waiting = [one for one in self._waiting if one.name != event.get("detector")]
            return []
        found = []
        for detector in list(self._waiting):
            saw = detector.notice(event)
            if saw is not None:
                self._waiting.remove(detector)
                found.append(Finding(detector.name, saw, detector.advice, int(event.get("step", 0))))
        return found


class Collapse:
    """Mode collapse: entropy, bigrams or unrepeated samples lost since the start of the game."""

    name = "mode collapse"
    advice = (
        "a lower generator rate, fewer generator steps a round, more roll-outs or a baseline, and the best checkpoint "
        "instead of the last; a temperature cannot bring lost sequences back"
    )

    def __init__(self) -> None:
        self.learnt = False  # whether the game began from a generator that had learnt something
        self.first: list[float] = []
        self.last: deque[float] = deque(maxlen=LAST)
        self.start: dict[str, float] = {}

    def notice(self, event: Event) -> str | None:
        """Entropy of every gathering of the game, the rest from evaluations."""
        figures = numbers(event)
        if event.get("kind") == "gathering" and event.get("round", 0) == 0:
            self.learnt = self.learnt or event.get("phase") == "likelihood"
        elif event.get("kind") == "gathering" and "entropy" in figures and "real_nll" not in figures:
            return self.of_entropy(figures["entropy"])  # beside real ones, `Narrowing` judges it
        elif event.get("kind") == "evaluation":
            if event.get("stage") in ("untrained", "pretraining"):
                return None
            if not self.start:
                self.start = figures if event.get("stage") == "pretrained" or self.learnt else {"duplicates": 0.0}
                return None
            return self.of_samples(figures)
        return None

    def of_entropy(self, entropy: float) -> str | None:
        """Compare the last few gatherings with the first few."""
        if len(self.first) < LAST:
            self.first.append(entropy)
        self.last.append(entropy)
        now, before = max(self.last), sum(self.first) / len(self.first)
        if len(self.last) < LAST:
            return None
        if self.learnt and now < COLLAPSED * before:
            return f"the entropy of samples fell from {before:.3g} to {now:.3g} nats per token since the game began"
        if now < DETERMINISTIC < before:
            return f"the entropy of samples is {now:.3g} nats per token: the generator writes the same all the time"
        return None

    def of_samples(self, figures: Mapping[str, float]) -> str | None:
        """Compare an evaluation with the one before the game."""
        start = self.start
        diversity, coverage = figures.get("nll_div"), figures.get("nll_gen_test", figures.get("nll_gen"))
        before, covered = start.get("nll_div"), start.get("nll_gen_test", start.get("nll_gen"))
        lost = coverage is None or covered is None or coverage > covered  # real sequences became less likely as well
        if diversity is not None and before is not None and lost and diversity < COLLAPSED * before:
            return f"NLL_div fell from {before:.3g} to {diversity:.3g} nats per token since the game began"
        repeated, once = figures.get("duplicates"), max(start.get("duplicates", 0.0), figures.get("real_duplicates", 0))
        if repeated is not None and "duplicates" in start and repeated > once + MORE_DUPLICATES:
            return f"{repeated:.0%} of the samples repeat another, {once:.0%} did before"
        pairs, many = figures.get("distinct_2"), start.get("distinct_2")
        if pairs is not None and many is not None:
            many = min(many, figures.get("real_distinct_2", many))
            if pairs < COLLAPSED * many:
                return f"distinct-2 fell from {many:.3g} to {pairs:.3g}"
        return None


class Won:
    """A discriminator that is always right and whose rewards say nothing."""

    name = "discriminator has won"
    advice = (
        "a lower discriminator rate, fewer discriminator steps or epochs, label smoothing or more dropout, "
        "and longer pre-training of the generator"
    )

    def __init__(self) -> None:
        self.accuracies: deque[float] = deque(maxlen=LAST)
        self.rewards: deque[float] = deque(maxlen=LAST)
        self.spreads: deque[float] = deque(maxlen=LAST)

    def notice(self, event: Event) -> str | None:
        """Accuracy and rewards of the game; before it, any discriminator may be right."""
        if event.get("kind") != "gathering" or event.get("round", 0) == 0:
            return None
        figures = numbers(event)
        right = figures.get("discriminator.accuracy")
        for values, value in (
            (self.accuracies, right),
            (self.rewards, figures.get("reward")),
            (self.spreads, figures.get("reward_spread")),
        ):
            if value is not None:
                values.append(value)
        certain = len(self.accuracies) == LAST and min(self.accuracies) >= WON
        paid = bool(self.rewards) and max(self.rewards) > NO_REWARD
        told_apart = bool(self.spreads) and max(self.spreads) > NO_SPREAD
        if right is None or not certain or paid or told_apart:
            return None
        saw = f"the discriminator's accuracy is {sum(self.accuracies) / LAST:.3f} over {LAST} gatherings"
        if self.rewards:
            saw += f", rewards are {sum(self.rewards) / len(self.rewards):.2g} on average"
        if self.spreads:
            saw += f" with a spread of {sum(self.spreads) / len(self.spreads):.2g}"
        return saw


class Blind:
    """A discriminator that does not get better than guessing."""

    name = "discriminator learns nothing"
    advice = (
        "a higher discriminator rate, more discriminator steps or epochs, or a larger discriminator; if NLL_gen is "
        "close to the entropy of the corpus there may be nothing left to tell apart"
    )

    def __init__(self) -> None:
        self.accuracies: deque[float] = deque(maxlen=BLIND)

    def notice(self, event: Event) -> str | None:
        """Accuracy of the game."""
        if event.get("kind") != "gathering" or event.get("round", 0) == 0:
            return None
        right = numbers(event).get("discriminator.accuracy")
        if right is None:
            return None
        self.accuracies.append(right)
        if len(self.accuracies) < BLIND or max(abs(one - 0.5) for one in self.accuracies) > CHANCE:
            return None
        return f"the discriminator's accuracy is {sum(self.accuracies) / BLIND:.3f} over {BLIND} gatherings: guessing"


class NotFinite:
    """A loss, a reward or an entropy that is not a finite number."""

    name = "not a finite number"
    advice = (
        "a lower learning rate of that player, a smaller clip of its gradient, float32 instead of bfloat16; then go on "
        "from the last checkpoint, which is from before"
    )

    def notice(self, event: Event) -> str | None:
        """Figures of training; an evaluation may be infinite where a generator rules a real sequence out.

        A run that failed is an event {"kind": "failed", "message": …}; only a message that names such a number counts.
        """
        if event.get("kind") == "failed":
            message = str(event.get("message", ""))
            return (
                message if {"nan", "inf", "-inf"} & set(message.replace(",", " ").replace(")", " ").split()) else None
            )
        if event.get("kind") != "gathering":
            return None
        for name, value in event.get("figures", {}).items():
            if isinstance(value, float) and not math.isfinite(value):
                return f"{name} is {value} in {event.get('phase', 'training')}"
        return None


class Overfitting:
    """Maximum likelihood that learns its training sequences by heart."""

    name = "over-fitting"
    advice = (
        "to stop where validation is best (patience, keep_best; before a game pretrain_patience, pretrain_best), "
        "a smaller generator, or more training sequences"
    )

    def __init__(self) -> None:
        self.nll = math.nan  # of training sequences, in the epoch that has just ended
        self.best: tuple[int, float, float] | None = None  # epoch, validation NLL, training NLL

    def notice(self, event: Event) -> str | None:
        """Validation NLL after each epoch, or of the evaluations where epochs are not validated."""
        if event.get("round", 0) != 0 or event.get("phase") != "likelihood":
            return None
        figures, epoch = numbers(event), int(event.get("gathering", 0))
        validation = figures.get("nll_valid")
        if event.get("kind") == "gathering":
            self.nll = figures.get("generator.nll", figures.get("generator.loss", math.nan))
            validation = figures.get("validation")
        if validation is None:
            return None
        if self.best is None or validation < self.best[1]:
            self.best = (epoch, validation, self.nll)
            return None
        best_epoch, lowest, nll = self.best
        if epoch - best_epoch < OVERFITTED or validation < lowest * (1 + WORSE) or not self.nll < nll:
            return None
        return (
            f"validation NLL rose from {lowest:.3f} (epoch {best_epoch}) to {validation:.3f} (epoch {epoch}) "
            f"while training NLL fell from {nll:.3f} to {self.nll:.3f}"
        )


def numbers(event: Event) -> dict[str, float]:
    """Finite figures of an event; of an evaluation, their means."""
    found = {}
    for name, figure in event.get("figures", {}).items():
        value = figure.get("mean") if isinstance(figure, Mapping) else figure
        if value is not None and math.isfinite(value):
            found[name] = float(value)
    return found
