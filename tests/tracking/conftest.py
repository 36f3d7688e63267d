"""What the tests of tracking share: a store of their own, a run's folder, what charts look like from here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from crm.facts import Facts
from crm.tracking.store import store_of


@dataclass(frozen=True)
class Picture:
    """An image file."""

    content: bytes = b"<svg/>"
    kind: str = "svg"


@dataclass(frozen=True)
class Chart:
    """What reporting's charts look like from here."""

    picture: Picture | None


@pytest.fixture(scope="session")
def drawn() -> Callable[[str], Mapping[str, Chart]]:
    """Figures for a tracker: one of this name, and one that had nothing to draw."""
    return lambda name: {name: Chart(Picture()), "nothing": Chart(None)}


@pytest.fixture
def facts(made: tuple[Facts, Any], empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Facts:
    """The facts of the test's `made`, in a project with a store of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    own = replace(made[0], settings=made[0].settings.model_copy(update={"home": tmp_path / "home"}))
    database = store_of(own.settings).database
    assert database is not None
    database.parent.mkdir(parents=True)
    shutil.copy(empty_store, database)
    return own


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Of a run of 2018-01-01."""
    folder = tmp_path / "reports" / "2018-01-01_20180102T030000Z_3f2a"
    folder.mkdir(parents=True)
    return folder
