"""Whatever customers are like: a finite chance for each, or a refusal that says what is missing."""

import json

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF, bought, regulars

from crm.analyses.defection import analyse_defection
from crm.analyses.defection.labels import label, stake_of
from crm.analyses.defection.model import fit_defection_model
from crm.analyses.defection.reasons import reasons_for
from crm.config import read_settings
from crm.errors import NotEnoughData
from crm.facts import read_facts

DATE = AS_OF.isoformat()
CHANCE = np.random.default_rng(11)
LONG = "[definitions]\nactive_within_days = 300\ndefected_after_days = 300\n"

COMPANIES = {
    "one customer": ([("c1", 9 * number + 1, 20.0) for number in range(40)], ""),
    "nobody ever left": ([(f"c{k:02d}", 14 * n + 1 + k % 7, 10.0 + k) for k in range(12) for n in range(26)], ""),
    "everybody left who could": (
        [(f"c{k:02d}-{m}", 60 * m + 1 + k, 10.0 + k) for k in range(20) for m in range(6)], ""
    ),
    "100 days of history": (regulars(60, 100), ""),
    "one purchase each": ([(f"c{k}", int(CHANCE.integers(1, 400)), 10.0 + k % 7) for k in range(60)], ""),
    "a horizon longer than half of the history": (regulars(60, 500), LONG),
}  # fmt: skip
NOTHING_IS_TOLD = {"one customer", "100 days of history", "a horizon longer than half of the history"}
"""No outcome of an earlier date is known, and no purchase model: where nothing tells a chance, none need be told."""


@pytest.mark.parametrize("name", COMPANIES)
def test_each_customer_at_stake_has_a_chance_and_the_page_its_sentences(company, name):
    rows, more = COMPANIES[name]
    facts = company({"purchases": bought(rows)}, DATE, more)
    found = analyse_defection(facts, AS_OF)
    scores = found.scores
    within = found.stake.active_within_days
    assert set(scores["customer_id"]) == {who for who, day, _ in rows if 1 <= day <= within}
    if name in NOTHING_IS_TOLD and scores["probability"].isna().all():
        assert "nobody can say how many will leave" in str(found.findings)
        assert found.headline is None
        assert not scores["contact"].any()
    else:
        assert scores["probability"].between(0, 1).all()
        assert scores["partial_probability"].between(0, 1).all()
        assert np.isfinite(scores[["value_at_risk", "worth_of_contact"]].to_numpy()).all()
        assert found.expected_low <= found.expected_to_leave <= found.expected_high
        assert found.headline.number == found.expected_to_leave
    assert "nan" not in str(found.findings).lower().split()
    assert found.shipped.why_not
    json.dumps(found.model.as_record())


def test_nobody_at_stake_is_refused_with_the_number(company):
    rows = [(f"c{number}", 60 + number, 10.0) for number in range(90)]
    facts = company({"purchases": bought(rows)}, DATE)
    with pytest.raises(
        NotEnoughData, match=r"at least 1 active customer.*Found: 0 active customers before 2018-01-01"
    ):
        analyse_defection(facts, AS_OF)


def test_nobody_with_a_running_contract_is_at_stake(company):
    """Contracts tell who leaves; on the earlier date none had begun."""
    rows = [(f"c{number:02d}", day, 10.0) for number in range(30) for day in range(1, 300, 20)]
    contracts = pd.DataFrame({"customer_id": [f"c{number:02d}" for number in range(30)],
                              "started_at": pd.Timestamp("2017-12-01"), "monthly_fee": 9.0})  # fmt: skip
    contracts["ended_at"] = pd.NaT
    facts = company({"purchases": bought(rows), "subscriptions": contracts}, DATE)
    assert stake_of(facts).kind == "cancellation"
    with pytest.raises(NotEnoughData, match=r"Somebody must be at stake on the as-of date.*of 30 customers none"):
        analyse_defection(facts, pd.Timestamp("2017-11-06").date())


def test_less_than_four_weeks_are_refused(company):
    facts = company({"purchases": bought(regulars(20, 20))}, DATE)
    with pytest.raises(NotEnoughData, match="28 days"):
        analyse_defection(facts, AS_OF)


@pytest.fixture(scope="module")
def club(tmp_path_factory):
    """90 members of files of their own, fees by month; who complains cancels within eight weeks, a few others do."""
    home = tmp_path_factory.mktemp("club")
    (home / "notebooks").mkdir()
    rng, members = np.random.default_rng(4), range(150)
    purchases = bought([(f"m{k:03d}", int(day), 20.0) for k in members for day in range(1 + k % 25, 500, 25)])
    contracts, cases = [], []
    for k in members:
        start, end = pd.Timestamp("2016-06-01") + pd.Timedelta(days=k), pd.NaT
        if rng.random() < 0.5:
            end = pd.Timestamp("2017-02-01") + pd.Timedelta(days=int(rng.integers(0, 400)))
        if rng.random() < 0.9 and not pd.isna(end):
            cases.append((f"case{k}", f"m{k:03d}", end - pd.Timedelta(days=int(rng.integers(3, 50))), end, 1))
        contracts.append((f"m{k:03d}", start, end, 9.0 + k % 3))
        if k % 30 == 0 and not pd.isna(end):  # begins another on the same day: has not left
            contracts.append((f"m{k:03d}", end, pd.NaT, 20.0))
    tables = {
        "purchases": purchases,
        "subscriptions": pd.DataFrame(contracts, columns=["customer_id", "started_at", "ended_at", "monthly_fee"]),
        "service_cases": pd.DataFrame(
            cases, columns=["case_id", "customer_id", "opened_at", "closed_at", "satisfaction"]
        ),
    }
    for name, table in tables.items():
        table.to_csv(home / f"{name}.csv", index=False)
    sections = "\n".join(f'[source.tables.{name}]\npath = "{name}.csv"' for name in tables)
    (home / "crm.toml").write_text(f'[source]\nkind = "files"\n{sections}\n[clock]\nas_of = {DATE}\n')
    return read_facts(read_settings(home / "crm.toml")), tables["subscriptions"]


def test_who_cancels_has_left(club):
    facts, contracts = club
    date = pd.Timestamp("2017-10-02")
    labelled = label(facts, date.date()).set_index("customer_id")
    assert stake_of(facts).kind == "cancellation"

    def running(when):
        some = contracts[(contracts["started_at"] < when) & ~(contracts["ended_at"] < when)]
        return set(some["customer_id"])

    assert set(labelled.index) == running(date)
    left = running(date) - running(date + pd.Timedelta(days=56))
    assert set(labelled.index[labelled["left"]]) == left
    assert len(left) > 5


def test_cancelling_is_learnt_from_what_comes_before_it(club):
    facts, _ = club
    model = fit_defection_model(facts, AS_OF)
    assert model.learners["left"] is not None
    known = model.known_on(facts, AS_OF)
    chances = model.chances(known)
    assert chances.to_numpy().min() > 0
    assert chances.to_numpy().max() < 1
    complained = known["cases_last"] > 0
    assert chances.loc[complained, "left"].mean() > 3 * chances.loc[~complained, "left"].mean()
    reasons = reasons_for(model, known[complained].reset_index(drop=True), facts, AS_OF)
    named = [any(reason.theme == "service" for reason in some) for some in reasons]
    assert np.mean(named) > 0.7
