"""What segments bring and cost: by hand, and adding up."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.money import (
    COSTS_MORE,
    COSTS_MORE_IF_WRITTEN_OFF,
    LEAST_MARGIN,
    best_customers,
    best_table,
    costs,
    customer_money,
    shares,
)

# All sold 400 + 100 for list prices of 600; margin 100 + 20 (half known) = 125 at 25 % assumed.
SNAPSHOT = """
customer_id  net_sales_365d  discount_365d  margin_known_365d  sales_margin_unknown_365d  returned_365d
ann          400.00          0.00           0.00               400.00                     0.00
bob          100.00          100.00         0.00               100.00                     40.00
"""


@pytest.fixture
def money(draw):
    return customer_money(draw(SNAPSHOT), gross_margin=0.25)


def test_a_discount_comes_off_the_margin_of_who_got_it(money):
    # cost of goods is (500 - 125) / 600 = 0.625 of list value
    assert list(money["margin"]) == [100.0, 25.0]
    assert list(money["margin_after_discounts"]) == [400 - 0.625 * 400, 100 - 0.625 * 200]
    assert money["margin_after_discounts"].sum() == money["margin"].sum()


def test_what_came_back_takes_its_margin_or_all_of_it(money):
    # the average margin is 125 / 500 of net sales
    assert list(money["net_margin"]) == [150.0, -25.0 - 40 * 0.25]
    assert list(money["net_margin_written_off"]) == [150.0, -25.0 - 40]


def test_known_margin_rates_go_before_the_assumed_one(draw):
    known = draw(
        """
        net_sales_365d  discount_365d  margin_known_365d  sales_margin_unknown_365d
        100.00          0.00           30.00              40.00
        """
    )
    assert list(customer_money(known, gross_margin=0.25)["margin"]) == [40.0]


def test_without_a_table_of_returns_nothing_came_back(draw):
    money = customer_money(draw(SNAPSHOT).drop(columns="returned_365d"), gross_margin=0.25)
    assert list(money["returned"]) == [0.0, 0.0]


def test_segments_that_cost_more_than_they_bring_are_said_to(money):
    table = costs(money, pd.Series(["good", "bad"]), order=["bad", "good"]).set_index("segment")
    assert table["verdict"].to_dict() == {"bad": COSTS_MORE, "good": ""}
    assert table.at["bad", "discount_rate"] == 0.5
    assert table.at["bad", "return_rate"] == 0.4
    assert list(table["customers_who_cost"]) == [1, 0]


def test_returns_that_cannot_be_sold_again_are_another_verdict(draw):
    snapshot = draw(
        """
        net_sales_365d  discount_365d  margin_known_365d  sales_margin_unknown_365d  returned_365d
        100.00          0.00           0.00               100.00                     30.00
        100.00          0.00           0.00               100.00                     0.00
        """
    )
    table = costs(customer_money(snapshot, gross_margin=0.25), pd.Series(["back", "kept"]), order=["back", "kept"])
    assert list(table["verdict"]) == [COSTS_MORE_IF_WRITTEN_OFF, ""]


def test_where_all_earn_one_keeps_least(draw):
    snapshot = draw(
        """
        net_sales_365d  discount_365d  margin_known_365d  sales_margin_unknown_365d
        100.00          0.00           0.00               100.00
        100.00          10.00          0.00               100.00
        """
    )
    table = costs(customer_money(snapshot, gross_margin=0.25), pd.Series(["full", "less"]), order=["full", "less"])
    assert list(table["verdict"]) == ["", LEAST_MARGIN]
    alike = costs(
        customer_money(snapshot.assign(discount_365d=0.0), gross_margin=0.25),
        pd.Series(["full", "less"]),
        order=["full", "less"],
    )
    assert list(alike["verdict"]) == ["", ""]


def many(seed=1, customers=500):
    chance = np.random.default_rng(seed)
    sales = chance.gamma(0.5, 400, customers).round(2) * (chance.random(customers) > 0.1)
    snapshot = pd.DataFrame(
        {
            "customer_id": [f"c{n:03d}" for n in range(customers)],
            "net_sales_365d": sales,
            "discount_365d": (sales * chance.random(customers) ** 3 * 1.5).round(2),
            "margin_known_365d": 0.0,
            "sales_margin_unknown_365d": sales,
            "returned_365d": (sales * chance.random(customers) * 0.2).round(2),
        }
    )
    segment = pd.Series(chance.choice(["a", "b", "c"], customers), dtype="str")
    return snapshot, segment


def test_shares_add_up_to_the_totals():
    snapshot, segment = many()
    table = shares(customer_money(snapshot, gross_margin=0.3), segment, order=["a", "b", "c", "nobody"])
    assert list(table["segment"]) == ["a", "b", "c", "nobody"]
    assert table["customers"].sum() == 500
    assert table["net_sales"].sum() == pytest.approx(snapshot["net_sales_365d"].sum(), abs=1e-6)
    assert table["margin"].sum() == pytest.approx(0.3 * snapshot["net_sales_365d"].sum(), abs=1e-6)
    for column in ("share_of_customers", "share_of_net_sales", "share_of_margin"):
        assert table[column].sum() == pytest.approx(1)
    assert table.set_index("segment").loc["nobody", "share_of_margin"] == 0


def test_costs_add_up_too():
    snapshot, segment = many()
    money = customer_money(snapshot, gross_margin=0.3)
    table = costs(money, segment, order=["a", "b", "c"])
    for column in ("net_sales", "discount", "returned", "margin", "margin_after_discounts", "net_margin"):
        assert table[column].sum() == pytest.approx(money[column].sum(), abs=1e-6)
    assert table["margin_after_discounts"].sum() == pytest.approx(table["margin"].sum())
    assert (table["net_margin_rate_low"] < table["net_margin_rate"]).all()
    assert table["customers_who_cost"].sum() == (money["net_margin"] < 0).sum() > 0


def test_the_interval_is_as_wide_as_other_samples_differ():
    rows = []
    for seed in range(40):
        snapshot, segment = many(seed, customers=2_000)
        table = costs(customer_money(snapshot, gross_margin=0.3), segment, order=["a", "b", "c"])
        rows.append(table.set_index("segment").loc["a"])
    wide = np.mean([row["net_margin_rate_high"] - row["net_margin_rate_low"] for row in rows]) / 2
    assert wide / (1.96 * np.std([row["net_margin_rate"] for row in rows])) == pytest.approx(1, abs=0.4)


def test_the_fewest_who_bring_half(draw):
    # margins 50, 30, 15, 5 of 100: one brings half, two bring four fifths
    money = pd.DataFrame({"margin": [15.0, 50.0, 5.0, 30.0]})
    best = best_customers(money, pd.Series(["a", "b", "c", "d"]))
    assert {part: list(chosen) for part, chosen in best.items()} == {
        0.5: [False, True, False, False],
        0.8: [False, True, False, True],
    }
    table = best_table(money, best)
    assert list(table["customers"]) == [1, 2]
    assert list(table["share_of_customers"]) == [0.25, 0.5]
    assert list(table["share_of_margin"]) == [0.5, 0.8]
    assert list(table["times_average"]) == [2.0, 1.6]


def test_of_equal_margins_the_first_id_counts_first():
    money = pd.DataFrame({"margin": [1.0] * 4})
    chosen = best_customers(money, pd.Series(["d", "a", "c", "b"]))[0.5]
    assert list(chosen) == [False, True, False, True]


def test_no_margin_no_best_customers():
    money = pd.DataFrame({"margin": [0.0, 0.0]})
    best = best_customers(money, pd.Series(["a", "b"]))
    assert not any(chosen.any() for chosen in best.values())
    assert best_table(money, best).empty


def test_no_smaller_group_brings_as_much():
    snapshot, _ = many(seed=3)
    money = customer_money(snapshot, gross_margin=0.3)
    total = money["margin"].sum()
    for part, chosen in best_customers(money, snapshot["customer_id"]).items():
        assert money.loc[chosen, "margin"].sum() >= part * total
        assert money["margin"].nlargest(int(chosen.sum()) - 1).sum() < part * total
