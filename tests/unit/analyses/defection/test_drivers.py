"""What moves the chance over all customers, and the best customers who were served badly."""

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF, SAMPLE, model_of

from crm.analyses.defection.drivers import badly_treated, drivers
from crm.analyses.defection.known import THEMES, theme_of
from crm.analyses.defection.reasons import Reason
from crm.facts import read_facts


@pytest.fixture(scope="module")
def facts(settings_for):
    return read_facts(settings_for("sample_company", AS_OF.isoformat(), source=SAMPLE))


def test_shares_are_those_of_the_contributions(facts):
    model = model_of(facts)
    known = model.known_on(facts, AS_OF)
    reasons = [(Reason("silence", "", 0.1), Reason("prices", "", 0.1)), (), (Reason("silence", "", 0.1),),
               (Reason("service", "", 0.1),)]  # fmt: skip
    found = drivers(model, known, reasons).set_index("theme")
    added = model.contributions(known)
    by_theme = {
        theme: added[[name for name in added if theme_of(name) == theme]].sum(axis=1).abs().mean()
        for theme in found.index
    }
    assert found["share"].sum() == pytest.approx(1)
    assert found["share"].is_monotonic_decreasing
    for theme, row in found.iterrows():
        assert row["share"] == pytest.approx(by_theme[theme] / sum(by_theme.values()))
        assert row["meaning"] == THEMES[theme]
        assert theme_of(row["column"]) == theme
        most = added[[name for name in added if theme_of(name) == theme]].abs().mean()
        assert most[row["column"]] == most.max()
    assert found["top_share"][["silence", "service", "prices"]].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_without_reasons_no_theme_is_first(facts):
    model = model_of(facts)
    assert drivers(model, model.known_on(facts, AS_OF), [()])["top_share"].sum() == 0


def people(number=30):
    """The three of most value are a, b and c; a met two troubles, b one, c none; d met all and is worth little."""
    names = ["a", "b", "c", "d", *(f"e{place}" for place in range(number - 4))]
    value = np.array([900.0, 800.0, 700.0, 1.0, *np.full(number - 4, 5.0)])
    chance = np.array([0.5, 0.1, 0.2, 0.9, *np.full(number - 4, 0.05)])
    customers = pd.DataFrame(
        {"customer_id": names, "probability": chance, "value_if_stays": value, "value_at_risk": value * chance}
    )
    known = pd.DataFrame({"customer_id": names[::-1]}).assign(
        late_deliveries_365d=lambda t: t["customer_id"].isin(["a", "d"]) * 2.0,
        mean_satisfaction=lambda t: t["customer_id"].map({"a": 1.0, "b": 2.9, "c": 3.0, "d": 1.0}),
        open_cases=0.0,
    )
    return customers, known


def test_the_best_tenth_by_hand():
    found = badly_treated(*people()).set_index("trouble")
    assert list(found.index) == ["late deliveries", "open cases", "low marks", "nothing"]
    assert found["customers"].to_dict() == {"late deliveries": 1, "open cases": 0, "low marks": 2, "nothing": 1}
    assert found.loc["low marks", ["probability", "value_at_risk"]].tolist() == pytest.approx([0.3, 530.0])
    assert found.loc["nothing", ["probability", "value_at_risk"]].tolist() == pytest.approx([0.2, 140.0])
    assert np.isnan(found.loc["open cases", "probability"])


@pytest.mark.parametrize("number", [0, 1])
def test_nobody_and_one(number):
    customers, known = people()
    found = badly_treated(customers.head(number), known)
    assert found["customers"].max() == number


def test_where_no_table_tells_of_troubles_there_are_none():
    customers, known = people()
    assert badly_treated(customers, known[["customer_id"]]).empty
