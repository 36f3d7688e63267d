"""How many leave altogether? Who is likelier is told by the order; the level is set by dates whose outcome is known.

Where trade is seasonal, chances learnt in one season are off in the next: the same weeks of a year ago then tell the
level. Where the model was off by much the same on every judged date, that is taken off. Neither is taken for granted:
it must have told the level better than the model's own did, on dates judged after those it was learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crm.analyses.defection.foresight import Foresight
from crm.analyses.defection.learners import BLEND, shift_to
from crm.purchase_models.histories import FloatArray

OWN, JUDGED, SEASON = "own", "judged dates", "season"
FEWEST_DATES = 2
"""Dates on which it must have served to take off what the model was off by before."""


def settle(
    log_odds: FloatArray, year_ago: float, earlier: Sequence[Foresight], outcome: str, *, candidate: str = BLEND
) -> tuple[float, str]:
    """What is added to these log-odds, and from where it comes.

    earlier: judged dates whose outcome was known before.
    year_ago: the log-odds of the share that is to be expected by the same weeks of a year ago; nan where unknown.
    """
    judged = [one for one in sorted(earlier, key=lambda one: one.date) if candidate in one.expected[outcome]]
    needed = [_needed(one, outcome, candidate) for one in judged]
    if np.isfinite(year_ago) and _season_served(judged, needed, outcome, candidate):
        return _by_season(log_odds, year_ago), SEASON
    if _judged_served(needed):
        return _held_back(needed), JUDGED
    return 0.0, OWN


def _needed(one: Foresight, outcome: str, candidate: str) -> float:
    """The shift that would have set the level of this date right."""
    share = one.came(outcome).mean()
    return shift_to(one.expected[outcome][candidate].to_numpy(), float(np.clip(share, 1e-4, 1 - 1e-4)))


def _held_back(needed: Sequence[float]) -> float:
    """The mean of the shifts needed before, held back the fewer they are."""
    return float(np.sum(needed) / (len(needed) + 1))


def _judged_served(needed: Sequence[float]) -> bool:
    """Was the mean of the dates before nearer than no shift, on the judged dates that have such before them?"""
    later = range(1, len(needed))
    with_it = [abs(needed[number] - _held_back(needed[:number])) for number in later]
    return len(with_it) >= FEWEST_DATES and bool(np.mean(with_it) < np.mean([abs(needed[n]) for n in later]))


def _by_season(log_odds: FloatArray, year_ago: float) -> float:
    return shift_to(log_odds, float(1 / (1 + np.exp(-year_ago))))


def _season_served(judged: Sequence[Foresight], needed: Sequence[float], outcome: str, candidate: str) -> bool:
    """Was the season nearer than the model's own level, on the judged dates on which it is known?"""
    off: list[tuple[float, float]] = []
    for one, right in zip(judged, needed, strict=True):
        told = one.year_ago[outcome]
        if np.isfinite(told):
            season = _by_season(one.expected[outcome][candidate].to_numpy(), told)
            off.append((abs(right - season), abs(right)))
    return bool(off) and bool(np.mean([a for a, _ in off]) < np.mean([b for _, b in off]))


__all__ = ["JUDGED", "OWN", "SEASON", "settle"]
