"""A receipt is read back as it was written, and a run that ended early says so of each notebook."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crm.runner.receipt import (
    NotebookRecord,
    NotebookStatus,
    Receipt,
    nothing_to_say,
    overall_status,
    read_receipt,
    read_receipts,
    utc,
    write_receipt,
)

RECEIPT = Receipt(
    run_id="r1",
    status="COMPLETE",
    as_of="2018-01-01",
    started_at="2026-11-22T15:18:00Z",
    selection=("01_a", "02_b"),
    source={"fingerprint": "f", "tables": [{"table": "purchases"}]},
    notebooks=(NotebookRecord("01_a", "A?", "COMPLETE", last_lines=("x",), mlflow_run_ids=("m",)),),
)


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path):
    write_receipt(tmp_path, RECEIPT)
    assert read_receipt(tmp_path) == RECEIPT


def test_a_receipt_of_another_version_is_read_as_far_as_it_is_known(tmp_path: Path):
    (tmp_path / "receipt.json").write_text(
        json.dumps({"run_id": "r", "status": "FAILED", "as_of": "2018-01-01", "started_at": "t", "news": 1})
    )
    assert read_receipt(tmp_path) == Receipt("r", "FAILED", "2018-01-01", "t")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run_id": "r", "notebooks": [1]}'])
def test_what_is_no_receipt_is_none(tmp_path: Path, content: str):
    (tmp_path / "receipt.json").write_text(content)
    assert read_receipt(tmp_path) is None


def test_the_newest_run_comes_first_and_temporary_folders_are_not_runs(tmp_path: Path):
    for name, started in (("a", "2026-01-02"), ("b", "2026-01-03"), ("c", "2026-01-01"), (".d.tmp", "2026-01-09")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        write_receipt(tmp_path / "runs" / name, replace(RECEIPT, run_id=name, started_at=started))
    assert [receipt.run_id for receipt in read_receipts(tmp_path)] == ["b", "a", "c"]
    assert read_receipts(tmp_path / "nowhere") == []


def test_ending_early_marks_the_notebooks_that_have_no_record():
    early = RECEIPT.ended_early("killed", status="FAILED")
    assert (early.status, early.error) == ("FAILED", "killed")
    assert [(one.name, one.status, one.error) for one in early.notebooks] == [
        ("01_a", "COMPLETE", None),
        ("02_b", "FAILED", "killed"),
    ]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["COMPLETE", "CARRIED"], "COMPLETE"),
        (["COMPLETE", "FAILED"], "PARTIAL"),
        (["COMPLETE", "SKIPPED"], "PARTIAL"),
        (["FAILED", "SKIPPED"], "FAILED"),
        (["COMPLETE", "LEFT_OUT"], "COMPLETE"),
        (["CARRIED", "LEFT_OUT"], "COMPLETE"),
        (["LEFT_OUT", "LEFT_OUT"], "FAILED"),
        (["LEFT_OUT", "FAILED"], "FAILED"),
        (["COMPLETE", "LEFT_OUT", "FAILED"], "PARTIAL"),
        (["LEFT_OUT", "COMPLETE", "SKIPPED"], "PARTIAL"),
    ],
)
def test_the_status_of_a_run_follows_from_its_notebooks(statuses: list[NotebookStatus], expected: str):
    assert overall_status([NotebookRecord("01_a", "", status) for status in statuses]) == expected


@pytest.mark.parametrize(
    ("ended", "expected", "whole"),
    [
        ({"00_data": "COMPLETE"}, "COMPLETE", True),
        ({"00_data": "COMPLETE", "01_a": "LEFT_OUT"}, "FAILED", False),
        ({"00_data": "COMPLETE", "01_a": "LEFT_OUT", "02_b": "LEFT_OUT"}, "FAILED", False),
        ({"00_data": "COMPLETE", "01_a": "COMPLETE", "02_b": "LEFT_OUT"}, "COMPLETE", True),
        ({"00_data": "LEFT_OUT", "01_a": "COMPLETE"}, "COMPLETE", True),
        ({"00_data": "COMPLETE", "01_a": "LEFT_OUT", "02_b": "FAILED"}, "PARTIAL", False),
    ],
    ids=str,
)
def test_what_looks_only_at_the_data_does_not_make_a_run(
    ended: dict[str, NotebookStatus], expected: str, whole: bool
):
    records = tuple(NotebookRecord(name, "", status) for name, status in ended.items())
    status = overall_status(records)
    assert status == expected
    assert replace(RECEIPT, status=status, notebooks=records).whole is whole


def test_analyses_carried_as_left_out_alone_are_not_published():
    records = (NotebookRecord("00_data", "", "COMPLETE"), NotebookRecord("01_a", "", "LEFT_OUT", reason="Too few."))
    receipt = replace(RECEIPT, selection=("00_data",), notebooks=records)
    assert (receipt.status, receipt.missing, receipt.whole) == ("COMPLETE", (), False)
    assert nothing_to_say(records) == "No analysis could be made: 01_a is left out."


def test_moments_are_written_in_utc():
    noon = dt.datetime(2026, 11, 22, 12, 0, 0, 999, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    assert utc(noon) == "2026-11-22T17:00:00Z"
