"""Who is left in peace for now: after a service case, held out of a list, or contacted often enough."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.periods import day_number, known_before, known_within
from crm.scoring.permission.reasons import Words, counted, gravest, reason_where
from crm.written_lists import HELD_OUT, ROWS, TREATED, KeptList, read_lists

OPEN_CASE = "a service case is open"


def served_lately(facts: Facts, as_of: dt.date, people: pd.Index[str]) -> Words:
    """Who has a service case that is open, or was opened lately."""
    nobody = reason_where(np.zeros(len(people), dtype=bool), "")
    if not facts.has("service_cases"):
        return nobody
    days, cases = facts.settings.contacts.quiet_days_after_case, known_before(facts["service_cases"], as_of)
    still = cases.filter(nw.col("closed_day").is_null() | (nw.col("closed_day") >= day_number(as_of)))
    open_now = _who(still) if cases_are_closed(facts, as_of) else pd.Index([], dtype="str")
    lately = _who(known_within(facts["service_cases"], as_of, days)) if days else pd.Index([], dtype="str")
    return gravest(
        reason_where(np.asarray(people.isin(open_now)), OPEN_CASE),
        reason_where(np.asarray(people.isin(lately)), f"a service case in the last {counted(days, 'day')}"),
    )


def cases_are_closed(facts: Facts, as_of: dt.date) -> bool:
    """Does the source say when a case was closed? Without any such date, which are open is not known."""
    closed = facts["service_cases"].filter(nw.col("closed_day") < day_number(as_of)).head(1)
    return len(to_pandas(closed)) > 0


def on_earlier_lists(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """Everybody on an earlier list that is being measured or may still be sent; the one measured last comes first.

    customer_id, arm, list_id, until (the day it is measured), waiting (nobody has said yet whether it was sent).
    """
    known = [one.known_before(as_of) for one in read_lists(facts.settings.folders.data) if one.as_of < as_of]
    parts = [pd.DataFrame({"customer_id": [], "arm": [], "list_id": [], "until": [], "waiting": []}, dtype=object)]
    for one in known:
        if _stands(one, as_of):
            rows = pd.read_parquet(one.folder / ROWS, columns=["customer_id", "arm"]).astype(object)
            parts.append(rows.assign(list_id=one.list_id, until=one.measure_on, waiting=not one.marked))
    return pd.concat(parts, ignore_index=True).sort_values(["until", "list_id"], ascending=False, kind="stable")


def _stands(one: KeptList, as_of: dt.date) -> bool:
    """Is it being measured, or may it still be sent?"""
    if not one.marked:
        return as_of <= one.send_by
    return one.measure_on is not None and as_of < one.measure_on


def left_alone(lists: pd.DataFrame, people: pd.Index[str]) -> Words:
    """Who is held out of a list: whatever reached them meanwhile, the treated would be compared with it."""
    rules = [reason_where(np.zeros(len(people), dtype=bool), "")]
    for (list_id, until), those in lists[lists["arm"] == HELD_OUT].groupby(["list_id", "until"], sort=False):
        words = f"left alone on purpose until {until}, so that {list_id} can be measured"
        rules.append(reason_where(np.asarray(people.isin(pd.Index(those["customer_id"]))), words))
    return gravest(*rules)


def contacted_often(facts: Facts, as_of: dt.date, people: pd.Index[str], lists: pd.DataFrame) -> Words:
    """Who was contacted as often as [contacts] allows.

    Being held out of a campaign counts as much as being contacted by it: else the next list would take up the one
    arm sooner than the other. A list counts until it is measured; one that may still be sent does so, too.
    """
    limits = facts.settings.contacts
    if limits.most_contacts == 0:
        return reason_where(
            np.ones(len(people), dtype=bool), "no contact is allowed: most_contacts = 0 under [contacts]"
        )
    made = pd.DataFrame({"customer_id": [], "list_id": []}, dtype="str")
    if facts.has("contacts"):
        within = known_within(facts["contacts"], as_of, limits.within_days)
        made = to_pandas(within.select("customer_id", list_id="campaign_id").unique())
    times = counted(limits.most_contacts, "contact") + (" or more" if limits.most_contacts > 1 else "")
    words = f"{times} in the last {counted(limits.within_days, 'day')}"
    rules = [_often_enough(people, made, limits.most_contacts, words)]
    treated = lists[lists["arm"] == TREATED].sort_values("waiting", kind="stable")
    for (waiting, list_id, until), those in treated.groupby(["waiting", "list_id", "until"], sort=False):
        made = pd.concat([made, those[["customer_id", "list_id"]]]).drop_duplicates()
        words = f"on {list_id}, which " + ("may still be sent" if waiting else f"is measured on {until}")
        rules.append(_often_enough(people, made, limits.most_contacts, words))
    return gravest(*rules)


def _often_enough(people: pd.Index[str], made: pd.DataFrame, most: int, words: str) -> Words:
    """Who has so many contacts among these, in these words."""
    counts = made["customer_id"].value_counts()
    return reason_where(np.asarray(people.isin(pd.Index(counts.index[counts >= most]))), words)


def _who(table: Lazy) -> pd.Index[str]:
    who: pd.Index[str] = pd.Index(to_pandas(table.select("customer_id").unique())["customer_id"])
    return who
