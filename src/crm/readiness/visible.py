"""Text of the data as it can be shown on one line of a screen."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"}
_JOINERS = {"\u200c", "\u200d"}  # they hold letters and emoji together


def visible(value: object, most: int = 60) -> str:
    """At most this many characters of a value; what cannot be seen, or would steer the screen, by its code."""
    text = str(value)
    shown = "".join(map(_shown, text[:most]))
    return f"{shown}…" if len(text) > most else shown


def quoted(value: object, most: int = 40) -> str:
    """The same in quotes, so that its ends can be seen."""
    return f'"{visible(value, most)}"'


def _shown(character: str) -> str:
    if character == " " or character in _JOINERS or unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape").decode("ascii")
