"""Complete Journey comes back: exported under other names, it gives the scores of the source that is built in."""

import hashlib
import json
import re
import shutil
import subprocess
import sys

import duckdb
import pandas as pd
import pytest

from crm import segment_customers
from crm.config import read_settings
from crm.engine import sql_path
from crm.facts import read_facts
from crm.sources.complete_journey import FUEL, data_folder

pytestmark = pytest.mark.slow
AS_OF = "2018-01-01"

# Under the names of another system, moments with their zone, fuel in gallons as the built-in source counts it.
EXPORTS = {
    "till lines": f"""
        SELECT t.household_id AS "Card", t.basket_id AS "Receipt no", t.store_id AS "Branch",
            strftime(t.transaction_timestamp, '%Y-%m-%dT%H:%M:%SZ') AS "Booked", t.product_id AS "Article",
            CASE WHEN p.product_type = '{FUEL}' THEN t.quantity / 1000.0 ELSE t.quantity END AS "Pieces",
            t.sales_value AS "Line total", t.retail_disc + t.coupon_match_disc AS "Discount given",
            t.coupon_disc + t.coupon_match_disc AS "Coupon value", 'store' AS "Channel"
        FROM {{transactions}} t LEFT JOIN {{products}} p USING (product_id)""",
    "articles": """
        SELECT product_id AS "Article", product_type AS "Article name", department AS "Department",
            product_category AS "Category", brand AS "Brand" FROM {products}""",
    "card holders": """
        SELECT household_id AS "Card", age, income, home_ownership, marital_status, household_size, household_comp,
            kids_count FROM {demographics}""",
    "mailings": """
        SELECT campaign_id AS "Campaign", start_date AS "Start date", end_date AS "End date",
            'Campaign ' || campaign_id AS "Campaign name", campaign_type AS "Campaign type", 'mail' AS "Channel"
        FROM {campaign_descriptions}""",
    "mailed": """SELECT campaign_id AS "Campaign", household_id AS "Card" FROM {campaigns}""",
    "redeemed": """
        SELECT campaign_id AS "Campaign", household_id AS "Card", redemption_date AS "Redeemed on"
        FROM {coupon_redemptions}""",
}  # fmt: skip
FILES = ("transactions", "products", "demographics", "campaign_descriptions", "campaigns", "coupon_redemptions")


def export_query(name):
    return EXPORTS[name].format(**{file: sql_path(data_folder() / f"{file}.parquet") for file in FILES})


def crm(home, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "crm", *arguments], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settle(home, root):
    """The proposal, with what a person decides: zone, currency, and the definitions of the built-in run."""
    own = read_settings(root / "crm.toml").definitions
    text = (home / "crm.toml").read_text()
    text = re.sub(r"^timezone = .*$", 'timezone = "America/New_York"', text, flags=re.MULTILINE)
    text = re.sub(r"^as_of = .*$", f"as_of = {AS_OF}", text, flags=re.MULTILINE)
    for name in (
        "active_within_days",
        "defected_after_days",
        "value_horizon_days",
        "cross_sell_horizon_days",
        "migration_days",
    ):
        text = re.sub(rf"^{name} = \d+", f"{name} = {getattr(own, name)}", text, flags=re.MULTILINE)
    text, places = re.subn(r"^currency = .*$", 'currency = "USD"', text, flags=re.MULTILINE)
    assert places == 1
    never = f"cross_sell_not_offered = {json.dumps(own.cross_sell_not_offered)}"
    text, places = re.subn(r"^\[definitions\]$", f"[definitions]\n{never}", text, flags=re.MULTILINE)
    assert places == 1
    (home / "crm.toml").write_text(text)


def scores_of(home):
    folder = home / "data" / "scores"
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.parquet"))
    }


def test_from_csv_files_through_init_check_and_run(tmp_path, root, real_run, empty_store):
    """Byte for byte the same scores: the mart built again from nothing, every notebook executed, one at a time."""
    exports = tmp_path / "exports"
    exports.mkdir()
    with duckdb.connect() as con:
        for name in EXPORTS:
            con.execute(f"COPY ({export_query(name)}) TO {sql_path(exports / f'{name}.csv')}")
    home = tmp_path / "shop"
    (home / "mlruns").mkdir(parents=True)
    shutil.copy(empty_store, home / "mlruns")
    crm(home, "init", str(exports))
    settle(home, root)
    checked = json.loads(crm(home, "check", "--json"))
    assert checked["ready"]
    assert {one["name"]: one["status"] for one in checked["notebooks"]}["02_segmentation"] in ("ready", "reduced")
    kept = {one["table"]: one["kept"] for one in checked["tables"]}
    built_in = {one["table"]: one["kept"] for one in real_run.receipt["source"]["tables"]}
    assert kept == built_in
    crm(home, "run", "--jobs", "1")
    assert "2018-01-01/segments.parquet" in scores_of(real_run.home)
    for name in scores_of(real_run.home):
        own, expected = (pd.read_parquet(of / "data" / "scores" / name) for of in (home, real_run.home))
        pd.testing.assert_frame_equal(own, expected)
    assert scores_of(home) == scores_of(real_run.home)


TYPES = {"Booked": "timestamptz", "Pieces": "numeric", "Line total": "numeric(12, 4)", "Discount given": "float8",
         "Start date": "date", "End date": "date", "Redeemed on": "date"}  # fmt: skip
MAPPED = {
    "purchases": ("till lines", 'customer_id = "Card", order_id = "Receipt no", ordered_at = "Booked", net_amount = '
                  '"Line total", product_id = "Article", quantity = "Pieces", discount_amount = "Discount given", '
                  'coupon_amount = "Coupon value", channel = "Channel", store_id = "Branch"'),
    "products": ("articles", 'product_id = "Article", name = "Article name", department = "Department", '
                 'category = "Category", brand = "Brand"'),
    "customers": ("card holders", 'customer_id = "Card"'),
    "campaigns": ("mailings", 'campaign_id = "Campaign", starts_at = "Start date", ends_at = "End date", '
                  'name = "Campaign name", kind = "Campaign type", channel = "Channel"'),
    "contacts": ("mailed", 'campaign_id = "Campaign", customer_id = "Card"'),
    "responses": ("redeemed", 'campaign_id = "Campaign", customer_id = "Card", responded_at = "Redeemed on"'),
}  # fmt: skip


def test_from_postgresql(tmp_path, root, real_run, postgres, monkeypatch):
    shop = postgres.new_database()
    fill(postgres, shop, tmp_path)
    monkeypatch.setenv("CRM_DATABASE_PASSWORD", postgres.password)
    tables = "\n".join(
        f"[source.tables.{name}]\ntable = '\"{table}\"'\ncolumns = {{{columns}}}"
        for name, (table, columns) in MAPPED.items()
    )
    (tmp_path / "crm.toml").write_text(
        f'[source]\nkind = "database"\ndatabase = "{postgres.address(shop)}"\ntimezone = "America/New_York"\n'
        f'{tables}\n[clock]\nas_of = {AS_OF}\n[folders]\nnotebooks = "{root / "notebooks"}"\n'
    )
    facts = read_facts(read_settings(tmp_path / "crm.toml"))
    built_in = {one["table"]: (one["kept"], one["set_aside"]) for one in real_run.receipt["source"]["tables"]}
    assert {t: (k, s) for t, k, s in facts.tables[["table", "kept", "set_aside"]].to_numpy()} == built_in
    scores = segment_customers(facts, facts.settings.as_of).scores
    expected = pd.read_parquet(real_run.home / "data" / "scores" / AS_OF / "segments.parquet")
    pd.testing.assert_frame_equal(scores.reset_index(drop=True), expected, check_dtype=False)


def fill(postgres, shop, folder):
    """The exports as tables of a database, with types that a database has."""
    with duckdb.connect() as con, postgres.connect(shop) as server, server.cursor() as cursor:
        for name in EXPORTS:
            rows, file = con.sql(export_query(name)), folder / f"{name}.csv"
            rows.to_csv(str(file), header=False)
            columns = ", ".join(f'"{column}" {TYPES.get(column, "text")}' for column in rows.columns)
            cursor.execute(f'CREATE TABLE "{name}" ({columns})')
            with cursor.copy(f'COPY "{name}" FROM STDIN (FORMAT csv)') as copy, file.open("rb") as content:
                while chunk := content.read(1 << 20):
                    copy.write(chunk)
