"""What PostgreSQL refuses, told to who can mend it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from crm.config import DATABASE_PASSWORD
from crm.errors import CrmError, SettingsError, SourceError
from crm.sources.database.asking import Question, Relation, nearest


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """Within it, a server that does not let in is told."""
    try:
        yield
    except psycopg.ProgrammingError as error:
        raise SettingsError(
            "source.database must be an address that PostgreSQL understands.",
            found=_first_line(error),
            do="Write it as postgresql://user@host:port/name.",
        ) from None
    except psycopg.OperationalError as error:
        raise _not_connected(_first_line(error)) from None


_NOT_CONNECTED: dict[str, tuple[type[CrmError], str]] = {
    "password": (
        SourceError,
        f"Set the password in the environment, {DATABASE_PASSWORD} (or PGPASSWORD, ~/.pgpass).",
    ),
    "database": (SettingsError, "Correct the name of the database in crm.toml: postgresql://user@host/name."),
    "role": (SettingsError, "Correct the name of the user in crm.toml: postgresql://user@host/name."),
    "pg_hba.conf": (SourceError, "Ask who runs the server to let this machine and this user in."),
    "resolve": (SettingsError, "Correct the name of the server in crm.toml: postgresql://user@host/name."),
    "": (SourceError, "Check that the server runs, and that its host and port in crm.toml can be reached from here."),
}


def _not_connected(said: str) -> CrmError:
    said = said.removeprefix("connection failed: ").removeprefix("connection is bad: ")
    signs = (
        ("password", "password" in said),
        ("database", "FATAL" in said and "database" in said and "not exist" in said),
        ("role", "FATAL" in said and "role" in said and "not exist" in said),
        ("pg_hba.conf", "pg_hba.conf" in said),
        ("resolve", "resolve" in said),
    )
    kind, do = _NOT_CONNECTED[next((sign for sign, seen in signs if seen), "")]
    return kind("The database must let this user in.", found=said, do=do)


@dataclass(frozen=True)
class _Refusal:
    """What a kind of refusal means; `states` are the beginnings of its SQLSTATEs."""

    states: tuple[str, ...]
    rule: str
    do: str
    kind: type[CrmError] = SettingsError


_REFUSALS = (
    _Refusal(
        ("42P01", "3F000"),
        "{key} must read tables that {where} has.",
        "Correct the name in crm.toml; a table of another schema is named with it, as in sales.order_lines.",
    ),
    _Refusal(
        ("42501",),
        "The user of the database must be allowed to read what {key} names.",
        "Ask its owner for GRANT SELECT (and GRANT USAGE on its schema), or write a query of the columns allowed.",
        SourceError,
    ),
    _Refusal(
        ("25006", "25001"),
        "{key} must only read: the database is opened for reading alone.",
        "Write a query that selects, in crm.toml.",
    ),
    _Refusal(
        ("42", "22", "0A", "54"),
        "{key} must be one query that {where} can answer.",
        "Mend it in crm.toml; try it in psql.",
    ),
    _Refusal(
        ("55P03", "57014", "40"),
        "All that {key} asks for must come from {where} in one go.",
        "Start again when others have finished, or ask for a longer statement_timeout; nothing was kept.",
        SourceError,
    ),
    _Refusal(
        ("",),
        "All that {key} asks for must come from {where} in one go.",
        "Look at the server, and start again; nothing was kept.",
        SourceError,
    ),
)


@contextlib.contextmanager
def answering(
    where: str, question: Question | None = None, relations: Callable[[], list[Relation]] = list
) -> Iterator[None]:
    """Within it, what the server refuses is told in the words of `question`; `relations`: what there is instead."""
    try:
        yield
    except psycopg.Error as error:
        said = _first_line(error)
        state = error.sqlstate or ""
        refusal = next(one for one in _REFUSALS if state.startswith(one.states))
        if state == "42P01":
            said += nearest(said.partition('"')[2].partition('"')[0], relations())
        rule = refusal.rule.format(key=question.key if question else "crm", where=where)
        raise refusal.kind(rule, found=said, do=refusal.do) from None


def _first_line(error: psycopg.Error) -> str:
    """What the server said, on one line, with its hint."""
    said = error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__
    return f"{said} ({error.diag.message_hint})" if error.diag.message_hint else said
