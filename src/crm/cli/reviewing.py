"""`crm review`, `promote` and `rollback`: a person decides which model scores, and leaves a trace."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from crm.cli.acting import show_as_it_stands
from crm.cli.application import AsOf, Config, app, complain, say, settings_of, told_clearly
from crm.config import find_settings_file

if TYPE_CHECKING:
    from crm.config import Settings
    from crm.facts import Facts
    from crm.review import Verdict
    from crm.tracking import Registered, Version

Name = Annotated[str, typer.Argument(metavar="NAME", help="A registered model, such as defection.")]
Reviewer = Annotated[str, typer.Option(metavar="WHO", help="Who decides; it stays on the version.")]
Reason = Annotated[str, typer.Option(metavar="WHY", help="Why; it stays on the version.")]


@app.command("review")
def review_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A registered model, such as defection; else all of them.")
    ] = None,
    config: Config = Path("crm.toml"),
    as_of: AsOf = None,
) -> None:
    """Judge each challenger against its champion, on the same customers of the same dates.

    Prints the gates and writes a page, reports/review/NAME.html. Exit status: 0 judged, whether it passed or not,
    1 it could not be judged, 2 the request was wrong.
    """
    with told_clearly():
        settings = settings_of(find_settings_file(config), as_of=as_of, now=dt.datetime.now(dt.UTC))

        from crm.review import models_to_review, nothing_to_review

        models = models_to_review(name, settings)
        if not models:
            say("Nothing to review: no model is registered yet; crm run registers them.")
        facts, judged = None, True
        for model in models:
            if model.by_hand:
                complain(f"{model.name}: {model.by_hand}")
            if why := nothing_to_review(model):
                say(why)
                continue
            facts = facts or _read(settings)
            judged = _review(model, facts, settings) and judged
        if facts is not None:
            show_as_it_stands(settings)
    raise typer.Exit(0 if judged else 1)


@app.command("promote")
def promote_command(
    name: Name,
    version: Annotated[int, typer.Option(min=1, help="The number of the version that is to be champion.")],
    reviewer: Reviewer,
    reason: Reason,
    despite_gate: Annotated[
        bool, typer.Option("--despite-gate", help="Although it did not pass; its card will say so for ever.")
    ] = False,
    config: Config = Path("crm.toml"),
    as_of: AsOf = None,
) -> None:
    """Make a version champion: from the next run on it scores.

    It must pass the gate of crm review, which is looked at now where data or code changed since. Of a champion that
    nobody reviewed yet it notes the reviewer. Exit status: 0 done, 2 refused, nothing was changed.
    """
    with told_clearly():
        now = dt.datetime.now(dt.UTC)
        settings = settings_of(find_settings_file(config), as_of=as_of, now=now)

        from crm.review import models_to_review, promote_version
        from crm.tracking import Trace

        (model,) = models_to_review(name, settings)
        trace = Trace(reviewer, reason, now.date())
        done = promote_version(model, str(version), _read(settings), settings.as_of, trace, despite_gate=despite_gate)
        before = (
            f" in place of version {done.before.number}" if done.before and done.before.number != str(version) else ""
        )
        say(f"{name}: version {version} is champion{before}; the gate: {done.gate}. Reviewed by {reviewer}.")
        if done.despite:
            complain("It was promoted despite the gate; its card says so.")
        say("It scores from the next crm run on.")
        show_as_it_stands(settings)


@app.command("rollback")
def rollback_command(
    name: Name,
    reviewer: Reviewer,
    reason: Reason,
    config: Config = Path("crm.toml"),
) -> None:
    """Make the previous champion champion again.

    Exit status: 0 done, 2 there is none to go back to, nothing was changed.
    """
    with told_clearly():
        now = dt.datetime.now(dt.UTC)
        settings = settings_of(find_settings_file(config), as_of=None, now=now)

        from crm.review import models_to_review, roll_back_model
        from crm.tracking import Trace

        (model,) = models_to_review(name, settings)
        stood, stands = roll_back_model(model, Trace(reviewer, reason, now.date()), settings)
        say(f"{name}: version {stands.number} is champion again in place of version {stood.number}.")
        say("It scores from the next crm run on.")
        show_as_it_stands(settings)


def _read(settings: Settings) -> Facts:
    from crm.facts import read_facts

    return read_facts(settings)


def _review(model: Registered, facts: Facts, settings: Settings) -> bool:
    """Judge it, say and write what was found; was it judged?"""
    from crm.reporting.review import render_review
    from crm.review import review_version

    challenger = model.challenger
    assert challenger is not None
    verdict = review_version(model, challenger, facts, settings.as_of)
    next_step = _next_step(model, challenger, verdict)
    page = render_review(
        settings.folders.reports / "review" / f"{model.name}.html", model, verdict, next_step=next_step
    )
    say(verdict.sentence)
    if verdict.gates:
        Console().print(_as_table(verdict), highlight=False)
    for lack in verdict.failing:
        complain(f"  {lack}")
    say(f"Page: {page}")
    say(next_step)
    return verdict.by_person or not verdict.unjudged


def _as_table(verdict: Verdict) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("gate", "number", "95 %", "limit", "passed"):
        table.add_column(heading, justify="right" if heading in ("number", "limit") else "left")
    for gate in verdict.gates:
        interval = "" if gate.low != gate.low else f"{gate.low:.3f} to {gate.high:.3f}"
        limit = "" if gate.limit != gate.limit else f"{gate.limit:g}"
        table.add_row(gate.must, f"{gate.number:.3f}", interval, limit, gate.answer)
    return table


def _next_step(model: Registered, challenger: Version, verdict: Verdict) -> str:
    """One line on what to do now."""
    promote = f'crm promote {model.name} --version {challenger.number} --reviewer WHO --reason "…"'
    if verdict.by_person:
        return f"Look at its page and at both model cards; if you agree: {promote}"
    if verdict.outcome == "passed":
        return f"Read its card; if you agree: {promote}"
    if verdict.outcome == "failed":
        return f"Version {verdict.champion} goes on scoring. Against the gate: {promote} --despite-gate"
    return f"Version {verdict.champion or 'none'} goes on scoring; judge it again when more is known."
