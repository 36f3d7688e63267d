"""What reading a file gives: its rows as Parquet, and how the file is written."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

FILE, BROKEN, TEXT = "crm:file", "crm:broken", "crm:text"
BLANKS = "blanks"


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written: as told in crm.toml, or as seen in the file.

    encoding:   as Python names it, such as "utf-8", "cp1252" or "utf-16-le".
    delimiter:  what separates the columns, or "blanks": one or more blanks, leading and trailing ones left out.
    quote:      one character, or "" for none.
    compressed: "", "gzip", "bz2", "xz", "zstd" or "zip".
    names:      whether the first line looks like names of columns. How it is read is for `header` in crm.toml to say.
    titles:     lines that stand before the header, such as a bank's; each is a broken row.
    """

    encoding: str
    delimiter: str
    quote: str
    compressed: str
    names: bool
    titles: int


@dataclass(frozen=True)
class RawPart:
    """The rows of one file, or of one sheet.

    parquet: what the engine scans: FILE, BROKEN, TEXT and the file's own columns, all text, an empty cell as null.
             For Parquet input the file itself, with its own columns and types.
    origin:  "orders.csv", "book.xlsx, sheet Orders": as shown to people, and as it stands in FILE.
    columns: the file's own, made unique ignoring case ("Date", "Date (column 5)"), in order; unnamed: "column 1".
    doubled: names that stood more than once, as they stood.
    broken:  rows that could not be split; BROKEN says why, TEXT holds the line as it came.
    blank:   rows in which every cell was empty; they are left out.
    written: when the file was last changed, in UTC.
    dialect: of a CSV file.
    """

    parquet: Path
    origin: str
    columns: tuple[str, ...]
    doubled: tuple[str, ...]
    broken: int
    blank: int
    written: dt.datetime
    dialect: Dialect | None
