"""What each engine of keys promises beside the contract: what leaves a place, who counts, what production refuses."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.app.ports import HUB, Keys
from ecluse.engines.keys import openbao
from ecluse.engines.keys.file import DevelopmentOnly, KeyFile, open_keys
from ecluse.engines.keys.keyring import Opening
from ecluse.engines.keys.meter import Budget
from ecluse.kernel.errors import Refused
from tests.contract.places import PIN, SOFTHSM, Place, Server

AMC = "0075123456"

# A key file written before digests had a key of their own, its passphrase, and what that version made with it.
BEFORE = b64decode(
    "ZWNsdXNlLWtleXMgMQpzY3J5cHQKketNG5zQIeG+ikTOhrJRr/F0fq6sVL90WfFQHigIo1tVpULmU2rwTIw/KEQ91oZH5HL1MPp2CcPcxtY8M1QPXiSuQ+bD"
    "SsWTvKkabH0y2mGL7nKPvGHAeJMbkKUfKbYxXJyyNKKWix3OdM0BCgzAM/VNWqjRuZSlQJAst3syA5ymW2fJtPOQilkedIzAXO1NAVUi4KfPo0g4n5/4NQiJ"
    "jHWiJjd2EPvubVjAUkZYLf6kn9o5GZR+pmAzGd+ukmldMrpIK9e4lFeZBab3zbmSuIN8zbtc70FCw4jdhO3lL6Gx7Tjz"
)
BEFORE_PERSON = bytes.fromhex("f5ad475b4ac35bd40fedef9526b4a0fa")  # of b"person|M1|1979-06-14|1"
BEFORE_SEALED = bytes.fromhex("01bb2b4297f73dbe2e833b7a6cea4eca464dd367ced43ddf59a6ab514fb490ec1c2b17")  # b"rights"

# A key file written when a hub had one key for passes, the public half of that key, and a signature of b"a pass" by it.
ONE_PASS_KEY = b64decode(
    "ZWNsdXNlLWtleXMgMQpzY3J5cHQKkpv1B6lEIoPJVnizmEYQrNqqmbUIJ5Vhud4yx0wfGCEbI9lX2DGF3tOmp1NY6CULKIzQykqj4ItVeLEN1S9gfCiG03e5"
    "DfrwJ9VYqTdlOJeJPizXotw7ny3iBb3oaXnffg0V4df5x/6kHMMI/gzo3CYknUJAAsnuuQvU/saEUCu8waKsIYfJVWHNNUXiZHtfuJLheD0rbNk0TfBecWXf"
    "sXnEwR803+p3sjs+HmxMqDIsSjO+IzsYT67Q5f1hJxz89T71vC89WSYKJ0MD1lheDoXJ1ha6Vt+xBKh7XlrXFH1t9+ta7jBZXi7GWWssBVyv9CxKboOHt7Rp"
    "f0R/myqDokKLNRHJLPHBjq+LsgfpshbHga8+2Pm+UOj+CA3Rltil+dp+ecs1IdzVPCkvYgF1oaltZo/Y"
)
ITS_PUBLIC = "b07329b8b11668935a9d163e66649761da830be183b077ef567d783924a5eabb"
ITS_SIGNATURE = bytes.fromhex(
    "4700538f85ad68baf65cae97d667a416ecef8fb9b2c11b590a1bdd17cad8acd665ee402e03287f0ace281ca89798a39f18636fd969943e90a01387260389a402"
)


def test_the_pass_key_of_a_file_of_before_is_version_1(tmp_path: Path) -> None:
    path = tmp_path / "hub.keys"
    path.write_bytes(ONE_PASS_KEY)
    opening = Opening("hub.keys", tmp_path, "a long passphrase")
    keys = open_keys(opening, new=False)
    ((version, public, is_retired),) = [(key.version, key.public, key.is_retired) for key in keys.pass_keys().held]
    assert (version, public.hex(), is_retired) == (1, ITS_PUBLIC, False)
    assert (path.read_bytes(), keys.sign("pass", b"a pass")) == (ONE_PASS_KEY, ITS_SIGNATURE)
    assert keys.rotate_pass_key() == 2
    again = open_keys(opening, new=False)
    assert again.pass_keys().trusted[0].public.hex() == ITS_PUBLIC
    assert again.sign("pass", b"a pass", 1) == ITS_SIGNATURE != again.sign("pass", b"a pass")
    assert again.public_key("journal") == keys.public_key("journal")


def test_a_key_file_of_before_goes_on_and_changes_nothing_that_was_kept(tmp_path: Path) -> None:
    (tmp_path / "hub.keys").write_bytes(BEFORE)
    keys = open_keys(Opening("hub.keys", tmp_path, "a long passphrase"), new=False)
    said = b"person|M1|1979-06-14|1"
    assert keys.open(AMC, BEFORE_SEALED, b"about") == b"rights"
    assert keys.digest(AMC, said) == BEFORE_PERSON
    assert keys.pseudonyms(AMC, [said], 1) == [BEFORE_PERSON]
    keys.rotate(AMC, "index")
    assert keys.digest(AMC, said) == BEFORE_PERSON
    assert len(keys.public_key("journal")) == 32  # drawn when it was first opened
    for_a_person = keys.seal(AMC, b"care", b"about", BEFORE_PERSON)
    again = open_keys(Opening("hub.keys", tmp_path, "a long passphrase"), new=False)
    again.forget(AMC, sha256(b"another").digest()[:16])
    assert again.open(AMC, for_a_person, b"about") == b"care"
    assert again.open(AMC, BEFORE_SEALED, b"about") == b"rights"


def test_the_sealed_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    KeyFile(tmp_path / "hub.keys", "right").create(HUB)
    for wrong in ("wrong", ""):
        with pytest.raises(Refused, match="keys_locked"):
            KeyFile(tmp_path / "hub.keys", wrong).has(HUB)


@given(cut=st.integers(0, 200))
def test_a_damaged_key_file_is_refused_never_misread(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("keys") / "hub.keys"
    KeyFile(path, "").create(HUB)
    whole = path.read_bytes()
    path.write_bytes(whole[: min(cut, len(whole) - 1)])
    with pytest.raises(Refused, match="keys_locked"):
        KeyFile(path, "").has(HUB)


def test_unsealed_keys_shout_and_production_refuses_them(tmp_path: Path) -> None:
    with pytest.warns(DevelopmentOnly):
        open_keys(Opening("hub.keys", tmp_path), new=True)
    with pytest.raises(Refused, match="keys_unsealed"):
        open_keys(Opening("hub.keys", tmp_path, production=True), new=False)
    sealed = Opening("sealed.keys", tmp_path, "a long passphrase", production=True)
    assert open_keys(sealed, new=True).has(HUB)
    assert (tmp_path / "sealed.keys").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["pkcs11"], indirect=True)
def test_no_key_leaves_the_token(place: Place) -> None:
    import pkcs11
    from pkcs11 import Attribute, ObjectClass

    place.open(new=True).create(AMC)
    token = pkcs11.lib(str(SOFTHSM)).get_token(token_label="ecluse")
    with pytest.raises(pkcs11.PKCS11Error), token.open(user_pin="0" + PIN):
        pass
    kinds = (ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY)
    with token.open() as session:
        found = [key for kind in kinds for key in session.get_objects({Attribute.CLASS: kind})]
        named = {key[Attribute.LABEL].split(".")[1] for key in found}
        assert named == {"index", "wrap", "signing"}
        for key in found:
            assert key[Attribute.SENSITIVE]
            assert not key[Attribute.EXTRACTABLE]
            with pytest.raises(pkcs11.AttributeSensitive):
                key[Attribute.VALUE]


def test_a_token_that_is_not_there_is_said(tmp_path: Path, softhsm: str) -> None:
    pkcs11 = pytest.importorskip("ecluse.engines.keys.pkcs11")
    elsewhere = softhsm.replace("token=ecluse", "token=nowhere")
    with pytest.raises(Refused, match="keys_unreachable"):
        pkcs11.open_keys(Opening(elsewhere, tmp_path), new=True)


@pytest.mark.parametrize("place", ["openbao"], indirect=True)
def test_no_key_leaves_the_server(place: Place, bao: Server) -> None:
    place.open(new=True).create(AMC)
    names = bao.admin("GET", "transit/keys?list=true").json()["data"]["keys"]
    for name in names:
        assert not bao.admin("GET", f"transit/keys/{name}").json()["data"]["exportable"]
    index = next(name for name in names if name.startswith("ecluse.index"))
    mine = {"X-Vault-Token": bao.token}
    assert httpx.get(f"{bao.url}/v1/transit/export/hmac-key/{index}", headers=mine).status_code == 403
    assert httpx.get(f"{bao.url}/v1/transit/backup/{index}", headers=mine).status_code == 403


@pytest.mark.parametrize("place", ["openbao"], indirect=True)
def test_the_server_counts_what_was_computed_and_sees_who_else_does(place: Place, bao: Server) -> None:
    keys = place.open(new=True)
    keys.create(AMC)
    before = keys.audited(bao.audit.read_bytes()) or 0
    asyncio.run(keys.pseudonym(AMC, b"nir"))
    keys.pseudonyms(AMC, [b"nir|%d" % number for number in range(1_000)], 1)
    assert keys.audited(bao.audit.read_bytes()) == before + 1_001
    assert keys.tally.here().keyed == 1_001
    name = next(
        key for key in bao.admin("GET", "transit/keys?list=true").json()["data"]["keys"] if f"index.{AMC}" in key
    )
    bao.admin("POST", f"transit/hmac/{name}/sha2-256", {"batch_input": [{"input": "bmly"}] * 7}).raise_for_status()
    assert keys.audited(bao.audit.read_bytes()) == before + 1_008
    assert "bmly" not in bao.audit.read_text()


def look_up_often(keys: Keys) -> None:
    for _ in range(50):
        asyncio.run(keys.pseudonym(AMC, b"nir"))


@pytest.mark.parametrize("place", ["openbao"], indirect=True)
def test_the_server_itself_refuses_look_ups_past_the_quota(place: Place, bao: Server, tmp_path: Path) -> None:
    (tmp_path / "root").write_text(bao.root)
    admin = Opening(f"{bao.url}?token-file=root", tmp_path, budget=Budget(lookups_per_s_max=5))
    made = openbao.open_keys(admin, new=True)
    try:
        made.create(AMC)
        unlimited = place.open()
        with pytest.raises(Refused, match="keys_rate_limited"):
            look_up_often(unlimited)
    finally:
        bao.admin("DELETE", "sys/quotas/rate-limit/ecluse-lookups")


@pytest.mark.parametrize("place", ["openbao"], indirect=True)
def test_a_hub_made_without_the_right_to_set_a_quota_says_so(place: Place) -> None:
    with pytest.warns(openbao.QuotaNotSet):
        place.open(new=True, budget=Budget(lookups_per_s_max=5))


@pytest.mark.parametrize(
    ("address", "production", "code"),
    [
        ("http://keys.example:8200", True, "keys_in_clear"),
        ("http://127.0.0.1:1", True, "keys_unreachable"),
        ("http://127.0.0.1:1?tokenfile=x", False, "keys_url_invalid"),
        ("http://127.0.0.1:1?token-file=absent", False, "keys_url_invalid"),
        ("ftp://127.0.0.1", False, "keys_url_invalid"),
    ],
)
def test_a_server_that_cannot_be_trusted_or_found_is_said(
    tmp_path: Path, address: str, production: bool, code: str
) -> None:
    with pytest.raises(Refused, match=code):
        openbao.open_keys(Opening(address, tmp_path, production=production), new=True)


@pytest.mark.parametrize("place", ["openbao"], indirect=True)
def test_a_token_the_server_does_not_know_opens_nothing(place: Place) -> None:
    place.open(new=True)
    (place.opening.directory / "token").write_text("s.unknown")
    with pytest.raises(Refused, match="keys_unreachable"):
        place.open()
