"""Signed notes, cosignatures, policies and proofs: the examples of the specifications, and every way to be wrong."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ecluse.journal.checkpoint import Checkpoint, opened, read_checkpoint, signed
from ecluse.journal.cosignature import Signed, cosigned, signers
from ecluse.journal.merkle import inclusion_proof, leaf_hash
from ecluse.journal.note import COSIGNATURE, ED25519, ML_DSA_44, Key, Note, Signature, read_key, read_note, verify
from ecluse.journal.policy import Policy, keys_for, read_policy
from ecluse.journal.proof import Proof, read_proof, verify_proof
from tests.unit.journal.test_merkle import LEAVES, ROOTS, hashes

# The example of signed-note.md: a key and a note it verifies.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
ORIGIN = "hub.example/journal/2026-11-w0"
TIME_S = 1_764_000_000

_LOG, _ED, _ML = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
LOG = Key(ORIGIN, ED25519, _LOG.public_key().public_bytes_raw())
FAMILY = Key("hub.example/journal/", ED25519, LOG.public)
ED = Key("insurer.example/w", COSIGNATURE, _ED.public_key().public_bytes_raw())
ML = Key("insurer.example/w", ML_DSA_44, _ML.public_key().public_bytes_raw())
SIGN: dict[Key, Callable[[bytes], bytes]] = {LOG: _LOG.sign, ED: _ED.sign, ML: _ML.sign}


def checkpoint(size: int = 5, *witnesses: Key, origin: str = ORIGIN) -> Note:
    key = Key(origin, ED25519, LOG.public)
    note = signed(Checkpoint(origin, size, ROOTS[size]), key, _LOG.sign)
    return Note(note.text, note.signatures + tuple(cosigned(note.text, each, TIME_S, SIGN[each]) for each in witnesses))


def test_the_example_of_the_specification_verifies() -> None:
    key = read_key(EXAMPLE_KEY)
    note = read_note(EXAMPLE)
    assert (key.text, note.content) == (EXAMPLE_KEY, EXAMPLE)
    assert verify(note, [key]) == [key]
    assert signers(note, [key]) == [Signed(key)]


def test_cosignatures_of_both_kinds_verify_with_their_times_and_unknown_ones_are_ignored() -> None:
    note = read_note(checkpoint(5, ED, ML).content)
    assert signers(note, [ML, LOG, ED]) == [Signed(ML, TIME_S), Signed(LOG), Signed(ED, TIME_S)]
    assert signers(note, [LOG]) == [Signed(LOG)]
    assert signers(note, [Key("other.example", ED25519, LOG.public)]) == []
    assert opened(note.content, LOG).size == 5


@pytest.mark.parametrize("key", [LOG, ED, ML], ids=["log", "ed25519", "ml-dsa-44"])
@pytest.mark.parametrize("at", [0, 7, -1])
def test_a_wrong_signature_of_a_known_key_condemns_the_note(key: Key, at: int) -> None:
    note = checkpoint(5, ED, ML)
    (good,) = note.by(key)
    wrong = bytearray(good.signature)
    wrong[at] ^= 1
    forged = Note(note.text, (*note.signatures, Signature(key.name, key.id, bytes(wrong))))
    with pytest.raises(ValueError, match=r"wrong|no time"):
        signers(forged, [key])
    assert signers(forged, [each for each in (LOG, ED, ML) if each != key])


@pytest.mark.parametrize("signature", [b"", b"1234567", b"12345678", bytes(8) + bytes(64), b"\xff" * 8 + bytes(64)])
def test_a_cosignature_without_time_or_cut_condemns_the_note(signature: bytes) -> None:
    with pytest.raises(ValueError, match=r"time|cut|wrong"):
        signers(Note(checkpoint().text, (Signature(ED.name, ED.id, signature),)), [ED])


def test_a_cosignature_covers_the_head_and_the_ml_dsa_one_the_name_of_who_gave_it() -> None:
    other = checkpoint(6).text
    for key in (ED, ML):
        (moved,) = checkpoint(5, key).by(key)
        with pytest.raises(ValueError, match="wrong"):
            signers(Note(other, (moved,)), [key])
    renamed = Key("else.example", ML_DSA_44, ML.public)
    (given_,) = checkpoint(5, ML).by(ML)
    with pytest.raises(ValueError, match="wrong"):
        signers(Note(checkpoint().text, (Signature(renamed.name, renamed.id, given_.signature),)), [renamed])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name AAAAAAA=",  # no newline at the end
        "text\n\n— name AAAAAA==\n",  # four bytes: an id and no signature
        "text\n\n— name AAAAAAB=\n",  # bits to spare
        "text\n\n- name AAAAAAA=\n",
        "text\n\n— na+me AAAAAAA=\n",
        "text\n\n— AAAAAAA=\n",
        "text\n\n— na\u00a0me AAAAAAA=\n",
        "te\rxt\n\n— name AAAAAAA=\n",
        "te\txt\n\n— name AAAAAAA=\n",
        "text\n\n" + "— name AAAAAAA=\n" * 65,
        "t" * (256 << 10) + "\n\n— name AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_note(content)


def test_sixteen_signatures_of_five_kilobytes_are_read() -> None:
    line = Signature("name", b"1234", bytes(5000)).line
    assert len(read_note("text\n\n" + line * 16).signatures) == 16


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+530d903a", f"+530d903a+{EXAMPLE_KEY[-44:]}", EXAMPLE_KEY.replace("530d", "530e"),
     EXAMPLE_KEY.replace("530d903a", "530D903A"), "a b+530d903a+AQ==", "a+530d903a+",
     Key("short", ED25519, bytes(31)).text, Key("short", ML_DSA_44, bytes(32)).text],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_key(text)


@pytest.mark.parametrize(
    "text",
    ["", "o\n1\n", "o\n01\nROOT\n", "o\n-1\nROOT\n", "o\n٣\nROOT\n", "o\n1\nROOT", "\n1\nROOT\n", "o\n1\nAAAA\n",
     "o\n1\nROOT\n\n", "o\n9223372036854775808\nROOT\n", "o\n1\nROOT=\n", "o\n+1\nROOT\n", "o\n1 \nROOT\n",
     "o\n" + "1" * 5000 + "\nROOT\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_checkpoint(text.replace("ROOT", base64.b64encode(ROOTS[1]).decode()))


def test_extension_lines_are_ignored_but_signed() -> None:
    text = checkpoint().text + "more\n"
    assert read_checkpoint(text).size == 5


# ------------------------------------------------------------------------------------------------------------------ policies

OTHER = Key("other.example/w", COSIGNATURE, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def policy(*lines: str) -> Policy:
    names = {"LOG": LOG.text, "FAMILY": FAMILY.text, "ED": ED.text, "ML": ML.text, "OTHER": OTHER.text}
    text = "\n".join(lines)
    for name, vkey in names.items():
        text = text.replace(f"${name}", vkey)
    return read_policy(text.encode())


@pytest.mark.parametrize(
    ("lines", "accepted"),
    [
        (["log $LOG", "quorum none"], True),
        (["log $FAMILY https://hub.example", "quorum none"], True),
        (["# a comment", "", " \tlog\t$LOG  ", "witness a $ED", "quorum a"], True),
        (["witness a $ED https://w.example", "quorum a", "log $LOG"], True),
        (["log $LOG", "witness a $OTHER", "quorum a"], False),
        (["log $LOG", "witness a $ED", "witness b $OTHER", "group g any a b", "quorum g"], True),
        (["log $LOG", "witness a $ED", "witness b $OTHER", "group g all a b", "quorum g"], False),
        (["log $LOG", "witness a $ED", "witness b $ML", "group g 2 a b", "quorum g"], True),
        (["log $LOG", "witness a $ED", "witness b $ML", "witness c $OTHER", "group g 2 a b c", "quorum g"], True),
        (["log $LOG", "witness a $ED", "witness b $OTHER", "witness c $ML", "group g any b", "group h all a g",
          "quorum h"], False),
        (["quorum none"], False),
    ],
)  # fmt: skip
def test_a_policy_accepts_what_its_quorum_saw(lines: list[str], accepted: bool) -> None:
    found = policy(*lines)
    note = checkpoint(5, ED, ML)
    if accepted:
        assert found.accept(note)[0] == Signed(LOG)
    else:
        with pytest.raises(ValueError, match=r"no quorum|not one of the policy"):
            found.accept(note)


@pytest.mark.parametrize(
    "lines",
    [
        ["log $LOG"],
        ["quorum none", "quorum none"],
        ["quorum a"],
        ["log $LOG", "log $FAMILY", "quorum none"],
        ["witness a $ED", "witness b $ED", "quorum a"],
        ["witness none $ED", "quorum none"],
        ["witness a $ED", "group a any a", "quorum a"],
        ["witness a $ED", "group g any a a", "quorum g"],
        ["witness a $ED", "group g any a", "group h any a", "quorum h"],
        ["witness a $ED", "group g 2 a", "quorum g"],
        ["witness a $ED", "group g 0 a", "quorum g"],
        ["witness a $ED", "group g all none", "quorum g"],
        ["witness a $ED", "group g any", "quorum g"],
        ["group g any b", "witness b $ED", "quorum g"],
        ["witness a $LOG", "quorum a"],
        ["log $ED", "quorum none"],
        ["log $LOG https://a https://b", "quorum none"],
        ["wombat", "quorum none"],
        ["quorum none\r"],
    ],
)
def test_a_policy_that_is_wrong_is_refused(lines: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        policy(*lines)


def test_a_family_stands_for_the_logs_under_it_only() -> None:
    assert keys_for(ORIGIN, [FAMILY]) == [LOG]
    for origin in ("hub.example/journal", "hub.example/other/2026-11-w0", "evil" + ORIGIN):
        assert keys_for(origin, [FAMILY]) == []


# -------------------------------------------------------------------------------------------------------------------- proofs


@given(st.integers(1, 66), st.data(), st.binary(max_size=40))
def test_a_proof_is_written_read_and_verified(size: int, data: st.DataObject, extra: bytes) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = Proof(index, tuple(inclusion_proof(hashes, index, size)), checkpoint(size, ED).content, extra)
    found = read_proof(proof.text)
    assert found == proof
    trusted = policy("log $FAMILY", "witness a $ED", "quorum a")
    assert verify_proof(found, leaf_hash(LEAVES[index]), trusted).size == size
    with pytest.raises(ValueError, match="not in the tree"):
        verify_proof(found, leaf_hash(b"another"), trusted)


def _text(**changed: str) -> str:
    parts = {"first": "c2sp.org/tlog-proof@v1\n", "extra": "", "index": "index 3\n", "gap": "\n"} | changed
    lines = "".join(base64.b64encode(each).decode() + "\n" for each in inclusion_proof(hashes, 3, 5))
    return (
        parts["first"]
        + parts["extra"]
        + parts["index"]
        + changed.get("hashes", lines)
        + parts["gap"]
        + checkpoint().content
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"first": "c2sp.org/tlog-proof@v2\n"},
        {"first": ""},
        {"extra": "extra %%%\n"},
        {"extra": "extra QQ==\nextra QQ==\n"},
        {"index": "index 03\n"},
        {"index": "index -3\n"},
        {"index": "index 9223372036854775808\n"},
        {"index": "index\n"},
        {"index": ""},
        {"hashes": "QUFB\n"},
        {"hashes": (base64.b64encode(bytes(32)).decode() + "\n") * 64},
        {"gap": ""},
        {"extra": "x" * 3_000_000 + "\n"},
    ],
)
def test_what_is_no_proof_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_proof(_text(**changed))
    assert verify_proof(read_proof(_text()), leaf_hash(LEAVES[3]), Policy((LOG,)))


def test_a_proof_under_a_log_or_by_a_key_that_is_not_believed_is_refused() -> None:
    proof = read_proof(_text())
    for trusted in (Policy(()), Policy((Key(ORIGIN, ED25519, ED.public),)), Policy((Key("x", ED25519, LOG.public),))):
        with pytest.raises(ValueError, match=r"not one of the policy|not signed by"):
            verify_proof(proof, leaf_hash(LEAVES[3]), trusted)
