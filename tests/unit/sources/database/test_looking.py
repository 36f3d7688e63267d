"""Looking into a database before there is a crm.toml."""

import duckdb
import pytest

from crm.errors import SourceError
from crm.sources.database import DatabaseTable, look_into

from .conftest import LINES

MORE = (
    'CREATE TABLE "Kunden Liste" (id int, "E-Mail" text)',
    'INSERT INTO "Kunden Liste" VALUES (1, NULL), (2, \'a,"b"\')',
    "CREATE VIEW sales.of_ann AS SELECT order_id FROM sales.order_lines WHERE customer_id = 'ann'",
    "CREATE TABLE nothing_yet (id int)",
)


def by_name(tables):
    return {table.name: table for table in tables}


def test_the_tables_of_postgresql_with_types_and_first_rows(postgres, tmp_path):
    name = postgres.new_database(*LINES, *MORE, "ANALYZE")
    tables = by_name(look_into(postgres.address(name), tmp_path, rows=2))
    assert list(tables) == ["Kunden Liste", "nothing_yet", "sales.of_ann", "sales.order_lines"]
    assert tables["Kunden Liste"] == DatabaseTable(
        "Kunden Liste", "table", (("id", "int4"), ("E-Mail", "text")), 2, (("1", None), ("2", 'a,"b"'))
    )
    assert tables["sales.of_ann"] == DatabaseTable(
        "sales.of_ann", "view", (("order_id", "int4"),), None, (("1",), ("2",))
    )
    assert tables["sales.order_lines"].first == (
        ("ann", "1", "2017-03-01", "10.00"),
        ("ann", "2", "2017-04-02", "12.50"),
    )
    assert tables["nothing_yet"].first == ()


def test_the_tables_of_a_duckdb_file_with_types_and_first_rows(tmp_path):
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        for statement in (*LINES, *MORE):
            con.execute(statement)
    tables = by_name(look_into("shop.duckdb", tmp_path, rows=2))
    assert list(tables) == ["Kunden Liste", "nothing_yet", "sales.of_ann", "sales.order_lines"]
    assert tables["Kunden Liste"] == DatabaseTable(
        "Kunden Liste", "table", (("id", "INTEGER"), ("E-Mail", "VARCHAR")), 2, (("1", None), ("2", 'a,"b"'))
    )
    assert tables["sales.of_ann"].first == (("1",), ("2",))
    assert tables["sales.order_lines"].columns[-1] == ("net_amount", "DECIMAL(10,2)")
    assert [path.name for path in tmp_path.iterdir()] == ["shop.duckdb"], "nothing is written"


def test_what_may_not_be_read_or_cannot_be_is_left_out(postgres, tmp_path):
    name = postgres.new_database(
        *LINES,
        "CREATE TABLE secrets (a int)",
        "CREATE SCHEMA hidden",
        "CREATE TABLE hidden.t (a int)",
        "CREATE ROLE analyst LOGIN PASSWORD 'pl4nted-S3cret'",
        "GRANT USAGE ON SCHEMA sales TO analyst",
        "GRANT SELECT ON sales.order_lines TO analyst",
        "CREATE VIEW sales.slow AS SELECT pg_sleep(60)::text AS slept",
        "CREATE VIEW sales.wrong AS SELECT 1 / (count(*) - 3) AS n FROM sales.order_lines",
        "GRANT SELECT ON sales.slow, sales.wrong TO analyst",
    )
    tables = by_name(look_into(postgres.address(name, user="analyst"), tmp_path))
    assert list(tables) == ["sales.order_lines", "sales.slow", "sales.wrong"]
    assert [len(table.first) for table in tables.values()] == [3, 0, 0]


def test_a_view_of_a_duckdb_file_over_a_file_that_is_gone_is_left_out(tmp_path):
    (tmp_path / "lines.csv").write_text("a,b\n1,2\n")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as con:
        con.execute(f"CREATE VIEW gone AS SELECT * FROM '{tmp_path}/lines.csv'")
        con.execute("CREATE TABLE there AS SELECT 1 AS a")
    (tmp_path / "lines.csv").unlink()
    assert list(by_name(look_into("shop.duckdb", tmp_path))) == ["there"]


def test_a_database_that_does_not_let_in(postgres, tmp_path, monkeypatch):
    monkeypatch.delenv("CRM_DATABASE_PASSWORD")
    with pytest.raises(SourceError, match="CRM_DATABASE_PASSWORD"):
        look_into(postgres.address("postgres"), tmp_path)
