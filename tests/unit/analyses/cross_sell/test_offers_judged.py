"""The item worth most beside the likeliest: by hand, and where what was said is known to be too much."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell.candidates import Looked
from crm.analyses.cross_sell.judging import look_back
from crm.analyses.cross_sell.offers_judged import BEST, LIKELIEST, drawn_means, judge_offers, offers_of

EACH = np.array([1.0, 10.0, 2.0])
NAN = np.nan


def test_by_hand():
    """Ann is likeliest to buy the first item (0.5 x 1) and worth most with the second (0.2 x 10), which she buys."""
    chance = np.array([[0.5, 0.2, 0.1], [0.6, NAN, 0.2], [NAN, NAN, NAN]])
    bought = np.array([[True, True, False], [True, False, False], [False, False, False]])
    table = offers_of(np.array(["ann", "bob", "all"]), chance, bought, EACH)
    assert table["customer_id"].tolist() == ["ann", "bob"]
    ann, bob = table.drop(columns="customer_id").to_dict("records")
    assert ann == {"best_said": 2.0, "best_came": 10.0, "likeliest_said": 0.5, "likeliest_came": 1.0, "other": True}
    assert bob == {"best_said": 0.6, "best_came": 1.0, "likeliest_said": 0.6, "likeliest_came": 1.0, "other": False}
    judged = judge_offers([table], seed=1)
    assert judged.over(BEST)["over"] == pytest.approx(11 / 2.6)
    assert judged.over(LIKELIEST)["over"] == pytest.approx(2 / 1.1)
    assert (judged.others, judged.more) == (1, 9.0)


def test_what_is_not_offered_is_neither_the_likeliest_nor_worth_most():
    chance, bought = np.array([[0.5, 0.9, 0.1]]), np.array([[True, True, False]])
    table = offers_of(np.array(["ann"]), chance, bought, np.array([1.0, NAN, 20.0]))
    assert table[["best_said", "likeliest_said", "other"]].to_numpy().tolist() == [[2.0, 0.5, True]]


def offers_drawn(customers, *, error, seed):
    """Chances that are wrong by chance (log-normal), and buys by the true ones."""
    rng = np.random.default_rng(seed)
    each = rng.gamma(2.0, 5.0, 30)
    true = rng.beta(1.0, 9.0, (customers, 30))
    said = np.clip(true * rng.lognormal(-(error**2) / 2, error, true.shape), 0, 1)
    ids = np.array([f"C{number}" for number in range(customers)])
    return offers_of(ids, said, rng.random(true.shape) < true, each)


def test_true_chances_bring_what_was_said_and_the_highest_of_wrong_ones_bring_less():
    right = judge_offers([offers_drawn(4_000, error=0.0, seed=1)], seed=1).over(BEST)
    assert right["low"] < 1 < right["high"]
    assert right["over"] == pytest.approx(1, abs=0.06)
    wrong = judge_offers([offers_drawn(4_000, error=0.6, seed=1)], seed=1).over(BEST)
    assert wrong["high"] < 0.9


def test_the_same_customers_on_a_second_date_are_no_second_evidence():
    """Twice the same table: as wide as once; twice as many customers: narrower."""
    one, other = offers_drawn(500, error=0.0, seed=2), offers_drawn(1_000, error=0.0, seed=2)

    def width(dates):
        over = judge_offers(dates, seed=3).over(BEST)
        return over["high"] - over["low"]

    assert width([one, one]) == pytest.approx(width([one]))
    assert width([other]) < 0.85 * width([one])


def test_means_of_draws_are_spread_as_the_mean_is():
    values = np.random.default_rng(4).normal(3.0, 2.0, (900, 1))
    means = drawn_means([pd.Series([f"C{number}" for number in range(900)])], [values], seed=5)
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(values.std() / 30, rel=0.1)


def test_nothing_was_offered():
    assert judge_offers([], seed=1) is None
    assert judge_offers([pd.DataFrame()], seed=1) is None


def said(answer, judged, **changed):
    """The finding of an answer whose offers were judged like this."""
    one = replace(answer, judged=replace(answer.judged, offers=judged), **changed)
    return one.findings.pick("offers_judged")


def test_what_is_said_of_them(answer):
    """No range of money where another horizon was judged; nothing of the other offers where they are a handful."""
    many = judge_offers([offers_drawn(400, error=0.3, seed=6)], seed=1)
    sentence = str(said(answer, many))
    assert "expected today that would be" in sentence
    assert "Where another item" in sentence
    assert "Where another item" not in str(said(answer, replace(many, others=4)))
    assert "today" not in str(said(answer, many, horizon_days=answer.horizon_days + 7))
    assert "offers_judged" not in {
        finding.name for finding in replace(answer, judged=replace(answer.judged, offers=None)).findings
    }


def test_the_front_page_says_what_such_offers_brought_with_its_interval(answer):
    """Expected 100, of which 60 % came on judged dates: 60 stands large, 100 in the sentence of the page."""
    many = judge_offers([offers_drawn(400, error=0.3, seed=6)], seed=1)
    one = replace(answer, judged=replace(answer.judged, offers=many))
    expected, over = one.offers["expected_margin"].sum(), many.over(BEST)
    found = one.headline
    assert (found.number, found.low, found.high) == pytest.approx(
        (expected * over["over"], expected * over["low"], expected * over["high"])
    )
    assert found.low < found.number < found.high < expected
    assert f"{expected:,.0f}" in one.findings["expected"].sentence
    assert "95%" in found.interval
    unjudged = replace(one, horizon_days=answer.horizon_days + 7).headline
    assert (unjudged.number, unjudged.low, unjudged.interval) == (pytest.approx(expected), None, "")


def test_judged_offers_are_of_the_margin_that_is_assumed_today(company, drawn, on):
    """Kept under data/mart, and not taken for those of another gross margin."""
    products = drawn.products().drop(columns="margin_rate")
    facts = company({"purchases": drawn.purchases(60), "products": products}, "2018-01-01")
    money = facts.settings.money.model_copy(update={"gross_margin": 0.5})
    dearer = replace(facts, settings=facts.settings.model_copy(update={"money": money}))
    said = [
        look_back(Looked(one, level="category", most=300, days=28), on("2017-11-01"), seed=1).offers["likeliest_said"]
        for one in (facts, dearer)
    ]
    assert said[1].sum() == pytest.approx(said[0].sum() * 0.5 / facts.settings.money.gross_margin)
