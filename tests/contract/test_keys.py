"""The contract of the `Keys` port, on every engine: a sealed and a plain file, a SoftHSM2 token, an OpenBao server."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ecluse.app.ports import HUB, Destruction, Keys, Pseudonyms, Totals
from ecluse.engines.keys.keyring import Keyring
from ecluse.engines.keys.meter import Budget
from ecluse.engines.keys.ring import LOOK_S
from ecluse.engines.keys.signers import TRUSTED_MAX, retired
from ecluse.kernel.errors import Refused
from tests.contract.places import Place

AMC = "0075123456"
OTHER = "0075999999"


@pytest.fixture
def keys(place: Place) -> Keyring:
    made = place.open(new=True)
    made.create(AMC)
    made.create(OTHER)
    return made


def look_up(keys: Keys, scope: str, message: bytes) -> Pseudonyms:
    return asyncio.run(keys.pseudonym(scope, message))


def test_what_was_sealed_opens_again_also_after_a_restart(keys: Keyring, place: Place) -> None:
    sealed = keys.seal(AMC, b"rights", b"person 1")
    assert keys.open(AMC, sealed, b"person 1") == b"rights"
    assert place.open().open(AMC, sealed, b"person 1") == b"rights"


@pytest.mark.parametrize(
    ("scope", "about", "spoil"),
    [
        (OTHER, b"person 1", None),
        (AMC, b"person 2", None),
        (AMC, b"person 1", 0),
        (AMC, b"person 1", 5),
        (AMC, b"person 1", -1),
    ],
    ids=["another insurer", "another person", "another key", "another nonce", "a flipped bit"],
)
def test_what_was_sealed_opens_for_nobody_else(keys: Keyring, scope: str, about: bytes, spoil: int | None) -> None:
    sealed = bytearray(keys.seal(AMC, b"rights", b"person 1"))
    if spoil is not None:
        sealed[spoil] ^= 1
    with pytest.raises(Refused, match="seal_broken"):
        keys.open(scope, bytes(sealed), about)


def test_the_same_plain_text_never_seals_to_the_same_bytes(keys: Keyring) -> None:
    assert len({keys.seal(AMC, b"same", b"") for _ in range(100)}) == 100


def test_a_pseudonym_is_stable_and_each_insurers_own(keys: Keyring, place: Place) -> None:
    (mine,) = look_up(keys, AMC, b"nir|1|2|3")
    assert len(mine) == 16
    assert (mine,) == look_up(place.open(), AMC, b"nir|1|2|3")
    assert (mine,) != look_up(keys, OTHER, b"nir|1|2|3")
    assert (mine,) != look_up(keys, AMC, b"nir|1|2|4")


def test_rows_of_a_member_file_get_the_pseudonyms_that_are_looked_up(keys: Keyring) -> None:
    messages = [b"nir|%d" % number for number in range(5_000)]  # more than one request to a server
    rows = keys.pseudonyms(AMC, messages, 1)
    assert len(set(rows)) == 5_000
    for number in (0, 1, 399, 400, 4_999):
        assert look_up(keys, AMC, messages[number]) == (rows[number],)


def test_a_rotated_index_key_makes_one_more_pseudonym_of_the_one_before(keys: Keyring, place: Place) -> None:
    other = place.open()
    (first,) = look_up(other, AMC, b"nir")
    assert keys.rotate(AMC, "index") == keys.index_version(AMC) == 2
    assert look_up(keys, AMC, b"nir") == (first, *keys.carried(AMC, [first], 1, 2))
    assert keys.pseudonyms(AMC, [b"nir"], 2) == keys.carried(AMC, [first], 1, 2)
    assert keys.rotate(AMC, "index") == 3
    chain = look_up(keys, AMC, b"nir")
    assert chain == (first, *keys.carried(AMC, [first], 1, 2), *keys.carried(AMC, [first], 1, 3))
    assert len(set(chain)) == 3
    time.sleep(LOOK_S)
    assert other.has(AMC)  # every question asks this first
    assert look_up(other, AMC, b"nir") == chain


def test_a_rotated_data_key_seals_and_the_old_one_still_opens(keys: Keyring, place: Place) -> None:
    other, before = place.open(), keys.seal(AMC, b"before", b"")
    other.open(AMC, before, b"")
    assert keys.rotate(AMC, "data") == 2
    after = keys.seal(AMC, b"after", b"")
    assert (before[0], after[0]) == (1, 2)
    assert [keys.open(AMC, each, b"") for each in (before, after)] == [b"before", b"after"]
    assert other.open(AMC, after, b"") == b"after"  # a process that has not heard of it yet


def test_a_digest_is_no_pseudonym_and_never_changes(keys: Keyring, place: Place) -> None:
    before = keys.digest(AMC, b"nir")
    assert len(before) == 16
    assert before != look_up(keys, AMC, b"nir")[0]
    assert before != keys.digest(OTHER, b"nir")
    keys.rotate(AMC, "data")
    keys.rotate(AMC, "index")
    assert keys.digest(AMC, b"nir") == place.open().digest(AMC, b"nir") == before


def test_a_signature_verifies_with_the_key_of_its_purpose_only(keys: Keyring, place: Place) -> None:
    signed = keys.sign("journal", b"checkpoint")
    assert keys.public_key("journal") == place.open().public_key("journal") != keys.public_key("pass")
    Ed25519PublicKey.from_public_bytes(keys.public_key("journal")).verify(signed, b"checkpoint")
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(keys.public_key("pass")).verify(signed, b"checkpoint")


def verified(keys: Keyring, message: bytes, signed: bytes) -> list[int]:
    """The versions, not retired, under which this is a signature."""
    found = []
    for key in keys.pass_keys().trusted:
        with suppress(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(key.public).verify(signed, message)
            found.append(key.version)
    return found


def test_a_rotated_pass_key_signs_and_the_ones_before_still_verify(
    keys: Keyring, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecluse.engines.keys.ring.LOOK_S", 60)
    other, first, journal = place.open(), keys.pass_keys(), keys.public_key("journal")
    before = other.sign("pass", b"before")
    assert (first.held, first.newest.public) == (first.trusted, keys.public_key("pass"))
    assert [keys.rotate_pass_key() for _ in range(2)] == [2, 3]
    after = keys.sign("pass", b"after")
    for each in (keys, place.open()):
        assert [key.version for key in each.pass_keys().trusted] == [1, 2, 3]
        assert each.pass_keys().held[0] == first.newest
        assert (verified(each, b"before", before), verified(each, b"after", after)) == ([1], [3])
        assert verified(each, b"again", each.sign("pass", b"again", 2)) == [2]
        assert each.public_key("pass") == each.pass_keys().newest.public
        assert each.public_key("journal") == journal
    assert other.pass_keys().newest.version == 1
    assert other.pass_keys(fresh=True) == keys.pass_keys()
    assert verified(other, b"after", after) == [3]


def test_a_retired_pass_key_verifies_and_signs_nothing_anywhere(keys: Keyring, place: Place) -> None:
    other, first = place.open(), keys.pass_keys().newest
    with pytest.raises(Refused, match="pass_key_signs"):
        keys.retire_pass_key(1)
    keys.rotate_pass_key()
    assert other.pass_keys(fresh=True).issuers.keys() > {first.id}
    for _ in range(2):  # again changes nothing
        keys.retire_pass_key(1)
    time.sleep(LOOK_S)
    for each in (keys, other, place.open()):
        assert [(key.version, key.is_retired) for key in each.pass_keys().held] == [(1, True), (2, False)]
        assert each.pass_keys().held[0].public == first.public
        assert {*each.pass_keys().issuers} == {each.pass_keys().newest.id}
        assert verified(each, b"now", each.sign("pass", b"now")) == [2]
        assert {(key.purpose, key.versions) for key in each.held() if "signing" in key.purpose} == {
            ("journal signing", (1,)),
            ("pass signing", (2,)),
        }
        with pytest.raises(Refused, match="pass_key_unknown"):
            each.sign("pass", b"now", 1)
    for version, refusal in ((2, "pass_key_signs"), (3, "pass_key_unknown"), (0, "pass_key_unknown")):
        with pytest.raises(Refused, match=refusal):
            keys.retire_pass_key(version)
    assert keys.rotate_pass_key() == 3


def test_a_retired_pass_key_is_gone_from_where_it_lived(keys: Keyring, place: Place) -> None:
    keys.rotate_pass_key()
    name = keys.scope(HUB).issuers[1].key
    assert name
    copy = keys.copy()
    keys.retire_pass_key(1)
    assert keys.scope(HUB).issuers[1].key == b""
    if place.engine == "file":  # a passphrase opens every copy it sealed: docs/security.md says to destroy them
        assert name not in place.handle().copy()
    else:
        with pytest.raises(Refused, match="keys_locked"):
            place.handle().restore(copy, over=True)
        with pytest.raises(Refused, match="keys_unreachable"):
            keys._vault.sign(name, b"x")


def test_a_retirement_that_was_cut_short_is_refused_already_and_goes_on(keys: Keyring, place: Place) -> None:
    keys.rotate_pass_key()
    name = keys.scope(HUB).issuers[1].key
    keys.change(lambda scopes: {**scopes, HUB: retired(scopes[HUB], 1)})  # and no more: as a kill leaves it
    again = place.open()
    assert [key.version for key in again.pass_keys().trusted] == [2]
    assert again.scope(HUB).issuers[1].key == name
    again.retire_pass_key(1)
    assert again.scope(HUB).issuers[1].key == b""


def test_the_keys_of_passes_are_asked_of_no_file_and_no_vault_again(keys: Keyring, place: Place) -> None:
    keys.rotate_pass_key()
    before = keys.pass_keys()
    place.file.rename(place.file.with_suffix(".away"))
    assert all(keys.pass_keys() is before for _ in range(1000))
    time.sleep(LOOK_S)
    assert keys.pass_keys() is before


def test_a_hub_has_a_handful_of_pass_keys_and_no_more(keys: Keyring) -> None:
    for _ in range(TRUSTED_MAX - 1):
        keys.rotate_pass_key()
    with pytest.raises(Refused, match="pass_keys_many"):
        keys.rotate_pass_key()
    keys.retire_pass_key(1)
    assert keys.rotate_pass_key() == TRUSTED_MAX + 1


def test_an_unknown_insurer_has_no_keys(keys: Keyring) -> None:
    assert not keys.has("0000000000")
    for refused in (lambda: look_up(keys, "0000000000", b""), lambda: keys.seal("0000000000", b"", b"")):
        with pytest.raises(Refused, match="insurer_unknown"):
            refused()


def test_creating_keys_twice_keeps_the_first(keys: Keyring) -> None:
    before = look_up(keys, AMC, b"x")
    keys.create(AMC)
    assert look_up(keys, AMC, b"x") == before


def test_another_process_sees_a_new_insurer_without_restarting(keys: Keyring, place: Place) -> None:
    other = place.open()
    keys.create("0075000001")
    assert look_up(other, "0075000001", b"x") == look_up(keys, "0075000001", b"x")


def test_what_is_held_is_shown_without_a_key(keys: Keyring) -> None:
    keys.rotate(AMC, "index")
    shown = {(key.scope, key.purpose): key.versions for key in keys.held()}
    assert shown[AMC, "index"] == (1, 2)
    assert (
        shown[AMC, "data"]
        == shown[AMC, "digest"]
        == shown[HUB, "journal signing"]
        == shown[HUB, "pass signing"]
        == (1,)
    )


def test_destroyed_keys_open_nothing_and_are_forgotten_everywhere(keys: Keyring, place: Place) -> None:
    other, sealed, kept = place.open(), keys.seal(AMC, b"rights", b""), keys.seal(OTHER, b"rights", b"")
    assert other.open(AMC, sealed, b"") == b"rights"
    before = look_up(keys, AMC, b"nir")
    keys.destroy(AMC)
    assert not keys.has(AMC)
    time.sleep(LOOK_S)
    assert not other.has(AMC)
    assert other.open(OTHER, kept, b"") == b"rights"
    keys.create(AMC)
    assert look_up(keys, AMC, b"nir") != before
    with pytest.raises(Refused, match="seal_broken"):
        keys.open(AMC, sealed, b"")


def test_a_copy_older_than_a_destruction_opens_where_a_passphrase_alone_wraps_it(keys: Keyring, place: Place) -> None:
    """A passphrase opens every copy it sealed; a token and a server destroy the key that wrapped the older ones."""
    copy = keys.copy()
    keys.destroy(AMC)
    if place.engine == "file":
        assert AMC in place.handle().restore(copy, over=True)
    else:
        with pytest.raises(Refused, match="keys_locked"):
            place.handle().restore(copy, over=True)
        assert place.handle().restore(keys.copy(), over=True) == [OTHER, HUB]


def test_a_destruction_that_was_asked_for_is_remembered(keys: Keyring, place: Place) -> None:
    assert keys.destruction(AMC) is None
    keys.ask_destruction(AMC, Destruction("a.martin", 7))
    assert place.open().destruction(AMC) == Destruction("a.martin", 7)
    keys.ask_destruction(AMC, None)
    assert place.open().destruction(AMC) is None


def test_lost_keys_come_back_from_their_copy(keys: Keyring, place: Place) -> None:
    keys.rotate(AMC, "data")
    sealed, meant, public = keys.seal(AMC, b"rights", b""), look_up(keys, AMC, b"nir"), keys.public_key("journal")
    copy = keys.copy()
    shutil.rmtree(place.file.parent)
    with pytest.raises(Refused, match="keys_missing"):
        place.open()
    assert place.handle().restore(copy, over=False) == [AMC, OTHER, HUB]
    again = place.open()
    assert again.open(AMC, sealed, b"") == b"rights"
    assert (look_up(again, AMC, b"nir"), again.public_key("journal")) == (meant, public)
    with pytest.raises(Refused, match="keys_there"):
        place.handle().restore(copy, over=False)


def test_a_copy_that_does_not_open_replaces_nothing(keys: Keyring, place: Place) -> None:
    copy = bytearray(keys.copy())
    copy[-1] ^= 1
    for spoiled in (bytes(copy), b"ecluse-keys 1\nother\n", b""):
        with pytest.raises(Refused, match="keys_locked"):
            place.handle().restore(spoiled[:-1], over=True)
    assert place.open().has(AMC)


def test_look_ups_past_the_budget_are_refused_and_rows_wait(keys: Keyring, place: Place) -> None:
    slow = place.open(budget=Budget(lookups_per_s_max=3, rows_per_s_max=500))
    for _ in range(3):
        look_up(slow, AMC, b"nir")
    with pytest.raises(Refused, match="keys_rate_limited"):
        [look_up(slow, AMC, b"nir") for _ in range(3)]  # a slow server lets one in meanwhile
    begun_s = time.monotonic()
    for _ in range(3):
        slow.pseudonyms(AMC, [b"nir"] * 500, 1)
    assert time.monotonic() - begun_s > 0.9


def test_every_pseudonym_is_counted_also_those_of_processes_gone(keys: Keyring, place: Place) -> None:
    look_up(keys, AMC, b"nir")
    keys.tally.ask()
    other = place.open()
    look_up(other, AMC, b"nir")
    other.pseudonyms(AMC, [b"nir"] * 10, 1)
    assert (keys.tally.here(), other.tally.here()) == (Totals(1, 1, 0, 1), Totals(0, 1, 10, 11))
    assert keys.tally.everywhere() == Totals(1, 2, 10, 12)
    del other
    again = place.open()
    look_up(again, AMC, b"nir")  # in the slot of the one gone, on top of what it left
    assert keys.tally.everywhere() == Totals(1, 3, 10, 13)


def test_the_loop_goes_on_while_a_pseudonym_is_computed(keys: Keyring) -> None:
    async def together() -> list[Pseudonyms]:
        return list(await asyncio.gather(*(keys.pseudonym(AMC, b"nir|%d" % number) for number in range(40))))

    found = asyncio.run(together())
    assert found == [(each,) for each in keys.pseudonyms(AMC, [b"nir|%d" % number for number in range(40)], 1)]
