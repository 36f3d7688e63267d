"""The mart: every fact about customers, gathered in frames with a customer and a day number.

`open_mart(facts)` keeps the rollups under data/mart by the fingerprint of the source; `Mart(tables)` takes frames
directly, which is how worked examples are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crm.engine import Lazy, scan, write_parquet
from crm.facts import Facts
from crm.kept import code_fingerprint, keep_folder
from crm.mart.rollups import (
    UNKNOWN,
    customer_category_days,
    customer_days,
    customer_place_days,
    delivery_days,
)

_DIRECT = ("returns", "customers", "contacts", "responses", "service_cases", "visits", "subscriptions")
_ORDER = {
    "customer_days": ["customer_id", "day"],
    "customer_category_days": ["customer_id", "day", "department", "category"],
    "customer_place_days": ["customer_id", "day", "channel", "store_id"],
    "delivery_days": ["customer_id", "day", "late", "faulty"],
}


@dataclass(frozen=True)
class Mart:
    """Frames about customers, by name; each has `customer_id`, and `day` where it happened at a time.

    customer_days is always there; customer_category_days needs products, customer_place_days a channel or store,
    delivery_days deliveries; returns, customers, contacts, responses, service_cases, visits and subscriptions are the
    canonical tables themselves.
    """

    tables: Mapping[str, Lazy]
    fingerprint: str = ""
    folder: Path | None = None

    def has(self, table: str) -> bool:
        """Is this frame there?"""
        return table in self.tables

    def __getitem__(self, table: str) -> Lazy:
        return self.tables[table]


def open_mart(facts: Facts) -> Mart:
    """The mart of these facts, built if nobody has built it yet."""
    fingerprint = f"{facts.fingerprint}/{code_fingerprint('mart/rollups', 'mart/__init__', 'engine')}"
    folder = facts.settings.folders.data / "mart" / fingerprint
    rollups = keep_folder(folder / "rollups", lambda place: _write(facts, place=place))
    tables = {file.stem: scan(file) for file in sorted(rollups.glob("*.parquet"))}
    tables |= {name: facts[name] for name in _DIRECT if facts.has(name)}
    return Mart(tables, fingerprint=fingerprint, folder=folder)


def roll_up(tables: Mapping[str, Lazy]) -> dict[str, Lazy]:
    """The rollups that these canonical tables allow."""
    purchases, products = tables["purchases"], tables.get("products")
    rollups = {
        "customer_days": customer_days(purchases, products),
        "customer_place_days": customer_place_days(purchases),
    }
    if products is not None:
        rollups["customer_category_days"] = customer_category_days(purchases, products)
    if "deliveries" in tables:
        rollups["delivery_days"] = delivery_days(tables["deliveries"], purchases)
    return rollups


def _write(facts: Facts, *, place: Path) -> None:
    tables = {name: facts[name] for name in ("purchases", "products", "deliveries") if facts.has(name)}
    for name, frame in roll_up(tables).items():
        write_parquet(frame, place / f"{name}.parquet", order=_ORDER[name])


__all__ = ["UNKNOWN", "Mart", "open_mart", "roll_up"]
