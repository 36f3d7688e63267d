"""Readiness on a screen, in short lines; and for a program (`as_json`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from crm.analyses import in_words
from crm.periods import date_of, day_number
from crm.readiness.budget import acceptance
from crm.readiness.document import as_json, error_as_json
from crm.readiness.examination import Readiness
from crm.readiness.joins import Join
from crm.readiness.notebooks import Missing, NotebookState
from crm.readiness.rows import SetAside, TableRows
from crm.readiness.visible import quoted, visible

_STYLES = {"ready": "green", "reduced": "yellow", "impossible": "red", "unknown": ""}
_WORDS = {"unknown": "not known here"}
MOST_REASONS = 6  # of a table that are told with an example


def show(readiness: Readiness, *, options: Sequence[str] = ()) -> RenderableType:
    """What there is, part by part, to be printed.

    options: those of the command line that the next command needs as well, such as ("--config", "shop.toml").
    """
    parts = (_head, _rows, _joins, _notes, _notebooks, _absences)
    lines = [line for part in parts for line in part(readiness)]
    return Group(*lines, _line(""), _line(next_step(readiness, options=options), "bold"))


def next_step(readiness: Readiness, *, options: Sequence[str] = ()) -> str:
    """What to do next, and what to type."""
    check, run = (shlex.join(["crm", command, *options]) for command in ("check", "run"))
    if readiness.defects:
        return "Next: please report the defect above; these data should not be relied on before."
    if readiness.first is None:
        return f"Next: no purchase is left. Mend what set them aside, then type: {check}"
    if readiness.over_budget:
        return f"Next: mend or accept what is over its budget (part 1), then type: {check}"
    if not readiness.notebooks:
        return f"Next: put report notebooks into {readiness.notebooks_folder}, then type: {check}"
    if readiness.last is not None and not readiness.measured["customers"]:
        after = date_of(day_number(readiness.last) + 1)
        return f"Next, type: {shlex.join(['crm', 'check', *_without_date(options), '--as-of', str(after)])}"
    if not readiness.can_describe:
        return f"Next: deliver what is missing (part 4) or choose another as-of date, then type: {check}"
    return f"Next, type: {run}"


def _without_date(options: Sequence[str]) -> list[str]:
    """The options without --as-of and its date."""
    kept = list(options)
    if "--as-of" in kept:
        at = kept.index("--as-of")
        del kept[at : at + 2]
    return kept


def _head(readiness: Readiness) -> Iterator[RenderableType]:
    yield _line(
        f"Can a run start? {'Yes' if readiness.ok else 'Not yet'}.", "bold green" if readiness.ok else "bold red"
    )
    yield _line(f"Source: {readiness.source}. As of {readiness.as_of}, the first day not looked at.")
    if readiness.first is None:
        yield _line("There is no purchase that could be kept.")
        return
    counts = readiness.measured
    yield _line(
        f"Purchases of {readiness.first} to {readiness.last}. Before the as-of date: "
        f"{in_words('customers', counts['customers'])}, {counts['repeat_customers']:,} of them on two days or more, "
        f"{counts['active_customers']:,} within the last {readiness.active_within_days} days."
    )
    yield from _odd_date(readiness)


def _odd_date(readiness: Readiness) -> Iterator[RenderableType]:
    """Where the as-of date lies before, among or long after the purchases."""
    assert readiness.last is not None
    after = date_of(day_number(readiness.last) + 1)
    if not readiness.measured["customers"]:
        yield _line(f"Every purchase lies on that date or later. All would be known with --as-of {after}.", "yellow")
    elif not readiness.measured["active_customers"]:
        yield _line(f"Nobody counts as active then. All purchases would be known with --as-of {after}.", "yellow")
    elif day_number(readiness.last) >= day_number(readiness.as_of):
        yield _line("Purchases from the as-of date on are not looked at.")


def _rows(readiness: Readiness) -> Iterator[RenderableType]:
    yield from _heading("1. What came in")
    table = _table("", "rows", "share", readiness.currency)
    for one in readiness.tables:
        _add_table(table, one)
    yield table
    for one in readiness.defects:
        yield _Indented(_defect(one, readiness.currency), "bold red")
    for one in readiness.tables:
        for reason in _worth_words(one):
            yield from _reason(reason)
        if one.where:
            yield _Indented(f"The rows, as they came: {_beneath(one.where, readiness.home)}")
    yield from _acceptance(readiness)


def _defect(table: TableRows, currency: str) -> str:
    lost = [f"{table.unaccounted:,} rows"] if table.unaccounted else []
    if table.money and table.money["difference"]:
        lost.append(f"{table.money['difference']:,.2f} {currency}")
    return f"A DEFECT of crm, not of your data: unaccounted for in {table.table}: {' and '.join(lost)}."


def _worth_words(table: TableRows) -> list[SetAside]:
    """The reasons that stop a run, and the most frequent ones."""
    return [one for number, one in enumerate(table.reasons) if one.over_budget or number < MOST_REASONS]


def _add_table(table: Table, one: TableRows) -> None:
    money = one.money or {}
    table.add_row(Text(one.table, style="bold"), f"{one.rows:,}", "", _money(money.get("came_in")))
    table.add_row("  kept", f"{one.kept:,}", _share(one.kept, one.rows), _money(money.get("kept")))
    if one.became_returns:
        share = _share(one.became_returns, one.rows)
        table.add_row("  became returns", f"{one.became_returns:,}", share, _money(money.get("became_returns")))
    shown = _worth_words(one)
    for reason in shown:
        words = Text(f"  set aside: {visible(reason.reason, 100)}", style="red" if reason.over_budget else "")
        table.add_row(words, f"{reason.rows:,}", _share(reason.rows, one.rows), _money(reason.money))
    if others := [reason for reason in one.reasons if reason not in shown]:
        rows = sum(reason.rows for reason in others)
        table.add_row(f"  set aside: {len(others):,} other reasons", f"{rows:,}", _share(rows, one.rows), "")
    if one.from_purchases:
        table.add_row("  beside them: cancelled purchases", f"{one.from_purchases:,}", "", "")


def _reason(reason: SetAside) -> Iterator[RenderableType]:
    """Why rows were set aside, what seems to be behind it, and what would mend it."""
    yield _line("")
    yield _line(f"{reason.table}: {visible(reason.reason, 100)}", "bold")
    if reason.over_budget:
        yield _Indented(f"{_over(reason)}: a run would be refused.", "red")
    if reason.example:
        yield _Indented(f"Such as: {visible(reason.example, 200)}")
    if cause := reason.cause:
        values = f": {' and '.join(map(quoted, cause.values))}" if cause.values else ""
        yield _Indented(f"It looks like {cause.because}{values}.")
        yield _Indented(cause.do)


def _over(reason: SetAside) -> str:
    if reason.share > reason.row_budget:
        return f"{reason.share:.1%} of the rows, over the budget of {reason.row_budget:.1%}"
    return f"{reason.money_share:.1%} of the money, over the budget of {reason.money_budget:.1%}"


def _acceptance(readiness: Readiness) -> Iterator[RenderableType]:
    """What accepts the rows over their budget, unless crm.toml can be made to read them."""
    if lines := list(acceptance(readiness)):
        instead = "in place of accepted_reasons in" if readiness.accepted else "at the end of"
        yield _line("")
        which = "the other rows" if any(map(_settled, readiness.over_budget)) else "these rows"
        yield _line(f"To go on without {which}, write {instead} crm.toml:")
        yield from map(_line, lines)


def _settled(reason: SetAside) -> bool:
    return reason.cause is not None and reason.cause.settled


def _joins(readiness: Readiness) -> Iterator[RenderableType]:
    yield from _heading("2. Do the tables meet?")
    if not readiness.joins:
        yield _line("There are no two tables that should.")
        return
    table = _table("", "rows", "found", "share")
    for join in readiness.joins:
        words = Text(f"{join.table}.{join.column} in {join.other}", style="yellow" if join.doubtful else "")
        table.add_row(words, f"{join.rows:,}", f"{join.met:,}", _share(join.met, join.rows))
    yield table
    for join in readiness.joins:
        if join.doubtful:
            yield from _doubtful(join)


def _doubtful(join: Join) -> Iterator[RenderableType]:
    yield _line("")
    yield _line(f"{join.table}.{join.column} in {join.other}", "bold")
    if join.cause:
        pairs = ", ".join(
            f"{quoted(one)} and {quoted(other)}" for one, other in zip(join.here, join.there, strict=True)
        )
        yield _Indented(f"They would meet but for {join.cause}: {pairs}.")
        yield _Indented(join.do)
        return
    yield _Indented(f"Only in {join.table}: {', '.join(map(quoted, join.here))}")
    yield _Indented(f"Only in {join.other}: {', '.join(map(quoted, join.there)) or 'none'}")
    if join.known:
        yield _Indented(f"Known of it: {join.known}.")


def _notes(readiness: Readiness) -> Iterator[RenderableType]:
    yield from _heading("3. How it was read")
    for note in readiness.notes or ("Nothing to remark.",):
        yield _Indented(visible(note, 1000))


def _notebooks(readiness: Readiness) -> Iterator[RenderableType]:
    yield from _heading("4. What the notebooks can say")
    for state in readiness.notebooks:
        yield _head_of(state)
        if state.status == "impossible":
            yield _Indented(state.because)
        for lacking, adds in _grouped(state.missing):
            yield _Indented(f"without {lacking}: {adds}")
    if not readiness.notebooks:
        yield _line(f"There is no report notebook in {readiness.notebooks_folder}.", "red")


def _head_of(state: NotebookState) -> Text:
    status = _WORDS.get(state.status, state.status)
    question = f"  {visible(state.question, 100)}" if state.question else ""
    return Text.assemble((state.name, "bold"), "  ", (status, _STYLES[state.status]), question)


def _grouped(missing: Iterable[Missing]) -> Iterator[tuple[str, str]]:
    """What is missing, with what it would add: columns of a table that is not there as the table."""
    adds: dict[str, list[str]] = {}
    for one in missing:
        name = f"{one.table}.{one.column}" if one.why == "empty" and one.column else one.table
        idle = " (none of its ids is found)" if one.why == "meets nothing" else ""
        adds.setdefault(name + idle, []).append(one.adds)
    yield from ((name, "; ".join(dict.fromkeys(several))) for name, several in adds.items())


def _absences(readiness: Readiness) -> Iterator[RenderableType]:
    yield from _heading("5. What more would unlock")
    for table in readiness.not_there:
        yield _Indented(f"{table.table}: {table.unlocks}")
    useful = [one for one in readiness.empty if one.adds]
    for column in useful:
        yield _Indented(f"{column.table}.{column.column}, empty: {'; '.join(column.adds)}")
    if rest := [f"{one.table}.{one.column}" for one in readiness.empty if not one.adds]:
        yield _Indented(f"Empty as well, but no report asks for it yet: {', '.join(rest)}")
    if not (readiness.not_there or readiness.empty):
        yield _line("Nothing: every table and every column is there.")


def _heading(words: str) -> Iterator[RenderableType]:
    yield _line("")
    yield _line(words, "bold underline")


def _line(words: str, style: str = "") -> Text:
    return Text(words, style=style)


class _Indented:
    """Words that begin two blanks from the left, their further lines four."""

    def __init__(self, words: str, style: str = "") -> None:
        self.words = Text(words, style=style)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for number, line in enumerate(self.words.wrap(console, max(20, options.max_width - 4))):
            yield Text("    " if number else "  ") + line


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _money(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _beneath(path: Path, home: Path) -> str:
    return str(path.relative_to(home) if path.is_relative_to(home) else path)


__all__ = ["as_json", "error_as_json", "next_step", "show"]
