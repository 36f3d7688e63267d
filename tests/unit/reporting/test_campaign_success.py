"""What the campaign page draws and shows, from drawn campaigns of every verdict: something, or why not."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import inspect
import re

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success import ANYWAY, _caused, planning
from crm.analyses.campaign_success.against_plan import COLUMNS as PLANNED
from crm.analyses.campaign_success.campaigns import CONTACTED, FAULTS, HELD_OUT, TREATED, Campaign, Campaigns, Chosen
from crm.analyses.campaign_success.channels import Channels
from crm.analyses.campaign_success.differences import Difference
from crm.analyses.campaign_success.event_study import WEEKS
from crm.analyses.campaign_success.looking import Look
from crm.analyses.campaign_success.observational import EFFECTS as COMPARED
from crm.analyses.campaign_success.observational import Company, Observed, Placebo
from crm.analyses.campaign_success.promotions import BANDS, BY_BAND, Promotions
from crm.analyses.campaign_success.randomised import EFFECTS, GROUPS, Experiment, Lot
from crm.analyses.campaign_success.reached import BY, NOT_KNOWN, POOLED, REACHED
from crm.analyses.campaign_success.reached import BY_GROUP as GROUPED
from crm.analyses.campaign_success.reading import LOOKS, Profit, Reading
from crm.analyses.campaign_success.response import GAINS, RULE, Judged
from crm.analyses.campaign_success.response import TABLE as RESPONSE
from crm.analyses.campaign_success.result import CampaignSuccess
from crm.analyses.campaign_success.sensitivity import Sensitivity
from crm.analyses.campaign_success.similar import Overlap
from crm.analyses.campaign_success.targeting import Targeting
from crm.analyses.campaign_success.uplift import TABLE as UPLIFT
from crm.analyses.campaign_success.verdicts import nothing_to_compare, of_experiment, of_observed
from crm.analyses.campaign_success.whom import COLUMNS, CURVE, Policy
from crm.analyses.standing import Standing
from crm.config import Review
from crm.measures.stability import Population
from crm.reporting import campaign_next as ahead
from crm.reporting import campaign_success as report
from crm.reporting import campaign_trust as trust
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_intervals, draw_moments
from crm.reporting.left_out import LeftOut
from crm.reporting.tables import Table
from crm.review import drift_of

AS_OF = dt.date(2018, 1, 1)
FIRST_DAY = (dt.date(2017, 1, 1) - dt.date(1970, 1, 1)).days
SHOWN = {
    f"{room.__name__.rpartition('.')[2]}.{name}": function
    for room in (report, ahead, trust)
    for name, function in inspect.getmembers(room, inspect.isfunction)
    if function.__module__ == room.__name__ and name.startswith(("draw_", "show_")) and name != "show_drift"
}
OUTCOMES = ("responded", "bought", "purchase_days", "net_sales", "margin")


def chosen(name, *, place, treated, held_out=0, arm=TREATED, programme="", expected=np.nan):
    """A campaign of 28 days; a tenth of the contacted answered."""
    starts = FIRST_DAY + 40 * place
    campaign = Campaign(
        f"K{place:02d}", name, "letter", "mail", starts, starts + 28, 0.5, False, 0.3, programme, expected
    )
    customers = pd.DataFrame(
        {
            "customer_id": [f"C{number:05d}" for number in range(treated + held_out)],
            "arm": [arm] * treated + [HELD_OUT] * held_out,
            "reached": True,
            "responded": [float(starts) if number % 10 == 0 else np.nan for number in range(treated)]
            + [np.nan] * held_out,
        }
    )
    return Chosen(campaign, customers, 0, pd.DataFrame(columns=list(FAULTS)))


def drawn_experiment(who, effect, se, *, p_ratio=0.5):
    """The same effect on every outcome, and half of it afterwards."""
    treated, held_out = who.in_arm(TREATED), who.in_arm(HELD_OUT)
    main = Difference(effect, se, 1e6, 1.0, effect, se * 1.25, (), treated, held_out)
    rows = []
    for window, share in (("during", 1.0), ("after", 0.5)):
        for outcome in OUTCOMES if window == "during" else OUTCOMES[1:]:
            one = dataclasses.replace(main, effect=effect * share)
            rows.append((outcome, window, 1.0, one.effect, one.low, one.high, 0.01, 0.05, one.plain, 0.0, 0.1, 0.3))
    balance = pd.DataFrame({"known": ["tenure"], "treated": [9.0], "held_out": [8.0], "difference": [0.04]})
    lot = Lot(0.3, held_out / (treated + held_out), p_ratio, 0.5, balance, 1, held_out, (0.2, 0.1))
    groups = [("value", name, 60, 60, 1.0, effect, effect - 0.2, effect + 0.2, 0.1, 0.3) for name in ("low", "high")]
    return Experiment(
        lot,
        main,
        "purchase_days",
        pd.DataFrame(rows, columns=list(EFFECTS)),
        pd.DataFrame(groups, columns=list(GROUPS)),
        0.6,
    )


def by_lot(who, effect, se, *, margin=(100.0, -100.0, 300.0), look=None, p_ratio=0.5):
    found = drawn_experiment(who, effect, se, p_ratio=p_ratio)
    looks = pd.DataFrame([(1, 0.4, -0.2, 1.0, 0.1, 0.7), (9, 0.1, -0.3, 0.5, -0.1, 0.3)], columns=list(LOOKS))
    return Reading(
        who, look is not None, found, None, look, looks if look else looks.head(0),
        of_experiment(found, matters=0.1, running=look), Profit(*margin, who.contacted * 0.5), 0.2, 1,
    )  # fmt: skip


def observed(who, effect, *, passed):
    """60 are compared with similar customers; older days show nothing, or do."""
    low, high = effect - 0.2, effect + 0.2
    rows = [
        (name, "during", 1.0, effect, low, high, 0.01, 2.0, 1.0, effect, low, high) for name in OUTCOMES[1:]
    ]  # fmt: skip
    parts = ((-3, "older"), (-2, "older"), (-1, "compared on"), (0, "during"), (1, "after"))
    weeks = [(week, 7 * week, 7, part, 3.0, 2.0, 1.0, -1.0, 2.5) for week, part in parts]
    return Observed(
        who.campaign.campaign_id,
        Company(who.contacted, 500, 10, 400, 0),
        pd.DataFrame(rows, columns=list(COMPARED)),
        Placebo(pd.DataFrame(), -90, -60, 0.5 if passed else 0.001, passed, ""),
        pd.DataFrame([("tenure", 9.0, 5.0, 9.0, 0.8, 0.01)],
                     columns=["known", "treated", "untouched", "weighted", "before", "after"]),
        Overlap(who.contacted, 400, 0.9, 200.0, 0.02),
        pd.DataFrame(weeks, columns=list(WEEKS)),
        pd.Index(who.customers["customer_id"].head(60)),
        Sensitivity(2.0, 0.2, 0.1, pd.DataFrame([("net sales", 0.1, 0.2, 0.05, 1.0)],
                    columns=["known", "of_chosen", "of_outcome", "as_strong_as", "effect_left"])),
        passed,
        "" if passed else "older days differ",
        (),
    )  # fmt: skip


def by_comparison(who, effect, *, passed=True):
    seen = observed(who, effect, passed=passed)
    paid = Profit(90.0, 10.0, 170.0, 30.0) if passed else Profit(np.nan, np.nan, np.nan, 50.0)
    verdict = of_observed(seen, "purchase_days", matters=0.1)
    return Reading(who, False, None, seen, None, pd.DataFrame(columns=list(LOOKS)), verdict, paid, 0.2, 1)


def readings():
    """One campaign of every kind, the oldest first."""
    few = chosen("Tiny", place=6, treated=3, arm=CONTACTED)
    return (
        by_lot(chosen("Spring", place=0, treated=200, held_out=90), 0.3, 0.05, margin=(900.0, 300.0, 1500.0)),
        by_lot(chosen("Summer", place=1, treated=200, held_out=90), 0.0, 0.02),
        by_lot(chosen("Autumn", place=2, treated=200, held_out=90), 0.05, 0.2, margin=(-900.0, -1500.0, -300.0)),
        by_lot(chosen("Dear", place=7, treated=200, held_out=90), 0.0, 0.02, margin=(-900.0, -1500.0, -300.0)),
        by_lot(chosen("Loaded", place=3, treated=200, held_out=90), 0.9, 0.05, p_ratio=1e-9, margin=(np.nan,) * 3),
        by_comparison(chosen("Letter", place=4, treated=100, arm=CONTACTED), 0.3),
        by_comparison(chosen("To the best", place=5, treated=100, arm=CONTACTED), 0.8, passed=False),
        Reading(few, False, None, None, None, pd.DataFrame(columns=list(LOOKS)), nothing_to_compare("few"),
                Profit(np.nan, np.nan, np.nan, 1.5), np.nan, 0),
        by_lot(chosen("Winter", place=8, treated=200, held_out=90, programme="retention", expected=50.0), 0.1, 0.1,
               look=Look(0.1, -0.3, 0.5, 0.2)),
    )  # fmt: skip


def reached_of(told):
    rows = []
    for one in told:
        campaign, answers = one.chosen.campaign, float(one.chosen.customers["responded"].notna().sum())
        rows.append(
            {
                "campaign_id": campaign.campaign_id, "name": campaign.name, "channel": "mail",
                "first_date": campaign.first_date, "last_date": campaign.last_date,
                "targeted": len(one.chosen.customers), "held_out": one.chosen.in_arm(HELD_OUT),
                "contacted": one.chosen.contacted, "reached": one.chosen.contacted, "responded": answers,
                "response_rate": answers / one.chosen.contacted, "low": 0.05, "high": 0.15, "uninvited": 0.0,
                "net_sales_each_during": 70.0, "margin_each_during": 20.0, "days_after": 28,
                "net_sales_each_after": 60.0, "cost": 50.0, "cost_is": "stated",
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(REACHED))


def targeting():
    learners = [
        (
            "margin",
            name,
            "customers apart",
            900,
            4,
            qini,
            qini - 0.2,
            qini + 0.2,
            qini,
            0.0,
            1.0,
            0.3,
            0.1,
            0.5,
            ships,
        )
        for name, qini, ships in (("DR-learner", 0.5, True), ("Who would answer", -0.1, False))
    ]
    curve = [(share, 2 * share * (1 - share), -0.1, 0.6, 0.1, 0.0, 0.2) for share in (0.0, 0.5, 1.0)]
    groups = [("persuadable", 400, 0.4, 0.3, 0.4, 0.1, 2.0, 300, 0.09, 0.02, 0.15, 1.8, 0.5, 3.0),
              ("do not disturb", 4, 0.004, 0.3, 0.2, -0.1, -2.0, 3, -0.09, -0.2, 0.1, -1.8, -3.0, 0.5)]  # fmt: skip
    judged = [("K01", "letter", AS_OF, name, 200, 20, auc, 0.3, 2.0, 0.1, 0.02, 1.0)
              for name, auc in ((RULE, 0.6), ("Blend", 0.7))]  # fmt: skip
    calibration = pd.DataFrame(
        [(1, 100, 0.1, 0.11, 0.05, 0.2), (2, 100, 0.3, 0.5, 0.4, 0.6)],
        columns=["bin", "customers", "expected", "came", "low", "high"],
    )
    scores = pd.DataFrame({"customer_id": [f"C{n:05d}" for n in range(1000)], "kind": "letter"})
    return Targeting(
        as_of=AS_OF,
        model=None,
        challenger=None,
        standing=Standing(),
        response=Judged(
            "Blend", pd.DataFrame(judged, columns=list(RESPONSE)),
            pd.DataFrame([("Blend", "auc", 0.7, 0.6, 0.1, 0.02, 0.18)], columns=list(GAINS)), calibration,
        ),
        uplift=pd.DataFrame(learners, columns=list(UPLIFT)),
        effects=pd.DataFrame(columns=["target", "effect", "low", "high", "rows", "campaigns"]),
        groups=pd.DataFrame(groups, columns=list(COLUMNS)),
        policy=Policy(pd.DataFrame(curve, columns=list(CURVE)), 0.5),
        scores=scores,
        target="margin",
        why_not="",
        why_no_response="",
        why_no_uplift="",
        nothing_to_target=False,
        nothing={},
    )  # fmt: skip


def planned():
    effects, audience = {planning.SHOWN: 2.0, planning.LOWER: 0.5}, 4000
    audiences = planning._audiences(effects, 40.0, 36.0, audience, 0.3, 0.8)
    return planning.Plan(
        AS_OF, planning.SHOWN, 2.0, 0.5, 3.5, 40.0, 36.0, 0.5, audience, 0.3, 0.8,
        planning.Usual(28, audience, 27.0, 40.0, 36.0), audiences,
        planning.power_curve(effects, [1000, 4000, 16000], sd=36.0, held_out_share=0.3),
        planning.hold_out_choices(audience, 2.0, sd=36.0, cost=0.5, low=0.5, high=3.5),
        planning.expected_profit(audience, 2.0, 0.5, 3.5, cost=0.5, held_out_share=0.3), False, ("Planned for 2.",),
    )  # fmt: skip


def promotions():
    counts = (300, 200, 100, 4)
    rows = [(band, count, count / 604, 50.0, 1e4, 0.25, 2e3, 0.2, 500.0, 0.25, 0.05, 2.0, 10.0)
            for band, count in zip(BANDS, counts, strict=True)]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(BY_BAND))
    judged = pd.DataFrame({"customer_id": [f"C{number:05d}" for number in range(604)]})
    return Promotions(AS_OF, judged, table, table, 66, 0.3, 0.05, ("It tells this.",))


def success(told, **more):
    campaigns = Campaigns(AS_OF, tuple(one.chosen for one in told), 0, FAULTS_SEEN)
    anyway = [(one.chosen.campaign.campaign_id, one.chosen.campaign.name, 0.7, 0.5, 0.9, 20, 6.0, False, "", "")
              for one in told if one.experiment and not one.running]  # fmt: skip
    parts = {
        "as_of": AS_OF, "currency": "USD", "judged_by": "purchase_days", "matters": 0.1, "campaigns": campaigns,
        "readings": told, "reached": reached_of(told), "by_group": BY_GROUP, "against_plan": AGAINST_PLAN,
        "plan": planned(), "targeting": targeting(), "channels": Channels(pd.DataFrame(), CHANNELS, ("Said so.",)),
        "promotions": promotions(),
        "anyway": pd.DataFrame(anyway, columns=list(ANYWAY)),
        "standing": Standing(), "wanting": (),
    }  # fmt: skip
    return CampaignSuccess(**(parts | more))


FAULTS_SEEN = pd.DataFrame(
    [("K09", "in both arms", 3, "C00001, C00002", "left out"), ("K09", "late", 12, "C00003", "kept")],
    columns=list(FAULTS),
)
BY_GROUP = pd.DataFrame(
    [("main department", "tea", 150, 30.0, 0.2, 0.14, 0.27),
     ("main department", "fewer than 5", 6, 5.0, 0.83, 0.4, 1.0),
     ("segment", "(unknown)", 9, 9.0, 1.0, 0.7, 1.0), ("segment", "Loyal", 200, 40.0, 0.2, 0.15, 0.26),
     ("segment", "Lost", 100, 2.0, 0.02, 0.0, 0.07), ("segment", "Rare", 100, 30.0, 0.3, 0.2, 0.4)],
    columns=list(GROUPED),
)  # fmt: skip
AGAINST_PLAN = pd.DataFrame(
    [(dt.date(2017, 1, 1), "net_sales", "K00", 100.0, 90.0, -10.0, -0.1, 5.0, 1.0, 9.0, -15.0, 1)],
    columns=list(PLANNED),
)  # fmt: skip
CHANNELS = pd.DataFrame(
    [("email", 0.01, 900, 600, 500, 99.0, 0.2, 700), ("phone", 4.0, 300, 4, 0, 0.0, np.nan, 200)],
    columns=[
        "channel",
        "cost",
        "allowed",
        "best_for",
        "worth_it_for",
        "net_value",
        "net_value_each",
        "likeliest_for",
    ],
)


@pytest.fixture(scope="module")
def one() -> CampaignSuccess:
    return success(readings())


@pytest.fixture(scope="module")
def without_lot() -> CampaignSuccess:
    """No campaign was drawn by lot, and nothing was learnt."""
    bare = dataclasses.replace(
        targeting(), uplift=pd.DataFrame(columns=list(UPLIFT)), why_not="Too few campaigns.", why_no_uplift="No lot.",
        policy=Policy(pd.DataFrame(columns=list(CURVE)), np.nan), target="",
    )  # fmt: skip
    told = tuple(each for each in readings() if each.experiment is None)
    return success(told, targeting=bare, plan=None, channels=None, against_plan=AGAINST_PLAN.head(0))


def words(shown):
    return html.unescape(re.sub(r"<[^>]+>", " ", shown._repr_html_()))


def frame_of(shown):
    return shown.numbers if isinstance(shown, Chart) else shown.frame


@pytest.mark.parametrize("name", sorted(set(SHOWN) - {"campaign_trust.show_scoring"}))
def test_every_part_says_something_and_names_nobody(name, one):
    shown = SHOWN[name](one)
    assert isinstance(shown, Chart | Table), getattr(shown, "sentence", shown)
    assert shown.picture is not None if isinstance(shown, Chart) else len(shown.frame)
    told = words(shown)
    assert not re.search(r"\bnan\b|\binf\b|∞|Nothing to show|\bC\d{5}\b", told), told


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_what_three_customers_did_is_nowhere(name, one):
    """Three were contacted by Tiny: it is named where campaigns are listed, and never with a number of theirs."""
    shown = SHOWN[name](one)
    if not isinstance(shown, Chart | Table):
        return
    frame = frame_of(shown)
    rows = frame[(frame == "Tiny").any(axis=1)]
    numbers = [
        name for name in ("responded", "net_sales_each", "margin_each", "effect", "usual", "profit") if name in rows
    ]
    assert rows[numbers].isna().all(axis=None), rows


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("campaign_success.draw_answers", "No campaign was drawn by lot"),
        ("campaign_success.draw_running", "No experiment runs"),
        ("campaign_next.draw_power", "cannot be planned"),
        ("campaign_next.draw_policy", "Too few campaigns."),
        ("campaign_next.draw_channels", "No customer has a score"),
        ("campaign_success.show_against_plan", "table plan"),
        ("campaign_trust.show_lots", "No campaign was drawn by lot"),
        ("campaign_trust.show_effects", "No campaign was drawn by lot"),
        ("campaign_trust.draw_changed_groups", "No campaign was drawn by lot"),
        ("campaign_trust.draw_response_gain", "Too few campaigns."),
        ("campaign_trust.draw_qini", "Too few campaigns."),
        ("campaign_trust.show_scoring", "Too few campaigns."),
    ],
)
def test_what_the_data_do_not_allow_is_one_sentence(name, says, without_lot):
    shown = SHOWN[name](without_lot)
    assert isinstance(shown, LeftOut)
    assert says in shown.sentence


def test_no_campaign_at_all_is_one_sentence_for_each_picture_of_campaigns():
    nothing = success(())
    for show in (report.draw_caused, report.draw_profit, report.show_caused, report.show_reached,
                 report.show_what_to_do, trust.draw_event_study, trust.draw_naive, trust.draw_balance):  # fmt: skip
        assert isinstance(show(nothing), LeftOut), show.__name__


def test_what_to_do_follows_from_verdict_and_profit(one):
    told = report.show_what_to_do(one).frame.set_index("what_to_do")["which"]
    assert told.to_dict() == {
        report.GO_ON: "Spring",  # changed what they buy, and paid even at the lower end
        report.CHECK: "Letter",  # claimed by comparison, and may have cost more than it brought
        report.STOP: "Dear",  # by lot, no sign of a gain, and the interval of its profit lies below nothing
        report.CHANGE: "Summer",
        report.LARGER: "Loaded and Autumn",  # that one of them seems to have lost money decides nothing
        report.DRAW: "Tiny and To the best",
        report.WAIT: "Winter",
    }


def test_effects_are_shares_of_the_usual_by_lot_first_and_open_ones_hollow(one):
    chart = report.draw_caused(one)
    assert chart.title == "Of 9 campaigns, 2 caused more; of 5 it cannot be told"
    frame = chart.numbers.set_index("campaign")
    assert frame.index.tolist() == ["Winter", "Loaded", "Dear", "Autumn", "Summer", "Spring", "To the best", "Letter"]
    assert frame.loc["Spring", ["change", "verdict"]].tolist() == [pytest.approx(0.3), "caused more"]
    assert frame.index[frame["open"]].tolist() == ["Winter", "Loaded", "Autumn", "To the best"]
    assert "Spring +30% (+20% to +40%, caused more)" in chart.alt


def test_an_interval_that_ends_at_nothing_has_no_minus_there():
    ends = pd.Series([-0.0004, -0.5, np.nan]), pd.Series([0.3, -0.004, 1.0])
    assert report.intervals(*ends, "+.2f") == ["+0.00 to +0.30", "-0.50 to +0.00", "–"]


def test_where_no_effect_may_be_claimed_nothing_is_said_of_money(one):
    names = set(report.draw_profit(one).numbers["campaign"])
    assert names == {"Spring", "Summer", "Autumn", "Dear", "Letter"}
    assert report.draw_profit(one).title == (
        "Profit of 4 campaigns drawn by lot: of 1 it lies above 0 and of 2 it lies below 0, with its whole interval"
    )


def test_answers_stand_beside_those_who_bought_because_of_it(one):
    frame = report.show_answers(one).frame.set_index("campaign")
    assert frame.loc["Spring", "answered"] == pytest.approx(0.1)
    assert frame.loc["Spring", "more_bought"] == pytest.approx(0.3)
    assert set(frame.index) == {"Spring", "Summer", "Autumn", "Dear"}  # neither running nor with an unfair lot


def test_who_answers_stands_by_segment_first_and_whoever_is_in_no_group_last(one):
    assert set(report._REST) == {POOLED, NOT_KNOWN}
    frame = report.show_by_group(one).frame
    assert frame[["by", "group", "contacts", "answers"]].to_numpy().tolist() == [
        ["segment", "Rare", 100, 30],
        ["segment", "Loyal", 200, 40],
        ["segment", "Lost", 100, 2],
        ["segment", "(unknown)", 9, 9],
        ["main department", "tea", 150, 30],
        ["main department", "fewer than 5", 6, 5],
    ]
    assert set(report.BY_FIRST) == set(BY.values())


def test_a_rate_that_would_tell_of_two_answers_is_neither_drawn_nor_written(one):
    chart = report.draw_by_group(one)
    assert chart.numbers["group"].tolist() == ["Rare", "Loyal"]
    assert "Lost" not in chart.title
    assert chart.note.endswith("Not drawn: one group with fewer than five answers.")
    assert re.search(r"Lost\s+100\s+under 5\s+–\s+–\s+–", words(report.show_by_group(one)))


def test_money_says_of_how_many_it_is(one):
    """Of the 100 whom Letter contacted 60 have similar untouched customers: margin, cost and profit are of these."""
    shown = report.show_profit(one)
    frame = shown.frame.set_index("campaign")
    assert frame.loc["Letter", ["contacted", "compared", "cost", "profit"]].tolist() == [100, 60, 30, 60]
    assert frame.loc["Spring", ["contacted", "compared", "cost"]].tolist() == [200, 200, 100]
    assert "Margin, cost and profit are of these." in words(shown)
    assert report.show_caused(one).frame.set_index("campaign")["compared"]["Tiny"] == 0
    told = {finding.name: str(finding) for finding in one.findings}
    assert "of 60 of 100 contacted customers, those who could be compared, changed by" in told["claimed_1"]
    assert "of 200 contacted customers changed by" in told["claimed_2"]


def test_net_sales_caused_are_of_those_who_were_compared():
    """Letter: 0.3 each of 60, and nothing is said of the 40 contacted who are like nobody."""
    letter = by_comparison(chosen("Letter", place=0, treated=100, arm=CONTACTED), 0.3)
    assert _caused((letter,))["net_sales"].sum() == pytest.approx(0.3 * 60)


def test_how_many_other_campaigns_one_meets_is_not_called_at_once(one):
    told = one.findings.pick("overlap")
    assert "8 of 9 campaigns share days with others, one of them with 1 other in all. With a lot" in str(told[0])


@pytest.mark.parametrize(
    ("left_out", "says"),
    [(66, "Left out: 66 of 670 customers, with purchases on fewer than 3 days"),
     (4, "Left out: fewer than 5 customers, with"), (0, "")],
)  # fmt: skip
def test_customers_whose_promotions_are_not_judged_are_counted(left_out, says, one):
    told = dataclasses.replace(one, promotions=dataclasses.replace(one.promotions, too_few_days=left_out))
    for show in (ahead.show_promotions, ahead.draw_promotions):
        assert says in words(show(told)) if says else "Left out" not in words(show(told))


def test_a_look_at_a_running_campaign_says_that_one_look_would_have_misled(one):
    assert report.draw_running(one).title.startswith("Winter, day 9 of 28: its effect cannot be read yet, though an")


@pytest.mark.parametrize(
    ("share", "target", "says"),
    [
        (0.5, "margin", "Contact the 50% whom it changes most: 500 USD"),
        (1.0, "margin", "Contact everybody: 0 USD"),
        (0.0, "margin", "No contact pays: the more are contacted, the more may be lost"),
        (1.0, "", "Nobody is surely changed more than others; contacting everybody: 0 USD"),
    ],
)
def test_how_many_to_contact(share, target, says, one):
    policy = dataclasses.replace(one.targeting.policy, best_share=share)
    told = dataclasses.replace(one, targeting=dataclasses.replace(one.targeting, policy=policy, target=target))
    assert ahead.draw_policy(told).title.startswith(says)


@pytest.mark.parametrize(("ships", "says"), [("Blend", "Blend gains +0.100"), (RULE, "no model is surely better")])
def test_who_would_answer_speaks_of_what_ships(ships, says, one):
    response = dataclasses.replace(one.targeting.response, ships=ships)
    told = dataclasses.replace(one, targeting=dataclasses.replace(one.targeting, response=response))
    assert says in trust.draw_response_gain(told).title


def test_a_group_of_four_customers_is_not_shown(one):
    assert ahead.show_groups(one).frame["group"].tolist() == ["Persuadable"]
    assert ahead.show_promotions(one).frame["customers"].min() >= 5
    assert ahead.draw_channels(one).numbers["channel"].tolist() == ["email"]


def test_strange_rows_of_few_are_counted_as_few(one):
    assert trust.show_strange(one).frame[["fault", "rows"]].to_numpy().tolist() == [
        ["late", "12"],
        ["in both arms", "fewer than 5"],
    ]


def test_the_event_study_is_of_a_campaign_with_a_claim_and_says_that_it_is_observational(one):
    chart = trust.draw_event_study(one)
    assert chart.title == "Letter: older days show nothing, and the contacted bought more than their like"
    assert chart.note.startswith("Observational.")
    assert "older days: 2 from 1 USD to 1 USD, 0 with an interval that excludes 0" in chart.alt


def test_a_channel_that_is_worth_nothing_is_not_praised(one):
    worthless = dataclasses.replace(one.channels, channels=CHANNELS.assign(worth_it_for=0))
    assert ahead.draw_channels(one).title == "Email is the best channel, and worth its cost, for 500 customers"
    assert "through no channel" in ahead.draw_channels(dataclasses.replace(one, channels=worthless)).title


def test_lists_stand_beside_what_was_expected_of_them(one):
    row = report.show_lists(one).frame.iloc[0]
    assert (row["programme"], row["expected_margin"], row["met"]) == ("retention", 50.0, "not yet")
    assert isinstance(report.show_lists(dataclasses.replace(one, readings=one.readings[:2])), LeftOut)


@pytest.mark.parametrize(("moved", "says"), [(0, "0 of 1 columns moved"), (9, "1 of 1 columns moved")])
def test_drift_is_told_beside_what_it_was_fitted_on(moved, says):
    then = pd.DataFrame({"tenure": np.arange(500.0)})
    drift = drift_of({"population": Population.of(then).as_record()}, then + 100 * moved, Review())
    assert says in words(trust.show_drift(drift))
    assert trust.show_drift(None) is None


DIFFERENCES = pd.DataFrame(
    {"who": ["a", "b", "c"], "gain": [0.1, -0.05, 0.02], "low": [0.05, -0.1, -9.0], "high": [0.15, 0.0, 9.0]}
)


def test_an_interval_far_beyond_the_others_is_cut_and_said_to_go_on():
    args = {"label": "who", "value": "gain", "interval": ("low", "high"), "title": "T", "unit": "share"}
    assert "goes on" not in draw_intervals(DIFFERENCES.head(2), **args).note
    many = pd.concat([DIFFERENCES.head(2)] * 12 + [DIFFERENCES.tail(1)], ignore_index=True)
    assert draw_intervals(many, **args).note == "Arrowhead: the interval goes on."
    assert draw_intervals(DIFFERENCES, **args).alt == (
        "Points with intervals of gain, 3: a +10% (+5% to +15%); b −5% (−10% to 0%); c +2% (−900% to +900%)."
    )


def test_intervals_are_the_same_every_time_and_without_any_there_is_a_line():
    args = {"label": "who", "value": "gain", "interval": ("low", "high"), "title": "T", "unit": "USD"}
    assert draw_intervals(DIFFERENCES, **args).picture.content == draw_intervals(DIFFERENCES, **args).picture.content
    assert draw_intervals(DIFFERENCES.assign(low=np.nan), **args).picture is None
    moments = {"x": "at", "value": "gain", "interval": ("low", "high"), "part": "who", "title": "T", "unit": "USD"}
    assert draw_moments(DIFFERENCES.assign(at=[1, 2, 3]), **moments, begins=2).picture is not None
    assert draw_moments(DIFFERENCES.assign(at=np.nan), **moments).picture is None
