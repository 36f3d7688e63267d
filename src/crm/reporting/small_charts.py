"""Charts the size of a thumb, for pages that must stay small: SVG in the page, in the colour of the text around it.

Whoever cannot see them hears their label. They have no ids, no style and no script.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from crm.headline import Trail
from crm.reporting.wording import clean, quantity

WIDTH, HEIGHT, EDGE = 240.0, 48.0, 4.0
_FIGURE = (
    '<figure class="trail"><figcaption>{}</figcaption>{}'
    '<p class="ends" aria-hidden="true"><span>{}</span><span>{}</span></p></figure>'
)
_SVG = '<svg class="small {kind}" role="img" aria-label="{label}" viewBox="0 0 {width:g} {height:g}">{inner}</svg>'
_LENGTH = '<svg class="small length" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">{}</svg>'
_NAMED = '<li><span class="name">{}</span>{}<span class="amount">{}</span></li>'


def small_chart(trail: Trail) -> Markup:
    """The chart of a trail, with what it shows beneath it."""
    if trail.drawn == "named":
        return _named(trail)
    drawing = line(trail) if trail.drawn == "line" else bars(trail)
    first, last = (_told(trail.points[at], trail) for at in (0, -1))
    return Markup(_FIGURE).format(clean(trail.label), drawing, clean(first), clean(last))


def line(trail: Trail, *, width: float = WIDTH, height: float = HEIGHT) -> Markup:
    """A line through the points, the last of them marked."""
    places = _places([value for _, value in trail.points], width=width, height=height)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return _svg(
        "line",
        said(trail),
        f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" '
        f'stroke-linecap="round"/><circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="currentColor"/>',
        width=width,
        height=height,
    )


def bars(trail: Trail) -> Markup:
    """A bar for each point, upwards or downwards from zero."""
    values = [value for _, value in trail.points]
    low, high = min(*values, 0.0), max(*values, 0.0)
    scale = (HEIGHT - 2 * EDGE) / ((high - low) or 1.0)
    step = WIDTH / len(values)
    zero = EDGE + high * scale
    drawn = "".join(
        f'<rect x="{at * step + step * 0.1:.1f}" y="{min(zero, zero - value * scale):.1f}" width="{step * 0.8:.1f}" '
        f'height="{max(abs(value) * scale, 0.8):.1f}" fill="currentColor"/>'
        for at, value in enumerate(values)
    )
    return _svg("bars", said(trail), drawn)


def said(trail: Trail) -> str:
    """The chart in words: what it shows, its first and last point, its lowest and highest."""
    first, last = trail.points[0], trail.points[-1]
    ends = [min(trail.points, key=lambda point: point[1]), max(trail.points, key=lambda point: point[1])]
    lowest, highest = (_told(point, trail) for point in ends)
    return clean(
        f"{trail.label}: {_told(first, trail)} first, {_told(last, trail)} last; "
        f"lowest {lowest}, highest {highest}; {len(trail.points)} values"
    )


def _told(point: tuple[str, float], trail: Trail) -> str:
    return f"{point[0]}: {quantity(point[1], trail.unit)}"


def _places(values: Sequence[float], *, width: float, height: float) -> list[tuple[float, float]]:
    low, high = min(values), max(values)
    step, room = (width - 2 * EDGE) / max(len(values) - 1, 1), height - 2 * EDGE
    share = [(value - low) / (high - low) if high > low else 0.5 for value in values]
    return [(EDGE + at * step, EDGE + room * (1 - part)) for at, part in enumerate(share)]


def _named(trail: Trail) -> Markup:
    """A line of text for each point, with a bar between its name and its number."""
    most = max(abs(value) for _, value in trail.points) or 1.0
    rows = [
        Markup(_NAMED).format(clean(name), _length(abs(value) / most, below=value < 0), quantity(value, trail.unit))
        for name, value in trail.points
    ]
    caption = clean(trail.label)
    return Markup('<figure class="trail named"><figcaption>{}</figcaption><ul>{}</ul></figure>').format(
        caption, Markup("").join(rows)
    )


def _length(share: float, *, below: bool) -> Markup:
    """A bar of this share of the room there is; below zero it is hollow."""
    how = 'fill="none" stroke="currentColor" stroke-width="1.5"' if below else 'fill="currentColor"'
    return Markup(_LENGTH.format(f'<rect x="0" y="0" width="{100 * share:.1f}" height="8" {how}/>'))


def _svg(kind: str, label: str, inner: str, *, width: float = WIDTH, height: float = HEIGHT) -> Markup:
    return Markup(_SVG.format(kind=kind, label=escape(label), width=width, height=height, inner=inner))
