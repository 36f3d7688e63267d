"""What a file is, by its content. A name can be wrong: many an `.xls` is a page of HTML."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crm.errors import SourceError
from crm.sources.raw.encodings import looks_like_utf16, starts_with_mark
from crm.sources.raw.streams import blocks, packed_names, reading

_HEAD = 1 << 16
_SPREADSHEETS = ("xl/workbook.xml", "xl/workbook.bin")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN = {
    b"%PDF-": "a PDF",
    b"{\\rtf": "a document of a word processor",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "an Arrow file",
    b"7z\xbc\xaf": "an archive (7z)",
    b"Rar!": "an archive (RAR)",
}
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|table|meta|\?xml)\b", re.IGNORECASE)
_JSON = re.compile(rb"\s*(\{\s*\"|\[\s*[\[{])")
# What no text holds: control characters other than white space and those that serve as delimiters.
_CONTROL = bytes([*range(2, 9), *range(14, 28), 127])


@dataclass(frozen=True)
class Content:
    """What a file holds, and how it is packed."""

    kind: Literal["csv", "workbook", "parquet"]
    compressed: str = ""


def content_of(file: Path) -> Content:
    """What the file is. Raises SourceError where it is no table that can be read."""
    with reading(file), file.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise SourceError(
            f"{file.name} must hold a table.", found="an empty file of 0 bytes", do="Write the export again."
        )
    if head.startswith(b"PAR1") and not head[4:5].isalnum():
        return Content("parquet")
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return Content("workbook")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(file)
    compressed = next((name for start, name in _PACKED.items() if head.startswith(start)), "")
    return _of_text(file, compressed, _unpacked(file, compressed) if compressed else head)


def shown_name(file: Path, content: Content) -> str:
    """The name of a file as shown to people, with what it is where its name says otherwise."""
    name = os.fsencode(file.name).decode("utf-8", errors="replace")
    for kind, what in _NAMED.items():
        promised = file.suffix.lower() in what.endings
        if promised and kind != content.kind:
            return f"{name} ({_NAMED[content.kind].words})"
    return name


@dataclass(frozen=True)
class _Kind:
    words: str
    endings: tuple[str, ...]


_NAMED = {
    "csv": _Kind("in fact text", (".csv", ".tsv", ".tab", ".psv", ".txt")),
    "workbook": _Kind("in fact an Excel workbook", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")),
    "parquet": _Kind("in fact Parquet", (".parquet", ".pq", ".parq")),
}


def _unpacked(file: Path, compressed: str) -> bytes:
    """The beginning of what is packed in a file."""
    return next(blocks(file, compressed), b"")[:_HEAD]


def _of_zip(file: Path) -> Content:
    """A workbook, or one packed file."""
    with reading(file), zipfile.ZipFile(file) as archive:
        names = packed_names(archive)
        kind = archive.read("mimetype") if "mimetype" in names else b""
    if any(name in names for name in _SPREADSHEETS) or b"opendocument.spreadsheet" in kind:
        return Content("workbook")
    if "[Content_Types].xml" in names or kind:
        raise _no_table(file, "a document of a word processor or a presentation")
    if len(names) != 1:
        raise SourceError(
            f"An archive must hold one file, and {file.name} holds {len(names)}.",
            found=", ".join(names[:3]) + (", …" if len(names) > 3 else "") or "nothing in it",
            do="Unpack it into a folder, and name the folder as path.",
        )
    return _of_text(file, "zip", _unpacked(file, "zip"))


def _of_text(file: Path, compressed: str, head: bytes) -> Content:
    """A text, unless its beginning says otherwise."""
    if file.suffix.lower() in (".parquet", ".pq"):
        raise SourceError(
            f"{file.name} must be Parquet, as its name says.",
            found="it does not begin as Parquet does",
            do="Write it again; if it is text, name it .csv.",
        )
    packed = "packed in it: " if compressed else ""
    if head.startswith((b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", *_PACKED)) and compressed:
        raise SourceError(
            f"{file.name} must be packed text.", found="another kind of file packed in it", do="Unpack it first."
        )
    if what := _foreign(head):
        raise _no_table(file, packed + what)
    return Content("csv", compressed)


def _foreign(head: bytes) -> str:
    """What it is, where it is no text of rows; else nothing."""
    for start, what in _FOREIGN.items():
        if head.startswith(start):
            return what
    if starts_with_mark(head) or looks_like_utf16(head):
        return ""
    if head[8:12] == b"DUCK":
        return "a DuckDB database"
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        return "a page of HTML or XML"
    if _JSON.match(text):
        return "JSON"
    control = len(text) - len(text.translate(None, _CONTROL))
    return "bytes that no text has" if control > max(32, len(text) // 33) else ""


def _no_table(file: Path, what: str) -> SourceError:
    return SourceError(
        f"{file.name} must be CSV, Excel or Parquet.",
        found=what,
        do="Open it with the program it was made with, and export the table as CSV, Excel or Parquet.",
    )
