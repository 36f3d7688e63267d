"""What a person is told on the screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from crm.proposal.company import Measured
from crm.proposal.draft import Decision
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
    for one in content.unused:
        yield f"not used: {one.name}: {one.why}"
    for decision in decisions:
        stands = f" Meanwhile: {decision.stands}." if decision.stands else ""
        yield f"DECIDE {decision.key}: {decision.question}{'' if decision.question.endswith('?') else '.'}{stands}"
    yield _needed(decisions)
    yield f"Next: crm check{_named(target)}"


def _needed(decisions: Sequence[Decision]) -> str:
    needed = list(dict.fromkeys(one.key.rpartition(".")[2] for one in decisions if one.needed))
    if not needed:
        marked = (
            f"{count(len(decisions), 'line')} marked DECIDE {'is' if len(decisions) == 1 else 'are'} worth a look."
        )
        return f"It runs as it is. {marked}" if decisions else "It runs as it is."
    if len(needed) == 1:
        return f"One edit is needed before it runs: {needed[0]}."
    return f"{len(needed)} edits are needed before it runs: {', '.join(needed)}."


def _named(target: Path) -> str:
    """The option that names the settings file, where it is not the one that is found by itself."""
    if target.absolute() == Path.cwd() / "crm.toml":
        return ""
    return f" --config {shlex.quote(str(target))}"
