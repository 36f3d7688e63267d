"""What the data do not allow to be said of cross-sell, each in one sentence with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.analyses import left_out
from crm.analyses.cross_sell.needs import REQUIREMENTS

if TYPE_CHECKING:
    from crm.analyses.cross_sell.result import CrossSell


def no_items(one_level: str) -> str:
    """Why nothing can be offered."""
    name = {"category": "products.category", "department": "products.department", "product": "purchases.product_id"}
    lacks = left_out([REQUIREMENTS.addition("purchases.product_id"), REQUIREMENTS.addition(name[one_level])])
    return f"{lacks} It also takes at least two items that enough customers buy."


def unsaid(one: CrossSell) -> dict[str, str]:
    """The sentence of each section that is left out.

    Sections: scores, judged, together, up_sell, elsewhere, by_segment.
    """
    if one.seen is None:
        return dict.fromkeys(("scores", "judged", "together", "up_sell", "elsewhere", "by_segment"), _NOT_KNOWN)
    sections = {
        "judged": _NOT_JUDGED.format(days=3 * one.horizon_days, as_of=one.as_of) if one.judged.gains.empty else "",
        "together": _APART if one.together is None or one.together.pairs.empty else "",
        "up_sell": _NO_LINES if one.up.customers.empty else "",
        "elsewhere": _NOT_COMPARED if one.elsewhere.empty else "",
        "by_segment": _NO_SEGMENTS if one.by_segment.empty else "",
    }
    return {section: sentence for section, sentence in sections.items() if sentence}


_NOT_KNOWN = "This is left out, as it is not known what was bought: see the answer."
_NOT_JUDGED = (
    "How well this would have done before cannot be shown: that takes about {days} days of history before "
    "{as_of}, and "
    "customers who bought something new. The best-sellers stand."
)
_APART = "No two items are bought by the same customers more often than chance allows."
_NO_LINES = (
    "Who may move to a dearer line is left out: it takes quantities and categories whose dearer products cost a "
    "fifth "
    "more, with customers who moved before."
)
_NOT_COMPARED = "What is bought elsewhere is left out: too few similar customers buy the same items to compare with."
_NO_SEGMENTS = "Items by segment are left out: they take the segmentation of the same date."
