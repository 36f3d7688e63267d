"""Readiness as one JSON document, for a program. Its keys are stable; examples, which name customers, stay out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crm.errors import CrmError
from crm.readiness.budget import accepting
from crm.readiness.examination import Readiness
from crm.readiness.joins import Join
from crm.readiness.notebooks import NotebookState
from crm.readiness.rows import SetAside, TableRows


def as_json(readiness: Readiness) -> dict[str, Any]:
    """What `crm check --json` prints.

    as_of, source:  the first day not looked at; the kind of the source.
    ready:          a run would be accepted, and describe the customer base at least.
    base:           first and last purchase, and how much there is to go by before the as-of date.
    tables:         rows = kept + became_returns + set_aside of each; its money; reasons; rejected: where the rest is.
    joins:          rows of table.column with a value, those met in other; of less than half also `cause` and `do`.
    notes:          how the source was read.
    notebooks:      name, question, status (ready, reduced, impossible, unknown), because, missing and what it adds.
    not_there:      canonical tables without rows.     empty: columns without values.
    over_budget:    table, reason and shares of what stops a run.     accept: `accepted_reasons` that let it pass.
    defects:        tables of which rows or money got lost on the way; always empty.
    """
    return {
        "as_of": readiness.as_of.isoformat(),
        "source": readiness.source,
        "ready": readiness.ok,
        "base": {
            "first_purchase": readiness.first.isoformat() if readiness.first else None,
            "last_purchase": readiness.last.isoformat() if readiness.last else None,
            **readiness.measured,
        },
        "tables": [_table(table) for table in readiness.tables],
        "joins": [_join(join) for join in readiness.joins],
        "notes": list(readiness.notes),
        "notebooks": [_notebook(state) for state in readiness.notebooks],
        "not_there": [
            {"table": one.table, "one_row_is": one.one_row_is, "unlocks": one.unlocks} for one in readiness.not_there
        ],
        "empty": [{"table": one.table, "column": one.column, "adds": list(one.adds)} for one in readiness.empty],
        "over_budget": [_reason(reason) for reason in readiness.over_budget],
        "accept": accepting(readiness) if readiness.over_budget else None,
        "defects": [table.table for table in readiness.defects],
    }


def error_as_json(error: CrmError) -> dict[str, Any]:
    """What `crm check --json` prints in place of it when it cannot be carried out."""
    return {"error": {"rule": error.rule, "found": error.found, "do": error.do}}


def _table(table: TableRows) -> dict[str, Any]:
    return {
        "table": table.table,
        "rows": table.rows,
        "kept": table.kept,
        "became_returns": table.became_returns,
        "set_aside": table.set_aside,
        "from_purchases": table.from_purchases,
        "money": {name: _money(amount) for name, amount in table.money.items()} if table.money else None,
        "reasons": [_reason(reason) for reason in table.reasons],
        "rejected": str(table.where) if table.where else None,
    }


def _reason(reason: SetAside) -> dict[str, Any]:
    cause = reason.cause
    return {
        "table": reason.table,
        "reason": reason.reason,
        "rows": reason.rows,
        "share": reason.share,
        "money": _money(reason.money),
        "money_share": reason.money_share,
        "row_budget": reason.row_budget,
        "money_budget": reason.money_budget,
        "over_budget": reason.over_budget,
        "cause": {"because": cause.because, "do": cause.do} if cause else None,
    }


def _join(join: Join) -> dict[str, Any]:
    return {
        "table": join.table,
        "column": join.column,
        "other": join.other,
        "other_column": join.other_column,
        "rows": join.rows,
        "met": join.met,
        "share": join.share,
        "cause": join.cause or None,
        "do": join.do or None,
    }


def _notebook(state: NotebookState) -> dict[str, Any]:
    return {
        "name": state.name,
        "question": state.question,
        "status": state.status,
        "because": state.because,
        "missing": [
            {"table": one.table, "column": one.column, "adds": one.adds, "why": one.why} for one in state.missing
        ],
    }


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
