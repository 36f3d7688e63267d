"""What is really true of a sample company: kept beside its tables for tests, never read by an analysis.

| truth | one row is | columns |
|---|---|---|
| customers | one customer | customer_id, segment, buys (False: registered, never buys), purchase_rate (purchase days per lively week while alive, campaigns aside), regularity (Erlang shape of the gaps), joined_on, died_on (first day without any further purchase; may lie after the as-of date; empty: alive when the simulation ends, 91 days after the as-of date), cause (`nothing`, `price`, `late deliveries`; empty: alive), alive_on_as_of, lines_per_order (before complements), promotion_share, coupon_share, web_share, return_share, risen_share (of lines, whose prices rose), order_value (expected net sales of an order after the price rise), uplift_group, fraud (kind; empty: honest), purchase_days_next_28, _56, _91, net_sales_next_91 (what happens from the as-of date on) |
| affinities | one of a customer's five favourite categories | customer_id, category, affinity (share of lines, before complements), rank |
| campaign_effects | one customer chosen for one campaign, in whichever arm | campaign_id, customer_id, uplift_group, added_orders and added_net_sales (expected, of treating against not treating), extra_order (treating did cause one), skips (treating did keep the customer from buying in the window) |
| later_purchases | one order line of the 91 days from the as-of date on | as purchases |
| faulty_rows | one planted fault | table, kind, part and row (0-based, of the table's parts), the identifiers as they would be without the fault, amount (money as written) |
| faults | one kind of fault | table, kind, rows, amount |
| segments | one true segment | its planted traits |
| campaigns | one campaign | campaign_id, randomised, strength, persuadable_extra_order (chance), do_not_disturb_skips (chance) |
| complements | one pair of categories bought together | category, brings, chance |
| lateness | one region, in December or not | region, december, chance (that a delivery is late) |
| price_rise | one category whose prices rose | category, from_day, rise |
"""  # noqa: E501 (a table row is one line)

from __future__ import annotations

import datetime as dt
import difflib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm.errors import RequestError
from crm.sources.sample_company.arrays import (
    Floats,
    Ints,
    coded,
    table_of,
)
from crm.sources.sample_company.assortment import (
    CATEGORIES,
    COMPLEMENTS,
    DEPARTMENTS,
    PRICES_ROSE,
    TIERS,
    share_of_risen_prices,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.customers import NEVER, Customers
from crm.sources.sample_company.deliveries import late_chance
from crm.sources.sample_company.lines import Lines
from crm.sources.sample_company.story import (
    CAUSES,
    FRAUDS,
    LATER_DAYS,
    PRICE_RISE,
    REGIONS,
    SEGMENTS,
    UPLIFT_GROUPS,
    trait,
)
from crm.sources.sample_company.trade import Trade

TRUTHS = (
    "customers",
    "affinities",
    "campaign_effects",
    "later_purchases",
    "faulty_rows",
    "faults",
    "segments",
    "campaigns",
    "complements",
    "lateness",
    "price_rise",
)
FAVOURITES = 5
HORIZONS = (28, 56, LATER_DAYS)


def read_truth(folder: Path, name: str) -> pd.DataFrame:
    """What is really true of the sample company in `folder`: one of the tables above, its parts in order.

    Raises RequestError where there is no such truth, or no sample company.
    """
    if name not in TRUTHS:
        near = difflib.get_close_matches(name, TRUTHS, n=1, cutoff=0.0)[0]
        raise RequestError(
            f"A truth is one of {', '.join(TRUTHS)}.", found=repr(name), do=f"The nearest one is {near}."
        )
    files = sorted((Path(folder) / "truth" / name).glob("part-*.parquet"))
    if not files:
        raise RequestError(
            "A truth is read from the folder of a sample company.",
            found=f"no {name} in {folder}",
            do="Write one with write_sample_company, and name its folder.",
        )
    return pa.concat_tables([pq.read_table(file) for file in files]).to_pandas()


def true_customers(customers: Customers, trade: Trade, lines: Lines, calendar: Calendar) -> pa.Table:
    """What each customer is like, when and why they leave, and what they buy from the as-of date on."""
    ends = trade.ends
    gone = ends != NEVER
    died = pa.array(calendar.dates(np.where(gone, ends, 0)), pa.date32(), mask=~gone)
    return table_of(
        {
            "customer_id": customers.ids,
            "segment": coded(customers.segment, tuple(segment.name for segment in SEGMENTS)),
            "buys": customers.buys,
            "purchase_rate": customers.rate,
            "regularity": trait("regularity").astype(np.int64)[customers.segment],
            "joined_on": pa.array(calendar.dates(customers.joined), pa.date32()),
            "died_on": died,
            "cause": coded(trade.cause, CAUSES),
            "alive_on_as_of": customers.buys & (ends > calendar.known_days),
            "lines_per_order": customers.lines,
            "promotion_share": customers.promotion,
            "coupon_share": customers.coupon,
            "web_share": customers.web,
            "return_share": customers.returned,
            "risen_share": share_of_risen_prices(customers.affinity),
            "order_value": np.round(customers.order_value[1] / 100, 4),
            "uplift_group": coded(customers.uplift_group, UPLIFT_GROUPS),
            "fraud": coded(customers.fraud, FRAUDS),
            **{f"purchase_days_next_{days}": _days_next(trade, calendar, days) for days in HORIZONS},
            f"net_sales_next_{LATER_DAYS}": _sales_next(trade, lines, calendar),
        }
    )


def true_affinities(customers: Customers) -> pa.Table:
    """Each customer's favourite categories, the first first."""
    top = np.argpartition(-customers.affinity, FAVOURITES, axis=1)[:, :FAVOURITES]
    share = np.take_along_axis(customers.affinity, top, axis=1)
    order = np.argsort(-share, axis=1, kind="stable")
    top, share = np.take_along_axis(top, order, axis=1), np.take_along_axis(share, order, axis=1)
    return table_of(
        {
            "customer_id": coded(np.repeat(np.arange(len(customers)), FAVOURITES), customers.ids),
            "category": coded(top.ravel(), CATEGORIES),
            "affinity": share.ravel(),
            "rank": np.tile(np.arange(1, FAVOURITES + 1), len(customers)),
        }
    )


def true_story(calendar: Calendar) -> dict[str, pa.Table]:
    """The truths that hold for the company as a whole."""
    first, second, chance = zip(*COMPLEMENTS, strict=True)
    region = np.tile(np.arange(len(REGIONS)), 2)
    december = np.repeat([False, True], len(REGIONS))
    return {
        "segments": _true_segments(),
        "complements": table_of({"category": first, "brings": second, "chance": chance}),
        "lateness": table_of(
            {
                "region": pa.array(REGIONS).take(region),
                "december": december,
                "chance": late_chance(december, region),
            }
        ),
        "price_rise": table_of(
            {
                "category": PRICES_ROSE,
                "from_day": pa.repeat(calendar.start + dt.timedelta(days=calendar.price_rise_day), len(PRICES_ROSE)),
                "rise": pa.repeat(PRICE_RISE, len(PRICES_ROSE)),
            }
        ),
    }


def count_faults(faulty_rows: pa.Table) -> pa.Table:
    """Faults counted by table and kind, with their money."""
    counted = faulty_rows.group_by(["table", "kind"], use_threads=False).aggregate(
        [([], "count_all"), ("amount", "sum")]
    )
    return counted.rename_columns(["table", "kind", "rows", "amount"])


def sum_fault_counts(counts: list[pa.Table]) -> pa.Table:
    """The counts of several parts together, money to the cent."""
    summed = pa.concat_tables(counts).group_by(["table", "kind"], use_threads=False)
    total = summed.aggregate([("rows", "sum"), ("amount", "sum")]).rename_columns(["table", "kind", "rows", "amount"])
    return total.set_column(3, "amount", pc.round(total["amount"], 2))


def _true_segments() -> pa.Table:
    single = {
        name: [getattr(segment, name) for segment in SEGMENTS]
        for name, value in vars(SEGMENTS[0]).items()
        if not isinstance(value, tuple)
    }
    departments = trait("departments") / trait("departments").sum(axis=1, keepdims=True)
    return table_of(
        {
            **single,
            **{f"tier_{name}": trait("tiers")[:, i] for i, name in enumerate(TIERS)},
            **{f"uplift_{name}": trait("uplift")[:, i] for i, name in enumerate(UPLIFT_GROUPS)},
            **{f"department_{name}": departments[:, i] for i, name in enumerate(DEPARTMENTS)},
        }
    )


def _days_next(trade: Trade, calendar: Calendar, days: int) -> Ints:
    """Purchase days of each customer in the next `days` days."""
    orders = trade.orders
    later = (orders.day >= calendar.known_days) & (orders.day < calendar.known_days + days)
    key = np.unique(orders.customer[later] * calendar.all_days + orders.day[later])
    return np.bincount(key // calendar.all_days, minlength=len(trade.ends))


def _sales_next(trade: Trade, lines: Lines, calendar: Calendar) -> Floats:
    """Net sales of each customer from the as-of date on."""
    later = trade.orders.day[lines.order] >= calendar.known_days
    customer = trade.orders.customer[lines.order[later]]
    return np.round(np.bincount(customer, weights=lines.net[later], minlength=len(trade.ends))) / 100
