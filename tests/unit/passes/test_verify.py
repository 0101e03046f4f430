"""Laws of passes: one bit changed is refused, and whatever is scanned, a pass is taken or refused, and nothing else happens."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.kernel.errors import Refused
from ecluse.passes import base45, cbor
from ecluse.passes.issued import as_text, from_text
from ecluse.passes.status import read_list
from ecluse.passes.verify import held_in, verify
from tests.vectors.passes import make

VECTORS: dict[str, Any] = json.loads(make.FILE.read_text())
ISSUERS = {make.KID: make.public(make.ISSUER)}
PASS = VECTORS["taken"][0]["text"]
LIVE = next(each["text"] for each in VECTORS["taken"] if each["name"] == "shown live")
TEXTS = [each["text"] for kind in ("taken", "refused") for each in VECTORS[kind]]


def is_taken(text: str, now_ts: int = make.NOW) -> bool:
    try:
        verify(text, ISSUERS, now_ts)
    except Refused as refused:
        return refused.code != "pass_invalid"
    return True


@pytest.mark.parametrize(("text", "step"), [(PASS, 1), (LIVE, 7)], ids=["pass", "live"])
def test_every_bit_of_the_bytes_counts(text: str, step: int) -> None:
    """Of a presentation, one or two of each byte: each costs two signatures."""
    encoded = from_text(text)
    assert is_taken(text)
    for bit in range(0, 8 * len(encoded), step):
        changed = bytearray(encoded)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_taken(as_text(bytes(changed))), bit


@pytest.mark.parametrize("text", [PASS, LIVE], ids=["pass", "live"])
def test_every_bit_of_the_text_counts(text: str) -> None:
    plain = text.encode()
    for bit in range(0, 8 * len(plain), 3):
        changed = bytearray(plain)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_taken(changed.decode("latin-1")), bit


@given(st.text(max_size=600))
def test_any_text_is_refused(text: str) -> None:
    assert not is_taken(text)
    assert not is_taken("TP1:" + text)


@given(st.binary(max_size=340))
def test_any_bytes_are_refused(encoded: bytes) -> None:
    assert not is_taken(as_text(encoded))
    assert not is_taken(as_text(b"\xd2\x84" + encoded))


@given(st.data())
def test_pieces_of_passes_put_together_are_refused(data: st.DataObject) -> None:
    """What fuzzers do: cut, splice, repeat; whatever comes out is one of the passes, or refused."""
    pieces = [data.draw(st.sampled_from(TEXTS)) for _ in range(2)]
    cuts = [data.draw(st.integers(0, len(piece))) for piece in pieces]
    text = pieces[0][: cuts[0]] + data.draw(st.text(base45.ALPHABET, max_size=6)) + pieces[1][cuts[1] :]
    assert not is_taken(text) or text in TEXTS


# What a payload may hold, and more: signed by the issuer itself, so that only its form can refuse it.
VALUES = st.recursive(
    st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=20)
    | st.text(max_size=12)
    | st.booleans()
    | st.none()
    | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers(0, 9), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.integers(0, 9), VALUES, max_size=4))
def test_any_claims_a_mad_issuer_signs_are_taken_or_refused(claims: dict[int, Any]) -> None:
    text = as_text(make.issued(make.CLAIMS | claims))
    if is_taken(text):
        assert held_in(text, ISSUERS).held.expires_ts > make.NOW


@given(st.dictionaries(st.integers(0, 5), VALUES, max_size=3))
def test_any_presentation_a_mad_holder_signs_is_taken_or_refused(claims: dict[int, Any]) -> None:
    is_taken(as_text(make.shown(from_text(PASS), claims=claims)))


@given(VALUES, st.integers(0, 2**33))
def test_any_status_list_a_mad_issuer_signs_is_read_or_refused(listed: Any, at: int) -> None:
    claims = {2: f"urn:ecluse:passes:{make.KID.hex()}", 4: at, 6: at, 65533: listed}
    header = make.canonical({1: -8, 4: make.KID, 16: "application/statuslist+cwt"})
    file = make.tagged(make.cose(make.canonical(claims), header=header, context=b""))
    with pytest.raises(Refused, match="pass_invalid"):
        read_list(file, make.public(make.ISSUER))


@given(st.binary(max_size=400))
def test_base45_is_one_text_for_the_same_bytes(plain: bytes) -> None:
    assert base45.decode(base45.encode(plain)) == plain


@pytest.mark.parametrize(
    ("plain", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")],
)
def test_base45_as_the_rfc_has_it(plain: bytes, text: str) -> None:
    """RFC 9285 §4.3 and §4.4."""
    assert (base45.encode(plain), base45.decode(text)) == (text, plain)


@given(st.integers(0, 60), st.integers(1, 40))
def test_deep_and_wide_is_refused_before_it_is_made(deep: int, wide: int) -> None:
    encoded = b"\x81" * deep + b"\x98" + bytes([wide]) + b"\x00" * wide
    short = wide < 24 or deep >= cbor.DEPTH_MAX or 1 + deep + wide > cbor.ITEMS_MAX
    if short:
        with pytest.raises(Refused):
            cbor.read(encoded)
    else:
        assert cbor.write(cbor.read(encoded)) == encoded


def test_a_bomb_is_not_inflated() -> None:
    bomb = zlib.compress(bytes(17 << 20), 9)  # 17 MiB in 17 KiB
    claims = {2: f"urn:ecluse:passes:{make.KID.hex()}", 4: 2, 6: 1, 65533: {"bits": 1, "lst": bomb}}
    header = make.canonical({1: -8, 4: make.KID, 16: "application/statuslist+cwt"})
    file = make.tagged(make.cose(make.canonical(claims), header=header, context=b""))
    with pytest.raises(Refused, match="status list"):
        read_list(file, make.public(make.ISSUER))
