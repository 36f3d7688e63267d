"""The process of one kernel: `python -m crm.runner.kernel_process -f CONNECTION_FILE`.

IPython's kernel, with two differences. It ends at once with the runner, however the runner ended: ipykernel looks for
its parent once a second from a thread, which a long call into native code keeps waiting; Linux can be asked to do it.
And it notes, beside its connection file, whether the cell it executed last met too few data: of an error, the runner
hears only what its class is called, and any library may call one so.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

from crm.errors import NotEnoughData

NOTE = "not_enough_data.txt"
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system kill this process when the thread that started it ends; nothing where it cannot be asked."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if str(os.getppid()) != os.environ.get("JPY_PARENT_PID", str(os.getppid())):
        raise SystemExit(1)  # the runner ended before the line above


def note_too_few_data(error: BaseException | None, folder: Path) -> None:
    """Write down that a cell ended with this error, if that is NotEnoughData; else nothing is noted any more."""
    note = folder / NOTE
    if isinstance(error, NotEnoughData):
        note.write_text(" ".join(str(error).split()), encoding="utf-8")
    else:
        note.unlink(missing_ok=True)


def too_few_data(folder: Path) -> str | None:
    """Why the cell that a kernel executed last could not be done; None unless it met too few data."""
    try:
        return (folder / NOTE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def main() -> None:
    """Become the kernel."""
    end_with_parent()
    if sys.path and (not sys.path[0] or Path(sys.path[0]) == Path.cwd()):
        del sys.path[0]  # files beside the notebooks must not stand in for the kernel's own modules

    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance()
    app.initialize()
    folder = Path(app.abs_connection_file).parent

    def after_cell(result: Any) -> None:
        note_too_few_data(result.error_in_exec if result else None, folder)

    app.shell.events.register("post_run_cell", after_cell)
    app.start()


if __name__ == "__main__":
    main()
