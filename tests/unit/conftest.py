"""Tiny companies: tables that a test draws, written as files and read as anybody's own data are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from crm.config import read_settings
from crm.facts import Facts, read_facts


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Facts]:
    """Facts of canonical tables given as frames, as of a date; `more` is added to crm.toml."""

    def build(tables: Mapping[str, pd.DataFrame], as_of: str, more: str = "") -> Facts:
        home: Path = tmp_path_factory.mktemp("company")
        (home / "notebooks").mkdir()
        for name, table in tables.items():
            table.to_parquet(home / f"{name}.parquet", index=False)
        sections = "\n".join(f'[source.tables.{name}]\npath = "{name}.parquet"' for name in tables)
        clock = f"[clock]\nas_of = {as_of}\n"
        (home / "crm.toml").write_text(f'[source]\nkind = "files"\n{sections}\n{clock}{more}')
        return read_facts(read_settings(home / "crm.toml"))

    return build
