"""What a notebook hands over: exact files, plain numbers, and clear refusals."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from crm.config import Settings
from crm.finding import Finding
from crm.headline import Headline, Trail
from crm.publishing import NotPublishable, publish

AS_OF = dt.date(2018, 1, 1)
SETTINGS = Settings.model_validate({"source": {"kind": "cdnow"}, "clock": {"as_of": AS_OF}})
FOUND = Finding("customers", "{customers} customers.", {"customers": np.int64(3), "since": AS_OF}, AS_OF)
SCORES = pd.DataFrame({"customer_id": ["b", "a", "a"], "item": ["x", "z", "y"], "probability": [0.5, 0.1, None]})


def test_a_draft_writes_nothing_and_says_what_a_run_would_publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    draft = publish(
        "05_cross_sell", settings=SETTINGS, run_folder="", findings=[FOUND], scores={"cross_sell": SCORES}
    )
    assert draft.draft
    assert repr(draft) == (
        "A draft: nothing was written. `crm run --only 05_cross_sell` would publish 1 finding, "
        "cross_sell.parquet (3 rows) as of 2018-01-01."
    )
    assert "A draft" in draft._repr_html_()
    assert list(tmp_path.iterdir()) == []


def test_the_part_holds_findings_measures_and_names_of_scores_as_plain_json(tmp_path: Path):
    measures = {
        "auc": {"model": np.float64(0.75), "rule": float("nan")},
        "dates": [pd.Timestamp("2018-01-01"), pd.NaT],
        "by_k": pd.DataFrame({"k": [2, 3], "silhouette": [0.5, np.nan]}),
        "money": Decimal("1.50"),
        2: True,
    }
    publish(
        "05_cross_sell",
        settings=SETTINGS,
        run_folder=str(tmp_path),
        findings=[FOUND],
        measures=measures,
        scores={"cross_sell": SCORES},
        mlflow_run_ids=["abc"],
    )
    assert json.loads((tmp_path / "parts" / "05_cross_sell.json").read_text()) == {
        "notebook": "05_cross_sell",
        "findings": [
            {
                "name": "customers",
                "sentence": "3 customers.",
                "values": {"customers": 3, "since": "2018-01-01"},
                "as_of": "2018-01-01",
            }
        ],
        "headline": None,
        "measures": {
            "auc": {"model": 0.75, "rule": None},
            "dates": ["2018-01-01T00:00:00", None],
            "by_k": [{"k": 2, "silhouette": 0.5}, {"k": 3, "silhouette": None}],
            "money": 1.5,
            "2": True,
        },
        "scores": ["cross_sell"],
        "mlflow_run_ids": ["abc"],
    }


def test_the_headline_stands_in_the_part_with_the_number_of_its_finding(tmp_path: Path):
    trail = Trail.of("Customers by month", ["2017-11", "2017-12"], np.array([2, 3]))
    headline = Headline.of(FOUND, "customers", label="customers", sentence="{customers} are known.", trail=trail)
    publish("01_x", settings=SETTINGS, run_folder=tmp_path, findings=[FOUND], headline=headline)
    written = json.loads((tmp_path / "parts" / "01_x.json").read_text())["headline"]
    assert written == {
        "finding": "customers", "value": "customers", "number": 3.0, "label": "customers",
        "sentence": "3 are known.", "unit": "", "better": "neither", "low": None, "high": None, "interval": "",
        "trail": {"label": "Customers by month", "points": [["2017-11", 2.0], ["2017-12", 3.0]], "drawn": "line",
                  "unit": ""},
    }  # fmt: skip
    assert Headline.read(written) == headline


@pytest.mark.parametrize(
    ("found", "says"),
    [(Finding("sales", "{customers}", {"customers": 3}, AS_OF), "nothing"),
     (Finding("customers", "{customers}", {"customers": 4}, AS_OF), "4")],
    ids=["another finding", "another number"],
)  # fmt: skip
def test_a_headline_of_something_else_is_refused(tmp_path: Path, found: Finding, says: str):
    headline = Headline.of(FOUND, "customers", label="customers", sentence="")
    with pytest.raises(NotPublishable, match=f"3.0 for customers.customers; the finding says {says}"):
        publish("01_x", settings=SETTINGS, run_folder=tmp_path, findings=[found], headline=headline)


def test_scores_are_ordered_by_customer_and_then_by_their_other_columns(tmp_path: Path):
    publish("05_x", settings=SETTINGS, run_folder=tmp_path, findings=[FOUND], scores={"cross_sell": SCORES})
    table = pq.read_table(tmp_path / "scores" / "2018-01-01" / "cross_sell.parquet")
    assert table.column_names == ["customer_id", "item", "probability"]
    assert table.to_pylist() == [
        {"customer_id": "a", "item": "y", "probability": None},
        {"customer_id": "a", "item": "z", "probability": 0.1},
        {"customer_id": "b", "item": "x", "probability": 0.5},
    ]


@pytest.mark.parametrize(
    "as_made",
    [
        SCORES.iloc[[2, 0, 1]],
        SCORES.set_index(pd.Index([7, 8, 9], name="row")),
        SCORES.astype({"customer_id": object, "item": "category"}),
        SCORES.assign(item=pd.Categorical(SCORES["item"], categories=["z", "y", "x"], ordered=True)),
    ],
    ids=["other row order", "an index", "category and object", "ordered category"],
)
def test_equal_scores_give_equal_bytes_however_they_were_made(tmp_path: Path, as_made: pd.DataFrame):
    for run, frame in (("one", SCORES), ("two", as_made)):
        (tmp_path / run).mkdir()
        publish("05_x", settings=SETTINGS, run_folder=tmp_path / run, findings=[FOUND], scores={"s": frame})
    one, two = (tmp_path / run / "scores" / "2018-01-01" / "s.parquet" for run in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_the_frame_that_was_given_is_not_touched(tmp_path: Path):
    before = SCORES.copy(deep=True)
    publish("05_x", settings=SETTINGS, run_folder=tmp_path, findings=[FOUND], scores={"s": SCORES})
    pd.testing.assert_frame_equal(SCORES, before)


def test_a_score_table_of_another_notebook_is_not_overwritten(tmp_path: Path):
    def hand_over(notebook: str) -> None:
        publish(notebook, settings=SETTINGS, run_folder=tmp_path, findings=[FOUND], scores={"s": SCORES})

    hand_over("02_x")
    hand_over("02_x")
    with pytest.raises(NotPublishable, match="s is published by 02_x too"):
        hand_over("03_x")


def _found(**values: object) -> Finding:
    return Finding("share", "a share", values, AS_OF)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"findings": []}, "Found: none"),
        ({"findings": [FOUND, FOUND]}, "customers more than once"),
        ({"findings": [_found(share=float("nan"))]}, "nan in finding share.share"),
        ({"findings": [_found(share=np.float32("inf"))]}, "inf in finding share.share"),
        ({"findings": [_found(share=None)]}, "None in finding share.share"),
        ({"measures": {"model": {"itself": object()}}}, "object in measures.model.itself"),
        ({"scores": {"Cross sell": SCORES}}, "'Cross sell'"),
        ({"scores": {"s": SCORES.rename(columns={"customer_id": "id"})}}, "columns id, item, probability"),
        ({"scores": {"s": SCORES.assign(customer_id=[1, 2, 3])}}, "customer_id of type int64"),
        ({"scores": {"s": SCORES.assign(customer_id=["1", None, None])}}, "2 rows without one"),
        ({"run_folder": "no/such/run"}, "no folder no/such/run"),
    ],
)
def test_refused(tmp_path: Path, given: dict[str, object], found: str):
    with pytest.raises(NotPublishable, match="Found: ") as refusal:
        publish("05_x", **{"settings": SETTINGS, "run_folder": tmp_path, "findings": [FOUND], **given})  # type: ignore[arg-type]
    assert found in str(refusal.value)
    assert list(tmp_path.rglob("*")) == []
