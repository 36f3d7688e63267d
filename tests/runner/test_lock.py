"""One run at a time; who holds the lock is said, and a holder that was killed is told from one that lives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from crm.errors import RequestError, RunLocked
from crm.runner.lock import hold_lock, read_note, this_process, write_note


def test_the_second_is_told_who_holds_it(tmp_path: Path):
    holder = this_process(run_id="r1", started_at="2026-11-22T15:18:00Z", private_folder=tmp_path)
    with hold_lock(tmp_path):
        write_note(tmp_path, holder)
        with pytest.raises(RunLocked, match=rf"run r1, process {holder.pid} on .+, since 2026-11-22T15:18:00Z"):
            hold_lock(tmp_path).__enter__()
        assert read_note(tmp_path) == holder
    assert read_note(tmp_path) is None
    with hold_lock(tmp_path):
        pass


def test_a_lock_whose_holder_has_not_said_who_it_is(tmp_path: Path):
    with hold_lock(tmp_path), pytest.raises(RunLocked, match="a run that has just begun"):
        hold_lock(tmp_path).__enter__()


def test_a_killed_holder_holds_nothing(tmp_path: Path):
    code = (
        "import os, signal; from pathlib import Path; from crm.runner.lock import *\n"
        f"p = Path({str(tmp_path)!r})\n"
        "with hold_lock(p):\n"
        "    write_note(p, this_process(run_id='r1', started_at='t', private_folder=p))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    left = read_note(tmp_path)
    assert left is not None
    assert left.is_alive() is False
    with hold_lock(tmp_path):
        pass


def test_a_process_is_not_taken_for_another_with_its_number_nor_judged_from_another_machine(tmp_path: Path):
    holder = this_process(run_id="r1", started_at="t", private_folder=tmp_path)
    assert holder.is_alive() is True
    assert replace(holder, process_started=holder.process_started - 100).is_alive() is False
    assert replace(holder, host="another machine").is_alive() is None


def test_a_reports_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(RequestError, match="must be writable"):
        hold_lock(tmp_path / "reports").__enter__()
