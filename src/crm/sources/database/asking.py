"""What is asked of a database, and what it answers: the words shared by its kinds."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from crm.engine import sql_name
from crm.errors import SettingsError

Kind = Literal["integer", "number", "float", "boolean", "date", "timestamp", "timestamptz", "text"]


@dataclass(frozen=True)
class Column:
    """A column of an answer: `type` as the database calls it, `kind` what it is kept as."""

    name: str
    type: str
    kind: Kind


@dataclass(frozen=True)
class Relation:
    """A table or view.

    near: found without its schema.   rows: as the database estimates them.   readable: its user may read it.
    """

    schema: str
    name: str
    near: bool
    kind: Literal["table", "view"]
    rows: int | None = None
    readable: bool = True

    @property
    def spelled(self) -> str:
        """As crm.toml names it."""
        return self.name if self.near else f"{self.schema}.{self.name}"

    @property
    def query(self) -> str:
        """SQL of its rows."""
        return f"SELECT * FROM {sql_name(self.schema)}.{sql_name(self.name)}"


@dataclass(frozen=True)
class Question:
    """What crm.toml asks for one canonical table: either a table by name, or a query."""

    canonical: str
    wanted: str
    query: str

    @property
    def origin(self) -> str:
        """As shown to people."""
        return self.wanted or f"query of {self.canonical}"

    @property
    def key(self) -> str:
        """Where it stands in crm.toml."""
        return f"source.tables.{self.canonical}.{'table' if self.wanted else 'query'}"


@dataclass(frozen=True)
class Look:
    """The columns of a query, and its first rows as text."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...] = ()


class Database(Protocol):
    """An open database. Whatever goes wrong while it answers ends in one clear message."""

    @property
    def where(self) -> str:
        """What it is called, such as "the PostgreSQL database shop on db.example"."""

    @property
    def read_at(self) -> dt.datetime:
        """The moment it is read at, by its own clock."""

    @property
    def told(self) -> str:
        """Where and when it was read, as a sentence."""

    def relations(self) -> list[Relation]:
        """The tables and views there are."""

    def describe(self, query: str) -> tuple[Column, ...]:
        """The columns of a query, which is not carried out."""

    def copy(self, query: str, columns: Sequence[Column], file: Path) -> None:
        """The rows of a query into a Parquet file: all as text, columns named by their place."""

    def look(self, query: str, rows: int) -> Look | None:
        """The columns of a query, and its first rows if they come at once; None where it stands on what is gone."""

    def answering(self, question: Question) -> AbstractContextManager[None]:
        """Within it, what the database refuses is told in the words of `question`."""


def sql_of(question: Question, database: Database) -> str:
    """The SQL that answers a question. Raises SettingsError for a table that does not exist."""
    if question.query:
        return question.query.strip().rstrip("; \n\t")
    relations = database.relations()
    if not (relation := find_relation(question.wanted, relations)):
        raise SettingsError(
            f"{question.key} must name a table or view of {database.where}.",
            found=f"no {question.wanted}{nearest(question.wanted, relations)}",
            do="Correct the name in crm.toml, or let the user of the database see the table.",
        )
    return relation.query


def find_relation(wanted: str, relations: Sequence[Relation]) -> Relation | None:
    """The table or view of this name: as it is written, or, if there is one alone, in other case."""
    bare = wanted.replace('"', "")
    for alike in (str, str.casefold):
        found = [one for one in relations if alike(bare) in map(alike, (one.spelled, f"{one.schema}.{one.name}"))]
        if len(found) == 1:
            return found[0]
    return None


def nearest(wanted: str, relations: Iterable[Relation]) -> str:
    """The names most like this one, with or without their schema, to end a sentence."""
    by_name: dict[str, str] = {}
    for one in relations:
        by_name |= {one.spelled.casefold(): one.spelled, one.name.casefold(): one.spelled}
    bare = wanted.replace('"', "").casefold()
    near = [
        by_name[name]
        for form in (bare, bare.rpartition(".")[2])
        for name in difflib.get_close_matches(form, by_name, n=3, cutoff=0.5)
    ]
    if near:
        return f"; the nearest there: {', '.join(list(dict.fromkeys(near))[:3])}"
    return f"; there: {', '.join(sorted(set(by_name.values()))[:5])}" if by_name else "; there are no tables"


def refuse_doubled(question: Question, columns: Sequence[Column]) -> None:
    """Refuse an answer in which two columns bear the same name, or which has none. Raises SettingsError."""
    names = [column.name.casefold() for column in columns]
    doubled = list(dict.fromkeys(column.name for column in columns if names.count(column.name.casefold()) > 1))
    if doubled or not columns:
        raise SettingsError(
            f"{question.key} must give each column a name of its own (small and capital letters are alike).",
            found=f"{', '.join(doubled)} more than once" if doubled else "no column at all",
            do="Write a query that names the columns it needs, each with AS.",
        )
