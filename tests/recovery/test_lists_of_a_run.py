"""The action lists of a real run, held against the source's own tables in plain pandas; and once round the circle."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import pandas as pd
import pytest

from crm.analyses.campaign_success import read_campaigns
from crm.config import read_settings
from crm.facts import read_facts

AS_OF = pd.Timestamp("2018-01-01")


@pytest.fixture(scope="module")
def lists(company_run):
    """Everybody on a list, with the arm."""
    files = [file for file in sorted((company_run.latest / "lists").glob("*.parquet")) if file.stem != "ledger"]
    return pd.concat([pd.read_parquet(file) for file in files], ignore_index=True)


@pytest.fixture(scope="module")
def ledger(company_run):
    return pd.read_parquet(company_run.latest / "lists" / "ledger.parquet")


@pytest.fixture(scope="module")
def source(company_run):
    """A table of the source as it came."""
    folder = next(path.parent for path in (company_run.home / "data").rglob("consents") if path.is_dir())
    return lambda name: pd.read_parquet(folder / name)


def test_each_customer_gets_one_action_at_most(lists):
    assert len(lists) > 500
    assert lists["customer_id"].is_unique
    assert lists["list_id"].nunique() >= 4
    assert (lists["expected_gain"] > lists["cost"]).all()


def test_nobody_is_on_a_list_whose_newest_decision_does_not_allow_it(lists, source):
    consents = source("consents")
    known = consents[pd.to_datetime(consents["recorded_at"]) < AS_OF].copy()
    known = known[known["purpose"].str.contains("marketing", na=False)]
    known = known.sort_values("recorded_at", kind="stable").drop_duplicates(["customer_id", "channel"], keep="last")
    until = pd.to_datetime(lists["send_by"])
    decided = lists[["customer_id", "channel"]].merge(known, on=["customer_id", "channel"], how="left")
    assert decided["granted"].fillna(False).astype("bool").all()
    expires = pd.to_datetime(decided["expires_at"])
    assert (expires.isna() | (expires > until)).all()


def test_budgets_and_capacities_are_kept(lists):
    treated = lists[lists["arm"] == "treated"]
    assert (treated["channel"] == "phone").sum() <= 40
    assert treated.loc[treated["list_id"] == "retain-2018-01-01", "cost"].sum() <= 150
    assert (lists["list_id"] == "convinced-2018-01-01").sum() <= 300


def test_the_file_to_import_holds_the_treated_and_nobody_else(company_run, lists):
    for name, part in lists.groupby("list_id"):
        imported = pd.read_csv(company_run.latest / "lists" / f"{name}.csv", dtype="str")
        assert sorted(imported["customer_id"]) == sorted(part.loc[part["arm"] == "treated", "customer_id"])
        assert imported["reasons"].notna().mean() > 0.9


def test_every_candidate_is_on_a_list_or_in_the_ledger_with_a_reason(lists, ledger):
    assert ledger["reason"].str.len().min() > 5
    on = set(zip(lists["list_id"].str.removesuffix("-2018-01-01"), lists["customer_id"], strict=True))
    out = set(zip(ledger["programme"], ledger["customer_id"], strict=True))
    assert not on & out
    assert len(out) == len(ledger)


def test_the_page_names_nobody(company_run, lists):
    page = (company_run.latest / "07_action_lists.html").read_text()
    assert not [name for name in lists["customer_id"].head(300) if name in page]


def test_a_list_that_was_sent_is_an_experiment_of_a_later_date(company_run, lists):
    name = "next_item-2018-01-01"
    done = subprocess.run(
        [sys.executable, "-m", "crm", "sent", name, "--on", "2018-01-03", "--again"],
        cwd=company_run.home, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    later = dt.date(2018, 4, 1)
    facts = read_facts(read_settings(company_run.home / "crm.toml", as_of=later))
    chosen = read_campaigns(facts, later).of(name)
    part = lists[lists["list_id"] == name]
    assert chosen.randomised
    assert chosen.contacted == (part["arm"] == "treated").sum()
    assert chosen.in_arm("held_out") == (part["arm"] == "held_out").sum()
    assert chosen.campaign.programme == "next_item"
    record = json.loads((company_run.latest / "lists" / f"{name}.json").read_text())
    assert chosen.campaign.expected_gain == pytest.approx(record["expected_gain"], abs=1e-4)
    before = read_facts(read_settings(company_run.home / "crm.toml"))
    assert name not in {one.campaign.campaign_id for one in read_campaigns(before, dt.date(2018, 1, 1)).chosen}
