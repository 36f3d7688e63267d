"""Tables for people: a caption, headings that belong to their columns, numbers that can be compared by eye.

Whatever comes from data is escaped; a table shows itself in JupyterLab and on a report's page alike. Numbers carry
their exact value, by which the page's script sorts. A row about fewer than five customers does not tell its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

from crm.errors import RequestError
from crm.reporting.small_groups import FEWEST, UNDER_FEWEST, customers_in, is_small, small_rows
from crm.reporting.wording import MINUS, MISSING, cells, clean, heading, is_numeric

MOST_ROWS = 40

_LONG = 20
_LED = re.compile(r"(?!\d{4}-\d\d)(under )?([+\-−]?)(\d[\d,]*\.?\d*|\.\d+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, eq=False)
class Table:
    """A frame with its caption, as HTML that a screen reader can walk through.

    frame:     the whole table, also what is not shown.
    formats:   how columns are written: column → a format of Python's, such as ",.0f" or ".1%".
    notes:     what must be known to read it, shown beneath.
    most_rows: how many rows are shown; the caption says when there are more.
    customers: columns that say how many customers a row is about; None: those whose names say so. Of fewer than five
        the count is "under 5", and the row's other numbers are not told.
    counts:    further columns that count customers, such as those of the row who left: hidden one by one.
    """

    frame: pd.DataFrame = field(repr=False)
    caption: str
    formats: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    most_rows: int = MOST_ROWS
    customers: tuple[str, ...] | None = None
    counts: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        shown = self.frame.head(self.most_rows)
        texts, values = self._told(shown)
        said = [*self.notes, *_said_of_hidden(texts)]
        notes = "".join(f'<p class="note">{escape(clean(note))}</p>' for note in said)
        of = f' data-of="{len(self.frame):,}"' if len(self.frame) > self.most_rows else ""
        return (
            f'<div class="table" role="region" tabindex="0" aria-label="{escape(clean(self.caption))}"{of}>'
            f"<table><caption><span>{escape(clean(self.caption))}{self._cut_words()}</span></caption>"
            f"{_head(shown)}{_body(shown, texts, values)}</table></div>{notes}"
        )

    def _told(self, shown: pd.DataFrame) -> tuple[list[list[str]], list[list[str]]]:
        """The texts of each column, and the exact values by which it is sorted, without those of small groups."""
        groups = customers_in(shown) if self.customers is None else self.customers
        counting, small = {*groups, *self.counts}, small_rows(shown, groups).tolist()
        texts, values = [], []
        for at, name in enumerate(shown.columns):
            column = shown.iloc[:, at]
            hidden = _hidden(column, small if at else (), counts=name in counting)
            written = cells(column, self.formats.get(name))
            exact = _exact(column) if is_numeric(column) else _led_by_numbers(written)
            texts.append([own if instead is None else instead for own, instead in zip(written, hidden, strict=True)])
            kept = zip(exact, hidden, strict=True)
            values.append([own if instead is None else "" for own, instead in kept])
        return texts, values

    def _cut_words(self) -> str:
        if len(self.frame) <= self.most_rows:
            return ""
        return f' <span class="cut">The first {self.most_rows:,} of {len(self.frame):,} rows.</span>'


def show_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    formats: Mapping[str, str] | None = None,
    notes: str | tuple[str, ...] = (),
    most_rows: int = MOST_ROWS,
    customers: Sequence[str] | None = None,
    counts: Sequence[str] = (),
) -> Table:
    """A frame as a table for people; an index that says something becomes its first columns.

    formats: column → a format of Python's, such as ",.0f", ".1%", "+.1%" or "d" (a year without separators). Columns
        without one are written as their values need (`crm.reporting.wording.cells`).
    customers, counts: columns that count customers, as `Table` says; () for rows that are no groups of customers.
    Raises RequestError where `formats` names a column that is not there.
    """
    columns = _with_index(frame)
    unknown = [name for name in formats or {} if name not in columns.columns]
    if unknown:
        raise RequestError(
            "A format belongs to a column of the table.",
            found=f"no column {', '.join(map(repr, unknown))} among {', '.join(map(str, columns.columns))}",
            do="Name the column as it stands in the table.",
        )
    return Table(
        columns,
        caption,
        dict(formats or {}),
        (notes,) if isinstance(notes, str) else notes,
        most_rows,
        None if customers is None else tuple(customers),
        tuple(counts),
    )


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    said = not isinstance(frame.index, pd.RangeIndex) or frame.index.name is not None
    columns = frame.reset_index() if said else frame
    if columns.columns.nlevels > 1:
        names = [" · ".join(clean(part) for part in name if clean(part)) for name in columns.columns]
        columns = columns.set_axis(names, axis=1)
    return columns


def _head(frame: pd.DataFrame) -> str:
    kinds = ["number" if is_numeric(frame.iloc[:, at]) else "" for at in range(len(frame.columns))]
    names = [
        f'<th scope="col"{_class(kind)}>{escape(heading(name))}</th>'
        for name, kind in zip(frame.columns, kinds, strict=True)
    ]
    return f"<thead><tr>{''.join(names)}</tr></thead>"


def _hidden(column: pd.Series, small: Sequence[bool], *, counts: bool) -> list[str | None]:
    """What stands in place of each value of a column, in rows of `small` groups; None where the value itself does."""
    if counts:
        return [UNDER_FEWEST if few else None for few in is_small(column)]
    if not small or not is_numeric(column):
        return [None] * len(column)
    return [MISSING if few else None for few in small]


def _said_of_hidden(texts: Sequence[Sequence[str]]) -> list[str]:
    """How many rows do not tell their numbers."""
    count = sum(UNDER_FEWEST in row for row in zip(*texts, strict=True))
    if not count:
        return []
    rows = "One row counts" if count == 1 else f"{count:,} rows count"
    return [f"{rows} fewer than {FEWEST} customers; so that nobody is singled out, the numbers are not told."]


def _exact(column: pd.Series) -> list[str]:
    """Numbers as they are, for sorting; empty where there is none."""
    return ["" if pd.isna(value) else _exact_number(value) for value in column.tolist()]


def _led_by_numbers(texts: Sequence[str]) -> list[str]:
    """The number that each text begins with ("-0.13 to +0.19", "under 1%"), where all do; else nothing of any."""
    led = [_LED.match(text) for text in texts]
    if not all(match or text in ("", MISSING) for match, text in zip(led, texts, strict=True)):
        return [""] * len(texts)
    return ["" if match is None else _led_by(*match.groups()) for match in led]


def _led_by(under: str | None, sign: str, digits: str) -> str:
    number = float(digits.replace(",", "")) * (-1 if sign in ("-", MINUS) else 1)
    return _exact_number(number - 1e-9 if under else number)  # "under 1%" stands before "1% to 2%"


def _exact_number(value: Any) -> str:
    exact = float(value) + 0.0  # of minus zero, zero
    return repr(exact).replace("inf", "Infinity").removesuffix(".0")


def _body(frame: pd.DataFrame, texts: Sequence[Sequence[str]], values: Sequence[Sequence[str]]) -> str:
    if frame.empty:
        return f'<tbody><tr><td colspan="{max(1, len(frame.columns))}">Nothing to show.</td></tr></tbody>'
    kinds = [_kind(frame.iloc[:, at], column) for at, column in enumerate(texts)]
    rows = [
        "".join(map(_cell, range(len(row)), row, exact, kinds))
        for row, exact in zip(zip(*texts, strict=True), zip(*values, strict=True), strict=True)
    ]
    return f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>"


def _kind(column: pd.Series, texts: Sequence[str]) -> str:
    """What a column holds, as far as it matters for how wide it is and to which side it leans."""
    if is_numeric(column):
        return "number"
    if all(_DATE.match(text) or text == MISSING for text in texts):
        return "date"
    return "long" if max(map(len, texts)) > _LONG else ""


def _cell(at: int, text: str, exact: str, kind: str) -> str:
    by = f' data-sort="{escape(exact)}"' if exact else ""
    if at == 0 and kind != "number":
        return f'<th scope="row"{_class(kind)}{by}>{escape(text)}</th>'
    return f"<td{_class(kind)}{by}>{escape(text)}</td>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
