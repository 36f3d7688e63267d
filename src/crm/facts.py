"""Facts: the canonical tables of a source, checked by their contracts, ready for the mart.

`read_facts(settings)` answers: which data do we have, what was set aside and why, and do rows and money reconcile?
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import filecmp
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from crm.atomic import whole_file, writing_into
from crm.config import Settings
from crm.contracts import CONTRACTS
from crm.contracts.checking import BECAME_RETURNS, Checked, check_table, refuse_over_budget
from crm.engine import Lazy, connection, database_on_disk, scan, sql_path
from crm.errors import NotEnoughData, SourceError
from crm.kept import code_fingerprint, keep_folder
from crm.periods import date_of, day_number
from crm.sources import Source, open_source
from crm.written_lists import KeptList, ListError, as_campaigns, as_contacts, recipe_of, sent_before

PINNED = "CRM_FACTS"


@dataclass(frozen=True, eq=False)
class Facts:
    """The checked tables of one source. The same data with the same settings are the same facts, also as a key.

    fingerprint: changes when the bytes of the source, its mapping or the contracts change.
    tables:      one row per table: table, rows, kept, set_aside, became_returns, first, last, sha256, and the money
                 that came in, was kept, set aside or became returns (exact Decimals, each added up on its own).
    outcomes:    one row per table and outcome (`kept` or the reason): rows, money (exact Decimal), example.
    told:        what there is to say of the source, such as when a database was read.
    remarks:     what its mapping did and met, and which action lists are read as campaigns.

    Action lists that were sent before the as-of date of `settings` are among the campaigns and contacts.
    """

    settings: Settings
    folder: Path
    fingerprint: str
    tables: pd.DataFrame
    outcomes: pd.DataFrame
    told: tuple[str, ...]
    remarks: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Facts) and self._told == other._told

    def __hash__(self) -> int:
        return hash(self._told)

    @property
    def _told(self) -> tuple[str, str]:
        return self.fingerprint, self.settings.fingerprint()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the data-quality page should know of how the data were read."""
        return (*self.told, *self.remarks)

    def has(self, table: str) -> bool:
        """Is this canonical table there, with at least one row?"""
        return table in set(self.tables.loc[self.tables["kept"] > 0, "table"])

    def __getitem__(self, table: str) -> Lazy:
        """A canonical table, lazily: its contract's columns, and a day number for each moment."""
        if not self.has(table):
            raise SourceError(
                f"The table {table} is needed here.",
                found=f"the source {self.settings.source.kind} has {', '.join(self.tables['table'])}",
                do=f"Add it to the source: it unlocks {CONTRACTS[table].unlocks}.",
            )
        return scan(self.folder / f"{table}.parquet")

    def rejected(self, table: str) -> pd.DataFrame:
        """The rows of a table that were set aside, as they came, with `reason`."""
        return pd.read_parquet(self.folder / "rejected" / f"{table}.parquet")

    def as_environment(self) -> dict[str, str]:
        """For other processes: with this in their environment, `read_facts` gives them these very facts.

        So that all notebooks of a run see the same data, even if a file or a database changes meanwhile.
        """
        return {PINNED: json.dumps({"folder": str(self.folder), "told": self.told})}

    @property
    def last_day(self) -> int:
        """Day number of the newest purchase."""
        last = self.tables.loc[self.tables["table"] == "purchases", "last"].iloc[0]
        return day_number(pd.Timestamp(last).date())

    @property
    def first_day(self) -> int:
        """Day number of the oldest purchase."""
        first = self.tables.loc[self.tables["table"] == "purchases", "first"].iloc[0]
        return day_number(pd.Timestamp(first).date())

    def source_record(self) -> dict[str, Any]:
        """The source as it stands in a receipt."""
        tables = json.loads(self.tables.astype(object).where(self.tables.notna(), None).to_json(orient="records"))
        return {
            "kind": self.settings.source.kind,
            "fingerprint": self.fingerprint,
            "first_date": date_of(self.first_day).isoformat(),
            "last_date": date_of(self.last_day).isoformat(),
            "tables": tables,
        }


def read_facts(settings: Settings, *, anew: bool = False, within_budget: bool = True) -> Facts:
    """Read the source of `settings` and check every table against its contract; kept for the next to ask.

    Rows that break a contract are in data/rejected/<as_of>/<table>.parquet, as they came, with `reason`.
    anew: a database is read again, even if it was read before (files are always looked at again).
    within_budget: refuse when more is set aside than [quality] allows.
    Raises SourceError when the source cannot be read or has no purchases, ContractError when more is set aside than
    allowed, NotWritable when the data folder is full or closed.
    """
    data = settings.folders.data
    with writing_into(data):
        folder, told = _pinned(settings) or _read(settings, anew=anew)
        _publish_rejected(folder / "rejected", data / "rejected" / settings.as_of.isoformat())
    facts = _open(settings, folder=folder, told=told)
    if within_budget:
        _refuse_over_budget(facts)
        _refuse_empty(facts)
    return facts


def _pinned(settings: Settings) -> tuple[Path, tuple[str, ...]] | None:
    """The facts that the run of this process has read, and what was told of them, if they are of this source."""
    pinned = json.loads(os.environ.get(PINNED, "null"))
    if not pinned or not (Path(pinned["folder"]) / "source.json").is_file():
        return None
    written = json.loads((Path(pinned["folder"]) / "source.json").read_text())
    if written["settings"] != settings.source.model_dump(mode="json"):
        return None
    return Path(pinned["folder"]), tuple(pinned["told"])


def _read(settings: Settings, *, anew: bool) -> tuple[Path, tuple[str, ...]]:
    """The folder of the facts of this source, checked now if nobody has before, and what is told of the source."""
    source = open_source(settings, anew=anew)
    before = {name: table.state() for name, table in source.tables.items()}
    hashes = {name: table.sha256() for name, table in source.tables.items()}
    lists = sent_before(settings.folders.data, settings.as_of)

    def build(place: Path) -> None:
        _check(source, hashes, lists, place=place)
        _refuse_changed(source, before)
        record = {"settings": settings.source.model_dump(mode="json")}
        (place / "source.json").write_text(json.dumps(record))

    fingerprint = _fingerprint(source, hashes, lists)
    return keep_folder(settings.folders.data / "mart" / fingerprint / "facts", build), source.notes


def _refuse_changed(source: Source, before: dict[str, dict[Path, tuple[int, int, int]]]) -> None:
    for name, table in source.tables.items():
        changed = [file.name for file, state in table.state().items() if before[name][file] != state]
        if changed:
            raise SourceError(
                "A file must not change while it is read.",
                found=f"{', '.join(changed)} of the table {name} was written to",
                do="Wait until the export is finished, and start again; nothing was kept.",
            )


_OWN_DATA = ("sources/source", "sources/mapping", "sources/raw")
_CODE = {"files": _OWN_DATA, "database": _OWN_DATA}


def _fingerprint(source: Source, hashes: dict[str, str], lists: tuple[KeptList, ...]) -> str:
    parts: dict[str, Any] = {
        "kind": source.kind,
        "files": hashes,
        "columns": {name: _without_paths(table.query, table.files) for name, table in source.tables.items()},
        "code": code_fingerprint("contracts", *_CODE.get(source.kind, ("sources/source",))),
    }
    if lists:
        parts["lists"] = {**recipe_of(lists), "code": code_fingerprint("written_lists")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _without_paths(query: str, files: tuple[Path, ...]) -> str:
    """A query without the folder in which its files happen to lie: the same data elsewhere are the same data."""
    for folder in {file.parent for file in files}:
        query = query.replace(str(folder), "")
    return query


def _check(source: Source, hashes: dict[str, str], lists: tuple[KeptList, ...], *, place: Path) -> None:
    """Check every table of the source, add the lists, and keep what came of it in `place`."""
    try:
        checked, added, remarks = _check_tables(source, lists, place)
    except duckdb.Error as error:
        if os.strerror(errno.ENOSPC) in str(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place)) from error
        raise SourceError(
            f"The source {source.kind} must be readable.", found=str(error).splitlines()[0], do="Look at its files."
        ) from error
    new = [one for name, one in added.items() if name not in hashes]
    outcomes = pd.concat([one.tally for one in [*checked, *new]], ignore_index=True)
    outcomes["money"] = outcomes["money"].map(lambda money: None if pd.isna(money) else str(money))
    of_lists = {one.contract.table: hashlib.sha256(str(recipe_of(lists)).encode()).hexdigest() for one in new}
    tables = [
        _table_row(one, added.get(one.contract.table), sha256=hashes[one.contract.table], place=place)
        for one in checked
    ]
    tables += [_table_row(one, None, sha256=of_lists[one.contract.table], place=place) for one in new]
    if "returns" not in hashes and (place / "returns.parquet").exists():
        tables.append(_cancellations_row(place))
    (place / "tables.json").write_text(json.dumps(tables, indent=1))
    (place / "remarks.json").write_text(json.dumps(remarks, indent=1))
    outcomes.to_json(place / "outcomes.json", orient="records", indent=1)


def _check_tables(
    source: Source, lists: tuple[KeptList, ...], place: Path
) -> tuple[list[Checked], dict[str, Checked], list[str]]:
    """Check them in a database on disk, so that a table may be larger than memory.

    Gives the tables of the source, by table what was added of lists, and what reading them met.
    """
    database, raw = place / "checking.duckdb", place / "raw"
    checked: list[Checked] = []
    remarks: list[str] = []
    raw.mkdir()
    try:
        with contextlib.closing(database_on_disk(database)) as con:
            for name, table in source.tables.items():
                reading = table.reading(con, raw)
                remarks += reading.remarks
                checked.append(check_table(con, CONTRACTS[name], query=reading.query, folder=place))
            _add_cancellations(con, place)
            added, said = _add_lists(con, lists, place)
            _date_contacts(con, place)
            return checked, added, remarks + said
    finally:
        database.unlink(missing_ok=True)
        shutil.rmtree(raw, ignore_errors=True)


def _table_row(checked: Checked, added: Checked | None, *, sha256: str, place: Path) -> dict[str, Any]:
    """The row of a table in `Facts.tables`; what was added of lists came in, and was kept, with its own rows."""
    days = [day for one in (checked, added) if one for day in (one.first, one.last) if day is not None]
    became = checked.tally.loc[checked.tally["outcome"] == BECAME_RETURNS, "rows"].sum()
    money = {f"money_{name}": str(amount) for name, amount in (checked.money or {}).items()}
    return {
        "table": checked.contract.table,
        "rows": checked.rows + (added.rows if added else 0),
        "kept": _rows_in(place / f"{checked.contract.table}.parquet"),
        "set_aside": int(checked.reasons["rows"].sum()),
        "became_returns": int(became),
        "first": min(days).isoformat() if days else None,
        "last": max(days).isoformat() if days else None,
        "sha256": sha256,
        **money,
    }


def _cancellations_row(place: Path) -> dict[str, Any]:
    """The row of a table of returns that the source does not have: it holds the cancellations among the purchases."""
    file = place / "returns.parquet"
    first, last = (
        connection().execute(f"SELECT min(returned_at), max(returned_at) FROM {sql_path(file)}").fetchall()[0]
    )
    row = {"table": "returns", "rows": 0, "kept": _rows_in(file), "set_aside": 0, "became_returns": 0}
    return {**row, "first": first.isoformat(), "last": last.isoformat(), "sha256": ""}


def _rows_in(file: Path) -> int:
    return int(connection().execute(f"SELECT count(*) FROM {sql_path(file)}").fetchall()[0][0])


def _add_cancellations(con: duckdb.DuckDBPyConnection, place: Path) -> None:
    """Negative purchase lines join the returns."""
    cancelled, returns = place / "cancellations.parquet", place / "returns.parquet"
    if not cancelled.exists():
        return
    if con.execute(f"SELECT count(*) FROM {sql_path(cancelled)}").fetchall()[0][0]:
        if returns.exists():
            both = place / "both.parquet"
            con.execute(
                f"COPY (SELECT * FROM {sql_path(returns)} UNION ALL BY NAME SELECT * FROM {sql_path(cancelled)}) "
                f"TO {sql_path(both)} (FORMAT parquet, COMPRESSION zstd)"
            )
            both.replace(returns)
        else:
            shutil.copy(cancelled, returns)
    cancelled.unlink()


def _add_lists(
    con: duckdb.DuckDBPyConnection, lists: tuple[KeptList, ...], place: Path
) -> tuple[dict[str, Checked], list[str]]:
    """Lists that were sent join the campaigns and contacts, unless the source has a campaign of that name."""
    taken = _campaigns_of(con, place)
    remarks = [
        f"The action list {one.list_id} is not read as a campaign: the source has rows of that campaign_id in "
        f"{' and '.join(taken[one.list_id])}, and these stand."
        for one in lists
        if one.list_id in taken
    ]
    new = [one for one in lists if one.list_id not in taken]
    if not new:
        return {}, remarks
    treated, held_out = sum(one.treated for one in new), sum(one.held_out for one in new)
    remarks.append(
        f"Action lists that were sent are among the campaigns and contacts: {', '.join(one.list_id for one in new)} "
        f"({treated:,} contacted, {held_out:,} held out)."
    )
    queries = {"campaigns": as_campaigns(new), "contacts": as_contacts(new)}
    return {name: _add_rows(con, name, query, place) for name, query in queries.items()}, remarks


def _campaigns_of(con: duckdb.DuckDBPyConnection, place: Path) -> dict[str, list[str]]:
    """The campaigns that the source knows, with the tables that name them."""
    taken: dict[str, list[str]] = {}
    for name in ("campaigns", "contacts"):
        if (file := place / f"{name}.parquet").exists():
            for (campaign,) in con.execute(f"SELECT DISTINCT campaign_id FROM {sql_path(file)}").fetchall():
                taken.setdefault(str(campaign), []).append(name)
    return taken


def _add_rows(con: duckdb.DuckDBPyConnection, name: str, query: str, place: Path) -> Checked:
    """Check rows against the contract of a table, like all others, and put them beneath those of the source."""
    beside, table = place / "lists", place / f"{name}.parquet"
    beside.mkdir()
    checked = check_table(con, CONTRACTS[name], query=query, folder=beside)
    if checked.kept < checked.rows:
        raise ListError(
            f"Every row of a list must keep the contract of {name}.",
            found=f"{checked.rows - checked.kept:,} rows of which {checked.reasons['outcome'].iloc[0]}",
            do="Look at the folder data/lists; bring it back from a backup.",
        )
    files = ", ".join(sql_path(file) for file in (table, beside / f"{name}.parquet") if file.exists())
    con.execute(
        f"COPY (SELECT * FROM read_parquet([{files}], union_by_name = true)) "
        f"TO {sql_path(beside / 'both.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    )
    (beside / "both.parquet").replace(table)
    shutil.rmtree(beside)
    return checked


def _date_contacts(con: duckdb.DuckDBPyConnection, place: Path) -> None:
    """A contact without its own date happened on its campaign's first day: `date_stands_in` says where that is so."""
    contacts, campaigns, dated = (place / f"{name}.parquet" for name in ("contacts", "campaigns", "dated"))
    if not (contacts.exists() and campaigns.exists()):
        return
    con.execute(
        "COPY (SELECT k.* REPLACE (coalesce(k.contacted_at, c.starts_at) AS contacted_at, "
        "coalesce(k.day, c.day) AS day), k.day IS NULL AS date_stands_in "
        f"FROM {sql_path(contacts)} k LEFT JOIN {sql_path(campaigns)} c USING (campaign_id)) "
        f"TO {sql_path(dated)} (FORMAT parquet, COMPRESSION zstd)"
    )
    dated.replace(contacts)


def _publish_rejected(rejected: Path, target: Path) -> None:
    """Put the rows set aside where the operator looks for them, a table at a time, each whole or not at all.

    Every kernel of a run does so, at the same time as the others; what is there already is left as it is.
    """
    target.mkdir(parents=True, exist_ok=True)
    files = {file.name: file for file in sorted(rejected.glob("*.parquet"))}
    for name, file in files.items():
        if not _same_bytes(file, target / name):
            with whole_file(target / name) as waiting:
                shutil.copyfile(file, waiting)
    for left in target.glob("[!.]*.parquet"):
        if left.name not in files:  # of a table that the source no longer has
            left.unlink(missing_ok=True)


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return filecmp.cmp(one, other, shallow=False)
    except FileNotFoundError:
        return False


def _open(settings: Settings, *, folder: Path, told: tuple[str, ...]) -> Facts:
    columns = ["table", "outcome", "rows", "money", "example"]
    outcomes = pd.DataFrame(json.loads((folder / "outcomes.json").read_text()), columns=columns)
    outcomes["money"] = outcomes["money"].map(lambda money: Decimal(money) if money else None)
    tables = pd.DataFrame(json.loads((folder / "tables.json").read_text()))
    for name in ("came_in", "kept", "set_aside", "became_returns"):
        amounts = tables[f"money_{name}"] if f"money_{name}" in tables else pd.Series(index=tables.index)
        tables[f"money_{name}"] = amounts.map(lambda money: Decimal(money) if isinstance(money, str) else None)
    remarks = tuple(json.loads((folder / "remarks.json").read_text()))
    return Facts(settings, folder, folder.parent.name, tables, outcomes, told, remarks)


def _refuse_over_budget(facts: Facts) -> None:
    checked = [
        Checked(CONTRACTS[str(name)], part.reset_index(drop=True))
        for name, part in facts.outcomes.groupby("table", sort=False)
    ]
    quality = facts.settings.quality
    refuse_over_budget(
        checked,
        rows=quality.most_rows_set_aside,
        money=quality.most_money_set_aside,
        accepted=quality.accepted_reasons,
    )


def _refuse_empty(facts: Facts) -> None:
    if not facts.has("purchases"):
        raise SourceError(
            "There must be at least one purchase.",
            found=f"none kept of {int(facts.tables['rows'].sum()):,} rows read",
            do="Look at data/rejected for the reasons.",
        )


def refuse_uncovered(facts: Facts, as_of: dt.date) -> None:
    """Refuse an as-of date before which nobody bought anything. Raises NotEnoughData."""
    if facts.first_day >= day_number(as_of):
        raise NotEnoughData(
            "There must be purchases before the as-of date.",
            found=f"the first purchase on {date_of(facts.first_day)}, the as-of date {as_of}",
            do=f"Choose a later date, up to {date_of(facts.last_day + 1)}: --as-of, or [clock] as_of in crm.toml.",
        )
