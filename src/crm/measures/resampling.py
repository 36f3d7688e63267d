"""How sure is a difference between two expectations of the same customers? A paired bootstrap over customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.measures.amounts import FloatArray

Measure = Callable[[FloatArray, FloatArray], float]
"""Of what came and what was expected; more is better."""

DRAWS = 300
AT_MOST = 20_000
"""Customers of one draw: of more, so many are drawn, and the interval is narrowed as theory says (m out of n)."""
LEVEL = 0.95


@dataclass(frozen=True)
class Pair:
    """The customers of one date as two saw them; `customers` are numbers, a customer's the same on every date."""

    customers: npt.NDArray[np.int64] = field(repr=False)
    actual: FloatArray = field(repr=False)
    ours: FloatArray = field(repr=False)
    theirs: FloatArray = field(repr=False)


def gains(pairs: Sequence[Pair], measures: Mapping[str, Measure], *, seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """One row per measure: measure, ours, theirs, gain, low and high, each the mean over the dates.

    A draw takes customers with replacement, each with all their dates, so that what a customer does on several dates
    is not taken for independent evidence. Dates on which a measure is not defined do not count; NaN where none is.
    """
    everybody = [np.arange(len(pair.actual)) for pair in pairs]
    found = {name: _mean(measure, pairs, everybody) for name, measure in measures.items()}
    drawn: dict[str, list[float]] = {name: [] for name in measures}
    customers = 1 + max((int(pair.customers.max(initial=-1)) for pair in pairs), default=-1)
    places = [_places(pair.customers, customers) for pair in pairs]
    rng, size = np.random.default_rng(seed), min(customers, AT_MOST)
    for _ in range(draws if customers else 0):
        chosen = rng.integers(0, customers, size)
        at = [place[chosen][place[chosen] >= 0] for place in places]
        for name, measure in measures.items():
            ours, theirs = _mean(measure, pairs, at)
            drawn[name].append(ours - theirs)
    narrowed = np.sqrt(size / customers) if customers else 1.0
    rows = [(name, *found[name], *_interval(found[name], drawn[name], narrowed)) for name in measures]
    columns = ["measure", "ours", "theirs", "gain", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "float64"))


def _interval(found: tuple[float, float], drawn: Sequence[float], narrowed: float) -> tuple[float, float, float]:
    gain, known = found[0] - found[1], np.array([one for one in drawn if np.isfinite(one)])
    if not len(known) or not np.isfinite(gain):
        return gain, float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return gain, float(gain + (low - gain) * narrowed), float(gain + (high - gain) * narrowed)


def _mean(measure: Measure, pairs: Sequence[Pair], at: Sequence[npt.NDArray[np.int64]]) -> tuple[float, float]:
    """Ours and theirs, over the dates on which both are defined."""
    both = [
        (measure(pair.actual[some], pair.ours[some]), measure(pair.actual[some], pair.theirs[some]))
        for pair, some in zip(pairs, at, strict=True)
        if len(some)
    ]
    known = np.array([one for one in both if np.isfinite(one).all()])
    return (float(known[:, 0].mean()), float(known[:, 1].mean())) if len(known) else (float("nan"), float("nan"))


def _places(customers: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """The row of each customer, -1 for those who are not among these."""
    places = np.full(count, -1, dtype="int64")
    places[customers] = np.arange(len(customers))
    return places
