"""What the values of a column look like, over all rows: numbers, dates, times of day, text.

A *shape* is a value with every digit turned into 9 and every Latin letter into a or A: "5/3/2017 8:26" is
"9/9/9999 9:99". Millions of values have few shapes, so each form is looked for in the shapes and counted exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase

DIGITS = "0123456789"
LONGEST = 40  # characters of a value that make its shape; whatever is longer is text
_LETTERS = str.maketrans(ascii_lowercase + ascii_uppercase, "a" * 26 + "A" * 26)

_CLOCK = r"9?9:99(:99)?([.,]9+)?( ?[aA]\.?[aA]\.?)?"
_ZONE = r"( ?([aA]|[+-]99(:?99)?|AAA))"
_ISO_DAY, _ISO_TIME = r"9999[-/.]9?9[-/.]9?9", rf"([ aA]{_CLOCK})"
_SLASHED = r"9?9([/.\-])9?9\1(9999|99)"
_WORD = r"[^\W\d_]{3,12}\.?"

NUMBERS = {
    "whole": r"9+",
    "thousand or comma": r"9{1,3},999",
    "thousand or point": r"9{1,3}\.999",
    "point": r"(9+)?\.9+|9+\.|9{1,3}(,999){2,}|9{1,3}(,999)+\.9*",
    "comma": r"(9+)?,9+|9+,|9{1,3}(\.999){2,}|9{1,3}(\.999)+,9*",
    "scientific": r"9(\.9+)?[aA][+-]?9+",
}
"""Numbers by what they say of the decimal mark; 1.234 may be one or a thousand."""

DATES = {
    "year first": rf"{_ISO_DAY}{_ISO_TIME}?",
    "year first, with zone": rf"{_ISO_DAY}{_ISO_TIME}{_ZONE}",
    "slashed": rf"{_SLASHED}(,? +{_CLOCK})?",
    "named": rf"(9?9\.?[-. /]+{_WORD}[-. ,/]+(9999|99)|{_WORD}[-. ]+9?9,?[-. ]+9999)(,? +{_CLOCK})?",
}
_SYMBOLS = "$€£¥₹₽₺₩¢"
_MARK = rf"A{{0,2}}\$|AAA|[Aa]a\.?|[Aa]aa|ał|Ač|[{_SYMBOLS}]"
_MONEY = re.compile(rf"({_MARK})?([9.,]+(?:[aA][+-]?9+)?(?:[.,]-+)?)({_MARK})?")
CURRENCIES = {
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP",
    "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MAD", "MXN", "MYR", "NOK", "NZD", "PEN", "PHP",
    "PLN", "PYG", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
}  # fmt: skip
SYMBOLS = {"€": "EUR", "£": "GBP", "₽": "RUB", "₺": "TRY", "₩": "KRW"}  # those that are one currency's own
WORDS = {
    "R$": "BRL", "US$": "USD", "CA$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "ZŁ": "PLN",
    "KČ": "CZK", "FT": "HUF", "LEI": "RON", "KR": "kr", "RS": "Rs", "FR": "CHF",
}  # fmt: skip
"""What stands at amounts in place of a symbol."""
_CURRENCY = re.compile(
    rf"[A-Z]{{1,2}}\$|[{_SYMBOLS}]|(?:{'|'.join(sorted({*CURRENCIES, *(w for w in WORDS if w.isalpha())}))})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Shape:
    """One shape: how many rows have it, and the first and last such value in the order of the alphabet."""

    shape: str
    rows: int
    low: str
    high: str


@dataclass(frozen=True)
class Forms:
    """How many of a column's filled rows have which form.

    numbers:  by kind, see NUMBERS.    dates: by form, see DATES.    clocks: times of day without a date.
    timed:    dates with a time.       negative: numbers below nought.      symbols: marks of currency at numbers.
    strange:  the shapes that are neither number nor date.
    shapes:   all of them.               examples: of each kind of number and date.
    """

    rows: int = 0
    numbers: Counter[str] = field(default_factory=Counter)
    dates: Counter[str] = field(default_factory=Counter)
    symbols: Counter[str] = field(default_factory=Counter)
    clocks: int = 0
    timed: int = 0
    negative: int = 0
    strange: tuple[Shape, ...] = ()
    shapes: tuple[Shape, ...] = ()
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def undated(self) -> tuple[Shape, ...]:
        """All shapes, unless some are dates in a form that shows it."""
        return () if self.dates else self.shapes

    @property
    def only_dotted(self) -> bool:
        """Are all dates that are not in another form written as 5.3.2017?"""
        slashed = [one for one in self.shapes if _named(one.shape, DATES) == "slashed"]
        return bool(slashed) and all(re.match(r"9?9\.9?9\.", one.shape) for one in slashed)

    @property
    def number_share(self) -> float:
        """The share of filled rows that are numbers."""
        return sum(self.numbers.values()) / self.rows if self.rows else 0.0

    @property
    def date_share(self) -> float:
        """The share of filled rows that are dates, not counting bare digits."""
        return sum(self.dates.values()) / self.rows if self.rows else 0.0

    @property
    def decimals(self) -> int:
        """Numbers with decimals, of either mark."""
        mark = "thousand or comma" if self.numbers["comma"] else "thousand or point"
        return self.numbers["point"] + self.numbers["comma"] + self.numbers[mark]


def merged(shapes: Iterable[Shape]) -> list[Shape]:
    """Shapes in which only digits were replaced so far: letters as well, the most frequent first."""
    by_shape: dict[str, Shape] = {}
    for one in shapes:
        shape = one.shape.translate(_LETTERS)
        met = by_shape.get(shape, Shape(shape, 0, one.low, one.high))
        by_shape[shape] = Shape(shape, met.rows + one.rows, min(met.low, one.low), max(met.high, one.high))
    return sorted(by_shape.values(), key=lambda shape: (-shape.rows, shape.shape))


def forms_of(shapes: Iterable[Shape]) -> Forms:
    """Count the forms of a column by its shapes."""
    numbers: Counter[str] = Counter()
    dates: Counter[str] = Counter()
    symbols: Counter[str] = Counter()
    examples: dict[str, str] = {}
    strange, every = [], []
    rows = clocks = timed = negative = 0
    for one in shapes:
        rows += one.rows
        every.append(one)
        if date := _named(one.shape, DATES):
            dates[date] += one.rows
            timed += one.rows * (":" in one.shape)
            examples.setdefault(date, one.low)
        elif re.fullmatch(_CLOCK, one.shape):
            clocks += one.rows
        elif (number := number_in(one.shape)) and _is_currency(number.mark, one):
            numbers[number.kind] += one.rows
            negative += one.rows * number.negative
            examples.setdefault(number.kind, one.low)
            if number.mark and (symbol := _CURRENCY.search(one.low)):
                symbols[symbol[0].upper()] += one.rows
        else:
            strange.append(one)
    return Forms(rows, numbers, dates, symbols, clocks, timed, negative, tuple(strange), tuple(every), examples)


@dataclass(frozen=True)
class Number:
    """What kind of number a shape is, whether it is below nought, and the shape of what stands at it."""

    kind: str
    negative: bool
    mark: str


def _is_currency(mark: str, one: Shape) -> bool:
    """Is what stands at a number of this mark a currency, as far as one knows currencies by their letters?"""
    return mark in ("", "AAA") or bool(_CURRENCY.search(one.low) and _CURRENCY.search(one.high))


def number_in(shape: str) -> Number | None:
    """The number that a shape is, however it is written: -5, (5), 5-, 1.234,50 €, USD 5."""
    bare = re.sub(r"[\s'’_\u00a0\u2007\u202f]", "", shape)
    signless = re.sub(r"^([A-Z]{3}|\D?)[-+]", r"\1", bare)
    if signless == bare:
        signless = re.sub(r"^\((.*)\)$|^(.*)-$", r"\1\2", bare)
    found = _MONEY.fullmatch(signless)
    kind = _named(re.sub(r"[.,]-+$", "", found[2]), NUMBERS) if found else None
    if found is None or kind is None:
        return None
    return Number(
        kind,
        negative="-" in re.sub(r"[aA]-|[.,]-+$", "", bare) or bare.startswith("("),
        mark=found[1] or found[3] or "",
    )


def _named(shape: str, forms: dict[str, str]) -> str | None:
    return next((name for name, form in forms.items() if re.fullmatch(form, shape)), None)
