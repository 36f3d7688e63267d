"""Plan: what management expected."""

from crm.contracts.table import Column, Contract

CONTRACT = Contract(
    table="plan",
    one_row_is="one target",
    key=("period_start", "metric"),
    unlocks="actual against plan",
    columns=(
        Column("period_start", "timestamp", "first day of the month the target is for", required=True),
        Column("metric", "text", "net_sales, orders or customers", required=True),
        Column("target", "number", "the target", required=True, unit="the metric's"),
    ),
)
