"""Whose value moved since the previous as-of date, and why?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.result import Valued

NEW, SILENT, BACK = "new since then", "fell silent", "came back"
OFTEN, SELDOM = "buys more often", "buys less often"
MORE, LESS = "spends more each time", "spends less each time"
SAME = "as before"
REASONS = (NEW, SILENT, BACK, OFTEN, SELDOM, MORE, LESS, SAME)

CLEARLY = 0.2
"""Who fell silent: the chance of no purchase rose by as much, to more than one half; who came back: the reverse."""

SAME_OF_OWN, SAME_OF_MEAN = 0.10, 0.01
"""A customer is as before whose change is smaller than this share of the own value and of the mean value."""

MOST_MOVERS = 10
LATELY = "purchase_days_91d"

MOVED_COLUMNS = {"reason": "str", "customers": "int64", "change": "float64", "before": "float64", "now": "float64"}
MOVER_COLUMNS = {
    "reason": "str", "before": "float64", "now": "float64", "change": "float64", "last_purchase_days": "int64",
    "purchases_before": "int64", "purchases_now": "int64",
}  # fmt: skip


def each_change(now: Valued, before: Valued) -> pd.DataFrame:
    """What changed for each customer of today, in the order of `now`, and why.

    customer_id, before, now, change (expected value over the horizon; before is 0 for who is new), by_frequency and
    by_spend, which add up to the change (for who is new, both 0), reason: one of `REASONS`.

    Expected value is expected purchases times value of a purchase. Of a change of both, each is given the part it
    makes at the mean of the other: (f1 - f0) * (s0 + s1) / 2 and (s1 - s0) * (f0 + f1) / 2. The larger one is the
    reason, of those who were neither new, fell silent, came back nor stayed as they were, in this order.
    """
    columns = ["expected_value", "expected_purchases", "chance_of_no_purchase"]
    earlier = before.customers.set_index("customer_id")[columns].reindex(now.customers["customer_id"].to_numpy())
    new = earlier["expected_value"].isna().to_numpy()
    v0, f0, silent0 = (earlier[name].fillna(0.0).to_numpy(dtype="float64") for name in columns)
    v1, f1, silent1 = (now.customers[name].to_numpy(dtype="float64") for name in columns)
    change = v1 - v0
    s0, s1 = _each_time(v0, f0), _each_time(v1, f1)
    s0, s1 = np.where(f0 > 0, s0, s1), np.where(f1 > 0, s1, s0)
    frequency, spend = (f1 - f0) * (s0 + s1) / 2, (s1 - s0) * (f0 + f1) / 2
    same = (np.abs(change) <= SAME_OF_OWN * v0) & (np.abs(change) <= SAME_OF_MEAN * v1.mean())
    often = np.abs(frequency) >= np.abs(spend)
    reason = np.select(
        [
            new,
            (silent1 - silent0 >= CLEARLY) & (silent1 > 0.5) & (change < 0),
            (silent0 - silent1 >= CLEARLY) & (silent0 > 0.5) & (change > 0),
            same,
            often & (frequency > 0),
            often & (frequency <= 0),
            spend > 0,
        ],
        [NEW, SILENT, BACK, SAME, OFTEN, SELDOM, MORE],
        LESS,
    )
    return pd.DataFrame(
        {
            "customer_id": now.customers["customer_id"].to_numpy(), "before": v0, "now": v1, "change": change,
            "by_frequency": np.where(new, 0.0, frequency), "by_spend": np.where(new, 0.0, spend), "reason": reason,
        }
    ).astype({"reason": "str"})  # fmt: skip


def moved(changes: pd.DataFrame) -> pd.DataFrame:
    """How many moved for which reason, and how much value with them? One row per reason that there is.

    reason, customers, change, before, now: sums of expected value over the horizon.
    """
    grouped = changes.groupby("reason")
    table = grouped[["change", "before", "now"]].sum().assign(customers=grouped.size())
    table = table.reindex([reason for reason in REASONS if reason in table.index]).rename_axis("reason")
    return table.reset_index()[list(MOVED_COLUMNS)].astype(MOVED_COLUMNS)


def movers(changes: pd.DataFrame, *, snapshot: pd.DataFrame, snapshot_before: pd.DataFrame) -> pd.DataFrame:
    """The ten largest single changes of customers who were there before, the largest first, without names.

    reason, before, now, change, last_purchase_days (ago), purchases_before and purchases_now (purchase days of the 91
    days before either date).
    """
    known = changes[changes["reason"] != NEW]
    largest = known["change"].abs().sort_values(ascending=False, kind="stable").index[:MOST_MOVERS]
    table = known.loc[largest]
    today, earlier = (frame.set_index("customer_id") for frame in (snapshot, snapshot_before))
    return (
        table.assign(
            last_purchase_days=today["days_since_last_purchase"].reindex(table["customer_id"]).to_numpy(),
            purchases_before=earlier[LATELY].reindex(table["customer_id"]).to_numpy(),
            purchases_now=today[LATELY].reindex(table["customer_id"]).to_numpy(),
        )[list(MOVER_COLUMNS)]
        .astype(MOVER_COLUMNS)
        .reset_index(drop=True)
    )


def nothing_moved() -> tuple[pd.DataFrame, pd.DataFrame]:
    """`moved` and `movers` without a previous date: no rows."""
    tables = (
        pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
        for columns in (MOVED_COLUMNS, MOVER_COLUMNS)
    )
    one, other = tables
    return one, other


def _each_time(value: np.ndarray, purchases: np.ndarray) -> np.ndarray:
    """The value of a purchase; 0 where none is expected."""
    found: np.ndarray = np.divide(value, purchases, out=np.zeros_like(value), where=purchases > 0)
    return found
