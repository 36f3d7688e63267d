"""What a person is told on the screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from crm.proposal.company import Measured
from crm.proposal.draft import Decision
from crm.proposal.looking import Looked
from crm.proposal.sections import Content
from crm.proposal.told import count


def summary_of(content: Content, measured: Measured, decisions: Sequence[Decision], *, target: Path) -> Iterator[str]:
    """What was taken for what, what was left out, what is to be decided, which edit is needed, what to type next."""
    for draft in content.drafts:
        named = ", ".join(f"{canonical} = {column}" for canonical, column in draft.columns.items())
        checked = measured.checked.get(draft.name)
        kept = f", {checked.kept:,} kept" if checked else ""
        rows = count(checked.rows if checked else draft.looked.rows, "row")
        yield f"{draft.name}: from {draft.looked.name}, {rows}{kept} ({named})"
        yield from left_out(draft.looked)
    for one in content.unused:
        yield f"not used: {one.name}: {one.why}"
    for decision in decisions:
        stands = f" Meanwhile: {decision.stands}." if decision.stands else ""
        yield f"DECIDE {decision.key}: {decision.question}{'' if decision.question.endswith('?') else '.'}{stands}"
    yield _needed(decisions)
    yield f"Next: crm check{_named(target)}"


def left_out(looked: Looked) -> Iterator[str]:
    """Lines of the files that are no rows: titles, and blank ones."""
    titles = sum(dialect.titles for part in looked.parts if (dialect := part.raw.dialect))
    blank = sum(part.raw.blank for part in looked.parts)
    if titles:
        yield f"  {count(titles, 'line')} before the header of {looked.name} taken for titles and set aside"
    if blank:
        yield f"  {count(blank, 'blank row')} of {looked.name} left out"


def _needed(decisions: Sequence[Decision]) -> str:
    """What has to be done before it runs."""
    needed = list(dict.fromkeys(key.rpartition(".")[2] for one in decisions if one.needed for key in one.keys))
    looks = list(dict.fromkeys(one.key.rpartition(".")[2] for one in decisions if one.look))
    look = f"Look at {', '.join(looks)} before it runs: guessed, and perhaps wrong altogether."
    if not needed:
        marked = (
            f"{count(len(decisions), 'line')} marked DECIDE {'is' if len(decisions) == 1 else 'are'} worth a look."
        )
        if looks:
            return f"{look} {marked}"
        return f"It runs as it is. {marked}" if decisions else "It runs as it is."
    if len(needed) == 1:
        said = f"One edit is needed before it runs: {needed[0]}."
    else:
        said = f"{len(needed)} edits are needed before it runs: {', '.join(needed)}."
    return f"{said} {look}" if looks else said


def _named(target: Path) -> str:
    """The option that names the settings file, where it is not the one that is found by itself."""
    if target.absolute() == Path.cwd() / "crm.toml":
        return ""
    return f" --config {shlex.quote(str(target))}"
