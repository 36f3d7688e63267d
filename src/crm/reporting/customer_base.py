"""The pictures and tables of the customer-base page."""

from __future__ import annotations

import pandas as pd

from crm.analyses.customer_base import CustomerBase
from crm.periods import last_full_month, month_start
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_concentration, draw_heatmap, draw_line, draw_stacked_bars
from crm.reporting.tables import Table, show_table

_MOVES = {"new": "New", "won_back": "Won back", "lapsed": "Lapsed"}


def draw_sales_by_month(base: CustomerBase) -> Chart:
    """Net sales of every full month."""
    months = base.months[base.months["complete"]]
    table = months.assign(month=pd.PeriodIndex(months["starts_at"].astype("str"), freq="M"))
    best = table.nlargest(1, "net_sales")["starts_at"].tolist()
    title = f"{best[0]:%B %Y} was the strongest month" if best else "Net sales by month"
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
        table[columns],
        caption=f"What happened, month by month (money in {base.currency})",
        formats={"net_sales": ",.0f", "per_day": ",.0f", "units": ",.0f"},
        most_rows=36,
    )


def show_comparison(base: CustomerBase) -> Table:
    """The last full month against its yardsticks; those that are not there are left out and said."""
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
    month = month_start(last_full_month(base.as_of))
    return show_table(table, caption=f"{month:%B %Y} against its yardsticks", formats=formats, notes=notes)


def draw_movement(base: CustomerBase) -> Chart:
    """Customers who came and who went, month by month, from where the history tells who is active."""
    moves = base.movement[base.movement["settled"]]
    moves = moves[moves["month"].isin(base.months.loc[base.months["complete"], "month"])]
    wide = moves.assign(lapsed=-moves["lapsed"]).rename(columns=_MOVES)
    table = wide.melt(id_vars="starts_at", value_vars=list(_MOVES.values()), var_name="event", value_name="customers")
    table["month"] = pd.PeriodIndex(table["starts_at"].astype("str"), freq="M")
    gained = int((moves["active_at_end"] - moves["active_at_start"]).sum())
    return draw_stacked_bars(
        table,
        x="month",
        value="customers",
        colour_by="event",
        unit="customers",
        title=f"Active customers moved by {gained:+,} over {len(moves)} months",
        note=f"Active: bought within {base.active_within_days} days. Earlier months, where all look new: left out.",
    )


def show_movement(base: CustomerBase) -> Table:
    """The same, with the balance: start + new + won back - lapsed = end."""
    table = base.movement.assign(month=[f"{start:%Y-%m}" for start in base.movement["starts_at"]])
    columns = ["month", "active_at_start", "new", "won_back", "lapsed", "active_at_end", "served", "returning"]
    return show_table(table[columns], caption="Customers who came and who went", most_rows=36)


def draw_retention(base: CustomerBase, *, most_cohorts: int = 13) -> Chart:
    """Share of each joining cohort that bought, by months since joining; the newest cohorts."""
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
    title = f"{kept:.0%} of those who joined bought in the third month after" if kept is not None else "Retention"
    return draw_heatmap(
        table,
        rows="joined",
        columns="months_since",
        value="retained",
        unit="share",
        title=title,
        note="By month of the first purchase (customers); the earliest may have bought before the data begin.",
    )


def draw_best_customers(base: CustomerBase) -> Chart:
    """The curve of concentration of the last year's net sales."""
    shares = base.concentration.set_index("best")["share"]
    title = f"The best tenth brings {shares[0.10]:.0%} of net sales" if len(shares) else "Concentration of net sales"
    return draw_concentration(
        base.curve,
        share_of_customers="customers",
        share_of_value="money",
        title=title,
        label_at=(0.01, 0.1, 0.2, 0.5),
    )


def show_best(base: CustomerBase) -> Table:
    """What the best tenth does differently."""
    shares = {name: ".0%" for name in base.best.columns if name.startswith("share")}
    money = {name: ",.2f" for name in base.best.columns if name.startswith("net sales")}
    return show_table(
        base.best,
        caption=f"The best tenth of the last year's buyers beside the others (medians; money in {base.currency})",
        formats=shares | money,
    )


def show_tenths(base: CustomerBase) -> Table:
    """What each tenth of the last year's buyers brought."""
    return show_table(
        base.tenths,
        caption=f"The last year's buyers in tenths, the best first (money in {base.currency})",
        formats={"net_sales": ",.0f", "share": ".1%", "units": ",.0f", "net_sales_per_customer": ",.0f"},
    )


def draw_departments(base: CustomerBase, *, most: int = 12) -> Chart:
    """Net sales by department, against the 91 days before."""
    table = base.departments.head(most)
    title = f"{table['department'].iloc[0]} leads" if len(table) else "Net sales by department"
    return draw_bars(
        table,
        label="department",
        value="net_sales",
        comparison="before",
        unit=base.currency,
        title=f"{title}; tick: the 91 days before" if len(table) else title,
        note="Last 91 days.",
    )


def show_categories(base: CustomerBase) -> Table:
    """The largest categories, and how they moved."""
    return _show_sales(base, base.categories, caption="The largest categories of the last 91 days")


def show_channels(base: CustomerBase) -> Table:
    """Net sales by channel."""
    return _show_sales(base, base.channels, caption="Channels of the last 91 days")


def show_stores(base: CustomerBase) -> Table:
    """The largest stores."""
    return _show_sales(base, base.stores, caption="The largest stores of the last 91 days")


def show_left_out(base: CustomerBase) -> Table:
    """Who is known and yet not counted as a customer."""
    return show_table(base.left_out, caption=f"Not in the customer base, as of {base.as_of}")


def _show_sales(base: CustomerBase, table: pd.DataFrame, *, caption: str) -> Table:
    formats = {"net_sales": ",.0f", "units": ",.0f", "before": ",.0f", "share": ".1%", "change": "+.1%"}
    caption = f"{caption}, against the 91 before (money in {base.currency})"
    return show_table(table, caption=caption, formats=formats, most_rows=12, notes=_gone(table, base.currency))


def _gone(table: pd.DataFrame, currency: str) -> tuple[str, ...]:
    """What sold in the days before and sells nothing now: easily overlooked at the end of a long table."""
    gone = table[(table["net_sales"] == 0) & (table["before"] > 0)]
    if gone.empty:
        return ()
    money, names = float(gone["before"].sum()), ", ".join(gone.iloc[:3, 0])
    return (f"Without any sales now: {len(gone)}, which brought {money:,.0f} {currency} before ({names} first).",)
