"""Consents: what a customer allows."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="consents",
    one_row_is="one decision of a customer about a channel and purpose",
    event="recorded_at",
    unlocks="whom we may contact, and through which channel",
    columns=(
        Column("customer_id", "text", "who decided", required=True),
        Column("channel", "text", "email, mail, phone, ...", required=True),
        Column("purpose", "text", "what the contact would be for", required=True),
        Column("granted", "boolean", "allowed or refused", required=True),
        Column("recorded_at", "timestamp", "when the decision was made; the newest counts", required=True),
        Column("expires_at", "timestamp", "when it lapses; empty: never"),
    ),
)
