"""Which model stands: the approved one that scores, and whether another is to be learnt beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Standing:
    """What an analysis is told about its model before it starts.

    record:  the champion, as its own `as_record` wrote it; None where there is none that may score on this date.
    version: its number in the registry; empty without one.     as_of: the date as of which it was fitted.
    retrain: fit a model anew. Without a champion that is always so, and the new one scores; with one the champion
             scores, and the new one is a challenger.
    why:     why there is no champion, or why one is or is not fitted anew: a sentence for the page.
    """

    record: Mapping[str, Any] | None = field(default=None, repr=False)
    version: str = ""
    as_of: dt.date | None = None
    retrain: bool = True
    why: str = ""


__all__ = ["Standing"]
