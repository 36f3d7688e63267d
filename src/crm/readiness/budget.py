"""What accepts the rows that are over their budget, in the words of crm.toml."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from crm.readiness.examination import Readiness


def accepting(readiness: Readiness) -> dict[str, float]:
    """`accepted_reasons` of [quality]: those of before, and each reason over its budget at its share, rounded up.

    Rows that crm.toml can be made to read need not be accepted, and nothing is accepted where nothing would be left.
    """
    shares = dict(readiness.accepted)
    if readiness.first is None:
        return shares
    for reason in (one for one in readiness.over_budget if not (one.cause and one.cause.settled)):
        needed = _rounded_up(max(reason.share, reason.money_share))
        shares[reason.reason] = max(shares.get(reason.reason, 0.0), needed)
    return shares


def acceptance(readiness: Readiness) -> Iterator[str]:
    """The same as lines of crm.toml, which may stand at its end."""
    wanted = accepting(readiness)
    if wanted == readiness.accepted:
        return
    yield "[quality.accepted_reasons]"
    for reason, share in wanted.items():
        yield f"{json.dumps(reason, ensure_ascii=False)} = {share!r}"


def _rounded_up(share: float) -> float:
    return min(1.0, math.ceil(100 * share) / 100)
