"""Committed passes, right and wrong: the product and a verifier that shares no code with it judge each the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecluse.kernel.errors import Refused
from ecluse.passes.issued import as_text, from_text, issue
from ecluse.passes.live import show
from ecluse.passes.status import read_list, write_list
from ecluse.passes.verify import Verified, verify
from tests.vectors.passes import make, tiny_verifier

VECTORS: dict[str, Any] = json.loads(make.FILE.read_text())
ISSUERS = {bytes.fromhex(one): bytes.fromhex(two) for one, two in VECTORS["issuers"].items()}
PUBLIC = make.public(make.ISSUER)
SIGNERS = {make.key_id(key): key for key in (make.ISSUER, make.SUCCESSOR)}
REFUSES = (ValueError, KeyError, TypeError, AttributeError)


def names(kind: str) -> Any:
    return pytest.mark.parametrize("case", VECTORS[kind], ids=[each["name"] for each in VECTORS[kind]])


def test_the_file_is_what_the_code_makes() -> None:
    made = json.loads(json.dumps(make.vectors()))
    for name in ("status", "status_of_successor"):
        made[name]["file"] = VECTORS[name]["file"]  # another zlib may compress it otherwise
    assert made == VECTORS


@names("taken")
def test_a_right_pass_is_taken(case: dict[str, Any]) -> None:
    found = verify(case["text"], ISSUERS, case["now_ts"])
    claims, live, key_id = tiny_verifier.verify(case["text"], ISSUERS, case["now_ts"])
    held = found.held
    said = (
        held.insurer,
        held.index,
        held.handles,
        held.expires_ts,
        held.not_before_ts,
        held.holder,
        found.shown is not None,
    )
    assert said == (claims[1], claims[2], claims[3], claims[4], claims[5], claims.get(8, b""), live)
    assert found.key_id == key_id
    assert list(held.domains) == [kind for place, kind in enumerate(tiny_verifier.KINDS) if claims[6] >> place & 1]


@names("taken")
def test_the_product_writes_the_same_bytes(case: dict[str, Any]) -> None:
    found = verify(case["text"], ISSUERS, case["now_ts"])
    key = SIGNERS[found.key_id]
    again = issue(found.held, make.public(key), key.sign)
    if shown := found.shown:
        again = show(again, shown.window * 30, shown.nonce, make.public(make.HOLDER), make.HOLDER.sign)
    assert as_text(again) == case["text"]
    assert from_text(case["text"]) == again


@names("refused")
def test_a_wrong_pass_is_refused_by_both(case: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="pass_invalid"):
        verify(case["text"], ISSUERS, case["now_ts"])
    with pytest.raises(REFUSES):
        tiny_verifier.verify(case["text"], ISSUERS, case["now_ts"])


def test_every_wrong_pass_is_wrong_in_its_own_way() -> None:
    texts = [(each["text"], each["now_ts"]) for each in VECTORS["refused"]]
    assert len(set(texts)) == len(texts) > 70


def test_a_key_that_is_not_trusted_signs_nothing() -> None:
    with pytest.raises(Refused, match="issuer unknown"):
        verify(VECTORS["taken"][0]["text"], {}, make.NOW)


def test_what_a_retired_key_signed_is_refused_for_its_key_alone() -> None:
    believed = ISSUERS | {bytes.fromhex(one): bytes.fromhex(two) for one, two in VECTORS["retired"].items()}
    retired = [each for each in VECTORS["refused"] if each["name"].endswith("signed by a key that was retired")]
    assert len(retired) == 2
    for each in retired:
        assert verify(each["text"], believed, each["now_ts"]).key_id == make.key_id(make.RETIRED)
        with pytest.raises(Refused, match="its key retired"):
            verify(each["text"], ISSUERS, each["now_ts"])


@pytest.mark.parametrize(("name", "key"), [("status", make.ISSUER), ("status_of_successor", make.SUCCESSOR)])
def test_the_status_list_is_read_alike(name: str, key: Any) -> None:
    listed, file, public = VECTORS[name], bytes.fromhex(VECTORS[name]["file"]), make.public(key)
    mine, others = read_list(file, public), tiny_verifier.revoked(file, public, make.NOW)
    for index in (*listed["revoked"], 1, 8, 914_320, 2**20 - 2, 2**20, 2**27 - 1):
        is_revoked = index in listed["revoked"] or index >= listed["size"]
        assert (mine.revoked(index), others(index)) == (is_revoked, is_revoked)
    again = write_list(listed["revoked"], listed["size"], listed["made_ts"], make.key_id(key), key.sign)
    assert read_list(again, public) == mine
    with pytest.raises(Refused, match="pass_invalid"):
        read_list(file, make.public(make.SUCCESSOR if key is make.ISSUER else make.ISSUER))


def test_a_list_signed_by_another_key_or_changed_is_refused() -> None:
    file = bytes.fromhex(VECTORS["status"]["file"])
    for wrong, public in (
        (file, make.public(make.STRANGER)),
        (file[:-1], PUBLIC),
        (file[:200] + bytes([file[200] ^ 1]) + file[201:], PUBLIC),
    ):
        with pytest.raises(Refused, match="pass_invalid"):
            read_list(wrong, public)


def test_a_pass_is_no_status_list_and_a_list_no_pass() -> None:
    with pytest.raises(Refused):
        read_list(from_text(VECTORS["taken"][0]["text"]), PUBLIC)
    with pytest.raises(Refused):
        verify(as_text(bytes.fromhex(VECTORS["status"]["file"])), ISSUERS, make.NOW)


def test_a_pass_tells_whether_it_was_shown_live() -> None:
    found: list[Verified] = [verify(each["text"], ISSUERS, each["now_ts"]) for each in VECTORS["taken"]]
    assert [each.shown is not None for each in found] == ["live" in each["name"] for each in VECTORS["taken"]]
