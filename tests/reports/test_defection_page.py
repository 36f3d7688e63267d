"""What the defection page draws and shows, from drawn results: every part says something, or why it does not."""

from __future__ import annotations

import dataclasses
import html
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection import Defection
from crm.analyses.defection.labels import Stake
from crm.config import Review
from crm.finding import Finding, Findings
from crm.measures.stability import Population
from crm.reporting import defection as report
from crm.reporting import defection_trust as trust
from crm.reporting import defection_understanding as understanding
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_gain, draw_steps
from crm.reporting.left_out import LeftOut
from crm.reporting.style import FORECAST
from crm.reporting.tables import Table
from crm.review import drift_of

DRAWN = Path(__file__).resolve().parents[1] / "unit" / "analyses" / "defection" / "conftest.py"
WITHOUT = {"draw_by_plan", "show_drift"}
"""A plan is there where there are contracts; drift is asked of a model."""


def shown_by(*rooms):
    """Every function that draws or shows, by name."""
    return {
        f"{room.__name__.rpartition('.')[2]}.{name}": function
        for room in rooms
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if function.__module__ == room.__name__ and name.startswith(("draw_", "show_")) and name not in WITHOUT
    }


SHOWN = shown_by(report, understanding, trust)


@pytest.fixture(scope="module")
def defection():
    """Results of six hundred drawn customers; nothing here asks the model itself."""
    spec = importlib.util.spec_from_file_location("drawn_defection", DRAWN)
    drawn = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = drawn
    spec.loader.exec_module(drawn)
    evidence = drawn.draw_evidence()
    parts = {part.name: getattr(evidence, part.name) for part in dataclasses.fields(evidence)}
    return Defection(**parts, model=SimpleNamespace(columns=("a", "b")), fitted=None)


def changed(results, part, **changes):
    """The same results with other tables in one part."""
    return dataclasses.replace(results, **{part: dataclasses.replace(getattr(results, part), **changes)})


def words(shown):
    return html.unescape(re.sub(r"<[^>]+>", " ", shown._repr_html_()))


@pytest.mark.parametrize("name", SHOWN)
def test_every_part_says_something_and_names_nobody(name, defection):
    shown = SHOWN[name](defection)
    if name.endswith("draw_by_channel"):
        assert shown.sentence == defection.unsaid["curves_by_channel"]
        return
    assert isinstance(shown, Chart | Table), getattr(shown, "sentence", shown)
    assert shown.picture is not None if isinstance(shown, Chart) else len(shown.frame)
    told = words(shown)
    assert not re.search(r"\bnan\b|\binf\b|∞|\b1 (customers|dates)\b|Nothing to show", told), told
    assert not set(defection.customers["customer_id"]) & set(re.findall(r"\b\d{5}\b", told))


@pytest.mark.parametrize("name", SHOWN)
def test_no_row_is_of_fewer_than_five_customers(name, defection):
    shown = SHOWN[name](defection)
    frame = shown.numbers if isinstance(shown, Chart) else getattr(shown, "frame", pd.DataFrame())
    for column in {"customers", "pairs", "at_risk"} & set(frame.columns):
        assert (frame[column] >= 5).all(), frame


EMPTIED = {
    "judged": (
        "judged",
        {"table", "mean", "gains", "over_plain", "calibration", "groups"},
        ["defection_trust.draw_by_date", "defection_trust.show_candidates", "defection_trust.show_candidates_partly",
         "defection_trust.show_by_date", "defection_trust.draw_gain", "defection_trust.show_gain",
         "defection_trust.show_over_plain", "defection_trust.draw_calibration", "defection_trust.show_calibration"],
    ),
    "groups": ("judged", {"groups"}, ["defection_trust.show_groups"]),
}  # fmt: skip


@pytest.mark.parametrize("section", EMPTIED)
def test_what_the_data_do_not_allow_is_the_sentence_of_the_analysis(section, defection):
    part, tables, names = EMPTIED[section]
    without = changed(defection, part, **{name: getattr(getattr(defection, part), name).head(0) for name in tables})
    for name in names:
        shown = SHOWN[name](without)
        assert isinstance(shown, LeftOut), name
        assert shown.sentence == without.unsaid[section]


OF_THOSE_WHO_LEFT = {
    "curves": ["draw_staying", "draw_by_segment", "draw_by_cohort", "draw_by_department"],
    "by_tenure": ["show_by_tenure"],
    "partial": ["draw_partial", "show_partial"],
    "changes": ["draw_changes", "show_changes"],
    "dropped": ["draw_dropped"],
    "losses": ["draw_lost_by_sign", "draw_lost", "show_losses"],
    "returned": ["draw_returned"],
}


@pytest.mark.parametrize("table", OF_THOSE_WHO_LEFT)
def test_a_table_without_rows_is_one_whole_sentence(table, defection):
    empty = changed(defection, "understanding", **{table: getattr(defection.understanding, table).head(0)})
    for name in OF_THOSE_WHO_LEFT[table]:
        shown = SHOWN[f"defection_understanding.{name}"](empty)
        assert isinstance(shown, LeftOut), name
        assert re.fullmatch(r"[A-Z].{20,}\.", shown.sentence)


def test_where_there_is_no_chance_it_is_said_and_the_rest_is_shown(defection):
    customers = defection.customers.assign(
        probability=np.nan, partial_probability=np.nan, value_at_risk=np.nan, worth_of_contact=np.nan, contact=False
    )
    nothing = {"expected_to_leave": np.nan, "expected_low": np.nan, "expected_high": np.nan}
    blind = dataclasses.replace(defection, customers=customers, **nothing)
    for show in (report.draw_chances, report.show_chances, report.show_next_purchases, report.draw_decision,
                 report.show_decision, report.draw_sensitivity, report.show_sensitivity):  # fmt: skip
        assert show(blind).sentence == blind.unsaid["expected"]
    assert "Customers at stake" in words(report.show_expected(blind))


def test_the_answer_keeps_the_order_of_the_findings(defection):
    said = [
        Finding(name, name, {}, defection.as_of) for name in ("trust", "leaving", "left", "contact", "changed_gap")
    ]
    assert report.the_answer(SimpleNamespace(findings=Findings(said))).names == (
        "trust", "leaving", "contact", "changed_gap",
    )  # fmt: skip
    turned = Findings([said[1], said[4], said[0]])
    assert report.the_answer(SimpleNamespace(findings=turned)).names == ("leaving", "changed_gap", "trust")


@pytest.mark.parametrize(
    ("chances", "bands"),
    [
        # twelve customers: the one of highest chance goes with the band below, so that nobody stands alone
        ([0.9, 0.3, 0.3, 0.3, 0.3, 0.06, 0.06, 0.06, 0.06, 0.06, 0.001, 0.001],
         [("20% or more", 5), ("under 20%", 7)]),
        ([0.6] * 5 + [0.001] * 7, [("50% or more", 5), ("under 50%", 7)]),
        ([0.6, 0.001], [("any chance", 2)]),
        ([0.6] * 6, [("any chance", 6)]),
    ],
    ids=["alone", "two ends", "few", "all high"],
)  # fmt: skip
def test_bands_of_chance_hold_five_customers_at_least(chances, bands, defection):
    customers = defection.customers.head(len(chances)).assign(probability=chances)
    frame = report.show_chances(dataclasses.replace(defection, customers=customers)).frame
    assert list(zip(frame["chance_to_leave"], frame["customers"], strict=True)) == bands
    assert frame["expected_to_leave"].sum() == pytest.approx(sum(chances))


def test_the_bands_hold_everybody(defection):
    frame = report.show_chances(defection).frame
    assert frame["customers"].sum() == len(defection.customers)
    assert frame["value_at_risk"].sum() == pytest.approx(defection.customers["value_at_risk"].sum())


def test_the_best_place_to_stop_is_marked_and_drawn_as_forecast(defection):
    chart = report.draw_decision(defection)
    assert chart.title.startswith(f"Contact {defection.decision.contacted:,} customers: ")
    assert "It is best to stop at" in chart.alt
    assert FORECAST.lower() in chart.picture.content.decode().lower()
    assert "(assumed)" in chart.note


def test_where_no_contact_pays_nothing_is_marked(defection):
    none = changed(
        defection, "decision", contacted=0, gain=0.0, low=0.0, high=0.0, threshold=np.nan, break_even=np.nan
    )
    chart = report.draw_decision(none)
    assert chart.title.startswith("No contact pays")
    assert "stop" not in chart.alt
    told = words(report.show_decision(none))
    assert "nobody" in told
    assert "nan" not in told


@pytest.mark.parametrize(
    ("words_of_it", "shown"),
    [
        ("usually buys every 9 days, last purchase 31 days ago", True),
        ("stopped buying coffee, half of the basket until October", True),
        ("spent 412.37 USD less than usual", False),
        ("spent 40 usd", False),
        ("bought 1,204 times", False),
        ("is 00017 himself", False),
        ("paid 3.49", False),
        ("costs €5", False),
    ],
)
def test_an_example_tells_nobodys_name_and_no_amount(words_of_it, shown, defection):
    one = defection.customers.head(1).assign(reasons=words_of_it, causes="some theme", customer_id="00017")
    table = report.show_examples(dataclasses.replace(defection, customers=one))
    assert (table is not None) == shown
    if shown:
        assert table.frame.to_dict("records") == [{"reason": "Some theme", "in_words": words_of_it}]


def test_examples_are_of_different_reasons(defection):
    frame = report.show_examples(defection).frame
    assert 2 <= len(frame) == frame["reason"].nunique() <= 3


def test_the_best_customers_treated_worst_are_told_without_the_few(defection):
    chart = report.draw_badly_treated(defection)
    assert chart.title == "Of the best tenth, those with “late deliveries” are likeliest to leave: 11.0%"
    assert "open cases" not in chart.numbers["what_went_wrong"].tolist()
    assert "fewer than five" in words(report.show_badly_treated(defection))


@pytest.mark.parametrize(
    ("low", "says"), [(0.01, "the order gains +0.106"), (-0.01, "the order gains +0.106, which may be chance")]
)
def test_a_gain_that_may_be_chance_is_told_as_such(low, says, defection):
    gains = defection.judged.gains.assign(low=low)
    assert trust.draw_gain(changed(defection, "judged", gains=gains)).title.endswith(says)


def test_a_rule_of_thumb_that_ships_is_told_as_one(defection):
    name = "Days since last purchase"
    parts = {
        part: getattr(defection.judged, part).assign(shipped=getattr(defection.judged, part)["candidate"] == name)
        for part in ("table", "mean")
    }
    chart = trust.draw_by_date(changed(defection, "judged", **parts))
    assert chart.title == f"What ships is a rule of thumb, “{name}”: it orders customers at 0.76"


def test_what_ships_is_told_against_the_best_rule(defection):
    assert trust.draw_by_date(defection).title == (
        "Blend orders customers better than “Days since last purchase” on 3 of 3 dates (0.86 against 0.76)"
    )


def test_tenths_in_which_other_than_expected_left_are_counted(defection):
    assert trust.draw_calibration(defection).title.endswith("as many left as were expected to, in every tenth")
    table = defection.judged.calibration.copy()
    table.loc[table["bin"] == 10, "expected"] = 0.9
    told = trust.draw_calibration(changed(defection, "judged", calibration=table))
    assert told.title.endswith("in 1 of 10 tenths other than expected, beyond chance")
    assert told.numbers["tenth"].tolist()[0] == "highest tenth"


@pytest.mark.parametrize(("moved", "says"), [(0.0, "0 of 1 columns moved"), (5.0, "1 of 1 columns moved")])
def test_drift_is_shown_column_by_column(moved, says):
    then = pd.DataFrame({"usual_gap": np.arange(500.0)})
    record = {"population": Population.of(then).as_record()}
    shown = trust.show_drift(drift_of(record, then + 100 * moved, Review()))
    assert says in words(shown)
    assert shown.frame["column"].tolist() == ["usual gap"]


def test_unknown_drift_is_one_sentence():
    shown = trust.show_drift(drift_of({}, pd.DataFrame(), Review()))
    assert isinstance(shown, LeftOut)
    assert shown.sentence.endswith("drift is unknown.")


def test_contracts_are_told_as_contracts(defection):
    stake = Stake("cancellation", 56, 56)
    contracts = changed(dataclasses.replace(defection, stake=stake), "understanding", stake=stake)
    assert "Expected to cancel within 56 days" in words(report.show_expected(contracts))
    assert "contracts are still there" in understanding.draw_staying(contracts).title
    assert isinstance(understanding.draw_by_plan(contracts), LeftOut)
    assert understanding.draw_by_plan(defection) is None


def test_a_curve_ends_where_fewer_than_five_are_watched(defection):
    curves = defection.understanding.curves
    curves = curves.assign(at_risk=curves["at_risk"].where(curves["days"] < 200, 4))
    told = changed(defection, "understanding", curves=curves)
    assert understanding.draw_staying(told).numbers["days"].max() == 196
    assert understanding.draw_by_segment(told).numbers.groupby("segment")["days"].max().eq(196).all()


@pytest.mark.parametrize("still", [0.28, 0.0])
def test_margin_at_risk_is_told_as_it_is_counted(defection, still):
    told = changed(defection, "decision", still_brings=still)
    for show in (report.show_expected, report.show_decision):
        assert ("less the 28% of it that leavers bring all the same" in words(show(told))) == bool(still)


def test_whose_reasons_are_drawn(defection):
    told = int(defection.customers["causes"].ne("").sum())
    assert report.draw_reasons(defection).title.endswith(f"of the {told:,} likeliest to leave or worth a contact")


def test_where_nobody_met_with_a_sign_there_is_no_chart_of_signs(defection):
    losses = defection.understanding.losses.query("group != 'after late deliveries'")
    shown = understanding.draw_lost_by_sign(changed(defection, "understanding", losses=losses))
    assert shown.sentence == "None of the signs that are known was met with by 5 or more of those who left."


@pytest.mark.parametrize(
    ("chances", "title"),
    [([0.6] * 10 + [0.001] * 200, "10 customers with a chance of 50% or more hold 97% of those expected to leave"),
     ([0.6] * 5 + [0.3] * 30 + [0.001] * 200,
      "35 customers with a chance of 20% or more hold 98% of those expected to leave"),
     ([0.03] * 20, "All 20 customers hold those expected to leave: no few stand out")],
    ids=["highest band", "two bands", "all alike"],
)  # fmt: skip
def test_how_few_hold_those_expected_to_leave(chances, title, defection):
    customers = defection.customers.head(len(chances)).assign(probability=chances)
    assert report.draw_chances(dataclasses.replace(defection, customers=customers)).title == title


CURVE = pd.DataFrame(
    {"days": [0, 28, 56, 0, 28], "share": [1.0, 0.9, 0.5, 1.0, 0.2], "low": [0.9, 0.8, 0.3, 0.9, 0.1],
     "high": [1.0, 0.95, 0.7, 1.0, 0.4], "watched": [40, 30, 6, 20, 5], "plan": ["a", "a", "a", "b", "b"]}
)  # fmt: skip


def test_a_step_curve_says_where_it_ends_and_how_many_were_watched():
    chart = draw_steps(
        CURVE, x="days", y="share", interval=("low", "high"), at_risk="watched", title="T", colour_by="plan"
    )
    assert "a: from 100% to 50% after 56 days (6 still watched)" in chart.alt
    assert "b: from 100% to 20% after 28 days (5 still watched)" in chart.alt
    assert chart.picture.kind == "svg"
    alone = draw_steps(CURVE.head(3), x="days", y="share", interval=("low", "high"), at_risk="watched", title="T")
    assert alone.alt.startswith("Step curve of share by days. From 100% to 50%")
    assert alone.picture.height < chart.picture.height


@pytest.mark.parametrize("empty", [CURVE.head(0), CURVE.assign(share=np.nan)], ids=["no row", "no value"])
def test_a_step_curve_of_nothing_says_so(empty):
    chart = draw_steps(empty, x="days", y="share", interval=("low", "high"), at_risk="watched", title="T")
    assert chart.picture is None


@pytest.mark.parametrize(("best", "says"), [(20, "best to stop at 20, with 9"), (0, "highest 9")])
def test_a_gain_curve_says_where_to_stop(best, says):
    table = pd.DataFrame({"reached": [0, 20, 40], "gain": [0.0, 9.0, -3.0], "low": [0, 1, -9], "high": [0, 15, 3]})
    chart = draw_gain(
        table, reached="reached", gain="gain", interval=("low", "high"), best=best, title="T", unit="USD"
    )
    assert says in chart.alt
    assert "at the end −3 USD at 40" in chart.alt
