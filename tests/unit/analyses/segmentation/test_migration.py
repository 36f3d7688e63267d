"""What moved: drawn, and adding up to the cent."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.migration import NEW, TOTAL, migrate

PREVIOUS, AS_OF = dt.date(2017, 10, 2), dt.date(2018, 1, 1)

BEFORE = """
customer_id  segment  net_sales_91d
ann          gold     100.00
bob          gold     60.00
cat          blue     10.00
"""
NOW = """
customer_id  segment  net_sales_91d
ann          gold     90.00
bob          blue     5.00
cat          blue     10.00
dan          blue     7.00
"""


@pytest.fixture
def moved(draw):
    return migrate(draw(BEFORE), draw(NOW), order=["gold", "blue", "grey"], previous=PREVIOUS, as_of=AS_OF)


def test_flows(moved, draw):
    expected = draw(
        """
        from_segment  to_segment  customers  share_of_from  net_sales_before  net_sales_now  change
        gold          gold        1          0.5            100.00            90.00          -10.00
        gold          blue        1          0.5            60.00             5.00           -55.00
        blue          blue        1          1.0            10.00             10.00          0.00
        New           blue        1          1.0            0.00              7.00           7.00
        """
    ).replace({"from_segment": {"New": NEW}})
    pd.testing.assert_frame_equal(moved.flows, expected, check_dtype=False)


def test_who_stayed(moved):
    assert (moved.stayed, moved.customers) == (2, 3)


def test_the_matrix_of_customers(moved):
    matrix = moved.matrix()
    assert list(matrix.index) == ["gold", "blue", NEW, TOTAL]
    assert list(matrix.columns) == ["gold", "blue", TOTAL]
    assert matrix.to_numpy().tolist() == [[1, 1, 2], [0, 1, 1], [0, 1, 1], [1, 3, 4]]


def test_the_matrix_of_money(moved):
    assert moved.matrix("change").loc["gold"].tolist() == [-10.0, -55.0, -65.0]
    assert moved.matrix("net_sales_now").loc[TOTAL].tolist() == [90.0, 22.0, 112.0]


def test_what_each_segment_gained_and_lost(moved):
    rows = moved.segments.set_index("segment")
    assert rows.loc["gold"].to_dict() == {
        "customers_before": 2, "customers_now": 1, "came": 0, "new": 0, "left": 1,
        "net_sales_before": 160.0, "net_sales_now": 90.0, "net_sales_change": -65.0,
    }  # fmt: skip
    assert rows.loc["blue", ["came", "new", "left"]].tolist() == [1, 1, 0]
    assert rows.loc["grey"].sum() == 0


def test_rows_and_columns_add_up_to_the_cent():
    chance = np.random.default_rng(1)
    names = ["a", "b", "c", "d"]
    now = pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(2_000)],
            "segment": chance.choice(names, 2_000),
            "net_sales_91d": chance.gamma(1, 100, 2_000).round(2),
        }
    )
    before = now.iloc[:1_700].assign(
        segment=chance.choice(names, 1_700), net_sales_91d=chance.gamma(1, 100, 1_700).round(2)
    )
    moved = migrate(before, now, order=names, previous=PREVIOUS, as_of=AS_OF)
    matrix = moved.matrix()
    assert matrix.loc[TOTAL, TOTAL] == 2_000
    assert matrix.loc[NEW, TOTAL] == 300
    assert matrix.loc[TOTAL, names].to_dict() == now["segment"].value_counts().to_dict()
    assert matrix.loc[names, TOTAL].to_dict() == before["segment"].value_counts().to_dict()
    for count, table in (("net_sales_now", now), ("net_sales_before", before)):
        money = moved.matrix(count)
        assert money.loc[TOTAL, TOTAL] == pytest.approx(table["net_sales_91d"].sum(), abs=1e-6)
    assert moved.matrix("net_sales_now").loc[TOTAL, names].to_numpy() == pytest.approx(
        now.groupby("segment")["net_sales_91d"].sum()[names].to_numpy(), abs=1e-6
    )
    assert moved.matrix("change").loc[TOTAL, TOTAL] == pytest.approx(
        now["net_sales_91d"].sum() - before["net_sales_91d"].sum(), abs=1e-6
    )
    segments = moved.segments
    assert (segments["customers_now"] == segments["customers_before"] + segments["came"] + segments["new"]
            - segments["left"]).all()  # fmt: skip
    assert moved.flows.groupby("from_segment")["share_of_from"].sum().to_numpy() == pytest.approx(1)
