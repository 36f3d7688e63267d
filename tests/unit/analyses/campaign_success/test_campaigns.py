"""Which campaigns were there, whom did each choose, and what is strange about them?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import CONTACTED, Campaigns, Chosen, read_campaigns
from crm.facts import Facts

AS_OF = dt.date(2017, 6, 1)

PURCHASES = """
customer_id order_id ordered_at net_amount
anna        1        2017-01-05 10
ben         2        2017-01-06 20
"""

# One campaign for each thing that may be strange: the contacts and answers below are of the campaign of that name.
CAMPAIGNS = """
campaign_id     starts_at  ends_at    channel contact_cost
clean           2017-03-01 2017-03-10 email   0.5
early           2017-03-01 2017-03-10 email   -
late            2017-03-01 2017-03-10 pigeon  -
both_arms       2017-03-01 2017-03-10 -       -
outside         2017-03-01 2017-03-10 email   0
beside_a_lot    2017-03-01 2017-03-10 -       -
answers_early   2017-03-01 2017-03-10 -       -
answers_late    2017-03-01 2017-03-10 -       -
uninvited       2017-03-01 2017-03-10 -       -
held_out_answer 2017-03-01 2017-03-10 -       -
answers_often   2017-03-01 2017-03-10 -       -
one_contact     2017-03-01 2017-03-10 -       -
one_treated     2017-03-01 2017-03-10 -       -
one_held_out    2017-03-01 2017-03-10 -       -
all_treated     2017-03-01 2017-03-10 -       -
nobody          2017-03-01 2017-03-10 -       -
rolled_out      2017-03-01 2017-03-10 -       -
touching        2017-03-10 2017-03-12 -       -
afterwards      2017-03-13 2017-03-20 -       -
today           2017-03-05 2017-03-08 -       -
"""
CONTACTS = """
campaign_id     customer_id contacted_at arm
clean           anna        2017-03-01   -
clean           ben         -            -
early           anna        2017-02-27   -
early           ben         2017-03-01   -
late            anna        2017-03-11   -
late            ben         2017-03-10   -
both_arms       anna        -            treated
both_arms       anna        -            held_out
both_arms       ben         -            treated
both_arms       cleo        -            held_out
outside         anna        -            treated
outside         ben         -            held_out
outside         cleo        -            -
beside_a_lot    anna        -            -
beside_a_lot    anna        -            treated
beside_a_lot    ben         -            held_out
answers_early   anna        -            -
answers_late    anna        -            -
uninvited       anna        -            -
held_out_answer anna        -            treated
held_out_answer ben         -            held_out
answers_often   anna        -            -
answers_often   ben         -            -
one_contact     anna        -            -
one_treated     anna        -            treated
one_held_out    anna        -            held_out
all_treated     anna        -            treated
all_treated     ben         -            treated
rolled_out      anna        2017-03-01   treated
rolled_out      ben         2017-03-06   treated
rolled_out      cleo        -            held_out
today           anna        -            -
unheard_of      ben         -            -
unheard_of      cleo        -            -
"""
RESPONSES = """
campaign_id     customer_id responded_at
answers_early   anna        2017-02-28
answers_late    anna        2017-03-11
uninvited       ben         2017-03-05
uninvited       ben         2017-03-06
held_out_answer ben         2017-03-05
answers_often   anna        2017-03-08
answers_often   anna        2017-03-03
answers_often   anna        2017-03-10
answers_often   ben         2017-03-04
unheard_of      dora        2017-03-05
"""


@pytest.fixture(scope="module")
def facts(company: Callable[..., Facts], draw: Callable[[str], pd.DataFrame]) -> Facts:
    """All of the above."""
    drawn = {"purchases": PURCHASES, "campaigns": CAMPAIGNS, "contacts": CONTACTS, "responses": RESPONSES}
    costs = "[money.contact_cost]\nemail = 0.02\nmail = 0.6\n"
    return company({name: draw(table) for name, table in drawn.items()}, AS_OF.isoformat(), costs)


@pytest.fixture(scope="module")
def campaigns(facts: Facts) -> Campaigns:
    """The campaigns, after all are over."""
    return read_campaigns(facts, AS_OF)


def arms_of(chosen: Chosen) -> dict[str, str]:
    return dict(chosen.arms)


@pytest.mark.parametrize(
    ("campaign", "fault", "rows", "example"),
    [
        ("early", "contacted before the campaign starts", 1, "anna"),
        ("late", "contacted after the campaign ends", 1, "anna"),
        ("both_arms", "in both arms", 1, "anna"),
        ("outside", "contacted outside the lot of an experiment", 1, "cleo"),
        ("answers_early", "answered before the campaign starts", 1, "anna"),
        ("answers_late", "answered after the campaign ended", 1, "anna"),
        ("uninvited", "answered without having been contacted", 1, "ben"),
        ("held_out_answer", "answered without having been contacted", 1, "ben"),
    ],
)
def test_each_fault_is_said_once_with_its_customers_and_an_example(campaigns, campaign, fault, rows, example):
    faults = campaigns.of(campaign).faults
    assert faults[["campaign_id", "fault", "rows", "example"]].to_numpy().tolist() == [
        [campaign, fault, rows, example]
    ]


def test_rows_of_a_campaign_that_is_not_there_are_counted_apart(campaigns):
    told = campaigns.strays[["campaign_id", "fault", "rows", "example"]].to_numpy().tolist()
    assert told == [
        ["unheard_of", "contacts of a campaign that is not in the table campaigns", 2, "ben, cleo"],
        ["unheard_of", "answers of a campaign that is not in the table campaigns", 1, "dora"],
    ]


def test_campaigns_in_order_are_without_faults(campaigns):
    faulty = set(campaigns.faults["campaign_id"])
    assert not faulty & {"clean", "answers_often", "one_contact", "all_treated", "nobody", "touching"}


@pytest.mark.parametrize(
    ("campaign", "arms", "randomised", "contacted"),
    [
        ("clean", {"anna": CONTACTED, "ben": CONTACTED}, False, 2),
        ("both_arms", {"ben": "treated", "cleo": "held_out"}, True, 1),
        ("outside", {"anna": "treated", "ben": "held_out", "cleo": CONTACTED}, True, 2),
        ("beside_a_lot", {"anna": "treated", "ben": "held_out"}, True, 1),
        ("one_contact", {"anna": CONTACTED}, False, 1),
        ("one_treated", {"anna": "treated"}, False, 1),
        ("one_held_out", {"anna": "held_out"}, False, 0),
        ("all_treated", {"anna": "treated", "ben": "treated"}, False, 2),
        ("nobody", {}, False, 0),
    ],
)
def test_whom_a_campaign_chose(campaigns, campaign, arms, randomised, contacted):
    chosen = campaigns.of(campaign)
    assert arms_of(chosen) == arms
    assert (chosen.randomised, chosen.contacted) == (randomised, contacted)


def test_the_first_answer_within_the_campaign_counts(campaigns, day):
    def answered(campaign: str) -> list[float]:
        return campaigns.of(campaign).customers["responded"].astype("float64").tolist()

    assert answered("answers_often") == [day("2017-03-03"), day("2017-03-04")]
    assert np.isnan(answered("answers_early") + answered("answers_late")).all()
    assert [campaigns.of(name).uninvited for name in ("answers_often", "uninvited", "held_out_answer")] == [0, 1, 1]


def test_a_contact_without_a_date_was_not_reached_where_others_have_one(campaigns):
    assert campaigns.of("clean").customers["reached"].tolist() == [True, False]
    assert campaigns.of("answers_often").customers["reached"].tolist() == [True, True]


def test_on_an_earlier_date_nothing_from_it_on_is_known(facts):
    found = read_campaigns(facts, dt.date(2017, 3, 5))
    names = [one.campaign.campaign_id for one in found.chosen]
    assert not {"today", "touching", "afterwards"} & set(names)
    assert (len(names), found.later) == (17, 3)
    assert found.of("answers_often").customers["responded"].notna().sum() == 2
    assert found.of("uninvited").uninvited == 0  # they answer on that very day
    assert arms_of(found.of("late")) == {}  # they are contacted later


def test_who_is_contacted_later_is_not_known_yet(facts):
    rolled_out = read_campaigns(facts, dt.date(2017, 3, 5)).of("rolled_out")
    assert arms_of(rolled_out) == {"anna": "treated", "cleo": "held_out"}


def test_a_campaign_that_still_runs_has_the_end_it_will_have(facts):
    clean = read_campaigns(facts, dt.date(2017, 3, 5)).of("clean").campaign
    assert (clean.first_date, clean.last_date, clean.days) == (dt.date(2017, 3, 1), dt.date(2017, 3, 10), 10)


@pytest.mark.parametrize(
    ("campaign", "cost", "assumed"),
    [("clean", 0.5, False), ("early", 0.02, True), ("late", np.nan, True), ("nobody", np.nan, True),
     ("outside", 0.0, False)],
    ids=["its own", "of its channel", "of no known channel", "of no channel", "nothing"],
)  # fmt: skip
def test_the_cost_of_a_contact_is_its_own_else_that_of_its_channel(campaigns, campaign, cost, assumed):
    found = campaigns.of(campaign).campaign
    assert (found.contact_cost, found.cost_assumed) == (pytest.approx(cost, nan_ok=True), assumed)


def test_campaigns_overlap_where_they_share_a_day(campaigns):
    def met(campaign: str) -> set[str]:
        return {one.campaign.campaign_id for one in campaigns.overlapping(campaigns.of(campaign).campaign)}

    assert met("afterwards") == set()
    assert "clean" in met("touching")
    assert "afterwards" not in met("touching")
    assert {"touching", "today", "early"} <= met("clean")
    assert "clean" not in met("clean")


@pytest.mark.parametrize("there", [(), ("campaigns",), ("contacts",)])
def test_without_campaigns_or_contacts_there_is_nothing(company, draw, there):
    drawn = {"purchases": PURCHASES} | {name: {"campaigns": CAMPAIGNS, "contacts": CONTACTS}[name] for name in there}
    found = read_campaigns(company({name: draw(table) for name, table in drawn.items()}, "2017-06-01"), AS_OF)
    assert (found.chosen, found.later, len(found.faults)) == ((), 0, 0)
