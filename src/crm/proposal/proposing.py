"""From paths to a settings file: look, choose, draft, read with the draft, measure, write."""

from __future__ import annotations

import contextlib
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crm.contracts import CONTRACTS
from crm.engine import database_on_disk
from crm.errors import RequestError
from crm.proposal.accounts import settle_addresses
from crm.proposal.companions import companions
from crm.proposal.company import Measured, currency
from crm.proposal.draft import Decision, Draft
from crm.proposal.evidence import say_evidence
from crm.proposal.finding import find_tables
from crm.proposal.looking import Looking, Unused, look_at_files
from crm.proposal.looking_database import is_database, look_at_database
from crm.proposal.manners import say_how_written
from crm.proposal.matching import BY_VALUES
from crm.proposal.nearest import not_chosen, nothing_usable
from crm.proposal.others import draft_other, leave_out_the_personal, meet, say_unused
from crm.proposal.purchases import draft_purchases
from crm.proposal.sections import Company, Content, write
from crm.proposal.settling import settle, settle_notebooks
from crm.proposal.summary import summary_of
from crm.proposal.told import count
from crm.proposal.trial import try_out, without_refused
from crm.proposal.written import examine_writing

_TO_LOOK_AT = {"customer_id", "ordered_at", "net_amount", "unit_price"}


@dataclass(frozen=True)
class Proposal:
    """A settings file for somebody's data.

    toml:      its text.   summary: what to know of it, a line each, for the screen.
    decisions: what the data do not say.
    """

    toml: str
    summary: tuple[str, ...]
    decisions: tuple[Decision, ...]


def propose(paths: Sequence[str], *, target: Path) -> Proposal:
    """Look at every row of what lies at `paths`, and propose the settings file `target` for it.

    paths: CSV, Parquet or Excel files, folders of them, a DuckDB file, or postgresql://user@host/name.
    Raises RequestError when no purchases can be found in them, SettingsError where a path leads nowhere.
    """
    home = target.absolute().parent.resolve()
    with tempfile.TemporaryDirectory(prefix="crm-init-") as folder, _database(Path(folder)) as con:
        place = Path(folder)
        looking = _look(con, paths, home=home, place=place)
        drafts, unused = _drafts(con, looking)
        company = Company()
        settle_notebooks(company, home)
        company.currency = currency(drafts[0])
        content = Content(home, _told(looking), _database_path(looking, home), drafts, unused, company)
        measured = try_out(con, content, place=place / "read")
        content = without_refused(content, measured)
        if "purchases" in measured.checked:
            settle(con, content, measured)
        return _proposal(content, measured, target)


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database on disk to look with, so that a table may be larger than memory."""
    with contextlib.closing(database_on_disk(folder / "looking.duckdb")) as con:
        yield con


def _look(con: duckdb.DuckDBPyConnection, paths: Sequence[str], *, home: Path, place: Path) -> Looking:
    here = Path.cwd()
    databases = [path for path in paths if is_database(path, here)]
    if not databases:
        return look_at_files(con, paths, here=here, place=place)
    if len(paths) > 1:
        raise RequestError(
            "crm init looks at files, or at one database.",
            found=f"{len(databases)} of {count(len(paths), 'path')} lead to a database",
            do="Name the database alone, or the files alone; a settings file reads one source.",
        )
    database = databases[0]
    if "://" not in database:
        database = str((here / Path(database).expanduser()).resolve())
    return look_at_database(con, database, home=home, place=place)


def _database_path(looking: Looking, home: Path) -> str:
    file = Path(looking.database)
    inside = looking.database and "://" not in looking.database and file.is_relative_to(home)
    return file.relative_to(home).as_posix() if inside else looking.database


def _told(looking: Looking) -> str:
    if looking.database:
        return f"{count(len(looking.tables), 'table')} of the database"
    names = [one.name for one in looking.tables]
    return ", ".join(names[:3]) + (f" and {count(len(names) - 3, 'more table')}" if len(names) > 3 else "")


def _drafts(con: duckdb.DuckDBPyConnection, looking: Looking) -> tuple[list[Draft], list[Unused]]:
    """The sections of all canonical tables found, purchases first; and what was not used."""
    found = find_tables(con, looking.tables)
    if not any(one.matched.name == "purchases" for one in found.chosen):
        raise nothing_usable(looking)
    drafts = []
    for one in found.chosen:
        written = examine_writing(con, one.looked.profile, one.matched)
        draft = Draft(one.matched.name, one.looked, one.matched, written)
        if one.matched.name == "purchases":
            draft.around, draft.why = found.query, list(found.why)
            draft_purchases(con, draft)
            if one.matched.likeness == BY_VALUES:
                _say_guessed(draft)
        else:
            draft_other(draft)
        drafts.append(draft)
    meet(con, drafts)
    settle_addresses(con, drafts)
    for draft in drafts:
        leave_out_the_personal(draft)
    drafts += companions(con, drafts)
    for draft in drafts:
        say_how_written(con, draft, drafts[0])
        say_evidence(con, draft)
        say_unused(draft, drafts)
    for draft in drafts:
        draft.spell_out()
    order = list(CONTRACTS)
    drafts.sort(key=lambda draft: order.index(draft.name))
    return drafts, [*looking.unused, *not_chosen(found.rest)]


def _say_guessed(draft: Draft) -> None:
    """What was taken for what by its values alone: a person has to look before anything runs."""
    guessed = [t for t, m in draft.matched.columns.items() if m.sure <= BY_VALUES and t in draft.columns]
    if not guessed:
        return
    named = [f"{t} = {draft.columns[t]}" for t in guessed]
    draft.decide(
        "columns",
        "the names of the columns do not say what they are; by how their values behave: " + ", ".join(named),
        "they are right: take this mark away",
        "correct the columns below",
        stands="as their values behave",
        look=bool(_TO_LOOK_AT & set(guessed)),
    )


def _proposal(content: Content, measured: Measured, target: Path) -> Proposal:
    text = write(content)
    tomllib.loads(text)  # what is written can be read
    decisions = (*(one for draft in content.drafts for one in draft.decisions), *content.company.decisions)
    return Proposal(text, tuple(summary_of(content, measured, decisions, target=target)), decisions)
