"""A headline: the one number of a page that stands large on the front page.

It is made from a finding, so the number is that of results.json; its sentence and its label are templates filled from
the same finding's values, and hold no digit of their own.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from string import Formatter
from typing import Any, Literal

from crm.finding import Finding

Better = Literal["more", "less", "neither"]
Drawn = Literal["line", "bars", "named"]
_BETTER: tuple[Better, ...] = ("more", "less", "neither")
_DRAWN: tuple[Drawn, ...] = ("line", "bars", "named")
_NEITHER: tuple[None, None] = (None, None)

MOST_POINTS, MOST_NAMED = 24, 5
FEWEST_SHOWN = 5
"""Of fewer customers together nothing is shown, on any page: pages are forwarded, and readers may know them."""


@dataclass(frozen=True)
class Trail:
    """The few values behind a headline, for a chart the size of a thumb.

    label:  what they are: "Active customers at the end of each month".
    points: what each is of, and the value.     unit: "share", "USD" or nothing.
    drawn:  a line over time, bars in an order that means something, or bars each with its name.
    """

    label: str
    points: tuple[tuple[str, float], ...]
    drawn: Drawn = "line"
    unit: str = ""

    @classmethod
    def of(
        cls, label: str, names: Iterable[Any], values: Iterable[Any], *, drawn: Drawn = "line", unit: str = ""
    ) -> Trail | None:
        """From names and values side by side; None where fewer than two are known.

        Of a line the last are kept, of bars the first, as many as can be told apart.
        """
        points = [(str(name), float(value)) for name, value in zip(names, values, strict=True) if _known(value)]
        kept = points[-MOST_POINTS:] if drawn == "line" else points[: MOST_NAMED if drawn == "named" else MOST_POINTS]
        return cls(label, tuple(kept), drawn, unit) if len(kept) > 1 else None

    @classmethod
    def read(cls, record: object) -> Trail | None:
        """From results.json; None for what is none."""
        if not isinstance(record, Mapping):
            return None
        try:
            points = [(str(name), float(value)) for name, value in record["points"]]
        except (KeyError, TypeError, ValueError):
            return None
        drawn: Drawn = next((word for word in _DRAWN if word == record.get("drawn")), "bars")
        label, unit = (str(record.get(key) or "") for key in ("label", "unit"))
        return cls.of(label, [name for name, _ in points], [value for _, value in points], drawn=drawn, unit=unit)


@dataclass(frozen=True)
class Headline:
    """The number of a page, with what is needed to read it and to hold it against that of another run.

    finding, value: the finding it is of, and the key of the number among its values.
    label:    what the number is, a noun with its days: "margin expected in the next 91 days".
    unit:     "USD", "share" (from 0 to 1), or nothing where it is a count that the label names.
    sentence: one short sentence beneath it.
    better:   is more of it better, or less, or can that not be said?
    low, high, interval: its interval, if it has one, and what that is: "90% interval".
    """

    finding: str
    value: str
    number: float
    label: str
    sentence: str
    unit: str = ""
    better: Better = "neither"
    low: float | None = None
    high: float | None = None
    interval: str = ""
    trail: Trail | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        finding: Finding | None,
        value: str,
        *,
        label: str,
        sentence: str,
        unit: str = "",
        better: Better = "neither",
        low: str = "low",
        high: str = "high",
        interval: str = "interval",
        trail: Trail | None = None,
    ) -> Headline | None:
        """From a finding; None where that, or the number, was not found.

        label, sentence, unit, interval: templates of the finding's values, without a digit of their own.
        value, low, high: keys of its values; without both ends there is no interval.
        """
        if finding is None or not _known(finding.values.get(value)):
            return None
        values = finding.values
        from_to = _both(values.get(low), values.get(high))
        return cls(
            finding=finding.name,
            value=value,
            number=float(values[value]),
            label=_filled(label, values),
            sentence=_filled(sentence, values),
            unit=_filled(unit, values),
            better=better,
            low=from_to[0],
            high=from_to[1],
            interval=_filled(interval, values) if from_to != _NEITHER else "",
            trail=trail,
        )

    @property
    def name(self) -> str:
        """Which number it is; runs whose headlines have the same name can be compared."""
        return f"{self.finding}.{self.value}"

    def same_measure(self, other: Headline) -> bool:
        """Do both say the same of another day? Not where a setting has made another number of it."""
        return (self.name, self.label, self.unit) == (other.name, other.label, other.unit)

    def as_record(self) -> dict[str, Any]:
        """As it stands in results.json."""
        record = asdict(self)
        if self.trail is not None:
            record["trail"]["points"] = [list(point) for point in self.trail.points]
        return record

    @classmethod
    def read(cls, record: object) -> Headline | None:
        """From results.json; None for what is none, or of a version that knew none."""
        if not isinstance(record, Mapping) or not _known(record.get("number")):
            return None
        low, high = _both(record.get("low"), record.get("high"))
        better: Better = next((word for word in _BETTER if word == record.get("better")), "neither")
        finding, value, label, sentence, unit, interval = (
            str(record.get(key) or "") for key in ("finding", "value", "label", "sentence", "unit", "interval")
        )
        trail = Trail.read(record.get("trail"))
        return cls(finding, value, float(record["number"]), label, sentence, unit, better, low, high, interval, trail)


def _both(low: Any, high: Any) -> tuple[float, float] | tuple[None, None]:
    """The ends of an interval, or neither."""
    return (float(low), float(high)) if _known(low) and _known(high) else _NEITHER


def _filled(template: str, values: Mapping[str, Any]) -> str:
    own = "".join(text for text, *_ in Formatter().parse(template))
    if any(character.isdigit() for character in own):
        raise ValueError(f"a headline's numbers come from its finding, and {template!r} has one of its own")
    return template.format(**values)


def _known(value: Any) -> bool:
    """Is it a number, and finite?"""
    if value is None or isinstance(value, str | bool | dt.date):
        return False
    try:
        return math.isfinite(value)
    except TypeError:
        return False
