"""Leaving out: what becomes of the notebooks for which the data are too few, and of those that read their scores.

A notebook is LEFT_OUT when `NotEnoughData` ended it. That is no failure: the run is whole without it, and says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from crm.errors import CrmError
from crm.runner.notebooks import Notebook, read_notebook
from crm.runner.receipt import NotebookRecord, Receipt, published_run, read_receipt
from crm.written_lists import files_of


def left_out_too(notebook: Notebook, needed: Sequence[NotebookRecord]) -> NotebookRecord:
    """The record of a notebook that reads the scores of these, which are left out."""
    names = " and ".join(record.name for record in needed)
    which = f"{names}, whose scores it reads, {'is' if len(needed) == 1 else 'are'} left out"
    return NotebookRecord(
        notebook.name, notebook.title, "LEFT_OUT", sha256=notebook.sha256, reason=f"{which}: {needed[0].reason}"
    )


def left_out_too_of(paths: Iterable[Path], records: Iterable[NotebookRecord]) -> Iterator[NotebookRecord]:
    """Of notebooks that are not executed, the records of those that are left out with one of `records`."""
    known = {record.name: record for record in records}
    waiting = list(paths)
    while found := [record for path in waiting if (record := _left_out_by(known, path))]:
        yield from found
        known |= {record.name: record for record in found}
        waiting = [path for path in waiting if path.stem not in known]


def _left_out_by(known: dict[str, NotebookRecord], path: Path) -> NotebookRecord | None:
    try:
        notebook = read_notebook(path)
    except CrmError:  # nobody asked for it
        return None
    if not all(name in known and (known[name].usable or known[name].left_out) for name in notebook.needs):
        return None
    needed = [known[name] for name in notebook.needs if known[name].left_out]
    return left_out_too(notebook, needed) if needed else None


def withdraw(name: str, run_folder: Path) -> None:
    """Take back what a notebook handed over before it was left out."""
    part = run_folder / "parts" / f"{name}.json"
    if part.is_file():
        published = json.loads(part.read_text(encoding="utf-8"))
        for score in published["scores"]:
            for file in (run_folder / "scores").glob(f"*/{score}.parquet"):
                file.unlink()
        for list_file in files_of(published):
            (run_folder / list_file).unlink()
        part.unlink()


def beside_published(receipt: Receipt, reports: Path) -> Receipt:
    """The receipt, noting which notebooks left out have results in the run that everybody sees until now."""
    folder = published_run(reports)
    shown = read_receipt(folder) if folder else None
    if shown is None:
        return receipt
    there = {record.name for record in shown.notebooks if record.usable}
    for record in receipt.left_out:
        if record.name in there:
            receipt = receipt.with_notebook(replace(record, was_there_in=shown.run_id))
    return receipt


def say_left_out(receipt: Receipt) -> Iterator[tuple[str, bool]]:
    """A line for each notebook left out, and whether it must not be overlooked: its results were there before."""
    for record in receipt.left_out:
        if record.was_there_in:
            yield f"{record.name} was there in run {record.was_there_in}, and is now left out: {record.reason}", True
        else:
            yield f"{record.name} is left out: {record.reason}", False
