"""What the action lists say, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from crm.analyses import absent, counted, listed, not_there
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail
from crm.scoring.needs import REQUIREMENTS
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
            not_there(absent(REQUIREMENTS, one.facts), one.as_of),
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
        return _nobody(one)
    spread = math.sqrt(sum(((each.high - each.low) / 2) ** 2 for each in lists))
    net, cost = sum(each.expected_net for each in lists), sum(each.cost for each in lists)
    customers, held_out = sum(len(each.treated) for each in lists), sum(each.held_out for each in lists)
    values = {
        "lists": len(lists), "customers": customers, "held_out": held_out, "net": net,
        "cost": cost, "low": net - spread, "high": net + spread, "until": min(each.send_by for each in lists),
    }  # fmt: skip
    who = counted("customers", customers, "customer is", "customers are")
    more = counted("held_out", held_out, "more is", "more are")
    alone = f"; {more} left alone by lot, so that it can be told what came of it" if held_out else ""
    assumed = ", if each contact makes the difference as often as assumed" if _assuming(one) else ""
    until = "the first until {until}" if len({each.send_by for each in lists}) > 1 else "until {until}"
    return _say(
        one,
        "actions",
        f"As of {{as_of}}, {who} to be contacted by {counted('lists', len(lists), 'list')}, {until}{alone}. "
        "Expected: {net:,.0f} {currency} of margin beyond the {cost:,.0f} {currency} it costs ({low:+,.0f} to "
        f"{{high:+,.0f}} by chance alone){assumed}.",
        values,
    )


def headline(one: ActionLists) -> Headline | None:
    """What the lists are expected to bring beyond their cost."""
    lists = [each for each in one.lists if len(each.treated)]
    if not lists:
        return None
    shown = [each for each in lists if len(each.treated) >= FEWEST_SHOWN]
    who = counted("customers", sum(len(each.treated) for each in lists), "customer is", "customers are")
    alone = counted("held_out", sum(each.held_out for each in lists), "more is", "more are")
    return Headline.of(
        _actions(one),
        "net",
        label="net gain expected of the lists",
        unit="{currency}",
        better="more",
        interval="by chance alone",
        sentence=f"{who} to be contacted by {counted('lists', len(lists), 'list')}, until {{until}}; {alone} left "
        "alone by lot.",
        trail=Trail.of(
            "Expected net gain, by list",
            (each.name.replace("_", " ").capitalize() for each in shown),
            (each.expected_net for each in shown),
            drawn="named",
            unit=one.currency,
        ),
    )


def _nobody(one: ActionLists) -> Finding | None:
    """Is there nobody, may nobody, or is nobody worth it?"""
    candidates = sum(each.candidates for each in one.lists)
    of = counted("candidates", candidates, "candidate")
    why = f"of {of} none both may be contacted and is worth it within the budgets, sizes and capacities"
    if not candidates:
        why = "no programme has a candidate"
    elif one.assignment is None:
        why = f"of {of} none may be contacted"
    return _say(
        one,
        "nobody",
        f"As of {{as_of}}, nobody is to be contacted: {why}. The reasons stand below.",
        {"candidates": candidates},
    )


def _assuming(one: ActionLists) -> list[ActionList]:
    """The lists whose gain rests on an assumption: those to persuade were measured."""
    return [each for each in one.lists if len(each.treated) and each.programme.kind != "persuade"]


def _percent(share: float) -> str:
    return f"{100 * share:g} %" if 0 < share < 0.01 else f"{share:.0%}"


def _of_list(one: ActionLists, each: ActionList) -> Finding | None:
    if each.rows.empty:
        return None
    channels = each.treated["channel"].value_counts()
    owner = each.programme.owner
    contact = counted("treated", len(each.treated), "customer")
    held_out = counted("held_out", each.held_out, "is", "are")
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
        f"{{list_id}}: contact {contact} ({{channels}}) until {{send_by}}"
        + ("; owner: {owner}" if owner else "")
        + (f"; {held_out} held out" if each.held_out else "; nobody is held out")
        + ". Expected net gain {net:,.0f} {currency}, cost {cost:,.0f} {currency}.",
        values,
    )


def _assumed(one: ActionLists) -> Finding | None:
    """By how much the assumption may be wrong before it stops paying."""
    lists = _assuming(one)
    gain = sum(each.expected_gain for each in lists)
    cost = sum(each.cost for each in lists)
    if not gain > 0:
        return None
    values = {"shares": listed([_share_brought(each) for each in lists]), "even": cost / gain}
    measured = any(each.brings is not None and each.brings.lists for each in lists)
    known = "reckoned, by what earlier lists showed," if measured else "assumed"
    even = "{even:.0%}" if not 0 < cost / gain < 0.01 else "{even:.1%}" if cost / gain >= 0.001 else "less than 0.1%"
    pay = "Together the lists still pay" if len(lists) > 1 else "The list still pays"
    held_out = sum(each.held_out for each in lists)
    groups = "the hold-out group" if sum(each.held_out > 0 for each in lists) == 1 else "the hold-out groups"
    tell = f"; {groups} will tell" if held_out else "; nobody is held out, so no list will tell"
    return _say(
        one,
        "assumption",
        f"It is {known} that a contact brings this share of what is at stake: {{shares}}. {pay} if contacts achieve "
        f"{even} of that{tell}.",
        values,
    )


def _share_brought(each: ActionList) -> str:
    """What a contact of a list is reckoned to bring of what is at stake, and whether lists have shown it."""
    brings = each.brings
    if brings is None or not brings.lists:
        return f"{_percent(each.programme.makes_the_difference)} for {each.name.replace('_', ' ')}"
    lists = f"{brings.lists} list{'' if brings.lists == 1 else 's'}"
    return (
        f"{brings.share:.1%} for {each.name.replace('_', ' ')} (assumed {_percent(brings.assumed)}; {lists} brought "
        f"{brings.measured:.1%}, {brings.low:.1%} to {brings.high:.1%})"
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
    mostly = ", mostly" if len(reasons) > MOST_REASONS else ""
    times = counted("times", len(one.ledger), "time")
    return _say(
        one,
        "left_out",
        f"{times} a candidate of a programme is not on its list{mostly}: "
        "{reasons}. Each stands in the ledger with the reason.",
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
        f"{counted('count', count, 'time')} more than one programme wanted the same customer: each gets the one "
        "action that is worth most for all lists together.",
        {"count": count},
    )


def _prices(one: ActionLists) -> list[Finding]:
    """What more of the dearest limits would bring."""
    costs = one.facts.settings.money.contact_cost
    contact = {
        each.name: min(costs[channel] for channel in each.programme.channels) + each.programme.offer_cost
        for each in one.lists
    }
    contact[""] = min(contact.values())
    said = prices_in_words(one.prices, one.currency, contact=contact)
    return [each.finding(one.as_of) for each in said[:MOST_PRICES]]


def _held_out_more(one: ActionLists) -> Finding | None:
    more = [
        each for each in one.lists if each.held_out_share > each.programme.held_out_share + 1e-9 and each.held_out
    ]
    if not more:
        return None
    told = [
        f"{each.name} {_percent(each.held_out_share)} in place of {_percent(each.programme.held_out_share)}"
        for each in more
    ]
    whose = "the list" if len(more) == 1 else "these lists"
    return _say(
        one,
        "held_out_more",
        f"More are held out than planned, as {whose} could not be measured otherwise: {{told}}.",
        {"told": listed(told)},
    )


def _too_small(one: ActionLists) -> Finding | None:
    small = [each for each in one.lists if each.held_out and each.measurable and not each.measurable.seen]
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
    alone = "itself what it is" if len(small) == 1 else "themselves what they are"
    return _say(
        one,
        "too_small_to_measure",
        f"Too small to show by {alone} expected to achieve: {{names}}. {{list_id}} would show {{smallest:,.2f}} "
        "{currency} per contact, and {expected:,.2f} is expected; several lists of a programme read together may.",
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
        _sent_lists(len(one.earlier), len(sent)),
        values,
        one.earlier,
    )


def _sent_lists(lists: int, sent: int) -> str:
    if lists == 1:
        return "The one earlier list was sent {days:,.1f} days after it was written."
    were, they = ("was", "it was") if sent == 1 else ("were", "they were")
    after = "{days:,.1f} days after " + they + " written" + (" on average" if sent > 1 else "")
    return f"Of {{lists:,}} earlier lists {{sent:,}} {were} sent, {after}."


def _unmarked(one: ActionLists) -> Finding | None:
    waiting = one.waiting
    if waiting.empty:
        return None
    values = {"lists": listed(waiting["list_id"].head(4).tolist()), "count": len(waiting)}
    was = counted("count", len(waiting), "earlier list was", "earlier lists were")
    they = "Was it" if len(waiting) == 1 else "Were they"
    return _say(
        one,
        "never_marked",
        f"{was} never marked as sent: {{lists}}. {they} sent? `crm sent LIST_ID --on DATE` says so, and the next run "
        "measures it; `crm sent LIST_ID --never` says that it was not.",
        values,
    )
