"""How should the next campaign be drawn, so that it can be said afterwards what it caused?"""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.power import NormalIndPower, normal_power_het

from crm.analyses.campaign_success.planning import (
    AUDIENCE,
    BREAK_EVEN,
    CHOICES,
    CURVE,
    LOWER,
    PROFIT,
    SHOWN,
    TENTH,
    expected_profit,
    hold_out_choices,
    plan_next,
    power_curve,
    power_of,
    power_of_shares,
    smallest_audience,
    smallest_audience_of_shares,
    smallest_effect,
    smallest_effect_of_shares,
    usual_margin,
)

CASES = [
    (1000, 5.0, 30.0, 0.5),
    (1000, 5.0, 30.0, 0.1),
    (20_000, -1.0, 50.0, 0.05),
    (400, 0.1, 30.0, 0.3),
    (50, 40.0, 20.0, 0.2),
]


@pytest.mark.parametrize(("audience", "effect", "sd", "share"), CASES)
def test_power_is_that_of_statsmodels_with_unequal_arms(audience, effect, sd, share):
    held_out = audience * share
    theirs = NormalIndPower().power(
        effect_size=abs(effect) / sd, nobs1=held_out, alpha=0.05, ratio=(1 - share) / share
    )
    assert power_of(audience, effect, sd, share) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize(
    ("effect", "sd", "share", "power", "level"),
    [(5.0, 30.0, 0.5, 0.8, 0.05), (1.0, 50.0, 0.1, 0.9, 0.05), (-2.0, 20.0, 0.3, 0.8, 0.01)],
)
def test_the_smallest_audience_is_the_first_whole_number_that_has_the_power(effect, sd, share, power, level):
    found = smallest_audience(effect, sd, share, power, level)
    assert found == int(found)
    assert power_of(found, effect, sd, share, level=level) >= power - 1e-9
    assert power_of(found - 1, effect, sd, share, level=level) < power
    theirs = NormalIndPower().solve_power(
        effect_size=abs(effect) / sd, alpha=level, power=power, ratio=(1 - share) / share
    )
    assert found == pytest.approx(theirs / share, abs=1)
    assert smallest_effect(found, sd, share, power=power, level=level) == pytest.approx(abs(effect), rel=1e-3)


def test_a_textbook_case():
    """Half and half, an effect of half a standard deviation: 63 in each part (z 1.96 and 0.84)."""
    assert smallest_audience(0.5, 1.0, 0.5) == 126


@pytest.mark.parametrize(("skewed", "off"), [(False, 0.02), (True, 0.04)], ids=["normal", "skewed"])
def test_as_many_experiments_show_the_effect_as_was_said(skewed, off):
    """4,000 drawn experiments of 1,500 customers, a fifth held out; skewed amounts show it a little less often."""
    rng, audience, share, sd = np.random.default_rng(1), 1500, 0.2, 40.0
    effect = smallest_effect(audience, sd, share)
    held_out = round(audience * share)
    amounts = rng.gamma(1.0, sd, (4000, audience)) if skewed else rng.normal(0.0, sd, (4000, audience))
    amounts[:, held_out:] += effect
    left, contacted = amounts[:, :held_out], amounts[:, held_out:]
    error = np.sqrt(left.var(axis=1, ddof=1) / held_out + contacted.var(axis=1, ddof=1) / (audience - held_out))
    shown = np.abs(contacted.mean(axis=1) - left.mean(axis=1)) > 1.96 * error
    assert shown.mean() == pytest.approx(0.8, abs=off)


@pytest.mark.parametrize(
    ("audience", "usual", "effect", "share"),
    [(2000, 0.1, 0.04, 0.5), (5000, 0.3, 0.03, 0.2), (800, 0.5, -0.1, 0.1), (3000, 0.02, 0.0, 0.5)],
)
def test_power_of_shares_is_that_of_statsmodels(audience, usual, effect, share):
    ratio = (1 - share) / share
    spread = math.sqrt(usual * (1 - usual) + (usual + effect) * (1 - usual - effect) / ratio)
    theirs = normal_power_het(abs(effect), audience * share, 0.05, std_null=spread, std_alternative=spread)
    assert power_of_shares(audience, usual, effect, share) == pytest.approx(theirs, abs=1e-12)


def test_shares_by_simulation():
    rng, usual, gain, share = np.random.default_rng(2), 0.2, 0.05, 0.3
    audience = smallest_audience_of_shares(usual, gain, share)
    held_out = round(audience * share)
    left = rng.binomial(held_out, usual, 20_000) / held_out
    contacted = rng.binomial(audience - held_out, usual + gain, 20_000) / (audience - held_out)
    error = np.sqrt(left * (1 - left) / held_out + contacted * (1 - contacted) / (audience - held_out))
    assert (np.abs(contacted - left) > 1.96 * error).mean() == pytest.approx(0.8, abs=0.01)
    assert smallest_effect_of_shares(audience, usual, share) == pytest.approx(gain, rel=1e-2)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (power_of(1000, 5.0, 30.0, 0.0), 0.0),
        (power_of(1000, 5.0, 30.0, 1.0), 0.0),
        (power_of(0, 5.0, 30.0, 0.5), 0.0),
        (power_of(1000, 0.0, 30.0, 0.5), 0.05),
        (power_of(1000, 1.0, 0.0, 0.5), 1.0),
        (power_of(1000, 0.0, 0.0, 0.5), 0.0),
        (power_of(1000, math.nan, 30.0, 0.5), math.nan),
        (power_of(1000, 5.0, math.nan, 0.5), math.nan),
        (power_of_shares(1000, 0.9, 0.2, 0.5), math.nan),
        (smallest_audience(0.0, 30.0, 0.5), math.inf),
        (smallest_audience(5.0, 30.0, 0.0), math.inf),
        (smallest_audience(math.nan, 30.0, 0.5), math.nan),
        (smallest_audience(5.0, math.nan, 0.5), math.nan),
        (smallest_audience(5.0, 0.0, 0.5), 2.0),
        (smallest_effect(1000, 30.0, 0.0), math.inf),
        (smallest_effect_of_shares(20, 0.9, 0.5), math.nan),
    ],
)
def test_what_cannot_be_shown_is_infinite_and_what_is_not_known_missing(found, expected):
    assert found == pytest.approx(expected, nan_ok=True)


def test_a_power_curve_rises_with_the_audience_and_the_effect():
    curve = power_curve({"small": 1.0, "large": 3.0}, [500, 1000, 2000], sd=20.0, held_out_share=0.2)
    assert tuple(curve) == CURVE
    small, large = (curve[curve["planned_for"] == name]["power"] for name in ("small", "large"))
    assert small.is_monotonic_increasing
    assert (large.to_numpy() > small.to_numpy()).all()
    assert curve[["contacted", "held_out"]].head(3).to_numpy().tolist() == [[400, 100], [800, 200], [1600, 400]]


def test_holding_out_more_shows_more_and_forgoes_more():
    choices = hold_out_choices(1000, 2.0, sd=20.0, cost=0.5, low=1.0, high=3.0, shares=(0.1, 0.2, 0.5))
    assert tuple(choices) == CHOICES
    assert choices["power"].is_monotonic_increasing
    assert choices["smallest_effect"].is_monotonic_decreasing
    assert choices[["forgone", "forgone_low", "forgone_high"]].to_numpy().tolist() == [
        [150.0, 50.0, 250.0], [300.0, 100.0, 500.0], [750.0, 250.0, 1250.0]
    ]  # fmt: skip


def test_leaving_people_alone_saves_money_where_a_contact_costs_more_than_it_brings():
    assert (hold_out_choices(1000, 0.5, sd=20.0, cost=4.0)["forgone"] < 0).all()


def test_the_expected_profit_is_margin_minus_cost_with_its_interval():
    row = expected_profit(1000, 2.0, 1.0, 3.0, cost=1.5, held_out_share=0.2).iloc[0]
    assert tuple(row.index) == PROFIT
    assert row.drop("chance_of_profit").tolist() == [800, 1600, 800, 2400, 1200, 400, -400, 1200]
    assert row["chance_of_profit"] == pytest.approx(0.8365, abs=1e-4)  # 0.5 above, error 0.5102: z 0.98


@pytest.mark.parametrize(
    ("effect", "low", "high", "cost", "chance"),
    [(2, 2, 2, 1, 1.0), (1, 1, 1, 2, 0.0), (2, math.nan, math.nan, 1, math.nan), (2, 1, 3, math.nan, math.nan)],
    ids=["surely", "surely not", "no interval", "no cost"],
)
def test_the_chance_of_profit(effect, low, high, cost, chance):
    found = expected_profit(100, effect, low, high, cost=cost)["chance_of_profit"].iloc[0]
    assert found == pytest.approx(chance, nan_ok=True)


def regulars(customers: int, *, steady: bool = True, days: int = 200) -> pd.DataFrame:
    """Customers who each buy once a week for an amount of their own (or, not steady, of the week's chance)."""
    rng = np.random.default_rng(3)
    weeks = np.arange(0, days, 7)
    who, when = np.repeat(np.arange(customers), len(weeks)), np.tile(weeks, customers)
    own = rng.gamma(4, 5, customers)[who] if steady else rng.gamma(4, 5, len(who))
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in who],
            "order_id": [str(i) for i in range(len(who))],
            "ordered_at": pd.Timestamp("2017-01-01") + pd.to_timedelta(when, unit="D"),
            "net_amount": np.round(own + rng.normal(0, 0.1, len(who)), 2),
        }
    )


AS_OF = dt.date(2017, 7, 16)


@pytest.fixture(scope="module")
def steady(company):
    """Two hundred customers who buy for the same amount every week."""
    return company({"purchases": regulars(200)}, AS_OF.isoformat(), "[money]\ngross_margin = 0.5\n")


def test_the_usual_margin_is_that_of_active_customers_and_the_window_before_tells_most_of_it(steady):
    usual = usual_margin(steady, AS_OF, days=28)
    purchases = regulars(200)
    known = purchases[purchases["ordered_at"] < pd.Timestamp(AS_OF)]
    last = known[known["ordered_at"] >= pd.Timestamp(AS_OF) - pd.Timedelta(days=28)]
    each = 0.5 * last.groupby("customer_id")["net_amount"].sum()
    assert usual.customers == 200
    assert usual.margin == pytest.approx(each.mean(), abs=1e-4)
    assert usual.sd == pytest.approx(each.std(), abs=1e-4)
    assert usual.sd_adjusted < 0.05 * usual.sd


def test_where_nothing_was_shown_break_even_and_a_tenth_are_planned_for_and_it_is_said(steady):
    plan = plan_next(steady, AS_OF, cost=0.6)
    assert plan.audiences["planned_for"].tolist() == [TENTH, BREAK_EVEN]
    assert plan.audiences["effect"].tolist() == pytest.approx([0.1 * plan.usual.margin, 0.6])
    assert plan.planned_for == TENTH
    assert "a tenth of what a customer usually brings" in plan.said[0]
    assert "pays a contact (0.60)" in plan.said[1]
    assert plan.profit.empty  # no forecast
    assert plan.choices["forgone"].isna().all()
    assert plan.audience_available == 200
    adjusted, plain = plan.audiences["smallest_audience_adjusted"], plan.audiences["smallest_audience"]
    assert (adjusted < plain).all()


def test_an_effect_that_was_shown_is_planned_for_with_the_lower_end_of_its_interval(steady):
    plan = plan_next(
        steady, AS_OF, effect=(2.0, 1.0, 3.0), sd=20.0, sd_adjusted=10.0, cost=0.6, audience_available=5000
    )
    assert plan.audiences["planned_for"].tolist() == [SHOWN, LOWER]
    assert plan.audiences["smallest_audience"].tolist() == [
        smallest_audience(effect, 20.0, 0.2) for effect in (2.0, 1.0)
    ]
    assert plan.audiences["power_adjusted"].iloc[0] == power_of(5000, 2.0, 10.0, 0.2)
    assert plan.enough
    assert plan.profit[["profit", "profit_low", "profit_high"]].iloc[0].tolist() == pytest.approx([5600, 1600, 9600])


@pytest.mark.parametrize("effect", [(0.0, -1.0, 1.0), (-2.0, -3.0, -1.0)], ids=["none", "harm"])
def test_no_gain_is_planned_for_that_no_campaign_has_shown(steady, effect):
    plan = plan_next(steady, AS_OF, effect=effect, cost=0.6)
    assert plan.planned_for == TENTH
    assert plan.said[2] == f"The effect found, {effect[0]:,.2f} per contacted customer, is not above zero."


def test_without_a_cost_a_tenth_of_the_usual_margin_is_left(steady):
    plan = plan_next(steady, AS_OF)
    assert plan.planned_for == TENTH
    assert "not known" in plan.said[1]


def test_before_anybody_has_bought_nothing_is_planned_and_nothing_breaks(steady):
    plan = plan_next(steady, dt.date(2016, 1, 1))
    assert (plan.audience_available, plan.enough, len(plan.audiences)) == (0, False, 0)
    assert tuple(plan.audiences) == AUDIENCE
    assert "Too few customers are active" in plan.said[-1]


def test_what_comes_later_changes_no_plan(company, steady):
    purchases = regulars(200)
    cut = dt.date(2017, 5, 1)
    before = purchases[purchases["ordered_at"] < pd.Timestamp(cut)]
    short = company({"purchases": before}, cut.isoformat(), "[money]\ngross_margin = 0.5\n")
    assert usual_margin(short, cut) == usual_margin(steady, cut)
