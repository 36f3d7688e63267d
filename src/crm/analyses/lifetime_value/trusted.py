"""How far to trust what is expected of customers, in sentences made of its own numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crm.analyses import counted, listed
from crm.analyses.lifetime_value.blend import BLEND
from crm.analyses.lifetime_value.result import Evidence
from crm.analyses.lifetime_value.rules import RULES
from crm.analyses.lifetime_value.say import first, known, no_minus_zero, say
from crm.finding import Finding

AS_PROMISED = 0.02
"""Coverage so near the nominal level is as promised."""


def trusted_less_than_the_rule(evidence: Evidence) -> bool:
    """Does the blend order customers no better than the best rule of thumb, as far as judged dates can tell?

    So it is wherever a rule ships instead of it, but for a rule that was approved when it still was so.
    """
    gain = _gain(evidence, "gini")
    return gain is not None and not float(gain["low"]) > 0


def trust(evidence: Evidence) -> Finding | None:
    """How the shipped numbers did on dates whose outcome is known, beside the best rule of thumb."""
    judged = evidence.judged
    if judged.table.empty:
        return say(
            evidence,
            "trust",
            "Nobody has checked these numbers: no earlier date has enough history before it and an outcome after it.",
            {},
        )
    ours = judged.table[judged.table["shipped"].astype("bool")]
    if ours.empty:
        return None
    values: dict[str, Any] = {
        "judged_days": judged.days,
        "dates": len(judged.dates),
        "judged_customers": int(ours["customers"].max()),
        "gini": float(ours["value_gini"].mean()),
    }
    compared, totals_told = _against_the_rule(evidence, values)
    template = compared + (
        f" Judged on {counted('dates', values['dates'], 'date')} (up to {{judged_customers:,}} customers, the "
        f"{{judged_days}} days after each), the order scores {{gini:.2f}} (0 is chance, 1 is perfect)"
    )
    if not totals_told:
        template += f", and the net sales expected of all were {_totals(ours, '', values)} of what came"
    template += "."
    return say(evidence, "trust", template.strip(), values, judged.mean)


def coverage(evidence: Evidence) -> Finding | None:
    """How many customers fell inside their interval, against the promise."""
    rows = evidence.judged.coverage
    rows = rows.dropna(subset=["covered"])
    if rows.empty:
        return None
    checked = rows[rows["calibrated_on"] > 0] if (rows["calibrated_on"] > 0).any() else rows
    weights = checked["customers"] / checked["customers"].sum()
    values: dict[str, Any] = {
        "dates": len(checked),
        "judged_customers": int(checked["customers"].max()),
        **{name: float((checked[name] * weights).sum()) for name in ("nominal", "covered", "below", "above")},
    }
    off = values["covered"] - values["nominal"]
    verdict = "as promised" if abs(off) <= AS_PROMISED else f"so that they are too {'narrow' if off < 0 else 'wide'}"
    template = (
        f"Of customers' own intervals that promise to hold {{nominal:.0%}}, {{covered:.1%}} did, {verdict} "
        f"({counted('dates', values['dates'], 'judged date')}, up to {{judged_customers:,}} customers; {{below:.1%}} "
        "brought less, {above:.1%} more)."
    )
    top = checked.dropna(subset=["covered_top"])
    if len(top):
        values["covered_top"] = float((top["covered_top"] * top["customers"]).sum() / top["customers"].sum())
        off = values["covered_top"] - values["nominal"]
        verdict = "as promised" if abs(off) <= AS_PROMISED else f"{'fewer' if off < 0 else 'more'} than promised"
        template += (
            " Of the few who were expected to bring half of the value, whose intervals matter most, "
            f"{{covered_top:.1%}} were inside theirs, {verdict}."
        )
    return say(evidence, "coverage", template, values, rows)


def shipped(evidence: Evidence) -> Finding | None:
    """What the numbers are made of, and what they are learnt from."""
    made_of = evidence.shipped
    values: dict[str, Any] = {"name": made_of.name}
    if made_of.name == BLEND and len(made_of.shares):
        clauses = []
        used = made_of.shares[(made_of.shares[["purchases", "value"]] > 0).any(axis=1)]
        for place, row in enumerate(used.to_dict("records"), start=1):
            values |= {f"part_{place}": str(row["part"])}
            values |= {f"{what}_{place}": float(row[what]) for what in ("purchases", "value")}
            clauses.append(f"{{part_{place}}} {{value_{place}:.0%}} (for purchases {{purchases_{place}:.0%}})")
        template = f"The expected value is a blend: {listed(clauses)}"
        if level := made_of.level_from.get("value"):
            values["level_from"] = level
            template += ". The sum over all customers is that of {level_from}"
    else:
        template = "What is expected comes from “{name}”, as nothing better could be fitted"
    if made_of.learnt_from:
        values |= {"learnt_dates": len(made_of.learnt_from), "learnt_days": made_of.learnt_days}
        values |= {"oldest": min(made_of.learnt_from), "newest": max(made_of.learnt_from)}
        several = len(made_of.learnt_from) > 1
        template += f". Learnt from {counted('learnt_dates', values['learnt_dates'], 'earlier date')} ("
        template += ("{oldest} to {newest}" if several else "{newest}") + ") and the {learnt_days} days after"
    return say(evidence, "shipped", template + ".", values, made_of.shares)


def fallback(evidence: Evidence) -> Finding | None:
    """What could not be fitted, and why."""
    why = evidence.shipped.why_not
    return say(evidence, "fallback", "{why}", {"why": " ".join(why), "reasons": len(why)}) if why else None


def independence(evidence: Evidence) -> Finding | None:
    """Do those who buy more often also spend more each time?"""
    found = evidence.independence
    measured = {"rank correlation": found.spearman, "correlation of logarithms": found.pearson_of_logs}
    told = {name: one for name, one in measured.items() if one is not None and known(one.value)}
    values: dict[str, Any] = {"verdict": found.verdict, "buyers": found.customers}
    if not told:
        return say(evidence, "independence", "{verdict}", values)
    kind, strongest = max(told.items(), key=lambda pair: abs(pair[1].value))
    values |= {"kind": kind}
    values |= {name: no_minus_zero(getattr(strongest, name), places=2) for name in ("value", "low", "high")}
    template = "{verdict} The {kind} is {value:+.2f} ({low:+.2f} to {high:+.2f}) among {buyers:,} customers"
    return say(evidence, "independence", template + " who bought again.", values)


def interval(evidence: Evidence) -> Finding | None:
    """Where the width of the portfolio's interval comes from."""
    whole = evidence.portfolio
    sources = {
        "drift": (whole.from_drift, "how far the totals of judged dates were off"),
        "refits": (whole.from_refits, "that other customers might have been observed"),
        "chance": (whole.from_chance, "what each customer happens to do"),
    }
    values: dict[str, Any] = {name: float(part) for name, (part, _) in sources.items() if known(float(part))}
    if not values:
        return None
    largest = sorted(values, key=lambda name: -values[name])
    template = "The interval of the total is as wide as it is because of " + listed(
        [f"{sources[name][1]} ({{{name}:.0%}} of the variance)" for name in largest]
    )
    if "drift" not in values:
        template += ". How far totals may drift could not be measured, so that the interval is too narrow"
    if known(float(whole.width_over_summed)):
        values["width"] = float(whole.width_over_summed)
        template += (
            ". Customers' own intervals must not be added up: the interval of the total is {width:.0%} as wide as "
            "their sum, as one's more makes up for another's less"
        )
    return say(evidence, "interval", template + ".", values)


def churn_unknown(evidence: Evidence) -> Finding | None:
    """That the long horizon is soft, where the data do not determine how soon customers leave."""
    if evidence.assumptions.churn_known:
        return None
    template = (
        "The data do not determine how soon customers leave for good, so that the margin over {long_days:,} days is "
        "soft: it takes those who are there now to stay about as they are. Go by the {days} days where you can."
    )
    return say(evidence, "churn_unknown", template, {"long_days": evidence.assumptions.long_days})


def horizon_shortened(evidence: Evidence) -> Finding | None:
    """That a shorter horizon than the wanted one was judged."""
    days = evidence.judged.days
    if days >= evidence.horizon_days or not evidence.judged.dates:
        return None
    template = (
        "The history is too short to see {days} days after an earlier date: learnt and judged were {judged_days} "
        "days, and the purchase models carry that to {days}, which nobody has checked."
    )
    return say(evidence, "horizon_shortened", template, {"judged_days": days})


def _gain(evidence: Evidence, measure: str) -> dict[str, Any] | None:
    """The gain of the blend in a measure over the best rule of thumb, with its interval; None where it is unknown."""
    table = evidence.judged.against_best_rule
    rows = table[table["measure"] == measure]
    if rows.empty or not all(known(float(rows[name].iloc[0])) for name in ("gain", "low", "high")):
        return None
    return first(rows)


def _against_the_rule(evidence: Evidence, values: dict[str, Any]) -> tuple[str, bool]:
    """The sentence on the blend beside the best rule, and whether it tells their totals.

    Empty where there is nothing to compare. Whoever ships is not always who orders best: the rule is told to have won
    only where it is the rule that ships.
    """
    gain = _gain(evidence, "gini")
    if gain is None:
        return "", False
    values |= {"rule": str(gain["rule"]), "compared": int(gain["customers"]), "compared_on": int(gain["dates"])}
    values |= {name: float(gain[name]) for name in ("gain", "low", "high")}
    on = counted("compared_on", values["compared_on"], "date")
    told = f"(by {{gain:+.3f}}, {{low:+.3f}} to {{high:+.3f}}, on {on}, {{compared:,}} customers in all)"
    worse = values["high"] < 0
    if evidence.shipped.name in RULES and values["low"] > 0:
        values["ships"] = evidence.shipped.name
        return (
            "The approved rule of thumb, “{ships}”, is what ships, though the blend puts customers in a better order "
            f"than the best rule, “{{rule}}” {told}: have a challenger judged."
        ), False
    if evidence.shipped.name in RULES:
        values["ships"] = evidence.shipped.name
        how = "in a worse order than" if worse else "in no better order, beyond chance, than"
        return (
            f"The rule of thumb wins: the blend puts customers {how} “{{rule}}” {told}, so that “{{ships}}” is what "
            "ships. Go by the rule, which is simpler."
        ), False
    values["ours"] = "the blend" if evidence.shipped.name == BLEND else f"“{evidence.shipped.name}”"
    if values["low"] > 0:
        return (
            f"It pays to use {{ours}}: it puts customers in a better order than the best rule of thumb, “{{rule}}” "
            f"{told}{_closer(evidence, values)}."
        ), False
    how = "worse than" if worse else "no better than"
    table = evidence.judged.table
    ours, rules = table[table["shipped"].astype("bool")], table[table["candidate"] == values["rule"]]
    totals = f"{_totals(ours, '', values)} of what came against {_totals(rules, 'rule_', values)} for the rule"
    beyond = "" if worse else ", beyond chance"
    who = "The blend" if evidence.shipped.name == BLEND else "{ours}"
    return (
        f"{who} orders customers {how} the best rule of thumb, “{{rule}}”{beyond} {told}; its totals were {totals}."
    ), True


def _totals(rows: pd.DataFrame, whose: str, values: dict[str, Any]) -> str:
    """What was expected of all as a share of what came, over the judged dates; its numbers are added to `values`."""
    values |= {
        f"{whose}lowest": float(rows["value_total"].min()),
        f"{whose}highest": float(rows["value_total"].max()),
    }
    if len(rows) == 1:
        return f"{{{whose}lowest:.0%}}"
    return f"between {{{whose}lowest:.0%}} and {{{whose}highest:.0%}}"


def _closer(evidence: Evidence, values: dict[str, Any]) -> str:
    """The clause on the error per customer."""
    gain = _gain(evidence, "mae")
    if gain is None:
        return ""
    values |= {f"closer{end}": float(gain[name]) for end, name in (("", "gain"), ("_low", "low"), ("_high", "high"))}
    values["closer_rule"] = str(gain["rule"])
    if values["closer_low"] > 0:
        return (
            ", and is {closer:,.2f} {currency} per customer closer than “{closer_rule}” ({closer_low:,.2f} to "
            "{closer_high:,.2f})"
        )
    return (
        ", but is not closer per customer than “{closer_rule}” ({closer:+,.2f} {currency}, {closer_low:+,.2f} to "
        "{closer_high:+,.2f})"
    )
