"""The stamp: what every page says about the run it belongs to, on screen and in print."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.reporting.wording import MISSING, duration


@dataclass(frozen=True)
class Stamp:
    """Which run a page belongs to, how that run ended, and how old its data were.

    status: COMPLETE, PARTIAL, FAILED or RUNNING.
    as_of: the first day that was not known.
    started_at: ISO 8601, UTC.
    fingerprint: of the data that were read.
    data_days: whole days between the newest row and the last day that could have been known; 0: up to date.
    analysis_seconds: from the start of the run until its pages were written.
    """

    run_id: str
    status: str
    as_of: dt.date
    started_at: str
    fingerprint: str
    data_days: int | None
    analysis_seconds: float | None

    @property
    def day(self) -> str:
        """The as-of date; – where a broken receipt does not tell it."""
        return MISSING if self.as_of == dt.date.min else f"{self.as_of:%Y-%m-%d}"

    @property
    def short_fingerprint(self) -> str:
        """Enough of the fingerprint to tell two data sets apart."""
        return self.fingerprint[:12] or MISSING

    @property
    def data_latency(self) -> str:
        """How old the data were, in words."""
        if self.data_days is None:
            return "not known"
        if self.data_days <= 0:
            return "up to date"
        return f"{self.data_days} day{'s' if self.data_days > 1 else ''} behind"

    @property
    def analysis_latency(self) -> str:
        """How long the run took, in words."""
        return duration(self.analysis_seconds)

    @property
    def started(self) -> str:
        """When the run started, to the minute."""
        return minute(self.started_at)

    @property
    def line(self) -> str:
        """The stamp on one line, for the foot of a printed page."""
        return f"{self.status} · as of {self.day} · run {self.run_id} · data {self.short_fingerprint}"


def minute(moment: str) -> str:
    """A moment of ISO 8601 as "2026-11-22 15:18 UTC"; what cannot be read stays as it is."""
    try:
        at = dt.datetime.fromisoformat(moment)
    except ValueError:
        return moment or MISSING
    return f"{at.astimezone(dt.UTC) if at.tzinfo else at:%Y-%m-%d %H:%M} UTC"
