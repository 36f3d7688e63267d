"""Whom to contact? Not who is likelier to leave than not, but for whom a contact is worth more than it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.defection.foresight import Foresight
from crm.analyses.defection.result import Decision
from crm.config import Money
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.periods import day_number, happened_within, known_within
from crm.purchase_models.histories import FloatArray
from crm.snapshots import margin

LEVEL = 0.90
DRAWS = 500
SHARE_DECIMALS = 6
KEPT_ASSUMED = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30)
POINTS = 40
MANY = 100
"""Judged dates from which on what the level is off by is well known."""
LIKELIEST_OFF = 0.15
"""How far chances may be off together where no date could be judged: standard deviation of their logarithm."""

FROM_VALUES, FROM_LAST_YEAR = "lifetime value", "the last year"


def value_if_stays(
    customers: pd.DataFrame, values: pd.DataFrame | None, *, days: int, gross_margin: float
) -> tuple[FloatArray, str]:
    """The margin each customer brings in `days` days if they stay; and from what it is told.

    From lifetime value: the expected margin over its chance that anything is bought. Without it the margin of the
    last year, per day of it in which they were a customer.
    """
    known = values is not None and {"expected_margin", "chance_of_no_purchase"} <= set(values.columns)
    if values is not None and known:
        of = values.set_index("customer_id").reindex(customers["customer_id"])
        there = (1.0 - of["chance_of_no_purchase"].astype("float64")).clip(lower=0.05)
        told = (of["expected_margin"].astype("float64") / there).fillna(0.0)
        return np.maximum(told.to_numpy(), 0.0), FROM_VALUES
    seen = customers["T"].astype("float64").clip(lower=28.0, upper=365.0)
    yearly = margin(customers, gross_margin=gross_margin)
    return np.maximum((yearly / seen * days).to_numpy(dtype="float64"), 0.0), FROM_LAST_YEAR


def share_still_brought(facts: Facts, seen: Sequence[Foresight], *, days: int) -> float:
    """Of what leavers of judged dates had brought in the `days` before, the share they brought in the `days` after.

    Some who buy nothing within the horizon come back by themselves afterwards: a contact cannot win that. Of dates
    whose `days` have passed; 0 without such a date.
    """
    days_of = open_mart(facts)["customer_days"]
    before = after = 0.0
    for one in seen:
        if day_number(one.date) + days > facts.last_day + 1:
            continue
        left = set(one.customers.loc[one.customers["left"], "customer_id"])
        for sales, later in (
            (known_within(days_of, one.date, days), 0),
            (happened_within(days_of, one.date, days), 1),
        ):
            sums = to_pandas(sales.group_by("customer_id").agg(nw.col("net_sales").sum().round(4)))
            brought = math.fsum(sums.loc[sums["customer_id"].isin(left), "net_sales"])  # exact in whatever order
            before, after = before + brought * (1 - later), after + brought * later
    return round(min(max(after / before, 0.0), 1.0), SHARE_DECIMALS) if before > 0 else 0.0


def decide(
    chances: FloatArray,
    value: FloatArray,
    money: Money,
    *,
    days: int,
    value_from: str,
    drift: float,
    seed: int,
    still_brings: float = 0.0,
    dates: int = MANY,
) -> Decision:
    """The best number to contact, and what that is expected to bring.

    chances: to leave.     value: margin of those who stay.     drift: by how much the level of chances was off on
    judged `dates` (root mean square of the logarithm); nan where none could be judged.
    still_brings: the share of it that leavers bring all the same.
    """
    value = value * (1.0 - still_brings)
    kept, cost = money.kept_by_contact, money.retention_cost
    worth = chances * kept * value - cost
    order = np.argsort(-worth, kind="stable")
    best = int((worth > 0).sum())
    at = sorted({0, best, *np.linspace(0, len(worth), min(POINTS, len(worth) + 1)).round().astype(int).tolist()})
    low, high = _interval(chances[order], value[order], money, at, drift=drift, dates=dates, seed=seed)
    summed = np.concatenate([[0.0], np.cumsum(worth[order])])
    low, high = np.minimum(low, summed[at]), np.maximum(high, summed[at])
    saved = np.concatenate([[0.0], np.cumsum(chances[order] * kept)])
    curve = pd.DataFrame(
        {
            "contacted": at,
            "kept": saved[at],
            "gain": summed[at],
            "low": low,
            "high": high,
            "share": np.asarray(at) / max(len(worth), 1),
        }
    )
    row = curve[curve["contacted"] == best].iloc[0]
    return Decision(
        kept=kept,
        cost=cost,
        channel=money.retention_channel,
        value_days=days,
        value_from=value_from,
        still_brings=still_brings,
        level=LEVEL,
        curve=curve,
        contacted=best,
        gain=float(row["gain"]),
        low=float(row["low"]),
        high=float(row["high"]),
        threshold=float(chances[order[:best]].min()) if best else float("nan"),
        sensitivity=_sensitivity(chances, value, cost, kept=kept),
        break_even=_break_even(chances, value, cost),
    )


def _interval(
    chances: FloatArray, value: FloatArray, money: Money, at: list[int], *, drift: float, dates: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """What the net gain may come to: who leaves and who is kept is chance, and all chances may be off together."""
    rng = np.random.default_rng(seed)
    known = np.isfinite(drift) and dates > 0
    drawn = np.empty((DRAWS, len(at)))
    for number in range(DRAWS):
        off = drift * rng.standard_t(dates) if known else rng.normal(0.0, LIKELIEST_OFF)
        told = np.minimum(chances * np.exp(np.clip(off, -2.0, 2.0)), 1.0)
        saved = rng.random(len(chances)) < told * money.kept_by_contact
        summed = np.concatenate([[0.0], np.cumsum(saved * value - money.retention_cost)])
        drawn[number] = summed[at]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def _sensitivity(chances: FloatArray, value: FloatArray, cost: float, *, kept: float) -> pd.DataFrame:
    """The best point under other assumptions about what a contact achieves, the one of the settings among them."""
    rows = []
    for assumed in sorted({*KEPT_ASSUMED, kept}):
        worth = chances * assumed * value - cost
        rows.append((assumed, int((worth > 0).sum()), float(worth[worth > 0].sum())))
    return pd.DataFrame(rows, columns=["kept", "contacted", "gain"])


def _break_even(chances: FloatArray, value: FloatArray, cost: float) -> float:
    most = float((chances * value).max(initial=0.0))
    return float(cost / most) if most > 0 else float("nan")
