"""The model as one object: scores, records, review, and data that teach little."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.contacted import read_contacted
from crm.analyses.campaign_success.model import SCORES, CampaignResponseModel
from crm.analyses.campaign_success.response import fit_response
from crm.analyses.campaign_success.reviewing import REVIEWABLE
from crm.analyses.campaign_success.targeting import learn_targeting
from crm.analyses.standing import Standing
from crm.facts import read_facts

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", "2018-01-01", source="customers = 1_500\nseed = 1"))


@pytest.fixture(scope="module")
def learnt(facts):
    return learn_targeting(facts, read_campaigns(facts, AS_OF), AS_OF, seed=1)


def test_one_row_per_active_customer_and_kind_of_the_last_year(facts, learnt):
    scores = learnt.scores
    assert list(scores.columns) == list(SCORES)
    assert set(scores["kind"]) == {"coupon", "newsletter", "catalogue", "call"}
    assert set(scores.loc[scores["kind"] == "call", "channel"]) == {"phone"}
    assert not scores.duplicated(["customer_id", "kind"]).any()
    assert scores["probability"].between(0, 1).all()
    assert scores.groupby("kind")["rank"].max().eq(scores["customer_id"].nunique()).all()


def test_without_a_target_everybody_has_the_average_and_is_ranked_by_the_chance_to_answer(learnt):
    """1,500 customers tell nothing but the average, and it is said with the numbers."""
    assert learnt.nothing_to_target
    assert learnt.nothing["orders"]["low"] < 0 < learnt.nothing["orders"]["high"]
    average = learnt.effects.set_index("target").loc["purchase", "effect"]
    assert learnt.scores["uplift"].unique() == pytest.approx([average], abs=1e-6)
    first = learnt.scores[learnt.scores["kind"] == "coupon"]
    assert first["probability"].is_monotonic_decreasing
    assert learnt.groups.empty
    assert set(learnt.policy.curve["share"]) >= {0.0, 0.5, 1.0}


def test_a_record_scores_the_same(facts, learnt):
    again = CampaignResponseModel.from_record(json.loads(json.dumps(learnt.model.as_record())))
    assert again.content == learnt.model.content
    pd.testing.assert_frame_equal(again.score(facts, AS_OF), learnt.scores)


def test_nothing_of_the_as_of_date_or_later_is_read(facts, learnt):
    """What review learns as of a day from campaigns read later is what is learnt by reading what was known then."""
    date = dt.date(2017, 9, 10)  # K10 runs, K11 is to come
    contacted = read_contacted(facts, read_campaigns(facts, date), date)
    early = fit_response(contacted, ships=learnt.model.response.ships, seed=1)
    assert early.learnt_from[-1] == "K09"
    assert REVIEWABLE.twin(learnt.model, facts, date).response.as_record() == early.as_record()


def test_review(facts, learnt):
    dates = REVIEWABLE.dates(facts, AS_OF)
    assert dates[0] == dt.date(2017, 10, 24)
    assert dt.date(2016, 4, 22) not in dates  # no campaign had ended before the first
    rows = REVIEWABLE.rows(facts, dates[0])
    assert set(rows["group"]) == {"newsletter"}
    assert rows["customer_id"].is_unique
    twin = REVIEWABLE.twin(learnt.model, facts, dates[0])
    chances = REVIEWABLE.score(twin, facts, dates[0])
    assert len(chances) == len(rows)
    assert chances[rows["outcome"] == 1].mean() > chances[rows["outcome"] == 0].mean()
    today = REVIEWABLE.population(facts, AS_OF)
    assert len(today) == len(REVIEWABLE.score(learnt.model, facts, AS_OF)) == learnt.scores["customer_id"].nunique()
    assert REVIEWABLE.learnt_through(learnt.model.as_record()) == dt.date(2017, 11, 21)
    assert set(learnt.model.population.columns) == {*learnt.model.columns, "score"}


def tables(*, campaigns=2, arms=True, customers=500, held_out=150):
    """Weekly buyers of 2017 and campaigns of 20 days, two months apart; customers answer in turn."""
    ids = [f"{number:03d}" for number in range(customers)]
    days = pd.date_range("2017-01-02", "2017-12-18", freq="21D")
    bought = pd.MultiIndex.from_product([ids, days], names=["customer_id", "ordered_at"]).to_frame(index=False)
    starts = pd.date_range("2017-04-01", periods=campaigns, freq="60D")
    names = [f"k{number}" for number in range(campaigns)]
    contacts = pd.MultiIndex.from_product([names, ids], names=["campaign_id", "customer_id"]).to_frame(index=False)
    arm = np.where(np.tile(np.arange(customers), campaigns) < held_out, "held_out", "treated")
    answers = contacts.iloc[held_out::3].assign(
        responded_at=lambda rows: rows["campaign_id"].map(dict(zip(names, starts, strict=True)))
    )
    return {
        "purchases": bought.assign(order_id=[str(number) for number in range(len(bought))], net_amount=10.0),
        "campaigns": pd.DataFrame({"campaign_id": names, "starts_at": starts}).assign(
            ends_at=starts + pd.Timedelta(days=19), kind="mail", channel="mail"
        ),
        "contacts": contacts.assign(arm=arm if arms else None),
        "responses": answers[["campaign_id", "customer_id", "responded_at"]],
    }  # fmt: skip


def without(name, **more):
    return {key: table for key, table in tables(**more).items() if key != name}


def nobody_answers():
    """Only somebody who was never contacted did."""
    told = tables()
    return told | {"responses": told["responses"].head(1).assign(customer_id="stranger")}


def everybody_answers():
    told = tables(arms=False)
    first = told["campaigns"].set_index("campaign_id")["starts_at"]
    return told | {
        "responses": told["contacts"][["campaign_id", "customer_id"]].assign(
            responded_at=told["contacts"]["campaign_id"].map(first)
        )
    }


@pytest.mark.parametrize(
    ("drawn", "said", "no_response", "no_uplift"),
    [
        (lambda: without("campaigns"), "there is none", "", "no campaign that has ended"),
        (lambda: tables(campaigns=1), "there is one", "", ""),
        (lambda: without("responses"), "", "no table responses", ""),
        (lambda: without("responses", arms=False), "no table responses", "no table responses", "no campaign that"),
        (nobody_answers, "", "0 answered", ""),
        (everybody_answers, "1,000 answered", "1,000 who were contacted 1,000 answered", "no campaign that"),
        (lambda: tables(arms=False), "", "", "no campaign that has ended"),
        (lambda: tables(held_out=1), "", "", "there are 0"),
    ],
    ids=["no campaigns", "one", "no answers known", "nothing known", "nobody", "everybody", "no lot", "arm of one"],
)
def test_data_that_teach_little(company, drawn, said, no_response, no_uplift):
    facts = company(drawn(), "2018-01-01")
    found = learn_targeting(facts, read_campaigns(facts, AS_OF), AS_OF, seed=1)
    assert said in found.why_not
    assert bool(said) == bool(found.why_not) == (found.model is None) == found.scores.empty
    assert no_response in found.why_no_response
    assert no_uplift in found.why_no_uplift
    if found.model is not None:
        assert len(found.scores) == 500
        assert found.scores["probability"].isna().all() == ("no table" in no_response)
        assert found.scores["uplift"].isna().all() == bool(no_uplift)
        assert CampaignResponseModel.from_record(json.loads(json.dumps(found.model.as_record()))).content


def test_the_champion_scores_and_another_is_fitted_beside_it(company):
    facts = company(tables(arms=False), "2018-01-01")
    campaigns = read_campaigns(facts, AS_OF)
    first = learn_targeting(facts, campaigns, AS_OF, seed=1)
    record = json.loads(json.dumps(first.model.as_record()))
    for retrain in (True, False):
        standing = Standing(record, "1", AS_OF, retrain=retrain)
        found = learn_targeting(facts, campaigns, AS_OF, standing=standing, seed=2)
        assert (found.challenger is not None) == retrain
        assert found.model.content == first.model.content
        pd.testing.assert_frame_equal(found.scores, first.scores)
