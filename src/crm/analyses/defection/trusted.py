"""How far to trust who is said to leave, in sentences made of its own numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.analyses import counted
from crm.analyses.defection.result import Evidence
from crm.analyses.defection.say import LEAVE, PARTLY, first, known, no_minus_zero, say
from crm.finding import Finding
from crm.headline import FEWEST_SHOWN

WELL_CALIBRATED = 0.02
"""An expected calibration error of at most so much is told as good."""

WHOLE_OFF = 0.05
"""By which the number expected to leave may be off on every judged date without a word about it."""

_MEASURES = ("auc", "average_precision")
_WEAK_GROUP = 0.7
"""Order within a group below which it is named as a place where this fails; chance is 0.5."""


def rule_wins(evidence: Evidence, outcome: str = "left") -> bool:
    """Does a rule of thumb order customers as well as what was learnt, as far as judged dates can tell?"""
    if ships_a_rule(evidence, outcome):
        return True
    gains = _gains(evidence, outcome)
    return bool(len(gains)) and not bool((gains["low"] > 0).all())


def ships_a_rule(evidence: Evidence, outcome: str = "left") -> bool:
    """Is it a rule of thumb that scores?"""
    mean = evidence.judged.mean
    ours = mean[(mean["outcome"] == outcome) & mean["shipped"].astype("bool")]
    return bool((ours["kind"] == "rule").any())


def trust(evidence: Evidence) -> Finding | None:
    """How the shipped order did on dates whose outcome is known, beside the best rule of thumb."""
    judged = evidence.judged
    if judged.table.empty:
        return say(
            evidence,
            "trust",
            "Nobody has checked who is said to leave: no earlier date has enough history before it and an outcome "
            "after it.",
            {},
        )
    ours = _shipped(judged.table, "left")
    if ours.empty or not _gained(evidence, "left", {}):
        return _trust_alone(evidence, ours)
    values: dict[str, Any] = {}
    return say(
        evidence, "trust", _against_rules(evidence, "left", values) + _how_good(ours, values), values, judged.mean
    )


def trust_partly(evidence: Evidence) -> Finding | None:
    """The same of spending less than half of the usual."""
    ours = _shipped(evidence.judged.table, "left_partly")
    values: dict[str, Any] = {}
    if ours.empty or not _gained(evidence, "left_partly", values):
        return None
    wins = rule_wins(evidence, "left_partly")
    verdict = "no better, beyond chance, than" if wins else "better than"
    template = (
        f"Who will {PARTLY[evidence.stake.kind]} is told {verdict} by the best rule of thumb, “{{rule}}” "
        f"({_clauses(values)}; {{dates}} dates, {{compared:,}} customers in all)"
    )
    values["dates"] = int(ours["date"].nunique())
    return say(evidence, "trust_partly", template + ".", values)


def calibration(evidence: Evidence) -> Finding | None:
    """Did as many leave as were expected to?"""
    ours = _shipped(evidence.judged.table, "left").dropna(subset=["calibration", "expected"])
    if ours.empty:
        return None
    lowest, highest = float(ours["expected"].min()), float(ours["expected"].max())
    values: dict[str, Any] = {
        "points": 100 * float(ours["calibration"].mean()), "lowest": lowest, "highest": highest,
        "dates": int(ours["date"].nunique()), "came": int(ours["came"].sum()),
    }  # fmt: skip
    between = "{lowest:.0%}" if f"{lowest:.0%}" == f"{highest:.0%}" else "between {lowest:.0%} and {highest:.0%}"
    template = (
        f"The chances {_how_true(values['points'], lowest, highest)}: they missed the share that left by "
        f"{{points:.1f}} percentage points on average, and expected were {between} of the {{came:,}} who left "
        f"({counted('dates', values['dates'], 'judged date')})"
    )
    return say(evidence, "calibration", template + ".", values, evidence.judged.calibration)


def _how_true(points: float, lowest: float, highest: float) -> str:
    """A verdict on chances that were off by so many percentage points, and on how many were expected in all."""
    if points > 100 * WELL_CALIBRATED + 1e-9:
        return "can be off and must be read with care"
    if highest < 1 - WHOLE_OFF:
        return "are near the truth, but rather too low"
    if lowest > 1 + WHOLE_OFF:
        return "are near the truth, but rather too high"
    return "can be taken at their word"


def over_plain(evidence: Evidence) -> Finding | None:
    """Beside what anybody gets out of the box."""
    rows = evidence.judged.over_plain
    rows = rows[(rows["outcome"] == "left") & (rows["measure"] == "auc")].dropna(subset=["gain"])
    if rows.empty:
        return None
    values: dict[str, Any] = {
        "ours": float(rows["ours"].mean()), "plain": float(rows["plain"].mean()), "dates": len(rows),
        "gain": no_minus_zero(float(rows["gain"].mean()), places=3), "better": int((rows["gain"] >= 0).sum()),
    }  # fmt: skip
    on = "the one date" if len(rows) == 1 else "{dates} dates"
    template = (
        "XGBoost with its default settings, which learnt from the same dates, orders customers at {plain:.3f} on "
        f"average, against {{ours:.3f}} here ({{gain:+.3f}}; {_SCALE}); on {{better}} of {on} it was no better"
    )
    return say(evidence, "over_plain", template + ".", values, evidence.judged.over_plain)


def where_it_fails(evidence: Evidence) -> Finding | None:
    """The group in which customers are put in the worst order."""
    table = evidence.judged.groups
    told = table[
        (table["outcome"] == "left") & (table["customers"] >= FEWEST_SHOWN) & (table["came"] >= FEWEST_SHOWN)
    ]
    told = told.dropna(subset=["auc"]).sort_values("auc", kind="stable")
    if len(told) < 2:
        return None
    worst = first(told)
    values: dict[str, Any] = {
        "group": str(worst["group"]), "auc": float(worst["auc"]), "in_group": int(worst["customers"]),
        "came": int(worst["came"]), "newest": evidence.judged.dates[0], "groups": len(told),
    }  # fmt: skip
    fails = "It does worst in" if worst["auc"] >= _WEAK_GROUP else "Do not go by it in"
    template = (
        f"{fails} the group “{{group}}” ({{in_group:,}} customers on {{newest}}, {{came:,}} of whom left): there its "
        f"order scores {{auc:.2f}} ({_SCALE}), the lowest of {{groups}} groups by net sales"
    )
    return say(evidence, "where_it_fails", template + ".", values, told)


def shipped(evidence: Evidence) -> Finding | None:
    """What scores, and what it has learnt from. Which version that is, the registry says."""
    made_of = evidence.shipped
    values: dict[str, Any] = {"name": made_of.name, "fitted_as_of": made_of.fitted_as_of}
    template = "Scored by “{name}”, fitted as of {fitted_as_of}"
    if made_of.learnt_from:
        values |= {"lessons": len(made_of.learnt_from)}
        values |= {"oldest": min(made_of.learnt_from), "newest": max(made_of.learnt_from)}
        several = len(made_of.learnt_from) > 1
        template += f", learnt from {counted('lessons', values['lessons'], 'earlier date')} ("
        template += ("{oldest} to {newest}" if several else "{newest}") + ") and the {days} days after"
    if made_of.level_from.get("left") == "season":
        template += ". How many leave in all is taken from the same weeks of a year ago"
    return say(evidence, "shipped", template + ".", values)


def fallback(evidence: Evidence) -> Finding | None:
    """What could not be fitted, and why."""
    why = evidence.shipped.why_not
    return say(evidence, "fallback", "{why}", {"why": " ".join(why), "reasons": len(why)}) if why else None


_SCALE = "0.5 is chance, 1 is perfect"


def _trust_alone(evidence: Evidence, ours: pd.DataFrame) -> Finding | None:
    """Judged, but with nothing to be held against: nobody left, or everybody did."""
    values: dict[str, Any] = {
        "dates": len(evidence.judged.dates),
        "came": int(ours["came"].sum()) if len(ours) else 0,
    }
    if ships_a_rule(evidence):
        values["rule"] = evidence.shipped.name
        template = (
            "The rule “{rule}” orders customers, and it ships: on "
            f"{counted('dates', values['dates'], 'judged date')} nothing could be learnt that does better."
        )
    else:
        template = (
            f"How well customers are put in order cannot be told: {{came:,}} left on "
            f"{counted('dates', values['dates'], 'judged date')}."
        )
    return say(evidence, "trust", template, values)


def _against_rules(evidence: Evidence, outcome: str, values: dict[str, Any]) -> str:
    """The sentence on what ships beside the best rule of thumb; its numbers are added to `values`."""
    _gained(evidence, outcome, values)
    values["dates"] = int(_shipped(evidence.judged.table, outcome)["date"].nunique())
    told = f"({_clauses(values)}; {counted('dates', values['dates'], 'date')}, {{compared:,}} customers in all)"
    leave = LEAVE[evidence.stake.kind]
    if ships_a_rule(evidence, outcome):
        values["ships"] = evidence.shipped.name
        best = "it" if values["ships"] == values["rule"] else "“{rule}”"
        return (
            f"The rule “{{ships}}” orders customers as well: it ships. What was learnt puts those who will {leave} "
            f"in no better order than {best}, beyond chance {told}. Go by the rule, which is simpler. "
        )
    values["ours"] = judged_name(evidence)
    if not rule_wins(evidence, outcome):
        return (
            "It pays to use the model: “{ours}” puts customers in a better order than every rule of thumb, the best "
            f"of which is “{{rule}}” {told}. "
        )
    equal = (
        "orders customers as well as the model" if _not_worse(values) else "orders customers better than the model"
    )
    return (
        f"The rule of thumb “{{rule}}” {equal}, as far as earlier dates tell: “{{ours}}” ships for its chances, but "
        f"its gain may be chance {told}. "
    )


def judged_name(evidence: Evidence) -> str:
    """Of the candidate that judged dates speak of; an approved model of an earlier date may score in its place."""
    shipped = evidence.judged.table[evidence.judged.table["shipped"].astype("bool")]
    return str(shipped["candidate"].iloc[0]) if len(shipped) else evidence.shipped.name


def _not_worse(values: dict[str, Any]) -> bool:
    return not any(values.get(f"{name}_high", 0.0) < 0 for name in _MEASURES)


def _how_good(ours: pd.DataFrame, values: dict[str, Any]) -> str:
    """How many of those who left are found among the tenth of highest chance."""
    rows = ours.dropna(subset=["capture", "lift"])
    if rows.empty:
        return ""
    values |= {"captured": float(rows["capture"].mean()), "lift": float(rows["lift"].mean())}
    return (
        "In the tenth of customers with the highest chance were {captured:.0%} of all who left, {lift:.1f} times as "
        "many as in a tenth drawn by lot."
    )


def _gained(evidence: Evidence, outcome: str, values: dict[str, Any]) -> bool:
    """The gain over the best rule of thumb, by order; False where it is unknown. Its numbers go to `values`."""
    gains = _gains(evidence, outcome)
    best = gains[gains["measure"] == "auc"].sort_values("theirs", ascending=False, kind="stable")
    if best.empty:
        return False
    rule = first(best)["rule"]
    for name in _MEASURES:
        row = first(gains[(gains["rule"] == rule) & (gains["measure"] == name)])
        if row:
            values |= {f"{name}_ours": float(row["ours"]), f"{name}_theirs": float(row["theirs"])}
            values |= {f"{name}_{end}": no_minus_zero(float(row[end]), places=3) for end in ("gain", "low", "high")}
            values["compared"] = int(row["customers"])
    values["rule"] = str(rule)
    return True


def _gains(evidence: Evidence, outcome: str) -> pd.DataFrame:
    gains = evidence.judged.gains
    rows = gains[gains["outcome"] == outcome]
    complete = rows[["gain", "low", "high"]].apply(lambda column: column.map(known)).all(axis=1) if len(rows) else []
    return rows[complete] if len(rows) else rows


def _clauses(values: dict[str, Any]) -> str:
    """The gains in words: order, and precision."""
    words = {"auc": "order", "average_precision": "average precision"}
    return "; ".join(
        [
            f"{word} {{{name}_ours:.3f}} against {{{name}_theirs:.3f}}, by {{{name}_gain:+.3f}}, "
            f"{{{name}_low:+.3f}} to {{{name}_high:+.3f}}"
            for name, word in words.items()
            if f"{name}_gain" in values
        ]
    )


def _shipped(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    return table[(table["outcome"] == outcome) & table["shipped"].astype("bool")]
