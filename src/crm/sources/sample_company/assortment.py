"""What the sample company sells: 12 departments, 60 categories, about a thousand products in three price tiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ArrowArray,
    Floats,
    Ints,
    coded,
    numbered,
    table_of,
)
from crm.sources.sample_company.story import PRICE_RISE, trait

# department: margin rate, then its categories with their typical price of a standard product
SOLD: dict[str, tuple[float, dict[str, float]]] = {
    "groceries": (0.22, {"bakery": 3, "dairy": 3, "fruit and vegetables": 4, "frozen food": 5, "breakfast": 4}),
    "drinks": (0.25, {"soft drinks": 3, "coffee and tea": 7, "juice": 3, "beer": 8, "water": 2}),
    "wine and delicatessen": (
        0.35,
        {"red wine": 12, "white wine": 11, "sparkling wine": 18, "cheese": 7, "delicatessen": 9},
    ),
    "household": (
        0.24,
        {"detergents": 8, "paper goods": 5, "cleaning tools": 9, "kitchenware": 16, "storage": 12},
    ),
    "baby and kids": (0.20, {"diapers": 14, "baby food": 4, "toys": 17, "kids clothing": 15, "school supplies": 6}),
    "beauty": (0.45, {"skin care": 14, "make-up": 12, "fragrance": 38, "hair care": 7, "grooming": 9}),
    "health": (0.40, {"vitamins": 11, "first aid": 6, "dental care": 4, "sports nutrition": 19, "eye care": 9}),
    "fashion": (
        0.48,
        {"womens clothing": 36, "mens clothing": 38, "shoes": 52, "bags": 44, "underwear": 14},
    ),
    "electronics": (
        0.18,
        {"audio": 59, "phone accessories": 16, "computer accessories": 29, "small appliances": 49, "batteries": 7},
    ),
    "home and living": (0.38, {"bedding": 34, "lamps": 29, "decoration": 15, "furniture": 89, "curtains": 27}),
    "garden and pets": (0.30, {"plants": 9, "garden tools": 22, "dog food": 16, "cat food": 13, "barbecue": 32}),
    "leisure": (0.33, {"books": 13, "games": 27, "sports gear": 34, "craft supplies": 11, "travel": 42}),
}
DEPARTMENTS = tuple(SOLD)
CATEGORIES = tuple(category for _, categories in SOLD.values() for category in categories)
DEPARTMENT_OF = np.repeat(np.arange(len(SOLD)), [len(categories) for _, categories in SOLD.values()])
TYPICAL_PRICE = np.array([price for _, categories in SOLD.values() for price in categories.values()], dtype=float)

# bought together: who buys the first puts the second into the same order with this chance
COMPLEMENTS: tuple[tuple[str, str, float], ...] = (
    ("diapers", "baby food", 0.40),
    ("red wine", "cheese", 0.35),
    ("womens clothing", "shoes", 0.20),
    ("audio", "batteries", 0.35),
    ("make-up", "skin care", 0.30),
    ("barbecue", "beer", 0.35),
)
PRICES_ROSE = ("dairy", "coffee and tea", "detergents", "paper goods", "soft drinks", "mens clothing", "audio")

TIERS = ("economy", "standard", "premium")
TIER_PRICE = np.array([0.65, 1.0, 1.9])
FEWEST_PER_TIER, MOST_PER_TIER = 4, 7  # products of one category and tier
POPULARITY = 1.7  # products of a shelf are drawn at position size * u ** POPULARITY
QUALITIES = ("Simple", "Classic", "Fine")
BRANDS = ("Hausmarke", "Alder", "Brightwell", "Corso", "Dunmore", "Elmfield", "Fjord", "Gallant", "Heron", "Ivory")
TASTE_SPREAD = 1.3  # standard deviation of the log of a customer's own taste for a category


@dataclass(frozen=True)
class Assortment:
    """Products grouped into shelves; shelf = category * 3 + tier.

    price:      list price in cents before the price rise, by product; `raised` the same from the price rise on.
    first:      position of a shelf's first product; `size` the shelf's number of products.
    mean_price: expected list price in cents by segment and category, before and after the rise (2 x 6 x 60).
    """

    price: Ints
    raised: Ints
    first: Ints
    size: Ints
    margin_rate: Floats
    brand: Ints
    mean_price: Floats

    @property
    def shelf(self) -> Ints:
        """The shelf of each product."""
        return np.repeat(np.arange(len(self.size)), self.size)

    @property
    def category(self) -> Ints:
        """The category of each product."""
        return self.shelf // len(TIERS)


def draw_assortment(rng: np.random.Generator) -> Assortment:
    """Products with their prices, drawn by the seed alone: the same for any number of customers."""
    shelves = len(CATEGORIES) * len(TIERS)
    size = rng.integers(FEWEST_PER_TIER, MOST_PER_TIER + 1, shelves)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    shelf = np.repeat(np.arange(shelves), size)
    category, tier = shelf // len(TIERS), shelf % len(TIERS)
    euros = TYPICAL_PRICE[category] * TIER_PRICE[tier] * np.exp(0.18 * rng.standard_normal(len(shelf)))
    price = _ending_in_nine(euros)
    rose = np.isin(category, category_codes(PRICES_ROSE))
    raised = np.where(rose, _ending_in_nine(price * (1 + PRICE_RISE) / 100), price)
    margin = np.array([margin for margin, _ in SOLD.values()])[DEPARTMENT_OF[category]]
    margin_rate = np.round(margin + 0.05 * (tier - 1) + rng.uniform(-0.03, 0.03, len(shelf)), 3)
    brand = np.where(tier == 0, 0, rng.integers(1, len(BRANDS), len(shelf)))
    mean_price = np.stack([_mean_price(prices, first, size) for prices in (price, raised)])
    return Assortment(price, raised, first, size, margin_rate, brand, mean_price)


def category_codes(names: tuple[str, ...]) -> Ints:
    """Positions of these categories in `CATEGORIES`."""
    return np.array([CATEGORIES.index(name) for name in names])


def typical_tastes() -> Floats:
    """Shares of lines by segment and category (6 x 60), before complements. Rows sum to 1."""
    departments = trait("departments")
    within = departments[:, DEPARTMENT_OF] / np.bincount(DEPARTMENT_OF)[DEPARTMENT_OF]
    return np.asarray(within / within.sum(axis=1, keepdims=True))


def tastes(rng: np.random.Generator, segment: Ints) -> Floats:
    """Each customer's shares of lines by category: the segment's, bent by an own taste. Rows sum to 1."""
    own = np.exp(TASTE_SPREAD * rng.standard_normal((len(segment), len(CATEGORIES)), dtype=np.float32))
    own *= typical_tastes().astype(np.float32)[segment]
    own /= own.sum(axis=1, keepdims=True)
    return np.asarray(own)


def with_complements(affinity: Floats) -> Floats:
    """Expected lines by category for each line drawn by taste: the tastes and the complements they bring."""
    lines = np.array(affinity)
    for first, second, chance in COMPLEMENTS:
        lines[:, CATEGORIES.index(second)] += chance * affinity[:, CATEGORIES.index(first)]
    return np.asarray(lines)


def share_of_risen_prices(affinity: Floats) -> Floats:
    """Share of a customer's lines in the categories whose prices rose."""
    return np.asarray(affinity[:, category_codes(PRICES_ROSE)].sum(axis=1))


def choose_products(rng: np.random.Generator, assortment: Assortment, category: Ints, tier: Ints) -> Ints:
    """A product of each line's shelf, the shelf's first ones most often."""
    shelf = category * len(TIERS) + tier
    position = assortment.size[shelf] * rng.random(len(shelf)) ** POPULARITY
    return np.asarray(assortment.first[shelf] + position.astype(np.int64))


def products_table(assortment: Assortment) -> pa.Table:
    """The canonical table products."""
    shelf = assortment.shelf
    category, tier = assortment.category, shelf % len(TIERS)
    number = np.arange(len(shelf))
    names = [
        f"{QUALITIES[t]} {CATEGORIES[c]} {n - assortment.first[s] + 1}"
        for n, t, c, s in zip(number.tolist(), tier, category, shelf, strict=True)
    ]
    return table_of(
        {
            "product_id": product_ids(len(number)),
            "name": pa.array(names, pa.string()),
            "department": coded(DEPARTMENT_OF[category], DEPARTMENTS),
            "category": coded(category, CATEGORIES),
            "brand": coded(assortment.brand, BRANDS),
            "margin_rate": assortment.margin_rate,
        }
    )


def product_ids(count: int) -> ArrowArray:
    """P0000, P0001, ..."""
    return numbered("P", np.arange(count), width=4)


def _ending_in_nine(euros: Floats) -> Ints:
    """Prices in cents, as shops write them: 3.49, 12.99."""
    step = np.where(euros < 10, 10, 50)
    return np.asarray(np.maximum(1, np.round(euros * 100 / step)) * step - 1).astype(np.int64)


def _mean_price(price: Ints, first: Ints, size: Ints) -> Floats:
    """Expected list price by segment and category, from the popularity of products and the tiers bought."""
    shelf = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(shelf)) - first[shelf]
    share = ((place + 1) / size[shelf]) ** (1 / POPULARITY) - (place / size[shelf]) ** (1 / POPULARITY)
    by_shelf = np.bincount(shelf, weights=price * share).reshape(len(CATEGORIES), len(TIERS))
    return np.asarray(trait("tiers") @ by_shelf.T)
