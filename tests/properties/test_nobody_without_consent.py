"""Nobody is ever allowed whose newest decision is not a permission that holds: against the rule, read plainly."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.config import read_settings
from crm.facts import read_facts
from crm.scoring.permission import consents_now, may_contact

CUSTOMERS, CHANNELS = 2_500, ["mail", "email"]
AS_OFS = [dt.date(2017, 3, 1), dt.date(2017, 3, 2), dt.date(2017, 3, 4)]
SENDING_DAYS = [0, 1, 14]


def drawn_histories(seed):
    """Up to six decisions each, in few days and hours, so that many fall on the same moment or on an as-of date."""
    rng = np.random.default_rng(seed)
    rows = int(CUSTOMERS * 4)
    day = rng.integers(0, 6, rows)
    recorded = pd.Timestamp("2017-02-27") + pd.to_timedelta(24 * day + rng.choice([0, 12], rows), unit="h")
    lapses = recorded + pd.to_timedelta(rng.integers(1, 25, rows) * 24 - rng.choice([0, 12], rows), unit="h")
    return pd.DataFrame(
        {
            "customer_id": rng.integers(0, CUSTOMERS, rows).astype(str),
            "channel": rng.choice(["mail", "email", "E-Mail", "phone", "All"], rows, p=[0.4, 0.3, 0.1, 0.1, 0.1]),
            "purpose": rng.choice(["marketing", "market research", "*"], rows, p=[0.85, 0.1, 0.05]),
            "granted": rng.random(rows) < 0.7,
            "recorded_at": recorded,
            "expires_at": pd.Series(lapses).where(rng.random(rows) < 0.4),
        }
    ).sample(frac=1.0, random_state=seed, ignore_index=True)


def allowed_by_the_rule(histories, as_of, until, *, all_refusals):
    """Who may be contacted through what, read off decision by decision."""
    midnight, end = pd.Timestamp(as_of), pd.Timestamp(until + dt.timedelta(days=1))
    newest = {}
    for row in histories.itertuples():
        every_channel, every_purpose = row.channel == "All", row.purpose == "*"
        if row.purpose == "market research" or (row.granted and (every_channel or every_purpose)):
            continue  # a refusal may be of everything, a permission may not
        if row.recorded_at >= midnight and (row.granted or not all_refusals):
            continue
        holds = row.granted and (pd.isna(row.expires_at) or row.expires_at >= end)
        for channel in CHANNELS if every_channel else [row.channel.lower().replace("-", "")]:
            key = (row.customer_id, channel)
            at, so_far = newest.get(key, (pd.Timestamp.min, True))
            if row.recorded_at > at:
                newest[key] = (row.recorded_at, holds)
            elif row.recorded_at == at:
                newest[key] = (at, holds and so_far)
    return {key for key, (_, holds) in newest.items() if holds and key[1] in CHANNELS}


@pytest.fixture(scope="module", params=[1, 2])
def drawn(request, tmp_path_factory):
    home, histories = tmp_path_factory.mktemp("consents"), drawn_histories(request.param)
    (home / "notebooks").mkdir()
    histories.to_parquet(home / "consents.parquet", index=False)
    (home / "purchases.csv").write_text("customer_id,order_id,ordered_at,net_amount\n0,o,2017-01-05,10\n")
    (home / "crm.toml").write_text(
        '[source]\nkind = "files"\n[source.tables.purchases]\npath = "purchases.csv"\n[source.tables.consents]\n'
        'path = "consents.parquet"\n[clock]\nas_of = 2017-03-01\n[contacts]\nconsents = "table"\n'
    )
    return histories, read_facts(read_settings(home / "crm.toml"))


@pytest.mark.parametrize("read", ["with_the_facts", "now"])
@pytest.mark.parametrize("as_of", AS_OFS, ids=str)
@pytest.mark.parametrize("days", SENDING_DAYS)
def test_exactly_those_with_a_permission_that_holds_are_allowed(drawn, as_of, days, read):
    histories, facts = drawn
    now, until = read == "now", as_of + dt.timedelta(days=days)
    people = [str(place) for place in range(CUSTOMERS)]
    consents = consents_now(facts.settings) if now else None
    ledger = may_contact(facts, as_of, people, CHANNELS, consents=consents, until=until)
    assert len(ledger) == len(ledger[["customer_id", "channel"]].drop_duplicates()) == CUSTOMERS * len(CHANNELS)
    allowed = ledger[ledger["allowed"]]
    rule = allowed_by_the_rule(histories, as_of, until, all_refusals=now)
    assert set(zip(allowed["customer_id"], allowed["channel"], strict=True)) == rule
    assert 100 < len(rule) < CUSTOMERS
    assert (ledger["reason"] == "").eq(ledger["allowed"]).all()
