"""The pictures and tables of the campaign page: what each caused and paid, who answered, and what follows from it.

Verdicts keep their colours. How far to trust it is drawn by `campaign_trust`. No customer is named, and nothing is
told of fewer than five. What comes next: `campaign_next`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.finding import Findings
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_dots, draw_intervals, draw_line
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST, is_small
from crm.reporting.style import ACTUAL, BAD, COMPARISON, FORECAST, GOOD
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import MISSING, clean, formatted, listed, quantity, shortened

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.campaign_success.reading import Reading
    from crm.analyses.campaign_success.result import CampaignSuccess

ANSWERS = ("verdicts", "together", "profit", "answered")
VERDICTS = {
    "caused more": GOOD,
    "caused less": BAD,
    "no sign": ACTUAL,
    "cannot tell": COMPARISON,
    "not yet readable": FORECAST,
}
BY_LOT, BY_COMPARISON = "Drawn by lot", "Observational: by comparison"
_PANELS = {"experiment": BY_LOT, "observational": BY_COMPARISON, "none": BY_COMPARISON}

OUTCOMES = {
    "bought": "share that bought",
    "purchase_days": "purchase days",
    "net_sales": "net sales",
    "margin": "margin",
    "responded": "share that answered",
}
BY_FIRST = ("segment", "value tier", "main department", "main channel")
"""Kinds of group, the most telling first."""

MOST = 12
_MOST_NAMED = 5
_NO_CAMPAIGN = "No campaign had begun by then."
_NOTHING_COMPARED = "No campaign's contacted customers could be compared with anybody."


def the_answer(one: CampaignSuccess) -> Findings:
    """What a reader is told first."""
    claimed = [name for name in one.findings.names if name.startswith("claimed_")]
    return one.findings.pick(*ANSWERS, *claimed)


def show_what_to_do(one: CampaignSuccess) -> Table | LeftOut:
    """What follows from the verdicts: which campaigns to go on with, to change, to repeat or to stop."""
    table = one.summary
    if table.empty:
        return LeftOut(_NO_CAMPAIGN)
    told = table.assign(what_to_do=[_to_do(row) for row in table.to_dict("records")])
    rows = []
    for words in TO_DO:
        names = [clean(name) for name in told.loc[told["what_to_do"] == words, "name"].iloc[::-1]]
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            said = ", ".join(names[:_MOST_NAMED]) + more if more else listed(names)
            rows.append((words, said, len(names)))
    return show_table(
        pd.DataFrame(rows, columns=["what_to_do", "which", "campaigns"]),
        caption="What the verdicts suggest",
        notes="The newest first. A suggestion follows from verdict and profit alone: what else a campaign is for, "
        "the data do not know.",
    )


GO_ON = "Go on: it changed what customers buy, and it paid"
CHECK = "Repeat by lot with more customers: it works, but whether it pays is not sure"
STOP = "Stop or change it: it cost more than it brought"
CHANGE = "Change it: there is no sign of a gain that matters"
LARGER = "Repeat by lot with more customers: too few to tell"
DRAW = "Leave some alone by lot next time: nobody can tell what it caused"
WAIT = "Wait for its end"
TO_DO = (GO_ON, CHECK, STOP, CHANGE, LARGER, DRAW, WAIT)


def _to_do(row: Mapping[Hashable, Any]) -> str:
    """What verdict and profit of one campaign suggest; only a lot is evidence enough to speak of a loss."""
    word, drawn = row["verdict"], row["evidence"] == "experiment"
    if word == "not yet readable":
        return WAIT
    if word == "caused less" or (word == "no sign" and drawn and row["profit_high"] < 0):
        return STOP
    if word == "caused more":
        return GO_ON if row["profit_low"] > 0 else CHECK
    if word == "no sign":
        return CHANGE
    return LARGER if drawn else DRAW


def draw_caused(one: CampaignSuccess) -> Chart | LeftOut:
    """What did each campaign cause, how sure is it, and on what ground?"""
    table = _caused(one)
    if isinstance(table, LeftOut):
        return table
    return draw_intervals(
        table[["campaign", "change", "low", "high", "usual", "contacted", "verdict", "evidence", "open"]],
        label="campaign",
        value="change",
        interval=("low", "high"),
        colour_by="verdict",
        colours=VERDICTS,
        panel="evidence",
        hollow="open",
        band=one.matters,
        unit="share",
        title=_what_was_caused(one),
        note=f"Change in {OUTCOMES[one.judged_by]} of the contacted (without a lot: of those compared), as share of "
        "what they would have been, with 95% interval (an experiment still running: 99%). Grey: less than "
        f"{one.matters:.0%}, which does not matter. Hollow: nothing can be claimed. The newest first.",
    )


def show_caused(one: CampaignSuccess) -> Table | LeftOut:
    """The verdict of every campaign, and why."""
    table = _newest_first(one.summary)
    if table.empty:
        return LeftOut(_NO_CAMPAIGN)
    told = table.assign(
        campaign=campaign_names(table["name"]),
        evidence=table["evidence"].map(_EVIDENCE),
        interval=intervals(table["low"], table["high"], "+,.2f"),
        shown_from=table["smallest_seen"],
    )
    columns = ["campaign", "verdict", "evidence", "contacted", "compared", "usual", "effect", "interval",
               "shown_from", "because"]  # fmt: skip
    return show_table(
        _hidden(told[columns], ["usual", "effect", "interval", "shown_from"]),
        caption=f"Every campaign: {OUTCOMES[one.judged_by]} per contacted customer, in the days of the campaign",
        formats={"usual": ",.2f", "effect": "+,.2f", "shown_from": ",.2f"},
        counts=["compared"],
        notes=f"{_COMPARED} Usual: of those held out or, without a lot, of untouched customers of the same past. "
        "Interval: 95%; of an experiment still running 99%. Shown from: the smallest effect that the campaign "
        "shows in four of five cases.",
    )


_COMPARED = "Compared: the contacted of whom it is told; without a lot, those who have similar untouched customers."
_EVIDENCE = {"experiment": "by lot", "observational": "observational", "none": "none"}


def draw_profit(one: CampaignSuccess) -> Chart | LeftOut:
    """What did each campaign earn, after its contacts?"""
    table = _paid(one)
    if isinstance(table, LeftOut):
        return table
    return draw_intervals(
        table[["campaign", "profit", "low", "high", "compared", "margin", "cost", "evidence"]],
        label="campaign",
        value="profit",
        interval=("low", "high"),
        colour_by="evidence",
        colours={BY_LOT: ACTUAL, BY_COMPARISON: COMPARISON},
        panel="evidence",
        unit=one.currency,
        title=_what_was_earned(table[table["evidence"] == BY_LOT]),
        note="Margin caused among the compared in the days of the campaign, less the cost of contacting them, with "
        "95% interval. Of forty campaigns that bring nothing, one seems to earn money and one to lose some, by luck "
        "alone.",
    )


def show_profit(one: CampaignSuccess) -> Table | LeftOut:
    """The same in numbers, with the return on what was spent."""
    table = _paid(one)
    if isinstance(table, LeftOut):
        return table
    told = table.assign(
        evidence=table["ground"].map(_EVIDENCE),
        margin_interval=intervals(table["margin_low"], table["margin_high"], "+,.0f"),
        profit_interval=intervals(table["low"], table["high"], "+,.0f"),
    )
    columns = ["campaign", "evidence", "contacted", "compared", "margin", "margin_interval", "cost", "profit",
               "profit_interval", "return_on_spend"]  # fmt: skip
    assumed = one.reached.loc[~one.reached["cost_is"].isin(["stated"]), "campaign_id"]
    count = int(table["campaign_id"].isin(assumed).sum())
    said = f" Of {count:,} the cost of a contact is that of its channel in crm.toml: an assumption." if count else ""
    return show_table(
        told[columns],
        caption=f"Margin caused, cost and profit by campaign ({one.currency})",
        formats={"margin": "+,.0f", "profit": "+,.0f", "cost": ",.0f", "return_on_spend": ",.1f"},
        notes=f"{_COMPARED} Margin, cost and profit are of these. Intervals: 95%. Return on spend: margin caused for "
        f"each unit of cost. Where no effect may be claimed by comparison, nothing is said of money.{said}",
    )


def _what_was_earned(by_lot: pd.DataFrame) -> str:
    earned, lost = int((by_lot["low"] > 0).sum()), int((by_lot["high"] < 0).sum())
    if by_lot.empty:
        return "What campaigns earned can only be told by comparison, and is not sure"
    if not earned and not lost:
        return f"Of {len(by_lot)} campaigns drawn by lot, none surely earned or lost money"
    told = [f"of {count} it lies {where} 0" for count, where in ((earned, "above"), (lost, "below")) if count]
    return f"Profit of {len(by_lot)} campaigns drawn by lot: {listed(told)}, with its whole interval"


def draw_answers(one: CampaignSuccess) -> Chart | LeftOut:
    """An answer is no effect: who answered, and how many more bought because of the contact."""
    table = _answers(one)
    if isinstance(table, LeftOut):
        return table
    answered, more = table["answered"].mean(), table["more_bought"].mean()
    long = table.melt("campaign", ["answered", "more_bought"], var_name="what", value_name="share_of_contacted")
    long["what"] = long["what"].map({"answered": "answered", "more_bought": "bought because of it"})
    return draw_dots(
        long,
        label="campaign",
        value="share_of_contacted",
        colour_by="what",
        colours={"answered": COMPARISON, "bought because of it": ACTUAL},
        unit="share",
        title=f"{quantity(answered, 'share')} answered on average, and {quantity(more, 'share')} more bought than "
        "would have without a contact",
        note="Campaigns drawn by lot that have ended. Bought because of it: the share of the contacted that bought "
        "anything, less that of those held out; its interval stands in the table.",
    )


def show_answers(one: CampaignSuccess) -> Table | LeftOut:
    """The same in numbers: how many of the answers came from customers who would have bought anyway."""
    table = _answers(one)
    if isinstance(table, LeftOut):
        return table
    told = table.assign(
        more_interval=intervals(table["low"], table["high"], "+.1%"),
        would_have_bought_anyway=table["anyway"],
        anyway_interval=intervals(table["anyway_low"], table["anyway_high"], ".0%"),
    )
    columns = ["campaign", "contacted", "answered", "more_bought", "more_interval", "would_have_bought_anyway",
               "anyway_interval"]  # fmt: skip
    return show_table(
        told[columns],
        caption="Answers and effects of the campaigns drawn by lot",
        formats={"answered": ".1%", "more_bought": "+.1%", "would_have_bought_anyway": ".0%"},
        notes="Intervals: 95%. Would have bought anyway: of those who answered, an estimate that takes every buyer "
        "caused as one who answered.",
    )


def show_reached(one: CampaignSuccess) -> Table | LeftOut:
    """Whom each campaign chose and reached, who answered, what they bought, and what it cost."""
    table = _newest_first(one.reached)
    if table.empty:
        return LeftOut(_NO_CAMPAIGN)
    many = ~is_small(table["responded"])  # a rate would give away how few answered
    told = table.assign(
        campaign=campaign_names(table["name"]),
        response_rate=table["response_rate"].where(many),
        rate_interval=pd.Series(intervals(table["low"], table["high"], ".1%"), index=table.index).where(many),
        net_sales_each=table["net_sales_each_during"],
        margin_each=table["margin_each_during"],
        net_sales_each_afterwards=table["net_sales_each_after"],
    )
    counts = ["targeted", "held_out", "reached", "responded", "response_rate", "rate_interval"]
    money = ["net_sales_each", "margin_each", "net_sales_each_afterwards"]
    columns = ["campaign", "first_date", "last_date", "channel", *counts, *money, "cost"]
    days = int(table["days_after"].max()) if table["days_after"].notna().any() else 0
    return show_table(
        _hidden(told[["contacted", *columns]], [*counts, *money])[columns],
        caption=f"Whom each campaign reached, and what they bought ({one.currency})",
        formats={"response_rate": ".1%", **dict.fromkeys(money, ",.2f"), "cost": ",.0f"},
        counts=["held_out", "responded"],
        notes=f"What the contacted bought is not what the campaign caused. Afterwards: in up to {days} days after "
        f"it. "
        "Interval: 95%. Cost: of all contacted. Of fewer than five contacted nothing is shown.",
    )


def draw_by_group(one: CampaignSuccess) -> Chart | LeftOut:
    """Who answers, by group of customers?"""
    table = _by_group(one)
    if isinstance(table, LeftOut):
        return table
    named, few = ~table["rest"], is_small(table["answers"])  # a rate would give away how few answered
    if not (named & ~few).any():
        return LeftOut("No group has enough answers to be told.")
    by = table.loc[named & ~few, "by"].iloc[0]
    rows = table[named & ~few & (table["by"] == by)]
    hidden = int((named & few & (table["by"] == by)).sum())
    groups = "one group" if hidden == 1 else f"{hidden:,} groups"
    not_drawn = f" Not drawn: {groups} with fewer than five answers." if hidden else ""
    first, last = rows.iloc[0], rows.iloc[-1]
    return draw_bars(
        rows[["group", "response_rate", "low", "high", "contacts"]],
        label="group",
        value="response_rate",
        interval=("low", "high"),
        most=MOST,
        unit="share",
        title=f"“{clean(first['group'])}” answers most ({quantity(first['response_rate'], 'share')}), "
        f"“{clean(last['group'])}” least ({quantity(last['response_rate'], 'share')})",
        note=f"Contacts of all campaigns, by {by}, with 95% intervals. Who answers most is not who is changed "
        f"most.{not_drawn}",
    )


def show_by_group(one: CampaignSuccess) -> Table | LeftOut:
    """The same by every kind of group."""
    table = _by_group(one)
    if isinstance(table, LeftOut):
        return table
    return show_table(
        table[["by", "group", "contacts", "answers", "response_rate", "low", "high"]],
        caption="Answers by group, all campaigns together",
        formats=dict.fromkeys(["response_rate", "low", "high"], ".1%"),
        customers=["contacts", "answers"],
        notes="Segments are those of the as-of date, the others those of each campaign's first day: main is where "
        "net sales (department) or orders (channel) of the year before were highest. Fewer than 5: groups of fewer "
        "than five customers, put together. A group that got other campaigns than the next one answers otherwise for "
        "that alone.",
    )


def draw_running(one: CampaignSuccess) -> Chart | LeftOut:
    """What every look so far would have said of the newest experiment that still runs."""
    if why := one.unsaid.get("running", ""):
        return LeftOut(why)
    reading = [each for each in one.readings if each.look is not None][-1]
    name, looks = clean(reading.chosen.campaign.name), reading.looks
    if looks.empty:
        return LeftOut(f"{name} has just begun: nothing of it is known yet.")
    days = [f"day {day}" for day in looks["day"]]
    parts = [
        looks.assign(day=days, which=words)[["day", "effect", low, high, "which"]].set_axis(
            ["day", "effect", "low", "high", "interval"], axis=1
        )
        for words, low, high in (("every look", "low", "high"), ("one look", "ordinary_low", "ordinary_high"))
    ]
    last = looks.iloc[-1]
    early = bool(((looks["ordinary_low"] > 0) | (looks["ordinary_high"] < 0)).any())
    sure = bool(last["low"] > 0 or last["high"] < 0)
    said = "is sure already" if sure else "cannot be read yet"
    warned = ", though an interval made for one look has excluded 0" if early and not sure else ""
    return draw_line(
        pd.concat(parts, ignore_index=True),
        x="day",
        y="effect",
        colour_by="interval",
        interval=("low", "high"),
        colours={"every look": FORECAST, "one look": COMPARISON},
        unit="",
        title=f"{name}, day {int(last['day'])} of {reading.chosen.campaign.days}: its effect {said}{warned}",
        note=f"{capital(OUTCOMES[one.judged_by])} per contacted customer so far. The wide band holds however often "
        f"one "
        "looks (99%); the narrow one holds for a single look (95%), and finds an effect sooner or later where "
        "there is "
        "none.",
    )


def show_lists(one: CampaignSuccess) -> Table | LeftOut:
    """What the action lists achieved, beside what was expected of them."""
    lists = one.action_lists[one.action_lists["contacted"] >= FEWEST]
    if lists.empty:
        return LeftOut("No action list has been sent by then.")
    told = _newest_first(lists)
    told = told.assign(
        caused=told["margin"], caused_interval=intervals(told["margin_low"], told["margin_high"], "+,.0f")
    )
    columns = ["programme", "sent_on", "measured_on", "contacted", "held_out", "expected_margin", "caused",
               "caused_interval", "cost", "profit", "met"]  # fmt: skip
    return show_table(
        told[columns],
        caption=f"Action lists: the margin that was expected, and what they caused ({one.currency})",
        formats={"expected_margin": ",.0f", "caused": "+,.0f", "cost": ",.0f", "profit": "+,.0f"},
        notes="Interval: 95%. Met: yes, where it lies at what was expected or above; no, where it lies below.",
    )


def draw_against_plan(one: CampaignSuccess) -> Chart | LeftOut:
    """Net sales of the months with campaigns, beside the plan."""
    table = one.against_plan
    rows = table[table["metric"] == "net_sales"] if len(table) else table
    if (why := one.unsaid.get("against_plan", "")) or rows.empty:
        return LeftOut(why or "No target for net sales falls into a month with a campaign.")
    below = int((rows["variance"] < 0).sum())
    return draw_line(
        rows.assign(month=pd.PeriodIndex(pd.to_datetime(rows["month"]), freq="M"))[["month", "actual", "planned"]],
        x="month",
        y="actual",
        comparison="planned",
        unit=one.currency,
        title=f"In {below} of {len(rows)} months with campaigns net sales were below the plan",
        note="Months in which a campaign ran and for which there is a target.",
    )


def show_against_plan(one: CampaignSuccess) -> Table | LeftOut:
    """Planned, actual, and how much of it campaigns caused."""
    table = one.against_plan
    if (why := one.unsaid.get("against_plan", "")) or table.empty:
        return LeftOut(why or "No target falls into a month with a campaign.")
    rows = table.iloc[::-1].assign(month=[f"{month:%Y-%m}" for month in table["month"].iloc[::-1]])
    rows = rows[rows["metric"] == "net_sales"] if (rows["metric"] == "net_sales").any() else rows
    whole = ["planned", "actual"]
    signed = ["variance", "caused", "caused_low", "caused_high"]
    return show_table(
        rows[["month", "campaigns", *whole, "variance", "variance_share", *signed[1:]]].reset_index(drop=True),
        caption=f"Planned and actual net sales, and what campaigns caused of it ({one.currency})",
        formats={**dict.fromkeys(whole, ",.0f"), **dict.fromkeys(signed, "+,.0f"), "variance_share": "+.1%"},
        notes="Caused: by campaigns whose effect on net sales is known, among those compared, with 95% interval, "
        "laid over the months by their days. The newest first.",
    )


def _caused(one: CampaignSuccess) -> pd.DataFrame | LeftOut:
    """The effect of each campaign as share of the usual, by lot first, the newest first."""
    table = _newest_first(one.summary)
    table = table[(table["compared"] >= FEWEST) & table["low"].notna() & (table["usual"] > 0)]
    if table.empty:
        return LeftOut(_NOTHING_COMPARED)
    told = pd.DataFrame(
        {
            "campaign": campaign_names(table["name"]),
            **{name: table[column] / table["usual"] for name, column in _SHARES.items()},
            "usual": table["usual"],
            "contacted": table["contacted"],
            "verdict": table["verdict"],
            "evidence": table["evidence"].map(_PANELS),
            "open": table["verdict"].isin(["cannot tell", "not yet readable"]),
        }
    )
    return told.sort_values("evidence", key=lambda names: names != BY_LOT, kind="stable", ignore_index=True)


_SHARES = {"change": "effect", "low": "low", "high": "high"}


def _what_was_caused(one: CampaignSuccess) -> str:
    counts, all_of_them = one.summary["verdict"].value_counts(), len(one.summary)
    more, less = int(counts.get("caused more", 0)), int(counts.get("caused less", 0))
    told = [f"{count} caused {word}" for count, word in ((more, "more"), (less, "less")) if count]
    of = f"Of {all_of_them} campaigns" if all_of_them > 1 else "Of the one campaign"
    untold = int(counts.get("cannot tell", 0)) + int(counts.get("not yet readable", 0))
    nobody = f"; of {untold} it cannot be told" if untold else ""
    return f"{of}, {listed(told)}{nobody}" if told else f"{of}, none can be said to have caused anything{nobody}"


def _paid(one: CampaignSuccess) -> pd.DataFrame | LeftOut:
    table = _newest_first(one.summary)
    table = table[table["profit"].notna() & (table["compared"] >= FEWEST) & (table["verdict"] != "not yet readable")]
    if table.empty:
        return LeftOut("What a campaign earned is left out: of none both the margin caused and the cost are known.")
    told = table.assign(
        campaign=campaign_names(table["name"]),
        ground=table["evidence"],
        evidence=table["evidence"].map(_PANELS),
        low=table["profit_low"],
        high=table["profit_high"],
    )
    return told.sort_values("evidence", key=lambda names: names != BY_LOT, kind="stable", ignore_index=True)


def _answers(one: CampaignSuccess) -> pd.DataFrame | LeftOut:
    """Per ended experiment with answers: who answered, how many more bought, and who would have anyway."""
    if why := one.unsaid.get("experiments", "") or one.unsaid.get("answers", "") or one.unsaid.get("anyway", ""):
        return LeftOut(why)
    rates = one.reached.set_index("campaign_id")["response_rate"]
    anyway = one.anyway.set_index("campaign_id")
    rows = [_answered(each, rates, anyway) for each in reversed(one.experiments) if each.chosen.contacted >= FEWEST]
    columns = [
        "campaign",
        "contacted",
        "answered",
        "more_bought",
        "low",
        "high",
        "anyway",
        "anyway_low",
        "anyway_high",
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table if len(table) else LeftOut("No experiment has ended.")


def _answered(reading: Reading, rates: pd.Series[float], anyway: pd.DataFrame) -> tuple[object, ...]:
    assert reading.experiment is not None
    campaign, bought = reading.chosen.campaign, reading.experiment.of("bought")
    there = campaign.campaign_id in anyway.index
    told = tuple(anyway.loc[campaign.campaign_id, ["share", "low", "high"]]) if there else (np.nan,) * 3
    return (
        shortened(campaign.name, 40), reading.chosen.contacted, rates[campaign.campaign_id], bought["effect"],
        bought["low"], bought["high"], *told,
    )  # fmt: skip


def _by_group(one: CampaignSuccess) -> pd.DataFrame | LeftOut:
    """Contacts and answers by group, all campaigns together, with the interval of the rate."""
    if why := one.unsaid.get("answers", "") or one.unsaid.get("by_group", ""):
        return LeftOut(why)
    rest = one.by_group["group"].isin(_REST)
    if rest.all():
        return LeftOut("No group is large enough to be told.")
    places = {name: place for place, name in enumerate(BY_FIRST)}
    order = one.by_group.assign(place=one.by_group["by"].map(places), rest=rest).sort_values(
        ["place", "rest", "response_rate"], ascending=[True, True, False], kind="stable", ignore_index=True
    )
    return order.rename(columns={"contacted": "contacts", "responded": "answers"})


_REST = ("fewer than 5", "(unknown)")
"""Whom no group of its own is told of."""


def _newest_first(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[::-1].reset_index(drop=True)


def campaign_names(names: pd.Series[str]) -> list[str]:
    """For people; two campaigns of one name are told apart."""
    plain = [shortened(name, 40) for name in names]
    return [
        f"{name} ({plain[:at].count(name) + 1})" if plain.count(name) > 1 else name for at, name in enumerate(plain)
    ]


def intervals(low: pd.Series[float], high: pd.Series[float], spec: str) -> list[str]:
    """Both ends in words; – where one is missing."""
    ends = zip(low, high, strict=True)
    return [MISSING if pd.isna(a) or pd.isna(b) else f"{formatted(a, spec)} to {formatted(b, spec)}" for a, b in ends]


def capital(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def _hidden(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Without what would be of fewer than five contacted customers, or of fewer than five compared."""
    counts = [name for name in ("contacted", "compared") if name in table]
    few = (table[counts] < FEWEST).any(axis=1).to_numpy()
    return table.assign(**{name: table[name].where(~few) for name in columns})
