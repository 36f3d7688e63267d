"""What cross-sell found, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crm.analyses import counted, listed, not_there
from crm.analyses.cross_sell.candidates import BEST_SELLERS, BLEND
from crm.analyses.cross_sell.offers_judged import BEST, JudgedOffers
from crm.analyses.cross_sell.panel import NEVER
from crm.analyses.cross_sell.share_elsewhere import MOST as MOST_MISSING
from crm.finding import Finding, Findings
from crm.headline import FEWEST_SHOWN, Headline, Trail
from crm.measures.resampling import LEVEL
from crm.periods import day_number

if TYPE_CHECKING:
    from crm.analyses.cross_sell.result import CrossSell


HISTORY, MOSTLY = 182, 0.5
"""Days of history from which it says something that more than this share of an item's purchases are of 56 days."""


def all_findings(one: CrossSell) -> Findings:
    """The answers, most important first; what could not be found is left out."""
    if one.seen is None:
        why = Finding("not_possible", "{why}", {"why": one.why_not}, one.as_of)
        return Findings([why, not_there(one.wanting, one.as_of)])
    return Findings(
        [
            _expected(one),
            _offers(one),
            _gain(one),
            _shipped(one),
            _together(one),
            _up_sell(one),
            _elsewhere(one),
            _offers_judged(one),
            _calibration(one),
            _up_sell_judged(one),
            _season(one),
            _items(one),
            _not_offered(one),
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
        "offers": len(one.offers),
        "expected_margin": float(one.offers["expected_margin"].sum()) if len(one.offers) else 0.0,
        "more_margin": float(one.offers["more_margin"].sum()) if len(one.offers) else 0.0,
        "up_sell_margin": float(one.up.categories["expected_extra_margin"].sum()) if len(one.up.categories) else 0.0,
        "version": one.standing.version,
        "why": one.standing.why,
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


def headline(one: CrossSell) -> Headline | None:
    """The margin expected of something new to each customer; by what such offers brought, where that was judged."""
    found = _expected(one)
    if found is None:
        return None
    judged = "comes" in found.values
    items = one.scored.items[~one.scored.items["item"].isin(bought_lately(one)["item"])]
    items = items[items["expected_buyers"] >= FEWEST_SHOWN]
    items = items.sort_values(["expected_buyers", "item"], ascending=[False, True])
    customers = counted("offered", len(one.offers), "customer")
    assumed = " Assumed is a gross margin of {rate:.0%}." if "rate" in found.values else ""
    return Headline.of(
        found,
        "comes" if judged else "margin",
        label="margin expected from one new item for each, within {days} days",
        unit="{currency}",
        better="more",
        low="least",
        high="most",
        interval="{confidence:.0%} interval, by what such offers brought on judged dates" if judged else "",
        sentence=f"{{bought:,.0f}} of {customers} are expected to buy the new item picked for them.{assumed}",
        trail=Trail.of("New buyers expected, by item", items["item"], items["expected_buyers"], drawn="named"),
    )


def _expected(one: CrossSell) -> Finding | None:
    if one.offers.empty:
        return None
    late = bought_lately(one)
    lasting = one.scored.items[~one.scored.items["item"].isin(late["item"])]
    leading = (lasting if len(lasting) else one.scored.items).sort_values(
        ["expected_buyers", "item"], ascending=[False, True]
    )
    values: dict[str, Any] = {
        "customers": one.scored.customers,
        "offered": len(one.offers),
        "bought": float(one.offers["probability"].sum()),
        "chosen": float(one.offers["probability"].mean()),
        "margin": float(one.offers["expected_margin"].sum()),
        "item": str(leading["item"].iloc[0]),
        "buyers": float(leading["expected_buyers"].iloc[0]),
        "new_to": int(leading["customers"].iloc[0]),
    }
    by_what_came = ""
    if today := _by_what_came(one):
        values |= today
        by_what_came = "; by what such offers brought on judged dates {comes:,.0f} ({least:,.0f} to {most:,.0f})"
    who = "all {customers:,}" if values["offered"] == values["customers"] else "{offered:,} of {customers:,}"
    assumed = any(addition.name == "products.margin_rate" for addition in one.wanting)
    if assumed:
        values["rate"] = one.facts.settings.money.gross_margin
    return _say(
        one,
        "expected",
        f"As of {{as_of}}, something they never bought can be offered to {who} active customers. For each the item "
        "worth most is picked: {bought:,.0f} of them ({chosen:.0%}) are expected to buy it within {days} days, for "
        "{margin:,.0f} {currency} of margin"
        + (" (gross margin of {rate:.0%} assumed)" if assumed else "")
        + by_what_came
        + ". Most "
        "new buyers are expected of {item}: {buyers:,.0f} of {new_to:,} to whom it is new.",
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
        "likeliest": float(one.offers["likeliest_margin"].sum()),
    }
    return _say(
        one,
        "best_offer",
        "For {other:,} of {customers:,} customers the offer with the highest expected margin is not the likeliest "
        "one: the items worth most are expected to bring {margin:,.0f} {currency} of margin, {more:,.0f} {currency} "
        "more than the likeliest ones ({likeliest:,.0f} {currency}). That is what they buy; what an offer adds, an "
        "experiment tells.",
        values,
    )


def _judged_offers(one: CrossSell) -> JudgedOffers | None:
    """How offers did that were made as today's are; None where today's are not the blend's."""
    ships = one.model is not None and one.model.ships == BLEND
    return one.judged.offers if ships and len(one.offers) else None


def _by_what_came(one: CrossSell) -> dict[str, float]:
    """Today's expected margin times what came over what was said on judged dates; none where they looked less far."""
    judged = _judged_offers(one)
    if judged is None or one.judged.days != one.horizon_days:
        return {}
    over, margin = judged.over(BEST), float(one.offers["expected_margin"].sum())
    return {
        "comes": margin * over["over"],
        "least": margin * over["low"],
        "most": margin * over["high"],
        "confidence": LEVEL,
    }


def _offers_judged(one: CrossSell) -> Finding | None:
    judged = _judged_offers(one)
    if judged is None:
        return None
    comes = _by_what_came(one)
    values = {
        **judged.over(BEST),
        **comes,
        "margin": float(one.offers["expected_margin"].sum()),
        "others": judged.others,
        "more": judged.more,
        "more_low": judged.low,
        "more_high": judged.high,
    }
    surely = "more" if judged.low > 0 else "less" if judged.high < 0 else "not surely more"
    today = (
        ": of the {margin:,.0f} {currency} expected today that would be {least:,.0f} to {most:,.0f} {currency}"
        if comes
        else ""
    )
    other = (
        f" Where another item than the likeliest was worth most, it brought {surely} than the likeliest: "
        "{more:+,.3f} {currency} an offer ({more_low:+,.3f} to {more_high:+,.3f}; {others:,} customers)."
        if judged.others >= FEWEST_SHOWN
        else ""
    )
    return _say(
        one,
        "offers_judged",
        "On the judged dates one offer to each, the item worth most, brought {over:.0%} of the margin that was said "
        f"(95% interval {{low:.0%}} to {{high:.0%}}){today}.{other}",
        values,
        judged.table,
    )


def _row(one: CrossSell, against: str, measure: str) -> dict[str, Any] | None:
    gains = one.judged.gains
    rows = gains[(gains["against"] == against) & (gains["measure"] == measure)].to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else None


def _gain(one: CrossSell) -> Finding | None:
    order, hit = _row(one, BEST_SELLERS, "ndcg_5"), _row(one, BEST_SELLERS, "hit_rate_5")
    if order is None or hit is None:
        return None
    means = one.judged.mean.set_index("candidate")["hit_rate_5"]
    values: dict[str, Any] = {
        "ours": float(means[BLEND]),
        "rule": float(means[BEST_SELLERS]),
        "customers": int(order["customers"]),
        "dates": int(order["dates"]),
    }
    for name, row in (("hit", hit), ("order", order)):
        times = 100 if name == "hit" else 1
        values |= {f"{name}_{part}": times * float(row[part]) for part in ("gain", "low", "high")}
    verdict = (
        "in better order than the best-sellers"
        if order["low"] > 0
        else "in no surely better order than the best-sellers"
    )
    on = "{dates} dates" if values["dates"] > 1 else "one date"
    return _say(
        one,
        "gain",
        f"On {on} whose outcome is known, the blend put new items {verdict}: of customers who bought something new, "
        "{ours:.1%} bought one of its first five, against {rule:.1%} ({hit_gain:+.1f} percentage points, 95% "
        "interval "
        "{hit_low:+.1f} to {hit_high:+.1f}); the order (NDCG@5) gains {order_gain:+.3f} ({order_low:+.3f} to "
        "{order_high:+.3f}; {customers:,} customers).",
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
    values["points"] = 100 * values["calibration_error"]
    return _say(
        one,
        "calibration",
        "On those dates chances were off by {points:.2f} percentage points on average over tenths of pairs of "
        "customer "
        "and item: {mean_chance:.2%} was said of a pair on average, and {came:.2%} came.",
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
        "(false discoveries at most 5%). Strongest: {share:.0%} of those who buy {item} buy {other}, "
        "{lift:.1f} times "
        "as often as by chance.",
        values,
        one.together.pairs,
    )


def _up_sell(one: CrossSell) -> Finding | None:
    if one.up.customers.empty:
        return None
    told = one.up.categories[one.up.categories["customers"] >= FEWEST_SHOWN]
    if told.empty:
        return None
    top = told.iloc[0]
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
        "{pairs:,} times a customer buys the lower-priced line of a category; by each one's chance to buy the dearer "
        "one, {margin:,.0f} {currency} of extra margin are expected within {days} days. Most in "
        "{category}: {movers:,.0f} of {customers:,} are expected to buy it.",
        values,
        one.up.categories,
    )


def _up_sell_judged(one: CrossSell) -> Finding | None:
    judged = one.up.judged
    if judged is None:
        return None
    verdict = "better than" if judged.low > 0 else "not surely better than" if judged.high > 0 else "worse than"
    values = {
        "then": judged.date,
        "learnt": judged.learnt,
        "pairs": judged.pairs,
        "movers": judged.movers,
        "expected": judged.expected_movers,
        "auc": judged.auc,
        "rule": judged.rule,
        "rule_auc": judged.rule_auc,
        "low": judged.low,
        "high": judged.high,
        "points": 100 * judged.calibration_error,
        "margin": judged.margin,
        "said": judged.expected_margin,
    }
    return _say(
        one,
        "up_sell_judged",
        "Who would move to a dearer line, judged on {then} by what was learnt on {learnt}: {pairs:,} times a "
        "customer bought a lower line; {expected:,.0f} were expected to be followed by the dearer one, and "
        "{movers:,} were (off by {points:.1f} percentage points on average over tenths). The order is "
        f"{verdict} that of the best rule of thumb, {{rule}}: of one who moved and one who did not, it puts the "
        "former first {auc:.0%} of the time, against {rule_auc:.0%} (the difference from {low:+.3f} to {high:+.3f}, "
        "95% interval). Of extra margin {said:,.0f} {currency} was expected, and {margin:,.0f} {currency} came.",
        values,
    )


def _elsewhere(one: CrossSell) -> Finding | None:
    if one.elsewhere.empty:
        return None
    sums = one.elsewhere.groupby("item")["net_sales_elsewhere"].agg(["sum", "size"]).sort_values("sum")
    values = {
        "item": str(sums.index[-1]),
        "customers": int(sums["size"].iloc[-1]),
        "sales": float(sums["sum"].iloc[-1]),
        "most": MOST_MISSING,
    }
    return _say(
        one,
        "elsewhere",
        "An estimate, by comparison with customers who spend alike: most is bought elsewhere of {item}, about "
        "{sales:,.0f} {currency} by {customers:,} customers over the whole history. Of each customer those {most} "
        "items count of which most is missing.",
        values,
    )


def bought_lately(one: CrossSell) -> pd.DataFrame:
    """Items bought mostly within the last 56 days of a longer history: item, expected_buyers, share_lately.

    They are new, or of a season: which of the two cannot be told from less than two years.
    """
    nothing = pd.DataFrame(columns=["item", "expected_buyers", "share_lately"])
    if one.seen is None:
        return nothing
    panel, bought = one.seen.panel, one.seen.panel.first < NEVER
    if not bought.any() or day_number(one.as_of) - int(panel.first[bought].min()) < HISTORY:
        return nothing
    days = panel.days.sum(axis=0, dtype="float64")
    lately = panel.recent[56].sum(axis=0, dtype="float64") / np.maximum(days, 1.0)
    shares = pd.DataFrame({"item": one.seen.items.names, "share_lately": lately})
    table = one.scored.items[["item", "expected_buyers"]].merge(shares[lately > MOSTLY], on="item", how="inner")
    return table.sort_values(["expected_buyers", "item"], ascending=[False, True], ignore_index=True)


def _season(one: CrossSell) -> Finding | None:
    late = bought_lately(one)
    if late.empty:
        return None
    values: dict[str, Any] = {
        "count": len(late),
        "names": listed([str(name) for name in late["item"].head(3)]),
        "buyers": float(late["expected_buyers"].sum()),
        "least": math.floor(100 * float(late["share_lately"].min())) / 100,
    }
    among = "" if len(late) <= 3 else ", among them"
    several = "items were" if len(late) > 1 else "item was"
    return _say(
        one,
        "season",
        f"{{count:,}} {several} bought mostly within the last 56 days ({{least:.0%}} or more of all purchase "
        f"days){among}: {{names}}. Such an item is new, or of a season that may be over: the {{buyers:,.0f}} buyers "
        "that are expected may not come. They are in the scores; cross_sell_not_offered in crm.toml leaves them out.",
        values,
        late,
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


def _not_offered(one: CrossSell) -> Finding | None:
    offered = set(one.scored.items["item"])
    names = [name for name in one.seen.items.names if name not in offered] if one.seen else []
    if not names:
        return None
    several = "items are" if len(names) > 1 else "item is"
    values = {"count": len(names), "names": listed(names)}
    template = f"{{count:,}} {several} learnt from and not offered, as was asked for: {{names}}."
    return _say(one, "not_offered", template, values)


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
