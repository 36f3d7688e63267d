"""What moved since the previous as-of date, in customers and in money?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from crm.mart.rollups import MONEY_DECIMALS

MONEY_DAYS = 91
"""Money moved is net sales of the 91 days before each date: windows of equal length, that a whole year's would not
be where history is short, and that do not overlap when the dates are as far apart."""

NEW = "New since"
TOTAL = "All customers"

Count = Literal["customers", "net_sales_before", "net_sales_now", "change"]


@dataclass(frozen=True)
class Migration:
    """Customers and their money between the segments of two dates.

    flows: one row per pair of segments between which anybody is: from_segment (`New since` for customers whose first
           purchase lies between the dates), to_segment, customers, share_of_from, net_sales_before (of the 91 days
           before the previous date), net_sales_now (of the 91 days before the as-of date), change (now - before).
    """

    previous: dt.date
    as_of: dt.date
    flows: pd.DataFrame = field(repr=False)
    order: tuple[str, ...] = field(repr=False)

    @property
    def customers(self) -> int:
        """Customers known on both dates."""
        return int(self._known["customers"].sum())

    @property
    def stayed(self) -> int:
        """Of them, those whose segment has the same name on both."""
        known = self._known
        return int(known.loc[known["from_segment"] == known["to_segment"], "customers"].sum())

    def matrix(self, count: Count = "customers") -> pd.DataFrame:
        """From (rows) to (columns), with totals; rows and columns in the order of the segments."""
        table = self.flows.pivot_table(
            index="from_segment", columns="to_segment", values=count, aggfunc="sum", fill_value=0, observed=True
        )
        rows = [name for name in (*self.order, NEW) if name in table.index]
        columns = [name for name in self.order if name in table.columns]
        table = table.reindex(index=rows, columns=columns)
        table[TOTAL] = table.sum(axis="columns")
        table.loc[TOTAL] = table.sum(axis="index")
        return table.astype("int64") if count == "customers" else table

    @property
    def segments(self) -> pd.DataFrame:
        """What each segment gained and lost: one row per segment.

        segment, customers_before, customers_now, came (from another segment), new (first purchase between the dates),
        left (for another), net_sales_before and net_sales_now (of the customers in it on each date), and
        net_sales_change of the customers who were in it on the previous date, wherever they are now.
        """
        rows = [self._balance(name) for name in self.order]
        return pd.DataFrame(rows)

    @property
    def _known(self) -> pd.DataFrame:
        return self.flows[self.flows["from_segment"] != NEW]

    def _balance(self, name: str) -> dict[str, object]:
        flows = self.flows
        was, now = flows["from_segment"] == name, flows["to_segment"] == name
        new = flows["from_segment"] == NEW
        return {
            "segment": name,
            "customers_before": int(flows.loc[was, "customers"].sum()),
            "customers_now": int(flows.loc[now, "customers"].sum()),
            "came": int(flows.loc[now & ~was & ~new, "customers"].sum()),
            "new": int(flows.loc[now & new, "customers"].sum()),
            "left": int(flows.loc[was & ~now, "customers"].sum()),
            "net_sales_before": float(flows.loc[was, "net_sales_before"].sum()),
            "net_sales_now": float(flows.loc[now, "net_sales_now"].sum()),
            "net_sales_change": float(flows.loc[was, "change"].sum()),
        }


def migrate(
    before: pd.DataFrame, now: pd.DataFrame, *, order: Sequence[str], previous: dt.date, as_of: dt.date
) -> Migration:
    """Who was where, who is where, and what they spent.

    before, now: one row per customer of each date's snapshot: customer_id, segment, net_sales_91d. Whoever had bought
    before the previous date is in both.
    """
    both = now.merge(before, on="customer_id", how="left", suffixes=("_now", "_before"), validate="1:1")
    both = both.assign(
        from_segment=both["segment_before"].astype("object").where(both["segment_before"].notna(), NEW).astype("str"),
        to_segment=both["segment_now"],
        net_sales_before=both["net_sales_91d_before"].fillna(0.0),
        net_sales_now=both["net_sales_91d_now"],
    )
    flows = both.groupby(["from_segment", "to_segment"], as_index=False).agg(
        customers=("customer_id", "size"),
        net_sales_before=("net_sales_before", "sum"),
        net_sales_now=("net_sales_now", "sum"),
    )
    flows["change"] = flows["net_sales_now"] - flows["net_sales_before"]
    flows["share_of_from"] = flows["customers"] / flows.groupby("from_segment")["customers"].transform("sum")
    place = {name: at for at, name in enumerate((*order, NEW))}
    flows = flows.sort_values(["from_segment", "to_segment"], key=lambda names: names.map(place), ignore_index=True)
    columns = [
        "from_segment",
        "to_segment",
        "customers",
        "share_of_from",
        "net_sales_before",
        "net_sales_now",
        "change",
    ]
    money = ["net_sales_before", "net_sales_now", "change"]
    return Migration(previous, as_of, flows[columns].round(dict.fromkeys(money, MONEY_DECIMALS)), tuple(order))
