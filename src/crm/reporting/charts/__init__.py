"""Drawing: a table that is already computed goes in, a `Chart` comes out.

A chart never computes: no mean, no share, no interval that is not a column of its table. It may leave out what does
not fit, and then says so; "the numbers behind" carry everything.
"""

from crm.reporting.charts.bars import draw_bars, draw_stacked_bars
from crm.reporting.charts.comparisons import draw_dots, draw_profile
from crm.reporting.charts.concentration import draw_concentration
from crm.reporting.charts.gain import draw_gain
from crm.reporting.charts.heatmap import draw_heatmap
from crm.reporting.charts.intervals import draw_intervals, draw_moments
from crm.reporting.charts.lines import draw_line
from crm.reporting.charts.scatter import draw_scatter
from crm.reporting.charts.steps import draw_steps

__all__ = [
    "draw_bars",
    "draw_concentration",
    "draw_dots",
    "draw_gain",
    "draw_heatmap",
    "draw_intervals",
    "draw_line",
    "draw_moments",
    "draw_profile",
    "draw_scatter",
    "draw_stacked_bars",
    "draw_steps",
]
