"""Contracts: what one row of each canonical table means, its types, units and known dirt.

One file per table. A row that breaks its contract is set aside with its reason, never lost and never silently
mended: money in = money kept + money set aside, to the cent.
"""

from crm.contracts import (
    campaigns,
    consents,
    contacts,
    customers,
    deliveries,
    plan,
    products,
    purchases,
    responses,
    returns,
    service_cases,
    subscriptions,
    visits,
)
from crm.contracts.table import Column, Contract, Rule

CONTRACTS: dict[str, Contract] = {
    module.CONTRACT.table: module.CONTRACT
    for module in (
        purchases,
        returns,
        products,
        customers,
        consents,
        campaigns,
        contacts,
        responses,
        service_cases,
        deliveries,
        visits,
        subscriptions,
        plan,
    )
}

__all__ = ["CONTRACTS", "Column", "Contract", "Rule"]
