"""Similar customers, what changed before some of them left, and what went with them."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.labels import stake_of
from crm.analyses.defection.understanding.changes import Matched, changes, changes_by_date
from crm.analyses.defection.understanding.losses import losses, signs
from crm.analyses.defection.understanding.matching import match
from crm.analyses.defection.understanding.occasions import customers_on, dates, partial_beside_full, still_gone
from crm.analyses.defection.understanding.windows import MEASURES, bought_by_category, recent_and_earlier

LATE = next(measure for measure in MEASURES if measure.name == "late_deliveries")


def alike(left, **more):
    """Customers who differ in nothing but whether they left."""
    n = len(left)
    columns = {
        "date": "2017-02-01",
        "T": 50,
        "net_sales_182d": 10.0,
        "first_day": 0,
        "last_day": 40,
        "purchase_days": 3,
    }
    people = pd.DataFrame({name: [value] * n for name, value in columns.items()})
    return people.assign(customer_id=[f"c{i}" for i in range(n)], left=left, **more)


@pytest.mark.parametrize(
    ("left", "stayed", "matched", "beside_each"),
    [(2, 10, 2, 5), (2, 7, 2, 3), (1, 30, 1, 5), (3, 2, 2, 1), (2, 0, 0, 0), (0, 4, 0, 0)],
)
def test_each_who_left_has_up_to_five_of_their_own(left, stayed, matched, beside_each):
    people = alike([True] * left + [False] * stayed)
    pair = match(people, seed=1)
    told = pair[pair >= 0]
    assert told.groupby(told).size().tolist() == [1 + beside_each] * matched
    assert all(people.loc[number, "left"] for number in told)
    assert len(told) == matched * (1 + beside_each)


@pytest.mark.parametrize(
    ("column", "values"),
    [("date", ["2017-02-01", "2017-03-01"]), ("T", [10, 400]), ("net_sales_182d", [1.0, 99.0]),
     ("last_day", [3, 40])],
)  # fmt: skip
def test_nobody_is_compared_with_those_who_are_not_alike(column, values):
    people = alike([True] * 5 + [False] * 5, **{column: [value for value in values for _ in range(5)]})
    assert (match(people, seed=1) == -1).all()


def matched_pairs(values, measure=LATE, pairs=20, stayers=2):
    """Of each pair the change of who left, then of those beside: values(pair, who)."""
    rows = [(pair, who) for pair in range(pairs) for who in range(stayers + 1)]
    people = alike([who == 0 for _, who in rows], pair=[pair for pair, _ in rows])
    recent = pd.DataFrame({measure.name: [values(*row) for row in rows]}, dtype="float64")
    return Matched(people, recent, recent * 0, (measure,), leavers=pairs, unmatched=0)


def test_the_difference_of_the_changes():
    """Who left: one late delivery more (two for every other pair); those beside: 0 and 1, half on average."""
    table = changes(matched_pairs(lambda pair, who: (1 + pair % 2) if who == 0 else who - 1))
    row = table.iloc[0]
    assert row[["measure", "side", "pairs", "stayers", "comparisons"]].tolist() == [
        "late_deliveries",
        "service",
        20,
        40,
        1,
    ]
    assert row[["leavers_change", "stayers_change", "difference"]].tolist() == pytest.approx([1.5, 0.5, 1.0])
    assert 0.7 < row["low"] < 0.9
    assert 1.1 < row["high"] < 1.3
    assert row["stands"]


def test_a_pair_counts_where_both_sides_are_known():
    def values(pair, who):
        return np.nan if (pair < 5 and who == 0) or (5 <= pair < 8 and who > 0) or (pair == 9 and who == 1) else 1.0

    row = changes(matched_pairs(values)).iloc[0]
    assert (row["pairs"], row["stayers"]) == (12, 23)
    assert row["difference"] == 0
    assert not row["stands"]


def test_chance_alone_does_not_stand():
    """Four hundred measures of nothing: one in twenty seems to differ, and none stands after the correction."""
    names, rng = [f"m{number}" for number in range(400)], np.random.default_rng(5)
    people = matched_pairs(lambda *_: 0, pairs=40).rows
    recent = pd.DataFrame(rng.normal(size=(len(people), 400)), columns=names, index=people.index)
    measures = tuple(replace(LATE, name=name) for name in names)
    table = changes(Matched(people, recent, recent * 0, measures, leavers=40, unmatched=0))
    assert 0.02 < (table["p"] < 0.05).mean() < 0.08
    assert 0.90 < ((table["low"] < 0) & (table["high"] > 0)).mean() < 0.97
    assert not table["stands"].any()


DATES, LEAVERS, STAYERS = 8, 12, 36


def often_there(side):
    """Eight dates, twelve who left, three beside each; on this side the same customers stand again and again."""
    rng, found = np.random.default_rng(8), []
    for date in range(DATES):
        once = 1_000 * (date + 1) + np.arange(LEAVERS + STAYERS)
        left, stayed = once[:LEAVERS], once[LEAVERS:]
        if side in ("who left", "apart"):
            left = rng.choice(24, LEAVERS, replace=False)
        if side in ("who stayed", "apart"):
            stayed = 100 + rng.choice(60, STAYERS, replace=False)
        if side == "the same on both":
            both = rng.permutation(60)[: LEAVERS + STAYERS]
            left, stayed = both[:LEAVERS], both[LEAVERS:]
        pair = 100 * date + np.append(np.arange(LEAVERS), np.arange(STAYERS) % LEAVERS)
        gone = np.arange(LEAVERS + STAYERS) < LEAVERS
        found.append(pd.DataFrame({"date": date, "customer_id": [*left, *stayed], "pair": pair, "left": gone}))
    return pd.concat(found, ignore_index=True)


@pytest.mark.parametrize(
    ("side", "covered_by_independent_pairs"),
    [("nobody", 0.95), ("who left", 0.72), ("who stayed", 0.85), ("apart", 0.67), ("the same on both", 0.92)],
)
def test_intervals_hold_where_customers_stand_more_than_once(side, covered_by_independent_pairs):
    """A thousand measures of which nothing differs, each with what is a customer's own and what a date's: 95 % of
    the intervals hold the truth, while those of pairs taken as independent do not."""
    rows, rng = often_there(side), np.random.default_rng(3)
    own, of_date = (
        rng.normal(size=(rows[key].nunique(), 1_000))[pd.factorize(rows[key])[0]] for key in ("customer_id", "date")
    )
    values = pd.DataFrame(own + of_date + 0.5 * rng.normal(size=own.shape), index=rows.index).add_prefix("m")
    measures = tuple(replace(LATE, name=name) for name in values)
    table = changes(Matched(rows, values, values * 0, measures, leavers=DATES * LEAVERS, unmatched=0))
    assert ((table["low"] < 0) & (table["high"] > 0)).mean() == pytest.approx(0.95, abs=0.02)
    left = rows["left"]
    apart = values[left].set_axis(rows.loc[left, "pair"]) - values[~left].groupby(rows.loc[~left, "pair"]).mean()
    naive = (apart.mean().abs() < 1.96 * apart.std() / len(apart) ** 0.5).mean()
    assert naive == pytest.approx(covered_by_independent_pairs, abs=0.03)


def test_the_error_by_hand():
    """Who left: 0 and 2 in turns, those beside 0. Of 24 the error is root(24/23)/root(24); were they twelve who
    left twice, with the same each time, that of twelve."""
    pairs = matched_pairs(lambda pair, who: 2.0 * (pair % 2) if who == 0 else 0.0, pairs=24)
    rows = pairs.rows.assign(date=pairs.rows["pair"] // 12)
    who = np.where(rows["left"], rows["pair"] % 12, 99 + rows.index)
    for customers, n in ((rows["customer_id"], 24), (who, 12)):
        row = changes(replace(pairs, rows=rows.assign(customer_id=customers))).iloc[0]
        assert row["difference"] / row["strength"] == pytest.approx((1 / (n - 1)) ** 0.5, rel=0.1)


def test_few_customers_in_many_pairs_are_not_told():
    pairs = matched_pairs(lambda pair, who: who, pairs=20)
    rows = pairs.rows.assign(date=pairs.rows["pair"] // 9)
    nine = np.where(rows["left"], rows["pair"] % 9, 99 + rows.index)
    assert len(changes(replace(pairs, rows=rows)))
    assert changes(replace(pairs, rows=rows.assign(customer_id=nine))).empty


def test_few_pairs_are_not_told():
    assert changes(matched_pairs(lambda pair, who: who, pairs=9)).empty
    assert changes_by_date(matched_pairs(lambda pair, who: who, pairs=9), ["late_deliveries"]).empty


PURCHASES = """
customer_id order_id  ordered_at   product_id  quantity  net_amount  discount_amount
ann          1         2017-01-22   tea         1         4.00        0
ann          2         2017-01-27   tea         2         8.00        2.00
ann          2         2017-01-27   milk        1         2.00        0
ann          3         2017-02-04   tea         1         6.00        0
bob          4         2017-01-01   milk        1         2.00        0
bob          5         2017-02-08   milk        1         2.00        0
eve          6         2017-01-28   tea         1         4.00        0
eve          7         2017-02-07   tea         1         6.00        0
eve          8         2017-02-08   tea         1         6.00        0
new          9         2017-02-09   tea         1         6.00        0
after        10        2017-02-10   tea         1         9.00        0
"""
PRODUCTS = """
product_id  department  category
tea         drinks      tea
milk        food        dairy
"""
DELIVERIES = """
order_id  promised_at  delivered_at
1         2017-01-23   2017-01-24
2         2017-01-28   2017-01-28
3         2017-02-05   2017-02-07
"""
CASES = """
case_id  customer_id  opened_at    closed_at    satisfaction
1        ann          2017-01-20   2017-01-25   1
2        ann          2017-02-01   2017-02-14   1
3        bob          2017-02-05   2017-02-06   2
"""


@pytest.fixture(scope="module")
def shop(drawn):
    return drawn(
        "2017-03-02", purchases=PURCHASES, products=PRODUCTS, deliveries=DELIVERIES, service_cases=CASES,
        contacts="campaign_id customer_id contacted_at arm\nk1 ann 2017-02-02 treated\nk2 ann 2017-02-02 held_out",
        campaigns="campaign_id starts_at ends_at\nk1 2017-02-01 2017-02-09\nk2 2017-02-01 2017-02-09",
    )  # fmt: skip


@pytest.fixture(scope="module")
def measured(shop, day):
    """As of 10 February, in windows of ten days: recent from 31 January, and up to three before."""
    customers = pd.DataFrame({"customer_id": ["ann", "bob", "new"],
                              "first_day": [day("2017-01-20"), day("2017-01-01"), day("2017-02-09")]})  # fmt: skip
    return recent_and_earlier(shop, dt.date(2017, 2, 10), customers, days=10)


@pytest.mark.parametrize(
    ("measure", "customer", "recent", "earlier"),
    [
        ("purchase_days", "ann", 1, 2),
        ("purchase_days", "bob", 1, 1 / 3),
        ("gap", "ann", 8, 5),
        ("order_value", "ann", 6, 7),
        ("categories", "ann", 1, 2),
        ("categories_per_day", "ann", 1, 1.5),
        ("promotion_share", "ann", 0, 8 / 14),
        ("price_per_unit", "ann", 6, 14 / 4),
        ("late_deliveries", "ann", 1, 1),
        ("late_share", "ann", 1, 0.5),
        ("cases", "ann", 1, 0),
        ("open_cases", "ann", 1, 0),
        ("bad_marks", "ann", 0, 0),
        ("bad_marks", "bob", 1, 0),
        ("contacts", "ann", 1, 0),
    ],
)
def test_measures_by_hand(measured, measure, customer, recent, earlier):
    """ann has been there for one whole window before the recent one; the case of 1 February has no mark yet."""
    assert measured[measure][0][customer] == pytest.approx(recent)
    assert measured[measure][1][customer] == pytest.approx(earlier)


IN_TWO_DEPARTMENTS = """
customer_id order_id  ordered_at   product_id  quantity  net_amount
ann          1         2017-01-22   tea         1         4.00
ann          1         2017-01-22   ice_tea     1         4.00
ann          2         2017-01-27   tea         1         4.00
ann          2         2017-01-27   milk        1         2.00
ann          3         2017-02-04   tea         1         4.00
ann          3         2017-02-04   ice_tea     1         4.00
ann          3         2017-02-04   mystery     1         1.00
"""
TEA_TWICE = "product_id department category\ntea drinks tea\nice_tea frozen tea\nmilk food dairy"


@pytest.mark.parametrize(("measure", "recent", "earlier"), [("categories", 1, 2), ("categories_per_day", 1, 1.5)])
def test_a_category_counts_once_a_day_in_however_many_departments(drawn, day, measure, recent, earlier):
    """Tea from two departments on one day is one category; what nobody knows is none."""
    facts = drawn("2017-02-10", purchases=IN_TWO_DEPARTMENTS, products=TEA_TWICE)
    ann = pd.DataFrame({"customer_id": ["ann"], "first_day": [day("2017-01-20")]})
    found = recent_and_earlier(facts, dt.date(2017, 2, 10), ann, days=10)[measure]
    assert (found[0]["ann"], found[1]["ann"]) == (recent, earlier)


def test_who_is_new_has_no_earlier_time(measured):
    assert all(np.isnan(recent["new"]) and np.isnan(earlier["new"]) for recent, earlier in measured.values())


def test_what_they_used_to_buy_costs_more_now(measured):
    """Tea from 4 to 6 (medians of three lines and more); milk is sold too seldom to say, and little of the basket."""
    assert measured["basket_price"][0]["ann"] == pytest.approx(6 / 4)
    assert np.isnan(measured["basket_price"][0]["bob"])


def test_what_was_dropped(shop):
    customers = pd.DataFrame({"customer_id": ["ann"]})
    table = bought_by_category(shop, dt.date(2017, 2, 10), customers, days=10, level="department")
    assert table.values.tolist() == [["ann", "drinks", 2, 1], ["ann", "food", 1, 0]]


@pytest.mark.parametrize(
    ("met", "sign"),
    [
        ({"late_deliveries": 1, "open_cases": 1}, "after late deliveries"),
        ({"open_cases": 1, "basket_price": 1.2}, "after an open case or a bad mark"),
        ({"bad_marks": 1}, "after an open case or a bad mark"),
        ({"basket_price": 1.05}, "after prices rose"),
        ({"basket_price": 1.04}, "no sign"),
        ({"late_deliveries": np.nan}, "no sign"),
    ],
)
def test_the_first_sign_that_fits(met, sign):
    names = ["late_deliveries", "open_cases", "bad_marks", "basket_price"]
    assert signs(pd.DataFrame([met], columns=names, dtype="float64")).tolist() == [sign]


def test_without_any_of_the_tables_there_are_no_signs():
    assert signs(pd.DataFrame({"gap": [1.0]})) is None


def test_money_that_left(drawn, bought, on):
    """Known until day 60; dates day 51, 41, 31 and so on. ann left on day 41 for good, bob is back, eve came less."""
    purchases = bought(ann=[22, 32, 40], bob=[22, 32, 36, 58], eve=[24, 34, 35, 36, 44, 53, 60], far=[1, 11])
    facts = drawn("2017-03-02", purchases=purchases)
    as_of, stake = on("2017-03-02"), stake_of(facts)
    on_dates = dates(facts, as_of, stake)
    assert [str(date) for date in on_dates[:2]] == ["2017-02-20", "2017-02-10"]
    people = pd.concat([customers_on(facts, date, stake) for date in on_dates], ignore_index=True)
    table = partial_beside_full(people).set_index(partial_beside_full(people)["date"].astype("str"))
    row = table.loc["2017-02-10"]
    assert row[["customers", "left", "partly"]].tolist() == [3, 2, 0]
    assert row["lost_with_left"] == pytest.approx(30 / 3 + 30 / 3)
    gone = people[still_gone(facts, as_of, people, stake)]
    assert gone[["customer_id", "net_sales_365d"]].values.tolist() == [["ann", 30.0], ["far", 20.0]]
    history = gone["date"].map(lambda date: 40.0)
    empty = Matched(people.assign(pair=-1).iloc[:0], pd.DataFrame(), pd.DataFrame(), (), 0, 0)
    lost = losses(gone, empty, {}, history_days=history)
    assert lost[["group", "customers", "net_sales"]].values.tolist() == [
        ["everybody", 2, pytest.approx(50 * 365 / 40)]
    ]
    assert lost["margin"].tolist() == pytest.approx([0.25 * 50 * 365 / 40])
    assert lost["to_a_year"].tolist() == [2]
    whole = losses(gone, empty, {}, history_days=history * 10)
    assert whole[["net_sales", "to_a_year"]].values.tolist() == [[50.0, 0]]
