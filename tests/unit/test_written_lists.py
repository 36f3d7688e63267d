"""Action lists on their way: what is written, what is kept whatever dies, and what may be said of it."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from lists_drawn import a_list, csv_of, kept, write_lists

from crm import written_lists
from crm.errors import CrmError, RequestError
from crm.publishing import NotPublishable
from crm.scoring.export import as_csv
from crm.written_lists import (
    KEPT,
    UNCHANGED,
    ListError,
    ListToWrite,
    keep_lists,
    latencies,
    lists_folder,
    mark_sent,
    read_lists,
    sent_before,
)

DAY = dt.date(2018, 1, 2)
LIST = "retain-2018-01-01"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def keep(data: Path, one: ListToWrite, *, on: str = "2018-01-02", run: str = "r") -> str:
    """What becomes of a list that a run has written."""
    folder = write_lists(data.parent / run, one)
    return keep_lists(data, folder, run_id=run, written_on=dt.date.fromisoformat(on))[one.list_id]


def mark(data: Path, on: str | None, *, list_id: str = LIST, today: str = "2018-03-01", again: bool = False):
    day = dt.date.fromisoformat(on) if on else None
    return mark_sent(data, list_id, on=day, today=dt.date.fromisoformat(today), said_at="then", again=again)


def customers_of(data: Path, list_id: str = LIST) -> list[str]:
    return pd.read_parquet(lists_folder(data) / list_id / "list.parquet")["customer_id"].tolist()


def test_a_run_writes_those_to_contact_apart_from_everybody_with_the_arm_and_a_record_without_customers(
    tmp_path: Path,
):
    folder = write_lists(tmp_path, a_list(), ledger=pd.DataFrame({"customer_id": ["dan"], "reason": ["no consent"]}))
    assert sorted(file.name for file in folder.iterdir()) == [
        "ledger.parquet", "retain-2018-01-01.csv", "retain-2018-01-01.json", "retain-2018-01-01.parquet"
    ]  # fmt: skip
    assert (folder / f"{LIST}.csv").read_bytes() == b"customer_id\r\nann\r\ncyd\r\n"
    everybody = pd.read_parquet(folder / f"{LIST}.parquet")
    assert everybody.to_dict("list") == {
        "customer_id": ["ann", "ben", "cyd"], "arm": ["treated", "held_out", "treated"], "channel": ["mail"] * 3
    }  # fmt: skip
    record = json.loads((folder / f"{LIST}.json").read_text())
    assert {name: record[name] for name in ("send_by", "treated", "held_out", "contacts_by_channel", "settings")} == {
        "send_by": "2018-01-15", "treated": 2, "held_out": 1, "contacts_by_channel": {"mail": 2},
        "settings": {"offer": "10 % off", "size": None},
    }  # fmt: skip
    assert not {"ann", "ben", "cyd"} & set(json.dumps(record).replace('"', " ").split())
    part = json.loads((tmp_path / "parts" / "07_lists.json").read_text())
    assert (part["lists"], part["ledger"]) == ([LIST], True)


def test_an_empty_list_and_ids_that_a_spreadsheet_would_calculate_are_fine(tmp_path: Path):
    empty = write_lists(
        tmp_path / "a", a_list("customer_id arm channel", cost=0.0, expected_gain=None, expected_low=float("nan"))
    )
    record = json.loads((empty / f"{LIST}.json").read_text())
    assert (record["expected_gain"], record["expected_low"], record["treated"]) == (None, None, 0)
    assert (empty / f"{LIST}.csv").read_bytes() == b"customer_id\r\n"
    odd = pd.DataFrame({"customer_id": ["=1", "'=1", "a,b", '"q"', "-7", "'x"], "arm": "treated", "channel": "mail"})
    for mark in (True, False):
        file = as_csv(odd[["customer_id"]], byte_order_mark=mark)
        assert write_lists(tmp_path / f"b{mark}", a_list(odd, csv=file)).is_dir()
    assert write_lists(tmp_path / "c", a_list(odd)).is_dir()  # a file that spares them


UNFIT = [
    # what is given, what is said of it
    ({"list_id": "../retain-2018-01-01"}, "'../retain-2018-01-01'"),
    ({"list_id": "retain"}, "'retain'"),
    ({"list_id": "ledger"}, "'ledger'"),
    ({"csv": csv_of(["ann", "ben", "cyd"])}, "1 others, such as ben"),
    ({"csv": csv_of(["ann"])}, "1 missing, such as cyd"),
    ({"csv": csv_of(["ann", "cyd", "cyd"])}, "3 lines for 2 customers"),
    ({"csv": b"id\r\nann\r\ncyd\r\n"}, "a file that cannot be read so ('customer_id' is not in list)"),
    ({"csv": b""}, "a file that cannot be read so"),
    ({"csv": "customer_id\r\nannée".encode("latin-1")}, "a file that cannot be read so"),
    ({"rows": "customer_id arm\nann treated"}, "no channel"),
    ({"rows": "customer_id arm channel\nann treated mail\nann held_out mail"}, "1 again, such as ann"),
    ({"rows": "customer_id arm channel\nann chosen mail"}, "another for ann"),
    ({"rows": "customer_id arm channel\nann treated pigeon"}, "another for ann"),
    ({"send_by": dt.date(2017, 12, 31)}, "as of 2018-01-01, send by 2017-12-31"),
    ({"measure_on": dt.date(2018, 1, 15)}, "measure on 2018-01-15"),
    ({"expected_gain": float("inf")}, "inf"),
    ({"held_out_share": 1.5}, "held_out_share 1.5"),
    ({"cost": float("nan")}, "cost nan"),
]


@pytest.mark.parametrize(("given", "found"), UNFIT, ids=[f"{n}-{next(iter(g))}" for n, (g, _) in enumerate(UNFIT)])
def test_a_list_that_could_not_be_sent_and_measured_is_refused_and_nothing_written(tmp_path: Path, given, found):
    with pytest.raises(ListError) as refusal:
        write_lists(tmp_path, a_list(**given))
    assert found in str(refusal.value)
    assert list(tmp_path.rglob("*")) == []


def test_a_list_of_another_date_or_with_customers_who_have_no_id_is_refused(tmp_path: Path):
    nobody = pd.DataFrame({"customer_id": ["ann", None], "arm": "treated", "channel": "mail"})
    with pytest.raises(NotPublishable, match="1 rows without one"):
        write_lists(tmp_path, a_list(rows=nobody, csv=b""))
    with pytest.raises(NotPublishable, match="the run is as of 2018-01-01"):
        write_lists(tmp_path, a_list(), a_list(as_of="2018-02-01"))


def test_a_list_is_kept_replaced_until_it_is_sent_and_then_left_alone(data: Path):
    first, other = a_list(), a_list("customer_id arm channel\nann treated mail\ndan held_out mail")
    assert keep(data, first, run="r1") == KEPT
    assert customers_of(data) == ["ann", "ben", "cyd"]
    assert keep(data, first, run="r2", on="2018-01-05") == UNCHANGED
    assert read_lists(data)[0].written_on == DAY  # the same list was written before
    assert keep(data, other, run="r3", on="2018-01-06") == KEPT
    assert customers_of(data) == ["ann", "dan"]
    assert read_lists(data)[0].record["run_id"] == "r3"
    mark(data, "2018-01-08")
    assert keep(data, first, run="r4") == (
        "retain-2018-01-01 was sent on 2018-01-08: this run's list of that name is not kept and must not be sent"
    )
    assert customers_of(data) == ["ann", "dan"]
    assert read_lists(data)[0].sent_on == dt.date(2018, 1, 8)


def test_what_was_never_to_be_sent_is_replaced_by_another_list_which_is_asked_after_anew(data: Path):
    keep(data, a_list(), run="r1")
    mark(data, None)
    assert keep(data, a_list(), run="r2") == UNCHANGED
    assert read_lists(data)[0].marked
    assert keep(data, a_list(cost=4.0), run="r3") == KEPT
    assert not read_lists(data)[0].marked


def test_only_the_version_shown_and_the_one_before_are_there(data: Path):
    for cost in (1.0, 2.0, 3.0, 4.0):
        keep(data, a_list(cost=cost), run=f"r{cost:.0f}")
    assert len(list((lists_folder(data) / ".versions").glob("[!.]*"))) == 2
    assert (lists_folder(data) / LIST).readlink().parts[0] == ".versions"  # relative: the folder may be moved


def test_a_folder_brought_back_by_hand_is_read_and_replaced_like_any_other(data: Path):
    keep(data, a_list(), run="r1")
    place = lists_folder(data) / LIST
    version = place.resolve()
    place.unlink()
    version.rename(place)
    assert customers_of(data) == ["ann", "ben", "cyd"]
    assert keep(data, a_list(cost=4.0), run="r2") == KEPT
    assert read_lists(data)[0].record["cost"] == 4.0


KEEPING = """\
import datetime as dt, itertools, pathlib, sys
from crm.written_lists import keep_lists
data, *runs = map(pathlib.Path, sys.argv[1:])
(data.parent / "begun").touch()
for run in itertools.cycle(runs):
    keep_lists(data, run, run_id=run.parent.name, written_on=dt.date(2018, 1, 2))
"""


def test_whoever_reads_meanwhile_and_whatever_is_killed_sees_the_old_list_or_the_new_and_whole(data: Path):
    many = "customer_id arm channel\n" + "\n".join(f"c{number} treated mail" for number in range(500))
    runs = [write_lists(data.parent / "old", a_list()), write_lists(data.parent / "new", a_list(many))]
    keep_lists(data, runs[0], run_id="old", written_on=DAY)
    seen = set()
    for seconds in (0.2, 0.35, 0.5):
        (data.parent / "begun").unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", KEEPING, data, *reversed(runs)]) as keeping:
            deadline = time.monotonic() + 60
            while not (data.parent / "begun").exists():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            until = time.monotonic() + seconds
            try:
                while time.monotonic() < until or (len(seen) < 2 and time.monotonic() < deadline):
                    seen.add(read_lists(data)[0].treated)
            finally:
                keeping.kill()
        assert {"old": 3, "new": 500}[read_lists(data)[0].record["run_id"]] == len(customers_of(data))
    assert seen == {2, 500}
    assert keep(data, a_list(), run="last") in (KEPT, UNCHANGED)
    assert customers_of(data) == ["ann", "ben", "cyd"]


def test_a_version_that_came_back_while_it_was_read_is_read_again(data: Path, monkeypatch):
    """Another was shown and this one swept away; then it was written once more, and shown under its old name."""
    keep(data, a_list(), run="r1")
    folder = (lists_folder(data) / LIST).resolve()
    read, rows = written_lists._read_version, (folder / "list.parquet").read_bytes()

    def swept_once(version):
        one = read(version)
        (folder / "list.parquet").unlink()
        monkeypatch.setattr(written_lists, "_read_version", read)
        return one

    def back(place, version, missing, ask=written_lists._swept_meanwhile):
        missing.write_bytes(rows)
        return ask(place, version, missing)

    monkeypatch.setattr(written_lists, "_read_version", swept_once)
    monkeypatch.setattr(written_lists, "_swept_meanwhile", back)
    assert read_lists(data)[0].treated == 2


DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a record": (lambda f: (f / "list.json").write_text('{"list_id": "ret'), "a record that cannot be read"),
    "no record": (lambda f: (f / "list.json").unlink(), "no list.json"),
    "no rows": (lambda f: (f / "list.parquet").unlink(), "no list.parquet"),
    "half of the rows": (lambda f: os.truncate(f / "list.parquet", 100), "another list.parquet than its record"),
    "half a marking": (lambda f: (f / "sent.json").write_text('{"on": "2018'), "a record that cannot be read"),
    "a marking without a day": (lambda f: (f / "sent.json").write_text('{"on": "soon"}'), "cannot be read"),
    "a record without a field": (
        lambda f: (f / "list.json").write_text(
            json.dumps({**json.loads((f / "list.json").read_text()), "send_by": None})
        ),
        "a record that cannot be read",
    ),
    "a link to nothing": (lambda f: f.rename(f.with_name("gone")), "no list.json"),
}


@pytest.mark.parametrize(("damage", "found"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_list_is_named_with_what_is_wrong_and_what_to_do(data: Path, damage, found: str):
    kept(data, a_list(), sent="2018-01-05")
    damage((lists_folder(data) / LIST).resolve())
    for reading in (
        lambda: read_lists(data),
        lambda: sent_before(data, dt.date(2018, 6, 1)),
        lambda: mark(data, None),
    ):
        with pytest.raises(ListError, match="Bring the folder back from a backup, or move it away") as refusal:
            reading()
        assert str(lists_folder(data) / LIST) in str(refusal.value)
        assert found in str(refusal.value)


def test_a_list_under_another_name_is_a_damaged_one(data: Path):
    kept(data, a_list())
    (lists_folder(data) / LIST).rename(lists_folder(data) / "win_back-2018-01-01")
    with pytest.raises(ListError, match="the list retain-2018-01-01 there"):
        read_lists(data)


MARKINGS = [
    # said before, said now, refused because
    (None, {"on": "2018-01-01"}, None),
    (None, {"on": "2018-03-01"}, None),
    (None, {"on": None}, None),
    (None, {"on": "2017-12-31"}, "Found: 2017-12-31, and today is 2018-03-01"),
    (None, {"on": "2018-03-02"}, "not in the future. Found: 2018-03-02"),
    (None, {"on": "2018-01-05", "list_id": "retian-2018-01-01"}, "the nearest known is retain-2018-01-01"),
    (None, {"on": "2018-01-05", "list_id": "../data"}, "Found: '../data'"),
    ("2018-01-05", {"on": "2018-01-05"}, None),
    ("2018-01-05", {"on": "2018-01-06"}, "retain-2018-01-01 was sent on 2018-01-05, said at then"),
    ("2018-01-05", {"on": "2018-01-06", "again": True}, None),
    ("2018-01-05", {"on": "2018-03-02", "again": True}, "not in the future"),
    ("2018-01-05", {"on": None}, "was sent on 2018-01-05"),
    ("2018-01-05", {"on": None, "again": True}, None),
]


@pytest.mark.parametrize(("before", "now", "refused"), MARKINGS, ids=range(len(MARKINGS)))
def test_it_is_said_once_of_a_list_when_it_was_sent(data: Path, before: str | None, now, refused: str | None):
    keep(data, a_list())
    if before:
        mark(data, before)
    if refused:
        with pytest.raises(RequestError) as refusal:
            mark(data, **now)
        assert refused in str(refusal.value)
        assert read_lists(data)[0].sent_on == (dt.date.fromisoformat(before) if before else None)
        return
    one = mark(data, **now)
    assert (one.marked, one.sent_on) == (True, dt.date.fromisoformat(now["on"]) if now["on"] else None)
    said = json.loads((lists_folder(data) / LIST / "sent.json").read_text())
    changed = before is not None and before != now["on"]
    assert said.get("before", []) == ([{"on": before, "said_at": "then"}] if changed else [])


def test_a_list_without_anybody_to_contact_cannot_have_been_sent_and_is_not_asked_after(data: Path):
    one = kept(data, a_list("customer_id arm channel\nben held_out mail"))
    assert not one.asked_after(dt.date(2019, 1, 1))
    with pytest.raises(RequestError, match="must have somebody to contact"):
        mark(data, "2018-01-05")
    assert mark(data, None).marked


def test_where_no_list_was_ever_written_any_is_unknown_and_no_folder_is_made(data: Path):
    assert read_lists(data) == ()
    with pytest.raises(CrmError, match="no list is kept yet"):
        mark(data, None)
    assert not data.exists()


def test_days_until_a_list_was_sent_and_which_are_asked_after(data: Path):
    kept(data, a_list(as_of="2017-10-01"), sent="2018-01-05", written="2018-01-02")
    kept(data, a_list(as_of="2017-11-01"), sent="2017-11-05", written="2018-01-02")  # a run that repeats the past
    kept(data, a_list(as_of="2017-12-01"), sent="2018-01-20", written="2017-12-02")
    kept(data, a_list(as_of="2017-12-01", programme="develop"))
    kept(data, a_list(as_of="2018-01-10", programme="develop"))
    mark(data, None, list_id="develop-2017-12-01")
    kept(data, a_list(as_of="2018-01-01"))

    def drawn(as_of: str) -> list[tuple[object, ...]]:
        table = latencies(read_lists(data), as_of=dt.date.fromisoformat(as_of))
        told = table[["list_id", "sent_on", "days", "asked_after"]].astype(object)
        return [tuple(None if pd.isna(cell) else cell for cell in row) for row in told.to_numpy()]

    assert drawn("2018-01-16") == [
        ("retain-2017-10-01", "2018-01-05", 3, False),
        ("retain-2017-11-01", "2017-11-05", None, False),
        ("develop-2017-12-01", None, None, False),
        ("retain-2017-12-01", None, None, True),  # sent later: not known yet
        ("retain-2018-01-01", None, None, True),
        ("develop-2018-01-10", None, None, False),
    ]
    assert drawn("2018-01-15")[-2:] == [
        ("retain-2018-01-01", None, None, False),  # the last day to send it is not over
        ("develop-2018-01-10", None, None, False),
    ]
    assert drawn("2018-02-01")[3] == ("retain-2017-12-01", "2018-01-20", 49, False)
    assert drawn("2017-10-01") == []
