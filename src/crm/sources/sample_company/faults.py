"""The dirt of real data, planted and kept count of.

| table | kind | rows | how it looks |
|---|---|---|---|
| purchases | customer_id is missing | 0.6 % | an anonymous line |
| purchases | cancellation | 0.4 % | a further line of the order, up to ten days later, quantity and money negative |
| purchases | void line | 0.3 % | a further line with quantity and money 0 |
| purchases | exact duplicate | 0.3 % | the same line once more |
| purchases | date of 1900 | 0.1 % | ordered on 1900-01-01 |
| purchases | unknown product | 0.2 % | product P9999, which is not among the products |
| purchases | quantity outlier | 0.05 % | a thousand times the quantity, the money unchanged |
| returns | negative amount | 0.5 % | the amount with a minus sign |
| returns | customer_id is missing | 0.3 % | |
| customers | repeated customer | 0.2 % | the same row once more |
| customers | joined_at is missing | 1 % | |
| contacts | repeated contact | 0.1 % | the same row once more |
| contacts | unknown arm | 0.1 % | arm `control` |
| service_cases | closed before opened | 0.3 % | |
| deliveries | unknown order | 0.2 % | an order that does not exist |
| visits | customer_id is missing | 0.4 % | |
| subscriptions | ends before it starts | 0.4 % | |
| products | name with markup | 0.3 % | HTML, quotes, emoji |
| products | department is missing | 0.2 % | |
| products | margin_rate is missing | 1 % | |

Shares are of a part's clean rows, rounded down, so that none is ever exceeded; no row has two faults. Further rows
stand at the end of their part.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm.contracts import CONTRACTS
from crm.sources.sample_company.arrays import (
    ArrowArray,
    Bools,
    Ints,
    numbered,
)

UNKNOWN_PRODUCT = "P9999"
ODD_NAMES = ("Coffee <b>Dark & Strong</b>", 'Blanket "Cloud" 🌙', "O'Neill's; size 42\u00a0<script>")
OUTLIER = 1000
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Chosen:
    """The rows chosen for a fault, as they are without it."""

    rows: pa.Table
    rng: np.random.Generator
    as_of: dt.date

    def __len__(self) -> int:
        return len(self.rows)


Columns: TypeAlias = dict[str, ArrowArray]


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    changes: the faulty values, by column.
    further: the faulty row stands beside the right one rather than in its place.
    among:   only rows in which this column has a value are chosen.
    """

    table: str
    kind: str
    share: float
    changes: Callable[[Chosen], Columns]
    further: bool = False
    among: str | None = None


def plant_faults(
    rng: np.random.Generator, table: pa.Table, *, name: str, part: int, as_of: dt.date
) -> tuple[pa.Table, pa.Table]:
    """The table with its faults, and one row for each of them: where it stands and whom it concerns."""
    free = np.ones(len(table), dtype=bool)
    clean, size = table, len(table)
    further, records = [], []
    for fault in (fault for fault in FAULTS if fault.table == name):
        rows = _choose(rng, clean, fault, free)
        free[rows] = False
        chosen = Chosen(clean.take(rows), rng, as_of)
        changes = fault.changes(chosen)
        place = rows
        if fault.further:
            further.append((chosen.rows, changes))
            place = np.arange(size, size + len(rows))
            size += len(rows)
        else:
            table = _replaced(table, rows, changes)
        records.append(_record(chosen, changes, fault, place=place, part=part))
    added = [_with(rows, changes).cast(table.schema) for rows, changes in further]
    return pa.concat_tables([table, *added]), pa.concat_tables(records) if records else RECORD.empty_table()


IDENTIFIERS = ("customer_id", "order_id", "product_id", "case_id", "campaign_id")
RECORDED: dict[str, pa.DataType] = {
    "table": pa.string(),
    "kind": pa.string(),
    "part": pa.int64(),
    "row": pa.int64(),
    **dict.fromkeys(IDENTIFIERS, pa.string()),
    "amount": pa.float64(),
}
RECORD = pa.schema(RECORDED)


def _choose(rng: np.random.Generator, table: pa.Table, fault: Fault, free: Bools) -> Ints:
    """Rows without a fault so far, in their order."""
    can = free
    if fault.among:
        can = free & table[fault.among].is_valid().to_numpy()
    candidates = np.flatnonzero(can)
    wanted = min(int(fault.share * len(table)), len(candidates))
    return np.sort(rng.choice(candidates, wanted, replace=False)) if wanted else np.zeros(0, dtype=np.int64)


def _replaced(table: pa.Table, rows: Ints, changes: Columns) -> pa.Table:
    """The table with these rows' values changed."""
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = True
    for name, values in changes.items():
        column = _plain(table[name])
        changed = pc.replace_with_mask(column, pa.array(mask), values.cast(column.type))
        table = table.set_column(table.schema.get_field_index(name), name, changed)
    return table


def _with(rows: pa.Table, changes: Columns) -> pa.Table:
    for name, values in changes.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows


def _plain(column: pa.ChunkedArray[Any]) -> ArrowArray:
    """The column in one piece, coded text as text."""
    whole = column.combine_chunks()
    return whole.cast(whole.type.value_type) if pa.types.is_dictionary(whole.type) else whole


def _record(chosen: Chosen, changes: Columns, fault: Fault, *, place: Ints, part: int) -> pa.Table:
    """Where each fault stands, its identifiers as they would be without it, its money as it is written."""
    n = len(chosen)
    money = CONTRACTS[fault.table].money
    columns: Columns = {
        "table": pa.repeat(fault.table, n),
        "kind": pa.repeat(fault.kind, n),
        "part": pa.repeat(part, n),
        "row": pa.array(place, pa.int64()),
    }
    for name in IDENTIFIERS:
        known = name in chosen.rows.column_names
        columns[name] = _plain(chosen.rows[name]) if known else pa.nulls(n, pa.string())
    written = changes.get(money, _plain(chosen.rows[money])) if money else pa.nulls(n, pa.float64())
    return pa.table({**columns, "amount": written.cast(pa.float64())}, schema=RECORD)


def _blank(column: str) -> Callable[[Chosen], Columns]:
    def blank(chosen: Chosen) -> Columns:
        kind = chosen.rows.schema.field(column).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        return {column: pa.nulls(len(chosen), plain)}

    return blank


def _text(column: str, value: str) -> Callable[[Chosen], Columns]:
    return lambda chosen: {column: pa.repeat(value, len(chosen))}


def _unchanged(chosen: Chosen) -> Columns:
    return {}


def _times(chosen: Chosen, column: str, factor: int) -> ArrowArray:
    values = chosen.rows[column].combine_chunks()
    zero = pc.subtract(values, values)
    times: ArrowArray = pc.add(pc.multiply(values, pa.scalar(factor, values.type)), zero)  # 0.0, not -0.0
    return times


def _cancelled(chosen: Chosen) -> Columns:
    """Taken back up to ten days later, but before the as-of date."""
    moment = chosen.rows["ordered_at"].to_numpy()
    later = moment + chosen.rng.integers(3600, 10 * 86_400, len(chosen)).astype("timedelta64[s]")
    last = np.datetime64(chosen.as_of, "us") - np.timedelta64(1, "s")
    taken_back = ("quantity", "net_amount", "discount_amount", "coupon_amount")
    return {
        "ordered_at": pa.array(np.minimum(later, last).astype("datetime64[us]")),
        **{column: _times(chosen, column, -1) for column in taken_back},
    }


def _void(chosen: Chosen) -> Columns:
    return {name: _times(chosen, name, 0) for name in ("quantity", "net_amount", "discount_amount", "coupon_amount")}


def _placeholder_date(chosen: Chosen) -> Columns:
    return {"ordered_at": pa.repeat(pa.scalar(dt.datetime(1900, 1, 1), pa.timestamp("us")), len(chosen))}


def _many_pieces(chosen: Chosen) -> Columns:
    return {"quantity": _times(chosen, "quantity", OUTLIER)}


def _minus_sign(chosen: Chosen) -> Columns:
    return {"amount": _times(chosen, "amount", -1)}


def _day_before(column: str, *, of: str) -> Callable[[Chosen], Columns]:
    return lambda chosen: {column: pc.subtract(chosen.rows[of].combine_chunks(), pa.scalar(DAY))}


def _unknown_order(chosen: Chosen) -> Columns:
    return {"order_id": numbered("OX", chosen.rng.integers(0, 10**9, len(chosen)), width=10)}


def _odd_name(chosen: Chosen) -> Columns:
    return {"name": pa.array([ODD_NAMES[i % len(ODD_NAMES)] for i in range(len(chosen))], pa.string())}


FAULTS = (
    Fault("purchases", "customer_id is missing", 0.006, _blank("customer_id")),
    Fault("purchases", "cancellation", 0.004, _cancelled, further=True),
    Fault("purchases", "void line", 0.003, _void, further=True),
    Fault("purchases", "exact duplicate", 0.003, _unchanged, further=True),
    Fault("purchases", "date of 1900", 0.001, _placeholder_date),
    Fault("purchases", "unknown product", 0.002, _text("product_id", UNKNOWN_PRODUCT)),
    Fault("purchases", "quantity outlier", 0.0005, _many_pieces),
    Fault("returns", "negative amount", 0.005, _minus_sign),
    Fault("returns", "customer_id is missing", 0.003, _blank("customer_id")),
    Fault("customers", "repeated customer", 0.002, _unchanged, further=True),
    Fault("customers", "joined_at is missing", 0.01, _blank("joined_at")),
    Fault("contacts", "repeated contact", 0.001, _unchanged, further=True),
    Fault("contacts", "unknown arm", 0.001, _text("arm", "control"), among="arm"),
    Fault(
        "service_cases", "closed before opened", 0.003, _day_before("closed_at", of="opened_at"), among="closed_at"
    ),
    Fault("deliveries", "unknown order", 0.002, _unknown_order),
    Fault("visits", "customer_id is missing", 0.004, _blank("customer_id")),
    Fault(
        "subscriptions", "ends before it starts", 0.004, _day_before("ended_at", of="started_at"), among="ended_at"
    ),
    Fault("products", "name with markup", 0.003, _odd_name),
    Fault("products", "department is missing", 0.002, _blank("department")),
    Fault("products", "margin_rate is missing", 0.01, _blank("margin_rate")),
)
