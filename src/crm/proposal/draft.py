"""One table's section of crm.toml in the making: what it says, the evidence for it, and what a person must decide."""

from __future__ import annotations

from dataclasses import dataclass, field

from crm.engine import sql_name
from crm.proposal.looking import Looked
from crm.proposal.matching import Matched
from crm.proposal.written import Written

Value = str | int | float | bool | list[str]


@dataclass(frozen=True)
class Decision:
    """Something the data do not say.

    key:           what in crm.toml is to be decided.       question: what about.
    possibilities: two or three, as one would write them.   stands: what stands there meanwhile; empty: nothing may.
    """

    key: str
    question: str
    possibilities: tuple[str, ...]
    stands: str = ""

    @property
    def needed(self) -> bool:
        """Does nothing run before it is decided?"""
        return not self.stands


@dataclass
class Draft:
    """A table's section.

    columns:   canonical name: the source's column.    evidence: canonical name: why.
    keys:      further keys with their evidence.       made: columns a query makes: name, SQL, why.
    where:     SQL of the rows that count, and why.    around: a query in place of `SELECT * FROM file`.
    unused:    columns of the source that stand for nothing here, and why.
    """

    name: str
    looked: Looked
    matched: Matched
    written: Written
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Value] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    keys: dict[str, tuple[Value, str]] = field(default_factory=dict)
    made: list[tuple[str, str, str]] = field(default_factory=list)
    where: list[tuple[str, str]] = field(default_factory=list)
    around: str = ""
    why: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def query(self) -> str:
        """The query that gives the rows, or nothing where they are the file's own."""
        if not (self.made or self.where):
            return self.around
        made = "".join(f", {sql} AS {sql_name(name)}" for name, sql, _ in self.made)
        where = " AND ".join(sql for sql, _ in self.where)
        source = f"({self.around}) AS came" if self.around else self.looked.sql
        return f"SELECT *{made} FROM {source}" + (f" WHERE {where}" if where else "")

    @property
    def reasons(self) -> list[str]:
        """Why there is a query."""
        return [*self.why, *(why for _, _, why in self.made), *(why for _, why in self.where)]

    def make(self, target: str, sql: str, why: str) -> None:
        """Let a query make the column for a canonical one."""
        taken = {name.casefold() for name in self.looked.profile.names}
        name = target if target not in taken else f"{target} made"
        self.made.append((name, sql, why))
        self.columns[target] = name
        self.evidence[target] = "made by the query above"

    def decide(self, key: str, question: str, *possibilities: str, stands: str = "") -> None:
        """Leave something to a person; `stands` is what stands there meanwhile."""
        self.decisions.append(Decision(f"source.tables.{self.name}.{key}", question, possibilities, stands))
