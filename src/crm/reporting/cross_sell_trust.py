"""How far to trust what is offered: candidates on dates whose outcome is known, gains, whether chances are true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars
from crm.reporting.drift import show_drift as drift_table
from crm.reporting.left_out import LeftOut
from crm.reporting.style import COMPARISON, FORECAST
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import listed

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.cross_sell import CrossSell
    from crm.review.drift import Drift

_RULE = "Best-sellers"
_WORDS = {"hit_rate_5": "hit_rate", "map_5": "average_precision", "ndcg_5": "order", "recall_10": "found_in_ten",
          "coverage": "items_shown", "calibration_error": "calibration_error"}  # fmt: skip
_FORMATS = {"hit_rate": ".1%", "average_precision": ".3f", "order": ".3f", "found_in_ten": ".1%",
            "items_shown": ".0%", "calibration_error": ".2%"}  # fmt: skip
_READ_SO = (
    "Of active customers who bought something new. Hit rate: one of the first five was bought (@5). Average "
    "precision "
    "(MAP@5) and order (NDCG@5): the more, the higher what was bought stands; 1 is perfect. Found in ten: of what "
    "was "
    "bought, the share among the first ten (recall@10). Items shown: of all items, the share that stands among "
    "anybody's first five. Calibration error: how far the chances were off; the others give an order and no chance."
)
_NAMES = {"hit_rate_5": "Hit rate", "map_5": "Average precision", "ndcg_5": "Order", "recall_10": "Found in ten"}


def show_candidates(one: CrossSell) -> Table | LeftOut:
    """Every candidate: means over the judged dates."""
    if why := _why(one):
        return LeftOut(why)
    mean = one.judged.mean.sort_values("ndcg_5", ascending=False, kind="stable")
    mean = mean.assign(ships=["yes" if name == _ships(one) else "" for name in mean["candidate"]])
    dates = sorted(map(str, dict.fromkeys(one.judged.table["date"])))
    return show_table(
        mean[["candidate", *_WORDS, "kind", "ships"]].rename(columns=_WORDS).reset_index(drop=True),
        caption=f"Every candidate, on {listed(dates)}, {one.judged.days} days ahead",
        formats=_FORMATS,
        notes=_READ_SO,
    )


def draw_gains(one: CrossSell) -> Chart | LeftOut:
    """What the blend gains over every other candidate."""
    if why := _why(one):
        return LeftOut(why)
    rows = one.judged.gains[one.judged.gains["measure"] == "ndcg_5"].rename(columns={"gain": "gain_in_order"})
    best = rows[rows["against"] == _RULE].iloc[0]
    sure = "" if best["low"] > 0 else ", which may be chance"
    kind = ["rule of thumb" if name.startswith(_RULE) else "other model" for name in rows["against"]]
    return draw_bars(
        rows.assign(kind=kind)[["against", "gain_in_order", "low", "high", "customers", "dates", "kind"]],
        label="against",
        value="gain_in_order",
        interval=("low", "high"),
        colour_by="kind",
        colours={"rule of thumb": COMPARISON, "other model": FORECAST},
        unit="",
        title=f"Against the best-sellers, the order of the blend gains {best['gain_in_order']:+.3f}{sure}",
        note=f"Blend less the candidate, in NDCG@5, on {best['dates']:,} dates together; lines: 95% intervals. One "
        "that crosses 0 may be chance.",
    )


def show_gains(one: CrossSell) -> Table | LeftOut:
    """The same for every measure, over the best-sellers."""
    if why := _why(one):
        return LeftOut(why)
    rows = one.judged.gains[one.judged.gains["against"].isin([_RULE, "Similar items", "Factorisation"])]
    table = rows.assign(measure=rows["measure"].map(_NAMES))
    return show_table(
        table[["against", "measure", "gain", "low", "high"]].reset_index(drop=True),
        caption="What the blend gains, with 95% intervals",
        formats=dict.fromkeys(["gain", "low", "high"], "+.3f"),
        notes=f"Bootstrap over {rows['customers'].iloc[0]:,} customers, all judged dates together.",
    )


def draw_calibration(one: CrossSell) -> Chart | LeftOut:
    """Did as many buy as was said?"""
    table = one.judged.calibration
    if (why := _why(one)) or table.empty:
        return LeftOut(why or "Nothing with a chance was judged.")
    mean = one.judged.mean
    error = float(mean.loc[mean["candidate"] == "Blend", "calibration_error"].iloc[0])
    ordered = table.sort_values("said", ascending=False, kind="stable")
    names = [_tenth(place, len(ordered)) for place in range(len(ordered))]
    return draw_bars(
        pd.DataFrame(
            {
                "tenth": names,
                "share_that_bought": ordered["came"].to_numpy(),
                "said": ordered["said"].to_numpy(),
                "pairs": ordered["pairs"].to_numpy(),
            }
        ),
        label="tenth",
        value="share_that_bought",
        comparison="said",
        order="as_given",
        unit="share",
        title=f"On the judged dates, chances were off by {100 * error:.2f} percentage points on average",
        note="Every customer with every new item, in tenths by the chance that was said. Bar: the share that was "
        "bought; tick: what was said.",
    )


def show_by_date(one: CrossSell) -> Table | LeftOut:
    """Every candidate on every judged date."""
    if why := _why(one):
        return LeftOut(why)
    table, keys = one.judged.table, one.judged.mean.sort_values("ndcg_5", ascending=False, kind="stable")
    keys = keys[["candidate"]].reset_index(drop=True)
    for date in sorted(dict.fromkeys(table["date"])):
        on_it = table[table["date"] == date][["candidate", "ndcg_5", "recall_10"]]
        whole = str(date).replace("-", "\N{NON-BREAKING HYPHEN}")
        names = {"ndcg_5": f"order, {whole}", "recall_10": f"found in ten, {whole}"}
        keys = keys.merge(on_it.rename(columns=names), on="candidate", how="left")
    counts = table.drop_duplicates("date").sort_values("date", kind="stable")
    customers = [f"{row['customers']:,} after {row['date']}" for row in counts.to_dict("records")]
    return show_table(
        keys,
        caption="Every candidate on every judged date",
        formats={name: ".3f" if str(name).startswith("order") else ".1%" for name in keys.columns[1:]},
        notes=f"Read as above. Customers who bought something new: {listed(customers)}.",
    )


def show_scoring(one: CrossSell) -> Table | LeftOut:
    """What scores today."""
    if one.model is None:
        return LeftOut(one.unsaid["scores"])
    model, learners = one.model, one.model.learners
    learnt = f"{learners.pairs:,} pairs of customer and item" if learners else "nothing"
    dates = listed(sorted(map(str, learners.dates))) if learners else "no date"
    rows = [
        ("What scores", model.ships),
        ("Version", one.standing.version if one.standing.record is not None else "the one fitted in this run"),
        ("Fitted as of", str(model.as_of)),
        ("Learnt from", f"{learnt}, on {dates}"),
        ("Days ahead", f"{model.horizon_days:,}"),
        ("Items", f"{len(one.items):,}, at the level of the {model.level}"),
        ("Columns read", f"{len(model.as_record()['columns']):,}"),
    ]
    return show_table(
        pd.DataFrame(rows, columns=["what", "value"]), caption="What scores today", notes=one.standing.why or ()
    )


def show_drift(drift: Drift | None) -> Table | LeftOut | None:
    """Are the customers and their new items of today like those it was fitted on? None where nothing scores."""
    return drift_table(drift, about="One new item of each customer.")


def _ships(one: CrossSell) -> str:
    return one.model.ships if one.model else ""


def _tenth(place: int, of: int) -> str:
    if place == 0:
        return "highest tenth"
    return "lowest tenth" if place == of - 1 else f"tenth {place + 1}"


def _why(one: CrossSell) -> str:
    """Why nothing was judged; empty where it was."""
    return one.unsaid.get("judged", "")
