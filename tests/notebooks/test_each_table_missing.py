"""A company without one of the tables: the reports that would read it are whole, and say what they leave out.

The notebooks are executed in this process, cell by cell, on 200 customers of the sample company: kernels of their own
would take three times as long.
"""

from __future__ import annotations

import ast
import datetime as dt
import html
import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat.v4 import new_output

from crm.contracts import CONTRACTS
from crm.engine import sql_path
from crm.errors import NotEnoughData
from crm.readiness.notebooks import known_requirements
from crm.reporting import Stamp, render_page
from crm.reporting.page import render_left_out_page
from crm.sources.sample_company import write_sample_company

pytestmark = pytest.mark.slow

KNOWN = known_requirements()
OPTIONAL = sorted(set(CONTRACTS) - {"purchases"})
UNLOCKED = {
    table: [name for name, one in KNOWN.items() if table in {a.table for a in one.additions}] for table in OPTIONAL
}
"""The notebooks that say more with a table; of the campaigns themselves one cannot speak without them."""
LEFT_OUT = {"campaigns": {"06_campaign_success"}, "contacts": {"06_campaign_success"}}
STAMP = Stamp(
    "2018-01-01_20261122T151800Z_3f2a", "COMPLETE", dt.date(2018, 1, 1), "2026-11-22T15:18:00", "9f8e", 0, 4.2
)
SETTINGS = """
[source]
kind = "files"
{tables}
[clock]
as_of = 2018-01-01
[contacts]
consents = "{consents}"
[programmes.retain]
kind = "retain"
channels = ["mail"]
[programmes.next_item]
kind = "cross_sell"
channels = ["email"]
[programmes.anniversary]
kind = "event"
event = "joined"
channels = ["email"]
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    """The tables of a small company, each a file of its own."""
    folder = tmp_path_factory.mktemp("company")
    made = write_sample_company(folder / "made", customers=200, seed=1, faults=False)
    with duckdb.connect() as con:
        for table in CONTRACTS:
            parts = sql_path(made / table / "*.parquet")
            con.execute(f"COPY (FROM {parts}) TO {sql_path(folder / f'{table}.parquet')}")
    return folder


@pytest.fixture
def home(tmp_path, root, empty_store, monkeypatch) -> Path:
    """A project to run the repository's notebooks in."""
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    for inner in ("notebooks", "parts", "scores"):
        (tmp_path / "run" / inner).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


def settle_without(table: str, company: Path, home: Path) -> None:
    """The settings of the company, which lacks this table."""
    there = [name for name in CONTRACTS if name != table]
    tables = "\n".join(f'[source.tables.{name}]\npath = "{company / name}.parquet"' for name in there)
    consents = "elsewhere" if table == "consents" else "table"
    (home / "crm.toml").write_text(SETTINGS.format(tables=tables, consents=consents))


def execute(notebook: Path, home: Path) -> NotEnoughData | None:
    """Execute a notebook as a run does, and write it with its outputs; what left it out, if anything did."""
    content = nbformat.read(notebook, as_version=4)
    names: dict[str, Any] = {"__name__": "notebook"}
    given = {"config": str(home / "crm.toml"), "as_of": "2018-01-01", "run_folder": str(home / "run")}
    steps = [cell for cell in content.cells if cell.cell_type == "code" and cell.source.strip()]
    for count, cell in enumerate(steps, start=1):
        try:
            shown = value_of(cell.source, names)
        except NotEnoughData as few:
            return few
        if "parameters" in cell.metadata.get("tags", ()):
            names |= given
        cell.execution_count = count
        data, _ = DisplayFormatter().format(shown) if shown is not None else ({}, {})
        cell.outputs = [new_output("execute_result", data, execution_count=count)] if data else []
    nbformat.write(content, home / "run" / "notebooks" / notebook.name)
    return None


def value_of(source: str, names: dict[str, Any]) -> Any:
    """Execute a cell; the value of its last line, where that is an expression."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def page_of(name: str, home: Path) -> str:
    """The reader's page of a notebook, executed now."""
    run = home / "run"
    if few := execute(home / "notebooks" / f"{name}.ipynb", home):
        question = KNOWN[name].question
        path = render_left_out_page(run / f"{name}.ipynb", run, question=question, reason=str(few), stamp=STAMP)
    else:
        path = render_page(run / "notebooks" / f"{name}.ipynb", run, stamp=STAMP)
    return path.read_text(encoding="utf-8")


def plain(page: str) -> str:
    """What can be read, in one line."""
    seen = re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", seen)).split())


def empty_sections(article: str) -> list[str]:
    """Headings under which nothing is said, shown or divided further."""
    parts = re.split(r"<h([23])\b[^>]*>(.*?)</h\1>", article, flags=re.DOTALL)
    found = list(zip(parts[1::3], parts[2::3], parts[3::3], strict=True))
    deeper = [later[0] > one[0] for one, later in zip(found, [*found[1:], ("2", "", "")], strict=True)]
    return [
        heading for (_, heading, below), parent in zip(found, deeper, strict=True) if not plain(below) and not parent
    ]


@pytest.mark.parametrize("table", OPTIONAL)
def test_the_reports_that_would_read_it_are_whole_and_say_so(table, company, home):
    settle_without(table, company, home)
    assert UNLOCKED[table]
    left_out = set()
    for name in UNLOCKED[table]:
        page = page_of(name, home)
        text = plain(page)
        assert not re.search(r"\bnan\b|\bNaN\b|Traceback|\binf\b|Nothing to show", text), name
        if 'id="left-out"' in page:
            left_out.add(name)
            continue
        for section in ("The answer", "How far to trust it", "Limits"):
            assert section in re.findall(r"<h2\b[^>]*>(.*?)</h2>", page), name
        answer = re.search(r'The answer</h2>.*?<p class="finding"[^>]*>(.*?)</p>', page, re.DOTALL)
        assert answer, name
        assert len(plain(answer[1])) >= 40, name
        assert empty_sections(page[page.index("<article>") : page.index("</article>")]) == [], name
        adds = [a.adds for a in KNOWN[name].additions if a.table == table]
        missing = [what for what in adds if what not in text]
        assert missing == [], f"{name} does not say that it leaves this out"
    assert left_out == LEFT_OUT.get(table, set())
