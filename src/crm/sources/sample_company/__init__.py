"""A sample company: made up, of any size, with every canonical table, and with the truth kept beside it.

Its story, in numbers (`story.py` and the modules named hold all of them):

- **Two years** of trade before the as-of date, livelier on Saturdays and in December (`calendar.py`), about 32 order
  lines per customer, 12 departments, 60 categories and a thousand products (`assortment.py`).
- **Six kinds of customers.** Loyal families (18 %; 0.36 purchase days a week, 4 lines an order, groceries and
  children's things), premium (10 %; dear wine, beauty and fashion, hardly on promotion), bargain hunters (20 %;
  70 % of lines on promotion), night owls (15 %; by web at night, fashion and electronics, 28 % sent back), occasional
  (25 %; 0.07 purchase days a week) and newcomers (12 %; joined in the last 120 days). Rates are gamma-distributed,
  shares Beta-distributed and tastes bent for each customer, so that the kinds overlap.
- **Leaving.** 10 % of deliveries are late, 18 % in December, twice that for two regions, and one late delivery makes
  25 % of night owls, 20 % of premium customers and 30 % of newcomers leave, but only 5 to 10 % of the others. Prices
  of seven categories rose by 15 % 300 days before the as-of date, and bargain hunters who buy them left. Others leave
  for nothing, families after six years on average, newcomers after one.
- **Bought together:** who buys diapers takes baby food with them in 40 % of cases; five more such pairs.
- **Twelve campaigns** (`campaigns.py`). Every second one is an experiment with 30 % held out. A treated persuadable
  makes an extra purchase with a chance of 35 % (times the campaign's strength), a treated do-not-disturb skips every
  purchase of the four weeks with a chance of 50 %; sure things and lost causes do what they would have done. The
  seventh campaign changes nothing. The other six went to the best customers: they look successful by themselves.
- **Fraud:** 0.2 % of accounts send nearly everything back, 0.2 % hand in a coupon on nearly every line.
- **Dirt** of twenty kinds, each counted, none above 1 % of a table (`faults.py`).

Nothing in the canonical tables happened on or after the as-of date; what customers do in the 91 days from it on, and
everything above, is in the truth (`truth.py`), which tests read and analyses never do. Only dates set in advance may
lie later: a delivery's promise, a campaign's last day, a consent's expiry.
"""

from crm.sources.sample_company.company import write_sample_company
from crm.sources.sample_company.truth import read_truth

__all__ = ["read_truth", "write_sample_company"]
