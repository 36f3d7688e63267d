"""Kernels that only the runner can reach, that cannot outlive it, and that leave nothing behind.

Each speaks over Unix sockets in a folder only this user can enter (a kernel on TCP can be read by everybody on the
machine), is this very Python whatever kernels the user has registered, and uses neither the user's IPython profile
nor the temporary folder they share with others.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from crm.errors import RequestError

PREFIX = "crm-run-"
LONGEST_FOLDER = 70  # the path of a Unix socket may have about 107 characters, of which its name needs some


class SocketKernelManager(AsyncKernelManager):
    """Starts one kernel on Unix sockets in `folder`; what its process itself says goes to the file `output`."""

    def __init__(self, *, folder: Path, output: Path, environment: Mapping[str, str], log: logging.Logger) -> None:
        super().__init__(transport="ipc", connection_file=str(folder / "k.json"), log=log)
        self.process: subprocess.Popen[bytes] | None = None
        self.folder, self._output, self._environment = folder, output, dict(environment)

    @property
    def kernel_spec(self) -> KernelSpec:
        """This Python, and no other."""
        argv = [sys.executable, "-m", "crm.runner.kernel_process", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Analytical CRM", language="python")

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        kw["env"] = {**kw.get("env", os.environ), **self._environment}
        with self._output.open("ab") as output:
            await super()._async_launch_kernel(kernel_cmd, stdout=output, stderr=output, **kw)
        self.process = getattr(self.provisioner, "process", None)


def private_folder() -> Path:
    """A new folder for sockets and temporary files that only this user can enter, with a short path."""
    for place in (tempfile.gettempdir(), "/tmp"):
        if len(place) <= LONGEST_FOLDER - len(PREFIX) - 8 and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    raise RequestError(
        f"There must be a folder for temporary files with a path of at most {LONGEST_FOLDER - len(PREFIX) - 8} "
        "characters.",
        found=f"{tempfile.gettempdir()}, and /tmp cannot be written",
        do="Set TMPDIR to a short path, such as /var/tmp.",
    )


def remove_private_folder(folder: Path) -> None:
    """Remove what `private_folder` made; anything else is left alone."""
    if folder.name.startswith(PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


def kernel_environment(folder: Path, *, jobs: int, facts: Mapping[str, str]) -> dict[str, str]:
    """What a kernel's environment has beyond the runner's own; of the rest, what the operator has set stands.

    `facts` says which facts the run has read, so that every notebook sees these, whatever the source is by then.
    Numeric libraries get one thread each, so that their sums are taken in the same order whatever the machine and
    however many notebooks run side by side: equal inputs then give equal bytes. The cores are used by notebooks side
    by side, and by the engine.
    """
    cores = os.cpu_count() or 1
    threads = dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
            "NUMEXPR_NUM_THREADS",
        ),
        "1",
    )
    wanted = {**threads, "CRM_THREADS": str(max(1, cores // jobs)), "PYTHONHASHSEED": "0"}
    own = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "TMPDIR": str(folder),
        "PYTHONSTARTUP": "",
        "PYTHONFAULTHANDLER": "1",  # a crash in native code leaves its stack in the kernel's log
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or the debugger, which nobody uses here, warns at each start
    }
    return {**{name: value for name, value in wanted.items() if name not in os.environ}, **own, **facts}
