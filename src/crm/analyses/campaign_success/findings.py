"""What campaign success found, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.analyses import counted, listed, not_there
from crm.analyses.campaign_success.promotions import NEARLY_ALL
from crm.analyses.campaign_success.response import BLEND, RULE
from crm.analyses.campaign_success.uplift import APART, DR
from crm.analyses.campaign_success.verdicts import WORDS
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail
from crm.measures.chances import wilson

if TYPE_CHECKING:
    from crm.analyses.campaign_success.model import CampaignResponseModel
    from crm.analyses.campaign_success.result import CampaignSuccess

NOUNS = {
    "bought": "the share that bought",
    "purchase_days": "purchase days",
    "net_sales": "net sales",
    "margin": "margin",
}
"""The main outcome as a noun."""

MOST_NAMED = 3


def all_findings(one: CampaignSuccess) -> Findings:
    """The answers, most important first; what could not be found is left out."""
    return Findings(
        [
            _verdicts(one),
            _answered(one),
            _together(one),
            _profit(one),
            *(_of_one(one, number, row) for number, row in enumerate(_claimed(one), 1)),
            _lists(one),
            _running(one),
            _observational(one),
            _placebo(one),
            _unfair(one),
            _contaminated(one),
            _overlap(one),
            _anyway(one),
            _response(one),
            _uplift(one),
            _next(one),
            _channel(one),
            _promotion(one),
            _plan(one),
            _strange(one),
            not_there(one.wanting, one.as_of),
        ]
    )


def measures(one: CampaignSuccess) -> dict[str, object]:
    """The numbers for results.json."""
    return {
        "judged_by": one.judged_by,
        "campaigns": one.summary,
        "effects": effects_of_all(one),
        "together": {name: vars(found) for name in NOUNS if (found := one.together(name)) is not None},
        "answered": one.anyway,
        "action_lists": one.action_lists,
        "plan": {} if one.plan is None else {"audiences": one.plan.audiences, "enough": one.plan.enough},
        "faults": one.campaigns.faults.drop(columns=["example"]),
        "version": one.standing.version,
        "why": one.standing.why,
        "who_answers": one.targeting.response.gains,
        "whom_it_changes": one.targeting.uplift,
        "groups": one.targeting.groups,
        "model_content": one.targeting.model.content if one.targeting.model else "",
    }


def effects_of_all(one: CampaignSuccess) -> pd.DataFrame:
    """Every outcome of every campaign that was compared: campaign_id, evidence, then the columns they share."""
    parts = []
    for reading in one.readings:
        found = reading.experiment or reading.observed
        if found is None or found.effects.empty:
            continue
        shared = found.effects[["outcome", "window", "usual", "effect", "low", "high", "p"]]
        evidence = "experiment" if reading.experiment else "observational"
        parts.append(shared.assign(campaign_id=reading.chosen.campaign.campaign_id, evidence=evidence))
    columns = ["campaign_id", "evidence", "outcome", "window", "usual", "effect", "low", "high", "p"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _say(
    one: CampaignSuccess, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding; None where a number is missing."""
    if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        return None
    common = {"as_of": one.as_of, "currency": one.currency, "outcome": NOUNS[one.judged_by]}
    return Finding(name, template, common | values, one.as_of, table)


def _named(names: Sequence[str]) -> str:
    """The first few of them, and how many more."""
    first, more = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    return listed([*first, f"{more} more"] if more > 0 else first)


def _claimed(one: CampaignSuccess) -> list[dict[str, Any]]:
    """The campaigns of which an effect is claimed, the newest first, a few."""
    claimed = one.summary[one.summary["verdict"].isin(["caused more", "caused less"])]
    newest = claimed.iloc[::-1].head(MOST_NAMED).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in newest]


_TOLD = {
    "caused more": "{} caused more",
    "caused less": "{} caused less",
    "no sign": "of {} there is no sign",
    "cannot tell": "of {} nobody can tell",
    "not yet readable": "{} cannot be read yet",
}


def _verdicts(one: CampaignSuccess) -> Finding | None:
    table = one.summary
    counts = table["verdict"].value_counts()
    values: dict[str, Any] = {
        "campaigns": len(table),
        **{word.replace(" ", "_"): int(counts.get(word, 0)) for word in WORDS},
    }
    drawn = int((table["evidence"] == "experiment").sum())
    parts = []
    for word in WORDS:
        if counts.get(word, 0):
            names = table.loc[table["verdict"] == word, "name"].tolist()
            field = f"names_{word.replace(' ', '_')}"
            values[field] = _named(names) if word.startswith("caused") else ""
            told = _TOLD[word].format("{" + word.replace(" ", "_") + ":,}")
            parts.append(f"{told} ({{{field}}})" if values[field] else told)
    values["drawn"] = drawn
    lot = "{drawn:,} of them were drawn by lot" if drawn else "none of them was drawn by lot"
    begun = counted("campaigns", len(table), "campaign has", "campaigns have")
    return _say(
        one,
        "verdicts",
        f"As of {{as_of}}, {begun} begun; {lot}. Judged by {{outcome}}, {listed(parts)}.",
        values,
        table[["name", "verdict", "because"]],
    )


def headline(one: CampaignSuccess) -> Headline | None:
    """What the ended experiments earned; without one, of how many campaigns an effect is shown."""
    return _earned(one) or _shown(one)


def _earned(one: CampaignSuccess) -> Headline | None:
    ended = [reading for reading in one.experiments if math.isfinite(reading.profit.profit)]
    count = counted("experiments", len(ended), "ended experiment", "ended experiments")
    return Headline.of(
        _profit(one),
        "profit",
        label="profit of campaigns drawn by lot",
        unit="{currency}",
        better="more",
        sentence=f"{count} caused {{margin:,.0f}} {{currency}} of margin, and {{cost:,.0f}} was spent on contacts.",
        trail=Trail.of(
            "Profit of each, the oldest first",
            (reading.chosen.campaign.name for reading in ended),
            (reading.profit.profit for reading in ended),
            drawn="bars",
            unit=one.currency,
        ),
    )


def _shown(one: CampaignSuccess) -> Headline | None:
    counts = one.summary["verdict"].value_counts()
    campaigns = counted("campaigns", len(one.summary), "campaign")
    lot = f"{{drawn:,}} of {campaigns} were drawn by lot"
    if not (one.summary["evidence"] == "experiment").any():
        lot = f"None of {campaigns} was drawn by lot, without which little can be shown"
    return Headline.of(
        _verdicts(one),
        "caused_more",
        label="campaigns shown to have caused more",
        better="more",
        sentence=f"{lot}; of {{cannot_tell:,}} nobody can tell what came of them.",
        trail=Trail.of(
            "Campaigns by what can be said of them",
            (word.capitalize() for word in WORDS),
            (int(counts.get(word, 0)) for word in WORDS),
            drawn="named",
        ),
    )


def _answered(one: CampaignSuccess) -> Finding | None:
    reached = one.reached[one.reached["responded"].notna()]
    contacted, answered = int(reached["contacted"].sum()), float(reached["responded"].sum())
    if not contacted:
        return None
    low, high = wilson(np.array([answered]), np.array([float(contacted)]))
    uninvited = float(reached["uninvited"].sum())
    more = " {uninvited:,.0f} answers came from customers whom nobody had contacted." if uninvited else ""
    values = {
        "contacted": contacted, "answered": answered, "rate": answered / contacted, "low": float(low[0]),
        "high": float(high[0]), "uninvited": uninvited,
    }  # fmt: skip
    return _say(
        one,
        "answered",
        "Of {contacted:,} contacts {answered:,.0f} were answered ({rate:.1%}, {low:.1%} to {high:.1%}). An answer is "
        f"no effect: whoever answers may have bought all the same.{more}",
        values,
    )


def _together(one: CampaignSuccess) -> Finding | None:
    found, usual = one.together(one.judged_by), _usual(one)
    if found is None:
        return None
    sure = found.low > 0 or found.high < 0
    verb = "changed" if sure else "may have changed"
    values = {
        "experiments": found.campaigns, "effect": found.effect, "low": found.low, "high": found.high,
        "usual": usual, "share": found.effect / usual if usual else float("nan"),
    }  # fmt: skip
    return _say(
        one,
        "together",
        f"All {{experiments:,}} ended experiments together: a contact {verb} {{outcome}} by {{effect:+,.3f}} per "
        "customer ({low:+,.3f} to {high:+,.3f}), {share:+.0%} of the usual {usual:,.2f}."
        + ("" if sure else " That interval holds zero."),
        values,
    )


def _usual(one: CampaignSuccess) -> float:
    usual = [reading.verdict.usual for reading in one.experiments]
    return float(pd.Series(usual).mean()) if usual else float("nan")


def _profit(one: CampaignSuccess) -> Finding | None:
    paid = [reading.profit for reading in one.experiments if math.isfinite(reading.profit.profit)]
    if not paid:
        return None
    margin, cost = sum(each.margin for each in paid), sum(each.cost for each in paid)
    half = math.sqrt(sum(((each.margin_high - each.margin_low) / 2) ** 2 for each in paid))
    low, high = margin - cost - half, margin - cost + half
    words = "earned" if low > 0 else "lost" if high < 0 else "may have earned or lost"
    told = {"earned": "{profit:,.0f} {currency}", "lost": "{loss:,.0f} {currency}"}.get(
        words, "money: {profit:+,.0f} {currency}"
    )
    values = {
        "experiments": len(paid), "margin": margin, "cost": cost, "profit": margin - cost, "loss": cost - margin,
        "low": low, "high": high, "return_on_spend": margin / cost if cost else float("nan"),
    }  # fmt: skip
    if not math.isfinite(values["return_on_spend"]):
        del values["return_on_spend"]
    experiments = counted("experiments", len(paid), "ended experiment", "ended experiments")
    return _say(
        one,
        "profit",
        f"The {experiments} {words} {told} ({{low:+,.0f}} to {{high:+,.0f}}): {{margin:,.0f}} of margin caused, "
        "{cost:,.0f} spent on contacts.",
        values,
    )


def _of_one(one: CampaignSuccess, number: int, row: dict[str, Any]) -> Finding | None:
    observed = row["evidence"] == "observational"
    values = {name: row[name] for name in ("name", "effect", "low", "high", "usual", "contacted", "compared")}
    values |= {"began": row["first_date"], "share": row["effect"] / row["usual"] if row["usual"] else float("nan")}
    how = "observational: untouched customers with the same past bought" if observed else "those held out bought"
    whose, money = "{contacted:,} contacted customers", ""
    if row["compared"] < row["contacted"]:
        whose = "{compared:,} of {contacted:,} contacted customers, those who could be compared,"
    if math.isfinite(row["profit"]):
        values |= {"profit": row["profit"], "profit_low": row["profit_low"], "profit_high": row["profit_high"]}
        money = " Profit: {profit:+,.0f} {currency} ({profit_low:+,.0f} to {profit_high:+,.0f})."
    return _say(
        one,
        f"claimed_{number}",
        f"{{name}}, from {{began}}: {{outcome}} of {whose} changed by {{effect:+,.2f}} each "
        f"({{low:+,.2f}} to {{high:+,.2f}}), {{share:+.0%}} of what they would have been ({how} {{usual:,.2f}})."
        + money,
        values,
    )


def _lists(one: CampaignSuccess) -> Finding | None:
    """Did the action lists achieve what was expected of them?"""
    lists = one.action_lists
    read = lists[lists["met"] != "not yet"]
    if lists.empty:
        return None
    told = read[read["margin"].notna()]
    values: dict[str, Any] = {"lists": len(lists), "read": len(read)}
    sent = counted("lists", len(lists), "action list was sent", "action lists were sent")
    if told.empty:
        return _say(one, "action_lists", f"{sent}; none of them can be read yet.", values, lists)
    half = float(np.sqrt((((told["margin_high"] - told["margin_low"]) / 2) ** 2).sum()))
    margin, expected = float(told["margin"].sum()), float(told["expected_margin"].sum())
    values |= {
        "expected": expected, "margin": margin, "low": margin - half, "high": margin + half,
        "cost": float(told["cost"].sum()), "met": int((told["met"] == "yes").sum()),
        "missed": int((told["met"] == "no").sum()), "open": int((told["met"] == "cannot tell").sum()),
    }  # fmt: skip
    return _say(
        one,
        "action_lists",
        f"{sent}, {{read:,}} of them can be read: they caused {{margin:,.0f}} {{currency}} of margin "
        "({low:,.0f} to {high:,.0f}) where {expected:,.0f} were expected, and cost {cost:,.0f}. The expectation was "
        "met by {met:,}, missed by {missed:,}; of {open:,} nobody can tell.",
        values,
        lists,
    )


def _running(one: CampaignSuccess) -> Finding | None:
    running = [reading for reading in one.readings if reading.running and reading.look is not None]
    if not running:
        return None
    newest = running[-1]
    assert newest.look is not None
    values = {
        "name": newest.chosen.campaign.name,
        "until": newest.chosen.campaign.last_date,
        "effect": newest.look.effect,
        "low": newest.look.low,
        "high": newest.look.high,
        "smallest": newest.smallest_seen,
        "usual": newest.verdict.usual,
    }
    return _say(
        one,
        "running",
        "{name} runs until {until}. So far {outcome} differ by {effect:+,.3f} per customer ({low:+,.3f} to "
        "{high:+,.3f}, at 99 %, which holds however often one looks). After its last day it can show an effect of "
        "{smallest:,.3f} or more.",
        values,
    )


def _observational(one: CampaignSuccess) -> Finding | None:
    table = one.summary[one.summary["evidence"] == "observational"]
    if table.empty:
        return None
    claimed = int(table["verdict"].isin(["caused more", "caused less"]).sum())
    campaigns = counted("campaigns", len(table), "campaign was", "campaigns were")
    return _say(
        one,
        "observational",
        f"{campaigns} not drawn by lot. What is said of them is observational: the contacted are compared with "
        "untouched customers of the same past, and an effect is claimed only where older days show nothing: "
        + ("of {claimed:,} of them." if claimed else "of none of them."),
        {"campaigns": len(table), "claimed": claimed},
    )


def _placebo(one: CampaignSuccess) -> Finding | None:
    seen = [r.observed.placebo.passed for r in one.readings if r.observed is not None]
    failed, passed, untold = seen.count(False), seen.count(True), seen.count(None)
    if not seen:
        return None
    more = "; for {untold:,} that cannot be told, for want of history or of anybody to compare with" if untold else ""
    return _say(
        one,
        "placebo",
        "The older days, in which a campaign can have changed nothing, show nothing for {passed:,} campaigns and a "
        f"difference for {{failed:,}}{more}.",
        {"passed": passed, "failed": failed, "untold": untold},
    )


def _unfair(one: CampaignSuccess) -> Finding | None:
    names = [r.chosen.campaign.name for r in one.readings if r.experiment is not None and not r.experiment.lot.fair]
    if not names:
        return None
    return _say(
        one,
        "unfair_lot",
        "Of {names} no effect is claimed: the arms differ by more than a lot's luck, in size or in what was known "
        "before. Find out how customers were assigned.",
        {"names": _named(names), "campaigns": len(names)},
    )


def _contaminated(one: CampaignSuccess) -> Finding | None:
    found = [r for r in one.readings if r.experiment is not None and r.experiment.lot.contaminated]
    if not found:
        return None
    if not any(r.experiment.lot.contacted_anyway for r in found if r.experiment):
        return _say(
            one,
            "contaminated",
            "In {names}, other campaigns of the same days contacted more of the held-out than of the treated: the "
            "effects shown are too small, and nothing is learnt from them.",
            {"names": _named([r.chosen.campaign.name for r in found])},
        )
    values = {
        "names": _named([r.chosen.campaign.name for r in found]),
        "contacted": sum(r.experiment.lot.contacted_anyway for r in found if r.experiment),
        "held_out": sum(r.experiment.lot.held_out for r in found if r.experiment),
    }
    return _say(
        one,
        "contaminated",
        "In {names}, {contacted:,} of {held_out:,} held-out customers were contacted or answered all the same: the "
        "effects shown are too small, and nothing is learnt from them.",
        values,
    )


def _overlap(one: CampaignSuccess) -> Finding | None:
    meeting = one.summary[one.summary["overlapping"] > 0]
    if meeting.empty:
        return None
    drawn = [r.experiment.lot for r in one.readings if r.experiment is not None]
    most = int(meeting["overlapping"].max())
    others = counted("most", most, "other", "others")
    alike = "" if any(lot.unlike_elsewhere for lot in drawn) else " With a lot both arms met the others alike."
    return _say(
        one,
        "overlap",
        f"{{campaigns:,}} of {{all:,}} campaigns share days with others, one of them with {others} in all."
        + (alike if drawn else "")
        + " Without a lot, how many each customer got is among what is compared.",
        {"campaigns": len(meeting), "all": len(one.summary), "most": most},
    )


def _anyway(one: CampaignSuccess) -> Finding | None:
    told = one.anyway[one.anyway["share"].notna()] if len(one.anyway) else one.anyway
    told = told[~told["observational"].astype("bool")] if len(told) else told
    if told.empty:
        return None
    answered, caused = float(told["responded"].sum()), float(told["incremental"].sum())
    # Of the buyers caused, and not of the shares: those end at nobody and everybody.
    half = math.sqrt(sum(_half_of_buyers(one, str(name)) ** 2 for name in told["campaign_id"]))
    share, low, high = (min(max(1 - one / answered, 0.0), 1.0) for one in (caused, caused + half, caused - half))
    return _say(
        one,
        "anyway",
        "In {campaigns:,} ended experiments {answered:,.0f} customers answered, and about "
        + ("{caused:,.0f} more" if caused >= 0 else "{fewer:,.0f} fewer")
        + " bought than would have without a contact: an estimated {share:.0%} of the answers ({low:.0%} to "
        "{high:.0%}) came from customers who would have bought anyway.",
        {
            "campaigns": len(told), "answered": answered, "caused": caused, "fewer": -caused, "share": share,
            "low": low, "high": high,
        },
    )  # fmt: skip


def _half_of_buyers(one: CampaignSuccess, campaign_id: str) -> float:
    """Half of the interval of how many bought because of a campaign."""
    reading = one.of(campaign_id)
    assert reading.experiment is not None
    bought = reading.experiment.of("bought")
    return float(bought["high"] - bought["low"]) / 2 * reading.chosen.contacted


def _response(one: CampaignSuccess) -> Finding | None:
    """Can it be told who would answer?"""
    judged = one.targeting.response
    rows = judged.gains[(judged.gains["measure"] == "auc") & (judged.gains["candidate"] == BLEND)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    values = {
        "judged": judged.campaigns, "ours": float(row["ours"]), "theirs": float(row["theirs"]),
        "gain": float(row["gain"]), "low": float(row["low"]), "high": float(row["high"]),
    }  # fmt: skip
    better = judged.ships != RULE
    so = "It scores." if better else "That is no sure gain: the rule of thumb scores."
    return _say(
        one,
        "who_answers",
        "Who answers was told for {judged:,} later campaigns by what was learnt before each: the model puts those "
        "who answer first with an AUC of {ours:.2f}, the rule of thumb (the share of campaigns answered before, then "
        f"who bought last) with {{theirs:.2f}}, a gain of {{gain:+.3f}} ({{low:+.3f}} to {{high:+.3f}}). {so}",
        values,
    )


def _uplift(one: CampaignSuccess) -> Finding | None:
    """Can it be told whom a contact changes?"""
    table = one.targeting.uplift
    wanted, model = one.targeting.target or "orders", one.targeting.model
    rule = model.uplift.rule if model is not None and model.uplift is not None and model.uplift.rule else DR
    used = table["ships"].astype("bool") if one.targeting.target else table["learner"] == rule
    rows = table[used & (table["judged_on"] == APART) & (table["target"] == wanted)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    values = {"rows": int(row["rows"]), "experiments": int(row["campaigns"]), "target": wanted}
    values |= {name: float(row[name]) for name in ("qini", "low", "high")}
    unit = "{currency} of margin" if wanted == "margin" else "purchases"
    told = f"Qini {{qini:.3f}} {unit} per customer, {{low:.3f}} to {{high:.3f}}, where 0 is a random order"
    if one.targeting.nothing_to_target:
        return _say(
            one,
            "nothing_to_target",
            "Whom a contact changes cannot be told yet from these {experiments:,} experiments ({rows:,} customers "
            f"drawn): the best order of customers is not surely better than chance ({told}). Larger experiments may "
            f"tell; until then {_until_then(model)}, and keep a hold-out group.",
            values,
        )
    best, curve = "", one.targeting.policy.curve
    at = curve[(curve["share"] == one.targeting.policy.best_share) & (curve["over_all_low"] > 0)]
    if len(at):
        values |= {"best_share": float(at["share"].iloc[0]), "more": float(at["over_all"].iloc[0])}
        values |= {"more_low": float(at["over_all_low"].iloc[0]), "more_high": float(at["over_all_high"].iloc[0])}
        best = (
            " Contacting the best {best_share:.0%} of an audience brought most: {more:,.2f} {currency} more for each "
            "of them than contacting everybody ({more_low:,.2f} to {more_high:,.2f}; read with care, as it is the "
            "highest of many)."
        )
    return _say(
        one,
        "whom_it_changes",
        "Whom a contact changes can be told from {experiments:,} experiments ({rows:,} customers drawn), on "
        f"customers not learnt from: {told}.{best}",
        values,
    )


def _until_then(model: CampaignResponseModel | None) -> str:
    """Whom to contact while nothing is sure."""
    if model is None or model.uplift is None:
        return "contact by lot"
    if model.targets:
        return "lists go by the likeliest order, held back by how unsure it is"
    spread = "lists go by who would answer, as if a contact changed nobody else"
    return spread if model.uplift.parts else "contact by lot"


def _next(one: CampaignSuccess) -> Finding | None:
    plan = one.plan
    if plan is None or plan.audiences.empty:
        return None
    audiences = plan.audiences
    needed = audiences["smallest_audience_adjusted"].fillna(audiences["smallest_audience"]).astype("float64")
    row, most = audiences.iloc[int(np.argmin(needed.to_numpy()))], float(needed.min())
    enough = most <= plan.audience_available
    values = {
        "planned_for": str(row["planned_for"]), "effect": float(row["effect"]), "needed": most,
        "held_out": plan.held_out_share, "available": plan.audience_available, "power": plan.power,
    }  # fmt: skip
    only = "There are only {available:,}: plan for a larger effect, or read several campaigns together."
    return _say(
        one,
        "next",
        "The next experiment: to show a margin of {effect:,.2f} {currency} per contacted customer ({planned_for}) "
        "with a chance of {power:.0%} it takes {needed:,.0f} customers, {held_out:.0%} of them held out. "
        + ("There are {available:,}." if enough else only),
        values,
    )


def _channel(one: CampaignSuccess) -> Finding | None:
    channels = one.channels
    if channels is None or channels.why_not or channels.channels.empty:
        return None
    if not (channels.channels["worth_it_for"] > 0).any():
        return None
    best = channels.channels.sort_values("worth_it_for", ascending=False, kind="stable").iloc[0]
    return _say(
        one,
        "channel",
        "By what experiments showed, {channel} is the best channel for {best_for:,} customers, and worth its cost "
        "for {worth:,} of them.",
        {"channel": str(best["channel"]), "best_for": int(best["best_for"]), "worth": int(best["worth_it_for"])},
    )


def _promotion(one: CampaignSuccess) -> Finding | None:
    table = one.promotions.by_share
    rows = table[table["band"] == NEARLY_ALL] if len(table) else table
    if rows.empty or not one.promotions.discount_rate > 0:
        return None
    row = rows.iloc[0]
    if 0 < int(row["customers"]) < FEWEST_SHOWN:
        return None  # so few would be singled out
    return _say(
        one,
        "promotion",
        "{customers:,} of {judged:,} customers who bought on {fewest:,} days or more ({share:.0%}) buy at least "
        "90 % of their net sales on promotion; by chance alone {by_chance:,.1f} would. They got {discount:,.0f} "
        "{currency} of discount in a year ({share_of_discount:.0%} of all).",
        {
            "customers": int(row["customers"]), "judged": len(one.promotions.customers),
            "fewest": one.promotions.fewest_days,
            "share": float(row["share_of_customers"]), "by_chance": float(row["by_chance"]),
            "discount": float(row["discount"]), "share_of_discount": float(row["share_of_discount"]),
        },
    )  # fmt: skip


def _plan(one: CampaignSuccess) -> Finding | None:
    table = one.against_plan
    rows = table[table["metric"] == "net_sales"] if len(table) else table
    if rows.empty:
        return None
    planned, actual = float(rows["planned"].sum()), float(rows["actual"].sum())
    return _say(
        one,
        "against_plan",
        "In the {months:,} months with campaigns and a target, net sales were {actual:,.0f} {currency} where "
        "{planned:,.0f} were planned ({variance:+.1%}).",
        {
            "months": len(rows), "planned": planned, "actual": actual,
            "variance": actual / planned - 1 if planned else float("nan"),
        },
    )  # fmt: skip


def _strange(one: CampaignSuccess) -> Finding | None:
    faults = one.campaigns.faults
    faults = faults[faults["fault"] != "answered without having been contacted"]  # told of beside the answers
    if faults.empty:
        return None
    worst = faults.groupby("fault")["rows"].sum().sort_values(ascending=False)
    return _say(
        one,
        "strange_rows",
        "Strange rows: {rows:,}, most of them “{worst}” ({most:,}); what was done with them stands in the table.",
        {"rows": int(faults["rows"].sum()), "worst": str(worst.index[0]), "most": int(worst.iloc[0])},
        faults[["campaign_id", "fault", "rows", "done"]],
    )
