"""Campaigns whose customers were drawn by lot: was the lot fair, and what did contacting cause?

Everyone counts in the arm that was drawn for them, whatever happened afterwards (intention to treat).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from crm.analyses.campaign_success.campaigns import HELD_OUT, TREATED, Campaigns, Chosen
from crm.analyses.campaign_success.differences import BoolArray, Difference, corrected, differences
from crm.analyses.campaign_success.windows import OUTCOMES, Around

UNFAIR = 0.001
"""Chance below which a lot is not believed to have been one."""

CONTAMINATED = 0.05
"""Share of the held-out who were contacted all the same, from which the effect is said to be too small."""

SMALLEST_GROUP = 50
"""Customers of an arm without which a group gets no effect of its own."""

EFFECTS = (
    "outcome", "window", "usual", "effect", "low", "high", "p", "p_corrected",
    "plain", "plain_low", "plain_high", "variance_reduction",
)  # fmt: skip
BALANCE = ("known", "treated", "held_out", "difference")


@dataclass(frozen=True)
class Lot:
    """Was the lot fair?

    planned:   share that was to be held out, NaN where no campaign says it.     drawn: the share that was.
    p_ratio:   chance of so unlike a share by luck (NaN without a plan); p_balance: of arms so unlike in what was
               known before.
    balance:   per column known before: means of both arms, and their difference in standard deviations.
    contacted_anyway: held-out customers with a date of contact or an answer.
    elsewhere: share of each arm that another campaign contacted in the same days, treated and held out.
    """

    planned: float
    drawn: float
    p_ratio: float
    p_balance: float
    balance: pd.DataFrame = field(repr=False)
    contacted_anyway: int
    held_out: int
    elsewhere: tuple[float, float]

    @property
    def fair(self) -> bool:
        """Nothing speaks against it."""
        return not any(chance < UNFAIR for chance in (self.p_ratio, self.p_balance))

    @property
    def contaminated(self) -> bool:
        """Were so many of the held-out contacted, by this campaign or another, that the effect looks too small?"""
        return self.contacted_anyway > CONTAMINATED * self.held_out or self.unlike_elsewhere

    @property
    def unlike_elsewhere(self) -> bool:
        """Did other campaigns of the same days contact more of the held-out than of the treated?"""
        treated, held_out = self.elsewhere
        return held_out - treated > CONTAMINATED


@dataclass(frozen=True)
class Experiment:
    """What an experiment showed. effects: `EFFECTS`, the main outcome's window first; main: the main difference.

    groups: per group of customers the main outcome's effect, with p values corrected for the groups.
    p_groups: chance of groups so unlike in effect by luck alone.
    """

    lot: Lot
    main: Difference = field(repr=False)
    main_outcome: str
    effects: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    p_groups: float

    def of(self, outcome: str, window: str = "during") -> pd.Series[float]:
        """The row of one outcome."""
        rows = self.effects[(self.effects["outcome"] == outcome) & (self.effects["window"] == window)]
        found: pd.Series[float] = rows.iloc[0]
        return found


def lot_of(chosen: Chosen, around: Around, campaigns: Campaigns) -> Lot:
    """Was the lot of one campaign fair?"""
    drawn = chosen.customers[chosen.customers["arm"].isin([TREATED, HELD_OUT])]
    here = around.rows_of(drawn["customer_id"])
    return check_lot(chosen, drawn, covariates(here.before), (drawn["arm"] == TREATED).to_numpy(), campaigns)


def read_experiment(
    chosen: Chosen,
    around: Around,
    campaigns: Campaigns,
    *,
    main_outcome: str,
    groups: Mapping[str, pd.Series[str]] | None = None,
) -> Experiment:
    """What the arms of one campaign differ in. groups: by name, the group of each customer_id."""
    drawn = chosen.customers[chosen.customers["arm"].isin([TREATED, HELD_OUT])]
    here = around.rows_of(drawn["customer_id"])
    treated: BoolArray = (drawn["arm"] == TREATED).to_numpy()
    known = covariates(here.before)
    lot = check_lot(chosen, drawn, known, treated, campaigns)
    told = _all_differences(drawn, here, treated, known)
    by_group, p_groups = _by_group(here.during[main_outcome], treated, known, groups or {})
    return Experiment(lot, told["during", main_outcome], main_outcome, _table(told), by_group, p_groups)


def covariates(before: pd.DataFrame) -> pd.DataFrame:
    """What is taken out of the noise, the most telling first."""
    return pd.DataFrame(
        {
            "net_sales_same": before["net_sales_same"],
            "purchase_days_same": before["purchase_days_same"],
            "net_sales_182": before["net_sales_182"],
            "purchase_days_182": before["purchase_days_182"],
            "log_days_since": np.log1p(before["days_since_last_purchase"]),
            "net_sales_28": before["net_sales_28"],
            "log_tenure": np.log1p(before["tenure"]),
            "promotion_share": before["promotion_share"],
        }
    )


def check_lot(
    chosen: Chosen, drawn: pd.DataFrame, known: pd.DataFrame, treated: BoolArray, campaigns: Campaigns
) -> Lot:
    """Arms of the planned sizes, alike in what was known before, and nobody in both."""
    planned, held = chosen.campaign.held_out_share, int((~treated).sum())
    count = len(treated)
    p_ratio = float(stats.binomtest(held, count, planned).pvalue) if count and np.isfinite(planned) else np.nan
    left_alone = drawn[~treated]
    dated = not drawn["reached"].all()
    anyway = left_alone["responded"].notna() | (left_alone["reached"] & dated)
    return Lot(
        planned=planned,
        drawn=held / count if count else np.nan,
        p_ratio=p_ratio,
        p_balance=_p_balance(known, treated),
        balance=_balance(known, treated),
        contacted_anyway=int(anyway.sum()),
        held_out=held,
        elsewhere=_elsewhere(drawn["customer_id"], treated, chosen, campaigns),
    )


def _p_balance(known: pd.DataFrame, treated: BoolArray) -> float:
    """Can the arm be told from what was known before? Of the squared correlation, n times chi-squared."""
    values = known.to_numpy(dtype="float64")
    centred = values - values.mean(axis=0)
    arm = treated - treated.mean()
    if len(arm) < 4 * len(known.columns) or not arm.any():
        return float("nan")
    left, sizes, _ = np.linalg.svd(centred / np.maximum(centred.std(axis=0), 1e-12), full_matrices=False)
    own = sizes > 1e-8 * sizes.max(initial=1e-300)
    explained = ((left[:, own].T @ arm) ** 2).sum() / (arm**2).sum()
    return float(stats.chi2.sf(len(arm) * explained, int(own.sum())))


def _balance(known: pd.DataFrame, treated: BoolArray) -> pd.DataFrame:
    one, other = known[treated], known[~treated]
    spread = np.sqrt((one.var() + other.var()) / 2)
    difference = (one.mean() - other.mean()) / spread.where(spread > 0)
    table = pd.DataFrame(
        {"known": known.columns, "treated": one.mean(), "held_out": other.mean(), "difference": difference}
    )
    return table.fillna({"difference": 0.0}).reset_index(drop=True)[list(BALANCE)]


def _elsewhere(
    customers: pd.Series[str], treated: BoolArray, chosen: Chosen, campaigns: Campaigns
) -> tuple[float, float]:
    """The share of each arm that other campaigns contacted in the same days."""
    others = campaigns.overlapping(chosen.campaign)
    reached = {name for one in others for name in one.customers.loc[one.customers["arm"] != HELD_OUT, "customer_id"]}
    also = customers.isin(reached).to_numpy()
    return _share(also[treated]), _share(also[~treated])


def _share(of: BoolArray) -> float:
    return float(of.mean()) if len(of) else float("nan")


def _all_differences(
    drawn: pd.DataFrame, here: Around, treated: BoolArray, known: pd.DataFrame
) -> dict[tuple[str, str], Difference]:
    during = here.during.assign(responded=drawn["responded"].notna().to_numpy(dtype="float64"))
    told = {("during", name): one for name, one in differences(during, treated, known).items()}
    if here.after_days:
        told |= {("after", name): one for name, one in differences(here.after, treated, known).items()}
    return told


def _table(told: Mapping[tuple[str, str], Difference]) -> pd.DataFrame:
    """The response is not one of the outcomes corrected for: only who is contacted can answer."""
    order = ["responded", *OUTCOMES]
    keys = sorted(told, key=lambda key: (key[0] == "after", order.index(key[1])))
    rows = [
        (outcome, window, one.usual, one.effect, one.low, one.high, one.p, np.nan, one.plain, *one.plain_interval,
         one.variance_reduction)
        for window, outcome in keys
        for one in (told[window, outcome],)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(EFFECTS))
    asked = table["outcome"] != "responded"
    table.loc[asked, "p_corrected"] = corrected(table.loc[asked, "p"].tolist())
    return table


GROUPS = ("by", "group", "treated", "held_out", "usual", "effect", "low", "high", "p", "p_corrected")


def _by_group(
    outcome: pd.Series[float],
    treated: BoolArray,
    known: pd.DataFrame,
    groups: Mapping[str, pd.Series[str]],
) -> tuple[pd.DataFrame, float]:
    """The effect in each group that is large enough, and whether the groups of any kind differ beyond luck."""
    rows: list[tuple[object, ...]] = []
    unlike: list[float] = []
    for by, group_of in groups.items():
        group = group_of.reindex(outcome.index).fillna("(unknown)").to_numpy()
        told = [
            (name, one)
            for name in sorted(set(group))
            if (one := _in_group(outcome, treated, known, group == name)) is not None
        ]
        rows += [
            (by, name, one.treated, one.held_out, one.usual, one.effect, one.low, one.high, one.p, np.nan)
            for name, one in told
        ]
        unlike.append(_p_unlike([one for _, one in told]))
    table = pd.DataFrame(rows, columns=list(GROUPS))
    table["p_corrected"] = corrected(table["p"].tolist())
    tested = [chance for chance in corrected(unlike) if np.isfinite(chance)]
    return table, min(tested, default=float("nan"))


def _in_group(
    outcome: pd.Series[float], treated: BoolArray, known: pd.DataFrame, here: BoolArray
) -> Difference | None:
    if min((treated & here).sum(), (~treated & here).sum()) < SMALLEST_GROUP:
        return None
    return differences(outcome[here].to_frame("main"), treated[here], known[here])["main"]


def _p_unlike(told: list[Difference]) -> float:
    """Cochran's Q: chance of effects so unlike if all groups had the same."""
    sure = [one for one in told if one.se > 0]
    if len(sure) < 2:
        return float("nan")
    weight, effect = np.array([1 / one.se**2 for one in sure]), np.array([one.effect for one in sure])
    common = (weight * effect).sum() / weight.sum()
    return float(stats.chi2.sf((weight * (effect - common) ** 2).sum(), len(sure) - 1))


__all__ = [
    "BALANCE",
    "EFFECTS",
    "GROUPS",
    "Experiment",
    "Lot",
    "check_lot",
    "covariates",
    "lot_of",
    "read_experiment",
]
