"""The sections of crm.toml, with their comments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm.contracts import CONTRACTS
from crm.proposal import toml
from crm.proposal.company import Currency, Horizons
from crm.proposal.draft import Decision, Draft
from crm.proposal.looking import Looked, Unused, common_pattern
from crm.proposal.told import count

_INT = int
Lines = Iterator[str]


@dataclass
class Company:
    """What the settings say beside the tables, each with its evidence.

    accepted: reason: the share that may be set aside, and why.
    """

    as_of: dt.date = dt.date(2000, 1, 1)
    as_of_told: str = ""
    timezone: str = "UTC"
    timezone_told: str = ""
    horizons: Horizons | None = None
    level: str = "category"
    level_told: str = ""
    currency: Currency | None = None
    accepted: dict[str, tuple[float, str]] = field(default_factory=dict)
    notebooks: str = "notebooks"
    notebooks_told: str = ""
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True)
class Content:
    """Everything that is written."""

    home: Path
    told: str
    database: str
    drafts: Sequence[Draft]
    unused: Sequence[Unused]
    company: Company


def write(content: Content) -> str:
    """The text of crm.toml."""
    company = content.company
    lines = [
        *toml.remark(
            f"Proposed by `crm init` after reading every row of {content.told}. What is sure stands here with its "
            "evidence; what a person has to decide is marked DECIDE. Paths are relative to this file; an unknown key "
            "is refused with the nearest known one. Next: crm check"
        ),
        "",
        "[source]",
        *_source(content),
    ]
    for draft in content.drafts:
        lines += ["", *_table(draft, content)]
    lines += ["", *_not_used(content)] if content.unused else []
    for part in (_clock, _definitions, _money, _quality, _folders, _rest):
        lines += ["", *part(company)]
    return "\n".join(lines) + "\n"


def _decisions(decisions: Sequence[Decision], key: str) -> Lines:
    for one in decisions:
        if one.key == key:
            stands = f" Meanwhile: {one.stands}." if one.stands else " Nothing runs before that."
            stands += " Look before it runs." if one.look else ""
            yield from toml.remark(
                f"{one.question}{'' if one.question.endswith('?') else '.'}{stands}", mark="DECIDE: "
            )
            for possibility in one.possibilities:
                yield f"#   {toml.clean(possibility)}"


def _source(content: Content) -> Lines:
    yield from toml.pair("kind", toml.value("database" if content.database else "files"))
    if content.database:
        yield from toml.pair(
            "database",
            toml.value(content.database),
            "the password comes from CRM_DATABASE_PASSWORD" if "://" in content.database else "",
        )
    yield from _decisions(content.company.decisions, "source.timezone")
    yield from toml.pair("timezone", toml.value(content.company.timezone), content.company.timezone_told)


def _table(draft: Draft, content: Content) -> Lines:
    name, looked = draft.name, draft.looked
    yield f"[source.tables.{name}]"
    yield from toml.remark(
        f"One row is {CONTRACTS[name].one_row_is}. From {looked.name}: {count(looked.rows, 'row')}."
    )
    for said in draft.remarks:
        yield from toml.remark(said)
    yield from _where(draft, content)
    yield from _decisions(draft.decisions, f"source.tables.{name}.query")
    if draft.query:
        for why in draft.reasons:
            yield from toml.remark(why)
        yield f"query = {toml.query(draft.query)}"
    keys = {decision.key.rpartition(".")[2] for decision in draft.decisions} - {"query", "constants", "columns"}
    keys -= {*CONTRACTS[name].required_columns, *(c.name for c in CONTRACTS[name]), "unit_price"}
    for key in sorted(keys - draft.keys.keys()):
        yield from _decisions(draft.decisions, f"source.tables.{name}.{key}")
        yield f"# {key} = …"
    for key, (one, why) in draft.keys.items():
        yield from _decisions(draft.decisions, f"source.tables.{name}.{key}")
        yield from toml.pair(key, toml.value(one), why)
    if draft.constants:
        yield from _decisions(draft.decisions, f"source.tables.{name}.constants")
        yield from toml.pair("constants", toml.value(draft.constants))
    yield from _columns(draft)


def _where(draft: Draft, content: Content) -> Lines:
    if content.database:
        if not draft.query:
            yield from toml.pair("table", toml.value(draft.looked.table))
        return
    paths = paths_of(draft.looked, content.home)
    told = "next month's file is read as well" if len(paths) == 1 and "*" in paths[0] else ""
    yield from toml.pair("path", toml.value(paths[0] if len(paths) == 1 else paths), told)
    if draft.looked.sheet:
        yield from toml.pair("sheet", toml.value(draft.looked.sheet))


def paths_of(looked: Looked, home: Path) -> list[str]:
    """The paths of a table's files: a pattern where one finds exactly these."""
    pattern = "" if looked.joined else common_pattern(looked.files)
    if pattern:
        return [toml.shown_path(looked.files[0].parent / pattern, home)]
    return [toml.shown_path(file, home) for file in looked.files]


def _columns(draft: Draft) -> Lines:
    name = draft.name
    known = {column.name: column.meaning for column in CONTRACTS[name]}
    order = [*known, "unit_price", "currency"]
    yield ""
    yield f"[source.tables.{name}.columns]"
    yield from _decisions(draft.decisions, f"source.tables.{name}.columns")
    for target in sorted(draft.columns, key=order.index):
        yield from _decisions(draft.decisions, f"source.tables.{name}.columns.{target}")
        yield from toml.pair(
            target, toml.value(source_of(draft, draft.columns[target])), draft.evidence.get(target, "")
        )
    given = {*draft.columns, *draft.constants} | (
        {"net_amount", "amount"} if "unit_price" in draft.columns else set()
    )
    yield from toml.hints((target, meaning) for target, meaning in known.items() if target not in given)
    for column, why in draft.unused.items():
        yield from toml.remark(f"not used: {column}: {why}")


def source_of(draft: Draft, column: str) -> str | int:
    """How crm.toml names a column: by its position where it has no name, or one that stands twice."""
    looked = draft.looked
    if column not in looked.profile.names or (draft.query and looked.header):
        return column
    doubled = {name for raw in looked.raw for name in raw.doubled}
    unnamed = not looked.header
    return looked.profile[column].position if unnamed or column in doubled else column


def _not_used(content: Content) -> Lines:
    for one in content.unused:
        yield from toml.remark(f"not used: {one.name}: {one.why}")


def _clock(company: Company) -> Lines:
    yield "[clock]"
    yield from _decisions(company.decisions, "clock.as_of")
    yield from toml.pair("as_of", company.as_of.isoformat(), company.as_of_told)


def _definitions(company: Company) -> Lines:
    found = company.horizons
    yield "[definitions]"
    if found is None:
        return
    yield from _decisions(company.decisions, "definitions.active_within_days")
    yield from toml.remark(f"An active customer bought within these days before the as-of date: {found.told}.")
    yield f"active_within_days = {found.active}"
    yield from toml.pair("defected_after_days", str(found.active), "... and defected by buying nothing in the next")
    yield from toml.pair("value_horizon_days", str(found.further), "in proportion")
    yield from toml.pair("cross_sell_horizon_days", str(found.active))
    yield from toml.pair("migration_days", str(found.further), "how far back the migration matrix looks")
    yield from toml.pair("cross_sell_level", toml.value(company.level), company.level_told)


def _money(company: Company) -> Lines:
    yield "[money]"
    if company.currency:
        yield from _decisions(company.decisions, "money.currency")
        yield from toml.pair("currency", toml.value(company.currency.code), company.currency.told)
    yield from _decisions(company.decisions, "money.gross_margin")
    yield from toml.pair("gross_margin", "0.25", "share of net sales; an assumption, shown wherever it is used")
    yield from toml.pair("yearly_discount_rate", "0.10")
    yield from toml.pair("contact_cost", "{email = 0.01, mail = 0.60, phone = 4.00}", "of one contact, by channel")


def _quality(company: Company) -> Lines:
    yield "[quality]"
    yield from toml.pair("most_rows_set_aside", "0.02", "per table and reason; beyond it a run stops")
    yield "most_money_set_aside = 0.02"
    yield from _decisions(company.decisions, "quality.accepted_reasons")
    for reason, (_, why) in company.accepted.items():
        if not any(reason in one.question for one in company.decisions):
            yield from toml.remark(f"{reason}: {why}")
    if company.accepted:
        shares = {reason: part for reason, (part, _) in company.accepted.items()}
        yield f"accepted_reasons = {toml.value(shares)}"


def _folders(company: Company) -> Lines:
    yield "[folders]"
    yield from toml.pair("notebooks", toml.value(company.notebooks), company.notebooks_told)


def _rest(company: Company) -> Lines:
    del company
    yield "[tracking]"
    yield from toml.pair("uri", toml.value("sqlite:///mlruns/mlflow.db"), "MLFLOW_TRACKING_URI overrides")
    yield ""
    yield "[runs]"
    yield from toml.pair("jobs", "2", "notebooks executed at the same time")
    yield from toml.pair("keep", "10", "runs kept under reports/runs, beside the published one")
    yield from toml.pair("minutes_per_notebook", "30", "after which a notebook counts as failed")
