"""docs/your-own-data.md is run as it stands: its files, its settings, and what comes of them."""

import re
from pathlib import Path

import pandas as pd
import pytest

from crm.config import read_settings
from crm.facts import read_facts

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "your-own-data.md").read_text()
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##+ |\Z)", DOCUMENT, flags=re.DOTALL | re.MULTILINE))
RECIPES = {title: text for title, text in SECTIONS.items() if "```csv" in text}


def follow(title, home):
    """The facts that come of a recipe."""
    for name, content in re.findall(r'```csv title="(.+?)"\n(.*?)```', RECIPES[title], flags=re.DOTALL):
        (home / name).write_text(content)
    (toml,) = re.findall(r"```toml\n(.*?)```", RECIPES[title], flags=re.DOTALL)
    (home / "crm.toml").write_text(toml)
    return read_facts(read_settings(home / "crm.toml"), within_budget=False)


def lines(facts):
    """Customer and amount of each kept purchase."""
    kept = pd.read_parquet(facts.folder / "purchases.parquet").sort_values(["order_id", "net_amount"])
    return list(zip(kept["customer_id"], kept["net_amount"], strict=True))


def test_every_recipe_is_followed_here():
    assert set(RECIPES) == {
        "A worked example",
        "A web shop's orders with the total on the first line",
        "A till system's lines",
        "A newsletter tool's sends and clicks",
    }


def test_the_worked_example(tmp_path):
    facts = follow("A worked example", tmp_path)
    assert lines(facts) == [("17850", 15.30), ("17850", 20.34), ("13047", 54.08), ("17850", 11.10)]
    assert facts.rejected("purchases")["reason"].tolist() == ["customer_id is missing"] * 2
    assert pd.read_parquet(facts.folder / "returns.parquet")["amount"].tolist() == [27.50]


def test_orders_with_the_total_on_the_first_line(tmp_path):
    facts = follow("A web shop's orders with the total on the first line", tmp_path)
    assert lines(facts) == [("ann@example.com", 10.0), ("ann@example.com", 15.0), ("bob@example.com", 5.0)]
    assert sorted(pd.read_parquet(facts.folder / "products.parquet")["name"]) == ["Pot", "Tea"]


def test_a_tills_lines(tmp_path):
    facts = follow("A till system's lines", tmp_path)
    assert lines(facts) == [("4711", 3.20), ("4712", 1012.99), ("4711", 3.20)]
    assert pd.read_parquet(facts.folder / "purchases.parquet")["ordered_at"].max() == pd.Timestamp("2017-02-01 08:15")
    assert facts.rejected("purchases")["Bon"].tolist() == ["100002"]


def test_a_newsletter(tmp_path):
    facts = follow("A newsletter tool's sends and clicks", tmp_path)
    contacts = pd.read_parquet(facts.folder / "contacts.parquet").set_index("customer_id")
    assert contacts["arm"].to_dict() == {"4711": "treated", "4712": "held_out"}
    assert contacts["contacted_at"].tolist() == [pd.Timestamp("2017-03-01 10:00")] * 2
    assert pd.read_parquet(facts.folder / "responses.parquet")["customer_id"].tolist() == ["4711"]
    assert pd.read_parquet(facts.folder / "campaigns.parquet")["ends_at"].tolist() == [
        pd.Timestamp("2017-03-15 10:00")
    ]


@pytest.mark.parametrize("key", re.findall(r"^\| (`.+?) \|", DOCUMENT, flags=re.MULTILINE))
def test_every_key_the_document_names_exists(key):
    from crm.config import TableMapping

    for name in re.findall(r"`(\w+)`", key):
        assert name in TableMapping.model_fields, name


def test_every_key_that_exists_is_named_in_the_document():
    from crm.config import TableMapping

    for name in TableMapping.model_fields:
        assert f"`{name}`" in DOCUMENT, name
