"""Where a database is: a PostgreSQL address without its password, or a DuckDB file."""

from __future__ import annotations

from pathlib import Path

from crm.config import DATABASE_PASSWORD, is_postgresql, plain_address
from crm.errors import SettingsError

__all__ = ["file_of", "is_postgresql", "refuse_unclear"]


def refuse_unclear(database: str) -> None:
    """Refuse an address that may hold a password, without repeating it. Raises SettingsError."""
    try:
        plain_address(database)
    except ValueError as error:
        raise SettingsError(
            f"A database must be {error}.",
            found="an address that is written otherwise",
            do=f"Write it so; the password belongs into the environment, {DATABASE_PASSWORD}.",
        ) from None


def file_of(database: str, home: Path) -> Path:
    """The DuckDB file, relative to `home`."""
    return home / Path(database).expanduser()
