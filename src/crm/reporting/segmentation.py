"""The pictures and tables of the segmentation page."""

from __future__ import annotations

import pandas as pd

from crm.analyses.segmentation import Migration, Segmentation, Segments
from crm.analyses.segmentation.migration import NEW
from crm.analyses.segmentation.money import SMALLEST_JUDGED
from crm.analyses.segmentation.profile import without_window
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_dots, draw_heatmap, draw_profile, draw_scatter
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST, without_small_groups
from crm.reporting.style import segment_colours
from crm.reporting.tables import Table, show_table

_KINDS = {"rfm": "by RFM", "clusters": "by behaviour"}


def show_actions(segments: Segments) -> Table | LeftOut:
    """What each segment is, how many are in it, and what to do."""
    if why := segments.unsaid.get("segments"):
        return LeftOut(why)
    return show_table(segments.actions, caption=f"Segments {_KINDS[segments.kind]}: what they are, and what to do")


def draw_rfm_grid(segmentation: Segmentation) -> Chart:
    """Where customers stand: recency against how often and for how much they buy."""
    grid = segmentation.rfm_grid.sort_values(["recency", "value"], ascending=[False, True])
    best = int(grid.loc[(grid["recency"] == 5) & (grid["value"] == 5), "customers"].sum())
    who = "Nobody is" if not best else f"{best:,} customers are" if best >= FEWEST else f"Fewer than {FEWEST} are"
    return draw_heatmap(
        grid,
        rows="recency",
        columns="value",
        value="customers",
        unit="customers",
        title=f"{who} in the best fifth of both recency and value",
        note="5 is the best fifth. Value: the mean of the scores for purchase days and net sales.",
    )


def draw_shares(segmentation: Segmentation, segments: Segments) -> Chart | LeftOut:
    """Each segment's share of customers, of net sales and of margin."""
    if why := segments.unsaid.get("segments"):
        return LeftOut(why)
    note = f"Last 365 days. {_assumed(segmentation)}"
    table, note = without_small_groups(segments.shares[segments.shares["customers"] > 0], note)
    if table.empty:
        return LeftOut(f"Shares of segments are left out: each has fewer than {FEWEST} customers.")
    top = table.nlargest(1, "share_of_net_sales").to_dict("records")[0]
    customers, net_sales = top["share_of_customers"], top["share_of_net_sales"]
    brings = f"{net_sales:.0%} of net sales" if net_sales > 0 else "nobody paid for anything"
    return draw_dots(
        segments.shares_compared[segments.shares_compared["segment"].isin(table["segment"])],
        label="segment",
        value="share",
        colour_by="of",
        unit="share",
        title=f"{top['segment']}: {customers:.0%} of customers, {brings}",
        note=note,
    )


def show_shares(segmentation: Segmentation, segments: Segments) -> Table | LeftOut:
    """The same in numbers."""
    if why := segments.unsaid.get("segments"):
        return LeftOut(why)
    share = dict.fromkeys(["share_of_customers", "share_of_net_sales", "share_of_margin"], ".1%")
    money = dict.fromkeys(["net_sales", "margin", "net_sales_per_customer", "margin_per_customer"], ",.0f")
    return show_table(
        segments.shares,
        caption=f"What each segment {_KINDS[segments.kind]} brings (last 365 days, {segmentation.currency})",
        formats=share | money,
        notes=_assumed(segmentation),
    )


def draw_choice_of_k(segmentation: Segmentation) -> Chart | LeftOut:
    """How well k segments stand apart, and how stable they are."""
    if why := segmentation.unsaid.get("choice_of_k"):
        return LeftOut(why)
    choice = segmentation.choice_of_k
    names = {
        "silhouette": "Silhouette",
        "silhouette_by_chance": "Silhouette by chance",
        "stability": "Stability",
    }
    table = choice.rename(columns=names).melt(
        id_vars="k", value_vars=list(names.values()), var_name="measure", value_name="value"
    )
    chosen = choice.loc[choice["chosen"], "k"].tolist()
    return draw_scatter(
        table,
        x="k",
        y="value",
        colour_by="measure",
        join="by_colour",
        mark=chosen[0] if chosen else None,
        unit="index",
        x_unit="segments",
        title=f"{chosen[0]} segments were chosen" if chosen else "No number of segments stands out",
        note="Stability: agreement (adjusted Rand index) with refits on a part of the customers; 0 is chance. "
        "Silhouette by chance: of data in which each trait is shuffled by itself.",
    )


def show_choice_of_k(segmentation: Segmentation) -> Table | LeftOut:
    """The same in numbers, with intervals."""
    if why := segmentation.unsaid.get("choice_of_k"):
        return LeftOut(why)
    choice = segmentation.choice_of_k.assign(chosen=segmentation.choice_of_k["chosen"].map({True: "yes", False: ""}))
    formats = {
        name: ".3f" if name.startswith("silhouette") else ".2f"
        for name in choice.columns
        if name.startswith(("silhouette", "stability"))
    }
    return show_table(choice.drop(columns="inertia"), caption="How many segments?", formats=formats)


def draw_what_sets_apart(segments: Segments) -> Chart | LeftOut:
    """What marks each segment most, with the average customer at 100."""
    if why := segments.unsaid.get("apart"):
        return LeftOut(why)
    table = segments.standing_out.assign(feature=_in_words(segments.standing_out["feature"]))
    return draw_profile(
        table,
        group="segment",
        feature="feature",
        index="index",
        title=f"What sets the segments {_KINDS[segments.kind]} apart",
        colours=segment_colours(segments.order),
        note="The average customer has 100. What a segment is named for comes first, then what marks it most.",
    )


def draw_departments(segments: Segments, *, most: int = 10) -> Chart | LeftOut:
    """On what each segment spends more, or less, than all customers do."""
    if segments.departments is None or "department" in segments.unsaid:
        return LeftOut(segments.unsaid["department"])
    largest = segments.departments.groupby("department")["average_share"].first().nlargest(most).index
    table = segments.departments[segments.departments["department"].isin(largest)]
    order = {name: place for place, name in enumerate(largest)}
    table = table.sort_values("department", key=lambda names: names.map(order), kind="stable")
    table = table.sort_values("segment", key=lambda names: names.map(list(segments.order).index), kind="stable")
    return draw_heatmap(
        table,
        rows="segment",
        columns="department",
        value="index",
        unit="index",
        centre=100,
        title="What each segment spends on, against everybody's spending",
        note="100: the share that the department has of all spending. The largest departments.",
    )


def draw_channels(segments: Segments) -> Chart | LeftOut:
    """Where each segment orders more, or less, than all customers do."""
    if segments.channels is None or "channel" in segments.unsaid:
        return LeftOut(segments.unsaid["channel"])
    return draw_heatmap(
        segments.channels,
        rows="segment",
        columns="channel",
        value="share",
        unit="share",
        title="Where each segment orders",
        note="Share of the segment's orders in the last 365 days.",
    )


def show_best_customers(segmentation: Segmentation) -> Table | LeftOut:
    """How few customers bring half, and four fifths, of the margin."""
    if why := segmentation.unsaid.get("best"):
        return LeftOut(why)
    shares = dict.fromkeys(["part_of_margin", "share_of_customers", "share_of_margin"], ".0%")
    return show_table(
        segmentation.best_table,
        caption=f"The strategically significant customers ({segmentation.currency}, last 365 days)",
        formats=shares | {"margin": ",.0f", "margin_per_customer": ",.0f", "times_average": ".1f"},
        notes=_assumed(segmentation),
    )


def draw_best_profile(segmentation: Segmentation) -> Chart | LeftOut:
    """What sets those apart who bring half of the margin."""
    if why := segmentation.unsaid.get("best_differ"):
        return LeftOut(why)
    table = segmentation.best_profile
    table = table.assign(feature=_in_words(table["feature"]), segment="Those who bring half of the margin")
    return draw_profile(
        table,
        group="segment",
        feature="feature",
        index="index",
        title="What sets those apart who bring half of the margin",
        note="The average customer has 100.",
    )


def show_best_segments(segmentation: Segmentation) -> Table | LeftOut:
    """In which segments they are found."""
    if why := segmentation.unsaid.get("best"):
        return LeftOut(why)
    table = segmentation.best_segments.assign(kind=segmentation.best_segments["kind"].map(_KINDS))
    return show_table(
        table,
        caption="Where they are found",
        formats={"share_best": ".0%"},
        most_rows=30,
        customers=["customers", "best"],
    )


def show_costs(segmentation: Segmentation, segments: Segments) -> Table | LeftOut:
    """Discounts and returns against margin, segment by segment."""
    if why := segments.unsaid.get("costs"):
        return LeftOut(why)
    returned = ["return_rate"] if "returns" in segmentation.tables else []
    columns = ["segment", "net_sales", "discount_rate", *returned, "net_margin", "net_margin_rate",
               "customers_who_cost", "verdict"]  # fmt: skip
    rates = dict.fromkeys(["discount_rate", *returned, "net_margin_rate"], ".1%")
    large, few = without_small_groups(segments.costs)
    return show_table(
        large[columns],
        caption=f"What segments {_KINDS[segments.kind]} cost ({segmentation.currency}, last 365 days)",
        formats=rates | {"net_sales": ",.0f", "net_margin": ",.0f"},
        counts=["customers_who_cost"],
        notes="Net margin: after discounts and returns; goods cost the same whatever is paid for them. A segment of "
        f"less than {SMALLEST_JUDGED:.0%} of the customers is not called the one with the least margin. "
        f"{few.replace('drawn', 'shown')}",
    )


def draw_migration(segments: Segments) -> Chart | LeftOut:
    """Customers who moved between segments since the previous as-of date."""
    if segments.migration is None or "migration" in segments.unsaid:
        return LeftOut(segments.unsaid["migration"])
    moved = segments.migration
    return draw_heatmap(
        _every_pair(moved),
        rows="from_segment",
        columns="to_segment",
        value="customers",
        unit="customers",
        title=f"{moved.stayed / moved.customers:.0%} of customers are where they were on {moved.previous}",
        note=f"From (rows, {moved.previous}) to (columns, {moved.as_of}).",
    )


def draw_money_moved(segmentation: Segmentation, segments: Segments) -> Chart | LeftOut:
    """What those who moved, or stayed, spend more or less than before."""
    if segments.migration is None or "moved" in segments.unsaid:
        return LeftOut(segments.unsaid["moved"])
    moved = segments.migration
    change = float(moved.flows["change"].sum())
    return draw_heatmap(
        _every_pair(moved),
        rows="from_segment",
        columns="to_segment",
        value="change",
        unit=segmentation.currency,
        centre=0,
        title=f"Net sales changed by {change:+,.0f} {segmentation.currency} between the two quarters",
        note="Net sales of the 91 days before each date, later less earlier, of the customers in each cell.",
    )


def show_balance(segmentation: Segmentation, segments: Segments) -> Table | LeftOut:
    """What each segment gained and lost."""
    if segments.migration is None or "migration" in segments.unsaid:
        return LeftOut(segments.unsaid["migration"])
    money = dict.fromkeys(["net_sales_before", "net_sales_now", "net_sales_change"], ",.0f")
    balance = segments.migration.segments
    return show_table(
        balance[balance["customers_before"] + balance["customers_now"] > 0],
        caption=f"Segments {_KINDS[segments.kind]}, {segments.migration.previous} to {segments.migration.as_of} "
        f"(net sales in {segmentation.currency})",
        formats=money | {"net_sales_change": "+,.0f"},
        counts=["came", "new", "left"],
        notes="Net sales of the 91 days before each date; the change is of the customers who were in the segment.",
    )


def _every_pair(moved: Migration) -> pd.DataFrame:
    """The flows with a row for every pair of segments that anybody was or is in, in the segments' order."""
    came_from = [name for name in (*moved.order, NEW) if (moved.flows["from_segment"] == name).any()]
    went_to = [name for name in moved.order if (moved.flows["to_segment"] == name).any()]
    pairs = pd.MultiIndex.from_product([came_from, went_to], names=["from_segment", "to_segment"])
    return moved.flows.set_index(["from_segment", "to_segment"]).reindex(pairs).reset_index()


def _assumed(segmentation: Segmentation) -> str:
    return f"Gross margin of {segmentation.gross_margin:.0%} assumed{segmentation.where_assumed}."


def _in_words(features: pd.Series) -> pd.Series:
    """Names of features without their window: `net_sales_365d` reads net sales."""
    return without_window(features.astype("str")).str.replace("_", " ")
