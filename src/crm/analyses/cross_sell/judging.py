"""Which candidate served best on dates whose outcome is known, and by how much more than the best-sellers?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.candidates import (
    BEST_SELLERS,
    BLEND,
    CHANCES,
    KINDS,
    Looked,
    chance,
    expect,
    fit_learners,
)
from crm.analyses.cross_sell.panel import BoolArray, FloatArray
from crm.measures.recommendations import all_measures, calibration, calibration_error, of_each

MEASURES = ("hit_rate_5", "map_5", "ndcg_5", "recall_10")
TABLE = ("date", "candidate", "kind", "customers", *MEASURES, "coverage", "calibration_error", "mean_chance", "came")
GAINS = ("against", "measure", "gain", "low", "high", "customers", "dates")
BOOTSTRAPS = 1_000
LEVEL = 0.95


@dataclass(frozen=True)
class Looking:
    """A judged date: each candidate's table of scores for the active customers, and what they bought."""

    date: dt.date
    scores: dict[str, FloatArray] = field(repr=False)
    candidates: BoolArray = field(repr=False)
    relevant: BoolArray = field(repr=False)


@dataclass(frozen=True)
class Judged:
    """How well each candidate did, on customers who bought something new.

    days:        how far was looked ahead.
    table:       one row per date and candidate: hit_rate_5, map_5, ndcg_5, recall_10, coverage; of those that give a
                 chance calibration_error (over all new pairs of active customers), mean_chance and came.
    mean:        the means over the dates.
    gains:       of the blend over every other candidate: measure, gain, low, high (95 %, bootstrap over customers).
    calibration: of the blend on all dates: pairs, said, came by tenth.
    """

    days: int
    table: pd.DataFrame = field(repr=False)
    mean: pd.DataFrame = field(repr=False)
    gains: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)

    @property
    def ships(self) -> str:
        """The blend where its order beats that of the best-sellers beyond the interval; else the best-sellers."""
        gains = self.gains
        against = gains[(gains["against"] == BEST_SELLERS) & gains["measure"].isin(["map_5", "ndcg_5"])]
        return BLEND if len(against) and bool((against["low"] > 0).all()) else BEST_SELLERS


def look_back(looked: Looked, date: dt.date, *, seed: int) -> Looking | None:
    """What would have been expected on a date by what was known then, and what came; None without an item."""
    seen = looked.at(date)
    if seen is None:
        return None
    active = seen.active(looked.facts.settings.definitions.active_within_days)
    learners = fit_learners(looked, date, seed=seed)
    return Looking(date, expect(active, seen.market, learners), active.candidates, active.relevant)


def judge(looks: Sequence[Looking], *, days: int, seed: int) -> Judged:
    """The tables of every candidate on every judged date, the newest first."""
    table = pd.DataFrame([row for one in looks for row in _rows(one)], columns=list(TABLE))
    numbers = [*TABLE[4:]]
    mean = table.groupby(["candidate", "kind"], sort=False)[numbers].mean().reset_index()
    return Judged(days, table, mean, gains_of(looks, seed=seed), _calibration(looks))


def _rows(one: Looking) -> list[dict[str, object]]:
    rows = []
    some = one.relevant.any(axis=1)
    for name, score in one.scores.items():
        row: dict[str, object] = {"date": one.date, "candidate": name, "kind": KINDS[name], "customers": some.sum()}
        row |= all_measures(score[some], one.relevant[some])
        if name in CHANCES and BLEND in one.scores:
            said, came = chance(score[one.candidates]), one.relevant[one.candidates]
            row |= {
                "calibration_error": calibration_error(said, came),
                "mean_chance": said.mean(),
                "came": came.mean(),
            }
        rows.append(row)
    return rows


def gains_of(looks: Sequence[Looking], *, seed: int) -> pd.DataFrame:
    """The blend's mean gain over each other candidate, over all judged dates, by bootstrap over customers."""
    looks = [one for one in looks if BLEND in one.scores and one.relevant.any()]
    if not looks:
        return pd.DataFrame(columns=list(GAINS))
    each = [{name: of_each(score, one.relevant) for name, score in one.scores.items()} for one in looks]
    rng, rows = np.random.default_rng(seed), []
    sizes = [len(one[BLEND]["map_5"]) for one in each]
    draws = [[rng.integers(0, size, size) for size in sizes] for _ in range(BOOTSTRAPS)]
    for against in each[0]:
        for measure in MEASURES if against != BLEND else ():
            gains = [one[BLEND][measure] - one[against][measure] for one in each]
            drawn = [np.mean([gain[at].mean() for gain, at in zip(gains, draw, strict=True)]) for draw in draws]
            low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            mean = float(np.mean([gain.mean() for gain in gains]))
            rows.append((against, measure, mean, float(low), float(high), sum(sizes), len(looks)))
    return pd.DataFrame(rows, columns=list(GAINS))


def _calibration(looks: Sequence[Looking]) -> pd.DataFrame:
    looks = [one for one in looks if BLEND in one.scores]
    if not looks:
        return pd.DataFrame(columns=["tenth", "pairs", "said", "came"])
    said = np.concatenate([chance(one.scores[BLEND][one.candidates]) for one in looks])
    came = np.concatenate([one.relevant[one.candidates] for one in looks])
    table = pd.DataFrame(calibration(said, came))
    table.insert(0, "tenth", np.arange(1, len(table) + 1))
    return table
