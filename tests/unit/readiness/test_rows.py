"""What became of the rows, and whether a run would accept it: the check and the run never disagree."""

from __future__ import annotations

import dataclasses
import tomllib

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from crm.config import Quality
from crm.errors import ContractError
from crm.facts import _refuse_over_budget, read_facts
from crm.readiness.budget import acceptance, accepting
from crm.readiness.rows import table_rows

HEADER = "customer_id,order_id,ordered_at,net_amount"
GOOD = [f"c{n:02d},o{n},2017-{1 + n % 9:02d}-0{1 + n % 5},10" for n in range(40)]
DIRTY = [
    *GOOD,
    *[f",a{n},2017-03-01,5" for n in range(6)],
    *[f"c01,b{n},2017-03-01,ten" for n in range(3)],
    "c02,d,2017-03-01,-40",
]
RETURNS = ["customer_id,returned_at,amount", "c01,2017-05-01,7", "c01,2017-05-02,-7"]


def test_every_row_is_accounted_for_with_its_share_and_its_money(company):
    purchases, returns = company({"purchases": [HEADER, *DIRTY], "returns": RETURNS}).readiness.tables
    assert (purchases.rows, purchases.kept, purchases.became_returns, purchases.set_aside) == (50, 40, 1, 9)
    assert (returns.rows, returns.kept, returns.set_aside, returns.from_purchases) == (2, 1, 1, 1)
    assert purchases.reconciles
    assert returns.reconciles
    told = [(one.reason, one.rows, one.share, one.money, one.money_share) for one in purchases.reasons]
    assert told == [
        ("customer_id is missing", 6, 0.12, 30, 30 / 470),
        ("net_amount is not an amount of money", 3, 0.06, 0, 0),
    ]
    assert purchases.where.is_file()
    assert purchases.money["came_in"] == 390
    assert purchases.money["difference"] == 0


def test_a_table_without_dirt_names_no_file(company):
    (table,) = company({"purchases": [HEADER, *GOOD]}).readiness.tables
    assert table.where is None
    assert table.reasons == ()


@pytest.mark.parametrize(("column", "loss"), [("rows", 3), ("kept", 3)])
def test_a_row_that_got_lost_is_a_defect_of_ours(company, column, loss):
    facts = company({"purchases": [HEADER, *GOOD]}).facts
    lost = dataclasses.replace(facts, tables=facts.tables.assign(**{column: facts.tables[column] + loss}))
    (table,) = table_rows(lost)
    assert abs(table.unaccounted) == loss
    assert not table.reconciles


SHARE = st.sampled_from([0.0, 0.01, 0.02, 0.05, 0.059, 0.06, 0.061, 0.064, 0.12, 0.13, 1.0])
REASONS = st.sampled_from(["customer_id is missing", "net_amount is not an amount of money", "amount is negative"])


@tried(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=SHARE, money=SHARE, accepted=st.dictionaries(REASONS, SHARE))
def test_a_budget_is_broken_here_exactly_where_a_run_is_refused(dirty_facts, rows, money, accepted):
    quality = Quality(most_rows_set_aside=rows, most_money_set_aside=money, accepted_reasons=accepted)
    settings = dirty_facts.settings.model_copy(update={"quality": quality})
    facts = dataclasses.replace(dirty_facts, settings=settings)
    over = [one for table in table_rows(facts) for one in table.reasons if one.over_budget]
    if over:
        with pytest.raises(ContractError) as refused:
            _refuse_over_budget(facts)
        assert all(one.reason in str(refused.value) for one in over)
    else:
        _refuse_over_budget(facts)


@pytest.fixture
def dirty_facts(company):
    return company({"purchases": [HEADER, *DIRTY], "returns": RETURNS}).facts


@pytest.mark.parametrize(
    "more",
    ["", "[quality]\nmost_rows_set_aside = 0.01\n", "[quality.accepted_reasons]\n'customer_id is missing' = 0.01\n"],
    ids=["none before", "a section of quality", "some accepted before"],
)
def test_what_is_to_be_written_lets_the_run_go_on(company, more):
    project = company({"purchases": [HEADER, *DIRTY], "returns": RETURNS}, more=more)
    with pytest.raises(ContractError):
        read_facts(project.settings)
    found = project.readiness
    lines = list(acceptance(found))
    assert not found.ok
    assert tomllib.loads("\n".join(lines)) == {"quality": {"accepted_reasons": accepting(found)}}
    if found.accepted:  # as it says: in place of those
        file = project.home / "crm.toml"
        file.write_text(file.read_text().replace(more, ""))
    project.append(lines)
    assert read_facts(project.settings).has("purchases")
    assert project.readiness.ok


def test_what_crm_toml_can_mend_is_not_to_be_accepted(company):
    comma = [f'c01,b{n},2017-03-01,"7,{n}0"' for n in range(5)]
    found = company({"purchases": [HEADER, *DIRTY, *comma]}).readiness
    assert list(accepting(found)) == ["customer_id is missing"]


def test_nothing_is_accepted_where_nothing_would_be_left(company):
    found = company({"purchases": [HEADER, ",a,2017-03-01,5"]}).readiness
    assert found.over_budget
    assert list(acceptance(found)) == []
    assert not found.ok
