"""What an operator sees: a line for each notebook that ended, whether there is a terminal or not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from crm.runner.notebooks import Notebook
from crm.runner.progress import display_on
from crm.runner.receipt import NotebookRecord

NOTEBOOKS = [Notebook(name, Path(name), name, (), (), 3, "") for name in ("01_a", "02_b", "03_c")]
RECORDS = [
    NotebookRecord("01_a", "A?", "COMPLETE", seconds=12.34, peak_memory_mb=1234.5),
    NotebookRecord("02_b", "B?", "FAILED", seconds=1.0, peak_memory_mb=10.0, error="[x] is no key"),
    NotebookRecord("03_c", "C?", "SKIPPED", error="needs 02_b"),
    NotebookRecord("04_d", "D?", "LEFT_OUT", seconds=2.0, peak_memory_mb=20.0, reason="Too few."),
    NotebookRecord("00_z", "Z?", "CARRIED", seconds=5.0, carried_from="r1"),
]


@pytest.mark.parametrize("terminal", [True, False])
def test_every_notebook_ends_in_a_line(terminal: bool):
    text = io.StringIO()
    display = display_on(Console(file=text, force_terminal=terminal, color_system=None, width=100))
    display.step("Reading the source cdnow")
    with display.notebooks(NOTEBOOKS):
        for cell in (1, 2):
            display.cell("01_a", cell)
        for record in RECORDS:
            display.ended(record)
    shown = text.getvalue()
    for line in (
        "Reading the source cdnow …",
        "COMPLETE 01_a  12.3 s, 1,234 MB",
        "FAILED   02_b  1.0 s, 10 MB: [x] is no key",
        "SKIPPED  03_c: needs 02_b",
        "LEFT OUT 04_d  2.0 s, 20 MB",
        "CARRIED  00_z from r1",
    ):
        assert line in shown
    assert ("0/4 cells" in shown) is terminal
