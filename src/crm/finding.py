"""A finding: a table with the sentence that says it.

Prose in reports is made of findings, never typed: the sentence is a template filled from `values`, so a number in
the text is the number in results.json.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?]) (?=[A-Z“])")
# Marks in a product's name that would change the direction of the sentence around it.
_TURNS_TEXT_ROUND = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


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
        first, *rest = _BETWEEN_SENTENCES.split(self.sentence.translate(_TURNS_TEXT_ROUND), maxsplit=1)
        told = " ".join([f'<span class="lead">{escape(first)}</span>', *map(escape, rest)])
        return f'<p class="finding" data-finding="{escape(self.name)}">{told}</p>'

    def as_record(self) -> dict[str, Any]:
        """The finding as it stands in results.json."""
        values = {k: v.isoformat() if isinstance(v, dt.date) else v for k, v in self.values.items()}
        return {
            "name": self.name,
            "sentence": self.sentence,
            "values": values,
            "as_of": self.as_of.isoformat(),
        }


class Findings(tuple[Finding, ...]):
    """The findings of an analysis in the order in which they matter; `findings["name"]` gives one by its name."""

    def __new__(cls, findings: Iterable[Finding | None]) -> Findings:
        """Those that the data allow; what could not be found is None and left out."""
        return super().__new__(cls, [finding for finding in findings if finding is not None])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            if key not in self.names:
                raise KeyError(f"no finding {key!r} among {', '.join(self.names)}")
            return next(finding for finding in self if finding.name == key)
        return super().__getitem__(key)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in their order."""
        return tuple(finding.name for finding in self)

    def pick(self, *names: str) -> Findings:
        """Those of these names, in the order of the names; a name that was not found is left out."""
        return Findings(next((finding for finding in self if finding.name == name), None) for name in names)

    def starting(self, start: str) -> Findings:
        """Those whose name starts like this, in their order."""
        return Findings(finding for finding in self if finding.name.startswith(start))

    def __str__(self) -> str:
        return "\n".join(finding.sentence for finding in self)

    def _repr_html_(self) -> str:
        said = "".join(finding._repr_html_() for finding in self)
        return f'<div class="findings">{said}</div>' if self else ""
