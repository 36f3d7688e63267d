"""What comes next: how many the next experiment needs, whom a contact wins, through which channel, at what price.

What each campaign caused so far is drawn by `campaign_success`. Nothing is told of fewer than five customers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_gain, draw_line
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.style import ACTUAL, FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import heading, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.campaign_success.result import CampaignSuccess


def draw_power(one: CampaignSuccess) -> Chart | LeftOut:
    """How many customers does the next experiment need?"""
    plan = one.plan
    if plan is None or plan.curve.empty:
        return LeftOut(one.unsaid.get("plan", "The next experiment cannot be planned."))
    curve = plan.curve[["audience", "planned_for", "effect", "power", "smallest_effect"]]
    first = plan.audiences.sort_values("effect", ascending=False, kind="stable").iloc[0]
    needed = _least_of(first)
    wanted = np.where(curve["planned_for"] == curve["planned_for"].iloc[0], plan.power, np.nan)  # drawn once
    said = f"takes {needed:,.0f} customers" if np.isfinite(needed) else "cannot be shown by any number of customers"
    return draw_line(
        curve.assign(wanted=wanted).rename(columns={"audience": "customers", "power": "chance_to_show_it"}),
        x="customers",
        y="chance_to_show_it",
        colour_by="planned_for",
        colours=dict(zip(plan.audiences["planned_for"], (FORECAST, ACTUAL), strict=False)),
        comparison="wanted",
        unit="share",
        title=f"To show {quantity(first['effect'], one.currency)} of margin per contact {said}; there are "
        f"{plan.audience_available:,}",
        note=f"With {plan.held_out_share:.0%} held out by lot. Dashed: the chance that is wanted.",
    )


def show_power(one: CampaignSuccess) -> Table | LeftOut:
    """The same in numbers, by the effect that is planned for."""
    plan = one.plan
    if plan is None or plan.audiences.empty:
        return LeftOut(one.unsaid.get("plan", "The next experiment cannot be planned."))
    table = plan.audiences.assign(
        customers_needed=[_least_of(row) for _, row in plan.audiences.iterrows()],
        chance_with_those_there_are=plan.audiences["power_adjusted"].fillna(plan.audiences["power"]),
    )
    table = table.assign(customers_needed=table["customers_needed"].where(np.isfinite(table["customers_needed"])))
    return show_table(
        table[["planned_for", "effect", "customers_needed", "chance_with_those_there_are"]],
        caption=f"The next experiment: margin per contact in {plan.usual.days} days ({one.currency})",
        formats={"effect": ",.2f", "customers_needed": ",.0f", "chance_with_those_there_are": ".0%"},
        notes=plan.said,
    )


def show_hold_out(one: CampaignSuccess) -> Table | LeftOut:
    """What holding out more shows, and what it costs."""
    plan = one.plan
    if plan is None or plan.choices.empty:
        return LeftOut(one.unsaid.get("plan", "The next experiment cannot be planned."))
    costs = [name for name in ("forgone", "forgone_low", "forgone_high") if plan.choices[name].notna().any()]
    priced = f" Forgone: the profit that those left alone would have brought ({one.currency})." if costs else ""
    table = plan.choices.assign(
        of_the_usual=plan.choices["smallest_effect"] / (plan.usual.margin if plan.usual.margin > 0 else np.nan)
    )
    return show_table(
        table[["held_out_share", "held_out", "contacted", "smallest_effect", "of_the_usual", *costs]],
        caption=f"How many of {plan.audience_available:,} customers to leave alone",
        formats={"held_out_share": ".0%", "smallest_effect": ",.2f", "of_the_usual": ".0%",
                 **dict.fromkeys(costs, ",.0f")},
        notes=f"Smallest effect: margin per contact that shows with a chance of {plan.power:.0%}, and as share of "
        f"the usual margin.{priced}",
    )  # fmt: skip


def show_expected_profit(one: CampaignSuccess) -> Table | LeftOut | None:
    """What the next campaign would bring, if it does what earlier ones did; None where none has shown anything."""
    if one.plan is None or one.plan.profit.empty:
        return None
    table = one.plan.profit
    return show_table(
        table,
        caption=f"What contacting everybody but those held out is expected to bring ({one.currency})",
        formats={**dict.fromkeys(table.columns.drop("chance_of_profit"), ",.0f"), "chance_of_profit": ".0%"},
        notes="With 95% interval. That the effect will be the same as in earlier campaigns is an assumption.",
    )


def draw_policy(one: CampaignSuccess) -> Chart | LeftOut:
    """How many should be contacted: expected profit of going down the list of those whom a contact changes most."""
    curve, best = one.targeting.policy.curve, one.targeting.policy.best_share
    if (why := one.unsaid.get("uplift", "")) or curve.empty:
        return LeftOut(why or "No experiment tells how many should be contacted.")
    customers = one.targeting.scores["customer_id"].nunique()
    names = {"profit": "expected_profit"}
    table = curve.assign(
        customers_contacted=(curve["share"] * customers).round(),
        **{name: curve[name] * customers for name in ("profit", "low", "high")},
    ).rename(columns=names)
    at = table.iloc[int((curve["share"] - best).abs().argmin())]
    return draw_gain(
        table[["customers_contacted", "expected_profit", "low", "high", "share"]],
        reached="customers_contacted",
        gain="expected_profit",
        interval=("low", "high"),
        best=float(at["customers_contacted"]) if best > 0 else 0,
        unit=one.currency,
        title=_how_many(one, at),
        note=f"What the experiments showed per customer, laid over {customers:,} active ones; one campaign, after "
        f"its "
        "contacts' cost. Band: 95% interval. The place to stop was picked on the same customers, which flatters it.",
    )


def _how_many(one: CampaignSuccess, at: pd.Series[float]) -> str:
    """The best place to stop in a sentence; at: its row."""
    gain = f"{quantity(at['expected_profit'], one.currency)} ({_range(at, one.currency)}) expected"
    may = "" if at["low"] > 0 else ", which may be a loss"
    if not at["share"] > 0:
        sure = bool(one.targeting.policy.curve["high"].iloc[-1] < 0)
        return f"No contact pays: the more are contacted, the more {'is' if sure else 'may be'} lost"
    if not one.targeting.target:
        return f"Nobody is surely changed more than others; contacting everybody: {gain}{may}"
    whom = "everybody" if at["share"] >= 1 else f"the {at['share']:.0%} whom it changes most"
    return f"Contact {whom}: {gain}{may}"


def show_groups(one: CampaignSuccess) -> Table | LeftOut:
    """Whom a contact wins, whom it leaves as they are, whom it drives away."""
    table = one.targeting.groups
    if (why := one.unsaid.get("uplift", "")) or table.empty:
        return LeftOut(why or _NOBODY_APART)
    table = _without_few(table, "customers")
    told = table.assign(group=[heading(name.replace(" ", "_")) for name in table["group"]]).rename(
        columns={"without": "buys_without", "with_contact": "buys_with", "shown_low": "low", "shown_high": "high"}
    )
    shares = dict.fromkeys(["share", "buys_without", "buys_with"], ".0%")
    return show_table(
        told[["group", "customers", "share", "buys_without", "buys_with", "effect", "shown", "low", "high",
              "margin_added"]],
        caption=f"Whom a contact wins, and whom it drives away ({one.currency})",
        formats={**shares, **dict.fromkeys(["effect", "shown", "low", "high"], "+.1%"), "margin_added": "+,.2f"},
        notes="Effect: expected change in the chance to buy. Shown: what the experiments showed of such customers, "
        "none of whom it was learnt from, with 95% interval. An effect that is expected and not shown is a guess.",
    )  # fmt: skip


_NOBODY_APART = (
    "Experiments show nobody whom a contact surely changes more than others: there is nothing to target on."
)


def draw_channels(one: CampaignSuccess) -> Chart | LeftOut:
    """Through which channel is a contact worth most, for how many?"""
    if why := one.unsaid.get("channels", ""):
        return LeftOut(why)
    assert one.channels is not None
    table = one.channels.channels
    shown = _without_few(table, "best_for")
    if shown.empty:
        return LeftOut("No channel is the best for five customers or more.")
    first = shown.sort_values("worth_it_for", ascending=False, kind="stable").iloc[0]
    title = (
        f"{heading(first['channel'])} is the best channel, and worth its cost, for {first['worth_it_for']:,} "
        f"customers"
        if first["worth_it_for"] >= FEWEST
        else "By what experiments showed, a contact is worth its cost through no channel"
    )
    return draw_bars(
        shown.assign(kind="expected")[["channel", "best_for", "worth_it_for", "kind"]],
        label="channel",
        value="best_for",
        comparison="worth_it_for",
        colour_by="kind",
        colours={"expected": FORECAST},
        unit="customers",
        title=title,
        note=f"Each customer once, of those who may be contacted. Tick: worth its cost. "
        f"{' '.join(one.channels.said)}",
    )


def show_channels(one: CampaignSuccess) -> Table | LeftOut:
    """The same in numbers."""
    if why := one.unsaid.get("channels", ""):
        return LeftOut(why)
    assert one.channels is not None
    return show_table(
        _without_few(one.channels.channels, "allowed").drop(columns="net_value_each"),
        caption=f"Channels ({one.currency})",
        formats={"cost": ",.2f", "net_value": ",.0f"},
        notes="Net value: margin that contacts are expected to add, less their cost, of those worth it. Likeliest "
        "for: through which a customer would answer most likely, which is another thing.",
    )


def draw_promotions(one: CampaignSuccess) -> Chart | LeftOut:
    """Who buys only on promotion, and is it more than chance?"""
    table = one.promotions.by_share
    if (why := one.unsaid.get("promotions", "")) or table.empty or not one.promotions.discount_rate > 0:
        return LeftOut(why or " ".join(one.promotions.tells))
    last = table.iloc[-1]
    told = quantity(last["share_of_discount"], "share")
    few = bool((table["customers"] < FEWEST).any())
    title = (
        f"{last['customers']:,} customers buy nearly only on promotion; they got {told} of the discount"
        if last["customers"] >= FEWEST
        else "Hardly anybody buys only on promotion"
    )
    return draw_bars(
        _without_few(table, "customers")[["band", "customers", "by_chance", "share_of_customers"]],
        label="band",
        value="customers",
        comparison="by_chance",
        order="as_given",
        unit="customers",
        title=title,
        note="By the share of their net sales of a year bought on promotion. Tick: if days on promotion fell to "
        f"anybody alike.{_not_judged(one)}{_FEW * few}",
    )


def show_promotions(one: CampaignSuccess) -> Table | LeftOut:
    """The same with what it costs."""
    return _promoted(one, one.promotions.by_share, "By the share of net sales bought on promotion")


def show_promotions_usual(one: CampaignSuccess) -> Table | LeftOut:
    """By the discount against the usual one of the same products."""
    table = one.promotions.by_usual.drop(columns="by_chance")
    return _promoted(one, table, "By the discount they got, against the usual one of the same products")


_FEW = " Rows of fewer than five customers are not shown."


def _not_judged(one: CampaignSuccess) -> str:
    """How many customers of these days are in no row, and why."""
    count, judged = one.promotions.too_few_days, len(one.promotions.customers)
    if not count:
        return ""
    said = f"{count:,} of {judged + count:,} customers" if count >= FEWEST else f"fewer than {FEWEST} customers"
    return f" Left out: {said}, with purchases on fewer than {one.promotions.fewest_days} days or no net sales."


def _promoted(one: CampaignSuccess, table: pd.DataFrame, caption: str) -> Table | LeftOut:
    if (why := one.unsaid.get("promotions", "")) or table.empty or not one.promotions.discount_rate > 0:
        return LeftOut(why or " ".join(one.promotions.tells))
    columns = ["band", "customers", "by_chance", "net_sales", "margin_rate", "discount", "share_of_discount",
               "discount_rate", "above_usual"]  # fmt: skip
    shown = _without_few(table, "customers")
    shown = shown[[name for name in columns if name in shown]]
    formats = {"by_chance": ",.0f", "net_sales": ",.0f", "margin_rate": ".1%", "discount": ",.0f",
               "share_of_discount": ".1%", "discount_rate": ".1%", "above_usual": "+,.0f"}  # fmt: skip
    few = _FEW * bool((table["customers"] < FEWEST).any())
    return show_table(
        shown.reset_index(drop=True),
        caption=f"{caption} ({one.currency}, one year)",
        formats={name: spec for name, spec in formats.items() if name in shown},
        notes=f"Above usual: discount beyond what the same products usually get. "
        f"{' '.join(one.promotions.tells)}{_not_judged(one)}{few}",
    )


def _least_of(row: pd.Series[float]) -> float:
    """Customers needed, by the narrower of both ways to read it."""
    adjusted = float(row["smallest_audience_adjusted"])
    return adjusted if not np.isnan(adjusted) else float(row["smallest_audience"])


def _without_few(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table[table[column] >= FEWEST].reset_index(drop=True)


def _range(row: pd.Series[float], currency: str) -> str:
    return f"{quantity(row['low'])} to {quantity(row['high'], currency)}"
