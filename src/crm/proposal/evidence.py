"""What is known of each column taken, as it stands behind it in the settings file."""

from __future__ import annotations

import duckdb

from crm.proposal.draft import Draft
from crm.proposal.others import different
from crm.proposal.told import count, share

_THINGS = {"customer_id": "customer", "order_id": "order", "product_id": "product", "campaign_id": "campaign"}


def say_evidence(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """How many customers, orders, products there are; how dates are written; how much is empty."""
    table = draft.looked.profile
    for target, name in draft.columns.items():
        if name not in table.names:
            continue
        column, said = table[name], []
        if target in draft.evidence:
            said.append(draft.evidence[target])
        elif target in _THINGS:
            said.append(count(different(con, table, name), _THINGS[target]))
        elif column.is_date and column.kind == "VARCHAR":
            said.append(f"such as {column.forms.shapes[0].low}")
        if column.empty_share > 0 and not draft.around:
            said.append(f"empty in {share(column.empty_share)} of the rows")
        draft.evidence[target] = "; ".join(said)
