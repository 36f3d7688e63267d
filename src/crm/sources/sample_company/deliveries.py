"""Deliveries of web and phone orders: promised, on time or late, whole or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import (
    ArrowArray,
    Bools,
    Floats,
    Ints,
    moments,
    table_of,
)
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.story import (
    COMPLETE,
    DOCUMENTED,
    LATE_CHANCE,
    LATE_IN_DECEMBER,
    LATE_REGIONS,
    REGIONS,
    UNDAMAGED,
)

SHORTEST_PROMISE, LONGEST_PROMISE = 2, 5  # days
PROMISED_BY = 20 * 3600  # seconds of the day
FIRST_ROUND = 8 * 3600  # nothing is delivered before
MEAN_DELAY = 4.0  # days beyond the first one
DECEMBER = 11


@dataclass(frozen=True)
class Deliveries:
    """One row per delivered order; `order` is the position of the order. Days are days of the calendar."""

    order: Ints
    promised: Ints
    delivered: Ints
    second: Ints
    late: Bools
    complete: Bools
    undamaged: Bools
    documented: Bools

    def of_kept(self, kept: Bools) -> Deliveries:
        """The deliveries of the orders that are kept, with their new positions."""
        position = np.cumsum(kept) - 1
        here = kept[self.order]
        rows = {name: values[here] for name, values in vars(self).items()}
        return Deliveries(**{**rows, "order": position[rows["order"]]})


def late_chance(december: Bools, region: Ints) -> Floats:
    """The planted chance that a delivery is late, by the order's month and the customer's region."""
    by_region = np.array([LATE_REGIONS.get(name, 1.0) for name in REGIONS])
    return np.asarray(LATE_CHANCE * np.where(december, LATE_IN_DECEMBER, 1.0) * by_region[region])


def deliver(rng: np.random.Generator, order: Ints, *, region: Ints, day: Ints, calendar: Calendar) -> Deliveries:
    """Deliver these orders of customers in `region`, placed on `day`.

    On time is a day from the next one to the promised one; late is a later day, so that no rounding can turn one
    into the other.
    """
    n = len(order)
    promised = day + rng.integers(SHORTEST_PROMISE, LONGEST_PROMISE + 1, n)
    late = rng.random(n) < late_chance(calendar.months[day] == DECEMBER, region)
    on_time = day + 1 + (rng.random(n) * (promised - day)).astype(np.int64)
    delay = 1 + (rng.standard_exponential(n) * MEAN_DELAY).astype(np.int64)
    return Deliveries(
        order=order,
        promised=promised,
        delivered=np.where(late, promised + delay, on_time),
        second=rng.integers(FIRST_ROUND, PROMISED_BY, n),
        late=late,
        complete=rng.random(n) < COMPLETE,
        undamaged=rng.random(n) < UNDAMAGED,
        documented=rng.random(n) < DOCUMENTED,
    )


def deliveries_table(deliveries: Deliveries, *, order_ids: ArrowArray, calendar: Calendar) -> pa.Table:
    """The canonical table deliveries; what has not arrived before the as-of date is empty."""
    arrived = deliveries.delivered < calendar.known_days
    return table_of(
        {
            "order_id": order_ids.take(deliveries.order),
            "promised_at": moments(calendar.moments(deliveries.promised, PROMISED_BY)),
            "delivered_at": moments(calendar.moments(deliveries.delivered, deliveries.second), known=arrived),
            "complete": pa.array(deliveries.complete, mask=~arrived),
            "undamaged": pa.array(deliveries.undamaged, mask=~arrived),
            "documented": pa.array(deliveries.documented, mask=~arrived),
        }
    )
