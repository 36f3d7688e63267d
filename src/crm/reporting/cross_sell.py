"""The pictures and tables of the cross-sell page: what to offer to how many, whom to write to, what goes with what.

What is expected is drawn in the colour of forecasts. How far to trust it is drawn by `cross_sell_trust`. No customer
is named, and nothing is told of fewer than five.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.finding import Findings
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_heatmap
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.style import COMPARISON, FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import clean, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.cross_sell import CrossSell

ANSWERS = ("not_possible", "expected", "best_offer", "gain", "rule_ships", "together", "season")
WRITTEN_TO = (50, 100, 250, 500, 1000)
"""How many customers a letter about an item may go to."""

MOST = 12
_SIDE = 12
_EXAMPLES, _ASKED = 3, 40
_SURE = 50
"""Customers of whom a reason that is shown counts at least."""

_NOBODY = "Nothing is offered to five customers or more."
_EXPECTED, _LATELY = "expected", "perhaps out of season"


def the_answer(one: CrossSell) -> Findings:
    """What a reader is told first."""
    return one.findings.pick(*ANSWERS)


def draw_offers(one: CrossSell) -> Chart | LeftOut:
    """Which item is the best offer for how many customers?"""
    table = _offers(one)
    if isinstance(table, LeftOut):
        return table
    first = table.iloc[0]
    return draw_bars(
        table[["item", "customers", "likeliest_for", "expected_buyers", "expected_margin", "kind"]],
        label="item",
        value="customers",
        comparison="likeliest_for",
        colour_by="kind",
        colours={_EXPECTED: FORECAST, _LATELY: COMPARISON},
        most=MOST,
        unit="customers",
        title=f"“{clean(first['item'])}” is the offer worth most for {first['customers']:,} of {len(one.offers):,} "
        "customers",
        note="Each customer once, under the new item of the highest expected margin. Tick: for how many it is the "
        "likeliest.",
    )


def show_offers(one: CrossSell) -> Table | LeftOut:
    """The same in numbers: what they are expected to bring."""
    table = _offers(one)
    if isinstance(table, LeftOut):
        return table
    left = one.offers["item"].nunique() - len(table)
    few = f" {left:,} more items are the best offer for fewer than five customers each." if left else ""
    return show_table(
        table[["item", "customers", "mean_chance", "expected_buyers", "expected_margin"]].head(MOST),
        caption=f"The offer worth most, by item ({one.currency}, {one.horizon_days} days)",
        formats={
            "mean_chance": ".1%",
            "expected_buyers": ",.1f",
            "expected_margin": _money(table["expected_margin"]),
        },
        notes=f"Expected margin: chance × margin rate × what a purchase of the item brings.{few}",
    )


def draw_writing(one: CrossSell) -> Chart | LeftOut:
    """If as many of the likeliest are written to: how many buyers can be expected of each item?"""
    table = _reach(one)
    if isinstance(table, LeftOut):
        return table
    letters = 100 if (table["written_to"] == 100).any() else WRITTEN_TO[0]
    shown = table[table["written_to"] == letters].sort_values("expected_buyers", ascending=False, kind="stable")
    items = one.scored.items.set_index("item").loc[shown["item"]]
    at_random = letters * (items["expected_buyers"] / items["customers"]).to_numpy()
    first = shown.iloc[0]
    return draw_bars(
        shown.assign(at_random=at_random, kind=_EXPECTED)[
            ["item", "written_to", "expected_buyers", "at_random", "kind"]
        ],
        label="item",
        value="expected_buyers",
        comparison="at_random",
        colour_by="kind",
        colours={_EXPECTED: FORECAST},
        unit="",
        title=f"“{clean(first['item'])}”: of the {letters:,} likeliest {first['expected_buyers']:.0f} are expected "
        "to buy it",
        note=f"The {len(shown)} items with most expected buyers. Tick: of {letters:,} picked at random among those "
        "to whom the item is new. The lists themselves: for_item(...).",
    )


def show_writing(one: CrossSell) -> Table | LeftOut:
    """Whom to write to, for the items with most expected buyers: how many, and how many of them will buy."""
    table = _reach(one)
    if isinstance(table, LeftOut):
        return table
    wide = table.pivot(index="item", columns="written_to", values="expected_buyers")
    wide.columns = [f"of the first {count:,}" for count in wide.columns]
    items = one.scored.items.set_index("item")
    order = table["item"].drop_duplicates()
    told = wide.reindex(order).assign(
        new_to=items["customers"].reindex(order), of_all=items["expected_buyers"].reindex(order)
    )
    columns = ["new_to", *wide.columns, "of_all"]
    return show_table(
        told[columns].rename(columns={"of_all": "of all"}).rename_axis("item").reset_index(),
        caption=f"Expected buyers within {one.horizon_days} days, the likeliest written to first",
        formats=dict.fromkeys([*wide.columns, "of all"], ",.1f"),
        notes="New to: active customers who never bought the item. Buyers are expected as they buy by themselves: "
        "what a letter adds is not known before an experiment.",
    )


def show_difference(one: CrossSell) -> Table | LeftOut:
    """The likeliest offers beside those worth most."""
    if one.offers.empty:
        return LeftOut(one.unsaid.get("scores", _NOBODY))
    offers = one.offers
    rows = [
        ("The likeliest item", *_summed(offers, "likeliest_probability", "likeliest_margin")),
        ("The item worth most", *_summed(offers, "probability", "expected_margin")),
    ]
    table = pd.DataFrame(rows, columns=["offered", "expected_margin", "expected_buyers", "mean_chance"])
    return show_table(
        table,
        caption=f"One offer to each of {len(offers):,} customers ({one.currency}, {one.horizon_days} days)",
        formats={
            "mean_chance": ".1%",
            "expected_buyers": ",.1f",
            "expected_margin": _money(table["expected_margin"]),
        },
        notes=f"The difference is worth {offers['more_margin'].sum():,.0f} {one.currency}: fewer buy, and each "
        "purchase brings more.",
    )


def draw_up_sell(one: CrossSell) -> Chart | LeftOut:
    """In which categories is there most to gain if customers move to the dearer line?"""
    table = _lines(one)
    if isinstance(table, LeftOut):
        return table
    first = table.iloc[0]
    margin = quantity(first["expected_extra_margin"], one.currency)
    return draw_bars(
        table.assign(kind=_EXPECTED),
        label="category",
        value="expected_extra_margin",
        colour_by="kind",
        colours={_EXPECTED: FORECAST},
        most=MOST,
        unit=one.currency,
        title=f"“{clean(first['category'])}” has most to gain: {margin} from those who move to the dearer line",
        note="The chance to move, times the dearer units that movers bought before, each instead of a lower one. A "
        "dearer unit may be a larger pack.",
    )


def show_up_sell(one: CrossSell) -> Table | LeftOut:
    """The same in numbers, with the prices of the lines."""
    table = _lines(one)
    if isinstance(table, LeftOut):
        return table
    columns = ["category", "lower_price", "dearer_price", "customers", "expected_movers", "expected_extra_margin"]
    judged = "" if one.up.judged else "; the history is too short, or too few moved, to judge them on another date"
    return show_table(
        table[columns].head(MOST),
        caption=f"Customers of the lower-priced line, and who of them may buy the dearer one ({one.currency})",
        formats={"lower_price": ",.2f", "dearer_price": ",.2f", "expected_movers": ",.1f",
                 "expected_extra_margin": _money(table["expected_extra_margin"])},
        notes=f"Lines: thirds of a category's units by price. Chances and units were learnt from what came after "
        f"{one.up.learnt}{judged}.",
    )  # fmt: skip


def draw_elsewhere(one: CrossSell) -> Chart | LeftOut:
    """More of the same: what do customers who buy here seem to buy elsewhere?"""
    table = _elsewhere(one)
    if isinstance(table, LeftOut):
        return table
    first = table.iloc[0]
    amount = quantity(first["net_sales_elsewhere"], one.currency)
    return draw_bars(
        table.assign(kind="estimate"),
        label="item",
        value="net_sales_elsewhere",
        comparison="net_sales",
        colour_by="kind",
        colours={"estimate": FORECAST},
        most=MOST,
        unit=one.currency,
        title=f"An estimate: about {amount} of “{clean(first['item'])}” is bought elsewhere",
        note="By comparison: what the middle one of customers who spend as much in all spends on the item, less what "
        "the customer spends. Tick: what these customers bought here. Nobody sees what is bought elsewhere.",
    )


def show_elsewhere(one: CrossSell) -> Table | LeftOut:
    """The same in numbers."""
    table = _elsewhere(one)
    if isinstance(table, LeftOut):
        return table
    return show_table(
        table[["item", "customers", "net_sales", "net_sales_elsewhere", "share_elsewhere"]].head(MOST),
        caption=f"More of the same: estimates over the whole history ({one.currency})",
        formats={"net_sales": ",.0f", "net_sales_elsewhere": ",.0f", "share_elsewhere": ".0%"},
        notes="Active customers who spend at least a quarter less on the item than the middle one of their like; of "
        "each the ten items count of which most is missing. Needs differ: it holds for many rather than for one.",
    )


def draw_together(one: CrossSell) -> Chart | LeftOut:
    """What goes with what: how many times as often as by chance."""
    if why := one.unsaid.get("together", ""):
        return LeftOut(why)
    assert one.together is not None
    lifts, first = one.together.heatmap, one.together.pairs.iloc[0]
    names = list(lifts.index)[:_SIDE]
    cells = [(clean(row), clean(column), lifts.loc[row, column]) for column, row in itertools.combinations(names, 2)]
    table = pd.DataFrame(cells, columns=["item", "goes_with", "times_as_often"])
    filled = table[table["times_as_often"].notna()]
    table = table[table["item"].isin(filled["item"]) & table["goes_with"].isin(filled["goes_with"])]
    return draw_heatmap(
        table,
        rows="item",
        columns="goes_with",
        value="times_as_often",
        unit="times",
        title=f"Customers buy “{clean(first['item'])}” and “{clean(first['goes_with'])}” {first['lift']:.1f} times "
        "as often as by chance",
        note="Over what the breadth of customers and the popularity of items would give. Empty: no evidence beyond "
        "chance. Each pair once.",
    )


def show_together(one: CrossSell) -> Table | LeftOut:
    """The strongest pairs with their evidence."""
    if why := one.unsaid.get("together", ""):
        return LeftOut(why)
    assert one.together is not None
    pairs = one.together.pairs.head(MOST)
    columns = {"item": "who_buys", "goes_with": "buys_also", "customers": "customers", "together": "buy_both",
               "expected": "by_chance", "lift": "times_as_often", "share": "share"}  # fmt: skip
    return show_table(
        pairs[list(columns)].rename(columns=columns),
        caption="The strongest pairs, with their evidence",
        formats={"by_chance": ",.0f", "times_as_often": ".1f", "share": ".0%"},
        notes=f"{one.together.found:,} of {one.together.tested:,} pairs are beyond chance, at most a twentieth of "
        f"them wrongly; asked were {one.together.customers:,} customers.",
    )


def show_by_segment(one: CrossSell) -> Table | LeftOut:
    """Which items stand among the first three most often, segment by segment."""
    if why := one.unsaid.get("by_segment", ""):
        return LeftOut(why)
    table = one.by_segment[one.by_segment["customers"] >= FEWEST]
    if table.empty:
        return LeftOut(_NOBODY)
    return show_table(
        table[["segment", "rank", "item", "customers", "share"]].reset_index(drop=True),
        caption="By segment: the items that stand among the first three most often",
        formats={"share": ".0%", "rank": "d"},
        notes="Share: of the segment's customers to whom something is offered.",
    )


def show_examples(one: CrossSell) -> Table | LeftOut:
    """Three reasons as they can be told to a customer; nobody is named."""
    if one.seen is None:
        return LeftOut(one.unsaid["scores"])
    top = one.scored.top
    told = top[(top["rank"] <= _EXAMPLES) & top["because"].fillna("").ne("")]
    told = told.sort_values(["because_share", "customer_id", "item"], ascending=[False, True, True])
    told = told.drop_duplicates("item").drop_duplicates("because").drop_duplicates("customer_id").head(_ASKED)
    reasons = [reason for reason in one.reasons(told) if reason.signs and reason.such >= _SURE]
    if not reasons:
        return LeftOut("No item of a customer is a sign of another one: what is popular is offered.")
    reasons = sorted(reasons, key=lambda reason: -int(np.isfinite(reason.every).sum()))  # bought again says more
    rows = [(clean(reason.item), f"{clean(reason.sentence)}.") for reason in reasons[:_EXAMPLES]]
    return show_table(
        pd.DataFrame(rows, columns=["offered", "because_the_customer"]),
        caption="How reasons read",
        notes="One offer of one customer each. The model weighs more than one sign: a reason is the strongest of "
        "what the customer buys, counted over all who buy the same.",
    )


def show_grouped(one: CrossSell) -> Table | LeftOut | None:
    """Items that are not offered on their own; nothing where all are."""
    if one.grouped.empty:
        return None
    table = one.grouped[one.grouped["customers"] >= FEWEST]
    if table.empty:
        return None
    return show_table(
        table[["group", "why", "items", "net_sales"]]
        .sort_values("net_sales", ascending=False)
        .reset_index(drop=True),
        caption=f"Not offered on their own ({one.currency})",
        formats={"net_sales": ",.0f"},
        most_rows=MOST,
        notes="Groups whose items fewer than five customers buy are not shown."
        if len(table) < len(one.grouped)
        else "",
    )


def _offers(one: CrossSell) -> pd.DataFrame | LeftOut:
    """One row per item that is the best offer for five customers or more, the commonest first."""
    from crm.analyses.cross_sell.findings import bought_lately

    if one.offers.empty:
        return LeftOut(one.unsaid.get("scores", _NOBODY))
    grouped = one.offers.groupby("item")
    table = grouped.agg(
        customers=("customer_id", "size"),
        mean_chance=("probability", "mean"),
        expected_buyers=("probability", "sum"),
        expected_margin=("expected_margin", "sum"),
    ).reset_index()
    likeliest = one.offers["likeliest"].value_counts()
    table["likeliest_for"] = table["item"].map(likeliest).fillna(0).astype("int64")
    table["likeliest_for"] = table["likeliest_for"].where(table["likeliest_for"] >= FEWEST)
    table["kind"] = np.where(table["item"].isin(bought_lately(one)["item"]), _LATELY, _EXPECTED)
    table = table[table["customers"] >= FEWEST]
    if table.empty:
        return LeftOut(_NOBODY)
    return table.sort_values(["customers", "item"], ascending=[False, True], ignore_index=True)


def _reach(one: CrossSell) -> pd.DataFrame | LeftOut:
    """Cumulative expected buyers of the items with most of them: item, written_to, expected_buyers.

    Without what may be of a season that is over.
    """
    from crm.analyses.cross_sell.findings import bought_lately

    if one.scored.lists.empty:
        return LeftOut(one.unsaid.get("scores", _NOBODY))
    items = one.scored.items.sort_values(["expected_buyers", "item"], ascending=[False, True])
    items = items[~items["item"].isin(bought_lately(one)["item"])]
    most = items[items["customers"] >= WRITTEN_TO[0]].head(MOST)["item"]
    lists = one.scored.lists[one.scored.lists["item"].isin(most)]
    at = lists[lists["rank"].isin(WRITTEN_TO)]
    if at.empty:
        return LeftOut(f"No item is new to {WRITTEN_TO[0]} customers or more.")
    places = {name: place for place, name in enumerate(most)}
    table = at.assign(place=at["item"].map(places)).sort_values(["place", "rank"], ignore_index=True)
    return table.rename(columns={"rank": "written_to"})[["item", "written_to", "expected_buyers"]]


def _lines(one: CrossSell) -> pd.DataFrame | LeftOut:
    if why := one.unsaid.get("up_sell", ""):
        return LeftOut(why)
    table = one.up.categories[one.up.categories["customers"] >= FEWEST]
    return table.reset_index(drop=True) if len(table) else LeftOut(_NOBODY)


def _elsewhere(one: CrossSell) -> pd.DataFrame | LeftOut:
    if why := one.unsaid.get("elsewhere", ""):
        return LeftOut(why)
    grouped = one.elsewhere.groupby("item")
    table = grouped.agg(
        customers=("customer_id", "size"), net_sales=("net_sales", "sum"),
        net_sales_elsewhere=("net_sales_elsewhere", "sum"), similar=("similar_spend", "sum"),
    ).reset_index()  # fmt: skip
    table["share_elsewhere"] = table["net_sales_elsewhere"] / table["similar"]
    table = table[table["customers"] >= FEWEST].drop(columns="similar")
    if table.empty:
        return LeftOut(_NOBODY)
    return table.sort_values(["net_sales_elsewhere", "item"], ascending=[False, True], ignore_index=True)


def _summed(offers: pd.DataFrame, chance: str, margin: str) -> tuple[float, float, float]:
    return float(offers[margin].sum()), float(offers[chance].sum()), float(offers[chance].mean())


def _money(amounts: pd.Series[float]) -> str:
    """How amounts of this size are written."""
    return ",.0f" if amounts.abs().max() >= 100 else ",.2f"
