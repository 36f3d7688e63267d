"""What lifetime value says in words: with its numbers, most important first, and nothing where nothing is known."""

import datetime as dt
import math
import re
from dataclasses import replace

import pandas as pd
import pytest

from crm.analyses.lifetime_value.findings import all_findings, measures
from crm.analyses.lifetime_value.needs import REQUIREMENTS
from crm.analyses.lifetime_value.result import Amount
from crm.analyses.lifetime_value.spend import Correlation, Independence
from crm.analyses.lifetime_value.unsaid import unsaid
from crm.config import read_settings
from crm.publishing import publish

NAMES = {
    "worth", "concentration", "top_tier", "at_risk", "acquire", "moved", "trust", "coverage", "shipped",
    "independence", "interval", "assumptions", "not_there",
}  # fmt: skip
ALWAYS_BY_CHANCE = {"not_one_person", "fallback", "churn_unknown", "horizon_shortened"}

NAN = float("nan")


def with_answers(evidence, **tables):
    return replace(evidence, answers=replace(evidence.answers, **tables))


def with_gain(evidence, gain, low, high):
    table = evidence.judged.against_best_rule.copy()
    table.loc[table["measure"] == "gini", ["gain", "low", "high"]] = [gain, low, high]
    return replace(evidence, judged=replace(evidence.judged, against_best_rule=table))


def without_judging(evidence):
    judged = evidence.judged
    tables = ("table", "mean", "against_best_rule", "coverage", "weekly")
    nothing = {name: getattr(judged, name).head(0) for name in tables}
    return replace(evidence, judged=replace(judged, **nothing))


def everything_unusual(evidence):
    """All that is said only of some data, at once."""
    return replace(
        evidence,
        assumptions=replace(
            evidence.assumptions, churn_known=False, known_margin=0.4, contact_cost=0.0, case_cost=0.0
        ),
        judged=replace(evidence.judged, days=60),
        shipped=replace(evidence.shipped, why_not=("Pareto/NBD was not fitted: no best fit.", "Nothing was learnt.")),
        crowded=pd.DataFrame(
            {
                "customer_id": ["00001"], "lines": [9000], "share_of_lines": [0.2], "net_sales": [90.0],
                "share_of_money": [0.1],
            }
        ),
    )  # fmt: skip


@pytest.fixture(
    params=["usual", "unusual", "unjudged", "no better", "rule ships", "one part"],
    ids=lambda name: name.replace(" ", "_"),
)
def case(request, evidence):
    return {
        "usual": lambda: evidence,
        "unusual": lambda: everything_unusual(evidence),
        "unjudged": lambda: without_judging(evidence),
        "no better": lambda: with_gain(evidence, -0.02, -0.03, -0.01),
        "rule ships": lambda: rule_ships(evidence),
        "one part": lambda: replace(evidence, shipped=replace(evidence.shipped, name="MBG/NBD", learnt_from=())),
    }[request.param]()


def test_every_name_is_there_and_none_twice(evidence):
    usual, unusual = all_findings(evidence).names, all_findings(everything_unusual(evidence)).names
    assert set(usual) == NAMES
    assert set(unusual) == NAMES | ALWAYS_BY_CHANCE
    assert len(unusual) == len(set(unusual))


def test_every_number_of_a_sentence_is_one_of_its_values(case):
    for finding in all_findings(case):
        typed = re.sub(r"\{[^}]*\}", "", finding.template)
        # "(0 is chance, 1 is perfect)" tells the scale, and is the only number that is not found
        assert not re.search(r"\d", typed.replace("(0 is chance, 1 is perfect)", "")), finding.template
        assert "nan" not in re.sub(r"[^a-z ]", " ", finding.sentence.lower()).split(), finding.sentence
        assert finding.sentence.endswith(".")
        assert ".." not in finding.sentence
        assert "-0.00" not in finding.sentence
        for value in finding.values.values():
            assert value is not None
            assert not isinstance(value, float) or math.isfinite(value)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("settings")
    (home / "notebooks").mkdir()
    (home / "crm.toml").write_text('[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01\n')
    return read_settings(home / "crm.toml")


def test_a_report_can_publish_them(case, settings):
    findings, numbers = all_findings(case), measures(case)
    published = publish("03_lifetime_value", settings=settings, run_folder="", findings=findings, measures=numbers)
    assert published.findings == findings.names


def test_what_the_customers_are_worth_is_said_with_its_assumptions(evidence):
    whole = replace(
        evidence.portfolio,
        value=Amount(1_000_000, 900_000, 1_100_000),
        margin=Amount(240_000, 210_000, 270_000),
        long_margin=Amount(1_500_000, 1_200_000, 1_900_000),
    )
    assert all_findings(replace(evidence, portfolio=whole))["worth"].sentence == (
        "As of 2018-01-01, 600 customers can be expected to bring 1,000,000 USD (900,000 to 1,100,000) of net "
        "sales in the next 91 days, and a margin of 240,000 USD (210,000 to 270,000) after the cost to serve, at "
        "an assumed gross margin of 25% of net sales. Over 1,095 days the margin comes to 1,500,000 USD "
        "(1,200,000 to 1,900,000), discounted by 10% a year. In brackets: the interval that is to hold the total "
        "in 90% of cases. Customers still to be won are not in it."
    )


def test_an_amount_without_an_interval_is_said_without_one(evidence):
    amounts = {name: Amount(1000.0, NAN, NAN) for name in ("value", "margin", "long_margin")}
    sentence = all_findings(replace(evidence, portfolio=replace(evidence.portfolio, **amounts)))["worth"].sentence
    assert "1,000 USD of net sales" in sentence
    assert "In brackets" not in sentence


def test_known_margin_rates_are_said_to_be(evidence):
    sentence = all_findings(everything_unusual(evidence))["worth"].sentence
    assert "where they are known (40% of net sales) and an assumed gross margin of 25% elsewhere" in sentence


def test_few_bring_half(evidence):
    top = pd.DataFrame([{"customers": 1, "share_of_customers": 1 / 600, "margin": 9.0, "share_of_margin": 0.52}])
    finding = all_findings(with_answers(evidence, top_tier=top))["concentration"]
    assert finding.sentence.startswith("1 of 600 customers (0%) brings 52% of the margin")
    assert "concentration" not in all_findings(with_answers(evidence, top_tier=top.head(0))).names


def test_value_at_risk_is_told_beside_what_is_expected(evidence):
    table = pd.DataFrame(
        {
            "tier": ["top tier", "others"], "customers": [10, 90], "value": [600.0, 300.0],
            "at_risk": [36.0, 54.0], "share": [0.4, 0.6], "can_be_kept": [10, 70], "could_be_kept": [40.0, 20.0],
        }
    )  # fmt: skip
    assert all_findings(with_answers(evidence, at_risk=table))["at_risk"].sentence == (
        "90 USD of the 900 USD of net sales expected in the next 91 days (10%) rest on customers who may stay away: "
        "what is expected of each, times the chance of no purchase. 36 USD of it (40%) is of the 10 customers of the "
        "top tier. The 80 customers who can still be kept (whose chance of no purchase is at most 50%) would bring "
        "60 USD more if none of them stayed away: no effort to keep them can bring more than that."
    )
    assert "at_risk" not in all_findings(with_answers(evidence, at_risk=table.assign(at_risk=0.0))).names
    gone = all_findings(with_answers(evidence, at_risk=table.assign(can_be_kept=0, could_be_kept=0.0)))["at_risk"]
    assert "kept" not in gone.sentence


def groups(rows):
    columns = ["group", "joined", "from_joining", "from_joining_high"]
    return pd.DataFrame(rows, columns=columns)


JOINED = pd.DataFrame(
    [
        {
            "since": dt.date(2017, 4, 2), "customers": 189, "margin_so_far": 50.0, "long_margin": 550.0,
            "from_joining": 600.0, "from_joining_low": 500.0, "from_joining_high": 700.0,
        }
    ]
)  # fmt: skip
DEPARTMENTS = [
    ("Wine", 5, 9000.0, 17000.0),  # too few to be called the best
    ("Grocery", 200, 1200.0, 1280.0),
    ("Meat", 100, 800.0, 880.0),
    ("Pastry", 20, 600.0, 640.0),
    ("(unknown)", 90, 200.0, 240.0),
    ("(other)", 30, 90.0, 130.0),
]


def test_what_a_customer_may_cost_is_told_of_those_who_joined(evidence):
    nothing = evidence.answers.by_cohort.head(0)
    told = with_answers(evidence, joined=JOINED, by_department=groups(DEPARTMENTS), by_cohort=nothing)
    assert all_findings(told)["acquire"].sentence == (
        "To win a customer may cost at most what those who joined are worth from joining on: the 189 whose first "
        "purchase was on 2017-04-02 or later, 600 USD each (500 to 700), 50 of margin so far and 550 still to come "
        "over 1,095 days (discounted, after the cost to serve, those who have left counted in). It goes from 1,200 "
        "USD for those whose first known purchase was of “Grocery” (200 customers) down to 600 USD for those whose "
        "first known purchase was of “Pastry” (20 customers). The margin still to come alone is no price for a new "
        "customer."
    )
    close = groups([("a", 50, 1200.0, 1400.0), ("b", 50, 1100.0, 1300.0)])
    assert "that may be chance" in all_findings(with_answers(told, by_department=close))["acquire"].sentence
    alone = all_findings(with_answers(told, by_department=nothing))["acquire"].sentence
    assert "counted in). The margin still to come alone" in alone


def test_of_too_few_who_joined_nothing_is_told(evidence):
    nothing = evidence.answers.by_cohort.head(0)
    tables = dict.fromkeys(["by_department", "by_channel", "by_cohort"], nothing)
    few = with_answers(evidence, joined=JOINED.assign(customers=19), **tables)
    assert "acquire" not in all_findings(few).names
    said = unsaid(few)
    assert set(said) == set(tables)
    assert len(set(said.values())) == 1
    assert "20 customers at least who were seen to join" in said["by_channel"]
    assert "(from 2017-04-02 on), and 19 were." in said["by_channel"]
    assert "and none was." in unsaid(with_answers(few, joined=JOINED.assign(customers=0)))["by_cohort"]


def test_customers_older_than_they_look_are_no_cohort_to_compare(evidence):
    newer = [(f"2017-0{month}", 30, month, month + 0.1) for month in (4, 5, 6)]
    cohorts = groups([("up to 2017-03", 40, 5000.0, 5100.0), *newer])
    told = with_answers(evidence, by_department=cohorts.head(0), by_cohort=cohorts)
    sentence = all_findings(told)["acquire"].sentence
    assert "up to" not in sentence
    assert "from 6 USD for those who joined in 2017-06 (30 customers) down to 4 USD" in sentence
    assert "(those who joined earlier have been counted for longer). The margin" in sentence


def test_what_moved_is_said_with_who_took_and_who_brought_most(evidence):
    table = pd.DataFrame(
        [
            ("new since then", 10, 500.0, 0.0, 500.0),
            ("fell silent", 5, -300.0, 400.0, 100.0),
            ("buys more often", 40, 200.0, 1000.0, 1200.0),
            ("buys less often", 30, -250.0, 900.0, 650.0),
        ],
        columns=["reason", "customers", "change", "before", "now"],
    )
    assert all_findings(with_answers(evidence, moved=table))["moved"].sentence == (
        "Since 2017-10-02, the net sales expected over 91 days went from 2,300 to 2,450 USD (+150), +500 of it "
        "with 10 new customers. Of the others, most value went with the 5 who fell silent (-300 USD) and most "
        "came with the 40 who buy more often (+200 USD)."
    )
    one = table[table["reason"] == "buys more often"].assign(customers=1, change=50.0, now=1050.0)
    assert all_findings(with_answers(evidence, moved=one))["moved"].sentence == (
        "Since 2017-10-02, the net sales expected over 91 days went from 1,000 to 1,050 USD (+50). Of the others, "
        "most value came with the one who buys more often (+50 USD)."
    )
    hardly = one.assign(change=-0.2, now=999.8)
    assert all_findings(with_answers(evidence, moved=hardly))["moved"].sentence == (
        "Since 2017-10-02, the net sales expected over 91 days went from 1,000 to 1,000 USD (+0)."
    )
    assert "moved" not in all_findings(with_answers(evidence, previous=None, moved=table.head(0))).names


def test_a_blend_that_beats_the_rule_is_said_to_and_comes_after_the_answers(evidence):
    findings = all_findings(evidence)
    assert findings[0].name == "worth"
    assert findings["trust"].sentence == (
        "It pays to use the blend: it puts customers in a better order than the best rule of thumb, “As in the "
        "last period” (by +0.060, +0.040 to +0.080, on 3 dates, 1,440 customers in all), and is 8.00 USD per "
        "customer closer than “As in the last period” (4.50 to 11.50). Judged on 3 dates (up to 540 customers, the "
        "91 days after each), the order scores 0.85 (0 is chance, 1 is perfect), and the net sales expected of all "
        "were between 100% and 104% of what came."
    )


@pytest.mark.parametrize(
    ("gain", "low", "high", "how"),
    [
        (-0.02, -0.03, -0.01, "worse than the best rule of thumb, “As in the last period” (by -0.020"),
        (
            0.01,
            -0.01,
            0.03,
            "no better than the best rule of thumb, “As in the last period”, beyond chance (by +0.010",
        ),
        (0.0, 0.0, 0.0, "no better than the best rule of thumb"),
    ],
)
def test_a_blend_that_ships_though_it_orders_no_better_says_so_first(evidence, gain, low, high, how):
    findings = all_findings(with_gain(evidence, gain, low, high))
    assert findings[0].name == "trust"
    sentence = findings[0].sentence
    assert sentence.startswith(f"The blend orders customers {how}")
    assert (
        "on 3 dates, 1,440 customers in all); its totals were between 100% and 104% of what came against " in sentence
    )
    assert "between 95% and 99% for the rule. Judged on 3 dates" in sentence
    assert sentence.count("of what came") == 1
    assert "Go by the rule" not in sentence


def rule_ships(evidence):
    judged, name = evidence.judged, "As in the last period"
    marked = {
        part: getattr(judged, part).assign(shipped=getattr(judged, part)["candidate"] == name)
        for part in ("table", "mean")
    }
    ships = replace(evidence.shipped, name=name)
    return with_gain(replace(evidence, shipped=ships, judged=replace(judged, **marked)), 0.01, -0.01, 0.03)


def test_an_approved_rule_that_has_been_overtaken_is_not_said_to_have_won(evidence):
    """It scores until a challenger is approved; the page says that the blend is better by now."""
    said = all_findings(with_gain(rule_ships(evidence), 0.03, 0.01, 0.05))["trust"].sentence
    assert said.startswith("The approved rule of thumb, “As in the last period”, is what ships, though the blend")
    assert "(by +0.030, +0.010 to +0.050" in said
    assert "have a challenger judged" in said
    assert "wins" not in said


def test_where_the_rule_ships_it_has_won(evidence):
    findings = all_findings(rule_ships(evidence))
    assert findings[0].name == "trust"
    assert findings[0].sentence == (
        "The rule of thumb wins: the blend puts customers in no better order, beyond chance, than “As in the last "
        "period” (by +0.010, -0.010 to +0.030, on 3 dates, 1,440 customers in all), so that “As in the last period” "
        "is what ships. Go by the rule, which is simpler. Judged on 3 dates (up to 540 customers, the 91 days after "
        "each), the order scores 0.79 (0 is chance, 1 is perfect), and the net sales expected of all were between "
        "95% and 99% of what came."
    )
    assert findings["shipped"].sentence.startswith("What is expected comes from “As in the last period”")


def test_a_larger_error_than_the_rules_is_not_hidden(evidence):
    table = evidence.judged.against_best_rule.copy()
    table.loc[table["measure"] == "mae", ["gain", "low", "high"]] = [-2.0, -3.0, -1.0]
    told = replace(evidence, judged=replace(evidence.judged, against_best_rule=table))
    assert (
        "but is not closer per customer than “As in the last period” (-2.00 USD"
        in all_findings(told)["trust"].sentence
    )


def test_numbers_that_nobody_checked_are_said_to_be_so(evidence):
    findings = all_findings(without_judging(evidence))
    assert findings["trust"].sentence.startswith("Nobody has checked these numbers")
    assert "coverage" not in findings.names


@pytest.mark.parametrize(
    ("covered", "verdict"),
    [(0.905, "as promised"), (0.80, "so that they are too narrow"), (0.97, "so that they are too wide")],
)
def test_coverage_is_held_against_its_promise(evidence, covered, verdict):
    table = evidence.judged.coverage.assign(covered=covered)
    sentence = all_findings(replace(evidence, judged=replace(evidence.judged, coverage=table)))["coverage"].sentence
    assert verdict in sentence
    assert "2 judged dates" in sentence  # the oldest date's intervals were calibrated on nothing
    assert "up to 540 customers" in sentence


@pytest.mark.parametrize(
    ("top", "said"),
    [(0.893, "89.3% were inside theirs, as promised."), (0.8, "80.0% were inside theirs, fewer than promised."),
     (NAN, "")],
)  # fmt: skip
def test_the_coverage_of_those_who_matter_most_is_told(evidence, top, said):
    table = evidence.judged.coverage.assign(covered_top=top)
    sentence = all_findings(replace(evidence, judged=replace(evidence.judged, coverage=table)))["coverage"].sentence
    assert said in sentence
    assert ("bring half of the value" in sentence) == bool(said)


def test_coverage_that_could_not_be_measured_is_not_told(evidence):
    coverage = evidence.judged.coverage
    only_newest = coverage.assign(covered=[0.9, NAN, NAN], below=[0.05, NAN, NAN], above=[0.05, NAN, NAN])
    told = replace(evidence, judged=replace(evidence.judged, coverage=only_newest))
    assert "1 judged date," in all_findings(told)["coverage"].sentence
    none = replace(evidence, judged=replace(evidence.judged, coverage=coverage.assign(covered=NAN)))
    assert "coverage" not in all_findings(none).names


def test_the_interval_names_its_largest_source_first_and_what_could_not_be_measured(evidence):
    sentence = all_findings(evidence)["interval"].sentence
    assert "because of how far the totals of judged dates were off (62% of the variance)" in sentence
    assert "must not be added up: the interval of the total is 11% as wide" in sentence
    thin = replace(evidence.portfolio, from_drift=NAN, from_refits=0.6, from_chance=0.4, width_over_summed=NAN)
    sentence = all_findings(replace(evidence, portfolio=thin))["interval"].sentence
    assert sentence.endswith("could not be measured, so that the interval is too narrow.")
    none = replace(thin, from_refits=NAN, from_chance=NAN)
    assert "interval" not in all_findings(replace(evidence, portfolio=none)).names


def test_independence_is_told_by_the_stronger_correlation(evidence):
    found = Independence(Correlation(0.1, 0.05, 0.15), Correlation(0.2, 0.15, 0.25), 500, "They buy alike.")
    assert all_findings(replace(evidence, independence=found))["independence"].sentence == (
        "They buy alike. The correlation of logarithms is +0.20 (+0.15 to +0.25) among 500 customers who bought "
        "again."
    )
    unknown = Independence(None, None, 3, "Cannot be said: of 3 customers, they are too few.")
    assert all_findings(replace(evidence, independence=unknown))["independence"].sentence == unknown.verdict


def test_parts_without_weight_are_not_told(evidence):
    shares = evidence.shipped.shares.assign(purchases=[0.0, 1.0, 0.0], value=[0.0, 0.4, 0.6])
    sentence = all_findings(replace(evidence, shipped=replace(evidence.shipped, shares=shares)))["shipped"].sentence
    assert "a blend: Regression on logs 40% (for purchases 100%) and XGBoost 60% (for purchases 0%)." in sentence


def test_nothing_is_unsaid_where_everything_is_there(evidence):
    assert unsaid(evidence) == {}


def test_every_section_that_cannot_be_shown_says_why(evidence):
    answers = evidence.answers
    tables = ("by_segment", "by_department", "by_cohort", "by_channel", "moved", "movers", "apart")
    nothing = {name: getattr(answers, name).head(0) for name in tables}
    empty = with_answers(without_judging(evidence), previous=None, **nothing)
    said = unsaid(empty)
    assert set(said) == {"judged", "weekly", *tables} - {"movers"}
    assert all(sentence.endswith(".") for sentence in said.values())
    assert "with 5 customers or more" in said["by_channel"]
    wanting = replace(empty, wanting=tuple(REQUIREMENTS.additions))
    assert "It takes the column channel of the table purchases" in unsaid(wanting)["by_channel"]
    assert "the column department of the table products" in unsaid(wanting)["by_department"]
    nobody = with_answers(empty, top_tier=answers.top_tier.head(0))
    assert unsaid(nobody)["apart"].startswith("No margin is expected")


def test_the_measures_name_no_customer(evidence):
    text = str(measures(evidence))
    assert evidence.valued.customers["customer_id"].iloc[0] not in text
    assert measures(evidence)["portfolio"]["value"]["value"] == evidence.portfolio.value.value
