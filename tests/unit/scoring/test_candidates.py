"""Whom a programme is for and what a contact is worth: small companies that a reader can reckon by hand."""

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.cross_sell.result import SCORES as CROSS_SELL
from crm.analyses.cross_sell.up_sell import COLUMNS as UP_SELL
from crm.analyses.defection.reasons import SEPARATOR
from crm.config import Programme, read_settings
from crm.errors import SettingsError
from crm.facts import read_facts
from crm.scoring import candidates
from crm.scoring.candidates import COLUMNS, candidates_of

AS_OF = dt.date(2018, 1, 1)
BOUGHT = """
customer_id  ordered_at   net_amount
a            2017-01-02   600
a            2017-12-22   400
b            2017-12-31   400
gone         2017-03-02   1000
gone         2017-06-05   200
little       2017-05-05   40
long_gone    2015-01-01   1600
long_gone    2016-01-05   400
long_gone    2016-01-06   50
"""  # a margin of a quarter; the active: a 250, b 100 in the last year, 175 in the middle


@pytest.fixture(scope="module")
def company(tmp_path_factory, draw):
    home = tmp_path_factory.mktemp("candidates")
    (home / "notebooks").mkdir()
    table = draw(BOUGHT)
    table.assign(order_id=[f"o{place}" for place in table.index]).to_parquet(home / "purchases.parquet", index=False)
    (home / "crm.toml").write_text(
        '[source]\nkind = "files"\n[source.tables.purchases]\npath = "purchases.parquet"\n'
        f"[clock]\nas_of = {AS_OF}\n[money]\ngross_margin = 0.25\n"
    )
    return read_facts(read_settings(home / "crm.toml"))


@pytest.fixture(scope="module")
def scores(draw):
    defection = draw("""
        customer_id  probability  value_at_risk  reasons
        b            0.10         9.1            -
        a            0.50         91             -
        none         0.50         0              -
        unknown      0.50         -              -
    """)
    words = ["", "usually buys every 7 days; last purchase 10 days ago · a case is open · third", "", ""]
    values = draw("""
        customer_id  expected_margin  long_margin
        a            91               900
        b            45.5             500
        gone         9.1              50
        long_gone    -                10
        little       1                5
    """)
    offers = draw("""
        customer_id  item  probability  rank  expected_margin  because  because_share
        b            WINE  0.50         1     2.0              -        -
        a            BEER  0.40         1     1.0              CRISPS   0.771
        a            WINE  0.20         2     3.0              CHEESE   0.6
        b            BEER  0.10         2     2.0              CRISPS   0.771
    """)
    dearer = draw("""
        customer_id  category  probability  expected_extra_margin
        a            TEA       0.30         5.0
        a            COFFEE    0.20         6.0
    """)
    return {
        "defection": defection.assign(reasons=words), "lifetime_value": values, "cross_sell": offers,
        "up_sell": dearer, "segments": None,
    }  # fmt: skip


def asked(kind, **more):
    return Programme(kind=kind, makes_the_difference=0.1, **more)


def of(facts, scores, kind, **more):
    found = candidates_of(facts, AS_OF, "ours", asked(kind, **more), scores)
    assert list(found.customers.columns) == list(COLUMNS)
    return found


def rows(found, *columns):
    return [tuple(row) for row in found.customers[["customer_id", *columns]].itertuples(index=False)]


def test_retain_goes_by_the_margin_at_risk(company, scores):
    found = of(company, scores, "retain", offer="A call")
    assert rows(found, "at_stake", "gain", "chance") == [("a", 56.0, 5.6, 0.05), ("b", 5.6, 0.56, 0.01)]
    assert found.customers["reasons"].tolist() == [
        "usually buys every 7 days, last purchase 10 days ago; a case is open; "
        "brought about 250 USD of margin in the last year",
        "last purchase yesterday; brought about 100 USD of margin in the last year; 10 % likely to leave",
    ]
    assert set(found.customers["offer"]) == {"A call"}
    assert found.said == (
        "A contact is assumed to bring 10 % of what is at stake until 56 days after sending (makes_the_difference), "
        "until a list has been measured.",
        "At stake is the margin at risk of the defection page, for 56 of its 91 days.",
        "That page assumes that a contact keeps 10 % of leavers ([money] kept_by_contact); for this list the share "
        "of the programme counts.",
        "2 with nothing at stake are left out.",
    )


def test_win_back_goes_by_what_they_brought_less_what_they_bring_anyway(company, scores):
    found = of(company, scores, "win_back", measure_after_days=91)
    # gone: 300 of margin in the 305 days since the first purchase; long_gone: 112.50 in 365 days is less than 175
    assert rows(found, "at_stake") == [("gone", round(300 / 305 * 91 - 9.1, 6))]
    assert found.customers["reasons"].tolist() == [
        "brought about 300 USD of margin in the year up to the last purchase; last purchase 210 days ago"
    ]
    assert found.said[1] == (
        "Of 3 customers without a purchase in 56 days, 1 brought as much in the year up to their last purchase as "
        "the active customer in the middle in the last: 175 USD of margin."
    )


def test_the_year_that_counts_is_the_one_up_to_the_last_purchase(company, scores):
    cheap = {**scores, "lifetime_value": None}
    early = candidates_of(company, dt.date(2016, 3, 10), "ours", asked("win_back"), cheap)
    assert rows(early, "at_stake") == [("long_gone", round(112.5 / 365 * 56, 6))]
    assert "Lifetime value is not there: what they would bring anyway is not deducted." in early.said


def test_cross_sell_offers_each_the_item_of_highest_expected_margin(company, scores):
    found = of(company, scores, "cross_sell", offer="10 % off {item}")
    assert rows(found, "item", "offer", "at_stake", "gain", "chance") == [
        ("a", "WINE", "10 % off WINE", 3.0, 0.3, 0.02), ("b", "BEER", "10 % off BEER", 2.0, 0.2, 0.01),
    ]  # fmt: skip
    assert found.customers["reasons"].tolist() == [
        "buys CHEESE, and 60 % of its buyers buy WINE; 20 % likely to buy it within 56 days anyway; "
        "brought about 250 USD of margin in the last year",
        "buys CRISPS, and 77 % of its buyers buy BEER; 10 % likely to buy it within 56 days anyway; "
        "brought about 100 USD of margin in the last year",
    ]


def test_cross_sell_of_one_item(company, scores):
    found = of(company, scores, "cross_sell", item="wine", measure_after_days=28)
    assert rows(found, "offer", "at_stake") == [("a", "WINE", 1.5), ("b", "WINE", 1.0)]
    assert found.customers["reasons"][1].startswith("50 % likely to buy it")
    assert "At stake is the expected margin of the item within 56 days, 28 of them." in found.said
    longer = of(company, scores, "cross_sell", item="wine", measure_after_days=365)
    assert longer.customers["at_stake"].tolist() == [3.0, 2.0], "no more than is expected within the horizon"


def test_up_sell_goes_by_the_extra_margin(company, scores):
    found = of(company, scores, "up_sell", offer="The finer {item}")
    assert rows(found, "item", "offer", "gain", "chance") == [("a", "COFFEE", "The finer COFFEE", 0.6, 0.02)]
    assert found.customers["reasons"][0].startswith("buys the lower-priced line of COFFEE; 20 % likely to buy the")


def test_develop_is_for_the_best_tenth(company, scores):
    by_value = of(company, scores, "develop")
    assert rows(by_value, "at_stake", "gain", "chance") == [("a", 56.0, 5.6, 0.1)]
    assert by_value.customers["reasons"].tolist() == [
        "among the best 10 % by long-term margin; brought about 250 USD of margin in the last year; "
        "last purchase 10 days ago"
    ]
    assert by_value.said[1] == "The best 10 % by long-term margin: 1 of 5."
    by_sales = of(company, {}, "develop")  # gone spent most in the last year
    assert rows(by_sales, "at_stake") == [("gone", round(300 / 305 * 56, 6))]
    assert by_sales.said[1] == "The best 10 % by net sales of the last year: 1 of 4."


def test_events_are_worth_what_a_customer_brings(company, scores):
    found = of(company, scores, "event", event="day", date="01-06")
    assert rows(found, "at_stake") == [("a", 56.0), ("b", 28.0)]
    assert found.customers["reasons"][1] == (
        "on 6 January; brought about 100 USD of margin in the last year; last purchase yesterday"
    )
    assert "Everybody active counts: who bought in the 56 days before 2018-01-01." in found.said
    late = of(company, scores, "event", event="day", date="12-24")
    assert late.customers.empty
    assert late.why_not == "The next 12-24 is on 2018-12-24, and this list is sent from 2018-01-01 to 2018-01-14."


@pytest.fixture
def measured(draw):
    """What contacts add to a and b, as a call, a letter or a note; each kind goes through its channel."""
    return draw("""
        customer_id  kind    channel  uplift  expected_margin_added
        a            note    mail     0.05    3.0
        b            note    mail     0.01    0.5
        a            letter  mail     0.05    2.0
        b            letter  mail     0.01    -0.5
        a            call    phone    0.05    1.0
        b            call    phone    0.01    0.1
    """)


@pytest.mark.parametrize(
    ("more", "gains"),
    [
        ({}, [("a", 2.0)]),
        ({"channels": ["phone", "email"]}, [("a", 1.0), ("b", 0.1)]),
        ({"channels": ["email"]}, [("a", 1.0), ("b", 0.1)]),
        ({"measured_as": "note"}, [("a", 3.0), ("b", 0.5)]),
    ],
    ids=["first_by_mail", "first_by_phone", "none_by_email", "named"],
)
def test_persuade_goes_by_what_all_experiments_together_show(company, scores, measured, more, gains):
    """A loss is nobody's gain; the kind does not hang on the order of rows."""
    for rows_given in (measured, measured[::-1]):
        found = of(company, scores | {"campaign_response": rows_given}, "persuade", **more)
        assert rows(found, "gain") == gains
    assert found.said[0] == "What a contact adds was measured by all experiments together; nothing is assumed of it."
    assert "The gain is of the days of a campaign" in found.said[1]
    assert "it may be read later, 56 days after sending" in found.said[1]


def test_persuade_has_nobody_where_customers_cannot_be_told_apart(company, scores, measured):
    alike = measured.assign(expected_margin_added=1.25)
    found = of(company, scores | {"campaign_response": alike}, "persuade")
    assert found.customers.empty
    assert "customers cannot be told apart yet by what a contact changes" in found.why_not


@pytest.mark.parametrize(
    ("kind", "more", "changed", "why_not"),
    [
        ("retain", {}, {"defection": None}, "goes by the notebook 04_defection, and its scores are not there"),
        ("retain", {}, {"defection": "value_at_risk"}, "its scores have no value_at_risk"),
        ("cross_sell", {}, {"cross_sell": None}, "the notebook 05_cross_sell"),
        ("cross_sell", {}, {"cross_sell": "every row"}, "which scored nobody"),
        ("cross_sell", {"item": "Wime"}, {}, "offered to anybody by the cross-sell scores; the nearest is WINE"),
        ("up_sell", {}, {"up_sell": None}, "the up-sell table of 05_cross_sell, and its scores are not there"),
        ("event", {"event": "birthday"}, {}, "There is no table customers"),
    ],
    ids=["no_scores", "no_column", "no_offers", "empty", "no_such_item", "no_up_sell", "no_attribute"],
)  # fmt: skip
def test_a_programme_with_nothing_to_go_by_says_so(company, scores, kind, more, changed, why_not):
    given = dict(scores)
    for name, what in changed.items():
        given[name] = None if what is None else scores[name].drop(columns=what, errors="ignore")
        if what == "every row":
            given[name] = scores[name].head(0)
    found = of(company, given, kind, **more)
    assert why_not in found.why_not
    assert found.customers.empty
    assert found.said == ()


def test_an_offer_without_an_item_cannot_name_one(company, scores):
    with pytest.raises(SettingsError, match=r"programmes\.ours, of the kind retain, offers '5 % off \{item\}'"):
        of(company, scores, "retain", offer="5 % off {item}")


KINDS = [("retain", {}), ("win_back", {}), ("cross_sell", {}), ("up_sell", {}), ("develop", {}),
         ("event", {"event": "day", "date": "01-06"}),
         ("event", {"event": "joined", "send_within_days": 366})]  # fmt: skip


@pytest.mark.parametrize(("kind", "more"), KINDS, ids=[f"{kind}{n}" for n, (kind, _) in enumerate(KINDS)])
def test_everybody_once_with_a_gain_and_reasons_and_nothing_given_is_changed(company, scores, kind, more):
    before = {name: frame.copy(deep=True) for name, frame in scores.items() if frame is not None}
    customers = of(company, scores, kind, **more).customers
    assert customers["customer_id"].is_unique
    assert customers["customer_id"].is_monotonic_increasing
    assert (customers["gain"] > 0).all()
    assert customers["chance"].between(0, 1).all()
    assert (customers["gain"] <= customers["at_stake"]).all()
    assert customers["reasons"].str.split("; ").str.len().between(1, 3).all()
    assert customers.notna().all(axis=None)
    assert len(customers)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(scores[name], frame)


def test_the_scores_are_read_as_the_analyses_publish_them():
    assert set(candidates._NEEDS["cross_sell"][1]) | {"because", "because_share"} <= set(CROSS_SELL)
    assert set(candidates._NEEDS["up_sell"][1]) <= set(UP_SELL)
    assert candidates.SEPARATOR_OF_DEFECTION == SEPARATOR
