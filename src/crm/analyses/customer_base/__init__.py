"""Who are our customers, and what happened?

`describe_customer_base(facts, as_of)` answers with what a manager reads first: customers and sales by month, who came
and who went, whether cohorts stay, how concentrated sales are, and the last full month against its yardsticks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from crm.analyses import Addition, absent, crowded_accounts, refuse_thin
from crm.analyses.customer_base.findings import all_findings, headline
from crm.analyses.customer_base.movement import active_customers, events_by_day, movement
from crm.analyses.customer_base.needs import REQUIREMENTS
from crm.analyses.customer_base.people import best_tenth, left_out, untold_traits
from crm.analyses.customer_base.retention import concentration, concentration_curve, gini, retention
from crm.analyses.customer_base.sales import (
    SOLD_WITHIN,
    Dimension,
    compare_months,
    read_plan,
    sales_by,
    sales_by_month,
    sales_by_tenth,
)
from crm.analyses.customer_base.unsaid import Told, unsaid
from crm.facts import Facts
from crm.finding import Findings
from crm.headline import Headline
from crm.mart import open_mart
from crm.periods import date_of, day_number, read_date
from crm.snapshots import margin, snapshot


@dataclass(frozen=True)
class CustomerBase:
    """Everything the customer-base page shows; money in `currency`.

    months:        sales_by_month: net_sales, orders, units, customers; whether the month is complete.
    comparison:    the last full month against the one before, the year before and the plan.
    movement:      active at start and end of each month, new, won back, lapsed, returning.
    retention:     share of each joining cohort that bought, by months since joining.
    concentration: what the best 1 to 50 % of the year's buyers bring; `curve` is the line behind it, `tenths` the
                   same by tenths of customers with orders and units.
    departments, categories, channels, stores: net sales of the last 91 days against the 91 before.
    best:          what the best tenth buys differently from the others.
    left_out:      who is known to the company and yet not in the customer base, with the reason.
    crowded:       accounts that are probably not one person (`crowded_accounts`).
    unsaid:        what these data do not allow to be said, by section: a sentence each (`unsaid.unsaid`).
    wanting:       what the source does not have and would add something.

    Units are left out everywhere where no quantity is known; `before` and `change` of what was sold where, where the
    data do not reach that far back.
    """

    as_of: dt.date
    first: dt.date
    newest: dt.date
    currency: str
    gross_margin: float
    active_within_days: int
    snapshot: pd.DataFrame
    active: int
    months: pd.DataFrame
    comparison: pd.DataFrame
    movement: pd.DataFrame
    retention: pd.DataFrame
    concentration: pd.DataFrame
    curve: pd.DataFrame
    tenths: pd.DataFrame
    departments: pd.DataFrame
    categories: pd.DataFrame
    channels: pd.DataFrame
    stores: pd.DataFrame
    best: pd.DataFrame
    left_out: pd.DataFrame
    crowded: pd.DataFrame
    unsaid: dict[str, str]
    wanting: tuple[Addition, ...]

    @property
    def findings(self) -> Findings:
        """The answers, most important first; what the data cannot say is one sentence, the last."""
        return all_findings(self)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        year = self.snapshot["net_sales_365d"]
        return {
            "customers": len(self.snapshot),
            "active": self.active,
            "net_sales_365d": round(float(year.sum()), 2),
            "margin_365d": round(float(margin(self.snapshot, gross_margin=self.gross_margin).sum()), 2),
            "gini_net_sales_365d": gini(year[year > 0]),
            "months": self.months[["starts_at", "net_sales", "orders", "customers", "complete"]].to_dict("records"),
        }


def describe_customer_base(facts: Facts, as_of: dt.date | str) -> CustomerBase:
    """Describe the customers known before `as_of` and what they did; see CustomerBase for what is in it.

    Raises NotEnoughData when nobody had bought anything before `as_of`.
    """
    settings, as_of = facts.settings, read_date(as_of)
    refuse_thin(REQUIREMENTS, facts, as_of)
    mart, customers = open_mart(facts), snapshot(facts, as_of)
    within, wanting = settings.definitions.active_within_days, absent(REQUIREMENTS, facts)
    lacking = {addition.name for addition in wanting}
    months = sales_by_month(mart, as_of)
    sold, not_counted = _sold(facts, as_of), left_out(facts, mart, customers)
    told = Told(
        as_of=as_of,
        active_within_days=within,
        months=months,
        comparison=compare_months(months, read_plan(facts), as_of),
        movement=movement(mart, as_of, months=months, active_within_days=within),
        retention=retention(mart, as_of, active_within_days=within),
        buyers=int((customers["net_sales_365d"] > 0).sum()),
        not_counted=int(not_counted["count"].sum()),
        sold=sold,
    )
    without_units = _without_units if "purchases.quantity" in lacking else _as_it_is
    return CustomerBase(
        as_of=as_of,
        first=date_of(int(customers["first_day"].min())),
        newest=date_of(int(customers["last_day"].max())),
        currency=settings.money.currency,
        gross_margin=settings.money.gross_margin,
        active_within_days=within,
        snapshot=customers,
        active=active_customers(events_by_day(mart, as_of, active_within_days=within), as_of),
        months=without_units(months),
        comparison=without_units(told.comparison),
        movement=told.movement,
        retention=told.retention,
        concentration=concentration(customers),
        curve=concentration_curve(customers),
        tenths=without_units(sales_by_tenth(customers)),
        departments=without_units(sold["department"]),
        categories=without_units(sold["category"]),
        channels=without_units(sold["channel"]),
        stores=without_units(sold["store_id"]),
        best=best_tenth(customers, without=untold_traits(lacking)),
        left_out=not_counted,
        crowded=crowded_accounts(facts, as_of),
        unsaid=unsaid(facts, told, wanting),
        wanting=wanting,
    )


def _sold(facts: Facts, as_of: dt.date) -> dict[Dimension, pd.DataFrame]:
    """What was sold where; not held against the days before where the data do not reach so far back."""
    purchases, products = facts["purchases"], facts["products"] if facts.has("products") else None
    dimensions: tuple[Dimension, ...] = ("department", "category", "store_id", "channel")
    sold = {one: sales_by(purchases, products, as_of, dimension=one) for one in dimensions}
    if facts.first_day <= day_number(as_of) - 2 * SOLD_WITHIN:
        return sold
    return {one: table.drop(columns=["before", "change"]) for one, table in sold.items()}


def _without_units(table: pd.DataFrame) -> pd.DataFrame:
    """A table without the units of what was sold, as a column or as a row."""
    if "metric" in table:
        return table[table["metric"] != "units"].reset_index(drop=True)
    return table.drop(columns="units")


def _as_it_is(table: pd.DataFrame) -> pd.DataFrame:
    return table


__all__ = [
    "REQUIREMENTS",
    "SOLD_WITHIN",
    "CustomerBase",
    "Dimension",
    "best_tenth",
    "compare_months",
    "concentration",
    "concentration_curve",
    "describe_customer_base",
    "events_by_day",
    "gini",
    "left_out",
    "movement",
    "retention",
    "sales_by",
    "sales_by_month",
    "sales_by_tenth",
]
