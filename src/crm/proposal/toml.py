"""TOML as text, with comments: values, keys and paths whatever stands in them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from crm.config import TableMapping

WIDTH = 110
_BEHIND = 34  # where a comment behind a value begins, if there is room


def value(one: object) -> str:
    """A value as TOML."""
    match one:
        case bool():
            return "true" if one else "false"
        case int() | float():
            return repr(one)
        case list():
            return f"[{', '.join(value(part) for part in one)}]"
        case dict():
            return "{" + ", ".join(f"{key(str(name))} = {value(part)}" for name, part in one.items()) + "}"
        case _:
            return json.dumps(str(one), ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """A key as TOML: bare where that is allowed."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else value(name)


def query(sql: str) -> str:
    """SQL as TOML: as it stands, on lines of its own, where nothing in it forbids that."""
    if "'''" in sql or any(ord(c) < 32 or ord(c) == 127 for c in sql):
        return value(sql)
    return f"'''\n{_broken_into_lines(sql)}'''"


def _broken_into_lines(sql: str) -> str:
    """SQL with a line of its own for each part of the outermost query; what stands in quotes is left whole."""
    pieces = re.split(r"""("(?:[^"]|"")*"|'(?:[^']|'')*'|[()])""", sql)
    depth, lines, line = 0, [], ""
    for piece in pieces:
        if piece in ("(", ")"):
            depth += 1 if piece == "(" else -1
        elif depth == 0 and not piece.startswith(('"', "'")):
            for at, part in enumerate(re.split(r" (?=(?:FROM|WHERE|LEFT JOIN|GROUP BY) )", piece)):
                if at:
                    lines.append(line)
                    line = ""
                line += part
            continue
        line += piece
    return "\n".join([*lines, line]) + "\n"


def pair(name: str, one: str, comment: str = "") -> Iterator[str]:
    """A key and its value, with a comment behind it, or above where it is long."""
    entry = f"{name} = {one}"
    said = clean(comment)
    if not said:
        yield entry
    elif "\n" not in entry and max(len(entry) + 1, _BEHIND) + 2 + len(said) <= WIDTH:
        yield f"{entry:<{_BEHIND}} # {said}"
    else:
        yield from remark(said)
        yield entry


def remark(text: str, *, mark: str = "") -> Iterator[str]:
    """A comment of as many lines as it needs."""
    lines = textwrap.wrap(
        clean(f"{mark}{text}"),
        WIDTH - 2,
        subsequent_indent="  " if mark else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (f"# {line}" for line in lines or [""])


def clean(text: str) -> str:
    """Text that may stand in a comment: no line breaks, control characters made visible."""
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else f"\\u{ord(c):04x}" for c in text).strip()


def shown_path(file: Path, home: Path) -> str:
    """A path relative to the folder of the settings file where it lies in it, otherwise absolute."""
    return file.relative_to(home).as_posix() if file.is_relative_to(home) else str(file)


def hints(known: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Canonical columns for which nothing was found, as lines to be filled in."""
    for name, meaning in known:
        yield f"{f'# {name} = …':<{_BEHIND}} # nothing found: {clean(meaning.partition(' (')[0])}"


DEFAULTS = TableMapping()
