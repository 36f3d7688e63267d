"""Who are our customers, and what happened?

`describe_customer_base(facts, as_of)` answers with what a manager reads first: customers and sales by month, who came
and who went, whether cohorts stay, how concentrated sales are, and the last full month against its yardsticks.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd
from scipy.stats import binomtest

from crm.analyses.customer_base.movement import active_customers, events_by_day, movement
from crm.analyses.customer_base.retention import concentration, concentration_curve, gini, retention
from crm.analyses.customer_base.sales import compare_months, read_plan, sales_by, sales_by_month, sales_by_tenth
from crm.facts import Facts
from crm.finding import Finding, Findings
from crm.mart import Mart, open_mart
from crm.periods import last_full_month, month_start, read_date
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
    """

    as_of: dt.date
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

    @property
    def findings(self) -> Findings:
        """The answers, most important first; what the data cannot say is left out."""
        return Findings(
            [
                self._size(),
                self._last_month(),
                self._movement(),
                self._retention(),
                self._concentration(),
                self._departments(),
            ]
        )

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

    def _size(self) -> Finding:
        year = float(self.snapshot["net_sales_365d"].sum())
        values = {
            "customers": len(self.snapshot),
            "active": self.active,
            "share": self.active / len(self.snapshot),
            "days": self.active_within_days,
            "net_sales": year,
            "margin": float(margin(self.snapshot, gross_margin=self.gross_margin).sum()),
            "gross_margin": self.gross_margin,
            "currency": self.currency,
            "as_of": self.as_of,
        }
        template = (
            "As of {as_of}, {customers:,} customers have bought; {active:,} of them ({share:.0%}) within the last "
            "{days} days. In the last 365 days they brought {net_sales:,.0f} {currency} of net sales"
        )
        template += " and about {margin:,.0f} {currency} of margin (gross margin of {gross_margin:.0%} assumed"
        known = float(self.snapshot["margin_known_365d"].sum())
        template += " where a product's own is not known)." if known else ")."
        return Finding("customers", template, values, self.as_of)

    def _last_month(self) -> Finding | None:
        row = self.comparison.set_index("metric").loc["net_sales"].to_dict()
        if row["actual"] is None or pd.isna(row["actual"]):
            return None
        last = last_full_month(self.as_of)
        values = {
            "month": f"{month_start(last):%B %Y}",
            "net_sales": float(row["actual"]),
            "currency": self.currency,
            "customers": int(self.months.set_index("month")["customers"].get(last, 0)),
        }
        template = "{month} brought {net_sales:,.0f} {currency} from {customers:,} customers"
        for name, words in (
            ("before", "against the month before"),
            ("year_before", "against the same month a year before"),
            ("plan", "against plan"),
        ):
            change = row[f"{name}_change"]
            if change is not None and not pd.isna(change):
                values[name] = float(change)
                template += f", {{{name}:+.1%}} {words}"
        table = self.comparison
        return Finding("last_month", template + ".", values, self.as_of, table)

    def _movement(self) -> Finding | None:
        last = self.movement[self.movement["month"] == last_full_month(self.as_of)]
        if last.empty:
            return None
        row = last.iloc[0].to_dict()
        values = {
            "month": f"{row['starts_at']:%B %Y}",
            **{name: int(row[name]) for name in ("new", "won_back", "lapsed", "active_at_start", "active_at_end")},
            "net": int(row["active_at_end"] - row["active_at_start"]),
            "days": self.active_within_days,
        }
        template = (
            "{month}: {lapsed:,} lapsed (nothing bought for more than {days} days), {new:,} new, {won_back:,} won "
            "back; active customers went from {active_at_start:,} to {active_at_end:,} ({net:+,})."
        )
        return Finding("movement", template, values, self.as_of)

    def _retention(self) -> Finding | None:
        joined = self.retention[~self.retention["before_history"] & (self.retention["months_since"] == 3)]
        if joined.empty or not joined["customers"].sum():
            return None
        values = {
            "cohorts": len(joined),
            "customers": int(joined["customers"].sum()),
            "retained": float(joined["bought"].sum() / joined["customers"].sum()),
            "days": self.active_within_days,
        }
        interval = binomtest(int(joined["bought"].sum()), int(values["customers"])).proportion_ci(method="wilson")
        values |= {"low": float(interval.low), "high": float(interval.high)}
        template = (
            "Of {customers:,} customers of {cohorts} monthly joining cohorts (from {days} days after the history "
            "begins), {retained:.0%} ({low:.0%} to {high:.0%}) bought in the third month after joining."
        )
        return Finding("retention", template, values, self.as_of)

    def _concentration(self) -> Finding | None:
        if self.concentration.empty:
            return None
        tenth = self.concentration.set_index("best").loc[0.10].to_dict()
        year = self.snapshot["net_sales_365d"]
        values = {
            "buyers": int((year > 0).sum()),
            "customers": int(tenth["customers"]),
            "share": float(tenth["share"]),
            "money": float(tenth["money"]),
            "currency": self.currency,
            "gini": gini(year[year > 0]),
        }
        template = (
            "Of the {buyers:,} customers who bought in the last 365 days, the best tenth ({customers:,}) brought "
            "{share:.0%} of net sales, {money:,.0f} {currency} (Gini {gini:.2f})."
        )
        return Finding("concentration", template, values, self.as_of, self.concentration)

    def _departments(self) -> Finding | None:
        moved = self.departments[self.departments["change"].notna() & (self.departments["share"] >= 0.01)]
        if moved.empty:
            return None
        by_change = moved.sort_values("change")
        down, up = by_change.iloc[0], by_change.iloc[-1]
        values = {
            "first": str(self.departments["department"].iloc[0]),
            "first_share": float(self.departments["share"].iloc[0]),
            "up": str(up["department"]),
            "up_change": float(up["change"]),
            "down": str(down["department"]),
            "down_change": float(down["change"]),
        }
        template = (
            "The largest department is {first} with {first_share:.0%} of the last 91 days' net sales; against the 91 "
            "days before, {up} moved {up_change:+.0%} and {down} {down_change:+.0%} (departments of at least 1% of "
            "sales)."
        )
        return Finding("departments", template, values, self.as_of)


def describe_customer_base(facts: Facts, as_of: dt.date | str) -> CustomerBase:
    """Describe the customers known before `as_of` and what they did; see CustomerBase for what is in it.

    Raises NotEnoughData when nobody had bought anything before `as_of`.
    """
    settings, as_of = facts.settings, read_date(as_of)
    mart, customers = open_mart(facts), snapshot(facts, as_of)
    within = settings.definitions.active_within_days
    months = sales_by_month(mart, as_of)
    purchases = facts["purchases"]
    products = facts["products"] if facts.has("products") else None
    return CustomerBase(
        as_of=as_of,
        currency=settings.money.currency,
        gross_margin=settings.money.gross_margin,
        active_within_days=within,
        snapshot=customers,
        active=active_customers(events_by_day(mart, as_of, active_within_days=within), as_of),
        months=months,
        comparison=compare_months(months, read_plan(facts), as_of),
        movement=movement(mart, as_of, months=months, active_within_days=within),
        retention=retention(mart, as_of, active_within_days=within),
        concentration=concentration(customers),
        curve=concentration_curve(customers),
        tenths=sales_by_tenth(customers),
        departments=sales_by(purchases, products, as_of, dimension="department"),
        categories=sales_by(purchases, products, as_of, dimension="category"),
        channels=sales_by(purchases, products, as_of, dimension="channel"),
        stores=sales_by(purchases, products, as_of, dimension="store_id"),
        best=best_tenth(customers),
        left_out=left_out(facts, mart, customers),
    )


_COMPARED = {
    "purchase_days_365d": "purchase days in the last year",
    "order_value_365d": "net sales per order",
    "lines_per_order_365d": "lines per order",
    "categories_365d": "categories bought",
    "share_bought_on_promotion": "share bought on promotion",
    "campaigns_received_365d": "campaigns received",
    "tenure": "days since joining",
}


def best_tenth(customers: pd.DataFrame) -> pd.DataFrame:
    """How the best tenth of the last year's buyers differ from the others: a row each, medians of the traits."""
    buyers = customers[customers["net_sales_365d"] > 0]
    rank = buyers["net_sales_365d"].rank(method="first", ascending=False)
    best = rank <= -(-len(buyers) // 10)
    traits = [name for name in _COMPARED if name in buyers]
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


__all__ = [
    "CustomerBase",
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
