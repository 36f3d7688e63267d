"""Dates whose months are words of other languages than English: 5 mars 2022, 1 févr. 2022, 3. Mai 2022."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.profile import Column, Table, value_of
from crm.proposal.words import fold

_LANGUAGES = (
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janner februar marz april mai juni juli august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
    "styczen luty marzec kwiecien maj czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia",
    "ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince",
)
_WORD = r"\p{L}{3,}"


def month_of(word: str, language: str) -> int:
    """The number of the month that a word, or the beginning of one, is in a language; 0 if it is none."""
    plain = fold(word).replace("ł", "l")
    months = [at for at, month in enumerate(language.split(), start=1) if month == plain]
    months = months or [at for at, month in enumerate(language.split(), start=1) if month.startswith(plain)]
    return months[0] if len(months) == 1 else 0


def foreign_months(con: duckdb.DuckDBPyConnection, table: Table, column: Column) -> dict[str, int]:
    """The words for months of a column, with their numbers; empty where they are English or unknown."""
    if column.kind != "VARCHAR" or not column.forms.dates["named"]:
        return {}
    word = f"lower(regexp_extract({value_of(column.name, column.kind)}, '{_WORD}'))"
    rows = con.execute(f"SELECT DISTINCT {word} FROM {table.relation} WHERE {word} <> '' LIMIT 50").fetchall()
    words = sorted(str(row[0]) for row in rows)
    for language in _LANGUAGES:
        found = {one: month_of(one, language) for one in words}
        if words and all(found.values()):
            return {} if language is _LANGUAGES[0] else found
    return {}


def moment_of_words(column: Column, months: dict[str, int]) -> str:
    """SQL of the moment that a date with such a month is: its day comes first, its year has four digits."""
    name = sql_name(column.name)
    word = f"lower(regexp_extract({name}, '{_WORD}'))"
    cases = " ".join(f"WHEN {sql_text(one)} THEN '{number:02d}'" for one, number in months.items())
    day = f"lpad(regexp_extract({name}, '(\\d{{1,2}})\\D', 1), 2, '0')"
    year, clock = f"regexp_extract({name}, '\\d{{4}}')", f"regexp_extract({name}, '\\d{{1,2}}:\\d\\d(:\\d\\d)?')"
    date = f"{year} || '-' || CASE {word} {cases} END || '-' || {day}"
    if not column.forms.timed:
        return f"TRY_CAST({date} AS DATE)"
    return f"TRY_CAST({date} || ' ' || coalesce(nullif({clock}, ''), '00:00') AS TIMESTAMP)"
