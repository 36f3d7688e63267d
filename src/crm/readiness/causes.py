"""What seems to be behind rows that were set aside, seen from how their values are written, and what mends it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from crm.config import TableMapping
from crm.contracts import Column
from crm.facts import Facts
from crm.readiness.forms import (
    COMMA,
    DATES,
    DATES_OF_A_FORMAT,
    DAY_BEFORE_MONTH,
    DAY_FIRST,
    MONTH_FIRST,
    NUMBERS,
    PLACEHOLDERS,
    POINT,
    TRUTHS,
    Form,
)
from crm.readiness.rejected import Written, about, has_broken_lines, raw_columns, written

MOST_OF_THEM = 0.5  # of a reason's rows must be written in a form before it is called the cause
NEARLY_ALL = 0.98
READ_THE_OTHER_WAY = 0.3  # of all dates fail, at least, where every month is taken for a day


@dataclass(frozen=True)
class Cause:
    """What seems to be behind rows that were set aside.

    because: in words.     values: up to two values as they are written.
    do:      what would mend it, for a person to judge.
    settled: with that, crm.toml lets the rows be read: nobody needs to go on without them.
    """

    because: str
    values: tuple[str, ...]
    do: str
    settled: bool = False


@dataclass(frozen=True)
class _Trouble:
    """The rows of one reason, which speaks of a column. share: of the table's rows."""

    facts: Facts
    table: str
    reason: str
    share: float
    column: Column

    @property
    def mapping(self) -> TableMapping | None:
        """How the table is read, where crm.toml says so."""
        return self.facts.settings.source.tables.get(self.table)

    @property
    def where(self) -> str:
        """Where its rows can be put right before they are read."""
        return f"in the query of [source.tables.{self.table}]" if self.mapping else "in the source"


def cause_of(facts: Facts, table: str, reason: str, *, share: float) -> Cause | None:
    """What seems to be behind the rows set aside for `reason`, that are this share of the table's rows."""
    column = about(table, reason)
    if column is None:
        return _broken_lines(table) if has_broken_lines(facts, table, reason) else None
    trouble = _Trouble(facts, table, reason, share, column)
    if reason.endswith(" came before"):
        key = reason.removesuffix(" came before")
        return Cause(f"several rows for the same {key}", (), f"The first counts. Choose another {trouble.where}.")
    match reason.removeprefix(f"{column.name} "):
        case "is missing":
            return _missing(trouble)
        case "is negative":
            return Cause("money given back, written with a minus", (), f"Turn its sign {trouble.where}.")
        case said if said.startswith("is not ") or said.endswith("a placeholder"):
            return _written_so(trouble)
    return None


def _broken_lines(table: str) -> Cause:
    return Cause(
        "a delimiter, a quote or a line break within a text",
        (),
        f"Look whether delimiter and quote in [source.tables.{table}] are right.",
    )


def _missing(trouble: _Trouble) -> Cause | None:
    name = trouble.column.name
    if trouble.share >= NEARLY_ALL:
        return Cause(f"a column without {name}", (), "Look whether the right column is mapped to it.")
    if name == "customer_id":
        return Cause(
            "sales to nobody known",
            (),
            "If that is so, go on without them: their money is counted in totals, and no customer gets it.",
        )
    return None


def _written_so(trouble: _Trouble) -> Cause | None:
    """The form in which most of the values are written that were not read."""
    forms = _possible_forms(trouble)
    main = _main(trouble, forms)
    if main is None or main.form == len(forms):
        return None
    form = forms[main.form]
    if form in (DAY_FIRST, MONTH_FIRST) and trouble.share < READ_THE_OTHER_WAY:
        do = f"Bring them into one form {trouble.where}."
        return Cause("some dates with the day first, some with the month", main.examples, do)
    settled = form.advice == "set" and trouble.mapping is not None
    return Cause(form.because, main.examples, _advice(form, trouble, main), settled)


def _possible_forms(trouble: _Trouble) -> Sequence[Form]:
    """The forms that can be behind it; what crm.toml says already cannot."""
    mapping = trouble.mapping
    if "placeholder" in trouble.reason:
        return PLACEHOLDERS
    match trouble.column.kind:
        case "timestamp":
            if mapping and mapping.date_formats:
                return DATES_OF_A_FORMAT
            few = trouble.share < READ_THE_OTHER_WAY  # a slip here and there is no manner of writing
            return [form for form in DATES if not (few and form is DAY_BEFORE_MONTH)]
        case "money" | "number":
            said = COMMA if mapping and mapping.decimal_comma else POINT
            return [form for form in NUMBERS if form is not said]
        case "boolean":
            return TRUTHS
    return ()


def _main(trouble: _Trouble, forms: Sequence[Form]) -> Written | None:
    """The form of most of the values, in the first column they were read from that has values of these forms."""
    patterns = [form.pattern for form in forms]
    for column in raw_columns(trouble.facts, trouble.table, trouble.column.name) if forms else []:
        found = written(trouble.facts, trouble.table, trouble.reason, column=column, forms=patterns)
        if any(one.form < len(patterns) for one in found):
            return found[0] if found[0].rows >= MOST_OF_THEM * sum(one.rows for one in found) else None
    return None


def _advice(form: Form, trouble: _Trouble, found: Written) -> str:
    """What would mend values of this form."""
    match form.advice:
        case "set" if trouble.mapping:
            return f"Write {form.setting} into [source.tables.{trouble.table}]."
        case "stand-in":
            return _stand_in(trouble, found)
        case "mapping":
            return f"Look whether the right column is mapped to {trouble.column.name}."
        case "query":
            return f"Turn them into a form that is read {trouble.where}."
    return "Mend them in the source, or go on without these rows."


def _stand_in(trouble: _Trouble, found: Written) -> str:
    """What to do with values that stand for nothing."""
    if found.different > len(found.examples):
        return f"Look whether the right column is mapped to {trouble.column.name}."
    if trouble.column.required or trouble.mapping is None:
        return "Mend it in the source, or go on without these rows: they need a value."
    words = json.dumps([*trouble.mapping.empty, *found.examples], ensure_ascii=False)
    return f"If it stands for nothing, write empty = {words} into [source.tables.{trouble.table}]."
