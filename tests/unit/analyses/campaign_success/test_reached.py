"""Whom did each campaign reach, who answered, what did they buy, and what did it cost?"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from crm.analyses.campaign_success.campaigns import CONTACTED, Campaign, Campaigns, Chosen, read_campaigns
from crm.analyses.campaign_success.reached import (
    BY_GROUP,
    COST_OF_CHANNEL,
    COST_STATED,
    COST_UNKNOWN,
    REACHED,
    AroundOf,
    by_group,
    groups_of,
    reached,
    value_tiers,
)
from crm.analyses.campaign_success.windows import around
from crm.facts import Facts

AS_OF = dt.date(2017, 6, 1)

PURCHASES = """
customer_id order_id ordered_at net_amount channel product_id
anna        1        2017-01-05 10         web     tea
anna        2        2017-03-01 20         store   tea
anna        3        2017-03-11 40         store   tea
ben         4        2017-02-20 100        store   cup
ben         5        2017-03-10 7          store   cup
cleo        6        2017-03-04 1000       store   cup
dora        7        2017-05-30 5          store   cup
"""
PRODUCTS = """
product_id department margin_rate
tea        food       0.5
cup        home       -
"""
CAMPAIGNS = """
campaign_id starts_at  ends_at    name   kind  channel contact_cost
before      2016-12-01 2016-12-31 Before -     mail    -
half        2016-12-25 2017-01-07 Half   -     mail    -
spring      2017-03-01 2017-03-10 Spring coupon email  0.5
summer      2017-05-28 2017-06-10 Summer -     pigeon  -
empty       2017-05-29 2017-05-30 Empty  -     mail    -
"""
CONTACTS = """
campaign_id customer_id arm      contacted_at
before      anna        -        -
half        anna        -        -
spring      anna        treated  2017-03-01
spring      ben         treated  -
spring      cleo        held_out -
summer      dora        -        -
"""
RESPONSES = """
campaign_id customer_id responded_at
spring      anna        2017-03-02
spring      cleo        2017-03-04
"""


@pytest.fixture(scope="module")
def facts(company: Callable[..., Facts], draw: Callable[[str], pd.DataFrame]) -> Facts:
    """The tables above; a margin of 10 % where no rate is known, mail for 0.6."""
    drawn = {"purchases": PURCHASES, "products": PRODUCTS, "campaigns": CAMPAIGNS, "contacts": CONTACTS}
    drawn["responses"] = RESPONSES
    money = "[money]\ngross_margin = 0.1\ncontact_cost = {mail = 0.6}\n"
    return company({name: draw(table) for name, table in drawn.items()}, AS_OF.isoformat(), money)


def around_of(facts: Facts, as_of: dt.date = AS_OF) -> AroundOf:
    return functools.cache(lambda campaign: around(facts, campaign, as_of, after_days=7))


@pytest.fixture(scope="module")
def table(facts: Facts) -> pd.DataFrame:
    """What was reached, by campaign."""
    found = reached(read_campaigns(facts, AS_OF), facts, AS_OF, after_days=7, around_of=around_of(facts))
    return found.set_index("campaign_id")


def test_a_campaign_in_numbers_that_can_be_counted_in_the_tables(table):
    spring = table.loc["spring"]
    counts = ["targeted", "held_out", "contacted", "reached", "responded", "uninvited", "days_during", "days_after"]
    assert spring[counts].tolist() == [3, 1, 2, 1, 1, 1, 10, 7]
    assert spring[["name", "kind", "channel", "running"]].tolist() == ["Spring", "coupon", "email", False]
    # During: anna's 20 of tea at 50 %, ben's 7 of a cup at the assumed 10 %. After: anna's 40 of tea.
    money = ["net_sales_during", "margin_during", "net_sales_each_during", "margin_each_during",
             "net_sales_after", "margin_after", "net_sales_each_after", "margin_each_after"]  # fmt: skip
    assert spring[money].tolist() == pytest.approx([27, 10.7, 13.5, 5.35, 40, 20, 20, 10])


def test_the_interval_of_a_rate_is_wilsons(table):
    z, n, share = norm.ppf(0.975), 2, 0.5
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    spring = table.loc["spring"]
    assert spring["response_rate"] == share
    assert [spring["low"], spring["high"]] == pytest.approx([0.5 - half, 0.5 + half])


@pytest.mark.parametrize(
    ("campaign", "cost", "said"),
    [("spring", 1.0, COST_STATED), ("before", 0.6, COST_OF_CHANNEL), ("summer", np.nan, COST_UNKNOWN)],
)
def test_the_cost_says_where_it_comes_from_or_that_nobody_knows(table, campaign, cost, said):
    assert table.loc[campaign, "cost"] == pytest.approx(cost, nan_ok=True)
    assert table.loc[campaign, "cost_is"] == said


def test_a_campaign_that_still_runs_has_no_days_after_it_yet(table):
    summer = table.loc["summer"]
    assert summer["running"]
    # Three days of it: the newest purchase is of the third.
    assert summer[["days_during", "net_sales_during", "days_after"]].tolist() == [3, 5, 0]
    assert np.isnan(summer["net_sales_after"])


def test_a_campaign_nobody_was_chosen_for_costs_nothing_and_has_no_rate(table):
    empty = table.loc["empty"]
    assert empty[["targeted", "contacted", "responded", "cost", "net_sales_during"]].tolist() == [0, 0, 0, 0, 0]
    assert empty[["response_rate", "low", "high", "net_sales_each_during"]].isna().all()


def test_days_before_the_data_begin_are_no_days_without_sales(table):
    assert table.loc["before", ["days_during", "days_after"]].tolist() == [0, 3]
    assert np.isnan(table.loc["before", "net_sales_during"])
    assert table.loc["half", ["days_during", "net_sales_during", "days_after"]].tolist() == [3, 10, 7]


def test_without_answers_nobody_is_said_not_to_have_answered(company, draw):
    drawn = {"purchases": PURCHASES, "campaigns": CAMPAIGNS, "contacts": CONTACTS}
    facts = company({name: draw(table) for name, table in drawn.items()}, AS_OF.isoformat())
    found = reached(read_campaigns(facts, AS_OF), facts, AS_OF, after_days=7, around_of=around_of(facts))
    assert found[["responded", "response_rate", "low", "high", "uninvited"]].isna().all(axis=None)


def test_before_the_first_campaign_the_tables_are_empty(facts):
    campaigns = read_campaigns(facts, dt.date(2016, 11, 1))
    found = reached(campaigns, facts, dt.date(2016, 11, 1), after_days=7, around_of=around_of(facts))
    assert (len(found), tuple(found)) == (0, REACHED)
    groups = groups_of(campaigns, facts, around_of=around_of(facts))
    assert (len(groups), tuple(by_group(campaigns, groups))) == (0, BY_GROUP)


def test_groups_are_those_of_the_campaigns_first_day(facts):
    segments = pd.DataFrame({"customer_id": ["anna", "cleo"], "cluster_name": ["Regulars", "Rare"]})
    groups = groups_of(read_campaigns(facts, AS_OF), facts, around_of=around_of(facts), segments=segments)
    told = groups.set_index(["campaign_id", "customer_id"]).astype("object").where(lambda cells: cells.notna(), "")
    # In March anna had bought tea once, on the web; of two buyers she is in the last half. The data are too young for
    # tiers then, and know nobody in December.
    assert told.loc[("spring", "anna")].tolist() == ["Regulars", "", "food", "web"]
    assert told.loc[("before", "anna")].tolist() == ["Regulars", "", "", ""]
    assert told.loc[("summer", "dora")].tolist() == ["", "none in half a year", "", ""]
    assert ("spring", "cleo") not in told.index  # held out


def test_tiers_are_a_tenth_a_fifth_three_tenths_and_the_others(day):
    sales = pd.Series([50.0] * 10 + [0.0, -3.0], index=[f"c{i:02d}" for i in range(12)])
    sales["c07"] = 60.0
    tiers = value_tiers(sales)
    assert tiers["c07"] == "best 10 %"
    assert tiers.value_counts().to_dict() == {"best 10 %": 1, "next 20 %": 2, "next 30 %": 3, "other 40 %": 4}
    assert tiers[tiers == "next 20 %"].index.tolist() == ["c00", "c01"]  # of equal ones the first names
    assert not {"c10", "c11"} & set(tiers.index)


def drawn_campaign(answers: list[int], name: str = "c") -> Campaigns:
    """One campaign whose contacts answered (1) or did not (0)."""
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{i:02d}" for i in range(len(answers))],
            "arm": CONTACTED,
            "reached": True,
            "responded": [5.0 if one else np.nan for one in answers],
        }
    )
    campaign = Campaign(name, name, "mail", "mail", 0, 10, 0.6, False, np.nan)
    nothing = pd.DataFrame()
    return Campaigns(AS_OF, (Chosen(campaign, customers, 0, nothing),), 0, nothing)


def drawn_groups(segments: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "campaign_id": "c",
            "customer_id": [f"c{i:02d}" for i in range(len(segments))],
            "segment": segments,
            "value_tier": pd.Series([None] * len(segments), dtype="str"),
            "department": "food",
            "channel": pd.Series([None] * len(segments), dtype="str"),
        }
    )


def test_rates_by_group_with_small_groups_put_together():
    answers = [1, 1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1]
    segments = ["A"] * 6 + ["B"] * 3 + ["C"] * 3 + [None] * 5
    told = by_group(drawn_campaign(answers), drawn_groups(segments))
    assert told[["by", "group", "contacted", "responded"]].to_numpy().tolist() == [
        ["segment", "A", 6, 2],
        ["segment", "fewer than 5", 6, 3],
        ["segment", "(unknown)", 5, 1],
    ]  # a department that all share says nothing, tiers and channels are not known
    assert told["response_rate"].tolist() == pytest.approx([2 / 6, 3 / 6, 1 / 5])
    assert (told["low"] < told["response_rate"]).all()
    assert (told["high"] > told["response_rate"]).all()


def test_a_few_in_small_groups_are_not_shown_at_all():
    told = by_group(drawn_campaign([1] * 10), drawn_groups(["A"] * 6 + ["B"] * 2 + ["C"] * 2))
    assert told["group"].tolist() == ["A"]


THREE_CAMPAIGNS = """
campaign customer segment responded
a        c00      Rare    1
a        c01      Rare    0
a        c02      Few     1
b        c02      Few     1
c        c02      Few     1
b        c03      Few     0
c        c03      Few     0
b        c04      Rare    0
b        c05      Rare    1
c        c06      Rare    0
c        c07      Rare    0
c        c00      Rare    0
a        c08      Other   0
b        c08      Other   0
b        c09      Other   0
c        c10      Other   0
"""


def test_a_group_that_is_small_in_each_campaign_is_whole_over_all(draw):
    """Rare are 2, 2 and 3 contacts of 6 customers: shown with all 7. Few are 5 contacts of no more than 2
    customers: put together with the 3 Others, who are 5 customers with them."""
    rows = draw(THREE_CAMPAIGNS)
    chosen = []
    for name, part in rows.groupby("campaign"):
        (one,) = drawn_campaign(part["responded"].astype(int).tolist(), str(name)).chosen
        customers = one.customers.assign(customer_id=part["customer"].tolist())
        chosen.append(dataclasses.replace(one, customers=customers))
    groups = drawn_groups(rows["segment"].tolist())
    groups = groups.assign(campaign_id=rows["campaign"], customer_id=rows["customer"])
    told = by_group(Campaigns(AS_OF, tuple(chosen), 0, pd.DataFrame()), groups)
    assert told[["by", "group", "contacted", "responded"]].to_numpy().tolist() == [
        ["segment", "fewer than 5", 9, 3],
        ["segment", "Rare", 7, 2],
    ]
    assert told["contacted"].sum() == len(rows)


def test_of_complete_journey_every_campaign_is_described(journey):
    as_of = dt.date(2018, 1, 1)
    campaigns = read_campaigns(journey, as_of)
    found = reached(campaigns, journey, as_of, after_days=28, around_of=around_of(journey, as_of))
    assert len(found) == 27
    assert found["contacted"].sum() == 6589
    assert found["running"].sum() == (found["last_date"] >= as_of).sum() == 5
    assert found["cost"].tolist() == pytest.approx((0.6 * found["contacted"]).tolist())
    assert found["response_rate"].between(found["low"], found["high"]).all()
