"""The pictures and tables of the data-quality page."""

from __future__ import annotations

import pandas as pd

from crm.analyses.data_quality import DataQuality
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars
from crm.reporting.left_out import LeftOut
from crm.reporting.tables import Table, show_table


def show_sources(quality: DataQuality) -> Table:
    """Each table as it came: rows, what became of them, its span and the fingerprint of its files."""
    table = quality.tables.assign(
        first=pd.to_datetime(quality.tables["first"]).dt.date,
        last=pd.to_datetime(quality.tables["last"]).dt.date,
        fingerprint=quality.tables["sha256"].str[:12],
    )
    columns = [
        "table",
        "rows",
        "set_aside",
        "became_returns",
        "from_purchases",
        "kept",
        "first",
        "last",
        "fingerprint",
    ]
    return show_table(table[columns], caption="Tables as they came", notes=quality.notes)


def show_set_aside(quality: DataQuality) -> Table | LeftOut:
    """Every reason for which rows were not kept."""
    if why := quality.unsaid.get("set_aside"):
        return LeftOut(why)
    return show_table(
        quality.outcomes,
        caption="Rows that were not kept, by reason",
        formats={"share": ".2%"},
        notes="The rows themselves, as they came, are under data/rejected.",
    )


def show_money(quality: DataQuality) -> Table:
    """The reconciliation of money, to the cent."""
    money = ["came_in", "kept", "became_returns", "set_aside", "difference"]
    return show_table(
        quality.money,
        caption=f"Money that came in and where it is now, in {quality.currency}",
        formats=dict.fromkeys(money, ",.2f"),
        notes="Each column was added up on its own, from the source and from the files written.",
    )


def show_coverage(quality: DataQuality) -> Table:
    """Which canonical tables are there, and what the others would unlock."""
    table = quality.coverage.assign(there=quality.coverage["there"].map({True: "yes", False: "no"}))
    return show_table(table, caption="Tables this project can use, and what each unlocks")


def show_freshness(quality: DataQuality) -> Table:
    """The newest known day of each table."""
    return show_table(
        quality.freshness,
        caption=f"How fresh the data are, as of {quality.as_of}",
        notes="Silent days: full days between the newest known row and the as-of date.",
    )


def draw_filled(quality: DataQuality) -> Chart | LeftOut:
    """Columns that are not always filled."""
    if why := quality.unsaid.get("filled"):
        return LeftOut(why)
    gaps = quality.filled[(quality.filled["filled"] < 1) & (quality.filled["filled"] > 0)]
    table = gaps.assign(column=gaps["table"] + "." + gaps["column"])[["column", "filled"]]
    absent = int((quality.filled["filled"] == 0).sum())
    return draw_bars(
        table,
        label="column",
        value="filled",
        unit="share",
        title=f"Columns with gaps: {len(table)}; optional ones not delivered at all: {absent}",
        note="Share of kept rows that have a value; columns that are always or never filled are not drawn.",
    )


def show_oddities(quality: DataQuality) -> Table:
    """What the contracts allow and is yet worth a look."""
    return show_table(
        quality.oddities,
        caption="Oddities looked for, and what was done about them",
        notes=quality.unsaid.get("oddities", ()),
    )
