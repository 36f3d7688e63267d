"""The decisions about consent as the source holds them, read and checked anew, with those that cannot be read."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import duckdb
import pandas as pd

from crm.config import Settings
from crm.contracts import CONTRACTS
from crm.contracts.checking import check_table, refuse_over_budget
from crm.engine import database_on_disk
from crm.errors import SourceError
from crm.sources import SourceTable, open_source

HARMLESS = "the row repeats another exactly|the row stands in an earlier file|customer_id is missing"
_BESIDE_ROWS = ("source file", "broken line")  # columns that rows set aside have before their own
DECISION = ["customer_id", "channel", "purpose", "granted", "recorded_at", "day", "expires_day"]


def consents_now(settings: Settings) -> pd.DataFrame | None:
    """The consents as the source holds them at this moment, whatever a run has read; None without such a table.

    Only that table is read and checked. A decision that cannot be read is there without channel and purpose: it
    stands against every contact. Raises SourceError or ContractError as the reading of facts does.
    """
    own = {name: table for name, table in settings.source.tables.items() if name == "consents"}
    if settings.source.tables and not own:
        return None
    alone = settings.model_copy(update={"source": settings.source.model_copy(update={"tables": own})})
    table = open_source(alone, anew=True).tables.get("consents")
    if table is None:
        return None
    try:
        with tempfile.TemporaryDirectory(prefix="crm-consents-") as folder:
            return _read_consents(table, settings, Path(folder))
    except duckdb.Error as error:
        raise SourceError(
            "The table consents must be readable when lists are written.",
            found=str(error).splitlines()[0],
            do="Look at its files; no list was written.",
        ) from error


def _read_consents(table: SourceTable, settings: Settings, place: Path) -> pd.DataFrame:
    """The decisions of this table, checked; `place` is for what is written on the way."""
    before = table.state()
    (place / "raw").mkdir()
    with contextlib.closing(database_on_disk(place / "checking.duckdb")) as con:
        reading = table.reading(con, place / "raw")
        checked = check_table(con, CONTRACTS["consents"], query=reading.query, folder=place)
    if table.state() != before:
        raise SourceError(
            "A file must not change while it is read.",
            found="the table consents was written to",
            do="Wait until the export is finished, and start again; no list was written.",
        )
    quality = settings.quality
    refuse_over_budget(
        [checked],
        rows=quality.most_rows_set_aside,
        money=quality.most_money_set_aside,
        accepted=quality.accepted_reasons,
    )
    kept = pd.read_parquet(place / "consents.parquet", columns=DECISION)
    return with_unreadable(kept, pd.read_parquet(place / "rejected" / "consents.parquet"), settings)


def with_unreadable(decisions: pd.DataFrame, set_aside: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The decisions, and, without channel, those set aside whose customer can be told: one may be a withdrawal."""
    customers = customers_set_aside(set_aside[~set_aside["reason"].str.contains(HARMLESS)], settings)
    unreadable = pd.DataFrame({"customer_id": customers.to_numpy()}).reindex(columns=decisions.columns)
    if unreadable.empty:
        return decisions
    unreadable = unreadable.assign(granted=False).astype(decisions.dtypes.drop(["day", "expires_day"]))
    return pd.concat([decisions, unreadable], ignore_index=True)


def customers_set_aside(set_aside: pd.DataFrame, settings: Settings) -> pd.Series[str]:
    """The customers of rows as they came, where their column can be told."""
    mapping = settings.source.tables.get("consents")
    name = mapping.columns.get("customer_id", "customer_id") if mapping else "customer_id"
    if isinstance(name, int):
        name = str([c for c in set_aside if c not in _BESIDE_ROWS][name - 1])
    column = next((c for c in set_aside if str(c).casefold() == name.casefold()), None)
    if column is None:
        return pd.Series(dtype="str")
    return set_aside[column].dropna().astype("str").str.strip().drop_duplicates()
