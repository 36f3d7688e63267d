"""The pictures and tables of the customer-base page."""

from __future__ import annotations

import pandas as pd

from crm.analyses.customer_base import SOLD_WITHIN, CustomerBase, Dimension
from crm.mart import UNKNOWN
from crm.periods import last_full_month, month_start
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_concentration, draw_heatmap, draw_line, draw_stacked_bars
from crm.reporting.left_out import LeftOut
from crm.reporting.tables import Table, show_table

_MOVES = {"new": "New", "won_back": "Won back", "lapsed": "Lapsed"}
_RETENTION = "Who of those who joined bought again, month by month"

_SMALL_MONEY = 10
"""Amounts below this are told with their cents."""

_FEW = 100
"""Of fewer buyers, counts say more than per cents of them: a hundredth of twenty is nobody."""

_MARKED, _MARKED_OF_FEW = (0.01, 0.10, 0.20, 0.50), (0.10, 0.20, 0.50)
"""Shares of customers at which the curve of concentration is labelled."""


def draw_sales_by_month(base: CustomerBase) -> Chart | LeftOut:
    """Net sales of every full month."""
    if why := base.unsaid.get("months"):
        return LeftOut(why)
    months = base.months[base.months["complete"]]
    table = months.assign(month=pd.PeriodIndex(months["starts_at"].astype("str"), freq="M"))
    best = table.nlargest(1, "net_sales")["starts_at"].iloc[0]
    title = f"{best:%B %Y} was the strongest month"
    return draw_line(table, x="month", y="net_sales", title=title, unit=base.currency, note="Full months only.")


def show_months(base: CustomerBase) -> Table:
    """Sales, orders, units and customers served, by month."""
    table = base.months.assign(
        month=[f"{start:%Y-%m}" for start in base.months["starts_at"]],
        complete=base.months["complete"].map({True: "yes", False: "no"}),
        per_day=base.months["net_sales"] / base.months["days"],
    )
    columns = ["month", "net_sales", "per_day", "orders", "units", "customers", "days", "complete"]
    return show_table(
        _there(table, columns),
        caption=f"What happened, month by month (money in {base.currency})",
        formats=_formats(table, {"net_sales": ",.0f", "per_day": _money(table["per_day"]), "units": ",.0f"}),
        notes=base.unsaid.get("units", ()),
        most_rows=36,
    )


def show_comparison(base: CustomerBase) -> Table | LeftOut:
    """The last full month against its yardsticks; those that are not there are left out and said."""
    if why := base.unsaid.get("comparison"):
        return LeftOut(why)
    yardsticks = {"before": "the month before", "year_before": "the same month a year before", "plan": "plan"}
    there = [name for name in yardsticks if base.comparison[name].notna().any()]
    absent = [words for name, words in yardsticks.items() if name not in there]
    columns = ["metric", "actual", *(column for name in there for column in (name, f"{name}_change"))]
    words = {"net_sales": f"Net sales ({base.currency})", "customers": "Customers served"}
    metrics = [words.get(metric, metric.capitalize()) for metric in base.comparison["metric"]]
    headings = {name: yardsticks[name] for name in there}
    headings |= {f"{name}_change": f"against {yardsticks[name]}" for name in there}
    table = base.comparison[columns].assign(metric=metrics).rename(columns=headings)
    formats = {"actual": ",.0f", **{yardsticks[name]: ",.0f" for name in there}}
    formats |= {f"against {yardsticks[name]}": "+.1%" for name in there}
    notes = f"Not in the data: {', '.join(absent)}." if absent else ()
    month = f"{month_start(last_full_month(base.as_of)):%B %Y}"
    caption = f"{month} against its yardsticks" if there else f"{month}, the last full month"
    return show_table(table, caption=caption, formats=formats, notes=notes)


def draw_movement(base: CustomerBase) -> Chart | LeftOut:
    """Customers who came and who went, month by month, from where the history tells who is active."""
    if why := base.unsaid.get("movement"):
        return LeftOut(why)
    moves = base.movement[base.movement["settled"]]
    moves = moves[moves["month"].isin(base.months.loc[base.months["complete"], "month"])]
    wide = moves.assign(lapsed=-moves["lapsed"]).rename(columns=_MOVES)
    table = wide.melt(id_vars="starts_at", value_vars=list(_MOVES.values()), var_name="event", value_name="customers")
    table["month"] = pd.PeriodIndex(table["starts_at"].astype("str"), freq="M")
    gained = int((moves["active_at_end"] - moves["active_at_start"]).sum())
    months = "one month" if len(moves) == 1 else f"{len(moves)} months"
    return draw_stacked_bars(
        table,
        x="month",
        value="customers",
        colour_by="event",
        unit="customers",
        title=f"Active customers moved by {gained:+,} over {months}",
        note=f"Active: bought within {base.active_within_days} days. Earlier months, where all look new: left out.",
    )


def show_movement(base: CustomerBase) -> Table:
    """The same, with the balance: start + new + won back - lapsed = end."""
    table = base.movement.assign(month=[f"{start:%Y-%m}" for start in base.movement["starts_at"]])
    columns = ["month", "active_at_start", "new", "won_back", "lapsed", "active_at_end", "served", "returning"]
    return show_table(
        table[columns], caption="Customers who came and who went", most_rows=36, customers=(), counts=columns[1:]
    )


def draw_retention(base: CustomerBase, *, most_cohorts: int = 13) -> Chart | LeftOut:
    """Share of each joining cohort that bought, by months since joining; the newest cohorts."""
    if why := base.unsaid.get("retention"):
        return LeftOut(why)
    cohorts = sorted(base.retention["cohort"].unique())[-most_cohorts:]
    table = base.retention[base.retention["cohort"].isin(cohorts) & (base.retention["months_since"] > 0)]
    table = table.assign(
        joined=[
            f"{start:%Y-%m} ({size:,})"
            for start, size in zip(table["cohort_starts_at"], table["customers"], strict=True)
        ]
    )
    third = table[(table["months_since"] == 3) & ~table["before_history"]]
    kept = third["bought"].sum() / third["customers"].sum() if third["customers"].sum() else None
    title = f"{kept:.0%} of those who joined bought in the third month after" if kept is not None else _RETENTION
    return draw_heatmap(
        table,
        rows="joined",
        columns="months_since",
        value="retained",
        unit="share",
        title=title,
        note="By month of the first purchase (customers); the earliest may have bought before the data begin.",
    )


def draw_best_customers(base: CustomerBase) -> Chart | LeftOut:
    """The curve of concentration of the last year's net sales."""
    if why := base.unsaid.get("concentration"):
        return LeftOut(why)
    tenth = base.concentration.set_index("best").loc[0.10].to_dict()
    buyers, best = int(base.tenths["customers"].sum()), int(tenth["customers"])
    few = buyers < _FEW
    who = f"The best {best:,} of {buyers:,} customers bring" if few else "The best tenth brings"
    # A tenth of 25 customers is three, which is 12 %.
    marked = base.concentration.loc[base.concentration["best"].isin(_MARKED_OF_FEW), "customers"] / buyers
    return draw_concentration(
        base.curve,
        share_of_customers="customers",
        share_of_value="money",
        title=f"{who} {tenth['share']:.0%} of net sales",
        label_at=marked.tolist() if few else _MARKED,
    )


def show_best(base: CustomerBase) -> Table | LeftOut:
    """What the best tenth does differently."""
    if why := base.unsaid.get("concentration"):
        return LeftOut(why)
    shares = {name: ".0%" for name in base.best.columns if name.startswith("share")}
    money = {name: ",.2f" for name in base.best.columns if name.startswith("net sales")}
    return show_table(
        base.best,
        caption=f"The best tenth of the last year's buyers beside the others (medians; money in {base.currency})",
        formats=shares | money,
    )


def show_tenths(base: CustomerBase) -> Table | LeftOut:
    """What each tenth of the last year's buyers brought."""
    if why := base.unsaid.get("concentration"):
        return LeftOut(why)
    formats = {"net_sales": ",.0f", "share": ".1%", "units": ",.0f", "net_sales_per_customer": ",.0f"}
    return show_table(
        base.tenths,
        caption=f"The last year's buyers in tenths, the best first (money in {base.currency})",
        formats=_formats(base.tenths, formats),
    )


def draw_departments(base: CustomerBase, *, most: int = 12) -> Chart | LeftOut:
    """Net sales by department, against the 91 days before."""
    if why := base.unsaid.get("department"):
        return LeftOut(why)
    table = base.departments.head(most)
    leader = next(name for name in base.departments["department"] if name != UNKNOWN)
    compared = "before" in table
    return draw_bars(
        table,
        label="department",
        value="net_sales",
        comparison="before" if compared else None,
        unit=base.currency,
        title=f"{leader} leads" + (f"; tick: the {SOLD_WITHIN} days before" if compared else ""),
        note=f"Last {SOLD_WITHIN} days.",
    )


def show_categories(base: CustomerBase) -> Table | LeftOut:
    """The largest categories, and how they moved."""
    return _show_sales(base, base.categories, by="category", what="The largest categories")


def show_channels(base: CustomerBase) -> Table | LeftOut:
    """Net sales by channel."""
    return _show_sales(base, base.channels, by="channel", what="Channels")


def show_stores(base: CustomerBase) -> Table | LeftOut:
    """The largest stores."""
    return _show_sales(base, base.stores, by="store_id", what="The largest stores")


def show_left_out(base: CustomerBase) -> Table | LeftOut:
    """Who is known and yet not counted as a customer."""
    if why := base.unsaid.get("left_out"):
        return LeftOut(why)
    return show_table(base.left_out, caption=f"Not in the customer base, as of {base.as_of}")


def _show_sales(base: CustomerBase, table: pd.DataFrame, *, by: Dimension, what: str) -> Table | LeftOut:
    if why := base.unsaid.get(by):
        return LeftOut(why)
    formats = {"net_sales": ",.0f", "units": ",.0f", "before": ",.0f", "share": ".1%", "change": "+.1%"}
    against = f", against the {SOLD_WITHIN} before" if "before" in table else ""
    caption = f"{what} of the last {SOLD_WITHIN} days{against} (money in {base.currency})"
    notes = _gone(table, base.currency) if "before" in table else ()
    return show_table(table, caption=caption, formats=_formats(table, formats), most_rows=12, notes=notes)


def _there(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return table[[name for name in columns if name in table]]


def _money(amounts: pd.Series[float]) -> str:
    return ",.0f" if amounts.max() >= _SMALL_MONEY else ",.2f"


def _formats(table: pd.DataFrame, formats: dict[str, str]) -> dict[str, str]:
    return {name: spec for name, spec in formats.items() if name in table}


def _gone(table: pd.DataFrame, currency: str) -> tuple[str, ...]:
    """What sold in the days before and sells nothing now: easily overlooked at the end of a long table."""
    gone = table[(table["net_sales"] == 0) & (table["before"] > 0)]
    if gone.empty:
        return ()
    money, names = float(gone["before"].sum()), ", ".join(gone.iloc[:3, 0])
    return (f"Without any sales now: {len(gone)}, which brought {money:,.0f} {currency} before ({names} first).",)
