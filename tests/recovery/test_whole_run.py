"""A sample company runs through all of it, and what is published agrees with the truth."""

import json

import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from crm.config import read_settings
from crm.facts import read_facts
from crm.snapshots import snapshot
from crm.sources.sample_company import read_truth

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(company_run):
    return company_run.home


def truth_of(home, name):
    return read_truth(home / "data" / "raw" / "sample_company" / "10000-customers-seed-1", name)


def test_every_notebook_is_complete_with_every_table(home):
    receipt = json.loads((home / "reports" / "latest" / "receipt.json").read_text())
    assert receipt["status"] == "COMPLETE"
    assert {notebook["status"] for notebook in receipt["notebooks"]} == {"COMPLETE"}
    assert len(receipt["source"]["tables"]) == 13


def test_published_segments_recover_the_planted_ones(home):
    """Adjusted Rand index, measured: 0.42 of all who bought within 365 days, 0.76 of those with six purchase days."""
    facts = read_facts(read_settings(home / "crm.toml"))
    days = snapshot(facts, facts.settings.as_of)[["customer_id", "purchase_days_365d"]]
    scores = pd.read_parquet(home / "data" / "scores" / "2018-01-01" / "segments.parquet")
    table = scores.merge(truth_of(home, "customers")[["customer_id", "segment"]], on="customer_id")
    assert len(table) == len(scores)
    bought = table[table["cluster"] != 0]
    assert adjusted_rand_score(bought["segment"], bought["cluster"]) > 0.35
    often = bought.merge(days[days["purchase_days_365d"] >= 6], on="customer_id")
    assert adjusted_rand_score(often["segment"], often["cluster"]) > 0.68


def test_planted_faults_are_on_the_page_to_the_row(home):
    faults = truth_of(home, "faults")
    nobody = faults[(faults["table"] == "purchases") & faults["kind"].str.contains("customer_id")]
    results = json.loads((home / "reports" / "latest" / "results.json").read_text())
    reasons = results["notebooks"]["00_data_quality"]["measures"]["reasons"]
    found = next(r["rows"] for r in reasons if r["table"] == "purchases" and r["reason"] == "customer_id is missing")
    assert found == nobody["rows"].sum()
