"""Kept folders: built once, whole or not at all, whoever asks and whatever dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crm.kept import keep_folder

BUILDER = """
import os, pathlib, sys, time
from crm.kept import keep_folder

def build(place):
    (place / "begun").touch()
    time.sleep(float(sys.argv[2]))
    (place / f"built-by-{os.getpid()}").touch()

keep_folder(pathlib.Path(sys.argv[1]), build)
"""


def start_builder(folder: Path, seconds: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", BUILDER, str(folder), str(seconds)])


def test_two_who_ask_at_once_get_what_one_built(tmp_path):
    askers = [start_builder(tmp_path / "kept", 0.5) for _ in range(2)]
    assert [asker.wait(60) for asker in askers] == [0, 0]
    assert len(list((tmp_path / "kept").glob("built-by-*"))) == 1


def test_a_killed_builder_leaves_nothing_that_looks_built(tmp_path):
    folder = tmp_path / "kept"
    builder = start_builder(folder, 60)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".kept.building-*/begun")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(builder.pid, signal.SIGKILL)
    builder.wait(30)
    assert not folder.exists()
    keep_folder(folder, lambda place: (place / "whole").touch())
    assert (folder / "whole").exists()
    assert not list(tmp_path.glob(".kept.building-*")), "what was left is swept"


def test_a_builder_that_fails_leaves_nothing(tmp_path):
    def fail(place):
        (place / "half").touch()
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        keep_folder(tmp_path / "kept", fail)
    assert not (tmp_path / "kept").exists()
    assert not list(tmp_path.glob(".kept.building-*"))


def test_what_is_kept_is_not_built_again(tmp_path):
    keep_folder(tmp_path / "kept", lambda place: (place / "one").touch())
    keep_folder(tmp_path / "kept", lambda place: (place / "two").touch())
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["one"]
