"""Action lists on their way round: a run writes them and they are kept, somebody sends them and says so, and the next
run reads them as campaigns.

A list is kept under `data/lists/<list_id>/`: `list.parquet` (everybody on it, with the arm), `list.json` (the record,
without customers) and, once somebody has said so, `sent.json`. `<list_id>` is a link to one version of the list,
moved by one rename: whoever looks finds the old list or the new one, and each whole.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import hashlib
import io
import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from crm.atomic import point_link, whole_file, write_json
from crm.engine import sql_path, sql_text
from crm.errors import CrmError, RequestError
from crm.kept import keep_folder

TREATED, HELD_OUT = "treated", "held_out"
LEDGER = "ledger"
ROWS, RECORD, SENT = "list.parquet", "list.json", "sent.json"
KEPT, UNCHANGED = "kept", "unchanged"
VERSIONS = ".versions"

_NO_FORMULA = re.compile(r"'+[=+\-@\t\r\n]")
"""An id that a spreadsheet would run as a formula stands in a file to import behind one more apostrophe."""

LATENCIES = ("list_id", "programme", "as_of", "written_on", "send_by", "sent_on", "days", "asked_after")


class ListError(CrmError):
    """A list is not as it must be, or what is kept of it was damaged."""


@dataclass(frozen=True)
class ListToWrite:
    """A list that a notebook hands over to `publish(lists={list_id: ...})`.

    list_id:    "<programme>-<as_of>", such as retain-2018-01-01; becomes the name of files.
    send_by, measure_on: the last day to send it, and the day its effect is read if it is sent on that day; sent
                earlier or later, it is read as many days after the sending.
    expected_gain, expected_low, expected_high: margin that its contacts are expected to add in all until then, before
                costs, with 95 % interval; None or NaN where it is not known.
    cost:       of all its contacts and offers.
    settings:   what was said in crm.toml and is to stand in the record.
    rows:       everybody on it: customer_id (text, each once), arm (`treated` or `held_out`), channel, and more.
    csv:        the file that is imported: comma-separated UTF-8 with a column customer_id, and of the rows exactly
                the treated.
    """

    list_id: str
    programme: str
    kind: str
    owner: str
    channels: Sequence[str]
    as_of: dt.date
    send_by: dt.date
    measure_on: dt.date
    held_out_share: float
    expected_gain: float | None
    expected_low: float | None
    expected_high: float | None
    cost: float
    settings: Mapping[str, Any]
    rows: pd.DataFrame = field(repr=False)
    csv: bytes = field(repr=False)

    @property
    def treated(self) -> int:
        """How many are to be contacted."""
        return int((self.rows["arm"] == TREATED).sum())

    @property
    def held_out(self) -> int:
        """How many are left alone on purpose."""
        return int((self.rows["arm"] == HELD_OUT).sum())

    def as_record(self) -> dict[str, Any]:
        """What stands in list.json of it, without customers."""
        left = {"rows", "csv"}
        record = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in left}
        by_channel = Counter(self.rows.loc[self.rows["arm"] == TREATED, "channel"])
        dates = {name: getattr(self, name).isoformat() for name in ("as_of", "send_by", "measure_on")}
        counted = {"treated": self.treated, "held_out": self.held_out}
        used = {"contacts_by_channel": dict(sorted(by_channel.items()))}
        return {
            **record,
            "channels": list(self.channels),
            "settings": dict(self.settings),
            **dates,
            **counted,
            **used,
        }

    def refuse_unfit(self) -> None:
        """Raises ListError where it cannot be sent and measured as it is."""
        wrong = next(_what_is_wrong(self), None)
        if wrong:
            rule, found = wrong
            raise ListError(
                f"{rule}.", found=f"{found}, on the list {self.list_id}", do="Nothing was written; mend the list."
            )


def _what_is_wrong(one: ListToWrite) -> Iterator[tuple[str, str]]:
    """Rules it breaks, the first of which counts, with what was found."""
    date = one.as_of.isoformat()
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,80}}-{date}", one.list_id):
        yield f"A list is called by its programme, in letters, digits, - and _, and -{date}", repr(one.list_id)
    if not one.as_of <= one.send_by < one.measure_on:
        found = f"as of {date}, send by {one.send_by}, measure on {one.measure_on}"
        yield "A list is sent on or after its as-of date, and measured later", found
    numbers = [one.expected_gain, one.expected_low, one.expected_high, one.held_out_share, one.cost]
    if any(number is not None and math.isinf(number) for number in numbers):
        yield "The numbers of a list must be finite", f"{numbers}"
    if not (0 <= one.held_out_share <= 1 and one.cost >= 0):
        found = f"held_out_share {one.held_out_share}, cost {one.cost}"
        yield "The share held out must be from 0 to 1, and the cost known and not below 0", found
    yield from _wrong_rows(one.rows, one.channels)
    yield from _wrong_file(one)


def _wrong_rows(rows: pd.DataFrame, channels: Sequence[str]) -> Iterator[tuple[str, str]]:
    lacking = [name for name in ("customer_id", "arm", "channel") if name not in rows.columns]
    if lacking:
        yield "The rows of a list must have customer_id, arm and channel", f"no {', '.join(lacking)}"
        return
    twice = rows.loc[rows["customer_id"].duplicated(), "customer_id"]
    if len(twice):
        yield "Each customer must be on a list once", f"{len(twice):,} again, such as {_few(twice)}"
    strange = rows.loc[~rows["arm"].isin([TREATED, HELD_OUT]), "customer_id"]
    if len(strange):
        yield f"The arm of everybody must be {TREATED} or {HELD_OUT}", f"another for {_few(strange)}"
    elsewhere = rows.loc[~rows["channel"].isin(list(channels)), "customer_id"]
    if len(elsewhere):
        yield f"The channel of everybody must be one of {', '.join(channels)}", f"another for {_few(elsewhere)}"


def _few(ids: Iterable[object]) -> str:
    return ", ".join([str(one) for one in ids][:3])


def _wrong_file(one: ListToWrite) -> Iterator[tuple[str, str]]:
    """The held-out must not be in the file that is imported: they would be contacted."""
    rule = "The file to import must hold exactly the customers to contact, by customer_id"
    try:
        head, *lines = csv.reader(io.StringIO(one.csv.decode("utf-8-sig"), newline=""))
        place = head.index("customer_id")
        ids = [line[place] for line in lines]
    except (ValueError, IndexError, csv.Error) as error:
        yield rule, f"a file that cannot be read so ({error})"
        return
    treated, there = set(one.rows.loc[one.rows["arm"] == TREATED, "customer_id"]), set(ids)
    if there != treated:
        there = {as_id[1:] if _NO_FORMULA.match(as_id) else as_id for as_id in ids}
    if others := sorted(there - treated):
        yield rule, f"{len(others):,} others, such as {_few(others)}"
    if missing := sorted(treated - there):
        yield rule, f"{len(missing):,} missing, such as {_few(missing)}"
    if len(ids) != len(there):
        yield rule, f"{len(ids):,} lines for {len(there):,} customers"


def write_list(folder: Path, one: ListToWrite, rows: pa.Table, *, record: Mapping[str, Any]) -> None:
    """Write the three files of a list into a run's folder of lists: each whole, the record last."""
    with whole_file(folder / f"{one.list_id}.parquet") as waiting:
        pq.write_table(rows, waiting, version="2.6", compression="zstd", row_group_size=1 << 20)
        digest = hashlib.sha256(waiting.read_bytes()).hexdigest()
    with whole_file(folder / f"{one.list_id}.csv") as waiting:
        waiting.write_bytes(one.csv)
    write_json(folder / f"{one.list_id}.json", {**record, "sha256": digest})


def files_of(part: Mapping[str, Any]) -> list[str]:
    """The files in a run's folder of the lists that a notebook has handed over, by what it has published."""
    files = [f"lists/{list_id}.{kind}" for list_id in part.get("lists", ()) for kind in ("csv", "parquet", "json")]
    return [*files, *([f"lists/{LEDGER}.parquet"] if part.get("ledger") else [])]


@dataclass(frozen=True)
class KeptList:
    """A list that a run has written, and what was said of it since.

    folder:     of this version of it.     record: list.json.
    marked:     has somebody said whether it was sent?     sent_on: the day it was sent; None: not, or not yet.
    said_at:    when somebody said so.
    """

    folder: Path
    record: Mapping[str, Any] = field(repr=False)
    marked: bool
    sent_on: dt.date | None
    said_at: str | None

    @property
    def list_id(self) -> str:
        """Its name, and the campaign_id as which it is read."""
        return str(self.record["list_id"])

    @property
    def programme(self) -> str:
        """The programme it is of."""
        return str(self.record["programme"])

    @property
    def as_of(self) -> dt.date:
        """The date whose knowledge it stands on."""
        return dt.date.fromisoformat(self.record["as_of"])

    @property
    def send_by(self) -> dt.date:
        """The last day to send it."""
        return dt.date.fromisoformat(self.record["send_by"])

    @property
    def written_on(self) -> dt.date:
        """The day it was first written as it is now, where the trade is."""
        return dt.date.fromisoformat(self.record["written_on"])

    @property
    def treated(self) -> int:
        """How many are to be contacted, or were."""
        return int(self.record["treated"])

    @property
    def held_out(self) -> int:
        """How many are left alone."""
        return int(self.record["held_out"])

    @property
    def measure_on(self) -> dt.date | None:
        """The day its effect is read: counted from the sending, before that from the last day to send it."""
        days = dt.date.fromisoformat(self.record["measure_on"]) - self.send_by
        if self.marked:
            return self.sent_on + days if self.sent_on else None
        return self.send_by + days

    @property
    def latency(self) -> int | None:
        """Days from writing to sending; None where it is not sent, or was before: that run repeats the past."""
        days = (self.sent_on - self.written_on).days if self.sent_on else -1
        return days if days >= 0 else None

    def asked_after(self, day: dt.date) -> bool:
        """Is it past its last day to be sent, and nobody has said whether it was?"""
        return not self.marked and self.treated > 0 and self.send_by < day

    def known_before(self, day: dt.date) -> KeptList:
        """As it was known when `day` began: sent on or after it, it was not sent yet."""
        if self.sent_on is None or self.sent_on < day:
            return self
        return KeptList(self.folder, self.record, False, None, None)

    @property
    def as_campaign(self) -> dict[str, Any]:
        """The row of the table campaigns that it becomes once it was sent."""
        assert self.sent_on is not None
        assert self.measure_on is not None
        used = list(self.record["contacts_by_channel"])
        name = self.programme.replace("_", " ")
        return {
            "campaign_id": self.list_id,
            "name": f"{name[:1].upper()}{name[1:]}, {self.as_of}",
            "kind": self.record["kind"],
            "channel": used[0] if len(used) == 1 else None,
            "starts_at": self.sent_on.isoformat(),
            "ends_at": (self.measure_on - dt.timedelta(days=1)).isoformat(),
            "contact_cost": self.record["cost"] / self.treated,
            "held_out_share": self.record["held_out_share"],
            "programme": self.programme,
            "expected_gain": self.record["expected_gain"],
        }


def lists_folder(data: Path) -> Path:
    """Where lists are kept, in a data folder."""
    return data / "lists"


def read_lists(data: Path) -> tuple[KeptList, ...]:
    """Every list that is kept, the oldest as-of date first. Raises ListError for one that was damaged."""
    places = sorted(lists_folder(data).glob("[!.]*"))
    lists = [_read(place) for place in places if place.is_dir() or place.is_symlink()]
    return tuple(sorted(lists, key=lambda one: (one.as_of, one.list_id)))


def sent_before(data: Path, as_of: dt.date) -> tuple[KeptList, ...]:
    """The lists that were sent before the as-of date: nothing of any other is known then."""
    return tuple(one for one in read_lists(data) if one.sent_on is not None and one.sent_on < as_of)


def latencies(lists: Iterable[KeptList], *, as_of: dt.date) -> pd.DataFrame:
    """How long did each list of an earlier date wait until it was sent, and which must be asked after?

    lists: of `read_lists`.     One row a list, `LATENCIES`: dates as text, days from writing to sending (missing
    before it was sent), asked_after: past its last day to be sent without a word. What was sent on or after `as_of`
    was not sent yet.
    """
    known = [one.known_before(as_of) for one in lists if one.as_of < as_of]
    rows = [
        (
            one.list_id, one.programme, one.as_of.isoformat(), one.written_on.isoformat(), one.send_by.isoformat(),
            one.sent_on.isoformat() if one.sent_on else None, one.latency, one.asked_after(as_of),
        )
        for one in known
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(LATENCIES)).astype({"days": "Int64", "asked_after": "bool"})


def keep_lists(data: Path, written: Path, *, run_id: str, written_on: dt.date) -> dict[str, str]:
    """Keep the lists of a run's folder; gives what became of each: `KEPT`, `UNCHANGED`, or in a sentence why not.

    A list of the same name that was not sent is replaced; one that was is not touched any more. Doing it again
    changes nothing, and a list that is written again as it was keeps the day on which it was first written.
    """
    records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(written.glob("[!.]*.json"))]
    if not records:
        return {}
    became = _what_to_do(records, data)
    if KEPT not in became.values():
        return became
    with _locked(data):
        became = _what_to_do(records, data)  # somebody may have marked one, or kept it, in between
        _sweep(data)
        for record in records:
            if became[record["list_id"]] == KEPT:
                _keep(data, written, {**record, "run_id": run_id, "written_on": written_on.isoformat()})
    return became


def mark_sent(
    data: Path, list_id: str, *, on: dt.date | None, today: dt.date, said_at: str, again: bool = False
) -> KeptList:
    """Say that a list was sent on a day, or, with None, that it was not and will not be.

    again: although it was said otherwise before.     Raises RequestError; nothing is changed then.
    """
    if not lists_folder(data).is_dir():
        raise _unknown(list_id, [])
    with _locked(data):
        lists = {one.list_id: one for one in read_lists(data)}
        if list_id not in lists:
            raise _unknown(list_id, sorted(lists))
        one = lists[list_id]
        if one.marked and one.sent_on == on:
            return one
        _refuse_marking(one, on=on, today=today, again=again)
        before = [_marking(one.folder)] if one.marked else []
        said = {"on": on.isoformat() if on else None, "said_at": said_at}
        write_json(one.folder / SENT, {**said, "before": before} if before else said)
        return _read(lists_folder(data) / list_id)


def _refuse_marking(one: KeptList, *, on: dt.date | None, today: dt.date, again: bool) -> None:
    if one.marked and not again:
        raise RequestError(
            "It is said once of a list whether it was sent.",
            found=f"{one.list_id} {_said(one)}, said at {one.said_at}",
            do="If that was wrong, say it with --again; the next run then reads the list anew.",
        )
    if on is None:
        return
    if not one.treated:
        raise RequestError(
            "A list that is sent must have somebody to contact.",
            found=f"nobody on {one.list_id}",
            do="Say --never; why nobody is on it stands in the report and in lists/ledger.parquet.",
        )
    if not one.as_of <= on <= today:
        raise RequestError(
            f"A list is sent on or after its as-of date, {one.as_of}, and not in the future.",
            found=f"{on}, and today is {today}",
            do="Name the day on which it was sent with --on, such as --on 2018-01-05.",
        )


def _said(one: KeptList) -> str:
    return f"was sent on {one.sent_on}" if one.sent_on else "was never to be sent"


def _unknown(list_id: str, known: Sequence[str]) -> RequestError:
    near = difflib.get_close_matches(list_id, known, n=1, cutoff=0.4)
    hint = f", the nearest known is {near[0]}" if near else ""
    return RequestError(
        "The list must be one that a run has written.",
        found=f"{list_id!r}{hint}" if known else f"{list_id!r}, and no list is kept yet",
        do="`crm lists` shows them all.",
    )


def _what_to_do(records: Iterable[Mapping[str, Any]], data: Path) -> dict[str, str]:
    kept = {one.list_id: one for one in read_lists(data)}
    return {record["list_id"]: _what_becomes_of(record, kept.get(record["list_id"])) for record in records}


def _what_becomes_of(record: Mapping[str, Any], there: KeptList | None) -> str:
    if there is not None and there.sent_on:
        return f"{there.list_id} {_said(there)}: this run's list of that name is not kept and must not be sent"
    same = there is not None and all(there.record.get(name) == value for name, value in record.items())
    return UNCHANGED if same else KEPT


def _keep(data: Path, written: Path, record: Mapping[str, Any]) -> None:
    """Put this version of a list beside the others, whole, and then show it by one rename."""
    list_id = record["list_id"]
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
    version = lists_folder(data) / VERSIONS / f"{list_id}@{digest}"

    def build(place: Path) -> None:
        with whole_file(place / ROWS) as waiting:
            shutil.copyfile(written / f"{list_id}.parquet", waiting)
        write_json(place / RECORD, record)

    keep_folder(version, build)
    shown = lists_folder(data) / list_id
    if shown.is_dir() and not shown.is_symlink():  # brought back by hand, from a copy that followed links
        shown.rename(version.with_name(f"{version.name}.before"))
    point_link(shown, f"{VERSIONS}/{version.name}")


def _sweep(data: Path) -> None:
    """Remove versions that no list shows, the last but one among them: whoever was reading it then has ended."""
    kept = lists_folder(data)
    shown = {place.resolve() for place in kept.glob("[!.]*")}
    for version in (kept / VERSIONS).glob("[!.]*"):
        if version.resolve() not in shown:
            shutil.rmtree(version, ignore_errors=True)


def _locked(data: Path) -> FileLock:
    lists_folder(data).mkdir(parents=True, exist_ok=True)
    return FileLock(lists_folder(data) / ".lock")


def _read(place: Path) -> KeptList:
    """The list of a folder; of the version that was shown when it was looked at, whatever happens meanwhile."""
    folder = place.resolve()
    try:
        one = _read_version(folder)
        problem = _damage(one, place)
    except FileNotFoundError as error:
        missing = Path(str(error.filename))
        if _swept_meanwhile(place, folder, missing):
            return _read(place)
        problem = f"no {missing.name}"
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
        problem = f"a record that cannot be read ({type(error).__name__}: {error})"
    if problem:
        raise ListError(
            f"A list is kept as it was written, as {ROWS} and {RECORD}, in {place}.",
            found=problem,
            do="Bring the folder back from a backup, or move it away: the list is then not measured.",
        )
    return one


def _swept_meanwhile(place: Path, folder: Path, missing: Path) -> bool:
    """Has a run put another version there and swept this one away? Or one more, the same as this one again?"""
    return place.resolve() != folder or missing.exists() or place.resolve() != folder


def _read_version(folder: Path) -> KeptList:
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    if not (folder / SENT).exists():
        return KeptList(folder, record, marked=False, sent_on=None, said_at=None)
    marking = _marking(folder)
    sent_on = None if marking["on"] is None else dt.date.fromisoformat(marking["on"])
    return KeptList(folder, record, marked=True, sent_on=sent_on, said_at=marking["said_at"])


def _marking(folder: Path) -> dict[str, Any]:
    marking: dict[str, Any] = json.loads((folder / SENT).read_text(encoding="utf-8"))
    return marking


def _damage(one: KeptList, place: Path) -> str | None:
    """What is wrong with what was read; a field that is missing raises."""
    if one.list_id != place.name:
        return f"the list {one.list_id} there"
    if one.record["sha256"] != hashlib.sha256((one.folder / ROWS).read_bytes()).hexdigest():
        return f"another {ROWS} than its record tells of"
    for name in ("programme", "as_of", "written_on", "treated", "held_out", "measure_on"):
        getattr(one, name)
    return None if one.sent_on is None or one.as_campaign else "no campaign"


def as_campaigns(lists: Sequence[KeptList]) -> str:
    """SQL that gives lists that were sent as rows of the table campaigns."""
    rows = [one.as_campaign for one in lists]
    return " UNION ALL ".join(
        "SELECT " + ", ".join(f"{_literal(value)} AS {name}" for name, value in row.items()) for row in rows
    )


def as_contacts(lists: Sequence[KeptList]) -> str:
    """SQL that gives everybody on lists that were sent as rows of the table contacts; held out: without a date."""
    return " UNION ALL ".join(
        f"SELECT {sql_text(one.list_id)} AS campaign_id, customer_id, arm, "
        f"CASE WHEN arm = '{TREATED}' THEN TIMESTAMP '{one.sent_on}' END AS contacted_at "
        f"FROM {sql_path(one.folder / ROWS)}"
        for one in lists
    )


def recipe_of(lists: Sequence[KeptList]) -> dict[str, Any]:
    """Whatever changes what the facts have of these lists."""
    return {one.list_id: {"rows": one.record["sha256"], "campaign": one.as_campaign} for one in lists}


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return sql_text(value) if isinstance(value, str) else repr(float(value))
