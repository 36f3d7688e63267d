"""One record of a CSV text: where it ends, what its fields hold, and why it cannot be split.

A record may span lines inside quotes, so a quote that is never closed would swallow the rest of a file. Therefore:

1. A quote opens a text only at the beginning of a field; elsewhere it is a sign like others (`5" pipe`).
2. Within one line, a text ends at the quote that a delimiter or the line's end follows (`"5" pipe"` is `5" pipe`).
3. Across lines it must be written by the book: quotes in it doubled, a delimiter or a line's end after it, and what
   it spans no table of its own. Otherwise the quote counts as never closed: that line alone is broken, and reading
   goes on at the next.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm.sources.raw.encodings import UNREADABLE

BEFORE_HEADER = "the line stands before the header"
MARK = UNREADABLE.encode()
TABLE_LINES = 5  # lines within one text, from which on they may be rows that it has swallowed
_BLANKS = re.compile(rb"[ \t]+")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Shape:
    """How the records of a text are written: delimiter of one byte, quote of one or none, so many fields."""

    delimiter: bytes
    quote: bytes
    width: int
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Broken:
    """A record that cannot be split, and why."""

    reason: str
    text: str


@dataclass(frozen=True)
class Record:
    """The fields of a record, and where the next begins; not `closed`: a quote in its first line is never closed."""

    fields: Sequence[bytes]
    end: int
    closed: bool = True


def next_record(text: bytes, start: int, shape: Shape) -> Record | None:
    """The record that begins at a position; None where the text ends before the record does."""
    within, across = _patterns(shape.delimiter, shape.quote)
    fields: list[bytes] = []
    position, end = start, b""
    while end in (b"", shape.delimiter):
        found = within.match(text, position) or (across.match(text, position) if across else None)
        if found is None or (not found["end"] and found.end() == len(text)):
            return None
        end, position = found["end"], found.end()
        if not end or (found.re is across and is_table(found["text"], shape)):
            line = _LINE_END.search(text, start)
            return Record((), line.end(), closed=False) if line else None
        fields.append(_content(found, shape.quote))
    return Record(fields, position)


def _content(field: re.Match[bytes], quote: bytes) -> bytes:
    """What a field holds, without the quotes around it."""
    quoted: bytes | None = field["text"]
    if quoted is not None:
        return quoted.replace(quote + quote, quote)
    plain: bytes = field["plain"]
    return plain


@functools.cache
def _patterns(delimiter: bytes, quote: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes] | None]:
    """A field that ends in its line, and a quoted one that may span lines."""
    d, q = re.escape(delimiter), re.escape(quote)
    end = rb"(?P<end>" + d + rb"|\r\n|\r|\n)"
    if not quote:
        return re.compile(rb"(?P<text>(?!))?(?P<plain>[^" + d + rb"\r\n]*+)" + end), None
    sign = rb"[^" + q + rb"\r\n]*+"
    inner = sign + rb"(?:(?:" + q + q + rb"|" + q + rb"(?![" + q + d + rb"\r\n]))" + sign + rb")*"
    plain = rb"(?P<plain>(?!" + q + rb")[^" + d + rb"\r\n]*+)"
    within = rb"(?:" + q + rb"(?P<text>" + inner + rb")" + q + rb"|" + plain + rb")" + end
    across = q + rb"(?P<text>[^" + q + rb"]*+(?:" + q + q + rb"[^" + q + rb"]*+)*+)" + q + end + rb"?"
    return re.compile(within), re.compile(across)


def is_table(text: bytes, shape: Shape) -> bool:
    """Whether the lines within a text are records: nine of ten have the number of fields of the table."""
    lines = [line for line in text.splitlines()[1:-1] if line]
    alike = sum(line.count(shape.delimiter) == shape.width - 1 for line in lines)
    return shape.width > 2 and len(lines) >= TABLE_LINES and alike >= 0.9 * len(lines)


def row_of(record: Record | None, raw: bytes, shape: Shape) -> Broken | bytes:
    """A record as it is written by the book, or why it is none; `raw` is its text, None one that never ends."""
    reason = ""
    if b"\0" in raw:
        reason = "the line holds a NUL byte"
    elif MARK in raw:
        reason = f"the line is not all {shape.encoding}"
    elif record is None or not record.closed:
        reason = "a quote is opened and never closed"
    elif len(record.fields) != shape.width:
        reason = wrong_count(len(record.fields), shape.width)
    if record is None or reason:
        return Broken(reason, as_text(raw))
    quote = shape.quote
    fields = (quote + field.replace(quote, quote + quote) + quote for field in record.fields)
    return shape.delimiter.join(fields) + b"\n"


def wrong_count(found: int, width: int) -> str:
    """The reason for a record of too few or too many fields."""
    return f"the line has {found} field{'s' * (found != 1)} in place of {width}"


def as_text(raw: bytes) -> str:
    """A line as it came, without its end; bytes that are no letters as \\x81."""
    return raw.rstrip(b"\r\n").decode("utf-8", errors="replace").replace(UNREADABLE, "")


def line_end(text: bytes, start: int) -> int:
    """Where the line after this position begins."""
    found = _LINE_END.search(text, start)
    return found.end() if found else len(text)


def first_records(text: bytes, shape: Shape, *, blanks: bool = False) -> Iterator[tuple[list[str], int]]:
    """The records of a text in turn, empty lines left out, each with the position at which the next begins.

    A record that cannot be split is its line as one field. `blanks`: fields are what stands between blanks.
    """
    position = 0
    while position < len(text):
        record = None if blanks else next_record(text, position, shape)
        end = record.end if record else line_end(text, position)
        raw = text[position:end]
        if raw.strip():
            fields = _BLANKS.split(raw.strip()) if blanks else record.fields if record and record.closed else [raw]
            yield [as_text(field) for field in fields], end
        position = end
