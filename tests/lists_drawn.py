"""Action lists drawn as text, written into a run's folder and kept as a run keeps them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pandas as pd

from crm.config import Settings
from crm.finding import Finding
from crm.publishing import publish
from crm.written_lists import KEPT, KeptList, ListToWrite, keep_lists, mark_sent, read_lists

ROWS = """
customer_id arm      channel
ann         treated  mail
ben         held_out mail
cyd         treated  mail
"""


def csv_of(ids: list[str]) -> bytes:
    """A file to import with these customers."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([["customer_id"], *([one] for one in ids)])
    return text.getvalue().encode()


def a_list(
    rows: str | pd.DataFrame = ROWS, *, as_of: str = "2018-01-01", programme: str = "retain", **other: Any
) -> ListToWrite:
    """A list with these rows: to be sent by the 15th day, and read eight weeks later."""
    if isinstance(rows, str):
        header, *lines = (line.split() for line in rows.strip().splitlines())
        rows = pd.DataFrame(lines, columns=header, dtype="str")
    date = dt.date.fromisoformat(as_of)
    usual = {
        "list_id": f"{programme}-{as_of}", "programme": programme, "kind": "retain", "owner": "Eve",
        "channels": ["mail", "phone"], "as_of": date, "send_by": date + dt.timedelta(days=14),
        "measure_on": date + dt.timedelta(days=14 + 56), "held_out_share": 0.2, "expected_gain": 30.0,
        "expected_low": 10.0, "expected_high": 50.0, "cost": 3.0, "settings": {"offer": "10 % off", "size": None},
        "rows": rows,
        "csv": csv_of(list(rows.loc[rows["arm"] == "treated", "customer_id"])),
    }  # fmt: skip
    return ListToWrite(**(usual | other))


def write_lists(run: Path, *lists: ListToWrite, **more: Any) -> Path:
    """A run's folder with these lists, as a notebook publishes them."""
    run.mkdir(parents=True, exist_ok=True)
    as_of = lists[0].as_of if lists else dt.date(2018, 1, 1)
    settings = Settings.model_validate({"source": {"kind": "cdnow"}, "clock": {"as_of": as_of}})
    found = Finding("lists", "{count} lists.", {"count": len(lists)}, as_of)
    handed = {one.list_id: one for one in lists}
    publish("07_lists", settings=settings, run_folder=run, findings=[found], lists=handed, **more)
    return run / "lists"


def kept(data: Path, one: ListToWrite, *, sent: str | None = None, written: str = "2018-01-02") -> KeptList:
    """The list as it is kept, and marked as sent if it was."""
    folder = write_lists(data.parent / f"run-{one.list_id}", one)
    became = keep_lists(data, folder, run_id="r1", written_on=dt.date.fromisoformat(written))
    assert became == {one.list_id: KEPT}
    if sent:
        on = dt.date.fromisoformat(sent)
        mark_sent(data, one.list_id, on=on, today=on, said_at=f"{sent}T12:00:00Z")
    return next(there for there in read_lists(data) if there.list_id == one.list_id)
