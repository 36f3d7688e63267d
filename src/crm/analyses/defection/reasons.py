"""Why is this customer likely to leave? Up to three reasons in words, with the customer's own numbers.

Reasons are themes of columns (`known.THEMES`). They stand in the order in which the model's own contributions say
that they move the chance; each is told only where the customer's numbers show it, and where the chance falls once the
theme's columns are put to what is typical of those who stayed. What befalls everybody at once is told of those alone
for whom it weighs more than on average.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.defection.known import theme_of
from crm.analyses.defection.labels import stake_of
from crm.analyses.defection.model import DefectionModel
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN, open_mart
from crm.periods import date_of, day_number, known_within

MOST_REASONS = 3
LONG_SILENCE = 1.5
"""Usual gaps from which a silence is worth telling."""
REGULARLY = 3
"""Purchase days of a category from which it was bought more than by chance."""
LARGE_PART = 0.15
"""Share of earlier net sales from which it is worth telling that a category is no longer bought."""

DONE_TO_THEM = ("deliveries", "prices", "service", "returns")
"""Themes that tell what happened to a customer, and not what the customer does: it can be mended."""

EVERYBODY = ("prices",)
"""Themes that befall everybody at once: that the model read them says little of one customer among others."""

SEPARATOR = " · "
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reason:
    """One reason of one customer: its theme, in words, and by how much the chance falls without it."""

    theme: str
    words: str
    falls: float


@dataclass(frozen=True)
class Told:
    """What the sentences need beside the columns: horizon, currency, categories no longer bought, what is typical."""

    days: int
    currency: str
    as_of: dt.date
    dropped: Mapping[str, tuple[str, float, int]] = field(repr=False)
    typical: Mapping[str, float] = field(repr=False)


def reasons_for(model: DefectionModel, known: pd.DataFrame, facts: Facts, as_of: dt.date) -> list[tuple[Reason, ...]]:
    """The reasons of each of these customers (rows of `model.known_on`), the weightiest first."""
    if known.empty:
        return []
    themes = themes_of(model)
    added = by_theme(model, known)
    told = Told(
        days=stake_of(facts).after_days,
        currency=facts.settings.money.currency,
        as_of=as_of,
        dropped=dropped_categories(facts, as_of, known),
        typical=model.typical,
    )
    falls = {theme: falls_without(model, known, columns) for theme, columns in themes.items()}
    falls |= {theme: above_average(falls[theme]) for theme in EVERYBODY if theme in falls}
    rows = known.to_dict("records")
    return [
        _of_customer({str(k): v for k, v in row.items()}, place, added, falls, told) for place, row in enumerate(rows)
    ]


def themes_of(model: DefectionModel) -> dict[str, list[str]]:
    """The columns that the model reads, by theme."""
    themes: dict[str, list[str]] = {}
    for column in model.columns:
        themes.setdefault(theme_of(str(column)), []).append(str(column))
    return themes


def by_theme(model: DefectionModel, known: pd.DataFrame) -> pd.DataFrame:
    """What each theme adds to the log-odds of leaving: a column per theme, one row per customer."""
    added = model.contributions(known)
    return added.T.groupby([theme_of(str(column)) for column in added.columns]).sum().T


def falls_without(model: DefectionModel, known: pd.DataFrame, columns: list[str]) -> np.ndarray[Any, Any]:
    """By how much each customer's chance to leave falls if these columns were as is typical of those who stayed."""
    typical = {name: model.typical[name] for name in columns if name in model.typical and name in known}
    changed = known.assign(**typical)
    before = model.chances(known)["left"].to_numpy()
    return np.asarray(before - model.chances(changed)["left"].to_numpy())


def above_average(falls: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """0 in place of what is less than the mean of those for whom the chance falls at all; the others as they are."""
    some = falls[falls > 0]
    least = some.mean() * (1 - 1e-9) if len(some) else -np.inf  # of equal falls none is below their mean
    return np.where(falls >= least, falls, 0.0)


def dropped_categories(facts: Facts, as_of: dt.date, known: pd.DataFrame) -> dict[str, tuple[str, float, int]]:
    """Of these customers, the largest category they bought before the last horizon and not in it: its name, its share
    of their net sales then, and the day of the last purchase of it."""
    mart, horizon = open_mart(facts), stake_of(facts).after_days
    if not mart.has("customer_category_days"):
        return {}
    days = known_within(mart["customer_category_days"], as_of, 4 * horizon)
    recent = nw.col("day") >= day_number(as_of) - horizon
    sums = _category_sums(days, recent)
    table = to_pandas(sums)
    table = table[table["customer_id"].isin(set(known["customer_id"]))]
    table["share"] = table["then"] / table.groupby("customer_id")["then"].transform("sum").clip(lower=1e-9)
    regularly = (table["times_then"] >= REGULARLY) & (table["category"] != UNKNOWN)
    gone = table[(table["times"] == 0) & (table["share"] >= LARGE_PART) & regularly]
    gone = gone.sort_values(["customer_id", "share", "category"], ascending=[True, False, True])
    first = gone.drop_duplicates("customer_id")
    return {
        str(row["customer_id"]): (str(row["category"]), float(row["share"]), int(row["last"]))
        for row in first.to_dict("records")
    }


def _category_sums(days: Any, recent: nw.Expr) -> Any:
    """Net sales then, and days with it then and of late: once a day, in however many departments it stands."""
    days = days.group_by("customer_id", "day", "category").agg(nw.col("net_sales").sum())
    split = days.with_columns(
        then=nw.when(recent).then(0.0).otherwise(nw.col("net_sales")), time=nw.when(recent).then(1).otherwise(0)
    )
    return split.group_by("customer_id", "category").agg(
        nw.col("then").sum().round(4),
        nw.col("time").sum().alias("times"),
        (1 - nw.col("time")).sum().alias("times_then"),
        nw.col("day").max().alias("last"),
    )


def _of_customer(
    row: Row, place: int, added: pd.DataFrame, falls: Mapping[str, np.ndarray[Any, Any]], told: Told
) -> tuple[Reason, ...]:
    """The themes that raise the chance, as far as the customer's numbers show them: those that are told of them."""
    weights = added.iloc[place]
    found = []
    for theme in weights[weights > 0].sort_values(ascending=False, kind="stable").index:
        if float(falls[theme][place]) <= 0:
            continue
        words = SENTENCES[theme](row, told)
        if words:
            found.append(Reason(theme, words, float(falls[theme][place])))
    return told_of(found)


def told_of(found: Sequence[Reason]) -> tuple[Reason, ...]:
    """The weightiest of these, which stand in their order.

    Where the company's own doing is among them its weightiest is told, and so is what befell everybody and weighs
    more than on average here: in the last places, if something else fills all.
    """
    own = [reason for reason in found if reason.theme in DONE_TO_THEM]
    sure = own[:1] + [reason for reason in own[1:] if reason.theme in EVERYBODY]
    others = [reason for reason in found if reason not in sure][: MOST_REASONS - len(sure)]
    return tuple(reason for reason in found if reason in sure or reason in others)


def _number(row: Row, name: str) -> float:
    """A column's value; nan where the tables do not give it."""
    value = row.get(name)
    return float(value) if value is not None and not pd.isna(value) else float("nan")


def _days(count: float) -> str:
    return "1 day" if round(count) == 1 else f"{count:,.0f} days"


def _silence(row: Row, told: Told) -> str:
    usual, since = _number(row, "usual_gap"), _number(row, "days_since_last_purchase")
    if np.isnan(usual):
        return f"bought on one day only, {_days(since)} ago"
    if since >= LONG_SILENCE * usual:
        return f"usually buys every {_days(usual)}; last purchase {_days(since)} ago"
    return ""


def _rhythm(row: Row, told: Told) -> str:
    last, before = _number(row, "purchase_days_last"), _number(row, "purchase_days_before")
    if last < before:
        return f"bought on {_days(last)} in the last {told.days}, on {before:,.0f} in the {told.days} before"
    usual = _number(row, "mean_gap")
    return f"buys seldom: every {_days(usual)} on average" if usual > told.days / 2 else ""


def _spending(row: Row, told: Told) -> str:
    last, usual = _number(row, "net_sales_last"), _number(row, "usual_net_sales")
    half = _number(row, "net_sales_half")
    if usual < _SMALL:
        return ""
    if half * 2 < usual * 0.75:
        return f"spent {half:,.0f} {told.currency} in the last {_days(told.days // 2)}; usual is {usual / 2:,.0f}"
    if last < usual * 0.9:
        return f"spent {last:,.0f} {told.currency} in the last {_days(told.days)}; usual is {usual:,.0f}"
    if 0 < usual < told.typical.get("usual_net_sales", 0.0):
        return f"small purchases: {usual:,.0f} {told.currency} in {_days(told.days)}"
    return ""


_SMALL = 2.0
"""Of usual net sales, below which amounts can no longer be told apart in whole numbers."""


def _breadth(row: Row, told: Told) -> str:
    dropped = told.dropped.get(str(row["customer_id"]))
    if dropped:
        category, share, last = dropped
        return f"stopped buying {category}, {share:.0%} of the basket until {date_of(last):%B %Y}"
    now, before = _number(row, "categories_last"), _number(row, "categories_before")
    if now < before:
        kinds = "1 kind" if now == 1 else f"{now:,.0f} kinds"
        return f"{kinds} of products in the last {_days(told.days)}, {before:,.0f} in the time before"
    return ""


def _promotions(row: Row, told: Told) -> str:
    share, typical = _number(row, "share_bought_on_promotion"), told.typical.get("share_bought_on_promotion", np.nan)
    if abs(share - typical) < _SHARE_TOLD or np.isnan(share - typical):
        return ""
    return f"buys {share:.0%} at a discount; typical of those who stay are {typical:.0%}"


_SHARE_TOLD = 0.10


def _prices(row: Row, told: Told) -> str:
    rise = _number(row, "price_change")
    return f"prices of what they buy rose by {rise:.0%}" if rise >= _RISE_TOLD else ""


_RISE_TOLD = 0.015
"""Mean rise of prices from which it is told: two whole per cents."""


def _deliveries(row: Row, told: Told) -> str:
    late, newest = _number(row, "late_last"), _number(row, "last_delivery_late")
    if late >= 1:
        how_many = "a delivery" if late == 1 else f"{late:,.0f} deliveries"
        return f"{how_many} came late in the last {_days(told.days)}" + (", the newest among them" if newest else "")
    if newest == 1:
        return "the last delivery came late"
    year, late_year = _number(row, "deliveries_365d"), _number(row, "late_deliveries_365d")
    if late_year >= 1:
        return f"{late_year:,.0f} of {year:,.0f} deliveries of the last year came late"
    faulty = _number(row, "faulty_deliveries_365d")
    return f"{faulty:,.0f} of {year:,.0f} deliveries of the last year were faulty" if faulty >= 1 else ""


def _service(row: Row, told: Told) -> str:
    still, marks, cases = (_number(row, name) for name in ("open_cases", "mean_satisfaction", "cases_365d"))
    if still >= 1:
        return "a service case is open" if still == 1 else f"{still:,.0f} service cases are open"
    if marks < _GOOD_MARK:
        return f"gave service a mark of {marks:.1f} of 5"
    if cases >= 1:
        return "had a service case in the last year" if cases == 1 else f"had {cases:,.0f} service cases in a year"
    return ""


_GOOD_MARK = 3.0


def _returns(row: Row, told: Told) -> str:
    lines = _number(row, "returns_365d")
    if lines >= 1:
        return f"sent back {lines:,.0f} line{'' if lines == 1 else 's'} in the last year"
    return ""


def _campaigns(row: Row, told: Told) -> str:
    sent, answered = _number(row, "campaigns_received_365d"), _number(row, "campaigns_answered_365d")
    if sent >= 1 and answered == 0:
        return f"answered none of {sent:,.0f} campaigns in the last year"
    return ""


def _visits(row: Row, told: Told) -> str:
    return "no visit to the web shop in 91 days" if _number(row, "visits_91d") == 0 else ""


def _tenure(row: Row, told: Told) -> str:
    age = _number(row, "T")
    return f"a customer for {_days(age)} only" if age < _NEW else ""


_NEW = 182


def _place(row: Row, told: Told) -> str:
    return ""  # where somebody buys sets leavers apart, and is no reason that a person would give


def _contract(row: Row, told: Told) -> str:
    age, ended = _number(row, "contract_days"), _number(row, "ended_contracts")
    if ended >= 1:
        return f"has ended {ended:,.0f} contract{'' if ended == 1 else 's'} before"
    if age < _NEW:
        return f"a contract for {_days(age)} only"
    fee = _number(row, "monthly_fee")
    return f"pays {fee:,.2f} {told.currency} a month" if fee > 0 else ""


SENTENCES: Mapping[str, Callable[[Row, Told], str]] = {
    "silence": _silence,
    "rhythm": _rhythm,
    "spending": _spending,
    "breadth": _breadth,
    "promotions": _promotions,
    "prices": _prices,
    "deliveries": _deliveries,
    "service": _service,
    "returns": _returns,
    "campaigns": _campaigns,
    "visits": _visits,
    "tenure": _tenure,
    "place": _place,
    "contract": _contract,
}
