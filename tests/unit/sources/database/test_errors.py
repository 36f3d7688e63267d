"""What goes wrong with a database is one clear message: what must hold, what was found, what to do next."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

import duckdb
import pyarrow.parquet as pq
import pytest

from crm.config import DATABASE_PASSWORD
from crm.errors import SettingsError, SourceError
from crm.sources import open_source

from .conftest import LINES, PURCHASES

SHOP = (
    *LINES,
    "CREATE SEQUENCE numbers",
    "CREATE TABLE customers (customer_id text)",
    'CREATE TABLE "Order Lines" AS SELECT * FROM sales.order_lines',
    "CREATE VIEW sales.lines_of_ann AS SELECT * FROM sales.order_lines WHERE customer_id = 'ann'",
)


@pytest.fixture(scope="module")
def shop(postgres):
    """A database with a few tables; a user `guest` may connect and read nothing."""
    name = postgres.new_database(*SHOP)
    postgres.execute(
        name, f"CREATE ROLE guest LOGIN PASSWORD '{postgres.password}'", "GRANT ALL ON SEQUENCE numbers TO reader"
    )
    return name


@pytest.fixture
def duckdb_shop(tmp_path):
    """The same in a DuckDB file."""
    (tmp_path / "project").mkdir()
    file = tmp_path / "project" / "shop.duckdb"
    with duckdb.connect(str(file)) as con:
        for statement in SHOP:
            con.execute(statement)
    return file


def purchases(**keys):
    return "[source.tables.purchases]\n" + "".join(f"{key} = '''{value}'''\n" for key, value in keys.items())


def message(raising, kind):
    with pytest.raises(kind) as raised:
        raising()
    assert type(raised.value) is kind
    assert "\n" not in str(raised.value)
    return str(raised.value)


TABLE, QUERY = "source.tables.purchases.table", "source.tables.purchases.query"
READ_ONLY = "opened for reading alone"
IN_POSTGRESQL = [
    #  what crm.toml asks for, and what the message says, in its order
    ({"table": "sales.order_line"}, [TABLE, "no sales.order_line; the nearest there: sales.order_lines"]),
    ({"table": "orderlines"}, ["the nearest there: ", "sales.order_lines"]),
    ({"table": "nothing.like.it"}, ["there: Order Lines, customers, sales.lines_of_ann, sales.order_lines"]),
    ({"query": "SELECT * FROM order_lines"},
     [QUERY, 'relation "order_lines" does not exist; the nearest there: ', "sales.order_lines"]),
    ({"query": "SELECT customer FROM sales.order_lines"},
     [QUERY, 'column "customer" does not exist', "crm.toml"]),
    ({"query": "SELECT order_lines.custmer_id FROM sales.order_lines"}, ["Perhaps you meant", "customer_id"]),
    ({"query": "SELEC 1"}, [QUERY, 'syntax error at or near "SELEC"']),
    ({"query": "SHOW timezone"}, [QUERY, "syntax error"]),
    ({"query": "SELECT 1 AS a; SELECT 2 AS b"}, [QUERY, "one query", "cannot insert multiple commands"]),
    ({"query": "SELECT 1) TO STDOUT; COPY (SELECT 2"}, [QUERY, "syntax error"]),
    ({"query": "DELETE FROM sales.order_lines RETURNING *"}, [QUERY, READ_ONLY, "cannot execute DELETE"]),
    ({"query": "WITH gone AS (DELETE FROM customers RETURNING *) SELECT * FROM gone"}, [QUERY, READ_ONLY]),
    ({"query": "SELECT set_config('transaction_read_only', 'off', false)"}, [READ_ONLY]),
    ({"query": "SELECT nextval('numbers')"}, [READ_ONLY]),
    ({"query": "SELECT customer_id, order_id, customer_id FROM sales.order_lines"},
     [QUERY, "a name of its own", "customer_id more than once"]),
    ({"query": 'SELECT 1 AS "Day", 2 AS day'}, ["Day, day more than once"]),
    ({"query": "SELECT FROM customers"}, ["no column at all"]),
    ({"query": "SELECT 1/0 AS x"}, [QUERY, "division by zero"]),
    ({"query": "SELECT customer_id::int FROM sales.order_lines"}, [QUERY, 'invalid input syntax', '"ann"']),
]  # fmt: skip
LATE = "SELECT CASE WHEN n = 900000 THEN 'x' ELSE n::VARCHAR END::INT AS n FROM range(1000000) AS numbers(n)"
IN_DUCKDB = [
    ({"table": "sales.order_line"}, [TABLE, "no sales.order_line; the nearest there: sales.order_lines"]),
    ({"query": "SELECT * FROM order_lines"}, [QUERY, "order_lines does not exist"]),
    ({"query": "SELECT customer FROM sales.order_lines"}, [QUERY, "customer", "customer_id"]),
    ({"query": "SELEC 1"}, [QUERY, "syntax error"]),
    ({"query": "SELECT 1 AS a; SELECT 2 AS b"}, [QUERY, "several statements"]),
    ({"query": "SELECT 1) TO 'x'; COPY (SELECT 2"}, [QUERY, "syntax error"]),
    ({"query": "DELETE FROM customers RETURNING *"}, [QUERY, READ_ONLY, "does not select"]),
    ({"query": "COPY customers TO 'stolen.csv'"}, [QUERY, READ_ONLY, "does not select"]),
    ({"query": "SELECT 1 AS a, 2 AS A"}, [QUERY, "a, A more than once"]),
    ({"query": "SELECT customer_id::INT AS n FROM sales.order_lines"}, [QUERY, "Could not convert string 'ann'"]),
    ({"query": LATE}, [QUERY, "Could not convert string 'x'"]),
]


@pytest.mark.parametrize(("keys", "says"), IN_POSTGRESQL, ids=[" ".join(case[0].values()) for case in IN_POSTGRESQL])
def test_what_crm_toml_asks_wrongly_of_postgresql(project, postgres, shop, keys, says):
    settings = project(postgres.address(shop), purchases(**keys))
    told = message(lambda: open_source(settings), SettingsError)
    at = [told.find(part) for part in says]
    assert -1 not in at, told
    assert at == sorted(at), told
    assert not list((settings.folders.data / "raw" / "database").glob("*/*"))


@pytest.mark.parametrize(("keys", "says"), IN_DUCKDB, ids=[" ".join(case[0].values()) for case in IN_DUCKDB])
def test_what_crm_toml_asks_wrongly_of_a_duckdb_file(project, duckdb_shop, keys, says):
    told = message(lambda: open_source(project("shop.duckdb", purchases(**keys))), SettingsError)
    assert not [part for part in says if part not in told], told
    assert sorted(path.name for path in duckdb_shop.parent.iterdir()) == [
        "crm.toml",
        "data",
        "notebooks",
        "shop.duckdb",
    ]


SPELLINGS = [
    "sales.order_lines", "SALES.Order_Lines", '"sales"."order_lines"', "sales.lines_of_ann",
    "Order Lines", '"Order Lines"', "public.Order Lines",
]  # fmt: skip


@pytest.mark.parametrize("table", SPELLINGS)
def test_a_table_may_be_spelled_as_one_knows_it(project, postgres, shop, table):
    assert open_source(project(postgres.address(shop), purchases(table=table))).tables


@pytest.mark.parametrize(
    "query", ["SELECT * FROM sales.order_lines;", "SELECT * FROM sales.order_lines -- all", "TABLE sales.order_lines"]
)
@pytest.mark.parametrize("kind", ["postgresql", "duckdb"])
def test_a_query_may_end_as_people_end_it(project, postgres, shop, duckdb_shop, kind, query):
    address = postgres.address(shop) if kind == "postgresql" else "shop.duckdb"
    assert open_source(project(address, purchases(query=query))).tables


def test_two_tables_that_differ_by_capital_letters_are_told_apart(project, postgres):
    name = postgres.new_database(
        *LINES, "CREATE TABLE t AS TABLE sales.order_lines", 'CREATE TABLE "T" AS TABLE t LIMIT 1'
    )
    (file,) = open_source(project(postgres.address(name), purchases(table="T"))).tables["purchases"].files
    assert pq.read_metadata(file).num_rows == 1


def no_server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"postgresql://reader@127.0.0.1:{free.getsockname()[1]}/shop"


def test_nobody_answers(project):
    told = message(lambda: open_source(project(no_server())), SourceError)
    assert "Connection refused" in told
    assert "host and port" in told


def test_a_server_that_says_nothing_is_waited_for_some_seconds(project):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"postgresql://reader@127.0.0.1:{silent.getsockname()[1]}/shop?connect_timeout=2"
        started = time.monotonic()
        told = message(lambda: open_source(project(address)), SourceError)
    assert "timeout" in told
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("address", "kind", "says"),
    [
        ("postgresql://reader@127.0.0.1:{port}/shopp", SettingsError, 'database "shopp" does not exist'),
        ("postgresql://reader@no-such-host.invalid/shop", SettingsError, "no-such-host.invalid"),
        ("postgresql://reader@127.0.0.1:{port}/{shop}?nonsense=1", SettingsError, 'parameter: "nonsense"'),
        ("postgresql://reader@127.0.0.1:{port}/{shop}?sslmode=require", SourceError, "does not support SSL"),
        ("mysql://reader@127.0.0.1/shop", SettingsError, "must be a DuckDB file, or postgresql://"),
    ],
)
def test_an_address_that_leads_nowhere(project, postgres, shop, address, kind, says):
    told = message(lambda: open_source(project(address.format(port=postgres.port, shop=shop))), kind)
    assert says in told


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_password_that_is_wrong_or_missing(project, postgres, shop, monkeypatch, password):
    monkeypatch.delenv(DATABASE_PASSWORD)
    if password:
        monkeypatch.setenv(DATABASE_PASSWORD, password)
    told = message(lambda: open_source(project(postgres.address(shop))), SourceError)
    assert "password" in told
    assert DATABASE_PASSWORD in told


@pytest.mark.parametrize("way", ["PGPASSWORD", "PGPASSFILE"])
def test_what_libpq_itself_knows_is_a_password_too(project, postgres, shop, monkeypatch, tmp_path, way):
    monkeypatch.delenv(DATABASE_PASSWORD)
    known = tmp_path / "pgpass"
    known.write_text(f"127.0.0.1:{postgres.port}:*:reader:{postgres.password}\n")
    known.chmod(0o600)
    monkeypatch.setenv(way, postgres.password if way == "PGPASSWORD" else str(known))
    assert open_source(project(postgres.address(shop))).tables


def test_a_table_that_may_not_be_read(project, postgres, shop):
    told = message(
        lambda: open_source(project(postgres.address(shop, user="guest"), purchases(table="customers"))), SourceError
    )
    assert "permission denied for table customers" in told
    assert "GRANT SELECT" in told


@pytest.mark.parametrize(
    ("ending", "says"),
    [("pg_terminate_backend", "terminating connection"), ("pg_cancel_backend", "canceling statement")],
)
def test_a_connection_that_is_lost_midway(project, postgres, shop, ending, says):
    settings = project(postgres.address(shop), purchases(query="SELECT *, pg_sleep(2)::text FROM sales.order_lines"))

    def end():
        with postgres.connect(shop) as con:
            sleeping = "FROM pg_stat_activity WHERE application_name = 'crm' AND wait_event = 'PgSleep'"
            while not con.execute(f"SELECT {ending}(pid) {sleeping}".encode()).fetchall():
                time.sleep(0.02)

    other = threading.Thread(target=end)
    other.start()
    told = message(lambda: open_source(settings), SourceError)
    other.join()
    assert says in told
    assert "nothing was kept" in told
    assert not list((settings.folders.data / "raw" / "database").glob("*/*"))


@pytest.fixture
def other_file(tmp_path):
    """A file of the project that is no DuckDB file of this version."""
    home = tmp_path / "project"
    home.mkdir()

    def write(what):
        file = home / "file.duckdb"
        if what == "a folder":
            file.mkdir()
        elif what == "newer":
            file.write_bytes(of_version(99, home))
        elif what != "nothing":
            file.write_bytes({"empty": b"", "text": b"customer,order\n" * 999, "sqlite": b"SQLite format 3\x00" * 99,
                              "cut short": b"\x00" * 8 + b"DUCK" + b"\x00" * 99}[what])  # fmt: skip

    return write


def of_version(version, folder):
    """A DuckDB file that says it was written by another version, with the checksum such a file would have."""
    duckdb.connect(str(folder / "now.duckdb")).close()
    content = bytearray((folder / "now.duckdb").read_bytes())
    (folder / "now.duckdb").unlink()
    struct.pack_into("<Q", content, 12, version)
    checksum = 5381
    for (word,) in struct.iter_unpack("<Q", content[8:4096]):
        checksum ^= word * 0xBF58476D1CE4E5B9 % 2**64
    struct.pack_into("<Q", content, 0, checksum)
    return bytes(content)


@pytest.mark.parametrize(
    ("what", "kind", "says"),
    [
        ("nothing", SettingsError, "no file "),
        ("a folder", SettingsError, "is a folder"),
        ("empty", SettingsError, "file.duckdb is empty"),
        ("text", SettingsError, "file.duckdb is not a DuckDB file"),
        ("sqlite", SettingsError, "file.duckdb is not a DuckDB file"),
        ("cut short", SourceError, "must open for reading"),
        ("newer", SourceError, "Write the file again with the version that is installed here"),
    ],
)
def test_a_file_that_is_not_a_database(project, other_file, what, kind, says):
    other_file(what)
    assert says in message(lambda: open_source(project("file.duckdb")), kind)


def test_a_file_that_is_damaged_inside(project, duckdb_shop):
    with duckdb.connect(str(duckdb_shop)) as con:
        con.execute("CREATE TABLE many AS SELECT md5(n::VARCHAR) AS customer_id FROM range(300000) AS numbers(n)")
    content = bytearray(duckdb_shop.read_bytes())
    at = len(content) // 2
    content[at : at + 9] = b"\xff" * 9
    duckdb_shop.write_bytes(content)
    told = message(lambda: open_source(project("shop.duckdb", purchases(table="many"))), SourceError)
    assert "whole" in told


HOLDING = "import duckdb, sys\ncon = duckdb.connect(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()\n"


def test_a_file_that_another_process_has_open(project, duckdb_shop):
    holder = subprocess.Popen([sys.executable, "-c", HOLDING, str(duckdb_shop)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert holder.stdout.readline()
    try:
        told = message(lambda: open_source(project("shop.duckdb")), SourceError)
    finally:
        holder.communicate()
    assert f"PID {holder.pid}" in told
    assert "Close it there" in told


def test_a_file_that_this_process_has_open(project, duckdb_shop):
    with duckdb.connect(str(duckdb_shop)):
        assert "Close it there" in message(lambda: open_source(project("shop.duckdb")), SourceError)


def test_a_file_without_permission(project, duckdb_shop):
    duckdb_shop.chmod(0)
    if os.access(duckdb_shop, os.R_OK):
        pytest.skip("root may read everything")
    assert "Permission denied" in message(lambda: open_source(project("shop.duckdb", PURCHASES)), SourceError)
