"""How strong must an unseen cause be? Published figures, and the cause itself, built and put in."""

from __future__ import annotations

import numpy as np
import pytest

from crm.analyses.campaign_success.sensitivity import sensitivity


def unlike(*, rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Columns of length 1 that have nothing in common, nor with a constant."""
    drawn = np.hstack([np.ones((rows, 1)), np.random.default_rng(seed).standard_normal((rows, columns))])
    return np.linalg.qr(drawn)[0][:, 1:]


def test_the_published_figures_of_darfur():
    """Cinelli & Hazlett (2020), table 1: t 4.18 on 783 degrees of freedom, robustness 13.9 %, of the interval 7.6 %;
    being female explains 0.92 % of who was harmed, and a cause as strong would explain 12.5 % of the outcome."""
    female, luck, noise = unlike(rows=786, columns=3).T
    female_harmed, female_minds = 0.00916, 0.109
    harmed = np.sqrt(female_harmed) * female + np.sqrt(1 - female_harmed) * luck
    apart = np.sqrt(1 - female_harmed) * female - np.sqrt(female_harmed) * luck
    effect = 4.18 / np.sqrt(783) * np.sqrt((1 - female_minds) / (1 - female_harmed))
    shared = np.sqrt(female_minds * female_harmed / (1 - female_harmed))
    attitude = (effect + shared) * harmed + np.sqrt(female_minds) * apart + np.sqrt(1 - female_minds) * noise
    found = sensitivity(attitude, harmed, female[:, None], {"female": [0]})
    assert found.robustness == pytest.approx(0.139, abs=0.0005)
    assert found.of_interval == pytest.approx(0.076, abs=0.0005)
    row = found.benchmarks.iloc[0]
    assert row["of_chosen"] == pytest.approx(0.0092, abs=0.0001)
    assert row["of_outcome"] == pytest.approx(0.1246, abs=0.0005)
    assert found.strongest == "female"
    assert found.strongest_share < found.robustness


@pytest.mark.parametrize("effect", [0.05, 0.3, -2.0])
def test_a_cause_of_just_that_share_leaves_no_effect(effect):
    known, chance, own, cause = unlike(rows=300, columns=4, seed=1).T
    chosen = 0.5 * known + chance
    outcome = effect * chosen + 2 * known + own
    found = sensitivity(outcome, chosen, known[:, None], {"known": [0]})
    share = found.robustness
    unseen = np.sqrt(share) * chance + np.sign(effect) * np.sqrt(share * (1 - share)) * own + (1 - share) * cause
    rows = np.column_stack([np.ones(300), chosen, known, unseen])
    assert found.effect == pytest.approx(effect)
    assert np.linalg.lstsq(rows, outcome, rcond=None)[0][1] == pytest.approx(0.0, abs=1e-9)


def test_what_explains_more_comes_first_and_leaves_less():
    strong, weak, chance, own = unlike(rows=300, columns=4, seed=2).T
    chosen = 0.4 * strong + 0.1 * weak + chance
    outcome = chosen + 0.4 * strong + 0.1 * weak + own
    found = sensitivity(outcome, chosen, np.column_stack([weak, strong]), {"weak": [0], "strong": [1], "none": []})
    assert found.benchmarks["known"].tolist() == ["strong", "weak"]
    assert found.benchmarks["as_strong_as"].is_monotonic_decreasing
    assert found.benchmarks["effect_left"].is_monotonic_increasing
    assert found.benchmarks["effect_left"].max() < found.effect


@pytest.mark.parametrize("what", ["outcome", "choice", "nobody left"])
def test_nothing_can_be_said_where_nothing_varies(what):
    known, chance, own = unlike(rows=60, columns=3, seed=3).T
    chosen, outcome = (known if what == "choice" else chance), (np.zeros(60) if what == "outcome" else own)
    rows = slice(0, 3) if what == "nobody left" else slice(None)
    found = sensitivity(outcome[rows], chosen[rows], known[rows, None], {"known": [0]})
    assert np.isnan(found.robustness)
    assert found.strongest == ""
    assert np.isnan(found.strongest_share)
