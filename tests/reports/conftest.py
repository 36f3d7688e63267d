"""What the tests of pages share: a page read as its elements, notebooks that were really executed, runs on disk."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import crm.reporting
from crm.reporting import Stamp
from crm.reporting.written import hash_of

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LINES = {"p", "pre", "summary", "details", "h1", "h2", "h3", "li", "dd"}
POLICY = (
    "default-src 'none'; script-src '{script}'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)
SCRIPT = Path(crm.reporting.__file__).parent / "templates" / "page.js"


@dataclass
class Element:
    """A tag with its attributes, and all text within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page as a list of elements in order; `unbalanced` names tags that were closed wrongly."""

    source: str
    elements: list[Element] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []
        self.feed(self.source)
        self.unbalanced += [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.unbalanced.append(f"/{tag}")
        else:
            self._open.pop()
            if tag in LINES:
                self.handle_data("\n")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of this tag with these words in these attributes (`class_` for class)."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            e
            for e in self.elements
            if e.tag == tag and all(v in e.attributes.get(n, "").split() for n, v in wanted.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} × <{tag}> {attributes}"
        return found[0]

    @property
    def text(self) -> str:
        """What can be read on the page, in one line."""
        return " ".join(self.one("body").text.split())


def read_page(path: Path) -> Page:
    """The page, after checking what holds for every page of ours."""
    page = Page(path.read_text(encoding="utf-8"))
    assert page.unbalanced == []
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("title").text.strip()
    assert page.one("h1").text.strip()
    policies = [m.attributes["content"] for m in page.all("meta") if "http-equiv" in m.attributes]
    assert policies == [POLICY.format(script=hash_of(page.one("script").text))]
    _check_that_nothing_is_loaded(page)
    _check_small_charts(page)
    _check_that_links_lead_somewhere(page, path)
    for image in page.all("img"):
        assert image.attributes["alt"].strip()
    return page


def _check_that_nothing_is_loaded(page: Page) -> None:
    running = {"iframe", "object", "embed", "form", "base", "video", "audio", "source"}
    assert not [e.tag for e in page.elements if e.tag in running]
    assert page.one("script").attributes == {}
    assert page.one("script").text == SCRIPT.read_text(encoding="utf-8")  # ours, and no other
    assert not [name for e in page.elements for name in e.attributes if name.startswith("on")]
    for element in page.elements:
        assert element.attributes.get("src", "data:").startswith("data:image/") or "src" not in element.attributes
        assert "srcset" not in element.attributes
    assert [link.attributes for link in page.all("link")] == [{"rel": "icon", "href": "data:,"}]
    for style in page.all("style"):
        assert "url(" not in style.text
        assert "@import" not in style.text


def _check_small_charts(page: Page) -> None:
    """Small charts are drawn on the page itself: shapes with a description, and nothing that links or runs."""
    for at, element in enumerate(page.elements):
        if element.tag == "svg":
            assert "small" in element.attributes.get("class", "").split()
            assert element.attributes.get("aria-label") or element.attributes.get("aria-hidden") == "true"
        if element.tag in ("use", "image", "foreignobject", "animate", "set"):
            raise AssertionError(f"<{element.tag}> at {at} has no place on a page")


def _check_that_links_lead_somewhere(page: Page, path: Path) -> None:
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids)), "an id is there twice"
    for link in page.all("a"):
        target = link.attributes["href"]
        assert not target.startswith(("http:", "https:", "//", "javascript:"))
        if target.startswith("#"):
            assert target[1:] in ids, target


@pytest.fixture(scope="session")
def opened() -> Callable[[Path], Page]:
    """See `read_page`."""
    return read_page


@pytest.fixture(scope="session")
def stamp() -> Stamp:
    """A complete run of 46 seconds on data three days old."""
    return Stamp(
        run_id="2018-01-01_20261122T151800Z_3f2a",
        status="COMPLETE",
        as_of=dt.date(2018, 1, 1),
        started_at="2026-11-22T15:18:00+00:00",
        fingerprint="9f8e7d6c5b4a39281706f5e4",
        data_days=3,
        analysis_seconds=46.2,
    )


_LOAD = """
import datetime as dt, sys, warnings
import pandas as pd
from crm.errors import NotEnoughData
from crm.finding import Finding
from crm.reporting import draw_bars, draw_heatmap, draw_line, show_table
departments = ["Grocery", "<script>alert(1)</script>", "Meat"]
sales = pd.DataFrame({"department": departments, "net_sales": [900.5, 1200.25, -30.0]})
values = {"n": 2469, "money": 2070.75}
months = pd.DataFrame({"month": pd.period_range("2017-01", periods=12, freq="M"), "net_sales": range(100, 1300, 100)})
moves = pd.DataFrame([(f"Segment {a}", f"Segment {b}", 5 * a * b) for a in range(1, 15) for b in range(1, 15)],
                     columns=["before", "now", "customers"])
warnings.warn("a warning of a library")
print("on the way", file=sys.stderr)
"""


def _cells_of_a_report() -> list[Any]:
    return [
        new_markdown_cell("# Who are our customers?\n\nFor whoever plans the year."),
        new_code_cell(
            'as_of: str = ""  # first day not known\nmost: int = 3  # bars', metadata={"tags": ["parameters"]}
        ),
        new_code_cell('as_of = "2018-01-01"', metadata={"tags": ["injected-parameters"]}),
        new_code_cell(_LOAD),
        new_markdown_cell("## By month\n\nEvery month, *in full*."),
        new_code_cell('draw_line(months, x="month", y="net_sales", title="Sales rose each month", unit="USD")'),
        new_markdown_cell("## By department"),
        new_code_cell(
            'draw_bars(sales, label="department", value="net_sales", title="Two bring nearly all", unit="USD")'
        ),
        new_code_cell('show_table(sales, caption="Sales by department", notes="In USD.")'),
        new_code_cell('Finding("sales", "{n:,} customers spent {money:,.2f} USD.", values, dt.date(2018, 1, 1))'),
        new_markdown_cell("## Movement"),
        new_code_cell(
            'draw_heatmap(moves, rows="before", columns="now", value="customers", title="They stay", unit="")'
        ),
        new_code_cell("sales"),
        new_code_cell('print("as text <b>")'),
    ]


def _executed(cells: list[Any], path: Path) -> Path:
    notebook = new_notebook(cells=cells)
    sockets = tempfile.mkdtemp(prefix="crm-", dir="/tmp")  # a short path, as sockets need
    manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=f"{sockets}/k.json")
    with contextlib.suppress(CellExecutionError):  # the notebook keeps what happened, and that is looked at
        NotebookClient(notebook, km=manager, timeout=120).execute()
    shutil.rmtree(sockets)
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that ran to its end."""
    return _executed(_cells_of_a_report(), tmp_path_factory.mktemp("report") / "01_customer_base.ipynb")


@pytest.fixture(scope="session")
def broken_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that met too few data half-way."""
    cells = [
        *_cells_of_a_report()[:6],
        new_markdown_cell("## Expected value"),
        new_code_cell(
            'raise NotEnoughData("A fit needs 100 customers.", found="12 of 2,469", do="Read more months.")'
        ),
        new_code_cell("sales"),
        new_markdown_cell("## What to do"),
        new_code_cell("sales"),
    ]
    return _executed(cells, tmp_path_factory.mktemp("broken") / "03_lifetime_value.ipynb")


@dataclass(frozen=True)
class Runs:
    """A reports folder in the making."""

    reports: Path

    def add(self, run_id: str, status: str, **more: Any) -> Path:
        """A run with one notebook that found two things; `more` replaces keys of its receipt."""
        folder = self.reports / "runs" / run_id
        folder.mkdir(parents=True)
        (folder / "01_customer_base.html").write_text("<!DOCTYPE html>")
        (folder / "receipt.json").write_text(json.dumps(_receipt(run_id, status) | more))
        (folder / "results.json").write_text(json.dumps(_results(run_id)))
        return folder

    def publish(self, run_id: str) -> None:
        """Let `latest` lead to this run."""
        link = self.reports / "latest"
        link.unlink(missing_ok=True)
        link.symlink_to(Path("runs") / run_id)


def _receipt(run_id: str, status: str) -> dict[str, Any]:
    as_of, started, _ = run_id.split("_")
    started = dt.datetime.fromisoformat(started).isoformat()
    return {
        "run_id": run_id,
        "status": status,
        "as_of": as_of,
        "started_at": started,
        "ended_at": started,
        "seconds": 75.2,
        "selection": ["01_customer_base"],
        "settings_fingerprint": "abcdef0123456789",
        "seed": 20180101,
        "source": {
            "kind": "complete_journey",
            "fingerprint": "9f8e7d6c5b4a39281706f5e4",
            "first_date": "2017-01-01",
            "last_date": "2017-12-31",
            "tables": [
                {"table": "purchases", "rows": 1469307, "kept": 1460467, "set_aside": 8840, "first": "2017-01-01",
                 "last": "2017-12-31", "sha256": "x"},
            ],
        },
        "code": {"version": "0.1.0", "git_commit": "6f81466", "git_dirty": True},
        "python": "3.11.7",
        "notebooks": [notebook_record("01_customer_base", "Who are our customers?", "COMPLETE")],
        "latency": {"data_days": 0, "analysis_seconds": 75.2},
        "error": None,
    }  # fmt: skip


def notebook_record(name: str, title: str, status: str, **more: Any) -> dict[str, Any]:
    """A notebook as it stands in a receipt."""
    plain = {
        "name": name,
        "title": title,
        "status": status,
        "seconds": 12.3,
        "error": None,
        "last_lines": [],
        "page": f"{name}.html",
        "carried_from": None,
    }
    return plain | more


def _results(run_id: str) -> dict[str, Any]:
    sentences = ["2,469 customers spent 4,596,040 USD.", "The best tenth & co brought 35%."]
    findings = [{"name": f"f{n}", "sentence": s, "values": {}, "as_of": run_id[:10]} for n, s in enumerate(sentences)]
    return {"run_id": run_id, "as_of": run_id[:10], "notebooks": {"01_customer_base": {"findings": findings}}}


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """An empty reports folder."""
    (tmp_path / "reports").mkdir()
    return Runs(tmp_path / "reports")


@pytest.fixture(scope="session")
def recorded() -> Callable[..., dict[str, Any]]:
    """See `notebook_record`."""
    return notebook_record
