"""What is told of tables that are none of the canonical ones: which they come nearest to, and what they lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crm.contracts import CONTRACTS
from crm.errors import RequestError
from crm.proposal.choosing import LIKELY_TABLE, lacking, reading
from crm.proposal.looking import Looked, Looking, Unused


def not_chosen(rest: Sequence[Looked]) -> Iterator[Unused]:
    for looked in rest:
        yield Unused(looked.name, _nearest(looked))


def _nearest(looked: Looked) -> str:
    """The canonical table a table comes nearest to, and what it lacks for it."""
    if not looked.rows:
        return "it has no rows"
    readings = [reading(looked, name) for name in CONTRACTS]
    full = [one for one in readings if one.likeness >= LIKELY_TABLE]
    if full:
        best = max(full, key=lambda one: one.likeness)
        return f"it is most like {best.name}"
    near = max(readings, key=lambda one: (len(one.columns) - 2 * len(lacking(one.columns, one.name)), one.name))
    if not near.columns:
        return "none of its columns is like a canonical one: " + ", ".join(looked.profile.names[:6])
    lacks = lacking(near.columns, near.name)
    if not lacks:
        return f"it is most like {near.name}, but not enough to be told apart"
    return f"it is most like {near.name}, but has nothing for {', '.join(lacks)}"


def nothing_usable(looking: Looking) -> RequestError:
    """What was looked for, and what each table lacks for it."""
    found = [
        f"{one.name} ({', '.join(one.profile.names[:12])}): {_lacks_purchases(one)}" for one in looking.tables[:5]
    ]
    found += [f"{one.name}: {one.why}" for one in looking.unused[:5]]
    return RequestError(
        "There must be purchases: who bought, when, and for how much (an amount, or a quantity and a price).",
        found="; ".join(found) or "no files",
        do="Name the file with the orders or their lines; if it is among these, say in a crm.toml of your own which "
        "column is which (docs/your-own-data.md).",
    )


_WORDS = {
    "customer_id": "who bought",
    "ordered_at": "when (a date)",
    "net_amount": "the amount",
}


def _lacks_purchases(looked: Looked) -> str:
    """What a table lacks to be the purchases, and what it is most like instead."""
    if not looked.rows:
        return "no rows"
    lacks = [_WORDS[one] for one in lacking(reading(looked, "purchases").columns, "purchases")]
    nearest = _nearest(looked)
    if not lacks:
        return nearest
    told = f"; {nearest}" if "not enough" not in nearest and "most like purchases" not in nearest else ""
    return f"nothing for {', '.join(lacks)}{told}"
