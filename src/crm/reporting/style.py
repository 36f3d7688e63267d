"""The house style of every chart: what a colour means, how large letters are, how quiet a grid is.

The colours are those of Okabe and Ito, told apart with any kind of colour vision, the pale ones darkened until each
stands out 3 : 1 from white (WCAG 2.2, 1.4.11). A colour never carries a meaning alone: names stand beside it.

Nothing changes on import; `house_style()` lends the style to the code within it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

ACTUAL = "#0072B2"
COMPARISON = "#565D66"
FORECAST = "#CC79A7"
GOOD = "#009E73"
BAD = "#D55E00"

INK = "#1B2733"
QUIET = "#56616D"
GRID = "#E3E7EB"
PAPER = "#FFFFFF"

#: For things without a meaning of their own, in the order in which they are given out.
SERIES = (ACTUAL, "#C77F00", GOOD, FORECAST, "#3E9BD6", "#4A4F57", BAD)

#: A segment keeps its colour in every chart: blue for the loyal, green for the growing, ochre for those drifting,
#: red for those about to go, grey for the gone; the darker, the more is at stake.
SEGMENT_COLOURS = MappingProxyType(
    {
        "Champions": "#004B7A",
        "Loyal": "#0072B2",
        "Potential loyalists": "#3E9BD6",
        "Recent": "#006B4F",
        "Promising": "#1FA37A",
        "Needs attention": "#A89000",
        "About to sleep": "#C77F00",
        "At risk": "#D55E00",
        "Cannot lose": "#8F2D00",
        "Hibernating": "#8A8F98",
        "Lost": "#4A4F57",
    }
)

#: What happened to a customer: green came, blue stayed, red went.
EVENT_COLOURS = MappingProxyType(
    {
        "new": "#006B4F",
        "joined": "#006B4F",
        "won back": "#1FA37A",
        "returning": "#0072B2",
        "retained": "#0072B2",
        "lapsed": "#D55E00",
        "defected": "#D55E00",
    }
)

#: What is left over has no colour of its own.
NEUTRAL_NAMES = frozenset({"other", "others", "(other)", "unknown", "(unknown)", "none"})

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")

WIDTH = 4.8
"""Inches of an ordinary chart: narrow, so that its letters can still be read on a phone."""

LETTER = 0.08
"""Inches a letter of a label takes, about."""

PIXELS_PER_INCH = 125
"""Screen pixels an inch of a chart takes where there is room."""

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture on every machine
    "font.size": 9,
    "axes.titlesize": 8.5,
    "axes.titlecolor": QUIET,
    "axes.titlepad": 8,
    "axes.labelsize": 8.5,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": "#B8C0C8",
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#B8C0C8",
    "ytick.color": "#B8C0C8",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,  # "$5 off" is a product, not mathematics
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.9,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "path",  # letters as outlines: no font is needed to look at it
    "svg.hashsalt": "analytical-crm",  # the same bytes every time
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style within this context, whatever was set before, which holds again after it."""
    import matplotlib.style

    with matplotlib.style.context(["default", _SETTINGS]):
        yield


def canvas(*, height: float, width: float = WIDTH) -> tuple[Figure, Axes]:
    """An empty figure of this many inches and its axes; it belongs to nobody else and needs no closing."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.05))
    return figure, figure.add_subplot()


def segment_colours(names: Iterable[str]) -> dict[str, str]:
    """Which colour does each name have?

    An RFM segment has its own everywhere (`SEGMENT_COLOURS`), so has what happened to a customer (`EVENT_COLOURS`);
    what is left over is grey. Any other name gets one that depends on the name alone, or, where two of these names
    would share one, on the set of names: never on their order. Beyond seven such names colours come again.
    """
    wanted = sorted({str(name) for name in names})
    own = {name.casefold(): colour for name, colour in {**EVENT_COLOURS, **SEGMENT_COLOURS}.items()}
    own |= dict.fromkeys(NEUTRAL_NAMES, COMPARISON)
    colours = {name: own[name.casefold()] for name in wanted if name.casefold() in own}
    taken = set(colours.values())
    for name in wanted:
        if name not in colours:
            taken = set() if taken.issuperset(SERIES) else taken
            colours[name] = _first_free(name, taken)
            taken = taken | {colours[name]}
    return colours


def _first_free(name: str, taken: set[str]) -> str:
    """The colour of a name: its own place among the neutral ones, or the next that is free; red comes last."""
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % (len(SERIES) - 1)
    neutral = [colour for colour in SERIES if colour != BAD]
    return next(colour for colour in [*neutral[place:], *neutral[:place], BAD] if colour not in taken)


def rising() -> Colormap:
    """From nothing (nearly white) to much (dark blue), evenly lighter to darker."""
    return _colour_map("rising", ("#F1F6FA", "#9CC9E3", "#3388BF", ACTUAL, "#00406A"))


def diverging() -> Colormap:
    """From below (vermilion) over the middle (nearly white) to above (blue)."""
    return _colour_map("diverging", ("#A63D00", BAD, "#F2B48A", "#F7F7F5", "#9CC9E3", ACTUAL, "#004B7A"))


def readable_on(colour: Sequence[float]) -> str:
    """Letters that stand out from this colour (red, green, blue from 0 to 1), 4.5 : 1 at least: black or white."""
    light = luminance(colour)
    return "#000000" if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else PAPER


def luminance(colour: Sequence[float]) -> float:
    """Relative luminance of a colour, from 0 (black) to 1 (white), as WCAG 2.2 defines it for contrast."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _colour_map(name: str, colours: tuple[str, ...]) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, colours)
