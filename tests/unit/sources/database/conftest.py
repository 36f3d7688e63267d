"""What the tests of databases share: a project that reads one, and the rows of a single query."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crm.config import DATABASE_PASSWORD, Settings, read_settings
from crm.sources.database import connected
from crm.sources.database.asking import Question
from crm.sources.database.extract import Extract, read_tables

LINES = (
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.order_lines (customer_id text, order_id int, ordered_at date, net_amount numeric(10,2))",
    "INSERT INTO sales.order_lines VALUES "
    "('ann', 1, '2017-03-01', 10.00), ('ann', 2, '2017-04-02', 12.50), ('bob', 3, '2017-04-02', 7.25)",
)
PURCHASES = '[source.tables.purchases]\ntable = "sales.order_lines"\n'


@pytest.fixture(autouse=True)
def environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The password is in the environment, where crm looks for it; what libpq knows of this machine is not used."""
    for name in ("PGPASSWORD", "PGUSER", "PGDATABASE", "PGHOST", "PGPORT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    if "postgres" in request.fixturenames:
        monkeypatch.setenv(DATABASE_PASSWORD, request.getfixturevalue("postgres").password)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a project whose source is a database; call it with the address and sections of tables."""

    def write(database: str, tables: str = PURCHASES) -> Settings:
        home = tmp_path / "project"
        (home / "notebooks").mkdir(parents=True, exist_ok=True)
        (home / "crm.toml").write_text(
            f'[source]\nkind = "database"\ndatabase = "{database}"\n{tables}\n[clock]\nas_of = 2018-01-01\n'
        )
        return read_settings(home / "crm.toml")

    return write


@pytest.fixture
def extracted(tmp_path: Path) -> Callable[[str, Sequence[Question]], Extract]:
    """What is read from a database for these questions, without keeping it."""

    def read(database: str, questions: Sequence[Question]) -> Extract:
        place = tmp_path / f"extract-{len(list(tmp_path.iterdir()))}"
        place.mkdir()
        return read_tables(place, functools.partial(connected, database, tmp_path), questions)

    return read


@pytest.fixture
def answer(extracted: Callable[[str, Sequence[Question]], Extract]) -> Callable[[str, str], pa.Table]:
    """The rows of one query, as they are kept."""

    def ask(database: str, query: str) -> pa.Table:
        return pq.read_table(extracted(database, [Question("purchases", "", query)]).file("purchases"))

    return ask
