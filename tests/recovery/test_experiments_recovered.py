"""Experiments whose truth is planted: do the intervals cover it, and does nothing ever look like something?

Customers, days and amounts are the sample company's; 500 experiments are drawn among them, each at a date and with
arms of its own. A contacted persuadable buys once more with a chance, a contacted do-not-disturb skips the days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.differences import differences
from crm.analyses.campaign_success.looking import half_width
from crm.analyses.campaign_success.pooled import pool
from crm.analyses.campaign_success.randomised import covariates
from crm.engine import to_pandas
from crm.facts import read_facts
from crm.mart import open_mart

CAMPAIGNS = 500
DAYS = 28
CHOSEN = 1_500
TREATED_SHARE = 0.7
PERSUADABLE, PERSUADED = 0.25, 0.35
DISTURBED, SKIPS = 0.05, 0.50


@dataclass(frozen=True)
class World:
    """Purchase days (0 or 1) and net sales, customers x days."""

    days: np.ndarray
    sales: np.ndarray

    def before(self, customers, start):
        """What is known on a day, as the analysis has it."""
        days, sales = self.days[customers, :start], self.sales[customers, :start]
        known = {f"purchase_days_{back}": days[:, -back:].sum(axis=1) for back in (28, 91, 182)}
        known |= {f"net_sales_{back}": sales[:, -back:].sum(axis=1) for back in (28, 91, 182)}
        known |= {"purchase_days_same": known["purchase_days_28"], "net_sales_same": known["net_sales_28"]}
        since = np.argmax(days[:, ::-1] > 0, axis=1) + 1
        tenure = start - np.argmax(days > 0, axis=1)
        return pd.DataFrame(known | {"days_since_last_purchase": since, "tenure": tenure, "promotion_share": 0.0})


@dataclass(frozen=True)
class Drawn:
    """One experiment: who was treated, what they bought day by day, what was known, what a contact adds."""

    treated: np.ndarray
    days: np.ndarray
    sales: np.ndarray
    known: pd.DataFrame
    added_days: float
    added_sales: float


@pytest.fixture(scope="module")
def world(settings_for):
    facts = read_facts(settings_for("sample_company", "2018-01-01", source="customers = 4_000\nseed = 7\n"))
    table = to_pandas(open_mart(facts)["customer_days"].select("customer_id", "day", "net_sales"))
    customer = table["customer_id"].astype("category").cat.codes.to_numpy()
    day = (table["day"] - table["day"].min()).to_numpy()
    days, sales = (np.zeros((customer.max() + 1, day.max() + 1)) for _ in range(2))
    days[customer, day] = 1.0
    sales[customer, day] = table["net_sales"]
    return World(days, sales)


def draw_experiment(rng, world, *, strength, start=None, chosen=CHOSEN):
    """Customers who bought in the half year before, drawn by lot, and what contacting the treated changed."""
    start = start or int(rng.integers(200, world.days.shape[1] - DAYS))
    lately = np.flatnonzero(world.days[:, start - 182 : start].any(axis=1))
    who = rng.choice(lately, min(chosen, len(lately)), replace=False)
    treated = rng.random(len(who)) < TREATED_SHARE
    kind = rng.random(len(who))
    persuadable, disturbed = kind < PERSUADABLE, kind > 1 - DISTURBED
    days = world.days[who, start : start + DAYS].copy()
    sales = world.sales[who, start : start + DAYS].copy()
    past_days, past_sales = world.days[who, :start].sum(axis=1), world.sales[who, :start].sum(axis=1)
    order = past_sales / past_days
    added = persuadable * PERSUADED * strength - disturbed * SKIPS * strength * days.sum(axis=1)
    added_sales = persuadable * PERSUADED * strength * order - disturbed * SKIPS * strength * sales.sum(axis=1)
    skips = treated & disturbed & (rng.random(len(who)) < SKIPS * strength)
    days[skips], sales[skips] = 0.0, 0.0
    buys = np.flatnonzero(treated & persuadable & (rng.random(len(who)) < PERSUADED * strength))
    when = rng.integers(0, DAYS, len(buys))
    np.add.at(days, (buys, when), 1.0)
    np.add.at(sales, (buys, when), order[buys])
    known = covariates(world.before(who, start))
    return Drawn(treated, days, sales, known, float(added.mean()), float(added_sales.mean()))


def outcomes_until(drawn, day):
    return pd.DataFrame(
        {"purchase_days": drawn.days[:, :day].sum(axis=1), "net_sales": drawn.sales[:, :day].sum(axis=1)}
    )


@pytest.fixture(scope="module")
def read(world):
    """One row per experiment and outcome: the planted average effect beside what was found."""
    rng, rows = np.random.default_rng(42), []
    for number in range(CAMPAIGNS):
        drawn = draw_experiment(rng, world, strength=rng.choice([0.5, 1.0, 1.5]))
        found = differences(outcomes_until(drawn, DAYS), drawn.treated, drawn.known)
        truth = {"purchase_days": drawn.added_days, "net_sales": drawn.added_sales}
        rows += [
            (number, name, truth[name], one.effect, one.se, one.low, one.high, one.plain_se, *one.plain_interval)
            for name, one in found.items()
        ]
    columns = ["campaign", "outcome", "truth", "effect", "se", "low", "high", "plain_se", "plain_low", "plain_high"]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize("outcome", ["purchase_days", "net_sales"])
def test_the_interval_covers_the_planted_effect_as_often_as_it_says(read, outcome):
    rows = read[read["outcome"] == outcome]
    covered = ((rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])).mean()
    assert 0.93 <= covered <= 0.97
    assert abs(((rows["effect"] - rows["truth"]) / rows["se"]).mean()) < 0.15  # and it errs to neither side


def test_what_was_known_before_narrows_the_interval_and_never_widens_it(read):
    assert (read["high"] - read["low"] <= read["plain_high"] - read["plain_low"]).all()
    narrowed = 1 - (read["se"] / read["plain_se"]) ** 2
    assert narrowed.median() > 0.15  # a sixth of the customers are saved, or more


def test_several_experiments_together_show_what_one_does_not(read):
    rows = read[read["outcome"] == "purchase_days"]
    covered, wide, narrow = [], [], []
    for number in range(0, CAMPAIGNS, 10):
        some = rows[rows["campaign"].between(number, number + 9)]
        together = pool(some["effect"], some["se"])
        covered.append(together.low <= some["truth"].mean() <= together.high)
        wide.append((some["high"] - some["low"]).mean())
        narrow.append(together.high - together.low)
    assert np.mean(covered) >= 0.9
    assert np.mean(narrow) < np.mean(wide) / 2


def test_a_campaign_that_changes_nothing_is_rarely_believed_even_if_looked_at_every_day(world):
    """The stated rule: each day the interval that allows for looking, after the last day the ordinary one."""
    rng = np.random.default_rng(43)
    believed = {"at the end alone": 0, "by the rule": 0, "by looking with the ordinary interval": 0}
    for _ in range(CAMPAIGNS):
        drawn = draw_experiment(rng, world, strength=0.0)
        past = drawn.known[["purchase_days_same"]]
        others = drawn.known.drop(columns=["purchase_days_same", "net_sales_same"])
        at_end = differences(past, drawn.treated, others)["purchase_days_same"].se
        looks = [
            differences(outcomes_until(drawn, day)[["purchase_days"]], drawn.treated, drawn.known)["purchase_days"]
            for day in range(1, DAYS + 1)
        ]
        ordinary = [one.low > 0 or one.high < 0 for one in looks]
        safe = [abs(one.effect) > half_width(one.se, at_end) for one in looks[:-1]]
        believed["at the end alone"] += ordinary[-1]
        believed["by the rule"] += any(safe) or ordinary[-1]
        believed["by looking with the ordinary interval"] += any(ordinary)
    share = {name: count / CAMPAIGNS for name, count in believed.items()}
    assert share["at the end alone"] <= 0.06
    assert share["by the rule"] <= 0.06
    assert share["by looking with the ordinary interval"] > 0.12  # which is why there is a rule


def test_a_strong_effect_is_seen_before_the_end(world):
    rng, early = np.random.default_rng(44), 0
    for _ in range(40):
        drawn = draw_experiment(rng, world, strength=2.5, chosen=3_000)
        past = differences(drawn.known[["purchase_days_same"]], drawn.treated)["purchase_days_same"].se
        half = outcomes_until(drawn, DAYS // 2)[["purchase_days"]]
        found = differences(half, drawn.treated, drawn.known)["purchase_days"]
        early += found.effect - half_width(found.se, past) > 0
    assert early >= 10


@pytest.mark.parametrize(("treated", "held_out"), [(160, 40), (1_179, 295)])
def test_where_few_buy_and_few_are_held_out_luck_is_no_effect(treated, held_out):
    """A tenth buy, amounts are skewed, and nothing is changed: an effect is seen as seldom as the level says."""
    rng, seen = np.random.default_rng(45), []
    customers = treated + held_out
    for _ in range(CAMPAIGNS):
        lot = rng.permutation(customers) < treated
        bought = rng.random(customers) < 0.1
        came = pd.DataFrame({"bought": bought * 1.0, "net_sales": bought * rng.gamma(0.5, 40, customers)})
        seen.append([(one.low > 0, one.high < 0) for one in differences(came, lot).values()])
    each_side = np.mean(seen, axis=0)
    assert each_side.max() <= 0.04
    assert each_side.sum(axis=1).max() <= 0.06
