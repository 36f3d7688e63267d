"""What the newest run did, from the receipts alone: for an operator who was not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from crm.runner.leaving_out import say_left_out
from crm.runner.lock import Holder, read_note
from crm.runner.progress import line_of
from crm.runner.receipt import WITHOUT_A_WORD, Receipt, nothing_to_say, published_run, read_receipt, read_receipts


@dataclass(frozen=True)
class State:
    """Lines of rich's markup, and the status to exit with: 0 if the newest run is COMPLETE or under way, else 1."""

    lines: tuple[str, ...]
    exit_status: int


def state_of(reports: Path) -> State:
    """What the newest run in a reports folder did, or is doing."""
    receipts = read_receipts(reports)
    if not receipts:
        return State((f"No run has been recorded in {escape(str(reports))}.",), 1)
    newest = receipts[0]
    if newest.status == "RUNNING":
        return _unfinished(newest, reports)
    lines = [
        f"Run {newest.run_id}: {newest.status}{_took(newest)}, as of {newest.as_of}, started {newest.started_at}.",
        *([f"It failed: {escape(newest.error)}"] if newest.error else []),
        *map(line_of, newest.notebooks),
        *_left_out(newest),
        *_by_hand(newest),
        *_published(newest, reports),
    ]
    return State(tuple(lines), 0 if newest.status == "COMPLETE" else 1)


def _unfinished(receipt: Receipt, reports: Path) -> State:
    note = read_note(reports)
    holder = note if note and note.run_id == receipt.run_id else None
    alive = holder.is_alive() if holder else False
    done = f"{len(receipt.notebooks)} of {len(receipt.selection)} notebooks have ended"
    head = f"Run {receipt.run_id}, as of {receipt.as_of}, started {receipt.started_at}"
    if alive is False:
        how = f"{head}: {WITHOUT_A_WORD}. {done}; the next `crm run` clears it away."
    else:
        how = f"{head}, {_where(holder)}: under way, {done}."
    lines = (how, *map(line_of, receipt.notebooks), *_left_out(receipt), *_published(receipt, reports))
    return State(lines, 1 if alive is False else 0)


def _where(holder: Holder | None) -> str:
    if holder is None:
        return "somewhere"
    unsure = "" if holder.is_alive() else " (it cannot be seen from here whether it still runs)"
    return f"process {holder.pid} on {escape(holder.host)}{unsure}"


def _left_out(receipt: Receipt) -> Iterator[str]:
    for line, loud in say_left_out(receipt):
        yield f"[bold red]{escape(line)}[/bold red]" if loud else escape(line)


def _by_hand(receipt: Receipt) -> Iterator[str]:
    """Of champions that somebody chose in MLflow itself, as the run found them."""
    for name, champion in receipt.champions.items():
        if note := champion.get("note"):
            yield f"[bold red]{escape(f'{name}: {note}')}[/bold red]"


def _took(receipt: Receipt) -> str:
    return f" in {receipt.seconds:.0f} s" if receipt.seconds is not None else ""


def _published(newest: Receipt, reports: Path) -> Iterator[str]:
    """What `latest` shows."""
    folder = published_run(reports)
    shown = read_receipt(folder) if folder else None
    if shown is None:
        yield "Nothing has been published yet."
    elif shown.run_id == newest.run_id:
        yield f"It is published: {escape(str(reports / 'index.html'))}"
    else:
        yield f"Published is still run {shown.run_id}, as of {shown.as_of}: {escape(str(reports / 'index.html'))}"
    if newest.missing and newest.status == "COMPLETE":
        yield f"It is not the whole set: nothing of {', '.join(newest.missing)}."
    elif newest.status == "COMPLETE" and (nothing := nothing_to_say(newest.notebooks)):
        yield f"It could not be published: {nothing}"
