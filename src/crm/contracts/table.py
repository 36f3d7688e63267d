"""What a contract is: the meaning of one row, each column with type, meaning, unit and known dirt, and the rules
that set a row aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "money", "timestamp", "boolean"]


@dataclass(frozen=True)
class Column:
    """One column of a canonical table.

    kind:     `text` (identifiers are text), `number`, `money` (in the company's currency, kept to four decimals),
              `timestamp` (a moment; in the mart in local time of the trade, with a day number beside it), `boolean`.
    required: the table is refused without it, and a row without a value is set aside.
    dirt:     how the column is dirty in real life, and what is done about it.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    dirt: str = ""


@dataclass(frozen=True)
class Rule:
    """A row for which `bad` (SQL over the typed columns) is true is set aside with this reason."""

    reason: str
    bad: str
    why: str


@dataclass(frozen=True)
class Contract:
    """One canonical table.

    key:     the columns that identify a row, where the table has such; a repeated key is set aside.
    event:   the timestamp by which a row becomes known; from it the mart derives the day number column
             (`day` for `event`; `<name>_day` for every other timestamp `<name>_at`). None: no point in time.
    unlocks: what the table adds to the reports, in words for `crm check` and the data-quality page.
    """

    table: str
    one_row_is: str
    columns: tuple[Column, ...]
    unlocks: str
    event: str | None = None
    key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    money: str | None = None
    required: bool = False
    attributes: bool = field(default=False)  # further columns are welcome and kept as text

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(c for c in self.columns if c.name == name)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Names of the columns without which the table is refused."""
        return tuple(c.name for c in self.columns if c.required)
