"""`crm lists` and `sent`: which action lists are there, and somebody says that one was sent."""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from crm.atomic import writing_into
from crm.cli.application import Config, app, complain, say, told_clearly
from crm.config import Settings, find_settings_file, read_settings
from crm.errors import RequestError
from crm.periods import read_date

if TYPE_CHECKING:
    from crm.written_lists import KeptList

WIDTH = 200
_COLUMNS = {
    "list": "list_id",
    "programme": "programme",
    "as of": "as_of",
    "written": "written_on",
    "send by": "send_by",
    "sent": "sent_on",
    "days": "days_until_sent",
    "measured": "measure_on",
    "contacted": "to_contact",
    "held out": "held_out",
    "": "note",
}


@app.command("lists")
def lists_command(
    config: Config = Path("crm.toml"),
    json_wanted: Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")] = False,
) -> None:
    """Show every action list, when it was sent, and which have to be asked after.

    Exit status: 0 shown, even if there is none, 1 a list is damaged, 2 the request was wrong.
    """
    with told_clearly(json_wanted=json_wanted):
        settings = read_settings(find_settings_file(config))
        today = _today(settings)

        from crm.runner.publication import keep_published_lists
        from crm.written_lists import read_lists

        with writing_into(settings.folders.data):
            keep_published_lists(settings)
        rows = [_row(one, today) for one in read_lists(settings.folders.data)]
        if json_wanted:
            typer.echo(json.dumps({"today": today.isoformat(), "lists": rows}, indent=1, ensure_ascii=False))
        elif not rows:
            say("No action list is kept yet: a complete crm run writes those of [programmes] in the settings file.")
        else:
            _show(rows)


@app.command("sent")
def sent_command(
    list_id: Annotated[str, typer.Argument(metavar="LIST", help="A list, such as retain-2018-01-01.")],
    on: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The day on which it was sent, such as 2018-01-05; else today."),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="It was not sent, and will not be.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Although it was said otherwise before.")] = False,
    config: Config = Path("crm.toml"),
) -> None:
    """Say that an action list was sent: later runs read it as a campaign, and measure what it caused.

    Exit status: 0 done, 2 refused, nothing was changed.
    """
    with told_clearly():
        if on is not None and never:
            raise RequestError(
                "A list was sent on a day, or never.", found="--on and --never", do="Say one of the two."
            )
        settings = read_settings(find_settings_file(config))
        today = _today(settings)
        day = None if never else today if on in (None, "today") else read_date(str(on))

        from crm.runner.publication import keep_published_lists
        from crm.runner.receipt import utc
        from crm.written_lists import mark_sent

        with writing_into(settings.folders.data):
            keep_published_lists(settings)
            said_at = utc(dt.datetime.now(dt.UTC))
            one = mark_sent(settings.folders.data, list_id, on=day, today=today, said_at=said_at, again=again)
        _tell(one)
        show_as_it_stands(settings)


def show_as_it_stands(settings: Settings) -> None:
    """Let the front page no longer ask for what was just decided; what was decided stands, even if it cannot."""
    if not (settings.folders.reports / "runs").is_dir():
        return

    from crm.reporting import render_ways_in

    try:
        render_ways_in(settings, now=dt.datetime.now(dt.UTC))
    except OSError as error:
        page = settings.folders.reports / "index.html"
        complain(f"{page} could not be written ({error.strerror or error}): the next crm run writes it.")


def _today(settings: Settings) -> dt.date:
    """The day it is where the trade is."""
    return dt.datetime.now(zoneinfo.ZoneInfo(settings.source.timezone)).date()


def _tell(one: KeptList) -> None:
    """What follows from what was said."""
    if one.sent_on is None:
        say(f"{one.list_id} was not sent and will not be; nobody is asked after it, and nothing of it is measured.")
        return
    customers = f"{one.treated:,} customer{'' if one.treated == 1 else 's'}"
    left_alone = f"{one.held_out:,} {'is' if one.held_out == 1 else 'are'} held out"
    say(f"{one.list_id} was sent on {one.sent_on} to {customers}; {left_alone}.")
    say(f"Its effect is read from {one.measure_on} on.")
    if one.sent_on > one.send_by:
        late = (one.sent_on - one.send_by).days
        complain(f"It was to be sent by {one.send_by}, {late} day{'' if late == 1 else 's'} before.")
    if not one.held_out:
        complain("Nobody on it is held out: what it causes can only be estimated, not measured.")


def _row(one: KeptList, today: dt.date) -> dict[str, Any]:
    """A list as --json shows it."""
    return {
        "list_id": one.list_id,
        "programme": one.programme,
        "as_of": one.as_of.isoformat(),
        "written_on": one.written_on.isoformat(),
        "send_by": one.send_by.isoformat(),
        "sent_on": one.sent_on.isoformat() if one.sent_on else None,
        "days_until_sent": one.latency,
        "measure_on": one.measure_on.isoformat() if one.measure_on else None,
        "to_contact": one.treated,
        "held_out": one.held_out,
        "never_sent": one.marked and one.sent_on is None,
        "overdue": one.asked_after(today),
        "note": _note(one, today),
    }


def _note(one: KeptList, today: dt.date) -> str:
    if one.asked_after(today):
        return "overdue: was it sent?"
    if one.marked:
        return "" if one.sent_on else "never sent"
    return "to be sent" if one.treated else "nobody to contact"


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading, name in _COLUMNS.items():
        number = name in ("days_until_sent", "to_contact", "held_out")
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        cells = [row[name] for name in _COLUMNS.values()]
        table.add_row(
            *("" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)
        )
    console = Console()
    console.width = max(console.width, WIDTH)  # a narrow window breaks its lines, and nothing is cut off
    console.print(table, highlight=False)
    if overdue := [row["list_id"] for row in rows if row["overdue"]]:
        say(f"Was it sent? Say so: crm sent {overdue[0]} --on DATE, or crm sent {overdue[0]} --never.")
