"""What the data do not allow to be said of those who may leave, each in one sentence with its reason."""

from __future__ import annotations

from crm.analyses.defection.result import Evidence
from crm.analyses.defection.say import tells_chances
from crm.headline import FEWEST_SHOWN


def unsaid(evidence: Evidence) -> dict[str, str]:
    """The sentence of each section that is left out; those of understanding who left are among them.

    Sections: judged, calibration, over_plain, groups, expected, drivers, reasons, badly_treated, and those of
    `understanding.result`.
    """
    judged, customers = evidence.judged, evidence.customers
    sections = {
        "judged": _not_judged(evidence) if judged.table.empty else "",
        "calibration": _not_calibrated(evidence) if judged.calibration.empty else "",
        "over_plain": _not_judged(evidence) if judged.table.empty else _NOTHING_LEARNT * judged.over_plain.empty,
        "groups": _NO_GROUPS * judged.groups.empty,
        "expected": _NO_CHANCES * (not tells_chances(evidence)),
        "drivers": _NOTHING_LEARNT * evidence.drivers.empty,
        "reasons": _NO_REASONS * (not customers["causes"].ne("").any()),
        "badly_treated": _NO_BEST * evidence.badly_treated.empty,
    }
    return dict(evidence.understanding.unsaid) | {name: sentence for name, sentence in sections.items() if sentence}


_NOTHING_LEARNT = "Nothing was learnt from earlier dates: the order is that of a rule of thumb."
_NO_GROUPS = (
    "Where it does well and where not cannot be shown: it takes a judged date, and groups with enough who left."
)
_NO_CHANCES = (
    "How many will leave, and whom to contact, cannot be said: nobody's chance to leave is known, as nothing could "
    "be learnt from earlier dates."
)
_NO_REASONS = "Reasons per customer are left out: none of them could be held against what scores."
_NO_BEST = (
    f"How the best customers were treated cannot be said: it takes returns, deliveries or service cases, and "
    f"{FEWEST_SHOWN} customers at least in the best tenth."
)


def _not_judged(evidence: Evidence) -> str:
    days = evidence.horizon_days
    return (
        f"How well this would have done before cannot be shown: judging {days} days takes about {4 * days} days of "
        f"history, some before an earlier date and some after it, up to {evidence.as_of}."
    )


def _not_calibrated(evidence: Evidence) -> str:
    if evidence.judged.table.empty:
        return _not_judged(evidence)
    return "How true the chances are cannot be shown: nothing with a chance was judged, or nobody left."
