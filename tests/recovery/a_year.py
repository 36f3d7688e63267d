"""A year of action lists in a made-up company, where what every contact changes is planted and known.

Each month the whole circle goes round: facts are read, whom a contact changes is learnt, a list is planned, written,
kept and said to be sent; the contacted then buy what the planted effect makes them buy, or stay away, and the next
month's facts have the list as a campaign. The same number of contacts is counted out to other policies as well, and
each is worth what is true of the customers it picks.

    python tests/recovery/a_year.py --customers 40_000
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lists_drawn import write_lists

from crm.analyses.campaign_success.campaigns import read_campaigns
from crm.analyses.campaign_success.differences import differences
from crm.analyses.campaign_success.money import RULES
from crm.analyses.campaign_success.randomised import covariates, read_experiment
from crm.analyses.campaign_success.targeting import learn_targeting
from crm.analyses.campaign_success.uplift import APART
from crm.analyses.campaign_success.windows import around
from crm.config import read_settings
from crm.facts import Facts, read_facts
from crm.periods import day_number
from crm.scoring.action_lists import ActionLists, plan_actions
from crm.scoring.permission import may_contact
from crm.snapshots import snapshot
from crm.sources.sample_company import read_truth, write_sample_company
from crm.sources.sample_company.calendar import calendar_until
from crm.sources.sample_company.responses import OTHERS_ANSWER, PERSUADED_ANSWER, SURE_THINGS_ANSWER
from crm.sources.sample_company.story import DISTURBED, PERSUADED
from crm.written_lists import keep_lists, mark_sent

ENDS = dt.date(2018, 1, 1)
DAYS = 28
"""For which a contact has its effect, and after which a list is read."""
TABLES = ("purchases", "products", "customers", "campaigns", "contacts", "responses", "returns", "visits")
PROGRAMME = "contact"
OURS, RANDOM, RISK, VALUE, ANSWERS = "ours", "at random", "highest risk", "highest value", "who would answer"
OUR_ORDER = "our order, whole budget"
POLICIES = (OURS, OUR_ORDER, RANDOM, RISK, VALUE, ANSWERS)
"""Ours leaves some alone by lot and contacts nobody who is not expected to be worth it; `OUR_ORDER` does neither, and
tells what is owed to whom it picks."""
NEVER = np.iinfo(np.int64).max


@dataclass
class Company:
    """A project whose files grow: what contacts change is written into its purchases and responses.

    truth: by customer_id: group, rate, value (net sales of an order), margin_rate, ends (day number), buys.
    lines: purchases as they are by now, those still to come among them.     own: as they were without any list.
    """

    home: Path
    truth: pd.DataFrame = field(repr=False)
    lines: pd.DataFrame = field(repr=False)
    own: pd.DataFrame = field(repr=False)
    responses: pd.DataFrame = field(repr=False)

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.home / "data"

    def facts(self, as_of: dt.date, *, cost: float, budget: float, held_out: float) -> Facts:
        """What is known on a date."""
        tables = "\n".join(f'[source.tables.{name}]\npath = "company/{name}"' for name in TABLES)
        (self.home / "crm.toml").write_text(
            f'[source]\nkind = "files"\n{tables}\n[clock]\nas_of = {as_of}\n[contacts]\nconsents = "elsewhere"\n'
            f'[money]\ncontact_cost = {{ mail = 0.60 }}\n[programmes.{PROGRAMME}]\nkind = "persuade"\n'
            f'channels = ["mail"]\noffer_cost = {cost - 0.60}\nbudget = {budget}\nheld_out_share = {held_out}\n'
            f"send_within_days = 7\nmeasure_after_days = {DAYS}\n"
        )
        return read_facts(read_settings(self.home / "crm.toml"))

    def active(self, as_of: dt.date, within: int = 56) -> int:
        """How many bought lately."""
        day = day_number(as_of)
        lately = self.lines.loc[self.lines["day"].between(day - within, day - 1), "customer_id"]
        return int(lately.nunique())

    def write(self) -> None:
        """The files anew."""
        self.lines.drop(columns="day").to_parquet(self.home / "company" / "purchases" / "all.parquet", index=False)
        self.responses.to_parquet(self.home / "company" / "responses" / "all.parquet", index=False)


def found_company(home: Path, *, customers: int, seed: int) -> Company:
    """A sample company without dirt, as files that can grow."""
    raw = write_sample_company(home / "company", customers=customers, seed=seed, as_of=ENDS, faults=False)
    lines = pd.read_parquet(raw / "purchases")
    lines["day"] = _days(lines["ordered_at"])
    responses = pd.read_parquet(raw / "responses")
    for name in ("purchases", "responses"):
        for part in (raw / name).glob("part-*"):
            part.unlink()
    (home / "notebooks").mkdir()
    company = Company(home, _truth(raw, lines), lines, lines, responses)
    company.write()
    return company


def _days(moments: pd.Series) -> pd.Series:
    return (moments.dt.normalize() - pd.Timestamp(0)).dt.days.astype("int64")


def _truth(raw: Path, lines: pd.DataFrame) -> pd.DataFrame:
    told = read_truth(raw, "customers").set_index("customer_id")
    rate = pd.read_parquet(raw / "products").set_index("product_id")["margin_rate"].fillna(0.25)
    earned = (lines["net_amount"] * lines["product_id"].map(rate)).groupby(lines["customer_id"]).sum()
    sold = lines.groupby("customer_id")["net_amount"].sum()
    ends = pd.to_datetime(told["died_on"])
    return pd.DataFrame(
        {
            "group": told["uplift_group"].astype("str"),
            "segment": told["segment"].astype("str"),
            "rate": told["purchase_rate"],
            "value": told["order_value"],
            "margin_rate": (earned / sold.where(sold > 0)).reindex(told.index).fillna(0.25),
            "ends": np.where(ends.isna(), NEVER, _days(ends.fillna(pd.Timestamp(0)))),
        }
    )


def true_gain(company: Company, customer_ids: Sequence[str], as_of: dt.date) -> np.ndarray:
    """Margin that contacting each on this date adds, in expectation: what the sample company plants, before costs."""
    who, start = company.truth.loc[list(customer_ids)], day_number(as_of)
    last = np.clip(who["ends"].to_numpy(), start, start + DAYS)
    lived = np.maximum(last - start - 1, 0) / (DAYS - 1)
    calendar = calendar_until(ENDS)
    first = day_number(calendar.start)
    weeks = calendar.weeks[last - first] - calendar.weeks[start - first]
    gained = (who["group"] == "persuadable") * PERSUADED * lived
    lost = (who["group"] == "do not disturb") * DISTURBED * who["rate"] * weeks
    return ((gained - lost) * who["value"] * who["margin_rate"]).to_numpy()


def contact(company: Company, customer_ids: Sequence[str], list_id: str, as_of: dt.date, *, seed: int) -> None:
    """What contacting them changes is drawn into the purchases that are still to come, and who answers beside it.

    A persuaded customer orders once more what they ordered once; a disturbed one orders nothing in these days.
    """
    rng, start = np.random.default_rng(seed), day_number(as_of)
    who = company.truth.loc[list(customer_ids)]
    persuaded, disturbed = _drawn_by(rng, who)
    bought = _extra_orders(rng, company, who[persuaded], list_id, start)
    lines = company.lines
    stays_away = lines["customer_id"].isin(who.index[disturbed]) & lines["day"].between(start, start + DAYS - 1)
    lines = lines[~stays_away]
    theirs = lines[lines["customer_id"].isin(who.index) & lines["day"].between(start + 1, start + DAYS - 1)]
    sure = theirs["customer_id"].map(who["group"]) == "sure thing"
    chance = pd.Series(np.where(sure, SURE_THINGS_ANSWER, OTHERS_ANSWER), index=theirs.index)
    answered = [_answers(rng, theirs, chance, list_id)]
    answered.append(_answers(rng, bought, pd.Series(PERSUADED_ANSWER, index=bought.index), list_id))
    company.lines = pd.concat([lines, bought], ignore_index=True)
    company.responses = pd.concat([company.responses, *answered], ignore_index=True)
    company.write()


def _drawn_by(rng: np.random.Generator, who: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    chance = rng.random(len(who))
    persuaded = ((who["group"] == "persuadable") & (chance < PERSUADED)).to_numpy()
    return persuaded, ((who["group"] == "do not disturb") & (chance < DISTURBED)).to_numpy()


def _extra_orders(
    rng: np.random.Generator, company: Company, who: pd.DataFrame, list_id: str, start: int
) -> pd.DataFrame:
    """One of their own orders once more, scaled to what they spend in expectation, unless they leave before."""
    own = company.own
    orders = own.groupby(["customer_id", "order_id"], sort=True)["net_amount"].sum().reset_index()
    mean = orders.groupby("customer_id")["net_amount"].mean()
    orders = orders.assign(lot=rng.random(len(orders))).sort_values("lot").drop_duplicates("customer_id")
    picked = orders.set_index("customer_id")["order_id"].reindex(who.index)
    day = pd.Series(start + rng.integers(1, DAYS, len(who)), index=who.index)
    in_time = (day < who["ends"]) & picked.notna()
    again = own[own["order_id"].isin(picked[in_time])].copy()
    moved = again["customer_id"].map(day)
    scale = again["customer_id"].map(who["value"] / mean.reindex(who.index))
    for name in ("net_amount", "discount_amount", "coupon_amount"):
        again[name] = (again[name] * scale).round(2)
    again["ordered_at"] = again["ordered_at"] + pd.to_timedelta(moved - again["day"], unit="D")
    return again.assign(day=moved, order_id=list_id + "/" + again["order_id"])


def _answers(rng: np.random.Generator, lines: pd.DataFrame, chance: pd.Series, list_id: str) -> pd.DataFrame:
    """Rows of the table responses: one draw for each order."""
    orders = lines.assign(chance=chance).drop_duplicates("order_id")
    some = orders[rng.random(len(orders)) < orders["chance"]]
    return pd.DataFrame(
        {"campaign_id": list_id, "customer_id": some["customer_id"], "responded_at": some["ordered_at"]}
    )


@dataclass(frozen=True)
class Year:
    """What came of it.

    picked:   one row per month and customer who might be contacted: month, customer_id, gain (true), expected, cost,
              and for each of `POLICIES` how often it contacts them (0 or 1, at random a share).
    listed:   one row per customer of our lists: month, list_id, customer_id, arm, gain (true), expected.
    learnt:   one row per month: by which rule customers were ordered, and how many could be contacted.
    measured: one row per list, as the circle reads it in the end: effect, se, treated.
    """

    picked: pd.DataFrame = field(repr=False)
    listed: pd.DataFrame = field(repr=False)
    learnt: pd.DataFrame = field(repr=False)
    measured: pd.DataFrame = field(repr=False)


def live(
    company: Company,
    months: Sequence[dt.date],
    *,
    cost: float,
    share: float = 0.20,
    held_out: float = 0.20,
    learn_every: int = 3,
    scored: Callable[[Facts, dt.date], pd.DataFrame] | None = None,
    seed: int = 1,
    told: Callable[[str], None] = lambda _: None,
) -> Year:
    """The circle, month by month.

    cost: of a contact and its offer.     share: of the active customers, for whom there is budget.
    learn_every: months after which a model is fitted anew; between them it scores.     scored: scores in place of
    those of a model, as of a company that is too small to learn from.
    """
    picked, listed, learnt, model = [], [], [], None
    for number, as_of in enumerate(months):
        budget = round(cost * share * company.active(as_of), 2)
        facts = company.facts(as_of, cost=cost, budget=budget, held_out=held_out)
        if scored is None and number % learn_every == 0:
            targeting = learn_targeting(facts, read_campaigns(facts, as_of), as_of, seed=seed)
            model = targeting.model
            told(_said(targeting))
        scores = scored(facts, as_of) if scored else model.score(facts, as_of)
        lists = plan_actions(facts, as_of, scores={"campaign_response": scores})
        people = _policies(company, facts, as_of, scores, lists, most=int(budget / cost + 1e-9))
        picked.append(people.assign(month=as_of, cost=cost))
        listed.append(_listed(company, lists, as_of))
        by = model.uplift.rule if model and model.targets else ""
        learnt.append((as_of, by, len(people), len(lists.lists[0].treated)))
        told(_month(as_of, people, cost))
        _send(company, lists, as_of, seed=1_000 * seed + number)
    listed = pd.concat(listed, ignore_index=True)
    columns = ["month", "target", "could", "contacted"]
    return Year(
        pd.concat(picked, ignore_index=True),
        listed,
        pd.DataFrame(learnt, columns=columns),
        _measured(company, listed, cost=cost),
    )


def told_in_part(company: Company, *, correlation: float = 0.2, seed: int = 1) -> Callable[..., pd.DataFrame]:
    """Scores that know of the true gain what a model of a large company does, and are calibrated.

    correlation: of what they expect with the true gain. That of models learnt from 30,000 customers of experiments
    was 0.15 to 0.2.
    """
    luck = pd.Series(np.random.default_rng(seed).standard_normal(len(company.truth)), index=company.truth.index)

    def scored(facts: Facts, as_of: dt.date) -> pd.DataFrame:
        known = snapshot(facts, as_of)
        ids = known.loc[known["days_since_last_purchase"] <= 56, "customer_id"]
        gain = true_gain(company, ids, as_of)
        seen = gain - gain.mean() + gain.std() * np.sqrt(1 / correlation**2 - 1) * luck.loc[ids].to_numpy()
        expected = gain.mean() + correlation**2 * seen
        told = {"customer_id": ids.to_numpy(), "kind": "catalogue", "channel": "mail", "probability": 0.1}
        return pd.DataFrame({**told, "uplift": 0.05, "expected_margin_added": expected})

    return scored


def _policies(
    company: Company, facts: Facts, as_of: dt.date, scores: pd.DataFrame, lists: ActionLists, *, most: int
) -> pd.DataFrame:
    """Everybody who might be contacted, what that truly adds, and who contacts them."""
    mailed = scores[scores["channel"] == "mail"]
    newest = mailed[mailed["kind"] == mailed["kind"].min()].set_index("customer_id").sort_index()
    until = as_of + dt.timedelta(days=7)
    may = may_contact(facts, as_of, newest.index, ["mail"], until=until)
    people = newest.loc[sorted(may.loc[may["allowed"], "customer_id"]), ["probability", "expected_margin_added"]]
    known = snapshot(facts, as_of).set_index("customer_id").reindex(people.index)
    treated = lists.lists[0].treated["customer_id"]
    assert treated.isin(people.index).all()
    best = {
        OUR_ORDER: people["expected_margin_added"],
        RISK: known["days_since_last_purchase"],
        VALUE: known["net_sales_365d"],
        ANSWERS: people["probability"],
    }
    return pd.DataFrame(
        {
            "customer_id": people.index,
            "gain": true_gain(company, people.index, as_of),
            "expected": people["expected_margin_added"].to_numpy(),
            OURS: people.index.isin(treated).astype("float64"),
            RANDOM: most / len(people),
            **{
                name: (by.rank(method="first", ascending=False) <= most).to_numpy() * 1.0 for name, by in best.items()
            },
        }
    )


def _listed(company: Company, lists: ActionLists, as_of: dt.date) -> pd.DataFrame:
    rows = lists.lists[0].rows
    gain = true_gain(company, rows["customer_id"], as_of)
    return pd.DataFrame(
        {
            "month": as_of, "list_id": rows["list_id"], "customer_id": rows["customer_id"], "arm": rows["arm"],
            "gain": gain, "expected": rows["expected_gain"],
        }
    )  # fmt: skip


def _send(company: Company, lists: ActionLists, as_of: dt.date, *, seed: int) -> None:
    """Written, kept, said to be sent, and in the hands of the customers."""
    for list_id, one in lists.to_write.items():
        with tempfile.TemporaryDirectory() as run:
            written = write_lists(Path(run) / "run", one)
            keep_lists(company.data, written, run_id=f"run-{as_of}", written_on=as_of)
        mark_sent(company.data, list_id, on=as_of, today=as_of, said_at=f"{as_of}T09:00:00")
        contact(company, lists.lists[0].treated["customer_id"].tolist(), list_id, as_of, seed=seed)


def _measured(company: Company, listed: pd.DataFrame, *, cost: float) -> pd.DataFrame:
    """Each list as campaign success reads it once its days are over."""
    facts = company.facts(ENDS, cost=cost, budget=0.0, held_out=0.2)
    campaigns = read_campaigns(facts, ENDS)
    rows = []
    for list_id, part in listed.groupby("list_id", sort=False):
        chosen = campaigns.of(str(list_id))
        seen = around(facts, chosen.campaign, ENDS, after_days=0)
        main = read_experiment(chosen, seen, campaigns, main_outcome="margin").main
        true = part.loc[part["arm"] == "treated", "gain"].sum()
        rows.append((list_id, main.treated, main.held_out, main.effect, main.se, true))
    return pd.DataFrame(rows, columns=["list_id", "treated", "held_out", "effect", "se", "true"])


def compare(year: Year, *, draws: int = 1_000, seed: int = 0) -> pd.DataFrame:
    """Profit of each policy over all months and by how much ours is above it, with 95 % intervals by customer."""
    picked = year.picked
    net = picked["gain"] - picked["cost"]
    profit = pd.DataFrame({name: (picked[name] * net).groupby(picked["customer_id"]).sum() for name in POLICIES})
    values = profit.to_numpy()
    rng, again = np.random.default_rng(seed), np.empty((draws, len(POLICIES)))
    for draw in range(draws):
        again[draw] = np.bincount(rng.integers(0, len(values), len(values)), minlength=len(values)) @ values
    over = again[:, :1] - again
    total = profit.sum()
    return pd.DataFrame(
        {
            "contacts": [picked[name].sum() for name in POLICIES],
            "profit": total,
            "ours_more": total[OURS] - total,
            "low": np.quantile(over, 0.025, axis=0),
            "high": np.quantile(over, 0.975, axis=0),
        },
        index=list(POLICIES),
    )


def incremental(measured: pd.DataFrame) -> tuple[float, float, float]:
    """The margin that all lists together caused, with its 95 % interval; arms were drawn anew for each list."""
    total = float((measured["effect"] * measured["treated"]).sum())
    half = 1.959964 * float(np.sqrt(((measured["se"] * measured["treated"]) ** 2).sum()))
    return total, total - half, total + half


def drawn_again(company: Company, year: Year, *, draws: int, held_out: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """The same lists with other lots and other luck: measured and true incremental margin of all, draw by draw.

    Purchases are those of the company without any list, and arms and effects are drawn into their margin of the days.
    """
    rng, worlds = np.random.default_rng(seed), list(_worlds(company, year))
    rows = []
    for _ in range(draws):
        told, truth = [], 0.0
        for known, margin, who, gain in worlds:
            treated = rng.permutation(len(who)) >= round(held_out * len(who))
            persuaded, disturbed = _drawn_by(rng, who)
            extra = treated & persuaded & (rng.random(len(who)) < who["lived"])
            order = who["value"] * who["margin_rate"] * rng.gamma(4.0, 0.25, len(who))
            came = np.where(treated & disturbed, 0.0, margin + extra * order)
            one = differences(pd.DataFrame({"margin": came}), treated, known)["margin"]
            told.append((one.effect, one.se, int(treated.sum())))
            truth += gain[treated].sum()
        total, low, high = incremental(pd.DataFrame(told, columns=["effect", "se", "treated"]))
        rows.append((truth, total, low, high))
    return pd.DataFrame(rows, columns=["true", "measured", "low", "high"])


def _worlds(company: Company, year: Year) -> Iterator[tuple[pd.DataFrame, np.ndarray, pd.DataFrame, np.ndarray]]:
    """Of each list: what was known, the margin of its days without it, who is on it, and what contacting adds.

    What is known is read from the facts of the circle, in which earlier lists have had their effects; the margin of
    the days is that of the company's own purchases.
    """
    facts = company.facts(ENDS, cost=1.0, budget=0.0, held_out=0.2)
    campaigns = read_campaigns(facts, ENDS)
    rates = pd.read_parquet(company.home / "company" / "products").set_index("product_id")["margin_rate"].fillna(0.25)
    earned = company.own["net_amount"] * company.own["product_id"].map(rates)
    for list_id, part in year.listed.groupby("list_id", sort=False):
        ids, start = pd.Index(part["customer_id"]), day_number(part["month"].iloc[0])
        seen = around(facts, campaigns.of(str(list_id)).campaign, ENDS, after_days=0).rows_of(ids)
        inside = company.own["day"].between(start, start + DAYS - 1)
        margin = earned[inside].groupby(company.own.loc[inside, "customer_id"]).sum().reindex(ids).fillna(0.0)
        who = company.truth.loc[ids]
        lived = (np.clip(who["ends"], start, start + DAYS) - start - 1).clip(lower=0) / (DAYS - 1)
        yield covariates(seen.before), margin.to_numpy(), who.assign(lived=lived), part["gain"].to_numpy()


def _said(targeting: object) -> str:
    table = targeting.uplift
    ours = table[table["learner"].isin(RULES) & (table["judged_on"] == APART)]
    columns = ["target", "learner", "rows", "qini", "low", "high", "over_answers", "ships"]
    return f"learnt by {targeting.target or 'nothing'}\n{ours[columns].round(4).to_string(index=False)}"


def _month(as_of: dt.date, people: pd.DataFrame, cost: float) -> str:
    each = {name: float((people[name] * people["gain"]).sum() / max(people[name].sum(), 1e-9)) for name in POLICIES}
    told = ", ".join(f"{name} {gain:.2f}" for name, gain in each.items())
    return f"{as_of}: {int(people[OURS].sum()):,} of {len(people):,} contacted; true gain a contact: {told}"


def main() -> None:
    """The year's numbers, printed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--customers", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--months", type=int, default=12)
    asked.add_argument("--cost", type=float, default=1.20)
    asked.add_argument("--learn-every", type=int, default=3)
    asked.add_argument("--draws", type=int, default=200)
    asked.add_argument("--keep", type=Path, help="an empty folder in which the company stays")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="a-year-") as folder:
        home = told.keep or Path(folder)
        company = found_company(home, customers=told.customers, seed=told.seed)
        months = [dt.date(2017, month, 1) for month in range(13 - told.months, 13)]

        def say(line: str) -> None:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

        year = live(company, months, cost=told.cost, learn_every=told.learn_every, seed=told.seed, told=say)
        if told.keep:
            for name in ("picked", "listed", "learnt", "measured"):
                getattr(year, name).to_parquet(home / f"{name}.parquet")
        say(compare(year).round(1).to_string())
        say(year.measured.round(3).to_string())
        total, low, high = incremental(year.measured)
        say(f"incremental margin {total:,.0f} [{low:,.0f}, {high:,.0f}], true {year.measured['true'].sum():,.0f}")
        again = drawn_again(company, year, draws=told.draws)
        covered = ((again["low"] <= again["true"]) & (again["true"] <= again["high"])).mean()
        bias = ((again["measured"] - again["true"]).mean(), (again["measured"] - again["true"]).std())
        say(f"drawn {told.draws} times again: covered {covered:.3f}, off by {bias[0]:,.0f} (spread {bias[1]:,.0f})")


if __name__ == "__main__":
    main()
