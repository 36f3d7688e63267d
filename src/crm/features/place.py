"""Where a customer buys: channels and stores."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, different, leading
from crm.mart import Mart
from crm.periods import AsOf, known_within


def place(mart: Mart, as_of: AsOf) -> Lazy:
    """The channel with most orders of the last year, its share, and the number of stores."""
    days = known_within(mart["customer_place_days"], as_of, 365)
    stores = different(days, "store_id", "stores_365d")
    channels = days.group_by("customer_id", "channel").agg(nw.col("orders").sum())
    main = leading(channels, name="channel", amount="orders")
    main = main.rename({"channel": "main_channel", "share": "share_of_main_channel"})
    return stores.join(main, on="customer_id", how="left")


_NONE = "bought nothing in the last 365 days"

PLACE = FeatureGroup(
    name="place",
    needs=("customer_place_days",),
    compute=place,
    features=(
        Feature("stores_365d", "count", "known stores bought in during the last 365 days"),
        Feature(
            "main_channel", "word", "channel with most orders of the last 365 days (first by name where equal)", _NONE
        ),
        Feature("share_of_main_channel", "share", "share of the main channel in orders of the last 365 days", _NONE),
    ),
)
