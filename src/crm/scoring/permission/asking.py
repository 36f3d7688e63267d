"""May we contact this customer through this channel? Everybody who may not is told, with the gravest reason.

`may_contact(facts, as_of, customer_ids, channels)` answers it for every customer and channel, once each. A consent is
opt-in: who never allowed a channel for the purpose is not contacted. What a reader should know beside is in
`remarks_of`. When lists are written, `consents_now` reads the consents again, so that whoever withdrew since the
facts were read is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from crm.facts import Facts
from crm.scoring.permission.blocked import about_blocked, about_suppressed, blocked, deceased, suppressed
from crm.scoring.permission.contact_limits import (
    cases_are_closed,
    contacted_often,
    left_alone,
    on_earlier_lists,
    served_lately,
)
from crm.scoring.permission.decisions import ELSEWHERE, Consent, about_channels, about_consent
from crm.scoring.permission.reasons import gravest

COLUMNS = ("customer_id", "channel", "allowed", "reason")


def may_contact(
    facts: Facts,
    as_of: dt.date,
    customer_ids: Iterable[str],
    channels: Iterable[str],
    *,
    consents: pd.DataFrame | None = None,
    until: dt.date | None = None,
) -> pd.DataFrame:
    """One row per customer and channel: customer_id, channel, allowed, reason (the gravest; empty where allowed).

    Of consent, the newest decision known strictly before `as_of` counts; of two at the same moment a refusal; and it
    must hold through `until`, the last day of sending (the as-of date where none is given). Channels and purposes are
    compared without regard to capitals, and "e-mail" is "email"; a refusal of "all", "any", "*" or nothing is one of
    every channel, or for every purpose. Reasons from the gravest: deceased, blocked, suppressed, no consent, a
    service case, held out of a list that is still to be measured, contacted too often (an earlier list that may still
    be sent counts as a contact). With consent kept elsewhere the reason of an allowed contact says so.

    consents: as `consents_now` gives them. What was written since the as-of date then counts where it is a refusal;
    a permission dated on the as-of date or later never counts.
    Raises SettingsError or SourceError for a list of the suppressed, or a blocking column, that is not there, and
    ListError for an action list that was damaged.
    """
    people = pd.Index(pd.Series(list(customer_ids), dtype="str").unique(), name="customer_id")
    ways = list(dict.fromkeys(channels))
    consent = Consent.of(facts, as_of, until or as_of, consents)
    before = gravest(deceased(facts, people), blocked(facts, people), suppressed(facts.settings, people))
    lists = on_earlier_lists(facts, as_of)
    after = gravest(
        served_lately(facts, as_of, people), left_alone(lists, people), contacted_often(facts, as_of, people, lists)
    )
    reasons = [gravest(before, consent.against(people, channel), after) for channel in ways]
    ledger = pd.DataFrame(
        {
            "customer_id": np.repeat(people.to_numpy(), len(ways)),
            "channel": np.tile(np.array(ways, dtype=object), len(people)),
            "reason": np.stack(reasons, axis=1).ravel() if ways else np.empty(0, dtype=object),
        }
    ).astype("str")
    ledger["allowed"] = ledger["reason"] == ""
    if facts.settings.contacts.consents == "elsewhere":
        ledger["reason"] = ledger["reason"].mask(ledger["allowed"], ELSEWHERE)
    return ledger[list(COLUMNS)]


def remarks_of(facts: Facts, as_of: dt.date) -> tuple[str, ...]:
    """What the reader of the lists should know of how permission was decided."""
    said = [
        about_consent(facts),
        about_channels(facts, as_of),
        about_suppressed(facts),
        *about_blocked(facts),
    ]
    if facts.has("service_cases") and not cases_are_closed(facts, as_of):
        said.append(
            "No service case has a closing date, so it is not known which are open: those of the last "
            f"{facts.settings.contacts.quiet_days_after_case} days count alone."
        )
    return tuple(one for one in said if one)
