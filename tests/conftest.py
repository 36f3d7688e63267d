"""What every test may ask for: tables drawn as text, and real facts read once for all."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pytest
from filelock import FileLock
from real_postgres import postgres  # noqa: F401 - a fixture, for whoever asks

from crm.config import Settings, read_settings
from crm.engine import connection
from crm.facts import Facts, read_facts
from crm.mart import Mart, roll_up
from crm.periods import day_number
from crm.runner import formats  # noqa: F401 - before a test imports nbformat, which then takes no second
from crm.tracking import start_store

ROOT = Path(__file__).resolve().parents[1]

# A test run starts hundreds of processes: what the first of them has compiled, the others need not compile again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SLOW = (
    "published/test_campaigns_of_complete_journey",
    "recovery/",
    "notebooks/test_other_sources",
    "notebooks/test_each_table_missing",
    "reports/test_browser_real_run",
    "notebooks/test_run_all",
    "notebooks/test_headlines",
    "notebooks/test_real_run",
    "published/test_defection_off_the_shelf",
    "properties/test_assignment_keeps_to_its_limits",
    "published/test_cross_sell_benchmark",
    "published/test_defection_benchmark",
    "published/test_lifetime_value_benchmark",
    "runner/test_killed",
    "tracking/test_tracked_defection",
    "tracking/test_tracked_lifetime_value",
    "unit/analyses/campaign_success/test_bad_campaigns",
    "unit/analyses/campaign_success/test_model",
    "unit/analyses/defection/test_thin_and_odd",
    "unit/analyses/lifetime_value/test_reviewing",
    "unit/analyses/lifetime_value/test_thin_and_odd",
    "unit/analyses/test_thin_data",
    "unit/proposal/test_never_silently_wrong",
)
"""What `make slow` runs and `make test` leaves out, the longest first; continuous integration runs both."""

LATER_LONGEST_FIRST = ("notebooks/", "unit/analyses/", "published/", "tracking/", "unit/proposal/", "runner/")
"""Of the others those that take longest come first: at the end there is then little to wait for."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow; the longest first, otherwise in their order."""
    order = (*SLOW, *LATER_LONGEST_FIRST)

    def place(item: pytest.Item) -> int:
        file = item.path.relative_to(ROOT / "tests").as_posix()
        return next((place for place, name in enumerate(order) if file.startswith(name)), len(order))

    for item in items:
        if place(item) < len(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=place)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


def draw_table(text: str) -> pd.DataFrame:
    """A table drawn as text: columns separated by blanks, `-` for an empty cell, dates as 2017-03-01."""
    header, *rows = (line.split() for line in text.strip().splitlines())
    table = pd.DataFrame(rows, columns=header).replace("-", None)
    for name in table.columns:
        if name.endswith("_at"):
            table[name] = pd.to_datetime(table[name], format="ISO8601")
        elif not name.endswith("_id") and table[name].notna().any():
            table[name] = _typed(table[name])
    return table


def _typed(cells: pd.Series) -> pd.Series:
    """Numbers, True and False, or words: whichever the drawn cells are."""
    if cells.dropna().isin(["True", "False"]).all():
        return cells.map({"True": True, "False": False}).astype("boolean")
    try:
        return pd.to_numeric(cells)
    except ValueError:
        return cells.astype("str")


@pytest.fixture(scope="session")
def draw() -> Callable[[str], pd.DataFrame]:
    """See `draw_table`."""
    return draw_table


_EVENTS = {
    "purchases": "ordered_at", "returns": "returned_at", "contacts": "contacted_at", "responses": "responded_at",
    "customers": "joined_at", "service_cases": "opened_at", "visits": "visited_at", "deliveries": "delivered_at",
    "subscriptions": "started_at",
}  # fmt: skip
_OPTIONAL = {
    "purchases": {"product_id": "str", "quantity": "float64", "discount_amount": "float64",
                  "coupon_amount": "float64", "channel": "str", "store_id": "str"},
    "products": {"margin_rate": "float64"},
    "deliveries": {"complete": "boolean", "undamaged": "boolean", "documented": "boolean"},
    "contacts": {"arm": "str"},
    "subscriptions": {"plan": "str", "monthly_fee": "float64"},
}  # fmt: skip


def canonical(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A drawn table with the columns its contract promises: optional ones empty, day numbers beside moments."""
    table = table.copy()
    for column, kind in _OPTIONAL.get(name, {}).items():
        values = table[column] if column in table else pd.Series([None] * len(table), index=table.index)
        table[column] = values.astype(kind)
    for moment in [c for c in table.columns if c.endswith("_at")]:
        day = "day" if moment == _EVENTS[name] else moment.removesuffix("_at") + "_day"
        table[day] = (table[moment].dt.normalize() - pd.Timestamp(0)).dt.days.astype("Int64")
    if name == "purchases":
        table["net_amount"] = table["net_amount"].astype("float64")
        table["day"] = table["day"].astype("int64")
    return table


@pytest.fixture(scope="session")
def mart_of() -> Callable[..., Mart]:
    """A mart from drawn tables, on DuckDB or, with `engine="pandas"`, on pandas."""

    def build(engine: str = "duckdb", **drawn: pd.DataFrame | str) -> Mart:
        frames = {
            name: canonical(name, draw_table(table) if isinstance(table, str) else table)
            for name, table in drawn.items()
        }
        if engine == "pandas":
            lazy = {name: nw.from_native(frame).lazy() for name, frame in frames.items()}
        else:
            lazy = {name: nw.from_native(_relation(frame)) for name, frame in frames.items()}
        return Mart(lazy | roll_up(lazy))

    return build


def _relation(frame: pd.DataFrame):
    con = connection()
    name = f"drawn_{id(frame)}"
    con.register("arriving", frame)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM arriving")
    con.unregister("arriving")
    return con.sql(f"SELECT * FROM {name}")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a test run, so that real facts are read once."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def settings_for(shared_folder: Path) -> Callable[..., Settings]:
    """Settings of a project in the shared folder, with the repository's notebooks."""

    def write(kind: str, as_of: str, *, timezone: str = "UTC", more: str = "", source: str = "") -> Settings:
        home = shared_folder / f"{kind}-{abs(hash((as_of, timezone, more, source)))}"
        home.mkdir(exist_ok=True)
        (home / "crm.toml").write_text(
            f'[source]\nkind = "{kind}"\ntimezone = "{timezone}"\n{source}\n[clock]\nas_of = {as_of}\n'
            f'[folders]\nnotebooks = "{ROOT / "notebooks"}"\ndata = "../data-{kind}"\n{more}'
        )
        return read_settings(home / "crm.toml")

    return write


@pytest.fixture(scope="session")
def journey(settings_for: Callable[..., Settings]) -> Facts:
    """Complete Journey, read once per test run."""
    return read_facts(settings_for("complete_journey", "2018-01-01", timezone="America/New_York"))


@pytest.fixture(scope="session")
def journey_in_utc(shared_folder: Path) -> Facts:
    """Complete Journey with its days cut in UTC, as by most who measured something on it; in a folder of its own."""
    home = shared_folder / "journey-in-utc"
    home.mkdir(exist_ok=True)
    (home / "crm.toml").write_text(
        f'[source]\nkind = "complete_journey"\ntimezone = "UTC"\n[clock]\nas_of = 2018-01-01\n'
        f'[folders]\nnotebooks = "{ROOT / "notebooks"}"\n'
    )
    return read_facts(read_settings(home / "crm.toml"))


@pytest.fixture(scope="session")
def cdnow(settings_for: Callable[..., Settings]) -> Facts:
    """CDNOW, read once per test run."""
    return read_facts(settings_for("cdnow", "1998-01-01"))


@dataclass(frozen=True)
class RealRun:
    """A project like the repository, in a folder of its own, after `crm run`."""

    home: Path
    printed: str

    @property
    def latest(self) -> Path:
        return self.home / "reports" / "latest"

    @property
    def receipt(self) -> dict[str, Any]:
        return json.loads((self.latest / "receipt.json").read_text())

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.latest / "results.json").read_text())


def run_once(home: Path, crm_toml: str, *, mart: Path | None = None, store: Path | None = None) -> RealRun:
    """The repository's notebooks run on this: once per test run, for all workers.

    mart: where its facts have been read already.     store: an empty model store that it starts with.
    """
    with FileLock(f"{home}.lock"):
        if not (home / "printed.txt").exists():
            shutil.copytree(ROOT / "notebooks", home / "notebooks")
            (home / "crm.toml").write_text(crm_toml)
            if mart:
                shutil.copytree(mart, home / "data" / "mart")
            if store:
                (home / "mlruns").mkdir()
                shutil.copy(store, home / "mlruns")
            done = subprocess.run(
                [sys.executable, "-m", "crm", "run"], cwd=home, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
            (home / "printed.txt").write_text(done.stdout)
    return RealRun(home, (home / "printed.txt").read_text())


@pytest.fixture(scope="session")
def empty_store(shared_folder: Path, settings_for: Callable[..., Settings]) -> Path:
    """A model store in which nothing is yet, to be copied: MLflow takes seconds to make one."""
    database = shared_folder / "empty-store" / "mlflow.db"
    with FileLock(shared_folder / "empty-store.lock"):
        if not database.exists():
            making = database.with_name("making.db")
            start_store(settings_for("cdnow", "1998-01-01", more=f'[tracking]\nuri = "sqlite:///{making}"\n'))
            making.rename(database)
    return database


@pytest.fixture(scope="session")
def real_run(shared_folder: Path, journey: Facts) -> RealRun:
    """The repository's own notebooks and settings run on Complete Journey."""
    return run_once(
        shared_folder / "real", (ROOT / "crm.toml").read_text(), mart=journey.settings.folders.data / "mart"
    )


COMPANY = """
[source]
kind = "sample_company"
customers = 10_000
seed = 1
[clock]
as_of = 2018-01-01
[contacts]
consents = "table"
capacity = {phone = 40}
[programmes.retain]
kind = "retain"
channels = ["mail", "phone"]
budget = 150
[programmes.next_item]
kind = "cross_sell"
channels = ["email"]
[programmes.dearer]
kind = "up_sell"
channels = ["email", "mail"]
[programmes.best_customers]
kind = "develop"
channels = ["mail"]
[programmes.convinced]
kind = "persuade"
channels = ["email"]
size = 300
[programmes.anniversary]
kind = "event"
event = "joined"
channels = ["email"]
"""
"""A sample company that contacts customers for every reason there is."""


@pytest.fixture(scope="session")
def company_run(shared_folder: Path, empty_store: Path) -> RealRun:
    """The repository's own notebooks run on a sample company of 10,000 customers."""
    return run_once(shared_folder / "company", COMPANY, store=empty_store)


@pytest.fixture(scope="session")
def on() -> Callable[[str], dt.date]:
    """A date from text, to keep worked examples short."""
    return dt.date.fromisoformat


@pytest.fixture(scope="session")
def day() -> Callable[[str], int]:
    """The day number of a date written as text."""
    return lambda text: day_number(dt.date.fromisoformat(text))
