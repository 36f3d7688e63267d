"""Companies drawn as small tables, with a horizon of ten days unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from crm.facts import Facts

TEN_DAYS = "[definitions]\nactive_within_days = 10\ndefected_after_days = 10\n"


@pytest.fixture(scope="session")
def drawn(company: Callable[..., Facts], draw: Callable[[str], pd.DataFrame]) -> Callable[..., Facts]:
    """Facts of tables drawn as text, or given as frames."""

    def build(as_of: str, more: str = TEN_DAYS, **tables: pd.DataFrame | str) -> Facts:
        frames = {name: draw(table) if isinstance(table, str) else table for name, table in tables.items()}
        return company(frames, as_of, more)

    return build


@pytest.fixture(scope="session")
def bought() -> Callable[..., pd.DataFrame]:
    """Purchases of 10.00 each, of customers on days of January 2017 and later: bought(ann=[1, 5, 40])."""

    def build(**days: list[int]) -> pd.DataFrame:
        rows = [(who, day) for who, some in days.items() for day in some]
        return pd.DataFrame(
            {
                "customer_id": [who for who, _ in rows],
                "order_id": [f"{who}-{day}" for who, day in rows],
                "ordered_at": [pd.Timestamp("2017-01-01") + pd.Timedelta(days=day - 1, hours=12) for _, day in rows],
                "net_amount": 10.0,
                "product_id": "tea",
                "quantity": 1.0,
            }
        )

    return build
