"""How far to trust who is said to leave: candidates on dates whose outcome is known, chances, groups, drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_dots
from crm.reporting.defection import capital, in_words
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import listed

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.defection import Defection
    from crm.review.drift import Drift

_MOST_MOVED = 10
_NAMES = {"left": "leaving", "left_partly": "leaving partly"}
_MEASURES = {"auc": "order", "average_precision": "average_precision", "lift": "lift", "capture": "captured",
             "brier": "brier_score", "calibration": "calibration_error",
             "expected": "expected_over_came"}  # fmt: skip
_FORMATS = {"order": ".3f", "average_precision": ".3f", "lift": ".1f", "captured": ".0%", "brier_score": ".4f",
            "calibration_error": ".1%", "expected_over_came": ".2f"}  # fmt: skip
_READ_SO = (
    "Order: how often one who left had a higher chance than one who stayed; 0.5 is chance, 1 is perfect. Lift and "
    "captured: of the tenth with the highest chance, how many times as many left as of all, and which share of all "
    "who left is in it. Calibration error: how far the chances were off. A rule of thumb gives an order and no "
    "chance."
)
_JUDGED = "Each was fitted to what was known before the date, and has seen nothing after it."
_TENTHS_TOLD = 10


def draw_by_date(defection: Defection) -> Chart | LeftOut:
    """How well each candidate put customers in order, date by date, beside the best rule of thumb."""
    judged = defection.judged
    table = judged.table[judged.table["outcome"] == "left"].dropna(subset=["auc"])
    if why := _why(defection, "judged", table, "Nobody left after an earlier date, so that no order can be met."):
        return LeftOut(why)
    mean = judged.mean[judged.mean["outcome"] == "left"].sort_values("auc", ascending=False, kind="stable")
    places = {name: place for place, name in enumerate(mean["candidate"])}
    ordered = table.sort_values("date", ascending=False, kind="stable")
    ordered = ordered.sort_values("candidate", key=lambda names: names.map(places), kind="stable")
    return draw_dots(
        ordered.assign(date=[str(date) for date in ordered["date"]], order_beyond_chance=ordered["auc"] - 0.5)[
            ["candidate", "kind", "date", "customers", "came", "auc", "order_beyond_chance"]
        ].rename(columns={"auc": "order"}),
        label="candidate",
        value="order_beyond_chance",
        colour_by="date",
        unit="",
        title=_how_it_orders(defection, mean),
        note=f"Order (area under the curve) less a half: 0 is chance, a half is perfect. {_JUDGED}",
    )


def show_candidates(defection: Defection) -> Table | LeftOut:
    """Every candidate on leaving wholly: mean over the judged dates."""
    return _show_mean(defection, "left")


def show_candidates_partly(defection: Defection) -> Table | LeftOut:
    """The same of spending less than half of the usual."""
    return _show_mean(defection, "left_partly")


def show_by_date(defection: Defection) -> Table | LeftOut:
    """Every candidate on every judged date, with how many left after it."""
    judged = defection.judged
    if why := _why(defection, "judged", judged.table, "Nothing was judged."):
        return LeftOut(why)
    places = {name: place for place, name in enumerate(_best_first(judged.mean))}
    order = judged.table.sort_values("candidate", key=lambda names: names.map(places), kind="stable")
    order = order.sort_values("outcome", kind="stable")
    keys = order[["outcome", "candidate"]].drop_duplicates().reset_index(drop=True)
    for date in judged.dates:
        on_it = order[order["date"] == date][["outcome", "candidate", "auc", "calibration"]]
        names = {"auc": f"order, {date}", "calibration": f"error, {date}"}
        keys = keys.merge(on_it.rename(columns=names), on=["outcome", "candidate"], how="left")
    left = judged.table[judged.table["outcome"] == "left"].drop_duplicates("date")
    came = [f"{row['came']:,} of {row['customers']:,} after {row['date']}" for row in left.to_dict("records")]
    formats = {name: ".3f" if name.startswith("order") else ".1%" for name in keys.columns[2:]}
    return show_table(
        keys.assign(outcome=[capital(_NAMES[name]) for name in keys["outcome"]]),
        caption=f"Every candidate on every judged date: order and calibration error, {defection.horizon_days} days "
        "after it",
        formats=formats,
        notes=f"Read as above. Left: {listed(came)}.",
    )


def _best_first(mean: pd.DataFrame) -> list[str]:
    of_left = mean[mean["outcome"] == "left"].sort_values("auc", ascending=False, kind="stable")
    return of_left["candidate"].tolist()


def draw_gain(defection: Defection) -> Chart | LeftOut:
    """What ships against every rule of thumb."""
    gains = defection.judged.gains
    rows = gains[(gains["outcome"] == "left") & (gains["measure"] == "auc")].dropna(subset=["gain"])
    if why := _why(defection, "judged", rows, "There is no rule of thumb to be held against."):
        return LeftOut(why)
    best = rows.sort_values("theirs", ascending=False, kind="stable").iloc[0]
    sure = best["low"] > 0
    return draw_bars(
        rows.rename(columns={"gain": "gain_in_order"})[
            ["rule", "ours", "theirs", "gain_in_order", "low", "high", "customers", "dates"]
        ],
        label="rule",
        value="gain_in_order",
        interval=("low", "high"),
        unit="",
        title=f"Against the best rule of thumb, “{best['rule']}”, the order gains {best['gain']:+.3f}"
        + ("" if sure else ", which may be chance"),
        note=f"{defection.shipped.name} less the rule, on {best['dates']:,} dates together, with 95% intervals.",
    )


def show_gain(defection: Defection) -> Table | LeftOut:
    """The same for both outcomes and both measures."""
    gains = defection.judged.gains
    if why := _why(defection, "judged", gains, "There is no rule of thumb to be held against."):
        return LeftOut(why)
    words = {"auc": "order", "average_precision": "average precision"}
    table = gains.assign(
        outcome=[capital(_NAMES[name]) for name in gains["outcome"]],
        measure=[capital(words.get(name, name)) for name in gains["measure"]],
    )
    return show_table(
        table[["outcome", "measure", "rule", "ours", "theirs", "gain", "low", "high"]].reset_index(drop=True),
        caption=f"What {defection.shipped.name} gains over every rule of thumb",
        formats=dict.fromkeys(["ours", "theirs"], ".3f") | dict.fromkeys(["gain", "low", "high"], "+.3f"),
        notes="All judged dates together, with 95% intervals by paired bootstrap over customers. A gain whose "
        "interval holds 0 may be chance.",
    )


def show_over_plain(defection: Defection) -> Table | LeftOut:
    """Beside what anybody gets out of the box."""
    rows = defection.judged.over_plain
    if why := _why(defection, "over_plain", rows, "Nothing was learnt from earlier dates."):
        return LeftOut(why)
    words = {"auc": "order", "average_precision": "average precision"}
    keys = rows[["outcome", "measure"]].drop_duplicates().sort_values(["outcome", "measure"], ignore_index=True)
    for date in dict.fromkeys(rows["date"]):
        on_it = rows[rows["date"] == date][["outcome", "measure", "ours", "plain"]]
        names = {"ours": f"ours, {date}", "plain": f"plain, {date}"}
        keys = keys.merge(on_it.rename(columns=names), on=["outcome", "measure"], how="left")
    return show_table(
        keys.assign(
            outcome=[capital(_NAMES[name]) for name in keys["outcome"]],
            measure=[capital(words.get(name, name)) for name in keys["measure"]],
        ),
        caption="Beside XGBoost with its default settings, which has seen the same dates",
        formats=dict.fromkeys(keys.columns[2:], ".3f"),
    )


def draw_calibration(defection: Defection) -> Chart | LeftOut:
    """Did as many leave as were expected to?"""
    rows = defection.judged.calibration
    rows = rows[rows["outcome"] == "left"]
    if why := _why(defection, "calibration", rows, "Nothing with a chance was judged."):
        return LeftOut(why)
    table = _tenths(rows)
    outside = int(((rows["expected"] < rows["low"]) | (rows["expected"] > rows["high"])).sum())
    verdict = (
        "as many left as were expected to, in every tenth"
        if not outside
        else f"in {outside} of {len(rows)} tenths other than expected, beyond chance"
    )
    return draw_bars(
        table,
        label="tenth",
        value="share_that_left",
        interval=("low", "high"),
        comparison="expected",
        order="as_given",
        unit="share",
        title=f"On the judged dates, {verdict}",
        note="Customers of all judged dates in tenths by their chance, the highest first. Tick: expected; line: the "
        "95% interval of the share that left.",
    )


def show_calibration(defection: Defection) -> Table | LeftOut:
    """The same of leaving partly, in numbers."""
    rows = defection.judged.calibration
    rows = rows[rows["outcome"] == "left_partly"]
    if why := _why(defection, "calibration", rows, "Nothing with a chance was judged."):
        return LeftOut(why)
    table = _tenths(rows)
    return show_table(
        table,
        caption="Leaving partly: expected, and what came, by tenths of chance",
        formats=dict.fromkeys(["expected", "share_that_left", "low", "high"], ".1%"),
    )


def show_groups(defection: Defection) -> Table | LeftOut:
    """The same in numbers."""
    rows = _groups(defection)
    if isinstance(rows, LeftOut):
        return rows
    return show_table(
        rows[["group", "customers", "came", "auc", "expected"]].rename(
            columns={"came": "left", "auc": "order", "expected": "expected_to_leave"}
        )[["group", "customers", "expected_to_leave", "left", "order"]],
        caption=f"By group, on {defection.judged.dates[0]}",
        formats={"order": ".3f", "expected_to_leave": ",.1f"},
        notes="Small, middle and large: thirds of the customers by their net sales of half a year. Groups of fewer "
        "than five customers are not shown.",
    )


def show_shipped(defection: Defection) -> Table:
    """What scores today."""
    shipped = defection.shipped
    dates = sorted(shipped.learnt_from)
    learnt = (
        f"{len(dates)} dates, {dates[0]} to {dates[-1]}" if len(dates) > 1 else str(dates[0]) if dates else "nothing"
    )
    rows = [
        ("What scores", shipped.name),
        ("Version", shipped.version or "the one fitted in this run"),
        ("Fitted as of", str(shipped.fitted_as_of)),
        ("Learnt from", learnt),
        *((f"How many, of {_NAMES[name]}", _LEVELS.get(level, level)) for name, level in shipped.level_from.items()),
        ("Columns read", f"{len(defection.model.columns):,}"),
    ]
    return show_table(pd.DataFrame(rows, columns=["what", "value"]), caption="What scores today", notes=shipped.why)


_LEVELS = {
    "own": "as on the dates learnt from",
    "judged dates": "corrected by what came after judged dates",
    "season": "as in the same weeks of a year ago",
}


def show_drift(drift: Drift) -> Table | LeftOut:
    """Are the customers of today those it was fitted on?"""
    if not drift.known:
        return LeftOut(f"{capital(drift.sentence)}.")
    rows = drift.features.head(_MOST_MOVED)
    if rows.empty:
        return LeftOut("The model reads no columns whose drift could be told.")
    table = rows.assign(
        column=[in_words(str(name)) for name in rows["feature"]],
        stability_index=rows["psi"],
        moved=rows["moved"].map({True: "yes", False: ""}),
    )
    return show_table(
        table[["column", "stability_index", "by_chance", "moved"]],
        caption="The customers of today beside those it was fitted on",
        formats={"stability_index": ".3f", "by_chance": ".3f"},
        notes=f"{capital(drift.sentence)}. Population stability index: below 0.1 is little, from 0.25 a column "
        f"counts as moved if it is beyond chance. The {len(rows)} most moved of {len(drift.features)}.",
    )


def _show_mean(defection: Defection, outcome: str) -> Table | LeftOut:
    judged = defection.judged
    mean = judged.mean[judged.mean["outcome"] == outcome]
    if why := _why(defection, "judged", mean, "Nothing was judged."):
        return LeftOut(why)
    mean = mean.sort_values("auc", ascending=False, kind="stable")
    mean = mean.assign(shipped=mean["shipped"].map({True: "yes", False: ""}))
    columns = {"candidate": "candidate", **_MEASURES, "kind": "kind", "shipped": "ships"}
    shown = {name: word for name, word in columns.items() if name in mean and mean[name].notna().any()}
    dates = "one date" if len(judged.dates) == 1 else f"{len(judged.dates)} dates"
    return show_table(
        mean[list(shown)].rename(columns=shown).reset_index(drop=True),
        caption=f"{capital(_NAMES[outcome])}: every candidate, mean over {dates}",
        formats={name: spec for name, spec in _FORMATS.items() if name in shown.values()},
        notes=_READ_SO if outcome == "left" else "Read as above.",
    )


def _how_it_orders(defection: Defection, mean: pd.DataFrame) -> str:
    """What ships against the best rule of thumb, on average and by the number of dates."""
    ships = mean[mean["shipped"].astype("bool")]
    rules = mean[mean["kind"] == "rule"]
    if ships.empty or rules.empty:
        return f"“{mean.iloc[0]['candidate']}” orders customers best ({mean.iloc[0]['auc']:.2f})"
    ours, rule = ships.iloc[0], rules.iloc[0]
    if ours["kind"] == "rule":
        return f"What ships is a rule of thumb, “{ours['candidate']}”: it orders customers at {ours['auc']:.2f}"
    table = defection.judged.table
    by_date = table[table["outcome"] == "left"].pivot_table(index="date", columns="candidate", values="auc")
    better = int((by_date[ours["candidate"]] > by_date[rule["candidate"]]).sum())
    on = f"{better} of {len(by_date)} dates" if len(by_date) > 1 else "the one date" if better else "no date"
    return (
        f"{ours['candidate']} orders customers better than “{rule['candidate']}” on {on} ({ours['auc']:.2f} against "
        f"{rule['auc']:.2f})"
    )


def _tenths(rows: pd.DataFrame) -> pd.DataFrame:
    """Tenths of chance for people, the highest first."""
    ordered = rows.sort_values("expected", ascending=False, kind="stable")
    names = [_tenth(place, len(ordered)) for place in range(len(ordered))]
    return pd.DataFrame(
        {
            "tenth": names,
            "customers": ordered["customers"].to_numpy(),
            "share_that_left": ordered["came"].to_numpy(),
            "expected": ordered["expected"].to_numpy(),
            "low": ordered["low"].to_numpy(),
            "high": ordered["high"].to_numpy(),
        }
    )


def _tenth(place: int, of: int) -> str:
    what = "tenth" if of == _TENTHS_TOLD else "group"
    if place == 0:
        return f"highest {what}"
    return f"lowest {what}" if place == of - 1 else f"{what} {place + 1}"


def _groups(defection: Defection) -> pd.DataFrame | LeftOut:
    rows = defection.judged.groups
    rows = rows[(rows["outcome"] == "left") & (rows["customers"] >= FEWEST)]
    if why := _why(defection, "groups", rows, "No group is large enough to be told."):
        return LeftOut(why)
    told: pd.DataFrame = rows.reset_index(drop=True)
    return told


def _why(defection: Defection, section: str, table: pd.DataFrame, otherwise: str) -> str:
    """Why a section is left out; empty where it is there."""
    said: Mapping[str, str] = defection.unsaid
    return said.get(section, "") or ("" if len(table) else said.get("judged", otherwise))
