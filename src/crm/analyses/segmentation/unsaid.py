"""What the data do not allow to be said of the segments, each in one sentence with its reason and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from crm.analyses import Addition, left_out
from crm.analyses.segmentation.behaviour import DAYS, OTHER, Behaviour
from crm.analyses.segmentation.clusters import FEWEST_PER_SEGMENT, NUMBERS_TRIED
from crm.analyses.segmentation.migration import NEW
from crm.analyses.segmentation.money import NO_DIFFERENCE
from crm.analyses.segmentation.needs import REQUIREMENTS
from crm.mart import UNKNOWN

FEWEST_TO_TELL_APART = FEWEST_PER_SEGMENT * min(NUMBERS_TRIED)
_BY_PRODUCT = "purchases.product_id"
_COLUMN = {"department": "products.department", "channel": "purchases.channel"}
_ALL_OF_ONE = {"department": "is of one department: {}", "channel": "was ordered by one channel: {}"}


@dataclass(frozen=True)
class Reasons:
    """Why some sections say nothing, whatever the segments are: a sentence each, empty where they say something."""

    department: str
    channel: str
    migration: str
    wanting: tuple[Addition, ...] = field(repr=False)


def reasons(behaviour: Behaviour, wanting: Sequence[Addition], *, migration: str) -> Reasons:
    """wanting: what the source does not have.     migration: why there is no previous date; or empty."""
    lacking = {by: _lacking(by, {one.name for one in wanting}) for by in _COLUMN}
    return Reasons(
        department=_spread("department", behaviour.departments, lacking),
        channel=_spread("channel", behaviour.channels, lacking),
        migration=migration,
        wanting=tuple(wanting),
    )


def known_columns(wide: pd.DataFrame) -> list[str]:
    """The departments, or channels, with a name of their own and anything in them."""
    return [str(name) for name in wide.columns[(wide.sum() > 0).to_numpy()] if name not in (OTHER, UNKNOWN)]


def where_assumed(wanting: Sequence[Addition]) -> str:
    """Where the gross margin is assumed, as a clause; empty where no product has a rate of its own."""
    return "" if "products.margin_rate" in {one.name for one in wanting} else " where a product's own is not known"


def why_one_segment(bought: int) -> str:
    """Why there is one segment by behaviour at most, of so many customers who bought within the year."""
    if not bought:
        return f"Nobody bought in the last {DAYS} days, so there is no behaviour to tell customers apart by."
    who = f"the {bought:,} who" if bought > 1 else "the one who"
    one = f"{who} bought in the last {DAYS} days {'are' if bought > 1 else 'is'} one segment"
    if bought < FEWEST_TO_TELL_APART:
        return f"It takes {FEWEST_TO_TELL_APART} customers to tell them apart by behaviour; {one}."
    return f"Customers buy too much alike to be told apart by behaviour; {one}."


def unsaid(
    kind: str,
    found: Mapping[str, pd.DataFrame],
    *,
    names: pd.Series[str],
    bought: int,
    why: Reasons,
) -> dict[str, str]:
    """The sentence of each section that is left out: segments, apart, department, channel, costs, migration, moved.

    found: `costs`, `standing_out` and, with a previous date, `flows`.
    """
    one = _one_segment(kind, names, bought)
    sections = {
        "segments": one,
        "apart": one or _apart(found["standing_out"]),
        "department": why.department or one,
        "channel": why.channel or one,
        "costs": _costs(found["costs"], why.wanting) or one,
        "migration": why.migration or (one if _stays_one(found["flows"]) else ""),
        "moved": why.migration or _moved(found["flows"]),
    }
    return {section: sentence for section, sentence in sections.items() if sentence}


def _one_segment(kind: str, names: pd.Series[str], bought: int) -> str:
    if names.nunique() > 1:
        return ""
    if kind == "rfm":
        return f"All {len(names):,} customers are in one RFM segment, {names.iloc[0]}: there is nothing to compare."
    return why_one_segment(bought)


def _apart(standing_out: pd.DataFrame) -> str:
    return "No segment differs from the average customer by more than chance may do." if standing_out.empty else ""


def _costs(costs: pd.DataFrame, wanting: Sequence[Addition]) -> str:
    """Where nothing is discounted or sent back, and margins are assumed, every segment keeps the same share."""
    if not costs["net_sales"].sum() > 0:
        return f"Nothing was paid for in the last {DAYS} days, so there is no margin to weigh costs against."
    rates = costs["net_margin_rate"].dropna()
    if costs["discount"].sum() > 0 or costs["returned"].sum() > 0 or rates.max() - rates.min() > NO_DIFFERENCE:
        return ""
    names = ("purchases.discount_amount", "products.margin_rate", "returns")
    if lacking := [one for one in wanting if one.name in names]:
        return left_out(lacking, what="what each segment costs, beyond the same assumed share of its sales")
    return f"Nothing was discounted or sent back in the last {DAYS} days, so no segment costs more than another."


def _stays_one(flows: pd.DataFrame) -> bool:
    """Is everybody in one and the same segment on both dates?"""
    return len((set(flows["from_segment"]) | set(flows["to_segment"])) - {NEW}) == 1


def _moved(flows: pd.DataFrame) -> str:
    if flows["net_sales_before"].abs().sum() + flows["net_sales_now"].abs().sum() > 0:
        return ""
    return "Nobody paid for anything in the quarter before either date, so no money moved."


def _lacking(by: str, wanting: set[str]) -> str:
    """The column without which nothing can be told by department, or by channel; empty where it is there."""
    if by == "department" and _COLUMN[by] not in wanting and _BY_PRODUCT in wanting:
        return _BY_PRODUCT
    return _COLUMN[by] if _COLUMN[by] in wanting else ""


def _spread(by: str, wide: pd.DataFrame | None, lacking: Mapping[str, str]) -> str:
    """Why nothing is told by department, or by channel; both in one sentence where both lack their column."""
    if lacking[by]:
        return left_out([REQUIREMENTS.addition(column) for column in lacking.values() if column])
    if wide is None or not float(wide.to_numpy().sum()) > 0:
        nothing = "bought" if wide is None else "paid for"
        return f"Nothing was {nothing} in the last {DAYS} days, so there is nothing to tell by {by}."
    known = known_columns(wide)
    if len(known) > 1:
        return ""
    if known:
        what = "All that is known of what was bought" if UNKNOWN in wide else "All that was bought"
        return f"{what} in the last {DAYS} days {_ALL_OF_ONE[by].format(known[0])}."
    adds = REQUIREMENTS.addition(_COLUMN[by]).adds
    return f"Left out: {adds}. Nothing that was bought in the last {DAYS} days has a known {by}."
