"""Every value arrives as it was: of its own type where all of a column can be held, otherwise as text."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.sources.database.asking import Question

UTC = pa.timestamp("us", tz="UTC")
LARGEST = "9" * 38

#  SQL of the values of one column,                          kept as,                and the values, written as text
POSTGRESQL = [
    ("1::int2, 2, -3::int8", pa.int64(), ["1", "2", "-3"]),
    ("9223372036854775807", pa.int64(), ["9223372036854775807"]),
    ("1.50::numeric(10,2), -0.05", pa.decimal128(18, 2), ["1.50", "-0.05"]),
    ("1.5::numeric, 0.3333333333333333, 12345", pa.decimal128(38, 16),
     ["1.5000000000000000", "0.3333333333333333", "12345.0000000000000000"]),
    (f"{LARGEST}::numeric", pa.decimal128(38, 0), [LARGEST]),
    (f"{LARGEST}9::numeric, 1.5", pa.string(), [f"{LARGEST}9", "1.5"]),
    ("'NaN'::numeric, 1.50", pa.string(), ["NaN", "1.50"]),
    ("'-Infinity'::numeric, 1.50", pa.string(), ["-Infinity", "1.50"]),
    ("'1234.5'::money, '-3'", pa.decimal128(18, 2), ["1234.50", "-3.00"]),
    ("0.1::float8, 1e-300", pa.float64(), ["0.1", "1e-300"]),
    ("0.1::float4", pa.float64(), ["0.1"]),
    ("'NaN'::float8, 'Infinity'", pa.float64(), ["nan", "inf"]),
    ("true, false", pa.bool_(), ["true", "false"]),
    ("date '2017-03-01', '0001-01-01', '9999-12-31'", pa.date32(), ["2017-03-01", "0001-01-01", "9999-12-31"]),
    ("date '2017-03-01', 'infinity'", pa.string(), ["2017-03-01", "infinity"]),
    ("date '2017-03-01', '-infinity'", pa.string(), ["2017-03-01", "-infinity"]),
    ("date '2017-03-01', '0044-03-15 BC'", pa.string(), ["2017-03-01", "0044-03-15 BC"]),
    ("date '2017-03-01', '10000-01-01'", pa.string(), ["2017-03-01", "10000-01-01"]),
    ("timestamp '2017-03-01 10:00', '2017-03-01 23:59:59.123456'", pa.timestamp("us"),
     ["2017-03-01 10:00:00", "2017-03-01 23:59:59.123456"]),
    ("timestamp '2017-03-01 10:00', 'infinity'", pa.string(), ["2017-03-01 10:00:00", "infinity"]),
    ("timestamp '294276-12-31 23:59'", pa.string(), ["294276-12-31 23:59:00"]),
    ("timestamptz '2017-03-01 10:00-05', '2017-07-01 00:00 Europe/Berlin'", UTC,
     ["2017-03-01 15:00:00+00", "2017-06-30 22:00:00+00"]),
    ("timestamptz '2017-03-01 10:00-05', 'infinity'", pa.string(), ["2017-03-01 15:00:00+00", "infinity"]),
    ("'007', '', null, ' a ', '1,50', 'NULL'", pa.string(), ["007", "", None, " a ", "1,50", "NULL"]),
    ("'a'::char(3)", pa.string(), ["a  "]),
    ("null::int, 5", pa.int64(), [None, "5"]),
    ("null::numeric", pa.decimal128(18, 0), [None]),
    ("null::date", pa.date32(), [None]),
    ("interval '1 day 2 hours'", pa.string(), ["1 day 02:00:00"]),
    ("time '10:00'", pa.string(), ["10:00:00"]),
    ("'{\"a\": [1, 2]}'::jsonb", pa.string(), ['{"a": [1, 2]}']),
    ("array[1, 2]", pa.string(), ["{1,2}"]),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", pa.string(), ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    ("'\\xdeadbeef'::bytea", pa.string(), ["\\xdeadbeef"]),
]  # fmt: skip

DUCKDB = [
    ("1::TINYINT, 2, 3::UINTEGER", pa.int64(), ["1", "2", "3"]),
    ("18446744073709551615::UBIGINT", pa.decimal128(38, 0), ["18446744073709551615"]),
    ("170141183460469231731687303715884105727::HUGEINT", pa.string(), ["170141183460469231731687303715884105727"]),
    ("1.50::DECIMAL(10,2), -0.05", pa.decimal128(18, 2), ["1.50", "-0.05"]),
    ("0.1::FLOAT", pa.float64(), ["0.1"]),
    ("'nan'::DOUBLE, 0.1", pa.float64(), ["nan", "0.1"]),
    ("true, false", pa.bool_(), ["true", "false"]),
    ("DATE '2017-03-01', DATE 'infinity'", pa.string(), ["2017-03-01", "infinity"]),
    ("DATE '2017-03-01', DATE '0044-03-15 (BC)'", pa.string(), ["2017-03-01", "0044-03-15 (BC)"]),
    ("TIMESTAMP_NS '2017-03-01 10:00:00.123456789'", pa.timestamp("us"), ["2017-03-01 10:00:00.123456"]),
    ("TIMESTAMP_S '2017-03-01 10:00:00'", pa.timestamp("us"), ["2017-03-01 10:00:00"]),
    ("TIMESTAMPTZ '2017-03-01 10:00:00-05'", UTC, ["2017-03-01 15:00:00+00"]),
    ("'007', '', NULL", pa.string(), ["007", "", None]),
    ("[1, 2]", pa.string(), ["[1, 2]"]),
    ("INTERVAL 1 DAY", pa.string(), ["1 day"]),
    ("'a'::ENUM('a', 'b')", pa.string(), ["a"]),
    ("'2017'::JSON", pa.string(), ["2017"]),
]


def as_text(table: pa.Table) -> list[str | None]:
    """The first column as DuckDB writes it: exact, and not by way of Python's own types."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.register("rows", table)
    return [row[0] for row in con.execute("SELECT CAST(#1 AS VARCHAR) FROM rows").fetchall()]


def rows_of(values: str) -> str:
    return "VALUES " + ", ".join(f"({value})" for value in split(values))


def split(values: str) -> list[str]:
    """At the commas outside quotes and brackets."""
    parts, depth, quoted = [""], 0, False
    for letter in values:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter in "([") - (letter in ")]")
        if letter == "," and not quoted and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


@pytest.fixture(scope="session")
def empty_database(postgres):
    return postgres.address(postgres.new_database())


@pytest.mark.parametrize(("values", "kept_as", "expected"), POSTGRESQL, ids=[case[0][:40] for case in POSTGRESQL])
def test_a_value_of_postgresql_arrives_as_it_was(answer, empty_database, values, kept_as, expected):
    table = answer(empty_database, rows_of(values))
    assert (table.schema.types, as_text(table)) == ([kept_as], expected)


@pytest.mark.parametrize(("values", "kept_as", "expected"), DUCKDB, ids=[case[0][:40] for case in DUCKDB])
def test_a_value_of_duckdb_arrives_as_it_was(answer, tmp_path, values, kept_as, expected):
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    table = answer("shop.duckdb", rows_of(values))
    assert (table.schema.types, as_text(table)) == ([kept_as], expected)


def test_what_cannot_be_held_is_told_with_its_column(extracted, empty_database):
    query = "SELECT 1 AS number, date 'infinity' AS ends_at, repeat('9', 39)::numeric AS amount"
    table = extracted(empty_database, [Question("purchases", "", query)]).tables["purchases"]
    assert table.as_text == {"ends_at": "infinity", "amount": "9" * 39}


NO_NUL = st.characters(exclude_characters="\x00", exclude_categories=("Cs",))
CELLS = (
    st.none() | st.text(NO_NUL) | st.sampled_from(["", "\\.", '"', ",", "\r\n", "\n", "\r", "\\N", "NULL", "😀\tא"])
)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=8))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_comes_back_cell_by_cell_and_row_by_row(answer, postgres, empty_database, rows):
    name = empty_database.rpartition("/")[2]
    with postgres.connect(name) as con:
        con.execute("DROP TABLE IF EXISTS texts")
        con.execute("CREATE TABLE texts (one text, two text)")
        con.cursor().executemany("INSERT INTO texts VALUES (%s, %s)", rows)
    table = answer(empty_database, "SELECT one, two FROM texts")
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == rows
    alone = answer(empty_database, "SELECT one FROM texts")  # a single column: an empty line is a row, too
    assert alone.column("one").to_pylist() == [one for one, _ in rows]


def test_a_text_longer_than_a_block_arrives_whole(answer, empty_database):
    table = answer(
        empty_database, "SELECT n, repeat(n::text || ',\"\n', 5000000) AS document FROM generate_series(1, 2) n"
    )
    assert [len(document) for document in table.column("document").to_pylist()] == [20_000_000, 20_000_000]


@pytest.mark.parametrize("kind", ["postgresql", "duckdb"])
def test_many_rows_arrive_in_their_order(answer, empty_database, tmp_path, kind):
    duckdb.connect(str(tmp_path / "shop.duckdb")).close()
    series = "SELECT n, 'row ' || n AS named FROM generate_series(1, 300000) AS numbers(n)"
    table = answer(empty_database if kind == "postgresql" else "shop.duckdb", series)
    assert table.column("n").to_pylist() == list(range(1, 300_001))
    assert table.column("named")[-1].as_py() == "row 300000"
    assert table.num_columns == 2
