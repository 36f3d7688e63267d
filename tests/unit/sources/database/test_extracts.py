"""An extract: read together, kept until it is read again, whole or not at all."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time

import duckdb
import pyarrow.parquet as pq
import pytest

from crm.atomic import NotWritable
from crm.facts import read_facts
from crm.sources import open_source
from crm.sources.database import extract_folder
from crm.sources.database.asking import Question

from .conftest import LINES


@pytest.fixture(scope="module")
def database(postgres):
    return postgres.new_database()


@pytest.fixture
def shop(postgres, database):
    """A database of three order lines."""
    postgres.execute(database, "DROP SCHEMA IF EXISTS sales CASCADE", "DROP TABLE IF EXISTS again", *LINES)
    return database


@pytest.fixture
def read(project, postgres, shop):
    """The source of a project on this database; call it with `anew`."""
    settings = project(postgres.address(shop))
    return lambda anew=False: open_source(settings, anew=anew)


ADD = "INSERT INTO sales.order_lines VALUES ('cid', 4, '2017-05-01', 1.00)"


def file_of(source):
    return source.tables["purchases"].files[0]


def rows_in(source):
    return pq.read_metadata(file_of(source)).num_rows


def test_the_order_lines_become_facts(project, postgres, shop):
    facts = read_facts(project(postgres.address(shop)), anew=True)
    assert facts.tables.set_index("table").loc["purchases", ["rows", "kept", "set_aside"]].tolist() == [3, 3, 0]
    assert str(facts.tables["money_kept"].iloc[0]) == "29.7500"


def test_when_it_was_read_is_the_databases_clock(read, postgres, shop):
    def now():
        with postgres.connect(shop) as con:
            return con.execute("SELECT now()").fetchone()[0]

    before, source, after = now(), read(), now()
    assert before < source.read_at < after
    assert source.read_at.utcoffset() == dt.timedelta(0)
    told = (
        f"Read from the PostgreSQL database {shop} on 127.0.0.1 at {source.read_at:%Y-%m-%d %H:%M} UTC (its clock)."
    )
    assert source.notes == (told,)


def test_a_value_that_its_type_cannot_hold_is_noted(project, postgres, shop):
    postgres.execute(shop, "INSERT INTO sales.order_lines VALUES ('dan', 5, 'infinity', 'NaN')")
    facts = read_facts(project(postgres.address(shop)), within_budget=False)
    assert facts.notes[1:3] == (
        "purchases: the column ordered_at (date) holds values such as infinity, and is read as text.",
        "purchases: the column net_amount (numeric) holds values such as NaN, and is read as text.",
    )
    assert facts.tables.set_index("table").loc["purchases", ["kept", "set_aside"]].tolist() == [3, 1]


def test_it_is_read_again_only_when_asked(read, postgres, shop):
    first = read()
    postgres.execute(shop, ADD)
    assert (rows_in(read()), read().read_at) == (3, first.read_at)
    assert rows_in(read(anew=True)) == 4
    assert rows_in(read()) == 4


def test_the_same_rows_stay_where_they_are_whatever_their_order(read, postgres, shop):
    first = read()
    postgres.execute(
        shop,
        "CREATE TABLE again AS SELECT * FROM sales.order_lines ORDER BY order_id DESC",
        "TRUNCATE sales.order_lines",
        "INSERT INTO sales.order_lines SELECT * FROM again",
    )
    second = read(anew=True)
    assert (file_of(second), second.tables["purchases"].sha256()) == (
        file_of(first),
        first.tables["purchases"].sha256(),
    )
    assert second.read_at > first.read_at
    assert read().read_at == second.read_at


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sales.order_lines SET net_amount = net_amount + 0.01 WHERE order_id = 1",
        "UPDATE sales.order_lines SET customer_id = 'bob' WHERE order_id = 1",
        "INSERT INTO sales.order_lines SELECT * FROM sales.order_lines WHERE order_id = 1",
        "DELETE FROM sales.order_lines WHERE order_id = 1",
        "ALTER TABLE sales.order_lines ALTER order_id TYPE text",
        "ALTER TABLE sales.order_lines ADD remark text",
    ],
)
def test_other_rows_are_another_extract(read, postgres, shop, change):
    first = file_of(read())
    postgres.execute(shop, change)
    assert file_of(read(anew=True)).parent != first.parent


def test_the_one_before_stays_and_older_ones_go(read, postgres, shop):
    files = []
    for _ in range(3):
        files.append(file_of(read(anew=True)))
        postgres.execute(shop, ADD)
    assert [file.exists() for file in files] == [False, True, True]
    assert sorted(path.name for path in files[2].parents[1].iterdir()) == sorted(
        [files[1].parent.name, files[2].parent.name, "newest"]
    )


def test_a_query_asks_for_an_extract_of_its_own_and_columns_do_not(project, postgres, shop):
    def folder(tables):
        return extract_folder(project(postgres.address(shop), f"[source.tables.purchases]\n{tables}\n"))

    table = folder('table = "sales.order_lines"')
    assert folder('query = "SELECT * FROM sales.order_lines"') != table
    assert folder('table = "sales.order_lines"\ncolumns = {customer_id = "buyer"}\nday_first = true') == table


def test_all_tables_are_read_at_one_moment(extracted, postgres, shop):
    def questions():
        yield Question("purchases", "sales.order_lines", "")
        postgres.execute(shop, ADD, "DELETE FROM sales.order_lines WHERE customer_id = 'ann'")
        yield Question("customers", "", "SELECT DISTINCT customer_id FROM sales.order_lines")

    extract = extracted(postgres.address(shop), questions())
    assert sorted(pq.read_table(extract.file("customers")).column("customer_id").to_pylist()) == ["ann", "bob"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.unlink(),
        lambda file: (file.parent / "record.json").unlink(),
        lambda file: (file.parent / "record.json").write_text("{"),
        lambda file: (file.parent / "record.json").write_text("[]"),
        lambda file: (file.parents[1] / "newest").write_text("elsewhere"),
        lambda file: (file.parents[1] / "newest").write_bytes(b"\xff\x00"),
    ],
    ids=["cut short", "gone", "no record", "half a record", "another record", "names nothing", "garbage"],
)
def test_a_damaged_extract_is_not_believed(read, damage):
    damage(file_of(read()))
    assert rows_in(read()) == 3


def test_an_extract_of_other_code_is_not_believed(read):
    file = file_of(read())
    record = json.loads((file.parent / "record.json").read_text())
    (file.parent / "record.json").write_text(json.dumps(record | {"code": "older"}))
    first = record["read_at"]
    assert read().read_at.isoformat() > first


READING = """\
import sys
from crm.config import read_settings
from crm.sources import open_source
print(open_source(read_settings(sys.argv[1]), anew=sys.argv[2] == "anew").read_at)
"""
SLOWLY = "SELECT *, pg_sleep(0.3)::text AS slept FROM sales.order_lines"


def reading(settings, anew):
    command = [sys.executable, "-c", READING, str(settings.home / "crm.toml"), anew]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_killed_reader_leaves_nothing_that_is_believed(project, postgres, shop):
    settings = project(postgres.address(shop), f'[source.tables.purchases]\nquery = "{SLOWLY}"\n')
    folder = extract_folder(settings)
    killed = reading(settings, "anew")
    while not list(folder.glob(".building-*/*.staged")):
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (folder / "newest").exists()
    assert rows_in(open_source(settings)) == 3
    assert len(list(folder.iterdir())) == 2, "the killed reader's folder is gone"


def test_two_processes_read_once(project, postgres, shop):
    settings = project(postgres.address(shop), f'[source.tables.purchases]\nquery = "{SLOWLY}"\n')
    both = [reading(settings, "kept") for _ in range(2)]
    told = [process.communicate() for process in both]
    assert told[0] == told[1]
    assert told[0][1] == ""


def test_a_full_disk_is_one_sentence(project, postgres, shop):
    settings = project(
        postgres.address(shop),
        '[source.tables.purchases]\nquery = "SELECT '
        "md5(n::text) AS customer_id, n AS order_id, now() AS ordered_at, 1 AS net_amount "
        'FROM generate_series(1, 100000) n"\n',
    )
    settings.folders.data.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(settings.folders.data)]
    if os.geteuid() or subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root can make a file system of a size of its own")
    try:
        with pytest.raises(NotWritable, match=r"must be writable and have room\. Found: No space left on device"):
            read_facts(settings)
        assert not list(extract_folder(settings).glob("*"))
    finally:
        subprocess.run(["umount", "--lazy", str(settings.folders.data)], check=True)


def test_a_duckdb_file_is_read_in_the_same_way(project, tmp_path):
    (tmp_path / "project").mkdir()
    file = tmp_path / "project" / "shop.duckdb"
    with duckdb.connect(str(file)) as con:
        for statement in LINES:
            con.execute(statement)
    os.utime(file, (1_500_000_000, 1_500_000_000))
    settings = project("shop.duckdb")
    source = open_source(settings)
    assert source.notes == ("Read from the DuckDB file shop.duckdb, last written at 2017-07-14 02:40 UTC.",)
    facts = read_facts(settings)
    assert facts.tables.set_index("table").loc["purchases", ["rows", "kept", "set_aside"]].tolist() == [3, 3, 0]
    with duckdb.connect(str(file)) as con:
        con.execute(ADD)
    assert rows_in(open_source(settings)) == 3
    assert rows_in(open_source(settings, anew=True)) == 4


def test_what_lies_in_the_log_of_a_duckdb_file_is_read_too(answer, tmp_path):
    writing = (
        "import duckdb, os\ncon = duckdb.connect('shop.duckdb')\ncon.execute('CREATE TABLE t AS SELECT 1 AS n')\n"
        "con.execute('CHECKPOINT')\ncon.execute('INSERT INTO t VALUES (2)')\nos._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", writing], cwd=tmp_path, check=True)
    assert (tmp_path / "shop.duckdb.wal").exists()
    assert answer("shop.duckdb", "SELECT n FROM t ORDER BY n").column("n").to_pylist() == [1, 2]
