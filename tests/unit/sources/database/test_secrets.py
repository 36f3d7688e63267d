"""The password is in the environment and nowhere else: in no file, no message, no list of processes."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from crm.config import DATABASE_PASSWORD, read_settings
from crm.errors import CrmError, SettingsError
from crm.facts import read_facts
from crm.sources.database import look_into

from .conftest import LINES, PURCHASES

PLANTED = "pl4nted"
REPORT = """\
from crm.config import read_settings
from crm.facts import read_facts
from crm.finding import Finding
from crm.publishing import publish

settings = read_settings(config, as_of=as_of)
facts = read_facts(settings)
print(settings, facts, facts.tables, facts.source_record())
finding = Finding("lines", "{lines:,} lines.", {"lines": 3}, settings.as_of)
publish("00_report", settings=settings, run_folder=run_folder, findings=[finding])
"""
PARAMETERS = """\
config: str = "crm.toml"  # the settings file
as_of: str = ""  # first day not known; empty: the date in crm.toml
run_folder: str = ""  # set by the runner; empty: a draft, nothing is published
"""


@pytest.fixture
def shop(postgres):
    return postgres.new_database(*LINES)


@pytest.fixture
def run(tmp_path, postgres):
    """Run a project of one notebook on a database; everything that was printed, and every file that was written."""
    home = tmp_path / "project"
    (home / "notebooks").mkdir(parents=True)
    cells = [new_markdown_cell("# What is there?"), new_code_cell(PARAMETERS), new_code_cell(REPORT)]
    cells[1].metadata["tags"] = ["parameters"]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    nbformat.write(notebook, home / "notebooks" / "00_report.ipynb")

    def started(database, *, tables=PURCHASES, password=postgres.password):
        assert PLANTED in password or PLANTED in database, "there is something to be found"
        toml = f'[source]\nkind = "database"\ndatabase = "{database}"\n{tables}\n[clock]\nas_of = 2018-01-01\n'
        (home / "crm.toml").write_text(toml)
        environment = os.environ | {DATABASE_PASSWORD: password, "CRM_TEST_HOME": str(tmp_path)}
        command = [sys.executable, "-m", "crm", "run"]
        process = subprocess.Popen(
            command, cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        seen = watch(process)
        printed = process.communicate()[0]
        return process.returncode, printed, home, seen

    return started


def watch(process):
    """The command lines of all processes while this one runs."""
    seen: set[str] = set()

    def look():
        while process.poll() is None:
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:  # it has ended
                    continue
            time.sleep(0.2)

    threading.Thread(target=look, daemon=True).start()
    return seen


def files_with(word, home):
    return [
        str(file.relative_to(home))
        for file in home.rglob("*")
        if file.is_file() and word.encode() in file.read_bytes()
    ]


@pytest.mark.slow
def test_a_run_that_is_complete(run, postgres, shop):
    status, printed, home, processes = run(postgres.address(shop))
    assert status == 0, printed
    receipt = json.loads((home / "reports" / "latest" / "receipt.json").read_text())
    assert receipt["status"] == "COMPLETE"
    assert files_with("sales.order_lines", home), "files are searched"
    assert not files_with(PLANTED, home)
    assert PLANTED not in printed
    assert [line for line in processes if "-m crm run" in line]
    assert not [line for line in processes if PLANTED in line]


def test_a_run_that_fails(run, postgres, shop):
    status, printed, home, processes = run(postgres.address(shop), password="pl4nted-and-wrong")
    assert status == 1
    assert "password authentication failed" in printed
    assert "Traceback" not in printed
    assert PLANTED not in printed
    assert not files_with(PLANTED, home)
    assert not [line for line in processes if PLANTED in line]


@pytest.mark.parametrize(
    ("database", "table", "says"),
    [
        ("shop", 'query = "SELECT 1/0"', "division by zero"),
        ("shop", 'table = "sales.order_line"', "the nearest there"),
        ("gone", 'table = "sales.order_lines"', "does not exist"),
    ],
)
def test_an_error_leaves_nothing_behind_that_tells_it(project, postgres, shop, caplog, database, table, says):
    address = postgres.address(shop if database == "shop" else database)
    settings = project(address, f"[source.tables.purchases]\n{table}\n")
    with caplog.at_level("DEBUG"), pytest.raises(CrmError, match=says) as raised:
        read_facts(settings, anew=True)
    assert not files_with(PLANTED, settings.home)
    error: BaseException | None = raised.value
    while error:
        assert PLANTED not in repr(error)
        error = error.__cause__ or error.__context__
    assert PLANTED not in caplog.text


REFUSED = [
    "postgresql://reader:pl4nted@127.0.0.1/shop",
    "postgres://reader:pl4nted@127.0.0.1/shop",
    "postgresql://:pl4nted@127.0.0.1/shop",
    "postgresql://reader:pl4/nted@127.0.0.1/shop",
    "postgresql://reader:pl4#nted@127.0.0.1/shop",
    "postgresql://reader:pl4?nted@127.0.0.1/shop",
    "postgresql://reader:pl4@nted@127.0.0.1/shop",
    "postgresql://reader:pl4 nted@127.0.0.1/shop",
    "postgresql://reader:pl4nted℀@127.0.0.1/shop",
    "postgresql://reader:[pl4nted@127.0.0.1/shop",
    "postgresql://reader%3Apl4nted@127.0.0.1/shop",
    "postgresql://reader@127.0.0.1/shop?password=pl4nted",
    "postgresql://reader@127.0.0.1/shop?sslmode=require&PassWord=pl4nted",
    "postgresql://reader@127.0.0.1/shop?pass%77ord=pl4nted",
    "postgresql://reader@127.0.0.1/shop?sslpassword=pl4nted",
    "POSTGRESQL://reader:pl4nted@127.0.0.1/shop",
    "mysql://reader:pl4nted@127.0.0.1/shop",
    "postgresql+psycopg://reader:pl4nted@127.0.0.1/shop",
    "host=127.0.0.1 user=reader password=pl4nted dbname=shop",
    "password = 'pl4nted' host = 127.0.0.1",
    "postgresql:reader:pl4nted@127.0.0.1/shop",
    "reader:pl4nted@127.0.0.1/shop",
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path, address):
    for refusing in (lambda: look_into(address, tmp_path), lambda: settings_of(tmp_path, address)):
        with pytest.raises(SettingsError) as raised:
            refusing()
        told = str(raised.value)
        assert not [part for part in ("pl4", "nted") if part in told], told
        assert DATABASE_PASSWORD in told


ACCEPTED = [
    "postgresql://reader@127.0.0.1:5432/shop",
    "postgres://reader@db.example/shop",
    "postgresql://db.example",
    "postgresql:///shop",
    "postgresql://reader%40tenant@db.example/shop%2Ftwo",
    "postgresql://reader@[::1]:5432/shop",
    "postgresql://reader@one:5432,two:5433/shop?target_session_attrs=read-only&sslmode=require",
    "postgresql://%2Fvar%2Frun%2Fpostgresql/shop",
    "shop.duckdb",
    "/data/2017=all/shop of ann.duckdb",
    "~/shop.duckdb",
    "C:/data/shop.duckdb",
]


@pytest.mark.parametrize("address", ACCEPTED)
def test_an_address_without_a_password_is_accepted(tmp_path, address):
    assert settings_of(tmp_path, address).source.database == address


def settings_of(folder, address):
    (folder / "notebooks").mkdir(exist_ok=True)
    database = json.dumps(address)
    text = f'[source]\nkind = "database"\ndatabase = {database}\n{PURCHASES}[clock]\nas_of = 2018-01-01\n'
    (folder / "crm.toml").write_text(text)
    return read_settings(folder / "crm.toml")
