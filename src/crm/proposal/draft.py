"""One table's section of crm.toml in the making: what it says, the evidence for it, and what a person must decide."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from crm.contracts.checking import SET_ASIDE_BECAUSE
from crm.engine import sql_name, sql_text
from crm.proposal.looking import Looked
from crm.proposal.matching import Matched
from crm.proposal.written import Written

_LONG = 500  # letters of a query, beyond which only the change to it is told
_FURTHER = "\ue000"  # stands around the number of a query that is written out at the end
Value = str | int | float | bool | list[str]


@dataclass(frozen=True)
class Decision:
    """Something the data do not say.

    key:           what in crm.toml is to be decided.       question: what about.
    possibilities: two or three, as one would write them.   stands: what stands there meanwhile; empty: nothing may.
    also:          what has to be written as well.
    look:          it runs, and may be wrong altogether: a person has to look before it does.
    """

    key: str
    question: str
    possibilities: tuple[str, ...]
    stands: str = ""
    look: bool = False
    also: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All that has to be written."""
        return self.key, *self.also

    @property
    def needed(self) -> bool:
        """Does nothing run before it is decided?"""
        return not self.stands


@dataclass
class Draft:
    """A table's section.

    columns:   canonical name: the source's column.    evidence: canonical name: why.
    keys:      further keys with their evidence.       made: columns a query makes: name, SQL, why.
    origins:   the source's column of a canonical one that a query makes.
    aside:     rows that are set aside: SQL of a condition, the reason that is told, why.
    further:   the same, only offered.                  around: a query in place of `SELECT * FROM file`.
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
    origins: dict[str, str] = field(default_factory=dict)
    aside: list[tuple[str, str, str]] = field(default_factory=list)
    further: list[tuple[str, str, str]] = field(default_factory=list)
    around: str = ""
    why: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def query(self) -> str:
        """The query that gives the rows, or nothing where they are the file's own."""
        if not (self.made or self.aside):
            return self.around
        made = [f"{sql} AS {sql_name(name)}" for name, sql, _ in self.made]
        if self.aside:
            cases = " ".join(f"WHEN {sql} THEN {sql_text(reason)}" for sql, reason, _ in self.aside)
            made.append(f"CASE {cases} END AS {SET_ASIDE_BECAUSE}")
        source = f"({self.around}) AS came" if self.around else self.looked.sql
        return f"SELECT {', '.join(['*', *made])} FROM {source}"

    @property
    def reasons(self) -> list[str]:
        """Why there is a query."""
        return [*self.why, *(why for _, _, why in self.made), *(why for _, _, why in self.aside)]

    def make(self, target: str, sql: str, why: str) -> None:
        """Let a query make the column for a canonical one, in place of one that it makes already."""
        before = next((one for one in self.made if one[0] == self.columns.get(target)), None)
        if before:
            self.made.remove(before)
            why = f"{before[2]}; {why}"
        else:
            self.origins[target] = self.columns.get(target, "")
        self.columns[target] = self.offer(target, sql, why)
        self.evidence[target] = "made by the query above"

    def offer(self, name: str, sql: str, why: str) -> str:
        """Let a query make a further column, to be taken by its name; gives the name."""
        taken = {one.casefold() for one in (*self.looked.profile.names, *(made[0] for made in self.made))}
        name = name if name not in taken else f"{name} made"
        self.made.append((name, sql, why))
        return name

    def set_aside(self, sql: str, reason: str, why: str) -> None:
        """Keep the rows for which `sql` is true out of the sales, in sight and with this reason."""
        self.aside.append((sql, reason, why))

    def query_without(self, sql: str, reason: str) -> str:
        """The line of crm.toml that sets further rows aside, to be typed; written out once all is known."""
        self.further.append((sql, reason, ""))
        return f"{_FURTHER}{len(self.further) - 1}{_FURTHER}"

    def spell_out(self) -> None:
        """Write the queries that a person may type in place of the one proposed."""
        self.decisions = [
            replace(one, possibilities=tuple(map(self._spelt, one.possibilities))) for one in self.decisions
        ]

    def _spelt(self, possibility: str) -> str:
        before, mark, after = possibility.partition(_FURTHER)
        if not mark:
            return possibility
        number, _, after = after.partition(_FURTHER)
        further = self.further[int(number)]
        query = replace(self, aside=[*self.aside, further]).query
        if self.query and len(query) > _LONG:
            when = f"WHEN {further[0]} THEN {sql_text(further[1])}"
            if self.aside:
                return f"{before}in the query, before END AS {SET_ASIDE_BECAUSE}: {when}{after}"
            if not self.around:
                return f"{before}in the query, before the last FROM: , CASE {when} END AS {SET_ASIDE_BECAUSE}{after}"
        return f"{before}query = {json.dumps(query, ensure_ascii=False)}{after}"

    def sql_of(self, target: str) -> str:
        """SQL of what stands for a canonical column, as a query reads it."""
        name = self.columns[target]
        return next((f"({sql})" for made, sql, _ in self.made if made == name), sql_name(name))

    def decide(self, key: str, question: str, *possibilities: str, stands: str = "", look: bool = False) -> None:
        """Leave something to a person; `stands` is what stands there meanwhile."""
        self.decisions.append(Decision(f"source.tables.{self.name}.{key}", question, possibilities, stands, look))
