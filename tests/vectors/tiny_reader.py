"""A second reader of the journal, written from docs/journal.md alone: it shares no code with the product.

    python tests/vectors/tiny_reader.py docs/journal.md

It takes the blocks under "Test vectors": reads the entries, hashes them, and checks head, cosignature and proof.
"""

import base64
import re
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTHS = {0xC4: 1, 0xC5: 2, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD9: 1, 0xDA: 2, 0xDC: 2}


def unpack(data, at=0):
    """One MessagePack value and the position after it; only the forms an entry uses."""
    kind, at = data[at], at + 1
    if kind <= 0x7F:
        return kind, at
    width = WIDTHS.get(kind, 0)
    number, at = int.from_bytes(data[at : at + width]) if width else kind & 0x1F, at + width
    if kind == 0xDC:
        values = []
        for _ in range(number):
            value, at = unpack(data, at)
            values.append(value)
        return values, at
    if 0xCC <= kind <= 0xCF:
        return number, at
    content, at = data[at : at + number], at + number
    if kind in (0xC4, 0xC5):
        return content, at
    assert 0xA0 <= kind <= 0xBF or kind in (0xD9, 0xDA)
    return content.decode(), at


def read_entry(data, names):
    values, end = unpack(data)
    assert end == len(data)
    return dict(zip(names, values, strict=True))


def leaf(data):
    return sha256(b"\x00" + data).digest()


def node(left, right):
    return sha256(b"\x01" + left + right).digest()


def root(leaves):
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256().digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:half]), root(leaves[half:]))


def climb(found, index, size, path):
    """The root that a proof leads to: the last hash of the path is the root's own child."""
    if size == 1:
        assert not path
        return found
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return node(climb(found, index, half, path[:-1]), path[-1])
    return node(path[-1], climb(found, index - half, size - half, path[:-1]))


def check_note(note, vkey):
    """Origin, size and root of a head, once its signature by this key was checked (it raises when it is wrong)."""
    name, key_id, material = vkey.split("+", 2)
    material = base64.b64decode(material)
    assert sha256(name.encode() + b"\n" + material).digest()[:4].hex() == key_id
    body, _, lines = note.rpartition("\n\n")
    message = (body + "\n").encode()
    (given,) = [line for line in lines.splitlines() if line.startswith(f"— {name} ")]
    signature = base64.b64decode(given.split(" ")[2])
    assert signature[:4].hex() == key_id
    signature = signature[4:]
    if material[0] == 4:  # a cosignature: the time it was given is signed with the head
        message = f"cosignature/v1\ntime {int.from_bytes(signature[:8])}\n".encode() + message
        signature = signature[8:]
    Ed25519PublicKey.from_public_bytes(material[1:]).verify(signature, message)
    origin, size, root64 = body.split("\n")[:3]
    return origin, int(size), base64.b64decode(root64)


def check(page):
    """The entries of the page's vectors; an exception when anything is not as it says."""
    block, note, proof = re.findall(r"```text\n(.*?)```", page.partition("## Test vectors")[2], re.S)[:3]
    told = [line.split(" ", 1) for line in block.splitlines()]
    values = {kind: [value for each, value in told if each == kind] for kind, _ in told}
    entries = [bytes.fromhex(value) for value in values["entry"]]
    assert [leaf(each).hex() for each in entries] == values["leaf"]
    head = check_note(note, values["key"][0])
    assert head == check_note(note, values["witness"][0])
    assert head[1:] == (len(entries), root([leaf(each) for each in entries]))
    above, _, below = proof.partition("\n\n")
    first, index, *path = above.split("\n")
    assert (first, below) == ("c2sp.org/tlog-proof@v1", note)
    at = int(index.removeprefix("index "))
    assert climb(leaf(entries[at]), at, head[1], [base64.b64decode(each) for each in path]) == head[2]
    names = re.findall(r"^\| \d+ \| (\w+) \|", page, re.M)[:17]  # the table of an entry's values
    return [read_entry(each, names) for each in entries]


if __name__ == "__main__":
    for entry in check(Path(sys.argv[1]).read_text()):
        sys.stdout.write(f"{entry['operation']} {entry['account']}\n")
