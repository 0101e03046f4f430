"""Makes vectors.json: passes that must be taken and others that must be refused, each wrong in one way, from docs/passes.md.

    python -m tests.vectors.passes.make

Built from cbor2 and cryptography alone, so that the product is held to the document and not to itself.
Keys are those of RFC 8032 §7.1 (tests 1 to 3, 1024 and SHA(abc)): public, and of no worth. `ISSUER` was rotated:
`SUCCESSOR` signs, both are believed; `RETIRED` signed before, and is believed no more.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cbor2 import CBORTag, dumps
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = Path(__file__).with_name("vectors.json")
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
SECRETS = (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
)
ISSUER, HOLDER, STRANGER, SUCCESSOR, RETIRED = (
    Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)) for secret in SECRETS
)
PASS_CONTEXT, LIVE_CONTEXT = b"ecluse/pass/1", b"ecluse/live/1"
FROM, DAYS = 1795906800, 31  # 29 November 2026, midnight in Paris
UNTIL = FROM + DAYS * 86400
NOW = FROM + 3600 * 10
ORDER_L = 2**252 + 27742317777372353535851937790883648493


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(key: Ed25519PrivateKey) -> bytes:
    return hashlib.sha256(public(key)).digest()[:8]


KID = key_id(ISSUER)
THUMB = hashlib.sha256(public(HOLDER)).digest()[:16]
CLAIMS: dict[int, Any] = {
    1: "0075123456", 2: 914_321, 3: bytes(range(16)), 4: UNTIL, 5: FROM, 6: 0b1001, 7: UNTIL // 86400, 8: THUMB,
}  # fmt: skip
PAPER = {key: value for key, value in CLAIMS.items() if key != 8}


def cose(
    payload: bytes,
    key: Ed25519PrivateKey = ISSUER,
    header: bytes | None = None,
    context: bytes = PASS_CONTEXT,
    unprotected: dict[Any, Any] | None = None,
) -> list[Any]:
    """The four parts, signed."""
    header = canonical({1: -8, 4: KID}) if header is None else header
    signed = key.sign(canonical(["Signature1", header, context, payload]))
    return [header, unprotected or {}, payload, signed]


def canonical(value: Any) -> bytes:
    return dumps(value, canonical=True)


def tagged(parts: list[Any]) -> bytes:
    return b"\xd2" + canonical(parts)


def issued(claims: dict[int, Any], **changes: Any) -> bytes:
    return tagged(cose(canonical(claims), **changes))


def issued_by(key: Ed25519PrivateKey, named: Ed25519PrivateKey | None = None) -> bytes:
    """A pass signed by this key, under its own id or under that of the key `named`."""
    return issued(CLAIMS, key=key, header=canonical({1: -8, 4: key_id(named or key)}))


def shown(
    encoded: bytes, at: int = NOW, nonce: bytes = b"nonce--1", key: Ed25519PrivateKey = HOLDER, **changes: Any
) -> bytes:
    payload = {1: encoded, 2: at // 30, 3: nonce, 4: public(key)} | changes.pop("claims", {})
    given = {"key": key, "header": canonical({1: -8}), "context": LIVE_CONTEXT} | changes
    return tagged(cose(canonical(payload), **given))


def base45(plain: bytes) -> str:
    text = ""
    for at in range(0, len(plain), 2):
        pair = plain[at : at + 2]
        number = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text += ALPHABET[digit]
    return text


def taken() -> Iterator[tuple[str, bytes, int]]:
    whole = issued(CLAIMS)
    yield "a pass with a holder's key", whole, NOW
    yield "a pass on paper", issued(PAPER), NOW
    yield "the first second, by a clock a minute behind", whole, FROM - 60
    yield "the last second", whole, UNTIL - 1
    yield "seven days", issued(PAPER | {4: FROM + 7 * 86400, 7: FROM // 86400 + 7}), NOW
    yield "no kind of care", issued(PAPER | {6: 0}), NOW
    yield (
        "every kind of care, the last index, eight digits",
        issued(PAPER | {1: "00751234", 2: 2**27 - 1, 6: 1023}),
        NOW,
    )
    yield "shown live", shown(whole), NOW
    yield "shown live half a minute ago", shown(whole, NOW - 30), NOW
    yield "shown live half a minute ahead", shown(whole, NOW + 30), NOW
    yield "signed by the successor of the key", issued_by(SUCCESSOR), NOW
    yield "signed by the successor of the key, shown live", shown(issued_by(SUCCESSOR)), NOW


def refused_texts() -> Iterator[tuple[str, str]]:
    text = "TP1:" + base45(issued(CLAIMS))
    yield "nothing", ""
    yield "the prefix alone", "TP1:"
    yield "another prefix", "HC1:" + text[4:]
    yield "small letters", text.lower()
    yield "too long", text + "0" * 512
    yield "a letter of another alphabet", text[:60] + "_" + text[61:]
    yield "a digit of another script", text[:60] + "\u0663" + text[61:]
    yield "a group above 65535", "TP1:" + ":::" + text[7:]
    yield "a last group above 255", text[:4] + base45(issued(CLAIMS)[:-1])[:-2] + "::"
    yield "one letter over", text + "0"
    yield "cut short", text[:-3]
    yield "a space in front", " " + text


def bad_cose() -> Iterator[tuple[str, bytes]]:
    parts, payload = cose(canonical(CLAIMS)), canonical(CLAIMS)
    flipped = parts[3][:40] + bytes([parts[3][40] ^ 4]) + parts[3][41:]
    s = int.from_bytes(parts[3][32:], "little") + ORDER_L
    yield "no tag", canonical(parts)
    yield "the tag of COSE_Mac0", dumps(CBORTag(17, parts))
    yield "the tag twice", b"\xd2" + tagged(parts)
    yield "three parts", tagged(parts[:3])
    yield "five parts", tagged([*parts, b""])
    yield "a byte left over", tagged(parts) + b"\x00"
    yield "a signature of 63 bytes", tagged([*parts[:3], parts[3][:63]])
    yield "a bit of the signature turned", tagged([*parts[:3], flipped])
    yield (
        "the signature's other form, plus the order of the group",
        tagged([*parts[:3], parts[3][:32] + s.to_bytes(32, "little")]),
    )
    yield "signed by a stranger under the issuer's key id", tagged(cose(payload, STRANGER))
    yield "signed by a key that was retired", issued_by(RETIRED)
    yield "the key id of one key with the signature of its successor", issued_by(SUCCESSOR, ISSUER)
    yield "the key id of the successor with the signature of the key before", issued_by(ISSUER, SUCCESSOR)
    yield "the key id of one key with the signature of a retired one", issued_by(RETIRED, ISSUER)
    yield "signed without context", tagged(cose(payload, context=b""))
    yield "signed as a presentation", tagged(cose(payload, context=LIVE_CONTEXT))
    yield "an unknown key id", tagged(cose(payload, header=canonical({1: -8, 4: bytes(8)})))
    yield "a key id of text", tagged(cose(payload, header=canonical({1: -8, 4: "issuer"})))
    yield "algorithm ES256", tagged(cose(payload, header=canonical({1: -7, 4: KID})))
    yield "no algorithm", tagged(cose(payload, header=canonical({4: KID})))
    yield "one more header, critical", tagged(cose(payload, header=canonical({1: -8, 2: [99], 4: KID})))
    yield "the key id in the unprotected header", tagged(cose(payload, header=canonical({1: -8}), unprotected={4: KID}))
    yield "something in the unprotected header", tagged(cose(payload, unprotected={99: 1}))
    yield "an empty protected header", tagged(cose(payload, header=b""))


def bad_cbor() -> Iterator[tuple[str, bytes]]:
    payload, parts = canonical(CLAIMS), cose(canonical(CLAIMS))
    yield "an array without a length", b"\xd2\x9f" + b"".join(map(canonical, parts)) + b"\xff"
    yield (
        "a payload longer than it says",
        b"\xd2\x84" + b"".join(map(canonical, parts[:2])) + b"\x5a\xff\xff\xff\xff" + payload,
    )
    yield "a number not in its shortest form", tagged(cose(payload.replace(b"\x06\x09", b"\x06\x18\x09")))
    yield (
        "keys out of order",
        tagged(cose(b"\xa8" + b"".join(canonical(key) + canonical(CLAIMS[key]) for key in reversed(CLAIMS)))),
    )
    yield "a key twice", tagged(cose(b"\xa9" + canonical(6) + canonical(1) + payload[1:]))
    yield "an instant that is a float", issued(CLAIMS | {4: float(UNTIL)})
    yield "an instant with a tag", tagged(cose(dumps(CLAIMS | {4: CBORTag(1, UNTIL)})))
    yield "a number with the tag of large ones", tagged(cose(dumps(CLAIMS | {2: CBORTag(2, b"\x01")})))
    yield "nested a hundred deep", tagged(cose(b"\x81" * 100 + b"\x00"))
    yield "a hundred items", tagged(cose(canonical(list(range(100)))))
    yield "null", tagged(cose(b"\xf6"))
    yield "a payload of nothing", tagged(cose(b""))


def bad_claims() -> Iterator[tuple[str, bytes]]:
    for key in PAPER:
        yield f"without key {key}", issued({other: value for other, value in CLAIMS.items() if other != key})
    changed: dict[str, dict[int, Any]] = {
        "one more key": {9: 1},
        "an insurer in letters": {1: "MUTUELLE12"},
        "an insurer of seven digits": {1: "0075123"},
        "an insurer that is a number": {1: 75123456},
        "an insurer with a line end": {1: "75123456\n"},
        "an index past the list": {2: 2**27},
        "an index below zero": {2: -1},
        "handles of 15 bytes": {3: bytes(15)},
        "handles that are text": {3: "0123456789abcdef"},
        "six days": {4: FROM + 6 * 86400, 7: FROM // 86400},
        "thirty-two days": {4: FROM + 32 * 86400},
        "ending before it begins": {4: FROM - 1, 7: 1},
        "a kind of care that there is not": {6: 1024},
        "covered after the pass": {7: UNTIL // 86400 + 2},
        "a holder of 15 bytes": {8: bytes(15)},
    }
    yield from ((name, issued(CLAIMS | change)) for name, change in changed.items())


def bad_instants() -> Iterator[tuple[str, bytes, int]]:
    whole = issued(CLAIMS)
    yield "two minutes too early", whole, FROM - 120
    yield "a minute after its end, by a clock that is right", whole, UNTIL + 60
    yield "a year later", whole, UNTIL + 365 * 86400
    yield "shown live a minute ago", shown(whole, NOW - 60), NOW
    yield "shown live in a minute", shown(whole, NOW + 60), NOW
    yield "an expired pass, shown live", shown(whole, UNTIL + 90), UNTIL + 90


def bad_shown() -> Iterator[tuple[str, bytes]]:
    whole = issued(CLAIMS)
    yield "by a key that is not the holder's", shown(whole, key=STRANGER)
    yield "of a pass on paper", shown(issued(PAPER))
    yield "of a forged pass", shown(issued(CLAIMS, key=STRANGER))
    yield "of a pass signed by a key that was retired", shown(issued_by(RETIRED))
    yield "of a presentation", shown(shown(whole))
    yield "signed by another key than it names", shown(whole, key=STRANGER, claims={4: public(HOLDER)})
    yield "signed as a pass", shown(whole, context=PASS_CONTEXT)
    yield "a nonce of 7 bytes", shown(whole, nonce=b"nonce--")
    yield "a key of 31 bytes", shown(whole, claims={4: public(HOLDER)[:31]})
    yield (
        "without nonce",
        tagged(cose(canonical({1: whole, 2: NOW // 30, 4: public(HOLDER)}), HOLDER, canonical({1: -8}), LIVE_CONTEXT)),
    )
    yield "one more key", shown(whole, claims={5: 0})
    yield "a half minute below zero", shown(whole, claims={2: -1})
    yield "the pass as text", shown(whole, claims={1: base45(whole)})


def status(key: Ed25519PrivateKey) -> dict[str, Any]:
    """The list of this key: the same bits in each, for an index is one pass's, whichever key signed it."""
    revoked, bits = [0, 9, 914_321, 2**20 - 1], bytearray(2**17)
    for index in revoked:
        bits[index // 8] |= 1 << index % 8
    claims = {
        2: f"urn:ecluse:passes:{key_id(key).hex()}",
        4: NOW + 86400,
        6: NOW,
        65533: {"bits": 1, "lst": zlib.compress(bytes(bits), 9)},
        65534: 3600,
    }
    header = canonical({1: -8, 4: key_id(key), 16: "application/statuslist+cwt"})
    return {
        "file": tagged(cose(canonical(claims), key, header, b"")).hex(),
        "size": 2**20,
        "revoked": revoked,
        "made_ts": NOW,
    }


def vectors() -> dict[str, Any]:
    bad = [(f"text: {name}", text, NOW) for name, text in refused_texts()]
    for kind, cases in (("cose", bad_cose()), ("cbor", bad_cbor()), ("claims", bad_claims()), ("live", bad_shown())):
        bad += [(f"{kind}: {name}", "TP1:" + base45(encoded), NOW) for name, encoded in cases]
    bad += [(f"time: {name}", "TP1:" + base45(encoded), at) for name, encoded, at in bad_instants()]
    good = [(name, "TP1:" + base45(encoded), at) for name, encoded, at in taken()]
    return {
        "source": "tests/vectors/passes/make.py, from docs/passes.md; keys of RFC 8032, section 7.1",
        "issuers": {key_id(key).hex(): public(key).hex() for key in (ISSUER, SUCCESSOR)},
        "retired": {key_id(RETIRED).hex(): public(RETIRED).hex()},
        "taken": [{"name": name, "text": text, "now_ts": at} for name, text, at in good],
        "refused": [{"name": name, "text": text, "now_ts": at} for name, text, at in bad],
        "status": status(ISSUER),
        "status_of_successor": status(SUCCESSOR),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
