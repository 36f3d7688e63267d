"""May we contact this customer through this channel? Everybody who may not is told, with the gravest reason.

`may_contact(facts, as_of, customer_ids, channels)` answers it for every customer and channel, once each. A consent is
opt-in: who never allowed a channel for the purpose is not contacted. What a reader should know beside is in
`remarks_of`. When lists are written, `consents_now` reads the consents again, so that whoever withdrew since the
facts were read is left out.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import difflib
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.config import Settings
from crm.contracts import CONTRACTS
from crm.contracts.checking import check_table, refuse_over_budget
from crm.engine import Lazy, database_on_disk, to_pandas
from crm.errors import SettingsError, SourceError
from crm.facts import Facts
from crm.periods import day_number, known_before, known_within
from crm.sources import SourceTable, open_source
from crm.written_lists import HELD_OUT, ROWS, TREATED, KeptList, read_lists

COLUMNS = ("customer_id", "channel", "allowed", "reason")
ELSEWHERE = "consent is kept elsewhere and has to be checked there before sending"
UNDECIDED = 'where consent is kept is undecided: write consents = "table" or "elsewhere" under [contacts] in crm.toml'
NO_TABLE = (
    'no consent can be read: the source has no table consents; add it, or write consents = "elsewhere" under '
    "[contacts] in crm.toml"
)
UNREADABLE = "a decision of theirs about consent could not be read"
OPEN_CASE = "a service case is open"
SUPPRESSED = "on the suppression list"

DECEASED = ("deceased", "deceased_at", "deceased_on", "died_at", "died_on", "date_of_death")
"""Columns of the table customers that say by themselves that somebody has died."""
_ALIVE = ("", "0", "0.0", "false", "f", "no", "n", "alive", "nat", "nan", "none", "<na>")
_HARMLESS = "the row repeats another exactly|the row stands in an earlier file|customer_id is missing"
_BESIDE_ROWS = ("source file", "broken line")  # columns that rows set aside have before their own
_DECISION = ["customer_id", "channel", "purpose", "granted", "recorded_at", "day", "expires_day"]
_MOST_NAMED = 3

EVERY = "*"
"""A refusal may be of every channel, or for every purpose; it is said in one of these ways."""
_EVERY = ("", "all", "any", EVERY)

Words = npt.NDArray[np.object_]
"""Of each customer the reason against a contact; empty where there is none."""


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
    consent = _Consent.of(facts, as_of, until or as_of, consents)
    before = _first(_deceased(facts, people), _blocked(facts, people), _suppressed(facts.settings, people))
    lists = _on_lists(facts, as_of)
    after = _first(_served(facts, as_of, people), _left_alone(lists, people), _often(facts, as_of, people, lists))
    reasons = [_first(before, consent.against(people, channel), after) for channel in ways]
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
        _about_consent(facts),
        _about_channels(facts, as_of),
        _about_suppressed(facts),
        *_about_blocked(facts),
    ]
    if facts.has("service_cases") and not _cases_are_closed(facts, as_of):
        said.append(
            "No service case has a closing date, so it is not known which are open: those of the last "
            f"{facts.settings.contacts.quiet_days_after_case} days count alone."
        )
    return tuple(one for one in said if one)


def consents_now(settings: Settings) -> pd.DataFrame | None:
    """The consents as the source holds them at this moment, whatever a run has read; None without such a table.

    Only that table is read and checked. A decision that cannot be read is there without channel and purpose: it
    stands against every contact. Raises SourceError or ContractError as the reading of facts does.
    """
    own = {name: table for name, table in settings.source.tables.items() if name == "consents"}
    if settings.source.tables and not own:
        return None
    alone = settings.model_copy(update={"source": settings.source.model_copy(update={"tables": own})})
    table = open_source(alone, anew=True).tables.get("consents")
    if table is None:
        return None
    try:
        with tempfile.TemporaryDirectory(prefix="crm-consents-") as folder:
            return _read_consents(table, settings, Path(folder))
    except duckdb.Error as error:
        raise SourceError(
            "The table consents must be readable when lists are written.",
            found=str(error).splitlines()[0],
            do="Look at its files; no list was written.",
        ) from error


def _read_consents(table: SourceTable, settings: Settings, place: Path) -> pd.DataFrame:
    """The decisions of this table, checked; `place` is for what is written on the way."""
    before = table.state()
    (place / "raw").mkdir()
    with contextlib.closing(database_on_disk(place / "checking.duckdb")) as con:
        reading = table.reading(con, place / "raw")
        checked = check_table(con, CONTRACTS["consents"], query=reading.query, folder=place)
    if table.state() != before:
        raise SourceError(
            "A file must not change while it is read.",
            found="the table consents was written to",
            do="Wait until the export is finished, and start again; no list was written.",
        )
    quality = settings.quality
    refuse_over_budget(
        [checked],
        rows=quality.most_rows_set_aside,
        money=quality.most_money_set_aside,
        accepted=quality.accepted_reasons,
    )
    kept = pd.read_parquet(place / "consents.parquet", columns=_DECISION)
    return _with_unreadable(kept, pd.read_parquet(place / "rejected" / "consents.parquet"), settings)


@dataclass(frozen=True)
class _Consent:
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
    def of(cls, facts: Facts, as_of: dt.date, until: dt.date, consents: pd.DataFrame | None) -> _Consent:
        settings = facts.settings.contacts
        whole = {"undecided": UNDECIDED, "elsewhere": ELSEWHERE}.get(settings.consents, "")
        now = consents is not None
        decisions = pd.DataFrame(columns=_DECISION)
        if not whole and consents is not None:
            decisions = consents
        elif not whole and facts.has("consents"):
            decisions = _with_unreadable(_known(facts, as_of), facts.rejected("consents"), facts.settings)
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
        return _first(
            _where(there & ~granted, f"refused {wanted}"),
            _where(np.asarray(people.isin(self.unreadable)), UNREADABLE),
            _where(~there, f"never allowed {wanted} before {self.as_of}"),
            _where(~lasts, f"the consent to {wanted} does not hold through {self.until}"),
        )


def _known(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The decisions known strictly before the as-of date."""
    return to_pandas(known_before(facts["consents"], as_of).select(*_DECISION))


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


def _with_unreadable(decisions: pd.DataFrame, set_aside: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The decisions, and, without channel, those set aside whose customer can be told: one may be a withdrawal."""
    customers = _customers_of(set_aside[~set_aside["reason"].str.contains(_HARMLESS)], settings)
    unreadable = pd.DataFrame({"customer_id": customers.to_numpy()}).reindex(columns=decisions.columns)
    if unreadable.empty:
        return decisions
    unreadable = unreadable.assign(granted=False).astype(decisions.dtypes.drop(["day", "expires_day"]))
    return pd.concat([decisions, unreadable], ignore_index=True)


def _customers_of(set_aside: pd.DataFrame, settings: Settings) -> pd.Series[str]:
    """The customers of rows as they came, where their column can be told."""
    mapping = settings.source.tables.get("consents")
    name = mapping.columns.get("customer_id", "customer_id") if mapping else "customer_id"
    if isinstance(name, int):
        name = str([c for c in set_aside if c not in _BESIDE_ROWS][name - 1])
    column = next((c for c in set_aside if str(c).casefold() == name.casefold()), None)
    if column is None:
        return pd.Series(dtype="str")
    return set_aside[column].dropna().astype("str").str.strip().drop_duplicates()


def _about_consent(facts: Facts) -> str:
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
    doubtful = set_aside[~set_aside["reason"].str.contains(_HARMLESS)]
    if doubtful.empty:
        return ""
    customers = len(_customers_of(doubtful, facts.settings))
    return (
        f"{_counted(len(doubtful), 'decision')} about consent could not be read. Each may be a withdrawal, so nobody "
        f"of whom there is one is contacted ({_counted(customers, 'customer')}): look at data/rejected."
    )


def _about_channels(facts: Facts, as_of: dt.date) -> str:
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
    named = [f"{channel} {count:,}" for channel, count in strange.head(_MOST_NAMED).to_numpy()]
    total = int(strange["refusals"].sum())
    verb = "is" if total == 1 else "are"
    return (
        f"{_counted(total, 'refusal')} {verb} of channels that crm.toml does not know ({', '.join(named)}), and so "
        "of none of the programmes: see that channels are called there as in the table consents."
    )


def _deceased(facts: Facts, people: pd.Index[str]) -> Words:
    if not facts.has("customers"):
        return _where(np.zeros(len(people), dtype=bool), "")
    names = [n for n in facts["customers"].collect_schema().names() if n.strip().casefold() in DECEASED]
    rules = []
    for name in names:
        values = _attribute(facts, name).str.strip().str.casefold()
        dead = pd.Index(values.index[values.notna() & ~values.isin(_ALIVE)])
        rules.append(_where(np.asarray(people.isin(dead)), f"deceased, says {name} of the table customers"))
    return _first(_where(np.zeros(len(people), dtype=bool), ""), *rules)


def _blocked(facts: Facts, people: pd.Index[str]) -> Words:
    rules = [_where(np.zeros(len(people), dtype=bool), "")]
    for column, values in facts.settings.contacts.blocked_where.items():
        plain = _blocking(facts, column)
        for value in values:
            who = pd.Index(plain.index[plain == value.strip().casefold()])
            rules.append(_where(np.asarray(people.isin(who)), f"blocked: {column} is {value}"))
    return _first(*rules)


def _about_blocked(facts: Facts) -> list[str]:
    """Values that block and that no customer has: perhaps they are spelled otherwise."""
    said = []
    for column, values in facts.settings.contacts.blocked_where.items():
        present = set(_blocking(facts, column).dropna().unique())
        never = [value for value in values if value.strip().casefold() not in present]
        if never:
            said.append(
                f"No customer has {' or '.join(never)} as {column}, so these block nobody: is the spelling right?"
            )
    return said


def _blocking(facts: Facts, column: str) -> pd.Series[str]:
    """A column of the table customers by customer, without capitals. Raises SettingsError where it is not there."""
    names = facts["customers"].collect_schema().names() if facts.has("customers") else []
    if column not in names:
        near = difflib.get_close_matches(column, names, n=1)
        there = f"the nearest is {near[0]}" if near else f"the table has {', '.join(names) or 'no row'}"
        raise SettingsError(
            "[contacts] blocked_where names columns of the table customers.",
            found=f"{column}, which is not there; {there}",
            do="Mend the name in crm.toml, or add the column to the table: until then nobody is listed.",
        )
    return _attribute(facts, column).str.strip().str.casefold()


def _attribute(facts: Facts, column: str) -> pd.Series[str]:
    table = to_pandas(facts["customers"].select("customer_id", value=column))
    values = table["value"]
    text = values.astype("str").where(values.notna())
    return pd.Series(text.to_numpy(), index=pd.Index(table["customer_id"]), dtype="str")


def _suppressed(settings: Settings, people: pd.Index[str]) -> Words:
    listed = _suppression_list(settings)
    words = {reason: f"{SUPPRESSED}: {reason}" if reason else SUPPRESSED for reason in set(listed.values())}
    return np.array(
        [words[listed[one]] if one in listed else "" for one in people] if listed else [""] * len(people), object
    )


def _suppression_list(settings: Settings) -> dict[str, str]:
    """Who must not be contacted, and why, as the CSV of [contacts] suppressed says; empty where there is none."""
    file = settings.contacts.suppressed
    if file is None:
        return {}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "no such file"
        raise SettingsError(
            f"The list of the suppressed, {file}, must be a CSV that can be read.",
            found=found,
            do="Mend [contacts] suppressed in crm.toml, or the file: until then nobody is listed.",
        ) from None
    header = text.partition("\n")[0]
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    names = {(name or "").strip().casefold(): name for name in rows.fieldnames or []}
    if "customer_id" not in names:
        raise SourceError(
            f"The list of the suppressed, {file.name}, must have a column customer_id.",
            found=f"the columns {', '.join(rows.fieldnames or []) or '(none)'}",
            do="Give the column that name; a column reason may stand beside it.",
        )
    because = names.get("reason")
    listed: dict[str, str] = {}
    for row in rows:
        customer = (row[names["customer_id"]] or "").strip()
        if customer:
            listed.setdefault(customer, " ".join((row[because] or "").split()) if because is not None else "")
    return listed


def _about_suppressed(facts: Facts) -> str:
    listed = pd.Index(sorted(_suppression_list(facts.settings)))
    known = _everybody(facts)
    unknown = listed[~listed.isin(known)]
    if unknown.empty:
        return ""
    return (
        f"{len(unknown):,} of {len(listed):,} suppressed ids are no customers, such as "
        f"{', '.join(unknown[:_MOST_NAMED])}: see that they are written as in the data."
    )


def _everybody(facts: Facts) -> set[str]:
    known: set[str] = set()
    for table in ("purchases", "customers"):
        if facts.has(table):
            known |= set(to_pandas(facts[table].select("customer_id").unique())["customer_id"])
    return known


def _served(facts: Facts, as_of: dt.date, people: pd.Index[str]) -> Words:
    """Who has a service case that is open, or was opened lately."""
    nobody = _where(np.zeros(len(people), dtype=bool), "")
    if not facts.has("service_cases"):
        return nobody
    days, cases = facts.settings.contacts.quiet_days_after_case, known_before(facts["service_cases"], as_of)
    still = cases.filter(nw.col("closed_day").is_null() | (nw.col("closed_day") >= day_number(as_of)))
    open_now = _who(still) if _cases_are_closed(facts, as_of) else pd.Index([], dtype="str")
    lately = _who(known_within(facts["service_cases"], as_of, days)) if days else pd.Index([], dtype="str")
    return _first(
        _where(np.asarray(people.isin(open_now)), OPEN_CASE),
        _where(np.asarray(people.isin(lately)), f"a service case in the last {_counted(days, 'day')}"),
    )


def _cases_are_closed(facts: Facts, as_of: dt.date) -> bool:
    """Does the source say when a case was closed? Without any such date, which are open is not known."""
    closed = facts["service_cases"].filter(nw.col("closed_day") < day_number(as_of)).head(1)
    return len(to_pandas(closed)) > 0


def _on_lists(facts: Facts, as_of: dt.date) -> pd.DataFrame:
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


def _left_alone(lists: pd.DataFrame, people: pd.Index[str]) -> Words:
    """Who is held out of a list: whatever reached them meanwhile, the treated would be compared with it."""
    rules = [_where(np.zeros(len(people), dtype=bool), "")]
    for (list_id, until), those in lists[lists["arm"] == HELD_OUT].groupby(["list_id", "until"], sort=False):
        words = f"left alone on purpose until {until}, so that {list_id} can be measured"
        rules.append(_where(np.asarray(people.isin(pd.Index(those["customer_id"]))), words))
    return _first(*rules)


def _often(facts: Facts, as_of: dt.date, people: pd.Index[str], lists: pd.DataFrame) -> Words:
    """Who was contacted as often as [contacts] allows.

    Being held out of a campaign counts as much as being contacted by it: else the next list would take up the one
    arm sooner than the other. A list counts until it is measured; one that may still be sent does so, too.
    """
    limits = facts.settings.contacts
    if limits.most_contacts == 0:
        return _where(np.ones(len(people), dtype=bool), "no contact is allowed: most_contacts = 0 under [contacts]")
    made = pd.DataFrame({"customer_id": [], "list_id": []}, dtype="str")
    if facts.has("contacts"):
        within = known_within(facts["contacts"], as_of, limits.within_days)
        made = to_pandas(within.select("customer_id", list_id="campaign_id").unique())
    times = _counted(limits.most_contacts, "contact") + (" or more" if limits.most_contacts > 1 else "")
    words = f"{times} in the last {_counted(limits.within_days, 'day')}"
    rules = [_often_enough(people, made, limits.most_contacts, words)]
    treated = lists[lists["arm"] == TREATED].sort_values("waiting", kind="stable")
    for (waiting, list_id, until), those in treated.groupby(["waiting", "list_id", "until"], sort=False):
        made = pd.concat([made, those[["customer_id", "list_id"]]]).drop_duplicates()
        words = f"on {list_id}, which " + ("may still be sent" if waiting else f"is measured on {until}")
        rules.append(_often_enough(people, made, limits.most_contacts, words))
    return _first(*rules)


def _often_enough(people: pd.Index[str], made: pd.DataFrame, most: int, words: str) -> Words:
    """Who has so many contacts among these, in these words."""
    counts = made["customer_id"].value_counts()
    return _where(np.asarray(people.isin(pd.Index(counts.index[counts >= most]))), words)


def _who(table: Lazy) -> pd.Index[str]:
    who: pd.Index[str] = pd.Index(to_pandas(table.select("customer_id").unique())["customer_id"])
    return who


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _where(those: npt.NDArray[np.bool_], words: str) -> Words:
    found = np.full(len(those), "", dtype=object)
    found[those] = words
    return found


def _first(*rules: Words) -> Words:
    """Of each customer the first reason."""
    found = rules[0]
    for reasons in rules[1:]:
        found = np.where(found == "", reasons, found)
    return found
