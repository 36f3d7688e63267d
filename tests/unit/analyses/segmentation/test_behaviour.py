"""How customers buy: drawn, and never with a look ahead."""

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.segmentation.behaviour import OTHER, customer_behaviour, spread
from crm.engine import to_pandas
from crm.features import customer_features

AS_OF = dt.date(2018, 1, 1)
PURCHASES = """
customer_id order_id  ordered_at   product_id quantity  net_amount  discount_amount  coupon_amount  channel  store_id
ann          1         2017-10-01   bread       1         6.00        2.00             1.00           store    s1
ann          1         2017-10-01   milk        1         4.00        0                0              store    s1
ann          2         2017-12-01   wine        1         10.00       0                0              web      -
bob          3         2017-12-31   bread       1         3.00        0                0              store    s1
cat          4         2016-05-05   bread       1         9.00        0                0              store    s1
"""
LATER = """
bob          5         2018-01-01   wine        9         99.00       9.00             9.00           phone    -
dan          6         2018-02-01   wine        9         99.00       0                0              phone    -
"""
PRODUCTS = """
product_id  department  category
bread       food        bakery
milk        food        dairy
wine        drinks      wine
"""
RETURNS = """
customer_id  returned_at  amount
ann          2017-11-01   4.00
ann          2018-01-01   10.00
"""


def behaviour_of(mart):
    snapshot = to_pandas(customer_features(mart, AS_OF)).sort_values("customer_id", ignore_index=True)
    return customer_behaviour(snapshot, mart, AS_OF)


@pytest.fixture(params=["duckdb", "pandas"])
def behaviour(mart_of, request):
    return behaviour_of(mart_of(request.param, purchases=PURCHASES, products=PRODUCTS, returns=RETURNS))


def test_counts_of_each_customer(behaviour):
    ann = behaviour.table.loc["ann"].to_dict()
    assert ann == {
        "days_since_last_purchase": 31, "purchase_days_365d": 2, "net_sales_365d": 20.0, "orders_365d": 2,
        "lines_365d": 3, "categories_365d": 3, "returns_365d": 1,
        "lines on promotion": pytest.approx(0.9), "lines with coupon": pytest.approx(1.0),
        "lines of food": 2, "lines of drinks": 1, "orders by store": 1, "orders by web": 1,
        "orders by all channels": 2,
    }  # fmt: skip
    assert list(behaviour.table.index) == ["ann", "bob", "cat"]
    assert behaviour.table.loc["cat"].drop("days_since_last_purchase").sum() == 0  # nothing within 365 days
    assert not behaviour.table.isna().to_numpy().any()


def test_each_trait_can_be_read_from_the_table(behaviour):
    names = {trait.name for trait in behaviour.traits}
    assert {"share of food", "share of drinks", "share by web", "share_returned", "price_per_line"} <= names
    for trait in behaviour.traits:
        assert trait.part in behaviour.table
        assert not trait.whole or trait.whole in behaviour.table
    drinks = next(trait for trait in behaviour.traits if trait.name == "share of drinks")
    assert (drinks.more, drinks.theme) == ("heavy on drinks", "departments")
    assert "drinks" in drinks.do_more


def test_money_by_department_and_orders_by_channel(behaviour):
    assert behaviour.departments.loc["ann"].to_dict() == {"food": 10.0, "drinks": 10.0}
    assert behaviour.channels.loc["bob"].to_dict() == {"store": 1.0, "web": 0.0}


def test_with_purchases_alone_there_is_less_to_tell(mart_of):
    lean = "\n".join(" ".join(line.split()[:3] + line.split()[5:6]) for line in PURCHASES.strip().splitlines())
    behaviour = behaviour_of(mart_of(purchases=lean))
    assert behaviour.departments is None
    assert {trait.theme for trait in behaviour.traits} == {"activity", "basket", "promotion"}, "no known channel"
    assert (behaviour.table["lines on promotion"] == 0).all()


def test_what_happens_from_the_as_of_date_on_changes_nothing(mart_of, behaviour):
    later = mart_of(purchases=PURCHASES + LATER.strip("\n"), products=PRODUCTS, returns=RETURNS)
    pd.testing.assert_frame_equal(behaviour_of(later).table, behaviour.table, check_dtype=False)


def test_the_smaller_ones_are_gathered(mart_of):
    mart = mart_of(purchases=PURCHASES, products=PRODUCTS)
    wide = spread(mart, AS_OF, table="customer_category_days", by="category", value="lines", most=1)
    assert list(wide.columns) == ["bakery", OTHER]
    assert wide.loc["ann"].to_dict() == {"bakery": 1.0, OTHER: 2.0}
    whole = spread(mart, AS_OF, table="customer_category_days", by="category", value="lines", most=9)
    assert OTHER not in whole.columns
    assert whole.to_numpy().sum() == wide.to_numpy().sum() == 4
    assert spread(mart, AS_OF, table="nowhere", by="category", value="lines", most=9) is None
    nothing = spread(mart, dt.date(2016, 1, 1), table="customer_category_days", by="category", value="lines", most=9)
    assert nothing is None
