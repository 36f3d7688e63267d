"""Learning whom a contact changes: parts of customers, doubly robust scores, records, and what is left out."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.contacted import Contacted, Past
from crm.analyses.campaign_success.money import BOTH, DR, Chosen
from crm.analyses.campaign_success.response import BLEND, fit_response
from crm.analyses.campaign_success.uplift import (
    FEWEST_OF_AN_ARM,
    ONLY_LEARNT_FROM,
    Experiments,
    Uplift,
    fit_effect,
    fit_uplift,
    folds_of,
    robust_scores,
)
from crm.analyses.campaign_success.uplift import UpliftJudged as Judged
from crm.analyses.campaign_success.whom import DISTURBED, LOST, PERSUADABLE, SURE, group_of

COLUMNS = ("purchase_days_182d", "share_bought_on_promotion", "tenure", "usual_margin")


def drawn(seed=1, *, customers=600, treated=(0.5, 0.8), effect=0.3):
    """Two experiments with the same customers; a contact moves those who buy on promotion by `effect`, and no others.

    The second experiment has a higher level altogether, which is no effect.
    """
    rng, parts = np.random.default_rng(seed), []
    promotion = (rng.random(customers) < 0.5).astype(float)
    for number, share in enumerate(treated):
        arm = rng.random(customers) < share
        bought = (rng.random(customers) < 0.3 + 0.2 * number + effect * promotion * arm).astype(float)
        told = {
            "campaign_id": f"E{number}", "kind": "mail", "day": 50 * number, "ends": 50 * number + 28,
            "customer_id": [f"{one:04d}" for one in range(customers)], "treated": arm, "randomised": True,
            "share": arm.mean(), "cost": 0.1, "purchase_days_182d": rng.poisson(3, customers),
            "share_bought_on_promotion": promotion, "tenure": rng.exponential(300, customers),
            "share_answered": 0.2, "days_since_last_purchase": 10.0, "responded": np.where(arm, bought, np.nan),
            "bought": bought, "purchase_days": bought, "margin": 10 * bought, "usual_margin": 10.0,
        }  # fmt: skip
        parts.append(pd.DataFrame(told))
    return Contacted(pd.concat(parts, ignore_index=True), Past(pd.DataFrame()), COLUMNS)


@pytest.fixture(scope="module")
def experiments():
    return Experiments.of(drawn(), seed=1)


def test_a_customer_is_in_one_part_in_all_experiments(experiments):
    rows = experiments.rows.assign(fold=experiments.fold)
    assert (rows.groupby("customer_id")["fold"].nunique() == 1).all()
    assert set(rows.loc[experiments.judged, "fold"]) == {2, 3, 4, 5}
    assert ONLY_LEARNT_FROM == 2
    assert (folds_of(pd.Series(list("cab")), 3, seed=9) == folds_of(pd.Series(list("cab")), 3, seed=9)).all()


def test_mean_of_doubly_robust_scores_is_the_effect(experiments):
    """Planted: 0.3 for half of all. Those who buy on promotion 0.3, the others nothing."""
    scores = robust_scores(experiments, experiments.outcome("purchase"))
    promotion = experiments.rows["share_bought_on_promotion"] == 1
    noise = scores.std() / np.sqrt(promotion.sum())
    assert scores[promotion].mean() == pytest.approx(0.3, abs=3 * noise)
    assert scores[~promotion].mean() == pytest.approx(0.0, abs=3 * noise)


def test_the_learner_puts_those_first_who_are_moved(experiments):
    value = fit_effect(experiments).value(experiments.known)
    promotion = experiments.rows["share_bought_on_promotion"] == 1
    assert value[promotion].min() > value[~promotion].max()


def judged_of(experiments, rule):
    outcomes = ("margin", "purchase", "orders")
    scores = {name: robust_scores(experiments, experiments.outcome(name)) for name in outcomes}
    order = fit_effect(experiments).value(experiments.known)
    orders = {DR: order, BOTH: order}
    spreads = {"changed": float(order.std()), "answering": 0.1}
    nothing = np.zeros(len(experiments))
    chosen = Chosen(rule, 0.9, sure=bool(rule))
    return Judged(pd.DataFrame(), pd.DataFrame(), chosen, orders, orders, spreads, 0.0, scores, nothing)


@pytest.mark.parametrize("rule", [DR, BOTH, ""], ids=["targeted", "and by who would answer", "nothing to target on"])
def test_what_is_expected_and_its_record(experiments, rule):
    judged, answers = judged_of(experiments, rule), fit_response(drawn(), ships=BLEND, seed=1)
    uplift = fit_uplift(experiments, judged, answers)
    again = Uplift.from_record(json.loads(json.dumps(uplift.as_record())), answers)
    promotion = experiments.rows["share_bought_on_promotion"] == 1
    for name in ("purchase", "orders", "margin"):
        expected = uplift.of(experiments.known, name)
        assert (again.of(experiments.known, name) == expected).all()
        assert expected.mean() == pytest.approx(uplift.average[name], abs=0.01 * (10 if name == "margin" else 1))
        if rule or name != "margin":
            assert (expected[promotion].mean() > expected[~promotion].mean() + 1e-6) == bool(rule)
    without = uplift.chance_without(experiments.known)
    assert (again.chance_without(experiments.known) == without).all()
    assert without.mean() == pytest.approx(0.4, abs=0.06)


def test_money_is_added_purchase_days_times_what_one_usually_brings(experiments):
    """Of two customers alike but in what a purchase day brings, the one who brings three times as much is worth three
    times as much; where no order is likely and nobody's answers are known, both have the average."""
    pair = experiments.known.iloc[[0, 0]].assign(usual_margin=[5.0, 15.0])
    for rule in (DR, ""):
        uplift = fit_uplift(experiments, judged_of(experiments, rule))
        days, money = uplift.of(pair, "orders"), uplift.of(pair, "margin")
        assert days[0] == days[1]
        assert money.tolist() == pytest.approx(
            [5 * days[0], 15 * days[0]] if rule else [uplift.average["margin"]] * 2
        )


def test_without_a_likely_order_the_average_is_spread_by_who_would_answer(experiments):
    """In proportion to the chance of an answer; everybody has the average where experiments speak against it."""
    answers, known = fit_response(drawn(), ships=BLEND, seed=1), experiments.known
    spread = fit_uplift(experiments, judged_of(experiments, ""), answers)
    money, chance = spread.of(known, "margin"), answers.chance(known, "")
    assert np.ptp(chance) > 0.01
    assert money / money.mean() == pytest.approx(chance / chance.mean())
    assert money.mean() == pytest.approx(spread.average["margin"])
    assert np.ptp(spread.of(known, "purchase")) == 0
    against = replace(judged_of(experiments, ""), chosen=Chosen("", 0.0, sure=False, spread=False))
    assert np.ptp(fit_uplift(experiments, against, answers).of(known, "margin")) == 0


def test_an_arm_of_one_and_too_few_altogether():
    """An experiment in which one customer was held out cannot tell anything, and is left out."""
    contacted = drawn()
    first = (contacted.rows["campaign_id"] == "E0").to_numpy()
    alone = contacted.rows.assign(treated=contacted.rows["treated"].where(~first, np.arange(len(first)) > 0))
    experiments = Experiments.of(Contacted(alone, contacted.past, COLUMNS), seed=1)
    assert experiments.campaigns == ("E1",)
    assert experiments.enough
    few = Experiments.of(Contacted(contacted.rows.head(2 * FEWEST_OF_AN_ARM), contacted.past, COLUMNS), seed=1)
    assert not few.enough
    none = Experiments.of(Contacted(contacted.rows.iloc[:0], contacted.past, ()), seed=1)
    assert (len(none), none.enough) == (0, False)


@pytest.mark.parametrize(
    ("without", "effect", "group"),
    [
        (0.4, 0.02, PERSUADABLE),
        (0.9, 0.05, PERSUADABLE),
        (0.5, 0.01, SURE),
        (0.49, -0.01, LOST),
        (0.9, -0.02, DISTURBED),
    ],
)
def test_groups(without, effect, group):
    assert group_of(np.array([without]), np.array([effect])).tolist() == [group]
