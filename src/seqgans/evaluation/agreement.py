"""Do judges agree? Krippendorff's α for answers of a few kinds, of any number of judges who need not answer everything.

References: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance on nominal answers: 1 where all agree, 0 as by chance, below 0 where they contradict.

        α = 1 − (n − 1) · Σ_u [m_u² − Σ_c n_uc²] / (m_u − 1) / [n² − Σ_c n_c²]

    with n_uc answers c to unit u, m_u answers to it, and n_c and n over the units that have at least two answers.

    Args:
        units: for each thing judged the answers it got, in any order; those with fewer than two say nothing.

    Returns:
        α, or None where it is not defined: no unit has two answers, or all answers are the same.

    >>> krippendorff_alpha([["a", "a"], ["b", "b"], ["a", "b"], ["b", "a"]])  # half of them: as by chance, nearly
    0.125
    """
    paired = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[Hashable] = sum(paired, Counter())
    count = totals.total()
    expected = count**2 - sum(number**2 for number in totals.values())
    if not expected:
        return None
    observed = sum(
        (unit.total() ** 2 - sum(number**2 for number in unit.values())) / (unit.total() - 1) for unit in paired
    )
    return 1 - (count - 1) * observed / expected
