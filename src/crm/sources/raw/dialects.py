"""How a CSV text is written, seen from its first records: the delimiter, the header, titles before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from crm.sources.raw.part import BLANKS
from crm.sources.raw.records import Shape, first_records

SAMPLE = 500  # records by which a dialect is judged
_MOST_TITLES = 20
_DELIMITERS = "\t;|^,"  # a comma last: it also stands in numbers
_NUMBERLIKE = re.compile(r"[\W_]*\d[\d\W_]*(?:[TZ]|[AaPp][Mm])?[\d\W_]*Z?")
_DECIMALS_ONLY = re.compile(r"(?:[^,]|(?<=\d),(?=\d))*")

Records = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class Header:
    """Where a table begins: the cells of its header, and how many titles come before it."""

    titles: int
    cells: tuple[str | None, ...]


def sample_of(text: bytes, delimiter: str, quote: str) -> list[list[str]]:
    """The first records of a text."""
    shape = Shape(b" " if delimiter == BLANKS else delimiter.encode(), quote.encode(), 0)
    return [fields for fields, _ in islice(first_records(text, shape, blanks=delimiter == BLANKS), SAMPLE)]


def seen_delimiter(text: bytes, quote: str) -> str:
    """The delimiter with which the records of a text have the same number of fields; a comma where there is none.

    Among several, the one that also splits the first line so; then the one that gives more fields. A comma that only
    stands between digits is a decimal comma, if there is another choice. Blanks come last: texts are full of them.
    """
    samples = {sign: sample_of(text, sign, quote) for sign in _DELIMITERS if sign.encode() in text}
    scores = {sign: score for sign, sample in samples.items() if (score := _evenness(sample))}
    if len(scores) > 1 and "," in scores and _DECIMALS_ONLY.fullmatch("\n".join(_joined(samples[","]))):
        del scores[","]
    best = max(scores, key=lambda sign: scores[sign], default="")
    if best and scores[best][0] >= 0.5:
        return best
    by_blanks = _evenness(sample_of(text, BLANKS, ""))
    if by_blanks and by_blanks[0] >= (0.75 if by_blanks[2] > 2 else 0.95):
        return BLANKS
    return best or ","


def _joined(sample: Records) -> list[str]:
    return [",".join(cell or "" for cell in record) for record in sample[1:]]


def _evenness(sample: Records) -> tuple[float, bool, int] | None:
    """How many records have the most frequent number of fields, whether the first has, and the number, if above 1."""
    width = usual_width(sample)
    if width < 2:
        return None
    share = sum(len(record) == width for record in sample) / len(sample)
    return round(share * 20) / 20, len(sample[0]) == width, width


def usual_width(sample: Records) -> int:
    """The most frequent number of fields; of two as frequent, the one met first."""
    return Counter(len(record) for record in sample).most_common(1)[0][0] if sample else 0


def header_of(sample: Records) -> Header:
    """The header among the first records.

    It is the first record, unless that is a title: it has half as many fields as the rows, or a third of them filled,
    and a full line of names comes after it. Where the rows end in a delimiter and the header does not, or the other
    way round, the rows are right.
    """
    width = usual_width(sample[1:]) or len(sample[0])
    titles = next((i for i, record in enumerate(sample[:_MOST_TITLES]) if not _is_title(record, width)), 0)
    if len(sample[titles]) != width or not _all_names(sample[titles]):
        titles = 0
    cells, rows = tuple(sample[titles]), sample[titles + 1 :]
    if sum(len(row) == len(cells) + 1 and not row[-1] for row in rows) > 0.9 * len(rows):
        cells = (*cells, "")
    elif len(cells) == width + 1 and not cells[-1]:
        cells = cells[:-1]
    return Header(titles, cells)


def _is_title(record: Sequence[str | None], width: int) -> bool:
    filled = sum(bool(cell and cell.strip()) for cell in record)
    return 2 * len(record) <= width or 3 * filled <= width


def _all_names(record: Sequence[str | None]) -> bool:
    """Whether a record could be a header: nothing empty, no number or date, nothing twice."""
    cells = [cell.strip() for cell in record if cell and not _NUMBERLIKE.fullmatch(cell.strip())]
    return len(record) > 1 and len(set(filter(None, cells))) == len(record)


def looks_like_names(first: Sequence[str | None], rows: Records) -> bool:
    """Whether the first record names the columns: over numbers or dates it is none, or it is met nowhere else."""
    verdicts = [_names_column(cell or "", [row[i] for row in rows if i < len(row)]) for i, cell in enumerate(first)]
    if any(verdict is not None for verdict in verdicts):
        return sum(verdict is True for verdict in verdicts) > sum(verdict is False for verdict in verdicts)
    return all(cell and cell not in {row[i] for row in rows if i < len(row)} for i, cell in enumerate(first))


def _names_column(cell: str, rows: Sequence[str | None]) -> bool | None:
    """Whether a cell stands over a column of numbers or dates without being one; None over other columns."""
    values = [value for value in rows if value]
    if not values or sum(bool(_NUMBERLIKE.fullmatch(value.strip())) for value in values) < 0.9 * len(values):
        return None
    return bool(cell.strip()) and not _NUMBERLIKE.fullmatch(cell.strip())
