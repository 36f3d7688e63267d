"""What lies at the paths: which files can be read as tables, and which of them are parts of one table."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from crm.config import TableMapping
from crm.engine import sql_name, sql_path
from crm.errors import RequestError, SettingsError, SourceError
from crm.proposal.profile import Table, profile
from crm.proposal.shapes import Shape, forms_of, merged
from crm.sources.raw import BROKEN, FILE, TEXT, Dialect, RawPart, files_of, read_raw

_BESIDE = (FILE, BROKEN, TEXT)
_MOST_FILES = 1_000
_ENOUGH_BYTES = 4_000_000  # to see the letters of an encoding
_SHEET = ", sheet "
_NO_DATA = {".md", ".ini", ".log", ".ipynb", ".py", ".toml", ".sql", ".lock"}


@dataclass(frozen=True)
class Part:
    """One file or sheet, read."""

    file: Path
    raw: RawPart
    header: bool

    @property
    def sheet(self) -> str:
        """The sheet of a workbook, else nothing."""
        return self.raw.origin.partition(_SHEET)[2]


@dataclass(frozen=True)
class Looked:
    """A table as it was found: files or sheets of the same columns, or a table of a database.

    name:   as shown to people.     said: the words of its name, for guessing what it holds.
    parts:  the files it is made of; none for a table of a database, which `table` names.
    raw:    its rows, as the mapping will read them.     joined: made of two tables of different columns.
    """

    name: str
    said: str
    profile: Table
    parts: tuple[Part, ...] = ()
    table: str = ""
    raw: tuple[RawPart, ...] = ()
    joined: bool = False

    @property
    def sql(self) -> str:
        """Its rows in a query of crm.toml: the table of the database, or `file`."""
        return ".".join(sql_name(part) for part in self.table.split(".")) if self.table else "file"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it is made of, each once."""
        return tuple(dict.fromkeys(part.file for part in self.parts))

    @property
    def sheet(self) -> str:
        """The sheet that must be named: where the workbooks have sheets that are no part of the table."""
        sheets = {part.sheet for part in self.parts}
        return sheets.pop() if len(sheets) == 1 else ""

    @property
    def header(self) -> bool:
        """Does the first line name the columns?"""
        return all(part.header for part in self.parts)

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """How its CSV files are written, each manner once."""
        found = (part.raw.dialect for part in self.parts)
        return tuple(dict.fromkeys(dialect for dialect in found if dialect))

    @property
    def broken(self) -> int:
        """Rows that could not be split."""
        return sum(part.raw.broken for part in self.parts)

    @property
    def rows(self) -> int:
        """Rows that could be split."""
        return self.profile.rows


@dataclass(frozen=True)
class Unused:
    """A file that is no table, or one whose use is not known, and why."""

    name: str
    why: str


@dataclass
class Looking:
    """What was found at all paths."""

    tables: list[Looked] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    database: str = ""


def look_at_files(con: duckdb.DuckDBPyConnection, paths: Sequence[str], *, here: Path, place: Path) -> Looking:
    """Read all files at the paths into `place`, and look at every row. Raises SettingsError where nothing lies."""
    looking = Looking()
    parts: list[Part] = []
    for at, file in enumerate(_files(paths, here, looking)):
        folder = place / f"file {at}"
        folder.mkdir(parents=True)
        try:
            parts += _read(file, folder)
        except SourceError as error:
            looking.unused.append(Unused(file.name, f"{error.rule} Found: {error.found.rstrip('.')}."))
    for number, group in enumerate(_grouped(parts, looking)):
        looking.tables.append(_looked(con, group, number))
    return looking


def _files(paths: Sequence[str], here: Path, looking: Looking) -> Iterator[Path]:
    """The files of all paths, each once; of a folder also those in its folders."""
    met: set[Path] = set()
    for path in paths:
        folder = (here / Path(path).expanduser()).resolve()
        if folder.is_dir():
            inside = sorted(_inside(folder))
            looking.unused += [Unused(f.name, "no table by its name") for f in inside if f.suffix in _NO_DATA]
            found: Sequence[Path] = [f for f in inside if f.suffix not in _NO_DATA]
            looking.unused += [Unused(f.name, f"more than {_MOST_FILES:,} files") for f in found[_MOST_FILES:]]
            found = found[:_MOST_FILES]
        else:
            found = _files_named(path, here)
        for file in (one.resolve() for one in found):
            if file not in met and _writable(file, looking):
                yield file
            met.add(file)


def _inside(folder: Path) -> Iterator[Path]:
    """The files of a folder and of its folders, but for what is hidden or closed to us."""
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(place) / name for name in names if not name.startswith("."))
        yield from (file for file in files if _is_file(file))


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # closed to us: whoever reads it says so
        return True


def _files_named(path: str, here: Path) -> Sequence[Path]:
    try:
        return files_of([path], here)
    except SettingsError as error:
        raise RequestError(
            "What crm init looks at must be there: files, a folder, a pattern, or a database.",
            found=error.found,
            do="Correct the path; a web address has to be downloaded first.",
        ) from None


def _writable(file: Path, looking: Looking) -> bool:
    """Can a path stand in a text file at all?"""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        shown = str(file.name).encode(errors="replace").decode()
        looking.unused.append(Unused(shown, "its name is not valid text: rename it"))
        return False
    return True


def _read(file: Path, place: Path) -> Iterator[Part]:
    """The parts of a file, its first line as names of columns unless it looks like values."""
    named, values = place / "named", place / "values"
    named.mkdir()
    raw = _read_in_some_encoding(file, named)
    if all(_named(part) for part in raw):
        yield from (Part(file, part, header=True) for part in raw)
        return
    values.mkdir()
    encoding = next((part.dialect.encoding for part in raw if part.dialect), "")
    raw = read_raw(file, TableMapping(path=str(file), header=False, encoding=encoding), values)
    yield from (Part(file, part, header=False) for part in raw)


def _read_in_some_encoding(file: Path, place: Path) -> Sequence[RawPart]:
    """The parts of a file; where its encoding cannot be seen, in one of Central Europe, or of Cyrillic letters."""
    try:
        return read_raw(file, TableMapping(path=str(file)), place)
    except SourceError as error:
        if "encoding" not in error.rule or file.suffix.casefold() not in (".csv", ".txt", ".tsv"):
            raise
        encoding = _likely_encoding(file)
        if not encoding:
            raise
        again = place / encoding
        again.mkdir()
        return read_raw(file, TableMapping(path=str(file), encoding=encoding), again)


def _likely_encoding(file: Path) -> str:
    """cp1251 where the words with other than English letters are Cyrillic throughout, else cp1250; or nothing."""
    with file.open("rb") as stream:
        content = stream.read(_ENOUGH_BYTES)
    words = re.findall(r"[^\W\d_]{2,}", content.decode("cp1251", errors="ignore"))
    other = [word for word in words if not word.isascii()]
    cyrillic = [word for word in other if all("\u0400" <= letter <= "\u04ff" for letter in word)]
    encoding = "cp1251" if other and len(cyrillic) > 0.8 * len(other) else "cp1250"
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return encoding


def _named(part: RawPart) -> bool:
    """Do the names of the columns look like names? A third of them being numbers or dates, they do not."""
    if part.parquet.name.endswith(".parquet") and part.dialect is None and _SHEET not in part.origin:
        return True
    unnamed = sum(bool(re.fullmatch(r"column \d+", name)) for name in part.columns)
    if len(part.columns) > 2 and unnamed > 0.5 * len(part.columns):
        return False  # a title above the table, taken for its header
    if part.dialect is not None:
        return part.dialect.names
    forms = forms_of(merged(Shape(re.sub(r"\d", "9", name), 1, name, name) for name in part.columns))
    return forms.number_share + forms.date_share <= 1 / 3


def _grouped(parts: Sequence[Part], looking: Looking) -> Iterator[list[Part]]:
    """Parts that have the same columns, in any order and case, are one table."""
    sheets: dict[Path, int] = {}
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in parts:
        if not part.raw.columns:
            looking.unused.append(Unused(part.raw.origin, "no columns"))
            continue
        sheets[part.file] = sheets.get(part.file, 0) + 1
        key = (part.header, *sorted(column.casefold() for column in part.raw.columns))
        groups.setdefault(key, []).append(part)
    for group in groups.values():
        yield from _expressible(group, sheets)


def _expressible(group: list[Part], sheets: dict[Path, int]) -> Iterator[list[Part]]:
    """The group as crm.toml can say it: every sheet of its workbooks, or one sheet by its name."""
    if all(sum(p.file == part.file for p in group) == sheets[part.file] for part in group):
        yield group
        return
    by_sheet: dict[str, list[Part]] = {}
    for part in group:
        by_sheet.setdefault(part.sheet, []).append(part)
    yield from by_sheet.values()


def _looked(con: duckdb.DuckDBPyConnection, group: list[Part], number: int) -> Looked:
    files = list(dict.fromkeys(part.file for part in group))
    first = group[0].raw.origin if len(group) == 1 else files[0].name
    name = first if len(group) == 1 else f"{common_pattern(files) or first} ({len(group)} parts)"
    scanned = ", ".join(sql_path(part.raw.parquet) for part in group)
    relation = f"looked_{number}"
    present = {
        str(row[0])
        for row in con.execute(f"DESCRIBE SELECT * FROM read_parquet([{scanned}], union_by_name = true)").fetchall()
    }
    whole = f"WHERE {sql_name(BROKEN)} IS NULL" if BROKEN in present else ""
    con.execute(f"CREATE VIEW {relation} AS SELECT * FROM read_parquet([{scanned}], union_by_name = true) {whole}")
    said = " ".join(dict.fromkeys([*(_stem(file) for file in files), *(part.sheet for part in group)]))
    raw = tuple(part.raw for part in group)
    return Looked(name, said, profile(con, relation, hidden=_BESIDE), tuple(group), raw=raw)


def _stem(file: Path) -> str:
    return re.sub(r"(\.(csv|txt|tsv|gz|parquet|xlsx?|zip|bz2|xz|zst))+$", "", file.name, flags=re.IGNORECASE)


def common_pattern(files: Sequence[Path]) -> str:
    """`orders-*.csv`, where that pattern finds exactly these files of one folder; else nothing."""
    if len(files) < 2 or len({file.parent for file in files}) > 1:
        return ""
    names = [file.name for file in files]
    start = _common(names)
    end = _common([name[len(start) :][::-1] for name in names])[::-1]
    pattern = f"{start}*{end}"
    if glob.has_magic(str(files[0].parent / (start + end))) or len(start) < 2:
        return ""
    found = {file for file in files[0].parent.glob(pattern) if file.is_file()}
    return pattern if found == set(files) else ""


def _common(names: Sequence[str]) -> str:
    """What all names begin with, without digits at its end."""
    start = names[0]
    while any(not name.startswith(start) for name in names):
        start = start[:-1]
    return re.sub(r"\d+$", "", start)
