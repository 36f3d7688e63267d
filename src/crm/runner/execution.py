"""Execute one notebook, and find out whether it was really executed.

Papermill returns as if all were well after `sys.exit(0)`, and leaves a notebook that says "completed" behind when its
kernel was killed. So nothing it leaves is believed: a notebook is complete only if Papermill returned, every code
cell was executed, none of them shows an error, and its part was published. It is left out only if its kernel noted
that the cell it ended with met too few data.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.log import logger as papermill_logger

from crm.errors import CrmError
from crm.publishing import NotPublishable
from crm.runner.kernel_process import too_few_data
from crm.runner.kernels import SocketKernelManager
from crm.runner.notebooks import Notebook
from crm.runner.parameters import Scalar

ENGINE = "crm"
START_SECONDS = 120  # for a kernel to answer, on a machine that is busy
WATCH_SECONDS = 0.2
LAST_LINES = 20
_LOG = logging.getLogger("crm.runner")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Execution:
    """How the execution of a notebook went; all of it was executed and published if neither of these is there:

    error: what failed.     left_out: why these data are too few for it, and what would make it possible.
    """

    seconds: float
    peak_memory_mb: float
    error: str | None
    last_lines: tuple[str, ...] = ()
    left_out: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What the notebooks of one run are executed with.

    private: folder for sockets and temporary files.  environment: of a kernel in a folder of its own.
    stop: set it, and every kernel is killed.  on_cell: told the notebook and how many of its cells were started.
    """

    run_folder: Path
    private: Path
    environment: Callable[[Path], Mapping[str, str]]
    seconds_allowed: float
    stop: threading.Event
    on_cell: Callable[[str, int], None]


class _PrivateKernelEngine(NBClientEngine):  # type: ignore[misc]
    """Papermill's engine, on a kernel manager of ours that it stops when it is done."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        options = {name: options[name] for name in ("km", "on_cell_execute", "resources")}
        client = PapermillNotebookClient(
            nb_man, kernel_name=kernel_name, startup_timeout=START_SECONDS, iopub_timeout=60, log=_LOG, **options
        )
        client.owns_km = True
        client.execute()


papermill_engines.register(ENGINE, _PrivateKernelEngine)
for _logger in (_LOG, papermill_logger):
    _logger.addHandler(logging.NullHandler())  # what matters is in the receipt; the display is not to be disturbed


class _Watch(threading.Thread):
    """Measures a kernel's memory, and kills it when its time is over or the run is to stop."""

    def __init__(self, kernel: SocketKernelManager, *, deadline: float, stop: threading.Event) -> None:
        super().__init__(name="watch", daemon=True)
        self._kernel, self._deadline, self._stop_asked = kernel, deadline, stop
        self._over = threading.Event()
        self.peak_bytes = 0
        self.killed_because: str | None = None

    def run(self) -> None:
        while not self._over.wait(WATCH_SECONDS):
            processes = self._processes()
            self.peak_bytes = max(self.peak_bytes, sum(map(_resident, processes)))
            if processes and (reason := self._reason_to_kill()):
                self.killed_because = reason
                _kill(processes)

    def end(self) -> None:
        """Stop watching."""
        self._over.set()
        self.join()

    def _reason_to_kill(self) -> str | None:
        if self._stop_asked.is_set():
            return "interrupted"
        return "timed out" if time.monotonic() > self._deadline else None

    def _processes(self) -> list[psutil.Process]:
        """The kernel and what it started, while it lives."""
        if self._kernel.process is None or self._kernel.process.returncode is not None:
            return []
        try:
            kernel = psutil.Process(self._kernel.process.pid)
            return [kernel, *kernel.children(recursive=True)]
        except psutil.Error:
            return []


def execute(notebook: Notebook, *, parameters: Mapping[str, Scalar], surroundings: Surroundings) -> Execution:
    """Execute a notebook in its own folder, on a kernel of its own; the notebook as run is kept whatever happens.

    It stands in `notebooks/` of the run; beside it, of a failed one, `<name>.log`: what the kernel's process said.
    """
    place = surroundings.run_folder / "notebooks"
    place.mkdir(exist_ok=True)
    as_run, log = place / f"{notebook.name}.ipynb", place / f"{notebook.name}.log"
    own = Path(tempfile.mkdtemp(prefix=notebook.name[:2], dir=surroundings.private))
    kernel = SocketKernelManager(folder=own, output=log, environment=surroundings.environment(own), log=_LOG)
    cells = _CellCount(notebook.name, tell=surroundings.on_cell)
    started = time.monotonic()
    watch = _Watch(kernel, deadline=started + surroundings.seconds_allowed, stop=surroundings.stop)
    watch.start()
    try:
        problem = _papermill(notebook, parameters=parameters, as_run=as_run, kernel=kernel, cells=cells)
    finally:
        watch.end()
    if watch.killed_because == "timed out":
        minutes = surroundings.seconds_allowed / 60
        problem = _Problem(f"timed out after {minutes:g} minutes, in cell [{cells.started}]")
    elif watch.killed_because:
        problem = _Problem(f"{watch.killed_because} in cell [{cells.started}]")
    problem = problem or _unfinished(as_run) or _unpublished(notebook.name, surroundings.run_folder)
    last_lines: tuple[str, ...] = ()
    if problem:
        last_lines = _last_words(as_run, log) if problem.last_lines is None else problem.last_lines
    failed = problem is not None and not problem.too_few_data
    if not failed or (log.exists() and not log.stat().st_size):
        log.unlink(missing_ok=True)  # what is said on the way out is of no use to anybody
    return Execution(
        seconds=round(time.monotonic() - started, 3),
        peak_memory_mb=round(watch.peak_bytes / 1e6, 1),
        error=problem.error if problem and failed else None,
        left_out=problem.error if problem and not failed else None,
        last_lines=last_lines,
    )


@dataclass(frozen=True)
class _Problem:
    """What a notebook met; `last_lines` None: to be looked up in what it said.

    too_few_data: nothing failed, there is only not enough to go by.
    """

    error: str
    last_lines: tuple[str, ...] | None = None
    too_few_data: bool = False


class _CellCount:
    """How many code cells were started, told to whoever shows the progress."""

    def __init__(self, notebook: str, *, tell: Callable[[str, int], None]) -> None:
        self._notebook, self._tell = notebook, tell
        self.started = 0

    def __call__(self, cell: Any, cell_index: int) -> None:
        self.started += 1
        self._tell(self._notebook, self.started)


def _papermill(
    notebook: Notebook,
    *,
    parameters: Mapping[str, Scalar],
    as_run: Path,
    kernel: SocketKernelManager,
    cells: _CellCount,
) -> _Problem | None:
    """What Papermill met, if anything."""
    try:
        papermill.execute_notebook(
            _literally(notebook.path),
            _literally(as_run),
            parameters=dict(parameters),
            engine_name=ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            km=kernel,
            on_cell_execute=cells,
            resources={"metadata": {"path": str(notebook.path.parent)}},
        )
    except PapermillExecutionError as error:
        if reason := too_few_data(kernel.folder):
            return _Problem(reason, (), too_few_data=True)
        if error.ename in _clear_errors():
            return _Problem(f"{' '.join(error.evalue.split())} (in cell [{error.exec_count}])", ())
        lines = _lines("\n".join(error.traceback))
        return _Problem(f"{_first_line(f'{error.ename}: {error.evalue}')} (in cell [{error.exec_count}])", lines)
    except DeadKernelError:
        return _Problem(f"the kernel {_end_of(kernel)} in cell [{cells.started}]")
    except Exception as error:  # noqa: BLE001 - whatever it is, this notebook failed, and the others go on
        return _Problem(f"could not be executed: {type(error).__name__}: {_first_line(str(error))}")
    return None


def _clear_errors() -> set[str]:
    """The names of the errors that say themselves what the reader can mend."""
    names, waiting = set(), [CrmError, NotPublishable]
    while waiting:
        kind = waiting.pop()
        names.add(kind.__name__)
        waiting += kind.__subclasses__()
    return names


def _literally(path: Path) -> str:
    """A path for Papermill, which reads braces in it as fields to fill."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _end_of(kernel: SocketKernelManager) -> str:
    status = kernel.process.poll() if kernel.process else None
    if status is None:
        return "died"
    if status == -signal.SIGKILL:
        return "was killed (SIGKILL: by somebody, or by the system for want of memory)"
    if status < 0:
        return f"was killed ({signal.Signals(-status).name})"
    return f"ended itself (exit status {status})"


def _unfinished(as_run: Path) -> _Problem | None:
    """A code cell that shows an error or was never executed."""
    cells = [cell for cell in _read(as_run).cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(cells, start=1):
        place = f"in cell [{cell.execution_count or number}]"
        if errors := [output for output in cell.outputs if output.output_type == "error"]:
            return _Problem(f"{errors[0].ename}: {errors[0].evalue} {place}")
        if cell.execution_count is None:
            return _Problem(f"was not executed {place}")
    return None


def _unpublished(name: str, run_folder: Path) -> _Problem | None:
    part = run_folder / "parts" / f"{name}.json"
    try:
        published = json.loads(part.read_text(encoding="utf-8"))["notebook"]
    except (OSError, ValueError, KeyError):
        published = None
    if published == name:
        return None
    return _Problem(f'published nothing: it must end with publish("{name}", …)')


def _last_words(as_run: Path, log: Path) -> tuple[str, ...]:
    """What the notebook said last: the text output of the last cell that has any, then the kernel's log."""
    outputs = [cell.outputs for cell in _read(as_run).cells if cell.cell_type == "code" and cell.get("outputs")]
    said = [_text_of(output) for output in outputs[-1]] if outputs else []
    logged = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return _lines("\n".join([*said, logged]))


def _text_of(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join(output.traceback)
    return str(output.get("data", {}).get("text/plain", ""))


def _lines(text: str) -> tuple[str, ...]:
    """The last lines of a text, without colours and empty lines."""
    lines = [line.rstrip() for line in _ANSI.sub("", text).splitlines() if line.strip()]
    return tuple(lines[-LAST_LINES:])


def _first_line(text: str) -> str:
    lines = _ANSI.sub("", text).strip().splitlines()
    return lines[0].rstrip() if lines else ""


def _read(as_run: Path) -> Any:
    """The notebook as run; an empty one if it never came to that."""
    try:
        return nbformat.read(as_run, as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, ValueError):
        return nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
