"""The settings of the company: as-of date, definitions, zone, currency, budgets, from the rows that would be kept."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import duckdb

import crm
from crm.proposal.company import Measured, horizons, hours, returning
from crm.proposal.draft import Decision, Draft
from crm.proposal.manners import hold_back_unclear
from crm.proposal.sections import Company, Content
from crm.proposal.told import count, quoted, share

_BUDGET = 0.02  # of rows or money, for one reason; as [quality] has it by default
_MUCH_MONEY = 3.0  # times the share of rows, from which on a share of the money is no accident
_ANONYMOUS = "customer_id is missing"
_NOT_READ = (" is not a date", " is not a number", " is not an amount of money", " is not true or false")


def settle(con: duckdb.DuckDBPyConnection, content: Content, measured: Measured) -> None:
    """As-of date, definitions, zone, budgets: from the rows that are kept."""
    company = content.company
    hold_back_unclear(content.drafts)
    if measured.last is None or measured.first is None:
        company.decisions.append(
            Decision(
                "clock.as_of",
                "no purchase can be kept as the sections stand, so there is no newest one",
                ("the day after the newest purchase",),
            )
        )
        _say_budgets(content, measured)
        return
    if _year_undecided(content.drafts[0]):
        company.decisions.append(
            Decision(
                "clock.as_of",
                "the newest purchase is known once day_first or date_format is decided above",
                ("the day after the newest purchase",),
            )
        )
        company.horizons = horizons(returning(con, measured), history=(measured.last - measured.first).days + 1)
        _say_currency(content)
        _say_level(content)
        return
    company.as_of = measured.last + dt.timedelta(days=1)
    company.as_of_told = (
        f"the day after the newest purchase; the oldest is of {measured.first} "
        f"({count(measured.checked['purchases'].kept, 'line')} kept)"
    )
    _say_undecided_days(content)
    history = (measured.last - measured.first).days + 1
    company.horizons = horizons(returning(con, measured), history=history)
    if not company.horizons.sure:
        company.decisions.append(
            Decision(
                "definitions.active_within_days",
                "how long may an active customer stay away? The history is too short or too thin to tell",
                ("a number of days",),
                f"{company.horizons.active} days",
            )
        )
    _say_zone(con, content, measured)
    _say_currency(content)
    _say_level(content)
    _say_budgets(content, measured)


def _year_undecided(purchases: Draft) -> bool:
    """Might the year come first in 22/01/04, and nobody has said?"""
    days = purchases.written.days.values()
    return "day_first" not in purchases.keys and any(day.year_first and not day.year_likely for day in days)


def _say_undecided_days(content: Content) -> None:
    purchases = content.drafts[0]
    if purchases.written.days and "day_first" not in purchases.keys:
        content.company.as_of_told += "; with the day first, see day_first"


def _say_zone(con: duckdb.DuckDBPyConnection, content: Content, measured: Measured) -> None:
    company, found = content.company, hours(con, measured)
    purchases = content.drafts[0]
    if not found.timed:
        company.timezone_told = "in which a day of trade is cut; these dates carry no time, so no zone moves them"
        return
    begin, end = found.quiet
    hour = f"hardly anybody buys from {begin}:00 to {end}:00, most from {found.busiest}:00 on"
    if (end - begin) % 24 < 3:
        hour = "no hours of the night stand out"
    elif found.sleeps_by_day:
        hour += ", which is an odd time to sleep: perhaps they are recorded in the zone of a server, such as UTC"
    if purchases.written.zoned:
        question = (
            "in which zone is a day of trade cut? The moments name their own zone and are turned into it; in UTC "
            f"{hour}"
        )
    else:
        question = (
            "in which zone is the trade? The moments name no zone and are taken as the trade's own time, so their "
            f"days stay as they are (if they were recorded in another, add recorded_in to the tables); {hour}"
        )
    company.decisions.append(
        Decision(
            "source.timezone", question, ('timezone = "Europe/London"', "another, such as America/New_York"), "UTC"
        )
    )


def _say_currency(content: Content) -> None:
    company = content.company
    found = company.currency
    if found and found.several:
        lines = sum(rows for _, rows in found.several)
        said = ", ".join(f"{code} {rows:,} or {share(rows / lines)}" for code, rows in found.several[:5])
        company.decisions.append(
            Decision(
                "money.currency",
                f"there are amounts in several currencies ({said} lines), and only one can be added up",
                (
                    f"currency = {quoted(found.code)}: lines in the others are set aside",
                    f"currency = {quoted(found.several[1][0])}, or another: the same the other way round, with its "
                    "reason in accepted_reasons",
                ),
                found.code,
            )
        )
    elif found and not found.sure:
        company.decisions.append(
            Decision(
                "money.currency",
                "in which currency are the amounts?",
                ('currency = "EUR"', 'currency = "USD"'),
                f"{found.code}, which only labels them",
            )
        )
    company.decisions.append(
        Decision(
            "money.gross_margin",
            "which share of net sales is left after the cost of the goods?",
            ("gross_margin = 0.25",),
            "0.25, an assumption",
        )
    )


def _say_level(content: Content) -> None:
    products = next((draft for draft in content.drafts if draft.name == "products"), None)
    given = products.columns if products else {}
    company = content.company
    company.level = next((level for level in ("category", "department") if level in given), "product")
    company.level_told = "the grouping by which cross-sell thinks" + (
        "" if products else "; there is no table of products"
    )


def _say_budgets(content: Content, measured: Measured) -> None:
    """A wider budget for the reasons that are in the nature of the data; the rest is for a person."""
    company = content.company
    for name, checked in measured.checked.items():
        total = float(checked.tally["money"].abs().sum()) if checked.contract.money else 0.0
        own = {reason for draft in content.drafts if draft.name == name for _, reason, _ in draft.aside}
        undecided = any(one.needed and one.key == f"source.tables.{name}.day_first" for one in _decided(content))
        for row in checked.reasons.to_dict("records"):
            if undecided and str(row["outcome"]).endswith(" is not a date"):
                continue  # as the day first was only tried
            money = abs(float(row["money"])) / total if total else 0.0
            part = max(row["rows"] / checked.rows, money)
            if part > _BUDGET and row["outcome"] in own:
                company.accepted[str(row["outcome"])] = (_rounded(part), "asked about at the query above")
            elif part > _BUDGET:
                _accept(company, name, str(row["outcome"]), int(row["rows"]), checked.rows, money)


def _decided(content: Content) -> Iterator[Decision]:
    for draft in content.drafts:
        yield from draft.decisions


def _accept(company: Company, table: str, reason: str, rows: int, of: int, money: float) -> None:
    """Accept what lies in the nature of the data; what cannot be read, is most of it, or is few rows with much of the
    money (a line of totals), is for a person to mend."""
    part, few = max(rows / of, money), money > _BUDGET and money > _MUCH_MONEY * rows / of
    said = f"{count(rows, 'row')} of {of:,} of {table} ({share(rows / of)})"
    said += f" with {share(money)} of the money" if few else ""
    if reason == f"the amount is not in {company.currency.code if company.currency else ''}":
        company.accepted[reason] = (_rounded(part), f"{said}: see [money] currency")
        return
    if few or reason.endswith(_NOT_READ) or part > 0.9 or (part > 0.5 and reason != _ANONYMOUS):
        company.decisions.append(
            Decision(
                "quality.accepted_reasons",
                f"{said} would be set aside because {reason}: more than a run allows",
                (
                    "crm check shows them, and what mends them; to go on without them: accepted_reasons = "
                    + "{"
                    + f"{quoted(reason)} = {_rounded(part)}"
                    + "}",
                ),
            )
        )
        return
    rounded = _rounded(part)
    before = company.accepted.get(reason, (0.0, ""))[0]
    company.accepted[reason] = (max(before, rounded), f"{said} are set aside for it")
    if reason.startswith("the row "):  # repeated rows: decided where repeated_rows is
        return
    counted = "their money counts in the totals, but in no customer's history"
    company.decisions.append(
        Decision(
            "quality.accepted_reasons",
            f"may {said} be set aside because {reason}? Then "
            + (counted if reason == _ANONYMOUS else "they count nowhere"),
            ("leave it so", "mend the export, and take the line away"),
            f"up to {share(rounded)} are accepted",
        )
    )


def _rounded(part: float) -> float:
    """A share a little larger, in steps of a twentieth."""
    return min(1.0, math.ceil(part * 20 + 0.1) / 20)


def settle_notebooks(company: Company, home: Path) -> None:
    """The folder of notebooks beside the settings file, else the project's own."""
    own = Path(crm.__file__).resolve().parents[2] / "notebooks"
    if (home / "notebooks").is_dir():
        return
    if own.is_dir():
        company.notebooks, company.notebooks_told = str(own), "the project's own"
        return
    company.decisions.append(
        Decision(
            "folders.notebooks",
            f"where are the notebooks? There is no folder {home / 'notebooks'}, and none beside the package",
            ("the folder notebooks of the project",),
        )
    )
