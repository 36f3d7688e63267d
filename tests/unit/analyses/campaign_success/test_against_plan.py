"""Months in which campaigns ran: what was planned, what came, and what campaigns caused of it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.against_plan import CAUSED, COLUMNS, against_plan, over_months
from crm.analyses.campaign_success.campaigns import Campaign, read_campaigns
from crm.periods import day_number

AS_OF = dt.date(2017, 5, 20)

PURCHASES = """
customer_id order_id ordered_at net_amount
anna        1        2017-01-10 10
anna        2        2017-02-01 10
anna        2        2017-02-01 20
anna        3        2017-02-28 30
ben         4        2017-02-28 40
ben         5        2017-03-31 50
ben         6        2017-05-19 60
"""
CAMPAIGNS = """
campaign_id starts_at  ends_at
winter      2017-01-20 2017-02-03
flash       2017-02-10 2017-02-12
spring      2017-04-30 2017-05-30
"""
CONTACTS = """
campaign_id customer_id
winter      anna
"""
PLAN = """
period_start metric    target
2017-01-01   net_sales 100
2017-02-01   net_sales 80
2017-02-01   orders    4
2017-02-01   customers 0
2017-02-01   returns   7
2017-03-01   net_sales 70
2017-04-01   net_sales 90
2017-05-01   net_sales 60
"""


@pytest.fixture(scope="module")
def facts_with(company, draw):
    def read(**drawn: str):
        tables = {name: draw(table) for name, table in ({"purchases": PURCHASES} | drawn).items()}
        if "plan" in tables:
            tables["plan"]["period_start"] = pd.to_datetime(tables["plan"]["period_start"])
        return company(tables, AS_OF.isoformat())

    return read


@pytest.fixture(scope="module")
def facts(facts_with):
    return facts_with(campaigns=CAMPAIGNS, contacts=CONTACTS, plan=PLAN)


@pytest.fixture
def caused(draw) -> pd.DataFrame:
    """Two campaigns in February; of one that nobody knows; and of one that could not be measured."""
    table = draw("""
        campaign_id month      net_sales low  high
        winter      2017-02-01 10        7   14
        flash       2017-02-01 5         1   8
        unheard_of  2017-02-01 1000      900 1100
        flash       2017-04-01 -         -   -
    """)
    return table.assign(month=pd.to_datetime(table["month"]).dt.date)


def test_the_variance_of_each_whole_month_with_a_campaign(facts):
    table = against_plan(facts, AS_OF, read_campaigns(facts, AS_OF))
    assert tuple(table) == COLUMNS
    told = table[["month", "metric", "campaigns", "planned", "actual", "variance"]].to_numpy().tolist()
    # January begins on the tenth, in March no campaign ran, May is not over; April had a campaign and no sales.
    assert told == [
        [dt.date(2017, 2, 1), "net_sales", "winter, flash", 80, 100, 20],
        [dt.date(2017, 2, 1), "orders", "winter, flash", 4, 3, -1],
        [dt.date(2017, 2, 1), "customers", "winter, flash", 0, 2, 2],
        [dt.date(2017, 4, 1), "net_sales", "spring", 90, 0, -90],
    ]
    assert table["variance_share"].tolist() == pytest.approx([0.25, -0.25, np.nan, -1.0], nan_ok=True)
    assert table[["caused", "variance_without"]].isna().all(axis=None)
    assert table["campaigns_measured"].eq(0).all()


def test_what_campaigns_caused_of_it_with_errors_as_independent(facts, caused):
    table = against_plan(facts, AS_OF, read_campaigns(facts, AS_OF), caused)
    sales = table[table["metric"] == "net_sales"].set_index("month").loc[dt.date(2017, 2, 1)]
    assert sales[["caused", "caused_low", "caused_high"]].tolist() == pytest.approx(
        [15, 15 - np.hypot(3, 4), 15 + np.hypot(4, 3)]
    )
    assert (sales["variance_without"], sales["campaigns_measured"]) == (5, 2)
    others = table[(table["metric"] != "net_sales") | (table["month"] == dt.date(2017, 4, 1))]
    assert others["caused"].isna().all()


@pytest.mark.parametrize("nothing", [None, pd.DataFrame(columns=list(CAUSED))], ids=["not given", "empty"])
def test_without_effects_the_plan_is_still_compared(facts, nothing):
    assert len(against_plan(facts, AS_OF, read_campaigns(facts, AS_OF), nothing)) == 4


@pytest.mark.parametrize("lacking", ["plan", "campaigns", "contacts"])
def test_without_a_plan_or_campaigns_the_table_is_empty(facts_with, lacking):
    tables = {"campaigns": CAMPAIGNS, "contacts": CONTACTS, "plan": PLAN}
    del tables[lacking]
    facts = facts_with(**tables)
    table = against_plan(facts, AS_OF, read_campaigns(facts, AS_OF))
    assert (len(table), tuple(table)) == (0, COLUMNS)


def test_on_an_earlier_date_later_months_are_not_known(facts):
    as_of = dt.date(2017, 3, 1)
    table = against_plan(facts, as_of, read_campaigns(facts, as_of))
    assert set(table["month"]) == {dt.date(2017, 2, 1)}
    before = dt.date(2017, 2, 28)
    assert against_plan(facts, before, read_campaigns(facts, before)).empty


@pytest.mark.parametrize(
    ("starts", "length", "days", "months"),
    [
        ("2017-01-20", 15, None, {"2017-01-01": 12 / 15, "2017-02-01": 3 / 15}),
        ("2017-02-10", 3, None, {"2017-02-01": 1.0}),
        ("2017-02-10", 3, 28, {"2017-02-01": 19 / 28, "2017-03-01": 9 / 28}),
    ],
    ids=["two months", "one month", "with days after it"],
)
def test_an_effect_is_laid_over_its_months_by_their_days(starts, length, days, months):
    first = day_number(dt.date.fromisoformat(starts))
    campaign = Campaign("c", "c", "mail", "mail", first, first + length, 0.6, False, np.nan)
    table = over_months(campaign, 100.0, 40.0, 160.0, days=days)
    assert tuple(table) == CAUSED
    assert [month.isoformat() for month in table["month"]] == list(months)
    for column, whole in (("net_sales", 100), ("low", 40), ("high", 160)):
        assert table[column].tolist() == pytest.approx([whole * part for part in months.values()])
