"""Which candidate served best on dates whose outcome is known, and by how much more than the best-sellers?

Of a date that lies back nothing changes any more: how each did is kept under data/mart once it was found.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

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
from crm.analyses.cross_sell.offers_judged import JudgedOffers, drawn_means, judge_offers, offers_of
from crm.analyses.cross_sell.panel import BoolArray, FloatArray, Panel
from crm.kept import code_fingerprint, keep_folder
from crm.mart import open_mart
from crm.measures.recommendations import all_measures, calibration, calibration_error, of_each

MEASURES = ("hit_rate_5", "map_5", "ndcg_5", "recall_10")
TABLE = ("date", "candidate", "kind", "customers", *MEASURES, "coverage", "calibration_error", "mean_chance", "came")
TABLES = ("table", "each", "pairs", "offers")
GAINS = ("against", "measure", "gain", "low", "high", "customers", "dates")
LEVEL = 0.95


_PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy")
_OWN = ("candidates", "dates", "factors", "items", "judging", "learners", "market", "offers_judged", "pairs", "panel")
_CODE = (*(f"analyses/cross_sell/{name}" for name in _OWN), "measures/recommendations", "periods", "engine")


@dataclass(frozen=True)
class Looking:
    """A judged date: how every candidate did with the active customers.

    table: one row per candidate: `TABLE`.
    each:  one row per customer who bought something new: customer_id, and one column per candidate and measure:
           "Blend map_5".
    pairs: said and came of every new pair, by the blend; empty where nothing was learnt.
    offers: one offer to each active customer by the blend, said and came (`offers_of`); empty likewise.
    """

    date: dt.date
    table: pd.DataFrame = field(repr=False)
    each: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    offers: pd.DataFrame = field(repr=False)

    def of(self, candidate: str, measure: str) -> FloatArray:
        """A candidate's measure of each customer."""
        return self.each[_column(candidate, measure)].to_numpy(dtype="float64")


@dataclass(frozen=True)
class Judged:
    """How well each candidate did, on customers who bought something new.

    days:        how far was looked ahead.
    table:       one row per date and candidate: hit_rate_5, map_5, ndcg_5, recall_10, coverage; of those that give a
                 chance calibration_error (over all new pairs of active customers), mean_chance and came.
    mean:        the means over the dates.
    gains:       of the blend over every other candidate: measure, gain, low, high (95 %, bootstrap over customers,
                 each with all their dates).
    calibration: of the blend on all dates: pairs, said, came by tenth.
    offers:      what the best and the likeliest offer brought; None where nothing was learnt.
    """

    days: int
    table: pd.DataFrame = field(repr=False)
    mean: pd.DataFrame = field(repr=False)
    gains: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    offers: JudgedOffers | None = field(repr=False)

    @property
    def ships(self) -> str:
        """The blend where its order beats that of the best-sellers beyond the interval; else the best-sellers."""
        gains = self.gains
        against = gains[(gains["against"] == BEST_SELLERS) & gains["measure"].isin(["map_5", "ndcg_5"])]
        return BLEND if len(against) and bool((against["low"] > 0).all()) else BEST_SELLERS


def look_back(looked: Looked, date: dt.date, *, seed: int) -> Looking | None:
    """What would have been expected on a date by what was known then, and what came; None without an item."""
    mart = open_mart(looked.facts)
    assert mart.folder is not None
    made_by = " ".join([xgboost.__version__, *(version(package) for package in _PACKAGES)])
    told = [code_fingerprint(*_CODE), hashlib.sha256(made_by.encode()).hexdigest()[:8], seed]
    told += [looked.level, looked.most, looked.days, looked.facts.settings.definitions.active_within_days]
    priced = (looked.not_offered, looked.facts.settings.money.gross_margin)
    told += [hashlib.sha256(repr(priced).encode()).hexdigest()[:8]]
    place = mart.folder / "cross_sell" / "-".join(map(str, told)) / date.isoformat()
    keep_folder(place, lambda folder: _write(looked, date, seed=seed, folder=folder))
    return _read(place, date)


def _write(looked: Looked, date: dt.date, *, seed: int, folder: Path) -> None:
    """Nothing where no item was known."""
    seen = looked.at(date)
    if seen is None:
        return
    active = seen.active(looked.facts.settings.definitions.active_within_days)
    scores = expect(active, seen.market, fit_learners(looked, date, seed=seed))
    margins = np.where(seen.items.offered(looked.not_offered), seen.items.margin_of_a_purchase, np.nan)
    found = look_at(active, scores, margins)
    for name in TABLES:
        getattr(found, name).to_parquet(folder / f"{name}.parquet", index=False)


def _read(place: Path, date: dt.date) -> Looking | None:
    if not (place / "table.parquet").exists():
        return None
    return Looking(date, **{name: pd.read_parquet(place / f"{name}.parquet") for name in TABLES})


def look_at(active: Panel, scores: dict[str, FloatArray], margins: FloatArray) -> Looking:
    """How every candidate did, from the table of customer by item that each gave.

    margins: of a purchase of each item; NaN of what is not offered.
    """
    candidates, relevant, ids = active.candidates, active.relevant, active.customer_ids
    each = {"customer_id": ids[relevant.any(axis=1)]} | {
        _column(name, measure): values
        for name, score in scores.items()
        for measure, values in of_each(score, relevant).items()
    }
    pairs = pd.DataFrame({"said": np.empty(0, dtype="float32"), "came": np.empty(0, dtype="bool")})
    offers = pd.DataFrame()
    if BLEND in scores:
        said = chance(scores[BLEND][candidates]).astype("float32")
        pairs = pd.DataFrame({"said": said, "came": relevant[candidates]})
        offers = offers_of(ids, chance(scores[BLEND]), relevant, margins)
    table = pd.DataFrame(_rows(active.date, scores, candidates, relevant), columns=list(TABLE))
    return Looking(active.date, table, pd.DataFrame(each), pairs, offers)


def _column(candidate: str, measure: str) -> str:
    return f"{candidate} {measure}"


def judge(looks: Sequence[Looking], *, days: int, seed: int) -> Judged:
    """The tables of every candidate on every judged date, the newest first."""
    nothing = pd.DataFrame(columns=list(TABLE))
    table = pd.concat([one.table for one in looks], ignore_index=True) if looks else nothing
    numbers = [*TABLE[4:]]
    mean = table.groupby(["candidate", "kind"], sort=False)[numbers].mean().reset_index()
    offers = judge_offers([one.offers for one in looks], seed=seed)
    return Judged(days, table, mean, gains_of(looks, seed=seed), _calibration(looks), offers)


def _rows(
    date: dt.date, scores: dict[str, FloatArray], candidates: BoolArray, relevant: BoolArray
) -> list[dict[str, object]]:
    rows = []
    some = relevant.any(axis=1)
    for name, score in scores.items():
        row: dict[str, object] = {"date": date, "candidate": name, "kind": KINDS[name], "customers": some.sum()}
        row |= all_measures(score[some], relevant[some])
        if name in CHANCES and BLEND in scores:
            said, came = chance(score[candidates]), relevant[candidates]
            row |= {
                "calibration_error": calibration_error(said, came),
                "mean_chance": said.mean(),
                "came": came.mean(),
            }
        rows.append(row)
    return rows


def gains_of(looks: Sequence[Looking], *, seed: int) -> pd.DataFrame:
    """The blend's mean gain over each other candidate, over all judged dates, by bootstrap over customers."""
    looks = [one for one in looks if len(one.pairs) and len(one.each)]
    if not looks:
        return pd.DataFrame(columns=list(GAINS))
    names = [name for name in looks[0].table["candidate"] if name != BLEND]
    wanted = [(against, measure) for against in names for measure in MEASURES]
    gains = [
        np.column_stack([one.of(BLEND, measure) - one.of(against, measure) for against, measure in wanted])
        for one in looks
    ]
    drawn = drawn_means([one.each["customer_id"] for one in looks], gains, seed=seed)
    ends = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    found = pd.DataFrame(wanted, columns=list(GAINS[:2]))
    found["gain"], found["low"], found["high"] = np.mean([one.mean(axis=0) for one in gains], axis=0), *ends
    return found.assign(customers=sum(len(one) for one in gains), dates=len(looks))[list(GAINS)]


def _calibration(looks: Sequence[Looking]) -> pd.DataFrame:
    pairs = [one.pairs for one in looks if len(one.pairs)]
    if not pairs:
        return pd.DataFrame(columns=["tenth", "pairs", "said", "came"])
    both = pd.concat(pairs, ignore_index=True)
    table = pd.DataFrame(calibration(both["said"].to_numpy(dtype="float64"), both["came"].to_numpy()))
    table.insert(0, "tenth", np.arange(1, len(table) + 1))
    return table
