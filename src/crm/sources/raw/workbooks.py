"""Excel: every sheet is a part, its cells as text: numbers without a needless .0, dates in ISO form."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from crm.config import TableMapping
from crm.errors import SettingsError, SourceError
from crm.sources.raw.dialects import SAMPLE, header_of
from crm.sources.raw.names import unique_names
from crm.sources.raw.part import RawPart
from crm.sources.raw.records import BEFORE_HEADER, Broken
from crm.sources.raw.streams import one_line, reading
from crm.sources.raw.writing import Writing, parquet_name, written_at

Row = list[str | None]
_AT_ONCE = 50_000  # rows


def read_workbook(file: Path, mapping: TableMapping, place: Path, *, origin: str) -> tuple[RawPart, ...]:
    """A part for each sheet that is not empty, or for the one that crm.toml names.

    Raises SourceError, SettingsError.
    """
    with reading(file), file.open("rb") as stream, _whole(file, "damaged content"):
        book = CalamineWorkbook.from_filelike(stream)
    parts = (_read_sheet(file, book, name, mapping, place, origin) for name in _wanted(file, book, mapping.sheet))
    found = tuple(part for part in parts if part)
    if not found:
        raise _unreadable(file, "no cell that holds anything", "Write the export again.")
    return found


@contextlib.contextmanager
def _whole(file: Path, what: str) -> Iterator[None]:
    """What the library says of a file that it cannot read, in its owner's words. Raises SourceError."""
    try:
        yield
    except PasswordError:
        raise _unreadable(file, "it is protected by a password", "Save it without password.") from None
    except BaseException as error:
        # Of a file that is cut off, the library's Rust part can panic, which is no Exception.
        if isinstance(error, CalamineError) or type(error).__name__ == "PanicException":
            raise _unreadable(file, f"{what} ({one_line(error)})", "Fetch or write it again.") from None
        raise


def _unreadable(file: Path, found: str, do: str) -> SourceError:
    return SourceError(f"{file.name} must be a workbook with a table.", found=found, do=do)


def _wanted(file: Path, book: CalamineWorkbook, sheet: str) -> Sequence[str]:
    """The names of the sheets that are read."""
    if not sheet:
        return book.sheet_names
    wanted = [name for name in book.sheet_names if name.strip().casefold() == sheet.strip().casefold()]
    if not wanted:
        raise SettingsError(
            f"`sheet` must name a sheet of {file.name}.",
            found=f"{sheet!r}; there are {', '.join(book.sheet_names)}",
            do="Correct it, or leave it empty to read every sheet.",
        )
    return wanted


def _read_sheet(
    file: Path, book: CalamineWorkbook, name: str, mapping: TableMapping, place: Path, origin: str
) -> RawPart | None:
    """The rows of a sheet; None where it is empty."""
    with _whole(file, f"a damaged sheet {name}"):
        rows = _rows(book.get_sheet_by_name(name))
    rows = itertools.dropwhile(lambda row: not any(row), rows)
    head = list(itertools.islice(rows, SAMPLE))
    if not head:
        return None
    cells: Sequence[str | None] = [None] * len(head[0])
    before: list[Broken] = []
    if mapping.header:
        header = header_of(head)
        cells = header.cells
        before = [Broken(BEFORE_HEADER, "\t".join(filter(None, row))) for row in head[: header.titles] if any(row)]
        head = head[header.titles + 1 :]
    names, doubled = unique_names(cells)
    shown = f"{origin}, sheet {name}"
    with Writing(parquet_name(file, mapping, place, name), shown, names) as out:
        out.write(_table((), names), before)
        rows = itertools.chain(head, rows)
        while piece := list(itertools.islice(rows, _AT_ONCE)):
            out.write(_table(piece, names))
    return RawPart(out.parquet, shown, names, doubled, out.broken, out.blank, written_at(file), dialect=None)


def _table(rows: Sequence[Row], names: Sequence[str]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))


def _rows(sheet: CalamineSheet) -> Iterator[Row]:
    """The rows of a sheet, from column A on."""
    before: Row = [None] * (sheet.start[1] if sheet.start else 0)
    for cells in sheet.iter_rows():
        yield before + [_text(cell) for cell in cells]


def _text(cell: object) -> str | None:
    """A cell as text; of a fraction what a person sees at full precision, 15 digits."""
    match cell:
        case "" | None:
            return None
        case bool():
            return "true" if cell else "false"
        case float() | int():
            return str(int(cell)) if float(cell).is_integer() else format(cell, ".15g")
        case dt.datetime():
            return cell.isoformat(" ", "milliseconds" if cell.microsecond else "seconds")
        case dt.timedelta():
            return _hours(cell)
        case _:
            return str(cell)


def _hours(length: dt.timedelta) -> str:
    """A length of time such as 36:00:00."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
