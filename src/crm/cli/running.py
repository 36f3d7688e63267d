"""`crm init`, `check`, `run` and `status`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from crm.atomic import whole_file, writing_into
from crm.cli.application import AsOf, Config, app, complain, say, settings_of, told_clearly
from crm.config import Settings, find_settings_file, read_settings
from crm.errors import RequestError

if TYPE_CHECKING:
    from crm.runner.run import Result

LAST_LINES = 5  # of what a failed notebook said; the rest is in its page


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
    with told_clearly():
        target = config.expanduser().absolute()
        _refuse_to_overwrite(target)

        from crm.proposal import propose

        proposal = propose(paths, target=target)
        with writing_into(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as waiting:
                waiting.write_text(proposal.toml, encoding="utf-8")
        for line in proposal.summary:
            say(line)


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
    with told_clearly(json_wanted=json_wanted):
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
    retrain: Annotated[
        str,
        typer.Option(
            metavar="auto|always|never",
            help="Whether models are fitted anew beside the champions that score: auto fits one where there is no "
            "champion, the features changed, it is old, or the customers are others than then.",
        ),
    ] = "auto",
) -> None:
    """Execute the notebooks and publish their reports and scores: all of them, or none.

    What a run did stands in its receipt, reports/runs/RUN/receipt.json. reports/latest and data/scores show the
    newest run that was complete, and change in the same instant.
    """
    with told_clearly():
        now = dt.datetime.now(dt.UTC)
        file = find_settings_file(config)
        settings = settings_of(file, as_of=as_of, now=now)

        from crm.runner.request import Request, make_plan

        names = None if only is None else tuple(name.strip() for name in only.split(",") if name.strip())
        jobs = jobs or settings.runs.jobs
        plan = make_plan(Request(file, settings, started=now, only=names, jobs=jobs, retrain=retrain))

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
    with told_clearly():
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


def _tell(result: Result, settings: Settings) -> None:
    """Where the report is, what it found first and what is left out; or what failed, and where to look."""
    from crm.runner.leaving_out import say_left_out
    from crm.runner.run import first_findings

    receipt = result.receipt
    if error := result.problem or receipt.error:
        complain(error)
    for record in receipt.notebooks:
        if record.status == "FAILED" and record.error != receipt.error:
            as_run = result.folder / "notebooks" / f"{record.name}.ipynb"
            more = [*record.last_lines[-LAST_LINES:], f"As it was run: {as_run}"] if record.last_lines else []
            complain(f"{record.name}: {record.error}", *more)
    say(f"Run {receipt.run_id}: {receipt.status} in {receipt.seconds or 0:.1f} s, as of {receipt.as_of}.")
    for line in _where(result, front=settings.folders.reports / "index.html"):
        say(line)
    if receipt.status == "COMPLETE":
        for name, sentence in first_findings(result):
            say(f"  {name}: {sentence}")
    for line, loud in say_left_out(receipt):
        (complain if loud else say)(line)


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
