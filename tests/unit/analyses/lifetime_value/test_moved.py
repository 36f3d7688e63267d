"""Whose value moved, and why: one customer for each reason, and sums that add up."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.moved import REASONS, each_change, moved, movers, nothing_moved
from crm.analyses.lifetime_value.result import Valued


def on(date, table):
    return Valued(
        dt.date.fromisoformat(date),
        91,
        table.rename(
            columns={
                "value": "expected_value", "purchases": "expected_purchases", "silent": "chance_of_no_purchase"
            }
        ),
    )  # fmt: skip


# customer_id, before: value, purchases, chance of none; now: the same; reason
CASES = [
    ("new", None, None, None, 50.0, 2.0, 0.2, "new since then"),
    ("gone", 100.0, 4.0, 0.1, 20.0, 0.8, 0.7, "fell silent"),
    ("edge", 100.0, 4.0, 0.3, 60.0, 2.4, 0.5, "buys less often"),  # no more than one half: not silent yet
    ("slow", 100.0, 4.0, 0.45, 60.0, 2.4, 0.6, "buys less often"),  # the chance of none rose by too little
    ("dear", 100.0, 4.0, 0.1, 120.0, 1.0, 0.7, "spends more each time"),  # its value rose
    ("back", 10.0, 0.4, 0.8, 90.0, 3.6, 0.1, "came back"),
    ("idle", 100.0, 4.0, 0.8, 40.0, 1.6, 0.3, "buys less often"),  # surer to come, but worth less
    ("often", 100.0, 4.0, 0.1, 150.0, 6.0, 0.05, "buys more often"),
    ("seldom", 100.0, 4.0, 0.1, 50.0, 2.0, 0.2, "buys less often"),
    ("more", 100.0, 4.0, 0.1, 150.0, 4.0, 0.1, "spends more each time"),
    ("less", 100.0, 4.0, 0.1, 50.0, 4.0, 0.1, "spends less each time"),
    ("same", 100.0, 4.0, 0.1, 100.5, 4.0, 0.1, "as before"),
    ("large", 900.0, 9.0, 0.1, 910.0, 9.1, 0.1, "buys more often"),  # 1 % of its own, but more of the mean
    ("small", 1.0, 0.1, 0.6, 1.5, 0.15, 0.55, "buys more often"),  # half of its own, though less of the mean
    ("woke", 0.0, 0.0, 0.45, 50.0, 2.0, 0.3, "buys more often"),
    ("never", 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, "as before"),
]


def both():
    columns = ["value", "purchases", "silent"]
    now = pd.DataFrame([(one[0], *one[4:7]) for one in CASES], columns=["customer_id", *columns])
    then = pd.DataFrame([one[:4] for one in CASES if one[1] is not None], columns=["customer_id", *columns])
    return on("2018-01-01", now), on("2017-10-02", then)


@pytest.fixture
def changes():
    return each_change(*both())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_every_customer_has_one_reason(changes, case):
    assert changes.set_index("customer_id").loc[case[0], "reason"] == case[-1]


def test_a_change_is_its_two_parts(changes):
    rows = changes.set_index("customer_id")
    # 4 purchases of 25 became 6 of 25: all of the change is frequency
    assert rows.loc["often", ["by_frequency", "by_spend"]].tolist() == [50.0, 0.0]
    assert rows.loc["less", ["by_frequency", "by_spend"]].tolist() == [0.0, -50.0]
    # 4 of 25 became 1 of 120: (1 - 4) * 72.5 and (120 - 25) * 2.5
    assert rows.loc["dear", ["by_frequency", "by_spend"]].tolist() == [-217.5, 237.5]
    # nothing was expected before: what a purchase is worth did not change
    assert rows.loc["woke", ["by_frequency", "by_spend"]].tolist() == [50.0, 0.0]
    old = rows.drop(index="new")
    assert (old["by_frequency"] + old["by_spend"]).to_numpy() == pytest.approx(old["change"].to_numpy())


def test_parts_add_up_whatever_is_expected():
    rng = np.random.default_rng(7)
    ids = [f"{n:03d}" for n in range(500)]

    def random(date):
        purchases = np.where(rng.random(500) < 0.1, 0.0, rng.gamma(1, 5, 500))
        value = purchases * rng.lognormal(3, 1, 500)
        rows = {"customer_id": ids, "value": value, "purchases": purchases, "silent": rng.random(500)}
        return on(date, pd.DataFrame(rows))

    changes = each_change(random("2018-01-01"), random("2017-10-02"))
    assert (changes["by_frequency"] + changes["by_spend"]).to_numpy() == pytest.approx(changes["change"].to_numpy())
    assert set(changes["reason"]) <= set(REASONS)


def test_reasons_add_up_in_their_order(changes):
    table = moved(changes)
    assert list(table["reason"]) == list(REASONS)
    assert table["customers"].sum() == len(CASES)
    assert (table["now"] - table["before"]).to_numpy() == pytest.approx(table["change"].to_numpy())
    now, then = both()
    assert table["now"].sum() == pytest.approx(now.customers["expected_value"].sum())
    assert table["before"].sum() == pytest.approx(then.customers["expected_value"].sum())


def test_a_reason_that_nobody_has_is_not_told(changes):
    assert list(moved(changes[changes["reason"] == "came back"])["reason"]) == ["came back"]


def test_the_order_of_customers_on_the_two_dates_does_not_matter(changes):
    now, then = both()
    turned = Valued(then.as_of, 91, then.customers.iloc[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(each_change(now, turned), changes)


def test_the_largest_single_changes_name_nobody(changes):
    ids = [one[0] for one in CASES]
    today = pd.DataFrame({"customer_id": ids, "days_since_last_purchase": range(1, 17), "purchase_days_91d": 3})
    then = pd.DataFrame({"customer_id": ids[1:], "purchase_days_91d": 7})
    table = movers(changes, snapshot=today, snapshot_before=then)
    assert len(table) == 10
    assert table["change"].abs().is_monotonic_decreasing
    assert "new since then" not in set(table["reason"])
    # gone and back moved by 80, the most; of equal changes the first customer comes first
    assert table.iloc[0].to_dict() == {
        "reason": "fell silent", "before": 100.0, "now": 20.0, "change": -80.0, "last_purchase_days": 2,
        "purchases_before": 7, "purchases_now": 3,
    }  # fmt: skip
    assert "customer_id" not in table


def test_without_a_previous_date_there_are_no_rows_but_all_columns(changes):
    table, largest = nothing_moved()
    assert list(table.columns) == list(moved(changes).columns)
    assert table.empty
    assert largest.empty
    assert "last_purchase_days" in largest
