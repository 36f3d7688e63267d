"""Analyses: one package or module per question. They are siblings: none imports another, none draws, none writes.

What they share is said here: what a report needs to be possible, and what would let it say more.
"""

from crm.analyses.not_one_person import crowded_accounts, not_one_person
from crm.analyses.requirements import (
    Addition,
    Measured,
    Minimum,
    Requirements,
    absent,
    counted,
    in_words,
    left_out,
    listed,
    measure_base,
    not_there,
    refuse_thin,
    thin,
)

__all__ = [
    "Addition",
    "Measured",
    "Minimum",
    "Requirements",
    "absent",
    "counted",
    "crowded_accounts",
    "in_words",
    "left_out",
    "listed",
    "measure_base",
    "not_one_person",
    "not_there",
    "refuse_thin",
    "thin",
]
