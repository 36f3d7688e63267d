"""Which days around a campaign tell what: older ones that must show nothing, those compared on, during, and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import narwhals as nw
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaign, known_until
from crm.analyses.campaign_success.windows import OUTCOMES, customer_windows
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.mart.rollups import MONEY_DECIMALS

WEEK = 7
COMPARED_ON = 26 * WEEK
"""Days before a campaign in which customers must have bought alike, where history allows."""

OLDER = 13 * WEEK
"""Days before those that must show nothing, where history allows; as many as the campaign has, where that is more."""

LEAST_OLDER = 2 * WEEK
ENOUGH_OLDER = 4 * WEEK
"""Which are left where half a year is compared on; with less history it is divided."""

LEAST_COMPARED_ON = 4 * WEEK
RECENT = (28, 91, 182)


@dataclass(frozen=True)
class Spans:
    """Days around a campaign's first day.

    days, seen, after:  its length, how much of it lies before the as-of date, and how much of the time after it.
    history:            days of data before it.
    compared_on:        days just before it in which customers are to be alike; `older`: days before those, 0 where
                        the history does not hold enough.
    """

    days: int
    seen: int
    after: int
    history: int
    compared_on: int
    older: int


@dataclass(frozen=True)
class Week:
    """Some days from a campaign's first day, half open, and what they are: older, compared on, during or after."""

    first: int
    end: int
    part: str


@dataclass(frozen=True)
class Watched:
    """Everyone who had bought before a campaign, by customer_id, and what they bought around it.

    known:    what was known on its first day, of the days compared on.
    outcomes: `OUTCOMES` by window: `during`, `after` and `older`; `older_during` and `older_after`, the newest of the
              older days, and `before_during` and `before_after`, the days just before the campaign, of their length.
    weekly:   net sales in each of `weeks`.
    """

    campaign: Campaign
    spans: Spans
    known: pd.DataFrame = field(repr=False)
    outcomes: Mapping[str, pd.DataFrame] = field(repr=False)
    weeks: tuple[Week, ...] = field(repr=False)
    weekly: pd.DataFrame = field(repr=False)


def watch(facts: Facts, campaign: Campaign, as_of: dt.date, *, after_days: int) -> Watched:
    """Look at a campaign's surroundings; nothing on or after `as_of` is read."""
    spans = spans_of(facts, campaign, as_of, after_days=after_days)
    weeks = weeks_of(spans)
    lengths = sorted({min(length, spans.compared_on) for length in (*RECENT, spans.days)})
    windows = {
        **{str(length): (-length, 0) for length in lengths},
        "during": (0, spans.seen),
        "after": (spans.days, spans.days + spans.after),
        "older": (-spans.compared_on - spans.older, -spans.compared_on),
        "older_during": (-spans.compared_on - min(spans.seen, spans.older), -spans.compared_on),
        "older_after": (-spans.compared_on - min(spans.after, spans.older), -spans.compared_on),
        "before_during": (-spans.seen, 0),
        "before_after": (-spans.after, 0),
    }
    table = customer_windows(facts, campaign.starts, windows).set_index("customer_id")
    table = table[table["days_since_last_purchase"].notna()]
    parts = ("during", "after", "older", "older_during", "older_after", "before_during", "before_after")
    return Watched(
        campaign,
        spans,
        _known(table, lengths, spans.compared_on),
        {part: _outcomes(table, part) for part in parts},
        weeks,
        _weekly(facts, campaign, spans, weeks).reindex(table.index, fill_value=0.0),
    )


def spans_of(facts: Facts, campaign: Campaign, as_of: dt.date, *, after_days: int) -> Spans:
    """Whole weeks are compared on: half a year where the history leaves enough for older days, otherwise two thirds
    of it, and all but `OLDER` or as many days as the campaign has.
    """
    cut = known_until(facts, as_of)
    seen = max(min(cut, campaign.ends) - campaign.starts, 0)
    after = max(min(cut - campaign.ends, after_days), 0)
    history = max(campaign.starts - facts.first_day, 0)
    wanted = max(_weeks(campaign.days + WEEK - 1), OLDER)
    compared_on = min(COMPARED_ON, _weeks(max(history - wanted, history * 2 // 3)))
    if history >= COMPARED_ON + ENOUGH_OLDER:
        compared_on = COMPARED_ON
    older = min(_weeks(history - compared_on), wanted)
    if compared_on < LEAST_COMPARED_ON or older < LEAST_OLDER:
        compared_on, older = min(COMPARED_ON, _weeks(history)), 0
    return Spans(campaign.days, seen, after, history, compared_on, older)


def weeks_of(spans: Spans) -> tuple[Week, ...]:
    """The weeks from the oldest on; the last one of the campaign, and of what follows it, may be shorter."""
    first = -spans.compared_on - spans.older
    parts = (
        ("older", first, -spans.compared_on),
        ("compared on", -spans.compared_on, 0),
        ("during", 0, spans.seen),
        ("after", spans.days, spans.days + spans.after),
    )
    return tuple(
        Week(day, min(day + WEEK, end), part) for part, begin, end in parts for day in range(begin, end, WEEK)
    )


def _weekly(facts: Facts, campaign: Campaign, spans: Spans, weeks: Sequence[Week]) -> pd.DataFrame:
    """Net sales of customers who bought in any of the weeks: a column for each, by its place."""
    oldest, newest = min((week.first for week in weeks), default=0), max((week.end for week in weeks), default=0)
    since = nw.col("day").cast(nw.Int64) - campaign.starts
    days = open_mart(facts)["customer_days"].with_columns(since=since)
    within = days.filter(nw.col("since") >= oldest, nw.col("since") < newest)
    # Every week before it is whole; those after it are counted from its end.
    place = nw.when(nw.col("since") < spans.days).then((nw.col("since") - oldest) // WEEK)
    after = sum(week.part != "after" for week in weeks) + (nw.col("since") - spans.days) // WEEK
    summed = within.with_columns(place=place.otherwise(after)).group_by("customer_id", "place")
    sales = to_pandas(summed.agg(nw.col("net_sales").sum().round(MONEY_DECIMALS)).sort("customer_id", "place"))
    table = sales.pivot(index="customer_id", columns="place", values="net_sales")
    return table.reindex(columns=range(len(weeks))).fillna(0.0)


def _weeks(days: int) -> int:
    return days - days % WEEK


def _known(table: pd.DataFrame, lengths: list[int], compared_on: int) -> pd.DataFrame:
    bought = {f"{what}_{length}": table[f"{what}_{length}"] for what in OUTCOMES[1:3] for length in lengths}
    return pd.DataFrame(
        {
            **bought,
            "days_since_last_purchase": table["days_since_last_purchase"].clip(upper=float(compared_on + 1)),
            "tenure": table["tenure"],
            "promotion_share": table["promotion_share"],
        }
    )


def _outcomes(table: pd.DataFrame, window: str) -> pd.DataFrame:
    counted = {what: table[f"{what}_{window}"] for what in OUTCOMES[1:]}
    return pd.DataFrame({OUTCOMES[0]: (counted["purchase_days"] > 0).astype("float64"), **counted})


__all__ = ["COMPARED_ON", "OLDER", "Spans", "Watched", "Week", "spans_of", "watch", "weeks_of"]
