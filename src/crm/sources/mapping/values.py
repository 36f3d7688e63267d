"""SQL that reads values as people write them: numbers, dates, identifiers, yes and no.

Each function takes a column name of cleaned values and the type it came in, and gives SQL of a text or typed value
that the contract can read without doubt. What cannot be read as it is said to be written stays in sight behind the
mark `UNREAD`, so that the contract sets the row aside; nothing is read in a second way because the first failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm.config import TableMapping
from crm.engine import sql_name, sql_text
from crm.sources.source import local_time

UNREAD = "cannot be read: "
BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u200b\ufeff"
_AT_AN_END = sql_text(f"^[{BLANKS}]|[{BLANKS}]$")

WHOLE_WITH_POINT = r"^\d+\.0+$"
SCIENTIFIC = r"^\d(\.\d+)?[eE]\+?\d+$"
SLASHED = r"^\d{1,2}[/.\-]\d{1,2}[/.\-](\d{4}|\d{2})(\D|$)"
ZONED = r":\d{2}([.,]\d+)?\s?([Zz]|UTC|GMT|[+-]\d{2}(:?\d{2})?|[A-Z][a-z]+/[A-Za-z_/]+)$"
_YEAR_FIRST = r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(\D|$)"
_DIGITS = r"^\d{8}(\d{6})?$"

_CURRENCY = r"[A-Za-z]{3}|[A-Z]{0,2}\$|\p{Sc}|zł|[Kk]r\.?|Kč|Ft|[Ll]ei|Rs\.?|Fr\.?"

_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_NAMED_DATES = (
    "%d %b %y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%B %d %Y",
)  # a year of two digits first: %Y reads it too
_SPECIAL = {
    "epoch": "make_timestamp(CAST(TRY_CAST({c} AS DOUBLE) * 1000000 AS BIGINT))",
    "epoch_ms": "make_timestamp(CAST(TRY_CAST({c} AS DOUBLE) * 1000 AS BIGINT))",
    "excel": "TIMESTAMP '1899-12-30' + to_seconds(CAST(round(TRY_CAST({c} AS DOUBLE) * 86400) AS BIGINT))",
}
SPECIAL_FORMATS = tuple(_SPECIAL)


@dataclass(frozen=True)
class Manner:
    """How the values of a table are written.

    timezone: of the trade, to which moments are turned.   recorded_in: the zone of moments written without one.
    """

    timezone: str
    recorded_in: str
    empty: tuple[str, ...]
    decimal_comma: bool
    day_first: bool | None
    date_formats: tuple[str, ...]

    @classmethod
    def of(cls, mapping: TableMapping, *, timezone: str) -> Manner:
        """As the mapping says."""
        return cls(
            timezone=timezone,
            recorded_in=mapping.recorded_in or timezone,
            empty=tuple(mapping.empty),
            decimal_comma=mapping.decimal_comma,
            day_first=mapping.day_first,
            date_formats=tuple(mapping.date_formats),
        )


def cleaned(column: str, kind: str, manner: Manner) -> str:
    """The value without blanks around it; nothing, or what stands for nothing, is empty."""
    name = sql_name(column)
    if kind != "VARCHAR":
        return name
    blanks = sql_text(BLANKS)
    trimmed = f"CASE WHEN regexp_matches({name}, {_AT_AN_END}) THEN trim({name}, {blanks}) ELSE {name} END"
    nothing = ", ".join(sql_text(word) for word in ("", *manner.empty))
    return f"CASE WHEN ({trimmed}) NOT IN ({nothing}) THEN {trimmed} END"


def identifier(c: str, kind: str) -> str:
    """Text; a whole number that passed through a decimal column (17850.0) is the whole number."""
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{c} = trunc({c}) AND abs({c}) < 9e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({c} AS BIGINT) AS VARCHAR) ELSE CAST({c} AS VARCHAR) END"
    if kind != "VARCHAR":
        return f"CAST({c} AS VARCHAR)"
    return f"CASE WHEN {c} LIKE '%.0%' THEN regexp_replace({c}, '^(\\d+)\\.0+$', '\\1') ELSE {c} END"


def number(c: str, kind: str, manner: Manner) -> str:
    """Text of a number with a decimal point; 1,234.50 and 1.234,50, -5 and 5- and (5), $5 and 5 EUR are read."""
    if kind != "VARCHAR":
        return f"CAST({c} AS VARCHAR)"
    bare = f"regexp_replace({c}, '[\\s\u00a0\u2007\u202f''’_]', '', 'g')"
    bare = f"regexp_replace({bare}, '^([-+(]?)(?:{_CURRENCY})', '\\1')"
    bare = f"regexp_replace({bare}, '(?:{_CURRENCY})([-)]?)$', '\\1')"
    bare = f"regexp_replace({bare}, '(\\d)[.,][-–—]+$', '\\1')"  # 16.- is sixteen and no cents
    bare = f"regexp_replace({bare}, '^\\((.*)\\)$', '-\\1')"
    bare = f"regexp_replace({bare}, '^([^-].*)-$', '-\\1')"
    point, thousands = (",", ".") if manner.decimal_comma else (".", ",")
    digits = f"(\\d+|\\d{{1,3}}(\\{thousands}\\d{{3}})+)"
    grammar = f"[-+]?({digits}(\\{point}\\d*)?|\\{point}\\d+)([eE][-+]?\\d+)?"
    plain = f"replace(replace({bare}, '{thousands}', ''), '{point}', '.')"
    simple = f"regexp_full_match({c}, '-?\\d+(\\{point}\\d+)?')"  # most are, and the rest costs more
    return (
        f"CASE WHEN {simple} THEN replace({c}, '{point}', '.') "
        f"WHEN regexp_full_match({bare}, '{grammar}') THEN {plain} ELSE '{UNREAD}' || {c} END"
    )


def truth(c: str, kind: str) -> str:
    """True or false, as text."""
    if kind == "BOOLEAN":
        return f"CAST({c} AS VARCHAR)"
    word = f"lower(CAST({c} AS VARCHAR))"
    yes = "('true', 't', 'yes', 'y', '1', '1.0', 'on', 'granted', 'subscribed', 'opted in', 'ja', 'oui', 'si', 'sí')"
    no = "('false', 'f', 'no', 'n', '0', '0.0', 'off', 'revoked', 'unsubscribed', 'opted out', 'nein', 'non')"
    return (
        f"CASE WHEN {word} IN {yes} THEN 'true' WHEN {word} IN {no} THEN 'false' "
        f"ELSE '{UNREAD}' || CAST({c} AS VARCHAR) END"
    )


def moment(c: str, kind: str, manner: Manner, *, dates_only: bool = False) -> str:
    """Text of a moment in local time of the trade.

    dates_only: all moments of a typed column are midnights, that is, dates: no zone moves them to another day.
    """
    if kind.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"CAST(timezone('{manner.timezone}', {c}) AS VARCHAR)"
    if kind == "DATE" or (kind.startswith("TIMESTAMP") and dates_only):
        return f"CAST({c} AS VARCHAR)"
    if kind.startswith("TIMESTAMP"):
        return f"CAST({_local(c, manner)} AS VARCHAR)"
    text = c if kind == "VARCHAR" else f"CAST({c} AS VARCHAR)"
    read = _in_formats(text, manner) if manner.date_formats else _in_usual_forms(text, manner)
    return f"coalesce(CAST({read} AS VARCHAR), '{UNREAD}' || {text})"


def _local(moment: str, manner: Manner) -> str:
    return local_time(moment, timezone=manner.timezone, recorded_in=manner.recorded_in)


def _timed(text: str, read: str, manner: Manner) -> str:
    """A date without a time stays the same date in every zone."""
    if manner.recorded_in == manner.timezone:
        return read
    return f"CASE WHEN {text} LIKE '%:%' THEN {_local(read, manner)} ELSE {read} END"


def _in_formats(text: str, manner: Manner) -> str:
    special = [_SPECIAL[name].format(c=text) for name in manner.date_formats if name in _SPECIAL]
    if special:
        return local_time(special[0], timezone=manner.timezone)
    formats = ", ".join(sql_text(one) for one in manner.date_formats)
    read = f"try_strptime({text}, [{formats}])"
    if any("%z" in one for one in manner.date_formats):
        return f"timezone('{manner.timezone}', {read})"
    return _timed(text, read, manner)


def _in_usual_forms(text: str, manner: Manner) -> str:
    """ISO forms, 20170305, named months; 5/3/2017 only where `day_first` says which is the day."""
    offset_joined = f"regexp_replace(replace({text}, ',', '.'), '\\s([+-]\\d)', '\\1')"
    zoned = f"timezone('{manner.timezone}', TRY_CAST({offset_joined} AS TIMESTAMPTZ))"
    iso = f"TRY_CAST(replace(regexp_replace({text}, '^(\\d{{4}})[/.](\\d+)[/.]', '\\1-\\2-'), ',', '.') AS TIMESTAMP)"
    packed = f"try_strptime({text}, ['%Y%m%d', '%Y%m%d%H%M%S'])"
    words = f"regexp_replace({text}, '[-,./ ]+', ' ', 'g')"
    named = f"try_strptime({words}, {_formats(_NAMED_DATES)})"
    slashed = "CAST(NULL AS TIMESTAMP)"
    if manner.day_first is not None:
        date = "%d/%m/" if manner.day_first else "%m/%d/"
        one_mark = f"regexp_replace({text}, '^(\\d{{1,2}})[/.\\-](\\d{{1,2}})[/.\\-](\\d+),?', '\\1/\\2/\\3')"
        slashed = f"try_strptime({one_mark}, {_formats((f'{date}%y', f'{date}%Y'))})"
    most = "\\d{4}-\\d\\d-\\d\\d([ T]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?)?"  # and the rest costs more
    at_once = f"TRY_CAST({text} AS TIMESTAMP)"
    return (
        f"CASE WHEN regexp_full_match({text}, '{most}') THEN {_timed(text, at_once, manner)} "
        f"WHEN regexp_matches({text}, '{ZONED}') THEN {zoned} "
        f"WHEN regexp_matches({text}, '{_YEAR_FIRST}') THEN {_timed(text, iso, manner)} "
        f"WHEN regexp_matches({text}, '{_DIGITS}') THEN {packed} "
        f"WHEN regexp_matches({text}, '{SLASHED}') THEN {_timed(text, slashed, manner)} "
        f"WHEN regexp_matches({text}, '\\d') THEN {_timed(text, named, manner)} END"  # "infinity" has none
    )


def _formats(dates: Sequence[str]) -> str:
    return "[" + ", ".join(f"'{date}{time}'" for date in dates for time in _TIMES) + "]"
