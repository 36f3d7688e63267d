"""Publication: one rename of `reports/latest` shows a run's reports and scores to everybody, or none of them.

`data/scores` is a link, made once, to `reports/latest/scores`; so the folder of scores changes in the same instant as
the reports. A run's folder of scores also carries those of the other as-of dates, by hard link.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import shutil
import zoneinfo
from collections.abc import Iterable
from pathlib import Path

from crm.atomic import NotWritable, not_writable, point_link, probe, sweep, temporary_name
from crm.config import Settings
from crm.errors import RequestError
from crm.runner.carrying import link
from crm.runner.kernels import remove_private_folder
from crm.runner.lock import NOTE, read_note
from crm.runner.receipt import WITHOUT_A_WORD, Receipt, published_run, read_receipt, read_receipts, write_receipt
from crm.sources.database import extract_folder
from crm.tracking.store import store_of
from crm.written_lists import keep_lists

READ_AT_MOST = dt.timedelta(days=1)
"""How long a notebook somebody has open is taken to read what it was given."""


def refuse_occupied_places(settings: Settings) -> None:
    """Refuse, before anything starts, places for links that hold something else. Raises RequestError."""
    latest, scores = settings.folders.reports / "latest", settings.folders.data / "scores"
    if latest.exists() and not latest.is_symlink():
        raise _occupied(latest, "a folder or file of its own")
    if scores.is_symlink():
        if scores.readlink() != _scores_target(settings):
            raise _occupied(scores, f"a link to {scores.readlink()}")
    elif scores.exists():
        raise _occupied(scores, "a folder or file of its own")


def refuse_unwritable_places(settings: Settings) -> None:
    """Refuse, before anything starts, folders that cannot be written. Raises RequestError."""
    places = {
        settings.folders.data: "Look at [folders] data in crm.toml.",
        settings.folders.reports: "Look at [folders] reports in crm.toml.",
    }
    if database := store_of(settings).database:
        places.setdefault(database.parent, "Look at [tracking] uri in crm.toml and at MLFLOW_TRACKING_URI.")
    for folder, do in places.items():
        try:
            probe(folder)
        except OSError as error:
            raise RequestError(
                f"The folder {folder} must be writable and have room.", found=error.strerror or str(error), do=do
            ) from None


def why_not_writable(error: Exception, settings: Settings) -> NotWritable | None:
    """What an error in writing says to the operator: which folder; None where it has another reason."""
    reports, data = settings.folders.reports, settings.folders.data
    file = Path(os.fsdecode(error.filename)) if isinstance(error, OSError) and error.filename else reports
    folder = next((place for place in (reports, data) if file.is_relative_to(place)), file.parent)
    return not_writable(error, folder)


def publish_run(settings: Settings, run_folder: Path) -> None:
    """Show this run, whose folder is complete, to everybody."""
    reports, scores = settings.folders.reports, settings.folders.data / "scores"
    (run_folder / "scores").mkdir(exist_ok=True)
    _carry_other_dates(published_run(reports), run_folder, as_of=settings.as_of.isoformat())
    if not scores.is_symlink():
        scores.parent.mkdir(parents=True, exist_ok=True)
        point_link(scores, str(_scores_target(settings)))
    point_link(reports / "latest", f"runs/{run_folder.name}")


def keep_published_lists(settings: Settings) -> dict[str, str]:
    """Keep the action lists of the run that everybody sees; gives by list what became of it.

    Whoever asks for lists does so first: a run that was killed when it had just been published has not kept them.
    """
    folder = published_run(settings.folders.reports)
    receipt = read_receipt(folder) if folder else None
    if folder is None or receipt is None:
        return {}
    ended = dt.datetime.fromisoformat(receipt.ended_at or receipt.started_at)
    written_on = ended.astimezone(zoneinfo.ZoneInfo(settings.source.timezone)).date()
    return keep_lists(settings.folders.data, folder / "lists", run_id=receipt.run_id, written_on=written_on)


def tidy(reports: Path) -> list[Path]:
    """Clear away what killed runs left; gives the folders of those runs.

    Only for who holds the lock: every run that says RUNNING is then dead.
    """
    runs = reports / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    sweep(reports)
    for left in runs.glob(".*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    dead = [receipt for receipt in read_receipts(reports) if receipt.status == "RUNNING"]
    for receipt in dead:
        _bury(runs / receipt.run_id, receipt)
    if holder := read_note(reports):
        remove_private_folder(Path(holder.private_folder))
        (reports / NOTE).unlink(missing_ok=True)
    return [runs / receipt.run_id for receipt in dead]


def remove_old_runs(reports: Path, *, keep: int) -> None:
    """Keep the newest `keep` runs, and the published one."""
    published = published_run(reports)
    for receipt in read_receipts(reports)[keep:]:
        folder = reports / "runs" / receipt.run_id
        if published is None or folder.resolve() != published:
            remove_run(folder)


def remove_old_data(settings: Settings, *, now: dt.datetime) -> None:
    """Remove the checked tables and the rows set aside of which no kept run tells any more.

    Only for who holds the lock. What was made within a day stays: somebody may have a notebook open that reads it.
    """
    receipts = read_receipts(settings.folders.reports)
    marts = {receipt.source_fingerprint for receipt in receipts}
    dates = {receipt.as_of for receipt in receipts} | {settings.as_of.isoformat()}
    _remove_unnamed(settings.folders.data / "mart", named=marts, before=now - READ_AT_MOST)
    _remove_unnamed(settings.folders.data / "rejected", named=dates, before=now - READ_AT_MOST)
    if settings.source.kind == "database":  # what was once asked of it, and is not any more
        asked = extract_folder(settings)
        _remove_unnamed(asked.parent, named={asked.name}, before=now - READ_AT_MOST)


def _remove_unnamed(place: Path, *, named: Iterable[str | None], before: dt.datetime) -> None:
    for left in place.glob(".*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    for folder in place.glob("[!.]*"):
        if folder.is_dir() and folder.name not in named and _newest(folder) < before.timestamp():
            remove_run(folder)


def _newest(folder: Path) -> float:
    """When something was last made in it, in seconds since 1970."""
    try:
        return max(place.stat().st_mtime for place in (folder, *folder.rglob("*")))
    except FileNotFoundError:  # somebody is at work in it
        return math.inf


def remove_run(folder: Path) -> None:
    """Remove a run's folder, which disappears by one rename, so that half of it is never seen."""
    gone = folder.rename(temporary_name(folder))
    shutil.rmtree(gone, ignore_errors=True)


def _bury(folder: Path, receipt: Receipt) -> None:
    for place in (folder, *(inner for inner in folder.rglob("*") if inner.is_dir())):
        sweep(place)
    write_receipt(folder, receipt.ended_early(WITHOUT_A_WORD, status="FAILED"))


def _carry_other_dates(published: Path | None, run_folder: Path, *, as_of: str) -> None:
    if published is None or published == run_folder.resolve():
        return
    for file in sorted((published / "scores").glob("*/*.parquet")):
        if file.parent.name != as_of:
            link(file, run_folder / "scores" / file.parent.name / file.name)


def _scores_target(settings: Settings) -> Path:
    latest = settings.folders.reports.resolve() / "latest" / "scores"
    return Path(os.path.relpath(latest, settings.folders.data.resolve()))


def _occupied(place: Path, found: str) -> RequestError:
    return RequestError(
        f"{place} is a link that the runner makes and moves.",
        found=found,
        do="Move it elsewhere; the next run makes the link.",
    )
