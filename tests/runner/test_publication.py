"""One rename shows a run to everybody; what killed runs left is cleared away; old runs go, but not what is shown."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest

from crm.config import Settings, read_settings
from crm.errors import RequestError
from crm.runner.publication import publish_run, refuse_occupied_places, remove_old_data, remove_old_runs, tidy
from crm.runner.receipt import (
    WITHOUT_A_WORD,
    Receipt,
    Status,
    published_run,
    read_receipt,
    read_receipts,
    write_receipt,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "reports" / "runs").mkdir(parents=True)
    (tmp_path / "crm.toml").write_text('[source]\nkind = "cdnow"\n[clock]\nas_of = 2018-01-01\n')
    return read_settings(tmp_path / "crm.toml")


def a_run(settings: Settings, name: str, *, status: Status = "COMPLETE", **scores: str) -> Path:
    """A run's folder, with a score file per as-of date: d2018_01_01="text"."""
    folder = settings.folders.reports / "runs" / name
    folder.mkdir()
    write_receipt(folder, Receipt(name, status, "2018-01-01", name, selection=("01_a",)))
    for date, text in scores.items():
        place = folder / "scores" / date[1:].replace("_", "-")
        place.mkdir(parents=True)
        (place / "segments.parquet").write_text(text)
    return folder


def scores_seen(settings: Settings) -> dict[str, str]:
    seen = settings.folders.data / "scores"
    return {file.parent.name: file.read_text() for file in sorted(seen.glob("*/*.parquet"))}


def test_reports_and_scores_are_published_together_and_other_dates_stay(settings: Settings):
    publish_run(settings, a_run(settings, "r1", d2017_07_01="old", d2018_01_01="one"))
    assert scores_seen(settings) == {"2017-07-01": "old", "2018-01-01": "one"}
    second = a_run(settings, "r2", d2018_01_01="two")
    publish_run(settings, second)
    assert scores_seen(settings) == {"2017-07-01": "old", "2018-01-01": "two"}
    assert published_run(settings.folders.reports) == second.resolve()
    assert (settings.folders.reports / "latest").readlink() == Path("runs/r2")
    assert (settings.folders.data / "scores").readlink() == Path("../reports/latest/scores")
    carried = second / "scores" / "2017-07-01" / "segments.parquet"
    assert carried.stat().st_nlink == 2  # a hard link, which costs no space


def test_the_folder_can_be_moved_and_still_shows_the_same(settings: Settings, tmp_path: Path):
    publish_run(settings, a_run(settings, "r1", d2018_01_01="one"))
    moved = tmp_path.rename(tmp_path.with_name("elsewhere"))
    assert (moved / "data" / "scores" / "2018-01-01" / "segments.parquet").read_text() == "one"


def test_nothing_is_published_before_the_first(settings: Settings):
    assert published_run(settings.folders.reports) is None
    refuse_occupied_places(settings)


@pytest.mark.parametrize("place", ["data/scores", "reports/latest"])
def test_a_place_of_a_link_that_holds_a_folder_is_refused(settings: Settings, place: str):
    (settings.home / place).mkdir(parents=True)
    with pytest.raises(RequestError, match="a folder or file of its own") as refusal:
        refuse_occupied_places(settings)
    assert place in refusal.value.rule


def test_a_link_of_scores_to_somewhere_else_is_refused(settings: Settings):
    settings.folders.data.mkdir()
    (settings.folders.data / "scores").symlink_to("/somewhere/else")
    with pytest.raises(RequestError, match="a link to /somewhere/else"):
        refuse_occupied_places(settings)


def test_what_killed_runs_left_is_cleared_away(settings: Settings):
    reports = settings.folders.reports
    publish_run(settings, a_run(settings, "r1", d2018_01_01="one"))
    dead = a_run(settings, "r2", status="RUNNING", d2018_01_01="two")
    left = [
        dead / ".receipt.json.ab.tmp",
        dead / "scores" / "2018-01-01" / ".x.parquet.ab.tmp",
        reports / ".i.ab.tmp",
    ]
    for file in left:
        file.write_text("half")
    (reports / ".latest.ab.tmp").symlink_to("runs/r2")
    (reports / "runs" / ".r3.ab.tmp").mkdir()
    assert tidy(reports) == [dead]
    buried = read_receipt(dead)
    assert buried is not None
    assert (buried.status, buried.error, buried.notebooks[0].status) == ("FAILED", WITHOUT_A_WORD, "FAILED")
    assert not list(reports.rglob(".*.tmp"))
    assert scores_seen(settings) == {"2018-01-01": "one"}
    assert tidy(reports) == []


@pytest.mark.parametrize(
    ("keep", "published", "left"),
    [
        (2, "r4", ["r4", "r3"]),
        (2, "r1", ["r4", "r3", "r1"]),
        (1, "r2", ["r4", "r2"]),
        (9, "r1", ["r4", "r3", "r2", "r1"]),
    ],
)
def test_the_newest_runs_and_the_published_one_are_kept(
    settings: Settings, keep: int, published: str, left: list[str]
):
    for name in ("r1", "r2", "r3", "r4"):
        a_run(settings, name, d2018_01_01=name)
    publish_run(settings, settings.folders.reports / "runs" / published)
    remove_old_runs(settings.folders.reports, keep=keep)
    assert [receipt.run_id for receipt in read_receipts(settings.folders.reports)] == left
    assert scores_seen(settings) == {"2018-01-01": published}


def test_data_of_which_no_kept_run_tells_go_after_a_day(settings: Settings):
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    run = a_run(settings, "r1", d2018_01_01="one")
    receipt = read_receipt(run)
    assert receipt is not None
    write_receipt(run, replace(receipt, source={"fingerprint": "told"}))
    places = {"mart": ["told", "untold", "untold_but_new"], "rejected": ["2018-01-01", "2017-01-01"]}
    for place, names in places.items():
        for name in names:
            file = settings.folders.data / place / name / "facts" / "purchases.parquet"
            file.parent.mkdir(parents=True)
            file.write_text("x")
            made = now.timestamp() - (3_600 if name.endswith("new") else 90_000)
            for path in (file, file.parent, file.parent.parent):
                os.utime(path, (made, made))
    remove_old_data(settings, now=now)
    left = {place: sorted(path.name for path in (settings.folders.data / place).iterdir()) for place in places}
    assert left == {"mart": ["told", "untold_but_new"], "rejected": ["2018-01-01"]}
