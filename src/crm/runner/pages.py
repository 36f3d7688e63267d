"""The pages of a run: one for each notebook that was executed or left out, stamped with how the run ended."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from crm.atomic import not_writable, write_json
from crm.reporting import Stamp, render_page, render_run_index
from crm.reporting.page import render_left_out_page
from crm.runner.receipt import RESULTS, NotebookRecord, Receipt, nothing_to_say, overall_status

ERROR_LOG = "error.log"


def write_pages(receipt: Receipt, folder: Path) -> Receipt:
    """Write the pages; gives the receipt with the status they are stamped with, and their names.

    A page that cannot be written makes its notebook FAILED. A carried page that came along stays as it is.
    """
    receipt = _judged(receipt)
    due = [record.name for record in receipt.notebooks if _is_due(record, folder)]
    if failures := _write(due, receipt, folder):
        for record in receipt.notebooks:
            if record.name in failures:
                error = f"its page could not be written: {failures[record.name]}"
                receipt = receipt.with_notebook(replace(record, status="FAILED", error=error))
        receipt = _judged(receipt)
        _write(set(due) - set(failures), receipt, folder)  # the stamps on the others have just become wrong
    return with_page_names(receipt, folder)


def with_page_names(receipt: Receipt, folder: Path) -> Receipt:
    """The receipt, saying which notebooks have a page."""
    for record in receipt.notebooks:
        page = f"{record.name}.html"
        receipt = receipt.with_notebook(replace(record, page=page if (folder / page).is_file() else None))
    return receipt


def write_results(receipt: Receipt, folder: Path) -> None:
    """results.json: headline, findings and measures of each notebook that has whole results, and why others are left
    out."""
    parts = {record.name: read_part(folder, record.name) for record in receipt.notebooks if record.usable}
    notebooks = {
        name: {"headline": part.get("headline"), "findings": part["findings"], "measures": part["measures"]}
        for name, part in parts.items()
    }
    left_out = {record.name: record.reason for record in receipt.left_out}
    results = {"run_id": receipt.run_id, "as_of": receipt.as_of, "notebooks": notebooks, "left_out": left_out}
    write_json(folder / RESULTS, results)


def show_early_end(receipt: Receipt, folder: Path) -> None:
    """The index of a run that did not come to its end; pages that may say otherwise are removed."""
    remove_pages(folder)
    write_results(receipt, folder)
    render_run_index(folder)


def remove_pages(folder: Path) -> None:
    """Remove the pages of a run that say more than its receipt will."""
    for page in folder.glob("*.html"):
        page.unlink()


def read_part(folder: Path, name: str) -> dict[str, Any]:
    """What a notebook published."""
    part: dict[str, Any] = json.loads((folder / "parts" / f"{name}.json").read_text(encoding="utf-8"))
    return part


def log_error(folder: Path, error: Exception) -> str:
    """One line about an error nobody expected; its traceback goes to error.log in the run's folder, if it can."""
    try:
        with (folder / ERROR_LOG).open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))
    except OSError as failure:
        return f"{type(error).__name__}: {error} (the traceback could not be written: {failure})"
    return f"{type(error).__name__}: {error} (the traceback is in {folder / ERROR_LOG})"


def _judged(receipt: Receipt) -> Receipt:
    """With the status that the notebooks asked for give it."""
    asked = [record for record in receipt.notebooks if record.name in receipt.selection]
    status = overall_status(asked)
    return replace(receipt, status=status, error=nothing_to_say(asked) if status == "FAILED" else receipt.error)


def _is_due(record: NotebookRecord, folder: Path) -> bool:
    carried = record.status == "CARRIED" or (record.left_out and record.carried_from)
    if carried and (folder / f"{record.name}.html").exists():
        return False  # it came along
    return record.left_out or (folder / "notebooks" / f"{record.name}.ipynb").is_file()


def _write(names: Collection[str], receipt: Receipt, folder: Path) -> dict[str, str]:
    """Write these pages; gives the error of each that could not be written."""
    failures = {}
    for record in receipt.notebooks:
        if record.name in names:
            try:
                _render(record, folder, stamp=_stamp(record, receipt))
            except Exception as error:  # one page that cannot be written must not cost the others
                if not_writable(error, folder):
                    raise  # nor can the others be
                failures[record.name] = log_error(folder, error)
    return failures


def _render(record: NotebookRecord, folder: Path, *, stamp: Stamp) -> None:
    notebook = folder / "notebooks" / f"{record.name}.ipynb"
    if record.left_out:
        render_left_out_page(notebook, folder, question=record.title, reason=record.reason or "", stamp=stamp)
    else:
        render_page(notebook, folder, stamp=stamp)


def _stamp(record: NotebookRecord, receipt: Receipt) -> Stamp:
    return Stamp(
        run_id=receipt.run_id,
        status="FAILED" if record.status == "FAILED" else receipt.status,
        as_of=dt.date.fromisoformat(receipt.as_of),
        started_at=receipt.started_at,
        fingerprint=receipt.source_fingerprint or "",
        data_days=receipt.latency["data_days"],
        analysis_seconds=receipt.latency["analysis_seconds"],
    )
