"""Whom a contact changes: on planted effects, told from who would answer and from chance, by what is true.

A learner never sees the truth; here it is known of every customer, so that the order that ships is held against it:
the Qini of the true effects, with intervals by customer.
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.contacted import KNOWN, Contacted, Past, read_contacted
from crm.analyses.campaign_success.money import RULES
from crm.analyses.campaign_success.response import BLEND, fit_response, judge_response
from crm.analyses.campaign_success.uplift import (
    ANSWERS,
    APART,
    DR,
    Experiments,
    _answers_apart,
    fit_uplift,
    judge_uplift,
)
from crm.analyses.campaign_success.whom import groups_table, policy_of
from crm.facts import read_facts
from crm.measures.uplift import Judge
from crm.sources.sample_company import read_truth

pytestmark = pytest.mark.slow

VALUE = 12.0
"""Margin of a purchase."""


def draw_experiments(seed, *, customers, effect, campaigns=3, treated_share=0.7, answers=None):
    """Rows as `read_contacted` gives them, with the true effect on the chance of a purchase.

    effect `parts`: contacts win those who buy on promotion (+25 points) and drive the buyers of dear things away
    (-25): on average next to nothing. `constant`: +6 points for everybody. Half of the contacted who buy answer;
    where `answers` is a chance per customer (of promotion, price), it is that part of them. What a purchase brings
    differs from customer to customer, and has nothing to do with what a contact changes.
    """
    rng = np.random.default_rng(seed)
    rate, promotion, price = (
        rng.gamma(2, 0.06, customers),
        rng.beta(1, 2, customers),
        rng.lognormal(1.5, 0.6, customers),
    )
    without = np.clip(1 - np.exp(-4 * rate), 0.27, 0.7)
    true, usual = np.full(customers, 0.06), VALUE * rng.lognormal(0, 0.4, customers)
    part = 0.5 if answers is None else answers(promotion, price)
    if effect == "parts":
        dear = price > np.quantile(price, 0.7)
        true = np.where(dear, -0.25, np.where(promotion > 0.4, 0.25, 0.0))
    parts = []
    for number in range(campaigns):
        treated = rng.random(customers) < treated_share
        bought = rng.random(customers) < without + true * treated
        answered = np.where(treated, bought & (rng.random(customers) < part), np.nan)
        recent = rng.poisson(rate * 26)
        told = {
            "campaign_id": f"E{number}", "kind": "coupon", "channel": "email", "day": 100 * number,
            "ends": 100 * number + 28, "customer_id": [f"c{one:05d}" for one in range(customers)],
            "treated": treated, "randomised": True, "share": treated.mean(), "cost": 0.1,
            "purchase_days_182d": recent, "purchase_days_365d": recent + rng.poisson(rate * 26),
            "days_since_last_purchase": rng.exponential(7 / rate), "share_bought_on_promotion": promotion,
            "price_per_line_365d": price, "tenure": rng.exponential(400, customers), "share_answered": 0.2,
            "usual_margin": usual, "purchase_days": bought.astype(float),
            "responded": answered, "bought": bought.astype(float), "true": true,
            "margin": usual * bought * rng.lognormal(-0.08, 0.4, customers),
        }  # fmt: skip
        parts.append(pd.DataFrame(told))
    rows = pd.concat(parts, ignore_index=True)
    return Contacted(rows, Past(pd.DataFrame()), tuple(name for name in KNOWN if name in rows))


def learn(contacted, seed=1):
    experiments = Experiments.of(contacted, seed=seed)
    return experiments, judge_uplift(contacted, experiments, ships=BLEND, seed=seed)


def true_judge(experiments, true):
    at = experiments.judged
    customers = experiments.rows["customer_id"].to_numpy(dtype="str")[at]
    return Judge(true[at], customers, within=experiments.within[at], seed=1, draws=200)


@pytest.fixture(scope="module")
def parts():
    contacted = draw_experiments(1, customers=2_500, effect="parts")
    return contacted, *learn(contacted)


def test_opposite_effects_in_parts_are_found_though_the_average_is_next_to_nothing(parts):
    """On true gain, ours is above random, and above who would answer, with intervals that exclude zero."""
    contacted, experiments, judged = parts
    assert judged.target
    average = judged.effects.set_index("target").loc["purchase"]
    assert average["low"] < 0.03
    judge, at = true_judge(experiments, contacted.rows["true"].to_numpy()), experiments.judged
    answers = _answers_apart(contacted, experiments, ships=BLEND, seed=1)[at]
    ours = judge.table({"ours": judged.order[at]}).iloc[0]
    best = judge.qini(contacted.rows["true"].to_numpy()[at])
    assert ours["qini_low"] > 0.6 * best
    _, low, _ = judge.gain(judged.order[at], answers)
    assert low > 0


def test_what_is_said_of_them_is_so(parts):
    """The estimated Qini covers the true one; the best part is about those who are won; groups keep their word."""
    contacted, experiments, judged = parts
    true, at = contacted.rows["true"].to_numpy(), experiments.judged
    table = judged.table
    rows = table[(table["learner"] == DR) & (table["judged_on"] == APART)].set_index("target")
    own = true_judge(experiments, true).qini(judged.order[at])
    assert rows.loc[judged.target, "low"] < own < rows.loc[judged.target, "high"]
    uplift = fit_uplift(experiments, judged)
    groups = groups_table(experiments, judged, uplift, contacted.rows[list(contacted.columns)]).set_index("group")
    assert groups.loc["persuadable", "shown_low"] > 0
    assert groups.loc["do not disturb", "shown_high"] < 0
    assert groups["customers"].sum() == len(contacted.rows)
    policy = policy_of(experiments, judged)
    best = policy.curve.set_index("share").loc[policy.best_share]
    assert 0.2 <= policy.best_share <= 0.8
    assert best["low"] > 0
    assert best["over_all_low"] > 0


@pytest.mark.parametrize("seed", [1, 3])
def test_where_everybody_is_changed_alike_there_is_nothing_to_target_on(seed):
    """That is what is said; an order that seems likely all the same is used, held back by how unsure it is.

    Measured: of 80 such worlds 2 are taken for ones to target on, and in 15 some order is used.
    """
    experiments, judged = learn(draw_experiments(seed, customers=1_200, effect="constant"), seed=seed)
    assert judged.target == ""
    row = judged.effects.set_index("target").loc["purchase"]
    assert row["low"] < 0.06 < row["high"]
    uplift = fit_uplift(experiments, judged)
    assert (np.ptp(uplift.of(experiments.known, "purchase")) == 0) == (judged.chosen.rule == "")
    assert judged.chosen.held < 0.75  # what is used all the same is held back: of what seemed so, a part
    assert groups_table(experiments, judged, uplift, experiments.known).empty


def those_whom_a_contact_wins(promotion, price):
    return np.where(promotion > 0.4, 0.8, 0.2)


def those_whom_it_drives_away(promotion, price):
    return np.where(price > np.quantile(price, 0.7), 0.9, 0.2)


@pytest.mark.parametrize("answers", [those_whom_a_contact_wins, those_whom_it_drives_away], ids=["agree", "differ"])
def test_the_money_order_brings_as_much_as_that_of_the_answers_or_more(answers):
    """True money of the best fifth, in which answers tell whom a contact wins, or those whom it drives away."""
    contacted = draw_experiments(2, customers=2_500, effect="parts", answers=answers)
    experiments, judged = learn(contacted)
    assert judged.chosen.rule in RULES
    response = fit_response(contacted, ships=BLEND, seed=1)
    uplift = fit_uplift(experiments, judged, response)
    fresh = draw_experiments(5, customers=10_000, effect="parts", campaigns=1, answers=answers).rows
    money = fresh["true"] * fresh["usual_margin"]
    orders = {"ours": uplift.of(fresh, "margin"), ANSWERS: response.chance(fresh, "coupon")}
    judge = Judge(money.to_numpy(), fresh["customer_id"].to_numpy(dtype="str"), seed=1, draws=200)
    _, low, high = judge.gain(orders["ours"], orders[ANSWERS])
    assert high > 0
    assert low > 0 or answers is those_whom_a_contact_wins
    best = {
        name: money[pd.Series(order).rank(ascending=False).to_numpy() <= 2_000].mean()
        for name, order in orders.items()
    }
    assert best["ours"] > best[ANSWERS] - 0.05 * VALUE


@pytest.fixture(scope="module")
def company(settings_for):
    return read_facts(settings_for("sample_company", "2018-01-01", source="customers = 10_000\nseed = 4"))


def test_the_sample_company(company):
    """Uplift groups hang on a customer's segment by a little, and on what they did with earlier campaigns.

    True Qini, in added orders per customer: ours 0.0074, who would answer 0.0021, a perfect order 0.039; the gain
    over the answers is 0.0053 [0.0020, 0.0084]. That is real, and too little to be seen in 7,000 judged rows, where
    chance alone makes 0.003: by the data there is nothing to target on, and that is said.
    """
    as_of = dt.date(2018, 1, 1)
    contacted = read_contacted(company, read_campaigns(company, as_of), as_of)
    response = judge_response(contacted, seed=1)
    gain = response.gains.set_index(["candidate", "measure"]).loc[(BLEND, "auc")]
    assert response.ships == BLEND
    assert gain["low"] > 0.02
    folder = company.settings.folders.data / "raw" / "sample_company" / "10000-customers-seed-4"
    truth = read_truth(folder, "campaign_effects").set_index(["campaign_id", "customer_id"])["added_orders"]
    experiments, judged = learn(contacted)
    keys = pd.MultiIndex.from_frame(experiments.rows[["campaign_id", "customer_id"]])
    true, at = truth.reindex(keys).to_numpy(dtype="float64"), experiments.judged
    effect = judged.effects.set_index("target").loc["purchase"]
    assert effect["low"] < true.mean() < effect["high"]
    judge, answers = true_judge(experiments, true), _answers_apart(contacted, experiments, ships=BLEND, seed=1)[at]
    ours = judged.orders[DR][at]
    assert judge.table({"ours": ours}).iloc[0]["qini_low"] > 0
    _, low, _ = judge.gain(ours, answers)
    assert low > 0
    assert judged.target == ""
