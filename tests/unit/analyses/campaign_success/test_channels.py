"""Through which channel should each customer be contacted?"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.channels import CHANNELS, CUSTOMERS, best_channels, consents_for_marketing

AS_OF = dt.date(2017, 6, 1)

PURCHASES = """
customer_id order_id ordered_at net_amount
anna        1        2017-01-05 10
"""
# Mail states a cost of its own twice, the newer one counts; e-mail has that of [money]; nobody knows a pigeon's.
CAMPAIGNS = """
campaign_id starts_at  ends_at    channel contact_cost
old         2017-01-01 2017-01-10 mail    0.9
new         2017-03-01 2017-03-10 mail    0.5
letter      2017-04-01 2017-04-10 email   -
bird        2017-04-01 2017-04-10 pigeon  -
"""
CONTACTS = """
campaign_id customer_id
old         anna
"""
SCORES = """
customer_id kind       channel probability expected_margin_added
anna        coupon     email   0.30        1.0
anna        newsletter email   0.40        0.2
anna        catalogue  mail    0.20        2.0
ben         coupon     email   0.10        0.7
ben         catalogue  mail    0.50        1.0
cleo        coupon     email   0.10        -0.5
cleo        catalogue  mail    0.05        0.4
"""
CONSENTS = """
customer_id channel purpose          granted recorded_at expires_at
anna        email   marketing        True    2017-01-01  -
anna        mail    marketing        True    2017-01-01  2017-06-01
ben         email   marketing        False   2017-01-01  -
ben         Mail    Direct-Marketing True    2017-01-01  2017-06-02
cleo        email   marketing        True    2017-01-01  -
cleo        email   marketing        False   2017-05-31  -
cleo        mail    marketing        False   2017-01-01  -
cleo        mail    marketing        True    2017-06-01  -
dora        email   marketing        False   2017-01-01  -
dora        email   marketing        True    2017-01-02  -
emil        email   research         True    2017-01-01  -
fay         email   marketing        True    2017-01-01  -
fay         email   marketing        False   2017-01-01  -
"""


@pytest.fixture(scope="module")
def facts_with(company, draw):
    """Facts of the tables above, with more of them; a contact by e-mail costs 0.1."""

    def read(**more: str):
        drawn = {"purchases": PURCHASES, "campaigns": CAMPAIGNS, "contacts": CONTACTS} | more
        tables = {name: draw(table) for name, table in drawn.items()}
        return company(tables, AS_OF.isoformat(), "[money.contact_cost]\nemail = 0.1\nmail = 3\n")

    return read


@pytest.fixture(scope="module")
def facts(facts_with):
    return facts_with()


@pytest.fixture(scope="module")
def consented(facts_with):
    return facts_with(consents=CONSENTS)


@pytest.fixture
def scores(draw) -> pd.DataFrame:
    return draw(SCORES)


def test_the_best_channel_is_the_one_of_the_highest_margin_minus_cost(facts, scores):
    found = best_channels(scores, read_campaigns(facts, AS_OF), facts, AS_OF)
    columns = ["customer_id", "channel", "kind", "cost", "worth_it", "likeliest", "likeliest_kind"]
    assert found.customers[columns].to_numpy().tolist() == [
        ["anna", "mail", "catalogue", 0.5, True, "email", "newsletter"],  # 2.0 - 0.5 beats 1.0 - 0.1
        ["ben", "email", "coupon", 0.1, True, "mail", "catalogue"],
        ["cleo", "mail", "catalogue", 0.5, False, "email", "coupon"],
    ]
    assert found.customers["net_value"].tolist() == pytest.approx([1.5, 0.6, -0.1])
    assert "no table of consents" in found.said[0]
    assert found.why_not == ""


def test_what_each_channel_is_best_for(facts, scores):
    table = best_channels(scores, read_campaigns(facts, AS_OF), facts, AS_OF).channels
    assert tuple(table) == CHANNELS
    told = table.set_index("channel").loc[["email", "mail"]]
    assert told["allowed"].tolist() == [3, 3]
    assert told["best_for"].tolist() == [1, 2]
    assert told["net_value"].tolist() == pytest.approx([0.6, 1.5])  # ben and anna: cleo is left alone
    assert told["worth_it_for"].tolist() == [1, 1]
    assert told["likeliest_for"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("customer", "channels"),
    [
        ("anna", {"email"}),  # mail lapses on the as-of date
        ("ben", {"Mail"}),  # and here a day later, for a purpose that names marketing
        ("cleo", set()),  # withdrawn on the day before; granted on the day itself, which is not known
        ("dora", {"email"}),  # changed her mind
        ("emil", set()),  # never asked about marketing
        ("fay", set()),  # both on one day: the refusal counts
    ],
)
def test_a_consent_counts_by_its_newest_decision(consented, customer, channels):
    given = consents_for_marketing(consented, AS_OF)
    assert set(given.loc[given["customer_id"] == customer, "channel"]) == channels


def test_nobody_is_offered_a_channel_they_do_not_allow(consented, scores):
    found = best_channels(scores, read_campaigns(consented, AS_OF), consented, AS_OF)
    assert found.customers[["customer_id", "channel", "likeliest"]].to_numpy().tolist() == [
        ["anna", "email", "email"], ["ben", "mail", "mail"]
    ]  # fmt: skip
    assert found.said[0].startswith("1 of 3 customers allow marketing through none of the channels")


def test_where_nobody_consented_to_marketing_nobody_may_be_contacted(facts_with, scores):
    facts = facts_with(consents=CONSENTS.replace("Direct-Marketing", "research").replace("marketing", "research"))
    found = best_channels(scores, read_campaigns(facts, AS_OF), facts, AS_OF)
    assert found.why_not == "Nobody may be contacted."
    assert tuple(found.customers) == CUSTOMERS


def test_without_an_experiment_the_likeliest_channel_is_left(facts, scores):
    unknown = scores.assign(expected_margin_added=np.nan)
    found = best_channels(unknown, read_campaigns(facts, AS_OF), facts, AS_OF)
    assert found.customers["channel"].isna().all()
    assert not found.customers["worth_it"].any()
    assert found.customers["likeliest"].tolist() == ["email", "mail", "email"]
    assert "no experiment" in found.why_not


def test_a_channel_whose_cost_nobody_knows_is_not_chosen_and_named(facts, scores):
    birds = scores.assign(channel=scores["channel"].replace("mail", "pigeon"))
    found = best_channels(birds, read_campaigns(facts, AS_OF), facts, AS_OF)
    assert set(found.customers["channel"]) == {"email"}
    assert "pigeon" in found.said[1]
    assert np.isnan(found.channels.set_index("channel").loc["pigeon", "cost"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda scores: scores.iloc[:0], "No customer has a score"),
        (lambda scores: scores.drop(columns="channel"), "No customer has a score"),
        (lambda scores: scores.assign(channel="mail"), "mail alone"),
        (lambda scores: scores.assign(channel=""), "no channel that is named"),
        (lambda scores: scores.assign(channel=None), "no channel that is named"),
    ],
    ids=["no scores", "no channels", "one channel", "nameless", "missing"],
)
def test_where_there_is_nothing_to_choose_it_says_so(facts, scores, change, why):
    found = best_channels(change(scores), read_campaigns(facts, AS_OF), facts, AS_OF)
    assert why in found.why_not
    assert (tuple(found.customers), tuple(found.channels)) == (CUSTOMERS, CHANNELS)
