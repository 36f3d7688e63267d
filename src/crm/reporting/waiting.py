"""What waits for a person: lists to send, models to review, data to look at; each with what to do.

Nothing here may cost a page: what cannot be read is said, or left unsaid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from crm.config import Settings
from crm.errors import CrmError
from crm.reporting.runs import Run
from crm.written_lists import KEPT, UNCHANGED, KeptList, read_lists

if TYPE_CHECKING:
    from crm.tracking import Registered

MOST_DATES = 3
"""As-of dates whose lists are named; older ones are counted."""
MUCH_SET_ASIDE = 0.01
"""Share of a table's rows from which it is worth a look why they were set aside."""
STALE_AFTER = 7
"""Days without data before the as-of date from which it is worth a look whether some are missing."""

_CONSENTS = "consents_elsewhere"


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for a decision.

    what: a sentence.     parts: what it is about, one by one.
    do: what to do, a sentence.     command: what to type for it.
    page:   the page of the run where it is explained.     report: such a page elsewhere in the reports folder.
    """

    what: str
    do: str = ""
    command: str = ""
    page: str = ""
    report: str = ""
    parts: str = ""


def waiting(run: Run | None, settings: Settings | None, *, today: dt.date) -> tuple[Waiting, ...]:
    """Everything that waits, as seen from this run: lists first, then models, then its data.

    settings: where lists are kept and models registered; without them only the run itself is looked at.
    today:    for what is past its day.
    """
    lists = _lists(settings, today) if settings is not None else ()
    models = _models(settings) if settings is not None else ()
    own = tuple(chain(_unchecked(run, lists), _refused(run), _data(run))) if run is not None else ()
    return (*lists, *models, *own)


def _lists(settings: Settings, today: dt.date) -> tuple[Waiting, ...]:
    try:
        kept = read_lists(settings.folders.data)
    except (CrmError, OSError) as error:
        what = f"The action lists cannot be read: {str(error).splitlines()[0]}"
        return (Waiting(what, "See what is wrong with them.", "crm lists"),)
    due = [one for one in kept if not one.marked and one.treated > 0]
    by_date: dict[tuple[dt.date, dt.date], list[KeptList]] = {}
    for one in due:
        by_date.setdefault((one.send_by, one.as_of), []).append(one)
    in_order = sorted(by_date, key=lambda dates: (dates[0] < today, abs((dates[0] - today).days), dates))
    shown = tuple(_of_one_date(by_date[dates], today) for dates in in_order[:MOST_DATES])
    if more := sum(len(by_date[dates]) for dates in in_order[MOST_DATES:]):
        what = f"{more:,} older list{' is' if more == 1 else 's are'} not marked as sent."
        shown += (Waiting(what, "See them all:", "crm lists"),)
    return shown


def _of_one_date(lists: list[KeptList], today: dt.date) -> Waiting:
    """Lists that were written together and are to be sent by the same day."""
    first, several = lists[0], len(lists) > 1
    which = f"The {len(lists)} lists as of {first.as_of}" if several else f"The list {first.list_id}"
    told = [f"{one.programme.replace('_', ' ')} ({_customers(one)})" for one in lists]
    command = f"crm sent {first.list_id} --on DATE"
    late = first.send_by < today
    verb = f"{'were' if several else 'was'} to" if late else f"{'are' if several else 'is'} to"
    what = f"{which} {verb} be sent by {first.send_by}{', and nobody has said so yet' if late else ''}."
    do = f"Say{' of each' if several else ''} on which day it was sent, or --never:"
    return Waiting(what, do, command, parts="; ".join(told))


def _customers(one: KeptList) -> str:
    held_out = f", {one.held_out:,} held out" if one.held_out else ""
    return f"{one.treated:,} customer{'' if one.treated == 1 else 's'} to contact{held_out}"


def _models(settings: Settings) -> tuple[Waiting, ...]:
    """The challengers; nothing is said where the registry cannot be read."""
    try:
        from crm.tracking import registered  # MLflow takes its time to load
        from crm.tracking.registry import GATE

        found = registered(settings).values()
        return tuple(chain.from_iterable(_challenger(model, settings, gate=GATE) for model in found))
    except Exception:  # noqa: BLE001 - whatever ails the store, the page is written
        return ()


def _challenger(model: Registered, settings: Settings, *, gate: str) -> Iterator[Waiting]:
    """A challenger, unless it failed its gate: then nothing need be decided. gate: the tag with what that said."""
    one = model.challenger
    if one is None or model.champion is None or one.tags.get(gate) == "failed":
        return
    name, as_of = model.name.replace("-", " "), f", as of {one.as_of}," if one.as_of else ""
    there = (settings.folders.reports / "review" / f"{model.name}.html").is_file()
    page = f"review/{model.name}.html" if there else ""
    if one.tags.get(gate) == "passed":
        what = f"A better model waits: version {one.number} of {name}{as_of} passed its gate."
        command = f"crm promote {model.name} --version {one.number} --reviewer WHO --reason WHY"
        yield Waiting(what, "Read its card; if you agree:", command, report=page)
    else:
        what = f"A newer model waits for review: version {one.number} of {name}{as_of} may follow version "
        yield Waiting(f"{what}{model.champion.number}.", "Have it judged:", f"crm review {model.name}", report=page)


def _unchecked(run: Run, lists: tuple[Waiting, ...]) -> Iterator[Waiting]:
    """Consents that nobody checked here, while a list waits to be sent."""
    for answer in run.answers:
        if lists and answer.found and _CONSENTS in answer.named:
            yield Waiting(answer.named[_CONSENTS], page=answer.page)


def _refused(run: Run) -> Iterator[Waiting]:
    """Lists of this run that were not kept, because one of their name was sent before."""
    became = run.receipt.get("lists")
    for what in became.values() if isinstance(became, dict) else ():
        if what not in (KEPT, UNCHANGED):
            yield Waiting(f"{what}.")


def _data(run: Run) -> Iterator[Waiting]:
    quality = next((one.page for one in run.answers if one.about_the_data), "")
    days = run.stamp.data_days or 0
    if days > STALE_AFTER:
        yield Waiting(
            f"The data end {days} days before the as-of date.", "Bring newer data, and run again:", "crm run"
        )
    yield from _set_aside(run, quality)
    for answer in run.answers:
        if answer.status == "FAILED":
            yield Waiting(f"“{answer.question}” failed.", "See why, mend it, and run again:", "crm run", answer.page)
        elif answer.status == "LEFT_OUT" and not answer.was_there_in:
            what = f"“{answer.question}” is left out for want of data."
            yield Waiting(what, "What would make it possible stands on its page.", page=answer.page)


def _set_aside(run: Run, page: str) -> Iterator[Waiting]:
    source = run.receipt.get("source")
    tables = source.get("tables") if isinstance(source, dict) else None
    for table in tables if isinstance(tables, list) else ():
        rows, aside = _count(table, "rows"), _count(table, "set_aside")
        if rows and aside / rows >= MUCH_SET_ASIDE:
            what = f"Of {rows:,} rows of {table.get('table')}, {aside:,} ({aside / rows:.1%}) were set aside."
            yield Waiting(what, "See for which reasons.", page=page)


def _count(table: object, name: str) -> int:
    value = table.get(name) if isinstance(table, Mapping) else None
    return value if isinstance(value, int) else 0
