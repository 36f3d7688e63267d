"""The order of execution: several notebooks at a time, each after those whose scores it reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from crm.runner.leaving_out import left_out_too
from crm.runner.notebooks import Notebook
from crm.runner.receipt import NotebookRecord

Execute = Callable[[Notebook], NotebookRecord]
Tell = Callable[[NotebookRecord], None]


def execute_in_order(
    notebooks: Sequence[Notebook],
    *,
    earlier: Sequence[NotebookRecord],
    jobs: int,
    stop: threading.Event,
    execute: Execute,
    tell: Tell,
) -> None:
    """Execute every notebook whose needs are met, `jobs` at a time.

    Of the others, those that need a LEFT_OUT one are so too, and those that need one that failed are SKIPPED.

    earlier:   notebooks that are not executed now, whose scores are there already or which were left out.
    tell:      gets each record as soon as there is one, in the calling thread.
    If the caller is interrupted, `stop` is set, and what was under way is waited for and told.
    """
    schedule = _Schedule(notebooks, earlier=earlier, tell=tell)
    with ThreadPoolExecutor(jobs, thread_name_prefix="notebook") as pool:
        try:
            while schedule.waiting or schedule.running:
                schedule.end_the_hopeless()
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

    def __init__(self, notebooks: Sequence[Notebook], *, earlier: Sequence[NotebookRecord], tell: Tell) -> None:
        self.waiting = list(notebooks)
        self.running: dict[Future[NotebookRecord], Notebook] = {}
        self._whole: set[str] = set()
        self._left_out: dict[str, NotebookRecord] = {}
        self._tell = tell
        for record in earlier:
            self._note(record)

    def ready(self) -> list[Notebook]:
        """The waiting notebooks whose needs are met, and of which no other is awaited."""
        coming = self._coming()
        return [
            notebook
            for notebook in self.waiting
            if self._whole.issuperset(notebook.needs) and coming.isdisjoint(notebook.after)
        ]

    def end_the_hopeless(self) -> None:
        """End each waiting notebook of whose needs one was not met, and then those that need it."""
        while lost := [(notebook, names) for notebook in self.waiting if (names := self._lost(notebook))]:
            for notebook, names in lost:
                self.waiting.remove(notebook)
                record = self._without(notebook, names)
                self._note(record)
                self._tell(record)

    def begin(self, notebook: Notebook, future: Future[NotebookRecord]) -> None:
        """It is being executed."""
        self.waiting.remove(notebook)
        self.running[future] = notebook

    def finish(self, done: Collection[Future[NotebookRecord]]) -> None:
        """These have ended."""
        for future in sorted(done, key=lambda one: self.running[one].name):
            del self.running[future]
            record = future.result()
            self._note(record)
            self._tell(record)

    def _note(self, record: NotebookRecord) -> None:
        if record.usable:
            self._whole.add(record.name)
        elif record.left_out:
            self._left_out[record.name] = record

    def _lost(self, notebook: Notebook) -> list[str]:
        """The needs that were not met, as soon as all have ended: how they ended must not depend on who was first."""
        if not self._coming().isdisjoint(notebook.needs):
            return []
        return [name for name in notebook.needs if name not in self._whole]

    def _coming(self) -> set[str]:
        """Those that have not ended."""
        return {one.name for one in (*self.waiting, *self.running.values())}

    def _without(self, notebook: Notebook, lost: Sequence[str]) -> NotebookRecord:
        failed = [name for name in lost if name not in self._left_out]
        if failed:
            return _skipped(notebook, failed)
        return left_out_too(notebook, [self._left_out[name] for name in lost])


def _skipped(notebook: Notebook, lost: Sequence[str]) -> NotebookRecord:
    return NotebookRecord(
        notebook.name,
        notebook.title,
        "SKIPPED",
        sha256=notebook.sha256,
        error=f"needs {' and '.join(lost)}, of which there is no complete result",
    )
