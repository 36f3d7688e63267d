"""Notebooks are executed in the order of their needs; a failure, or one left out, costs only those that need it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pytest

from crm.runner.notebooks import Notebook
from crm.runner.receipt import NotebookRecord, NotebookStatus
from crm.runner.schedule import execute_in_order


def notebook(name: str, needs: Sequence[str] = ()) -> Notebook:
    return Notebook(name, Path(f"{name}.ipynb"), name, tuple(needs), (), 1, "")


def carry_out(
    needs: Mapping[str, Sequence[str]],
    *,
    failing: Collection[str] = (),
    thin: Collection[str] = (),
    earlier: Sequence[NotebookRecord] = (),
    jobs: int = 2,
    during: Callable[[str], None] = lambda name: None,
) -> list[tuple[str, str]]:
    """The names and how they ended, in that order."""
    told: list[tuple[str, str]] = []

    def execute(one: Notebook) -> NotebookRecord:
        during(one.name)
        if one.name in thin:
            return NotebookRecord(one.name, one.title, "LEFT_OUT", reason="Two are needed.")
        return NotebookRecord(one.name, one.title, "FAILED" if one.name in failing else "COMPLETE")

    execute_in_order(
        [notebook(name, wanted) for name, wanted in needs.items()],
        earlier=earlier,
        jobs=jobs,
        stop=threading.Event(),
        execute=execute,
        tell=lambda record: told.append((record.name, record.status)),
    )
    return told


def test_each_waits_for_those_whose_scores_it_reads():
    told = carry_out({"a": ["c"], "b": ["a"], "c": []})
    assert told == [("c", "COMPLETE"), ("a", "COMPLETE"), ("b", "COMPLETE")]


def test_a_failure_skips_those_that_need_it_and_no_others():
    told = carry_out({"a": [], "b": ["a"], "c": ["b"], "d": []}, failing=["a"], jobs=1)
    assert told == [("a", "FAILED"), ("b", "SKIPPED"), ("c", "SKIPPED"), ("d", "COMPLETE")]


@pytest.mark.parametrize(
    ("earlier", "ended"),
    [("COMPLETE", "COMPLETE"), ("CARRIED", "COMPLETE"), ("LEFT_OUT", "LEFT_OUT"), (None, "SKIPPED")],
)
def test_needs_outside_the_run_are_met_by_what_there_is_or_not_at_all(earlier: NotebookStatus | None, ended: str):
    records = [NotebookRecord("a", "", earlier)] if earlier else []
    assert carry_out({"b": ["a"]}, earlier=records) == [("b", ended)]


@pytest.mark.parametrize(
    ("needs", "ended"),
    [
        (["thin"], "LEFT_OUT"),
        (["thin", "fine"], "LEFT_OUT"),
        (["fine"], "COMPLETE"),
        (["thin", "fails"], "SKIPPED"),
        (["fails", "thin"], "SKIPPED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
@pytest.mark.parametrize("slow", ["thin", "fails", "fine"])
def test_what_needs_one_that_is_left_out_is_so_too_whoever_ends_first(needs: list[str], ended: str, slow: str):
    told = carry_out(
        {"thin": [], "fails": [], "fine": [], "last": needs, "after": ["last"]},
        failing=["fails"],
        thin=["thin"],
        jobs=3,
        during=lambda name: time.sleep(0.05 if name == slow else 0),
    )
    assert dict(told) == {
        "thin": "LEFT_OUT",
        "fails": "FAILED",
        "fine": "COMPLETE",
        "last": ended,
        "after": ended,
    }


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_as_many_run_at_once_as_there_are_jobs(jobs: int):
    running, most = 0, 0
    lock = threading.Lock()

    def during(name: str) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    assert len(carry_out(dict.fromkeys("abcdef", ()), jobs=jobs, during=during)) == 6
    assert most == jobs


def test_an_interruption_stops_what_runs_waits_for_it_and_tells_it():
    stop, told = threading.Event(), []

    def execute(one: Notebook) -> NotebookRecord:
        if one.name == "slow":
            stop.wait(20)
        return NotebookRecord(one.name, one.title, "FAILED" if one.name == "slow" else "COMPLETE")

    def tell(record: NotebookRecord) -> None:
        told.append((record.name, record.status))
        if record.name == "quick":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute_in_order(
            [notebook("quick"), notebook("slow"), notebook("waiting")],
            earlier=(),
            jobs=2,
            stop=stop,
            execute=execute,
            tell=tell,
        )
    assert told == [("quick", "COMPLETE"), ("slow", "FAILED")]
