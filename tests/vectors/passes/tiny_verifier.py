"""A second verifier of passes, written from docs/passes.md alone: it shares no code with the product, nor its CBOR library.

echo 'TP1:…' | python tests/vectors/passes/tiny_verifier.py KEY_ID=PUBLIC_KEY,KEY_ID=PUBLIC_KEY… [STATUS_LIST_FILE]

The keys are all those of the newest issuers.json; the list is that of the key that signed the pass.
"""

import re
import sys
import time
import zlib
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
KINDS = ["MED", "PHAR", "LABO", "OPTI", "DENT", "AUDI", "RADI", "AUXM", "HOSP", "TRAN"]
DAY_S = 86400


def must(holds):
    if not holds:
        raise ValueError("refused")


def base45(text):
    plain = b""
    for at in range(0, len(text), 3):
        digits = [ALPHABET.find(letter) for letter in text[at : at + 3]]
        must(len(digits) > 1 and min(digits) >= 0)
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        must(number < 256 ** (len(digits) - 1))
        plain += number.to_bytes(len(digits) - 1)
    return plain


def cbor(data, at=0, deep=0):
    """One value in its deterministic form, and the position after it."""
    must(at < len(data) and deep <= 2)
    kind, number, at = data[at] >> 5, data[at] & 31, at + 1
    must(kind <= 5 and number <= 27)
    if number >= 24:
        width = 1 << (number - 24)
        must(at + width <= len(data))
        number, at = int.from_bytes(data[at : at + width]), at + width
        must(number >= (24, 256, 65536, 2**32)[(width.bit_length() - 1)])  # shortest
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind in (2, 3):
        must(at + number <= len(data))
        plain = data[at : at + number]
        return (plain if kind == 2 else plain.decode()), at + number
    must(number <= 64)
    values, keys = [], []
    for _ in range(number * (kind - 3)):
        start = at
        value, at = cbor(data, at, deep + 1)
        values.append(value)
        keys.append(data[start:at])
    if kind == 4:
        return values, at
    must(all(one < other for one, other in zip(keys[0::2], keys[2::2], strict=False)))  # in order, none twice
    return dict(zip(values[0::2], values[1::2], strict=True)), at


def whole(data):
    value, at = cbor(data)
    must(at == len(data))
    return value


def head(length, kind):
    return (
        bytes([kind << 5 | length])
        if length < 24
        else bytes([kind << 5 | 24, length])
        if length < 256
        else bytes([kind << 5 | 25]) + length.to_bytes(2)
        if length < 65536
        else bytes([kind << 5 | 26]) + length.to_bytes(4)
    )


def opened(data, context, keys):
    """Header and payload of a COSE_Sign1 signed for `context` by the key that `keys` finds for header and payload."""
    must(data[:1] == b"\xd2")
    header, bare, payload, signature = parts = whole(data[1:])
    must([type(each) for each in parts] == [bytes, dict, bytes, bytes] and not bare)
    headers, claims = whole(header), whole(payload)
    must(isinstance(headers, dict) and isinstance(claims, dict) and headers.get(1) == -8)
    said = (
        b"\x84"
        + head(10, 3)
        + b"Signature1"
        + b"".join(head(len(each), 2) + each for each in (header, context, payload))
    )
    try:
        Ed25519PublicKey.from_public_bytes(keys(headers, claims)).verify(signature, said)
    except InvalidSignature:
        must(False)
    return headers, claims


def typed(claims, types):
    return {key: type(value) for key, value in claims.items()} == types


def verify(text, issuers, now_s):
    """(claims of the pass, whether it was shown live, its key's id). Raises `ValueError`, `KeyError`, `TypeError`,
    `AttributeError`."""
    must(len(text) <= 512 and text[:4] == "TP1:")
    data, live, holder = base45(text[4:]), False, b""
    must(data[:2] == b"\xd2\x84")
    if 4 not in whole(whole(data[1:])[0]):
        headers, claims = opened(data, b"ecluse/live/1", lambda _, claims: claims[4])
        must(typed(claims, {1: bytes, 2: int, 3: bytes, 4: bytes}) and len(claims[3]) == 8 and len(headers) == 1)
        must(abs(claims[2] - now_s // 30) <= 1)
        data, live, holder = claims[1], True, sha256(claims[4]).digest()[:16]
    headers, claims = opened(data, b"ecluse/pass/1", lambda headers, _: issuers[headers[4]])
    types = {1: str, 2: int, 3: bytes, 4: int, 5: int, 6: int, 7: int}
    must(len(headers) == 2 and typed(claims, types | ({8: bytes} if 8 in claims else {})))
    must(re.fullmatch(r"[0-9]{8,10}", claims[1]) and 0 <= claims[2] < 2**27 and len(claims[3]) == 16)
    must(7 * DAY_S <= claims[4] - claims[5] <= 31 * DAY_S and claims[5] > 0 and 0 <= claims[6] < 1024)
    must(0 <= claims[7] <= claims[4] // DAY_S + 1 and len(claims.get(8, bytes(16))) == 16)
    must(claims[5] - 60 <= now_s < claims[4] + 60)
    must(not live or claims.get(8) == holder)
    return claims, live, headers[4]


def revoked(file, public, now_s):
    """What says of an index whether the list, which must be good now, has it revoked."""
    headers, claims = opened_list(file, public)
    must(headers[16] == "application/statuslist+cwt" and claims[2] == "urn:ecluse:passes:" + headers[4].hex())
    must(claims[6] - 60 <= now_s < claims[4] and claims[65533]["bits"] == 1)
    bits = zlib.decompressobj().decompress(claims[65533]["lst"], 2**24)
    return lambda index: index // 8 >= len(bits) or bool(bits[index // 8] >> index % 8 & 1)


def opened_list(file, public):
    return opened(file, b"", lambda headers, _: public)


def main():
    known = [each.partition("=") for each in sys.argv[1].split(",")]
    issuers = {bytes.fromhex(one): bytes.fromhex(two) for one, _, two in known}
    claims, live, key_id = verify(sys.stdin.read().rstrip("\n"), issuers, int(time.time()))
    if len(sys.argv) > 2:
        must(not revoked(Path(sys.argv[2]).read_bytes(), issuers[key_id], int(time.time()))(claims[2]))
    kinds = [kind for place, kind in enumerate(KINDS) if claims[6] >> place & 1]
    sys.stdout.write(" ".join(["live" if live else "pass", claims[1], *kinds]) + "\n")


if __name__ == "__main__":
    main()
