"""RFM scores and names: worked examples, and the whole grid."""

import itertools

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.rfm import NAME_OF, RFM_SEGMENTS, quintile, rfm_grid, score_rfm, value_score


def snapshot_of(rows):
    return pd.DataFrame(
        rows, columns=["customer_id", "days_since_last_purchase", "purchase_days_365d", "net_sales_365d"]
    )


def test_five_customers_in_order_get_one_fifth_each(draw):
    snapshot = draw(
        """
        customer_id  days_since_last_purchase  purchase_days_365d  net_sales_365d
        ann          1                         50                  900.00
        bob          2                         40                  100.00
        cat          9                         30                  300.00
        dan          30                        20                  200.00
        eve          90                        10                  50.00
        """
    )
    scored = score_rfm(snapshot)
    assert list(scored["rfm_cell"]) == ["555", "442", "334", "223", "111"]
    assert list(scored["value"]) == [5, 3, 4, 3, 1]
    assert list(scored["rfm_segment"]) == ["Champions", "Potential loyalists", "Loyal", "At risk", "Lost"]


def test_each_of_the_125_cells_has_exactly_one_name():
    names = {segment.name for segment in RFM_SEGMENTS}
    assert len(names) == len(RFM_SEGMENTS) == 11
    found = set()
    for recency, frequency, monetary in itertools.product(range(1, 6), repeat=3):
        value = int(value_score(pd.Series([frequency]), pd.Series([monetary])).iloc[0])
        found.add(NAME_OF[recency, value])
    assert len(NAME_OF) == 25
    assert found == names


def test_equal_values_get_equal_scores_whatever_the_order_of_the_rows():
    values = pd.Series([3.0, 1.0, 1.0, 2.0, 1.0, 3.0, 9.0, 1.0, 2.0, 5.0])
    scores = quintile(values)
    assert values.groupby(scores).nunique().sum() == values.nunique()
    shuffled = values.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(quintile(shuffled).sort_index(), scores)


def test_where_all_are_equal_all_are_in_the_middle():
    scored = score_rfm(snapshot_of([[f"c{n}", 5, 3, 10.0] for n in range(7)]))
    assert set(scored["rfm_cell"]) == {"333"}
    assert set(scored["rfm_segment"]) == {"Needs attention"}


@pytest.mark.parametrize(
    ("customers", "cells"), [(1, ["333"]), (2, ["222", "444"]), (3, ["111", "333", "555"]), (0, [])]
)
def test_few_customers(customers, cells):
    rows = [[f"c{n}", 100 - n, n + 1, n * 10.0 + 1] for n in range(customers)]
    assert list(score_rfm(snapshot_of(rows))["rfm_cell"]) == cells


def test_who_bought_nothing_for_a_year_is_lost_and_does_not_count_among_the_others():
    rows = [[f"c{n}", n + 1, 50 - 10 * n, 500.0 - 100 * n] for n in range(5)]
    silent = [[f"s{n}", 366 + n, 0, 0.0] for n in range(20)]
    scored = score_rfm(snapshot_of(rows + silent)).set_index("customer_id")
    assert set(scored.loc["s0":, "rfm_cell"]) == {"111"}
    assert set(scored.loc["s0":, "rfm_segment"]) == {"Lost"}
    assert list(scored.loc[:"c4", "recency"]) == [5, 4, 3, 2, 1]


def test_fifths_hold_a_fifth_each_where_values_differ():
    chance = np.random.default_rng(1)
    scores = quintile(pd.Series(chance.permutation(1_000)))
    assert list(scores.value_counts().sort_index()) == [200] * 5


def test_the_grid_counts_everybody_once():
    chance = np.random.default_rng(2)
    rows = [[f"c{n}", *chance.integers(1, 300, 2), float(chance.integers(1, 99))] for n in range(300)]
    scored = score_rfm(snapshot_of(rows))
    grid = rfm_grid(scored)
    assert len(grid) == 25
    assert grid["customers"].sum() == 300
    assert grid["net_sales"].sum() == scored["net_sales_365d"].sum()
    counted = grid.groupby("segment")["customers"].sum()
    assert counted[counted > 0].to_dict() == scored["rfm_segment"].value_counts().to_dict()
