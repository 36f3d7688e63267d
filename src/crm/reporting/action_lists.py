"""The pictures and tables of the action lists' page: how many are contacted, who is left out and why, what it pays.

No customer is named: the lists themselves stand in the run's folder `lists`, and go to whoever sends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.finding import Findings
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_intervals
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST, without_small_groups
from crm.reporting.style import FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import clean, heading

if TYPE_CHECKING:
    from crm.scoring.action_lists import ActionLists

ANSWERS = ("nobody", "actions", "consents_elsewhere", "consents_undecided", "never_marked")
_EXAMPLES = 3
_NOBODY = "No list has a customer on it: the reasons stand below."


def in_words(programme: str) -> str:
    """A programme's name as crm.toml has it, for people: "win_back" becomes "Win back"."""
    return heading(programme)


def the_answer(one: ActionLists) -> Findings:
    """What a reader is told first."""
    return one.findings.pick(*ANSWERS)


def the_lists(one: ActionLists) -> Findings:
    """One sentence for each list."""
    return one.findings.pick(*(f"list_{each.name}" for each in one.lists))


def draw_expected(one: ActionLists) -> Chart | LeftOut:
    """What is each list expected to bring, after its cost?"""
    table = one.summary[one.summary["treated"] > 0].sort_values("expected_net", ascending=False, kind="stable")
    if table.empty:
        return LeftOut(_NOBODY)
    told = ": whether contacts make the difference as often as assumed, the hold-out groups will tell"
    note = (
        "Expected margin of all contacts until the measuring date, less their cost. The interval is of chance "
        f"alone{told if (table['held_out'] > 0).any() else ''}."
    )
    large, note = without_small_groups(table, note, customers=["treated"])
    if large.empty:
        return LeftOut("What lists are expected to bring is not drawn: each has fewer than five customers.")
    best = large.iloc[0]
    return draw_intervals(
        large.assign(kind="expected", programme=large["programme"].map(in_words))[
            ["programme", "expected_net", "low", "high", "treated", "cost", "kind"]
        ],
        label="programme",
        value="expected_net",
        interval=("low", "high"),
        colour_by="kind",
        colours={"expected": FORECAST},
        unit=one.currency,
        title=f"“{in_words(best['programme'])}” is expected to bring most: {best['expected_net']:,.0f} "
        f"{one.currency} after its cost",
        note=note,
    )


def show_lists(one: ActionLists) -> Table | LeftOut:
    """The lists in numbers: whom, until when, who answers for it."""
    table = one.summary[one.summary["listed"] > 0]
    if table.empty:
        return LeftOut(_NOBODY)
    names = {
        "list_id": "list", "treated": "to_contact", "held_out": "left_alone", "send_by": "send_by", "cost": "cost",
        "expected_net": "expected_net_gain", "low": "from", "high": "to",
    }  # fmt: skip
    return show_table(
        table[list(names)].rename(columns=names),
        caption=f"The lists ({one.currency})",
        formats=dict.fromkeys(["cost", "expected_net_gain", "from", "to"], ",.0f"),
        customers=["to_contact"],
        notes="Left alone: by lot, so that it can be told what the list achieved. From, to: the expected net gain by "
        "chance alone. The files are in the run's folder lists: one row for each customer to be contacted.",
    )


def show_examples(one: ActionLists) -> Table | LeftOut:
    """What the person who calls or writes reads beside a name: of the first of each list, one reason and no name."""
    rows = [
        each.treated.head(_EXAMPLES).assign(programme=in_words(each.name))
        for each in one.lists
        if len(each.treated) >= FEWEST
    ]
    if not rows:
        return LeftOut("Examples are left out: no list has five customers or more.")
    table = pd.concat(rows, ignore_index=True)[["programme", "channel", "offer", "reasons"]]
    first = [_without_amount(reasons, one.currency) for reasons in table["reasons"].astype("str")]
    return show_table(
        table.drop(columns="reasons").assign(first_reason=first),
        caption="What stands beside the first customers of each list",
        notes="One reason alone, no amount and no name: all reasons together could tell who somebody is. They stand "
        "in the files of the lists.",
    )


def _without_amount(reasons: str, currency: str) -> str:
    """The first reason that tells nobody's money."""
    parts = [part.strip() for part in reasons.split(";")]
    return next((part for part in parts if currency not in part), "what they brought before")


def draw_left_out(one: ActionLists) -> Chart | LeftOut:
    """Why are candidates on no list?"""
    table = one.left_out.groupby("reason", as_index=False)["customers"].sum()
    table = table[table["customers"] >= FEWEST].sort_values("customers", ascending=False, kind="stable")
    if table.empty:
        return LeftOut("Every candidate who may be contacted is on a list.")
    first = table.iloc[0]
    return draw_bars(
        table.reset_index(drop=True),
        label="reason",
        value="customers",
        unit="candidates",
        title=f"Most candidates that are left out: {clean(first['reason'])} ({first['customers']:,})",
        note="Candidates of a programme who are not on its list, by reason; customers may be candidates of several.",
    )


def show_left_out(one: ActionLists) -> Table | LeftOut:
    """The same by programme."""
    table = one.left_out[one.left_out["customers"] >= FEWEST]
    if table.empty:
        return LeftOut("Every candidate who may be contacted is on a list.")
    named = table.assign(programme=table["programme"].map(in_words))
    few = int((one.left_out["customers"] < FEWEST).sum())
    rows = "One row" if few == 1 else f"{few:,} rows"
    note = f"{rows} of fewer than {FEWEST} candidates not told." if few else ()
    return show_table(named, caption="Left out, by programme and reason", notes=note)


def show_limits(one: ActionLists) -> Table | LeftOut:
    """Budgets, sizes and capacities: how much is used, and what more would bring."""
    if one.prices.empty:
        return LeftOut("No budget, size or capacity is set in crm.toml: everybody who is worth it is on a list.")
    table = one.prices.assign(of=one.prices["of"].replace("", "everything"))
    return show_table(
        table,
        caption=f"What limits the lists, and what one more of it would bring ({one.currency})",
        formats={"used": ",.0f", "most": ",.0f", "price": ",.2f"},
    )


def show_measuring(one: ActionLists) -> Table | LeftOut:
    """Can each list show by itself what it is expected to achieve?"""
    lists = [each for each in one.lists if each.measurable is not None and len(each.treated)]
    if not lists:
        return LeftOut(_NOBODY)
    table = pd.DataFrame(
        {
            "list": [each.list_id for each in lists],
            "left_alone": [each.held_out for each in lists],
            "expected_effect": [float(each.treated["expected_gain"].mean()) for each in lists],
            "smallest_that_would_show": [
                each.measurable.smallest_effect if each.measurable else np.nan for each in lists
            ],
            "would_show": ["yes" if each.measurable and each.measurable.seen else "no" for each in lists],
        }
    )
    return show_table(
        table,
        caption=f"What each list can show by itself ({one.currency} of margin per contact)",
        formats={"expected_effect": ",.2f", "smallest_that_would_show": ",.2f"},
        notes="The smallest effect that would show: with a chance of 80 %. Several lists of one programme are read "
        "together by campaign success.",
    )


def show_assumptions(one: ActionLists) -> Table | LeftOut:
    """What each programme takes for granted."""
    rows = [(in_words(each.name), sentence) for each in one.lists for sentence in each.said]
    if not rows:
        return LeftOut(_NOBODY)
    return show_table(pd.DataFrame(rows, columns=["programme", "assumed"]), caption="What is assumed")
