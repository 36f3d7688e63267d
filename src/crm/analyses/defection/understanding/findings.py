"""What was found of those who left, in sentences made of its own numbers."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from crm.analyses.defection.understanding.curves import FEWEST
from crm.analyses.defection.understanding.losses import NO_SIGN
from crm.analyses.defection.understanding.result import Understanding
from crm.finding import Finding, Findings

TOLD_AT = (91, 182, 365)
"""Days at which a curve is told; the last that it reaches."""

BROUGHT_TO_A_YEAR = ", brought to a year where the history is shorter"

MEASURES_TOLD = 3
"""Changes told of each side."""

_NUMBER = {
    "days": ",.1f", "share": ".1%", "count": ",.2f", "number": ",.2f", "money": ",.2f", "index": ".2%"
}  # fmt: skip
_UNIT = {"days": " days", "money": " {currency}"}


def all_findings(one: Understanding) -> Findings:
    """Every finding that the tables allow, what matters most first."""
    return Findings(
        [
            _who_left(one),
            _lost(one),
            *_changed(one, side="service"),
            *_changed(one, side="buying"),
            _nothing_stands(one),
            _for_a_while(one),
            _signs(one),
            _dropped(one),
            _staying(one),
            _groups_differ(one),
            _when(one),
            _partly(one),
            _came_back(one),
        ]
    )


def _who_left(one: Understanding) -> Finding | None:
    how = {
        "silence": "bought nothing in the {horizon} days from it on",
        "cancellation": "had no contract {horizon} days later",
    }[one.stake.kind]
    row = _first(one.partial)
    some = "{left:,} ({left_share:.1%}, interval {left_low:.1%} to {left_high:.1%})"
    who = "fewer than {fewest}" if _are_few(row, "left") else some
    template = "Of {customers:,} customers at stake on {date}, " + who + f" {how} (known before {{as_of}})."
    return _say(one, "left", template, row | {"fewest": FEWEST} if row else {}, one.partial)


def _partly(one: Understanding) -> Finding | None:
    template = (
        "Beside those who left wholly, {partly:,} of {customers:,} ({partly_share:.1%}, interval {partly_low:.1%} to "
        "{partly_high:.1%}) left partly after {date}: they came down to less than half of the usual. In {horizon} "
        "days {lost_with_partly:,.0f} {currency} less came from them, and {lost_with_left:,.0f} {currency} less from "
        "those who left wholly (known before {as_of})."
    )
    row = _first(one.partial)
    return _say(one, "left_partly", template, {} if _are_few(row, "left") or _are_few(row, "partly") else row)


def _lost(one: Understanding) -> Finding | None:
    """What left with those still gone, of whom many left so lately that they may yet come back."""
    every = _first(one.losses[one.losses["kind"] == "everybody"])
    if not every or every["customers"] < FEWEST:
        return None
    back = _returned(one)
    usually = (
        "Of customers silent for more than {horizon} days, {share_returned:.0%} usually come back by themselves "
        "within another {days:,}"
        if one.stake.kind == "silence"
        else "Of customers who have no contract any more, {share_returned:.0%} usually make another by themselves "
        "within {days:,} days"
    )
    template = (
        "With the {customers:,} who left on {dates:,} dates in the year before {as_of} and have not come back went "
        "{net_sales:,.0f} {currency} of net sales and {margin:,.0f} {currency} of margin a year"
        f"{BROUGHT_TO_A_YEAR if every['to_a_year'] else ''}. "
    ) + (f"{usually}." if back else "How many of such come back by themselves is not known.")
    values = {name: every[name] for name in ("customers", "net_sales", "margin")}
    values |= {name: back[name] for name in ("share_returned", "days") if back}
    return _say(one, "lost", template, values | {"dates": len(one.loss_dates)})


def _changed(one: Understanding, *, side: str) -> list[Finding | None]:
    """The most marked changes of a side that stand after the correction."""
    stands = one.changes[(one.changes["side"] == side) & one.changes["stands"]].head(MEASURES_TOLD)
    return [_change(one, {str(key): value for key, value in row.items()}) for row in stands.to_dict("records")]


def _change(one: Understanding, row: dict[str, Any]) -> Finding | None:
    number, unit = "+" + _NUMBER[row["unit"]], _UNIT.get(row["unit"], "")
    template = (
        "Before customers left, {label} changed by {leavers_change:NUMBER}UNIT on average, against "
        "{stayers_change:NUMBER}UNIT for {stayers:,} similar ones who stayed: a difference of "
        "{difference:NUMBER}UNIT (interval {low:NUMBER} to {high:NUMBER}, {pairs:,} who left on {dates} dates before "
        "{as_of}; stands among {comparisons} comparisons)."
    )
    template = template.replace("NUMBER", number).replace("UNIT", unit)
    return _say(one, f"changed_{row['measure']}", template, row | {"dates": len(one.dates)})


def _nothing_stands(one: Understanding) -> Finding | None:
    if one.changes.empty or one.changes["stands"].any():
        return None
    template = (
        "Nothing that the tables know of changed otherwise before customers left than it did for similar ones who "
        "stayed: none of {comparisons} comparisons of {pairs:,} who left before {as_of} stands after the correction."
    )
    return _say(one, "nothing_changed", template, {"comparisons": len(one.changes), "pairs": one.pairs})


def _for_a_while(one: Understanding) -> Finding | None:
    """What stood out on one date, although it may not on all together."""
    service = one.changes[one.changes["stands"] & (one.changes["side"] == "service")]
    told = list(service["measure"].head(MEASURES_TOLD))
    rows = one.changes_by_date[one.changes_by_date["stands"] & ~one.changes_by_date["measure"].isin(told)]
    row = _first(rows.sort_values(["p", "date", "measure"]))
    number = "+" + _NUMBER[row["unit"]] if row else ""
    template = (
        "For a while it was {label}: among those who left from {date} on it had changed by {difference:NUMBER} "
        "(interval {low:NUMBER} to {high:NUMBER}) against similar customers who stayed ({pairs:,} who left; known "
        "before {as_of}; stands among {comparisons} comparisons of measures and dates)."
    ).replace("NUMBER", number)
    return _say(one, "for_a_while", template, row)


def _signs(one: Understanding) -> Finding | None:
    """The sign with the largest loss, of those that leavers met with more often than stayers; else that none is."""
    signs = one.losses[one.losses["kind"] == "sign"]
    named = signs[signs["group"] != NO_SIGN]
    row = _first(named[(named["low"] > named["share_of_stayers"]) & (named["customers"] >= FEWEST)])
    template = (
        "Most was lost {group}: {customers:,} of those who left and have not come back ({share:.1%}, interval "
        "{low:.1%} to {high:.1%}; {share_of_stayers:.1%} of similar ones who stayed met with the same), with "
        "{net_sales:,.0f} {currency} of net sales a year (before {as_of}). That went before; it is no proof of why."
    )
    if not row:
        row = _first(named[named["low"] <= named["share_of_stayers"]])
        some = (
            "{share:.1%} (interval {low:.1%} to {high:.1%})"
            if _are_few(row, "customers")
            else ("{customers:,} ({share:.1%}, interval {low:.1%} to {high:.1%})")
        )
        template = (
            "Neither late deliveries, open cases and bad marks nor prices that rose, as far as they are known, were "
            "met with more often by those who left than by similar ones who stayed: {group}, for example, left "
            + some
            + ", against {share_of_stayers:.1%} of those (before {as_of})."
        )
    return _say(one, "signs", template, row, signs)


def _dropped(one: Understanding) -> Finding | None:
    row = _first(one.dropped[one.dropped["stands"] & (one.dropped["difference"] > 0)])
    template = (
        "{name} was dropped first: of those about to leave who used to buy it and still came, {leavers:.1%} no "
        "longer bought any, against {stayers:.1%} of similar ones who stayed (difference {difference:.1%}, interval "
        "{low:.1%} to {high:.1%}, {pairs:,} who left before {as_of}; stands among {comparisons} comparisons)."
    )
    return _say(one, "dropped", template, row)


def _staying(one: Understanding) -> Finding | None:
    kind = "joined" if (one.curves["group_kind"] == "joined").any() else "all"
    curve = one.curves[(one.curves["group_kind"] == kind) & (one.curves["at_risk"] >= FEWEST)]
    reached = [day for day in TOLD_AT if (curve["days"] >= day).any()]
    if not reached:
        return None
    lives = "contracts" if one.stake.kind == "cancellation" else "customers"
    how = {
        "silence": "buy on for longer than {days:,} days without a silence of more than {horizon}",
        "cancellation": "run for longer than {days:,} days",
    }[one.stake.kind]
    begun = f"{lives} that began since the history did" if lives == "contracts" else f"{lives} who were seen to join"
    template = (
        f"Of {begun if kind == 'joined' else lives}, "
        "{share_staying:.1%} "
        + how
        + " (interval {low:.1%} to {high:.1%}; {at_risk:,} were watched and there for as "
        "long before {as_of})."
    )
    return _say(one, "staying", template, _first(curve[curve["days"] >= reached[-1]]))


def _groups_differ(one: Understanding) -> Finding | None:
    """By what customers differ most in how long they stay; not by segment, which may look at who is gone."""
    differ = one.tests[one.tests["differ"] & (one.tests["group_kind"] != "segment")]
    row = _first(differ.sort_values(["p", "group_kind"]))
    if not row:
        return None
    ends = one.curves[(one.curves["group_kind"] == row["group_kind"]) & (one.curves["at_risk"] >= FEWEST)]
    day = int(ends.groupby("group")["days"].max().min())
    at = ends[ends["days"] == day].sort_values(["share_staying", "group"])
    values: dict[str, Any] = {"day": day, "at_most": max(row["p_corrected"], 0.001), **row}
    for name, curve in (("best", at.iloc[-1]), ("worst", at.iloc[0])):
        values |= {name: curve["group"], f"{name}_share": curve["share_staying"], f"{name}_low": curve["low"],
                   f"{name}_high": curve["high"]}  # fmt: skip
    template = (
        "How long customers stay differs by {group_kind}: {best_share:.1%} of {best} (interval {best_low:.1%} to "
        "{best_high:.1%}) stay longer than {day:,} days, and {worst_share:.1%} of {worst} ({worst_low:.1%} to "
        "{worst_high:.1%}); log-rank test of {customers:,} lives before {as_of}, p at most {at_most:.3f} "
        "after {comparisons} comparisons."
    )
    return _say(one, "groups_differ", template, values)


def _when(one: Understanding) -> Finding | None:
    first = _first(one.by_purchase[one.by_purchase["purchase"] == "1"])
    if first:
        template = (
            "After their first purchase {share_leaving:.1%} are silent for more than {horizon} days (interval "
            "{low:.1%} to {high:.1%}, {customers:,} customers of whom it is known before {as_of})."
        )
        return _say(one, "when", template, first, one.by_purchase)
    template = (
        "In the first {to_day:,} days {share_leaving:.1%} leave (interval {low:.1%} to {high:.1%}, {customers:,} "
        "lives watched before {as_of})."
    )
    return _say(one, "when", template, _first(one.by_tenure), one.by_tenure)


def _came_back(one: Understanding) -> Finding | None:
    row = _returned(one)
    silent = {"silence": "were silent for more than {horizon} days", "cancellation": "had no contract any more"}
    template = (
        "Of {gone:,} customers who " + silent[one.stake.kind] + ", {share_returned:.1%} had come back by themselves "
        "{days:,} days later (interval {low:.1%} to {high:.1%}; {at_risk:,} were still gone and watched; before "
        "{as_of})."
    )
    return _say(one, "came_back", template, row | {"gone": one.gone} if row else {})


def _returned(one: Understanding) -> dict[str, Any]:
    """Who came back by themselves: after 91 days, or as long as enough are watched."""
    told = one.returned[one.returned["at_risk"] >= FEWEST]
    return _first(told[told["days"] >= min(TOLD_AT[0], told["days"].max())])


def _are_few(row: dict[str, Any], number: str) -> bool:
    """Are these so few customers that their number is not named? Nobody at all may be said."""
    return 0 < int(row.get(number, 0)) < FEWEST


def _say(
    one: Understanding, name: str, template: str, values: dict[str, Any], table: pd.DataFrame | None = None
) -> Finding | None:
    """A finding; None where there is nothing to say, or a number of it is missing."""
    if not values or any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        return None
    common = {"as_of": one.as_of, "currency": one.currency, "horizon": one.stake.after_days}
    return Finding(name, template, common | values, one.as_of, table)


def _first(rows: pd.DataFrame) -> dict[str, Any]:
    return {str(name): value for name, value in rows.to_dict("records")[0].items()} if len(rows) else {}
