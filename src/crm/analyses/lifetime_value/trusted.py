"""How far to trust what is expected of customers, in sentences made of its own numbers."""

from __future__ import annotations

from typing import Any

from crm.analyses import counted, listed
from crm.analyses.lifetime_value.blend import BLEND
from crm.analyses.lifetime_value.result import Evidence
from crm.analyses.lifetime_value.say import first, known, no_minus_zero, say
from crm.finding import Finding

AS_PROMISED = 0.02
"""Coverage so near the nominal level is as promised."""


def trusted_less_than_the_rule(evidence: Evidence) -> bool:
    """Does the blend order customers no better than the best rule of thumb, as far as judged dates can tell?"""
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
        "lowest": float(ours["value_total"].min()),
        "highest": float(ours["value_total"].max()),
    }
    total = "{lowest:.0%}" if len(ours) == 1 else "between {lowest:.0%} and {highest:.0%}"
    template = _against_the_rule(evidence, values) + (
        f" Judged on {counted('dates', values['dates'], 'date')} (up to {{judged_customers:,}} customers, the "
        f"{{judged_days}} days after each), the order scores {{gini:.2f}} (0 is chance, 1 is perfect), and the net "
        f"sales expected of all were {total} of what came."
    )
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
    """The gain of what is shipped in a measure over the best rule of thumb, with its interval.

    None where it is unknown, and where what is shipped is that rule itself.
    """
    table = evidence.judged.against_best_rule
    rows = table[(table["measure"] == measure) & (table["rule"] != evidence.shipped.name)]
    if rows.empty or not all(known(float(rows[name].iloc[0])) for name in ("gain", "low", "high")):
        return None
    return first(rows)


def _against_the_rule(evidence: Evidence, values: dict[str, Any]) -> str:
    """The sentence on who wins, the blend or the best rule; empty where there is nothing to compare."""
    gain = _gain(evidence, "gini")
    if gain is None:
        return ""
    values |= {"rule": str(gain["rule"]), "compared": int(gain["customers"]), "compared_on": evidence.judged.dates[0]}
    values |= {name: float(gain[name]) for name in ("gain", "low", "high")}
    values["ours"] = "the blend" if evidence.shipped.name == BLEND else f"“{evidence.shipped.name}”"
    told = "(by {gain:+.3f}, {low:+.3f} to {high:+.3f}, on {compared_on}, {compared:,} customers)"
    if values["low"] > 0:
        return (
            f"It pays to use {{ours}}: it puts customers in a better order than the best rule of thumb, “{{rule}}” "
            f"{told}{_closer(evidence, values)}."
        )
    if values["high"] < 0:
        return (
            f"The rule of thumb wins: {{ours}} puts customers in a worse order than “{{rule}}” {told}. "
            "Go by the rule."
        )
    return (
        f"The rule of thumb wins: {{ours}} puts customers in no better order than “{{rule}}” beyond chance {told}. "
        "Go by the rule, which is simpler."
    )


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
