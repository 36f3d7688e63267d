"""Counts and shares in words, as they stand in comments."""

from __future__ import annotations

import json


def count(number: int, what: str) -> str:
    """ "1 line", "1,234 lines"."""
    plural = {"currency": "currencies", "day": "days"}.get(what, f"{what}s")
    return f"{number:,} {what if number == 1 else plural}"


def share(part: float) -> str:
    """ "25 %"; never 100 % or 0 % for what is only nearly so."""
    percent = 100 * part
    if percent == 0 or percent == 100:
        return f"{percent:.0f} %"
    if percent < 1:
        return f"{percent:.1f} %" if percent >= 0.1 else "under 0.1 %"
    return f"{min(percent, 99.9):.1f} %" if percent > 99 else f"{percent:.0f} %"


def quoted(name: str) -> str:
    """A name as it is written in crm.toml."""
    return json.dumps(name, ensure_ascii=False)
