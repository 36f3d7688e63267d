"""Lines that are no sales: cancellations, and orders that were never carried out."""

from __future__ import annotations

import duckdb

from crm.engine import sql_name, sql_text
from crm.proposal.draft import Draft
from crm.proposal.manners import settle_minor_units
from crm.proposal.profile import Column, value_of
from crm.proposal.told import count, quoted, share
from crm.proposal.words import fold, meanings_of, words_of
from crm.proposal.written import as_number, plain_number

_NOT_A_SALE = (
    "closed lost", "lost", "cancel", "canceled", "cancelled", "void", "voided", "failed", "draft", "trash",
    "abandoned", "expired", "pending", "pending payment", "unpaid", "declined", "storniert", "abgebrochen",
    "fehlgeschlagen", "annule", "annulee", "cancelado", "wc-cancelled", "wc-failed", "wc-pending",
    "checkout-draft", "rejected",
    "no show", "no-show", "noshow", "deleted", "test", "canceled by customer", "anulado", "anulada", "cancelada",
)  # fmt: skip
_DOUBTFUL = (
    "prospecting", "negotiation", "proposal", "refunded", "partially refunded", "returned", "on hold", "open",
    "processing", "erstattet", "retourniert", "storno", "rembourse", "reembolsado", "chargeback",
    "wc-refunded", "wc-on-hold", "closed", "devolvido", "devuelto", "zwrocone",
)  # fmt: skip
_GIVEN_BACK = {
    "return", "returns", "returned", "refund", "refunds", "refunded", "credit", "credit note", "creditnote",
    "credit memo", "credit invoice", "storno", "stornorechnung", "avoir", "remboursement", "retour", "devolucion",
    "reembolso", "abono", "nota de credito", "gutschrift", "retoure", "erstattung", "ruckgabe", "korekta", "zwrot",
    "reversal", "chargeback", "reso", "nota di credito", "devolucao", "sale return", "sales return",
}  # fmt: skip
_MEANS_OF_PAYMENT = {"cash", "debit", "card", "visa", "paypal", "cheque", "check"}
_TEST = {"test", "testorder", "istest", "sandbox", "testbestellung", "dummy"}
_YES = {"true", "t", "yes", "y", "1", "1.0", "on", "ja", "oui", "si", "sí"}
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
        without = draft.query_without(_is_one_of(column, back), f"no purchase by its {column.name}")
        draft.decide(
            "query", question, "all are: leave it so", f"{named} are none: {without}", stands="all are sales"
        )
        return
    if source in draft.looked.profile.names and _below(draft, source) >= _NEGATIVE * rows:
        return
    amount = f"CAST({draft.sql_of(target)} AS VARCHAR)"
    listed = ", ".join(sql_text(word) for word in back)
    turned = (
        f"CASE WHEN trim({sql_name(column.name)}) IN ({listed}) AND NOT regexp_matches({amount}, '^\\s*[-(]|-\\s*$') "
        f"THEN '-' || trim({amount}) ELSE {amount} END"
    )
    why = f"{column.name} says that {count(rows, 'line')} of {named} take from the sales: their {target} is negative"
    draft.make(target, turned, why)
    draft.decide(
        "query", question, f"{named} are returns: below nought", "all are sales: take the CASE out of the query",
        stands=f"{named} are returns",
    )  # fmt: skip


def _below(draft: Draft, name: str) -> int:
    return draft.looked.profile[name].forms.negative


def settle_negative_quantities(con: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    """What comes back has a quantity below nought; its amount must be so too."""
    table, target = draft.looked.profile, "net_amount"
    quantity, amount = draft.columns.get("quantity", ""), draft.columns.get(target, "")
    if not {quantity, amount} <= set(table.names) or table[amount].forms.negative:
        return
    manner = draft.written.manner()
    q, a = as_number(table[quantity], manner), as_number(table[amount], manner)
    rows = int(con.execute(f"SELECT count(*) FROM {table.relation} WHERE {q} < 0 AND {a} > 0").fetchall()[0][0])
    if not rows:
        return
    pieces, line = plain_number(table[quantity], manner), plain_number(table[amount], manner)
    draft.make(
        target, f"CASE WHEN {pieces} < 0 THEN -abs({line}) ELSE {line} END",
        f"{count(rows, 'line')} have a {quantity} below nought and an {amount} above: they came back",
    )  # fmt: skip
    draft.decide(
        f"columns.{target}",
        f"did the {count(rows, 'line')} come back whose {quantity} is below nought, though {amount} is not?",
        "yes: leave it so",
        f"no: {target} = {quoted(amount)}, which sets them aside",
        stands="they came back",
    )


def settle_states(draft: Draft) -> None:
    """Orders that were cancelled, never paid or only a test are no purchases, if a column says so."""
    settle_minor_units(draft)
    settle_kinds(draft)
    for column in draft.looked.profile.columns:
        if column.name in {*draft.columns.values(), *draft.unused}:
            continue
        said = {meaning for word in meanings_of(column.name) for meaning in word}
        if column.is_yes_no and _TEST & set(words_of(column.name)):
            _test_orders(draft, column)
        elif column.is_date and 0 < column.filled_share < 0.5 and _says_cancelled(column.name):
            _cancelled_on(draft, column)
        elif column.words and ("status" in said or _says_kind(column.name)):
            _states(draft, column)


def _says_cancelled(name: str) -> bool:
    return any(part in fold(name) for part in ("cancel", "storn", "annul", "void"))


def _states(draft: Draft, column: Column) -> None:
    said = ", ".join(f"{word} {n:,}" for word, n in column.words[:8])
    out = [word for word, _ in column.words if word.casefold().replace("_", " ") in _NOT_A_SALE]
    doubtful = [word for word, _ in column.words if word.casefold().replace("_", " ") in _DOUBTFUL]
    question = f"which values of {column.name} are no purchases? There are: {said}"
    reason = f"no purchase by its {column.name}"
    if out:
        rows, left = sum(n for word, n in column.words if word in out), ", ".join(out)
        draft.set_aside(
            _of_orders(draft, column, _is_one_of(column, out)), reason,
            f"{column.name} says what is no purchase: {count(rows, 'line')} of {left} are set aside",
        )  # fmt: skip
        more = f"set these aside as well: {_further(draft, column, doubtful)}" if doubtful else ""
        draft.decide("query", question, f"{left} are set aside: leave it so", *([more] if more else []),
                     f"count all of them: take the condition on {column.name} out of the query",
                     stands=f"without {left}")  # fmt: skip
    elif doubtful:
        draft.decide(
            "query", question, "all of them are: leave it so",
            f"{', '.join(doubtful)} are none: {_further(draft, column, doubtful)}", stands="all of them count",
        )  # fmt: skip


def _further(draft: Draft, column: Column, words: list[str]) -> str:
    sql = _of_orders(draft, column, _is_one_of(column, words))
    return draft.query_without(sql, f"no purchase by its {column.name}")


def _is_one_of(column: Column, words: list[str]) -> str:
    return f"{sql_name(column.name)} IN ({', '.join(sql_text(word) for word in words)})"


def _test_orders(draft: Draft, column: Column) -> None:
    yes = [word for word, _ in column.words if word.casefold() in _YES]
    rows = sum(n for word, n in column.words if word in yes)
    if not yes or rows > 0.5 * column.filled:
        return
    is_test = f"CAST({sql_name(column.name)} AS VARCHAR) IN ({', '.join(sql_text(word) for word in yes)})"
    draft.set_aside(
        _of_orders(draft, column, is_test), "a test order", f"{column.name} says so of {count(rows, 'line')}"
    )
    draft.decide(
        "query", f"are the {count(rows, 'line')} with {column.name} = {yes[0]} no purchases?", "no: leave it so",
        f"they are: take the condition on {column.name} out of the query", stands="they are set aside",
    )  # fmt: skip


def _cancelled_on(draft: Draft, column: Column) -> None:
    filled = f"nullif(trim(CAST({sql_name(column.name)} AS VARCHAR)), '') IS NOT NULL"
    draft.set_aside(
        _of_orders(draft, column, filled), "the order was cancelled",
        f"{count(column.filled, 'line')} have a {column.name}: their orders are no purchases",
    )  # fmt: skip
    draft.decide(
        "query", f"is an order with a {column.name} ({count(column.filled, 'line')}) none?", "none: leave it so",
        f"it is one: take the condition on {column.name} out of the query", stands="it is set aside",
    )  # fmt: skip


def _of_orders(draft: Draft, column: Column, condition: str) -> str:
    """The condition for a line; where the column stands on some lines only, for all lines of such orders."""
    order = draft.columns["order_id"]
    if column.empty_share == 0 or order not in draft.looked.profile.names:
        return condition
    key = sql_name(order)
    source = f"({draft.around}) AS came" if draft.around else draft.looked.sql
    return f"{key} IN (SELECT {key} FROM {source} WHERE {condition} AND {key} IS NOT NULL)"
