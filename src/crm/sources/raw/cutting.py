"""Where the records of a CSV text end, and which of them are broken.

A text by the book throughout, which is nearly every one, is recognised at the speed of the disk: every other quote
opens a field, the next closes it. Only where one does not are lines looked at one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crm.sources.raw.records import MARK, TABLE_LINES, Broken, Shape, is_table, line_end, next_record, row_of

LONGEST = 16 << 20  # bytes of one record; a quoted text that is longer counts as never closed
_SMALL = 1 << 16
_NEW, _RETURN = b"\n\r"


@dataclass(frozen=True)
class Cut:
    """A piece of text: whole records, broken ones, and the beginning of one that goes on in the next piece."""

    records: bytes
    broken: Sequence[Broken]
    rest: bytes


def cut(text: bytes, shape: Shape, *, last: bool) -> Cut:
    """The whole records of a text that begins with one; `last`: nothing comes after it."""
    if last and text and not text.endswith((b"\n", b"\r")):
        text += b"\n"
    whole = _by_the_book(text, shape, last=last)
    if whole:
        return whole
    kept: list[bytes] = []
    broken: list[Broken] = []
    rest, position = b"", 0
    while position < len(text):  # small pieces, so that few lines have to be looked at one by one
        size = max(_SMALL, len(rest))
        piece, position = rest + text[position : position + size], position + size
        end = last and position >= len(text)
        found = _by_the_book(piece, shape, last=end) or _line_by_line(piece, shape, last=end)
        kept.append(found.records)
        broken += found.broken
        rest = found.rest
    return Cut(b"".join(kept), broken, rest)


def _by_the_book(text: bytes, shape: Shape, *, last: bool) -> Cut | None:
    """A text that is by the book throughout; None where it is not."""
    page = _Page(text, shape)
    if page.damaged or not page.quotes_fit:
        return None
    inside = np.searchsorted(page.quotes, page.ends) & 1
    outside = page.ends[inside == 0]
    end = int(outside[-1]) + 1 if len(outside) else 0
    unclosed = end < len(text) and (last or len(text) - end > LONGEST)
    if unclosed or page.swallowed_any(page.ends[inside == 1]):
        return None
    return Cut(text[:end], (), text[end:])


def _line_by_line(text: bytes, shape: Shape, *, last: bool) -> Cut:
    """A text in which some lines are not by the book."""
    page = _Page(text, shape)
    kept: list[bytes] = []
    broken: list[Broken] = []
    position = 0
    for start in page.odd_lines():
        if start < position:
            continue
        kept.append(text[position:start])
        record = next_record(text, start, shape)
        if record is None and not last and len(text) - start <= LONGEST:
            return Cut(b"".join(kept), broken, text[start:])
        position = record.end if record else line_end(text, start)
        row = row_of(record, text[start:position], shape)
        broken += [row] if isinstance(row, Broken) else []
        kept += [row] if isinstance(row, bytes) else []
    whole = max(position, int(page.ends[-1]) + 1 if len(page.ends) else 0)
    return Cut(b"".join([*kept, text[position:whole]]), broken, text[whole:])


class _Page:
    """A text with the positions of its quotes and line ends."""

    def __init__(self, text: bytes, shape: Shape) -> None:
        self.text, self.shape = text, shape
        self.data = np.frombuffer(text, dtype=np.uint8)
        self.ends = np.flatnonzero((self.data == _NEW) | (self.data == _RETURN))
        quote = shape.quote[0] if shape.quote else -1
        self.quotes = np.flatnonzero(self.data == quote) if shape.quote else np.zeros(0, dtype=np.int64)

    @property
    def damaged(self) -> bool:
        """Whether it holds NUL bytes, or bytes that are no letters."""
        return b"\0" in self.text or (not self.text.isascii() and MARK in self.text)

    @property
    def quotes_fit(self) -> bool:
        """Whether every other quote opens a field, and the next closes it."""
        return bool(np.all(self._fitting(np.arange(len(self.quotes)))))

    def _fitting(self, rank: np.ndarray) -> np.ndarray:
        """For each quote, the `rank`-th since a record began, whether it stands where one may."""
        next_to = np.minimum(self.quotes + 1, len(self.data) - 1)
        closes = (self.quotes == len(self.data) - 1) | self._at_edge[self.data[next_to]]
        twins = np.diff(self.quotes) == 1  # a quote within a field is doubled
        first_twin = np.concatenate([twins, [False]])[: len(self.quotes)]
        second_twin = np.concatenate([[False], twins])[: len(self.quotes)]
        fits: np.ndarray = np.where(rank & 1, closes | first_twin, self._opens | second_twin)
        return fits

    @cached_property
    def _at_edge(self) -> np.ndarray:
        """For each byte, whether a field may begin after it and end before it."""
        edge = np.zeros(256, dtype=bool)
        edge[[self.shape.delimiter[0], _NEW, _RETURN]] = True
        return edge

    @cached_property
    def _opens(self) -> np.ndarray:
        """For each quote, whether it stands at the beginning of a field."""
        opens: np.ndarray = (self.quotes == 0) | self._at_edge[self.data[self.quotes - 1]]
        return opens

    def swallowed_any(self, ends: np.ndarray) -> bool:
        """Whether a field spans lines, of which these are the ends, that look like records of the table."""
        opening, lines = np.unique(np.searchsorted(self.quotes, ends) - 1, return_counts=True)
        long = [quote for quote in opening[lines > TABLE_LINES] if quote + 1 < len(self.quotes)]
        return any(is_table(self.text[self.quotes[quote] + 1 : self.quotes[quote + 1]], self.shape) for quote in long)

    def odd_lines(self) -> list[int]:
        """Where the lines begin that, taken for themselves, are not by the book."""
        starts = np.concatenate([[0], self.ends + 1])
        line = np.searchsorted(self.ends, self.quotes)
        rank = np.arange(len(self.quotes)) - np.searchsorted(self.quotes, starts)[line]
        odd = np.bincount(line, minlength=len(starts)) & 1 == 1
        odd[line[~self._fitting(rank)]] = True
        opened = np.zeros(len(starts), dtype=bool)
        opened[line[self._opens]] = True
        odd &= opened  # a quote within a field alone is a sign like others
        for sign in (b"\0", MARK):
            odd[np.searchsorted(self.ends, [found.start() for found in re.finditer(sign, self.text)])] = True
        return [int(start) for start in starts[odd] if start < len(self.text)]
