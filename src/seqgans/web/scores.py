"""Answers into figures: how often each source was taken for real, how sure that is, and whether judges agree."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from seqgans.evaluation.agreement import krippendorff_alpha
from seqgans.evaluation.significance import holm, welch_t
from seqgans.report.spreadsheet import as_csv
from seqgans.web.store import REAL, Answer

COLUMNS = ("judge", "item", "source", "text", "answer", "seconds", "at")


@dataclass(frozen=True, kw_only=True)
class SourceScore:
    """What judges made of one source.

    Attributes:
        source: a run, or "real".
        answers: how many.
        taken_for_real: how many of them said real.
        score: their share, the score of the SeqGAN paper's Table 2.
        low: lower end of Wilson's 95% interval.
        high: upper end.
        fisher: p-value of Fisher's exact test against the real items, Holm-corrected; None for those.
        by_item: p-value of Welch's test on each item's share, Holm-corrected; None where there are too few.
    """

    source: str
    answers: int
    taken_for_real: int
    score: float
    low: float
    high: float
    fisher: float | None = None
    by_item: float | None = None


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    from scipy.stats import binomtest

    found = binomtest(successes, count).proportion_ci(confidence_level=0.95, method="wilson")
    return float(found.low), float(found.high)


def scores_of(answers: Sequence[Answer], sources: Sequence[str]) -> list[SourceScore]:
    """A row for each source that was judged, in the given order.

    Fisher's test takes all answers for independent. Those to the same item are not, which the test by item
    heeds: there each item counts once, with the share of its judges that said real.

    Args:
        answers: of all judges.
        sources: in the order of the rows.
    """
    said = {source: [answer for answer in answers if answer.source == source] for source in sources}
    said = {source: found for source, found in said.items() if found}
    yes = {source: sum(answer.is_real for answer in found) for source, found in said.items()}
    against = [source for source in said if source != REAL] if REAL in said else []
    table = {source: [[yes[one], len(said[one]) - yes[one]] for one in (source, REAL)] for source in against}
    fisher = corrected({source: fisher_p(table[source]) for source in against})
    shares = {source: shares_of(found) for source, found in said.items()}
    testable = [source for source in against if min(len(shares[source]), len(shares[REAL])) > 1]
    by_item = corrected({source: welch_t(shares[source], shares[REAL]).p_value for source in testable})
    rows = []
    for source, found in said.items():
        low, high = wilson(yes[source], len(found))
        row = SourceScore(
            source=source,
            answers=len(found),
            taken_for_real=yes[source],
            score=yes[source] / len(found),
            low=low,
            high=high,
            fisher=fisher.get(source),
            by_item=by_item.get(source),
        )
        rows.append(row)
    return rows


def fisher_p(table: Sequence[Sequence[int]]) -> float:
    """p-value of Fisher's exact test of two shares, given as counts of yes and no.

    >>> round(fisher_p([[3, 1], [1, 3]]), 4)
    0.4857
    """
    from scipy.stats import fisher_exact

    return float(fisher_exact(table).pvalue)  # pyright: ignore[reportAttributeAccessIssue]


def corrected(p_values: dict[str, float]) -> dict[str, float]:
    """Holm's correction for the number of sources."""
    return dict(zip(p_values, holm(list(p_values.values())), strict=True))


def by_item(answers: Sequence[Answer]) -> dict[str, list[bool]]:
    """The answers to each item."""
    found: dict[str, list[bool]] = {}
    for answer in answers:
        found.setdefault(answer.item, []).append(answer.is_real)
    return found


def shares_of(answers: Sequence[Answer]) -> list[float]:
    """Of each item the share of its answers that said real."""
    return [statistics.fmean(said) for said in by_item(answers).values()]


def agreement(answers: Sequence[Answer]) -> float | None:
    """Krippendorff's α of all judges over all items; None where nobody can agree with anybody."""
    return krippendorff_alpha(list(by_item(answers).values()))


def answers_csv(answers: Sequence[Answer]) -> str:
    """One line an answer. A text that a spreadsheet would take for a formula has an apostrophe before it."""
    rows = []
    for answer in answers:
        at = datetime.fromtimestamp(answer.at, UTC).isoformat(timespec="seconds")
        said = REAL if answer.is_real else "generated"
        row = (
            answer.judge,
            answer.item,
            answer.source,
            answer.shown.get("text", ""),
            said,
            f"{answer.seconds:.1f}",
            at,
        )
        rows.append(row)
    return as_csv(COLUMNS, rows)
