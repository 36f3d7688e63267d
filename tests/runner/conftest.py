"""A small project of a company, with notebooks as a test needs them, on the real CDNOW data."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat as nbf
import pytest
from filelock import FileLock
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console
from typer.testing import CliRunner

from crm.cli import app
from crm.config import Settings, read_settings
from crm.facts import read_facts
from crm.runner.progress import Lines
from crm.runner.receipt import Receipt, read_receipts
from crm.runner.request import Request, make_plan
from crm.runner.run import Result, run
from crm.tracking import start_store

PARAMETERS = """\
config: str = "crm.toml"  # the settings file
as_of: str = ""  # first day not known; empty: the date in crm.toml
run_folder: str = ""  # set by the runner; empty: a draft, nothing is published
"""

PUBLISH = """\
import pandas as pd
from crm.config import read_settings
from crm.finding import Finding
from crm.publishing import publish

settings = read_settings(config, as_of=as_of)
finding = Finding("worth", "They are worth {{worth:.0f}}.", {{"worth": {worth}}}, settings.as_of)
scores = {{"{score}": pd.DataFrame({{"customer_id": ["2", "1"], "worth": [{worth}, 1.5]}})}}
publish(
    "{name}",
    settings=settings,
    run_folder=run_folder,
    findings=[finding],
    scores=scores,
    mlflow_run_ids={models},
)
"""


@dataclass(frozen=True)
class Project:
    """A folder with crm.toml and notebooks."""

    home: Path

    @property
    def reports(self) -> Path:
        return self.home / "reports"

    @property
    def scores(self) -> Path:
        return self.home / "data" / "scores"

    @property
    def settings(self) -> Settings:
        return read_settings(self.home / "crm.toml")

    @property
    def receipts(self) -> list[Receipt]:
        return read_receipts(self.reports)

    def configure(self, **runs: float) -> None:
        """Write crm.toml again, with these values in its section [runs]."""
        toml = (self.home / "crm.toml").read_text().split("[runs]")[0]
        lines = "\n".join(f"{name} = {value}" for name, value in runs.items())
        (self.home / "crm.toml").write_text(f"{toml}[runs]\n{lines}\n")

    def notebook(
        self,
        name: str,
        *cells: str,
        worth: float | str = 3.0,
        needs: Sequence[str] = (),
        models: Sequence[str] = (),
        publishes: bool = True,
        parameters: str = "",
    ) -> Path:
        """A report notebook: its parameters and these beside, these cells, and at the end what it publishes."""
        publish = PUBLISH.format(name=name, worth=worth, score=name[3:], models=list(models))
        ending = [publish] if publishes else []
        code = [new_code_cell(textwrap.dedent(cell)) for cell in [*cells, *ending]]
        tagged = new_code_cell(PARAMETERS + parameters, metadata={"tags": ["parameters"]})
        metadata = {"crm": {"needs": list(needs)}} if needs else {}
        content = new_notebook(cells=[new_markdown_cell(f"# What of {name[3:]}?"), tagged, *code], metadata=metadata)
        path = self.home / "notebooks" / f"{name}.ipynb"
        nbf.write(content, path)
        return path

    def run(self, *only: str, as_of: str | None = None, jobs: int = 2) -> Result:
        """A run within this process."""
        settings = read_settings(self.home / "crm.toml", as_of=as_of)
        request = Request(
            self.home / "crm.toml", settings, started=dt.datetime.now(dt.UTC), only=only or None, jobs=jobs
        )
        return run(make_plan(request), display=Lines(Console(file=io.StringIO())))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command `crm`, in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "crm", *arguments],
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command `crm`, to its end, in a process of its own: for what only a process can show."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command `crm`, to its end, within this process; an error that it does not tell is raised here."""
        with contextlib.chdir(self.home):
            done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    def shown(self) -> dict[str, str]:
        """What everybody sees: a hash of every file under reports/latest and data/scores."""
        places = {"latest": self.reports / "latest", "scores": self.scores}
        return {
            f"{name}/{file.relative_to(place.resolve())}": hashlib.sha256(file.read_bytes()).hexdigest()
            for name, place in places.items()
            for file in sorted(place.resolve().rglob("*"))
            if file.is_file()
        }


@pytest.fixture(scope="session")
def prepared(shared_folder: Path) -> Path:
    """A project whose data are checked and whose model store is there, for others to start from."""
    home = shared_folder / "prepared"
    with FileLock(shared_folder / ".prepared.lock"):
        if not home.exists():
            (home / "notebooks").mkdir(parents=True)
            (home / "crm.toml").write_text(
                f'[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-07-01\n'
                f'[tracking]\nuri = "sqlite:///{home}/mlruns/mlflow.db"\n[runs]\n'
            )
            settings = read_settings(home / "crm.toml")
            read_facts(settings)
            start_store(settings)
    return home


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Project:
    """A project without notebooks and without runs."""
    return copy_of(prepared, tmp_path / "project")


@pytest.fixture(scope="session")
def copy_of_project() -> Callable[[Path, Path], Project]:
    """See `copy_of`."""
    return copy_of


def copy_of(prepared: Path, home: Path) -> Project:
    """The prepared project at a place of its own, without notebooks and without runs."""
    (home / "notebooks").mkdir(parents=True)
    shutil.copy(prepared / "crm.toml", home)
    shutil.copytree(prepared / "data" / "mart", home / "data" / "mart", copy_function=os.link)
    return Project(home)
