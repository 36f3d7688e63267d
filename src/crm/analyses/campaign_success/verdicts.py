"""What may be said of a campaign: that it caused something, that there is no sign of it, or that nobody can tell?

The main outcome decides, and is stated before ([campaigns] judged_by). An effect that matters is one of
[campaigns] smallest_effect of the usual: a campaign whose interval excludes even that has shown no sign, one whose
interval holds both nothing and such an effect has shown neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crm.analyses.campaign_success.looking import Look
from crm.analyses.campaign_success.observational import Observed
from crm.analyses.campaign_success.randomised import Experiment

Word = Literal["caused more", "caused less", "no sign", "cannot tell", "not yet readable"]
Evidence = Literal["experiment", "observational", "none"]

WORDS: tuple[Word, ...] = ("caused more", "caused less", "no sign", "cannot tell", "not yet readable")
"""From what can be acted on to what cannot."""


@dataclass(frozen=True)
class Verdict:
    """word: what may be said.     evidence: on what ground.     because: why, the end of a sentence.

    usual, effect, low, high: of the main outcome, per contacted customer; NaN where nothing could be compared.
    """

    word: Word
    evidence: Evidence
    because: str
    usual: float
    effect: float
    low: float
    high: float

    @property
    def claimed(self) -> bool:
        """Is an effect claimed?"""
        return self.word in ("caused more", "caused less")


def of_experiment(
    experiment: Experiment, *, matters: float, running: Look | None, not_ended: str = "it has not ended"
) -> Verdict:
    """Of a campaign drawn by lot; running: the look at one that is not over, and not_ended why it is not."""
    main, lot = experiment.main, experiment.lot
    told = (main.usual, main.effect, main.low, main.high)
    if not lot.fair:
        return Verdict("cannot tell", "experiment", _unfair(experiment), *told)
    if running is not None:
        ends = (running.low, running.high)
        if running.sure:
            word: Word = "caused more" if running.low > 0 else "caused less"
            return Verdict(word, "experiment", "even by the interval that allows daily looks", *told[:2], *ends)
        return Verdict("not yet readable", "experiment", not_ended, *told[:2], *ends)
    if not np.isfinite(main.low):
        why = f"its arms have {main.treated:,} and {main.held_out:,} customers, and each needs two at least"
        return Verdict("cannot tell", "experiment", why, *told)
    return _by_interval("experiment", *told, matters=matters)


def of_observed(observed: Observed, outcome: str, *, matters: float, not_ended: str = "") -> Verdict:
    """Of a campaign without a lot; not_ended: why it is not over, empty where it is."""
    rows = observed.effects
    rows = rows[(rows["outcome"] == outcome) & (rows["window"] == "during")] if len(rows) else rows
    told = tuple(rows[["usual", "effect", "low", "high"]].iloc[0]) if len(rows) else (np.nan,) * 4
    if not_ended:
        return Verdict("not yet readable", "observational", not_ended, *told)
    if observed.placebo.passed is False:
        return Verdict("cannot tell", "observational", "older days, which it cannot have changed, differ too", *told)
    if not observed.claim_allowed:
        return Verdict("cannot tell", "observational", observed.why_not, *told)
    verdict = _by_interval("observational", *told, matters=matters)
    if verdict.claimed and not observed.borne_out(outcome):
        return Verdict("cannot tell", "observational", "what the older days show may account for it", *told)
    return verdict


def nothing_to_compare(why: str) -> Verdict:
    """Of a campaign that nobody can be compared for."""
    return Verdict("cannot tell", "none", why, *(np.nan,) * 4)


def _by_interval(
    evidence: Evidence, usual: float, effect: float, low: float, high: float, *, matters: float
) -> Verdict:
    told = (usual, effect, low, high)
    if low > 0:
        return Verdict("caused more", evidence, "its interval lies above nothing", *told)
    if high < 0:
        return Verdict("caused less", evidence, "its interval lies below nothing", *told)
    worth = matters * abs(usual)
    if high < worth and low > -worth:
        return Verdict(
            "no sign", evidence, f"a gain or loss of {matters:.0%} of the usual lies outside its interval", *told
        )
    if high < worth:
        return Verdict("no sign", evidence, f"a gain of {matters:.0%} of the usual lies outside its interval", *told)
    return Verdict("cannot tell", evidence, f"its interval holds both nothing and {matters:.0%} of the usual", *told)


def _unfair(experiment: Experiment) -> str:
    lot = experiment.lot
    if lot.p_ratio < lot.p_balance or not np.isfinite(lot.p_balance):
        return f"{lot.drawn:.0%} were held out where {lot.planned:.0%} were planned, which is no lot's luck"
    return "its arms were unlike before it began, which is no lot's luck"


__all__ = ["WORDS", "Evidence", "Verdict", "Word", "nothing_to_compare", "of_experiment", "of_observed"]
