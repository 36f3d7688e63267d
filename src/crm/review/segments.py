"""Two segmentations beside each other: there is no outcome to judge them by, so that a person must look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from crm.facts import Facts
from crm.mart import open_mart
from crm.review.verdict import Gate, Verdict
from crm.snapshots import snapshot

NAME = "segmentation"


def compare_segments(
    facts: Facts, as_of: dt.date, *, champion: Mapping[str, Any], challenger: Mapping[str, Any], verdict: Verdict
) -> Verdict:
    """How many of today's customers would be in another segment, and how alike the two cut them.

    verdict: with the names of the two, to be filled. Raises NotEnoughData without customers.
    """
    from sklearn.metrics import adjusted_rand_score

    from crm.analyses.segmentation import ClusterModel
    from crm.analyses.segmentation.behaviour import customer_behaviour

    behaviour = customer_behaviour(snapshot(facts, as_of), open_mart(facts), as_of).table
    before, after = (
        ClusterModel.from_record(dict(record)).segments_of(_with_columns(behaviour, record))["cluster_name"]
        for record in (champion, challenger)
    )
    moved = float((before != after).mean())
    alike = float(adjusted_rand_score(before, after))
    return replace(
        verdict,
        gates=(
            Gate("Share of today's customers in a segment of another name", moved, None, decides=False),
            Gate("How alike the two cut them (adjusted Rand index, 1: the same)", alike, None, decides=False),
        ),
        by_group=_sizes(before, after),
        notes=(
            "Segments have no outcome to be held against. Look at both model cards: are the names right, can "
            "something be done for each segment, and is it worth that reports and lists change their words?",
        ),
        by_person=True,
    )


def _with_columns(behaviour: pd.DataFrame, record: Mapping[str, Any]) -> pd.DataFrame:
    """A department that is no longer there was bought by nobody."""
    names = {trait[part] for trait in record["traits"] for part in ("part", "whole") if trait[part]}
    gone = sorted(names - set(behaviour.columns))
    return behaviour.assign(**dict.fromkeys(gone, 0.0)) if gone else behaviour


def _sizes(before: pd.Series[str], after: pd.Series[str]) -> pd.DataFrame:
    """One row per name: segment, champion and challenger (customers), stayed (in it by both)."""
    stayed = before[before == after].value_counts()
    table = pd.DataFrame({"champion": before.value_counts(), "challenger": after.value_counts(), "stayed": stayed})
    return table.fillna(0).astype("int64").rename_axis("segment").reset_index()
