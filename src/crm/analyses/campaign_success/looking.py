"""May one look at a campaign before it has ended?

Daily looks with an ordinary interval find an effect sooner or later, even where there is none. The always-valid
interval holds for all looks together: the boundary is the normal mixture of Robbins (1970) in the form of Howard,
Ramdas, McAuliffe & Sekhon (2021). Sales of the same customers on different days are alike, so the differences of two
days are more alike than those of a random walk; by Slepian's inequality the boundary is then crossed less often, and
the level holds.

The stated rule: while a campaign runs, an effect is claimed only where the always-valid interval, at 99 %, excludes
zero; after its last day the ordinary 95 % interval is read, once. Both together err in at most 6 % of the campaigns
that change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from crm.analyses.campaign_success.differences import Difference

LEVEL_OF_LOOKS = 0.99
POWER = 0.80


@dataclass(frozen=True)
class Look:
    """A look at a campaign that still runs: the effect so far, with the interval that holds for every look.

    smallest_seen: the smallest effect per customer that its end will show with the usual power.
    """

    effect: float
    low: float
    high: float
    smallest_seen: float

    @property
    def sure(self) -> bool:
        """Does the interval exclude zero?"""
        return bool(self.low > 0 or self.high < 0)


def look(found: Difference, *, se_at_end: float) -> Look:
    """The always-valid interval of a difference added up so far.

    se_at_end: the standard error expected after the last day, told before the first from the customers' past; the
    interval is narrowest there, and valid whatever it is.
    """
    half = half_width(found.se, se_at_end)
    seen = smallest_effect_seen(se_at_end)
    return Look(found.effect, found.effect - half, found.effect + half, seen)


def half_width(se: float, se_at_end: float, *, level: float = LEVEL_OF_LOOKS) -> float:
    """Of the always-valid interval of a sum whose standard error is `se` so far."""
    miss = 1 - level
    tuned = se_at_end**2 / (-2 * np.log(miss) + np.log(1 - 2 * np.log(miss)))
    seen = se**2 + tuned
    return float(np.sqrt(seen * np.log(seen / (tuned * miss**2)))) if tuned > 0 else float("nan")


def smallest_effect_seen(se: float, *, power: float = POWER, level: float = 0.95) -> float:
    """The effect that an ordinary interval excludes zero for with this power."""
    return float(se * (stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)))


__all__ = ["LEVEL_OF_LOOKS", "POWER", "Look", "half_width", "look", "smallest_effect_seen"]
