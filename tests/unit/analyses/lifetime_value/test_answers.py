"""Who brings the value, what may stay away, and what customers of each group are worth: by hand."""

import datetime as dt
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.answers import in_top_tier, tenths, top_tier, value_at_risk
from crm.analyses.lifetime_value.groups import by_group, cohorts, differ, joined, to_compare, with_the_past
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


def test_value_at_risk_is_expected_value_times_the_chance_of_no_purchase(four):
    # at risk: bob 80 * 0.2 = 16, cid 50 * 0.5 = 25, dan 30 * 0.99 = 29.7
    # could be kept: bob brings 80 / 0.8 = 100 if he comes, and stays away in one of five cases: 20;
    # cid 50 / 0.5 * 0.5 = 50; dan would have to be won back
    table = value_at_risk(four, in_top_tier(four)).set_index("tier")
    assert list(table.index) == ["top tier", "others"]
    assert table.loc["top tier"].to_dict() == {
        "customers": 1, "value": 200.0, "at_risk": 0.0, "share": 0.0, "can_be_kept": 1, "could_be_kept": 0.0
    }  # fmt: skip
    assert table.loc["others", "at_risk"] == pytest.approx(70.7)
    assert table.loc["others", "could_be_kept"] == pytest.approx(70.0)
    assert table.loc["others", "can_be_kept"] == 2
    assert table["share"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("chance", [[0.0] * 4, [np.nan] * 4], ids=["sure", "unknown"])
def test_nothing_is_at_risk_where_everybody_comes_back_or_nobody_knows(four, chance):
    rows = four.assign(chance_of_no_purchase=chance)
    table = value_at_risk(rows, in_top_tier(rows))
    assert table[["at_risk", "share", "could_be_kept"]].sum().tolist() == [0, 0, 0]


def test_who_is_all_but_gone_is_at_risk_and_nothing_to_be_kept(four):
    rows = four.assign(chance_of_no_purchase=[0.51, 0.99, 1.0, 1.0])
    table = value_at_risk(rows, in_top_tier(rows))
    assert table["could_be_kept"].sum() == 0
    assert table["at_risk"].sum() == pytest.approx(102 + 79.2 + 50 + 30)


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
        {
            "customer_id": ids, "expected_value": values, "expected_margin": margin, "long_margin": margin * 6,
            "margin_so_far": margin * 2, "from_joining": margin * 8,
        }
    )  # fmt: skip


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
    assert (row["margin_so_far"], row["long_margin"], row["from_joining"]) == (15.0, 45.0, 60.0)
    # worth from joining on is twice the value here, and so is what it may be off
    assert row["from_joining_high"] == pytest.approx(60 + 2 * 19.63, abs=0.01)
    assert row["joined"] == 5
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
        # the history begins with 2017: who came before 2017-04-02 may be older than they look
        (["2017-01-01", "2017-04-01", "2017-04-02", "2017-12-30"], "2018-01-01",
         ["up to 2017-04-01", "up to 2017-04-01", "2017-04", "2017-12"]),
        # begun on the 20th of January, the first 91 days end on the 21st of April
        (["2017-01-20", "2017-04-30", "2017-05-01"], "2018-01-01", ["up to 2017-04-20", "2017-04", "2017-05"]),
        # eighteen months are told by month, nineteen by quarter, five years by year
        (["2017-01-01", "2017-09-01"], "2018-07-01", ["up to 2017-04-01", "2017-09"]),
        (["2017-01-01", "2017-09-01"], "2018-07-02", ["up to 2017-04-01", "2017-Q3"]),
        (["2013-01-01", "2013-09-01", "2017-09-01"], "2018-01-01", ["up to 2013-04-01", "2013", "2017"]),
        # nobody joined in the months in between
        (["2017-01-15", "2017-11-01"], "2018-01-01", ["up to 2017-04-15", "2017-11"]),
        (["2017-12-20"], "2018-01-01", ["up to 2017-12-31"]),
    ],
)  # fmt: skip
def test_cohorts(first, as_of, expected):
    days = [day_number(dt.date.fromisoformat(day)) for day in first]
    snapshot = pd.DataFrame({"customer_id": [f"c{n}" for n in range(len(days))], "first_day": days})
    found = cohorts(snapshot, dt.date.fromisoformat(as_of))
    assert found.to_dict() == dict(zip(snapshot["customer_id"], expected, strict=True))


def test_the_oldest_cohort_comes_first(evidence):
    groups = list(evidence.answers.by_cohort["group"])
    assert groups[0] == "up to 2017-04-01"
    assert groups[1:] == sorted(groups[1:])


def test_a_cohort_holds_those_alone_who_were_seen_to_join(evidence):
    """So that worth from joining on is margin so far and long margin in every row, and the months add up to all."""
    oldest, *newer = evidence.answers.by_cohort.to_dict("records")
    assert oldest["joined"] == 0
    for row in newer:
        assert row["joined"] == row["customers"], row["group"]
        assert row["from_joining"] == pytest.approx(row["margin_so_far"] + row["long_margin"]), row["group"]
    assert sum(row["customers"] for row in newer) == evidence.answers.joined["customers"].iloc[0]


@pytest.mark.parametrize(("least", "low"), [(0.0, 0.0), (-1.0, 20 - 55.53)])
def test_worth_is_below_nothing_only_where_some_cost_more_than_they_bring(least, low):
    """Of five with one of 100 beside nothing: 20, give or take 2.776 * 44.7 / sqrt(5) = 55.5."""
    rows = twelve([5.0] * 12).assign(from_joining=[100.0, 0.0, 0.0, 0.0, 0.0, *[10.0] * 6, least])
    groups = pd.Series(["a"] * 5 + ["b"] * 7, index=rows["customer_id"])
    row = by_group(rows, groups).set_index("group").loc["a"]
    assert row["from_joining"] == 20.0
    assert row["from_joining_high"] == pytest.approx(75.53, abs=0.01)
    assert row["from_joining_low"] == pytest.approx(low, abs=0.01)


def test_the_widest_difference_among_many_alike_groups_is_chance():
    rng = np.random.default_rng(5)
    ids = [f"{n:04d}" for n in range(400)]
    groups = pd.Series([f"g{n % 10}" for n in range(400)], index=ids)
    claimed = 0
    for _ in range(30):
        value = rng.gamma(2.0, 50.0, 400)
        rows = pd.DataFrame(
            {
                "customer_id": ids, "expected_value": 1.0, "expected_margin": 0.0, "long_margin": 0.0,
                "margin_so_far": 0.0, "from_joining": value,
            }
        )  # fmt: skip
        table = to_compare(by_group(rows, groups), of="from_joining").to_dict("records")
        claimed += differ(table[0], table[-1], of="from_joining", among=10)
    assert claimed <= 5  # one or two of thirty by design; more than five once in 300 times


def test_a_plain_difference_is_told():
    one = {"customers": 100, "value": 200.0, "value_high": 210.0}
    other = {"customers": 100, "value": 150.0, "value_high": 160.0}
    assert differ(one, other, of="value", among=10)
    assert not differ(one, other | {"value": 190.0, "value_high": 200.0}, of="value", among=10)
    assert not differ(one, {"customers": 100, "value": 186.0, "value_high": 196.0}, of="value", among=10)


def test_what_was_ranked_is_what_is_held_against_chance():
    # net value differs plainly, the worth from joining on does not
    one = {"customers": 100, "value": 200.0, "value_high": 210.0}
    other = {"customers": 100, "value": 150.0, "value_high": 160.0}
    worth = [{"joined": 30, "from_joining": at, "from_joining_high": at + 400.0} for at in (900.0, 800.0)]
    assert differ(one | worth[0], other | worth[1], of="value", among=2)
    assert not differ(one | worth[0], other | worth[1], of="from_joining", among=2)


JOINED = """
customer_id  first_day  net_sales_ever  margin_rate  long_margin
ann          0          4000.0          0.25         900.0
bob          90         3000.0          0.25         800.0
cid          91         100.0           0.5          150.0
dan          200        200.0           0.25         50.0
"""


def test_who_was_there_in_the_first_91_days_may_have_joined_long_before(draw):
    drawn = draw(JOINED)
    past = with_the_past(drawn[["customer_id", "margin_rate", "long_margin"]], drawn)
    assert past["margin_so_far"].tolist() == [1000.0, 750.0, 50.0, 50.0]
    assert past["from_joining"].fillna(-1).tolist() == [-1, -1, 200.0, 100.0]
    row = joined(past, drawn).iloc[0]
    assert (row["since"], row["customers"]) == (dt.date(1970, 4, 2), 2)
    assert (row["margin_so_far"], row["long_margin"], row["from_joining"]) == (50.0, 100.0, 150.0)
    # Student's over two: 12.706 * 70.71 / sqrt(2)
    assert row["from_joining_high"] == pytest.approx(150 + 12.706 * 50, abs=0.1)


def test_where_nobody_was_seen_to_join_there_is_no_mean(draw):
    drawn = draw(JOINED).head(2)
    row = joined(with_the_past(drawn, drawn), drawn).iloc[0]
    assert row["customers"] == 0
    assert np.isnan(row["from_joining"])


def test_all_answers_speak_of_everybody(evidence):
    answers, customers = evidence.answers, evidence.valued.customers
    value = customers["expected_value"].sum()
    for name in ("tenths", "at_risk", "by_segment", "by_cohort"):
        table = getattr(answers, name)
        assert table["customers"].sum() == len(customers), name
        means = name.startswith("by_")
        total = (table["value"] * table["customers"]).sum() if means else table["value"].sum()
        assert total == pytest.approx(value), name
        assert table["share"].sum() == pytest.approx(1.0), name
    those = int(answers.joined["customers"].iloc[0])
    assert 20 <= those < len(customers)
    for table in (answers.by_department, answers.by_channel):
        assert table["customers"].sum() == table["joined"].sum() == those
        assert table["share"].sum() == pytest.approx(1.0)
    assert "(other)" not in set(answers.by_channel["group"])
    assert {field.name for field in fields(answers)} > {"moved", "movers", "apart"}


def test_groups_too_small_to_speak_for_themselves_do_not(evidence):
    table = evidence.answers.by_department.set_index("group")
    assert (table.drop(index="(other)", errors="ignore")["customers"] >= 5).all()
