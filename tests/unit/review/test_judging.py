"""The judge is judged: planted scores get what they deserve."""

import datetime as dt
from dataclasses import dataclass

import pytest
from planted_scores import AS_OF, DATES, Planted, planted_record

from crm.config import Review
from crm.errors import CrmError, NotEnoughData
from crm.review import Candidate, judge
from crm.tracking import TrackingError

FITTED = dt.date(1997, 8, 1)
"""Before every judged date."""


def verdict_of(challenger, champion="vague", *, kind="chance", customers=600, as_of=FITTED, dates=DATES, **settings):
    planted = Planted(kind=kind, customers=customers, dates_known=dates)
    more = settings.pop("more", {})
    return judge(
        planted,
        None,
        AS_OF,
        champion=Candidate("1", planted_record(champion, as_of=as_of)),
        challenger=Candidate("2", planted_record(challenger, as_of=as_of) | more),
        settings=Review(**settings),
        seed=1,
    )


def gate(verdict, words):
    (found,) = [one for one in verdict.gates if words in one.must]
    return found


def measured(verdict, who, name):
    return verdict.by_date.loc[verdict.by_date["model"] == who, name]


@pytest.mark.parametrize("kind", ["chance", "amount"])
def test_the_truth_passes_beside_something_vague(kind):
    verdict = verdict_of("true", kind=kind, most_score_psi=9.0)
    assert verdict.outcome == "passed", verdict.failing
    assert gate(verdict, "better, beyond").low > 0
    assert verdict.sentence == "planted: version 2 beside the champion, version 1: passed every gate."


def test_random_scores_are_measured_as_chance_and_fail_the_gain():
    verdict = verdict_of("random", customers=4_000)
    assert measured(verdict, "challenger", "AUC").mean() == pytest.approx(0.5, abs=0.02)
    assert verdict.outcome == "failed"
    gain = gate(verdict, "better, beyond")
    assert gain.high < 0
    assert gain.answer == "no"
    assert not verdict.refused


@pytest.mark.parametrize("kind", ["chance", "amount"])
def test_a_leaked_outcome_is_refused_with_that_word(kind):
    verdict = verdict_of("leaked", kind=kind)
    assert verdict.outcome == "failed"
    assert "Too good to be true" in verdict.refused
    assert "leaked" in verdict.refused
    assert verdict.failing[0] == verdict.refused
    assert gate(verdict, "better, beyond").passed, "it would have won"


def test_a_constant_is_refused():
    verdict = verdict_of("constant")
    assert (measured(verdict, "challenger", "AUC") == 0.5).all()
    assert verdict.outcome == "failed"
    assert "the same of everybody" in verdict.refused


def test_the_same_model_gains_nothing_and_is_not_worse():
    asked = verdict_of("true", "true")
    assert asked.outcome == "failed"
    assert gate(asked, "better, beyond").number == 0
    assert any("both gave the same scores" in note for note in asked.notes)
    assert verdict_of("true", "true", challenger_must="not_worse").outcome == "passed"
    assert verdict_of("vague", "true", challenger_must="not_worse").outcome == "failed"


def test_a_wrong_level_fails_the_calibration_alone():
    verdict = verdict_of("too_high", "true", challenger_must="not_worse", most_score_psi=99.0)
    assert [one.must for one in verdict.gates if one.passed is False] == ["Expected calibration error: not larger"]
    assert verdict_of("too_high", "true", challenger_must="not_worse", most_score_psi=99.0,
                      most_calibration_loss=1.0).outcome == "passed"  # fmt: skip


def test_a_group_that_is_put_in_much_worse_order_is_found():
    verdict = verdict_of("blind", "true", customers=1_200)
    worst = gate(verdict, "No group")
    assert worst.passed is False
    assert worst.number > 0.2
    assert verdict.by_group["group"].tolist() == ["few", "many"]
    assert verdict.by_group.loc[1, "gain"] == 0


def test_a_score_that_is_spread_otherwise_and_columns_that_moved_fail_theirs():
    verdict = verdict_of("too_high", "true", more=planted_record("too_high", as_of=FITTED, spends=300.0))
    assert gate(verdict, "stability index").passed is False
    assert gate(verdict, "columns that moved").number == 1.0
    assert gate(verdict, "columns that moved").passed is False
    assert verdict.features["moved"].tolist() == [True]
    assert gate(verdict, "top tenth").number == pytest.approx(0.0, abs=0.05)


def test_a_model_stands_as_it_would_have_then():
    late = DATES[1]
    verdict = verdict_of("true", as_of=late)
    stood = verdict.by_date.drop_duplicates("date").set_index("date")["stood_as"]
    assert stood.to_dict() == {"1997-11-01": "itself", "1997-10-01": "itself", "1997-09-01": "its twin"}
    assert any("its twin" in note.lower() for note in verdict.notes)
    both = verdict_of("true", as_of=AS_OF)
    assert any("recipes are compared" in note for note in both.notes)


@dataclass(frozen=True)
class Swapped(Planted):
    """Its artifact says one thing, and its recipe, fitted again, another: `recipe` in its record."""

    def twin(self, model, facts, date):
        if "unfitted" in model:
            raise NotEnoughData("A model needs history.", found="none", do="Wait.")
        return {**model, "says": model.get("recipe", model["says"]), "as_of": date.isoformat()}


@pytest.mark.parametrize(
    ("says", "record", "outcome", "number"),
    [
        ("true", {}, "passed", 1.0),
        ("random", {"recipe": "true"}, "failed", 0.0),  # shuffled labels: the recipe is right, the artifact is not
        ("constant", {"recipe": "true"}, "failed", 0.0),
        ("too_high", {"recipe": "true"}, "passed", 1.0),  # the same order
        ("true", {"unfitted": True}, "not judged", None),
    ],
    ids=["its own", "shuffled", "constant", "same order", "no twin"],
)
def test_the_artifact_itself_is_what_its_recipe_gives(says, record, outcome, number):
    as_of = FITTED if "unfitted" in record else AS_OF  # on judged dates it stands itself, or its twin does
    verdict = judge(
        Swapped(), None, AS_OF, champion=Candidate("1", planted_record("true", as_of=FITTED)),
        challenger=Candidate("2", planted_record(says, as_of=as_of) | record),
        settings=Review(challenger_must="not_worse", most_score_psi=99.0), seed=1,
    )  # fmt: skip
    recipe = gate(verdict, "what its recipe gives")
    assert verdict.outcome == outcome
    if number is None:
        assert recipe.passed is None
        assert "not known: It is what its recipe gives" in verdict.unjudged
        assert any(note.startswith("No twin could be fitted as of 1997-08-01: ") for note in verdict.notes)
    else:
        assert recipe.number == pytest.approx(number, abs=0.15 if number == 0 else 1e-9)
        assert [one.must for one in verdict.gates if one.passed is False] == ([recipe.must] if number == 0 else [])


@pytest.mark.parametrize("broken", [{"says": "nonsense"}, {"population": {"customers": 3}}, {"population": "much"}])
def test_a_record_that_is_no_model_is_said_clearly(broken):
    with pytest.raises(TrackingError, match="files of version 2 of planted must be as they were written"):
        verdict_of("true", more=broken)


def test_a_date_on_which_no_twin_could_stand_is_left_out_and_said():
    verdict = verdict_of("true", as_of=DATES[0], more={"young": True})
    assert set(verdict.by_date["date"]) == {"1997-11-01"}
    assert any(note.startswith("1997-09-01 is left out: A model needs history.") for note in verdict.notes)


def test_without_a_date_nothing_is_judged():
    verdict = verdict_of("true", dates=())
    assert verdict.outcome == "not judged"
    assert "no date yet" in verdict.unjudged


@pytest.mark.parametrize(("says", "found"), [("empty", "600 of them empty"), ("short", "599 numbers for 600")])
def test_a_model_that_gives_no_number_for_everybody_cannot_be_judged(says, found):
    with pytest.raises(CrmError, match="must give every customer one number") as error:
        verdict_of(says)
    assert found in error.value.found


def test_unknown_drift_is_neither_a_failure_nor_passed():
    record = planted_record("true", as_of=FITTED)
    del record["population"]
    verdict = judge(
        Planted(), None, AS_OF, champion=Candidate("1", planted_record("vague", as_of=FITTED)),
        challenger=Candidate("2", record), settings=Review(most_score_psi=9.0), seed=1,
    )  # fmt: skip
    assert verdict.outcome == "not judged"
    assert verdict.unjudged.startswith("What it must show is not known: Share of its columns that moved")
    assert gate(verdict, "columns that moved").answer == "not known"
    assert any("drift is unknown" in note for note in verdict.notes)
