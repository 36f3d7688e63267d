"""Checking a table against its contract: every row is kept or set aside with its reason, and money reconciles.

The check is SQL, because a reason per row of a table larger than memory is what databases do well. A value that is
there but cannot be read as its type sets the row aside; nothing is silently turned into something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from crm.contracts.table import Column, Contract
from crm.engine import sql_name, sql_path, sql_text
from crm.errors import ContractError, SourceError

EARLIEST = "TIMESTAMP '1970-01-02'"
LARGEST_NUMBER = 1e15  # beyond it a double no longer tells one from the next
AS_IT_CAME, SET_ASIDE_BECAUSE = "as_it_came", "set_aside_because"
BECAME_RETURNS = "a negative amount: became a return"

_TYPES = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "money": "DECIMAL(18, 4)",
    "timestamp": "TIMESTAMP",
    "boolean": "BOOLEAN",
}
_READ_AS = {"number": "a number", "money": "an amount of money", "timestamp": "a date", "boolean": "true or false"}


@dataclass(frozen=True)
class Checked:
    """What became of one table's rows.

    tally: one row per outcome: table, outcome (`kept`, or the reason), rows, money (exact, as Decimal; None where the
    table has no money), example (the first such row, shortened).
    money: read again from the source and from the files that were written, not from the tally: came_in, kept,
    became_returns, set_aside; None where the table has no money.
    """

    contract: Contract
    tally: pd.DataFrame
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None
    money: dict[str, Decimal] | None = None

    @property
    def rows(self) -> int:
        """Rows that came in."""
        return int(self.tally["rows"].sum())

    @property
    def kept(self) -> int:
        """Rows that stay in this table."""
        return int(self.tally.loc[self.tally["outcome"] == "kept", "rows"].sum())

    @property
    def reasons(self) -> pd.DataFrame:
        """The reasons for which rows were set aside (a negative amount becoming a return is not one)."""
        return self.tally[~self.tally["outcome"].isin(["kept", BECAME_RETURNS])]


def check_table(con: duckdb.DuckDBPyConnection, contract: Contract, *, query: str, folder: Path) -> Checked:
    """Read `query`, type it, and write `<table>.parquet` (kept) and `rejected/<table>.parquet` into `folder`.

    Two columns of the query have a meaning of their own: `as_it_came`, a struct, is what a rejected row is shown as
    (without it, the row of the query), and a row with a text in `set_aside_because` is set aside for that reason.
    Raises SourceError when a required column is missing.
    """
    described = con.execute(f"DESCRIBE {query}").fetchall()
    present = [str(row[0]) for row in described if row[0] not in (AS_IT_CAME, SET_ASIDE_BECAUSE)]
    missing = [name for name in contract.required_columns if name not in present]
    if missing:
        raise SourceError(
            f"The table {contract.table} must have the columns {', '.join(contract.required_columns)}.",
            found=f"no {', '.join(missing)} among {', '.join(present)}",
            do="Map the source's columns to these names.",
        )
    name = f"checked_{contract.table}"
    beside = [str(row[0]) for row in described if row[0] not in present]
    con.sql(
        f"CREATE OR REPLACE TEMP TABLE {name} AS {_checked(contract, query=query, present=present, beside=beside)}"
    )
    extra = _attributes(contract, present)
    kept = ", ".join([*(_kept(column) for column in contract), *_days(contract), *extra])
    (folder / "rejected").mkdir(exist_ok=True)
    _copy(con, f"SELECT {kept} FROM {name} WHERE outcome = 'kept'", folder / f"{contract.table}.parquet")
    _copy(con, _rejected(con, contract, name=name, mapped=AS_IT_CAME in beside), _rejected_file(folder, contract))
    if contract.table == "purchases":
        _copy(con, _cancellations(name), folder / "cancellations.parquet")
    first, last = _first_and_last(con, contract, name=name)
    money = _money(con, contract, query=query, folder=folder, mapped=AS_IT_CAME in beside)
    return Checked(contract, _tally(con, contract, name=name), first, last, money)


def _rejected_file(folder: Path, contract: Contract) -> Path:
    return folder / "rejected" / f"{contract.table}.parquet"


def _rejected(con: duckdb.DuckDBPyConnection, contract: Contract, *, name: str, mapped: bool) -> str:
    """The rows set aside: each column as it came, the reason, and beside a source's own columns the money as read."""
    struct = con.sql(f"SELECT came FROM {name} LIMIT 0").types[0]
    taken = {"reason", _as_read(contract)} if mapped else {"reason"}
    columns = [
        f"struct_extract(came, {sql_text(column)}) AS "
        + sql_name(f"{column} (as it came)" if column.casefold() in taken else column)
        for column, _ in struct.children
    ]
    if mapped and contract.money:
        columns.append(f"{contract.money} AS {_as_read(contract)}")
    columns.append("outcome AS reason")
    return f"SELECT {', '.join(columns)} FROM {name} WHERE outcome NOT IN ('kept', '{BECAME_RETURNS}')"


def _as_read(contract: Contract) -> str:
    return f"{contract.money}_as_read"


def refuse_over_budget(checked: Sequence[Checked], *, rows: float, money: float, accepted: dict[str, float]) -> None:
    """Raise ContractError where a reason sets aside a larger share of a table than its budget allows."""
    over = []
    for one in checked:
        total_money = float(one.tally["money"].abs().sum()) if one.contract.money else 0.0
        reasons: list[dict[Any, Any]] = one.reasons.to_dict("records")
        for reason in reasons:
            allowed = accepted.get(reason["outcome"], 0.0)
            share = reason["rows"] / one.rows
            money_share = abs(float(reason["money"])) / total_money if total_money else 0.0
            if share > max(allowed, rows) or money_share > max(allowed, money):
                over.append(
                    f"{one.contract.table}: {reason['rows']:,} of {one.rows:,} rows ({share:.1%}, {money_share:.1%} "
                    f"of the money) because {reason['outcome']}, such as {reason['example']}"
                )
    if over:
        raise ContractError(
            f"At most {rows:.1%} of a table's rows and {money:.1%} of its money may be set aside for one reason.",
            found="; ".join(over),
            do="Look at data/rejected; mend the source, or widen [quality] accepted_reasons for that reason.",
        )


def _checked(contract: Contract, *, query: str, present: list[str], beside: list[str]) -> str:
    """Typed columns, the outcome of each row, and, unless it is kept, the row as it came."""
    typed = ", ".join(f"{_typed(column, present)} AS {column.name}" for column in contract)
    key = ", ".join(contract.key)
    repeat = f"row_number() OVER (PARTITION BY {key} ORDER BY came_as)" if contract.key else "1"
    attributes = "".join(f", {c}" for c in _attributes(contract, present))
    reasons = [*_reasons(contract, present)]
    if contract.key:
        reasons.append((f"{' and '.join(contract.key)} came before", f"{repeat} > 1"))
    if contract.table == "purchases":
        reasons.append((BECAME_RETURNS, "net_amount < 0"))
    cases = " ".join(f"WHEN {bad} THEN {sql_text(reason)}" for reason, bad in reasons)
    told = f"came.{SET_ASIDE_BECAUSE}" if SET_ASIDE_BECAUSE in beside else "CAST(NULL AS VARCHAR)"
    outcome = f"CASE WHEN {told} IS NOT NULL THEN {told} {cases} ELSE 'kept' END"
    row = f"came.{AS_IT_CAME}" if AS_IT_CAME in beside else "came"
    columns = ", ".join([*(column.name for column in contract), *_attributes(contract, present)])
    return (
        f"WITH came AS (SELECT * FROM ({query})), "
        f"typed AS (SELECT came, row_number() OVER () AS came_as, {typed}{attributes} FROM came), "
        f"judged AS (SELECT *, {outcome} AS outcome FROM typed) "
        f"SELECT {columns}, came_as, outcome, CASE WHEN outcome <> 'kept' THEN {row} END AS came "
        "FROM judged ORDER BY came_as"
    )


def _typed(column: Column, present: list[str]) -> str:
    if column.name not in present:
        return f"CAST(NULL AS {_TYPES[column.kind]})"
    if column.kind == "text":
        return f"nullif(trim(CAST({column.name} AS VARCHAR)), '')"
    read = f"TRY_CAST({column.name} AS {_TYPES[column.kind]})"
    if column.kind == "number":
        return f"CASE WHEN abs({read}) < {LARGEST_NUMBER} THEN {read} END"  # NaN and the infinite are not below it
    return f"CASE WHEN isfinite({read}) THEN {read} END" if column.kind == "timestamp" else read


def _reasons(contract: Contract, present: list[str]) -> list[tuple[str, str]]:
    """Why a row is set aside, in the order in which the first one counts."""
    reasons = []
    for column in contract:
        came = f"nullif(trim(CAST(came.{column.name} AS VARCHAR)), '')"
        if column.required:
            reasons.append((f"{column.name} is missing", f"{came} IS NULL"))
        if column.kind != "text" and column.name in present:
            unread = f"{came} IS NOT NULL AND typed.{column.name} IS NULL"
            reasons.append((f"{column.name} is not {_READ_AS[column.kind]}", unread))
        if column.kind == "timestamp" and column.name in present:
            reasons.append((f"{column.name} lies before 1970: a placeholder", f"typed.{column.name} < {EARLIEST}"))
    return reasons + [(rule.reason, rule.bad) for rule in contract.rules]


def _kept(column: Column) -> str:
    return f"CAST({column.name} AS DOUBLE) AS {column.name}" if column.kind == "money" else column.name


def _days(contract: Contract) -> list[str]:
    """Day numbers: `day` for the event, `<name>_day` for every other moment."""
    moments = [c.name for c in contract if c.kind == "timestamp"]
    return [
        f"CAST(date_diff('day', DATE '1970-01-01', CAST({m} AS DATE)) AS INTEGER) AS "
        f"{'day' if m == contract.event else m.removesuffix('_at') + '_day'}"
        for m in moments
    ]


def _attributes(contract: Contract, present: list[str]) -> list[str]:
    if not contract.attributes:
        return []
    known = {column.name for column in contract}
    return [sql_name(name) for name in present if name not in known]


def _cancellations(name: str) -> str:
    """Negative purchase lines, as returns."""
    return (
        "SELECT customer_id, ordered_at AS returned_at, CAST(-net_amount AS DOUBLE) AS amount, order_id, product_id, "
        "abs(quantity) AS quantity, CAST('cancelled' AS VARCHAR) AS reason, "
        "CAST(date_diff('day', DATE '1970-01-01', CAST(ordered_at AS DATE)) AS INTEGER) AS day "
        f"FROM {name} WHERE outcome = '{BECAME_RETURNS}'"
    )


def _tally(con: duckdb.DuckDBPyConnection, contract: Contract, *, name: str) -> pd.DataFrame:
    money = f"sum(coalesce({contract.money}, 0))" if contract.money else "NULL"
    tally: pd.DataFrame = con.sql(
        f"SELECT '{contract.table}' AS \"table\", outcome, count(*) AS rows, CAST({money} AS VARCHAR) AS money, "
        f"left(CAST(min_by(came, came_as) AS VARCHAR), 200) AS example FROM {name} GROUP BY outcome "
        "ORDER BY outcome <> 'kept', count(*) DESC, outcome"
    ).df()
    tally["money"] = tally["money"].map(_decimal)
    return tally


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if isinstance(text, str) else None


def _money(
    con: duckdb.DuckDBPyConnection, contract: Contract, *, query: str, folder: Path, mapped: bool
) -> dict[str, Decimal] | None:
    """The table's money at the door and in each file that was written, each added up on its own."""
    if contract.money is None:
        return None
    places = {
        "came_in": (f"({query})", contract.money),
        "kept": (sql_path(folder / f"{contract.table}.parquet"), contract.money),
        "set_aside": (
            sql_path(_rejected_file(folder, contract)),
            _as_read(contract) if mapped else contract.money,
        ),
    }
    if contract.table == "purchases":
        places["became_returns"] = (sql_path(folder / "cancellations.parquet"), "-amount")
    return {
        name: con.execute(
            f"SELECT coalesce(sum(TRY_CAST({column} AS {_TYPES['money']})), 0) FROM {place}"
        ).fetchall()[0][0]
        for name, (place, column) in places.items()
    }


def _first_and_last(
    con: duckdb.DuckDBPyConnection, contract: Contract, *, name: str
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    if contract.event is None:
        return None, None
    query = f"SELECT min({contract.event}), max({contract.event}) FROM {name} WHERE outcome = 'kept'"
    first, last = con.execute(query).fetchall()[0]
    return (pd.Timestamp(first), pd.Timestamp(last)) if first is not None else (None, None)


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"COPY ({query}) TO {sql_path(path)} (FORMAT parquet, COMPRESSION zstd)")
