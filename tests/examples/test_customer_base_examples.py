"""Who came, who went, who stayed: worked examples that a reader can check by hand."""

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.customer_base.movement import movement
from crm.analyses.customer_base.retention import concentration, concentration_curve, gini, retention
from crm.analyses.customer_base.sales import compare_months, sales_by, sales_by_month, sales_by_tenth

PURCHASES = """
customer_id  order_id  ordered_at   product_id  net_amount
ann          1         2017-01-02   bread       10
ann          2         2017-02-01   bread       10
ann          3         2017-03-28   wine        40
bob          4         2017-01-15   bread       20
cat          5         2017-02-27   bread       30
cat          6         2017-03-31   wine        10
dan          7         2017-04-01   wine        99
"""
PRODUCTS = """
product_id  department  category
bread       food        bakery
wine        drinks      wine
"""
NO_PLAN = pd.DataFrame({"month": [], "metric": [], "target": []})


@pytest.fixture(scope="module")
def mart(mart_of):
    return mart_of("duckdb", purchases=PURCHASES, products=PRODUCTS)


@pytest.fixture(scope="module")
def months(mart, on):
    return sales_by_month(mart, on("2017-04-01"))


def test_months(months):
    assert months["starts_at"].tolist() == [dt.date(2017, 1, 1), dt.date(2017, 2, 1), dt.date(2017, 3, 1)]
    assert months["net_sales"].tolist() == [30, 40, 50], "dan's 99 of 2017-04-01 are not known yet"
    assert months["orders"].tolist() == [2, 2, 2]
    assert months["customers"].tolist() == [2, 2, 2]
    assert months["complete"].all()


def test_a_month_that_is_not_over_is_not_complete(mart, on):
    months = sales_by_month(mart, on("2017-03-30"))
    assert months["complete"].tolist() == [True, True, False]
    assert months["days"].tolist() == [30, 28, 29], "trade begins on 2017-01-02; March is known up to the 29th"


def test_a_history_that_begins_in_mid_month_begins_with_an_incomplete_one(mart_of, on):
    late = mart_of(
        "duckdb", purchases="customer_id order_id ordered_at net_amount\nann 1 2017-01-20 5\nann 2 2017-02-03 5"
    )
    assert sales_by_month(late, on("2017-03-01"))["complete"].tolist() == [False, True]


def test_a_month_without_any_purchase_is_a_month_of_nothing(mart_of, on):
    quiet = mart_of(
        "duckdb", purchases="customer_id order_id ordered_at net_amount\nann 1 2017-01-02 5\nann 2 2017-03-03 7"
    )
    months = sales_by_month(quiet, on("2017-04-01"))
    assert months["net_sales"].tolist() == [5, 0, 7]
    assert months["days"].tolist() == [30, 28, 31]
    moves = movement(quiet, on("2017-04-01"), months=months, active_within_days=30)
    assert moves["active_at_start"].tolist()[1:] == moves["active_at_end"].tolist()[:-1]
    assert moves["returning"].tolist() == [0, 0, 0]
    march = compare_months(months, NO_PLAN, on("2017-04-01")).set_index("metric").loc["net_sales"]
    assert (march["actual"], march["before"]) == (7, 0)
    assert pd.isna(march["before_change"]), "seven times nothing is no per cent"


def test_the_last_full_month_against_its_yardsticks(months, on):
    plan = pd.DataFrame({"month": [months["month"].iloc[-1]], "metric": ["net_sales"], "target": [40.0]})
    sales = compare_months(months, plan, on("2017-04-01")).set_index("metric").loc["net_sales"]
    assert sales["actual"] == 50
    assert sales["before"] == 40
    assert sales["before_change"] == pytest.approx(0.25)
    assert sales["plan_change"] == pytest.approx(0.25)
    assert pd.isna(sales["year_before"])


def test_an_incomplete_month_is_not_compared_with(mart, on):
    sales = compare_months(sales_by_month(mart, on("2017-03-30")), NO_PLAN, on("2017-03-30")).set_index("metric")
    assert sales.loc["net_sales", "actual"] == 40, "February, the last full month"


def test_movement_with_customers_active_for_30_days(mart, months, on):
    moves = movement(mart, on("2017-04-01"), months=months, active_within_days=30).set_index("starts_at")
    january, february, march = (moves.loc[dt.date(2017, m, 1)] for m in (1, 2, 3))
    assert (january["new"], january["lapsed"], january["active_at_end"]) == (2, 0, 2), "ann and bob"
    assert [january["settled"], february["settled"], march["settled"]] == [False, True, True], "30 days after 01-02"
    # ann bought on 2017-01-02 and again 30 days later: never lapsed. bob lapses on 2017-02-15.
    assert (february["new"], february["won_back"], february["lapsed"]) == (1, 0, 1), "cat; bob"
    # ann lapses on 2017-03-04 and is won back on the 28th; cat lapses on 2017-03-30, back a day later.
    assert (march["new"], march["won_back"], march["lapsed"], march["active_at_end"]) == (0, 2, 2, 2)
    assert march["served"] == 2
    assert march["returning"] == 0, "both were won back"
    assert february["returning"] == 1, "ann"


def test_retention_by_joining_cohort(mart, on):
    table = retention(mart, on("2017-04-01"), active_within_days=30).set_index(["cohort_starts_at", "months_since"])
    january, february = dt.date(2017, 1, 1), dt.date(2017, 2, 1)
    assert table.loc[(january, 0), "customers"] == 2
    assert table.loc[(january, 1), "retained"] == 0.5, "ann of ann and bob"
    assert table.loc[(january, 2), "retained"] == 0.5
    assert table.loc[(february, 1), "retained"] == 1.0, "cat"
    assert (february, 2) not in table.index, "April is not known"
    assert table.loc[january, "before_history"].all()
    assert not table.loc[february, "before_history"].any()


def test_without_a_full_month_there_is_no_cohort(mart_of, on):
    young = mart_of("duckdb", purchases="customer_id order_id ordered_at net_amount\nann 1 2017-01-20 5")
    assert retention(young, on("2017-01-25"), active_within_days=30).empty


def test_sales_by_department(mart, on):
    lines = mart["purchases"], mart["products"]
    table = sales_by(*lines, on("2017-04-01"), dimension="department", days=31).set_index("department")
    assert table["net_sales"].to_dict() == {"drinks": 50.0, "food": 0.0}, "what sells nothing now does not vanish"
    assert table.loc["drinks", ["orders", "customers"]].tolist() == [2, 2]
    assert table.loc["food", "before"] == 40
    assert table.loc["food", "change"] == -1
    before = sales_by(*lines, on("2017-03-01"), dimension="department", days=28).set_index("department").loc["food"]
    assert before["net_sales"] == 40
    assert before["before"] == 20, "bob's; ann's first purchase lies 30 days before February"
    assert before["change"] == pytest.approx(1.0)


def test_what_the_mart_does_not_know_is_empty(mart_of, on):
    bare = mart_of("duckdb", purchases="customer_id order_id ordered_at net_amount\nann 1 2017-01-20 5")
    assert sales_by(bare["purchases"], None, on("2017-02-01"), dimension="category").empty


def test_tenths_of_twenty_customers():
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{i:02d}" for i in range(21)],
            "net_sales_365d": [float(i) for i in range(21)],
            "orders_365d": 1,
            "units_365d": 2.0,
        }
    )
    table = sales_by_tenth(customers).set_index("tenth")
    assert table["customers"].tolist() == [2] * 10, "c00 spent nothing and is no buyer"
    assert table.loc[1, "net_sales"] == 39, "20 and 19"
    assert table.loc[10, "net_sales"] == 3, "2 and 1"
    assert table["share"].sum() == pytest.approx(1)
    assert table.loc[1, "units"] == 4


def test_concentration_of_ten_customers():
    customers = pd.DataFrame({"net_sales_365d": [55.0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]})
    table = concentration(customers).set_index("best")
    assert table.loc[0.10, "customers"] == 1, "of ten who spent; the eleventh spent nothing"
    assert table.loc[0.10, "share"] == pytest.approx(0.55)
    assert table.loc[0.20, "money"] == 64
    assert table.loc[0.01, "customers"] == 1, "rounded up"
    curve = concentration_curve(customers)
    assert curve["money"].iloc[10] == pytest.approx(0.55)
    assert curve["money"].iloc[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "expected"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25), ([0, 0], 0.0), ([], 0.0)]
)
def test_gini(values, expected):
    assert gini(pd.Series(values, dtype="float64")) == pytest.approx(expected)
