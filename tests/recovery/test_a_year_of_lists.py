"""Months of action lists round the whole circle, in a made-up company: what is planned, sent, caused and measured.

Here three months of a small company. It is too small to learn from whom a contact changes, so that its scores are
given: as good as those that a large company learns. What is checked is that the circle closes, that what was planted
is what happened, that the lists bring more than other policies, and that what is measured covers what is true. The
year of a large company, which learns its scores, takes some ten minutes:

    python tests/recovery/a_year.py --customers 40_000
"""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from recovery.a_year import (
    DAYS,
    ENDS,
    OURS,
    POLICIES,
    RANDOM,
    RISK,
    VALUE,
    compare,
    drawn_again,
    found_company,
    incremental,
    live,
    told_in_part,
)

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.periods import day_number

pytestmark = pytest.mark.slow

MONTHS = [dt.date(2017, month, 1) for month in (10, 11, 12)]
COST = 1.0


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return found_company(tmp_path_factory.mktemp("year"), customers=6_000, seed=1)


@pytest.fixture(scope="module")
def year(company):
    return live(company, MONTHS, cost=COST, scored=told_in_part(company))


def test_what_a_month_sent_the_next_reads_as_a_campaign_with_the_arms_of_the_list(company, year):
    facts = company.facts(ENDS, cost=COST, budget=0.0, held_out=0.2)
    campaigns = read_campaigns(facts, ENDS)
    assert year.listed["month"].nunique() == len(MONTHS)
    for list_id, part in year.listed.groupby("list_id"):
        chosen = campaigns.of(list_id)
        arms = chosen.customers.set_index("customer_id")["arm"].sort_index()
        assert chosen.randomised
        assert arms.to_dict() == part.set_index("customer_id")["arm"].to_dict()
        assert (chosen.campaign.starts, chosen.campaign.days) == (day_number(part["month"].iloc[0]), DAYS)
        assert chosen.customers["responded"].notna().any()


def test_what_is_planted_is_what_happened_to_the_contacted_and_to_nobody_else(company, year):
    """Beyond luck: the added margin is within four standard errors of its expectation, summed by customer."""
    rates = pd.read_parquet(company.home / "company" / "products").set_index("product_id")["margin_rate"].fillna(0.25)

    def margin_of(lines):
        some = lines[lines["day"] >= day_number(MONTHS[0])]
        return (some["net_amount"] * some["product_id"].map(rates)).groupby(some["customer_id"]).sum()

    added = margin_of(company.lines).sub(margin_of(company.own), fill_value=0.0)
    treated = year.listed[year.listed["arm"] == "treated"]
    expected = treated.groupby("customer_id")["gain"].sum()
    assert added.drop(expected.index, errors="ignore").abs().max() < 1e-6
    off = added.reindex(expected.index).fillna(0.0) - expected
    assert abs(off.sum()) < 4 * np.sqrt((off**2).sum())
    assert added.abs().sum() > 100


def test_ours_is_worth_more_than_contacting_at_random_the_highest_risk_or_the_highest_value(year):
    """By what is planted, with the same money; intervals by customer exclude zero."""
    spent = year.picked.groupby("month")[list(POLICIES)].sum()
    assert (spent[OURS] <= spent[RANDOM] + 1e-6).all()
    for name in (RISK, VALUE):
        assert np.allclose(spent[name], spent[RANDOM])
    told = compare(year)
    assert told.loc[OURS, "profit"] > 0
    assert (told.loc[[RANDOM, RISK, VALUE], "low"] > 0).all()


def test_the_measured_incremental_margin_covers_the_true_one(company, year):
    _, low, high = incremental(year.measured)
    assert low <= year.measured["true"].sum() <= high
    again = drawn_again(company, year, draws=200)
    covered = ((again["low"] <= again["true"]) & (again["true"] <= again["high"])).mean()
    assert 0.90 <= covered <= 0.99
    off = again["measured"] - again["true"]
    assert abs(off.mean()) < 0.4 * off.std()
