"""The same notebooks on less: what can be said is said, what cannot is one line, and nothing crashes."""

import json
import re
import shutil
import subprocess
import sys

import pytest

PURCHASES_ONLY = '[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01\n'
TINY = '[source]\nkind = "sample_company"\ncustomers = 100\n[clock]\nas_of = 2018-01-01\n'
LONG_AFTER = '[source]\nkind = "cdnow"\n[clock]\nas_of = 2003-01-01\n'


@pytest.mark.slow
@pytest.mark.parametrize("toml", [PURCHASES_ONLY, TINY, LONG_AFTER], ids=["purchases only", "tiny", "long after"])
def test_a_run_on_less_is_complete(toml, tmp_path, root):
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    (tmp_path / "crm.toml").write_text(toml)
    done = subprocess.run(
        [sys.executable, "-m", "crm", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "reports" / "latest" / "receipt.json").read_text())["status"] == "COMPLETE"
    for page in (tmp_path / "reports" / "latest").glob("0*.html"):
        text = re.sub(r"<[^>]+>", " ", page.read_text())
        assert not re.search(r"\bnan\b|\bNaN\b|Traceback|\binf\b", text), page.name
