"""Visits: web visits of known customers."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="visits",
    one_row_is="one web visit",
    event="visited_at",
    unlocks="interest between purchases",
    columns=(
        Column("customer_id", "text", "who visited", required=True),
        Column("visited_at", "timestamp", "when", required=True),
        Column("source", "text", "where the visit came from"),
        Column("pages", "number", "pages seen", unit="pages"),
        Column("converted", "boolean", "the visit ended in an order"),
    ),
)
