"""The order of execution: several notebooks at a time, each after those whose scores it reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from crm.runner.notebooks import Notebook
from crm.runner.receipt import NotebookRecord

Execute = Callable[[Notebook], NotebookRecord]
Tell = Callable[[NotebookRecord], None]


def execute_in_order(
    notebooks: Sequence[Notebook],
    *,
    available: Collection[str],
    jobs: int,
    stop: threading.Event,
    execute: Execute,
    tell: Tell,
) -> None:
    """Execute every notebook whose needs are met, `jobs` at a time; the others are SKIPPED.

    available: notebooks outside this run whose scores are there already.
    tell:      gets each record as soon as there is one, in the calling thread.
    If the caller is interrupted, `stop` is set, and what was under way is waited for and told.
    """
    schedule = _Schedule(notebooks, available=available, tell=tell)
    with ThreadPoolExecutor(jobs, thread_name_prefix="notebook") as pool:
        try:
            while schedule.waiting or schedule.running:
                schedule.skip_the_hopeless()
                for notebook in schedule.ready()[: jobs - len(schedule.running)]:
                    schedule.begin(notebook, pool.submit(execute, notebook))
                if schedule.running:
                    schedule.finish(wait(schedule.running, return_when=FIRST_COMPLETED).done)
        except BaseException:
            stop.set()
            schedule.finish(wait(schedule.running).done)
            raise


class _Schedule:
    """Which notebooks wait, which run, and whose scores are there."""

    def __init__(self, notebooks: Sequence[Notebook], *, available: Collection[str], tell: Tell) -> None:
        self.waiting = list(notebooks)
        self.running: dict[Future[NotebookRecord], Notebook] = {}
        self._whole = set(available)
        self._tell = tell

    def ready(self) -> list[Notebook]:
        """The waiting notebooks whose needs are met."""
        return [notebook for notebook in self.waiting if self._whole.issuperset(notebook.needs)]

    def skip_the_hopeless(self) -> None:
        """Skip each waiting notebook of whose needs one will never be met, and then those that need it."""
        while lost := [(notebook, names) for notebook in self.waiting if (names := self._lost(notebook))]:
            for notebook, names in lost:
                self.waiting.remove(notebook)
                self._tell(_skipped(notebook, names))

    def begin(self, notebook: Notebook, future: Future[NotebookRecord]) -> None:
        """It is being executed."""
        self.waiting.remove(notebook)
        self.running[future] = notebook

    def finish(self, done: Collection[Future[NotebookRecord]]) -> None:
        """These have ended."""
        for future in sorted(done, key=lambda one: self.running[one].name):
            del self.running[future]
            record = future.result()
            if record.usable:
                self._whole.add(record.name)
            self._tell(record)

    def _lost(self, notebook: Notebook) -> list[str]:
        hopeful = {one.name for one in (*self.waiting, *self.running.values())} | self._whole
        return [name for name in notebook.needs if name not in hopeful]


def _skipped(notebook: Notebook, lost: Sequence[str]) -> NotebookRecord:
    return NotebookRecord(
        notebook.name,
        notebook.title,
        "SKIPPED",
        sha256=notebook.sha256,
        error=f"needs {' and '.join(lost)}, of which there is no complete result",
    )
