"""Which column of the source stands for which canonical column."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm.config import TableMapping
from crm.contracts import CONTRACTS, Contract
from crm.contracts.checking import SET_ASIDE_BECAUSE
from crm.errors import SettingsError

UNIT_PRICE, CURRENCY = "unit_price", "currency"
WITH_UNIT_PRICE = {"purchases": "net_amount", "returns": "amount"}  # the amount that quantity x unit price gives


@dataclass(frozen=True)
class Mapped:
    """What each canonical column is read from.

    columns:    canonical name, or `unit_price` or `currency`: the column of the source.
    constants:  canonical name: the value of every row, as text.
    attributes: further columns that are kept under their own names.
    """

    columns: dict[str, str]
    constants: dict[str, str]
    attributes: tuple[str, ...]


def refuse_unknown(name: str, mapping: TableMapping) -> None:
    """Refuse tables and canonical columns that do not exist, before anything is read. Raises SettingsError."""
    key = f"source.tables.{name}"
    if name not in CONTRACTS:
        raise _wrong(f"{key} is not a canonical table{_nearest(name, CONTRACTS)}")
    known = [column.name for column in CONTRACTS[name]]
    known += [UNIT_PRICE, CURRENCY] if name in WITH_UNIT_PRICE else []
    problems = [
        f"{key}.{part}.{column} is not a column of {name}{_nearest(column, known)}"
        for part, given in (("columns", mapping.columns), ("constants", mapping.constants))
        for column in given
        if column not in known
    ]
    problems += [
        f"{key}.{column} is given twice, in columns and in constants"
        for column in mapping.columns
        if column in mapping.constants
    ]
    if amount := WITH_UNIT_PRICE.get(name):
        given = {*mapping.columns, *mapping.constants}
        if {amount, UNIT_PRICE} <= given:
            problems.append(f"{key} gives both {amount} and unit_price: the amount of a line is known, or reckoned")
    if problems:
        raise _wrong("; ".join(problems))


def map_columns(name: str, mapping: TableMapping, present: Sequence[str], *, doubled: Sequence[str] = ()) -> Mapped:
    """Find the columns of a mapping among those present.

    A column that bears its canonical name needs no mapping. Raises SettingsError for what is not there.
    """
    contract = CONTRACTS[name]
    columns = dict(_found(name, mapping, present, doubled))
    given = {*columns, *mapping.constants}
    by_name = {column.casefold(): column for column in present}
    taken = set(columns.values())
    for column in contract:
        own = by_name.get(column.name)
        reckoned = column.name == WITH_UNIT_PRICE.get(name) and UNIT_PRICE in given
        if column.name not in given and own and own not in taken and not reckoned:
            columns[column.name] = own
    _refuse_missing(contract, {*columns, *mapping.constants}, present)
    constants = {column: _as_text(value) for column, value in mapping.constants.items()}
    rest = [column for column in present if column not in columns.values()]
    return Mapped(columns, constants, tuple(_attributes(contract, rest)))


def _found(
    name: str, mapping: TableMapping, present: Sequence[str], doubled: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for column, wanted in mapping.columns.items():
        key = f"source.tables.{name}.columns.{column}"
        if isinstance(wanted, int):
            if not 1 <= wanted <= len(present):
                raise _wrong(f"{key} = {wanted}, and there are {len(present)} columns: {', '.join(present)}")
            yield column, present[wanted - 1]
            continue
        if wanted in doubled:
            places = [str(at + 1) for at, one in enumerate(present) if one.startswith(wanted)]
            raise _wrong(
                f"{key} = {wanted!r} stands more than once: say which by its position ({' or '.join(places)})"
            )
        if wanted not in present:
            raise _wrong(f"{key} = {wanted!r}, and there is no such column{_nearest(wanted, present)}")
        yield column, wanted


def _refuse_missing(contract: Contract, given: set[str], present: Sequence[str]) -> None:
    missing = [column for column in contract.required_columns if column not in given]
    amount = WITH_UNIT_PRICE.get(contract.table)
    if amount in missing and {"quantity", UNIT_PRICE} <= given:
        missing.remove(amount)
    if missing:
        also = f" ({amount} may be reckoned: give quantity and unit_price)" if amount in missing else ""
        raise SettingsError(
            f"The table {contract.table} must have the columns {', '.join(contract.required_columns)}{also}.",
            found=f"nothing for {', '.join(missing)}; the source has {', '.join(present)}",
            do=f"Say in [source.tables.{contract.table}] columns which column is which, or give a constant.",
        )


def _attributes(contract: Contract, rest: Sequence[str]) -> Iterator[str]:
    if contract.attributes:
        known = {*(column.name for column in contract), SET_ASIDE_BECAUSE}
        yield from (column for column in rest if column.casefold() not in known)


def _as_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _nearest(name: str, known: Sequence[str] | dict[str, Contract]) -> str:
    by_folded = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return f"; the nearest is {by_folded[near[0]]!r}" if near else f"; there are {', '.join(known)}"


def _wrong(found: str) -> SettingsError:
    return SettingsError(
        "The mapping in crm.toml must name canonical columns, and columns that the source has.",
        found=found,
        do="Mend it in crm.toml; `crm init` proposes a mapping for a file.",
    )
