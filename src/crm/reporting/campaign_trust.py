"""How far to trust what campaigns are said to have caused: lots, older days, balance, unseen causes; and the scores.

What an effect rests on is shown campaign by campaign, and so is what speaks against it. No customer is named, and
nothing is told of fewer than five.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crm.reporting.campaign_success import OUTCOMES, capital, intervals
from crm.reporting.chart import Chart
from crm.reporting.charts import draw_bars, draw_dots, draw_intervals, draw_moments
from crm.reporting.drift import show_drift as drift_table
from crm.reporting.left_out import LeftOut
from crm.reporting.small_groups import FEWEST
from crm.reporting.style import ACTUAL, BAD, COMPARISON, FORECAST, SERIES
from crm.reporting.tables import Table, show_table
from crm.reporting.wording import clean, heading, listed, number, shortened

if TYPE_CHECKING:  # the analysis is heavy, and whoever shows one has it loaded already
    from crm.analyses.campaign_success.observational import Observed
    from crm.analyses.campaign_success.reading import Reading
    from crm.analyses.campaign_success.result import CampaignSuccess
    from crm.analyses.campaign_success.uplift import Uplift
    from crm.review.drift import Drift

PARTS = {"older": "older days", "compared on": "compared on", "during": "the campaign", "after": "afterwards"}
_PART_COLOURS = dict(zip(PARTS.values(), (SERIES[1], COMPARISON, ACTUAL, FORECAST), strict=True))
_MOST_GROUPS, _MOST_KNOWN = 16, 12
_LUCK = 0.05
_RULE = "Share of campaigns answered"
_NO_EXPERIMENT = "No experiment has ended with a fair lot."
_APART = "customers apart"
_UNLIKE = "changed some groups more than others"
_ALIKE = "shows no difference between groups beyond luck"


def show_lots(one: CampaignSuccess) -> Table | LeftOut:
    """Was each lot fair: the share held out, what was known before, who was contacted all the same?"""
    if why := one.unsaid.get("experiments", ""):
        return LeftOut(why)
    rows = []
    for reading in reversed(one.readings):
        if reading.experiment is None or reading.chosen.contacted < FEWEST:
            continue
        lot, main = reading.experiment.lot, reading.experiment.main
        apart = float(lot.balance["difference"].abs().max())
        rows.append(
            (_name(reading), "yes" if lot.fair else "no", main.treated, main.held_out, lot.planned, lot.drawn,
             lot.p_ratio, apart, lot.p_balance, lot.contacted_anyway, max(lot.elsewhere),
             1 - math.sqrt(1 - main.variance_reduction))
        )  # fmt: skip
    columns = ["campaign", "fair", "treated", "held_out", "planned", "drawn", "by_luck", "most_apart",
               "apart_by_luck", "contacted_anyway", "elsewhere", "narrower_by"]  # fmt: skip
    return show_table(
        pd.DataFrame(rows, columns=columns),
        caption="Was the lot fair?",
        counts=["contacted_anyway"],
        formats={**dict.fromkeys(["planned", "drawn", "elsewhere", "narrower_by"], ".0%"), "most_apart": ".2f",
                 **dict.fromkeys(["by_luck", "apart_by_luck"], ".3f")},
        notes="By luck: the chance of so unlike a share, and of arms so unlike in what was known before; below 0.001 "
        "no lot is believed. Most apart: the largest difference known before, in standard deviations. Contacted "
        "anyway: of those held out. Elsewhere: reached by other campaigns in the same days. Narrower by: what "
        "adjusting for the past takes off the interval.",
    )  # fmt: skip


def show_together(one: CampaignSuccess) -> Table | LeftOut:
    """All experiments together: what a usual one changes, outcome by outcome."""
    if why := one.unsaid.get("experiments", ""):
        return LeftOut(why)
    rows = []
    for outcome in ("bought", "purchase_days", "net_sales", "margin"):
        found = one.together(outcome)
        if found is not None:
            usual = np.mean([each.experiment.of(outcome)["usual"] for each in one.experiments if each.experiment])
            rows.append((capital(OUTCOMES[outcome]), usual, found.effect, found.low, found.high, found.spread))
    if not rows:
        return LeftOut("Fewer than two experiments have ended: there is nothing to put together.")
    return show_table(
        pd.DataFrame(rows, columns=["outcome", "usual", "effect", "low", "high", "spread"]),
        caption=f"All {len(one.experiments)} ended experiments together, per contacted customer",
        formats={"usual": ",.3f", **dict.fromkeys(["effect", "low", "high"], "+,.3f"), "spread": ",.3f"},
        notes=f"Amounts in {one.currency}; low, high: 95% interval for a campaign like these. Spread: by how much "
        "campaigns differ beyond luck, as a standard deviation.",
    )


def show_effects(one: CampaignSuccess) -> Table | LeftOut:
    """Every outcome of every experiment, in its days and after them."""
    if not one.experiments:
        return LeftOut(one.unsaid.get("experiments", _NO_EXPERIMENT))
    parts = [_effects_of(reading) for reading in reversed(one.experiments) if reading.chosen.contacted >= FEWEST]
    table = pd.concat(parts, ignore_index=True)
    after = "effect_after" in table
    formats = {"usual": ",.2f", "effect": "+,.2f", "luck": ".3f"}
    return show_table(
        table,
        caption=f"Every outcome of the experiments, per contacted customer ({one.currency})",
        formats=formats | ({"effect_after": "+,.2f", "luck_after": ".3f"} if after else {}),
        notes="Everyone counts in the arm that was drawn for them. Intervals: 95%. Luck: the chance of so large a "
        "difference if a campaign changes nothing, corrected for the number of its outcomes. After: in the days that "
        "follow, in which an effect may be lost again.",
        most_rows=48,
    )


def _effects_of(reading: Reading) -> pd.DataFrame:
    assert reading.experiment is not None
    effects = reading.experiment.effects.rename(columns={"p_corrected": "luck"})
    effects = effects.assign(interval=intervals(effects["low"], effects["high"], "+,.2f"))
    effects = effects[effects["outcome"] != "responded"]
    during = effects[effects["window"] == "during"][["outcome", "usual", "effect", "interval", "luck"]]
    after = effects[effects["window"] == "after"][["outcome", "effect", "interval", "luck"]]
    told = during.merge(after, on="outcome", how="left", suffixes=("", "_after")) if len(after) else during
    named = told.assign(outcome=[capital(OUTCOMES[name]) for name in told["outcome"]])
    named.insert(0, "campaign", _name(reading))
    return named


def draw_changed_groups(one: CampaignSuccess) -> Chart | LeftOut:
    """Were some kinds of customers changed more than others, in the clearest experiment?"""
    told = [reading for reading in one.experiments if reading.experiment and len(reading.experiment.groups)]
    if not told:
        return LeftOut(one.unsaid.get("experiments", "No group of an experiment is large enough for an effect."))
    claimed = [reading for reading in told if reading.verdict.claimed]
    reading = (claimed or told)[-1]
    assert reading.experiment is not None
    groups, chance = reading.experiment.groups, reading.experiment.p_groups
    unlike = chance < _LUCK
    return draw_intervals(
        groups.assign(by=[heading(str(name).replace(" ", "_")) for name in groups["by"]])[
            ["by", "group", "effect", "low", "high", "usual", "treated", "held_out", "p_corrected"]
        ].head(_MOST_GROUPS),
        label="group",
        value="effect",
        interval=("low", "high"),
        panel="by",
        unit="",
        title=f"{_name(reading)} " + (_UNLIKE if unlike else _ALIKE),
        note=f"Change in {OUTCOMES[one.judged_by]} per contacted customer, with 95% interval of each group by "
        f"itself. "
        f"Chance of groups so unlike by luck: {chance:.2f}." if np.isfinite(chance) else
        f"Change in {OUTCOMES[one.judged_by]} per contacted customer, with 95% interval of each group by itself.",
    )  # fmt: skip


def draw_event_study(one: CampaignSuccess) -> Chart | LeftOut:
    """Week by week, the contacted beside similar customers left alone, in the clearest campaign without a lot."""
    reading = _clearest(one)
    if reading is None or reading.observed is None:
        return LeftOut(
            one.unsaid.get("observational", "No campaign's contacted customers have similar untouched ones.")
        )
    weeks = reading.observed.event_study
    table = weeks.assign(part=weeks["part"].map(PARTS), difference=weeks["effect"])
    passed = {True: "older days show nothing", False: "even older days differ", None: "older days cannot be told"}
    return draw_moments(
        table[["week", "difference", "low", "high", "treated", "untouched", "part"]],
        x="week",
        value="difference",
        interval=("low", "high"),
        part="part",
        colours=_PART_COLOURS,
        begins=-0.5,
        unit=one.currency,
        title=f"{_name(reading)}: {passed[reading.observed.placebo.passed]}, and {_told_of(reading)}",
        note="Observational. Net sales per customer and week: contacted less similar customers who were not, with "
        "95% "
        "intervals. Week 0 begins the campaign. Older days must show nothing; the weeks compared on are made alike.",
    )


def show_placebos(one: CampaignSuccess) -> Table | LeftOut:
    """Of every campaign without a lot: who could be compared, and what speaks against the comparison."""
    if why := one.unsaid.get("observational", ""):
        return LeftOut(why)
    rows = [
        _compared(reading, reading.observed, one.judged_by)
        for reading in reversed(one.readings)
        if reading.observed is not None and reading.chosen.contacted >= FEWEST
    ]
    columns = ["campaign", "compared", "with_similar", "worth_untouched", "apart_before", "apart_after", "older_days",
               "older_by_luck", "naive", "ours", "verdict"]  # fmt: skip
    return show_table(
        pd.DataFrame(rows, columns=columns),
        caption="What the comparisons without a lot rest on: observational",
        formats={"with_similar": ".0%", "worth_untouched": ",.0f", "apart_before": ".2f", "apart_after": ".2f",
                 "older_by_luck": ".3f", **dict.fromkeys(["naive", "ours"], "+,.2f")},
        notes="With similar: share of the contacted who have similar untouched customers; worth untouched: how "
        "many of "
        "these the weighted ones are worth. Apart: the largest difference in what is known, in standard deviations, "
        "before and after weighting. Older by luck: chance of what older days show; below 0.05 no effect is claimed. "
        f"Naive: contacted less all others, in {OUTCOMES[one.judged_by]}; ours: with similar customers.",
    )  # fmt: skip


def draw_naive(one: CampaignSuccess) -> Chart | LeftOut:
    """What a plain comparison would have claimed, beside ours."""
    shown = show_placebos(one)
    if isinstance(shown, LeftOut):
        return shown
    table = shown.frame.dropna(subset=["naive", "ours"])
    if table.empty:
        return LeftOut("No campaign's contacted customers could be compared with anybody.")
    long = table.melt("campaign", ["naive", "ours"], var_name="comparison", value_name="difference")
    words = {"naive": "with all others", "ours": "with similar customers"}
    gap = float((table["naive"] - table["ours"]).mean())
    more = "more" if gap >= 0 else "less"
    return draw_dots(
        long.assign(comparison=long["comparison"].map(words)),
        label="campaign",
        value="difference",
        colour_by="comparison",
        colours={words["naive"]: BAD, words["ours"]: ACTUAL},
        unit="",
        title=f"Compared with all others, the contacted seem to gain {number(abs(gap))} {OUTCOMES[one.judged_by]} "
        f"{more} "
        "than with similar customers",
        note=f"Difference in {OUTCOMES[one.judged_by]} per contacted customer, observational. Campaigns go to good "
        "customers, who buy more anyway: that is no effect.",
    )


def draw_balance(one: CampaignSuccess) -> Chart | LeftOut:
    """Are both sides alike in what is known, once weighted?"""
    reading = _clearest(one)
    if reading is None or reading.observed is None or reading.observed.balance.empty:
        return LeftOut(
            one.unsaid.get("observational", "No campaign's contacted customers have similar untouched ones.")
        )
    balance = reading.observed.balance.head(_MOST_KNOWN)
    table = balance.assign(known=[heading(name) for name in balance["known"]])
    long = table.melt("known", ["before", "after"], var_name="when", value_name="standard_deviations_apart")
    words = {"before": "before weighting", "after": "after weighting"}
    worst = float(reading.observed.balance["after"].abs().max())
    return draw_dots(
        long.assign(when=long["when"].map(words)),
        label="known",
        value="standard_deviations_apart",
        colour_by="when",
        colours={words["before"]: COMPARISON, words["after"]: ACTUAL},
        unit="",
        title=f"{_name(reading)}: weighted, both sides are at most {worst:.2f} standard deviations apart",
        note=f"The {len(balance)} most different of {len(reading.observed.balance)} things known before the "
        f"campaign.",
    )


def show_sensitivity(one: CampaignSuccess) -> Table | LeftOut:
    """How strong would a cause have to be that nobody sees?"""
    if why := one.unsaid.get("observational", ""):
        return LeftOut(why)
    rows = []
    for reading in reversed(one.readings):
        told = reading.observed.sensitivity if reading.observed else None
        if told is None or not math.isfinite(told.robustness) or reading.chosen.contacted < FEWEST:
            continue
        rows.append((_name(reading), told.effect, told.robustness, told.of_interval, told.strongest,
                     told.strongest_share))  # fmt: skip
    if not rows:
        return LeftOut("How strong an unseen cause would have to be cannot be said: nothing was compared.")
    columns = ["campaign", "effect", "undone_by", "interval_undone_by", "strongest_known", "which_explains"]
    return show_table(
        pd.DataFrame(rows, columns=columns),
        caption=f"Could an unseen cause account for it? Net sales per contacted customer ({one.currency})",
        formats={"effect": "+,.2f", **dict.fromkeys(["undone_by", "interval_undone_by", "which_explains"], ".1%")},
        notes="Undone by: an unseen cause that explains this share of who was chosen, and of what they bought, "
        "leaves "
        "no effect; interval undone by: lets its interval hold 0. Beside it the strongest known thing: where it "
        "explains more, an unseen cause no stronger than that is enough.",
    )


def draw_response_gain(one: CampaignSuccess) -> Chart | LeftOut:
    """What models gain over the rule of thumb in telling who would answer."""
    judged = one.targeting.response
    rows = judged.gains[judged.gains["measure"] == "auc"] if len(judged.gains) else judged.gains
    if (why := _no_response(one)) or rows.empty:
        return LeftOut(why or "Nobody's answers were judged on a later campaign.")
    return draw_intervals(
        rows.assign(ships=np.where(rows["candidate"] == judged.ships, "ships", "does not"))[
            ["candidate", "gain", "low", "high", "ours", "theirs", "ships"]
        ].rename(columns={"gain": "gain_in_order"}),
        label="candidate",
        value="gain_in_order",
        interval=("low", "high"),
        colour_by="ships",
        colours={"ships": FORECAST, "does not": COMPARISON},
        unit="",
        title=_who_answers(rows, judged.ships),
        note=f"In the order of customers (area under the curve), on {judged.campaigns} later campaigns none of "
        f"which it "
        f"was learnt from; 95% intervals. The rule: the share of past campaigns that somebody answered.",
    )


def _who_answers(rows: pd.DataFrame, ships: str) -> str:
    ours = rows[rows["candidate"] == ships]
    if ours.empty:
        return "Who would answer: no model is surely better than the rule of thumb, which scores"
    row = ours.iloc[0]
    sure = "" if row["low"] > 0 else ", which may be chance"
    return f"Who would answer: {ships} gains {row['gain']:+.3f} over the rule of thumb{sure}"


def show_response(one: CampaignSuccess) -> Table | LeftOut:
    """Every candidate on the later campaigns."""
    judged = one.targeting.response
    if (why := _no_response(one)) or judged.table.empty:
        return LeftOut(why or "Nobody's answers were judged on a later campaign.")
    table = judged.table
    names = ["auc", "average_precision", "lift", "calibration", "expected"]
    mean = table.groupby("candidate", sort=False)[names].mean().reset_index()
    mean = mean.assign(ships=["yes" if name == judged.ships else "" for name in mean["candidate"]])
    mean = mean.sort_values("auc", ascending=False, kind="stable", ignore_index=True)
    once = table.drop_duplicates("campaign_id")
    return show_table(
        mean.rename(columns={"auc": "order", "calibration": "calibration_error", "expected": "expected_over_came"}),
        caption=f"Who would answer: every candidate, mean over {judged.campaigns} later campaigns",
        formats={"order": ".3f", "average_precision": ".3f", "lift": ".1f", "calibration_error": ".1%",
                 "expected_over_came": ".2f"},
        notes=f"{int(once['contacts'].sum()):,} contacts, {int(once['answered'].sum()):,} answers. Order: 0.5 is "
        f"chance, "
        "1 is perfect. Lift: of the tenth with the highest chance, how many times as many answered as of all.",
    )  # fmt: skip


def draw_calibration(one: CampaignSuccess) -> Chart | LeftOut:
    """Did as many answer as was said?"""
    table = one.targeting.response.calibration
    if (why := _no_response(one)) or table.empty:
        return LeftOut(why or "Nobody's answers were judged on a later campaign.")
    rows = table[table["customers"] >= FEWEST].sort_values("expected", ascending=False, kind="stable")
    outside = int(((rows["expected"] < rows["low"]) | (rows["expected"] > rows["high"])).sum())
    verdict = (
        f"in {outside} of {len(rows)} tenths other than expected, beyond chance"
        if outside
        else "as many answered as were expected to, in every tenth"
    )
    names = ["highest tenth", *(f"tenth {place}" for place in range(2, len(rows))), "lowest tenth"][: len(rows)]
    return draw_bars(
        rows.assign(tenth=names, share_that_answered=rows["came"])[
            ["tenth", "customers", "share_that_answered", "expected", "low", "high"]
        ],
        label="tenth",
        value="share_that_answered",
        interval=("low", "high"),
        comparison="expected",
        order="as_given",
        unit="share",
        title=f"On later campaigns, {verdict}",
        note="Contacts in tenths by the chance of an answer, the highest first. Tick: expected; line: 95% interval.",
    )


def draw_qini(one: CampaignSuccess) -> Chart | LeftOut:
    """Can customers be put in an order of how much a contact changes them?"""
    table = one.targeting.uplift
    if (why := one.unsaid.get("uplift", "")) or table.empty:
        return LeftOut(why or "No experiment tells whom a contact changes.")
    ships = table[table["ships"].astype("bool")]
    target = str(ships["target"].iloc[0]) if len(ships) else str(table["target"].iloc[0])
    rows = table[(table["target"] == target) & (table["judged_on"] == _APART)].dropna(subset=["qini"])
    kinds = np.where(rows["ships"].astype("bool"), "ships", "does not")
    first = ships.iloc[0] if len(ships) else None
    if first is None:
        title = "Nobody is surely changed more than others: there is nothing to target on"
    else:
        over = ", and over that of who would answer" if first["over_answers_low"] > 0 else ""
        title = f"{first['learner']}: its order of whom a contact changes is better than chance{over}"
    return draw_intervals(
        rows.assign(ships=kinds)[["learner", "qini", "low", "high", "over_answers", "ships"]],
        label="learner",
        value="qini",
        interval=("low", "high"),
        colour_by="ships",
        colours={"ships": FORECAST, "does not": COMPARISON},
        unit="",
        title=title,
        note=f"Qini by {target}: what an order gains over a random one (0), per customer, with 95% interval; on "
        f"{rows['rows'].iloc[0]:,} customers of {rows['campaigns'].iloc[0]} experiments, none of whom it was "
        f"learnt from.",
    )


def show_learners(one: CampaignSuccess) -> Table | LeftOut:
    """Every learner of effects, on customers apart and on later campaigns."""
    table = one.targeting.uplift
    if (why := one.unsaid.get("uplift", "")) or table.empty:
        return LeftOut(why or "No experiment tells whom a contact changes.")
    told = table.assign(
        interval=intervals(table["low"], table["high"], "+.3f"),
        over_interval=intervals(table["over_answers_low"], table["over_answers_high"], "+.3f"),
        ships=["yes" if ships else "" for ships in table["ships"]],
    )
    columns = ["target", "learner", "judged_on", "qini", "interval", "over_answers", "over_interval", "ships"]
    return show_table(
        told[columns],
        caption="Whom a contact changes: every learner, judged on customers it was not learnt from",
        formats=dict.fromkeys(["qini", "over_answers"], "+.3f"),
        notes="Qini: 0 is a random order. Over answers: above the order of who would answer. Three orders may be "
        "used, named before anything was looked at: the doubly robust learner, who would answer, and both together. "
        "It is the one that brings the most money, held back by how unsure it is. That customers can be told apart "
        "is said only where its interval lies above 0.",
    )


def show_scoring(one: CampaignSuccess) -> Table | LeftOut:
    """What scores today."""
    model = one.targeting.model
    if model is None:
        return LeftOut(one.unsaid.get("targeting", "Nothing scores: nothing could be learnt."))
    scores, fitted = one.scores, "the one fitted in this run"
    changed = _whom_it_changes(model.uplift, sure=bool(one.targeting.target)) if model.uplift is not None else ""
    rows = [
        ("Who would answer", model.response.ships),
        ("Whom a contact changes", changed or one.unsaid.get("uplift", "not known")),
        ("Version", one.standing.version if one.standing.record is not None else fitted),
        ("Customers scored", f"{scores['customer_id'].nunique():,}"),
        (
            "Kinds of campaign",
            listed([clean(kind) for kind in sorted(scores["kind"].astype(str).unique())]) or "none",
        ),
    ]
    return show_table(
        pd.DataFrame(rows, columns=["what", "value"]), caption="What scores today", notes=one.standing.why or ()
    )


def _whom_it_changes(uplift: Uplift, *, sure: bool) -> str:
    """By what customers are ordered, or what everybody is given."""
    if uplift.rule:
        return f"{uplift.rule}, {'surely' if sure else 'likely, not surely,'} better than chance"
    return "the average effect" + (", in money spread by who would answer" if uplift.parts else " for everybody")


def show_drift(drift: Drift | None) -> Table | LeftOut | None:
    """Are the customers of today those it was fitted on? None where nothing scores."""
    return drift_table(drift)


def show_strange(one: CampaignSuccess) -> Table | None:
    """What is strange about rows of campaigns, and what was done with them; None where nothing is."""
    faults = one.campaigns.faults
    if faults.empty:
        return None
    sums = faults.groupby(["fault", "done"], sort=False).agg(
        campaigns=("campaign_id", "nunique"), customers=("rows", "sum")
    ).reset_index()  # fmt: skip
    sums = sums.sort_values("customers", ascending=False, kind="stable", ignore_index=True)
    few = [f"{count:,}" if count >= FEWEST else f"fewer than {FEWEST}" for count in sums["customers"]]
    return show_table(
        sums.assign(rows=few)[["fault", "rows", "campaigns", "done"]],
        caption="Strange rows, and what was done with them",
    )


def _clearest(one: CampaignSuccess) -> Reading | None:
    """Of the campaigns without a lot one with a claim, else one that might have had one, else any; the surest."""
    told = [each for each in one.readings if each.observed is not None and len(each.observed.event_study)]
    told = [each for each in told if each.chosen.contacted >= FEWEST and not each.running] or told
    claimed = [each for each in told if each.verdict.claimed]
    allowed = [each for each in told if each.observed is not None and each.observed.claim_allowed]
    return min(claimed or allowed or told, key=_width, default=None)


def _width(reading: Reading) -> float:
    """Of the interval, as share of the usual."""
    verdict = reading.verdict
    width = (verdict.high - verdict.low) / verdict.usual if verdict.usual else math.inf
    return width if math.isfinite(width) else math.inf


def _told_of(reading: Reading) -> str:
    words = {"caused more": "the contacted bought more than their like", "no sign": "there is no sign of an effect",
             "caused less": "the contacted bought less than their like"}  # fmt: skip
    return words.get(reading.verdict.word, "no effect can be claimed")


def _compared(reading: Reading, seen: Observed, outcome: str) -> tuple[object, ...]:
    """One row of the comparisons without a lot."""
    overlap, apart = seen.overlap, seen.balance
    older = {True: "show nothing", False: "differ", None: "cannot be told"}[seen.placebo.passed]
    rows = seen.effects
    rows = rows[(rows["outcome"] == outcome) & (rows["window"] == "during")] if len(rows) else rows
    naive, ours = tuple(rows[["naive", "effect"]].iloc[0]) if len(rows) else (np.nan, np.nan)
    largest = [float(apart[name].abs().max()) if len(apart) else np.nan for name in ("before", "after")]
    few = overlap.treated < FEWEST
    return (
        _name(reading), overlap.treated if not few else np.nan, overlap.with_support if len(apart) else np.nan,
        overlap.effective if len(apart) else np.nan, *largest, older, seen.placebo.p,
        *((np.nan, np.nan) if few else (naive, ours)), reading.verdict.word,
    )  # fmt: skip


def _no_response(one: CampaignSuccess) -> str:
    return one.unsaid.get("targeting", "") or one.targeting.why_no_response


def _name(reading: Reading) -> str:
    return shortened(reading.chosen.campaign.name, 40)
