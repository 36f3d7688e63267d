"""A finding says what its values say."""

import datetime as dt

import pytest

from crm.finding import Finding, Findings

AS_OF = dt.date(2018, 1, 1)
SALES = Finding("sales", "{net_sales:,.0f} {currency} of net sales.", {"net_sales": 1234.5, "currency": "USD"}, AS_OF)


def test_the_sentence_is_made_of_the_values():
    assert SALES.sentence == "1,234 USD of net sales."
    assert SALES.as_record() == {
        "name": "sales",
        "sentence": "1,234 USD of net sales.",
        "values": {"net_sales": 1234.5, "currency": "USD"},
        "as_of": "2018-01-01",
    }


def test_names_from_the_data_are_shown_and_never_run():
    evil = Finding("best", "{product} sells best.", {"product": '<script>alert("{1}")</script>'}, AS_OF)
    assert evil.sentence == '<script>alert("{1}")</script> sells best.'
    assert "<script>" not in evil._repr_html_()


def test_findings_are_found_by_name_and_leave_out_what_could_not_be_found():
    findings = Findings([None, SALES])
    assert findings["sales"] is SALES
    assert findings[0] is SALES
    assert len(findings) == 1
    with pytest.raises(KeyError, match="no finding 'sails' among sales"):
        findings["sails"]
    assert str(findings) == "1,234 USD of net sales."


def test_findings_are_picked_by_name_in_the_order_asked_for():
    other = Finding("other", "Another.", {}, AS_OF)
    assert Findings([SALES, other]).pick("other", "not found", "sales") == (other, SALES)
