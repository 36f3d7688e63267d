"""Customers: who they are."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="customers",
    one_row_is="one customer",
    key=("customer_id",),
    event="joined_at",
    attributes=True,
    unlocks="attributes beside behaviour, registered people who never bought",
    columns=(
        Column("customer_id", "text", "the customer", required=True),
        Column(
            "joined_at",
            "timestamp",
            "when they became known to the company",
            dirt="empty for many: the first purchase stands in",
        ),
    ),
)
