"""The 27 campaigns of Complete Journey: each has a verdict, and none claims what its older days contradict."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from crm.analyses.campaign_success import analyse_campaigns
from crm.analyses.campaign_success.verdicts import WORDS
from crm.sources.complete_journey import data_folder


@pytest.fixture(scope="module")
def found(journey):
    return analyse_campaigns(journey, dt.date(2018, 1, 1))


def test_every_campaign_has_a_verdict_with_its_reason(found):
    assert len(found.summary) == 27
    assert set(found.summary["verdict"]) <= set(WORDS)
    assert set(found.summary["evidence"]) == {"observational"}
    assert (found.summary["because"].str.len() > 10).all()


def test_nothing_is_claimed_that_older_days_contradict(found):
    for reading in found.readings:
        if reading.verdict.claimed:
            assert reading.observed.placebo.passed
            assert reading.observed.borne_out(found.judged_by)
            assert "observational" in reading.verdict.evidence


def test_four_of_the_campaigns_that_ended_fail_the_placebo(found):
    failed = {r.chosen.campaign.campaign_id for r in found.readings if r.observed.placebo.passed is False}
    assert {"6", "7", "11", "14"} <= failed
    verdicts = found.summary.set_index("campaign_id")["verdict"]
    assert set(verdicts[["6", "7", "11", "14"]]) == {"cannot tell"}


def test_five_still_run_and_are_not_read(found):
    running = found.summary[found.summary["verdict"] == "not yet readable"]
    assert set(running["campaign_id"]) == {"15", "20", "21", "22", "23"}


def test_contacts_and_answers_are_those_of_the_package(found):
    """Counted again from the package's own tables, in plain pandas."""
    data = data_folder()
    contacts = pd.read_parquet(data / "campaigns.parquet").astype({"campaign_id": "str"})
    redeemed = pd.read_parquet(data / "coupon_redemptions.parquet").astype({"campaign_id": "str"})
    redeemed = redeemed.drop_duplicates(["campaign_id", "household_id"])
    both = contacts.merge(redeemed, on=["campaign_id", "household_id"])
    reached = found.reached.set_index("campaign_id")
    counted = contacts.groupby("campaign_id").size()
    assert reached["contacted"].to_dict() == counted.to_dict()
    answered = both.groupby("campaign_id").size().reindex(counted.index, fill_value=0)
    # A redemption before or after its campaign's days, or on the as-of date, is no answer to it.
    assert (reached["responded"].reindex(counted.index) <= answered).all()
    assert reached["responded"].sum() >= 0.97 * answered.sum()


def test_answers_by_main_department_are_those_of_the_package(found, journey):
    """No contact is lost of a department that is small in each campaign: counted again in plain pandas."""
    data = data_folder()
    products = pd.read_parquet(data / "products.parquet", columns=["product_id", "department"])
    lines = pd.read_parquet(data / "transactions.parquet").merge(products, on="product_id", how="left")
    moment = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(journey.settings.source.timezone)
    lines = lines.assign(day=moment.dt.tz_localize(None).dt.normalize(), net=lines["sales_value"].round(4))
    sums = lines.groupby(["household_id", "day", "department"], as_index=False)["net"].sum()
    answers = pd.read_parquet(data / "coupon_redemptions.parquet")[["household_id", "campaign_id"]].drop_duplicates()
    contacts = pd.read_parquet(data / "campaigns.parquet").merge(answers.assign(answered=1), how="left").fillna(0)
    parts = []
    for campaign in pd.read_parquet(data / "campaign_descriptions.parquet").itertuples():
        begins = pd.Timestamp(campaign.start_date)
        year = sums[(sums["day"] < begins) & (sums["day"] >= begins - pd.Timedelta(days=365))]
        spent = year.groupby(["household_id", "department"], as_index=False)["net"].sum().round({"net": 4})
        spent = spent.sort_values(["household_id", "net", "department"], ascending=[True, False, True])
        part = contacts[contacts["campaign_id"] == campaign.campaign_id]
        parts.append(part.merge(spent.drop_duplicates("household_id"), how="left", on="household_id"))
    counted = pd.concat(parts).groupby("department")["answered"].agg(["size", "sum"])
    told = found.by_group[found.by_group["by"] == "main department"].set_index("group")
    assert told["contacted"].sum() == len(contacts)
    large = ["GROCERY", "DRUG GM", "FUEL", "PRODUCE", "MEAT"]
    assert told.loc[large, ["contacted", "responded"]].to_numpy().tolist() == counted.loc[large].to_numpy().tolist()
    assert told.loc["FUEL", ["contacted", "responded"]].tolist() == [69, 17]


def test_margin_and_cost_are_of_those_who_were_compared(found):
    told = found.summary[found.summary["profit"].notna()]
    assert len(told)
    assert (told["compared"] < told["contacted"]).any()
    assert told["cost"].tolist() == pytest.approx((0.6 * told["compared"]).tolist())


def test_on_no_day_do_as_many_campaigns_run_as_one_meets_over_its_length(found):
    """The most others that one campaign meets are 10; on no day do more than 6 run."""
    table = found.summary
    days = pd.date_range(table["first_date"].min(), table["last_date"].max()).date
    on_a_day = max(int(((table["first_date"] <= day) & (day <= table["last_date"])).sum()) for day in days)
    assert (on_a_day, table["overlapping"].max()) == (6, 10)
    assert "one of them with 10 others in all" in str(found.findings.pick("overlap"))


def test_customers_with_few_purchase_days_are_counted_as_left_out(found):
    lines = pd.read_parquet(data_folder() / "transactions.parquet", columns=["household_id"])
    assert len(found.promotions.customers) + found.promotions.too_few_days == lines["household_id"].nunique() == 2469
    assert found.promotions.too_few_days == 66


def test_who_answers_is_told_better_than_by_the_share_answered_before(found):
    gains = found.targeting.response.gains
    row = gains[(gains["candidate"] == "Blend") & (gains["measure"] == "auc")].iloc[0]
    assert row["low"] > 0
    assert row["ours"] > 0.78


def test_without_a_lot_nothing_is_said_of_whom_a_contact_changes(found):
    assert found.targeting.uplift.empty
    assert found.scores["uplift"].isna().all()
    assert "held customers out by lot" in found.unsaid["uplift"]
