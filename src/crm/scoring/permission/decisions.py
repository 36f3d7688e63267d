"""Which decision about consent counts for a customer and a channel, and what stands against a contact by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import to_pandas
from crm.facts import Facts
from crm.periods import day_number, known_before
from crm.scoring.permission.consents import DECISION, HARMLESS, customers_set_aside, with_unreadable
from crm.scoring.permission.reasons import MOST_NAMED, Words, counted, gravest, reason_where

ELSEWHERE = "consent is kept elsewhere and has to be checked there before sending"
UNDECIDED = 'where consent is kept is undecided: write consents = "table" or "elsewhere" under [contacts] in crm.toml'
NO_TABLE = (
    'no consent can be read: the source has no table consents; add it, or write consents = "elsewhere" under '
    "[contacts] in crm.toml"
)
UNREADABLE = "a decision of theirs about consent could not be read"
EVERY = "*"
"""A refusal may be of every channel, or for every purpose; it is said in one of these ways."""

_EVERY = ("", "all", "any", EVERY)


@dataclass(frozen=True)
class Consent:
    """The decisions of each customer about each channel, for the purpose of [contacts].

    ordered: customer_id, channel (as `_plain` has it, or EVERY), granted, expires_day; first the one that counts.
    whole:   one reason for all, or empty.
    """

    ordered: pd.DataFrame
    unreadable: pd.Index[str]
    whole: str
    as_of: dt.date
    until: dt.date
    purpose: str

    @classmethod
    def of(cls, facts: Facts, as_of: dt.date, until: dt.date, consents: pd.DataFrame | None) -> Consent:
        settings = facts.settings.contacts
        whole = {"undecided": UNDECIDED, "elsewhere": ELSEWHERE}.get(settings.consents, "")
        now = consents is not None
        decisions = pd.DataFrame(columns=DECISION)
        if not whole and consents is not None:
            decisions = consents
        elif not whole and facts.has("consents"):
            decisions = with_unreadable(_known(facts, as_of), facts.rejected("consents"), facts.settings)
        elif not whole:
            whole = NO_TABLE
        unreadable = decisions["channel"].isna()
        ordered = _ordered(decisions[~unreadable], as_of, settings.purpose, refusals="all" if now else "known")
        return cls(ordered, pd.Index(decisions.loc[unreadable, "customer_id"]), whole, as_of, until, settings.purpose)

    def against(self, people: pd.Index[str], channel: str) -> Words:
        """What of consent stands against a contact through this channel."""
        if self.whole:
            return np.full(len(people), "" if self.whole == ELSEWHERE else self.whole, dtype=object)
        about = self.ordered[self.ordered["channel"].isin([_plain(channel), EVERY])]
        found = about.drop_duplicates("customer_id").set_index("customer_id")
        place = found.index.get_indexer(people)
        there = place >= 0
        granted, lasts = np.zeros(len(people), dtype=bool), np.zeros(len(people), dtype=bool)
        granted[there] = found["granted"].to_numpy(dtype=bool)[place[there]]
        expires = found["expires_day"].astype("float64").fillna(np.inf).to_numpy()
        lasts[there] = expires[place[there]] > day_number(self.until)
        wanted = f"{channel} for {self.purpose}"
        return gravest(
            reason_where(there & ~granted, f"refused {wanted}"),
            reason_where(np.asarray(people.isin(self.unreadable)), UNREADABLE),
            reason_where(~there, f"never allowed {wanted} before {self.as_of}"),
            reason_where(~lasts, f"the consent to {wanted} does not hold through {self.until}"),
        )


def _known(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The decisions known strictly before the as-of date."""
    return to_pandas(known_before(facts["consents"], as_of).select(*DECISION))


def _ordered(decisions: pd.DataFrame, as_of: dt.date, purpose: str, *, refusals: str) -> pd.DataFrame:
    """The decisions that are for this purpose, and of each customer and channel first the one that counts.

    refusals: "known" before the as-of date, or "all" that were written, for they hold whatever their date.
    """
    granted = decisions["granted"].astype("bool")
    known = decisions["day"] < day_number(as_of)
    if refusals == "all":
        known |= ~granted
    channel, purposes = (_plainly(decisions[name]) for name in ("channel", "purpose"))
    meant = (purposes == _plain(purpose)) | (~granted & (purposes == EVERY))
    counts = known.astype("bool") & meant & ~(granted & (channel == EVERY))
    chosen = decisions.assign(channel=channel, granted=granted)[counts]
    chosen = chosen.assign(holds=chosen["expires_day"].astype("float64").fillna(np.inf))
    ordered = chosen.sort_values(["recorded_at", "granted", "holds"], ascending=[False, True, True], kind="stable")
    return ordered[["customer_id", "channel", "granted", "expires_day"]]


def _plainly(names: pd.Series[str]) -> pd.Series[str]:
    """Channels or purposes as `_plain` has them; each name is looked at once."""
    codes, found = pd.factorize(names.astype("str"))
    plain = np.array([*(EVERY if _plain(one) in _EVERY else _plain(one) for one in found), EVERY], dtype=object)
    return pd.Series(plain[codes], index=names.index, dtype="str")


def _plain(name: str) -> str:
    """A channel or purpose without capitals; "e-mail" is "email"."""
    plain = name.strip().casefold()
    return "email" if plain in ("e-mail", "e mail") else plain


def about_consent(facts: Facts) -> str:
    """How consent was asked after, where that is not plain; empty otherwise."""
    kept = facts.settings.contacts.consents
    if kept == "elsewhere":
        return (
            "crm.toml says that consent is kept in another system: nobody was checked here, so check before sending."
        )
    if kept == "undecided":
        return f"Nobody may be contacted: {UNDECIDED}."
    if not facts.has("consents"):
        return f"Nobody may be contacted: {NO_TABLE}."
    set_aside = facts.rejected("consents")
    doubtful = set_aside[~set_aside["reason"].str.contains(HARMLESS)]
    if doubtful.empty:
        return ""
    customers = len(customers_set_aside(doubtful, facts.settings))
    return (
        f"{counted(len(doubtful), 'decision')} about consent could not be read. Each may be a withdrawal, so nobody "
        f"of whom there is one is contacted ({counted(customers, 'customer')}): look at data/rejected."
    )


def about_channels(facts: Facts, as_of: dt.date) -> str:
    """Refusals of a channel that is called otherwise in crm.toml stand against nothing."""
    if facts.settings.contacts.consents != "table" or not facts.has("consents"):
        return ""
    used = [way for one in facts.settings.programmes.values() for way in one.channels]
    known = {_plain(one) for one in [*facts.settings.money.contact_cost, *used]}
    refused = known_before(facts["consents"], as_of).filter(~nw.col("granted"))
    counts = to_pandas(refused.group_by("channel").agg(nw.len().alias("refusals")))
    strange = counts[~_plainly(counts["channel"]).isin([*known, EVERY])]
    if strange.empty:
        return ""
    strange = strange.sort_values(["refusals", "channel"], ascending=[False, True])
    named = [f"{channel} {count:,}" for channel, count in strange.head(MOST_NAMED).to_numpy()]
    total = int(strange["refusals"].sum())
    verb = "is" if total == 1 else "are"
    return (
        f"{counted(total, 'refusal')} {verb} of channels that crm.toml does not know ({', '.join(named)}), and so "
        "of none of the programmes: see that channels are called there as in the table consents."
    )
