"""Subscriptions: contracts of contractual businesses."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="subscriptions",
    one_row_is="one contract",
    event="started_at",
    unlocks="cancellation instead of silence, monthly fees",
    columns=(
        Column("customer_id", "text", "the contract's customer", required=True),
        Column("started_at", "timestamp", "first day", required=True),
        Column("ended_at", "timestamp", "first day without; empty: still running"),
        Column("plan", "text", "what was subscribed to"),
        Column("monthly_fee", "money", "fee per month", unit="currency per month"),
    ),
    rules=(Rule("ends before it starts", "ended_at < started_at", "its duration would be negative"),),
)
