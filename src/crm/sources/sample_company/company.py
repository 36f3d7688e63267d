"""The public door: write a sample company of any size into a folder, all of it or nothing."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from crm.contracts import CONTRACTS
from crm.errors import RequestError, SourceError
from crm.sources.sample_company.assortment import draw_assortment, products_table
from crm.sources.sample_company.calendar import calendar_until
from crm.sources.sample_company.campaigns import campaigns_table
from crm.sources.sample_company.effects import true_campaigns
from crm.sources.sample_company.faults import plant_faults
from crm.sources.sample_company.part import CUSTOMERS_PER_PART, Company, live
from crm.sources.sample_company.plan import MonthTotals, plan_table
from crm.sources.sample_company.truth import count_faults, sum_fault_counts, true_story

FEWEST, MOST = 100, 10_000_000
EARLIEST, LATEST = dt.date(1980, 1, 1), dt.date(2200, 1, 1)
STORY = 1  # raised whenever the same seed gives other files than before
ABOUT = "sample_company.json"
AT_ONCE = 2  # parts made at the same time; each needs about 300 MB


def write_sample_company(
    folder: Path, *, customers: int, seed: int, as_of: dt.date = dt.date(2018, 1, 1), faults: bool = True
) -> Path:
    """Fill `folder` with a sample company: all canonical tables up to `as_of`, and the truth beside them.

    customers: from 100 to 10,000,000; about 30 order lines each.
    seed:      not negative; same customers, seed, as-of date and faults give the same bytes.
    faults:    plant the dirt of real data (`faults.FAULTS`); without, the rest of every table is the same.

    Every table is a folder of Parquet parts, `<table>/part-00000.parquet`, in canonical columns. The folder appears
    whole or not at all; a folder that already holds this company is left as it is.
    Raises RequestError for an argument outside its range, SourceError where `folder` holds something else.
    """
    _check(customers, seed, as_of)
    folder = Path(folder)
    about = {"story": STORY, "customers": customers, "seed": seed, "as_of": as_of.isoformat(), "faults": faults}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if not _holds(folder, about):
            half = folder.with_name(f".{folder.name}.half")
            shutil.rmtree(half, ignore_errors=True)  # of a run that was killed
            _write_all(half, customers, seed=seed, as_of=as_of, faults=faults)
            (half / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
            half.replace(folder)
    return folder


def _check(customers: int, seed: int, as_of: dt.date) -> None:
    wrong = [
        f"{name} = {value}"
        for name, value, fits in (
            ("customers", customers, FEWEST <= customers <= MOST),
            ("seed", seed, seed >= 0),
            ("as_of", as_of, EARLIEST <= as_of <= LATEST),
        )
        if not fits
    ]
    if wrong:
        raise RequestError(
            f"A sample company has {FEWEST} to {MOST:,} customers, a seed of 0 or more and an as-of date "
            f"from {EARLIEST} to {LATEST}.",
            found=", ".join(wrong),
            do="Change [source] customers, [source] seed or the as-of date.",
        )


def _holds(folder: Path, about: dict[str, Any]) -> bool:
    """Whether the company is already there; an empty or missing folder is free."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    file = folder / ABOUT
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else "something else"
    if found == about:
        return True
    raise SourceError(
        "A sample company is written into a folder of its own.",
        found=f"{folder} holds {found}",
        do="Name another folder, or remove this one.",
    )


@dataclass(frozen=True)
class _Written:
    """What is known of a part once its files are written."""

    totals: MonthTotals
    fault_counts: pa.Table


def _write_all(folder: Path, customers: int, *, seed: int, as_of: dt.date, faults: bool) -> None:
    """Write the parts, then what needs all of them. The seed of a part depends on its position alone."""
    parts = -(-customers // CUSTOMERS_PER_PART)
    shared, *seeds = np.random.SeedSequence(seed).spawn(parts + 1)
    rng = np.random.default_rng(shared)
    company = Company(calendar_until(as_of), draw_assortment(rng))
    write = partial(_write_part, folder, company, customers=customers, faults=faults)
    written = _in_parallel(write, seeds)
    totals = written[0].totals
    for more in written[1:]:
        totals = totals + more.totals
    tables = {
        "products": products_table(company.assortment),
        "campaigns": campaigns_table(company.calendar),
        "plan": plan_table(rng, totals, company.calendar),
    }
    shared_faults = _write_tables(folder, tables, rng, part=0, as_of=as_of, faults=faults)
    _write_parquet(folder / "truth" / "faulty_rows", shared_faults, parts)
    counts = sum_fault_counts([*(part.fault_counts for part in written), count_faults(shared_faults)])
    truths = {**true_story(company.calendar), "campaigns": true_campaigns(company.calendar), "faults": counts}
    for name, table in truths.items():
        _write_parquet(folder / "truth" / name, table, 0)


def _in_parallel(write: partial[_Written], seeds: Iterable[np.random.SeedSequence]) -> list[_Written]:
    """Write the parts, some at once; the first failure stops the rest."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        try:
            return list(pool.map(write, *zip(*enumerate(seeds), strict=True)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _write_part(
    folder: Path, company: Company, part: int, seed: np.random.SeedSequence, *, customers: int, faults: bool
) -> _Written:
    of_life, of_faults = (np.random.default_rng(child) for child in seed.spawn(2))
    number = np.arange(part * CUSTOMERS_PER_PART, min(customers, (part + 1) * CUSTOMERS_PER_PART))
    made = live(of_life, company, number=number, part=part)
    as_of = company.calendar.as_of
    faulty_rows = _write_tables(folder, made.tables, of_faults, part=part, as_of=as_of, faults=faults)
    for name, table in {**made.truths, "faulty_rows": faulty_rows}.items():
        _write_parquet(folder / "truth" / name, table, part)
    return _Written(made.totals, count_faults(faulty_rows))


def _write_tables(
    folder: Path,
    tables: dict[str, pa.Table],
    rng: np.random.Generator,
    *,
    part: int,
    as_of: dt.date,
    faults: bool,
) -> pa.Table:
    """Write canonical tables, with their faults if wanted; a row for each fault comes back."""
    faulty_rows = []
    for name, clean in tables.items():
        chosen, rows = plant_faults(rng, clean, name=name, part=part, as_of=as_of)
        table = chosen if faults else clean
        faulty_rows.append(rows if faults else rows.slice(0, 0))
        ordered = [column.name for column in CONTRACTS[name]]
        further = [column for column in table.column_names if column not in ordered]
        _write_parquet(folder / name, table.select(ordered + further), part)
    return pa.concat_tables(faulty_rows)


def _write_parquet(folder: Path, table: pa.Table, part: int) -> None:
    """One part of a table; text is text for every reader, however it is coded here."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / f"part-{part:05d}.parquet", store_schema=False)
