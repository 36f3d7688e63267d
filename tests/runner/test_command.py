"""The command: exit statuses, one clear message, two at once, and an end that was asked for."""

from __future__ import annotations

import datetime as dt
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from crm.cli import settings_of
from crm.runner.lock import read_note

WAITING = "from pathlib import Path\nimport time\nPath('started').touch()\ntime.sleep(60)"


def wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_a_complete_run_ends_with_the_report_and_the_first_findings(project):
    project.notebook("01_base")
    done = project.program("run", "--as-of", "1998-06-01")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert f"Report: {project.reports / 'index.html'}" in lines
    assert lines[-1] == "  01_base: They are worth 3."
    assert project.receipts[0].as_of == "1998-06-01"
    status = project.command("status")
    assert status.returncode == 0
    assert "COMPLETE" in status.stdout
    assert "It is published" in status.stdout


@pytest.mark.slow
def test_a_failed_run_exits_1_and_says_why_on_stderr(project):
    project.notebook("01_base", "raise ValueError('no such column')")
    done = project.command("run")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    as_run = project.reports / "runs" / project.receipts[0].run_id / "notebooks" / "01_base.ipynb"
    assert lines[0] == "01_base: ValueError: no such column (in cell [3])"
    assert lines[-2:] == ["    ValueError: no such column", f"    As it was run: {as_run}"]
    assert len(lines) <= 1 + 5 + 1
    assert "Not published; latest stays as it was." in done.stdout
    assert project.command("status").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--only", "01_bsae"], "'01_bsae', the nearest known name is 01_base"),
        (["run", "--only", ""], "--only must name a notebook"),
        (["run", "--as-of", "yesterday"], "A date is written YYYY-MM-DD. Found: 'yesterday'"),
        (["run", "--config", "no.toml"], "no file no.toml"),
        (["run", "--jobs", "0"], "--jobs"),
        (["run", "--retry"], "No such option"),
        (["status", "--config", "no.toml"], "no file no.toml"),
    ],
)
def test_a_wrong_request_exits_2_with_one_message_and_starts_nothing(project, arguments: list[str], message: str):
    project.notebook("01_base")
    done = project.command(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.reports.exists()


def test_a_command_that_does_not_exist_exits_2(project):
    done = project.program("rnu")
    assert done.returncode == 2
    assert "No such command" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[folders]\ndata = "/proc/x"', "[folders] data"),
        ('[folders]\nreports = "/proc/x"', "[folders] reports"),
        ('[folders]\nreports = "crm.toml"', "[folders] reports"),
        ('[tracking]\nuri = "sqlite:////proc/x/mlflow.db"', "[tracking] uri"),
    ],
)
def test_a_folder_that_cannot_be_written_is_refused_before_anything_starts(project, toml: str, message: str):
    project.notebook("01_base")
    (project.home / "crm.toml").write_text(f'[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-07-01\n{toml}\n')
    done = project.command("run")
    assert done.returncode == 2, done
    assert "must be writable and have room" in done.stderr
    assert f"Look at {message}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in project.home.iterdir()) == ["crm.toml", "data", "notebooks"]
    assert [path.name for path in (project.home / "data").iterdir()] == ["mart"]


@pytest.mark.parametrize(
    ("zone", "date"),
    [("UTC", "2026-11-22"), ("Pacific/Kiritimati", "2026-11-23"), ("Pacific/Pago_Pago", "2026-11-22")],
)
def test_today_is_the_day_in_the_time_zone_of_the_source(project, zone: str, date: str):
    toml = project.home / "crm.toml"
    toml.write_text(toml.read_text().replace('kind = "cdnow"', f'kind = "cdnow"\ntimezone = "{zone}"'))
    now = dt.datetime(2026, 11, 22, 11, 30, tzinfo=dt.UTC)
    assert str(settings_of(toml, as_of="today", now=now).as_of) == date
    assert str(settings_of(toml, as_of=None, now=now).as_of) == "1998-07-01"
    assert str(settings_of(toml, as_of="1998-01-01", now=now).as_of) == "1998-01-01"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "exit_status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_the_second_is_told_who_holds_the_lock_and_the_first_can_be_ended(
    project, number: signal.Signals, exit_status: int
):
    project.notebook("01_base", WAITING)
    project.notebook("02_value", WAITING, needs=["01_base"])
    with project.start("run") as first:
        wait_until((project.home / "notebooks" / "started").exists)
        note = read_note(project.reports)
        assert note is not None
        kernels = psutil.Process(first.pid).children(recursive=True)
        assert kernels
        second = project.command("run")
        assert second.returncode == 2
        assert f"run {note.run_id}, process {first.pid} on" in second.stderr
        assert len(project.receipts) == 1
        status = project.command("status")
        assert status.returncode == 0
        assert f"process {first.pid}" in status.stdout
        assert "0 of 2 notebooks have ended" in status.stdout
        asked = time.monotonic()
        first.send_signal(number)
        _, stderr = first.communicate(timeout=30)
        assert time.monotonic() - asked < 15
    assert first.returncode == exit_status
    assert f"interrupted ({number.name})" in stderr
    assert "Traceback" not in stderr
    assert not [kernel for kernel in kernels if kernel.is_running()]
    receipt = project.receipts[0]
    assert (receipt.status, receipt.error) == ("FAILED", f"interrupted ({number.name})")
    assert [(one.status, one.error) for one in receipt.notebooks] == [
        ("FAILED", "interrupted in cell [3]"),
        ("FAILED", f"interrupted ({number.name})"),
    ]
    assert (project.reports / "runs" / receipt.run_id / "notebooks" / "01_base.ipynb").is_file()
    assert read_note(project.reports) is None
    assert not (project.reports / "latest").exists()
