"""The command itself, what its commands share, and how they speak to people."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import signal
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from crm import __version__
from crm.config import Settings, read_settings
from crm.errors import CrmError
from crm.periods import read_date

app = typer.Typer(
    name="crm",
    help="From a company's purchase history to what its customers are worth, want and are about to do.\n\n"
    "Exit status: 0 complete, 1 something failed, 2 the request was wrong and nothing was started.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The settings file.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE|today",
        help="The first day not known, such as 2018-01-01; in place of the one in the settings file. "
        "'today' is the day it is now in the time zone of the source.",
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crm {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None:
    del version


@contextlib.contextmanager
def told_clearly(*, json_wanted: bool = False) -> Iterator[None]:
    """What the user can mend is one message, without a traceback."""
    from crm.runner.interruption import Interrupted

    try:
        yield
    except CrmError as error:
        if json_wanted:
            from crm.readiness import error_as_json

            typer.echo(json.dumps(error_as_json(error), indent=1, ensure_ascii=False))
        else:
            complain(str(error))
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        complain("Interrupted; nothing was written.")
        raise typer.Exit(128 + signal.SIGINT) from None
    except Interrupted as interrupted:
        complain(f"Interrupted ({interrupted.name}) before anything was started.")
        raise typer.Exit(interrupted.exit_status) from None


def settings_of(file: Path, *, as_of: str | None, now: dt.datetime) -> Settings:
    """The settings, at the as-of date asked for; "today" is looked up only because it was asked for."""
    if as_of is None:
        return read_settings(file)
    if as_of != "today":
        return read_settings(file, as_of=read_date(as_of))
    settings = read_settings(file, as_of=now.date())
    return settings.with_as_of(now.astimezone(zoneinfo.ZoneInfo(settings.source.timezone)).date())


def say(text: str) -> None:
    """A line of text as it is."""
    Console().print(text, highlight=False, soft_wrap=True, markup=False)


def complain(message: str, *details: str) -> None:
    """What went wrong, on the other stream, with lines beneath it."""
    console = Console(stderr=True)
    console.print(f"[red]{escape(message)}[/red]", highlight=False, soft_wrap=True)
    for line in details:
        console.print(f"    {escape(line)}", highlight=False, soft_wrap=True)
