"""How does each customer buy? What the clustering looks at, and in which words it is told.

Only behaviour: no age, no address, nothing a customer is rather than does. A trait is one coordinate; a theme counts
as much as the square root of the number of its traits: twelve departments say more than one promotion share, but not
twelve times as much.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

import narwhals as nw
import pandas as pd

from crm.analyses.segmentation.nearest_centre import DECIMALS
from crm.engine import to_pandas
from crm.mart import UNKNOWN, Mart
from crm.mart.rollups import MONEY_DECIMALS
from crm.periods import known_within

DAYS = 365
MOST_DEPARTMENTS = 12
MOST_CHANNELS = 6
OTHER = "(other)"
LINES, ORDERS = "lines_365d", "orders_365d"
BY_CHANNELS = "orders by all channels"
"""An order that came by two channels counts once for each."""

LINES_ADDED, ORDERS_ADDED = 5.0, 2.0
"""Average behaviour added to each customer's own before a share is taken: two order lines are no taste yet."""

COMPOSITIONS = ("departments", "channels")
"""Themes whose traits are shares of one whole: held against each other as they are (Hellinger distance), so that a
small department's noise does not count as much as a large one's difference."""

_COUNTED = (
    "days_since_last_purchase", "purchase_days_365d", "net_sales_365d", ORDERS, LINES, "categories_365d",
    "returns_365d",
)  # fmt: skip


@dataclass(frozen=True)
class Trait:
    """One coordinate of behaviour.

    part, whole: columns of the behaviour table; the value is part / whole, or part alone.
    strength:    observations of average behaviour that are added to each customer's own.
    scale:       `log` for amounts and counts, `root` for shares.
    more, less:  how a segment with much more, or much less, of it is called; empty: it is not named for that. Within
                 a theme the first trait that fits, or nearly, gives the name.
    named_from:  smallest value in a segment for which it is named: nobody is named for 1 % of their purchases.
    do_more, do_less: what to do about such a segment.
    """

    name: str
    theme: str
    part: str
    whole: str = ""
    strength: float = 0.0
    scale: Literal["log", "root"] = "log"
    more: str = ""
    less: str = ""
    named_from: float = 0.0
    do_more: str = ""
    do_less: str = ""


_DEPARTMENT = Trait(
    "share of {}", "departments", "lines of {}", LINES, LINES_ADDED, "root",
    more="heavy on {}", named_from=0.05,
    do_more="Tell them what is new in {}, and suggest what goes with it.",
)  # fmt: skip
_CHANNEL = Trait(
    "share by {}", "channels", "orders by {}", BY_CHANNELS, ORDERS_ADDED, "root",
    more="often by {}", named_from=0.25,
    do_more="Serve and contact them where they buy: by {}.",
)  # fmt: skip

_TRAITS = (
    Trait(
        "purchase_days_365d", "activity", "purchase_days_365d",
        more="frequent buyers", less="seldom buyers",
        do_more="Keep their habit going: availability, service and thanks before discounts.",
        do_less="Give one good reason for the next visit; do not pay for more than that.",
    ),
    Trait(
        "net_sales_365d", "activity", "net_sales_365d",
        more="big spenders", less="small spenders",
        do_more="Look after them personally: they carry the margin.",
        do_less="Serve them by the cheapest channels.",
    ),
    Trait(
        "categories_365d", "activity", "categories_365d",
        more="wide choice", less="narrow choice",
        do_more="Let them discover: they try what is new.",
        do_less="Introduce the category next to the one they buy.",
    ),
    Trait(
        "days_since_last_purchase", "activity", "days_since_last_purchase",
        more="long away", less="just here",
        do_more="Find out why they stay away, then make one good offer; after that, leave them be.",
        do_less="Use the visit: they can be reached at the till and on the receipt.",
    ),
    Trait(
        "lines_per_order", "basket", LINES, ORDERS, ORDERS_ADDED,
        more="full baskets", less="small baskets",
        do_more="Make the large shop easier: lists, delivery, stable prices on staples.",
        do_less="Suggest one more item at the till: what others take along.",
    ),
    Trait(
        "price_per_line", "basket", "net_sales_365d", LINES, LINES_ADDED,
        more="dear items", less="low-priced items",
        do_more="Show the better ranges; quality and news before price.",
        do_less="Keep entry prices; offer multipacks and own brands.",
    ),
    Trait(
        "share_bought_on_promotion", "promotion", "lines on promotion", LINES, LINES_ADDED, "root",
        more="bargain seekers", less="full price",
        do_more="Aim promotions instead of spreading them: they plan around offers and take every one.",
        do_less="Send no discounts: they pay the full price; give service and news.",
    ),
    Trait(
        "share_bought_with_coupon", "promotion", "lines with coupon", LINES, LINES_ADDED, "root",
        more="coupon users", do_more="Send coupons for categories they do not buy yet, not for those they do.",
    ),
    Trait(
        "share_returned", "returns", "returns_365d", LINES, LINES_ADDED, "root",
        more="send much back",
        do_more="Look at what comes back and why; better descriptions before more selling.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Behaviour:
    """What customers did in the 365 days before the as-of date.

    table:       one row per customer of the snapshot, in its order, indexed by customer_id: counts and amounts.
    traits:      the coordinates that this table allows.
    departments: net sales by customer (rows) and department (columns), the smallest gathered in `(other)`; or None.
    channels:    orders by customer and channel, likewise; or None.
    """

    table: pd.DataFrame
    traits: tuple[Trait, ...]
    departments: pd.DataFrame | None
    channels: pd.DataFrame | None


def customer_behaviour(snapshot: pd.DataFrame, mart: Mart, as_of: dt.date) -> Behaviour:
    """The behaviour of the customers of a snapshot of this mart."""
    customers = pd.Index(snapshot["customer_id"], name="customer_id")
    spreads = {
        value: spread(mart, as_of, table=table, by=by, value=value, most=most)
        for table, by, value, most in (
            ("customer_category_days", "department", "lines", MOST_DEPARTMENTS),
            ("customer_category_days", "department", "net_sales", MOST_DEPARTMENTS),
            ("customer_place_days", "channel", "orders", MOST_CHANNELS),
        )
    }
    lines, sales, orders = (_aligned(wide, customers) for wide in spreads.values())
    parts = [_counted(snapshot), _named(lines, _DEPARTMENT.part), _named(orders, _CHANNEL.part), _all_orders(orders)]
    table = pd.concat([part for part in parts if part is not None], axis="columns")
    traits = [*_TRAITS, *_each(_DEPARTMENT, lines), *_each(_CHANNEL, orders)]
    there = set(table.columns)
    return Behaviour(table, tuple(t for t in traits if {t.part, t.whole or t.part} <= there), sales, orders)


def spread(mart: Mart, as_of: dt.date, *, table: str, by: str, value: str, most: int) -> pd.DataFrame | None:
    """The last year's `value` by customer (rows) and `by` (columns), largest first; the smaller ones are `(other)`.

    None where the mart does not have the table, or nothing happened in the year.
    """
    if not mart.has(table):
        return None
    days = known_within(mart[table], as_of, DAYS)
    totals = to_pandas(days.group_by(by).agg(nw.col(value).sum().alias("total")))
    totals = totals.sort_values(["total", by], ascending=[False, True], ignore_index=True)
    largest = [str(name) for name in totals[by] if name != OTHER][:most]
    amount = nw.col(value)
    columns = {f"c{place}": nw.when(nw.col(by) == name).then(amount) for place, name in enumerate(largest)}
    if len(totals) > most:
        columns["rest"] = nw.when(~nw.col(by).is_in(largest)).then(amount)
    if not columns:
        return None
    marked = days.with_columns(**{name: chosen.otherwise(0) for name, chosen in columns.items()})
    wide = to_pandas(marked.group_by("customer_id").agg(*(nw.col(name).sum() for name in columns)))
    wide = wide.set_index("customer_id").sort_index().astype("float64").round(MONEY_DECIMALS)
    return wide.set_axis([*largest, *([OTHER] if "rest" in columns else [])], axis="columns")


def _counted(snapshot: pd.DataFrame) -> pd.DataFrame:
    """The counts and amounts that the snapshot itself holds; what nobody bought on promotion is zero."""
    found = snapshot.set_index("customer_id")
    names = [name for name in _COUNTED if name in found.columns]
    table = found[names].astype("float64")
    lines = table[LINES]
    table["lines on promotion"] = (found["share_bought_on_promotion"].fillna(0.0) * lines).round(DECIMALS)
    table["lines with coupon"] = (found["share_bought_with_coupon"].fillna(0.0) * lines).round(DECIMALS)
    return table


def _aligned(wide: pd.DataFrame | None, customers: pd.Index) -> pd.DataFrame | None:
    """One row per customer; who has none of it has zero."""
    return None if wide is None else wide.reindex(customers, fill_value=0.0)


def _named(wide: pd.DataFrame | None, pattern: str) -> pd.DataFrame | None:
    return None if wide is None else wide[_own(wide)].rename(columns=pattern.format)


def _all_orders(orders: pd.DataFrame | None) -> pd.Series[float] | None:
    return None if orders is None else orders.sum(axis="columns").rename(BY_CHANNELS)


def _own(wide: pd.DataFrame) -> list[str]:
    """The columns with a name of their own: nobody is a kind of customer for buying what is not known."""
    return [str(name) for name in wide.columns if name not in (OTHER, UNKNOWN)]


def _each(pattern: Trait, wide: pd.DataFrame | None) -> list[Trait]:
    """The trait of each column."""
    names = [] if wide is None else _own(wide)
    return [
        replace(
            pattern,
            **{field: getattr(pattern, field).format(name) for field in ("name", "part", "more", "do_more")},
        )
        for name in names
    ]
