"""What changed before they left, compared with similar customers who stayed?

Of each measure the change is taken, from a customer's own earlier time to the recent one, and the difference of the
changes between who left and the similar ones who stayed (difference in differences). It shows what went before
leaving, not what caused it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import t as student

from crm.analyses.defection.labels import Stake
from crm.analyses.defection.understanding.certainty import customers_known, standard_errors
from crm.analyses.defection.understanding.curves import holm
from crm.analyses.defection.understanding.matching import match
from crm.analyses.defection.understanding.windows import (
    Measure,
    bought_by_category,
    known_measures,
    recent_and_earlier,
)
from crm.facts import Facts
from crm.mart import UNKNOWN, open_mart

FEWEST_CUSTOMERS = 10
"""Of fewer customers, on either side, no difference is told."""

SIGNIFICANT = 0.05

REGULARLY = 2
"""Purchase days with a department in the earlier windows, from which on it belongs to what a customer buys."""

MOST_DROPPED = 20
"""Departments, or categories where there is one department only, of which falling away is compared."""

CHANGE_COLUMNS = {
    "measure": "str", "label": "str", "unit": "str", "side": "str", "leavers_earlier": "float64",
    "leavers_recent": "float64", "leavers_change": "float64", "stayers_change": "float64", "difference": "float64",
    "low": "float64", "high": "float64", "strength": "float64", "pairs": "int64", "stayers": "int64", "p": "float64",
    "p_corrected": "float64", "comparisons": "int64", "stands": "bool",
}  # fmt: skip
DROPPED_COLUMNS = {
    "level": "str", "name": "str", "leavers": "float64", "stayers": "float64", "difference": "float64",
    "low": "float64", "high": "float64", "pairs": "int64", "p": "float64", "p_corrected": "float64",
    "comparisons": "int64", "stands": "bool",
}  # fmt: skip
BY_DATE_COLUMNS = {
    "date": "object", "measure": "str", "label": "str", "unit": "str", "difference": "float64", "low": "float64",
    "high": "float64", "pairs": "int64", "p": "float64", "p_corrected": "float64", "comparisons": "int64",
    "stands": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Matched:
    """Those who left and the similar ones who stayed, of all dates.

    rows:     one row per date and customer in a pair: those of `customers_on`, and pair (number of the pair).
    recent, earlier: per measure (columns) the values of each row.
    leavers:  who left, matched or not.     unmatched: to whom nobody similar stayed.
    """

    rows: pd.DataFrame = field(repr=False)
    recent: pd.DataFrame = field(repr=False)
    earlier: pd.DataFrame = field(repr=False)
    measures: tuple[Measure, ...] = field(repr=False)
    leavers: int
    unmatched: int

    @property
    def pairs(self) -> int:
        """How many who left have somebody similar who stayed."""
        return self.leavers - self.unmatched


def matched(facts: Facts, occasions: pd.DataFrame, stake: Stake) -> Matched:
    """Each who left beside similar ones who stayed, with what was measured of them.

    occasions: rows of `customers_on`, of all dates.
    """
    pair = match(occasions, seed=facts.settings.runs.seed)
    rows = occasions.assign(pair=pair)[pair >= 0]
    measures = known_measures(facts)
    names = [measure.name for measure in measures]
    recent, earlier = (pd.DataFrame(np.nan, index=rows.index, columns=names) for _ in range(2))
    for date, some in rows.groupby("date"):
        for name, values in recent_and_earlier(facts, _date(date), some, days=stake.after_days).items():
            recent.loc[some.index, name], earlier.loc[some.index, name] = (one.to_numpy() for one in values)
    left = int(occasions["left"].sum())
    return Matched(rows, recent, earlier, measures, leavers=left, unmatched=left - int(rows["left"].sum()))


def changes(pairs: Matched) -> pd.DataFrame:
    """One row per measure, those that stand after the correction first, the most marked of them first.

    measure, label, unit (days, share, count, money, number, index), side (buying: what they did; service: what was
    done to them, or was the matter), leavers_earlier, leavers_recent (their means), leavers_change, stayers_change,
    difference (of the changes) with low, high (95 %), strength (difference over its standard error), pairs (with a
    known change on both sides), stayers (in those; one per date), p, p_corrected (Holm), comparisons (made), stands
    (p_corrected < 0.05). Errors count a customer who is there more than once as one (`certainty`). Measures known of
    fewer than ten customers who left, or who stayed, are left out.
    """
    change = pairs.recent - pairs.earlier
    left = pairs.rows["left"].to_numpy(dtype="bool")
    table = _compare(pairs.rows, change)
    if table.empty:
        return pd.DataFrame(columns=list(CHANGE_COLUMNS)).astype(CHANGE_COLUMNS)
    known = change[left].notna()
    of = {measure.name: measure for measure in pairs.measures}
    table = table.assign(
        measure=table["name"],
        **{key: [getattr(of[name], key) for name in table["name"]] for key in ("label", "unit", "side")},
        leavers_earlier=[pairs.earlier.loc[known.index[known[name]], name].mean() for name in table["name"]],
        leavers_recent=[pairs.recent.loc[known.index[known[name]], name].mean() for name in table["name"]],
        leavers_change=table["leavers"], stayers_change=table["others"], stayers=table["other_rows"],
    )  # fmt: skip
    return _strongest_first(table)[list(CHANGE_COLUMNS)].astype(CHANGE_COLUMNS)


def changes_by_date(pairs: Matched, told: Sequence[str]) -> pd.DataFrame:
    """The differences of some measures date by date, the newest first.

    date, measure, label, unit, difference, low, high, pairs, p, p_corrected (Holm, over all measures and dates),
    comparisons, stands. What troubled customers for a while shows here, and less in the mean over all dates.
    """
    change = (pairs.recent - pairs.earlier)[list(told)]
    tables = [
        _compare(rows, change.loc[rows.index]).rename(columns={"name": "measure"}).assign(date=date)
        for date, rows in pairs.rows.groupby("date")
    ]
    empty = pd.DataFrame(columns=list(BY_DATE_COLUMNS))
    table = pd.concat([empty, *(table for table in tables if not table.empty)], ignore_index=True)
    table = table.sort_values(["date", "measure"], ascending=[False, True], ignore_index=True)
    of, corrected = {measure.name: measure for measure in pairs.measures}, holm(table["p"].astype("float64"))
    table = table.assign(
        **{key: [getattr(of[name], key) for name in table["measure"]] for key in ("label", "unit")},
        p_corrected=corrected, comparisons=len(table), stands=corrected < SIGNIFICANT,
    )  # fmt: skip
    return table[list(BY_DATE_COLUMNS)].astype(BY_DATE_COLUMNS)


def dropped(facts: Facts, pairs: Matched, stake: Stake) -> pd.DataFrame:
    """What is dropped first? Of those who bought something of a department on two earlier purchase days or more, and
    did buy something in the recent window: which share bought nothing of it in that?

    One row per department (per category, where there is one department): level, name, leavers and stayers (the share
    that dropped it, of similar customers), difference, low, high, pairs, p, p_corrected (Holm), comparisons, stands;
    the largest difference first.
    """
    empty = pd.DataFrame(columns=list(DROPPED_COLUMNS)).astype(DROPPED_COLUMNS)
    if not open_mart(facts).has("customer_category_days") or pairs.rows.empty:
        return empty
    for level in ("department", "category"):
        fell = _fell_away(facts, pairs, stake, level=level)
        if fell.shape[1] > 1:
            break
    table = _compare(pairs.rows, fell)
    if table.empty:
        return empty
    table = table.assign(level=level, stayers=table["others"])
    table = table.sort_values(["difference", "name"], ascending=[False, True], ignore_index=True)
    return table[list(DROPPED_COLUMNS)].astype(DROPPED_COLUMNS)


def _fell_away(facts: Facts, pairs: Matched, stake: Stake, *, level: str) -> pd.DataFrame:
    """Per department (column) and row of the pairs: 1 dropped, 0 still bought, missing where it was not a habit."""
    found = []
    came = pairs.recent["purchase_days"] > 0
    for date, some in pairs.rows[came].groupby("date"):
        bought = bought_by_category(facts, _date(date), some, days=stake.after_days, level=level)
        bought = bought[(bought["earlier"] >= REGULARLY) & (bought["name"] != UNKNOWN)]
        at = pd.Series(some.index, index=some["customer_id"].to_numpy())
        found.append(bought.assign(row=bought["customer_id"].map(at), fell=(bought["recent"] == 0).astype("float64")))
    every = pd.concat(found) if found else pd.DataFrame(columns=["row", "name", "fell"])
    most = every["name"].value_counts().sort_index().sort_values(ascending=False, kind="stable").index[:MOST_DROPPED]
    every = every[every["name"].isin(most)]
    return every.pivot(index="row", columns="name", values="fell").reindex(pairs.rows.index).astype("float64")


def _compare(rows: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """The difference of each column between who left and those beside them.

    name, leavers, others (means), other_rows, difference, low, high, strength, pairs, p, p_corrected, comparisons,
    stands.
    """
    apart, others = _by_pair(rows, values)
    if apart.empty:
        return pd.DataFrame()
    customers = customers_known(rows, values, apart)
    enough = customers.index[customers >= FEWEST_CUSTOMERS]
    apart, others, values, customers = apart[enough], others[enough], values[enough], customers[enough]
    if not len(enough):
        return pd.DataFrame()
    pairs, mean = apart.notna().sum(), apart.mean()
    error = standard_errors(rows, values, apart, others)
    wide = error * student.ppf(1 - SIGNIFICANT / 2, customers - 1)
    strength = (mean / error.where(error > 0)).fillna(0.0)
    beside = rows.loc[~rows["left"], "pair"].to_numpy()
    known = values[~rows["left"]].notna().to_numpy() & apart.notna().reindex(beside).to_numpy()
    table = pd.DataFrame(
        {
            "leavers": (apart + others).mean(), "others": others.where(apart.notna()).mean(), "difference": mean,
            "low": mean - wide, "high": mean + wide, "strength": strength, "pairs": pairs,
            "other_rows": known.sum(axis=0), "p": 2 * student.sf(strength.abs(), customers - 1),
        }
    )  # fmt: skip
    table = table.rename_axis("name").reset_index()
    corrected = holm(table["p"])
    return table.assign(p_corrected=corrected, comparisons=len(table), stands=corrected < SIGNIFICANT)


def _by_pair(rows: pd.DataFrame, values: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Per pair: the leaver's value less the mean of those beside, and that mean; missing where one is not known."""
    left = rows["left"].to_numpy(dtype="bool")
    mine = values[left].set_axis(rows.loc[left, "pair"].to_numpy())
    others = values[~left].groupby(rows.loc[~left, "pair"].to_numpy()).mean().reindex(mine.index)
    return mine - others, others


def _strongest_first(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(weak=~table["stands"], size=-table["strength"].abs()).sort_values(
        ["weak", "size", "measure"], ignore_index=True
    )


def _date(key: object) -> dt.date:
    assert isinstance(key, dt.date)
    return key
