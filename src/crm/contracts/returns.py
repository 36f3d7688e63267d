"""Returns: what came back or was cancelled."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="returns",
    one_row_is="one line sent back or cancelled",
    event="returned_at",
    money="amount",
    unlocks="net of returns, heavy returners, segments that cost more than they bring",
    columns=(
        Column(
            "customer_id",
            "text",
            "who sent it back",
            required=True,
            dirt="missing for anonymous sales: the line is set aside, its money shown in the totals",
        ),
        Column("returned_at", "timestamp", "when it came back", required=True),
        Column(
            "amount",
            "money",
            "money given back, a positive number",
            required=True,
            unit="currency",
            dirt="recorded as negative by some systems: such rows are set aside, map the column with its sign turned",
        ),
        Column("order_id", "text", "the order it belonged to", dirt="often the credit note's own number instead"),
        Column("product_id", "text", "what came back"),
        Column("quantity", "number", "how much came back", unit="pieces"),
        Column("reason", "text", "why", dirt="free text, mostly empty"),
    ),
    rules=(Rule("amount is negative", "amount < 0", "money given back is a positive number"),),
)
