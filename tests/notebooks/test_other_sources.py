"""The same notebooks on less: what can be said is said, what cannot is one line, and nothing crashes."""

import json
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

AS_OF = "[clock]\nas_of = {}\n"
OWN_FILE = '[source]\nkind = "files"\n[source.tables.purchases]\npath = "orders.csv"\n'
ONE_CUSTOMER = "customer_id,order_id,ordered_at,net_amount\n" + "".join(
    f"ann,{month},2017-{month:02d}-05,{10 + month}.50\n" for month in range(1, 13)
)


@pytest.fixture
def run(tmp_path, root, empty_store):
    """`crm run` with the repository's notebooks: the receipt, and each page's text by its notebook's name."""
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")

    def started(toml):
        (tmp_path / "crm.toml").write_text(toml)
        done = subprocess.run(
            [sys.executable, "-m", "crm", "run"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return published(tmp_path / "reports" / "latest")

    return started


def published(latest):
    receipt = json.loads((latest / "receipt.json").read_text())
    assert receipt["status"] == "COMPLETE"
    pages = {page.stem: re.sub(r"<[^>]+>", " ", page.read_text()) for page in latest.glob("0*.html")}
    for name, text in pages.items():
        assert not re.search(r"\bnan\b|\bNaN\b|Traceback|\binf\b|Nothing to show", text), name
    return receipt, {name: " ".join(text.split()) for name, text in pages.items()}


def every(step, cdnow):
    """The purchases of every so-manyth customer of CDNOW: one channel, no other table, and most bought only once."""
    purchases = pd.read_parquet(cdnow.folder / "purchases.parquet")
    some = purchases[purchases["customer_id"].astype("int64") % step == 0]
    return some[["customer_id", "order_id", "ordered_at", "net_amount", "quantity", "channel"]]


@pytest.mark.slow
def test_a_run_on_purchases_alone_is_complete(run, tmp_path, cdnow):
    every(10, cdnow).to_csv(tmp_path / "orders.csv", index=False)
    receipt, pages = run(OWN_FILE + AS_OF.format("1998-01-01"))
    statuses = {notebook["name"]: notebook["status"] for notebook in receipt["notebooks"]}
    assert {status for name, status in statuses.items() if name < "05"} == {"COMPLETE"}
    says = "All that was bought in the last 91 days was bought by one channel: web."
    assert says in pages["01_customer_base"]


@pytest.mark.slow
def test_a_run_long_after_the_last_purchase_is_complete(run, tmp_path, cdnow):
    """Every fiftieth customer of CDNOW, five years later."""
    every(50, cdnow)[["customer_id", "order_id", "ordered_at", "net_amount"]].to_csv(
        tmp_path / "orders.csv", index=False
    )
    receipt, pages = run(OWN_FILE + AS_OF.format("2003-01-01"))
    statuses = {notebook["name"]: notebook["status"] for notebook in receipt["notebooks"]}
    assert set(statuses.values()) == {"COMPLETE", "LEFT_OUT"}
    assert statuses["04_defection"] == "LEFT_OUT"  # nobody is active, so nobody can leave
    assert "Nobody has bought since" in pages["01_customer_base"]


@pytest.mark.slow
def test_one_customer_has_a_customer_base_and_no_segments(run, tmp_path):
    (tmp_path / "orders.csv").write_text(ONE_CUSTOMER)
    receipt, pages = run(OWN_FILE + AS_OF.format("2018-01-01"))
    statuses = {notebook["name"]: notebook["status"] for notebook in receipt["notebooks"]}
    assert "02_segmentation" in [name for name, status in statuses.items() if status == "LEFT_OUT"]
    assert set(statuses.values()) == {"COMPLETE", "LEFT_OUT"}
    assert "BG/NBD was not fitted: there is one customer." in pages["03_lifetime_value"]
    assert "one customer has bought, the last time on 2017-12-05" in pages["01_customer_base"]
    assert "Left out: how concentrated sales are." in pages["01_customer_base"]
    assert "This report needs at least 5 customers" in pages["02_segmentation"]
    assert "Add purchases of 4 more customers." in pages["02_segmentation"]
