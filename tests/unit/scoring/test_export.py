"""A list as CSV: what goes in comes out, whatever it holds, and no spreadsheet runs it."""

import csv
import io

import pandas as pd
import pytest

from crm.scoring.export import as_csv, as_meant

NASTY = [
    "plain", "007", "1e5", "a,b", "a;b", 'say "so"', '"', "'", "", "=1+1", "+49 30", "-5", "@sum", "\ttab",
    "\rreturn", "'=1", "''=1", "'quoted'", "line\nbreak", "line\r\nbreak", "\nfirst", "Zoë", "李", "🙂", " =1",
    "=cmd|' /C calc'!A0", "null", "NA", "a\u2028b", "\u202eright to left",
]  # fmt: skip


def read_by_csv(content):
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def read_by_pandas(content):
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    return [list(frame.columns), *frame.to_numpy().tolist()]


@pytest.mark.parametrize("read", [read_by_csv, read_by_pandas])
def test_nasty_ids_come_back(read):
    frame = pd.DataFrame({"customer_id": NASTY, "gain": [float(place) for place in range(len(NASTY))]})
    header, *rows = read(as_csv(frame))
    assert header == ["customer_id", "gain"]
    assert {as_meant(customer): float(gain) for customer, gain in rows} == dict(
        zip(NASTY, frame["gain"], strict=True)
    )
    assert not [customer for customer, _ in rows if customer.startswith(tuple("=+-@\t\r\n"))]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\ta", "'\ta"), ("\ra", "'\ra"),
        ("\na", "'\na"), ("'=1", "''=1"), ("''-1", "'''-1"), ("'t Hooft", "'t Hooft"), ("a=1", "a=1"), ("", ""),
        ("'", "'"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_formula_is_written_as_text_and_can_be_told_again(text, written):
    _, (cell,) = read_by_csv(as_csv(pd.DataFrame({"offer": [text]})))
    assert cell == written
    assert as_meant(cell) == text


def test_byte_for_byte():
    frame = pd.DataFrame(
        {
            "customer_id": [12, 7],
            "=note": ["", None],
            "gain": [-1.5, float("nan")],
            "rank": [1, 2],
            "send_by": pd.to_datetime(["2018-01-15", None]),
            "written_at": pd.to_datetime(["2018-01-01 08:30", "2018-01-02 00:00"]),
            "call": [True, False],
        }
    )
    assert as_csv(frame).decode() == (
        '"customer_id","\'=note","gain","rank","send_by","written_at","call"\r\n'
        '"12","",-1.5,1,"2018-01-15","2018-01-01 08:30:00",True\r\n'
        '"7","","",2,"","2018-01-02 00:00:00",False\r\n'
    )


def test_the_same_rows_give_the_same_bytes():
    frame = pd.DataFrame(
        {"customer_id": ["b", "a", "10", "9"], "channel": ["mail"] * 4, "gain": [1.0, 2.0, 3.0, 4.0]}
    )
    written = as_csv(frame)
    assert [row[0] for row in read_by_csv(written)[1:]] == ["10", "9", "a", "b"]
    for seed in range(5):
        assert as_csv(frame.sample(frac=1.0, random_state=seed)) == written
    ranked = frame.assign(rank=[4, 10, 2, 1])
    assert [row[0] for row in read_by_csv(as_csv(ranked))[1:]] == ["9", "10", "b", "a"]


def test_a_byte_order_mark_where_it_is_wanted():
    frame = pd.DataFrame({"customer_id": ["ä"]})
    assert as_csv(frame, byte_order_mark=True) == b"\xef\xbb\xbf" + as_csv(frame)
    assert as_csv(frame, byte_order_mark=True).decode("utf-8-sig") == '"customer_id"\r\n"ä"\r\n'


def test_nobody_on_the_list():
    assert as_csv(pd.DataFrame({"customer_id": pd.Series(dtype="str"), "gain": []})) == b'"customer_id","gain"\r\n'


def test_the_frame_is_left_as_it_was():
    frame = pd.DataFrame({"customer_id": ["=b", "=a"], "kind": pd.Categorical(["x", "y"])})
    before = frame.copy(deep=True)
    assert read_by_csv(as_csv(frame))[1] == ["'=a", "y"]
    pd.testing.assert_frame_equal(frame, before)
