"""What did each customer buy before, during and after a campaign? Sums that a reader can check by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import Campaign
from crm.analyses.campaign_success.windows import around, customer_windows
from crm.facts import Facts
from crm.periods import day_number

START = dt.date(2017, 7, 11)

# anna: on the day before, the first day, the last, the first and last after it, and one later.
# ben: 28, 29 and 182, 183 days before; cleo: during alone; dora: two orders on one day, and one on the as-of date.
PURCHASES = """
customer_id order_id ordered_at       net_amount discount_amount product_id
anna        1        2017-07-10T23:59 1          0               known
anna        2        2017-07-11T00:00 2          0               known
anna        3        2017-07-20T12:00 4          0               other
anna        4        2017-07-21T00:00 8          0               known
anna        5        2017-07-27T12:00 16         0               known
anna        6        2017-07-28T12:00 32         0               known
ben         7        2017-06-13T12:00 10         0               known
ben         8        2017-06-12T12:00 20         5               known
ben         9        2017-01-10T12:00 40         0               known
ben         10       2017-01-09T12:00 80         20              known
cleo        11       2017-07-15T12:00 100        0               known
dora        12       2017-07-12T09:00 3          0               known
dora        13       2017-07-12T18:00 5          0               known
dora        14       2017-08-01T00:00 1000       0               known
"""
PRODUCTS = """
product_id margin_rate
known      0.5
other      -
"""


def campaign(days: int = 10, start: dt.date = START) -> Campaign:
    starts = day_number(start)
    return Campaign("c", "c", "mail", "mail", starts, starts + days, 0.6, False, np.nan)


@pytest.fixture(scope="module")
def facts(company: Callable[..., Facts], draw: Callable[[str], pd.DataFrame]) -> Facts:
    """The purchases above; a margin of 10 % where no rate is known."""
    tables = {"purchases": draw(PURCHASES), "products": draw(PRODUCTS)}
    return company(tables, "2017-08-01", "[money]\ngross_margin = 0.1\n")


@pytest.mark.parametrize(
    ("customer", "window", "bought", "purchase_days", "net_sales", "margin"),
    [
        ("anna", "during", 1, 2, 6.0, 1.0 + 0.4),
        ("anna", "after", 1, 2, 24.0, 12.0),
        ("ben", "during", 0, 0, 0.0, 0.0),
        ("ben", "after", 0, 0, 0.0, 0.0),
        ("cleo", "during", 1, 1, 100.0, 50.0),
        ("cleo", "after", 0, 0, 0.0, 0.0),
        ("dora", "during", 1, 1, 8.0, 4.0),
        ("nobody", "during", 0, 0, 0.0, 0.0),
    ],
)
def test_what_was_bought_during_and_after(facts, customer, window, bought, purchase_days, net_sales, margin):
    found = around(facts, campaign(), dt.date(2017, 8, 1), after_days=7).rows_of(pd.Index([customer]))
    row = getattr(found, window).loc[customer]
    assert row.to_dict() == pytest.approx(
        {"bought": bought, "purchase_days": purchase_days, "net_sales": net_sales, "margin": margin}
    )


def test_what_was_known_on_the_first_day(facts):
    before = around(facts, campaign(), dt.date(2017, 8, 1), after_days=7).before
    assert before.index.tolist() == ["anna", "ben"]  # the others had not bought yet
    assert before.loc["ben"].to_dict() == pytest.approx(
        {
            "purchase_days_28": 1, "net_sales_28": 10,
            "purchase_days_91": 2, "net_sales_91": 30,
            "purchase_days_182": 3, "net_sales_182": 70,
            "purchase_days_same": 0, "net_sales_same": 0,
            "days_since_last_purchase": 28, "tenure": 183, "promotion_share": 20 / 70,
        }
    )  # fmt: skip
    assert before.loc["anna", ["net_sales_same", "days_since_last_purchase", "tenure"]].tolist() == [1, 1, 1]


def test_who_never_bought_has_zeros_and_has_been_silent_for_longer_than_anybody(facts):
    row = around(facts, campaign(), dt.date(2017, 8, 1), after_days=7).rows_of(pd.Index(["nobody"])).before.iloc[0]
    assert row["days_since_last_purchase"] == (START - dt.date(2017, 1, 9)).days + 1
    assert row.drop("days_since_last_purchase").eq(0).all()


@pytest.mark.parametrize(
    ("as_of", "until", "days_seen", "after_days", "during", "after"),
    [
        ("2017-08-01", None, 10, 7, 6.0, 24.0),
        ("2017-07-27", None, 10, 6, 6.0, 8.0),
        ("2017-07-21", None, 10, 0, 6.0, 0.0),
        ("2017-07-20", None, 9, 0, 2.0, 0.0),
        ("2017-07-11", None, 0, 0, 0.0, 0.0),
        ("2017-07-01", None, 0, 0, 0.0, 0.0),
        ("2017-08-01", "2017-07-20", 9, 0, 2.0, 0.0),
        ("2017-07-20", "2017-08-01", 9, 0, 2.0, 0.0),
    ],
    ids=[
        "over",
        "a day short",
        "just ended",
        "still running",
        "begins today",
        "in the future",
        "until",
        "until later",
    ],
)
def test_nothing_from_the_as_of_date_on_is_summed(facts, as_of, until, days_seen, after_days, during, after):
    cut = day_number(dt.date.fromisoformat(until)) if until else None
    found = around(facts, campaign(), dt.date.fromisoformat(as_of), after_days=7, until=cut)
    anna = found.rows_of(pd.Index(["anna"]))
    assert (found.days_seen, found.after_days) == (days_seen, after_days)
    assert anna.during["net_sales"].tolist() == [during]
    assert anna.after["net_sales"].tolist() == [after]


def test_of_a_campaign_in_the_future_the_past_is_known_up_to_the_as_of_date_alone(facts):
    soon = campaign(start=dt.date(2017, 8, 10))
    early = around(facts, soon, dt.date(2017, 7, 11), after_days=7).rows_of(pd.Index(["anna", "cleo"]))
    assert early.before["net_sales_182"].tolist() == [1.0, 0.0]


def test_a_campaign_before_the_data_begin_has_nobody_to_compare_by(facts):
    found = around(facts, campaign(start=dt.date(2016, 12, 1), days=60), dt.date(2017, 8, 1), after_days=7)
    assert found.before.empty
    assert found.history == -39
    assert found.rows_of(pd.Index(["ben"])).during["net_sales"].tolist() == [120.0]


def test_the_rows_asked_for_come_in_their_order(facts):
    found = around(facts, campaign(), dt.date(2017, 8, 1), after_days=7).rows_of(pd.Index(["dora", "anna", "ben"]))
    for table in (found.before, found.during, found.after):
        assert table.index.tolist() == ["dora", "anna", "ben"]


def test_windows_of_ones_own_are_half_open(facts, day):
    windows = {"eve": (-1, 0), "first": (0, 1), "none": (0, 0)}
    table = customer_windows(facts, day("2017-07-11"), windows).set_index("customer_id")
    anna = table.loc["anna", [f"net_sales_{name}" for name in windows]]
    assert anna.tolist() == [1.0, 2.0, 0.0]
