"""How a section says the manner in which its values are written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import duckdb

from crm.contracts import CONTRACTS
from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.shapes import CURRENCIES, Forms
from crm.proposal.told import count, quoted
from crm.proposal.toml import DEFAULTS
from crm.proposal.words import fold
from crm.proposal.written import DayFirst, plain_moment
from crm.sources.raw import FILE

_OVERWHELMING = 20  # times as many dates of one reading as of the other, which then are slips
_MONEY = ("net_amount", "unit_price", "amount")
_MINOR = {
    *("cent", "cents", "minor", "pence", "penny", "pennies", "centime", "centimes", "ore", "øre", "centavos"),
    *("grosz", "grosze", "groszy", "centimos", "kopecks", "paise", "ct", "cts"),
}
_NO_DECIMALS = {
    "JPY",
    "KRW",
    "CLP",
    "VND",
    "PYG",
    "UGX",
    "RWF",
    "XAF",
    "XOF",
    "XPF",
    "KMF",
    "GNF",
    "BIF",
    "DJF",
    "VUV",
}
_ODD_DECIMALS = {"ISK", "HUF", "TWD", "IDR", "COP"}  # whose hundredths are counted by some and not by others
_PARTS = (r"^\s*(\d+)[/.\-]", r"^\s*\d+[/.\-](\d+)")
_GUESSED_ENCODINGS = ("cp1250", "cp1251")
_ASCII = ("utf-8", "ascii", "utf-8-sig")


def say_how_written(con: duckdb.DuckDBPyConnection, draft: Draft, purchases: Draft) -> None:
    """Add the keys that say how the file and its values are written, with the evidence."""
    if not draft.looked.table:
        _file(draft)
    settle_minor_units(draft)
    _numbers(draft)
    _days(con, draft, purchases)
    _formats(draft)
    if draft.name == "purchases" and not draft.looked.table:
        _overlaps(con, draft)  # last: what is done with repeated rows depends on whether there is a query
    if draft.written.empty:
        draft.keys["empty"] = ([*DEFAULTS.empty, *draft.written.empty], "these words stand for nothing")


def _file(draft: Draft) -> None:
    looked = draft.looked
    if not looked.header:
        draft.keys["header"] = (False, "the first line holds values, not names: columns are named by their position")
    dialects = looked.dialects
    delimiters, encodings = {d.delimiter for d in dialects}, {d.encoding for d in dialects}
    if len(delimiters) == 1 and (mark := delimiters.pop()) != ",":
        draft.keys["delimiter"] = (mark, "as seen in the file")
    if len(encodings) == 1 and (encoding := encodings.pop()).casefold() not in _ASCII:
        draft.keys["encoding"] = (encoding, "as seen in the file")
        if encoding in _GUESSED_ENCODINGS:
            draft.decide(
                "encoding", f"is it {encoding}? Some letters are none of UTF-8 or Windows-1252; look whether the "
                "names of columns and products are right", f"encoding = {quoted(encoding)}",
                "it is not: save the export as UTF-8, and type crm init anew", stands=encoding,
            )  # fmt: skip
    if looked.broken:
        draft.remarks.append(f"{count(looked.broken, 'line')} cannot be split into columns and are set aside")


def _overlaps(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Files that have rows in common."""
    looked = draft.looked
    if len(looked.raw) < 2 or draft.around:
        return
    columns = ", ".join(sql_name(name) for name in looked.profile.names)
    if any(raw.dialect is None and not raw.parquet.name.endswith(".parquet") for raw in looked.raw):
        return
    names = {str(row[0]) for row in con.execute(f"DESCRIBE {looked.profile.relation}").fetchall()}
    if "crm:file" not in names:
        return
    twice = int(
        con.execute(
            f"SELECT coalesce(sum(n - most), 0) FROM (SELECT sum(n) AS n, max(n) AS most, count(*) AS files FROM "
            f'(SELECT "crm:file", {columns}, count(*) AS n FROM {looked.profile.relation} GROUP BY ALL) '
            f"GROUP BY {columns}) WHERE files > 1"
        ).fetchall()[0][0]
    )
    if not twice:
        return
    if draft.query:
        _once_by_query(con, draft, twice)
        return
    draft.keys["repeated_rows"] = ("set_aside_across_files", f"{count(twice, 'row')} stand in more than one file")
    draft.decide(
        "repeated_rows",
        f"{count(twice, 'row')} stand in more than one of the {len(looked.raw)} files: the exports overlap",
        'repeated_rows = "set_aside_across_files": they count once',
        'repeated_rows = "keep": they are purchases of their own',
        stands="they count once",
    )


def _once_by_query(con: duckdb.DuckDBPyConnection, draft: Draft, twice: int) -> None:
    """Where a query reads the files, let it read equal rows once, if no file has equal rows by itself."""
    looked = draft.looked
    columns = ", ".join(sql_name(name) for name in looked.profile.names)
    within = int(
        con.execute(
            f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {looked.profile.relation} "
            f"GROUP BY {sql_name(FILE)}, {columns})"
        ).fetchall()[0][0]
    )
    said = f"{count(twice, 'row')} stand in more than one of the {len(looked.raw)} files: the exports overlap"
    if within:
        draft.decide(
            "query", f"{said}, and {count(within, 'row')} are repeated within a file", "leave it so",
            "each counts once: write FROM (SELECT DISTINCT * FROM file) in place of the last FROM file in the query",
            stands="they count in each file",
        )  # fmt: skip
        return
    draft.around = "SELECT DISTINCT * FROM file"
    draft.why.append(f"{said}: equal rows are read once")
    draft.decide(
        "query", f"{said}; do they count once?", "yes: leave it so",
        "no, they are purchases of their own: take DISTINCT out of the query", stands="they count once",
    )  # fmt: skip


def _numbers(draft: Draft) -> None:
    written = draft.written
    if not any(target in draft.columns for target in _numeric(draft.name)):
        return
    if written.decimal_comma:
        draft.keys["decimal_comma"] = (True, written.mark_evidence)
    elif written.decimal_comma is None:
        draft.decide(
            "decimal_comma", f"numbers are written in two manners: {written.mark_evidence}",
            "decimal_comma = true", "decimal_comma = false: the others are set aside", stands="a decimal point",
        )  # fmt: skip
    elif unclear := [name for name in draft.columns.values() if _unclear(draft, name)]:
        draft.decide(
            "decimal_comma", f"the numbers of {', '.join(unclear)} are such as "
            f"{draft.looked.profile[unclear[0]].forms.examples['thousand or comma']}: is the comma a decimal mark?",
            "decimal_comma = false: it parts the thousands", "decimal_comma = true", stands="it parts the thousands",
        )  # fmt: skip
    elif not written.mark_evidence and (
        pointed := [name for name in draft.columns.values() if _pointed(draft, name)]
    ):
        _ask_point(draft, pointed)


def _ask_point(draft: Draft, names: list[str]) -> None:
    """12.500 and nothing else: a person must say whether it is twelve and a half, before anything runs."""
    example = draft.looked.profile[names[0]].forms.examples["thousand or point"]
    thousands = example.replace(".", "")
    held = [f"{t} = {quoted(draft.columns[t])}" for t in _MONEY if t in draft.columns]
    then = f", and {held[0]} below" if held else ""
    draft.decide(
        "decimal_comma",
        f"all numbers of {', '.join(names)} that have a point have three digits after it, such as {example}: is the "
        "point a decimal mark, or does it part the thousands?",
        f"decimal_comma = true{then}: it parts the thousands, {example} is {thousands}",
        f"decimal_comma = false{then}: it is a decimal mark, {example} is {example.rstrip('0').removesuffix('.')}",
    )


def hold_back_unclear(drafts: Sequence[Draft]) -> None:
    """Propose no amount where a thousand may be read as one: it stands there once somebody has decided."""
    for draft in drafts:
        if not any(one.key.endswith(".decimal_comma") and one.needed for one in draft.decisions):
            continue
        for target in _MONEY:
            if name := draft.columns.pop(target, ""):
                draft.decisions = [
                    replace(one, also=(*one.also, target)) if one.key.endswith(".decimal_comma") else one
                    for one in draft.decisions
                ]
                draft.unused[name] = f"write {target} = {quoted(name)} here once decimal_comma is decided above"


def settle_minor_units(draft: Draft) -> None:
    """Amounts in the smallest unit of their currency, which their names say, become amounts in the currency."""
    table = draft.looked.profile
    for target in (*_money_of(draft.name), "unit_price"):
        name = draft.columns.get(target)
        if name not in table.names or not said_minor(name) or not _whole(table[name].forms):
            continue
        codes = _currencies_of(draft, name)
        if codes and codes <= _NO_DECIMALS:
            draft.evidence[target] = f"{', '.join(sorted(codes))} has no smaller unit: not divided"
            continue
        amount = f"TRY_CAST({sql_name(name)} AS DECIMAL(18, 2))"
        divided, said = f"{amount} / 100", "divided by 100"
        if codes & _NO_DECIMALS:
            listed = ", ".join(sql_text(code) for code in sorted(codes & _NO_DECIMALS))
            divided = (
                f"{amount} / CASE WHEN upper({sql_name(draft.columns['currency'])}) IN ({listed}) THEN 1 ELSE 100 END"
            )
            said += f", but for {listed}"
        draft.make(target, f"CAST({divided} AS DECIMAL(18, 2))", f"{name} is in hundredths: {said}")
        if odd := sorted(codes & _ODD_DECIMALS):
            draft.decide(
                f"columns.{target}", f"is {name} in hundredths of {', '.join(odd)}? Some count so, some do not",
                "yes: leave it so", f"no: {target} = {quoted(name)}", stands="divided by 100",
            )  # fmt: skip


def _currencies_of(draft: Draft, amount: str) -> set[str]:
    """The currencies that a column, or the name of the amount, says the amounts are in."""
    name = draft.columns.get("currency", "")
    if name in draft.looked.profile.names:
        return {word.upper() for word, _ in draft.looked.profile[name].words}
    return {word for word in re.split(r"[\W_]+", amount.upper()) if word in CURRENCIES}


def _money_of(name: str) -> list[str]:
    return [column.name for column in CONTRACTS[name] if column.kind == "money"]


def said_minor(name: str) -> bool:
    """Does a name say that the amount is in the smaller unit of its currency?"""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return any(word in _MINOR for word in re.split(r"[\W_\d]+", fold(apart)))


def _whole(forms: Forms) -> bool:
    return forms.rows > 0 and forms.numbers["whole"] >= 0.99 * forms.rows


def _numeric(name: str) -> list[str]:
    return [*(c.name for c in CONTRACTS[name] if c.kind in ("number", "money")), "unit_price"]


def _unclear(draft: Draft, name: str) -> bool:
    """Do numbers have a comma before three digits, and nothing says whether it is the decimal mark?"""
    if name not in draft.looked.profile.names:
        return False
    forms: Forms = draft.looked.profile[name].forms
    return forms.numbers["thousand or comma"] > 0 and not forms.numbers["point"] and not forms.numbers["comma"]


def _pointed(draft: Draft, name: str) -> bool:
    """Do all numbers with a point have three digits after it, at most three before, and no other sign of its use?"""
    if name not in draft.looked.profile.names or draft.looked.profile[name].kind != "VARCHAR":
        return False
    forms: Forms = draft.looked.profile[name].forms
    if not forms.numbers["thousand or point"] or forms.numbers["point"] or forms.numbers["comma"]:
        return False
    pointed = [one for one in forms.shapes if re.search(r"9\.999\D*$", one.shape)]
    nought = any(re.match(r"\D*0+\.", one.low) for one in pointed)  # 0.500 is no thousand
    long = any(re.search(r"9999", one.shape) for one in forms.shapes)  # 1500 has nothing that parts thousands
    return not nought and not long


def _days(con: duckdb.DuckDBPyConnection, draft: Draft, purchases: Draft) -> None:
    """Which part of 05/03/2017 is the day: what the values can only mean, what the purchases say, or a person."""
    days = {name: day for name, day in draft.written.days.items() if name in _sources(draft)}
    if not days:
        return
    name, found = max(days.items(), key=lambda item: item[1].rows)
    answer = draft.written.day_first
    if answer is not None:
        example = found.day_example if answer else found.month_example
        rows = found.only_day if answer else found.only_month
        said = (
            f"{count(rows, 'value')} of {name} such as {example} can be read in no other way"
            if rows
            else "as the other columns"
        )
        draft.keys["day_first"] = (answer, said)
        return
    if found.year_first:
        _ask_year(draft, name, found)
        return
    if found.only_day and found.only_month:
        _mixed(con, draft, name, found)
        return
    if all(draft.looked.profile[one].forms.only_dotted for one in days):
        draft.keys["day_first"] = (
            True,
            f"dates with points, such as {draft.looked.profile[name].example}, have it first",
        )
        return
    said = (
        f"the dates of {name} ({count(found.rows, 'value')}) can be read in two ways, day first from "
        f"{found.as_day[0]} to {found.as_day[1]}, or month first from {found.as_month[0]} to {found.as_month[1]}"
    )
    if found.ordered is not None:
        said += f"; only with the {'day' if found.ordered else 'month'} first do the rows lie in the order of time"
    own = purchases.keys.get("day_first") if draft is not purchases else None
    possible = ("day_first = true: 05/03/2017 is 5 March", "day_first = false: 05/03/2017 is May 3")
    if own:
        draft.keys["day_first"] = (own[0], "as in the purchases")
        draft.decide("day_first", said, *possible, stands="as in the purchases")
        return
    draft.decide("day_first", said, *possible)


def _ask_year(draft: Draft, name: str, found: DayFirst) -> None:
    """22/01/04 may be 4 January 2022 as well."""
    example, form = draft.looked.profile[name].forms.shapes[0].low, "%y/%m/%d"
    form = draft.written.formats.get(name, form)
    spans = [f"year first from {found.year_first[0]} to {found.year_first[1]}"] if found.year_first else []
    if not found.only_month:
        spans.append(f"day first from {found.as_day[0]} to {found.as_day[1]}")
    if not found.only_day:
        spans.append(f"month first from {found.as_month[0]} to {found.as_month[1]}")
    draft.decide(
        "date_format" if found.year_likely else "day_first",
        f"the dates of {name} ({count(found.rows, 'value')}) such as {example} can be read in several ways: "
        + ", ".join(spans),
        f"date_format = {quoted(form)}: the year comes first, and no day_first",
        *([] if found.only_month else ["day_first = true, and no date_format: the year comes last, the day first"]),
        *([] if found.only_day else ["day_first = false, and no date_format: the year comes last, the month first"]),
        stands="the first part has few values, as years have: year first" if found.year_likely else "",
    )


def _sources(draft: Draft) -> set[str]:
    """The columns of the source that the section or its query reads."""
    return {
        name for name in draft.looked.profile.names if name in draft.columns.values() or sql_name(name) in draft.query
    }


def _by_file(con: duckdb.DuckDBPyConnection, draft: Draft, name: str) -> bool:
    """Name the files of either manner, where each file has but one: only those of one can be read together."""
    looked = draft.looked
    columns = [str(row[0]) for row in con.execute(f"DESCRIBE {looked.profile.relation}").fetchall()]
    if FILE not in columns:
        return False
    first, second = (f"TRY_CAST(regexp_extract({sql_name(name)}, '{part}', 1) AS INTEGER)" for part in _PARTS)
    rows = con.execute(
        f"SELECT {sql_name(FILE)}, count(*) FILTER ({first} > 12), count(*) FILTER ({second} > 12) "
        f"FROM {looked.profile.relation} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    if len(rows) < 2 or any(bool(day) == bool(month) for _, day, month in rows):
        return False
    by_day = [str(file) for file, day, _ in rows if day]
    by_month = [str(file) for file, _, month in rows if month]
    draft.decide(
        "day_first",
        f"{name} has the day first in {', '.join(by_day)}, the month first in {', '.join(by_month)}: they cannot "
        "be read together",
        "a new export in which all files have one manner, and crm init anew",
        f"day_first = true, and only {', '.join(by_day)} in path",
        f"day_first = false, and only {', '.join(by_month)} in path",
    )
    return True


def _mixed(con: duckdb.DuckDBPyConnection, draft: Draft, name: str, found: DayFirst) -> None:
    if _by_file(con, draft, name):
        return
    day = found.only_day >= found.only_month
    more, fewer = max(found.only_day, found.only_month), min(found.only_day, found.only_month)
    said = (
        f"{count(found.only_day, 'value')} of {name} such as {found.day_example} can only be read day first, "
        f"{found.only_month:,} such as {found.month_example} only month first"
    )
    possible = ("day_first = true", "day_first = false", "a new export with one manner")
    if more >= _OVERWHELMING * fewer:
        draft.keys["day_first"] = (day, said)
        draft.decide("day_first", said, *possible, stands=f"{'day' if day else 'month'} first")
        return
    draft.decide("day_first", said, *possible)


def _formats(draft: Draft) -> None:
    """Formats that must be named: for the whole section where all its moments have one, else by a query."""
    formats = draft.written.formats
    table = draft.looked.profile
    for target, name in list(draft.columns.items()):
        if name in draft.written.months and target in _moments(draft.name):
            draft.make(
                target,
                plain_moment(table[name], draft.written),
                f"{name} has months in words, such as {table[name].example}",
            )
    if not formats:
        return
    moments = [t for t in draft.columns if t in _moments(draft.name) and draft.columns[t] in table.names]
    if {draft.columns[t] for t in moments} == set(formats) and len(set(formats.values())) == 1:
        named, said = next(iter(formats.items()))
        draft.keys["date_format"] = (said, f"such as {table[named].example}")
        return
    for target in moments:
        name = draft.columns[target]
        if form := formats.get(name):
            draft.make(target, plain_moment(table[name], draft.written), f"{name} is written as {form}")


def _moments(name: str) -> list[str]:
    return [column.name for column in CONTRACTS[name] if column.kind == "timestamp"]
