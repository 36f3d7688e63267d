"""Sources: read, map to canonical names, nothing else. One file per source."""

from __future__ import annotations

from crm.config import Settings
from crm.sources.cdnow import open_cdnow
from crm.sources.complete_journey import open_complete_journey
from crm.sources.source import Source, SourceTable


def open_source(settings: Settings) -> Source:
    """The source that crm.toml names."""
    match settings.source.kind:
        case "complete_journey":
            return open_complete_journey(settings)
        case "cdnow":
            return open_cdnow(settings)
        case "sample_company":
            from crm.sources.sample_company.source import open_sample_company

            return open_sample_company(settings)


__all__ = ["Source", "SourceTable", "open_source"]
