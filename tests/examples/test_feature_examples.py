"""What customers spend, on what, where, and how they were served: worked examples on both engines."""

import pytest

from crm.engine import to_pandas
from crm.features import customer_features, features_of

PURCHASES = """
customer_id order_id  ordered_at   product_id  quantity  net_amount  discount_amount coupon_amount  channel  store_id
ann          1         2016-12-01   bread       1         5.00        0                0              store    s1
ann          2         2017-10-01   bread       2         6.00        2.00             1.00           store    s1
ann          2         2017-10-01   milk        1         4.00        0                0              store    s1
ann          3         2017-12-01   wine        1         10.00       0                0              web      s2
ann          3         2017-12-01   mystery     1         0.00        0                0              web      s2
bob          4         2017-12-31   mystery     1         3.00        -                -              store    s1
cat          5         2018-01-01   bread       1         7.00        0                0              store    s1
"""
PRODUCTS = """
product_id  department  category  margin_rate
bread       food        bakery    0.50
milk        food        dairy     -
wine        drinks      wine      -
"""
RETURNS = """
customer_id  returned_at  amount
ann          2017-11-01   2.50
ann          2018-01-02   9.99
"""
DELIVERIES = """
order_id  promised_at  delivered_at  complete  undamaged
2         2017-10-02   2017-10-04    -         -
3         2017-12-02   2017-12-02    -         False
4         2017-12-31   2018-01-03    -         -
"""
CASES = """
case_id  customer_id  opened_at    closed_at    satisfaction
1        ann          2017-12-01   2017-12-05   2
2        ann          2017-12-20   2018-01-05   5
3        bob          2016-01-01   -            -
"""
CONTACTS = """
campaign_id  customer_id  contacted_at  arm
c1           ann          2017-06-01    treated
c2           ann          2017-07-01    held_out
c3           bob          2017-08-01    -
"""
RESPONSES = """
campaign_id  customer_id  responded_at
c1           ann          2017-06-10
c1           ann          2017-06-11
"""
VISITS = """
customer_id  visited_at
bob          2017-12-30
bob          2017-01-30
"""
CUSTOMERS = """
customer_id  joined_at
ann          2016-01-01
bob          -
"""


@pytest.fixture(params=["duckdb", "pandas"], scope="module")
def features(request, mart_of, on):
    mart = mart_of(
        request.param, purchases=PURCHASES, products=PRODUCTS, returns=RETURNS, deliveries=DELIVERIES,
        service_cases=CASES, contacts=CONTACTS, responses=RESPONSES, visits=VISITS, customers=CUSTOMERS,
    )  # fmt: skip
    frame = to_pandas(customer_features(mart, on("2018-01-01"))).set_index("customer_id")
    assert list(frame.columns) == [feature.name for feature in features_of(mart)]
    return frame


def test_only_those_who_bought_before_the_as_of_date_are_customers(features):
    assert sorted(features.index) == ["ann", "bob"]


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("net_sales_ever", 25.0),
        ("net_sales_365d", 20.0),  # 2016-12-01 lies 396 days back
        ("net_sales_91d", 10.0),  # 2017-10-01 lies 92 days back
        ("net_sales_28d", 0.0),
        ("orders_365d", 2),
        ("lines_365d", 4),
        ("order_value_365d", 10.0),
        ("spend_trend", 0.5),  # 10 of the last 91 days over 20 of the last 182
        ("margin_known_365d", 3.0),  # half of the 6.00 of bread
        ("sales_margin_unknown_365d", 14.0),  # milk and wine
        ("discount_365d", 2.0),
        ("discount_rate", 2 / 22),
        ("share_bought_on_promotion", 6 / 20),
        ("share_bought_with_coupon", 1 / 4),
        ("categories_365d", 3),  # the mystery is none
        ("departments_365d", 2),
        ("top_department", "drinks"),  # 10.00 each: the first by name
        ("share_of_top_department", 0.5),
        ("stores_365d", 2),
        ("main_channel", "store"),  # one order each: the first by name
        ("share_of_main_channel", 0.5),
        ("returns_365d", 1),  # the other comes after the as-of date
        ("returned_365d", 2.5),
        ("deliveries_365d", 2),
        ("late_deliveries_365d", 1),
        ("faulty_deliveries_365d", 1),
        ("cases_365d", 2),
        ("open_cases", 1),  # closed on 2018-01-05, which is not known yet
        ("mean_satisfaction", 2.0),  # nor is the mark given then
        ("campaigns_received_365d", 1),  # c2 held her out
        ("campaigns_answered_365d", 1),  # twice the same
        ("visits_91d", 0),
        ("tenure", 731),  # joined 2016-01-01, before her first purchase
    ],
)
def test_ann(features, feature, value):
    expected = value if isinstance(value, str) else pytest.approx(value)
    assert features.loc["ann", feature] == expected


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        ("net_sales_365d", 3.0),
        ("top_department", "(unknown)"),
        ("categories_365d", 0),  # of a mystery nobody knows what it is
        ("departments_365d", 0),
        ("open_cases", 1),
        ("cases_365d", 0),
        ("deliveries_365d", 0),  # not delivered before the as-of date
        ("visits_91d", 1),
        ("campaigns_received_365d", 1),
        ("share_bought_on_promotion", 0.0),
        ("tenure", 1),
    ],
)
def test_bob(features, feature, value):
    expected = value if isinstance(value, str) else pytest.approx(value)
    assert features.loc["bob", feature] == expected


def test_bob_gave_no_mark(features):
    assert features["mean_satisfaction"].isna()["bob"]
