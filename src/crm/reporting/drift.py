"""Are the customers of today like those a model was fitted on? The most moved of its columns, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crm.reporting.left_out import LeftOut
from crm.reporting.tables import Table, show_table

if TYPE_CHECKING:
    from crm.review.drift import Drift

_MOST = 5


def show_drift(drift: Drift | None, *, about: str = "") -> Table | LeftOut | None:
    """The stability of the columns; None where nothing scores. about: what a row of them is, as a sentence."""
    if drift is None:
        return None
    said = f"{drift.sentence[:1].upper()}{drift.sentence[1:]}."
    rows = drift.features.head(_MOST)
    if not drift.known or rows.empty:
        return LeftOut(said)
    table = rows.assign(
        column=rows["feature"].str.replace("_", " "), moved=rows["moved"].map({True: "yes", False: ""})
    )
    return show_table(
        table[["column", "psi", "by_chance", "moved"]].rename(columns={"psi": "stability_index"}),
        caption="Today beside those it was fitted on",
        formats={"stability_index": ".3f", "by_chance": ".3f"},
        notes=f"{' '.join(filter(None, (said, about)))} Population stability index: below 0.1 is little, from 0.25 a "
        f"column counts as moved if it is beyond chance. The {len(rows)} most moved of {len(drift.features)}.",
    )


__all__ = ["show_drift"]
