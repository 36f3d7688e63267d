"""What the lifetime-value page draws and shows, from drawn results: every part says something, or why it does not."""

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

from crm.analyses.lifetime_value import LifetimeValue
from crm.finding import Finding, Findings
from crm.mart import UNKNOWN
from crm.reporting import lifetime_value as report
from crm.reporting import lifetime_value_trust as trust
from crm.reporting.chart import Chart
from crm.reporting.left_out import LeftOut
from crm.reporting.style import ACTUAL, FORECAST
from crm.reporting.tables import Table

DRAWN = Path(__file__).resolve().parents[1] / "unit" / "analyses" / "lifetime_value" / "conftest.py"


def shown_by(*rooms):
    """Every function that draws or shows, by name."""
    return {
        name: function
        for room in rooms
        for name, function in inspect.getmembers(room, inspect.isfunction)
        if function.__module__ == room.__name__ and name.startswith(("draw_", "show_"))
    }


SHOWN = shown_by(report, trust)


@pytest.fixture(scope="module")
def value():
    """Results of six hundred drawn customers; nothing here asks the model itself."""
    spec = importlib.util.spec_from_file_location("drawn_lifetime_value", DRAWN)
    drawn = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = drawn
    spec.loader.exec_module(drawn)
    evidence = drawn.draw_evidence()
    parts = {part.name: getattr(evidence, part.name) for part in dataclasses.fields(evidence)}
    return LifetimeValue(**parts, model=None)


def changed(results, part, **changes):
    """The same results with other tables in one part."""
    return dataclasses.replace(results, **{part: dataclasses.replace(getattr(results, part), **changes)})


def words(shown):
    return html.unescape(re.sub(r"<[^>]+>", " ", shown._repr_html_()))


@pytest.mark.parametrize("name", SHOWN)
def test_every_part_says_something_and_names_nobody(name, value):
    shown = SHOWN[name](value)
    assert isinstance(shown, Chart | Table), getattr(shown, "sentence", shown)
    assert shown.picture is not None if isinstance(shown, Chart) else len(shown.frame)
    told = words(shown)
    assert not re.search(r"\bnan\b|\binf\b|∞|\b1 (customers|days|dates)\b|Nothing to show", told), told
    assert not set(value.valued.customers["customer_id"]) & set(re.findall(r"\b\d{5}\b", told))


EMPTIED = {
    "by_segment": ("answers", {"by_segment"}, ["draw_by_segment", "show_by_segment"]),
    "by_department": ("answers", {"by_department"}, ["draw_by_department", "show_by_department"]),
    "by_channel": ("answers", {"by_channel"}, ["draw_by_channel", "show_by_channel"]),
    "by_cohort": ("answers", {"by_cohort"}, ["draw_by_cohort", "show_by_cohort"]),
    "apart": ("answers", {"apart"}, ["draw_apart", "show_apart"]),
    "moved": ("answers", {"moved", "movers"}, ["draw_moved", "show_moved", "show_movers"]),
    "judged": (
        "judged",
        {"table", "mean", "against_best_rule", "coverage", "weekly"},
        ["draw_weekly", "draw_ranking", "show_candidates", "show_candidates_purchases", "show_by_date", "show_gain",
         "show_coverage"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("section", EMPTIED)
def test_what_the_data_do_not_allow_is_the_sentence_of_the_analysis(section, value):
    part, tables, names = EMPTIED[section]
    empty = {table: getattr(getattr(value, part), table).head(0) for table in tables}
    without = changed(value, part, **empty)
    for name in names:
        shown = SHOWN[name](without)
        assert isinstance(shown, LeftOut), name
        assert shown.sentence == without.unsaid[section]


@pytest.mark.parametrize(
    ("name", "part", "tables"),
    [
        ("draw_concentration_of_value", "answers", {"tenths"}),
        ("show_tenths", "answers", {"tenths"}),
        ("show_top_tier", "answers", {"top_tier"}),
        ("draw_at_risk", "answers", {"at_risk"}),
        ("show_at_risk", "answers", {"at_risk"}),
        ("show_shipped", "shipped", {"shares"}),
        ("draw_looks_at", "shipped", {"looks_at"}),
        ("show_purchase_models", "shipped", {"purchase_models"}),
    ],
)
def test_a_table_without_rows_is_one_whole_sentence(name, part, tables, value):
    empty = {table: getattr(getattr(value, part), table).head(0) for table in tables}
    shown = SHOWN[name](changed(value, part, **empty))
    assert isinstance(shown, LeftOut)
    assert re.fullmatch(r"[A-Z].{20,}\.", shown.sentence)


def test_without_a_purchase_model_nobody_knows_who_may_stay_away(value):
    customers = value.valued.customers.assign(chance_of_no_purchase=np.nan)
    shown = report.draw_at_risk(changed(value, "valued", customers=customers))
    assert "nobody knows who may stay away" in shown.sentence


def test_without_any_value_there_are_no_shares(value):
    tenths = value.answers.tenths.assign(value=0.0, share=0.0, cumulative_share=0.0)
    assert isinstance(report.draw_concentration_of_value(changed(value, "answers", tenths=tenths)), LeftOut)


def test_the_answer_keeps_the_order_of_the_findings(value):
    said = [Finding(name, name, {}, value.as_of) for name in ("trust", "worth", "coverage", "moved")]

    class Found:
        findings = Findings(said)

    assert report.the_answer(Found).names == ("trust", "worth", "moved")
    Found.findings = Findings([said[1], said[3], said[0]])
    assert report.the_answer(Found).names == ("worth", "moved", "trust")


def test_the_portfolio_is_drawn_as_forecast_with_its_intervals(value):
    chart, portfolio = report.draw_portfolio(value), value.portfolio
    assert chart.title == "140 k USD (131 k to 150 k) of net sales are expected of today's customers in 91 days"
    assert FORECAST.lower() in chart.picture.content.decode().lower()
    assert ACTUAL.lower() not in chart.picture.content.decode().lower()
    assert chart.numbers["low"].tolist() == [portfolio.value.low, portfolio.margin.low, portfolio.long_margin.low]
    assert "90% intervals" in chart.note
    assert chart.numbers["amount"].tolist() == ["Net sales, 91 days", "Margin, 91 days", "Margin, 3 years"]


def test_an_interval_without_width_is_not_told_as_one(value):
    worth = value.portfolio.value
    sure = changed(value, "portfolio", value=dataclasses.replace(worth, low=worth.value, high=worth.value))
    assert "(" not in report.draw_portfolio(sure).title


@pytest.mark.parametrize(
    ("known_margin", "says"),
    [(0.0, "of all net sales: no product's own rate is known"), (0.6, "it is for 60% of the last year's net sales")],
)
def test_assumptions_say_where_they_hold(known_margin, says, value):
    told = words(report.show_assumptions(changed(value, "assumptions", known_margin=known_margin)))
    assert says in told
    assert "0.60 USD" in told


def test_a_cost_that_is_not_counted_is_said(value):
    told = words(report.show_assumptions(changed(value, "assumptions", contact_cost=0.0, churn_known=False)))
    assert "not counted: no contacts in the data" in told
    assert "how soon customers leave for good, the data do not tell" in told


def groups(*rows):
    """A table of groups: name, customers, mean, its interval; the worth from joining on is ten times the value."""
    table = pd.DataFrame(rows, columns=["group", "customers", "value", "value_low", "value_high"])
    worth = {name.replace("value", "from_joining"): 10 * table[name] for name in ("value", "value_low", "value_high")}
    return table.assign(margin=1.0, margin_so_far=0.5, long_margin=2.0, share=0.5, joined=table["customers"], **worth)


@pytest.mark.parametrize(
    ("table", "title"),
    [
        (groups(("Meat", 50, 300.0, 280.0, 320.0), ("Pastry", 50, 100.0, 90.0, 110.0)),
         "First bought Meat: 3,000 USD each; Pastry: 1,000 USD"),
        (groups(("Pastry", 50, 100.0, 60.0, 140.0), ("Meat", 50, 120.0, 80.0, 160.0)),
         "First bought Meat: 1,200 USD each; Pastry: 1,000 USD, which may be chance"),
        (groups(("Few", 6, 900.0, 1.0, 1800.0), ("Meat", 50, 300.0, 280.0, 320.0), ("Pastry", 50, 100.0, 90.0, 110)),
         "First bought Meat: 3,000 USD each; Pastry: 1,000 USD"),
        (groups(("Meat", 50, 300.0, 280.0, 320.0), (UNKNOWN, 50, 100.0, 90.0, 110.0)),
         "First bought Meat: 3,000 USD each"),
        (groups((UNKNOWN, 50, 100.0, 90.0, 110.0), ("(other)", 9, 100.0, 90.0, 110.0)),
         "No group is known well enough to be compared"),
    ],
    ids=["apart", "chance", "few", "unknown", "nothing known"],
)  # fmt: skip
def test_the_best_and_the_least_are_told_of_groups_that_are_large_enough(table, title, value):
    assert report.draw_by_department(changed(value, "answers", by_department=table)).title == title


def test_who_may_be_older_than_they_look_is_in_the_table_of_cohorts_and_not_drawn(value):
    drawn = report.draw_by_cohort(value)
    shown = report.show_by_cohort(value)
    assert "up to 2017-04-01" not in drawn.numbers["cohort"].tolist()
    assert shown.frame["cohort"].iloc[0] == "up to 2017-04-01"
    assert shown.frame["worth_from_joining_on"].isna().tolist()[:2] == [True, False]
    assert "first seen on 2017-04-02 or later" in words(drawn)
    nobody = changed(value, "answers", by_cohort=value.answers.by_cohort.head(1))
    assert isinstance(report.draw_by_cohort(nobody), LeftOut)


def test_worth_from_joining_is_told_only_of_rows_whose_customers_all_were_seen_to_join(value):
    table = value.answers.by_cohort
    mixed = table.assign(joined=table["joined"].where(table.index != 1, table["customers"] - 1))
    shown = report.show_by_cohort(changed(value, "answers", by_cohort=mixed)).frame
    assert shown["worth_from_joining_on"].isna().tolist()[:3] == [True, True, False]


def test_the_long_margin_is_nowhere_a_price_for_a_new_customer(value):
    for show in (report.show_by_department, report.show_by_channel, report.show_by_cohort):
        told = words(show(value))
        assert "not a price for a new customer" in told
        assert "to win one such customer may cost that at most" in told
    assert "worth_from_joining_on" not in report.show_by_segment(value).frame


def test_at_risk_is_part_of_the_expected_value_and_what_could_be_kept_comes_on_top(value):
    table = value.answers.at_risk
    assert (table["at_risk"] <= table["value"]).all()
    told = words(report.draw_at_risk(value))
    assert "it is part of the expected value" in told
    assert "on top of the expected value if none of them stayed away" in told


def test_groups_too_small_to_be_told_apart_are_in_the_table_alone(value):
    table = groups(("Meat", 50, 300.0, 280.0, 320.0), ("Pastry", 50, 1.0, 0.5, 1.5), ("(other)", 2, 9.0, 0.0, 99.0))
    other = changed(value, "answers", by_department=table)
    assert "(other)" not in report.draw_by_department(other).numbers["department"].tolist()
    assert "(other)" in report.show_by_department(other).frame["department"].tolist()


def test_moved_adds_up_to_the_change(value):
    moved = value.answers.moved
    assert f"changed by {moved['change'].sum():+,.0f} USD" in report.draw_moved(value).title


@pytest.mark.parametrize(
    ("actual", "low", "high", "ends", "band"),
    [
        (100.0, 90.0, 110.0, "100 USD came", "Band: 90% interval"),
        (120.0, 90.0, 110.0, "120 USD came, more than the band holds", "Band: 90% interval"),
        (80.0, 90.0, 110.0, "80 USD came, less than the band holds", "Band: 90% interval"),
        (80.0, np.nan, np.nan, "80 USD came", "Without a band"),
    ],
)
def test_what_came_is_told_against_the_band(actual, low, high, ends, band, value):
    weeks = pd.DataFrame(
        {"week": [1, 2], "days": [7, 14], "actual": [40.0, actual], "expected": [50.0, 100.0],
         "low": [low / 2, low], "high": [high / 2, high]}
    )  # fmt: skip
    chart = trust.draw_weekly(changed(value, "judged", weekly=weeks))
    assert chart.title == f"After 2017-10-02: 100 USD were expected, {ends}"
    assert band in chart.note
    drawn = chart.picture.content.decode().lower()
    assert FORECAST.lower() in drawn
    assert ACTUAL.lower() in drawn
    assert "Dotted points are forecast, not observed." in chart.alt


def test_the_ranking_is_told_of_what_ships_against_the_best_rule(value):
    chart = trust.draw_ranking(value)
    assert chart.title == (
        "Blend ranks customers better than “As in the last period” on 3 of 3 dates (0.85 against 0.79)"
    )
    beyond = chart.numbers.set_index(["candidate", "date"])["ranking_beyond_rule"]
    assert beyond["As in the last period"].tolist() == [0.0, 0.0, 0.0]
    assert beyond["Blend", "2017-10-02"] == pytest.approx(0.06)
    assert chart.numbers["candidate"].iloc[0] == "Blend", "the best on average comes first"


def test_a_rule_of_thumb_that_ships_is_told_as_one(value):
    ships = changed(value, "shipped", name="Rate so far")
    assert trust.draw_ranking(ships).title == (
        "What ships is a rule of thumb, “Rate so far”: it ranks customers at 0.78"
    )
    frame = trust.show_candidates(ships).frame
    assert frame.loc[frame["shipped"] == "yes", "candidate"].tolist() == ["Rate so far"]


@pytest.mark.parametrize(("gini", "says"), [(0.9, "on the one date"), (0.1, "on no date")])
def test_one_judged_date_is_told_as_one(gini, says, value):
    table = value.judged.table.query("date == date.max()")
    table = table.assign(value_gini=table["value_gini"].where(table["candidate"] != "Blend", gini))
    mean = table.drop(columns="date")
    one = changed(value, "judged", table=table, mean=mean)
    assert says in trust.draw_ranking(one).title
    assert "mean over one date" in trust.show_candidates(one).caption


def test_a_candidate_that_was_not_there_on_every_date_says_on_how_many(value):
    table = value.judged.table
    gone = (table["candidate"] == "Pareto/NBD") & (table["date"] == table["date"].max())
    frame = trust.show_candidates(changed(value, "judged", table=table[~gone])).frame.set_index("candidate")
    assert frame.loc["Pareto/NBD", "dates"] == 2
    assert frame.loc["Blend", "dates"] == 3
    assert frame["shipped"].eq("yes").sum() == 1
    assert frame.index[0] == "Blend"


def test_where_nothing_was_bought_after_any_date_there_is_no_order(value):
    table, mean = value.judged.table.assign(value_gini=np.nan), value.judged.mean.assign(value_gini=np.nan)
    assert isinstance(trust.draw_ranking(changed(value, "judged", table=table, mean=mean)), LeftOut)


def test_what_was_not_measured_of_the_interval_is_said(value):
    assert "could not be measured" in trust.draw_interval_parts(changed(value, "portfolio", from_drift=np.nan)).note
    nothing = changed(value, "portfolio", from_drift=np.nan, from_chance=0.0, from_refits=0.0)
    assert isinstance(trust.draw_interval_parts(nothing), LeftOut)


@pytest.mark.parametrize(
    ("level_from", "says"),
    [
        ({"purchases": "the blend itself", "value": "the blend itself"},
         "The sum over all customers is that of the blend itself."),
        ({"purchases": "the purchase models", "value": "the blend itself"},
         "of purchases it is that of the purchase models and of value it is that of the blend itself."),
    ],
)  # fmt: skip
def test_where_the_sum_is_from(level_from, says, value):
    assert says in words(trust.show_shipped(changed(value, "shipped", level_from=level_from)))


@pytest.mark.parametrize(
    ("days", "said"), [(1, "one day"), (91, "91 days"), (365, "a year"), (1095, "3 years"), (1100, "1,100 days")]
)
def test_days_are_told_as_people_say_them(days, said):
    assert report.span(days) == said


@pytest.mark.parametrize(
    ("feature", "said"), [("net_sales_91d", "net sales, 91 days"), ("tenure", "tenure"), ("usual_gap", "usual gap")]
)
def test_features_have_names_for_people(feature, said):
    assert report.in_words(feature) == said
