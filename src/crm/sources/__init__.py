"""Sources: read, map to canonical names, nothing else. One file per source."""

from __future__ import annotations

from crm.config import Settings
from crm.sources.cdnow import open_cdnow
from crm.sources.complete_journey import open_complete_journey
from crm.sources.source import Reading, Source, SourceTable


def open_source(settings: Settings, *, anew: bool = False) -> Source:
    """The source that crm.toml names; `anew`: a database is read again, even if it was read before."""
    match settings.source.kind:
        case "complete_journey":
            return open_complete_journey(settings)
        case "cdnow":
            return open_cdnow(settings)
        case "sample_company":
            from crm.sources.sample_company.source import open_sample_company

            return open_sample_company(settings)
        case "files":
            from crm.sources.files import open_files

            return open_files(settings)
        case "database":
            from crm.sources.database import open_database

            return open_database(settings, anew=anew)


__all__ = ["Reading", "Source", "SourceTable", "open_source"]
