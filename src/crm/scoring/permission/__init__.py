"""May we contact this customer through this channel? Everybody who may not is told, with the gravest reason."""

from crm.scoring.permission.asking import COLUMNS, may_contact, remarks_of
from crm.scoring.permission.consents import consents_now
from crm.scoring.permission.decisions import ELSEWHERE, NO_TABLE, UNDECIDED

__all__ = ["COLUMNS", "ELSEWHERE", "NO_TABLE", "UNDECIDED", "consents_now", "may_contact", "remarks_of"]
