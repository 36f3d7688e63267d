"""What the model cards of all analyses are made of: sentences, dates, small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from crm.finding import Findings


class Moved(Protocol):
    """How far the customers of today are from those a model was fitted on: numbers, and one row per column."""

    @property
    def measures(self) -> Mapping[str, float]: ...

    @property
    def features(self) -> pd.DataFrame: ...


def said(findings: Findings, *names: str) -> str:
    """The sentences of these findings, as far as they are there."""
    return " ".join(finding.sentence for finding in findings.pick(*names))


def in_a_row(several: Sequence[object]) -> str:
    """Dates, or whatever is told of, in a row."""
    return ", ".join(map(str, several))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row by the names of its columns."""
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def markdown(table: pd.DataFrame, *, decimals: int = 3) -> str:
    """A small table in Markdown; one line where it has no row."""
    if table.empty:
        return "(no row)"
    lines = [list(map(str, table.columns)), ["---"] * len(table.columns)]
    lines += [[_cell(cell, decimals) for cell in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: object, decimals: int) -> str:
    if isinstance(cell, float):
        return "–" if pd.isna(cell) else f"{cell:,.{decimals}f}"
    return str(cell).replace("|", "/")


__all__ = ["Moved", "in_a_row", "markdown", "rows_of", "said"]
