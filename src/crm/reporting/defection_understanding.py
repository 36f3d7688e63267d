"""What is understood of those who left, drawn: how long customers stay, what changed before, what went with them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_line, draw_steps
from crm.reporting.charts.steps import MOST_CURVES
from crm.reporting.defection import capital, money
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.style import BAD, COMPARISON
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import MINUS, MISSING, number, quantity

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.defection import Defection
    from crm.analyses.defection.understanding.result import Understanding

TOLD_EVERY = 28
"""Days between the rows of a curve's table."""

MOST_ROWS = 12
OTHER = "(other)"
NO_SIGN = "no sign"

_NUMBER = {"days": "+,.1f", "share": "+.1%", "index": "+.1%", "money": "+,.2f"}
_ANOTHER = "There are no dates with enough before and after them."


def draw_staying(defection: Defection) -> Chart | LeftOut:
    """Which share of the customers stays for how long?"""
    one = defection.understanding
    kind = "joined" if (one.curves["group_kind"] == "joined").any() else "all"
    curve = one.curves[one.curves["group_kind"] == kind]
    curve = curve[curve["at_risk"] >= FEWEST]
    if curve.empty:
        return LeftOut("How long customers stay cannot be said: too few were watched.")
    last = curve.iloc[-1]
    who = _lives(one, kind)
    return draw_steps(
        curve[["days", "share_staying", "low", "high", "at_risk"]],
        x="days",
        y="share_staying",
        interval=("low", "high"),
        at_risk="at_risk",
        title=f"After {number(last['days'])} days {last['share_staying']:.0%} of {who} are still there",
        note=f"{_how_counted(one)} Kaplan–Meier, with 95% intervals.",
    )


def draw_by_segment(defection: Defection) -> Chart | LeftOut:
    """Which segments stay?"""
    return _draw_by(
        defection,
        "segment",
        more=" Segments look at the time since the last purchase, which by itself says who left.",
    )


def draw_by_cohort(defection: Defection) -> Chart | LeftOut:
    """Do those who joined later stay longer?"""
    return _draw_by(defection, "cohort")


def draw_by_department(defection: Defection) -> Chart | LeftOut:
    """Does it matter what was bought first?"""
    return _draw_by(defection, "department")


def draw_by_channel(defection: Defection) -> Chart | LeftOut:
    """Does it matter where the first purchase was made?"""
    return _draw_by(defection, "channel")


def draw_by_plan(defection: Defection) -> Chart | LeftOut | None:
    """Which plans are kept? Of contracts only."""
    return _draw_by(defection, "plan") if defection.stake.kind == "cancellation" else None


def show_tests(defection: Defection) -> Table | None:
    """Do groups leave at different times, or is it chance?"""
    tests = defection.understanding.tests
    if tests.empty:
        return None
    table = tests.assign(group_kind=[capital(kind) for kind in tests["group_kind"]])
    return show_table(
        table[["group_kind", "groups", "customers", "p", "p_corrected", "differ"]].rename(
            columns={"group_kind": "by", "p_corrected": "after_correction"}
        ),
        caption="Do the groups leave at different times?",
        formats={"p": ".3f", "after_correction": ".3f"},
        notes="Log-rank tests. p: how often chance alone would set the groups so far apart; corrected (Holm) for as "
        "many comparisons as there are rows.",
    )


def draw_when(defection: Defection) -> Chart | LeftOut:
    """After which purchase do customers leave?"""
    one = defection.understanding
    table, label, what = one.by_purchase, "after_purchase", "purchase"
    if table.empty:
        table, label, what = _tenures(one), "part_of_life", "part"
    else:
        table = table.assign(after_purchase=[f"purchase {place}" for place in table["purchase"]])
    table = _enough(table)
    if table.empty:
        return LeftOut(one.unsaid.get("by_purchase", "When customers leave cannot be said: too few were watched."))
    most = table.sort_values("share_leaving", ascending=False, kind="stable").iloc[0]
    leave = "stop" if one.stake.kind == "silence" else "cancel"
    where = f"After {most[label]}," if what == "purchase" else f"In {most[label]}"
    return draw_bars(
        table[[label, "customers", "share_leaving", "low", "high"]],
        label=label,
        value="share_leaving",
        interval=("low", "high"),
        order="as_given",
        unit="share",
        title=f"{where} {most['share_leaving']:.0%} {leave}: the largest share",
        note="Of those who came so far, which share left there; with 95% intervals.",
    )


def show_by_tenure(defection: Defection) -> Table | LeftOut:
    """When in their life do they leave?"""
    one = defection.understanding
    table = _enough(_tenures(one))
    if table.empty:
        return LeftOut(one.unsaid.get("by_tenure", "When in their life customers leave cannot be said."))
    shares = dict.fromkeys(["share_leaving", "low", "high"], ".1%")
    return show_table(
        table[["part_of_life", "customers", "left", "share_leaving", "low", "high"]],
        caption="When in their life customers leave",
        formats=shares,
        notes="Customers: there at the start of that part. With 95% intervals.",
    )


def draw_partial(defection: Defection) -> Chart | LeftOut:
    """Partial beside full defection, date by date."""
    one = defection.understanding
    if one.partial.empty:
        return LeftOut(one.unsaid.get("partial", _ANOTHER))
    rows = one.partial.sort_values("date", kind="stable")
    parts = {"Left wholly": "left", "Left partly": "partly"}
    long = pd.concat(
        [
            rows[["date", "customers"]].assign(
                how=name, share_of_customers=rows[f"{column}_share"], low=rows[f"{column}_low"],
                high=rows[f"{column}_high"],
            )
            for name, column in parts.items()
        ]
    )  # fmt: skip
    last = rows.iloc[-1]
    return draw_line(
        long.assign(date=pd.to_datetime(long["date"])),
        x="date",
        y="share_of_customers",
        colour_by="how",
        interval=("low", "high"),
        colours={"Left wholly": BAD, "Left partly": "#C77F00"},
        unit="share",
        title=f"After {last['date']}, {last['left_share']:.1%} left wholly and {last['partly_share']:.1%} partly",
        note=f"Of those at stake on each date, in the {one.stake.after_days} days after it; bands are 95% intervals. "
        "Partly: came down to less than half of the usual, but not to nothing.",
    )


def show_partial(defection: Defection) -> Table | LeftOut:
    """The same in numbers, with the money."""
    one = defection.understanding
    if one.partial.empty:
        return LeftOut(one.unsaid.get("partial", _ANOTHER))
    columns = ["date", "customers", "left", "left_share", "partly", "partly_share", "lost_with_left",
               "lost_with_partly"]  # fmt: skip
    return show_table(
        one.partial[columns],
        caption=f"Who left wholly and partly, by date ({one.currency} per {one.stake.after_days} days)",
        formats={"left_share": ".1%", "partly_share": ".1%", "lost_with_left": ",.0f", "lost_with_partly": ",.0f"},
        notes="Lost: the usual less what was spent.",
    )


def draw_changes(defection: Defection) -> Chart | LeftOut:
    """What changed before they left that did not change for similar customers who stayed?"""
    one = defection.understanding
    if one.changes.empty:
        return LeftOut(one.unsaid.get("changes", _ANOTHER))
    rows = one.changes
    most = rows.iloc[0]
    stands, chance = "stands after correction", "may be chance"
    title = (
        f"“{capital(most['label'])}” changed most before customers left: {_signed(most['difference'], most['unit'])} "
        "against those who stayed"
        if rows["stands"].any()
        else "Nothing that is known changed otherwise for those who left, beyond chance"
    )
    return draw_bars(
        rows.assign(
            what=[capital(label) for label in rows["label"]],
            verdict=rows["stands"].map({True: stands, False: chance}),
        )[["what", "strength", "verdict", "pairs", "stayers"]].rename(columns={"strength": "how_marked"}),
        label="what",
        value="how_marked",
        colour_by="verdict",
        colours={stands: BAD, chance: COMPARISON},
        order="as_given",
        unit="",
        title=title,
        note=f"Change of {_from_to(rows['pairs'])} who left less that of {_from_to(rows['stayers'])} similar "
        "customers who stayed (alike in tenure and value), over its standard error. Right: more of it before "
        f"leaving. Grey: may be chance, {len(rows)} comparisons counted in.",
    )


def show_changes(defection: Defection) -> Table | LeftOut:
    """The same in their own units."""
    one = defection.understanding
    if one.changes.empty:
        return LeftOut(one.unsaid.get("changes", _ANOTHER))
    rows = one.changes.to_dict("records")
    table = pd.DataFrame(
        [
            (capital(row["label"]), *(_signed(row[name], row["unit"]) for name in _OF_CHANGE), row["pairs"],
             bool(row["stands"]))
            for row in rows
        ],
        columns=["what", "who_left", "who_stayed", "difference", "from", "to", "pairs", "stands"],
    )  # fmt: skip
    return show_table(
        table,
        caption=f"What changed before they left ({one.currency} where it is money)",
        notes=f"Change of the {one.stake.after_days} days before the date against the customer's own time before; "
        f"{len(one.dates)} dates together, 95% intervals, in which a customer of several dates counts as one. Pairs: "
        f"of {one.leavers:,} who left, those with this known on both sides. Stands: after the correction for "
        f"{len(rows)} comparisons.",
    )


_OF_CHANGE = ("leavers_change", "stayers_change", "difference", "low", "high")


def show_changes_by_date(defection: Defection) -> Table | None:
    """What stood out on some date; a trouble may last for a while only."""
    one = defection.understanding
    table = one.changes_by_date
    told = table[table["measure"].isin(table.loc[table["stands"], "measure"])]
    if told.empty:
        return None
    rows = [
        (row["date"], capital(row["label"]), *(_signed(row[name], row["unit"]) for name in _OF_CHANGE[2:]),
         row["pairs"], bool(row["stands"]))
        for row in told.to_dict("records")
    ]  # fmt: skip
    return show_table(
        pd.DataFrame(rows, columns=["date", "what", "difference", "from", "to", "pairs", "stands"]),
        caption="By date, of what stood out on one of them",
        notes="Left in the days after the date, against similar customers who stayed.",
        most_rows=MOST_ROWS,
    )


def draw_dropped(defection: Defection) -> Chart | LeftOut:
    """What did they stop buying first?"""
    one = defection.understanding
    rows = one.dropped[one.dropped["pairs"] >= FEWEST].head(MOST_ROWS)
    if rows.empty:
        return LeftOut(one.unsaid.get("dropped", "What was dropped first cannot be said."))
    first = rows.iloc[0]
    title = (
        f"“{first['name']}” was dropped first: by {first['leavers']:.0%} of those about to leave, "
        f"{first['stayers']:.0%} of those who stayed"
        if first["stands"]
        else "No department was dropped by more of those about to leave, beyond chance"
    )
    return draw_bars(
        rows.rename(columns={"name": "department", "leavers": "dropped_by", "stayers": "dropped_by_who_stayed"})[
            ["department", "dropped_by", "dropped_by_who_stayed", "difference", "low", "high", "pairs", "stands"]
        ],
        label="department",
        value="dropped_by",
        comparison="dropped_by_who_stayed",
        order="as_given",
        unit="share",
        title=title,
        note="Of those who used to buy it and still bought something, who no longer bought any of it. Tick: similar "
        "customers who stayed.",
    )


def draw_lost_by_sign(defection: Defection) -> Chart | LeftOut:
    """What went before leaving, and with how much money?"""
    one = defection.understanding
    rows = _losses(one, "sign")
    if rows.empty:
        return LeftOut(one.unsaid.get("signs", "What went before leaving cannot be named."))
    named = rows[rows["group"] != NO_SIGN]
    if named.empty:
        return LeftOut(f"None of the signs that are known was met with by {FEWEST} or more of those who left.")
    first = named.iloc[0]
    title = (
        f"{capital(first['group'])} {first['share']:.0%} left, {quantity(first['net_sales'], one.currency)} of net "
        "sales a year"
    )
    return draw_bars(
        rows.assign(sign=[capital(group) for group in rows["group"]]).rename(columns={"share": "share_of_leavers"})[
            [
                "sign",
                "customers",
                "share_of_leavers",
                "low",
                "high",
                "share_of_stayers",
                "net_sales",
            ]
        ],
        label="sign",
        value="share_of_leavers",
        comparison="share_of_stayers",
        order="as_given",
        unit="share",
        title=title,
        note="Of those who left, have not come back and have somebody similar who stayed. Tick: similar "
        "customers who stayed and met with the same. A "
        f"sign is what went before, not proof of why. Net sales: {_a_year(rows)}.{_may_come_back(one)}",
    )


def draw_lost(defection: Defection) -> Chart | LeftOut:
    """With whom did the money leave?"""
    one = defection.understanding
    kind = next((kind for kind in ("segment", "department") if len(_losses(one, kind))), "")
    if not kind:
        return LeftOut("What left with whom cannot be said: nobody left, or groups are too small.")
    rows = _losses(one, kind)
    first = rows.iloc[0]
    return draw_bars(
        rows.rename(columns={"group": kind, "net_sales": "net_sales_a_year"})[
            [kind, "customers", "net_sales_a_year"]
        ],
        label=kind,
        value="net_sales_a_year",
        unit=one.currency,
        title=f"“{first['group']}”: {quantity(first['net_sales'], one.currency)} of net sales a year left with "
        f"{first['customers']:,} customers",
        note=f"Left in the year before {one.as_of} and not come back; {_a_year(rows)}.{_may_come_back(one)}",
    )


def show_losses(defection: Defection) -> Table | LeftOut:
    """What left with them, by what went before, by segment and by first department."""
    one = defection.understanding
    kinds = {"everybody": "All", "sign": "What went before", "segment": "Segment", "department": "First department"}
    rows = pd.concat([_losses(one, kind).assign(by=word) for kind, word in kinds.items()], ignore_index=True)
    if rows.empty:
        return LeftOut("What left with them cannot be said: nobody left.")
    columns = ["by", "group", "customers", "share", "share_of_stayers", "net_sales", "margin"]
    few = bool((one.losses["customers"] < FEWEST).any())
    return show_table(
        rows.assign(group=[capital(group) for group in rows["group"]])[columns],
        caption=f"What left with them, a year ({one.currency})",
        formats={"share": ".0%", "share_of_stayers": ".0%"}
        | dict.fromkeys(["net_sales", "margin"], money(rows["margin"])),
        notes=f"Who left in the last year and has not come back; {_a_year(rows)}. Share of stayers: of similar "
        f"customers who stayed, who met with the same.{_may_come_back(one)}"
        f"{' Rows of fewer than five customers are not shown.' * few}",
    )


def draw_returned(defection: Defection) -> Chart | LeftOut:
    """Who came back by themselves, and after how long?"""
    one = defection.understanding
    curve = one.returned[one.returned["at_risk"] >= FEWEST]
    if curve.empty:
        return LeftOut(one.unsaid.get("returned", "Who came back by themselves cannot be said."))
    last = curve.iloc[-1]
    return draw_steps(
        curve[["days", "share_returned", "low", "high", "at_risk"]],
        x="days",
        y="share_returned",
        interval=("low", "high"),
        at_risk="at_risk",
        title=f"{last['share_returned']:.0%} of those who were gone came back by themselves within "
        f"{number(last['days'])} days",
        note=f"Of {one.gone:,} customers, from the day on which they counted as gone; what a contact brings must be "
        "held against that. Kaplan–Meier, with 95% intervals.",
    )


def _draw_by(defection: Defection, kind: str, *, more: str = "") -> Chart | LeftOut:
    one = defection.understanding
    curves = one.curves[(one.curves["group_kind"] == kind) & (one.curves["at_risk"] >= FEWEST)]
    if curves.empty:
        return LeftOut(one.unsaid.get(f"curves_by_{kind}", f"Staying by {kind} is left out: too few are known."))
    ends = curves.groupby("group", sort=False).tail(1).sort_values("at_risk", ascending=False)
    starts = curves.groupby("group", sort=False).head(1).sort_values("at_risk", ascending=False, kind="stable")
    largest = starts["group"].tolist() if len(starts) > MOST_CURVES else list(dict.fromkeys(curves["group"]))
    shown = pd.concat([curves[curves["group"] == group] for group in largest], ignore_index=True)
    shown = shown[["group", "days", "share_staying", "low", "high", "at_risk"]].rename(columns={"group": kind})
    chart = draw_steps(
        shown,
        x="days",
        y="share_staying",
        colour_by=kind,
        interval=("low", "high"),
        at_risk="at_risk",
        title=_differ(one, kind, ends),
        note=f"{_how_counted(one)}{more} The numbers behind: every fourth week, and the end.",
    )
    return replace(
        chart, numbers=pd.concat([_thinned(rows) for _, rows in shown.groupby(kind, sort=False)], ignore_index=True)
    )


def _differ(one: Understanding, kind: str, ends: pd.DataFrame) -> str:
    test = one.tests[one.tests["group_kind"] == kind]
    if test.empty or not bool(test["differ"].iloc[0]):
        return f"By {kind}, how long customers stay differs by no more than chance may do"
    ordered = ends.sort_values(["share_staying", "group"], kind="stable")
    worst, best = ordered.iloc[0], ordered.iloc[-1]
    return (
        f"“{worst['group']}” are soonest gone: {worst['share_staying']:.0%} stay for {number(worst['days'])} days, "
        f"of “{best['group']}” {best['share_staying']:.0%}"
    )


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Every fourth week of a curve, and its end: enough to see it, and a table that can be read."""
    last = curve["days"].max()
    told: pd.DataFrame = curve[(curve["days"] % TOLD_EVERY == 0) | (curve["days"] == last)]
    return told


def _how_counted(one: Understanding) -> str:
    if one.stake.kind == "cancellation":
        return "From the beginning of a contract to its end."
    return f"From the first purchase to the last before a silence of more than {one.stake.after_days} days."


def _lives(one: Understanding, kind: str) -> str:
    if one.stake.kind == "cancellation":
        return "contracts"
    return "customers seen to join" if kind == "joined" else "customers"


def _tenures(one: Understanding) -> pd.DataFrame:
    rows = one.by_tenure
    return rows.assign(
        part_of_life=[
            f"days {start:,.0f} to {end:,.0f}" for start, end in zip(rows["from_day"], rows["to_day"], strict=True)
        ]
    )


def _losses(one: Understanding, kind: str) -> pd.DataFrame:
    rows = _enough(one.losses[one.losses["kind"] == kind])
    return rows.assign(last=rows["group"].isin([OTHER, NO_SIGN])).sort_values(
        "last", kind="stable", ignore_index=True
    )


def _a_year(losses: pd.DataFrame) -> str:
    """Of which year the amounts are; whether they were brought to one is said where they were."""
    from crm.analyses.defection.understanding.findings import BROUGHT_TO_A_YEAR

    return f"as in their last 365 days{BROUGHT_TO_A_YEAR if losses['to_a_year'].any() else ''}"


def _may_come_back(one: Understanding) -> str:
    """How many of such usually come back, as the finding says it."""
    values = one.findings["lost"].values if "lost" in one.findings.names else {}
    if "share_returned" not in values:
        return ""
    return (
        f" {values['share_returned']:.0%} of those who are gone come back by themselves within {values['days']:,} "
        "days of counting as such."
    )


def _from_to(counts: pd.Series[int]) -> str:
    """The smallest and the largest of these, or the one that they all are."""
    least, most = int(counts.min()), int(counts.max())
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"


def _enough(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["customers"] >= FEWEST].reset_index(drop=True)


def _signed(value: float, unit: str) -> str:
    if math.isnan(value):
        return MISSING
    text = format(0.0 if abs(value) < 5e-4 else value, _NUMBER.get(unit, "+,.2f"))
    return text.replace("-", MINUS)
