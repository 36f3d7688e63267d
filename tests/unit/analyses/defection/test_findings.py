"""What defection says in words: with its numbers, most important first, and nothing where nothing is known."""

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.defection.findings import all_findings, first_reasons, headline, measures
from crm.analyses.defection.labels import Stake
from crm.analyses.defection.unsaid import unsaid
from crm.config import read_settings
from crm.publishing import publish

NAMES = {
    "leaving", "contact", "badly_treated", "changed_late_deliveries", "changed_gap", "signs", "dropped", "trust",
    "calibration", "overdue", "gone", "reasons", "drivers", "left", "lost", "staying", "when", "left_partly",
    "came_back", "trust_partly", "over_plain", "where_it_fails", "assumptions", "shipped", "not_there",
}  # fmt: skip
SCALE = "0.5 is chance, 1 is perfect"
RULE = "Days since last purchase"


def with_judged(evidence, **tables):
    return replace(evidence, judged=replace(evidence.judged, **tables))


def with_gain(evidence, gain, low, high, *, outcome="left"):
    """Another gain over every rule, in order and in precision."""
    table = evidence.judged.gains.copy()
    table.loc[table["outcome"] == outcome, ["gain", "low", "high"]] = [gain, low, high]
    return with_judged(evidence, gains=table)


def rule_ships(evidence):
    """The rule of thumb was not beaten, and scores."""
    marked = {
        part: getattr(evidence.judged, part).assign(shipped=getattr(evidence.judged, part)["candidate"] == RULE)
        for part in ("table", "mean")
    }
    told = with_gain(with_judged(evidence, **marked), 0.01, -0.02, 0.04)
    return replace(told, shipped=replace(evidence.shipped, name=RULE))


def unjudged(evidence):
    judged = evidence.judged
    tables = ("table", "mean", "gains", "over_plain", "calibration", "groups")
    return with_judged(evidence, dates=(), **{name: getattr(judged, name).head(0) for name in tables})


def no_contact(evidence):
    worthless = replace(
        evidence.decision, contacted=0, gain=0.0, low=0.0, high=0.0, threshold=math.nan, break_even=0.31
    )
    return replace(evidence, decision=worthless)


def blind(evidence):
    """An order, and no chance of anybody."""
    customers = evidence.customers.assign(
        probability=np.nan, partial_probability=np.nan, value_at_risk=np.nan, contact=False, reasons="", causes=""
    )
    nothing = {"expected_to_leave": math.nan, "expected_low": math.nan, "expected_high": math.nan}
    told = no_contact(replace(unjudged(evidence), customers=customers, **nothing))
    return replace(told, decision=replace(told.decision, break_even=math.nan), drivers=evidence.drivers.head(0))


def contracts(evidence):
    stake = Stake("cancellation", 56, 56)
    return replace(evidence, stake=stake, understanding=replace(evidence.understanding, stake=stake))


CASES = {
    "usual": lambda evidence: evidence,
    "rule ships": rule_ships,
    "no better": lambda evidence: with_gain(evidence, 0.01, -0.02, 0.04),
    "worse": lambda evidence: with_gain(evidence, -0.03, -0.05, -0.01),
    "unjudged": unjudged,
    "no contact": no_contact,
    "blind": blind,
    "contracts": contracts,
}


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "_"))
def case(request, evidence):
    return CASES[request.param](evidence)


def test_every_name_is_there_and_none_twice(evidence):
    names = all_findings(evidence).names
    assert set(names) | {"lost"} == NAMES
    assert len(names) == len(set(names))


def test_every_number_of_a_sentence_is_one_of_its_values(case):
    understood = {finding.name for finding in case.understanding.findings}
    for finding in all_findings(case):
        typed = re.sub(r"\{[^}]*\}", "", finding.template).replace(SCALE, "")
        if finding.name not in understood:
            assert not re.search(r"\d", typed), finding.template
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
    published = publish("04_defection", settings=settings, run_folder="", findings=findings, measures=numbers)
    assert published.findings == findings.names


def test_the_answers_come_first_and_what_can_be_trusted_after_them(evidence):
    names = all_findings(evidence).names
    assert names[:3] == ("leaving", "contact", "badly_treated")
    assert names.index("changed_late_deliveries") < names.index("trust") < names.index("calibration")


def test_who_will_leave_is_said_with_its_interval_and_what_is_at_risk(evidence):
    customers = evidence.customers.head(2).assign(
        value_if_stays=[100.0, 300.0], value_at_risk=[50.0, 30.0], partial_probability=[0.8, 0.4]
    )
    told = replace(evidence, customers=customers, expected_to_leave=0.6, expected_low=0.2, expected_high=1.4)
    assert all_findings(told)["leaving"].sentence == (
        "As of 2018-01-01, 0.6 of 2 active customers (who bought in the last 56 days) are expected to buy nothing in "
        "the next 56 days: 30.0% (90% interval 0.2 to 1.4 customers). At risk with them are 80 USD of margin over 91 "
        "days (the 20% that leavers bring all the same taken off), 20.0% of what all would bring if they stayed. "
        "Those included, 1.2 will spend less than half of the usual in these days."
    )


@pytest.mark.parametrize(("still", "said"), [(0.28, "the 28% that leavers bring all the same taken off"), (0.0, "")])
def test_what_comes_all_the_same_is_taken_off_what_is_at_risk_and_said_so(evidence, still, said):
    told = replace(evidence, decision=replace(evidence.decision, still_brings=still))
    for words in (all_findings(told)["leaving"].sentence, headline(told).sentence):
        assert ("bring all the same" in words) == bool(said)
        assert said in words


def test_reasons_are_told_of_the_likeliest_and_of_those_worth_a_contact(evidence):
    sentence = all_findings(evidence)["reasons"].sentence
    told = int((evidence.customers["causes"] != "").sum())
    assert sentence.startswith(f"Of the {told:,} likeliest to leave or worth a contact whose reasons are known, ")


def test_contracts_are_told_as_contracts(evidence):
    findings = all_findings(contracts(evidence))
    assert (
        "600 customers with a running contract are expected to cancel within 56 days" in findings["leaving"].sentence
    )
    assert "pay less than half of today's fee" in findings["leaving"].sentence
    assert findings["gone"].sentence.startswith("83 customers more have no contract that is running and have left")


@pytest.mark.parametrize(
    ("low", "begins", "holds"),
    [(12.0, "It pays to contact 40 customers by mail", "(90% interval 12 to 53) after 0.60 USD a contact"),
     (-5.0, "On average it pays to contact 40", "(90% interval -5 to 53, so that it may cost money as well) after")],
    ids=["sure", "unsure"],
)  # fmt: skip
def test_whom_to_contact_is_said_with_its_interval_and_assumption(low, begins, holds, evidence):
    decision = replace(evidence.decision, contacted=40, gain=31.0, low=low, high=53.0, threshold=0.031)
    sentence = all_findings(replace(evidence, decision=decision))["contact"].sentence
    assert sentence.startswith(begins)
    assert holds in sentence
    assert "each with a chance to leave of 3.1% or more" in sentence
    assert "assumed is that a contact keeps 10% of those who would have left" in sentence
    assert "; if it were 5%, " in sentence, "a more careful assumption stands beside it"


@pytest.mark.parametrize(
    ("break_even", "ends"),
    [(0.31, "It would pay to contact somebody if it kept 31.0% or more of them."),
     (1.7, "Even a contact that kept everybody would cost more than it brings."),
     (math.nan, "Even a contact that kept everybody would cost more than it brings.")],
)  # fmt: skip
def test_where_no_contact_pays_the_break_even_is_said(break_even, ends, evidence):
    told = no_contact(evidence)
    told = replace(told, decision=replace(told.decision, break_even=break_even))
    sentence = all_findings(told)["contact"].sentence
    assert sentence.startswith(
        "No contact pays: by mail each costs 0.60 USD, and assumed is that a contact keeps 10%"
    )
    assert sentence.endswith(ends)


def test_the_best_customers_treated_worst_are_told_where_they_are_five_at_least(evidence):
    assert all_findings(evidence)["badly_treated"].sentence == (
        "Of the tenth of customers worth most, 9 met with “late deliveries” in the last year: their chance to leave "
        "is 11.0% on average, against 2.0% of those to whom nothing happened, and 61 USD of margin are at risk with "
        "them. That is not yet proof of why."
    )
    few = evidence.badly_treated.assign(customers=[4, 4, 4, 41])
    assert "badly_treated" not in all_findings(replace(evidence, badly_treated=few)).names


def test_nothing_is_told_of_a_handful_of_those_who_left(evidence):
    """The understanding's own sentence about three customers is not for a page that many read."""
    losses = evidence.understanding.losses
    signs = next(one for one in evidence.understanding.findings if one.name == "signs")
    three = replace(signs, values={**signs.values, "customers": 3})
    others = [one for one in evidence.understanding.findings if one.name != "signs"]
    told = replace(
        evidence,
        understanding=replace(evidence.understanding, findings=type(all_findings(evidence))([three, *others])),
    )
    assert "signs" not in all_findings(told).names
    assert (losses["customers"] < 5).any()
    assert all(row["customers"] >= 5 for row in measures(evidence)["losses"].to_dict("records"))


def test_reasons_are_counted_by_theme():
    causes = pd.Series(["silence · rhythm", "silence", "rhythm · silence · money", "", "money"])
    one = type("Drawn", (), {"customers": pd.DataFrame({"causes": causes})})
    assert first_reasons(one).to_dict("records") == [
        {"reason": "silence", "customers": 2, "share": 0.5, "named": 3},
        {"reason": "money", "customers": 1, "share": 0.25, "named": 2},
        {"reason": "rhythm", "customers": 1, "share": 0.25, "named": 2},
    ]


def test_a_model_that_beats_every_rule_is_said_to_and_comes_after_the_answers(evidence):
    assert all_findings(evidence)["trust"].sentence == (
        "It pays to use the model: “Blend” puts customers in a better order than every rule of thumb, the best of "
        "which is “Days since last purchase” (order 0.864 against 0.758, by +0.106, +0.076 to +0.136; average "
        "precision 0.290 against 0.187, by +0.103, +0.073 to +0.133; 3 dates, 1,740 customers in all). In the tenth "
        "of customers with the highest chance were 51% of all who left, 5.1 times as many as in a tenth drawn by lot."
    )


@pytest.mark.parametrize(
    ("gain", "low", "high", "begins"),
    [(0.01, -0.02, 0.04, "The rule of thumb “Days since last purchase” orders customers as well as the model"),
     (-0.03, -0.05, -0.01, "The rule of thumb “Days since last purchase” orders customers better than the model")],
    ids=["as well", "better"],
)  # fmt: skip
def test_a_model_that_is_no_better_says_so_in_the_first_line(gain, low, high, begins, evidence):
    findings = all_findings(with_gain(evidence, gain, low, high))
    assert findings[0].name == "trust"
    assert findings[0].sentence.startswith(begins)


def test_one_rule_that_is_not_beaten_is_enough(evidence):
    gains = evidence.judged.gains.copy()
    last = gains.index[(gains["outcome"] == "left") & (gains["measure"] == "average_precision")][-1]
    gains.loc[last, "low"] = -0.001
    assert all_findings(with_judged(evidence, gains=gains))[0].name == "trust"


def test_a_rule_of_thumb_that_ships_says_so_in_the_first_line(evidence):
    findings = all_findings(rule_ships(evidence))
    assert findings[0].sentence.startswith(
        "The rule “Days since last purchase” orders customers as well: it ships. What was learnt puts those who will "
        "buy nothing in the next 56 days in no better order than it, beyond chance ("
    )
    assert "Go by the rule, which is simpler." in findings[0].sentence


def test_what_nobody_checked_is_said_to_be_so(evidence):
    findings = all_findings(unjudged(evidence))
    assert findings["trust"].sentence.startswith("Nobody has checked who is said to leave")
    assert not {"calibration", "over_plain", "where_it_fails", "trust_partly"} & set(findings.names)


@pytest.mark.parametrize(
    ("error", "expected", "verdict"),
    [(0.02, 1.02, "can be taken at their word"), (0.03, 1.02, "can be off and must be read with care"),
     (0.01, 0.90, "are near the truth, but rather too low"), (0.01, 1.08, "are near the truth, but rather too high")],
)  # fmt: skip
def test_chances_are_held_against_what_came(error, expected, verdict, evidence):
    table = evidence.judged.table.assign(calibration=error, expected=expected)
    sentence = all_findings(with_judged(evidence, table=table))["calibration"].sentence
    assert verdict in sentence
    assert f"by {100 * error:.1f} percentage points on average" in sentence
    assert f"expected were {expected:.0%} of the 105 who left (3 judged dates)" in sentence


@pytest.mark.parametrize(
    ("auc", "begins"), [(0.61, "Do not go by it in the group “Occasional”"), (0.71, "It does worst in the group")]
)
def test_the_group_it_fails_in_is_named(auc, begins, evidence):
    groups = evidence.judged.groups.copy()
    groups.loc[groups["group"] == "Occasional", "auc"] = auc
    assert all_findings(with_judged(evidence, groups=groups))["where_it_fails"].sentence.startswith(begins)


def test_a_draft_says_what_the_run_said_though_its_model_has_become_champion(evidence):
    """Which version scores stands in a table and in the measures: a sentence would change with the registry."""
    champion = replace(evidence.shipped, version="1", why="Version 1 scores.")
    told = replace(evidence, shipped=champion)
    assert [one.sentence for one in all_findings(told)] == [one.sentence for one in all_findings(evidence)]
    assert measures(told)["version"] == "1"
    assert measures(told)["why"] == "Version 1 scores."


def test_what_is_left_out_is_said_once_with_its_reason(evidence):
    assert set(unsaid(evidence)) == set(evidence.understanding.unsaid)
    said = unsaid(blind(evidence))
    assert {"judged", "calibration", "over_plain", "groups", "expected", "drivers", "reasons"} <= set(said)
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in said.values())


def test_without_a_chance_nobody_is_told_to_be_left_alone_or_contacted(evidence):
    findings = all_findings(blind(evidence))
    assert not {"contact", "assumptions"} & set(findings.names)
    assert findings["leaving"].sentence.startswith(
        "As of 2018-01-01, of 600 active customers nobody can say how many will leave"
    )


def test_the_measures_name_no_customer(evidence):
    text = str(measures(evidence))
    assert not [one for one in evidence.customers["customer_id"] if f"'{one}'" in text or f" {one} " in text]
