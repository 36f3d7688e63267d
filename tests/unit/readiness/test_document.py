"""For a program: one JSON document, whose keys stay."""

from __future__ import annotations

import json

import pytest

from crm.errors import SourceError
from crm.readiness import as_json, error_as_json

HEADER = "customer_id,order_id,ordered_at,net_amount,product_id"
GOOD = [f"SECRET{n % 9},o{n},2017-0{1 + n % 9}-0{1 + n % 5},{10 + n},P{n}" for n in range(40)]
PRODUCTS = ["product_id,name", "Q1,A", "Q1,B"]

KEYS = {
    "": {"as_of", "source", "ready", "base", "tables", "joins", "notes", "notebooks", "not_there", "empty",
         "over_budget", "accept", "defects"},
    "base": {"first_purchase", "last_purchase", "customers", "repeat_customers", "purchase_days", "history_days",
             "active_customers", "campaigns", "programmes"},
    "tables": {"table", "rows", "kept", "became_returns", "set_aside", "from_purchases", "money", "reasons",
               "rejected"},
    "joins": {"table", "column", "other", "other_column", "rows", "met", "share", "cause", "do"},
    "notebooks": {"name", "question", "status", "because", "missing"},
    "missing": {"table", "column", "adds", "why"},
    "not_there": {"table", "one_row_is", "unlocks"},
    "empty": {"table", "column", "adds"},
    "over_budget": {"table", "reason", "rows", "share", "money", "money_share", "row_budget", "money_budget",
                    "over_budget", "cause"},
}  # fmt: skip


@pytest.fixture
def document(company):
    """Of a company with dirt, read back as strict JSON."""
    dirty = [*GOOD, *[f'SECRET{n},d,2017-03-01,"7,5",P1' for n in range(9)], ",d,2017-03-01,10,SECRET"]
    readiness = company({"purchases": [HEADER, *dirty], "products": PRODUCTS}).readiness
    return json.loads(json.dumps(as_json(readiness), allow_nan=False))


def test_its_keys_are_stable(document):
    found = {
        "": set(document),
        "missing": set(document["notebooks"][0]["missing"][0]),
        **{name: set(document[name][0]) for name in set(KEYS) - {"", "base", "missing"}},
        "base": set(document["base"]),
    }
    assert found == KEYS
    assert set(document["over_budget"][0]["cause"]) == {"because", "do"}


def test_it_says_what_the_screen_says(document):
    purchases, products = document["tables"]
    assert (purchases["rows"], purchases["kept"], purchases["set_aside"]) == (50, 40, 10)
    assert purchases["money"]["difference"] == 0
    assert products["money"] is None
    assert document["ready"] is False
    assert [one["reason"] for one in document["over_budget"]] == [
        "net_amount is not an amount of money",
        "product_id came before",
    ]
    assert document["accept"] == {"product_id came before": 0.5}
    assert document["joins"][0]["met"] == 0
    assert document["base"]["customers"] == 9
    assert document["notebooks"][0]["status"] == "reduced"


def test_it_names_no_customer_and_shows_no_row(document):
    assert "SECRET" not in json.dumps(document)


def test_without_dirt_there_is_nothing_to_accept(company):
    document = as_json(company({"purchases": [HEADER, *GOOD]}).readiness)
    assert (document["ready"], document["over_budget"], document["accept"]) == (True, [], None)


def test_without_a_purchase_it_is_a_document_as_well(company):
    document = json.loads(json.dumps(as_json(company({"purchases": [HEADER]}).readiness), allow_nan=False))
    assert document["ready"] is False
    assert document["base"]["first_purchase"] is None


def test_an_error_is_a_document_too():
    error = SourceError("It must be so.", found="not so", do="Make it so.")
    assert error_as_json(error) == {"error": {"rule": "It must be so.", "found": "not so", "do": "Make it so."}}
