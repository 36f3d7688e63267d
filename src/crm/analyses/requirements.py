"""What a report needs, and what would let it say more.

Each report analysis has its `REQUIREMENTS`. It refuses thin data by them before it does anything, and whoever asks
beforehand reads the very same: `thin(REQUIREMENTS, measure_base(facts, as_of))`, `absent(REQUIREMENTS, facts)`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from crm.engine import to_pandas
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.finding import Finding
from crm.periods import day_number, known_before

Measured = Literal[
    "customers",
    "repeat_customers",
    "purchase_days",
    "history_days",
    "active_customers",
    "campaigns",
    "programmes",
]
"""What is counted before the as-of date; see `measure_base`."""


@dataclass(frozen=True)
class Minimum:
    """Without it the analysis is impossible. because: why, as the end of a sentence."""

    what: Measured
    at_least: int
    because: str


@dataclass(frozen=True)
class Addition:
    """A table, or a column of a table, that adds something. adds: what would be said with it, as a noun."""

    table: str
    column: str | None
    adds: str

    @property
    def name(self) -> str:
        """The table, or the column behind its table: "products.department"."""
        return self.table if self.column is None else f"{self.table}.{self.column}"


@dataclass(frozen=True)
class Requirements:
    """What one report needs, and what would let it say more.

    notebook: its name, such as "01_customer_base".     question: the one it answers.
    minima:   without any of them it is impossible.     additions: what would be said with more data.
    """

    notebook: str
    question: str
    minima: tuple[Minimum, ...]
    additions: tuple[Addition, ...]

    def addition(self, name: str) -> Addition:
        """The addition of this name, such as "plan" or "products.department"."""
        return next(addition for addition in self.additions if addition.name == name)


@dataclass(frozen=True)
class _Words:
    """A measure in words: of one, of several, and what to deliver more of; `{}` is the number."""

    one: str
    several: str
    one_more: str
    several_more: str

    def count(self, number: int) -> str:
        return (self.one if number == 1 else self.several).format(f"{number:,}")

    def more(self, number: int) -> str:
        return (self.one_more if number == 1 else self.several_more).format(f"{number:,}")


_WORDS: Mapping[str, _Words] = {
    "customers": _Words(
        "{} customer", "{} customers", "purchases of {} more customer", "purchases of {} more customers"
    ),
    "repeat_customers": _Words(
        "{} customer who bought on two days or more",
        "{} customers who bought on two days or more",
        "a second purchase day of {} more customer",
        "a second purchase day of {} more customers",
    ),
    "purchase_days": _Words(
        "{} day with purchases", "{} days with purchases", "purchases of {} more day", "purchases of {} more days"
    ),
    "history_days": _Words(
        "{} day of history", "{} days of history", "{} more day of history", "{} more days of history"
    ),
    "active_customers": _Words(
        "{} active customer",
        "{} active customers",
        "recent purchases of {} more customer",
        "recent purchases of {} more customers",
    ),
    "campaigns": _Words(
        "{} campaign with contacts",
        "{} campaigns with contacts",
        "{} campaign to the table campaigns, and whom it chose to the table contacts",
        "{} campaigns to the table campaigns, and whom they chose to the table contacts",
    ),
    "programmes": _Words(
        "{} programme in crm.toml",
        "{} programmes in crm.toml",
        "{} section [programmes.NAME] to crm.toml (docs/action-lists.md)",
        "{} sections [programmes.NAME] to crm.toml (docs/action-lists.md)",
    ),
}


def in_words(what: Measured, number: int) -> str:
    """A measured number in words: "1 customer", "2,469 customers"."""
    return _WORDS[what].count(number)


def measure_base(facts: Facts, as_of: dt.date) -> dict[str, int]:
    """How much there is to go by before `as_of`, read in one query.

    customers: with a purchase.     repeat_customers: with purchases on two days or more.
    purchase_days: different days with purchases.     history_days: from the first purchase to the as-of date.
    active_customers: with a purchase within the days of [definitions] active_within_days.
    campaigns: that had begun, and chose somebody.     programmes: sections [programmes.NAME] of crm.toml.
    """
    cut, within = day_number(as_of), facts.settings.definitions.active_within_days
    known = known_before(facts["purchases"], as_of).select("customer_id", nw.col("day").cast(nw.Int64))
    each = known.group_by("customer_id").agg(nw.col("day").min().alias("first"), nw.col("day").max().alias("newest"))
    counted = each.select(
        customers=nw.len(),
        repeat_customers=_how_many(nw.col("newest") > nw.col("first")),
        history_days=nw.lit(cut) - nw.col("first").min(),
        active_customers=_how_many(nw.col("newest") >= cut - within),
    )
    counted = counted.join(known.select(purchase_days=nw.col("day").n_unique()), how="cross")
    row = to_pandas(counted).fillna(0).to_dict("records")[0] | _besides(facts, as_of)
    return {what: int(row[what]) for what in _WORDS}


def _besides(facts: Facts, as_of: dt.date) -> dict[str, int]:
    """What is not counted among purchases."""
    return {"campaigns": _campaigns(facts, as_of), "programmes": len(facts.settings.programmes)}


def _campaigns(facts: Facts, as_of: dt.date) -> int:
    """Campaigns that had begun before `as_of` and chose somebody."""
    if not (facts.has("campaigns") and facts.has("contacts")):
        return 0
    begun = known_before(facts["campaigns"], as_of).select("campaign_id")
    chose = facts["contacts"].select("campaign_id").unique()
    return int(to_pandas(begun.join(chose, on="campaign_id", how="inner").select(nw.len().alias("n")))["n"].iloc[0])


def thin(requirements: Requirements, measured: Mapping[str, int]) -> list[Minimum]:
    """The minima that are not met."""
    return [minimum for minimum in requirements.minima if measured[minimum.what] < minimum.at_least]


def refuse_thin(requirements: Requirements, facts: Facts, as_of: dt.date) -> dict[str, int]:
    """What was measured. Raises NotEnoughData, with the figures, where a minimum is not met."""
    measured = measure_base(facts, as_of)
    if unmet := thin(requirements, measured):
        raise not_enough(unmet, measured, as_of, more_later=facts.last_day >= day_number(as_of))
    return measured


def not_enough(
    unmet: Sequence[Minimum], measured: Mapping[str, int], as_of: dt.date, *, more_later: bool = False
) -> NotEnoughData:
    """The error that says which minima are not met, by how much, and the smallest addition that would do.

    more_later: the data hold purchases on or after `as_of`, so that a later date may do as well.
    """
    needs = ", and ".join(f"{in_words(one.what, one.at_least)}, because {one.because}" for one in unmet)
    found = " and ".join(in_words(one.what, measured[one.what]) for one in unmet)
    add = " and ".join(_WORDS[one.what].more(one.at_least - measured[one.what]) for one in unmet)
    later = ", or choose a later as-of date" if more_later else ""
    return NotEnoughData(
        f"This report needs at least {needs}.", found=f"{found} before {as_of}", do=f"Add {add}{later}."
    )


def absent(requirements: Requirements, facts: Facts) -> tuple[Addition, ...]:
    """The additions that the data do not hold: no row of the table, or no value in the column."""
    there = _there(requirements, facts)
    return tuple(addition for addition in requirements.additions if addition.name not in there)


def _there(requirements: Requirements, facts: Facts) -> set[str]:
    """The names of tables with rows, and of columns with a value, among those asked for."""
    names = set()
    for table in {addition.table for addition in requirements.additions if facts.has(addition.table)}:
        columns = sorted({one.column for one in requirements.additions if one.table == table and one.column})
        counts = to_pandas(facts[table].select(nw.len().alias("rows"), *(nw.col(name).count() for name in columns)))
        names |= {table, *(f"{table}.{name}" for name in columns if counts[name].iloc[0])}
    return names


def left_out(additions: Iterable[Addition], *, what: str = "") -> str:
    """The one line that says what is left out for want of these, and what would add it.

    what: what is left out, where that is not simply what each of them adds.
    """
    several = list(additions)
    what = what or listed([one.adds for one in several])
    return f"Left out: {what}. It takes {_where(several)}, which the data do not have."


def not_there(additions: Iterable[Addition], as_of: dt.date) -> Finding | None:
    """One finding about all that is left out for want of data; None where nothing is."""
    left = "; ".join(f"{one.adds} ({one.name})" for one in additions)
    return Finding("not_there", "Left out for want of data: {left_out}.", {"left_out": left}, as_of) if left else None


def _where(additions: Sequence[Addition]) -> str:
    """Their tables and columns: "the columns department and category of the table products"."""
    columns: dict[str, list[str]] = {}
    for one in additions:
        columns.setdefault(one.table, []).extend([one.column] if one.column else [])
    return listed([_of_table(table, names) for table, names in columns.items()])


def _of_table(table: str, columns: Sequence[str]) -> str:
    if not columns:
        return f"the table {table}"
    return f"the column{'s' if len(columns) > 1 else ''} {listed(columns)} of the table {table}"


def listed(words: Sequence[str]) -> str:
    """Words joined as in a sentence, each once: "a, b and c"."""
    once = list(dict.fromkeys(words))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def counted(field: str, count: float, one: str, several: str = "") -> str:
    """A number's field with its noun, for a finding's template: "{customers:,} customers"."""
    return f"{{{field}:,}} {one if count == 1 else several or one + 's'}"


def _how_many(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1).otherwise(0).sum()
