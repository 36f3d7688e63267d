"""Contacts: who was chosen for which campaign."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="contacts",
    one_row_is="one customer chosen for one campaign",
    key=("campaign_id", "customer_id", "arm"),
    event="contacted_at",
    unlocks="campaigns received per customer; with responses, who answers",
    columns=(
        Column("campaign_id", "text", "the campaign", required=True),
        Column("customer_id", "text", "the customer chosen", required=True),
        Column("contacted_at", "timestamp", "when; empty: the campaign's first day stands in"),
        Column(
            "arm",
            "text",
            "treated or held_out where drawn by lot; empty: not randomised",
            dirt="one customer in both arms; left out of the campaign",
        ),
    ),
    rules=(
        Rule(
            "arm is neither treated nor held_out",
            "arm IS NOT NULL AND arm NOT IN ('treated', 'held_out')",
            "an unknown arm can be neither compared nor counted",
        ),
    ),
)
