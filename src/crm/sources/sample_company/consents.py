"""What customers allow us to send them: granted or refused when joining, some lapsed, some withdrawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crm.sources.sample_company.arrays import Bools, Ints, coded, moments, table_of
from crm.sources.sample_company.calendar import Calendar
from crm.sources.sample_company.customers import NEVER, Customers

DECIDED_ON = (("email", "marketing"), ("mail", "marketing"), ("phone", "marketing"), ("email", "market research"))
DECIDED = np.array([0.92, 0.70, 0.45, 0.30])
GRANTED = np.array([0.80, 0.70, 0.35, 0.60])
LIMITED, LIMIT_DAYS = 0.20, 730  # share of grants that lapse, and after how many days
WITHDRAWN = 0.08  # share of unlimited grants that are withdrawn later


@dataclass(frozen=True)
class Consents:
    """Decisions by customer and `DECIDED_ON`: granted from joining until a day (`NEVER` where without end)."""

    decided: Bools
    granted: Bools
    lapses: Ints
    withdrawn: Ints

    def allow(self, decision: int, customers: Customers, day: int) -> Bools:
        """Whether a contact was allowed on that day."""
        until = np.minimum(self.lapses[:, decision], self.withdrawn[:, decision])
        return np.asarray(self.granted[:, decision] & (customers.joined < day) & (day < until))


def draw_consents(rng: np.random.Generator, customers: Customers, calendar: Calendar) -> Consents:
    """What each customer granted or refused when joining, and when that ended."""
    shape = (len(customers), len(DECIDED_ON))
    decided = rng.random(shape) < DECIDED
    granted = decided & (rng.random(shape) < GRANTED)
    joined = customers.joined[:, None]
    limited = granted & (rng.random(shape) < LIMITED)
    withdrawn = granted & ~limited & (rng.random(shape) < WITHDRAWN)
    later = joined + 1 + (rng.random(shape) * np.maximum(calendar.known_days - 1 - joined, 0)).astype(np.int64)
    happened = withdrawn & (later < calendar.known_days)
    return Consents(
        decided,
        granted,
        lapses=np.where(limited, joined + LIMIT_DAYS, NEVER),
        withdrawn=np.where(happened, later, NEVER),
    )


def consents_table(customers: Customers, consents: Consents, calendar: Calendar) -> pa.Table:
    """The canonical table consents: the decision when joining, and a later row where it was withdrawn."""
    who, what = np.nonzero(consents.decided)
    left, ended = np.nonzero(consents.withdrawn != NEVER)
    customer, decision = np.concatenate([who, left]), np.concatenate([what, ended])
    day = np.concatenate([customers.joined[who], consents.withdrawn[left, ended]])
    granted = np.concatenate([consents.granted[who, what], np.zeros(len(left), dtype=bool)])
    lapses = np.where(granted, consents.lapses[customer, decision], NEVER)
    limited = lapses != NEVER
    return table_of(
        {
            "customer_id": coded(customer, customers.ids),
            "channel": pa.array([channel for channel, _ in DECIDED_ON]).take(decision),
            "purpose": pa.array([purpose for _, purpose in DECIDED_ON]).take(decision),
            "granted": pa.array(granted),
            "recorded_at": moments(calendar.moments(day, customers.joined_second[customer])),
            "expires_at": moments(calendar.moments(np.where(limited, lapses, 0), 0), known=limited),
        }
    )
