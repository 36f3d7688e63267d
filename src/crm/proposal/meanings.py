"""How canonical columns and tables are called elsewhere: which meanings a name should have, and how sure that makes.

`likeness("KdNr", "purchases", "customer_id")` is 1 for a perfect name, 0 for one that says nothing of the kind. A
name with further meanings ("customer order no" for a customer) is less like it; what stands last counts most.
"""

from __future__ import annotations

import functools

from crm.proposal.words import meanings_of

Patterns = dict[str, float]

_CUSTOMER: Patterns = {
    "customer id": 1.0,
    "customer": 0.9,
    "customer email": 0.62,
    "email": 0.55,
    "customer name": 0.3,
}
_CUSTOMER_ROW = _CUSTOMER | {"id": 0.6}
_ORDER: Patterns = {"order id": 1.0, "order": 0.85, "order name": 0.5, "id": 0.35}
_PRODUCT: Patterns = {"product id": 1.0, "product": 0.8, "product name": 0.5, "line name": 0.4, "description": 0.3}
_CAMPAIGN: Patterns = {"campaign id": 1.0, "campaign": 0.9, "campaign name": 0.7}
_AMOUNT: Patterns = {
    "net amount": 1.0,
    "line net amount": 1.0,
    "line amount": 0.98,
    "line net price": 0.9,
    "amount": 0.85,
    "order amount": 0.8,
    "net": 0.7,
    "order net amount": 0.85,
    "gross amount": 0.6,
    "line gross amount": 0.7,
    "gross": 0.5,
    "net price": 0.5,
    "amount price": 0.75,
    "paid": 0.6,
    "paid amount": 0.95,
    "paid price": 0.6,
    "price": 0.35,
}
_UNIT_PRICE: Patterns = {
    "unit price": 1.0,
    "unit net price": 1.0,
    "product price": 0.9,
    "line price": 0.85,
    "price": 0.75,
    "quantity price": 0.9,
    "net price": 0.75,
    "unit amount": 0.7,
    "product cost": 0.45,
    "list_price price": 0.3,
}
_CHANNEL: Patterns = {"channel": 1.0, "order channel": 0.95, "source": 0.4, "channel kind": 0.9}


def _moment(what: str, *, bare: float, created: float = 0.0) -> Patterns:
    """Names of the moment at which something happened: "order date", "ordered at", and so on."""
    named = {f"{what} date": 1.0, f"{what} time": 1.0, f"{what} date time": 1.0, what: 0.8}
    if bare:
        named |= {"date": bare, "date time": bare, "time": bare * 0.8}
    if created:
        named |= {"created date": created, "created time": created, "created": created * 0.9}
    return named


PATTERNS: dict[str, dict[str, Patterns]] = {
    "purchases": {
        "customer_id": _CUSTOMER | {"id": 0.15},
        "order_id": _ORDER | {"name": 0.15},
        "ordered_at": _moment("order", bare=0.85, created=0.75) | {"paid date": 0.6, "paid time": 0.6, "order": 0.3},
        "net_amount": _AMOUNT,
        "unit_price": _UNIT_PRICE,
        "product_id": _PRODUCT,
        "quantity": {
            "quantity": 1.0,
            "order quantity": 1.0,
            "line quantity": 1.0,
            "product quantity": 1.0,
            "unit quantity": 0.9,
        },
        "discount_amount": {"discount amount": 1.0, "discount": 0.9, "line discount": 0.95, "discount price": 0.6},
        "coupon_amount": {"coupon amount": 1.0, "coupon discount": 1.0, "coupon": 0.7},
        "channel": _CHANNEL,
        "store_id": {"store id": 1.0, "store": 0.9, "store name": 0.7},
        "currency": {"currency": 1.0, "order currency": 0.9, "currency id": 1.0},
    },
    "returns": {
        "customer_id": _CUSTOMER,
        "returned_at": _moment("returned", bare=0.6, created=0.5) | _moment("refund", bare=0.6),
        "amount": _AMOUNT | {"refund amount": 1.0, "refund": 0.8, "returned amount": 1.0, "refund amount net": 1.0},
        "order_id": _ORDER | {"returned id": 0.3},
        "product_id": _PRODUCT,
        "quantity": {"quantity": 1.0, "returned quantity": 1.0, "product quantity": 0.9},
        "reason": {"reason": 1.0, "returned reason": 1.0, "reason description": 0.9, "refund reason": 1.0},
        "unit_price": _UNIT_PRICE,
        "currency": {"currency": 1.0, "currency id": 1.0},
    },
    "products": {
        "product_id": _PRODUCT | {"id": 0.6, "product": 0.6, "product name": 0.2, "variant id": 0.3, "name": 0.1},
        "name": {
            "product name": 1.0,
            "name": 0.9,
            "product description": 0.9,
            "description": 0.85,
            "line name": 0.9,
            "product": 0.65,
            "product kind": 0.5,
        },
        "department": {
            "department": 1.0,
            "product department": 1.0,
            "department name": 0.95,
            "department description": 0.9,
        },
        "category": {
            "category": 1.0,
            "product category": 1.0,
            "product category name": 1.0,
            "category name": 1.0,
            "category description": 0.9,
            "product kind": 0.75,
            "kind": 0.4,
        },
        "brand": {
            "brand": 1.0,
            "product brand": 1.0,
            "brand name": 0.95,
            "brand kind": 0.8,
            "maker": 0.65,
            "maker name": 0.7,
        },
        "margin_rate": {
            "margin percent": 1.0,
            "margin": 0.7,
            "product margin": 0.7,
            "gross margin": 0.7,
            "gross margin percent": 1.0,
        },
    },
    "customers": {
        "customer_id": _CUSTOMER_ROW,
        "joined_at": _moment("joined", bare=0.3, created=0.7)
        | {"customer joined": 1.0, "customer date": 0.5, "customer created": 0.9, "start date": 0.4},
    },
    "consents": {
        "customer_id": _CUSTOMER,
        "channel": _CHANNEL | {"consent channel": 1.0, "email": 0.2},
        "purpose": {"purpose": 1.0, "consent purpose": 1.0, "consent kind": 0.6, "topic": 0.5, "kind": 0.3},
        "granted": {"consent": 0.9, "consent status": 0.95, "status": 0.5, "consent amount": 0.6},
        "recorded_at": _moment("consent", bare=0.8, created=0.7) | {"changed date": 0.6, "changed time": 0.6},
        "expires_at": _moment("expires", bare=0),
    },
    "campaigns": {
        "campaign_id": _CAMPAIGN | {"id": 0.6, "campaign name": 0.4},
        "starts_at": _moment("start", bare=0.3) | {"campaign start": 1.0, "sent date": 0.6, "sent time": 0.6},
        "ends_at": _moment("end", bare=0) | {"campaign end": 1.0},
        "name": {"campaign name": 1.0, "name": 0.9, "description": 0.7, "topic": 0.5, "campaign": 0.3},
        "kind": {"kind": 1.0, "campaign kind": 1.0, "category": 0.5},
        "channel": _CHANNEL | {"campaign channel": 1.0},
        "contact_cost": {"cost": 0.8, "sent cost": 1.0, "unit cost": 0.9, "price": 0.3},
    },
    "contacts": {
        "campaign_id": _CAMPAIGN,
        "customer_id": _CUSTOMER,
        "contacted_at": _moment("sent", bare=0.7, created=0.4) | {"campaign date": 0.7},
        "arm": {"arm": 1.0, "arm id": 0.7, "campaign arm": 1.0},
    },
    "responses": {
        "campaign_id": _CAMPAIGN,
        "customer_id": _CUSTOMER,
        "responded_at": _moment("clicked", bare=0.6, created=0.5) | {"converted date": 0.7, "converted time": 0.7},
    },
    "service_cases": {
        "case_id": {"case id": 1.0, "case": 0.8, "id": 0.4},
        "customer_id": _CUSTOMER,
        "opened_at": _moment("opened", bare=0.7, created=0.9) | {"case date": 0.8, "case created": 0.95},
        "closed_at": _moment("closed", bare=0),
        "channel": _CHANNEL,
        "topic": {"topic": 1.0, "category": 0.7, "reason": 0.7, "case kind": 0.8, "kind": 0.5},
        "satisfaction": {"satisfaction": 1.0, "satisfaction id": 0.6, "case satisfaction": 1.0},
    },
    "deliveries": {
        "order_id": _ORDER,
        "promised_at": _moment("promised", bare=0)
        | {"promised delivered": 0.95, "promised delivered date": 1.0, "order promised delivered date": 1.0},
        "delivered_at": _moment("delivered", bare=0.4)
        | {"order delivered customer date": 1.0, "order delivered date": 0.95, "sent date": 0.3},
        "complete": {"complete": 1.0, "delivered complete": 1.0},
        "undamaged": {"undamaged": 1.0},
        "documented": {"documented": 1.0},
    },
    "visits": {
        "customer_id": _CUSTOMER,
        "visited_at": _moment("visit", bare=0.5, created=0.4) | {"visit start": 0.9, "visit start time": 0.95},
        "source": {"source": 1.0, "visit source": 1.0, "channel": 0.7, "source channel": 0.9},
        "pages": {"pages": 1.0, "pages quantity": 1.0, "visit pages": 1.0},
        "converted": {"converted": 1.0, "visit converted": 1.0},
    },
    "subscriptions": {
        "customer_id": _CUSTOMER,
        "started_at": _moment("start", bare=0.3, created=0.5) | {"subscription start": 1.0},
        "ended_at": _moment("end", bare=0) | {"subscription end": 1.0},
        "plan": {"plan": 1.0, "subscription name": 0.7, "product": 0.5, "subscription kind": 0.8},
        "monthly_fee": {"fee": 1.0, "fee amount": 1.0, "fee price": 1.0, "price": 0.6, "amount": 0.5},
    },
    "plan": {
        "period_start": {"period": 1.0, "period start": 1.0, "date": 0.5, "period date": 1.0},
        "metric": {"metric": 1.0, "metric name": 1.0, "name": 0.3},
        "target": {"target": 1.0, "amount": 0.5, "target amount": 1.0},
    },
}
"""Per canonical table and column: the meanings of a fitting name, in order, and how sure such a name makes."""

TABLES: dict[str, tuple[str, ...]] = {
    "purchases": ("order", "line"),
    "returns": ("returned", "refund"),
    "products": ("product",),
    "customers": ("customer",),
    "consents": ("consent",),
    "campaigns": ("campaign",),
    "contacts": ("sent",),
    "responses": ("clicked", "opened"),
    "service_cases": ("case",),
    "deliveries": ("delivered",),
    "visits": ("visit",),
    "subscriptions": ("subscription",),
    "plan": ("target",),
}
"""What a file or sheet of the table tends to be called."""

_FURTHER = 0.22  # a further meaning that the canonical column has not
_SLIGHT = 0.05  # ... one that says little
_SHARE = 0.8  # a percentage where an amount is wanted
_UNKNOWN = 0.12  # a word that nobody knows
_LAST = 0.03  # the last word is the pattern's own
_SAYS_LITTLE = {"line", "order", "table", "id", "unit", "created", "date", "time", "money"}


@functools.cache
def likeness(name: str, table: str, column: str) -> float:
    """How much a column's name is like those that a canonical column bears elsewhere, from 0 to 1."""
    if fits_exactly(name, column):
        return 1.0
    said = meanings_of(name)
    return max((_fit(said, tuple(p.split())) * sure for p, sure in PATTERNS[table][column].items()), default=0.0)


def fits_exactly(name: str, column: str) -> bool:
    """Is it the canonical name itself?"""
    return name.strip().casefold() == column


def _fit(said: tuple[frozenset[str], ...], wanted: tuple[str, ...]) -> float:
    if not said or any(not any(w in word for word in said) for w in wanted):
        return 0.0
    further = [word for word in said if not word & set(wanted)]
    lost = sum(map(_lost, further))
    last = _LAST if said[-1] & set(wanted) else 0.0
    return max(0.0, min(1.0, 1.0 - lost + last))


def _lost(word: frozenset[str]) -> float:
    """What a word that the canonical column has not takes from the likeness."""
    if not word:
        return _UNKNOWN
    if "percent" in word:
        return _SHARE
    return _SLIGHT if word & _SAYS_LITTLE else _FURTHER


def table_likeness(name: str, table: str) -> float:
    """How much the name of a file or sheet says that it holds this table, from 0 to 1."""
    said = [word for word in meanings_of(name) if word]
    if not said:
        return 0.0
    wanted = set(TABLES[table])
    met = [word for word in said if word & wanted]
    return min(1.0, 0.6 * bool(met) + 0.4 * len(met) / len(said)) if met else 0.0
