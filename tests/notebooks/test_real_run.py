"""The main job on real data: `crm run` in a copy of the repository's project."""

import hashlib
import re

import pytest

from crm.config import read_settings
from crm.facts import read_facts


def test_the_receipt_says_complete_and_has_every_notebook(real_run, root):
    receipt = real_run.receipt
    assert receipt["status"] == "COMPLETE"
    assert [n["name"] for n in receipt["notebooks"]] == sorted(
        n.stem for n in (root / "notebooks").glob("[0-9][0-9]_*.ipynb")
    )
    assert all(
        n["status"] == "COMPLETE" and n["seconds"] > 0 and n["peak_memory_mb"] > 50 for n in receipt["notebooks"]
    )
    assert receipt["as_of"] == "2018-01-01"
    assert receipt["latency"]["data_days"] == 0


def test_the_command_ends_with_where_the_report_is_and_what_it_says(real_run):
    assert "reports/index.html" in real_run.printed
    for notebook in real_run.results["notebooks"].values():
        first = notebook["findings"][0]["sentence"]
        assert " ".join(first.split())[:60] in " ".join(real_run.printed.split())


def test_the_money_of_complete_journey_stands_on_the_page(real_run):
    page = (real_run.latest / "00_data_quality.html").read_text()
    text = re.sub(r"<[^>]+>", " ", page)
    assert "1,469,307" in text
    assert "4,596,039.58" in text


def test_every_page_is_there_makes_no_request_and_describes_its_pictures(real_run):
    pages = [*sorted(real_run.latest.glob("*.html")), real_run.home / "reports" / "index.html"]
    assert len(pages) >= 2 * len(real_run.receipt["notebooks"]) + 2
    for page in pages:
        text = page.read_text()
        assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", text), page.name
        assert "<script src" not in text
        images = re.findall(r"<img\b[^>]*>", text)
        assert all(re.search(r'alt="[^"]{20,}"', image) for image in images), page.name
        assert len(text) < 1_500_000, page.name


def content_of(folder):
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.parquet"))
    }


@pytest.mark.slow
def test_the_same_source_gives_the_same_facts_byte_for_byte(journey, tmp_path, root):
    """Read again from nothing; that equal facts give equal scores is shown by the round trip of one's own data."""
    (tmp_path / "crm.toml").write_text((root / "crm.toml").read_text())
    (tmp_path / "notebooks").mkdir()
    again = read_facts(read_settings(tmp_path / "crm.toml"))
    assert tmp_path in again.folder.parents
    assert content_of(again.folder) == content_of(journey.folder)
    assert "purchases.parquet" in content_of(again.folder)
