"""Whether models are fitted anew is asked of the run, told to the notebooks that have models, and kept."""

import json

import pytest

from crm.runner.receipt import read_receipts, write_receipt
from crm.runner.status import state_of

RETRAIN = 'retrain: str = "auto"  # auto, always or never: is a model fitted anew?'


def test_a_notebook_with_a_model_is_told_and_others_are_not(project):
    project.notebook("01_base", "assert 'retrain' not in globals()")
    project.notebook("04_model", "assert retrain == 'always', retrain", parameters=RETRAIN)
    done = project.command("run", "--retrain", "always")
    assert done.returncode == 0, done.stderr
    (receipt,) = project.receipts
    assert receipt.retrain == "always"
    given = {record.name: record.parameters.get("retrain") for record in receipt.notebooks}
    assert given == {"01_base": None, "04_model": "always"}

    project.notebook("01_base", "assert True")
    done = project.command("run", "--only", "01_base")
    assert done.returncode == 0, done.stderr
    newest, first = project.receipts
    assert (newest.retrain, first.retrain) == ("auto", "always")
    (model,) = [record for record in newest.notebooks if record.name == "04_model"]
    assert model.carried_from == first.run_id, "the scores are the same, however the question was answered"


@pytest.mark.parametrize(
    ("declared", "arguments", "said"),
    [
        ("", ["--retrain", "sometimes"], "--retrain must be one of auto, always, never. Found: 'sometimes'"),
        ("retrain: bool = False  # anew?", [], "retrain is declared bool, given 'auto'"),
    ],
    ids=["another word", "another type"],
)
def test_what_cannot_be_asked_is_refused_before_anything_starts(project, declared, arguments, said):
    project.notebook("04_model", parameters=declared)
    done = project.command("run", *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not project.receipts


def test_status_names_a_champion_that_was_chosen_by_hand(project):
    project.notebook("01_base")
    project.run()
    (receipt,) = read_receipts(project.reports)
    note = "Version 3 was made champion outside of crm promote: nobody is named as its reviewer."
    file = project.reports / "runs" / receipt.run_id / "receipt.json"
    record = json.loads(file.read_text()) | {"champions": {"defection": {"version": "3", "run": "", "note": note}}}
    file.write_text(json.dumps(record))
    assert f"[bold red]defection: {note}[/bold red]" in state_of(project.reports).lines
    write_receipt(file.parent, receipt)
    assert not any("outside of crm promote" in line for line in state_of(project.reports).lines)
