"""The published example: whose pages, with which links, and what may never be on one."""

import importlib.util
import json
import os
import shutil

import pandas as pd
import pytest

from crm.errors import RequestError

PAGE = """<!DOCTYPE html><html lang="en"><body><a href="index.html">All</a> <a href="01_base.as_run.html">Code</a>
<a href="#end">End</a> <a class="x" href="../../index.html">Other <b>runs</b></a> <p id="end">{}</p></body></html>"""


@pytest.fixture(scope="module")
def example(root):
    spec = importlib.util.spec_from_file_location("example", root / "tools" / "example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path):
    """A run with a front page, one report, its as-run copy, and two customers of whom one has a number for a name."""
    folder = tmp_path / "run"
    (folder / "scores").mkdir(parents=True)
    (folder / "receipt.json").write_text('{"status": "COMPLETE"}')
    for name in ("index", "01_base", "01_base.as_run"):
        (folder / f"{name}.html").write_text(PAGE.format("Of 275 customers, 12 left."))
    pd.DataFrame({"customer_id": ["C0000123", "275"]}).to_parquet(folder / "scores" / "s.parquet")
    return folder


def test_pages_are_published_without_as_run_copies_and_lead_to_notebooks(example, run):
    pages = dict(example.pages_of(run))
    assert list(pages) == ["index.html", "01_base.html"]
    assert 'href="../../notebooks/01_base.ipynb"' in pages["01_base.html"]
    assert 'href="index.html"' in pages["01_base.html"]
    assert 'href="#end"' in pages["01_base.html"]
    assert "../../index.html" not in pages["01_base.html"]
    assert "Other <b>runs</b>" in pages["01_base.html"]


def test_a_number_that_somebody_has_for_a_name_is_no_name(example, run):
    assert example.customer_ids(run) == {"C0000123", "275"}
    assert list(example.faults_of("01", PAGE.format("275 customers"), run=run, ids={"275"})) == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("C0000123 may leave", "names 1 customers, such as C0000123"),
        ("Customer 275 may leave", "names 1 customers, such as 275"),
        ("<th scope='col'>Customer id</th>", "a column of ids"),
        ("{root}/crm.toml", "holds the path"),
        ("x" * 1_000_000, "has 1.00 MB"),
    ],
    ids=["id", "short id", "column", "path", "size"],
)
def test_what_may_not_be_forwarded_is_not_published(example, run, tmp_path, root, said, fault):
    (run / "01_base.html").write_text(PAGE.format(said.replace("{root}", str(root))))
    with pytest.raises(RequestError, match=fault):
        example.publish_example(run, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_of_a_page_too_large_the_largest_pictures_are_named(example, run):
    page = f'<img src="data:image/png;base64,{"A" * 1_100_000}" alt="Sales &amp; more">'
    assert "Sales & more (1100 KB)" in "".join(example.faults_of("01", page, run=run, ids=set()))


def test_a_run_that_is_not_complete_is_no_example(example, run, tmp_path):
    (run / "receipt.json").write_text(json.dumps({"status": "PARTIAL"}))
    with pytest.raises(RequestError, match="PARTIAL"):
        example.publish_example(run, tmp_path / "docs")


@pytest.mark.skipif(
    not shutil.which("chromium") and os.environ.get("CI") != "true",
    reason="no Chromium on this machine (apt-get install chromium)",
)
def test_the_example_is_renewed_with_its_picture(example, run, tmp_path):
    (tmp_path / "docs" / "example").mkdir(parents=True)
    (tmp_path / "docs" / "example" / "09_gone.html").write_text("of an older version")
    written = example.publish_example(run, tmp_path / "docs")
    assert [path.relative_to(tmp_path / "docs").as_posix() for path in written] == [
        "example/index.html", "example/01_base.html", "images/front-page.png"
    ]  # fmt: skip
    assert {path.name for path in (tmp_path / "docs" / "example").iterdir()} == {"index.html", "01_base.html"}
    with example.Image.open(written[-1]) as picture:
        assert picture.width == 1280
    assert written[-1].stat().st_size < 250_000
