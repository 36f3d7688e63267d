"""How the best tenth differ from the others, and who is known to the company and yet no customer."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crm.facts import Facts
from crm.mart import Mart

_COMPARED = {
    "purchase_days_365d": "purchase days in the last year",
    "order_value_365d": "net sales per order",
    "lines_per_order_365d": "lines per order",
    "categories_365d": "categories bought",
    "share_bought_on_promotion": "share bought on promotion",
    "campaigns_received_365d": "campaigns received",
    "tenure": "days since joining",
}


_TOLD_BY = {
    "share_bought_on_promotion": "purchases.discount_amount",
    "categories_365d": "products.category",
    "campaigns_received_365d": "contacts",
}
"""What the source must have for a trait to tell something."""


def untold_traits(lacking: set[str]) -> list[str]:
    return [trait for trait, needed in _TOLD_BY.items() if needed in lacking]


def best_tenth(customers: pd.DataFrame, *, without: Sequence[str] = ()) -> pd.DataFrame:
    """How the best tenth of the last year's buyers differ from the others: a row each, medians of the traits.

    without: traits that the source does not tell; neither is one in which all are alike.
    """
    buyers = customers[customers["net_sales_365d"] > 0]
    rank = buyers["net_sales_365d"].rank(method="first", ascending=False)
    best = rank <= -(-len(buyers) // 10)
    traits = [name for name in _COMPARED if name in buyers and name not in without and buyers[name].nunique() > 1]
    medians = [buyers.loc[best, traits].median(), buyers.loc[~best, traits].median()]
    table = pd.DataFrame(medians, index=pd.Index(["the best tenth", "the others"], name="customers"))
    return table.rename(columns=_COMPARED).reset_index()


def left_out(facts: Facts, mart: Mart, customers: pd.DataFrame) -> pd.DataFrame:
    """Who is not in the customer base and why: reason, count, unit. Nothing is left out without a row here."""
    rows = []
    if facts.has("customers"):
        registered = facts["customers"].select("customer_id").collect(backend="pandas").to_native()["customer_id"]
        never = ~registered.isin(customers["customer_id"])
        rows.append({"reason": "registered, but nothing bought before the as-of date", "count": int(never.sum())})
    later = mart["customer_days"].select("customer_id").unique().collect(backend="pandas").to_native()["customer_id"]
    rows.append(
        {
            "reason": "first purchase on or after the as-of date",
            "count": int((~later.isin(customers["customer_id"])).sum()),
        }
    )
    anonymous = facts.outcomes[
        (facts.outcomes["table"] == "purchases") & (facts.outcomes["outcome"] == "customer_id is missing")
    ]
    rows.append({"reason": "order lines without a customer", "count": int(anonymous["rows"].sum())})
    return pd.DataFrame(rows)
