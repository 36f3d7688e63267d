"""Action lists and the runner: what is kept once a run is published, who sends it, and how it comes back."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from crm.facts import read_facts
from crm.runner.publication import keep_published_lists
from crm.runner.receipt import read_receipt
from crm.written_lists import lists_folder, read_lists

LIST = "retain-1998-07-01"

WRITING = """\
import datetime as dt
import pandas as pd
from crm.config import read_settings
from crm.finding import Finding
from crm.publishing import publish
from crm.written_lists import ListToWrite

settings = read_settings(config, as_of=as_of)
date = settings.as_of
rows = pd.DataFrame({"customer_id": ["00001", "00002", "00003"], "arm": ["treated", "held_out", "treated"],
                     "channel": "mail"})
csv = "customer_id\\r\\n" + "".join(f"{one}\\r\\n" for one in rows.loc[rows["arm"] == "treated", "customer_id"])
retain = ListToWrite(
    f"retain-{date}", "retain", "retain", "Eve", ["mail"], date, date + dt.timedelta(days=14),
    date + dt.timedelta(days=70), 0.3, 30.0, 10.0, 50.0, float(open("cost.txt").read()), {}, rows, csv.encode()
)
print(publish(
    "07_lists", settings=settings, run_folder=run_folder, findings=[Finding("lists", "One list.", {}, date)],
    lists={retain.list_id: retain}, ledger=pd.DataFrame({"customer_id": ["00004"], "reason": ["no consent"]}),
))
"""


@pytest.fixture(scope="module")
def once_run(prepared: Path, tmp_path_factory: pytest.TempPathFactory, copy_of_project):
    """A project whose notebook has written a list in a complete run."""
    project = copy_of_project(prepared, tmp_path_factory.mktemp("lists") / "project")
    (project.home / "notebooks" / "cost.txt").write_text("3")
    project.notebook("01_base")
    project.notebook("07_lists", WRITING, publishes=False)
    assert project.run().published
    return project


@pytest.fixture
def listed(once_run, tmp_path: Path):
    """A copy of that project of one's own."""
    home = tmp_path / "project"
    shutil.copytree(once_run.home, home, symlinks=True)
    return replace(once_run, home=home)


def data_of(project) -> Path:
    return project.settings.folders.data


def test_a_complete_run_shows_its_lists_and_keeps_them_to_be_sent(listed):
    shown = listed.reports / "latest" / "lists"
    assert sorted(file.name for file in shown.iterdir()) == [
        "ledger.parquet", f"{LIST}.csv", f"{LIST}.json", f"{LIST}.parquet"
    ]  # fmt: skip
    assert (shown / f"{LIST}.csv").read_text() == "customer_id\n00001\n00003\n"
    receipt = listed.receipts[0]
    assert receipt.lists == {LIST: "kept"}
    (one,) = read_lists(data_of(listed))
    ended = dt.datetime.fromisoformat(str(receipt.ended_at))
    assert (one.written_on, one.record["run_id"]) == (ended.date(), receipt.run_id)
    assert sorted(file.name for file in one.folder.iterdir()) == ["list.json", "list.parquet"]


def test_a_list_that_was_sent_comes_back_as_a_campaign_and_no_other_of_its_name_is_kept(listed):
    front = listed.reports / "index.html"
    assert f"crm sent {LIST} --on DATE" in front.read_text()
    done = listed.command("sent", LIST, "--on", "1998-07-06")
    assert (done.returncode, done.stderr) == (0, "")
    assert LIST not in front.read_text()
    assert done.stdout == (
        f"{LIST} was sent on 1998-07-06 to 2 customers; 1 is held out.\nIts effect is read from 1998-08-31 on.\n"
    )
    (listed.home / "notebooks" / "cost.txt").write_text("4")
    again = listed.command("run", "--only", "07_lists")
    assert again.returncode == 0, again.stderr
    assert f"{LIST} was sent on 1998-07-06: this run's list of that name is not kept and must not be sent." in (
        again.stdout.splitlines()
    )
    receipt = listed.receipts[0]
    assert receipt.lists[LIST].endswith("must not be sent")
    assert {one.name: one.status for one in receipt.notebooks} == {"01_base": "CARRIED", "07_lists": "COMPLETE"}
    (one,) = read_lists(data_of(listed))
    assert one.record["cost"] == 3.0
    later = listed.run(as_of="1998-10-01")
    assert later.published
    tables = {table["table"]: table["kept"] for table in (later.receipt.source or {})["tables"]}
    assert (tables["campaigns"], tables["contacts"]) == (1, 3)
    assert [one.list_id for one in read_lists(data_of(listed))] == [LIST, "retain-1998-10-01"]
    facts = read_facts(listed.settings.with_as_of(dt.date(1998, 10, 1)))
    assert facts.fingerprint == later.receipt.source_fingerprint


def test_a_run_that_is_not_complete_keeps_no_list(listed):
    listed.notebook("01_base", "raise ValueError('no')")
    (listed.home / "notebooks" / "cost.txt").write_text("4")
    result = listed.run()
    assert result.receipt.status == "PARTIAL"
    assert (result.folder / "lists" / f"{LIST}.csv").is_file()
    assert read_lists(data_of(listed))[0].record["cost"] == 3.0
    assert result.receipt.lists == {}


def test_lists_are_carried_with_the_notebook_that_wrote_them_and_stay_the_same(listed):
    before = read_lists(data_of(listed))
    result = listed.run("01_base")
    assert result.published
    assert result.receipt.lists == {LIST: "unchanged"}
    assert read_lists(data_of(listed)) == before
    carried = result.folder / "lists" / f"{LIST}.csv"
    assert carried.stat().st_nlink == 2
    assert (result.folder / "lists" / "ledger.parquet").is_file()


def test_lists_of_a_notebook_that_is_then_left_out_are_taken_back(listed):
    stop = "from crm.errors import NotEnoughData\nraise NotEnoughData('Enough.', found='too few', do='Wait.')"
    listed.notebook("07_lists", WRITING, stop, publishes=False)
    result = listed.run()
    assert [record.name for record in result.receipt.left_out] == ["07_lists"]
    assert list((result.folder / "lists").iterdir()) == []
    assert len(read_lists(data_of(listed))) == 1  # of the run before, which may have been sent


def test_a_run_killed_when_it_had_just_been_published_has_its_lists_kept_by_whoever_asks_next(listed):
    kept = lists_folder(data_of(listed))
    state = [(one.list_id, one.written_on, one.record) for one in read_lists(data_of(listed))]
    shutil.rmtree(kept)  # as it was then
    assert listed.command("sent", LIST, "--on", "1998-07-06").returncode == 0
    assert [(one.list_id, one.written_on, one.record) for one in read_lists(data_of(listed))] == state
    shutil.rmtree(kept)
    assert LIST in listed.command("lists").stdout
    shutil.rmtree(kept)
    assert keep_published_lists(listed.settings) == {LIST: "kept"}
    assert keep_published_lists(listed.settings) == {LIST: "unchanged"}


def test_where_nothing_was_published_there_is_no_list(project):
    project.notebook("01_base")
    done = project.command("lists")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No action list is kept yet")
    assert json.loads(project.command("lists", "--json").stdout)["lists"] == []
    assert not (project.home / "data" / "lists").exists()
    unknown = project.command("sent", LIST)
    assert unknown.returncode == 2
    assert "no list is kept yet" in unknown.stderr


def test_crm_lists_asks_after_what_nobody_has_spoken_of(listed):
    shown = listed.command("lists")
    assert shown.returncode == 0
    row = next(line for line in shown.stdout.splitlines() if line.startswith(LIST))
    assert row.rstrip().endswith("overdue: was it sent?")
    assert shown.stdout.splitlines()[-1].startswith(f"Was it sent? Say so: crm sent {LIST} --on DATE")
    today = dt.datetime.now(dt.UTC).date()
    assert listed.command("sent", LIST).returncode == 0  # today
    (one,) = json.loads(listed.command("lists", "--json").stdout)["lists"]
    written = dt.date.fromisoformat(one["written_on"])
    assert one == {
        "list_id": LIST, "programme": "retain", "as_of": "1998-07-01", "written_on": written.isoformat(),
        "send_by": "1998-07-15", "sent_on": today.isoformat(), "days_until_sent": (today - written).days,
        "measure_on": (today + dt.timedelta(days=56)).isoformat(), "to_contact": 2, "held_out": 1,
        "never_sent": False, "overdue": False, "note": "",
    }  # fmt: skip
    assert "Was it sent?" not in listed.command("lists").stdout
    assert "never sent" not in listed.command("lists").stdout
    never = listed.command("sent", LIST, "--never", "--again")
    assert "was not sent and will not be" in never.stdout
    assert "never sent" in listed.command("lists").stdout


REFUSED = [
    (["retian-1998-07-01"], "the nearest known is retain-1998-07-01"),
    ([LIST, "--on", "1998-06-30"], "on or after its as-of date, 1998-07-01"),
    ([LIST, "--on", "2999-01-01"], "not in the future. Found: 2999-01-01"),
    ([LIST, "--on", "yesterday"], "A date is written YYYY-MM-DD"),
    ([LIST, "--on", "1998-07-06", "--never"], "--on and --never"),
    ([LIST, "--config", "no.toml"], "no file no.toml"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=range(len(REFUSED)))
def test_a_wrong_request_exits_2_with_one_message_and_marks_nothing(listed, arguments: list[str], message: str):
    done = listed.command("sent", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not read_lists(data_of(listed))[0].marked


def test_a_damaged_list_is_one_message_of_every_command_and_ends_a_run_with_it(listed):
    place = lists_folder(data_of(listed)) / LIST
    (place / "list.json").write_text("{")
    asked = [listed.command("lists"), listed.command("sent", LIST), listed.command("check"), listed.command("run")]
    for done in asked:
        assert done.returncode == 1, done
        assert str(place) in done.stderr
        assert "Bring the folder back from a backup" in done.stderr
    error = json.loads(listed.command("lists", "--json").stdout)["error"]
    assert str(place) in json.dumps(error)
    assert read_receipt(listed.reports / "latest").lists == {LIST: "kept"}


def test_a_notebook_opened_by_hand_writes_no_list_and_says_what_a_run_would(listed, monkeypatch, capsys):
    monkeypatch.chdir(listed.home / "notebooks")
    before = sorted(listed.home.rglob("*"))
    exec(WRITING, {"config": "../crm.toml", "as_of": "", "run_folder": ""})
    assert f"{LIST}.csv (2 to contact, 1 held out) as of 1998-07-01" in capsys.readouterr().out
    assert sorted(listed.home.rglob("*")) == before
    assert pd.read_parquet(lists_folder(data_of(listed)) / LIST / "list.parquet")["arm"].tolist()[1] == "held_out"
