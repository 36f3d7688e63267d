"""A finding: a table with the sentence that says it.

Prose in reports is made of findings, never typed: the sentence is a template filled from `values`, so a number in
the text is the number in results.json.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Finding:
    """What was found, as a sentence, as numbers and as a table.

    name:     stable key in results.json, unique within a notebook, such as `net_sales`.
    template: the sentence with its numbers as fields: "{customers:,} customers spent {net_sales:,.0f} USD."
    values:   the numbers of the sentence, and more where useful (interval, count).
    as_of:    the first day that was not known.
    table:    the evidence, shown beneath the sentence where it is small; None where a chart shows it.
    """

    name: str
    template: str
    values: Mapping[str, Any]
    as_of: dt.date
    table: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return self.template.format(**self.values)

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        return f'<p class="finding" data-finding="{escape(self.name)}">{escape(self.sentence)}</p>'

    def as_record(self) -> dict[str, Any]:
        """The finding as it stands in results.json."""
        values = {k: v.isoformat() if isinstance(v, dt.date) else v for k, v in self.values.items()}
        return {
            "name": self.name,
            "sentence": self.sentence,
            "values": values,
            "as_of": self.as_of.isoformat(),
        }
