"""Which candidate told best who leaves, on dates whose outcome is known?

On each judged date every candidate is fitted to what was known before it, and its level settled by judged dates
before it alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from crm.analyses.defection.foresight import GROUPS, KIND_OF, Foresight, as_chance
from crm.analyses.defection.learners import BLEND, PLAIN
from crm.analyses.defection.level import settle
from crm.analyses.defection.model import LEFT
from crm.analyses.defection.result import OUTCOMES, Judged
from crm.measures.chances import (
    auc,
    average_precision,
    brier,
    calibration_table,
    capture,
    expected_calibration_error,
    lift,
)
from crm.measures.resampling import Pair, gains
from crm.purchase_models.histories import FloatArray

ORDER = {"auc": auc, "average_precision": average_precision}
MEASURES = ("auc", "average_precision", "lift", "capture", "brier", "calibration", "expected")
FEWEST_OF_A_GROUP = 5

Expected = dict[str, dict[str, FloatArray]]
"""Per outcome and candidate, what it expected of the customers of one date: a chance, or the order of a rule."""


def settled(seen: Sequence[Foresight]) -> list[Expected]:
    """What each date's candidates expected, the oldest date first, levels settled by the dates before it alone."""
    ordered = sorted(seen, key=lambda one: one.date)
    found = []
    for number, one in enumerate(ordered):
        found.append({outcome: _of_outcome(one, ordered[:number], outcome) for outcome in OUTCOMES})
    return found


def _of_outcome(one: Foresight, earlier: Sequence[Foresight], outcome: str) -> dict[str, FloatArray]:
    expected = {}
    for name in one.expected[outcome]:
        column = one.expected[outcome][name].to_numpy(dtype="float64")
        if KIND_OF[str(name)] == "rule":
            expected[str(name)] = column
            continue
        level = 0.0
        if name == BLEND:
            level, _ = settle(column, one.year_ago[outcome], earlier, outcome)
        expected[str(name)] = as_chance(str(name), column, level)
    return expected


def judge(seen: Sequence[Foresight], expected: Sequence[Expected], *, rule: str, seed: int) -> Judged:
    """The tables of every candidate on every judged date.

    rule: the rule of thumb that ships; empty: the blend does.
    """
    ordered = sorted(seen, key=lambda one: one.date)
    both = list(zip(ordered, expected, strict=True))
    ships = rule or BLEND
    rows = [row for one, what in reversed(both) for row in _rows(one, what, ships)]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    keys = ["outcome", "candidate", "kind", "shipped"]
    mean = table.groupby(keys, sort=False)[list(MEASURES)].mean().reset_index()
    return Judged(
        dates=tuple(one.date for one in reversed(ordered)),
        table=table,
        mean=mean,
        gains=against_rules(both, ships=ships, seed=seed),
        over_plain=_over_plain(table, ships),
        calibration=_calibration(both),
        groups=_groups(both[-1:]),
    )


_COLUMNS = ["outcome", "date", "candidate", "kind", "shipped", "customers", "came", *MEASURES]
_GAINS = ["outcome", "rule", "measure", "ours", "theirs", "gain", "low", "high", "customers", "dates"]

Both = Sequence[tuple[Foresight, Expected]]


def against_rules(both: Both, *, ships: str, seed: int) -> pd.DataFrame:
    """What ships against every rule of thumb, on all dates together, with paired bootstrap intervals."""
    rows: list[dict[str, Any]] = []
    numbers = _numbers([one for one, _ in both])
    for outcome in OUTCOMES:
        ours = [(one, what[outcome]) for one, what in both if ships in what[outcome]]
        rules = dict.fromkeys(name for _, what in ours for name in what if KIND_OF[name] == "rule" and name != ships)
        for rule in rules:
            pairs = [
                Pair(numbers[one.date], one.came(outcome), what[ships], what[rule])
                for one, what in ours
                if rule in what
            ]
            found = gains(pairs, ORDER, seed=seed)
            more = {"outcome": outcome, "rule": rule, "dates": len(pairs)}
            rows += [{**more, **row, "customers": sum(len(pair.actual) for pair in pairs)} for row in _dicts(found)]
    return pd.DataFrame(rows, columns=_GAINS)


def rule_to_ship(found: pd.DataFrame) -> str:
    """The best rule of thumb that the blend does not beat, beyond the interval, in either measure; empty where there
    is none, or where nothing could be judged."""
    full = found[(found["outcome"] == LEFT) & found["low"].notna()]
    beaten = full.groupby("rule", sort=False)["low"].max() > 0
    standing = full[full["rule"].isin(beaten.index[~beaten]) & (full["measure"] == "auc")]
    ordered = standing.sort_values("theirs", ascending=False, kind="stable")
    return str(ordered["rule"].iloc[0]) if len(ordered) else ""


def drift(seen: Sequence[Foresight], expected: Sequence[Expected]) -> float:
    """How far the level was off on judged dates: root mean square of the logarithm of came over expected."""
    ordered = sorted(seen, key=lambda one: one.date)
    off = [
        np.log(one.came(LEFT).sum() / what[LEFT][BLEND].sum())
        for one, what in zip(ordered, expected, strict=True)
        if BLEND in what[LEFT] and one.came(LEFT).sum() > 0
    ]
    return float(np.sqrt(np.mean(np.square(off)))) if off else float("nan")


def _rows(one: Foresight, what: Expected, ships: str) -> list[dict[str, Any]]:
    return [
        _row(one, outcome, candidate, expected, shipped=candidate == ships)
        for outcome in OUTCOMES
        for candidate, expected in what[outcome].items()
    ]


def _row(one: Foresight, outcome: str, candidate: str, expected: FloatArray, *, shipped: bool) -> dict[str, Any]:
    came = one.came(outcome)
    row: dict[str, Any] = {
        "outcome": outcome,
        "date": one.date,
        "candidate": candidate,
        "kind": KIND_OF[candidate],
        "shipped": shipped,
        "customers": len(came),
        "came": int(came.sum()),
        "auc": auc(came, expected),
        "average_precision": average_precision(came, expected),
        "lift": lift(came, expected),
        "capture": capture(came, expected),
    }
    told = KIND_OF[candidate] != "rule"
    return row | {
        "brier": brier(came, expected) if told else np.nan,
        "calibration": expected_calibration_error(came, expected) if told else np.nan,
        "expected": float(expected.sum() / came.sum()) if told and came.sum() else np.nan,
    }


def _over_plain(table: pd.DataFrame, ships: str) -> pd.DataFrame:
    rows = []
    by_name = table.set_index(["outcome", "date", "candidate"])
    for outcome, date in dict.fromkeys(zip(table["outcome"], table["date"], strict=True)):
        if {(outcome, date, ships), (outcome, date, PLAIN)} <= set(by_name.index):
            for measure in ORDER:
                ours = float(by_name.loc[(outcome, date, ships), measure])
                plain = float(by_name.loc[(outcome, date, PLAIN), measure])
                rows.append((outcome, date, measure, ours, plain, ours - plain))
    return pd.DataFrame(rows, columns=["outcome", "date", "measure", "ours", "plain", "gain"])


def _calibration(both: Both) -> pd.DataFrame:
    """Of the blend on all judged dates, whatever ships: a rule's chances are made of the dates learnt from."""
    tables = []
    for outcome in OUTCOMES:
        told = [(one.came(outcome), what[outcome][BLEND]) for one, what in both if BLEND in what[outcome]]
        if told:
            came, expected = (np.concatenate([pair[place] for pair in told]) for place in (0, 1))
            tables.append(calibration_table(came, expected).assign(outcome=outcome))
    columns = ["outcome", "bin", "customers", "expected", "came", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def _groups(both: Both) -> pd.DataFrame:
    rows = []
    for one, what in both:
        for outcome in OUTCOMES:
            if BLEND not in what[outcome]:
                continue
            came, expected = one.came(outcome), what[outcome][BLEND]
            for group in GROUPS:
                some = (one.customers["group"] == group).to_numpy()
                if some.sum() >= FEWEST_OF_A_GROUP:
                    counts = (int(some.sum()), int(came[some].sum()))
                    rows.append((outcome, group, *counts, auc(came[some], expected[some]), expected[some].sum()))
    return pd.DataFrame(rows, columns=["outcome", "group", "customers", "came", "auc", "expected"])


def _numbers(seen: Sequence[Foresight]) -> dict[dt.date, Any]:
    """A number per customer, the same on every date."""
    known = pd.Index(sorted({name for one in seen for name in one.customers["customer_id"]}))
    return {one.date: known.get_indexer(one.customers["customer_id"]) for one in seen}


def _dicts(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]
