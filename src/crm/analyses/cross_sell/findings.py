"""What cross-sell found, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.analyses import not_there
from crm.analyses.cross_sell.candidates import BEST_SELLERS, BLEND
from crm.finding import Finding, Findings

if TYPE_CHECKING:
    from crm.analyses.cross_sell.result import CrossSell


def all_findings(one: CrossSell) -> Findings:
    """The answers, most important first; what could not be found is left out."""
    if one.seen is None:
        return Findings([Finding("not_possible", "{why}", {"why": one.why_not}, one.as_of)])
    return Findings(
        [
            _expected(one),
            _offers(one),
            _gain(one),
            _shipped(one),
            _calibration(one),
            _together(one),
            _up_sell(one),
            _elsewhere(one),
            _items(one),
            _grouped(one),
            _unknown(one),
            _everything(one),
            _shorter(one),
            not_there(one.wanting, one.as_of),
        ]
    )


def measures(one: CrossSell) -> dict[str, object]:
    """The numbers for results.json."""
    return {
        "customers": one.scored.customers,
        "items": len(one.items),
        "horizon_days": one.horizon_days,
        "ships": one.judged.ships if one.model is None else one.model.ships,
        "judged": one.judged.table,
        "gains": one.judged.gains,
        "calibration": one.judged.calibration,
        "more_margin": float(one.offers["more_margin"].sum()) if len(one.offers) else 0.0,
        "model_content": one.model.content if one.model else "",
    }


def _say(
    one: CrossSell, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding; None where a number is missing."""
    if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        return None
    common: dict[str, Any] = {"as_of": one.as_of, "days": one.horizon_days, "currency": one.currency}
    return Finding(name, template, common | values, one.as_of, table)


def _expected(one: CrossSell) -> Finding | None:
    first = one.scored.top[one.scored.top["rank"] == 1]
    if first.empty:
        return None
    leading = one.scored.items.sort_values(["expected_buyers", "item"], ascending=[False, True]).iloc[0]
    values = {
        "customers": one.scored.customers,
        "likeliest": float(first["probability"].mean()),
        "item": str(leading["item"]),
        "buyers": float(leading["expected_buyers"]),
        "new_to": int(leading["customers"]),
    }
    return _say(
        one,
        "expected",
        "Of {customers:,} active customers each is offered what is new to them: the first item is bought within "
        "{days} "
        "days with a chance of {likeliest:.0%} on average. Most new buyers are expected of {item}: {buyers:,.0f} of "
        "{new_to:,} to whom it is new.",
        values,
    )


def _offers(one: CrossSell) -> Finding | None:
    if one.offers.empty:
        return None
    other = one.offers["item"] != one.offers["likeliest"]
    values = {
        "customers": len(one.offers),
        "other": int(other.sum()),
        "more": float(one.offers["more_margin"].sum()),
        "margin": float(one.offers["expected_margin"].sum()),
    }
    return _say(
        one,
        "best_offer",
        "For {other:,} of {customers:,} customers the offer with the highest expected margin is not the "
        "likeliest one: "
        "offering it is worth {more:,.0f} {currency} of {margin:,.0f} {currency} of expected margin.",
        values,
    )


def _row(one: CrossSell, against: str, measure: str) -> dict[str, Any] | None:
    gains = one.judged.gains
    rows = gains[(gains["against"] == against) & (gains["measure"] == measure)].to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else None


def _gain(one: CrossSell) -> Finding | None:
    row = _row(one, BEST_SELLERS, "ndcg_5")
    if row is None:
        return None
    means = one.judged.mean.set_index("candidate")["ndcg_5"]
    values = {
        "blend": float(means[BLEND]),
        "rule": float(means[BEST_SELLERS]),
        "gain": row["gain"],
        "low": row["low"],
        "high": row["high"],
        "customers": int(row["customers"]),
        "dates": int(row["dates"]),
    }
    return _say(
        one,
        "gain",
        "On dates whose outcome is known ({dates}) the blend "
        + ("put new items in better order than the" if row["low"] > 0 else "was not surely better than the")
        + " best-sellers: NDCG of the first five {blend:.3f} against {rule:.3f}, {gain:+.3f} (95 % between "
        "{low:+.3f} and {high:+.3f}, {customers:,} customers).",
        values,
        one.judged.mean,
    )


def _shipped(one: CrossSell) -> Finding | None:
    if one.model is None or one.model.ships == BLEND:
        return None
    return _say(one, "rule_ships", "The list is in the order of the best-sellers: no model was surely better.", {})


def _calibration(one: CrossSell) -> Finding | None:
    table = one.judged.mean
    rows = table[table["candidate"] == BLEND]
    if rows.empty:
        return None
    values = {name: float(rows[name].iloc[0]) for name in ("calibration_error", "mean_chance", "came")}
    return _say(
        one,
        "calibration",
        "On those dates chances were off by {calibration_error:.4f} on average over tenths of pairs; "
        "{mean_chance:.2%} "
        "was said of a pair on average, and {came:.2%} came.",
        values,
        one.judged.calibration,
    )


def _together(one: CrossSell) -> Finding | None:
    if one.together is None or one.together.pairs.empty:
        return None
    row = one.together.pairs.iloc[0]
    values = {
        "item": str(row["item"]),
        "other": str(row["goes_with"]),
        "lift": float(row["lift"]),
        "share": float(row["share"]),
        "found": one.together.found,
        "tested": one.together.tested,
    }
    return _say(
        one,
        "together",
        "What goes with what: {found:,} of {tested:,} pairs are bought by the same customers more often than by "
        "chance "
        "(false discoveries at most 5 %). Strongest: {share:.0%} of those who buy {item} buy {other}, "
        "{lift:.1f} times "
        "as often as by chance.",
        values,
        one.together.pairs,
    )


def _up_sell(one: CrossSell) -> Finding | None:
    if one.up.customers.empty:
        return None
    top = one.up.categories.iloc[0]
    values = {
        "pairs": int(one.up.categories["customers"].sum()),
        "margin": float(one.up.categories["expected_extra_margin"].sum()),
        "category": str(top["category"]),
        "movers": float(top["expected_movers"]),
        "customers": int(top["customers"]),
    }
    return _say(
        one,
        "up_sell",
        "{pairs:,} times a customer buys the lower-priced line of a category; if those who are likely to buy "
        "the dearer "
        "one moved to it, that would bring {margin:,.0f} {currency} of extra margin within {days} days. Most in "
        "{category}: {movers:,.0f} of {customers:,} are expected to buy it.",
        values,
        one.up.categories,
    )


def _elsewhere(one: CrossSell) -> Finding | None:
    if one.elsewhere.empty:
        return None
    sums = one.elsewhere.groupby("item")["net_sales_elsewhere"].agg(["sum", "size"]).sort_values("sum")
    values = {
        "item": str(sums.index[-1]),
        "customers": int(sums["size"].iloc[-1]),
        "sales": float(sums["sum"].iloc[-1]),
    }
    return _say(
        one,
        "elsewhere",
        "An estimate, by comparison with customers who spend alike: most is bought elsewhere of {item}, about "
        "{sales:,.0f} {currency} by {customers:,} customers so far.",
        values,
    )


def _items(one: CrossSell) -> Finding | None:
    table = one.items
    values = {"items": len(table), "level": one.level, "least": float(table["share"].min())}
    return _say(
        one,
        "items",
        "{items:,} items may be offered, at the level of the {level}; the least common is bought by {least:.1%} of "
        "customers.",
        values,
    )


def _grouped(one: CrossSell) -> Finding | None:
    if one.grouped.empty:
        return None
    values = {"groups": len(one.grouped), "grouped": int(one.grouped["items"].sum())}
    return _say(
        one,
        "grouped",
        "{grouped:,} further items are not offered on their own: they are bought by too few customers, or are "
        "not among "
        "the most bought, and stand in {groups:,} groups.",
        values,
        one.grouped,
    )


def _unknown(one: CrossSell) -> Finding | None:
    share = one.seen.items.unknown if one.seen else 0.0
    if share <= 0:
        return None
    return _say(one, "unknown", "Of {share:.1%} of net sales it is not known what was bought.", {"share": share})


def _everything(one: CrossSell) -> Finding | None:
    if not one.scored.without:
        return None
    return _say(
        one,
        "everything",
        "{without:,} active customers have bought every item: nothing is new to them.",
        {"without": int(np.int64(one.scored.without))},
    )


def _shorter(one: CrossSell) -> Finding | None:
    if one.horizon_days == one.wanted_days:
        return None
    return _say(
        one,
        "shorter",
        "The history is too short to look {wanted} days ahead: chances are of {days} days.",
        {"wanted": one.wanted_days},
    )
