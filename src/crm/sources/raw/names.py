"""Names of columns as the engine needs them: none empty, none twice, upper and lower case being the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from crm.sources.raw.part import BROKEN, FILE, TEXT


def unique_names(cells: Sequence[str | None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a header, made unique, and those that stood more than once.

    Blanks around a name and line breaks in it are not part of it. The second "Date" becomes "Date (column 5)", a
    column without a name "column 5".
    """
    plain = [" ".join((cell or "").replace("\0", "").split()) for cell in cells]
    times = Counter(name.casefold() for name in plain if name)
    doubled = tuple(dict.fromkeys(name for name in plain if times[name.casefold()] > 1))
    taken = {FILE, BROKEN, TEXT}
    names = []
    for position, name in enumerate(plain, 1):
        own = name or f"column {position}"
        if own.casefold() in taken or (not name and own.casefold() in times):
            own = _another(own, position, taken | times.keys())
        taken.add(own.casefold())
        names.append(own)
    return tuple(names), doubled


def _another(name: str, position: int, taken: set[str]) -> str:
    new = f"{name} (column {position})"
    while new.casefold() in taken:
        new += "'"
    return new
