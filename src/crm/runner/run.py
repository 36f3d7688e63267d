"""A run, from the request to the published reports.

Everything about the request is checked before the first kernel starts. Then: the source, the model store, the
notebooks, their pages, the receipt; and, only if all of it is whole, one rename that shows it to everybody.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from crm.atomic import temporary_name
from crm.config import Settings
from crm.errors import CrmError
from crm.facts import Facts, read_facts, refuse_uncovered
from crm.periods import day_number
from crm.reporting import render_front_page, render_run_index, render_ways_in
from crm.runner.carrying import carry, find_earlier
from crm.runner.execution import Surroundings, execute
from crm.runner.interruption import Interrupted, Interruption
from crm.runner.kernels import kernel_environment, private_folder, remove_private_folder
from crm.runner.leaving_out import beside_published, left_out_too_of, withdraw
from crm.runner.lock import hold_lock, this_process, write_note
from crm.runner.notebooks import Notebook
from crm.runner.pages import (
    log_error,
    read_part,
    remove_pages,
    show_early_end,
    with_page_names,
    write_pages,
    write_results,
)
from crm.runner.progress import Display
from crm.runner.provenance import code_record, package_versions
from crm.runner.publication import (
    keep_published_lists,
    publish_run,
    remove_old_data,
    remove_old_runs,
    tidy,
    why_not_writable,
)
from crm.runner.receipt import (
    RESULTS,
    NotebookRecord,
    NotebookStatus,
    Receipt,
    read_receipt,
    read_receipts,
    utc,
    write_receipt,
)
from crm.runner.request import Plan, Request, parameters_of
from crm.runner.schedule import execute_in_order
from crm.tracking import approve_published, attach_notebook, champions, start_store
from crm.written_lists import KEPT, UNCHANGED


@dataclass(frozen=True)
class Result:
    """How a run ended: its receipt and folder, whether `latest` shows it now, and the status to exit with.

    problem: what ended the run early; after it had been published, the only place where it stands.
    """

    receipt: Receipt
    folder: Path
    published: bool
    exit_status: int
    problem: str | None = None


class _Ledger:
    """The receipt of the run under way: what stands in it stands on disk."""

    def __init__(self, folder: Path, receipt: Receipt, *, begun: float, started: dt.datetime) -> None:
        self.folder, self.receipt = folder, receipt
        self.published = False
        self._begun, self._started = begun, started

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return round(time.monotonic() - self._begun, 3)

    def write(self, receipt: Receipt) -> None:
        """From now on this is the receipt."""
        self.receipt = receipt
        write_receipt(self.folder, receipt)

    def add_other(self, record: NotebookRecord, *, display: Display) -> None:
        """There is something of a notebook that was not asked for."""
        missing = tuple(name for name in self.receipt.missing if name != record.name)
        self.write(replace(self.receipt.with_notebook(record), missing=missing))
        display.ended(record)

    def close(self, receipt: Receipt) -> None:
        """The run has ended."""
        ended = utc(self._started + dt.timedelta(seconds=self.seconds))
        self.write(replace(receipt, ended_at=ended, seconds=self.seconds))


def run(plan: Plan, *, display: Display) -> Result:
    """Carry out what `make_plan(request)` has found possible.

    Raises RunLocked when another run is under way, NotWritable when not even the run's folder can be made; whatever
    happens later ends in the receipt of the run.
    """
    begun = time.monotonic()
    settings = plan.request.settings
    reports = settings.folders.reports
    interruption = Interruption()
    with _clear_about_folders(settings), interruption.listening(), hold_lock(reports):
        private = private_folder()
        try:
            _tidy(reports)
            run_id, started_at = _name(plan.request), utc(plan.request.started)
            write_note(reports, this_process(run_id=run_id, started_at=started_at, private_folder=private))
            ledger = _open(plan, run_id=run_id, begun=begun)
            return _supervise(plan, ledger, interruption=interruption, private=private, display=display)
        finally:
            remove_private_folder(private)


def first_findings(result: Result) -> list[tuple[str, str]]:
    """The first finding of each notebook: the notebook's name and the sentence."""
    results = json.loads((result.folder / RESULTS).read_text(encoding="utf-8"))
    return [(name, one["findings"][0]["sentence"]) for name, one in results["notebooks"].items()]


@contextmanager
def _clear_about_folders(settings: Settings) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if clear := why_not_writable(error, settings):
            raise clear from error
        raise


def _tidy(reports: Path) -> None:
    """Clear away what killed runs left, and say of each that it ended."""
    for folder in tidy(reports):
        try:
            if receipt := read_receipt(folder):
                show_early_end(receipt, folder)
        except Exception as error:  # noqa: BLE001 - a dead run must not keep the next from running
            log_error(folder, error)


def _name(request: Request) -> str:
    """The as-of date, the start in UTC, and something of chance: 2018-01-01_20261122T151800Z_3f2a."""
    moment = request.started.astimezone(dt.UTC)
    return f"{request.settings.as_of.isoformat()}_{moment:%Y%m%dT%H%M%SZ}_{secrets.token_hex(2)}"


def _open(plan: Plan, *, run_id: str, begun: float) -> _Ledger:
    """The run's folder appears with its receipt in it."""
    request = plan.request
    settings, runs = request.settings, request.settings.folders.reports / "runs"
    receipt = Receipt(
        run_id=run_id,
        status="RUNNING",
        as_of=settings.as_of.isoformat(),
        started_at=utc(request.started),
        selection=tuple(notebook.name for notebook in plan.selected),
        missing=tuple(path.stem for path in plan.others),
        settings=settings.as_record(),
        settings_fingerprint=settings.fingerprint(),
        seed=settings.runs.seed,
        retrain=request.retrain,
        code=code_record(settings.home),
        python=platform.python_version(),
        packages=package_versions(),
    )
    waiting = temporary_name(runs / run_id)
    for inner in ("notebooks", "parts", "scores"):
        (waiting / inner).mkdir(parents=True)
    write_receipt(waiting, receipt)
    return _Ledger(waiting.rename(runs / run_id), receipt, begun=begun, started=request.started)


def _supervise(plan: Plan, ledger: _Ledger, *, interruption: Interruption, private: Path, display: Display) -> Result:
    """Carry the run out; however it ends, its receipt says so."""
    settings = plan.request.settings
    problem = None
    try:
        facts = _prepare(settings, ledger, display=display)
        _carry_others(plan, ledger, display=display)
        _execute_all(plan, ledger, facts=facts, private=private, display=display)
        _leave_out_others(plan, ledger, display=display)
        ledger.write(beside_published(ledger.receipt, settings.folders.reports))
        display.step("Writing the pages")
        latency = {**ledger.receipt.latency, "analysis_seconds": ledger.seconds}
        closing = write_pages(replace(ledger.receipt, latency=latency), ledger.folder)
        with interruption.delayed():
            _finish(plan.request, ledger, closing, display=display)
        exit_status = 0 if closing.status == "COMPLETE" else 1
    except Interrupted as interrupted:
        exit_status = interrupted.exit_status
        _end_early(plan.request, ledger, f"interrupted ({interrupted.name})", status="FAILED")
    except Exception as error:  # noqa: BLE001 - whatever it is, the receipt tells it
        clear = error if isinstance(error, CrmError) else why_not_writable(error, settings)
        exit_status = clear.exit_status if clear else 1
        problem = str(clear) if clear else log_error(ledger.folder, error)
        if not ledger.published:
            _end_early(plan.request, ledger, problem, status="SKIPPED")
    return Result(ledger.receipt, ledger.folder, ledger.published, exit_status, problem)


def _prepare(settings: Settings, ledger: _Ledger, *, display: Display) -> Facts:
    """The facts that every notebook of the run is to see."""
    keep_published_lists(settings)  # where the last run was killed before it came to that
    display.step(f"Reading the source {settings.source.kind}")
    facts = read_facts(settings, anew=True)
    days = day_number(settings.as_of) - 1 - facts.last_day
    latency = {"data_days": max(0, days), "analysis_seconds": None}  # rows beyond the as-of date are not late
    ledger.write(replace(ledger.receipt, source=facts.source_record(), latency=latency))
    refuse_uncovered(facts, settings.as_of)
    start_store(settings)
    ledger.write(replace(ledger.receipt, champions=champions(settings)))
    return facts


def _carry_others(plan: Plan, ledger: _Ledger, *, display: Display) -> None:
    reports = plan.request.settings.folders.reports
    receipts = read_receipts(reports) if plan.others else []
    for path in plan.others:
        earlier = find_earlier(path, now=ledger.receipt, receipts=receipts, runs=reports / "runs")
        if earlier is not None:
            ledger.add_other(carry(earlier, ledger.folder), display=display)
    _leave_out_others(plan, ledger, display=display)


def _leave_out_others(plan: Plan, ledger: _Ledger, *, display: Display) -> None:
    waiting = [path for path in plan.others if path.stem in ledger.receipt.missing]
    for record in left_out_too_of(waiting, ledger.receipt.notebooks):
        ledger.add_other(record, display=display)


def _execute_all(plan: Plan, ledger: _Ledger, *, facts: Facts, private: Path, display: Display) -> None:
    request = plan.request
    surroundings = Surroundings(
        run_folder=ledger.folder,
        private=private,
        environment=functools.partial(
            kernel_environment, jobs=min(request.jobs, len(plan.selected)), facts=facts.as_environment()
        ),
        seconds_allowed=request.settings.runs.minutes_per_notebook * 60,
        stop=threading.Event(),
        on_cell=display.cell,
    )

    def tell(record: NotebookRecord) -> None:
        ledger.write(ledger.receipt.with_notebook(record))
        display.ended(record)

    with display.notebooks(plan.selected):
        execute_in_order(
            plan.selected,
            earlier=ledger.receipt.notebooks,
            jobs=request.jobs,
            stop=surroundings.stop,
            execute=lambda notebook: _execute_one(notebook, request, surroundings=surroundings),
            tell=tell,
        )


def _execute_one(notebook: Notebook, request: Request, *, surroundings: Surroundings) -> NotebookRecord:
    parameters = parameters_of(request, surroundings.run_folder, notebook)
    execution = execute(notebook, parameters=parameters, surroundings=surroundings)
    record = NotebookRecord(
        notebook.name,
        notebook.title,
        "COMPLETE",
        sha256=notebook.sha256,
        seconds=execution.seconds,
        peak_memory_mb=execution.peak_memory_mb,
        error=execution.error,
        last_lines=execution.last_lines,
        parameters=parameters,
        reason=execution.left_out,
    )
    if execution.error:
        return replace(record, status="FAILED")
    if execution.left_out:
        withdraw(notebook.name, surroundings.run_folder)
        return replace(record, status="LEFT_OUT")
    logged = tuple(read_part(surroundings.run_folder, notebook.name).get("mlflow_run_ids", ()))
    error = _keep_with_models(notebook, logged, request, surroundings.run_folder)
    return replace(record, status="FAILED" if error else "COMPLETE", error=error, mlflow_run_ids=logged)


def _keep_with_models(
    notebook: Notebook, mlflow_run_ids: tuple[str, ...], request: Request, run_folder: Path
) -> str | None:
    """Keep the notebook as run with the models it logged; gives the error, if any."""
    try:
        attach_notebook(mlflow_run_ids, run_folder / "notebooks" / notebook.path.name, request.settings)
    except CrmError as error:
        return f"its notebook could not be kept with its models: {error}"
    return None


def _finish(request: Request, ledger: _Ledger, closing: Receipt, *, display: Display) -> None:
    """Write the results and the receipt; publish if all is whole; then what is only for convenience."""
    settings, reports = request.settings, request.settings.folders.reports
    write_results(closing, ledger.folder)
    ledger.close(closing)
    render_run_index(ledger.folder)
    if closing.whole:
        publish_run(settings, ledger.folder)
        ledger.published = True
    render_front_page(reports)
    if ledger.published:
        _approve(closing, settings)
        _keep_lists(ledger, settings, display=display)
    remove_old_runs(reports, keep=settings.runs.keep)
    if ledger.published:
        remove_old_data(settings, now=request.started)
    render_ways_in(
        settings, now=request.started
    )  # lists and models have only now come to wait, and old runs are gone


def _approve(published: Receipt, settings: Settings) -> None:
    """Only now do the models it logged stand for what everybody sees."""
    approve_published([one for record in published.notebooks for one in record.mlflow_run_ids], settings)


def _keep_lists(ledger: _Ledger, settings: Settings, *, display: Display) -> None:
    """Only now are they lists that somebody may send; of one that was sent already, the run says so."""
    became = keep_published_lists(settings)
    if became:
        ledger.write(replace(ledger.receipt, lists=became))
    for what in became.values():
        if what not in (KEPT, UNCHANGED):
            display.warn(f"{what}.")


def _end_early(request: Request, ledger: _Ledger, error: str, *, status: NotebookStatus) -> None:
    """Close the receipt of a run that did not come to its end, and show what there is."""
    receipt = ledger.receipt.ended_early(error, status=status)
    try:
        try:
            ledger.close(receipt)
        except OSError:
            remove_pages(ledger.folder)  # they have to go anyway, and make room for the receipt
            ledger.close(receipt)
        show_early_end(receipt, ledger.folder)
        ledger.close(with_page_names(receipt, ledger.folder))
        render_ways_in(request.settings, now=request.started)
    except Exception as failure:  # noqa: BLE001 - the receipt is written if it can be, and tells what matters
        log_error(ledger.folder, failure)
