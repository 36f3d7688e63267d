"""What was found about the customer base, in sentences made of its own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.stats import binomtest

from crm.analyses import counted, not_one_person, not_there
from crm.analyses.customer_base.retention import gini
from crm.analyses.customer_base.sales import SOLD_WITHIN
from crm.finding import Finding, Findings
from crm.headline import Headline, Trail
from crm.mart import UNKNOWN
from crm.periods import day_number, last_full_month, month_start
from crm.snapshots import margin

if TYPE_CHECKING:
    from crm.analyses.customer_base import CustomerBase

YEAR = 365
SMALLEST_TOLD = 0.01
"""A department of a smaller share of net sales is not worth a clause."""


def all_findings(base: CustomerBase) -> Findings:
    """Every finding the data allow, what matters most first; what they cannot say is one sentence, the last."""
    return Findings(
        [
            _size(base),
            _last_month(base),
            _movement(base),
            _retention(base),
            _concentration(base),
            not_one_person(base.crowded, base.as_of),
            _departments(base),
            not_there(base.wanting, base.as_of),
        ]
    )


def headline(base: CustomerBase) -> Headline | None:
    """How many customers are active."""
    size, settled = _size(base), base.movement[base.movement["settled"].astype("bool")]
    customers = counted("customers", len(base.snapshot), "customer")
    since = "in a year" if size.values["history_days"] >= YEAR else "since the data begin"
    return Headline.of(
        size,
        "active",
        label="active customers, who bought within {days} days",
        better="more",
        sentence=f"That is {{share:.0%}} of {customers}; all of them brought {{net_sales:,.0f}} {{currency}} of net "
        f"sales {since}.",
        trail=Trail.of(
            "Active customers at the end of each month",
            (f"{month:%Y-%m}" for month in settled["starts_at"]),
            settled["active_at_end"],
        ),
    )


def _size(base: CustomerBase) -> Finding:
    customers, year = len(base.snapshot), float(base.snapshot["net_sales_365d"].sum())
    values = {
        "customers": customers,
        "active": base.active,
        "share": base.active / customers,
        "days": base.active_within_days,
        "net_sales": year,
        "margin": float(margin(base.snapshot, gross_margin=base.gross_margin).sum()),
        "gross_margin": base.gross_margin,
        "currency": base.currency,
        "as_of": base.as_of,
        "newest": base.newest,
        "silent_days": day_number(base.as_of) - 1 - day_number(base.newest),
        "history_days": day_number(base.as_of) - day_number(base.first),
    }
    who = counted("customers", customers, "customer has bought", "customers have bought")
    template = f"As of {{as_of}}, {who}; {{active:,}} of them ({{share:.0%}}) within the last {{days}} days"
    if customers == 1:
        template = "As of {as_of}, one customer has bought, the last time on {newest}"
    return Finding("customers", template + _brought(base, values), values, base.as_of)


def _brought(base: CustomerBase, values: dict[str, Any]) -> str:
    """The clause about the last year's money."""
    if not (base.snapshot["purchase_days_365d"] > 0).any():
        return ". Nobody has bought since {newest}, {silent_days:,} full days before."
    if not values["net_sales"] > 0:
        return ". In the last 365 days nothing was paid for what they bought."
    since = counted("history_days", values["history_days"], "day")
    year = "the last 365 days" if values["history_days"] >= YEAR else f"the {since} since the data begin"
    who = "this customer" if values["customers"] == 1 else "they"
    clause = f". In {year} {who} brought {{net_sales:,.0f}} {{currency}} of net sales"
    clause += " and about {margin:,.0f} {currency} of margin (gross margin of {gross_margin:.0%} assumed"
    known = float(base.snapshot["margin_known_365d"].sum())
    return clause + (" where a product's own is not known)." if known else ").")


def _last_month(base: CustomerBase) -> Finding | None:
    last = last_full_month(base.as_of)
    if last > base.months["month"].max() and base.months["complete"].any():
        return Finding("last_month", "{why}", {"why": base.unsaid["comparison"]}, base.as_of)
    row = base.comparison.set_index("metric").loc["net_sales"].to_dict()
    if row["actual"] is None or pd.isna(row["actual"]):
        return None
    values: dict[str, Any] = {
        "month": f"{month_start(last):%B %Y}",
        "net_sales": float(row["actual"]),
        "currency": base.currency,
        "customers": int(base.months.set_index("month")["customers"].get(last, 0)),
    }
    template = "{month} brought {net_sales:,.0f} {currency} from " + counted(
        "customers", values["customers"], "customer"
    )
    for name, words in (
        ("before", "against the month before"),
        ("year_before", "against the same month a year before"),
        ("plan", "against plan"),
    ):
        change = row[f"{name}_change"]
        if change is not None and not pd.isna(change):
            values[name] = float(change)
            template += f", {{{name}:+.1%}} {words}"
    table = base.comparison
    return Finding("last_month", template + ".", values, base.as_of, table)


def _movement(base: CustomerBase) -> Finding | None:
    last = base.movement[base.movement["month"] == last_full_month(base.as_of)]
    if last.empty or not last["settled"].iloc[0]:
        return None
    row = last.iloc[0].to_dict()
    values = {
        "month": f"{row['starts_at']:%B %Y}",
        **{name: int(row[name]) for name in ("new", "won_back", "lapsed", "active_at_start", "active_at_end")},
        "net": int(row["active_at_end"] - row["active_at_start"]),
        "days": base.active_within_days,
    }
    template = (
        "{month}: {lapsed:,} lapsed (nothing bought for more than {days} days), {new:,} new, {won_back:,} won "
        "back; active customers went from {active_at_start:,} to {active_at_end:,} ({net:+,})."
    )
    return Finding("movement", template, values, base.as_of)


def _retention(base: CustomerBase) -> Finding | None:
    joined = base.retention[~base.retention["before_history"] & (base.retention["months_since"] == 3)]
    if joined.empty or not joined["customers"].sum():
        return None
    values = {
        "cohorts": len(joined),
        "customers": int(joined["customers"].sum()),
        "retained": float(joined["bought"].sum() / joined["customers"].sum()),
        "days": base.active_within_days,
    }
    interval = binomtest(int(joined["bought"].sum()), int(values["customers"])).proportion_ci(method="wilson")
    values |= {"low": float(interval.low), "high": float(interval.high)}
    template = (
        f"Of {counted('customers', values['customers'], 'customer')} of "
        f"{counted('cohorts', values['cohorts'], 'monthly joining cohort')} (from {{days}} days after the "
        "history begins), {retained:.0%} ({low:.0%} to {high:.0%}) bought in the third month after joining."
    )
    return Finding("retention", template, values, base.as_of)


def _concentration(base: CustomerBase) -> Finding | None:
    if "concentration" in base.unsaid:
        return None
    tenth = base.concentration.set_index("best").loc[0.10].to_dict()
    year = base.snapshot["net_sales_365d"]
    values = {
        "buyers": int((year > 0).sum()),
        "customers": int(tenth["customers"]),
        "share": float(tenth["share"]),
        "money": float(tenth["money"]),
        "currency": base.currency,
        "gini": gini(year[year > 0]),
    }
    template = (
        "Of the {buyers:,} customers who bought in the last 365 days, the best tenth ({customers:,}) brought "
        "{share:.0%} of net sales, {money:,.0f} {currency} (Gini {gini:.2f})."
    )
    return Finding("concentration", template, values, base.as_of, base.concentration)


def _departments(base: CustomerBase) -> Finding | None:
    known = base.departments[base.departments["department"] != UNKNOWN]
    if "department" in base.unsaid or known.empty:
        return None
    values: dict[str, Any] = {
        "first": str(known["department"].iloc[0]),
        "first_share": float(known["share"].iloc[0]),
        "unknown_share": float(base.departments.loc[base.departments["department"] == UNKNOWN, "share"].sum()),
        "days": SOLD_WITHIN,
    }
    template = "The largest department is {first} with {first_share:.0%} of the last {days} days' net sales"
    if values["unknown_share"] >= SMALLEST_TOLD:
        template += " (of {unknown_share:.0%} the department is not known)"
    moved = known[known["share"] >= SMALLEST_TOLD]
    moved = moved.dropna(subset="change").sort_values("change") if "change" in moved else moved.head(0)
    if len(moved) > 1:
        for word, row in (("down", moved.iloc[0]), ("up", moved.iloc[-1])):
            values |= {word: str(row["department"]), f"{word}_change": float(row["change"])}
        template += (
            "; against the {days} days before, {up} moved {up_change:+.0%} and {down} {down_change:+.0%} "
            f"(departments of at least {SMALLEST_TOLD:.0%} of sales)"
        )
    return Finding("departments", template + ".", values, base.as_of)
