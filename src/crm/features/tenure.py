"""How long a customer has been known to the company."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, days_before
from crm.mart import Mart
from crm.periods import AsOf, known_before


def tenure(mart: Mart, as_of: AsOf) -> Lazy:
    """Days since joining or since the first purchase, whichever came first."""
    known = [known_before(mart["customer_days"], as_of).select("customer_id", "day")]
    if mart.has("customers"):
        known.append(known_before(mart["customers"], as_of).select("customer_id", "day"))
    first = nw.concat(known, how="vertical").group_by("customer_id").agg(nw.col("day").min())
    return first.select("customer_id", tenure=days_before(as_of))


TENURE = FeatureGroup(
    name="tenure",
    needs=("customer_days",),
    compute=tenure,
    features=(Feature("tenure", "days", "since joining or the first purchase, whichever came first"),),
)
