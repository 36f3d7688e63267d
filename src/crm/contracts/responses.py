"""Responses: who answered."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="responses",
    one_row_is="one response",
    event="responded_at",
    unlocks="response rates, campaigns answered per customer",
    columns=(
        Column("campaign_id", "text", "the campaign answered", required=True),
        Column(
            "customer_id",
            "text",
            "who answered",
            required=True,
            dirt="people never contacted answer too; counted apart",
        ),
        Column("responded_at", "timestamp", "when", required=True),
    ),
)
