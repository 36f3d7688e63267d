"""What lifetime value found, in sentences made of its own numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from crm.analyses import counted, not_one_person, not_there
from crm.analyses.lifetime_value.answers import CAN_BE_KEPT, TOP
from crm.analyses.lifetime_value.apart import without_window
from crm.analyses.lifetime_value.groups import FEWEST_COMPARED, differ, to_compare
from crm.analyses.lifetime_value.moved import BACK, LESS, MORE, NEW, OFTEN, SAME, SELDOM, SILENT
from crm.analyses.lifetime_value.result import Amount, Assumptions, Evidence
from crm.analyses.lifetime_value.say import first, known, no_minus_zero, say
from crm.analyses.lifetime_value.trusted import (
    churn_unknown,
    coverage,
    fallback,
    horizon_shortened,
    independence,
    interval,
    shipped,
    trust,
    trusted_less_than_the_rule,
)
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail

MARKS_TOLD = 4

_NUMBER = {"count": ":,.1f", "number": ":,.1f", "money": ":,.2f", "share": ":.0%", "days": ":,.0f"}
_UNIT = {"money": " {currency}", "days": " days"}


def all_findings(evidence: Evidence) -> Findings:
    """Every finding the evidence allows, what matters most first.

    That comes before all else which says that a rule of thumb orders customers as well.
    """
    doubt, trusted = (trust(evidence), None) if trusted_less_than_the_rule(evidence) else (None, trust(evidence))
    return Findings(
        [
            doubt,
            worth(evidence),
            concentration(evidence),
            not_one_person(evidence.crowded, evidence.as_of),
            at_risk(evidence),
            acquire(evidence),
            top_tier(evidence),
            moved(evidence),
            trusted,
            coverage(evidence),
            interval(evidence),
            horizon_shortened(evidence),
            churn_unknown(evidence),
            fallback(evidence),
            assumptions(evidence),
            independence(evidence),
            shipped(evidence),
            not_there(evidence.wanting, evidence.as_of),
        ]
    )


def measures(evidence: Evidence) -> dict[str, object]:
    """The numbers for results.json: the whole, the judged dates, the groups; no customer by name."""
    answers, judged, made_of = evidence.answers, evidence.judged, evidence.shipped
    return {
        "customers": len(evidence.valued.customers),
        "horizon_days": evidence.horizon_days,
        "portfolio": asdict(evidence.portfolio),
        "assumptions": asdict(evidence.assumptions),
        "shipped": made_of.name,
        "shares": made_of.shares,
        "level_from": dict(made_of.level_from),
        "purchase_models": made_of.purchase_models,
        "judged_days": judged.days,
        "judged": judged.table,
        "judged_mean": judged.mean,
        "against_best_rule": judged.against_best_rule,
        "coverage": judged.coverage,
        "weekly": judged.weekly,
        "tenths": answers.tenths,
        "top_tier": answers.top_tier,
        "apart": answers.apart,
        "at_risk": answers.at_risk,
        "joined": answers.joined,
        "by_segment": answers.by_segment,
        "by_department": answers.by_department,
        "by_cohort": answers.by_cohort,
        "by_channel": answers.by_channel,
        "moved": answers.moved,
    }


def worth(evidence: Evidence) -> Finding | None:
    """What the customers of today are worth, over the horizon and over the long one, with its assumptions."""
    whole, money = evidence.portfolio, evidence.assumptions
    values: dict[str, Any] = {"level": whole.level, "long_days": money.long_days, "rate": money.yearly_discount_rate}
    parts = {
        name: _amount(name, amount, values)
        for name, amount in (("value", whole.value), ("margin", whole.margin), ("long_margin", whole.long_margin))
    }
    customers = len(evidence.valued.customers)
    who = "the one customer there is" if customers == 1 else counted("customers", customers, "customer")
    template = (
        f"As of {{as_of}}, {who} can be expected to bring {parts['value']} of net sales in the next {{days}} days"
        f", and a margin of {parts['margin']} after the cost to serve, {_margin(money, values)}. "
        f"Over {{long_days:,}} days the margin comes to {parts['long_margin']}, discounted by {{rate:.0%}} a year."
    )
    if "value_low" in values:
        template += " In brackets: the interval that is to hold the total in {level:.0%} of cases."
    return say(evidence, "worth", template + " Customers still to be won are not in it.", values)


def headline(evidence: Evidence) -> Headline | None:
    """The margin that the customers of today are expected to bring over the horizon."""
    tenths = evidence.answers.tenths[evidence.answers.tenths["customers"] >= FEWEST_SHOWN]
    customers = len(evidence.valued.customers)
    who = counted("customers", customers, "customer is", "customers are")
    return Headline.of(
        worth(evidence),
        "margin",
        label="margin expected in the next {days} days",
        unit="{currency}",
        better="more",
        low="margin_low",
        high="margin_high",
        interval="{level:.0%} interval",
        sentence=f"{who} expected to bring it, {_margin(evidence.assumptions, {})}. Over {{long_days:,}} days it "
        "comes to {long_margin:,.0f} {currency}.",
        trail=Trail.of(
            "Net sales expected, by tenth of customers, the best first",
            (f"Tenth {tenth}" for tenth in tenths["tenth"]),
            tenths["value"],
            drawn="bars",
            unit=evidence.currency,
        ),
    )


def concentration(evidence: Evidence) -> Finding | None:
    """How few bring half."""
    if evidence.answers.top_tier.empty or len(evidence.valued.customers) < 2:
        return None
    row, tenths = first(evidence.answers.top_tier), evidence.answers.tenths
    values: dict[str, Any] = {
        "top": int(row["customers"]),
        "share": float(row["share_of_customers"]),
        "reached": float(row["share_of_margin"]),
    }
    bring = counted("top", values["top"], "of {customers:,} customers", "of {customers:,} customers")
    verb = "brings" if values["top"] == 1 else "bring"
    template = (
        f"{bring} ({{share:.0%}}) {verb} {{reached:.0%}} of the margin that is expected in the next {{days}} days"
    )
    if len(tenths) == 10 and tenths["value"].sum() > 0:
        best = first(tenths)
        values |= {"tenth": int(best["customers"]), "tenth_share": float(best["share"])}
        template += "; the best tenth ({tenth:,}) " + ("brings" if values["tenth"] == 1 else "bring")
        template += " {tenth_share:.0%} of the net sales"
    return say(evidence, "concentration", template + ".", values, evidence.answers.top_tier)


def top_tier(evidence: Evidence) -> Finding | None:
    """What sets those apart who bring half of the margin."""
    rows = evidence.answers.apart.head(MARKS_TOLD)
    if rows.empty or evidence.answers.top_tier.empty:
        return None
    values: dict[str, Any] = {"top": int(first(evidence.answers.top_tier)["customers"])}
    clauses = []
    for place, row in enumerate(rows.to_dict("records"), start=1):
        number, unit = _NUMBER.get(str(row["type"]), ":,.1f"), _UNIT.get(str(row["type"]), "")
        values |= {f"feature_{place}": without_window(str(row["feature"]))}
        values |= {f"{name}_{place}": float(row[name]) for name in ("top", "others", "chance_higher", "low", "high")}
        clauses.append(
            f"{{feature_{place}}} {{top_{place}{number}}}{unit} against {{others_{place}{number}}} "
            f"({{chance_higher_{place}:.0%}}; {{low_{place}:.0%}} to {{high_{place}:.0%}})"
        )
    template = (
        "Beside buying for more money, the {top:,} customers who bring half of the margin differ from the others, on "
        f"average, by {'; '.join(clauses)}. In brackets: how often one of them has more of it than one of the others."
    )
    return say(evidence, "top_tier", template, values)


def at_risk(evidence: Evidence) -> Finding | None:
    """How much of what is expected rests on customers who may stay away, and what keeping them can be worth."""
    table = evidence.answers.at_risk
    risk, expected = float(table["at_risk"].sum()), float(table["value"].sum())
    if not risk > 0:
        return None
    values: dict[str, Any] = {"at_risk": risk, "expected": expected, "part": risk / expected}
    template = (
        "{at_risk:,.0f} {currency} of the {expected:,.0f} {currency} of net sales expected in the next {days} days "
        "({part:.0%}) rest on customers who may stay away: what is expected of each, times the chance of no purchase"
    )
    top = table[table["tier"] == TOP]
    if len(top) and len(table) > 1:
        row = first(top)
        values |= {
            "top": int(row["customers"]),
            "top_at_risk": float(row["at_risk"]),
            "top_share": float(row["share"]),
        }
        template += (
            f". {{top_at_risk:,.0f}} {{currency}} of it ({{top_share:.0%}}) is of the "
            f"{counted('top', values['top'], 'customer')} of the top tier"
        )
    if keep := int(table["can_be_kept"].sum()):
        values |= {"can_be_kept": keep, "could_be_kept": float(table["could_be_kept"].sum()), "from": CAN_BE_KEPT}
        template += (
            f". The {counted('can_be_kept', keep, 'customer')} who can still be kept (whose chance of no purchase is "
            "at most {from:.0%}) would bring {could_be_kept:,.0f} {currency} more if none of them stayed away: no "
            "effort to keep them can bring more than that"
        )
    return say(evidence, "at_risk", template + ".", values, table)


def acquire(evidence: Evidence) -> Finding | None:
    """What may at most be paid to win a customer: the worth from joining on of those who were seen to join."""
    answers, row = evidence.answers, first(evidence.answers.joined)
    if row["customers"] < FEWEST_COMPARED:
        return None
    values: dict[str, Any] = {"long_days": evidence.assumptions.long_days, "since": row["since"]}
    values |= {"joined": int(row["customers"])}
    values |= {name: float(row[name]) for name in _OF_JOINED}
    template = (
        "To win a customer may cost at most what those who joined are worth from joining on: the {joined:,} whose "
        "first purchase was on {since} or later, {from_joining:,.0f} {currency} each ({from_joining_low:,.0f} to "
        "{from_joining_high:,.0f}), {margin_so_far:,.0f} of margin so far and {long_margin:,.0f} still to come over "
        "{long_days:,} days (discounted, after the cost to serve, those who have left counted in)"
    )
    clauses = [
        clause
        for by, table, words in (
            ("department", answers.by_department, "whose first known purchase was of “{}”"),
            ("cohort", answers.by_cohort, "who joined in {}"),
        )
        if (clause := _best_and_worst(by, table, words, values))
    ]
    template += f". It goes {'; '.join(clauses)}" if clauses else ""
    if "best_cohort" in values:
        template += " (those who joined earlier have been counted for longer)"
    return say(
        evidence, "acquire", template + ". The margin still to come alone is no price for a new customer.", values
    )


_OF_JOINED = ("margin_so_far", "long_margin", "from_joining", "from_joining_low", "from_joining_high")


def moved(evidence: Evidence) -> Finding | None:
    """Who gained and who lost value since the previous date."""
    table = evidence.answers.moved
    if evidence.answers.previous is None or table.empty:
        return None
    values: dict[str, Any] = {
        "previous": evidence.answers.previous,
        **{name: no_minus_zero(float(table[name].sum())) for name in ("before", "now", "change")},
    }
    template = (
        "Since {previous}, the net sales expected over {days} days went from {before:,.0f} to {now:,.0f} {currency} "
        "({change:+,.0f})"
    )
    new = table[table["reason"] == NEW]
    if len(new):
        row = first(new)
        values |= {"new": int(row["customers"]), "new_change": no_minus_zero(float(row["change"]))}
        template += f", {{new_change:+,.0f}} of it with {counted('new', values['new'], 'new customer')}"
    template += _most_moved(table[~table["reason"].isin([NEW, SAME])], values)
    return say(evidence, "moved", template + ".", values, table)


def assumptions(evidence: Evidence) -> Finding | None:
    """Everything that money rests on."""
    money = evidence.assumptions
    values: dict[str, Any] = {"rate": money.yearly_discount_rate, "case_cost": money.case_cost}
    values |= {"long_days": money.long_days}
    template = f"Money rests on assumptions: margin {_margin(money, values)}; {{rate:.0%}} a year for waiting"
    if money.contact_cost > 0:
        values["contact_cost"] = money.contact_cost
        template += "; {contact_cost:,.2f} {currency} for a contact, as often as before"
    else:
        template += "; nothing for contacts, as none are known"
    if money.case_cost > 0:
        template += "; {case_cost:,.2f} {currency} for a service case"
    template += "; {long_days:,} days as the long horizon. Other assumptions give other amounts, in the same order"
    return say(evidence, "assumptions", template + " of customers as long as margin rates are alike.", values)


def _amount(name: str, amount: Amount, values: dict[str, Any]) -> str:
    """An amount with its interval, as a clause; its numbers are added to `values`."""
    values[name] = float(amount.value)
    clause = f"{{{name}:,.0f}} {{currency}}"
    if known(float(amount.low)) and known(float(amount.high)):
        values |= {f"{name}_low": float(amount.low), f"{name}_high": float(amount.high)}
        clause += f" ({{{name}_low:,.0f}} to {{{name}_high:,.0f}})"
    return clause


def _margin(money: Assumptions, values: dict[str, Any]) -> str:
    """On what margin rests, as a clause."""
    values["gross_margin"] = money.gross_margin
    if not money.known_margin > 0:
        return "at an assumed gross margin of {gross_margin:.0%} of net sales"
    values["known_margin"] = money.known_margin
    return (
        "at the products' own margin rates where they are known ({known_margin:.0%} of net sales) and an assumed "
        "gross margin of {gross_margin:.0%} elsewhere"
    )


def _best_and_worst(by: str, table: pd.DataFrame, words: str, values: dict[str, Any]) -> str:
    """The clause about the groups worth most and least from joining on, of those that can be compared."""
    rows = to_compare(table, of="from_joining")
    if len(rows) < 2:
        return ""
    best, worst = first(rows), first(rows.tail(1))
    clauses = []
    for name, row in (("best", best), ("worst", worst)):
        field = f"{name}_{by}"
        values |= {field: str(row["group"]), f"{field}_worth": float(row["from_joining"])}
        values |= {f"{field}_customers": int(row["joined"])}
        clauses.append(
            f"{{{field}_worth:,.0f}} {{currency}} for those {words.format(f'{{{field}}}')} "
            f"({{{field}_customers:,}} customers)"
        )
    chance = not differ(best, worst, of="from_joining", among=len(rows))
    doubt = ", a difference that may be chance" if chance else ""
    return f"from {clauses[0]} down to {clauses[1]}{doubt}"


def _most_moved(table: pd.DataFrame, values: dict[str, Any]) -> str:
    """The sentence about the reasons that took and brought most, if at all; their numbers are added to `values`."""
    ordered = table.sort_values("change", kind="stable")
    lost, won = ordered[ordered["change"] <= -1].head(1), ordered[ordered["change"] >= 1].tail(1)
    clauses = []
    for word, rows, verb in (("lost", lost, "went"), ("won", won, "came")):
        for row in rows.to_dict("records"):
            reason, customers = str(row["reason"]), int(row["customers"])
            values |= {f"{word}_reason": reason if customers == 1 else _SEVERAL[reason]}
            values |= {f"{word}_customers": customers}
            values |= {f"{word}_change": no_minus_zero(float(row["change"]))}
            clauses.append(
                f"{verb} with the {'one' if customers == 1 else f'{{{word}_customers:,}}'} who {{{word}_reason}} "
                f"({{{word}_change:+,.0f}} {{currency}})"
            )
    return f". Of the others, most value {' and most '.join(clauses)}" if clauses else ""


_SEVERAL = {
    SILENT: SILENT,
    BACK: BACK,
    OFTEN: "buy more often",
    SELDOM: "buy less often",
    MORE: "spend more each time",
    LESS: "spend less each time",
}
