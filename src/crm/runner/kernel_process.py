"""The process of one kernel: `python -m crm.runner.kernel_process -f CONNECTION_FILE`.

IPython's kernel, except that it ends at once with the runner, however the runner ended. ipykernel looks for its
parent once a second from a thread, which a long call into native code keeps waiting; Linux can be asked to do it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system kill this process when the thread that started it ends; nothing where it cannot be asked."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if str(os.getppid()) != os.environ.get("JPY_PARENT_PID", str(os.getppid())):
        raise SystemExit(1)  # the runner ended before the line above


def main() -> None:
    """Become the kernel."""
    end_with_parent()
    if sys.path and (not sys.path[0] or Path(sys.path[0]) == Path.cwd()):
        del sys.path[0]  # files beside the notebooks must not stand in for the kernel's own modules

    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


if __name__ == "__main__":
    main()
