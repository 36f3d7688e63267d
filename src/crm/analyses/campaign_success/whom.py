"""Whom does a contact win, whom does it leave as they are, whom does it drive away; and how many should be contacted?

Groups are told by what is expected of each customer without and with a contact. Beside what is expected stands what
the experiments showed of the customers in the group, none of whom it was learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.campaign_success.money import mean_by
from crm.analyses.campaign_success.uplift import Experiments, Uplift, UpliftJudged
from crm.measures.amounts import FloatArray

PERSUADABLE, SURE, LOST, DISTURBED = "persuadable", "sure thing", "lost cause", "do not disturb"
GROUPS = (PERSUADABLE, SURE, LOST, DISTURBED)

NOTICEABLE = 0.02
"""Change in the chance of a purchase from which a customer counts as won, or driven away."""
LIKELY = 0.5
"""Chance of a purchase without a contact from which somebody unmoved is a sure thing."""

COLUMNS = (
    "group", "customers", "share", "without", "with_contact", "effect", "margin_added", "drawn", "shown", "shown_low",
    "shown_high", "margin_shown", "margin_low", "margin_high",
)  # fmt: skip
CURVE = ("share", "profit", "low", "high", "over_all", "over_all_low", "over_all_high")


@dataclass(frozen=True)
class Policy:
    """What contacting the best part of an audience brings, after the cost of the contacts, per customer of all.

    curve:      `CURVE`; over_all: minus what contacting everybody brings.
    best_share: the share of the curve with the highest profit; 0 where no contact pays, NaN without experiments. The
                highest of many that are uncertain is read too high: judge it by `low` and `over_all_low`.
    """

    curve: pd.DataFrame = field(repr=False)
    best_share: float


def group_of(without: FloatArray, effect: FloatArray) -> npt.NDArray[np.object_]:
    """One of `GROUPS` for each customer, by the chance of a purchase without a contact and its effect."""
    unmoved = np.where(without >= LIKELY, SURE, LOST)
    moved = np.where(effect >= NOTICEABLE, PERSUADABLE, np.where(effect <= -NOTICEABLE, DISTURBED, unmoved))
    return np.asarray(moved, dtype=object)


def groups_table(
    experiments: Experiments, judged: UpliftJudged, uplift: Uplift, today: pd.DataFrame | None
) -> pd.DataFrame:
    """One row per group: `COLUMNS`; empty where there is nothing to target on.

    customers, share: of those in `today` (what is known of the active customers). without, with_contact: their chance
    of a purchase in the days of a campaign, in the mean; effect and margin_added: what a contact is expected to add.
    drawn: customers of the experiments who were expected to be in the group; shown, margin_shown: what a contact did
    add to theirs, with interval.
    """
    if not judged.target or today is None:
        return pd.DataFrame(columns=list(COLUMNS))
    without, effect = uplift.chance_without(today), uplift.of(today, "purchase")
    margin, group = uplift.of(today, "margin"), group_of(without, effect)
    order, at_hand = judged.order[experiments.judged], experiments.within[experiments.judged]
    expected = uplift.average["purchase"] + uplift.slope["purchase"] * (order - mean_by(order, at_hand))
    drawn = group_of(judged.without[experiments.judged], expected)
    judges = {target: judged.judge_of(experiments, target) for target in ("purchase", "margin")}
    rows = []
    for name in GROUPS:
        at = group == name
        means = [float(values[at].mean()) if at.any() else np.nan for values in (without, effect, margin)]
        some = np.asarray(drawn == name)
        shown = [judges[target].mean_of(some) for target in ("purchase", "margin")]
        with_contact = float(np.clip(means[0] + means[1], 0.0, 1.0))
        told = (means[0], with_contact, means[1], means[2])
        share = float(at.mean()) if len(at) else np.nan
        rows.append((name, int(at.sum()), share, *told, int(some.sum()), *shown[0], *shown[1]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def policy_of(experiments: Experiments, judged: UpliftJudged) -> Policy:
    """The curve of expected profit over the experiments' customers, in the order of the money that what ships expects
    a contact to add (all the same without).

    The cost of a contact is that of the row's own campaign, 0 where none is known.
    """
    at = experiments.judged
    cost = experiments.rows["cost"].fillna(0.0).to_numpy(dtype="float64")[at]
    curve = judged.judge_of(experiments, "margin").policy_curve(judged.worth[at], cost)
    best = float(curve["share"].iloc[int(np.argmax(curve["profit"]))])
    return Policy(curve, best)


def no_policy() -> Policy:
    """Where there is no experiment."""
    return Policy(pd.DataFrame(columns=list(CURVE)), float("nan"))


__all__ = ["GROUPS", "Policy", "group_of", "groups_table", "no_policy", "policy_of"]
