"""When customers buy: worked examples that a reader can check by hand, on both engines."""

import pytest

from crm.engine import to_pandas
from crm.features.timing import timing

PURCHASES = """
customer_id  order_id  ordered_at            net_amount
ann          1         2017-01-01            10
ann          2         2017-01-11            10
ann          3         2017-01-11            10
ann          4         2017-01-31            10
ann          5         2017-02-10T00:00:00   99
bob          6         2017-02-09T23:59:59   10
"""


@pytest.fixture(params=["duckdb", "pandas"], scope="module")
def features(request, mart_of, on):
    mart = mart_of(request.param, purchases=PURCHASES)
    return to_pandas(timing(mart, on("2017-02-10"))).set_index("customer_id")


def test_ann_bought_on_three_days_the_fourth_is_not_known_yet(features, day):
    ann = features.loc["ann"]
    assert ann["purchase_days"] == 3, "two orders of 2017-01-11 are one purchase day; 2017-02-10 is not known"
    assert ann["frequency"] == 2
    assert ann["first_day"] == day("2017-01-01")
    assert ann["last_day"] == day("2017-01-31")
    assert ann["recency"] == 30, "from 2017-01-01 to 2017-01-31"
    assert ann["T"] == 40, "from 2017-01-01 to the as-of date 2017-02-10"
    assert ann["days_since_last_purchase"] == 10


def test_anns_gaps_are_10_and_20_days(features):
    ann = features.loc["ann"]
    assert ann["usual_gap"] == 15
    assert ann["mean_gap"] == 15
    assert ann["sd_gap"] == pytest.approx(50**0.5), "variance ((10-15)² + (20-15)²) / 1"
    assert ann["mean_log_gap"] == pytest.approx(2.649158683, abs=1e-9), "(ln 10 + ln 20) / 2 = ln 200 / 2"
    assert ann["gap_ratio"] == pytest.approx(10 / 15)


def test_bob_bought_a_second_before_midnight_and_has_no_gap(features):
    bob = features.loc["bob"]
    assert bob["purchase_days"] == 1
    assert bob["days_since_last_purchase"] == 1
    assert bob["frequency"] == 0
    assert bob[["usual_gap", "mean_gap", "sd_gap", "mean_log_gap", "gap_ratio"]].isna().all()


def test_windows_count_back_from_the_as_of_date(features):
    assert features.loc["ann", "purchase_days_28d"] == 1, "2017-01-31; 2017-01-11 lies 30 days back"
    assert features.loc["ann", "purchase_days_91d"] == 3
