"""What did a campaign cause that was not drawn by lot? Its contacted against untouched customers of the same past.

Such a comparison is right only if nothing unseen drove both who was chosen and what they bought. A lasting unseen
cause, such as how often somebody buys at heart, would show in older days as well, which were not compared on: if the
contacted bought more than their likes even then, no effect may be claimed (a placebo).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import HELD_OUT, Campaigns, Chosen
from crm.analyses.campaign_success.differences import BoolArray
from crm.analyses.campaign_success.event_study import WEEKS, event_study
from crm.analyses.campaign_success.sensitivity import Sensitivity, sensitivity
from crm.analyses.campaign_success.similar import (
    BALANCE,
    FEWEST,
    Differed,
    Explaining,
    Overlap,
    Similar,
    balance,
    explaining,
    find_similar,
)
from crm.analyses.campaign_success.watched import COMPARED_ON, LEAST_COMPARED_ON, Watched, watch
from crm.analyses.campaign_success.windows import OUTCOMES
from crm.facts import Facts

EFFECTS = (
    "outcome", "window", "usual", "effect", "low", "high", "p", "naive", "did", "beyond", "beyond_low", "beyond_high",
)  # fmt: skip
PLACEBO = ("outcome", "usual", "effect", "low", "high", "p")

TESTED = ("purchase_days", "net_sales")
"""Outcomes in which the older days must show nothing, together."""

PLACEBO_LEVEL = 0.05
FEWEST_COMPARED = 30
"""Contacted customers with similar untouched, and untouched they are effectively compared with."""

LEAST_SUPPORT = 0.25
"""Share of the contacted who must have similar untouched customers for the campaign to be judged by them."""

MOST_UNBALANCED = 0.1
"""Standard deviations by which both sides may still differ after weighting."""

SENSITIVE = "net_sales"

EARLIER = "campaigns_before_"

GROUPS = {
    "purchase days": "purchase_days_",
    "net sales": "net_sales_",
    "days since the last purchase": "days_since_last_purchase",
    "time since the first purchase": "tenure",
    "share bought on promotion": "promotion_share",
    "campaigns before": EARLIER,
    "campaigns at the same time": "campaigns_meanwhile_",
}
"""What is known, by the beginning of its columns' names."""


@dataclass(frozen=True)
class Placebo:
    """What the older days show, in which nothing can have been caused yet.

    table:  `PLACEBO`, scaled to as many days as the campaign was watched.
    first, end: those days, half open, from the campaign's first.     p: of so much by luck, `TESTED` together.
    passed: nothing showed; None where it cannot be told, and `why` says why not.
    """

    table: pd.DataFrame = field(repr=False)
    first: int
    end: int
    p: float
    passed: bool | None
    why: str

    @property
    def days(self) -> int:
        """How many."""
        return self.end - self.first


@dataclass(frozen=True)
class Company:
    """Customers who bought before the campaign, and those of them whom no other campaign reached in the same days.

    strangers: contacted who had never bought before: nobody's past is like theirs.
    """

    treated: int
    untouched: int
    treated_alone: int
    untouched_alone: int
    strangers: int


@dataclass(frozen=True)
class Observed:
    """What a campaign without a lot shows, per contacted customer who has similar untouched ones: observational.

    effects:     `EFFECTS`, per outcome during the campaign and after it: with its interval; naive, the plain
                 difference of contacted and untouched; did, the same less that of as many days before; beyond, the
                 effect less what the older days show already, with its interval.
    placebo:     what older days show.     balance: `BALANCE`.     event_study: `WEEKS`.
    compared:    identifiers of the contacted customers who have similar untouched ones.
    sensitivity: of the effect on net sales to unseen causes, None where nothing was compared.
    claim_allowed: an effect may be claimed where its interval excludes zero; otherwise `why_not`, the end of a
                 sentence, says why not.
    remarks:     what else should be known of the comparison.
    """

    campaign_id: str
    company: Company
    effects: pd.DataFrame = field(repr=False)
    placebo: Placebo
    balance: pd.DataFrame = field(repr=False)
    overlap: Overlap
    event_study: pd.DataFrame = field(repr=False)
    compared: pd.Index[str] = field(repr=False)
    sensitivity: Sensitivity | None
    claim_allowed: bool
    why_not: str
    remarks: tuple[str, ...]

    def borne_out(self, outcome: str, window: str = "during") -> bool:
        """Does the effect's interval exclude zero, and that of what lies beyond the older days on the same side?

        A weak unseen cause is not sure to show in the older days; what it does there, it does to the effect.
        """
        rows = self.effects[(self.effects["outcome"] == outcome) & (self.effects["window"] == window)]
        more = (rows["low"] > 0) & (rows["beyond_low"] > 0)
        less = (rows["high"] < 0) & (rows["beyond_high"] < 0)
        return bool((more | less).any())


def compare_without_lot(
    facts: Facts, chosen: Chosen, campaigns: Campaigns, as_of: dt.date, *, after_days: int, seed: int = 0
) -> Observed:
    """What a campaign caused among those it contacted, as far as untouched customers of the same past can tell.

    Nothing here is drawn by chance, so any seed gives the same. Never raises for want of data: `why_not`.
    """
    watched = watch(facts, chosen.campaign, as_of, after_days=after_days)
    contacted = chosen.customers.loc[chosen.customers["arm"] != HELD_OUT, "customer_id"]
    return compare(watched, contacted, contacts_of(watched.known.index, chosen, campaigns))


def contacts_of(customer_ids: pd.Index[str], chosen: Chosen, campaigns: Campaigns) -> pd.DataFrame:
    """Per customer, how many other campaigns: campaigns_before_received and campaigns_before_answered, begun before;
    campaigns_meanwhile_running and campaigns_meanwhile_begun, in the same days, begun before it or not.
    """
    campaign = chosen.campaign
    earlier = [one for one in campaigns.chosen if one.campaign.starts < campaign.starts]
    meanwhile = campaigns.overlapping(campaign)
    running = [one for one in meanwhile if one.campaign.starts <= campaign.starts]
    begun = [one for one in meanwhile if one.campaign.starts > campaign.starts]
    counts = {
        "campaigns_before_received": _count([_reached(one) for one in earlier]),
        "campaigns_before_answered": _count([_answered(one, campaign.starts) for one in earlier]),
        "campaigns_meanwhile_running": _count([_reached(one) for one in running]),
        "campaigns_meanwhile_begun": _count([_reached(one) for one in begun]),
    }
    return pd.DataFrame(
        {name: count.reindex(customer_ids).fillna(0).astype("float64") for name, count in counts.items()}
    )


def compare(watched: Watched, contacted: pd.Series[str], contacts: pd.DataFrame) -> Observed:
    """The contacted against untouched customers of the same past. contacts: `contacts_of` the watched customers."""
    treated = watched.known.index.isin(pd.Index(contacted))
    company = _company(contacts, treated, contacted)
    if nothing := _impossible(watched, company):
        return _not_compared(watched, company, nothing)
    compared = _compared(watched, treated, contacts)
    if compared is None:
        return _not_compared(watched, company, "not even two contacted customers have similar untouched ones")
    similar, placebo = compared.similar, compared.placebo
    balanced = balance(compared.known, treated, similar)
    why = _why_not(watched, placebo, similar.overlap, balanced)
    return Observed(
        campaign_id=watched.campaign.campaign_id,
        company=company,
        effects=_effects(watched, similar, treated),
        placebo=placebo,
        balance=balanced,
        overlap=similar.overlap,
        event_study=event_study(watched, similar),
        compared=compared.known.index[similar.treated],
        sensitivity=_sensitivity(watched, compared),
        claim_allowed=not why,
        why_not=why,
        remarks=_remarks(company, similar.overlap, earlier=compared.earlier),
    )


@dataclass(frozen=True)
class _Compared:
    """Who is compared, by what; earlier: campaigns before it are among it."""

    known: pd.DataFrame
    explains: Explaining
    similar: Similar
    placebo: Placebo
    earlier: bool


def _compared(watched: Watched, treated: BoolArray, contacts: pd.DataFrame) -> _Compared | None:
    """By earlier campaigns too, or without them where only then the older days show nothing.

    Who got earlier campaigns is what chooses for the next, in some companies. In others both depend on whom it may
    contact at all, and earlier campaigns on older purchases too: then customers alike in them had unlike older days.
    """
    meanwhile = contacts.loc[:, ~contacts.columns.str.startswith(EARLIER)]
    first = _by(watched, treated, contacts)
    if first is None or first.placebo.passed is not False or not _varies(contacts):
        return first
    second = _by(watched, treated, meanwhile)
    return second if second is not None and second.placebo.passed else first


def _varies(contacts: pd.DataFrame) -> bool:
    """Did any customer get an earlier campaign?"""
    return bool(contacts.loc[:, contacts.columns.str.startswith(EARLIER)].to_numpy().any())


def _by(watched: Watched, treated: BoolArray, contacts: pd.DataFrame) -> _Compared | None:
    known = watched.known.join(contacts)
    explains = explaining(known)
    similar = find_similar(explains, treated)
    if similar is None:
        return None
    earlier = bool(contacts.columns.str.startswith(EARLIER).any())
    return _Compared(known, explains, similar, _placebo(watched, similar.differ(_scaled(watched))), earlier)


def _reached(one: Chosen) -> pd.Series[str]:
    return one.customers.loc[one.customers["arm"] != HELD_OUT, "customer_id"]


def _answered(one: Chosen, before: int) -> pd.Series[str]:
    return one.customers.loc[one.customers["responded"] < before, "customer_id"]


def _count(customers: Sequence[pd.Series[str]]) -> pd.Series[int]:
    together: pd.Series[str] = pd.concat([pd.Series(dtype="str"), *customers])
    return together.value_counts()


def _company(contacts: pd.DataFrame, treated: BoolArray, contacted: pd.Series[str]) -> Company:
    alone = contacts.filter(like="campaigns_meanwhile_").sum(axis=1).to_numpy() == 0
    return Company(
        treated=int(treated.sum()),
        untouched=int((~treated).sum()),
        treated_alone=int((treated & alone).sum()),
        untouched_alone=int((~treated & alone).sum()),
        strangers=contacted.nunique() - int(treated.sum()),
    )


def _impossible(watched: Watched, company: Company) -> str:
    """Why nothing can be compared; empty where it can."""
    spans = watched.spans
    if spans.seen < 1:
        return "none of its days lies before the as-of date"
    if spans.history < 1:
        return "there is no history before it"
    if company.treated + company.strangers < FEWEST:
        return "only one customer was contacted" if company.treated + company.strangers else "nobody was contacted"
    if not company.treated:
        return "nobody it contacted had bought before"
    if not company.untouched:
        return "everybody who had bought before was contacted: nobody is left to compare with"
    return ""


def _scaled(watched: Watched, window: str = "during") -> pd.DataFrame:
    """Outcomes of the older days, as if of as many days as a window has; whether they bought is that of so many."""
    older, spans = watched.outcomes["older"], watched.spans
    share = _length(watched, window) / spans.older if spans.older else 0.0
    amounts = {name: older[name] * share for name in OUTCOMES[1:]}
    return watched.outcomes[f"older_{window}"].assign(**amounts)


def _length(watched: Watched, window: str) -> int:
    return watched.spans.after if window == "after" else watched.spans.seen


def _placebo(watched: Watched, older: Differed) -> Placebo:
    spans = watched.spans
    first, end = -spans.compared_on - spans.older, -spans.compared_on
    if not spans.older:
        why = f"only {spans.history} days of history lie before it, too few for older days that must show nothing"
        return Placebo(pd.DataFrame(columns=list(PLACEBO)), end, end, float("nan"), None, why)
    p = older.p_together(TESTED)
    if np.isnan(p):
        return Placebo(older.table, first, end, p, None, "nobody who is compared bought anything in the older days")
    return Placebo(older.table, first, end, p, p >= PLACEBO_LEVEL, "")


def _effects(watched: Watched, similar: Similar, treated: BoolArray) -> pd.DataFrame:
    """During and, where days after it were watched, after."""
    windows = ("during", "after") if watched.spans.after else ("during",)
    tables = [_window(watched, similar, treated, window) for window in windows]
    return pd.concat(tables, ignore_index=True)[list(EFFECTS)]


def _window(watched: Watched, similar: Similar, treated: BoolArray, window: str) -> pd.DataFrame:
    now, before = watched.outcomes[window], watched.outcomes[f"before_{window}"]
    naive = (now[treated].mean() - now[~treated].mean()).to_numpy()
    did = naive - (before[treated].mean() - before[~treated].mean()).to_numpy()
    found = similar.differ(now)
    beyond = found.less(similar.differ(_scaled(watched, window))).table[["effect", "low", "high"]]
    beyond.columns = ["beyond", "beyond_low", "beyond_high"]
    if not watched.spans.older:
        beyond = beyond * np.nan
    elif watched.spans.older < _length(watched, window):
        beyond.loc[now.columns.get_loc(OUTCOMES[0])] = np.nan
    return pd.concat([found.table, beyond], axis=1).assign(window=window, naive=naive, did=did)


def _sensitivity(watched: Watched, compared: _Compared) -> Sensitivity:
    """By the customers who are compared."""
    similar, explains = compared.similar, compared.explains
    who = np.concatenate([similar.treated, similar.untouched])
    chosen = np.arange(len(who)) < len(similar.treated)
    outcome = watched.outcomes["during"][SENSITIVE].to_numpy(dtype="float64")[who]
    groups = {
        group: [place for name, places in explains.columns_of.items() if name.startswith(begins) for place in places]
        for group, begins in GROUPS.items()
    }
    return sensitivity(outcome, chosen, explains.columns[who], groups)


def _why_not(watched: Watched, placebo: Placebo, overlap: Overlap, balanced: pd.DataFrame) -> str:
    """Why no effect may be claimed; empty where it may."""
    spans, worst = watched.spans, balanced.iloc[int(balanced["after"].abs().argmax())]
    short = f" (compared on the {spans.compared_on} days that the history allows)" * (spans.compared_on < COMPARED_ON)
    reasons = (
        (spans.seen < spans.days, f"it has not ended: {spans.seen} of its {spans.days} days are known"),
        (spans.compared_on < LEAST_COMPARED_ON or placebo.passed is None, placebo.why),
        (overlap.treated < FEWEST_COMPARED, f"only {overlap.treated} of its contacted can be compared"),
        (overlap.with_support < LEAST_SUPPORT,
         f"only {overlap.with_support:.0%} of its contacted have similar untouched customers"),
        (overlap.effective < FEWEST_COMPARED, f"its contacted resemble only {overlap.effective:.0f} untouched"),
        (abs(worst["after"]) > MOST_UNBALANCED,
         f"weighting leaves both sides {abs(worst['after']):.2f} standard deviations apart in {worst['known']}"),
        (placebo.passed is False,
         f"even {-placebo.first} to {-placebo.end} days before it, when it could not have caused it, its contacted "
         f"bought otherwise than similar customers{short}"),
    )  # fmt: skip
    return next((why for fails, why in reasons if fails), "")


def _remarks(company: Company, overlap: Overlap, *, earlier: bool) -> tuple[str, ...]:
    """What else should be known of who was compared."""
    told = []
    if not earlier:
        told.append("Earlier campaigns are not among what is compared: with them even the older days differ.")
    left_out = company.treated - overlap.treated
    if company.strangers:
        told.append(f"{company.strangers:,} contacted had never bought before and are left out.")
    if left_out:
        told.append(f"{left_out:,} contacted have no similar untouched customers and are left out.")
    met = company.treated - company.treated_alone
    if met or company.untouched_alone < company.untouched:
        others = company.untouched - company.untouched_alone
        told.append(
            f"Other campaigns reached {met:,} of {company.treated:,} contacted and {others:,} of "
            f"{company.untouched:,} untouched in the same days; how many is among what is compared."
        )
    if company.untouched and not company.untouched_alone:
        told.append("No untouched customer was free of other campaigns.")
    return tuple(told)


def _not_compared(watched: Watched, company: Company, why: str) -> Observed:
    nowhere = Placebo(pd.DataFrame(columns=list(PLACEBO)), 0, 0, float("nan"), None, why)
    return Observed(
        campaign_id=watched.campaign.campaign_id,
        company=company,
        effects=pd.DataFrame(columns=list(EFFECTS)),
        placebo=nowhere,
        balance=pd.DataFrame(columns=list(BALANCE)),
        overlap=Overlap(0, company.untouched, 0.0, 0.0, 0.0),
        event_study=pd.DataFrame(columns=list(WEEKS)),
        compared=pd.Index([], dtype="str"),
        sensitivity=None,
        claim_allowed=False,
        why_not=why,
        remarks=_remarks(company, Overlap(company.treated, 0, 0.0, 0.0, 0.0), earlier=True),
    )


__all__ = ["EFFECTS", "PLACEBO", "Company", "Observed", "Placebo", "compare", "compare_without_lot", "contacts_of"]
