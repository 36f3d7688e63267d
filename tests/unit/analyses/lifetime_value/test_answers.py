"""Who brings the value, what may stay away, and what customers of each group are worth: by hand."""

import datetime as dt
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.answers import in_top_tier, tenths, top_tier, value_at_risk
from crm.analyses.lifetime_value.groups import by_group, cohorts, differ
from crm.mart import UNKNOWN
from crm.periods import day_number


def valued(draw, rows):
    """Customers drawn with the columns that matter; the others follow from the value at a quarter of margin."""
    table = draw(rows)
    if "expected_margin" not in table:
        table["expected_margin"] = table["expected_value"] * 0.25
    return table.assign(long_margin=table["expected_margin"] * 6)


FOUR = """
customer_id  expected_value  chance_of_no_purchase
ann          200.0           0.0
bob          80.0            0.2
cid          50.0            0.5
dan          30.0            0.99
"""


@pytest.fixture
def four(draw):
    return valued(draw, FOUR)


def test_the_fewest_who_bring_half_of_the_margin(four):
    # 200 of 360 is more than half: one is enough
    top = in_top_tier(four)
    assert list(top) == [True, False, False, False]
    row = top_tier(four, top).iloc[0]
    assert row.to_dict() == {
        "customers": 1, "share_of_customers": 0.25, "margin": 50.0, "share_of_margin": pytest.approx(200 / 360)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("margins", "expected"),
    [
        ([30.0, 30.0, 30.0, 30.0], [True, True, False, False]),  # exactly half is enough; of equals the first counts
        ([10.0, 40.0, 40.0, 10.0], [False, True, True, False]),
        ([50.0, 30.0, -10.0, -30.0], [True, False, False, False]),  # who costs takes from the whole
        ([0.0, 0.0, 0.0, 0.0], [False] * 4),
        ([5.0, -1.0, -2.0, -3.0], [False] * 4),  # together they cost more than they bring
    ],
)
def test_the_top_tier(four, margins, expected):
    rows = four.assign(expected_margin=margins)
    assert list(in_top_tier(rows)) == expected
    assert len(top_tier(rows, in_top_tier(rows))) == any(expected)


def test_value_at_risk_is_what_a_customer_brings_who_comes_times_the_chance_of_staying_away(four):
    # bob brings 80 / 0.8 = 100 if he comes, and stays away in one of five cases: 20. cid: 50 / 0.5 * 0.5 = 50.
    # dan is given up.
    table = value_at_risk(four, in_top_tier(four)).set_index("tier")
    assert list(table.index) == ["top tier", "others"]
    assert table.loc["top tier"].to_dict() == {
        "customers": 1, "value": 200.0, "at_risk": 0.0, "share": 0.0, "given_up": 0
    }  # fmt: skip
    assert table.loc["others", "at_risk"] == pytest.approx(70.0)
    assert table.loc["others", "given_up"] == 1
    assert table["share"].sum() == pytest.approx(1.0)


def test_nothing_is_at_risk_where_everybody_comes_back_or_is_given_up(four):
    rows = four.assign(chance_of_no_purchase=[0.0, 0.0, 1.0, 0.981])
    table = value_at_risk(rows, in_top_tier(rows))
    assert table["at_risk"].sum() == 0
    assert table["share"].sum() == 0
    assert table["given_up"].sum() == 2


def test_without_a_top_tier_all_are_the_others(four):
    rows = four.assign(expected_margin=0.0)
    assert list(value_at_risk(rows, in_top_tier(rows))["tier"]) == ["others"]


def test_tenths_hold_everybody_once_and_add_up():
    value = np.arange(25.0)
    rows = pd.DataFrame({"customer_id": [f"{n:02d}" for n in range(25)], "expected_value": value, "long_margin": 1.0})
    table = tenths(rows)
    assert list(table["tenth"]) == list(range(1, 11))
    assert list(table["customers"]) == [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
    assert table["value"].iloc[0] == 24 + 23 + 22
    assert table["value"].sum() == value.sum()
    assert table["long_margin"].sum() == 25
    assert table["cumulative_share"].iloc[-1] == pytest.approx(1.0)
    assert (table["value"] / table["customers"]).is_monotonic_decreasing


@pytest.mark.parametrize(("customers", "rows"), [(1, 1), (3, 3), (10, 10), (101, 10)])
def test_fewer_than_ten_customers_are_fewer_tenths(customers, rows):
    ids = [f"{n:03d}" for n in range(customers)]
    table = tenths(pd.DataFrame({"customer_id": ids, "expected_value": 0.0, "long_margin": 0.0}))
    assert len(table) == rows
    assert table["customers"].sum() == customers
    assert list(table["share"]) == [0.0] * rows


def twelve(values):
    ids = [f"{n:02d}" for n in range(12)]
    margin = np.asarray(values) * 0.25
    return pd.DataFrame(
        {"customer_id": ids, "expected_value": values, "expected_margin": margin, "long_margin": margin * 6}
    )


def test_a_group_has_its_mean_with_students_interval():
    rows = twelve([10.0, 20, 30, 40, 50, 100, 100, 100, 100, 100, 1, 2])
    groups = pd.Series(["a"] * 5 + ["b"] * 5 + ["c", "d"], index=rows["customer_id"])
    table = by_group(rows, groups)
    assert list(table["group"]) == ["b", "a", "(other)"]  # c and d have fewer than five customers, and come last
    assert list(table["customers"]) == [5, 5, 2]
    row = table.set_index("group").loc["a"]
    # mean 30, standard deviation 15.811, five customers: 2.776 * 15.811 / sqrt(5) = 19.63 to each side
    assert row["value"] == 30.0
    assert row["value_low"] == pytest.approx(30 - 19.63, abs=0.01)
    assert row["value_high"] == pytest.approx(30 + 19.63, abs=0.01)
    assert row["margin"] == 7.5
    assert row["long_margin"] == 45.0
    assert table["share"].sum() == pytest.approx(1.0)
    assert table.set_index("group").loc["b", ["value_low", "value_high"]].tolist() == [100.0, 100.0]


def test_an_interval_does_not_go_below_nothing():
    rows = twelve([0.0, 0, 0, 0, 100, 100, 100, 100, 100, 100, 100, 100])
    table = by_group(rows, pd.Series(["a"] * 5 + ["b"] * 7, index=rows["customer_id"]))
    assert table["value_low"].min() == 0.0


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (["a"] * 12, []),
        (["a"] * 6 + [None] * 6, []),  # one known group: nothing to compare
        (["a"] * 6 + ["b"] * 6, ["a", "b"]),
        (["a"] * 3 + ["b"] * 3 + ["c"] * 3 + ["d"] * 3, []),  # all too small
        (["a"] * 5 + ["b"] * 5 + [None] * 2, ["a", "b", "(other)"]),
        (["a"] * 9 + ["b"] * 3, ["a", "(other)"]),
    ],
)
def test_groups_are_told_where_there_are_two_to_compare(groups, found):
    rows = twelve([5.0] * 12)
    table = by_group(rows, pd.Series(groups, index=rows["customer_id"], dtype="object"))
    assert list(table["group"]) == found


def test_customers_without_a_group_of_their_own_are_named_so():
    rows = pd.concat(
        [twelve([9.0] * 12), twelve([5.0] * 12).assign(customer_id=lambda one: "x" + one["customer_id"])]
    )
    known = pd.Series(["a"] * 6 + ["b"] * 6, index=rows["customer_id"].head(12))
    assert list(by_group(rows, known)["group"]) == ["a", "b", UNKNOWN]
    assert by_group(rows, None).empty


@pytest.mark.parametrize(
    ("first", "as_of", "expected"),
    [
        # the history begins with 2017: whose middle of the month is before 2017-04-02 may be older than they look
        (["2017-01-01", "2017-03-31", "2017-04-01", "2017-12-30"], "2018-01-01",
         ["up to 2017-03", "up to 2017-03", "2017-04", "2017-12"]),
        # begun on the 20th of January, the first 91 days end on the 21st of April
        (["2017-01-20", "2017-04-30", "2017-05-01"], "2018-01-01", ["up to 2017-04", "up to 2017-04", "2017-05"]),
        # eighteen months are told by month, nineteen by quarter, five years by year
        (["2017-01-01", "2017-09-01"], "2018-07-01", ["up to 2017-03", "2017-09"]),
        (["2017-01-01", "2017-09-01"], "2018-07-02", ["up to 2017-Q1", "2017-Q3"]),
        (["2013-01-01", "2013-09-01", "2017-09-01"], "2018-01-01", ["up to 2013", "up to 2013", "2017"]),
        # nobody joined in the months in between
        (["2017-01-15", "2017-11-01"], "2018-01-01", ["up to 2017-03", "2017-11"]),
        (["2017-12-20"], "2018-01-01", ["up to 2017-12"]),
    ],
)  # fmt: skip
def test_cohorts(first, as_of, expected):
    days = [day_number(dt.date.fromisoformat(day)) for day in first]
    snapshot = pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(days))], "first_day": days})
    found = cohorts(snapshot, dt.date.fromisoformat(as_of))
    assert found.to_dict() == dict(zip(snapshot["customer_id"], expected, strict=True))


def test_the_oldest_cohort_comes_first(evidence):
    groups = list(evidence.answers.by_cohort["group"])
    assert groups[0] == "up to 2017-03"
    assert groups[1:] == sorted(groups[1:])


def test_the_widest_difference_among_many_alike_groups_is_chance():
    rng = np.random.default_rng(5)
    ids = [f"{n:04d}" for n in range(400)]
    groups = pd.Series([f"g{n % 10}" for n in range(400)], index=ids)
    claimed = 0
    for _ in range(30):
        value = rng.gamma(2.0, 50.0, 400)
        rows = pd.DataFrame({"customer_id": ids, "expected_value": value, "expected_margin": 0.0, "long_margin": 0.0})
        table = by_group(rows, groups).to_dict("records")
        claimed += differ(table[0], table[-1], among=10)
    assert claimed <= 5  # one or two of thirty by design; more than five once in 300 times


def test_a_plain_difference_is_told():
    one = {"customers": 100, "value": 200.0, "value_high": 210.0}
    other = {"customers": 100, "value": 150.0, "value_high": 160.0}
    assert differ(one, other, among=10)
    assert not differ(one, other | {"value": 190.0, "value_high": 200.0}, among=10)
    assert not differ(one, {"customers": 100, "value": 186.0, "value_high": 196.0}, among=10)


def test_all_answers_speak_of_everybody(evidence):
    answers, customers = evidence.answers, evidence.valued.customers
    value = customers["expected_value"].sum()
    for name in ("tenths", "at_risk", "by_segment", "by_department", "by_cohort", "by_channel"):
        table = getattr(answers, name)
        assert table["customers"].sum() == len(customers), name
        means = name.startswith("by_")
        total = (table["value"] * table["customers"]).sum() if means else table["value"].sum()
        assert total == pytest.approx(value), name
        assert table["share"].sum() == pytest.approx(1.0), name
    assert "(other)" not in set(answers.by_channel["group"])
    assert {field.name for field in fields(answers)} > {"moved", "movers", "apart"}


def test_groups_too_small_to_speak_for_themselves_do_not(evidence):
    table = evidence.answers.by_department.set_index("group")
    assert (table.drop(index="(other)", errors="ignore")["customers"] >= 5).all()
