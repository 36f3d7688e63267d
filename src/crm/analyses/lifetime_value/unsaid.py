"""What the data do not allow to be said of lifetime value, each in one sentence with its reason."""

from __future__ import annotations

from crm.analyses import left_out
from crm.analyses.lifetime_value.dates import HISTORY_PER_HORIZON
from crm.analyses.lifetime_value.groups import FEWEST, FEWEST_COMPARED, OLDER_THAN_SEEN
from crm.analyses.lifetime_value.needs import REQUIREMENTS
from crm.analyses.lifetime_value.result import Evidence
from crm.analyses.lifetime_value.say import first


def unsaid(evidence: Evidence) -> dict[str, str]:
    """The sentence of each section that is left out.

    Sections: judged, weekly, by_segment, by_department, by_cohort, by_channel, moved, apart.
    """
    answers, judged = evidence.answers, evidence.judged
    sections = {
        "judged": _not_judged(evidence) if judged.table.empty else "",
        "weekly": _not_judged(evidence) if judged.weekly.empty else "",
        "by_segment": _NO_SEGMENTS if answers.by_segment.empty else "",
        "by_department": _first_purchase(evidence, "products.department") if answers.by_department.empty else "",
        "by_cohort": _few_joined(evidence) or _ONE_COHORT if answers.by_cohort.empty else "",
        "by_channel": _first_purchase(evidence, "purchases.channel") if answers.by_channel.empty else "",
        "moved": _not_moved(evidence) if answers.moved.empty else "",
        "apart": _not_apart(evidence) if answers.apart.empty else "",
    }
    return {section: sentence for section, sentence in sections.items() if sentence}


_NO_SEGMENTS = "Value by segment is left out: it takes at least two segments, from the segmentation of the same date."
_ONE_COHORT = (
    "Value by the time of joining is left out: customers first seen at the start of the history may be older than "
    "they look, and too few joined later."
)


def _not_judged(evidence: Evidence) -> str:
    return (
        "How well this would have done before cannot be shown: judging "
        f"{evidence.horizon_days} days takes about {HISTORY_PER_HORIZON * evidence.horizon_days:,.0f} days of "
        f"history, some before an earlier date and some after it, up to {evidence.as_of}."
    )


def _first_purchase(evidence: Evidence, column: str) -> str:
    """Why nothing is told by department, or by channel, of the first purchase."""
    if column in {one.name for one in evidence.wanting}:
        return left_out([REQUIREMENTS.addition(column)])
    if few := _few_joined(evidence):
        return few
    word = column.split(".")[1]
    return (
        f"Left out: {REQUIREMENTS.addition(column).adds}. It takes two {word}s at least, with {FEWEST} customers or "
        "more who joined there."
    )


def _few_joined(evidence: Evidence) -> str:
    """Why nothing is told of winning customers; empty where enough of them joined."""
    row = first(evidence.answers.joined)
    if row["customers"] >= FEWEST_COMPARED:
        return ""
    were = {0: "none was", 1: "one was"}.get(row["customers"], f"{row['customers']} were")
    return (
        f"What a customer is worth who is won is left out: it takes {FEWEST_COMPARED} customers at least who were "
        f"seen to join, with a first purchase {OLDER_THAN_SEEN} days or more into the history (from {row['since']} "
        f"on), and {were}. Who was there before may have joined long ago."
    )


def _not_moved(evidence: Evidence) -> str:
    if evidence.answers.previous is None:
        return f"What moved cannot be said: the history does not reach back far enough before {evidence.as_of}."
    return f"Of the customers of today nobody's value is known on {evidence.answers.previous}, so that nothing moved."


def _not_apart(evidence: Evidence) -> str:
    if evidence.answers.top_tier.empty:
        return f"No margin is expected in the next {evidence.horizon_days} days, so that nobody stands out."
    return "Those who bring half of the margin differ from the others by no more than chance may do."
