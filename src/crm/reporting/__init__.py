"""Reporting: tables and charts for people, and the pages they stand on.

Everything is reached by its name here; what is heavy (matplotlib, nbconvert) is loaded when a name is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm.reporting.chart import Chart
    from crm.reporting.charts import (
        draw_bars,
        draw_concentration,
        draw_dots,
        draw_heatmap,
        draw_line,
        draw_profile,
        draw_scatter,
        draw_stacked_bars,
    )
    from crm.reporting.front import render_front_page, render_run_index, render_ways_in
    from crm.reporting.page import render_page
    from crm.reporting.stamp import Stamp
    from crm.reporting.style import segment_colours
    from crm.reporting.tables import Table, show_table

_ROOMS = {
    "chart": ("Chart",),
    "charts": (
        "draw_bars",
        "draw_concentration",
        "draw_dots",
        "draw_heatmap",
        "draw_line",
        "draw_profile",
        "draw_scatter",
        "draw_stacked_bars",
    ),
    "front": ("render_front_page", "render_run_index", "render_ways_in"),
    "page": ("render_page",),
    "stamp": ("Stamp",),
    "style": ("segment_colours",),
    "tables": ("Table", "show_table"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Chart",
    "Stamp",
    "Table",
    "draw_bars",
    "draw_concentration",
    "draw_dots",
    "draw_heatmap",
    "draw_line",
    "draw_profile",
    "draw_scatter",
    "draw_stacked_bars",
    "render_front_page",
    "render_page",
    "render_run_index",
    "render_ways_in",
    "segment_colours",
    "show_table",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
