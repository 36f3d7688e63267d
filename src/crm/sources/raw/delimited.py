"""CSV: texts of records and fields, read in pieces whatever their size."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv

from crm.config import TableMapping
from crm.errors import SettingsError, SourceError
from crm.sources.raw.cutting import LONGEST, cut
from crm.sources.raw.dialects import SAMPLE, header_of, looks_like_names, seen_delimiter, usual_width
from crm.sources.raw.encodings import as_utf8, seen_encoding, told_encoding
from crm.sources.raw.names import unique_names
from crm.sources.raw.part import BLANKS, Dialect, RawPart
from crm.sources.raw.records import BEFORE_HEADER, Broken, Shape, as_text, first_records, wrong_count
from crm.sources.raw.streams import BLOCK, blocks
from crm.sources.raw.writing import Writing, parquet_name, written_at

Piece = tuple[pa.Table, Sequence[Broken]]
_HEAD = 1 << 20
_SEPARATOR_LINE = re.compile(rb"\s*\"?sep=([^\r\n])\"?(\r\n|\r|\n|$)", re.IGNORECASE)


def read_delimited(file: Path, mapping: TableMapping, place: Path, *, compressed: str, origin: str) -> RawPart:
    """The rows of a CSV file. Raises SourceError, SettingsError."""
    content = blocks(file, compressed)
    encoding = told_encoding(mapping.encoding, file, content) if mapping.encoding else seen_encoding(file, content)
    text = as_utf8(blocks(file, compressed), encoding)
    first = b""
    while len(first) < _HEAD and (more := next(text, b"")):
        first += more
    start = _beginning(file, first, mapping, Dialect(encoding, mapping.delimiter, mapping.quote, compressed, True, 0))
    names, doubled = unique_names(start.cells)
    pieces = itertools.chain([first[start.body :]], text)
    with Writing(parquet_name(file, mapping, place), origin, names) as out:
        out.write(_split(b"", names, start.dialect)[0], start.before)
        for rows, broken in _one_ahead(_tables(file, pieces, names, start.dialect)):
            out.write(rows, broken)
    return RawPart(
        out.parquet, origin, names, doubled, out.broken, out.blank, written_at(file), dialect=start.dialect
    )


@dataclass(frozen=True)
class _Beginning:
    """How a text begins: its dialect, the cells of its header, the lines before it, and where its rows begin."""

    dialect: Dialect
    cells: Sequence[str | None]
    before: Sequence[Broken]
    body: int


def _beginning(file: Path, text: bytes, mapping: TableMapping, dialect: Dialect) -> _Beginning:
    """What the first records say; `dialect` has what is known before. Raises SourceError where there is no record."""
    told = _SEPARATOR_LINE.match(text)
    skipped = told.end() if told else 0
    head = _whole_lines(text[skipped : skipped + _HEAD], cut_off=len(text) > skipped + _HEAD)
    delimiter = _told_delimiter(mapping.delimiter or (told[1].decode() if told else ""), dialect.quote)
    delimiter = delimiter or seen_delimiter(head, dialect.quote)
    dialect = replace(dialect, delimiter=delimiter, quote="" if delimiter == BLANKS else dialect.quote)
    found = list(itertools.islice(first_records(head, shape_of(dialect), blanks=delimiter == BLANKS), SAMPLE))
    if not found:
        raise SourceError(f"{file.name} must hold a table.", found="empty lines alone", do="Write the export again.")
    sample, ends = [fields for fields, _ in found], [0, *(end for _, end in found)]
    if not mapping.header:
        names = looks_like_names(sample[0], sample[1:])
        return _Beginning(replace(dialect, names=names), [None] * usual_width(sample), (), skipped)
    header = header_of(sample)
    names = looks_like_names(header.cells, sample[header.titles + 1 :])
    before = [head[start:end].lstrip(b"\r\n") for start, end in itertools.pairwise(ends[: header.titles + 1])]
    return _Beginning(
        replace(dialect, names=names, titles=header.titles),
        header.cells,
        [Broken(BEFORE_HEADER, as_text(line)) for line in before],
        skipped + ends[header.titles + 1],
    )


def _whole_lines(text: bytes, *, cut_off: bool) -> bytes:
    """Without the line that was cut off."""
    end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
    return text[:end] if cut_off and end else text


def _told_delimiter(told: str, quote: str) -> str:
    """The delimiter of crm.toml, checked together with its quote. Raises SettingsError."""
    if not quote.isascii() or quote.isspace():
        raise SettingsError(
            "`quote` must be one sign of ASCII, or empty.", found=repr(quote), do="Correct it; mostly it is '\"'."
        )
    told = {"tab": "\t", "\\t": "\t"}.get(told, told)
    if told in ("", BLANKS) or (len(told) == 1 and told.isascii() and told not in ("\n", "\r", quote)):
        return told
    raise SettingsError(
        "`delimiter` must be one sign of ASCII other than the quote, or 'blanks'.",
        found=repr(told),
        do="Correct it, or leave it empty: it is seen from the file.",
    )


def shape_of(dialect: Dialect, width: int = 0) -> Shape:
    """How records of this dialect are cut."""
    delimiter = " " if dialect.delimiter == BLANKS else dialect.delimiter
    return Shape(delimiter.encode(), dialect.quote.encode(), width, dialect.encoding)


def _tables(file: Path, pieces: Iterator[bytes], names: Sequence[str], dialect: Dialect) -> Iterator[Piece]:
    """The rows piece by piece, with those that are broken. Raises SourceError where lines have no end."""
    shape, rest = shape_of(dialect, len(names)), b""
    for piece in itertools.chain(pieces, [None]):
        done = cut(rest + (piece or b""), shape, last=piece is None)
        rest = done.rest
        if len(rest) > LONGEST + BLOCK:
            raise SourceError(
                f"{file.name} must have lines of at most {LONGEST >> 20} MB.",
                found="a longer one",
                do="Write the export with one line for each row.",
            )
        rows, ragged = _split(done.records, names, dialect)
        yield rows, [*done.broken, *ragged]


def _one_ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces; while one is written, the next is read."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece


def _split(records: bytes, names: Sequence[str], dialect: Dialect) -> Piece:
    """Records that are whole, split into their fields; those with too few or too many are broken."""
    if not records.strip(b"\r\n"):
        return pa.table({name: pa.array([], pa.string()) for name in names}), []
    wrong: list[csv.InvalidRow] = []

    def skip(row: csv.InvalidRow) -> Literal["skip"]:
        wrong.append(row)
        return "skip"

    rows = csv.read_csv(
        io.BytesIO(_squeezed(records) if dialect.delimiter == BLANKS else records),
        read_options=csv.ReadOptions(column_names=list(names), use_threads=False, block_size=len(records) + 1),
        parse_options=csv.ParseOptions(
            delimiter=shape_of(dialect).delimiter.decode(),
            quote_char=dialect.quote or False,
            newlines_in_values=True,
            invalid_row_handler=skip,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            check_utf8=False,  # it was decoded before
        ),
    )
    lines = _lines(records) if wrong and dialect.delimiter == BLANKS else []
    return rows, [
        Broken(
            wrong_count(row.actual_columns, row.expected_columns),
            lines[row.number - 1] if lines and row.number else row.text,
        )
        for row in wrong
    ]


def _lines(records: bytes) -> list[str]:
    """The lines as they came, empty ones left out, as they are counted when they are split."""
    return [as_text(line) for line in re.split(rb"[\r\n]+", records) if line.strip(b" \t")]


def _squeezed(records: bytes) -> bytes:
    """The same with one blank where there were several, and none at the beginning and end of lines."""
    data = np.frombuffer(records.replace(b"\t", b" "), dtype=np.uint8)
    edge = np.isin(data, np.frombuffer(b"\r\n", dtype=np.uint8))
    blank = data == ord(" ")
    data = data[~(blank & np.concatenate([[True], (blank | edge)[:-1]]))]
    edge = np.isin(data, np.frombuffer(b"\r\n", dtype=np.uint8))
    data = data[~((data == ord(" ")) & np.concatenate([edge[1:], [True]]))]
    return bytes(data)
