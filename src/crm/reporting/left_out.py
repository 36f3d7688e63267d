"""One calm line where the data do not allow a chart or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from crm.finding import Findings
from crm.reporting.wording import clean

NOT_THERE = "not_there"


@dataclass(frozen=True)
class LeftOut:
    """In place of a chart or table: the sentence that says what is left out, why, and what would add it.

    The sentence is the analysis' own.     finding: its name, where the sentence is a finding.
    picture: None, as of a chart that has none.
    """

    sentence: str
    finding: str = ""
    picture: None = field(default=None, init=False, repr=False)

    def _repr_html_(self) -> str:
        name = f' data-finding="{escape(self.finding)}"' if self.finding else ""
        return f'<p class="nothing"{name}>{escape(clean(self.sentence))}</p>'


@dataclass(frozen=True)
class Together:
    """Several things that one cell shows, one beneath the other."""

    parts: tuple[Any, ...]

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


def together(*parts: Any) -> Together:
    """Charts, tables and findings that belong together; what is left out for one reason is said once."""
    said = {finding.sentence for part in parts if isinstance(part, Findings) for finding in part}
    told: list[Any] = []
    for part in parts:
        repeats = part in told or (isinstance(part, LeftOut) and part.sentence in said)
        if part is not None and not _is_empty(part) and not repeats:
            told.append(part)
    return Together(tuple(told))


def show_not_there(findings: Findings) -> LeftOut | None:
    """The finding about everything that is left out for want of data; None where nothing is."""
    said = next(iter(findings.pick(NOT_THERE)), None)
    return None if said is None else LeftOut(said.sentence, finding=said.name)


def _is_empty(part: Any) -> bool:
    return isinstance(part, Sequence) and not part
