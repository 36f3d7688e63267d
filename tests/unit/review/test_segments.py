"""Two segmentations: how many customers change their segment is counted; a person must look."""

import datetime as dt

import pytest

from crm.review import Verdict
from crm.review.segments import compare_segments
from crm.snapshots import snapshot

AS_OF = dt.date(1998, 1, 1)


def segments(names, *, border):
    """Two segments by the net sales of a year, on either side of a border of dollars."""
    trait = {"name": "spend", "part": "net_sales_365d", "whole": "", "strength": 0.0, "average": 0.0, "scale": "log",
             "low": 0.0, "high": 20.0, "centre": 0.0, "spread": 1.0, "weight": 1.0}  # fmt: skip
    return {"as_of": "1997-10-01", "customers": 10, "traits": [trait], "centres": [[border - 1], [border + 1]],
            "numbers": [1, 2], "names": list(names), "nobody": [0, "No purchase in a year"]}  # fmt: skip


@pytest.mark.parametrize(
    ("challenger", "moved", "alike"),
    [
        (segments(["small", "large"], border=4.0), 0.0, 1.0),
        (segments(["little", "much"], border=4.0), 1.0, 1.0),  # the same segments under other names
        (segments(["small", "large"], border=5.0), None, None),
    ],
    ids=["the same", "renamed", "another border"],
)
def test_who_changes(cdnow, challenger, moved, alike):
    champion = segments(["small", "large"], border=4.0)
    verdict = compare_segments(
        cdnow, AS_OF, champion=champion, challenger=challenger,
        verdict=Verdict("segmentation", AS_OF, "1", "2", "key"),
    )  # fmt: skip
    share, index = (gate.number for gate in verdict.gates)
    if moved is None:
        spent = snapshot(cdnow, AS_OF)["net_sales_365d"]
        between = (spent >= 2.718281828**4 - 1) & (spent < 2.718281828**5 - 1)
        assert share == pytest.approx(between.mean(), abs=1e-3)
        assert 0 < index < 1
    else:
        assert (share, index) == (moved, pytest.approx(alike))
    assert verdict.outcome == "not judged"
    assert verdict.by_person
    assert "a person must look" in verdict.sentence
    assert verdict.by_group[["champion", "challenger"]].sum().nunique() == 1
