"""Who must not be contacted whatever they allowed: the deceased, the blocked, those on the suppression list."""

from __future__ import annotations

import csv
import difflib
import io

import numpy as np
import pandas as pd

from crm.config import Settings
from crm.engine import to_pandas
from crm.errors import SettingsError, SourceError
from crm.facts import Facts
from crm.scoring.permission.reasons import Words, gravest, reason_where

SUPPRESSED = "on the suppression list"
DECEASED = ("deceased", "deceased_at", "deceased_on", "died_at", "died_on", "date_of_death")
"""Columns of the table customers that say by themselves that somebody has died."""

_ALIVE = ("", "0", "0.0", "false", "f", "no", "n", "alive", "nat", "nan", "none", "<na>")


def deceased(facts: Facts, people: pd.Index[str]) -> Words:
    """Who has died, as any column of the table customers says that tells it."""
    if not facts.has("customers"):
        return reason_where(np.zeros(len(people), dtype=bool), "")
    names = [n for n in facts["customers"].collect_schema().names() if n.strip().casefold() in DECEASED]
    rules = []
    for name in names:
        values = _attribute(facts, name).str.strip().str.casefold()
        dead = pd.Index(values.index[values.notna() & ~values.isin(_ALIVE)])
        rules.append(reason_where(np.asarray(people.isin(dead)), f"deceased, says {name} of the table customers"))
    return gravest(reason_where(np.zeros(len(people), dtype=bool), ""), *rules)


def blocked(facts: Facts, people: pd.Index[str]) -> Words:
    """Who has one of the values that [contacts] blocked_where names."""
    rules = [reason_where(np.zeros(len(people), dtype=bool), "")]
    for column, values in facts.settings.contacts.blocked_where.items():
        plain = _blocking(facts, column)
        for value in values:
            who = pd.Index(plain.index[plain == value.strip().casefold()])
            rules.append(reason_where(np.asarray(people.isin(who)), f"blocked: {column} is {value}"))
    return gravest(*rules)


def suppressed(settings: Settings, people: pd.Index[str]) -> Words:
    """Who is on the list of [contacts] suppressed, with the reason that stands there."""
    listed = _suppression_list(settings)
    words = {reason: f"{SUPPRESSED}: {reason}" if reason else SUPPRESSED for reason in set(listed.values())}
    return np.array(
        [words[listed[one]] if one in listed else "" for one in people] if listed else [""] * len(people), object
    )


def about_blocked(facts: Facts) -> list[str]:
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


def about_suppressed(facts: Facts) -> str:
    """Ids on that list that are no customers: perhaps they are written otherwise."""
    listed = pd.Index(sorted(_suppression_list(facts.settings)))
    known = _everybody(facts)
    unknown = listed[~listed.isin(known)]
    if unknown.empty:
        return ""
    return (
        f"{len(unknown):,} of {len(listed):,} suppressed ids are no customers: see that they are written as in the "
        "data."
    )


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


def _everybody(facts: Facts) -> set[str]:
    known: set[str] = set()
    for table in ("purchases", "customers"):
        if facts.has(table):
            known |= set(to_pandas(facts[table].select("customer_id").unique())["customer_id"])
    return known
