"""The sample company as a source: written once under data/raw, then read like any other."""

from __future__ import annotations

import datetime as dt

from crm.config import Settings
from crm.contracts import CONTRACTS
from crm.engine import sql_path
from crm.sources.sample_company.company import write_sample_company
from crm.sources.source import Source, SourceTable

ENDS = dt.date(2018, 1, 1)
"""The first day without trade. Fixed, so that another as-of date looks at the same company at another time."""


def open_sample_company(settings: Settings) -> Source:
    """The tables of the company that `[source]` describes; its times are already those of its trade."""
    size, seed = settings.source.customers, settings.source.seed
    folder = settings.folders.data / "raw" / "sample_company" / f"{size}-customers-seed-{seed}"
    write_sample_company(folder, customers=size, seed=seed, as_of=ENDS)
    tables = {
        name: SourceTable(f"SELECT * FROM read_parquet({sql_path(folder / name)})", tuple((folder / name).iterdir()))
        for name in CONTRACTS
    }
    notes = (f"A made-up company of {size:,} customers, seed {seed}; it trades until {ENDS}, exclusively.",)
    return Source("sample_company", tables, notes)
