"""Tables for people: a caption, headings that belong to their columns, numbers that can be compared by eye.

Whatever comes from data is escaped; a table shows itself in JupyterLab and on a report's page alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import pandas as pd

from crm.errors import RequestError
from crm.reporting.wording import MISSING, cells, clean, heading, is_numeric

MOST_ROWS = 40

_LONG = 20
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, eq=False)
class Table:
    """A frame with its caption, as HTML that a screen reader can walk through.

    frame:     the whole table, also what is not shown.
    formats:   how columns are written: column → a format of Python's, such as ",.0f" or ".1%".
    notes:     what must be known to read it, shown beneath.
    most_rows: how many rows are shown; the caption says when there are more.
    """

    frame: pd.DataFrame = field(repr=False)
    caption: str
    formats: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    most_rows: int = MOST_ROWS

    def _repr_html_(self) -> str:
        shown = self.frame.head(self.most_rows)
        notes = "".join(f'<p class="note">{escape(clean(note))}</p>' for note in self.notes)
        return (
            f'<div class="table" role="region" tabindex="0" aria-label="{escape(clean(self.caption))}">'
            f"<table><caption><span>{escape(clean(self.caption))}{self._cut_words()}</span></caption>"
            f"{_head(shown)}{_body(shown, self.formats)}</table></div>{notes}"
        )

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
) -> Table:
    """A frame as a table for people; an index that says something becomes its first columns.

    formats: column → a format of Python's, such as ",.0f", ".1%", "+.1%" or "d" (a year without separators). Columns
        without one are written as their values need (`crm.reporting.wording.cells`).
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
    return Table(columns, caption, dict(formats or {}), (notes,) if isinstance(notes, str) else notes, most_rows)


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


def _body(frame: pd.DataFrame, formats: Mapping[str, str]) -> str:
    if frame.empty:
        return f'<tbody><tr><td colspan="{max(1, len(frame.columns))}">Nothing to show.</td></tr></tbody>'
    texts = [cells(frame.iloc[:, at], formats.get(name)) for at, name in enumerate(frame.columns)]
    kinds = [_kind(frame.iloc[:, at], column) for at, column in enumerate(texts)]
    rows = ["".join(map(_cell, range(len(row)), row, kinds)) for row in zip(*texts, strict=True)]
    return f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>"


def _kind(column: pd.Series, texts: Sequence[str]) -> str:
    """What a column holds, as far as it matters for how wide it is and to which side it leans."""
    if is_numeric(column):
        return "number"
    if all(_DATE.match(text) or text == MISSING for text in texts):
        return "date"
    return "long" if max(map(len, texts)) > _LONG else ""


def _cell(at: int, text: str, kind: str) -> str:
    if at == 0 and kind != "number":
        return f'<th scope="row"{_class(kind)}>{escape(text)}</th>'
    return f"<td{_class(kind)}>{escape(text)}</td>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
