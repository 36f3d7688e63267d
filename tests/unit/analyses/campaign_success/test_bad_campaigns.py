"""Strange campaigns: each gets a verdict with its reason, and nothing raises."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success import analyse_campaigns
from crm.errors import NotEnoughData
from crm.publishing import publish

AS_OF = dt.date(2018, 1, 1)
CUSTOMERS = [f"c{number:03d}" for number in range(400)]
ENDED = {"starts_at": "2017-09-04", "ends_at": "2017-10-01"}


def bought(*, until="2017-12-31", more=None):
    """Everybody buys about every other week; `more`: customers who buy twice as often in September."""
    chance, rows = np.random.default_rng(5), []
    last = (pd.Timestamp(until) - pd.Timestamp("2017-01-01")).days
    for customer in CUSTOMERS:
        days = set(chance.choice(last, 26, replace=False).tolist())
        days |= {247 + 3 * step for step in range(9)} if more is not None and customer in more else set()
        rows += [(customer, f"{customer}-{day}", day, round(float(chance.gamma(4, 5)), 2)) for day in sorted(days)]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "day", "net_amount"])
    table["ordered_at"] = pd.Timestamp("2017-01-01") + pd.to_timedelta(table.pop("day"), unit="D")
    return table


def a_campaign(name="k", **columns):
    return pd.DataFrame(
        {"campaign_id": [name], **{key: [value] for key, value in {**ENDED, **columns}.items()}}
    ).assign(
        starts_at=lambda table: pd.to_datetime(table["starts_at"]),
        ends_at=lambda table: pd.to_datetime(table["ends_at"]),
    )


def chosen(customers, arms=None, campaign="k"):
    return pd.DataFrame({"campaign_id": campaign, "customer_id": customers, "arm": arms or [None] * len(customers)})


def by_lot(customers, share=0.5, seed=3):
    lot = np.random.default_rng(seed).random(len(customers)) < share
    return ["treated" if one else "held_out" for one in lot]


def read(company, contacts, *, campaigns=None, purchases=None, responses=None, more=""):
    tables = {
        "purchases": bought() if purchases is None else purchases,
        "campaigns": a_campaign() if campaigns is None else campaigns,
        "contacts": contacts,
    }
    if responses is not None:
        tables["responses"] = responses
    found = analyse_campaigns(company(tables, AS_OF.isoformat(), more), AS_OF)
    assert found.findings  # every sentence can be written
    return found


@pytest.mark.parametrize(
    ("contacts", "evidence", "word", "because"),
    [
        (chosen(CUSTOMERS[:1]), "observational", "cannot tell", "contacted"),
        (chosen(CUSTOMERS), "observational", "cannot tell", "nobody is left"),
        (chosen(CUSTOMERS, ["treated"] * 400), "observational", "cannot tell", "nobody is left"),
        (chosen(CUSTOMERS, ["held_out"] * 400), "none", "cannot tell", "nobody was contacted"),
        (chosen(CUSTOMERS[:3], ["treated", "treated", "held_out"]), "experiment", "cannot tell", "each needs two"),
        (chosen(CUSTOMERS[:4], ["treated", "held_out"] * 2), "experiment", "cannot tell", "holds both"),
    ],
    ids=["one contact", "everybody", "everybody treated", "nobody treated", "an arm of one", "arms of two"],
)
def test_too_little_to_compare(company, contacts, evidence, word, because):
    verdict = read(company, contacts).of("k").verdict
    assert (verdict.evidence, verdict.word) == (evidence, word)
    assert because in verdict.because


def test_an_effect_is_found_and_paid(company):
    arms = by_lot(CUSTOMERS)
    treated = [customer for customer, arm in zip(CUSTOMERS, arms, strict=True) if arm == "treated"]
    campaigns = a_campaign(contact_cost=2.0, held_out_share=0.5)
    found = read(company, chosen(CUSTOMERS, arms), campaigns=campaigns, purchases=bought(more=set(treated)))
    reading = found.of("k")
    assert reading.verdict.word == "caused more"
    assert reading.experiment.lot.fair
    # Recomputed in plain pandas: purchase days from the first day of the campaign to the last, by arm.
    days = bought(more=set(treated)).assign(day=lambda table: table["ordered_at"].dt.normalize())
    days = days[days["day"].between("2017-09-04", "2017-10-01")].drop_duplicates(["customer_id", "day"])
    counted = days.groupby("customer_id").size().reindex(CUSTOMERS, fill_value=0).to_numpy()
    lot = np.array(arms) == "treated"
    assert reading.experiment.main.plain == pytest.approx(counted[lot].mean() - counted[~lot].mean())
    assert reading.profit.cost == 2.0 * lot.sum()
    assert reading.profit.profit == pytest.approx(
        reading.experiment.of("margin")["effect"] * lot.sum() - 2.0 * lot.sum()
    )
    assert "caused more (k)" in found.findings.pick("verdicts")[0].sentence


def test_a_lot_that_was_none_claims_nothing(company):
    """Half were to be held out, a tenth were; and who was contacted had bought more before."""
    arms = by_lot(CUSTOMERS, share=0.9)
    found = read(company, chosen(CUSTOMERS, arms), campaigns=a_campaign(held_out_share=0.5))
    verdict = found.of("k").verdict
    assert verdict.word == "cannot tell"
    assert "no lot's luck" in verdict.because
    assert np.isnan(found.of("k").profit.margin)
    assert found.findings.pick("unfair_lot")


def test_arms_that_were_unlike_before_claim_nothing(company):
    first = bought().groupby("customer_id")["net_amount"].sum().sort_values()
    arms = ["treated" if first[customer] > first.median() else "held_out" for customer in CUSTOMERS]
    verdict = read(company, chosen(CUSTOMERS, arms)).of("k").verdict
    assert (verdict.word, "unlike before" in verdict.because) == ("cannot tell", True)


def test_a_customer_in_both_arms_is_left_out_and_counted(company):
    arms = by_lot(CUSTOMERS)
    contacts = pd.concat(
        [chosen(CUSTOMERS, arms), chosen(CUSTOMERS[:1], ["held_out" if arms[0] == "treated" else "treated"])]
    )
    found = read(company, contacts)
    assert found.campaigns.faults["fault"].tolist() == ["in both arms"]
    assert CUSTOMERS[0] not in set(found.of("k").chosen.customers["customer_id"])


def test_answers_of_people_nobody_contacted_are_counted_apart(company):
    responses = pd.DataFrame(
        {"campaign_id": "k", "customer_id": ["c000", "c399", "nobody"], "responded_at": pd.Timestamp("2017-09-10")}
    )
    found = read(company, chosen(CUSTOMERS[:200]), responses=responses)
    row = found.reached.iloc[0]
    assert (row["responded"], row["uninvited"]) == (1, 2)


def test_a_running_campaign_is_not_read_before_its_end(company):
    campaigns = a_campaign(starts_at="2017-12-11", ends_at="2018-02-01")
    found = read(company, chosen(CUSTOMERS, by_lot(CUSTOMERS)), campaigns=campaigns)
    reading = found.of("k")
    assert reading.verdict.word == "not yet readable"
    assert len(reading.looks) == 14
    ordinary = reading.looks["ordinary_high"] - reading.looks["ordinary_low"]
    assert (reading.looks["high"] - reading.looks["low"] > ordinary).all()
    assert reading.smallest_seen > 0
    assert "runs until 2018-02-01" in found.findings.pick("running")[0].sentence


def test_overlapping_campaigns_are_said(company):
    campaigns = pd.concat([a_campaign(), a_campaign("other", starts_at="2017-09-20", ends_at="2017-10-20")])
    contacts = pd.concat([chosen(CUSTOMERS, by_lot(CUSTOMERS)), chosen(CUSTOMERS[:300], campaign="other")])
    found = read(company, contacts, campaigns=campaigns)
    assert found.findings.pick("overlap")
    treated, held_out = found.of("k").experiment.lot.elsewhere
    assert treated == pytest.approx(held_out, abs=0.1)


def test_nothing_after_the_as_of_date_is_read(company):
    """Purchases, contacts and answers of the time after change nothing."""
    arms = by_lot(CUSTOMERS)
    tables = {"purchases": bought(), "campaigns": a_campaign(), "contacts": chosen(CUSTOMERS, arms)}
    later = bought().assign(ordered_at=pd.Timestamp("2018-02-01"), order_id=lambda t: "later-" + t["order_id"])
    before = analyse_campaigns(company(tables, AS_OF.isoformat()), AS_OF)
    tables["purchases"] = pd.concat([tables["purchases"], later])
    tables["campaigns"] = pd.concat([a_campaign(), a_campaign("next", starts_at="2018-01-15", ends_at="2018-02-15")])
    after = analyse_campaigns(company(tables, AS_OF.isoformat()), AS_OF)
    pd.testing.assert_frame_equal(before.summary, after.summary)


def test_without_campaigns_it_is_refused(company):
    with pytest.raises(NotEnoughData, match="at least 1 campaign with contacts"):
        analyse_campaigns(company({"purchases": bought()}, AS_OF.isoformat()), AS_OF)


def test_what_it_says_can_be_published(company):
    facts = company(
        {"purchases": bought(), "campaigns": a_campaign(), "contacts": chosen(CUSTOMERS, by_lot(CUSTOMERS))},
        AS_OF.isoformat(),
    )
    found = analyse_campaigns(facts, AS_OF)
    draft = publish(
        "06_campaign_success",
        settings=facts.settings,
        run_folder="",
        findings=found.findings,
        headline=found.headline,
        measures=found.measures,
        scores={"campaign_response": found.scores},
    )
    assert "verdicts" in draft.findings


def test_answers_that_would_have_bought_anyway_are_recomputed(company):
    """A hundred of the treated answer; how many more bought is told from the arms, in plain numbers."""
    arms = by_lot(CUSTOMERS)
    treated = [name for name, arm in zip(CUSTOMERS, arms, strict=True) if arm == "treated"]
    answers = pd.DataFrame(
        {"campaign_id": "k", "customer_id": treated[:100], "responded_at": pd.Timestamp("2017-09-10")}
    )
    found = read(company, chosen(CUSTOMERS, arms), purchases=bought(more=set(treated)), responses=answers)
    effect = found.of("k").experiment.of("bought")
    caused, half = (number * len(treated) for number in (effect["effect"], (effect["high"] - effect["low"]) / 2))
    told = found.findings["anyway"].values
    assert told["answered"] == 100
    assert told["caused"] == pytest.approx(caused)
    assert told["share"] == pytest.approx(1 - caused / 100)
    assert [told["low"], told["high"]] == pytest.approx(
        [1 - (caused + half) / 100, min(1 - (caused - half) / 100, 1)]
    )
