"""What would have been expected on a date that lies back, by every candidate, and what came.

Of such a date nothing changes any more: it is kept under data/mart once it was found.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

from crm.analyses.defection.dates import YEAR
from crm.analyses.defection.labels import label, stake_of
from crm.analyses.defection.learners import (
    BLEND,
    PLAIN,
    REGRESSION,
    TREES,
    chance,
    log_odds_of,
    plain_chances,
)
from crm.analyses.defection.model import SILENCE, fit_defection_model, read_lessons
from crm.analyses.defection.result import OUTCOMES
from crm.analyses.defection.rules import RULES, by_rules
from crm.facts import Facts
from crm.kept import code_fingerprint, keep_folder
from crm.mart import open_mart
from crm.periods import date_of, day_number
from crm.purchase_models.histories import FloatArray
from crm.snapshots import snapshot

NO_PURCHASE = "Chance of no purchase (purchase model)"
KIND_OF = {
    **dict.fromkeys(RULES, "rule"),
    NO_PURCHASE: "purchase model",
    **dict.fromkeys((REGRESSION, TREES, PLAIN), "learner"),
    BLEND: "blend",
}
GROUPS = ("small", "middle", "large")
"""Customers of a date by their net sales of half a year, in three equal parts."""

_PACKAGES = ("lifetimes", "numpy", "pandas", "scikit-learn", "scipy")
_OWN = ("basket_price", "dates", "foresight", "known", "labels", "learners", "model", "rules")
_CODE = (
    *(f"analyses/defection/{name}" for name in _OWN),
    "purchase_models", "features", "outcomes", "periods", "snapshots", "engine",
)  # fmt: skip


@dataclass(frozen=True)
class Foresight:
    """One row per customer at stake on `date`.

    customers: customer_id, group, left, left_partly.
    expected:  per outcome, a column per candidate: rules give an order, the purchase model and the learners log-odds,
               of their own level.
    year_ago:  per outcome, the log-odds of the share that left a year before, carried to this date by how the newest
               known share differs from that of a year before it; nan where the history does not reach.
    """

    date: dt.date
    customers: pd.DataFrame = field(repr=False)
    expected: dict[str, pd.DataFrame] = field(repr=False)
    year_ago: dict[str, float]

    def came(self, outcome: str) -> FloatArray:
        """1 for those who left, 0 for the others."""
        return self.customers[outcome].to_numpy(dtype="float64")


def look_back(facts: Facts, date: dt.date) -> Foresight:
    """What every candidate, fitted to what was known before `date`, expected, and what came."""
    mart, stake = open_mart(facts), stake_of(facts)
    assert mart.folder is not None
    made_by = " ".join([xgboost.__version__, *(version(package) for package in _PACKAGES)])
    told = [code_fingerprint(*_CODE), hashlib.sha256(made_by.encode()).hexdigest()[:8], facts.settings.runs.seed]
    told += [stake.kind, stake.active_within_days, stake.after_days]
    place = mart.folder / "defection" / "-".join(map(str, told)) / date.isoformat()
    keep_folder(place, lambda folder: _write(facts, date, folder=folder))
    return _read(place, date)


def year_ago(facts: Facts, date: dt.date) -> dict[str, float]:
    """Per outcome, the log-odds of the share that leaves, by the same weeks of a year ago; see `Foresight`."""
    horizon = stake_of(facts).after_days
    then, lately = date_of(day_number(date) - YEAR), date_of(day_number(date) - horizon)
    before = date_of(day_number(lately) - YEAR)
    unknown = dict.fromkeys(OUTCOMES, float("nan"))
    if day_number(then) - horizon < facts.first_day or horizon > YEAR:
        return unknown
    shares = _shares(facts, then)
    if day_number(before) - horizon < facts.first_day:
        return {outcome: float(shares[outcome]) for outcome in OUTCOMES}
    now, past = _shares(facts, lately), _shares(facts, before)
    return {outcome: float(shares[outcome] + now[outcome] - past[outcome]) for outcome in OUTCOMES}


def _shares(facts: Facts, date: dt.date) -> dict[str, FloatArray]:
    labelled = label(facts, date)
    return {name: log_odds_of(labelled[name].mean() if len(labelled) else np.nan) for name in OUTCOMES}


def _write(facts: Facts, date: dt.date, *, folder: Path) -> None:
    lessons = read_lessons(facts, date)
    model = fit_defection_model(facts, date, lessons=lessons)
    labelled = label(facts, date)
    known = model.known_on(facts, date)
    rules = by_rules(known, snapshot(facts, date))
    for outcome in OUTCOMES:
        columns: dict[str, FloatArray] = dict(rules)
        if SILENCE in known:
            columns[NO_PURCHASE] = known[SILENCE].to_numpy(dtype="float64")
        if (ours := model.learners.get(outcome)) is not None:
            plain = plain_chances(lessons.by_outcome[outcome], known, seed=model.seed)
            columns |= {PLAIN: log_odds_of(plain)} if plain is not None else {}
            columns |= ours.log_odds(known)
        pd.DataFrame(columns).to_parquet(folder / f"{outcome}.parquet", index=False)
    people = labelled[["customer_id", *OUTCOMES]].assign(group=groups_of(labelled))
    people.to_parquet(folder / "customers.parquet", index=False)
    (folder / "year_ago.json").write_text(json.dumps(year_ago(facts, date)), encoding="utf-8")


def groups_of(customers: pd.DataFrame) -> pd.Series[str]:
    """Which third each customer is in, by net sales of half a year."""
    place = customers["net_sales_182d"].rank(method="first", pct=True)
    third = np.minimum((place.to_numpy() * len(GROUPS) - 1e-9).astype("int64"), len(GROUPS) - 1)
    return pd.Series(np.array(GROUPS)[third], index=customers.index, dtype="str")


def _read(place: Path, date: dt.date) -> Foresight:
    return Foresight(
        date,
        customers=pd.read_parquet(place / "customers.parquet"),
        expected={outcome: pd.read_parquet(place / f"{outcome}.parquet") for outcome in OUTCOMES},
        year_ago=json.loads((place / "year_ago.json").read_text(encoding="utf-8")),
    )


def as_chance(candidate: str, expected: FloatArray, level: float = 0.0) -> FloatArray:
    """The chance a candidate's column tells; nan for a rule, which tells an order."""
    return np.full(len(expected), np.nan) if KIND_OF[candidate] == "rule" else chance(expected + level)
