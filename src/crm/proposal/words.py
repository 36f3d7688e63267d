"""What the names of columns, files and sheets say: words of several languages and systems, and what they mean.

A name is split into words ("KdNr" -> kd, nr; "Rechnungsbetrag" -> rechnung, betrag), each word into its meanings
("kd" -> customer). A canonical column is known by the meanings its name should have (`meanings.py`).
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata

MEANINGS: dict[str, str] = {
    # who
    "customer": "customer kunnr customers cust kunde kunden kund kd client clients cliente clientes buyer "
    "buyers shopper member members mitglied household hh user users usuario utilisateur account "
    "acct konto consumer patron subscriber guest acheteur comprador klant debitor abonnent "
    "cpf cnpj nif cuit rut klient kontrahent zakaznik asiakas kundnummer loyalty card karte cardholder donor "
    "player person recipient empfanger purchaser",
    "personal": "firstname lastname surname vorname nachname forename address adresse street strasse phone "
    "telephone tel telefon mobile mobil handy fax birthday birthdate geburtstag geburtsdatum "
    "dob ip iban company firma notes",
    "email": "email mail courriel correo",
    "place": "country state land pays pais city ort stadt ville ciudad zip plz postcode postal postleitzahl "
    "province county region bundesland location nation",
    "age": "age alter birth geburt",
    # which
    "id": "id kunnr vbeln matnr sku ean upc gtin isbn asin plu ids no nr num number numbers nummer nbr key "
    "code codes ref reference uid uuid guid identifier kennung numero pk sk hash kennz",
    "order": "order vbeln fkdat erdat audat gift gifts donation donations opportunity orders ord basket "
    "receipt invoice invoices inv transaction transactions txn trx trans tran bill beleg belege "
    "bon bons rechnung auftrag bestellung bestell commande facture ticket pedido factura sale "
    "sales check docket warenkorb cart checkout kauf vorgang purchase purchases compra achat vente "
    "venta pedido paragon paragonu zamowienie ordine scontrino boleta comanda bestelling objednavka quittung "
    "kassenbon verkauf verkaufe umsatze orderlines pos booking reservation",
    "line": "line lines position item items lineitem row zeile detail details posten entry seq sequence",
    "product": "towar produto prodotto tuote vara zbozi product matnr products prod produkt produkte produit "
    "producto article artikel art item "
    "items sku stock material ware waren plu ean upc gtin isbn asin articulo merchandise goods "
    "book",
    "variant": "variant version size grosse color colour farbe",
    # what it is called
    "name": "name title titel bezeichnung libelle nombre nom label",
    "description": "description desc descr beschreibung descripcion designation text bezeichnung",
    "department": "department dept abteilung division warenbereich sparte bereich rayon departamento",
    "category": "category cat categories kategorie warengruppe categorie categoria group gruppe family "
    "subcategory produktgruppe class commodity wg genre",
    "brand": "brand marke marque marca label",
    "maker": "maker manufacturer hersteller fabricant fabricante vendor supplier lieferant make",
    "margin": "margin marge rohertrag db",
    # how much
    "quantity": "ilosc quantidade quantita uds aantal antal mnozstvi quantity fkimg kwmeng unidades unites "
    "einheiten qty qnt qnty menge anzahl stuck stk pieces "
    "pcs cantidad quantite quantities volume cds units qte cant count",
    "unit": "unit einzel each per single pro unitario unitaire",
    "price": "preco cena pvp pris price preis prix precio prijs prezzo msrp",
    "amount": "wartosc valor monto importo kwota bedrag belopp castka amount netwr amounts amt betrag total "
    "totals sum summe value values wert revenue umsatz "
    "sales montant importe spend spent payment monto turnover ext extended money dollars dollar "
    "euro gesamt gesamtbetrag charge proceeds tot erlos subtotal zwischensumme",
    "net": "imponible taxable nettowert net netwr netto ht neto excl exkl",
    "gross": "gross brutto ttc bruto incl inkl",
    "percent": "percent percentage pct prozent share anteil rate quote",
    "tax": "tax taxes vat mwst ust iva tva steuer gst",
    "discount": "discount discounts disc rabatt nachlass remise descuento rebate markdown skonto reduction dto",
    "coupon": "coupon coupons gutschein gutscheine voucher cupon promo promotion giftcard",
    "shipping": "shipping ship freight versand versandkosten postage porto envio",
    "cost": "cost costs kosten cogs ek einkauf einkaufspreis wareneinsatz coste cout",
    "list_price": "list compare uvp rrp regular original listenpreis",
    "refund": "refund refunded refunds erstattung rembourse reembolso chargeback credit gutschrift "
    "gutschriften storno",
    "currency": "currency waerk waers ccy wahrung waehrung devise moneda curr valuta",
    "money": "usd eur gbp chf sek nok dkk jpy cad aud",
    # when
    "date": "date fkdat erdat audat datum day tag fecha dt jour dia dates data calendar",
    "time": "time timestamp ts zeit uhrzeit heure hora datetime at when moment zeitpunkt dttm datetimeutc "
    "clock hour utc local",
    "created": "created creation create erstellt angelegt placed purchased bought ordered entered booked "
    "processed creada cree record recorded invoiced sold bestellt gekauft",
    "paid": "paid bezahlt payed captured settled",
    "changed": "changed updated modified geandert edited deleted synced loaded imported extracted etl",
    "sent": "sent send sends versendet dispatched mailed mailing contacted targeted contact",
    "opened": "opened open opens geoffnet",
    "clicked": "clicked click clicks geklickt responded response responses redeemed redemption redemptions "
    "einlosung antwort reaction conversion replied",
    "returned": "returned return returns retoure retouren retour rma devolucion devolution rucksendung retourniert",
    "delivered": "delivered delivery deliveries lieferung lieferungen geliefert livraison entrega arrival "
    "arrived received zugestellt shipment shipments fulfilled liefer shipped",
    "promised": "promised estimated expected due zugesagt promise eta geplant requested scheduled",
    "joined": "joined registered registration signup signed join since seit anmeldung registrierung "
    "enrolled onboarded erfasst eintritt kundeseit acquired acquisition inscription alta",
    "start": "start starts started begin begins beginn from von ab debut inicio begun activated activation",
    "end": "end ends ended ende until bis to finish fin stop cancelled canceled churn churned gekundigt "
    "kundigung termination terminated deactivation deactivated",
    "expires": "expires expiry expiration expired ablauf gultig lapses",
    "closed": "closed resolved geschlossen erledigt solved completed",
    # what about
    "status": "situacao status stage stufe state zustand estado etat financial fulfillment",
    "reason": "reason grund motif motivo ursache",
    "channel": "channel kanal canal medium touchpoint vertriebsweg vertriebskanal salesperson",
    "source": "source quelle origin herkunft referrer utm referer",
    "store": "store werks vkorg location shop filiale branch outlet laden tienda magasin till kasse "
    "register terminal site markt loc standort verkaufsstelle boutique",
    "kind": "kind type typ art sort tipo",
    "campaign": "campaign campaigns kampagne kampagnen campagne campana mailing newsletter campaing aktion",
    "consent": "consent consents einwilligung einwilligungen permission optin opt accepts subscribed "
    "marketing gdpr dsgvo werbeeinwilligung granted opted allowed consented",
    "purpose": "purpose zweck topic",
    "arm": "arm treatment treated control holdout variant testgroup group",
    "case": "case cases ticket tickets fall complaint complaints reklamation anliegen incident support service",
    "topic": "topic subject betreff thema issue",
    "satisfaction": "satisfaction csat rating score zufriedenheit bewertung note stars nps grade",
    "visit": "visit visits session sessions besuch besuche pageview web website traffic hit",
    "pages": "pages page pageviews views seiten",
    "converted": "converted conversion ordered goal",
    "subscription": "subscription subscriptions contract contracts abo abos vertrag vertrage membership "
    "memberships abonnement plan",
    "plan": "plan tier paket tarif package",
    "fee": "fee monthly mrr gebuhr beitrag monatlich monatsbeitrag",
    "target": "target targets plan budget soll ziel goal forecast",
    "metric": "metric kpi measure kennzahl",
    "period": "period month monat monthly quarter periode",
    "complete": "complete vollstandig",
    "undamaged": "undamaged intact unbeschadigt ok",
    "documented": "documented papers documents dokumentiert",
    "table": "table tbl list export data full all raw dump file report extract sheet tabelle liste dataset "
    "stamm stammdaten master",
}

_GLUE = {
    "of",
    "the",
    "a",
    "an",
    "in",
    "de",
    "du",
    "der",
    "die",
    "das",
    "des",
    "la",
    "le",
    "el",
    "del",
    "d",
    "l",
    "is",
}
_SHORT = {"id", "no", "nr", "kd", "hh", "ts", "dt"}  # the two-letter words that may be part of a longer one
_LINKS = ("", "s", "n", "e", "es", "en")  # what German puts between two words


def fold(text: str) -> str:
    """Lower case and without accents: "Größe" is "grosse"."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


@functools.cache
def _meanings_of_words() -> dict[str, frozenset[str]]:
    known: dict[str, set[str]] = {}
    for meaning, words in MEANINGS.items():
        for word in words.split():
            known.setdefault(fold(word), set()).add(meaning)
    return {word: frozenset(meanings) for word, meanings in known.items()}


@functools.cache
def meanings_of(name: str) -> tuple[frozenset[str], ...]:
    """The meanings of each word of a name, in order; an unknown word has none."""
    return tuple(_meanings_of_words().get(word, frozenset()) for word in words_of(name))


@functools.cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: split at case, digits and marks, and where known words meet."""
    apart = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-zäöü])", " ", name)
    apart = re.sub(r"(?i)\be-mail", "email", apart.replace("#", " number "))
    rough = [word for word in re.split(r"[\W_]+|(?<=[^\W\d])(?=\d)", fold(apart)) if word]
    return tuple(part for word in rough if word not in _GLUE for part in _known_parts(word))


def _known_parts(word: str) -> tuple[str, ...]:
    known = _meanings_of_words()
    if word in known:
        return (word,)
    umlaut = re.sub(r"([aou])e", r"\1", word)
    if umlaut in known:
        return (umlaut,)
    if parts := _broken_up(word) or _broken_up(umlaut):
        return parts
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.86) if len(word) >= 5 else []
    return (near[0],) if near else (word,)


@functools.cache
def _broken_up(word: str) -> tuple[str, ...] | None:
    """The fewest known words a word is made of, such as invoice, no; None if it is not."""
    best: tuple[str, ...] | None = None
    for end in range(len(word), 1, -1):
        head = word[:end]
        if head not in _meanings_of_words() or (len(head) < 3 and head not in _SHORT):
            continue
        if end == len(word):
            return (head,)
        for link in _LINKS:
            rest = word[end:]
            if not rest.startswith(link) or len(rest) <= len(link):
                continue
            tail = _broken_up(rest.removeprefix(link))
            if tail is not None and (best is None or len(tail) + 1 < len(best)):
                best = (head, *tail)
    return best
