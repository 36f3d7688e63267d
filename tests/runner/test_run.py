"""Runs of small notebooks on real kernels: who is complete, who is not, and what everybody sees afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat as nbf
import pandas as pd
import pytest

from crm.errors import ParameterError, RequestError
from crm.runner.receipt import read_receipt, write_receipt
from crm.runner.run import Result, first_findings
from crm.tracking import CHAMPION, champions
from crm.tracking.store import store_of

KILLED = "import os, signal, time\nprint('before the end')\ntime.sleep(1)\nos.kill(os.getpid(), signal.SIGKILL)"


def ended(result: Result) -> dict[str, str]:
    return {record.name: record.status for record in result.receipt.notebooks}


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files of this test's own, with a short path; other tests run at the same time."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_complete_run_is_published_whole(project, temporary: Path):
    project.notebook("01_base", "print('hello')")
    project.notebook(
        "02_value", needs=["01_base"], worth="float(len(open(run_folder + '/parts/01_base.json').read()))"
    )
    project.notebook("explore", "raise RuntimeError('is no report')", publishes=False)
    result = project.run()
    receipt = result.receipt
    assert (receipt.status, result.published, result.exit_status) == ("COMPLETE", True, 0), receipt
    assert ended(result) == {"01_base": "COMPLETE", "02_value": "COMPLETE"}
    latest = project.reports / "latest"
    assert latest.resolve() == result.folder
    assert {path.name for path in latest.iterdir()} >= {
        "receipt.json",
        "results.json",
        "index.html",
        "01_base.html",
        "01_base.as_run.html",
        "02_value.html",
    }
    assert pd.read_parquet(project.scores / "1998-07-01" / "base.parquet").to_dict("list") == {
        "customer_id": ["1", "2"],
        "worth": [1.5, 3.0],
    }
    assert json.loads((latest / "results.json").read_text())["notebooks"]["01_base"]["findings"] == [
        {"name": "worth", "sentence": "They are worth 3.", "values": {"worth": 3.0}, "as_of": "1998-07-01"}
    ]
    assert first_findings(result)[0] == ("01_base", "They are worth 3.")
    assert (project.reports / "index.html").is_file()
    record = receipt.notebooks[0]
    assert record.title == "What of base?"
    assert record.page == "01_base.html"
    assert record.parameters["run_folder"] == str(result.folder)
    assert record.seconds is not None
    assert 0 < record.seconds < (receipt.seconds or 0)
    assert 20 < (record.peak_memory_mb or 0) < 2000
    assert receipt.latency["data_days"] == 0
    assert receipt.source is not None
    assert receipt.source["tables"][0]["rows"] == 69659
    assert receipt.packages["papermill"]
    assert receipt.code["version"]
    assert (receipt.seed, receipt.as_of, receipt.error) == (20180101, "1998-07-01", None)
    assert list(temporary.iterdir()) == []
    assert not list(project.reports.rglob("*.tmp"))


def test_whatever_a_notebook_does_it_is_failed_and_the_others_are_not(project):
    project.notebook("01_fine")
    first = project.run()
    project.notebook("02_raises", "raise ValueError('no such\\ncolumn')")
    project.notebook("03_killed", KILLED)
    project.notebook("04_sys_exit", "import sys\nsys.exit(0)")
    project.notebook("05_os_exit", "import os\nos._exit(0)")
    project.notebook("06_forgot", "print('and that was it')", publishes=False)
    project.notebook("07_raises_afterwards", needs=["01_fine"])
    add_cell(project.home / "notebooks" / "07_raises_afterwards.ipynb", "1 / 0")
    project.notebook("08_needs_a_failed_one", needs=["02_raises"])
    project.notebook("09_needs_that_one", needs=["08_needs_a_failed_one"])
    project.notebook("10_also_fine", needs=["01_fine"])
    before = project.shown()
    result = project.run(jobs=3)
    assert (result.receipt.status, result.published, result.exit_status) == ("PARTIAL", False, 1)
    errors = {record.name: record.error for record in result.receipt.notebooks}
    assert errors == {
        "01_fine": None,
        "02_raises": "ValueError: no such (in cell [3])",
        "03_killed": "the kernel was killed (SIGKILL: by somebody, or by the system for want of memory) in cell [3]",
        "04_sys_exit": "SystemExit: 0 in cell [3]",
        "05_os_exit": "the kernel ended itself (exit status 0) in cell [3]",
        "06_forgot": 'published nothing: it must end with publish("06_forgot", …)',
        "07_raises_afterwards": "ZeroDivisionError: division by zero (in cell [4])",
        "08_needs_a_failed_one": "needs 02_raises, of which there is no complete result",
        "09_needs_that_one": "needs 08_needs_a_failed_one, of which there is no complete result",
        "10_also_fine": None,
    }
    assert set(ended(result).values()) == {"COMPLETE", "FAILED", "SKIPPED"}
    records = {record.name: record for record in result.receipt.notebooks}
    assert "ValueError: no such" in records["02_raises"].last_lines
    assert "before the end" in records["03_killed"].last_lines
    assert "and that was it" in records["06_forgot"].last_lines
    for name, record in records.items():
        executed = record.status != "SKIPPED"
        assert (result.folder / "notebooks" / f"{name}.ipynb").is_file() is executed
        assert (result.folder / f"{name}.html").is_file() is executed
        assert record.page == (f"{name}.html" if executed else None)
    results = json.loads((result.folder / "results.json").read_text())
    assert list(results["notebooks"]) == ["01_fine", "10_also_fine"]
    assert project.shown() == before
    assert (project.reports / "latest").resolve() == first.folder


def add_cell(path: Path, source: str) -> None:
    content = nbf.read(path, as_version=4)
    content.cells.append(nbf.v4.new_code_cell(source))
    nbf.write(content, path)


@pytest.mark.slow
def test_a_notebook_that_takes_too_long_is_stopped_and_the_next_run_works(project):
    project.configure(minutes_per_notebook=0.1)
    project.notebook("01_slow", "print('still here', flush=True)\nimport time\ntime.sleep(60)")
    result = project.run()
    (record,) = result.receipt.notebooks
    assert (result.receipt.status, record.status) == ("FAILED", "FAILED")
    assert record.error == "timed out after 0.1 minutes, in cell [3]"
    assert record.last_lines == ("still here",)
    assert record.seconds is not None
    assert 6 <= record.seconds < 10
    assert not (project.reports / "latest").exists()
    assert not project.scores.exists()
    project.notebook("01_slow")
    assert project.run().published


def test_same_inputs_give_the_same_scores_byte_for_byte(project):
    project.notebook("01_base")
    folders = [project.run(jobs=jobs).folder for jobs in (1, 2)]
    one, two = (folder / "scores" / "1998-07-01" / "base.parquet" for folder in folders)
    assert not one.samefile(two)
    assert one.read_bytes() == two.read_bytes()


def test_one_notebook_at_a_time_and_the_last_completes_the_set(project):
    project.notebook("01_base")
    project.notebook("02_value", needs=["01_base"], worth=4.0)
    early = project.run("02_value")
    assert ended(early) == {"02_value": "SKIPPED"}
    assert (early.receipt.status, early.exit_status) == ("FAILED", 1)
    first = project.run("01_base")
    assert (first.receipt.status, first.published, first.exit_status) == ("COMPLETE", False, 0)
    assert first.receipt.missing == ("02_value",)
    assert not (project.reports / "latest").exists()
    second = project.run("02_value")
    assert (second.receipt.status, second.published, second.receipt.missing) == ("COMPLETE", True, ())
    assert ended(second) == {"01_base": "CARRIED", "02_value": "COMPLETE"}
    assert second.receipt.notebooks[0].carried_from == first.receipt.run_id
    assert second.receipt.notebooks[0].page == "01_base.html"
    page = "01_base.html"
    assert (second.folder / page).samefile(first.folder / page)
    assert (project.scores / "1998-07-01" / "base.parquet").samefile(first.folder / "scores/1998-07-01/base.parquet")
    assert [name for name, _ in first_findings(second)] == ["01_base", "02_value"]


@pytest.mark.slow
def test_results_are_not_carried_from_other_dates_settings_or_notebooks(project):
    project.notebook("01_base")
    project.notebook("02_value")
    first = project.run()
    other_date = project.run("02_value", as_of="1998-06-01")
    assert (other_date.receipt.missing, other_date.published) == (("01_base",), False)
    assert other_date.receipt.latency["data_days"] == 0
    project.configure(seed=7)
    assert project.run("02_value").receipt.missing == ("01_base",)
    project.configure()
    again = project.run("02_value")
    assert again.receipt.notebooks[0].carried_from == first.receipt.run_id
    project.notebook("01_base", "# another line")
    assert project.run("02_value").receipt.missing == ("01_base",)
    assert (project.reports / "latest").resolve() == again.folder


def test_scores_of_other_dates_stay_published(project):
    project.notebook("01_base")
    project.run(as_of="1998-06-01")
    project.run()
    assert sorted(place.name for place in project.scores.iterdir()) == ["1998-06-01", "1998-07-01"]


def test_wrong_requests_start_nothing(project):
    project.notebook("01_base")
    with pytest.raises(RequestError, match="the nearest known name is 01_base"):
        project.run("01_bas")
    path = project.home / "notebooks" / "01_base.ipynb"
    path.write_text(path.read_text().replace("  # the settings file", ""))
    with pytest.raises(ParameterError, match="config has no comment"):
        project.run()
    assert not project.reports.exists()


def test_what_fails_before_the_notebooks_is_in_the_receipt(project):
    project.notebook("01_base")
    kept = next((project.home / "data" / "mart").glob("*/facts/outcomes.json"))
    outcomes = json.loads(kept.read_text())
    kept.unlink()
    kept.write_text(json.dumps([outcomes[0], {**outcomes[0], "outcome": "spoilt", "rows": 9_999}]))
    result = project.run()
    assert (result.receipt.status, result.exit_status, result.published) == ("FAILED", 1, False)
    assert "spoilt" in (result.receipt.error or "")
    assert ended(result) == {"01_base": "SKIPPED"}
    assert (result.folder / "index.html").is_file()


def test_a_date_before_all_purchases_starts_no_notebook(project):
    project.notebook("01_base")
    result = project.run(as_of="1997-01-01")
    assert (result.receipt.status, result.exit_status, result.published) == ("FAILED", 1, False)
    assert result.receipt.error == (
        "There must be purchases before the as-of date. Found: the first purchase on 1997-01-01, the as-of date "
        "1997-01-01. Choose a later date, up to 1998-07-01: --as-of, or [clock] as_of in crm.toml."
    )
    assert ended(result) == {"01_base": "SKIPPED"}
    assert list((result.folder / "notebooks").iterdir()) == []


def test_what_the_reader_can_mend_is_one_line_without_a_traceback(project):
    project.notebook(
        "01_base",
        "from crm.publishing import NotPublishable",
        "raise NotPublishable('It must be so.', found='two\\nlines', do='Mend it.')",
    )
    (record,) = project.run().receipt.notebooks
    assert (record.error, record.last_lines) == ("It must be so. Found: two lines. Mend it. (in cell [4])", ())


@pytest.fixture
def small_reports(project) -> Iterator[Path]:
    """A reports folder with room for one megabyte."""
    project.reports.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(project.reports)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root can make a file system of a size of its own")
    yield project.reports
    subprocess.run(["umount", "--lazy", str(project.reports)], check=True)


FILLS = """\
with open(run_folder + "/notebooks/large", "wb", buffering=0) as file:
    while True:
        file.write(bytes(4096))"""


@pytest.mark.parametrize(
    ("cell", "receipt_says"),
    [(FILLS, "RUNNING"), ("print('many words ' * 45_000)", "FAILED")],
    ids=["by a notebook", "by the pages"],
)
def test_a_full_reports_folder_is_one_sentence_and_latest_stays(
    project, small_reports: Path, cell, receipt_says: str
):
    project.notebook("01_base")
    first = project.run()
    assert first.published, first
    before = project.shown()
    project.notebook("01_base", cell)
    done = project.command("run")
    assert done.returncode == 1, done
    assert (
        f"The folder {small_reports} must be writable and have room. Found: No space left on device." in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert project.shown() == before
    (failed,) = [receipt for receipt in project.receipts if receipt.run_id != first.receipt.run_id]
    assert failed.status == receipt_says  # as far as there was room to say so
    assert project.command("status").returncode == 1


def test_an_error_nobody_expected_is_one_line_and_a_traceback_in_the_log(project):
    project.notebook("01_base")
    next((project.home / "data" / "mart").glob("*/facts/tables.json")).unlink()
    result = project.run()
    assert (result.receipt.status, result.exit_status) == ("FAILED", 1)
    assert (result.problem or "").startswith("FileNotFoundError: ")
    assert "Traceback" in (result.folder / "error.log").read_text()
    assert result.receipt.error == result.problem


def test_a_kernel_of_the_users_own_does_not_interfere(project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise RuntimeError('from the profile')")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    project.notebook(
        "01_base",
        "import os, sys\nfrom IPython import get_ipython",
        "connection = get_ipython().kernel.parent",
        "assert connection.transport == 'ipc'",
        "assert os.stat(os.path.dirname(connection.connection_file)).st_mode & 0o077 == 0",
        f"assert sys.executable == {sys.executable!r}",
        "assert os.environ['OMP_NUM_THREADS'] == '1'",
        "assert os.path.basename(os.getcwd()) == 'notebooks'",
    )
    result = project.run()
    assert result.published, result.receipt.notebooks


def test_the_notebook_as_run_is_kept_with_the_models_it_logged(project):
    store = store_of(project.settings)
    with store.locked():
        model = store.client.create_run(store.experiment("toy")).info.run_id
    project.notebook("01_base", models=[model])
    project.notebook("02_value", models=["0" * 32])
    result = project.run()
    first, second = result.receipt.notebooks
    assert (first.status, first.mlflow_run_ids) == ("COMPLETE", (model,))
    assert [one.path for one in store.client.list_artifacts(model, "notebook")] == ["notebook/01_base.ipynb"]
    assert second.status == "FAILED"
    assert (second.error or "").startswith("its notebook could not be kept with its models: The MLflow store must be")


def a_version(project, name: str, *, of_run: str) -> tuple[str, str]:
    """A registered model that is not approved yet, made in the run `of_run`: its MLflow run and its version."""
    store = store_of(project.settings)
    with store.locked():
        client = store.client
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        tags = {"crm.run_id": of_run, "crm.model": name}
        run_id = client.create_run(store.experiment(name), tags=tags).info.run_id
        version = client.create_model_version(name, source=str(project.home), run_id=run_id, tags=tags).version
        client.set_tag(run_id, "crm.model_version", str(version))
    return run_id, str(version)


@pytest.fixture
def own_store(project, monkeypatch: pytest.MonkeyPatch):
    """A project with a model store of its own."""
    store = project.home / "mlruns"
    shutil.copytree(Path(store_of(project.settings).database or "").parent, store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}/mlflow.db")
    return project


def test_models_are_approved_when_they_are_published_also_of_carried_notebooks(own_store):
    project = own_store
    first, version = a_version(project, "toy", of_run="r")
    project.notebook("01_base", models=[first])
    project.notebook("02_value", "1 / 0")
    assert project.run().receipt.status == "PARTIAL"
    assert champions(project.settings) == {}
    project.notebook("02_value")
    result = project.run("02_value")
    assert (ended(result)["01_base"], result.published) == ("CARRIED", True)
    assert result.receipt.champions == {}
    assert champions(project.settings) == {"toy": {"version": version, "run": "r"}}
    assert project.run("02_value").receipt.champions == {"toy": {"version": version, "run": "r"}}


def test_a_publication_stands_even_if_its_models_cannot_be_approved(own_store):
    project = own_store
    model, _ = a_version(project, "toy", of_run="r")
    store = store_of(project.settings)
    store.client.set_tag(model, "crm.model_version", "99")
    project.notebook("01_base", models=[model])
    result = project.run()
    assert (result.receipt.status, result.published, result.exit_status) == ("COMPLETE", True, 1)
    assert (result.problem or "").startswith("The MLflow store must be readable and writable.")
    assert (project.reports / "latest").resolve() == result.folder


def test_results_are_carried_only_where_the_same_models_were_approved_or_made_there(own_store):
    project = own_store
    project.notebook("01_base")
    project.notebook("02_value")
    first = project.run()
    _, made_there = a_version(project, "toy", of_run=first.receipt.run_id)
    _, made_elsewhere = a_version(project, "toy", of_run="another")
    client = store_of(project.settings).client
    client.set_registered_model_alias("toy", CHAMPION, made_there)
    second = project.run("02_value")
    assert (ended(second)["01_base"], second.published) == ("CARRIED", True)
    client.set_registered_model_alias("toy", CHAMPION, made_elsewhere)
    assert project.run("02_value").receipt.missing == ("01_base",)
    receipt = read_receipt(first.folder)
    assert receipt is not None
    started_from = {"toy": {"version": made_elsewhere, "run": "another"}}
    write_receipt(first.folder, replace(receipt, champions=started_from))
    assert ended(project.run("02_value"))["01_base"] == "CARRIED"
