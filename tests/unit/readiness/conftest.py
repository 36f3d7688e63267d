"""Small companies with files of their own, as their owners write them, and what `crm check` would find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm.config import Settings, read_settings
from crm.facts import Facts, read_facts
from crm.readiness import Readiness, examine_readiness

ROOT = Path(__file__).resolve().parents[3]
HEADER = "customer_id,order_id,ordered_at,net_amount"
GOOD = tuple(f"c{n:02d},o{n},2017-{1 + n % 9:02d}-0{1 + n % 5},{10 + n}" for n in range(40))


@dataclass(frozen=True)
class Company:
    """A project in a folder of its own."""

    home: Path

    @property
    def settings(self) -> Settings:
        return read_settings(self.home / "crm.toml")

    @property
    def facts(self) -> Facts:
        return read_facts(self.settings, within_budget=False)

    @property
    def readiness(self) -> Readiness:
        settings = self.settings
        return examine_readiness(self.facts, settings.as_of, settings.folders.notebooks)

    def append(self, lines: Sequence[str]) -> None:
        """Add lines to crm.toml."""
        with (self.home / "crm.toml").open("a") as file:
            file.write("\n".join(["", *lines, ""]))


@pytest.fixture
def company(tmp_path) -> Callable[..., Company]:
    """A company whose tables are given as lines of CSV; `settings` of a table are lines of its section."""

    def write(
        tables: Mapping[str, Sequence[str]],
        settings: Mapping[str, str] | None = None,
        *,
        as_of: str = "2018-01-01",
        more: str = "",
        notebooks: Path = ROOT / "notebooks",
    ) -> Company:
        sections = []
        for name, lines in tables.items():
            (tmp_path / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
            sections.append(f'[source.tables.{name}]\npath = "{name}.csv"\n{(settings or {}).get(name, "")}\n')
        (tmp_path / "crm.toml").write_text(
            '[source]\nkind = "files"\n' + "".join(sections) + f"[clock]\nas_of = {as_of}\n"
            f'[folders]\nnotebooks = "{notebooks}"\n{more}',
            encoding="utf-8",
        )
        return Company(tmp_path)

    return write
