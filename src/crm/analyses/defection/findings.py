"""What defection found, in sentences made of its own numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.analyses import counted, listed, not_one_person, not_there
from crm.analyses.defection.reasons import SEPARATOR
from crm.analyses.defection.result import Evidence
from crm.analyses.defection.say import (
    LEAVE,
    PARTLY,
    at_stake,
    comes_all_the_same,
    first,
    known,
    no_minus_zero,
    rounded,
    say,
    tells_chances,
)
from crm.analyses.defection.trusted import (
    calibration,
    fallback,
    over_plain,
    rule_wins,
    shipped,
    trust,
    trust_partly,
    where_it_fails,
)
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail

TELLING = 1.25
"""Times the chance to leave of others from which a difference is worth a sentence."""

REASONS_TOLD = 3
TENTHS = 10
NOTHING = "nothing"
"""The row of `badly_treated` of those to whom nothing went wrong."""

TAKEN_OFF = "the {still:.0%} that leavers bring all the same taken off"
"""What the margin at risk leaves out, as a clause."""

IN_COMMON = ("changed_", "nothing_changed", "for_a_while", "dropped", "signs")
"""What those who left had in common that similar stayers had not: names of findings, or how they begin."""


def all_findings(evidence: Evidence) -> Findings:
    """Every finding the evidence allows, what matters most first.

    That comes before all else which says that a rule of thumb orders customers as well.
    """
    doubt, trusted = (trust(evidence), None) if rule_wins(evidence) else (None, trust(evidence))
    common, others = _understood(evidence)
    return Findings(
        [
            doubt,
            leaving(evidence),
            contact(evidence),
            badly_treated(evidence),
            *common,
            trusted,
            calibration(evidence),
            not_one_person(evidence.crowded, evidence.as_of),
            overdue(evidence),
            gone(evidence),
            reasons(evidence),
            drivers(evidence),
            *others,
            trust_partly(evidence),
            over_plain(evidence),
            where_it_fails(evidence),
            fallback(evidence),
            assumptions(evidence),
            shipped(evidence),
            not_there(evidence.wanting, evidence.as_of),
        ]
    )


def measures(evidence: Evidence) -> dict[str, object]:
    """The numbers for results.json: the whole, the judged dates, the decision; no customer by name."""
    judged, decision, made_of, found = evidence.judged, evidence.decision, evidence.shipped, evidence.understanding
    customers = evidence.customers
    return {
        "leaving_is": evidence.stake.kind,
        "customers": len(customers),
        "gone": evidence.gone,
        "horizon_days": evidence.horizon_days,
        "expected_to_leave": evidence.expected_to_leave,
        "expected_low": evidence.expected_low,
        "expected_high": evidence.expected_high,
        "expected_to_leave_partly": float(customers["partial_probability"].sum(min_count=1)),
        "value_at_risk": float(customers["value_at_risk"].sum(min_count=1)),
        "decision": {
            name: getattr(decision, name)
            for name in ("kept", "cost", "channel", "value_days", "value_from", "level", "contacted", "gain", "low",
                         "high", "threshold", "break_even")
        },
        "sensitivity": decision.sensitivity,
        "shipped": made_of.name,
        "version": made_of.version,
        "why": made_of.why,
        "level_from": dict(made_of.level_from),
        "judged": judged.table,
        "judged_mean": judged.mean,
        "gains": judged.gains,
        "over_plain": judged.over_plain,
        "calibration": judged.calibration,
        "groups": _enough(judged.groups),
        "drivers": evidence.drivers,
        "badly_treated": _enough(evidence.badly_treated),
        "partial": found.partial,
        "changes": found.changes,
        "dropped": found.dropped,
        "losses": _enough(found.losses),
    }  # fmt: skip


def leaving(evidence: Evidence) -> Finding | None:
    """How many of those at stake are expected to leave, and what margin is at risk with them."""
    customers = evidence.customers
    if not tells_chances(evidence):
        template = (
            f"As of {{as_of}}, of {at_stake(evidence)} nobody can say how many will leave: nothing could be learnt "
            "from earlier dates"
        )
        return say(evidence, "leaving", template + ".", {})
    number = rounded(evidence.expected_to_leave)
    values: dict[str, Any] = {
        "expected": float(evidence.expected_to_leave),
        "share": float(evidence.expected_to_leave) / max(len(customers), 1),
        "low": float(evidence.expected_low), "high": float(evidence.expected_high),
        "at_risk": no_minus_zero(float(customers["value_at_risk"].sum())),
        "stays": no_minus_zero(float(customers["value_if_stays"].sum())),
        "value_days": evidence.decision.value_days,
        "within": evidence.stake.active_within_days,
        "level": evidence.decision.level,
        "still": evidence.decision.still_brings,
    }  # fmt: skip
    taken_off = f" ({TAKEN_OFF})" if comes_all_the_same(evidence) else ""
    values["part"] = values["at_risk"] / values["stays"] if values["stays"] > 0 else 0.0
    active = " (who bought in the last {within} days)" if evidence.stake.kind == "silence" else ""
    template = (
        f"As of {{as_of}}, {{expected:{number}}} of {at_stake(evidence)}{active} are expected to "
        f"{LEAVE[evidence.stake.kind]}: {{share:.1%}} ({{level:.0%}} interval {{low:{number}}} to {{high:{number}}} "
        "customers). At risk with them are {at_risk:,.0f} {currency} of margin over {value_days} days"
        f"{taken_off}, {{part:.1%}} of what all would bring if they stayed"
    )
    partly = float(customers["partial_probability"].sum(min_count=1))
    if known(partly):
        values["partly"] = partly
        template += f". Those included, {{partly:{rounded(partly)}}} will {PARTLY[evidence.stake.kind]}"
    return say(evidence, "leaving", template + ".", values)


def headline(evidence: Evidence) -> Headline | None:
    """How many are expected to leave."""
    chances = evidence.customers["probability"].dropna().sort_values(ascending=False, ignore_index=True)
    tenths = chances.index * TENTHS // max(len(chances), 1) + 1
    expected = chances.groupby(tenths).sum() if len(chances) >= TENTHS * FEWEST_SHOWN else chances.head(0)
    return Headline.of(
        leaving(evidence),
        "expected",
        label=f"customers expected to {LEAVE[evidence.stake.kind]}",
        better="less",
        interval="{level:.0%} interval",
        sentence=f"That is {{share:.1%}} of {at_stake(evidence)}. At risk with them are {{at_risk:,.0f}} "
        f"{{currency}} of margin over {{value_days}} days{f', {TAKEN_OFF}' if comes_all_the_same(evidence) else ''}.",
        trail=Trail.of(
            "Expected to leave, by tenth of customers, the likeliest first",
            (f"Tenth {number}" for number in expected.index),
            expected,
            drawn="bars",
        ),
    )


def contact(evidence: Evidence) -> Finding | None:
    """How many to contact, what that brings, and on which assumption; or that no contact pays."""
    decision = evidence.decision
    if not tells_chances(evidence):
        return None
    values: dict[str, Any] = {
        "cost": decision.cost, "channel": decision.channel, "kept": decision.kept, "level": decision.level,
        "value_days": decision.value_days,
    }  # fmt: skip
    assumed = (
        "assumed is that a contact keeps {kept:.0%} of those who would have left, which an experiment would show"
    )
    if decision.contacted == 0:
        return _no_contact(evidence, values, assumed)
    values |= {"contacted": decision.contacted, "threshold": decision.threshold}
    values |= {name: no_minus_zero(getattr(decision, name)) for name in ("gain", "low", "high")}
    values["part"] = decision.contacted / max(len(evidence.customers), 1)
    sure = decision.low > 0
    pays = "It pays" if sure else "On average it pays"
    template = (
        f"{pays} to contact {counted('contacted', decision.contacted, 'customer')} by {{channel}} ({{part:.0%}} of "
        "them, each with a chance to leave of {threshold:.1%} or more): the expected net gain is {gain:,.0f} "
        "{currency} ({level:.0%} interval {low:,.0f} to {high:,.0f}"
        + ("" if sure else ", so that it may cost money as well")
        + ") after {cost:,.2f} {currency} a contact; "
        + assumed
    )
    template += _other_assumption(decision.sensitivity, decision.kept, values)
    return say(evidence, "contact", template + ".", values, decision.sensitivity)


def _no_contact(evidence: Evidence, values: dict[str, Any], assumed: str) -> Finding | None:
    """That leaving everybody alone is best, and from which assumption on it is not."""
    template = f"No contact pays: by {{channel}} each costs {{cost:,.2f}} {{currency}}, and {assumed}"
    if known(evidence.decision.break_even) and evidence.decision.break_even <= 1:
        values["break_even"] = evidence.decision.break_even
        template += ". It would pay to contact somebody if it kept {break_even:.1%} or more of them"
    else:
        template += ". Even a contact that kept everybody would cost more than it brings"
    return say(evidence, "contact", template + ".", values, evidence.decision.sensitivity)


def _other_assumption(sensitivity: pd.DataFrame, kept: float, values: dict[str, Any]) -> str:
    """The clause on the nearest more careful assumption, whose numbers are added to `values`."""
    fewer = sensitivity[sensitivity["kept"] < kept * 0.99].sort_values("kept", kind="stable").tail(1)
    if fewer.empty:
        return ""
    row = first(fewer)
    values |= {"kept_else": float(row["kept"]), "contacted_else": int(row["contacted"])}
    values["gain_else"] = no_minus_zero(float(row["gain"]))
    return "; if it were {kept_else:.0%}, {gain_else:,.0f} {currency} by contacting {contacted_else:,}"


def badly_treated(evidence: Evidence) -> Finding | None:
    """The best customers who were treated worst."""
    table = _enough(evidence.badly_treated)
    bad = table[table["trouble"] != NOTHING].sort_values("value_at_risk", ascending=False, kind="stable")
    if bad.empty:
        return None
    well = first(table[table["trouble"] == NOTHING])
    if well:
        bad = bad[bad["probability"] > TELLING * well["probability"]]
    if bad.empty:
        return None
    worst = first(bad)
    values: dict[str, Any] = {
        "trouble": str(worst["trouble"]), "treated": int(worst["customers"]),
        "chance": float(worst["probability"]), "at_risk": float(worst["value_at_risk"]),
    }  # fmt: skip
    template = (
        "Of the tenth of customers worth most, {treated:,} met with “{trouble}” in the last year: their chance to "
        "leave is {chance:.1%} on average"
    )
    if well:
        values |= {"chance_else": float(well["probability"])}
        template += ", against {chance_else:.1%} of those to whom nothing happened"
    template += ", and {at_risk:,.0f} {currency} of margin are at risk with them. That is not yet proof of why"
    return say(evidence, "badly_treated", template + ".", values, table)


def overdue(evidence: Evidence) -> Finding | None:
    """Silence seen early: who should have bought by now."""
    late = evidence.customers[evidence.customers["overdue"].eq(True)]
    others = evidence.customers[~evidence.customers["overdue"].eq(True)]
    if len(late) < FEWEST_SHOWN or not late["probability"].mean() > TELLING * others["probability"].mean():
        return None
    values: dict[str, Any] = {
        "overdue": len(late), "part": len(late) / len(evidence.customers),
        "chance": float(late["probability"].mean()),
        "at_risk": no_minus_zero(float(late["value_at_risk"].sum())),
    }  # fmt: skip
    template = (
        "{overdue:,} ({part:.1%}) are overdue: nine of ten who buy as they do would have bought by now. Their chance "
        "to leave is {chance:.1%} on average, with {at_risk:,.0f} {currency} of margin at risk"
    )
    return say(evidence, "overdue", template + ".", values)


def gone(evidence: Evidence) -> Finding | None:
    """Who has left already: counted, and not scored."""
    if not evidence.gone:
        return None
    values: dict[str, Any] = {"gone": evidence.gone, "within": evidence.stake.active_within_days}
    why = {
        "silence": "bought nothing in the last {within} days", "cancellation": "have no contract that is running"
    }[evidence.stake.kind]  # fmt: skip
    one = evidence.gone == 1
    template = (
        f"{counted('gone', evidence.gone, 'customer')} more {why if not one else why.replace('have no', 'has no')} "
        f"and {'has' if one else 'have'} left already: counted here, and not scored"
    )
    return say(evidence, "gone", template + ".", values)


def reasons(evidence: Evidence) -> Finding | None:
    """The commonest first reasons of those at risk."""
    counts = first_reasons(evidence)
    told = counts[counts["customers"] >= FEWEST_SHOWN].head(REASONS_TOLD)
    if told.empty:
        return None
    values: dict[str, Any] = {"told": int(counts["customers"].sum())}
    clauses = []
    for place, row in enumerate(told.to_dict("records"), start=1):
        values |= {f"cause_{place}": str(row["reason"]), f"customers_{place}": int(row["customers"])}
        values |= {f"share_{place}": float(row["share"])}
        clauses.append(f"“{{cause_{place}}}” ({{customers_{place}:,}}, {{share_{place}:.0%}})")
    template = (
        "Of the {told:,} likeliest to leave or worth a contact whose reasons are known, the first reason is most "
        f"often {listed(clauses)}; the scores name up to three per customer, with the customer's own numbers"
    )
    return say(evidence, "reasons", template + ".", values, told)


def first_reasons(evidence: Evidence) -> pd.DataFrame:
    """How often each theme is the first reason, and how often any: reason, customers, share, named."""
    told = evidence.customers["causes"]
    causes = told[told.ne("")].map(lambda words: words.split(SEPARATOR))
    firsts = causes.map(lambda some: some[0]).value_counts()
    named = causes.explode().drop_duplicates().to_list() if len(causes) else []
    anywhere = causes.map(lambda some: list(dict.fromkeys(some))).explode().value_counts()
    table = pd.DataFrame({"reason": [str(name) for name in named]}, dtype="object")
    table["customers"] = [int(firsts.get(name, 0)) for name in named]
    table["share"] = table["customers"] / max(len(causes), 1)
    table["named"] = [int(anywhere.get(name, 0)) for name in named]
    return table.sort_values(["customers", "named", "reason"], ascending=[False, False, True], ignore_index=True)


def drivers(evidence: Evidence) -> Finding | None:
    """What moves the chance most, of all customers."""
    rows = evidence.drivers.head(REASONS_TOLD)
    if rows.empty:
        return None
    values: dict[str, Any] = {}
    clauses = []
    for place, row in enumerate(rows.to_dict("records"), start=1):
        values |= {f"theme_{place}": str(row["theme"]), f"share_{place}": float(row["share"])}
        clauses.append(f"“{{theme_{place}}}” ({{share_{place}:.0%}})")
    template = (
        f"What moves the chance to leave most is {listed(clauses)}: shares of what the columns read contribute to "
        "it, which says what tells leavers apart, not what makes them leave"
    )
    return say(evidence, "drivers", template + ".", values, evidence.drivers)


def assumptions(evidence: Evidence) -> Finding | None:
    """Everything that money rests on."""
    decision = evidence.decision
    if not tells_chances(evidence):
        return None
    values: dict[str, Any] = {
        "kept": decision.kept, "cost": decision.cost, "channel": decision.channel, "value_days": decision.value_days,
    }  # fmt: skip
    margin = {
        "lifetime value": "the margin that lifetime value expects of who stays, over {value_days} days",
        "the last year": "the margin of the last year, per day, over {value_days} days",
    }.get(decision.value_from)
    if margin is None:
        values["value_from"] = decision.value_from
        margin = "{value_from}, over {value_days} days"
    values["still"] = decision.still_brings
    still = (
        "{still:.0%} of what leavers had brought came all the same on judged dates, and is not counted as won. "
        if comes_all_the_same(evidence)
        else ""
    )
    template = (
        f"Money rests on assumptions: what a customer brings who stays is {margin}; a contact by {{channel}} costs "
        "{cost:,.2f} {currency} and keeps {kept:.0%} of those who would have left, whoever they are; "
        + still
        + "The interval holds given these. Until an "
        "experiment with a hold-out group says how many it keeps, take the net gain as a plan and not as a promise"
    )
    return say(evidence, "assumptions", template + ".", values)


def _understood(evidence: Evidence) -> tuple[list[Finding], list[Finding]]:
    """What was found of those who left: what they had in common, and the rest; nothing told of a handful."""
    told = [
        one for one in evidence.understanding.findings if one.values.get("customers", FEWEST_SHOWN) >= FEWEST_SHOWN
    ]
    common = [one for one in told if one.name.startswith(IN_COMMON)]
    return common, [one for one in told if one not in common]


def _enough(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of five customers or more."""
    return table[table["customers"] >= FEWEST_SHOWN].reset_index(drop=True)
