"""Bank details: kept sealed, whole files only, and an account changes only when the operator says so."""

from __future__ import annotations

from till import INSURERS, OWN, PAYEE, House, load_insurers, load_practices, practice

from ecluse.app.directory import open_payee
from tests.stores import now


def row(n: int, iban: str = PAYEE, name: str = "Cabinet Zébulon") -> str:
    return f"{practice(n)},{name},{iban},\n"


def load(hub: House, *rows: str):
    return load_practices(hub.keys, hub.directory, ("practice,name,iban,bic\n" + "".join(rows)).encode())


def test_loading_again_changes_nothing(hub: House) -> None:
    first = load(hub, row(7), row(8))
    sealed = hub.all("SELECT * FROM practice ORDER BY practice")
    again = load(hub, row(7), row(8))
    assert ((first.added, first.unchanged), (again.added, again.unchanged)) == ((2, 0), (0, 2))
    assert hub.all("SELECT * FROM practice ORDER BY practice") == sealed


def test_one_bad_row_and_nothing_is_kept(hub: House) -> None:
    loaded = load(hub, row(7), row(8, iban="FR00"))
    assert [(bad.line, bad.code) for bad in loaded.refused] == [(3, "iban_invalid")]
    assert now(hub.directory.payees([practice(7)])) == {}


def test_a_changed_account_needs_more_than_a_file(hub: House) -> None:
    load(hub, row(7))
    loaded = load(hub, row(7, iban=OWN), row(8))
    assert [(bad.line, bad.column, bad.code) for bad in loaded.refused] == [(2, "iban", "iban_changed")]
    assert now(hub.directory.payees([practice(8)])) == {}
    assert open_payee(hub.keys, practice(7), now(hub.directory.payees([practice(7)]))[practice(7)]).iban == PAYEE


def test_an_insurers_changed_account_needs_a_word(hub: House) -> None:
    first, other = (f"insurer,name,iban\n{INSURERS[0]},Neuve,{iban}\n".encode() for iban in (PAYEE, OWN))
    load_insurers(hub.keys, hub.directory, first)
    assert [bad.code for bad in load_insurers(hub.keys, hub.directory, other).refused] == ["iban_changed"]
    assert load_insurers(hub.keys, hub.directory, other, replace=True).changed == 1


def test_a_changed_name_is_routine(hub: House) -> None:
    load(hub, row(7))
    assert load(hub, row(7, name="Autre")).changed == 1


def test_nothing_is_readable_on_disk(hub: House) -> None:
    load(hub, row(7))
    stored = b"".join(path.read_bytes() for path in hub.place.rglob("*") if path.is_file())
    assert PAYEE.encode() not in stored
    assert "Zébulon".encode() not in stored


def test_a_new_insurer_gets_keys_and_keeps_its_rights(hub: House) -> None:
    hub.change("UPDATE insurer SET generation = 'g1'")
    text = f"insurer,name,iban\n{INSURERS[0]},Nouveau nom,{PAYEE}\n0075000009,Neuve,{PAYEE}\n"
    loaded = load_insurers(hub.keys, hub.directory, text.encode())
    assert (loaded.added, loaded.changed) == (1, 1)
    assert hub.keys.has("0075000009")
    assert hub.one("SELECT generation FROM insurer WHERE amc = ?", INSURERS[0]) == ("g1",)
