"""One run at a time: a lock the system releases however its holder ends, and a note of who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from crm.atomic import write_json
from crm.errors import RequestError, RunLocked

LOCK = ".crm.lock"
NOTE = ".crm.lock.json"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock: the process, where, for which run, and its folder of sockets and temporary files."""

    pid: int
    process_started: float
    host: str
    run_id: str
    started_at: str
    private_folder: str

    def is_alive(self) -> bool | None:
        """Does this process still run? None: it ran on another machine, so nobody here can tell."""
        if self.host != socket.gethostname():
            return None
        try:
            return bool(abs(psutil.Process(self.pid).create_time() - self.process_started) < 1)
        except psutil.Error:
            return False


def this_process(*, run_id: str, started_at: str, private_folder: Path) -> Holder:
    """The note of a lock that this process holds."""
    process = psutil.Process()
    return Holder(os.getpid(), process.create_time(), socket.gethostname(), run_id, started_at, str(private_folder))


@contextlib.contextmanager
def hold_lock(reports: Path) -> Iterator[None]:
    """Hold the lock of a reports folder. Raises RunLocked, which says who holds it, without waiting."""
    try:
        reports.mkdir(parents=True, exist_ok=True)
        lock = FileLock(reports / LOCK, timeout=0, thread_local=False)
        lock.acquire()
    except Timeout:
        raise RunLocked(
            "Only one run at a time may write into a reports folder.",
            found=_description(read_note(reports)),
            do="Wait until it has ended; `crm status` says how far it is.",
        ) from None
    except OSError as error:
        raise RequestError(
            "The reports folder must be writable.", found=str(error), do="Look at [folders] reports in crm.toml."
        ) from None
    try:
        yield
    finally:
        (reports / NOTE).unlink(missing_ok=True)
        lock.release()


def write_note(reports: Path, holder: Holder) -> None:
    """Say who holds the lock."""
    write_json(reports / NOTE, asdict(holder))


def read_note(reports: Path) -> Holder | None:
    """Who holds the lock, or held it and was killed; None: nobody, or not yet said."""
    try:
        return Holder(**json.loads((reports / NOTE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _description(holder: Holder | None) -> str:
    if holder is None or holder.is_alive() is False:
        return "a run that has just begun"
    return f"run {holder.run_id}, process {holder.pid} on {holder.host}, since {holder.started_at}"
