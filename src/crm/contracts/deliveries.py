"""Deliveries: what was promised and what arrived."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="deliveries",
    one_row_is="one delivery",
    event="delivered_at",
    unlocks="late and damaged deliveries as a cause of defection",
    columns=(
        Column("order_id", "text", "the order delivered", required=True),
        Column("promised_at", "timestamp", "when it was promised"),
        Column("delivered_at", "timestamp", "when it arrived; empty: not yet"),
        Column("complete", "boolean", "nothing was missing"),
        Column("undamaged", "boolean", "nothing was broken"),
        Column("documented", "boolean", "the papers were right"),
    ),
)
