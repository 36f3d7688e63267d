"""Service cases: when customers needed help."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="service_cases",
    one_row_is="one case",
    key=("case_id",),
    event="opened_at",
    unlocks="open cases and satisfaction: the best customers treated worst",
    columns=(
        Column("case_id", "text", "the case", required=True),
        Column("customer_id", "text", "whose case", required=True),
        Column("opened_at", "timestamp", "when it was opened", required=True),
        Column("closed_at", "timestamp", "when it was closed; empty: still open"),
        Column("channel", "text", "through which it came"),
        Column("topic", "text", "what it was about"),
        Column(
            "satisfaction",
            "number",
            "the customer's mark",
            unit="1 (bad) to 5 (good)",
            dirt="asked of few, answered by fewer",
        ),
    ),
    rules=(Rule("closed before it was opened", "closed_at < opened_at", "its duration would be negative"),),
)
