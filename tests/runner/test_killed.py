"""`kill -9` on the runner, at the moments that matter: what everybody sees is the old run or the new, and whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from crm.runner.lock import read_note
from crm.runner.receipt import WITHOUT_A_WORD, read_receipt

pytestmark = pytest.mark.slow

OLD_DATES = 4_000  # score files of another date, which make the moment before publication last
WORTH = "float(open('worth.txt').read())"
WAITING = (
    "from pathlib import Path\nPath('started').touch()\nimport time\nwhile Path('wait').exists(): time.sleep(0.01)"
)


@pytest.fixture(scope="module")
def once_published(prepared: Path, tmp_path_factory: pytest.TempPathFactory, copy_of_project):
    """A project with a published run, whose next run would publish other scores."""
    project = copy_of_project(prepared, tmp_path_factory.mktemp("published") / "project")
    worth = project.home / "notebooks" / "worth.txt"
    worth.write_text("1")
    project.notebook("01_base", WAITING, worth=WORTH)
    project.notebook("02_value", worth=WORTH)
    assert project.run().published
    (worth.parent / "started").unlink()
    worth.write_text("2")
    return project


@pytest.fixture
def published(once_published, tmp_path: Path):
    """A copy of that project of one's own."""
    home = tmp_path / "project"
    shutil.copytree(once_published.home, home, symlinks=True)
    return replace(once_published, home=home)


def newest(project) -> Path:
    """The folder of the run that is under way, which is not the published one."""
    latest = (project.reports / "latest").resolve()
    folders = [path for path in (project.reports / "runs").glob("[!.]*") if path != latest]
    return folders[0] if folders else Path("none")


def older_dates(project) -> None:
    """Give the published run so many scores of other dates that carrying them takes a while."""
    folder = project.reports / "latest" / "scores" / "1990-01-01"
    folder.mkdir()
    (folder / "0.parquet").write_text("x")
    for number in range(1, OLD_DATES):
        os.link(folder / "0.parquet", folder / f"{number}.parquet")


def status_of(folder: Path) -> str | None:
    receipt = read_receipt(folder)
    return receipt.status if receipt else None


def kill_when(process: subprocess.Popen[str], moment: Callable[[], object]) -> list[psutil.Process]:
    """Kill the runner as soon as `moment` has come; gives the kernels it had."""
    deadline = time.monotonic() + 90
    while not moment():
        assert process.poll() in (None, 0), process.communicate()
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.001)
    kernels = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.kill()
    process.communicate()
    return kernels


def all_ended(processes: list[psutil.Process], *, seconds: float = 5) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not alive


def check_next_run(project, dead: Path) -> None:
    """The next run needs no hand work: it buries the dead, publishes, and leaves nothing behind."""
    note = read_note(project.reports)
    result = project.run()
    assert (result.receipt.status, result.published) == ("COMPLETE", True)
    assert (project.reports / "latest").resolve() == result.folder
    assert (project.scores / "1998-07-01" / "base.parquet").samefile(result.folder / "scores/1998-07-01/base.parquet")
    assert status_of(dead) in ("FAILED", "COMPLETE")
    assert not list(project.reports.rglob(".*.tmp"))
    assert note is None or not Path(note.private_folder).exists()


def test_before_anything_was_executed(published):
    before = published.shown()
    with published.start("run") as process:
        kernels = kill_when(process, lambda: status_of(newest(published)) == "RUNNING")
    assert published.shown() == before
    dead = newest(published)
    status = published.command("status")
    assert status.returncode == 1
    assert WITHOUT_A_WORD in status.stdout
    assert all_ended(kernels)
    check_next_run(published, dead)
    receipt = read_receipt(dead)
    assert receipt is not None
    assert (receipt.error, {one.status for one in receipt.notebooks}) == (WITHOUT_A_WORD, {"FAILED"})
    assert (dead / "index.html").is_file()


def test_while_a_notebook_is_executed(published):
    before = published.shown()
    notebooks = published.home / "notebooks"
    (notebooks / "wait").touch()
    with published.start("run") as process:
        kernels = kill_when(process, (notebooks / "started").exists)
    assert kernels
    assert all_ended(kernels)
    assert published.shown() == before
    (notebooks / "wait").unlink()
    check_next_run(published, newest(published))


def test_when_all_is_executed_and_nothing_rendered(published):
    before = published.shown()
    with published.start("run") as process:
        kernels = kill_when(process, lambda: len(list(newest(published).glob("parts/*.json"))) == 2)
    assert published.shown() == before
    assert all_ended(kernels)
    check_next_run(published, newest(published))


def test_just_before_the_publication(published):
    older_dates(published)
    before = published.shown()
    with published.start("run") as process:
        kill_when(process, (newest_scores := lambda: (newest(published) / "scores" / "1990-01-01").exists()))
    assert newest_scores()
    dead = newest(published)
    assert status_of(dead) == "COMPLETE"  # its own work was done; nobody has seen it yet
    assert published.shown() == before
    check_next_run(published, dead)


def test_just_after_the_publication(published):
    latest = published.reports / "latest"
    old = latest.readlink()
    before = published.shown()
    with published.start("run") as process:
        kill_when(process, lambda: latest.readlink() != old)
    shown = published.shown()
    assert shown != before
    assert status_of(latest) == "COMPLETE"
    assert {name for name in shown if name.startswith("scores/")} == {
        "scores/1998-07-01/base.parquet",
        "scores/1998-07-01/value.parquet",
    }
    for name in ("base", "value"):
        assert shown[f"scores/1998-07-01/{name}.parquet"] == shown[f"latest/scores/1998-07-01/{name}.parquet"]
    assert set(shown) == set(before)
    check_next_run(published, latest.resolve())


@pytest.mark.parametrize("seconds", [0.4, 1.6, 2.8])
def test_some_time_after_its_beginning(published, seconds: float):
    old = (published.reports / "latest").readlink()
    before = published.shown()
    with published.start("run") as process:
        began: list[float] = []

        def moment() -> bool:
            if not began and newest(published).exists():
                began.append(time.monotonic())
            return bool(began) and (time.monotonic() > began[0] + seconds or process.poll() is not None)

        kill_when(process, moment)
    if (published.reports / "latest").readlink() == old:
        assert published.shown() == before
    else:
        assert status_of(published.reports / "latest") == "COMPLETE"
        assert set(published.shown()) == set(before)
    assert published.run().published
