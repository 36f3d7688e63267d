"""What each notebook can say: as its analysis itself would find, so that the check and the run never disagree."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import pytest

from crm.analyses.campaign_success import analyse_campaigns
from crm.analyses.cross_sell import cross_sell_to_customers
from crm.analyses.customer_base import describe_customer_base
from crm.analyses.data_quality import examine_data
from crm.analyses.defection import analyse_defection
from crm.analyses.lifetime_value import value_customers
from crm.analyses.segmentation import segment_customers
from crm.errors import NotEnoughData
from crm.readiness.notebooks import known_requirements, report_notebooks
from crm.scoring import plan_actions

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
HEADER = "customer_id,order_id,ordered_at,net_amount"
ANALYSES = {
    "00_data_quality": examine_data,
    "01_customer_base": describe_customer_base,
    "02_segmentation": segment_customers,
    "03_lifetime_value": value_customers,
    "04_defection": analyse_defection,
    "05_cross_sell": cross_sell_to_customers,
    "06_campaign_success": analyse_campaigns,
    "07_action_lists": functools.partial(plan_actions, scores={}),
}
NO_CAMPAIGNS = ["06_campaign_success", "07_action_lists"]
"""Of purchases alone: no campaign, and no programme in crm.toml."""
NOBODY_ACTIVE = ["04_defection", "05_cross_sell", *NO_CAMPAIGNS]
"""Where all bought in June and it is New Year."""


def buying(customers, days):
    """Every customer buys on each of the first days of June."""
    return [
        HEADER,
        *(f"c{c},o{c}-{d},2017-06-{1 + d:02d},{10 + c + d}" for c in range(customers) for d in range(days)),
    ]


def states(readiness):
    return {state.name: state for state in readiness.notebooks}


def test_every_report_says_what_it_needs():
    assert set(known_requirements()) == set(report_notebooks(NOTEBOOKS))


THIN = [
    # what, customers, days each, as-of date, the notebooks that are impossible
    ("one customer", 1, 5, "2018-01-01", ["02_segmentation", *NOBODY_ACTIVE]),
    ("one purchase", 1, 1, "2018-01-01", ["02_segmentation", *NOBODY_ACTIVE]),
    ("four customers", 4, 5, "2018-01-01", ["02_segmentation", *NOBODY_ACTIVE]),
    ("one day", 30, 1, "2018-01-01", ["02_segmentation", *NOBODY_ACTIVE]),
    ("five customers", 5, 6, "2018-01-01", NOBODY_ACTIVE),
    ("soon after", 30, 5, "2017-07-15", NO_CAMPAIGNS),
    ("before all purchases", 30, 5, "2017-01-01", [*ANALYSES]),
    ("on the second day", 30, 5, "2017-06-02", [name for name in ANALYSES if name >= "02"]),
    ("long after", 30, 5, "2030-01-01", NOBODY_ACTIVE),
]


@pytest.mark.parametrize(
    ("customers", "days", "as_of", "impossible"), [t[1:] for t in THIN], ids=[t[0] for t in THIN]
)
def test_a_report_is_impossible_exactly_where_its_analysis_refuses(company, customers, days, as_of, impossible):
    project = company({"purchases": buying(customers, days)}, as_of=as_of)
    found, facts = states(project.readiness), project.facts
    assert [name for name, state in found.items() if state.status == "impossible"] == impossible
    assert project.readiness.ok == ("01_customer_base" not in impossible)
    for name in impossible:
        with pytest.raises(NotEnoughData) as refused:
            ANALYSES[name](facts, facts.settings.as_of)
        assert str(refused.value) == found[name].because
    for name in set(ANALYSES) - set(impossible):
        ANALYSES[name](facts, facts.settings.as_of)


def test_with_purchases_alone_all_are_reduced_and_say_by_what(company):
    found = states(company({"purchases": buying(30, 3)}, as_of="2017-07-01").readiness)
    assert {name for name, state in found.items() if state.status != "reduced"} == set(NO_CAMPAIGNS)
    missing = {(one.table, one.column): one for one in found["01_customer_base"].missing}
    assert missing["plan", None].why == "not there"
    assert missing["plan", None].adds == "the last full month against plan"
    assert missing["purchases", "channel"].why == "empty"
    assert "purchases.channel" in found["01_customer_base"].because
    assert ("purchases", "net_amount") not in missing


def test_what_is_there_is_not_missing(company):
    lines = [f"{line},web,p1" for line in buying(6, 3)[1:]]
    tables = {"purchases": [f"{HEADER},channel,product_id", *lines], "products": ["product_id,category", "p1,food"]}
    found = states(company(tables).readiness)
    missing = {(one.table, one.column) for one in found["01_customer_base"].missing}
    assert not missing & {("purchases", "channel"), ("purchases", "product_id"), ("products", "category")}
    assert {("products", "department"), ("products", "margin_rate")} <= missing


def test_a_table_that_meets_nothing_adds_nothing(company):
    lines = [f"{line},p1" for line in buying(6, 3)[1:]]
    products = ["product_id,category,department", "q1,food,fresh"]
    found = states(company({"purchases": [f"{HEADER},product_id", *lines], "products": products}).readiness)
    missing = {(one.table, one.column): one.why for one in found["01_customer_base"].missing}
    assert missing["products", "category"] == missing["products", "department"] == "meets nothing"


@pytest.fixture
def folder(tmp_path):
    """A folder of notebooks of its own; call it with names and what each needs."""
    place = tmp_path / "own notebooks"

    def fill(own, *, copied=()):
        place.mkdir()
        for name in copied:
            shutil.copy(NOTEBOOKS / f"{name}.ipynb", place)
        for name, needs in own.items():
            (place / f"{name}.ipynb").write_text(json.dumps({"cells": [], "metadata": {"crm": {"needs": needs}}}))
        return place

    return fill


def test_a_notebook_of_ones_own_is_not_known_here(company, folder):
    place = folder({"50_my_own": [], "draft": []}, copied=["01_customer_base"])
    (place / "60_broken.ipynb").write_text("not a notebook")
    found = company({"purchases": buying(6, 3)}, notebooks=place).readiness
    assert {name: state.status for name, state in states(found).items()} == {
        "01_customer_base": "reduced",
        "50_my_own": "unknown",
        "60_broken": "unknown",
    }
    assert found.ok


def test_what_reads_the_scores_of_an_impossible_one_is_impossible_too(company, folder):
    place = folder({"50_lists": ["02_segmentation"]}, copied=["01_customer_base", "02_segmentation"])
    found = states(company({"purchases": buying(2, 3)}, notebooks=place).readiness)
    assert found["50_lists"].status == "impossible"
    assert "02_segmentation" in found["50_lists"].because
    place_of_more = states(company({"purchases": buying(6, 3)}, notebooks=place).readiness)
    assert place_of_more["50_lists"].status == "unknown"


def test_a_folder_without_a_report_is_not_ready(company, folder):
    found = company({"purchases": buying(6, 3)}, notebooks=folder({"draft": []})).readiness
    assert found.notebooks == ()
    assert not found.ok


def test_what_is_not_there_says_what_it_would_unlock_the_most_useful_first(company):
    found = company({"purchases": buying(6, 3), "products": ["product_id,name", "p1,A"]}).readiness
    absent = {one.table: one.unlocks for one in found.not_there}
    assert "purchases" not in absent
    assert "products" not in absent
    assert absent["responses"].startswith("response rates")
    wanted = [len(one.adds) for one in found.empty]
    assert wanted == sorted(wanted, reverse=True)
    assert wanted[0] > 0
    assert found.empty[-1].adds == ()
    assert not {one.column for one in found.empty} & {"customer_id", "name", "product_name"}
