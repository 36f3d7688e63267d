"""What became of the rows of each table: kept, returned, or set aside, why, and whether that is within its budget."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from crm.analyses.data_quality import reconcile
from crm.contracts.checking import BECAME_RETURNS
from crm.facts import Facts
from crm.readiness.causes import Cause, cause_of
from crm.readiness.rejected import example_of


@dataclass(frozen=True)
class SetAside:
    """The rows of a table that were set aside for one reason.

    share, money_share: of all rows, and of all money (its size, whatever its sign), that came in.
    row_budget, money_budget: the shares that [quality] allows for this reason.
    example:            the first such row, shortened: for the eyes of those who own the data.
    cause:              what seems to be behind it, where that can be read from the values.
    """

    table: str
    reason: str
    rows: int
    share: float
    money: Decimal | None
    money_share: float
    row_budget: float
    money_budget: float
    example: str
    cause: Cause | None

    @property
    def over_budget(self) -> bool:
        """Would a run be refused for it?"""
        return self.share > self.row_budget or self.money_share > self.money_budget


@dataclass(frozen=True)
class TableRows:
    """What became of the rows of one table: rows = kept + became_returns + set_aside.

    from_purchases: cancelled purchases that are among the returns as well, beside `kept`.
    money:          of each of the four, and `difference`; None where the table has no money.
    reasons:        why rows were set aside, the most frequent first.
    where:          the file that holds them, if there are any.
    unaccounted:    rows that got lost on the way: a defect of ours if it is not 0.
    """

    table: str
    rows: int
    kept: int
    from_purchases: int
    became_returns: int
    set_aside: int
    money: dict[str, Decimal] | None
    reasons: tuple[SetAside, ...]
    where: Path | None
    unaccounted: int

    @property
    def reconciles(self) -> bool:
        """Is every row, and every cent, accounted for?"""
        return self.unaccounted == 0 and not (self.money and self.money["difference"])


def table_rows(facts: Facts) -> tuple[TableRows, ...]:
    """What became of the rows of every table, the largest trouble of each first."""
    money = {str(row["table"]): row for row in reconcile(facts.tables).to_dict("records")}
    cancelled = int(facts.tables["became_returns"].sum())
    return tuple(
        _table_rows(facts, row, money=money.get(str(row["table"])), cancelled=cancelled)
        for row in facts.tables.to_dict("records")
    )


def _table_rows(facts: Facts, row: dict[Any, Any], *, money: dict[Any, Any] | None, cancelled: int) -> TableRows:
    name = str(row["table"])
    from_purchases = cancelled if name == "returns" else 0
    kept = int(row["kept"]) - from_purchases
    rejected = facts.folder / "rejected" / f"{name}.parquet"
    lying = pq.read_metadata(rejected).num_rows if rejected.exists() else 0
    where = facts.settings.folders.data / "rejected" / facts.settings.as_of.isoformat() / rejected.name
    return TableRows(
        table=name,
        rows=int(row["rows"]),
        kept=kept,
        from_purchases=from_purchases,
        became_returns=int(row["became_returns"]),
        set_aside=int(row["set_aside"]),
        money={k: v for k, v in money.items() if k != "table"} if money else None,
        reasons=tuple(_reasons(facts, name)),
        where=where if lying else None,
        unaccounted=int(row["rows"]) - kept - int(row["became_returns"]) - lying,
    )


def _reasons(facts: Facts, table: str) -> list[SetAside]:
    tally = facts.outcomes[facts.outcomes["table"] == table]
    rows, money = int(tally["rows"].sum()), _size(tally["money"])
    aside = tally[~tally["outcome"].isin(["kept", BECAME_RETURNS])].to_dict("records")
    return [_reason(facts, table, one, all_rows=rows, all_money=money) for one in aside]


def _reason(facts: Facts, table: str, one: dict[Any, Any], *, all_rows: int, all_money: float) -> SetAside:
    quality, reason = facts.settings.quality, str(one["outcome"])
    accepted = quality.accepted_reasons.get(reason, 0.0)
    share = int(one["rows"]) / all_rows
    money = one["money"] if _is_amount(one["money"]) else None
    return SetAside(
        table=table,
        reason=reason,
        rows=int(one["rows"]),
        share=share,
        money=money,
        money_share=float(abs(money)) / all_money if money and all_money else 0.0,
        row_budget=max(accepted, quality.most_rows_set_aside),
        money_budget=max(accepted, quality.most_money_set_aside),
        example=example_of(facts, table, reason) or str(one["example"]),
        cause=cause_of(facts, table, reason, share=share),
    )


def _size(money: pd.Series) -> float:
    return float(sum((abs(one) for one in money if _is_amount(one)), Decimal(0)))


def _is_amount(money: object) -> bool:
    return isinstance(money, Decimal) and money.is_finite()
