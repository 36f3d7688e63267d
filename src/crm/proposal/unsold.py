"""Lines that are no sales: cancellations, and orders that were never carried out."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.manners import settle_minor_units
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, share
from crm.proposal.words import fold, meanings_of, words_of
from crm.proposal.written import as_number

_NOT_A_SALE = (
    "closed lost", "lost", "cancel", "canceled", "cancelled", "void", "voided", "failed", "draft", "trash",
    "abandoned", "expired", "pending", "pending payment", "unpaid", "declined", "storniert", "abgebrochen",
    "fehlgeschlagen", "annule", "annulee", "cancelado", "wc-cancelled", "wc-failed", "wc-pending",
    "checkout-draft", "rejected", "deleted",
)  # fmt: skip
_DOUBTFUL = (
    "prospecting", "negotiation", "proposal", "refunded", "partially refunded", "returned", "on hold", "open",
    "processing", "erstattet", "retourniert", "storno", "rembourse", "reembolsado", "chargeback",
    "wc-refunded", "wc-on-hold", "closed",
)  # fmt: skip
_GIVEN_BACK = {
    "return", "returns", "returned", "refund", "refunds", "refunded", "credit", "credit note", "creditnote",
    "credit memo", "credit invoice", "storno", "stornorechnung", "avoir", "remboursement", "retour", "devolucion",
    "reembolso", "abono", "nota de credito", "gutschrift", "retoure", "erstattung", "ruckgabe", "korekta", "zwrot",
    "reversal", "chargeback", "reso", "nota di credito", "devolucao", "sale return", "sales return",
}  # fmt: skip
_MEANS_OF_PAYMENT = {"cash", "debit", "card", "visa", "paypal", "cheque", "check"}
_EVENT = {"event", "movement", "operation", "document", "doctype", "action", "vorgang", "tipo", "clase"}
_NEGATIVE = 0.9  # of the lines of credit notes that must be below nought


def settle_credit_notes(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """Orders whose number begins with a letter that others do not have, and whose lines are below nought."""
    table, order = draft.looked.profile, draft.columns["order_id"]
    signed = next((draft.columns[t] for t in ("quantity", "net_amount") if draft.columns.get(t) in table.names), None)
    if order not in table.names or signed is None:
        return
    key, value = value_of(order, table[order].kind), as_number(table[signed], draft.written.manner())
    found = con.execute(
        f"SELECT coalesce(regexp_extract({key}, '^[A-Za-z]+'), '') AS p, count(*), "
        f"count(*) FILTER ({value} < 0), min({key}) "
        f"FROM {table.relation} WHERE {key} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 20"
    ).fetchall()
    negative = sum(int(row[2]) for row in found)
    if negative:
        draft.remarks.append(f"{count(negative, 'line')} are below nought: cancellations, which become returns")
    if not found or not negative:
        return
    main = found[0][0]
    for prefix, lines, below, example in found[1:]:
        if prefix and prefix != main and not main.startswith(prefix) and lines >= 3 and below >= _NEGATIVE * lines:
            draft.keys["credit_note_prefix"] = (
                str(prefix),
                f"{count(lines, 'line')} of orders such as {example}, {share(below / lines)} of them below nought",
            )
            return


def _plain(word: str) -> str:
    return " ".join(fold(word).replace("_", " ").replace("-", " ").split())


def settle_kinds(draft: Draft) -> None:
    """Lines that a column calls credit notes, returns or refunds count against the sales, whatever their sign."""
    taken = set(draft.columns.values())
    for column in draft.looked.profile.columns:
        if not column.words or column.name in taken or not _says_kind(column.name):
            continue
        back = [word for word, _ in column.words if _plain(word) in _GIVEN_BACK]
        paid_with = any(_plain(word) in _MEANS_OF_PAYMENT for word, _ in column.words)
        if back and not paid_with and len(back) < len(column.words):
            _turn_sign(draft, column, back)
            return


def _says_kind(name: str) -> bool:
    return any("kind" in word for word in meanings_of(name)) or bool(_EVENT & set(words_of(name)))


def _turn_sign(draft: Draft, column: Column, back: list[str]) -> None:
    """Below nought what was given back, where it is not so already."""
    target = "net_amount" if "net_amount" in draft.columns else "quantity"
    source = draft.columns.get(target)
    rows, named = sum(n for word, n in column.words if word in back), ", ".join(back)
    said = ", ".join(f"{word} {n:,}" for word, n in column.words[:8])
    question = f"which values of {column.name} are no sales but take from them? There are: {said}"
    if source is None:
        draft.decide("query", question, f'query = "SELECT * FROM {draft.looked.sql} WHERE …"', stands="all are sales")
        return
    if source in draft.looked.profile.names and _below(draft, source) >= _NEGATIVE * rows:
        return
    made = next((one for one in draft.made if one[0] == source), None)
    amount = f"CAST({made[1] if made else sql_name(source)} AS VARCHAR)"
    listed = ", ".join(sql_text(word) for word in back)
    turned = (
        f"CASE WHEN trim({sql_name(column.name)}) IN ({listed}) AND NOT regexp_matches({amount}, '^\\s*[-(]|-\\s*$') "
        f"THEN '-' || trim({amount}) ELSE {amount} END"
    )
    why = f"{column.name} says that {count(rows, 'line')} of {named} take from the sales: their {target} is negative"
    if made:
        draft.made[draft.made.index(made)] = (source, turned, f"{made[2]}; {why}")
    else:
        draft.make(target, turned, why)
    draft.decide(
        "query", question, f"{named} are returns: below nought", "all are sales: take the CASE out of the query",
        "leave them out: WHERE … NOT IN …", stands=f"{named} are returns",
    )  # fmt: skip


def _below(draft: Draft, name: str) -> int:
    return draft.looked.profile[name].forms.negative


def settle_states(draft: Draft) -> None:
    """Orders that were cancelled or never paid, and credit notes, are no purchases, if a column says so."""
    settle_minor_units(draft)
    settle_kinds(draft)
    for column in draft.looked.profile.columns:
        if not column.words or column.name in draft.columns.values():
            continue
        if not (any("status" in word for word in meanings_of(column.name)) or _says_kind(column.name)):
            continue
        said = ", ".join(f"{word} {n:,}" for word, n in column.words[:8])
        out = [word for word, _ in column.words if word.casefold().replace("_", " ") in _NOT_A_SALE]
        question = f"which values of {column.name} are no purchases? There are: {said}"
        if out:
            _leave_out(draft, column, out)
            left = ", ".join(out)
            draft.decide("query", question, f"leave out {left}", "count all of them", stands=f"without {left}")
        elif any(word.casefold().replace("_", " ") in _DOUBTFUL for word, _ in column.words):
            draft.decide(
                "query", question, f'query = "SELECT * FROM {draft.looked.sql} WHERE …"', stands="all of them count"
            )


def _leave_out(draft: Draft, column: Column, out: list[str]) -> None:
    """Leave out the orders of some states; where the state stands on some lines only, all lines of such orders."""
    name, order = sql_name(column.name), draft.columns["order_id"]
    listed = ", ".join(sql_text(word) for word in out)
    rows = sum(n for word, n in column.words if word in out)
    sql = f"coalesce({name}, '') NOT IN ({listed})"
    if column.empty_share > 0 and order in draft.looked.profile.names:
        key = sql_name(order)
        sql = f"{key} NOT IN (SELECT {key} FROM {draft.looked.sql} WHERE {name} IN ({listed}) AND {key} IS NOT NULL)"
    draft.where.append(
        (sql, f"{column.name} says what is no purchase: {count(rows, 'line')} of {', '.join(out)} are left out")
    )
