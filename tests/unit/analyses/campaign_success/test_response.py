"""Who answers: what was known on a campaign's first day, the rule of thumb, levels by kind, and what ships."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.contacted import Contacted, Past, contact_rows
from crm.analyses.campaign_success.response import (
    BLEND,
    CANDIDATES,
    RULE,
    Response,
    fit_response,
    judge_response,
    rule_of_thumb,
    ship,
)

PURCHASES = """
customer_id order_id ordered_at net_amount
anna        1        2017-01-05 10
anna        2        2017-03-03 10
anna        3        2017-05-02 30
ben         4        2017-02-01 20
ben         5        2017-05-20 40
cleo        6        2017-01-07 10
"""
CAMPAIGNS = """
campaign_id starts_at  ends_at    kind   channel
one         2017-03-01 2017-03-10 coupon email
two         2017-04-01 2017-04-10 letter mail
three       2017-05-01 2017-05-10 coupon email
open        2017-06-01 2017-07-10 coupon email
"""
CONTACTS = """
campaign_id customer_id arm
one         anna        -
one         ben         -
two         anna        -
three       anna        treated
three       ben         held_out
three       cleo        treated
open        anna        -
"""
RESPONSES = """
campaign_id customer_id responded_at
one         anna        2017-03-04
three       anna        2017-05-02
open        anna        2017-06-03
"""


@pytest.fixture(scope="module")
def rows(company, draw):
    tables = {"purchases": PURCHASES, "campaigns": CAMPAIGNS, "contacts": CONTACTS, "responses": RESPONSES}
    facts = company({name: draw(text) for name, text in tables.items()}, "2017-06-15")
    as_of = dt.date(2017, 6, 15)
    return contact_rows(facts, read_campaigns(facts, as_of), as_of).set_index(["campaign_id", "customer_id"])


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (("one", "anna"), "received_before", 0),
        (("one", "anna"), "responded", 1),
        (("one", "anna"), "net_sales", 10),
        (("one", "ben"), "responded", 0),
        (("one", "ben"), "bought", 0),
        (("two", "anna"), "received_before", 1),
        (("two", "anna"), "answered_before", 1),
        (("two", "anna"), "received_same_kind", 0),  # the first was a coupon, this is a letter
        (("three", "anna"), "received_before", 2),
        (("three", "anna"), "answered_before", 1),  # on that morning; the answer of 2 May is the outcome
        (("three", "anna"), "received_same_kind", 1),
        (("three", "anna"), "days_since_contact", 30),
        (("three", "ben"), "treated", False),
        (("three", "ben"), "received_before", 1),
        (("three", "cleo"), "days_since_contact", 1_000),
        (("three", "cleo"), "share", 2 / 3),
        # 1 answer of 3 contacts: (1 + 0.5) / (3 + 1) of all; anna has 1 of 2, held to it by one contact
        (("three", "anna"), "share_answered", (1 + 0.375) / 3),
        (("three", "cleo"), "share_answered", 0.375),
    ],
    ids=str,
)
def test_what_was_known_and_what_came(rows, row, column, expected):
    assert rows.loc[row, column] == pytest.approx(expected)


def test_campaigns_that_run_are_not_learnt_from_and_the_held_out_cannot_answer(rows):
    assert set(rows.index.get_level_values("campaign_id")) == {"one", "two", "three"}
    assert np.isnan(rows.loc[("three", "ben"), "responded"])


def test_more_was_bought_when_contacted_than_usual(rows):
    """anna bought once in the 10 days of the first campaign, where 1 purchase day of 55 lets expect 10 / 55; and not
    in those of the second, where 2 of 86 let expect 20 / 86. The mean is held to nought by one campaign."""
    expected = ((1 - 10 / 55) + (0 - 20 / 86)) / 3
    assert rows.loc[("three", "anna"), "more_when_contacted"] == pytest.approx(expected)


def test_the_rule_is_the_share_answered_then_who_bought_last(draw):
    known = draw("""
    customer_id share_answered days_since_last_purchase
    anna        0.5            90
    ben         0.4            1
    cleo        0.5            10
    dora        0.4            -
    """)
    assert np.argsort(-rule_of_thumb(known)).tolist() == [2, 0, 1, 3]


def drawn(seed, sizes=(600, 600, 600, 80), answer=(0.4, 0.4, 0.4, 0.15)):
    """Campaigns one after the other; those who buy on promotion answer three times as often, whatever their past."""
    rng, parts = np.random.default_rng(seed), []
    for number, (size, share) in enumerate(zip(sizes, answer, strict=True)):
        promotion = rng.random(size)
        told = {
            "campaign_id": f"c{number}", "kind": "call" if number == 3 else "mail", "day": 40 * number,
            "ends": 40 * number + 28, "customer_id": [f"{one:04d}" for one in rng.choice(1_200, size, replace=False)],
            "treated": True, "randomised": False, "share_bought_on_promotion": promotion,
            "share_answered": rng.choice([0.2, 0.4], size), "days_since_last_purchase": rng.integers(1, 60, size),
            "responded": (rng.random(size) < np.where(promotion > 0.5, share, share / 3)).astype(float),
        }  # fmt: skip
        parts.append(pd.DataFrame(told))
    columns = ("share_bought_on_promotion", "share_answered", "days_since_last_purchase")
    return Contacted(pd.concat(parts, ignore_index=True), Past(pd.DataFrame()), columns)


def test_what_beats_the_rule_on_later_campaigns_ships():
    judged = judge_response(drawn(1), seed=1)
    assert judged.ships == BLEND
    assert list(dict.fromkeys(judged.table["campaign_id"])) == ["c3", "c2", "c1"]
    assert set(judged.table["candidate"]) == set(CANDIDATES)
    gains = judged.gains.set_index(["candidate", "measure"])
    assert gains.loc[(BLEND, "auc"), "low"] > 0.05


def test_what_does_not_beat_the_rule_does_not_ship():
    """Where nothing but the rule's own columns is there, a learner can at best say the same."""
    rows = drawn(2).rows.assign(share_bought_on_promotion=0.5)
    alike = judge_response(
        Contacted(rows, Past(pd.DataFrame()), ("share_answered", "share_bought_on_promotion")), seed=1
    )
    assert alike.ships == RULE
    assert ship(alike.gains.iloc[:0]) == RULE
    assert alike.campaigns == 3


def test_a_kind_with_little_data_borrows():
    """Calls are answered by a tenth of 80, letters by a quarter: the level lies between, nearer to their own."""
    contacted = drawn(3)
    fit = fit_response(contacted, ships=BLEND, seed=1)
    rows = contacted.rows
    calls = rows["kind"] == "call"
    came, letters = rows.loc[calls, "responded"].mean(), rows.loc[~calls, "responded"].mean()
    said = fit.chance(rows[calls], "call").mean()
    assert came < said < letters
    new = fit.chance(rows[calls], "never seen")
    assert np.allclose(new, fit.chance(rows[calls], ""))
    assert fit.chance(rows, list(rows["kind"])).mean() == pytest.approx(rows["responded"].mean(), abs=0.02)


def test_a_record_says_the_same():
    contacted = drawn(4)
    fit = fit_response(contacted, ships=BLEND, seed=1)
    again = Response.from_record(json.loads(json.dumps(fit.as_record())))
    for name in CANDIDATES:
        assert (again.chance(contacted.rows, "mail", name) == fit.chance(contacted.rows, "mail", name)).all()


@pytest.mark.parametrize(
    ("responded", "share"), [(0.0, 0.5 / 1881), (1.0, 1880.5 / 1881)], ids=["nobody", "everybody"]
)
def test_nobody_or_everybody_answered(responded, share):
    contacted = drawn(5)
    same = Contacted(contacted.rows.assign(responded=responded), contacted.past, contacted.columns)
    assert judge_response(same, seed=1).table.empty
    fit = fit_response(same, ships=BLEND, seed=1)
    assert fit.chance(same.rows, "mail")[0] == pytest.approx(share)


def test_no_row_at_all():
    nothing = Contacted(drawn(1).rows.iloc[:0], Past(pd.DataFrame()), ())
    assert judge_response(nothing, seed=1).ships == RULE
    assert np.isnan(fit_response(nothing, ships=RULE, seed=1).share)
