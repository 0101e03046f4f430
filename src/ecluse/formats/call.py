"""A call for funds as an insurer receives it: CSV and JSON for its software, a French page to read and print.

No member is in it: a claim's id, its practice and its invoice number are what both sides know it by.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from html import escape

import msgspec

from ecluse.kernel.money import as_euros, en_euros
from ecluse.payments.call import Call
from ecluse.payments.transfer import Debtor

_COLUMNS = ("call_id", "claim_id", "practice", "invoice", "amount")


class Notice(msgspec.Struct, frozen=True):
    """What stands around a call: the run's days, the payer's name, whose account to pay; `collect_on` when it is collected."""

    call: Call
    received_until: date
    execute_on: date
    insurer_name: str
    own: Debtor
    collect_on: date | None


def call_csv(call: Call) -> bytes:
    """One line a claim; amounts in euros with a point; the lines add up to the call."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(
        (call.call_id, line.claim_id, line.practice, line.invoice, as_euros(line.amount_cents)) for line in call.lines
    )
    return text.getvalue().encode()


def call_json(notice: Notice) -> bytes:
    """The call with its lines, as msgspec writes it."""
    call, day = notice.call, notice.collect_on
    return msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(call), "collect_on": day}), indent=1)


def call_html(notice: Notice) -> bytes:
    """The French notice: one page, nothing to load, made to be printed."""
    call = notice.call
    payments = [line.amount_cents for line in call.lines if line.amount_cents > 0]
    taken_back = [line.amount_cents for line in call.lines if line.amount_cents < 0]
    rows = [
        ("Factures réglées aux professionnels", len(payments), sum(payments)),
        ("Reprises et avoirs", len(taken_back), sum(taken_back)),
        ("Montant de l’appel", len(call.lines), call.amount_cents),
    ]
    assert rows[0][2] + rows[1][2] == rows[2][2] == call.amount_cents
    table = "".join(
        f'<tr><th scope="row">{label}</th><td>{count}</td><td>{en_euros(cents)}</td></tr>'
        for label, count, cents in rows
    )
    return _PAGE.format(
        reference=escape(call.reference),
        insurer=escape(notice.insurer_name or call.insurer),
        amc=escape(call.insurer),
        own=escape(notice.own.name),
        until=f"{notice.received_until:%d/%m/%Y}",
        execute_on=f"{notice.execute_on:%d/%m/%Y}",
        table=table,
        how=_how(notice),
    ).encode()


def _how(notice: Notice) -> str:
    amount, reference = en_euros(notice.call.amount_cents), escape(notice.call.reference)
    if notice.collect_on:
        return f"Ce montant sera prélevé le {notice.collect_on:%d/%m/%Y} (mandat SEPA), sous la référence {reference}."
    account = escape(" ".join(notice.own.iban[at : at + 4] for at in range(0, len(notice.own.iban), 4)))
    return f"À régler par virement de {amount} au compte {account}, en rappelant la référence {reference}."


_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Avis d’appel de fonds {reference}</title>
<style>body{{font:15px/1.5 sans-serif;max-width:42em;margin:3em auto;padding:0 1em}}
table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #999;padding:.4em;text-align:right}}
th:first-child{{text-align:left}}tbody th{{font-weight:normal}}tbody tr:last-child>*{{font-weight:bold}}</style></head>
<body> <h1>Avis d’appel de fonds</h1> <p>{own}<br>à {insurer} (n° AMC {amc})</p>
<p>Référence&nbsp;: <strong>{reference}</strong><br>Factures reçues jusqu’au {until}, virements du {execute_on}.</p>
<table><thead><tr><th scope="col">Objet</th><th scope="col">Lignes</th><th scope="col">Montant</th></tr></thead>
<tbody>{table}</tbody></table>
<p>{how}</p> <p>Le détail, facture par facture, est dans les fichiers CSV et JSON qui portent la même référence.</p>
</body></html>
"""
