"""What a practice may read of remittances: its own, in pages."""

from __future__ import annotations

import pytest
from till import DAY, House, own_remittance, own_remittances, practice, run_payments

from ecluse.gate.identity import Account
from ecluse.kernel.errors import Refused

SCOPES = frozenset({"remittances"})


def account(n: int) -> Account:
    return Account("rpps:1", practice(n), scopes=SCOPES)


def test_a_practice_reads_its_own_page_by_page(hub: House) -> None:
    for cents in (100, 200, 300):
        hub.accept(1, cents)
        hub.accept(2, 5)
        hub.clock.at = hub.clock.at.replace(minute=cents // 100)
        run_payments(hub.till, DAY)
    first = own_remittances(hub.payments, account(1), "", 2)
    rest = own_remittances(hub.payments, account(1), first.next or "", 2)
    assert [one.total_cents for one in (*first.remittances, *rest.remittances)] == [100, 200, 300]
    assert rest.next is None
    read = own_remittance(hub.payments, account(1), first.remittances[0].remittance_id)
    assert sum(line.amount_cents for line in read.lines) == 100


def test_another_practices_is_unknown_like_one_that_never_was(hub: House) -> None:
    hub.accept(1, 100)
    run_payments(hub.till, DAY)
    (id_,) = hub.one("SELECT id FROM remittance")
    said = []
    for who, what in ((account(2), id_), (account(1), "rem_x"), (Account("rpps:1", "", scopes=SCOPES), id_)):
        with pytest.raises(Refused) as refused:
            own_remittance(hub.payments, who, what)
        said.append(str(refused.value))
    assert len(set(said)) == 1


def test_the_scope_is_asked_for(hub: House) -> None:
    with pytest.raises(Refused, match="forbidden"):
        own_remittances(hub.payments, Account("rpps:1", practice(1)), "", 10)
