"""Pages say how the run ended; one that cannot be written makes its notebook failed, and every other stamp right."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat as nbf
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from crm.runner.pages import log_error, show_early_end, write_pages
from crm.runner.receipt import NotebookRecord, NotebookStatus, Receipt, write_receipt

NAMES = ("01_a", "02_b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder after its notebooks were executed."""
    for inner in ("notebooks", "parts"):
        (tmp_path / inner).mkdir()
    for name in NAMES:
        nbf.write(
            new_notebook(cells=[new_markdown_cell(f"# What of {name}?")]), tmp_path / "notebooks" / f"{name}.ipynb"
        )
        part = {"notebook": name, "findings": [], "measures": {"n": 1}, "scores": [], "mlflow_run_ids": []}
        (tmp_path / "parts" / f"{name}.json").write_text(json.dumps(part))
    return tmp_path


def receipt(*statuses: NotebookStatus) -> Receipt:
    records = tuple(NotebookRecord(name, name, status) for name, status in zip(NAMES, statuses, strict=True))
    return Receipt("r1", "RUNNING", "2018-01-01", "2026-11-22T15:18:00Z", selection=NAMES, notebooks=records)


def test_pages_carry_the_status_of_the_run_and_a_failed_notebook_its_own(folder: Path):
    written = write_pages(receipt("COMPLETE", "FAILED"), folder)
    assert written.status == "PARTIAL"
    assert [record.page for record in written.notebooks] == ["01_a.html", "02_b.html"]
    assert "PARTIAL" in (folder / "01_a.html").read_text()
    failed = (folder / "02_b.html").read_text()
    assert "FAILED" in failed
    assert "PARTIAL" not in failed


def test_a_page_that_cannot_be_written_makes_its_notebook_failed(folder: Path):
    (folder / "01_a.html").mkdir()
    written = write_pages(receipt("COMPLETE", "COMPLETE"), folder)
    assert written.status == "PARTIAL"
    first, second = written.notebooks
    assert (first.status, first.page) == ("FAILED", None)
    assert (first.error or "").startswith("its page could not be written: IsADirectoryError")
    assert (second.status, second.page) == ("COMPLETE", "02_b.html")
    assert "PARTIAL" in (folder / "02_b.html").read_text()
    assert "COMPLETE" not in (folder / "02_b.html").read_text()
    assert "Traceback" in (folder / "error.log").read_text()


def test_a_carried_page_that_came_along_stays_and_another_is_written(folder: Path):
    (folder / "01_a.html").write_text("from an earlier run")
    written = write_pages(receipt("CARRIED", "CARRIED"), folder)
    assert (folder / "01_a.html").read_text() == "from an earlier run"
    assert [record.page for record in written.notebooks] == ["01_a.html", "02_b.html"]


def test_a_run_that_ended_early_keeps_no_page_that_says_otherwise(folder: Path):
    complete = write_pages(receipt("COMPLETE", "COMPLETE"), folder)
    early = complete.ended_early("the disk is full", status="SKIPPED")
    write_receipt(folder, early)
    show_early_end(early, folder)
    assert [page.name for page in folder.glob("*.html")] == ["index.html"]
    index = (folder / "index.html").read_text()
    assert "the disk is full" in index
    assert list(json.loads((folder / "results.json").read_text())["notebooks"]) == ["01_a", "02_b"]


def test_an_error_is_told_even_where_no_log_can_be_written(tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    line = log_error(nowhere, ValueError("no such column"))
    assert line.startswith("ValueError: no such column (the traceback could not be written: ")
    assert log_error(tmp_path, ValueError("x")) == f"ValueError: x (the traceback is in {tmp_path / 'error.log'})"
