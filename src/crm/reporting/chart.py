"""A chart: the picture, the finding it shows, what can be seen in words, the numbers behind it."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal

import pandas as pd

from crm.reporting.small_groups import FEWEST
from crm.reporting.style import PIXELS_PER_INCH
from crm.reporting.tables import show_table
from crm.reporting.wording import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST_SVG = 150_000
"""Bytes beyond which a picture becomes a PNG: thousands of points are smaller as pixels."""

WIDE = 5.5
"""Inches from which a picture is not squeezed onto a phone but scrolled within its own frame."""

_PNG_DOTS_PER_INCH = 220
_PLACES = re.compile(rb" (?:d|x|y)=\"[^\"]*\"")
_FINER = re.compile(rb"(\d\.\d\d)\d+")  # than a hundredth of a point, which no screen shows; scales stay as they are
_SHORTER: tuple[tuple[bytes, bytes], ...] = (
    (rb"(?<=<g) id=\"[^\"]*\"", b""),  # names of groups that nothing refers to
    (rb"xlink:href", b"href"),
    (rb"DejaVuSans-", b"g"),  # each letter's outline is named once and referred to often
    (rb">\s+<", b"><"),
    (rb"\s*\n\s*", b" "),
)
"""What makes a drawing a fifth smaller and changes nothing that can be seen; the comments hold its texts and stay."""


@dataclass(frozen=True, eq=False)
class Picture:
    """An image file's bytes and its size in inches."""

    content: bytes = field(repr=False)
    kind: Literal["svg", "png"]
    width: float
    height: float

    @property
    def data_uri(self) -> str:
        """The picture as a link that carries it."""
        mime = "image/svg+xml" if self.kind == "svg" else "image/png"
        return f"data:{mime};base64,{base64.b64encode(self.content).decode('ascii')}"


@dataclass(frozen=True, eq=False)
class Chart:
    """What a chart says, in four ways.

    title:   the finding, in a sentence; shown above the picture.
    alt:     what can be seen, in words made of the same numbers.
    numbers: the table drawn, shown on demand as "The numbers behind".
    picture: the image; None where there was nothing to draw, and then `note` says why.
    note:    what must be known to read it.
    formats: how the columns of `numbers` are written, as for `show_table`.
    customers: columns of `numbers` that say how many customers a row is about, as for `show_table`.
    """

    title: str
    alt: str
    numbers: pd.DataFrame = field(repr=False)
    picture: Picture | None
    note: str = ""
    formats: Mapping[str, str] = field(default_factory=dict, repr=False)
    customers: tuple[str, ...] | None = None

    def _repr_html_(self) -> str:
        if self.picture is None:
            return f'<p class="nothing">{_text(self.alt)}</p>'
        table = show_table(
            self.numbers, caption=self.title, formats=self.formats, most_rows=60, customers=self.customers
        )
        note = f'<p class="note">{_text(self.note)}</p>' if self.note else ""
        return (
            f'<figure class="chart{" wide" if self.picture.width >= WIDE else ""}">'
            f"<figcaption>{_text(self.title)}</figcaption>{_image(self.picture, self.alt)}{note}"
            f"<details><summary>The numbers behind</summary>{table._repr_html_()}</details></figure>"
        )


def nothing_to_show(title: str, why: str) -> Chart:
    """One line in place of an empty chart."""
    return Chart(title, f"Nothing to show for “{title}”: {why}.", numbers=pd.DataFrame(), picture=None, note=why)


def nothing_left(title: str, table: pd.DataFrame, shown: pd.DataFrame) -> Chart:
    """The same where a table has no value, or, if others are `shown`, none but of groups that are too small."""
    if shown is table:
        return nothing_to_show(title, "the table has no value to draw")
    why = f"each group has fewer than {FEWEST} customers"
    return Chart(title, f"Not drawn, as {why}: “{title}”.", numbers=pd.DataFrame(), picture=None, note=why)


def take_picture(figure: Figure) -> Picture:
    """The figure as SVG, or as PNG where that is smaller; the same bytes for the same figure."""
    width, height = (float(inches) for inches in figure.get_size_inches())
    content = _PLACES.sub(lambda place: _FINER.sub(rb"\1", place.group()), _saved(figure, "svg"))
    for long, short in _SHORTER:
        content = re.sub(long, short, content)
    if len(content) <= LARGEST_SVG:
        return Picture(content, "svg", width, height)
    return Picture(_saved(figure, "png"), "png", width, height)


def _saved(figure: Figure, kind: Literal["svg", "png"]) -> bytes:
    silent = (
        {"Software": None}
        if kind == "png"
        else dict.fromkeys(("Date", "Creator", "Format", "Type"))  # no date, no version: the same bytes every time
    )
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A letter that the font lacks (an emoji in a product's name) is drawn as a box, and that is enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(file, format=kind, dpi=_PNG_DOTS_PER_INCH, metadata=silent)
    return file.getvalue()


def _image(picture: Picture, alt: str) -> str:
    width, height = (round(inches * PIXELS_PER_INCH) for inches in (picture.width, picture.height))
    image = f'<img src="{picture.data_uri}" alt="{_text(alt)}" width="{width}" height="{height}">'
    # What scrolls must be reachable by keyboard.
    reach = ' role="region" tabindex="0" aria-label="Wide chart"' if picture.width >= WIDE else ""
    return f'<div class="picture"{reach}>{image}</div>'


def _text(value: str) -> str:
    return escape(clean(value))
