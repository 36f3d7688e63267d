"""The command line: `crm init`, `check`, `run` and `status`. The only place that reads the clock of the wall."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import signal
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from crm import __version__
from crm.atomic import whole_file, writing_into
from crm.config import Settings, find_settings_file, read_settings
from crm.errors import CrmError, RequestError
from crm.periods import read_date

if TYPE_CHECKING:
    from crm.runner.run import Result

app = typer.Typer(
    name="crm",
    help="From a company's purchase history to what its customers are worth, want and are about to do.\n\n"
    "Exit status: 0 complete, 1 something failed, 2 the request was wrong and nothing was started.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

LAST_LINES = 5  # of what a failed notebook said; the rest is in its page
Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The settings file.")]


def main() -> None:
    """The command `crm`."""
    app(prog_name="crm")


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


AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="DATE|today",
        help="The first day not known, such as 2018-01-01; in place of the one in the settings file. "
        "'today' is the day it is now in the time zone of the source.",
    ),
]


@app.command("init")
def init_command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH…",
            help="CSV, Parquet or Excel files, a folder of them, a DuckDB file, or postgresql://user@host/name.",
        ),
    ],
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="The settings file to write; one that is there stays.")
    ] = Path("crm.toml"),
) -> None:
    """Look at your data and propose a settings file for them.

    What it is sure of stands there with the evidence; what a person has to decide is marked DECIDE.
    """
    with _told_clearly():
        target = config.expanduser().absolute()
        _refuse_to_overwrite(target)

        from crm.proposal import propose

        proposal = propose(paths, target=target)
        with writing_into(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as waiting:
                waiting.write_text(proposal.toml, encoding="utf-8")
        for line in proposal.summary:
            _say(line)


@app.command("check")
def check_command(
    config: Config = Path("crm.toml"),
    as_of: AsOf = None,
    json_wanted: Annotated[bool, typer.Option("--json", help="For programs: one JSON document.")] = False,
) -> None:
    """Read the data, and say what is wrong with them and what they allow.

    Nothing is executed and nothing published. Exit status: 0 at least the customer base can be run, 1 it cannot,
    2 the request was wrong.
    """
    with _told_clearly(json_wanted=json_wanted):
        settings = settings_of(find_settings_file(config), as_of=as_of, now=dt.datetime.now(dt.UTC))

        from crm.facts import read_facts
        from crm.readiness import as_json, examine_readiness, show

        facts = read_facts(settings, anew=True, within_budget=False)
        readiness = examine_readiness(facts, settings.as_of, settings.folders.notebooks)
        if json_wanted:
            typer.echo(json.dumps(as_json(readiness), indent=1, ensure_ascii=False))
        else:
            options = ["--config", str(config)] * (config != Path("crm.toml")) + ["--as-of", str(as_of)] * bool(as_of)
            Console().print(show(readiness, options=options), highlight=False)
    raise typer.Exit(0 if readiness.ok else 1)


@app.command("run")
def run_command(
    config: Config = Path("crm.toml"),
    as_of: AsOf = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="Execute only these notebooks, such as 02_segmentation. The results of the others are taken from "
            "earlier runs on the same date, data, settings and code, where there are such.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Notebooks executed at the same time; in place of the settings file's."),
    ] = None,
) -> None:
    """Execute the notebooks and publish their reports and scores: all of them, or none.

    What a run did stands in its receipt, reports/runs/RUN/receipt.json. reports/latest and data/scores show the
    newest run that was complete, and change in the same instant.
    """
    with _told_clearly():
        now = dt.datetime.now(dt.UTC)
        file = find_settings_file(config)
        settings = settings_of(file, as_of=as_of, now=now)

        from crm.runner.request import Request, make_plan

        names = None if only is None else tuple(name.strip() for name in only.split(",") if name.strip())
        plan = make_plan(Request(file, settings, started=now, only=names, jobs=jobs or settings.runs.jobs))

        from crm.runner.progress import display_on
        from crm.runner.run import run

        result = run(plan, display=display_on(Console()))
        _tell(result, settings)
    raise typer.Exit(result.exit_status)


@app.command("status")
def status_command(config: Config = Path("crm.toml")) -> None:
    """Say what the newest run did, or how far the one under way is.

    Exit status: 0 the newest run is complete or under way, 1 it failed or died, or there is none.
    """
    with _told_clearly():
        settings = read_settings(config)

        from crm.runner.status import state_of

        state = state_of(settings.folders.reports)
        console = Console()
        for line in state.lines:
            console.print(line, highlight=False, soft_wrap=True)
    raise typer.Exit(state.exit_status)


def _refuse_to_overwrite(target: Path) -> None:
    if target.exists():
        raise RequestError(
            "crm init never overwrites a settings file.",
            found=f"{target} is there",
            do=f"Write another beside it, crm init … --config {target.stem}-own.toml, and name it to crm check and "
            "crm run; or move the old one away.",
        )


@contextlib.contextmanager
def _told_clearly(*, json_wanted: bool = False) -> Iterator[None]:
    """What the user can mend is one message, without a traceback."""
    from crm.runner.interruption import Interrupted

    try:
        yield
    except CrmError as error:
        if json_wanted:
            from crm.readiness import error_as_json

            typer.echo(json.dumps(error_as_json(error), indent=1, ensure_ascii=False))
        else:
            _complain(str(error))
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        _complain("Interrupted; nothing was written.")
        raise typer.Exit(128 + signal.SIGINT) from None
    except Interrupted as interrupted:
        _complain(f"Interrupted ({interrupted.name}) before anything was started.")
        raise typer.Exit(interrupted.exit_status) from None


def settings_of(file: Path, *, as_of: str | None, now: dt.datetime) -> Settings:
    """The settings, at the as-of date asked for; "today" is looked up only because it was asked for."""
    if as_of is None:
        return read_settings(file)
    if as_of != "today":
        return read_settings(file, as_of=read_date(as_of))
    settings = read_settings(file, as_of=now.date())
    return settings.with_as_of(now.astimezone(zoneinfo.ZoneInfo(settings.source.timezone)).date())


def _tell(result: Result, settings: Settings) -> None:
    """Where the report is, what it found first and what is left out; or what failed, and where to look."""
    from crm.runner.leaving_out import say_left_out
    from crm.runner.run import first_findings

    receipt = result.receipt
    if error := result.problem or receipt.error:
        _complain(error)
    for record in receipt.notebooks:
        if record.status == "FAILED" and record.error != receipt.error:
            as_run = result.folder / "notebooks" / f"{record.name}.ipynb"
            more = [*record.last_lines[-LAST_LINES:], f"As it was run: {as_run}"] if record.last_lines else []
            _complain(f"{record.name}: {record.error}", *more)
    _say(f"Run {receipt.run_id}: {receipt.status} in {receipt.seconds or 0:.1f} s, as of {receipt.as_of}.")
    for line in _where(result, front=settings.folders.reports / "index.html"):
        _say(line)
    if receipt.status == "COMPLETE":
        for name, sentence in first_findings(result):
            _say(f"  {name}: {sentence}")
    for line, loud in say_left_out(receipt):
        (_complain if loud else _say)(line)


def _where(result: Result, *, front: Path) -> Iterator[str]:
    """Where the report is, and what everybody sees now."""
    receipt, own = result.receipt, result.folder / "index.html"
    if result.published:
        yield f"Report: {front}"
    elif receipt.status == "COMPLETE":
        why = f"Still missing on this date, data, settings and code: {', '.join(receipt.missing)}"
        yield f"Not published; latest stays as it was. {why if receipt.missing else 'Every analysis is left out.'}"
        yield f"Report: {own}"
    else:
        yield "Not published; latest stays as it was."
        yield f"What there is: {own if own.is_file() else result.folder}"


def _say(text: str) -> None:
    Console().print(text, highlight=False, soft_wrap=True, markup=False)


def _complain(message: str, *details: str) -> None:
    console = Console(stderr=True)
    console.print(f"[red]{escape(message)}[/red]", highlight=False, soft_wrap=True)
    for line in details:
        console.print(f"    {escape(line)}", highlight=False, soft_wrap=True)
