"""Amounts in several currencies: only one can be added up, and a person says which."""

from __future__ import annotations

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.profile import Column
from crm.proposal.shapes import CURRENCIES, SYMBOLS, WORDS
from crm.proposal.told import count, quoted, share

_AMOUNTS = ("net_amount", "unit_price")


def settle_currencies(draft: Draft) -> None:
    """The column that names the currency, whatever it is called; or the symbols at the amounts themselves."""
    table = draft.looked.profile
    if "currency" not in draft.columns:
        taken = set(draft.columns.values())
        named = next((c for c in table.columns if c.name not in taken and _names_currencies(c)), None)
        if named:
            draft.columns["currency"] = named.name
            draft.evidence["currency"] = "its values are codes of currencies"
    if name := draft.columns.get("currency"):
        words = table[name].words if name in table.names else ()
        if len(words) == 1:
            draft.evidence["currency"] = f"always {words[0][0]}"
        elif len(words) > 1:
            _offer_one_currency(draft, name)
        return
    for target in _AMOUNTS:
        amount = draft.columns.get(target, "")
        if amount in table.names and len(table[amount].forms.symbols) > 1:
            _by_symbols(draft, table[amount])


def _names_currencies(column: Column) -> bool:
    return bool(column.words) and all(word.upper() in CURRENCIES for word, _ in column.words)


def _offer_one_currency(draft: Draft, currency: str) -> None:
    """An amount whose own name says that it is in one currency, beside amounts in several."""
    used = {draft.columns.get(target) for target in _AMOUNTS}
    for column in draft.looked.profile.columns:
        code = next((one for one in column.name.upper().replace("_", " ").split() if one in CURRENCIES), "")
        if code and column.is_number and column.has_decimals and column.name not in used:
            draft.decide(
                "columns.net_amount",
                f"{currency} names several currencies, and {column.name} seems to be the amount in {code}: "
                "which counts?",
                "the main currency's lines alone: leave it so",
                f"all, in {code}: net_amount = {quoted(column.name)}, take the line unit_price (if any) and the line "
                f"currency = {quoted(currency)} below away, and write currency = {quoted(code)} in [money]",
                stands="the lines in the main currency alone",
            )
            return


def _by_symbols(draft: Draft, amount: Column) -> None:
    """Signs of several currencies at the amounts: the main one's lines stay, the others are set aside."""
    by_code: dict[str, int] = {}
    for mark, rows in amount.forms.symbols.items():
        code = SYMBOLS.get(mark) or WORDS.get(mark, mark)
        by_code[code] = by_code.get(code, 0) + rows
    marks = {mark: SYMBOLS.get(mark) or WORDS.get(mark, mark) for mark in amount.forms.symbols}
    if len(by_code) < 2:
        return
    main = max(by_code, key=lambda code: by_code[code])
    others = [mark for mark, code in marks.items() if code != main]
    name = f"upper({sql_name(amount.name)})"
    own = [mark for mark, code in marks.items() if code == main and any(other in mark for other in others)]
    bears = " OR ".join(f"contains({name}, {sql_text(mark)})" for mark in others)
    if own:  # such as $ within US$
        bears = f"({bears}) AND NOT ({' OR '.join(f'contains({name}, {sql_text(mark)})' for mark in own)})"
    shares = ", ".join(f"{code} {share(rows / amount.filled)}" for code, rows in by_code.items())
    draft.set_aside(
        bears, "the amount is in another currency",
        f"{amount.name} bears signs of several currencies ({shares}): the lines of {main} stay",
    )  # fmt: skip
    draft.decide(
        "query",
        f"the amounts of {amount.name} are in several currencies ({shares}), and only one can be added up",
        f"leave it so: the lines in {main} count, "
        f"{count(sum(by_code.values()) - by_code[main], 'line')} in the others are set aside",
        "turn all of them into one in the export",
        stands=f"{main} alone",
    )
