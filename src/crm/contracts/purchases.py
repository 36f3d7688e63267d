"""Purchases: what was bought, when, by whom, for how much."""

from crm.contracts.table import Column, Contract, Rule

CONTRACT = Contract(
    table="purchases",
    one_row_is="one order line",
    required=True,
    event="ordered_at",
    money="net_amount",
    unlocks="everything: without purchases nothing runs",
    columns=(
        Column(
            "customer_id",
            "text",
            "who bought",
            required=True,
            dirt="missing for anonymous sales: the line is set aside, its money shown in the totals",
        ),
        Column(
            "order_id",
            "text",
            "the order, basket or receipt the line belongs to",
            required=True,
            dirt="reused across years or tills by some systems",
        ),
        Column(
            "ordered_at",
            "timestamp",
            "when the order was placed",
            required=True,
            dirt="often UTC while the trade has its own day; sometimes a placeholder such as 1900-01-01",
        ),
        Column(
            "net_amount",
            "money",
            "money received for the line, after discounts",
            required=True,
            unit="currency",
            dirt="negative for cancellations: such lines become returns",
        ),
        Column("product_id", "text", "what was bought", dirt="service lines (postage, deposits) among products"),
        Column(
            "quantity",
            "number",
            "how much was bought",
            unit="pieces, or the product's own unit",
            dirt="zero for void lines; weights and volumes among pieces",
        ),
        Column(
            "discount_amount",
            "money",
            "taken off the list price at the company's cost (list price = net_amount + discount_amount)",
            unit="currency",
            dirt="recorded as negative by some systems",
        ),
        Column(
            "coupon_amount",
            "money",
            "value of the coupons handed in with the line, whoever bears it",
            unit="currency",
            dirt="a manufacturer's coupon is paid back, so it lowers no revenue",
        ),
        Column("channel", "text", "how it was bought: store, web, phone"),
        Column("store_id", "text", "where it was bought"),
    ),
    rules=(
        Rule(
            "nothing was sold: quantity and amount are zero",
            "quantity = 0 AND net_amount = 0",
            "a void line is no purchase and must not make a purchase day",
        ),
        Rule(
            "quantity is negative but the amount is not: a sale or a return?",
            "quantity < 0 AND net_amount >= 0",
            "a cancellation takes money back; which of the two is wrong cannot be seen from the line",
        ),
    ),
)
