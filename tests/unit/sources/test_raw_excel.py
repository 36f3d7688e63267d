"""Workbooks: sheets are parts, cells are text as a person reads them."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb
import pytest

from crm.config import TableMapping
from crm.errors import SettingsError, SourceError
from crm.sources.raw import RawPart, read_raw

# A sheet Orders (id, when, amount; 17850, 2017-01-01 08:26, 2.55) as Excel 97 wrote it.
OLD_EXCEL = (
    "c-rk)O=uHA6#izLG(V>4CMJbeETLenwLORz5t@yH_GGPI6cKFd22yGgSu0WxTCF(>LQjg9LOpn?dhrK6=*@#r(Ssl;iF#2_f<g~%);BM^l179Ev{"
    "0FEnKy6Vn>X`zX5P%~zFdfuX76>BQHLa&P_YAOu8|2!0k@!o^tLToH}_Mr71k93ewxT;FCMqN@X0xp^Ie99yPju6fe)09<1~f}`AlLBv6p>F3+clE"
    "QGuHz38S68iZVUPbR*L{T=NOj6ico$9iX};aSRK_Q132h6(7~QSQmzD_W|3yWyuc2@m#Lri`PW8t`~c(vGl2Rrs(v9FbA5@!Aw45$#NXGWXMhu`g6"
    "H{(@bQuyK}h`Vl?G*_+cl2?`~{AO(^-=$^}TixKi%>gWOM3SudZ_Jirv}5e}6iE$xt}8qNnTGh>}u!e-jg!HE|7m`U1m*-W0oJ)J9@%})g7-p+f0z"
    "G5$E;TQ=KHPOm^gd;^KH<oUHdv#!R*f_zGDc=99r^FWN4s2YK7GxY|jmA{E(98UGrkA<ZP0V*NjnOiuyn8tAF#D&u&K1^nQ$ITyuZ^uWd=K%(uZJF"
    "X7C#!>h@T%UpO4MIF=o+4r<O_f@|i}T=o2@tOFS~%TsS+*JErZw?Jj;zcYL><qp%gr2r?UCS}n=Z5x+{BGgi`C)LCE9f-H;ROPfFwjga&%3gh!ka>"
    "M&isj6PKVAFslwJ7fM@TF?b;~*3i6ciK`6ciK`8iR1|<?>c8@9bXZ-tTk%>nu~MsNW?2Ee@kV&jfu=?n9n(3zH44pEh`f+m=|Rjr+e);t2I_VH~6E"
    "$9Ti*m%iIX?fb0SQ2%=&)M)>eM*RH8{r?0pr`CM"
)
OFFICE = "http://schemas.openxmlformats.org"
MAIN = f"{OFFICE}/spreadsheetml/2006/main"
LINKS = f"{OFFICE}/officeDocument/2006/relationships"
STYLES = {"date": (1, 14), "moment": (2, 22), "time": (3, 21), "hours": (4, 46)}  # place among the formats, format


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    """The bytes of an .xlsx: a cell is None, text, a number, true or false, or a kind with its value."""
    names = list(enumerate(sheets, 1))
    files = {
        "[Content_Types].xml": f'<Types xmlns="{OFFICE}/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": links({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/_rels/workbook.xml.rels": links(
            {f"rId{i}": ("worksheet", f"worksheets/sheet{i}.xml") for i, _ in names} | {"s": ("styles", "styles.xml")}
        ),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>'
        + "".join(f'<sheet name="{escape(name)}" sheetId="{i}" r:id="rId{i}"/>' for i, name in names)
        + "</sheets></workbook>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="5"><xf numFmtId="0"/>'
        + "".join(f'<xf numFmtId="{number}" applyNumberFormat="1"/>' for _, number in STYLES.values())
        + "</cellXfs></styleSheet>",
    }
    for i, name in names:
        rows = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in sheets[name])
        files[f"xl/worksheets/sheet{i}.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return out.getvalue()


def links(targets: dict[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{name}" Type="{LINKS}/{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{OFFICE}/package/2006/relationships">{inner}</Relationships>'


def cell(value: object) -> str:
    match value:
        case None:
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{int(value)}</v></c>'
        case int() | float():
            return f"<c><v>{value!r}</v></c>"
        case ("error", code):
            return f'<c t="e"><v>{code}</v></c>'
        case ("formula", formula, result):
            return f"<c><f>{formula}</f><v>{result}</v></c>"
        case (kind, number):
            return f'<c s="{STYLES[kind][0]}"><v>{number!r}</v></c>'
        case _:
            return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


Read = Callable[..., tuple[RawPart, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Sheets, or the bytes of a file -> its parts."""

    def read(content: dict[str, list[list[object]]] | bytes, name: str = "book.xlsx", **mapping: object):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else workbook(content))
        (tmp_path / "place").mkdir(exist_ok=True)
        return read_raw(tmp_path / name, TableMapping(**mapping), tmp_path / "place")

    return read


def rows_of(part: RawPart) -> list[tuple[str | None, ...]]:
    rows = duckdb.sql(f"SELECT * FROM '{part.parquet}'").fetchall()
    assert {row[0] for row in rows} <= {part.origin}
    assert part.broken == sum(row[1] is not None for row in rows)
    return [row[3:] for row in rows if row[1] is None]


CELLS = [
    (17850, "17850"),
    (17850.0, "17850"),
    (2.55, "2.55"),
    (0.1 + 0.2, "0.3"),  # as it stands in the cell of a person's screen
    (-3, "-3"),
    (1e-7, "1e-07"),
    (9007199254740991, "9007199254740991"),
    ("007", "007"),
    ("17850.0", "17850.0"),
    ("1,50", "1,50"),
    ("=1+1", "=1+1"),
    ("<b>🎁</b>", "<b>🎁</b>"),
    ("two\nlines", "two\nlines"),
    (True, "true"),
    (False, "false"),
    (("date", 42736), "2017-01-01"),
    (("moment", 42736.351388888892), "2017-01-01 08:26:00"),
    (("time", 0.25), "06:00:00"),
    (("hours", 1.5), "36:00:00"),
    (("formula", "1+1", 2), "2"),
    (("error", "#N/A"), None),  # the library gives no text for it
    (("error", "#DIV/0!"), None),
    ("", None),
    (None, None),
]


class TestCells:
    @pytest.mark.parametrize(("value", "text"), CELLS, ids=[str(value) for value, _ in CELLS])
    def test_each_as_text(self, read: Read, value: object, text: str | None) -> None:
        (part,) = read({"Sheet1": [["id", "x"], [1, value]]})
        assert rows_of(part) == [("1", text)]

    @pytest.mark.parametrize("name", ["book.xls", "orders.csv"])
    def test_an_old_workbook_and_one_under_another_name(self, read: Read, name: str) -> None:
        (part,) = read(zlib.decompress(base64.b85decode(OLD_EXCEL)), name)
        assert part.columns == ("id", "when", "amount")
        assert rows_of(part) == [("17850", "2017-01-01 08:26:00", "2.55")]
        shown = {"book.xls": "book.xls", "orders.csv": "orders.csv (in fact an Excel workbook)"}
        assert part.origin == f"{shown[name]}, sheet Orders"
        assert part.dialect is None


class TestSheets:
    BOOK: dict[str, list[list[object]]] = {"2016": [["id"], [1]], "Empty": [], "2017": [["id"], [2], [3]]}  # noqa: RUF012

    def test_each_that_is_not_empty_is_a_part(self, read: Read) -> None:
        parts = read(self.BOOK)
        assert [part.origin for part in parts] == ["book.xlsx, sheet 2016", "book.xlsx, sheet 2017"]
        assert [rows_of(part) for part in parts] == [[("1",)], [("2",), ("3",)]]

    def test_the_one_that_is_told(self, read: Read) -> None:
        (part,) = read(self.BOOK, sheet=" 2017")
        assert rows_of(part) == [("2",), ("3",)]

    def test_one_that_is_not_there(self, read: Read) -> None:
        with pytest.raises(SettingsError, match=r"'2018'; there are 2016, Empty, 2017"):
            read(self.BOOK, sheet="2018")

    @pytest.mark.parametrize("sheet", ["", "Empty"])
    def test_nothing_in_it(self, read: Read, sheet: str) -> None:
        with pytest.raises(SourceError, match="no cell that holds anything"):
            read({"Empty": []}, sheet=sheet)


class TestTables:
    @pytest.mark.parametrize(
        ("rows", "columns", "found", "broken"),
        [
            ([["a", "b"]], ("a", "b"), [], 0),
            ([[], [], ["a", "b"], [1, 2]], ("a", "b"), [("1", "2")], 0),  # empty rows above
            ([[None, "a", "b"], [None, 1, 2]], ("column 1", "a", "b"), [(None, "1", "2")], 0),  # from column B on
            ([["a", "b"], [1, 2], [], [None, None], [3, 4]], ("a", "b"), [("1", "2"), ("3", "4")], 0),
            ([["a"], [1, 2], [3]], ("a", "column 2"), [("1", "2"), ("3", None)], 0),
            ([["a", None, "a"], [1, 2, 3]], ("a", "column 2", "a (column 3)"), [("1", "2", "3")], 0),
            ([["Sales 2017"], [], ["a", "b", "c"], [1, 2, 3]], ("a", "b", "c"), [("1", "2", "3")], 1),  # a title
            ([[2016, ("date", 42736)], [1, 2]], ("2016", "2017-01-01"), [("1", "2")], 0),
        ],
    )
    def test_where_it_begins(self, read: Read, rows: list, columns: tuple, found: list, broken: int) -> None:
        (part,) = read({"Sheet1": rows})
        assert part.columns == columns
        assert rows_of(part) == found
        assert part.broken == broken

    def test_without_header(self, read: Read) -> None:
        (part,) = read({"Sheet1": [[], [1, "x"], [2, "y"]]}, header=False)
        assert part.columns == ("column 1", "column 2")
        assert rows_of(part) == [("1", "x"), ("2", "y")]

    def test_more_rows_than_are_taken_at_once(self, read: Read) -> None:
        (part,) = read({"Sheet1": [["id"], *([i] for i in range(60_000))]})
        assert rows_of(part) == [(str(i),) for i in range(60_000)]


class TestUnreadable:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (workbook({"Sheet1": [["a"]]})[:-50], "must be whole"),
            (workbook({"Sheet1": [["a"]]})[:400], "must be whole"),
            (zlib.decompress(base64.b85decode(OLD_EXCEL))[:1500], "damaged content"),
            (zlib.decompress(base64.b85decode(OLD_EXCEL))[:-90], "damaged content"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and no more", "damaged content"),
        ],
    )
    def test_a_damaged_one(self, read: Read, data: bytes, message: str) -> None:
        with pytest.raises(SourceError, match=message) as error:
            read(data)
        assert "book.xlsx" in str(error.value)

    def test_a_damaged_sheet(self, read: Read) -> None:
        with pytest.raises(SourceError, match="a damaged sheet One"):
            read(broken_sheet())

    def test_a_document_is_no_workbook(self, read: Read) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr("word/document.xml", "<document/>")
        with pytest.raises(SourceError, match="a document of a word processor"):
            read(out.getvalue(), "book.docx")


def broken_sheet() -> bytes:
    """A workbook whose sheet is no XML."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook({"One": [["a"]]}))) as whole,
        zipfile.ZipFile(out, "w") as archive,
    ):
        for name in whole.namelist():
            archive.writestr(name, whole.read(name)[: 200 if "sheet1" in name else None])
    return out.getvalue()
