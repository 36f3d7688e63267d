"""Active at the end = active at the start + new + won back - lapsed, and each equals a plain count of customers."""

import datetime as dt

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.analyses.customer_base.movement import active_customers, events_by_day, movement
from crm.analyses.customer_base.sales import sales_by_month

AS_OF = dt.date(2018, 1, 15)
purchases = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "cat"]), st.integers(0, 200)), min_size=1, max_size=40, unique=True
)


def counted(table, date, within):
    """Active on a date, by looking at each customer."""
    cut = pd.Timestamp(date)
    recent = (table["ordered_at"] < cut) & (table["ordered_at"] >= cut - pd.Timedelta(days=within))
    return table.loc[recent, "customer_id"].nunique()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=purchases, within=st.integers(1, 70))
def test_movement_adds_up(mart_of, drawn, within):
    table = pd.DataFrame(
        {
            "customer_id": [who for who, _ in drawn],
            "order_id": [f"o{i}" for i in range(len(drawn))],
            "ordered_at": [pd.Timestamp("2017-07-01") + pd.Timedelta(days=day) for _, day in drawn],
            "net_amount": 1.0,
        }
    )
    table = table[table["ordered_at"] < pd.Timestamp(AS_OF)]
    if table.empty:
        return
    mart = mart_of("duckdb", purchases=table)
    months = sales_by_month(mart, AS_OF)
    moves = movement(mart, AS_OF, months=months, active_within_days=within)
    assert (
        moves["active_at_end"] == moves["active_at_start"] + moves["new"] + moves["won_back"] - moves["lapsed"]
    ).all()
    for row in moves.itertuples():
        end = min(row.starts_at.replace(day=28) + dt.timedelta(days=4), AS_OF)
        end = min(end.replace(day=1) if end != AS_OF else end, AS_OF)
        assert row.active_at_start == counted(table, row.starts_at, within)
        assert row.active_at_end == counted(table, end, within)
    assert moves["new"].sum() == table["customer_id"].nunique()
    events = events_by_day(mart, AS_OF, active_within_days=within)
    assert active_customers(events, AS_OF) == counted(table, AS_OF, within)
