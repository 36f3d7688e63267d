"""A notebook opened in JupyterLab with "Run All" and no runner says what the report says."""

import html
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


def run_all(notebook, home):
    """Execute a committed notebook as JupyterLab would: its own defaults, in its own folder, nothing injected."""
    content = nbformat.read(notebook, as_version=4)
    folder = {"metadata": {"path": str(home / "notebooks")}}
    NotebookClient(content, timeout=300, resources=folder).execute()
    return [out for cell in content.cells for out in cell.get("outputs", [])]


def sentences_of(outputs):
    shown = "".join(str(out["data"].get("text/html", "")) for out in outputs if "data" in out)
    found = re.findall(r'<p class="(?:finding|nothing)" data-finding="([^"]+)">(.*?)</p>', shown)
    return {html.unescape(name): html.unescape(re.sub(r"<[^>]+>", "", sentence)) for name, sentence in found}


def files_below(folder):
    return {str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("notebook", [n for n in NOTEBOOKS if n.stem[:2].isdigit()], ids=lambda n: n.stem)
def test_run_all_says_what_the_report_says_and_publishes_nothing(notebook, real_run):
    before = files_below(real_run.home / "reports")
    outputs = run_all(notebook, real_run.home)
    reported = {f["name"]: f["sentence"] for f in real_run.results["notebooks"][notebook.stem]["findings"]}
    assert sentences_of(outputs) == reported
    assert files_below(real_run.home / "reports") == before
    assert "A draft: nothing was written" in json.dumps(outputs)


@pytest.mark.slow
def test_explore_runs_top_to_bottom(real_run, root):
    outputs = run_all(root / "notebooks" / "explore.ipynb", real_run.home)
    assert not [out for out in outputs if out["output_type"] == "error"]
    assert sum("image/png" in out.get("data", {}) for out in outputs) == 2
