"""Extracts: what was read from a database, kept whole until it is read again.

data/raw/database/<key>/<content>/<table>.parquet, with record.json beside; the file `newest` names the current one.
The key stands for the database and what is asked of it, the content for the rows, whatever their order. An extract
appears by one rename when it is complete; what a killed reader leaves is never looked at.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import duckdb
from filelock import FileLock

from crm.atomic import whole_file, write_json
from crm.errors import SourceError
from crm.kept import code_fingerprint
from crm.sources.database.asking import Column, Database, Question, refuse_doubled, sql_of
from crm.sources.database.typed import write_typed

_BUILDING, _NEWEST, _RECORD = ".building-", "newest", "record.json"
_CODE = "sources/database"


@dataclass(frozen=True)
class ExtractedTable:
    """The rows of one canonical table, as the database has them.

    columns: their types in the database.   as_text: those whose type cannot hold every value, with such a value.
    content: a hash of the rows, whatever their order.
    """

    file: str
    bytes: int
    rows: int
    origin: str
    asked: str
    columns: dict[str, str]
    as_text: dict[str, str]
    content: str


@dataclass(frozen=True)
class Extract:
    """What was read together. `told`: from where and when, as a sentence."""

    folder: Path
    read_at: dt.datetime
    told: str
    tables: dict[str, ExtractedTable]

    def file(self, table: str) -> Path:
        """The rows of a canonical table."""
        return self.folder / self.tables[table].file


Opening = Callable[[Path], AbstractContextManager[Database]]


def keep_extract(folder: Path, opening: Opening, questions: tuple[Question, ...], *, anew: bool) -> Extract:
    """The newest extract in `folder`; read now if there is none, or `anew`. One process reads at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        known = _newest(folder)
        if known and not anew:
            return known
        for left in folder.glob(f"{_BUILDING}*"):
            shutil.rmtree(left, ignore_errors=True)
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder))
        try:
            current = _put_in_place(read_tables(building, opening, questions), folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        with whole_file(folder / _NEWEST) as waiting:
            waiting.write_text(current.folder.name)
        _remove_others(folder, {current.folder, known.folder if known else current.folder})
        return current


def read_tables(place: Path, opening: Opening, questions: tuple[Question, ...]) -> Extract:
    """Read the tables into `place`. The database is left as soon as the last row is here."""
    answers: list[_Answer] = []
    with _disk_and_memory_told(place):
        with opening(place) as database:
            for question in questions:
                with database.answering(question):
                    answers.append(_answer(question, database, place))
        with contextlib.closing(duckdb.connect(config={"temp_directory": str(place)})) as con:
            con.execute("SET TimeZone = 'UTC'")
            tables = {answer.question.canonical: _finish(con, answer) for answer in answers}
    return Extract(place, database.read_at, database.told, tables)


@dataclass(frozen=True)
class _Answer:
    question: Question
    asked: str
    columns: tuple[Column, ...]
    staged: Path


def _answer(question: Question, database: Database, place: Path) -> _Answer:
    query = sql_of(question, database)
    columns = database.describe(query)
    refuse_doubled(question, columns)
    staged = place / f"{question.canonical}.staged"
    database.copy(query, columns, staged)
    return _Answer(question, query, columns, staged)


def _finish(con: duckdb.DuckDBPyConnection, answer: _Answer) -> ExtractedTable:
    """Type the rows, where they lie."""
    file = answer.staged.with_suffix(".parquet")
    written = write_typed(con, answer.staged, answer.columns, file)
    answer.staged.unlink()
    return ExtractedTable(
        file=file.name,
        bytes=file.stat().st_size,
        rows=written.rows,
        origin=answer.question.origin,
        asked=answer.asked,
        columns={column.name: column.type for column in answer.columns},
        as_text=written.as_text,
        content=hashlib.sha256(written.content.encode()).hexdigest(),
    )


def _put_in_place(extract: Extract, folder: Path) -> Extract:
    """Name the extract after its content; where the same rows lie already, they stay, and were read again."""
    contents = {name: table.content for name, table in extract.tables.items()}
    place = folder / hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]
    if same := _read(place):
        again = replace(same, read_at=extract.read_at, told=extract.told)
        _write_record(again)
        return again
    shutil.rmtree(place, ignore_errors=True)
    _write_record(extract)
    extract.folder.chmod(0o755)
    extract.folder.rename(place)
    return replace(extract, folder=place)


def _write_record(extract: Extract) -> None:
    tables = {name: asdict(table) for name, table in extract.tables.items()}
    record = {"read_at": extract.read_at.isoformat(), "told": extract.told, "code": code_fingerprint(_CODE)}
    write_json(extract.folder / _RECORD, record | {"tables": tables})


def _newest(folder: Path) -> Extract | None:
    try:
        return _read(folder / (folder / _NEWEST).read_text())
    except (OSError, ValueError):
        return None


def _read(folder: Path) -> Extract | None:
    """The extract in this folder, if it is all there, written by this code."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        tables = {name: ExtractedTable(**table) for name, table in record["tables"].items()}
        whole = all((folder / table.file).stat().st_size == table.bytes for table in tables.values())
        if not whole or record["code"] != code_fingerprint(_CODE):
            return None
        return Extract(folder, dt.datetime.fromisoformat(record["read_at"]), record["told"], tables)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remove_others(folder: Path, kept: set[Path]) -> None:
    """Remove old extracts; the previous one stays: somebody may be reading it."""
    for old in folder.iterdir():
        if old.is_dir() and old not in kept:
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _disk_and_memory_told(place: Path) -> Iterator[None]:
    """The engine and the writer of files have words of their own for a full disk, and for a row of enormous texts."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        if os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place)) from error
        if isinstance(error, OSError):
            raise
        raise SourceError(
            "What is read from a database must be of a size that this machine can handle.",
            found=str(error).splitlines()[0],
            do="Ask for the columns that are needed alone: a query in place of a table, in crm.toml.",
        ) from error
