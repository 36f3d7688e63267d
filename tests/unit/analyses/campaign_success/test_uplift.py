"""Learning whom a contact changes: parts of customers, doubly robust scores, records, and what is left out."""

import json

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.contacted import Contacted, Past
from crm.analyses.campaign_success.uplift import (
    FEWEST_OF_AN_ARM,
    ONLY_LEARNT_FROM,
    Experiments,
    Uplift,
    fit_effect,
    fit_uplift,
    folds_of,
    robust_scores,
    slope_of,
)
from crm.analyses.campaign_success.uplift import UpliftJudged as Judged
from crm.analyses.campaign_success.whom import DISTURBED, LOST, PERSUADABLE, SURE, group_of

COLUMNS = ("purchase_days_182d", "share_bought_on_promotion", "tenure")


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
            "bought": bought, "margin": 10 * bought,
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
    value = fit_effect(experiments, "purchase").value(experiments.known)
    promotion = experiments.rows["share_bought_on_promotion"] == 1
    assert value[promotion].min() > value[~promotion].max()


def test_the_slope_is_that_of_the_groups():
    """In each group effects grow by 2 per unit of the order; that the second group lies higher is not looked at."""
    order, within = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1])
    assert slope_of(np.array([1.0, 3.0, 11.0, 13.0]), order, within) == pytest.approx(2.0)
    assert slope_of(np.array([3.0, 1.0, 3.0, 1.0]), order, within) == 0.0  # never against the order
    assert slope_of(np.array([1.0, 3.0, 1.0, 3.0]), np.zeros(4), within) == 0.0


def judged_of(experiments, target):
    scores = {name: robust_scores(experiments, experiments.outcome(name)) for name in ("margin", "purchase")}
    effects = pd.DataFrame({"target": list(scores), "effect": [scores[name].mean() for name in scores]})
    order = fit_effect(experiments, "purchase").value(experiments.known)
    orders = dict.fromkeys(scores, order)
    return Judged(pd.DataFrame(), effects, target, orders, scores, np.zeros(len(experiments)))


@pytest.mark.parametrize("target", ["purchase", ""], ids=["targeted", "nothing to target on"])
def test_what_is_expected_and_its_record(experiments, target):
    judged = judged_of(experiments, target)
    uplift = fit_uplift(experiments, judged)
    again = Uplift.from_record(json.loads(json.dumps(uplift.as_record())))
    promotion = experiments.rows["share_bought_on_promotion"] == 1
    for name in ("purchase", "margin"):
        expected = uplift.of(experiments.known, name)
        assert (again.of(experiments.known, name) == expected).all()
        assert expected.mean() == pytest.approx(uplift.average[name])
        assert (expected[promotion].mean() > expected[~promotion].mean() + 1e-6) == bool(target)
    without = uplift.chance_without(experiments.known)
    assert (again.chance_without(experiments.known) == without).all()
    assert without.mean() == pytest.approx(0.4, abs=0.06)


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
