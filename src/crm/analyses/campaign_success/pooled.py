"""All experiments together: one alone is often too small to show what several do.

Effects per contacted customer, weighted by how sure they are, with what differs from campaign to campaign beyond luck
added to the interval (random effects: DerSimonian & Laird 1986, interval after Hartung & Knapp 2001). Arms are drawn
anew for each campaign, so that the errors are independent although the customers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST = 2


@dataclass(frozen=True)
class Pooled:
    """The effect per contacted customer of a usual campaign, with its 95 % interval.

    spread: standard deviation of the campaigns' own effects, beyond luck.     campaigns: how many were put together.
    """

    effect: float
    low: float
    high: float
    spread: float
    campaigns: int


def pool(effects: Sequence[float], errors: Sequence[float]) -> Pooled | None:
    """Put together effects with their standard errors; None of fewer than two."""
    effect, variance = np.asarray(effects, dtype="float64"), np.asarray(errors, dtype="float64") ** 2
    sure = np.isfinite(effect) & np.isfinite(variance) & (variance > 0)
    effect, variance, count = effect[sure], variance[sure], int(sure.sum())
    if count < FEWEST:
        return None
    weight = 1 / variance
    common = (weight * effect).sum() / weight.sum()
    unlike = (weight * (effect - common) ** 2).sum()
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    between = max((unlike - (count - 1)) / scale, 0.0)
    weight = 1 / (variance + between)
    mean = float((weight * effect).sum() / weight.sum())
    plain = 1 / weight.sum()
    # Never narrower than luck alone makes it: of few campaigns the spread may look smaller than it is.
    factor = max((weight * (effect - mean) ** 2).sum() / (count - 1), 1.0)
    quantile = stats.t.ppf(0.975, count - 1) if between > 0 else stats.norm.ppf(0.975)
    half = float(np.sqrt(plain * factor) * quantile)
    return Pooled(mean, mean - half, mean + half, float(np.sqrt(between)), count)


__all__ = ["Pooled", "pool"]
