"""Are the data ready? What was read, whether the tables meet, and what each report can say, before a run.

`examine_readiness(facts, as_of, notebooks_folder)` answers from the facts as they were checked; `show` says it on a
screen, `as_json` to a program.
"""

from __future__ import annotations

from crm.readiness.document import as_json, error_as_json
from crm.readiness.examination import Readiness, examine_readiness
from crm.readiness.shown import next_step, show

__all__ = ["Readiness", "as_json", "error_as_json", "examine_readiness", "next_step", "show"]
