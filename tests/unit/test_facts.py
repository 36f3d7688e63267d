"""Facts: what is kept under which fingerprint, and what stops a run before it begins."""

import datetime as dt
import os
import shutil
import subprocess
import sys

import pytest

from crm.atomic import NotWritable
from crm.config import read_settings
from crm.errors import ContractError, NotEnoughData, SourceError
from crm.facts import _publish_rejected, read_facts, refuse_uncovered
from crm.sources import cdnow

LINES = [f"0000{i} 199701{day:02d} 1 10.00" for i in range(3) for day in range(1, 29)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose source is a file in CDNOW's format; call it with lines and further settings."""
    file = tmp_path / "lines.txt"
    monkeypatch.setattr(cdnow, "data_file", lambda: file)
    (tmp_path / "notebooks").mkdir()

    def write(lines, more=""):
        file.write_text("customer date quantity amount\n" + "\n".join(lines) + "\n")
        (tmp_path / "crm.toml").write_text(f'[source]\nkind = "cdnow"\n[clock]\nas_of = 1997-03-01\n{more}')
        return read_settings(tmp_path / "crm.toml")

    return write


def test_equal_bytes_have_an_equal_fingerprint_and_a_changed_byte_another(project):
    first = read_facts(project(LINES))
    assert read_facts(project(LINES)).fingerprint == first.fingerprint
    assert read_facts(project([*LINES[:-1], LINES[-1].replace("10.00", "10.01")])).fingerprint != first.fingerprint


def test_the_fingerprint_does_not_depend_on_where_the_files_lie(project, tmp_path, monkeypatch):
    first = read_facts(project(LINES)).fingerprint
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "lines.txt").rename(elsewhere / "lines.txt")
    monkeypatch.setattr(cdnow, "data_file", lambda: elsewhere / "lines.txt")
    assert read_facts(read_settings(tmp_path / "crm.toml")).fingerprint == first


def test_more_dirt_than_the_budget_stops_and_can_be_looked_at(project, tmp_path):
    dirty = [*LINES, *["00009 19970101 1 what"] * 9]
    with pytest.raises(ContractError, match="9 of 93 rows"):
        read_facts(project(dirty))
    assert (tmp_path / "data" / "rejected" / "1997-03-01" / "purchases.parquet").exists()


PUBLISHING = """\
import pathlib, sys
from crm.facts import _publish_rejected
for number in range(100):
    _publish_rejected(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    if number % 2:
        (pathlib.Path(sys.argv[2]) / "purchases.parquet").unlink(missing_ok=True)
"""


def test_several_processes_may_put_out_the_rows_set_aside_at_the_same_time(tmp_path):
    kept, shown = tmp_path / "kept", tmp_path / "shown"
    kept.mkdir()
    (kept / "purchases.parquet").write_bytes(bytes(100_000))
    command = [sys.executable, "-c", PUBLISHING, str(kept), str(shown)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[1] for process in both] == ["", ""]
    _publish_rejected(kept, shown)
    assert [(file.name, file.stat().st_size) for file in shown.iterdir()] == [("purchases.parquet", 100_000)]


def test_rows_set_aside_are_written_when_they_change_and_go_with_their_table(tmp_path):
    kept, shown = tmp_path / "kept", tmp_path / "shown"
    kept.mkdir()
    (kept / "purchases.parquet").write_text("one")
    (kept / "returns.parquet").write_text("one")
    _publish_rejected(kept, shown)
    first = (shown / "purchases.parquet").stat()
    (kept / "returns.parquet").unlink()
    _publish_rejected(kept, shown)
    assert (shown / "purchases.parquet").stat().st_ino == first.st_ino
    assert [file.name for file in shown.iterdir()] == ["purchases.parquet"]
    (kept / "purchases.parquet").write_text("two")
    _publish_rejected(kept, shown)
    assert (shown / "purchases.parquet").read_text() == "two"


@pytest.mark.parametrize("room", ["20k", "100k"])
def test_a_full_data_folder_is_one_sentence(project, tmp_path, room):
    settings = project([f"{i:05d} 199701{day:02d} 1 {i}.{day}" for i in range(20_000) for day in (1, 2)])
    settings.folders.data.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(settings.folders.data)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root can make a file system of a size of its own")
    try:
        with pytest.raises(
            NotWritable, match=r"data must be writable and have room\. Found: No space left on device"
        ):
            read_facts(settings)
        assert not list(settings.folders.data.glob("mart/*/facts"))
    finally:
        subprocess.run(["umount", "--lazy", str(settings.folders.data)], check=True)


def test_a_date_before_all_purchases_is_refused(cdnow):
    refuse_uncovered(cdnow, dt.date(1997, 1, 2))
    with pytest.raises(NotEnoughData, match="the first purchase on 1997-01-01, the as-of date 1990-01-01"):
        refuse_uncovered(cdnow, dt.date(1990, 1, 1))


def test_an_accepted_reason_goes_on(project):
    dirty = [*LINES, *["00009 19970101 1 what"] * 9]
    accepted = '[quality]\naccepted_reasons = {"net_amount is not an amount of money" = 0.2}\n'
    assert read_facts(project(dirty, accepted)).tables.set_index("table").loc["purchases", "kept"] == len(LINES)


def test_an_empty_source_is_refused(project):
    with pytest.raises(SourceError, match="at least one purchase"):
        read_facts(project([]))


def test_a_table_that_is_not_there_says_what_it_would_unlock(cdnow):
    with pytest.raises(SourceError, match="it unlocks response rates"):
        cdnow["responses"]


def test_the_receipts_record_is_json(journey):
    import json

    record = json.loads(json.dumps(journey.source_record()))
    assert record["kind"] == "complete_journey"
    assert record["last_date"] == "2017-12-31"
    assert {table["table"] for table in record["tables"]} >= {"purchases", "products"}
