"""The whole segmentation on real data: it adds up, is true, is kept, and comes out again byte for byte."""

import datetime as dt
import hashlib
import inspect
import os
import subprocess
import sys

import pytest

from crm.analyses.segmentation import NOBODY, previous_date, segment_customers
from crm.analyses.segmentation.migration import TOTAL
from crm.config import read_settings
from crm.errors import NotEnoughData
from crm.facts import read_facts
from crm.publishing import publish
from crm.reporting import segmentation as report
from crm.snapshots import snapshot
from crm.sources import cdnow as cdnow_source

pytestmark = pytest.mark.xdist_group("segmentation")

AS_OF = dt.date(2018, 1, 1)


@pytest.fixture(scope="module")
def found(journey):
    return segment_customers(journey, AS_OF)


@pytest.fixture(scope="module")
def without_much(cdnow):
    """CDNOW: nothing but purchases; most customers bought once and never again."""
    return segment_customers(cdnow, dt.date(1998, 7, 1))


def test_every_customer_of_the_snapshot_is_in_one_segment_of_each_kind(journey, found):
    assert list(found.scores.columns) == ["customer_id", "rfm_segment", "cluster", "cluster_name"]
    assert list(found.scores["customer_id"]) == list(snapshot(journey, AS_OF)["customer_id"])
    assert not found.scores.isna().to_numpy().any()
    numbers = found.scores.groupby("cluster_name")["cluster"].agg(["min", "max"])
    assert numbers["min"].to_dict() == numbers["max"].to_dict() == dict(found.clusters.numbers)


def test_customers_money_and_margin_add_up_to_everything(found):
    for segments in (found.rfm, found.clusters):
        assert segments.shares["customers"].sum() == 2_469
        assert segments.shares["net_sales"].sum() == pytest.approx(4_596_039.58, abs=0.005)
        assert segments.shares["margin"].sum() == pytest.approx(0.25 * 4_596_039.58, abs=0.005)
        assert segments.costs["margin_after_discounts"].sum() == pytest.approx(0.25 * 4_596_039.58, abs=0.01)
    assert found.rfm_grid["customers"].sum() == 2_469


def test_what_moved_adds_up_to_both_snapshots(journey, found):
    before, now = (snapshot(journey, date) for date in (found.previous, AS_OF))
    for segments in (found.rfm, found.clusters):
        matrix = segments.migration.matrix()
        assert matrix.loc[TOTAL, TOTAL] == len(now)
        assert segments.migration.customers == len(before)
        for count, table in (("net_sales_before", before), ("net_sales_now", now)):
            total = segments.migration.matrix(count).loc[TOTAL, TOTAL]
            assert total == pytest.approx(table["net_sales_91d"].sum(), abs=0.001)


def test_the_chosen_number_is_stable_and_beyond_chance(found):
    row = found.choice_of_k[found.choice_of_k["chosen"]].iloc[0]
    assert row["k"] == len(found.model.centres) >= 3
    assert row["stability"] >= 0.8
    assert row["silhouette_low"] > row["silhouette_by_chance"]


def test_names_are_told_apart_and_true(found):
    names = found.clusters.order
    assert len(set(names)) == len(names) == 5
    customers = found.rfm_customers.set_index("customer_id")
    mean = customers["purchase_days_365d"].groupby(found.scores.set_index("customer_id")["cluster_name"]).mean()
    for name in names:
        if "requent buyers" in name:
            assert mean[name] > customers["purchase_days_365d"].mean()
        if "eldom buyers" in name:
            assert mean[name] < customers["purchase_days_365d"].mean()


def test_names_are_kept_over_dates_and_refits(journey, found):
    earlier = segment_customers(journey, found.previous)
    assert found.agreement > 0.9
    later = segment_customers(journey, AS_OF, earlier=earlier.model)
    assert set(later.clusters.order) & set(earlier.clusters.order)
    joined = later.scores.merge(earlier.scores, on="customer_id", suffixes=("", "_before"))
    assert (joined["cluster_name"] == joined["cluster_name_before"]).mean() > 0.75
    assert (joined["cluster"] == joined["cluster_before"]).mean() > 0.75


def test_segments_found_again_keep_strange_names_and_numbers(journey, found):
    strange = found.model.named([11, 12, 13, 14, 15], list("vwxyz"))
    again = segment_customers(journey, AS_OF, earlier=strange)
    assert again.clusters.order == ("v", "w", "x", "y", "z")
    expected = found.scores["cluster"] + 10
    assert list(again.scores["cluster"]) == list(expected)
    assert again.model.named(found.model.numbers, found.model.names).content == found.model.content


def test_the_few_who_bring_most(journey, found):
    half = found.best_table.iloc[0]
    assert half["share_of_margin"] >= 0.5
    money = snapshot(journey, AS_OF).set_index("customer_id")["net_sales_365d"]
    assert money[list(found.best_ids)].sum() == pytest.approx(half["margin"] / 0.25, abs=0.01)
    assert money[list(found.best_ids)].min() >= money.drop(list(found.best_ids)).max()
    for _, rows in found.best_segments.groupby("kind"):
        assert rows["best"].sum() == half["customers"] == len(found.best_ids)
        assert rows["customers"].sum() == 2_469


@pytest.mark.parametrize("segmentation", ["found", "without_much"])
def test_findings_say_numbers_with_date_and_count_and_can_be_published(request, journey, segmentation):
    result = request.getfixturevalue(segmentation)
    for finding in result.findings:
        assert finding.sentence
        assert "nan" not in finding.sentence
        assert finding.as_of == result.as_of
        assert finding.name == "not_there" or finding.values["customers"] > 0
    draft = publish(
        "02_segmentation",
        settings=journey.settings,
        run_folder="",
        findings=result.findings,
        measures=result.measures,
        scores={"segments": result.scores},
    )
    assert draft.scores == {"segments": len(result.scores)}


def test_margin_is_never_said_without_its_assumption(found):
    for finding in found.findings:
        if "margin" in finding.sentence and finding.name != "not_there":
            assert finding.values["gross_margin"] == 0.25
            assert "gross margin of 25% assumed" in finding.sentence


def test_who_bought_nothing_for_a_year_is_told_apart(without_much):
    silent = without_much.rfm_customers["purchase_days_365d"].to_numpy() == 0
    assert silent.sum() == 15_238
    assert set(without_much.scores.loc[silent, "cluster"]) == {NOBODY[0]}
    assert set(without_much.scores.loc[silent, "rfm_segment"]) == {"Lost"}
    assert not (without_much.scores.loc[~silent, "cluster"] == NOBODY[0]).any()
    assert NOBODY[1] not in set(without_much.clusters.profile["segment"])


def test_what_the_data_cannot_say_is_said(without_much):
    sentence = without_much.findings["not_there"].sentence
    for missing in ("what comes back", "by department", "discounts", "products.margin_rate"):
        assert missing in sentence
    assert without_much.clusters.unsaid["channel"].endswith("was ordered by one channel: web.")
    assert without_much.clusters.departments is None
    assert without_much.clusters.channels is None


def test_too_little_history_leaves_out_what_moved_and_says_why(cdnow):
    as_of = dt.date(1997, 3, 1)
    assert previous_date(cdnow, as_of)[0] is None
    young = segment_customers(cdnow, as_of)
    assert young.previous is None
    assert young.rfm.migration is None
    assert "first purchase is of 1997-01-01" in young.findings["no_migration"].sentence
    assert len(young.scores) == 16_322


def test_a_name_is_backed_by_its_sentence_and_its_chart(found):
    """Each segment's sentence begins with the numbers behind its name, and they bear it out."""
    told = found.clusters.standing_out
    for name, number in found.clusters.numbers.items():
        words = name.lower().split(", ")
        first = told[told["segment"] == name].head(len(words))
        sentence = found.findings[f"cluster_{number}"].sentence
        clauses = sentence.partition("average buyer at 100: ")[2].split(", ")
        for word, row in zip(words, first.to_dict("records"), strict=True):
            is_less = any(start in word for start in ("seldom", "small", "low", "narrow", "full price", "just"))
            assert (row["index_high"] < 100) if is_less else (row["index_low"] > 100), (name, row)
            if word.startswith("heavy on "):
                assert row["feature"].lower() == f"share of {word.removeprefix('heavy on ')}"
        assert clauses[0].startswith(first["feature"].iloc[0].removesuffix("_365d").replace("_", " "))
    assert not found.findings["choice_of_k"].sentence.count(" %")


def shown(segmentation):
    """Every table and chart of the page, as HTML."""
    for name, show in inspect.getmembers(report, inspect.isfunction):
        if not name.startswith(("draw_", "show_")) or show.__module__ != report.__name__:
            continue
        wanted = inspect.signature(show).parameters
        for segments in (segmentation.rfm, segmentation.clusters) if "segments" in wanted else (None,):
            known = {"segmentation": segmentation, "segments": segments}
            yield show(**{name: known[name] for name in wanted if name in known})._repr_html_()


def test_nobody_bought_for_years(cdnow):
    silent = segment_customers(cdnow, dt.date(2025, 1, 1))
    assert set(silent.scores["cluster_name"]) == {NOBODY[1]}
    assert "Nobody bought in the last 365 days" in silent.findings["rfm"].sentence
    assert "Nobody bought" in silent.findings["choice_of_k"].sentence
    assert all(shown(silent))


@pytest.mark.parametrize(("customers", "days", "found"), [(4, 9, "4 customers"), (9, 1, "1 day with purchases")])
def test_too_few_are_refused_with_the_figures(tmp_path, monkeypatch, customers, days, found):
    lines = [f"{who:05d} 1997{day:02d}01 1 10.00" for who in range(customers) for day in range(1, days + 1)]
    file = tmp_path / "lines.txt"
    file.write_text("\n".join(["customer date quantity amount", *lines]) + "\n")
    monkeypatch.setattr(cdnow_source, "data_file", lambda: file)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "crm.toml").write_text('[source]\nkind = "cdnow"\n[clock]\nas_of = 1998-01-01\n')
    facts = read_facts(read_settings(tmp_path / "crm.toml"))
    with pytest.raises(NotEnoughData, match=f"Found: {found} before 1998-01-01"):
        segment_customers(facts, facts.settings.as_of)


def test_a_hundred_customers(settings_for):
    facts = read_facts(settings_for("sample_company", "2018-01-01", source="customers = 100\nseed = 3"))
    few = segment_customers(facts, AS_OF)
    assert all(shown(few))
    assert len(few.model.centres) <= len(few.scores) // 10


SCRIPT = """
import hashlib, sys
from crm import read_facts, read_settings, segment_customers
facts = read_facts(read_settings(sys.argv[1]))
found = segment_customers(facts, facts.settings.as_of)
print(hashlib.sha256(found.scores.to_csv().encode()).hexdigest(), found.model.content)
"""


def test_another_process_with_another_number_of_threads_finds_the_same(journey, found):
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "CRM_THREADS": "1"}
    toml = journey.settings.home / "crm.toml"
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(toml)], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    here = hashlib.sha256(found.scores.to_csv().encode()).hexdigest()
    assert printed == [here, found.model.content]
