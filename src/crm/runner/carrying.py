"""Carrying: a run of some notebooks takes the results of the others from earlier runs, where these would be the same.

So that a workflow engine can call one notebook at a time and the last one completes the set. Results are carried only
from the same as-of date, data, settings, code, packages, approved models and notebook, and by hard link: they cost no
space. Not from the same --retrain: whether a challenger was fitted beside the champion does not change the scores.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from crm.runner.notebooks import hash_of
from crm.runner.receipt import NotebookRecord, NotebookStatus, Receipt
from crm.written_lists import files_of


@dataclass(frozen=True)
class Earlier:
    """A notebook's whole results in an earlier run, or that it was left out there."""

    receipt: Receipt
    record: NotebookRecord
    folder: Path


def find_earlier(notebook: Path, *, now: Receipt, receipts: Iterable[Receipt], runs: Path) -> Earlier | None:
    """The newest whole results of this notebook's file that this run would only repeat; None if there are none.

    That the same data were too few for it is a result that would be repeated, too.
    """
    sha256 = hash_of(notebook)
    for receipt in receipts:
        if receipt.run_id == now.run_id or not _same_circumstances(receipt, now):
            continue
        if not _same_champions(receipt, now):
            continue
        for record in receipt.notebooks:
            earlier = Earlier(receipt, record, runs / receipt.run_id)
            if (record.name, record.sha256) == (notebook.stem, sha256) and _is_whole(earlier):
                return earlier
    return None


def carry(earlier: Earlier, run_folder: Path) -> NotebookRecord:
    """Link the files of an earlier notebook into this run.

    Its page comes along only from a COMPLETE run, whose stamp may stand in this one too; else it is to be rendered.
    What was left out there stays so.
    """
    for file in _files(earlier):
        link(earlier.folder / file, run_folder / file)
    pages = [f"{earlier.record.name}.html", f"{earlier.record.name}.as_run.html"]
    if earlier.receipt.status == "COMPLETE" and all((earlier.folder / page).is_file() for page in pages):
        for page in pages:
            link(earlier.folder / page, run_folder / page)
    origin = earlier.record.carried_from or earlier.receipt.run_id
    status: NotebookStatus = "LEFT_OUT" if earlier.record.left_out else "CARRIED"
    return replace(earlier.record, status=status, carried_from=origin, page=None, was_there_in=None)


def link(source: Path, target: Path) -> None:
    """The same file at another place; a copy where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        raise  # writing into it would write into every run that shares it
    except OSError:
        shutil.copy2(source, target)


def _same_circumstances(one: Receipt, other: Receipt) -> bool:
    def circumstances(receipt: Receipt) -> tuple[object, ...]:
        code = receipt.code.get("version")
        data = (receipt.as_of, receipt.source_fingerprint, receipt.settings_fingerprint)
        return (*data, code, receipt.python, receipt.packages)

    return one.source is not None and circumstances(one) == circumstances(other)


def _same_champions(earlier: Receipt, now: Receipt) -> bool:
    """Did the earlier run start from the models approved now, or make them itself?"""
    return earlier.champions.keys() <= now.champions.keys() and all(
        champion["run"] == earlier.run_id or earlier.champions.get(name, {}).get("version") == champion["version"]
        for name, champion in now.champions.items()
    )


def _is_whole(earlier: Earlier) -> bool:
    if not (earlier.record.usable or earlier.record.left_out):
        return False
    try:
        return all((earlier.folder / file).is_file() for file in _files(earlier))
    except (OSError, ValueError, KeyError):
        return False


def _files(earlier: Earlier) -> Iterator[str]:
    """The files of a notebook in a run's folder, beside its page."""
    name = earlier.record.name
    yield f"notebooks/{name}.ipynb"
    if earlier.record.left_out:
        return
    part = f"parts/{name}.json"
    published = json.loads((earlier.folder / part).read_text(encoding="utf-8"))
    yield part
    yield from (f"scores/{earlier.receipt.as_of}/{score}.parquet" for score in published["scores"])
    yield from files_of(published)
