"""The same notebooks on less: what can be said is said, what cannot is one line, and nothing crashes."""

import json
import re
import shutil
import subprocess
import sys

import pytest

AS_OF = "[clock]\nas_of = {}\n"
PURCHASES_ONLY = '[source]\nkind = "cdnow"\n' + AS_OF.format("1998-01-01")
LONG_AFTER = '[source]\nkind = "cdnow"\n' + AS_OF.format("2003-01-01")
OWN_FILE = '[source]\nkind = "files"\n[source.tables.purchases]\npath = "orders.csv"\n' + AS_OF.format("2018-01-01")
ONE_CUSTOMER = "customer_id,order_id,ordered_at,net_amount\n" + "".join(
    f"ann,{month},2017-{month:02d}-05,{10 + month}.50\n" for month in range(1, 13)
)


def run(folder, root, toml):
    """`crm run` with the repository's notebooks, and the text of each page by its notebook's name."""
    shutil.copytree(root / "notebooks", folder / "notebooks")
    (folder / "crm.toml").write_text(toml)
    done = subprocess.run(
        [sys.executable, "-m", "crm", "run"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    latest = folder / "reports" / "latest"
    receipt = json.loads((latest / "receipt.json").read_text())
    assert receipt["status"] == "COMPLETE"
    pages = {page.stem: re.sub(r"<[^>]+>", " ", page.read_text()) for page in latest.glob("0*.html")}
    for name, text in pages.items():
        assert not re.search(r"\bnan\b|\bNaN\b|Traceback|\binf\b|Nothing to show", text), name
    return receipt, {name: " ".join(text.split()) for name, text in pages.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (PURCHASES_ONLY, "All that was bought in the last 91 days was bought by one channel: web."),
        (LONG_AFTER, "Nobody has bought since"),
    ],
    ids=["purchases only", "long after"],
)
def test_a_run_on_less_is_complete(toml, says, tmp_path, root):
    receipt, pages = run(tmp_path, root, toml)
    assert {notebook["status"] for notebook in receipt["notebooks"]} == {"COMPLETE"}
    assert says in pages["01_customer_base"]


@pytest.mark.slow
def test_one_customer_has_a_customer_base_and_no_segments(tmp_path, root):
    (tmp_path / "orders.csv").write_text(ONE_CUSTOMER)
    receipt, pages = run(tmp_path, root, OWN_FILE)
    assert [notebook["status"] for notebook in receipt["notebooks"]] == ["COMPLETE", "COMPLETE", "LEFT_OUT"]
    assert "one customer has bought, the last time on 2017-12-05" in pages["01_customer_base"]
    assert "Left out: how concentrated sales are." in pages["01_customer_base"]
    assert "This report needs at least 5 customers" in pages["02_segmentation"]
    assert "Add purchases of 4 more customers." in pages["02_segmentation"]
