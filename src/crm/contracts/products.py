"""Products: what can be bought."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="products",
    one_row_is="one product",
    key=("product_id",),
    unlocks="categories and departments: what customers buy, cross-sell, what sets a segment apart",
    columns=(
        Column("product_id", "text", "the product", required=True),
        Column("name", "text", "what it is called", dirt="HTML, quotes and emoji occur; escaped wherever shown"),
        Column("department", "text", "the widest grouping", dirt="empty for some; shown as (unknown)"),
        Column("category", "text", "the grouping people buy by", dirt="empty for some; shown as (unknown)"),
        Column("brand", "text", "the brand or brand type"),
        Column(
            "margin_rate",
            "number",
            "margin as a share of net sales",
            unit="share, 0 to 1",
            dirt="absent in most exports: [money] gross_margin stands in",
        ),
    ),
)
