"""What the cross-sell page draws and shows, from a drawn shop: every part says something, or why it does not."""

from __future__ import annotations

import dataclasses
import html
import importlib.util
import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm.analyses.cross_sell import CrossSell, cross_sell_to_customers
from crm.config import Review, read_settings
from crm.facts import read_facts
from crm.measures.stability import Population
from crm.reporting import cross_sell as report
from crm.reporting import cross_sell_trust as trust
from crm.reporting.chart import Chart
from crm.reporting.left_out import LeftOut
from crm.reporting.tables import Table
from crm.review import drift_of

DRAWN = Path(__file__).resolve().parents[1] / "unit" / "analyses" / "cross_sell" / "conftest.py"
SHOWN = {
    f"{room.__name__.rpartition('.')[2]}.{name}": function
    for room in (report, trust)
    for name, function in inspect.getmembers(room, inspect.isfunction)
    if function.__module__ == room.__name__ and name.startswith(("draw_", "show_")) and name != "show_drift"
}
NOT_THERE = {"cross_sell.show_by_segment", "cross_sell.show_grouped"}
"""The drawn shop has no segments, and all its items are offered."""


ELSEWHERE = pd.DataFrame(
    {
        "customer_id": [f"C{number:04d}" for number in range(13)],
        "item": ["paint"] * 9 + ["pots"] * 4,
        "net_sales": 10.0,
        "similar_spend": 40.0,
        "share_elsewhere": 0.75,
        "net_sales_elsewhere": 30.0,
    }
)


@pytest.fixture(scope="module")
def drawn():
    spec = importlib.util.spec_from_file_location("drawn_shop", DRAWN)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def facts_of(home, tables):
    (home / "notebooks").mkdir(parents=True)
    for name, table in tables.items():
        table.to_parquet(home / f"{name}.parquet", index=False)
    sections = "\n".join(f'[source.tables.{name}]\npath = "{name}.parquet"' for name in tables)
    (home / "crm.toml").write_text(f'[source]\nkind = "files"\n{sections}\n[clock]\nas_of = 2018-01-01\n')
    return read_facts(read_settings(home / "crm.toml"))


@pytest.fixture(scope="module")
def answer(drawn, tmp_path_factory, on) -> CrossSell:
    """A shop of 260 customers, whose paint brings brushes; glue is not offered."""
    tables = {"purchases": drawn.drawn_purchases(), "products": drawn.drawn_products()}
    facts = facts_of(tmp_path_factory.mktemp("shop") / "home", tables)
    found = cross_sell_to_customers(facts, on("2018-01-01"), not_offered=["GLUE "])
    return dataclasses.replace(found, elsewhere=ELSEWHERE)  # too few are alike in so small a shop


@pytest.fixture(scope="module")
def nothing(drawn, tmp_path_factory, on) -> CrossSell:
    """The same shop where nobody wrote down what was bought."""
    facts = facts_of(
        tmp_path_factory.mktemp("bare") / "home",
        {"purchases": drawn.drawn_purchases(60).drop(columns=["product_id", "quantity"])},
    )
    return cross_sell_to_customers(facts, on("2018-01-01"))


def words(shown):
    return html.unescape(re.sub(r"<[^>]+>", " ", shown._repr_html_()))


@pytest.mark.parametrize("name", sorted(set(SHOWN) - NOT_THERE))
def test_every_part_says_something_and_names_nobody(name, answer):
    shown = SHOWN[name](answer)
    assert isinstance(shown, Chart | Table), getattr(shown, "sentence", shown)
    assert shown.picture is not None if isinstance(shown, Chart) else len(shown.frame)
    told = words(shown)
    assert not re.search(r"\bnan\b|\binf\b|∞|Nothing to show|\bC\d{4}\b", told), told
    frame = shown.numbers if isinstance(shown, Chart) else shown.frame
    for column in {"customers", "Customers"} & set(frame.columns):
        assert (frame[column] >= 5).all(), frame


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_without_products_every_part_is_one_sentence(name, nothing):
    shown = SHOWN[name](nothing)
    if shown is not None:
        assert isinstance(shown, LeftOut), name
        assert "not known what was bought" in shown.sentence


def test_the_answer_without_products_is_what_it_takes(nothing):
    assert "the column product_id of the table purchases" in str(report.the_answer(nothing))
    assert report.the_answer(nothing).names == ("not_possible",)
    assert nothing.scores.empty
    assert nothing.scores["customer_id"].dtype == "str"


def test_offers_add_up_to_the_customers_and_their_margin(answer):
    frame = report.draw_offers(answer).numbers
    few = answer.offers["item"].value_counts()
    assert frame["customers"].sum() == few[few >= 5].sum()
    by_item = answer.offers.groupby("item")["expected_margin"].sum()
    assert frame["expected_margin"].to_numpy() == pytest.approx(by_item[frame["item"]].to_numpy())
    both = report.show_difference(answer).frame.set_index("offered")["expected_margin"]
    assert both.iloc[1] - both.iloc[0] == pytest.approx(answer.offers["more_margin"].sum(), abs=0.01)
    assert both.iloc[1] == pytest.approx(answer.findings["best_offer"].values["margin"])


def test_whom_to_write_to_is_the_sum_of_the_likeliest_and_more_than_at_random(answer):
    frame = report.draw_writing(answer).numbers
    for row in frame.to_dict("records"):
        listed = answer.for_item(row["item"])["probability"]
        assert row["expected_buyers"] == pytest.approx(listed.head(row["written_to"]).sum(), abs=1e-4)
        assert row["at_random"] == pytest.approx(listed.mean() * row["written_to"], abs=1e-2)
        assert row["expected_buyers"] > row["at_random"]


def test_what_is_not_offered_is_nowhere_among_what_is(answer):
    """It stays evidence: of what goes with what."""
    assert "glue" in answer.seen.items.names
    of_offers = [answer.scores["item"], answer.offers["item"], answer.offers["likeliest"], answer.items["item"],
                 answer.up.customers["category"], answer.scored.lists["item"]]  # fmt: skip
    assert not any((names == "glue").any() for names in of_offers)
    assert answer.findings["not_offered"].values["names"] == "glue"
    assert answer.scores.groupby("customer_id")["rank"].max().eq(answer.scores.groupby("customer_id").size()).all()


def test_each_pair_stands_once_in_the_map(answer):
    heatmap = answer.together.heatmap
    numbers = report.draw_together(answer).numbers.set_index("Item")
    told = numbers.stack()
    assert told.notna().sum() == np.isfinite(
        np.triu(heatmap.to_numpy(), 1)[heatmap.notna().to_numpy()]
    ).sum() / 2 or (len(heatmap) > 12)
    assert "Unchanged" not in report.draw_together(answer).alt


def test_examples_are_reasons_that_can_be_counted(answer):
    frame = report.show_examples(answer).frame
    assert 1 <= len(frame) <= 3
    for row in frame.to_dict("records"):
        assert re.fullmatch(
            rf"buys .+, never {row['offered']}; \d+ % of such customers do\.", row["because_the_customer"]
        )


def test_more_of_the_same_is_said_to_be_an_estimate_and_not_of_few(answer):
    shown = report.draw_elsewhere(answer)
    assert shown.title.startswith("An estimate: about 270 USD of “paint”")
    assert shown.numbers["item"].tolist() == ["paint"]
    assert report.show_elsewhere(answer).frame["share_elsewhere"].tolist() == [0.75]


def late(answer, item):
    """The same shop, with all of an item's purchases within the last 56 days."""
    panel = answer.seen.panel
    at = answer.seen.items.place(item)
    recent = {window: table.copy() for window, table in panel.recent.items()}
    recent[56][:, at] = panel.days[:, at]
    seen = dataclasses.replace(answer.seen, panel=dataclasses.replace(panel, recent=recent))
    return dataclasses.replace(answer, seen=seen)


def test_what_may_be_of_a_season_is_said_and_leads_nowhere(answer):
    assert "season" not in answer.findings.names
    leading = answer.findings["expected"].values["item"]
    told = late(answer, leading)
    assert told.findings["season"].values["names"] == leading
    assert told.findings["expected"].values["item"] != leading
    assert leading not in set(report.draw_writing(told).numbers["item"])
    kinds = report.draw_offers(told).numbers.set_index("item")["kind"]
    assert kinds.get(leading, "season").endswith("season")


def test_a_history_too_short_to_judge_is_one_sentence(answer):
    judged = answer.judged
    empty = {name: getattr(judged, name).head(0) for name in ("table", "mean", "gains", "calibration")}
    bare = dataclasses.replace(answer, judged=dataclasses.replace(judged, **empty))
    for show in (
        trust.draw_gains,
        trust.show_candidates,
        trust.show_gains,
        trust.draw_calibration,
        trust.show_by_date,
    ):
        assert show(bare).sentence == bare.unsaid["judged"]
    assert isinstance(trust.show_scoring(bare), Table)


@pytest.mark.parametrize(("moved", "says"), [(0, "0 of 1 columns moved"), (9, "1 of 1 columns moved")])
def test_drift_is_told_beside_what_it_was_fitted_on(moved, says):
    then = pd.DataFrame({"popularity_56": np.arange(500.0)})
    drift = drift_of({"population": Population.of(then).as_record()}, then + 100 * moved, Review())
    assert says in words(trust.show_drift(drift))
    assert trust.show_drift(None) is None
    assert trust.show_drift(drift_of({}, then, Review())).sentence.endswith("drift is unknown.")


def test_segments_of_few_are_not_told(answer):
    rows = [("big", "paint", 40, 0.5, 1), ("small", "pots", 4, 1.0, 1)]
    table = pd.DataFrame(rows, columns=["segment", "item", "customers", "share", "rank"])
    shown = report.show_by_segment(dataclasses.replace(answer, by_segment=table))
    assert shown.frame["segment"].tolist() == ["big"]


def test_the_gain_that_may_be_chance_says_so(answer):
    gains = answer.judged.gains.assign(low=-0.01)
    assert (
        "which may be chance"
        in trust.draw_gains(dataclasses.replace(answer, judged=dataclasses.replace(answer.judged, gains=gains))).title
    )
