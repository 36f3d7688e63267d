"""What the data do not allow to be said of those who left, each in one sentence with its reason."""

from __future__ import annotations

from crm.analyses.defection.understanding.curves import FEWEST
from crm.analyses.defection.understanding.lives import OLDER_THAN_SEEN
from crm.analyses.defection.understanding.result import Understanding
from crm.analyses.defection.understanding.windows import MEASURES, Measure

_TABLES = {
    "customer_category_days": "products", "delivery_days": "deliveries", "products_sold": "lines with a product",
}  # fmt: skip


def unsaid(one: Understanding, known: tuple[Measure, ...]) -> dict[str, str]:
    """The sentence of each part that is left out."""
    told = set(one.curves["group_kind"])
    kinds = [kind for kind in _WHY if kind != "plan" or one.stake.kind == "cancellation"]
    sentences = {
        f"curves_by_{kind}": f"Staying by {kind} is left out: {_WHY[kind]}." for kind in kinds if kind not in told
    }
    sentences |= {name: why for name, (empty, why) in _parts(one).items() if empty}
    return sentences | {
        f"measure_{measure.name}": f"Of {measure.label} nothing can be said: the table "
        f"{_TABLES.get(measure.needs, measure.needs)} is not there."
        for measure in MEASURES
        if measure not in known
    }


_TWO = f"it takes two at least, with {FEWEST} customers or more each"
_SEEN = f"who were seen to join, {OLDER_THAN_SEEN} days or more into the history"
_WHY = {
    "segment": f"{_TWO}, from the segmentation of the same date",
    "cohort": f"{_TWO} {_SEEN}",
    "department": f"{_TWO} {_SEEN}, and products with their departments",
    "channel": f"{_TWO} {_SEEN}, and purchases with their channel",
    "plan": _TWO,
}


def _parts(one: Understanding) -> dict[str, tuple[bool, str]]:
    """Of each part, whether it is empty, and why that is so."""
    horizon = one.stake.after_days
    short = (
        f"it takes {horizon} days of history before a date and as many after it, before {one.as_of}"
        if not one.dates
        else f"nobody left within {horizon} days of a date"
        if not one.leavers
        else "those who left have nobody similar who stayed, or too little time before"
    )
    return {
        "by_purchase": (one.by_purchase.empty, "After which purchase customers leave is left out: too few joined "
                        "since the history began, or purchases are not what ends."),
        "by_tenure": (one.by_tenure.empty, "When in their life customers leave is left out: too few were watched for "
                      "as long as its first part."),
        "partial": (one.partial.empty, f"Partial beside full defection is left out: {short}."),
        "changes": (one.changes.empty, f"What changed before they left cannot be said: {short}."),
        "dropped": (one.dropped.empty, "What was dropped first cannot be said: it takes products with departments or "
                    "categories that enough of those who left used to buy."),
        "signs": (not (one.losses["kind"] == "sign").any(), "What went before leaving cannot be named: no "
                  "deliveries, service cases or prices are known of those who left."),
        "returned": (one.returned.empty, f"Who came back by themselves cannot be said: fewer than {FEWEST} customers "
                     "were gone at any time."),
    }  # fmt: skip
