"""What an operator sees while a run is under way: bars on a terminal, a line for each event in a log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from crm.runner.receipt import NotebookRecord

if TYPE_CHECKING:
    from crm.runner.notebooks import Notebook

_COLOURS = {"COMPLETE": "green", "CARRIED": "green", "LEFT_OUT": "cyan", "FAILED": "red", "SKIPPED": "yellow"}


class Display(Protocol):
    """Told what happens, from several threads."""

    def step(self, text: str) -> None:
        """Something that takes a while begins."""

    def notebooks(self, notebooks: Sequence[Notebook]) -> contextlib.AbstractContextManager[None]:
        """While this lasts, these are executed."""

    def cell(self, notebook: str, started: int) -> None:
        """The n-th code cell of a notebook begins."""

    def ended(self, record: NotebookRecord) -> None:
        """A notebook has ended."""

    def warn(self, text: str) -> None:
        """The run goes on, and somebody should read this."""


def display_on(console: Console) -> Display:
    """Bars where they can be drawn, lines elsewhere."""
    return Bars(console) if console.is_terminal else Lines(console)


class Lines:
    """A line for each event, as a log or a mail wants it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def step(self, text: str) -> None:
        """One line."""
        self._console.print(f"{escape(text)} …", highlight=False)

    @contextlib.contextmanager
    def notebooks(self, notebooks: Sequence[Notebook]) -> Iterator[None]:
        """One line."""
        self.step(f"Executing {len(notebooks)} notebook{'' if len(notebooks) == 1 else 's'}")
        yield

    def cell(self, notebook: str, started: int) -> None:
        """Nothing: a log is not filled with cells."""

    def ended(self, record: NotebookRecord) -> None:
        """One line, with the error if there is one."""
        self._console.print(line_of(record), highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line."""
        self._console.print(f"[yellow]{escape(text)}[/yellow]", highlight=False, soft_wrap=True)


class Bars(Lines):
    """A bar for each notebook, over the cells that were started."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    @contextlib.contextmanager
    def notebooks(self, notebooks: Sequence[Notebook]) -> Iterator[None]:
        """The bars are shown, and give way to a line for each notebook that has ended."""
        for notebook in notebooks:
            total = notebook.code_cells + 1  # the runner's own cell of parameters
            self._tasks[notebook.name] = self._progress.add_task(notebook.name, total=total, start=False)
        with self._progress:
            yield

    def cell(self, notebook: str, started: int) -> None:
        """The bar grows by what was started before."""
        task = self._tasks[notebook]
        if started == 1:
            self._progress.start_task(task)
        self._progress.update(task, completed=started - 1)

    def ended(self, record: NotebookRecord) -> None:
        """The line takes the place of the bar."""
        if record.name in self._tasks:
            self._progress.remove_task(self._tasks.pop(record.name))
        super().ended(record)


def line_of(record: NotebookRecord) -> str:
    """How a notebook ended, in one line of rich's markup."""
    colour = _COLOURS[record.status]
    took = f"  {record.seconds:.1f} s, {record.peak_memory_mb or 0:,.0f} MB" if record.seconds is not None else ""
    how = f" from {record.carried_from}" if record.carried_from else took
    error = f": {record.error}" if record.error else ""
    status = record.status.replace("_", " ")
    return f"  [{colour}]{status:<9}[/{colour}]{escape(record.name)}{escape(how)}{escape(error)}"
