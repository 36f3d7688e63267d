"""Campaigns: what was planned to be said to whom."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="campaigns",
    one_row_is="one campaign",
    key=("campaign_id",),
    event="starts_at",
    unlocks="campaigns in features and, with contacts, what they achieved",
    columns=(
        Column("campaign_id", "text", "the campaign", required=True),
        Column("starts_at", "timestamp", "first day", required=True),
        Column("ends_at", "timestamp", "last day", required=True, dirt="in the future for running campaigns"),
        Column("name", "text", "what it is called"),
        Column("kind", "text", "its type"),
        Column("channel", "text", "through which it was sent"),
        Column("contact_cost", "money", "cost of one contact", unit="currency"),
        Column("held_out_share", "number", "planned share of the chosen who are left alone, from 0 to 1"),
        Column("programme", "text", "the programme it belongs to; an action list that was sent brings its own"),
        Column("expected_gain", "money", "margin it was expected to add in all, before costs", unit="currency"),
    ),
    rules=(
        Rule("ends before it starts", "ends_at < starts_at", "its window would be empty"),
        Rule(
            "held_out_share is not from 0 to 1",
            "held_out_share < 0 OR held_out_share > 1",
            "a share of people lies between nobody and everybody",
        ),
    ),
)
