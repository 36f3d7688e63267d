"""`crm init`: from files nobody has described to a settings file that does.

`propose(paths, target=...)` looks at every row, weighs names with values, reads the data with what it proposes, and
gives the text of crm.toml: what it is sure of with the evidence, what a person has to decide marked DECIDE.

| step | modules |
|---|---|
| look at every row | `looking`, `looking_database`, `profile`, `shapes` |
| know names | `words` (words of several languages), `meanings` (names of canonical columns) |
| choose tables and columns | `finding`: `matching`, `choosing`, `joining`, `guessing`; `nearest` for the rest |
| draft the purchases: which lines | `purchases`: `numbering`, `orders`, `histories`, `subtotals`, `unsold` |
| draft the purchases: for how much | `paid`, `amounts`, `discounts`, `taxes`, `currencies` |
| draft the purchases: by whom | `accounts` |
| draft the others | `others`, `companions`; `written`, `months`, `manners`, `evidence` for all |
| read with it, and settle the rest | `trial`, `company`, `settling` |
| write | `sections`, `toml`, `summary`, `told` |
"""

from crm.proposal.draft import Decision
from crm.proposal.proposing import Proposal, propose

__all__ = ["Decision", "Proposal", "propose"]
