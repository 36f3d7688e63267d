"""Whom do we contact, about what, through which channel, where budget and hours do not reach for everybody?"""

from crm.scoring.assignment.assigning import EXACT_BELOW, Assignment, assign
from crm.scoring.assignment.limits import Limits

__all__ = ["EXACT_BELOW", "Assignment", "Limits", "assign"]
