"""What the action lists say, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from crm.analyses import counted, listed
from crm.finding import Finding, Findings
from crm.scoring.prices import prices_in_words

if TYPE_CHECKING:
    from crm.scoring.action_lists import ActionList, ActionLists

MOST_REASONS = 3
MOST_PRICES = 4


def all_findings(one: ActionLists) -> Findings:
    """The answers, most important first; what could not be found is left out."""
    return Findings(
        [
            _actions(one),
            *(_of_list(one, each) for each in one.lists),
            _assumed(one),
            _consents(one),
            _remarks(one),
            _left_out(one),
            _wanted_twice(one),
            *_prices(one),
            _held_out_more(one),
            _too_small(one),
            _without_candidates(one),
            _unmarked(one),
            _latency(one),
        ]
    )


def measures(one: ActionLists) -> dict[str, object]:
    """The numbers for results.json; no customer."""
    assignment = one.assignment
    return {
        "lists": one.summary,
        "left_out": one.left_out,
        "consents": one.consents,
        "method": assignment.method if assignment else "",
        "gap": assignment.gap if assignment else 0.0,
        "prices": one.prices,
    }


def _say(
    one: ActionLists, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding; None where a number is missing."""
    if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        return None
    return Finding(name, template, {"as_of": one.as_of, "currency": one.currency} | values, one.as_of, table)


def _actions(one: ActionLists) -> Finding | None:
    lists = [each for each in one.lists if len(each.treated)]
    if not lists:
        return _say(
            one,
            "nobody",
            "As of {as_of}, nobody is to be contacted: of {candidates:,} candidates none may be contacted and is "
            "worth it within the budgets. The reasons stand below.",
            {"candidates": sum(each.candidates for each in one.lists)},
        )
    spread = math.sqrt(sum(((each.high - each.low) / 2) ** 2 for each in lists))
    net, cost = sum(each.expected_net for each in lists), sum(each.cost for each in lists)
    customers = sum(len(each.treated) for each in lists)
    values = {
        "lists": len(lists), "customers": customers, "held_out": sum(each.held_out for each in lists), "net": net,
        "cost": cost, "low": net - spread, "high": net + spread, "until": min(each.send_by for each in lists),
    }  # fmt: skip
    several = counted("lists", len(lists), "list", "lists")
    return _say(
        one,
        "actions",
        f"As of {{as_of}}, {{customers:,}} customers are to be contacted by {several}, the first until {{until}}; "
        "{held_out:,} more are left alone by lot, so that it can be told what came of it. Expected: {net:,.0f} "
        "{currency} of margin beyond the {cost:,.0f} {currency} it costs ({low:+,.0f} to {high:+,.0f} by chance "
        "alone), if each contact makes the difference as often as assumed.",
        values,
    )


def _of_list(one: ActionLists, each: ActionList) -> Finding | None:
    if each.rows.empty:
        return None
    channels = each.treated["channel"].value_counts()
    owner = each.programme.owner
    values: dict[str, Any] = {
        "list_id": each.list_id,
        "treated": len(each.treated),
        "held_out": each.held_out,
        "channels": listed([f"{channel} {count:,}" for channel, count in channels.items()]),
        "send_by": each.send_by,
        "net": each.expected_net,
        "cost": each.cost,
    }
    if owner:
        values["owner"] = owner
    return _say(
        one,
        f"list_{each.name}",
        "{list_id}: contact {treated:,} customers ({channels}) until {send_by}"
        + (", {owner} answers for it" if owner else "")
        + "; {held_out:,} are held out. Expected net gain {net:,.0f} {currency}, cost {cost:,.0f} {currency}.",
        values,
    )


def _assumed(one: ActionLists) -> Finding | None:
    """By how much the assumption may be wrong before it stops paying."""
    gain = sum(each.expected_gain for each in one.lists)
    cost = sum(each.cost for each in one.lists)
    if not gain > 0:
        return None
    shares = {each.name: each.programme.makes_the_difference for each in one.lists if len(each.rows)}
    values = {
        "shares": listed([f"{share:.0%} for {name}" for name, share in shares.items()]),
        "even": cost / gain,
    }
    return _say(
        one,
        "assumption",
        "It is assumed that a contact brings this share of what is at stake: {shares}. Together the lists still pay "
        "if contacts achieve {even:.0%} of that; the hold-out groups will tell.",
        values,
    )


def _consents(one: ActionLists) -> Finding | None:
    if one.consents == "elsewhere":
        return _say(
            one,
            "consents_elsewhere",
            "Consents are kept elsewhere, as crm.toml says, and were NOT checked here: have them checked before "
            "anything is sent.",
            {},
        )
    if one.consents == "undecided":
        return _say(
            one,
            "consents_undecided",
            'Nobody is contacted, as crm.toml does not say where consents are kept: write consents = "table" or '
            '"elsewhere" into its section [contacts].',
            {},
        )
    return None


def _remarks(one: ActionLists) -> Finding | None:
    return _say(one, "permission", "{remarks}", {"remarks": " ".join(one.remarks)}) if one.remarks else None


def _left_out(one: ActionLists) -> Finding | None:
    table = one.left_out
    if table.empty:
        return None
    reasons = table.groupby("reason")["customers"].sum().sort_values(ascending=False, kind="stable")
    named = [f"{reason} ({count:,})" for reason, count in reasons.head(MOST_REASONS).items()]
    values = {"times": len(one.ledger), "reasons": listed(named)}
    return _say(
        one,
        "left_out",
        "{times:,} times a candidate of a programme is not on its list, mostly: {reasons}. Each stands in the ledger "
        "with the reason.",
        values,
        table,
    )


def _wanted_twice(one: ActionLists) -> Finding | None:
    from crm.scoring.action_lists import OTHER_PROGRAMME

    count = int((one.ledger["reason"] == OTHER_PROGRAMME).sum())
    if not count:
        return None
    return _say(
        one,
        "wanted_twice",
        "{count:,} times more than one programme wanted the same customer: each gets the one action that is worth "
        "most for all lists together.",
        {"count": count},
    )


def _prices(one: ActionLists) -> list[Finding]:
    """What more of the dearest limits would bring."""
    return [said.finding(one.as_of) for said in prices_in_words(one.prices, one.currency)[:MOST_PRICES]]


def _held_out_more(one: ActionLists) -> Finding | None:
    more = [
        each for each in one.lists if each.held_out_share > each.programme.held_out_share + 1e-9 and len(each.rows)
    ]
    if not more:
        return None
    told = [f"{each.name} {each.held_out_share:.0%} in place of {each.programme.held_out_share:.0%}" for each in more]
    return _say(
        one,
        "held_out_more",
        "More are held out than planned, as the list could not be measured otherwise: {told}.",
        {"told": listed(told)},
    )


def _too_small(one: ActionLists) -> Finding | None:
    small = [each for each in one.lists if each.measurable is not None and not each.measurable.seen]
    if not small:
        return None
    worst = small[0]
    assert worst.measurable is not None
    values = {
        "names": listed([each.name for each in small]),
        "list_id": worst.list_id,
        "smallest": worst.measurable.smallest_effect,
        "expected": float(worst.treated["expected_gain"].mean()) if len(worst.treated) else 0.0,
    }
    return _say(
        one,
        "too_small_to_measure",
        "Too small to show by themselves what they are expected to achieve: {names}. {list_id} would show "
        "{smallest:,.2f} {currency} per contact, and {expected:,.2f} are expected; several lists of a programme read "
        "together may.",
        values,
    )


def _without_candidates(one: ActionLists) -> Finding | None:
    none = [f"{each.name}: {each.why_not}" for each in one.lists if each.why_not]
    return _say(one, "no_candidates", "{reasons}", {"reasons": " ".join(none)}) if none else None


def _latency(one: ActionLists) -> Finding | None:
    """How long did earlier lists wait?"""
    sent = one.earlier[one.earlier["days"].notna()]
    if sent.empty:
        return None
    values = {"sent": len(sent), "lists": len(one.earlier), "days": float(sent["days"].astype("float64").mean())}
    return _say(
        one,
        "decision_latency",
        "Of {lists:,} earlier lists {sent:,} were sent, {days:,.1f} days after they were written on average.",
        values,
        one.earlier,
    )


def _unmarked(one: ActionLists) -> Finding | None:
    waiting = one.waiting
    if waiting.empty:
        return None
    values = {"lists": listed(waiting["list_id"].head(4).tolist()), "count": len(waiting)}
    was = counted("count", len(waiting), "earlier list was", "earlier lists were")
    return _say(
        one,
        "never_marked",
        f"{was} never marked as sent: {{lists}}. Was it sent? `crm sent LIST_ID --on DATE` says so, and the next run "
        "measures it; `crm sent LIST_ID --never` says that it was not.",
        values,
    )
