"""The pictures and tables of the lifetime-value page: what customers are worth, who they are, who moved.

What is expected is drawn in the colour of forecasts, never in that of facts. How far to trust it is drawn by
`lifetime_value_trust`.
"""

from __future__ import annotations

import re
from string import ascii_uppercase
from typing import TYPE_CHECKING

import pandas as pd

from crm.analyses.lifetime_value.answers import CAN_BE_KEPT
from crm.analyses.lifetime_value.groups import UP_TO, Measure, differ, to_compare
from crm.finding import Findings
from crm.mart import UNKNOWN
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_concentration, draw_dots
from crm.reporting.left_out import LeftOut
from crm.reporting.style import BAD, FORECAST, GOOD
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import MINUS, number, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.lifetime_value import LifetimeValue

EXPECTED = "Expected"
"""The name under which forecast amounts have their colour."""

_FEW = 100
"""Of fewer customers, counts say more than per cents of them."""

_SMALL_MONEY = 10
"""Amounts below this are told with their cents."""

_OTHER = "(other)"


ANSWERS = ("trust", "worth", "concentration", "at_risk", "acquire", "moved", "not_one_person")


def the_answer(value: LifetimeValue) -> Findings:
    """What a reader is told first; that a rule of thumb does as well leads where it does, and follows where not."""
    return Findings(finding for finding in value.findings if finding.name in ANSWERS)


def draw_portfolio(value: LifetimeValue) -> Chart | LeftOut:
    """What today's customers are worth together: net sales, margin, and margin over the long horizon."""
    portfolio, soon, late = value.portfolio, span(value.horizon_days), span(value.assumptions.long_days)
    amounts = {
        f"Net sales, {soon}": portfolio.value,
        f"Margin, {soon}": portfolio.margin,
        f"Margin, {late}": portfolio.long_margin,
    }
    table = pd.DataFrame(
        [(name, one.value, one.low, one.high) for name, one in amounts.items()],
        columns=["amount", "expected", "low", "high"],
    )
    if not table["expected"].notna().any():
        return LeftOut("What the customers of today are worth together cannot be said from these purchases.")
    low, high = (number(amount) for amount in (portfolio.value.low, portfolio.value.high))
    worth = quantity(portfolio.value.value, value.currency) + f" ({low} to {high})" * (low != high)
    return draw_bars(
        table.assign(kind=EXPECTED),
        label="amount",
        value="expected",
        interval=("low", "high"),
        colour_by="kind",
        colours={EXPECTED: FORECAST},
        order="as_given",
        unit=value.currency,
        title=f"{worth} of net sales are expected of today's customers in {soon}",
        note=f"Lines: {portfolio.level:.0%} intervals of the total. Margin: after the cost to serve; over {late} "
        "discounted. New customers come on top.",
    )


def show_portfolio(value: LifetimeValue) -> Table:
    """The same in numbers, with the purchase days."""
    portfolio, soon = value.portfolio, span(value.horizon_days)
    late = span(value.assumptions.long_days)
    rows = {
        f"Purchase days, {soon}": portfolio.purchases,
        f"Net sales, {soon}": portfolio.value,
        f"Margin after the cost to serve, {soon}": portfolio.margin,
        f"The same margin, {late}, discounted": portfolio.long_margin,
    }
    table = pd.DataFrame(
        [(what, one.value, one.low, one.high) for what, one in rows.items()],
        columns=["what", "expected", "from", "to"],
    )
    customers = "customer" if portfolio.customers == 1 else "customers"
    return show_table(
        table,
        caption=f"Expected of the {portfolio.customers:,} {customers} of {value.as_of} together "
        f"({value.currency}; {portfolio.level:.0%} intervals)",
        formats=dict.fromkeys(["expected", "from", "to"], money(table["expected"])),
    )


def show_assumptions(value: LifetimeValue) -> Table:
    """What the money rests on."""
    known, currency = value.assumptions, value.currency
    rows = [
        ("Gross margin", f"{known.gross_margin:.0%}", _where_assumed(known.known_margin)),
        ("Discount rate", f"{known.yearly_discount_rate:.0%}", "what waiting a year for a margin costs"),
        ("A contact", *_cost(known.contact_cost, currency, "contacts")),
        ("A service case", *_cost(known.case_cost, currency, "service cases")),
        ("Horizon", span(value.horizon_days), "of everything without another word"),
        ("Long horizon", span(known.long_days), _how_sure(churn_known=known.churn_known)),
    ]
    return show_table(
        pd.DataFrame(rows, columns=["assumption", "value", "what_it_is"]),
        caption="What the money rests on",
        notes="Change them in crm.toml and run again: all amounts follow.",
    )


def draw_concentration_of_value(value: LifetimeValue) -> Chart | LeftOut:
    """How much of the expected value the best customers bring."""
    if why := _why(value, "concentration", value.answers.tenths, "No value is expected of anybody."):
        return LeftOut(why)
    tenths = value.answers.tenths
    customers = int(tenths["customers"].sum())
    if not tenths["value"].sum() > 0:
        return LeftOut("No value is expected of anybody, so that there are no shares of it.")
    curve = pd.DataFrame(
        {
            "share_of_customers": [0.0, *(tenths["customers"].cumsum() / customers)],
            "share_of_expected_value": [0.0, *tenths["cumulative_share"]],
        }
    )
    best, share = int(tenths["customers"].iloc[0]), float(tenths["share"].iloc[0])
    few = customers < _FEW
    who = f"The best {best:,} of {customers:,} bring" if few else "The best tenth brings"
    return draw_concentration(
        curve,
        share_of_customers="share_of_customers",
        share_of_value="share_of_expected_value",
        title=f"{who} {share:.0%} of the expected value",
        label_at=(0.1, 0.2, 0.5),
        note=f"Expected net sales of {span(value.horizon_days)}; customers in tenths by what is expected of them.",
    )


def show_tenths(value: LifetimeValue) -> Table | LeftOut:
    """What each tenth of the customers is worth."""
    if why := _why(value, "concentration", value.answers.tenths, "No value is expected of anybody."):
        return LeftOut(why)
    tenths = value.answers.tenths
    amounts = {name: money(tenths[name]) for name in ("value", "long_margin")}
    return show_table(
        tenths,
        caption=f"Customers in tenths, the most valuable first (expected, {value.currency})",
        formats=_there(tenths, amounts | {"share": ".1%", "cumulative_share": ".1%"}),
        notes=f"{_of_value(value)} {_long(value)}",
    )


def show_top_tier(value: LifetimeValue) -> Table | LeftOut:
    """The fewest customers who bring half of the margin."""
    if why := _why(
        value, "top_tier", value.answers.top_tier, "No margin is expected, so that there is no half of it."
    ):
        return LeftOut(why)
    table = value.answers.top_tier
    shares = dict.fromkeys(["share_of_customers", "share_of_margin"], ".1%")
    return show_table(
        table,
        caption=f"The top tier: the fewest who bring half of the expected margin ({value.currency})",
        formats=_there(table, shares | {"margin": money(table["margin"])}),
        notes=f"Margin: expected in {span(value.horizon_days)}, after the cost to serve.",
    )


def draw_apart(value: LifetimeValue) -> Chart | LeftOut:
    """What sets the top tier apart from the others, beside buying more."""
    if why := _why(value, "apart", value.answers.apart, "The top tier differs from the others in no known way."):
        return LeftOut(why)
    apart = value.answers.apart
    table = apart.assign(feature=[in_words(name) for name in apart["feature"]])
    first = table.to_dict("records")[0]
    return draw_bars(
        table.assign(evenly=0.5).rename(columns={"chance_higher": "has_more"}),
        label="feature",
        value="has_more",
        interval=("low", "high"),
        comparison="evenly",
        order="as_given",
        unit="share",
        title=f"“{capital(first['feature'])}” sets the top tier apart most: {number(first['top'])} against "
        f"{number(first['others'])}",
        note="How often a customer of the top tier has more of it than one of the others, with 95% intervals; at the "
        "tick both have as much.",
    )


def show_apart(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers, with what each feature means."""
    if why := _why(value, "apart", value.answers.apart, "The top tier differs from the others in no known way."):
        return LeftOut(why)
    apart = value.answers.apart
    table = apart.assign(feature=[in_words(name) for name in apart["feature"]])
    columns = ["feature", "top", "others", "chance_higher", "low", "high", "meaning"]
    shares = dict.fromkeys(["chance_higher", "low", "high"], ".0%")
    return show_table(
        table[[name for name in columns if name in table]],
        caption="What sets the top tier apart",
        formats=_there(table, shares),
    )


def draw_at_risk(value: LifetimeValue) -> Chart | LeftOut:
    """How much would go with those who may not come back."""
    table = value.answers.at_risk
    if why := _why_not_at_risk(value):
        return LeftOut(why)
    names = {"value": "Expected value", "at_risk": "At risk", "could_be_kept": "Could be kept"}
    wide = table.rename(columns=names).assign(tier=[capital(tier) for tier in table["tier"]])
    long = wide.melt(id_vars="tier", value_vars=list(names.values()), var_name="of", value_name="amount")
    at_risk = quantity(table["at_risk"].sum(), value.currency)
    top = quantity(table.loc[table["tier"] == "top tier", "at_risk"].sum(), value.currency)
    return draw_dots(
        long,
        label="tier",
        value="amount",
        colour_by="of",
        colours={"Expected value": FORECAST, "At risk": BAD, "Could be kept": GOOD},
        unit=value.currency,
        title=f"{at_risk} of the expected value are at risk, {top} of it in the top tier",
        note=f"{_AT_RISK.format(days=span(value.horizon_days))} {_KEPT}",
    )


def show_at_risk(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    table = value.answers.at_risk
    if why := _why_not_at_risk(value):
        return LeftOut(why)
    amounts = {name: money(table[name]) for name in ("value", "at_risk", "could_be_kept")}
    return show_table(
        table.assign(tier=[capital(tier) for tier in table["tier"]]),
        caption=f"Sales at risk within {span(value.horizon_days)} ({value.currency})",
        formats=_there(table, amounts | {"share": ".1%"}),
        notes=(_AT_RISK.format(days=span(value.horizon_days)), _KEPT),
    )


_AT_RISK = "At risk: expected value times the chance of no purchase in {days}; it is part of the expected value."
_KEPT = (
    f"Could be kept: what those whose chance is at most {CAN_BE_KEPT:.0%} would bring on top of the expected value "
    "if none of them stayed away."
)


def draw_by_segment(value: LifetimeValue) -> Chart | LeftOut:
    """What a customer of each segment is worth."""
    return _draw_by(value, value.answers.by_segment, "segment", who="{}")


def show_by_segment(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    return _show_by(value, value.answers.by_segment, "segment", caption="What a customer of each segment is worth")


def draw_by_cohort(value: LifetimeValue) -> Chart | LeftOut:
    """What a customer is worth from joining on, by when they joined."""
    return _draw_by_joined(value, value.answers.by_cohort, "cohort", who="Joined {}")


def show_by_cohort(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    return _show_by(value, value.answers.by_cohort, "cohort", caption="By when they joined", joined=True)


def draw_by_department(value: LifetimeValue) -> Chart | LeftOut:
    """What a customer is worth from joining on, by the department of the first purchase."""
    return _draw_by_joined(value, _worth_most_first(value.answers.by_department), "department", who="First bought {}")


def show_by_department(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    caption = "Those who joined, by the department of the first purchase"
    table = _worth_most_first(value.answers.by_department)
    return _show_by(value, table, "department", caption=caption, joined=True)


def draw_by_channel(value: LifetimeValue) -> Chart | LeftOut:
    """What a customer is worth from joining on, by the channel of the first purchase."""
    return _draw_by_joined(value, _worth_most_first(value.answers.by_channel), "channel", who="First came by {}")


def show_by_channel(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    caption = "Those who joined, by the channel of the first purchase"
    table = _worth_most_first(value.answers.by_channel)
    return _show_by(value, table, "channel", caption=caption, joined=True)


def draw_moved(value: LifetimeValue) -> Chart | LeftOut:
    """How the expected value changed since the previous date, by reason."""
    moved = value.answers.moved
    if why := _why(value, "moved", moved, _NO_PREVIOUS):
        return LeftOut(why)
    change = float(moved["change"].sum())
    lost, gained = "less is expected", "more is expected"
    table = moved.assign(
        reason=[capital(reason) for reason in moved["reason"]],
        direction=(moved["change"] < 0).map({True: lost, False: gained}),
    )
    return draw_bars(
        table,
        label="reason",
        value="change",
        colour_by="direction",
        colours={lost: BAD, gained: GOOD},
        unit=value.currency,
        title=f"Since {value.answers.previous} the expected value changed by {_signed(change)} {value.currency}",
        note=f"Expected net sales of {span(value.horizon_days)}; each customer is counted under one reason.",
    )


def show_moved(value: LifetimeValue) -> Table | LeftOut:
    """The same in numbers."""
    moved = value.answers.moved
    if why := _why(value, "moved", moved, _NO_PREVIOUS):
        return LeftOut(why)
    amounts = {name: money(moved[name]) for name in ("before", "now")}
    columns = ["reason", "customers", "before", "now", "change"]
    return show_table(
        moved[columns].assign(reason=[capital(reason) for reason in moved["reason"]]),
        caption=f"Expected value on {value.answers.previous} and on {value.as_of} ({value.currency})",
        formats=amounts | {"change": f"+{money(moved['change'])}"},
        notes="Sums over the customers of each reason, valued on each date by what was known then.",
    )


def show_movers(value: LifetimeValue) -> Table | LeftOut:
    """The largest single changes, about; nobody is named, and nothing told by which somebody could be found."""
    movers = value.answers.movers
    if why := _why(value, "moved", movers, _NO_PREVIOUS):
        return LeftOut(why)
    shown = movers.head(_MOST_MOVERS)
    amounts = {name: [_about(amount) for amount in shown[name]] for name in ("before", "now", "change")}
    table = pd.DataFrame(
        {
            "customer": [f"Customer {letter}" for letter in ascii_uppercase[: len(shown)]],
            "reason": [capital(reason) for reason in shown["reason"]],
            **amounts,
        }
    )
    return show_table(
        table,
        caption=f"The largest single changes since {value.answers.previous} (about; {value.currency})",
        formats={"before": ",.0f", "now": ",.0f", "change": "+,.0f"},
        notes="To two digits, and without names: who they are, the scores tell. Who was new since then is not among "
        "them.",
    )


_MOST_MOVERS = 12


def _about(amount: float) -> float:
    """To two digits."""
    return float(f"{amount:.2g}")


_NO_PREVIOUS = "There is no previous date to compare the expected value with."


def span(days: int) -> str:
    """Days as people say them: "91 days", "3 years"."""
    years, rest = divmod(days, 365)
    if years and not rest:
        return "a year" if years == 1 else f"{years} years"
    return "one day" if days == 1 else f"{days:,} days"


def capital(text: str) -> str:
    """Text as it begins a line."""
    return text[:1].upper() + text[1:]


def money(amounts: pd.Series[float]) -> str:
    """How amounts of this size are written."""
    return ",.0f" if amounts.abs().max() >= _SMALL_MONEY else ",.2f"


def in_words(feature: str) -> str:
    """A feature's name for people: `net_sales_91d` is "net sales, 91 days"."""
    return re.sub(r"_(\d+)d$", r", \1 days", feature).replace("_", " ")


def _draw_by(value: LifetimeValue, table: pd.DataFrame, by: str, *, who: str) -> Chart | LeftOut:
    if why := _why(value, f"by_{by}", table, f"Customers cannot be told apart by {by}."):
        return LeftOut(why)
    named = table[table["group"] != _OTHER]
    drawn = named if len(named) else table
    return _draw_groups(
        value,
        drawn,
        by,
        who=who,
        of="value",
        note=f"Expected net sales of a customer in {span(value.horizon_days)}, mean with 95% interval."
        + _IN_TABLE * (len(drawn) < len(table)),
    )


def _draw_by_joined(value: LifetimeValue, table: pd.DataFrame, by: str, *, who: str) -> Chart | LeftOut:
    """The worth from joining on, of groups whose customers were seen to join."""
    if why := _why(value, f"by_{by}", table, f"Customers cannot be told apart by {by}."):
        return LeftOut(why)
    named = table[(table["group"] != _OTHER) & table["from_joining_low"].notna() & ~_older(table)]
    if named.empty:
        return LeftOut(f"Of no {by} there are customers enough who were seen to join.")
    note = (
        "Worth from joining on, of a customer: margin so far and long margin, mean with 95% interval. "
        f"{_since(value)} Those who joined earlier have been counted for longer."
    )
    return _draw_groups(
        value, named, by, who=who, of="from_joining", note=note + _IN_TABLE * (len(named) < len(table))
    )


_IN_TABLE = " More groups are in the table below."


def _draw_groups(value: LifetimeValue, groups: pd.DataFrame, by: str, *, who: str, of: Measure, note: str) -> Chart:
    named = {"value": "expected_value", "from_joining": "worth_from_joining_on"}[of]
    ends = (f"{of}_low", f"{of}_high")
    return draw_bars(
        groups[["group", "customers", of, *ends]].rename(columns={"group": by, of: named}).assign(kind=EXPECTED),
        label=by,
        value=named,
        interval=ends,
        colour_by="kind",
        colours={EXPECTED: FORECAST},
        order="as_given",
        unit=value.currency,
        title=_best_and_least(groups, who=who, of=of, currency=value.currency),
        note=note,
    )


def _best_and_least(groups: pd.DataFrame, *, who: str, of: Measure, currency: str) -> str:
    """The best and the least among groups large enough to be compared, and whether that may be chance."""
    rows = to_compare(groups, of=of).to_dict("records")
    if not rows:
        return "No group is known well enough to be compared"
    best, least = rows[0], rows[-1]
    first = f"{who.format(best['group'])}: {quantity(best[of], currency)} each"
    if len(rows) == 1:
        return first
    beyond = differ(best, least, of=of, among=len(rows))  # type: ignore[arg-type]
    return f"{first}; {least['group']}: {quantity(least[of], currency)}" + ", which may be chance" * (not beyond)


def _show_by(
    value: LifetimeValue, table: pd.DataFrame, by: str, *, caption: str, joined: bool = False
) -> Table | LeftOut:
    if why := _why(value, f"by_{by}", table, f"Customers cannot be told apart by {by}."):
        return LeftOut(why)
    amounts = ["value", "value_low", "value_high", "margin", "margin_so_far", "long_margin"]
    names = {"group": by}
    if joined:
        table = table.assign(from_joining=table["from_joining"].where(table["joined"] == table["customers"]))
        amounts += ["from_joining"]
        names |= {"from_joining": "worth_from_joining_on"}
    notes = [f"{_of_value(value)} {_long(value)} {_SO_FAR} Share: of the value of those in the table."]
    notes += [f"{_FROM_JOINING} {_since(value)}"] * joined
    return show_table(
        table[["group", "customers", *amounts, "share"]].rename(columns=names),
        caption=f"{caption} (mean per customer, {value.currency})",
        formats={names.get(name, name): money(table["value"]) for name in amounts} | {"share": ".1%"},
        notes=tuple(notes),
    )


_SO_FAR = "Margin so far: net sales since the first known purchase at the margin rate, before the cost to serve."
_FROM_JOINING = (
    "Worth from joining on: margin so far and long margin; to win one such customer may cost that at most."
)


def _worth_most_first(table: pd.DataFrame) -> pd.DataFrame:
    """Groups with names of their own by their worth from joining on, the others after them."""
    ordered = table.assign(unnamed=table["group"].isin([_OTHER, UNKNOWN]))
    ordered = ordered.sort_values(
        ["unnamed", "from_joining"], ascending=[True, False], kind="stable", ignore_index=True
    )
    return ordered.drop(columns="unnamed")


def _older(table: pd.DataFrame) -> pd.Series[bool]:
    """Which groups are of customers who may have joined long before they were first seen?"""
    return table["group"].str.startswith(UP_TO)


def _since(value: LifetimeValue) -> str:
    since = value.answers.joined["since"].iloc[0]
    return f"Only of customers first seen on {since} or later: others may have joined long before the history began."


def _why(value: LifetimeValue, section: str, table: pd.DataFrame, otherwise: str) -> str:
    """Why a section is left out: the analysis' own sentence, or ours where its table has no row."""
    return value.unsaid.get(section, "") or ("" if len(table) else otherwise)


def _why_not_at_risk(value: LifetimeValue) -> str:
    if value.valued.customers["chance_of_no_purchase"].isna().all():
        otherwise = "No purchase model could be fitted, so that nobody knows who may stay away."
        return value.unsaid.get("at_risk", otherwise)
    return _why(value, "at_risk", value.answers.at_risk, "No value is expected, so that none is at risk.")


def _of_value(value: LifetimeValue) -> str:
    return f"Value: expected net sales of {span(value.horizon_days)}."


def _long(value: LifetimeValue) -> str:
    return (
        f"Long margin: still to come of them over {span(value.assumptions.long_days)}, after the cost to serve, "
        "discounted; not a price for a new customer."
    )


def _cost(amount: float, currency: str, what: str) -> tuple[str, str]:
    """What it costs, and what that means."""
    if amount > 0:
        return f"{amount:,.2f} {currency}", "what serving costs, taken off the margin"
    return "nothing", f"not counted: no {what} in the data, or no cost in crm.toml"


def _where_assumed(known_margin: float) -> str:
    if not known_margin > 0:
        return "of all net sales: no product's own rate is known"
    return f"where a product's own rate is not known; it is for {known_margin:.0%} of the last year's net sales"


def _how_sure(*, churn_known: bool) -> str:
    if churn_known:
        return "margin discounted month by month to the as-of date"
    return "margin discounted month by month; how soon customers leave for good, the data do not tell"


def _signed(amount: float) -> str:
    return f"{amount:+,.0f}".replace("-", MINUS)


def _there(table: pd.DataFrame, formats: dict[str, str]) -> dict[str, str]:
    return {name: spec for name, spec in formats.items() if name in table}
