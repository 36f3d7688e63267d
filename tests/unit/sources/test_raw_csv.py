"""CSV of every kind and dirt: bytes go in, and columns, rows and broken rows come out, or one clear message."""

from __future__ import annotations

import bz2
import codecs
import csv
import datetime as dt
import gzip
import io
import lzma
import os
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crm.config import TableMapping
from crm.errors import SettingsError, SourceError
from crm.sources.cdnow import data_file
from crm.sources.raw import BROKEN, FILE, TEXT, RawPart, read_raw

NUL = "the line holds a NUL byte"
UNCLOSED = "a quote is opened and never closed"
BEFORE = "the line stands before the header"


class Result(NamedTuple):
    """What came out: good rows, and broken ones as reason and text."""

    part: RawPart
    rows: list[tuple[str | None, ...]]
    broken: list[tuple[str, str]]


@pytest.fixture
def read(tmp_path: Path):
    """Bytes under a name -> what is read of them."""

    def read(data: bytes, name: str = "orders.csv", **mapping: object) -> Result:
        (tmp_path / name).write_bytes(data)
        place = tmp_path / "place"
        place.mkdir(exist_ok=True)
        (part,) = read_raw(tmp_path / name, TableMapping(**mapping), place)
        return result_of(part)

    return read


def result_of(part: RawPart) -> Result:
    rows = duckdb.sql(f"SELECT * FROM '{part.parquet}'")
    assert tuple(rows.columns) == (FILE, BROKEN, TEXT, *part.columns)
    assert {str(kind) for kind in rows.types} == {"VARCHAR"}
    found = rows.fetchall()
    assert {row[0] for row in found} <= {part.origin}
    good = [row[3:] for row in found if row[1] is None]
    broken = [row[1:3] for row in found if row[1] is not None]
    assert all(row[2] is None for row in found if row[1] is None)
    assert all(cell is None for row in found if row[1] is not None for cell in row[3:])
    assert part.broken == len(broken)
    return Result(part, good, broken)


def short(found: int, width: int) -> str:
    return f"the line has {found} field{'' if found == 1 else 's'} in place of {width}"


class TestDelimiters:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
    @pytest.mark.parametrize("told", [True, False], ids=["told", "seen"])
    def test_each_is_seen_or_told(self, read, delimiter: str, told: bool) -> None:
        text = "id,name,amount\n1,Ann,3.50\n2,Bob,4.00\n".replace(",", delimiter)
        result = read(text.encode(), delimiter=delimiter if told else "")
        assert result.part.columns == ("id", "name", "amount")
        assert result.rows == [("1", "Ann", "3.50"), ("2", "Bob", "4.00")]
        assert result.part.dialect.delimiter == delimiter

    def test_blanks_of_any_number_leading_and_trailing_ones_too(self, read) -> None:
        text = b" customer  date number \r\n 00001 19970101\t 1 \r\n\r\n00002   19970112  \t5\r\n 3 4\r\n"
        for delimiter in ("", "blanks"):
            result = read(text, delimiter=delimiter)
            assert result.part.dialect.delimiter == "blanks"
            assert result.part.columns == ("customer", "date", "number")
            assert result.rows == [("00001", "19970101", "1"), ("00002", "19970112", "5")]
            assert result.broken == [(short(2, 3), " 3 4")]

    def test_cdnow_with_its_header_and_without(self, read) -> None:
        whole = data_file().read_bytes()
        with_header = read(whole)
        assert with_header.part.columns == ("customer_id", "date", "number_of_cds", "dollar_value")
        without = read(whole.partition(b"\n")[2], header=False)
        assert without.part.columns == ("column 1", "column 2", "column 3", "column 4")
        assert with_header.rows == without.rows == [tuple(line.split()) for line in whole.decode().splitlines()[1:]]
        assert len(without.rows) == 69_659
        assert (with_header.part.dialect.names, without.part.dialect.names) == (True, False)

    @pytest.mark.parametrize(
        ("text", "delimiter"),
        [
            ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),  # decimal commas in every row
            ("1;2,5\n3;4,5\n", ";"),
            ("1,5;2,5\n3,5;4,5\n", ";"),
            ("a;b;c\n1;x, y and z;2\n2;u;3\n", ";"),
            ("a,b,c\n1,x;y,2\n2,u;v,3\n", ","),
            ("a\tb\nAnn, Smith\t1\nBob, Jones\t2\n", "\t"),
            ("id,path\n1,a|b\n2,c|d\n", ","),
            ("a,b,c\n1,2,3\n4,5\n6,7\n8,9,10\n1,2,3\n", ","),  # a third is broken
            ("only\nAnn Smith\nBob\n", ","),  # one column
            ("a,b,c\n", ","),
            ("2017-01-01 08:00,1\n2017-01-02 09:00,2\n", ","),
            ("title of it all\n\na;b;c\n1;2;3\n4;5;6\n", ";"),
            ('a,b\n"1;2;3","4;5"\n"1;2;3","4;5"\n', ","),
        ],
    )
    def test_the_delimiter_is_the_one_that_makes_a_table(self, read, text: str, delimiter: str) -> None:
        assert read(text.encode()).part.dialect.delimiter == delimiter

    def test_the_line_by_which_excel_tells_it(self, read) -> None:
        result = read(b"sep=;\r\na;b\r\n1,5;2\r\n")
        assert (result.part.columns, result.rows, result.broken) == (("a", "b"), [("1,5", "2")], [])

    @pytest.mark.parametrize("delimiter", ["||", "é", "\n", '"'])
    def test_what_cannot_be_one_is_refused(self, read, delimiter: str) -> None:
        with pytest.raises(SettingsError, match="`delimiter` must be one sign"):
            read(b"a,b\n1,2\n", delimiter=delimiter)

    @pytest.mark.parametrize("quote", ["“", " "])
    def test_what_cannot_be_a_quote_is_refused(self, read, quote: str) -> None:
        with pytest.raises(SettingsError, match="`quote` must be one sign"):
            read(b"a,b\n1,2\n", quote=quote)

    @pytest.mark.parametrize("told", ["tab", "\\t", "\t"])
    def test_a_tab_may_be_told_in_words(self, read, told: str) -> None:
        assert read(b"a,b\tc\n1,2\t3\n", delimiter=told).rows == [("1,2", "3")]


LINES = [
    # name, text below "a,b,c\n", good rows, broken rows
    ("delimiter in quotes", '1,"x,y",3\n', [("1", "x,y", "3")], []),
    ("doubled quotes", '1,"say ""hi""",3\n', [("1", 'say "hi"', "3")], []),
    ("only quotes", '1,"""",""""""\n', [("1", '"', '""')], []),
    ("line break in quotes", '1,"two\nlines",3\n', [("1", "two\nlines", "3")], []),
    ("CRLF in quotes", '1,"two\r\nlines",3\r\n', [("1", "two\r\nlines", "3")], []),
    ("CRLF", "1,2,3\r\n4,5,6\r\n", [("1", "2", "3"), ("4", "5", "6")], []),
    ("CR", "1,2,3\r4,5,6\r", [("1", "2", "3"), ("4", "5", "6")], []),
    ("no last line end", "1,2,3", [("1", "2", "3")], []),
    ("empty lines", "\n1,2,3\n\n\n4,5,6\n\n\n", [("1", "2", "3"), ("4", "5", "6")], []),
    ("empty cells", ',"",3\n', [(None, None, "3")], []),
    ("rows of nothing", '1,2,3\n,,\n"",,\n', [("1", "2", "3")], []),
    ("blanks are kept", "  1 , ,3  \n", [("  1 ", " ", "3  ")], []),
    ("too short", "1,2\n4,5,6\n", [("4", "5", "6")], [(short(2, 3), "1,2")]),
    ("too long", '1,2,3,4\n4,"5",6,,\n', [], [(short(4, 3), "1,2,3,4"), (short(5, 3), '4,"5",6,,')]),
    ("one field", "end of export\n", [], [(short(1, 3), "end of export")]),
    ("too short over lines", '1,"two\nlines"\n4,5,6\n', [("4", "5", "6")], [(short(2, 3), '1,"two\nlines"')]),
    ("stray quote", '1,5" pipe,3\n4,7",6\n', [("1", '5" pipe', "3"), ("4", '7"', "6")], []),
    ("stray quote, too long", '1,5" pipe,3,4\n', [], [(short(4, 3), '1,5" pipe,3,4')]),
    ("quotes not doubled", '1,"5" pipe",3\n', [("1", '5" pipe', "3")], []),
    ("quotes in a name", '1,"a "big" one",3\n', [("1", 'a "big" one', "3")], []),
    ("quotes not doubled, too short", '1,"5" pipe"\n', [], [(short(2, 3), '1,"5" pipe"')]),
    ("text after quotes", '1,"x"y,3\n', [], [(UNCLOSED, '1,"x"y,3')]),
    ("never closed", '1,"open,3\n4,5,6\n7,8,9\n', [("4", "5", "6"), ("7", "8", "9")], [(UNCLOSED, '1,"open,3')]),
    ("never closed, last", '1,2,3\n4,"5', [("1", "2", "3")], [(UNCLOSED, '4,"5')]),
    ("never closed, quotes later", '1,"open,3\n4,"x",6\n', [("4", "x", "6")], [(UNCLOSED, '1,"open,3')]),
    ("never closed among quotes", '"1","x","y\n"4","5","6"\n', [("4", "5", "6")], [(UNCLOSED, '"1","x","y')]),
    (
        "never closed, and closed by a stray quote far below",
        '1,2,"open\n' + "4,5,6\n" * 6 + '7,8,9"\n',
        [("4", "5", "6")] * 6 + [("7", "8", '9"')],
        [(UNCLOSED, '1,2,"open')],
    ),
    (
        "a long text is no table",
        '1,2,"dear all,\n' + "line\n" * 9 + 'yours"\n',
        [("1", "2", "dear all,\n" + "line\n" * 9 + "yours")],
        [],
    ),
    ("emoji, right to left", "🎁,שלום,مرحبا\n", [("🎁", "שלום", "مرحبا")], []),
    ("HTML, formula", "<b>x</b>,=1+1,@SUM(A1)\n", [("<b>x</b>", "=1+1", "@SUM(A1)")], []),
    ("numbers as they are", "007,17850.0,1e5\n", [("007", "17850.0", "1e5")], []),
    ("NULL and NaN as they are", "NULL,NaN,#N/A\n", [("NULL", "NaN", "#N/A")], []),
    ("a NUL byte", "1,\0,3\n4,5,6\n", [("4", "5", "6")], [(NUL, "1,\0,3")]),
    ("a NUL byte over lines", '1,"\n\0",3\n4,5,6\n', [("4", "5", "6")], [(NUL, '1,"\n\0",3')]),
    ("NUL bytes at the end", "1,2,3\n" + "\0" * 9, [("1", "2", "3")], [(NUL, "\0" * 9)]),
]


class TestLines:
    @pytest.mark.parametrize(
        ("text", "rows", "broken"), [line[1:] for line in LINES], ids=[line[0] for line in LINES]
    )
    @pytest.mark.parametrize("after", ["", "\n9,9,9\n" * 3], ids=["alone", "rows after"])
    def test_each_is_a_row_or_a_broken_row(self, read, text: str, rows: list, broken: list, after: str) -> None:
        result = read(f"a,b,c\n{text}{after}".encode())
        assert result.part.columns == ("a", "b", "c")
        assert sorted(result.rows, key=str) == sorted(rows + [("9", "9", "9")] * after.count("9,9,9"), key=str)
        assert sorted(result.broken) == sorted(broken)

    def test_rows_of_nothing_are_counted(self, read) -> None:
        assert read(b"a,b\n,\n1,\n,\n").part.blank == 2

    def test_another_quote_and_none(self, read) -> None:
        assert read(b"a,b\n1,'x,''y'''\n", quote="'").rows == [("1", "x,'y'")]
        assert read(b'a,b\n1,"x"\n2,"y\n', quote="").rows == [("1", '"x"'), ("2", '"y')]

    def test_a_very_long_field(self, read) -> None:
        long = "x" * 5_000_000
        result = read(f'a,b\n1,{long}\n2,"{long},\n"\n3,4\n'.encode())
        assert result.rows == [("1", long), ("2", f"{long},\n"), ("3", "4")]

    def test_a_quote_never_closed_does_not_swallow_a_large_file(self, read) -> None:
        rows = f"5,{'some words ' * 20}\n" * 90_000
        result = read(f'a,b\n1,"open\n{rows}'.encode())
        assert result.broken == [(UNCLOSED, '1,"open')]
        assert len(result.rows) == 90_000
        assert set(result.rows) == {("5", "some words " * 20)}

    def test_a_text_without_line_ends_is_refused(self, read) -> None:
        with pytest.raises(SourceError, match=r"lines of at most 16 MB"):
            read(b"a,b\n" + b"x" * 30_000_000)

    def test_broken_rows_are_found_wherever_they_are(self, read) -> None:
        lines = [f"{i},{'some words ' * 20},{i}" for i in range(80_000)]  # several pieces
        for i in (0, 7, 37_000, 79_999):
            lines[i] += ",more"
        result = read(("a,b,c\n" + "\n".join(lines)).encode())
        assert [text for _, text in result.broken] == [lines[i] for i in (0, 7, 37_000, 79_999)]
        assert len(result.rows) == 80_000 - 4


class TestHeaders:
    @pytest.mark.parametrize(
        ("line", "columns", "doubled"),
        [
            ("a,b,c", ("a", "b", "c"), ()),
            (' a ,b\u00a0c,"d\ne"', ("a", "b c", "d e"), ()),
            ("Date,id,date", ("Date", "id", "date (column 3)"), ("Date", "date")),
            ("a,,", ("a", "column 2", "column 3"), ()),
            ("column 2,,x", ("column 2", "column 2 (column 2)", "x"), ()),
            ("a,a,a (column 2)", ("a", "a (column 2)'", "a (column 2)"), ("a",)),
            ("crm:file,x,CRM:Text", ("crm:file (column 1)", "x", "CRM:Text (column 3)"), ()),
        ],
    )
    def test_names_are_unique_and_none_is_empty(self, read, line: str, columns: tuple, doubled: tuple) -> None:
        result = read(f"{line}\n1,2,3\n".encode())
        assert (result.part.columns, result.part.doubled) == (columns, doubled)
        assert result.rows == [("1", "2", "3")]

    def test_a_header_alone_is_a_table_without_rows(self, read) -> None:
        result = read(b"a,b\n")
        assert (result.part.columns, result.rows, result.broken) == (("a", "b"), [], [])

    @pytest.mark.parametrize(
        ("text", "columns", "before", "rows"),
        [
            ("Sales 2017\na;b;c\n1;2;3\n4;5;6\n", ("a", "b", "c"), ["Sales 2017"], 2),
            (
                "Account:;DE12\nfrom\n\na;b;c;d\n1;2;3;4\n4;5;6;7\n",
                ("a", "b", "c", "d"),
                ["Account:;DE12", "from"],
                2,
            ),
            ("Sales 2017;;\na;b;c\n1;2;3\n4;5;6\n", ("a", "b", "c"), ["Sales 2017;;"], 2),
            ("a;b;c\n1;2;3;\n4;5;6;\n", ("a", "b", "c", "column 4"), [], 2),  # every row ends in a delimiter
            ("a;b;c;\n1;2;3\n4;5;6\n", ("a", "b", "c"), [], 2),  # the header alone does
            ("a;;\n1;2;3\n4;5;6\n", ("a", "column 2", "column 3"), [], 2),  # no title: numbers follow
            (";city\nAnn;Rome\nBob;Oslo\n", ("column 1", "city"), [], 2),
            (";b;c\nr1;x;y\nr2;u;v\n", ("column 1", "b", "c"), [], 2),
            ("b;c\nr1;x;y\nr2;u;v\n", ("b", "c"), [], 0),  # one name too few: every row is broken
        ],
    )
    def test_lines_before_the_header(self, read, text: str, columns: tuple, before: list, rows: int) -> None:
        result = read(text.encode())
        assert result.part.columns == columns
        assert [line for reason, line in result.broken if reason == BEFORE] == before
        assert result.part.dialect.titles == len(before)
        assert len(result.rows) == rows

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("id,when\n1,2017-01-01\n2,2017-01-02\n", True),
            ("1,2017-01-01\n2,2017-01-02\n", False),
            ("C1,12.50\nC2,13\n", False),
            ("name,city\nAnn,Rome\nBob,Oslo\n", True),
            ("Ann,Rome\nBob,Oslo\nAnn,Rome\n", False),
            ("id,1/2/2017 8:26 AM\n5,1/3/2017 8:26 PM\n", False),
        ],
    )
    def test_whether_the_first_line_looks_like_names(self, read, text: str, names: bool) -> None:
        for header in (True, False):
            assert read(text.encode(), header=header).part.dialect.names is names

    def test_without_header_every_line_is_a_row(self, read) -> None:
        result = read(b"1,2\n3,4,5\n6,7\n", header=False)
        assert result.part.columns == ("column 1", "column 2")
        assert (result.rows, result.broken) == ([("1", "2"), ("6", "7")], [(short(3, 2), "3,4,5")])


GERMAN = "Müller,5 €,Straße “am Bach”"


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "mark", "named"),
        [
            ("utf-8", b"", "utf-8"),
            ("utf-8", codecs.BOM_UTF8, "utf-8"),
            ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
            ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
            ("utf-16-le", b"", "utf-16-le"),
            ("utf-16-be", b"", "utf-16-be"),
            ("utf-32-le", codecs.BOM_UTF32_LE, "utf-32"),
            ("cp1252", b"", "cp1252"),
        ],
    )
    def test_each_is_seen(self, read, encoding: str, mark: bytes, named: str) -> None:
        text = "name,price,street\n" + f"Bob,4,Main Street\n{GERMAN}\n" * 3
        result = read(mark + text.encode(encoding))
        assert result.part.columns == ("name", "price", "street")
        assert result.rows == [("Bob", "4", "Main Street"), tuple(GERMAN.split(","))] * 3
        assert result.part.dialect.encoding == named

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
    def test_a_single_letter_late_in_a_large_file(self, read, encoding: str) -> None:
        rows = "5,some words\n" * 700_000
        result = read(f"a,b\n{rows}6,café\n".encode(encoding))
        assert result.part.dialect.encoding == encoding
        assert result.rows[-1] == ("6", "café")

    @pytest.mark.parametrize(
        ("told", "encoding"), [("latin-1", "cp1252"), ("cp1250", "cp1250"), ("cp932", "cp932"), ("utf-16", "utf-16")]
    )
    def test_each_can_be_told(self, read, told: str, encoding: str) -> None:
        text = {"cp1250": "Łódź", "cp932": "東京ソ"}.get(told, "Köln")
        assert read(f"a,b\n1,{text}\n".encode(encoding), encoding=told).rows == [("1", text)]

    @pytest.mark.parametrize("text", ["Москва", "Wrocław, Łódź, książka, żółty, łąka", "Ελλάδα"])
    def test_what_looks_like_no_western_language_must_be_told(self, read, text: str) -> None:
        encoding = {"М": "cp1251", "W": "cp1250"}.get(text[0], "cp1253")
        data = f'a,b\n1,"{text}"\n2,x\n'.encode(encoding)
        with pytest.raises(SourceError, match="Set `encoding`"):
            read(data)
        assert read(data, encoding=encoding).rows == [("1", text), ("2", "x")]

    @pytest.mark.parametrize("encoding", ["cp850", "mac-roman"])
    def test_old_machines_must_be_told_too(self, read, encoding: str) -> None:
        with pytest.raises(SourceError, match="Set `encoding`"):
            read("a,b\n1,Käse für Bären\n".encode(encoding))

    def test_one_bad_row_of_utf8_is_a_broken_row(self, read) -> None:
        result = read("a,b\n1,Köln\n2,Müller\n".encode() + b"3,Stra\xdfe\n4,x\n")
        assert result.rows == [("1", "Köln"), ("2", "Müller"), ("4", "x")]
        assert result.broken == [("the line is not all utf-8", "3,Stra\\xdfe")]

    def test_a_letter_cut_in_two_at_the_end(self, read) -> None:
        result = read("a,b\n1,Köln\n2,Mü".encode()[:-1])
        assert result.broken == [("the line is not all utf-8", "2,M\\xc3")]

    def test_a_byte_that_the_told_encoding_does_not_have(self, read) -> None:
        result = read(b"a,b\n1,\x81\n2,\xfc\n", encoding="cp1252")
        assert (result.rows, result.broken) == ([("2", "ü")], [("the line is not all cp1252", "1,\\x81")])

    def test_letters_lost_before_stay_as_they_are(self, read) -> None:
        assert read("a,b\n1,K\ufffdln\n".encode()).rows == [("1", "K\ufffdln")]

    @pytest.mark.parametrize("told", ["nonsense", "base64", "utf\0", "idna"])
    def test_an_unknown_one_is_refused(self, read, told: str) -> None:
        with pytest.raises(SettingsError, match="the name of an encoding"):
            read(b"a,b\n", encoding=told)

    def test_a_told_one_that_cannot_be(self, read) -> None:
        assert read("a,b\n1,2\n3,4\n".encode("utf-16-be"), encoding="utf-16").rows == [("1", "2"), ("3", "4")]
        with pytest.raises(SourceError, match="must be utf-16, as crm"):
            read(b"a,b\n1,2\n", encoding="utf-16")


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_csv", ".csv"), data)
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return out.getvalue().to_pybytes()


PACKERS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda data: zipped(orders_csv=data),
}


class TestPacked:
    @pytest.mark.parametrize("compressed", PACKERS)
    @pytest.mark.parametrize("name", ["orders.csv.gz", "orders.csv"])
    def test_each_is_seen_by_content(self, read, compressed: str, name: str) -> None:
        result = read(PACKERS[compressed]("a,b\n1,Köln\n".encode("cp1252")), name)
        assert result.rows == [("1", "Köln")]
        assert (result.part.dialect.compressed, result.part.dialect.encoding) == (compressed, "cp1252")

    @pytest.mark.parametrize("compressed", PACKERS)
    @pytest.mark.parametrize("rows", [3, 30_000])
    @pytest.mark.parametrize("left", [0.5, 0.999])
    def test_one_that_ends_too_early_is_never_a_shorter_file(
        self, read, compressed: str, rows: int, left: float
    ) -> None:
        data = PACKERS[compressed](b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i % 997) for i in range(rows)))
        with pytest.raises(SourceError, match="must be whole"):
            read(data[: min(int(len(data) * left), len(data) - 1)])

    def test_damage_within(self, read) -> None:
        data = bytearray(gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i % 997) for i in range(9999))))
        data[len(data) // 2] ^= 0xFF
        with pytest.raises(SourceError, match="must be whole"):
            read(bytes(data))

    def test_two_packed_files_one_after_the_other(self, read) -> None:
        assert read(gzip.compress(b"a,b\n1,2\n", mtime=0) + gzip.compress(b"3,4\n")).rows == [("1", "2"), ("3", "4")]

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (zipped(a_csv=b"a,b\n", b_csv=b"a,b\n"), "holds 2"),
            (zipped(), "must be whole|holds 0"),
            (gzip.compress(gzip.compress(b"a,b\n", mtime=0), mtime=0), "Unpack it first"),
            (gzip.compress(b"%PDF-1.7 and so on", mtime=0), "packed in it: a PDF"),
            (gzip.compress(b"", mtime=0), "empty lines alone"),
        ],
    )
    def test_what_cannot_be_read(self, read, data: bytes, message: str) -> None:
        with pytest.raises(SourceError, match=message):
            read(data)


class TestWholeFiles:
    @pytest.mark.parametrize(
        ("data", "name", "message"),
        [
            (b"", "orders.csv", "an empty file of 0 bytes"),
            (b"\n\r\n  \n", "orders.csv", "empty lines alone"),
            (codecs.BOM_UTF8, "orders.csv", "empty lines alone"),
            (b"%PDF-1.7\n%\xe2\xe3", "orders.csv", "a PDF"),
            (b"\n <!DOCTYPE html><html><table>", "orders.xls", "a page of HTML or XML"),
            (b"<html><body>", "orders.csv", "HTML"),
            (b'<?xml version="1.0"?>', "orders.xls", "XML"),
            (b'[{"a": 1}]', "orders.csv", "JSON"),
            (b'{"a": 1}\n{"a": 2}', "orders.csv", "JSON"),
            (b"\x89PNG\r\n\x1a\n", "orders.csv", "a picture"),
            (b"SQLite format 3\0" + bytes(99), "orders.csv", "an SQLite database"),
            (bytes(range(1, 256)) * 9, "orders.csv", "bytes that no text has"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "orders.csv", "damaged content"),
            (b"a,b\n1,2\n", "orders.parquet", "as its name says"),
            (b"PAR1" + b"\x15\x04" * 40, "orders.parquet", "must be whole Parquet"),
            (b"PAR1" + b"\x15\x04" * 40 + b"PAR1", "orders.csv", "must be whole Parquet"),
        ],
    )
    def test_what_is_no_table_is_said(self, read, data: bytes, name: str, message: str) -> None:
        with pytest.raises(SourceError, match=message) as error:
            read(data, name)
        assert name in str(error.value)
        assert len(str(error.value).splitlines()) == 1

    def test_a_failed_reading_leaves_nothing(self, read, tmp_path: Path) -> None:
        with pytest.raises(SourceError):
            read(b"a,b\n" + b"x" * 30_000_000)
        assert not list((tmp_path / "place").iterdir())

    def test_a_folder_and_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        for path, message in ((tmp_path, "must be a file"), (tmp_path / "none.csv", "must exist")):
            with pytest.raises(SourceError, match=message):
                read_raw(path, TableMapping(), tmp_path)

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
    def test_a_file_that_this_user_may_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "orders.csv").write_bytes(b"a,b\n")
        (tmp_path / "orders.csv").chmod(0o000)
        tmp_path.chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(SourceError, match="must be readable"):
                read_raw(tmp_path / "orders.csv", TableMapping(), tmp_path)
        finally:
            os.seteuid(0)

    def test_parquet_is_read_where_it_lies(self, tmp_path: Path) -> None:
        file = tmp_path / "it's.parquet"
        pq.write_table(pa.table([[1], ["x"], [2.5]], names=["id", "Date", "date"]), file)
        (part,) = read_raw(file, TableMapping(), tmp_path)
        assert (part.parquet, part.origin, part.doubled) == (file, "it's.parquet", ("Date", "date"))
        assert part.columns[:2] == ("id", "Date")
        assert len({name.casefold() for name in part.columns}) == 3

    def test_parquet_under_another_name(self, tmp_path: Path) -> None:
        file = tmp_path / "orders.csv"
        pq.write_table(pa.table({"id": [1]}), file)
        (part,) = read_raw(file, TableMapping(), tmp_path)
        assert (part.origin, part.columns) == ("orders.csv (in fact Parquet)", ("id",))

    def test_text_under_the_name_of_a_workbook(self, read) -> None:
        result = read(b"a\tb\n1\t2\n", "export.xls")
        assert (result.part.origin, result.rows) == ("export.xls (in fact text)", [("1", "2")])

    def test_when_it_was_written_and_where_it_comes_from(self, read, tmp_path: Path) -> None:
        (tmp_path / "orders.csv").write_bytes(b"")
        result = read(b"a,b\n1,2\n")
        os.utime(tmp_path / "orders.csv", (86_400, 86_400))
        again = read_raw(tmp_path / "orders.csv", TableMapping(), tmp_path)[0]
        assert again.written == dt.datetime(1970, 1, 2, tzinfo=dt.UTC)
        assert result.part.origin == "orders.csv"

    def test_where_there_is_no_room(self, tmp_path: Path) -> None:
        """A process that may not write more than 100 kB says so, and leaves nothing."""
        (tmp_path / "orders.csv").write_bytes(b"a\n" + os.urandom(300_000).hex("\n", 20).encode())
        code = f"""
import pathlib, resource
from crm.config import TableMapping
from crm.errors import CrmError
from crm.sources.raw import read_raw
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
home = pathlib.Path({str(tmp_path)!r})
try:
    read_raw(home / "orders.csv", TableMapping(), home / "place")
except CrmError as error:
    print(type(error).__name__, error)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("NotWritable The folder")
        assert not list((tmp_path / "place").iterdir())

    def test_the_same_file_gives_the_same_bytes(self, read) -> None:
        rows = "".join(
            f'{i},"text {i % 7}\nof two lines {"more " * 40}",{"x," * (i % 5 == 0)}\n' for i in range(60_000)
        )
        data = f"a,b,c\n{rows}".encode()
        first = read(data).part.parquet.read_bytes()
        assert read(data).part.parquet.read_bytes() == first

    def test_files_of_the_same_name_do_not_overwrite_each_other(self, tmp_path: Path) -> None:
        for year in ("2016", "2017"):
            (tmp_path / year).mkdir()
            (tmp_path / year / "orders.csv").write_text(f"a,b\n{year},1\n")
        parts = [read_raw(tmp_path / year / "orders.csv", TableMapping(), tmp_path)[0] for year in ("2016", "2017")]
        assert [result_of(part).rows for part in parts] == [[("2016", "1")], [("2017", "1")]]


# Cells of what dirt is made of, and of anything else that text can hold.
CELLS = st.one_of(
    st.text(alphabet='ab ,;|"\n\r\t1é🎁', max_size=8),
    st.text(st.characters(exclude_characters="\0\ufdd0", codec="utf-8"), max_size=12),
)
DIALECTS = st.builds(
    dict,
    delimiter=st.sampled_from(",;\t|^"),
    quotechar=st.sampled_from("\"'"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    lineterminator=st.sampled_from(["\n", "\r\n", "\r"]),
)


@st.composite
def tables(draw: st.DrawFn, *, ragged: bool) -> tuple[int, list[list[str]]]:
    """So many columns, and rows of so many cells, or, some of them, of another number."""
    width = draw(st.integers(3 if ragged else 1, 6))  # of two, rows of four would make the header a title
    row = st.lists(CELLS, min_size=width, max_size=width)
    if ragged:
        row = st.one_of(row, row, st.lists(CELLS, min_size=1, max_size=width + 2))
    return width, draw(st.lists(row, max_size=12))


def written(width: int, rows: list[list[str]], dialect: dict) -> bytes:
    if any(sign in cell for row in rows for cell in row for sign in set("\r\n") - set(dialect["lineterminator"])):
        dialect = dialect | {"quoting": csv.QUOTE_ALL}  # csv leaves them bare
    out = io.StringIO()
    writer = csv.writer(out, **dialect)
    writer.writerow([f"name {i}" for i in range(width)])
    writer.writerows(rows)
    return out.getvalue().encode()


class TestWhateverIsWritten:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(table=tables(ragged=False), dialect=DIALECTS)
    def test_comes_back_cell_by_cell(self, read, table: tuple, dialect: dict) -> None:
        width, rows = table
        result = read(written(width, rows, dialect), delimiter=dialect["delimiter"], quote=dialect["quotechar"])
        expected = [tuple(cell or None for cell in row) for row in rows if any(row)]
        assert (result.rows, result.broken) == (expected, [])

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(table=tables(ragged=True), dialect=DIALECTS)
    def test_or_is_a_broken_row_and_none_is_lost(self, read, table: tuple, dialect: dict) -> None:
        """Rows in = good + broken + those of nothing."""
        width, rows = table
        assume(sum(len(row) == width + 1 and not row[-1] for row in rows) <= 0.9 * len(rows))  # one more column
        result = read(written(width, rows, dialect), delimiter=dialect["delimiter"], quote=dialect["quotechar"])
        fit = [row for row in rows if len(row) == width]
        assert result.rows == [tuple(cell or None for cell in row) for row in fit if any(row)]
        counts = Counter(short(len(row), width) for row in rows if len(row) != width)
        assert Counter(reason for reason, _ in result.broken) == counts
        assert len(rows) == len(result.rows) + len(result.broken) + result.part.blank

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(alphabet='ab,"\n\r', max_size=60))
    def test_any_text_at_all_is_read_whole(self, read, text: str) -> None:
        """What it held is in the rows and the broken rows; only quotes, delimiters and line ends are no content."""
        result = read(f"a,b\n{text}".encode(), delimiter=",")
        found = "".join(cell or "" for row in result.rows for cell in row) + "".join(t for _, t in result.broken)
        assert Counter(sign for sign in found if sign in "ab") == Counter(sign for sign in text if sign in "ab")
