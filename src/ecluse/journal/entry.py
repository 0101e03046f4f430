"""One entry of the journal: who was told what, about whom, when; bytes first, answers after (docs/journal.md).

What could identify a person is sealed under the insurer's key before it gets here; `fields` says which fields left.
"""

from __future__ import annotations

from enum import IntFlag, StrEnum

import msgspec

FORMAT = 2  # 1 had neither `who` nor the last three values
ENTRY_BYTES_MAX = 65_535  # C2SP tlog-tiles: an entry's length is a uint16


class Field(IntFlag):
    """Fields that can leave the hub, one bit each; a bit is never reused."""

    OUTCOME = 1 << 0
    THIRD_PARTY_PAYMENT = 1 << 1
    ENGAGEMENT = 1 << 2
    COVERED_UNTIL = 1 << 3
    CONVENTION_TYPE = 1 << 4
    CSR = 1 << 5
    SPLIT = 1 << 6
    REASON = 1 << 7
    GUARANTEE = 1 << 8
    CLAIM = 1 << 9  # an own claim's state and amounts, shown again to the practice that sent it
    APPROVAL = 1 << 10  # an own prior approval's state
    VALID_UNTIL = 1 << 11  # the last day of care of an approval: at most the end of the rights, up to 90 days ahead
    MEMBER = 1 << 12  # member number, birth date and rank: to the member's own insurer, and to nobody else
    DOMAINS = 1 << 13  # which kinds of care are covered, beside the one asked about


class Operation(StrEnum):
    """What was done."""

    RIGHTS_CHECK = "rights_check"
    QUOTE = "quote"
    CLAIM = "claim"
    CLAIM_CANCELLED = "claim_cancelled"
    CLAIM_READ = "claim_read"
    EXPLAINED = "explained"
    APPROVAL = "approval"
    APPROVAL_CANCELLED = "approval_cancelled"
    APPROVAL_READ = "approval_read"
    FEED_LOADED = "feed_loaded"
    PRODUCT_LOADED = "product_loaded"
    INSURER_MOVED = "insurer_moved"
    RUN_ORDERED = "run_ordered"
    KEYS_ROTATED = "keys_rotated"
    KEYS_DESTRUCTION_ASKED = "keys_destruction_asked"
    KEYS_DESTROYED = "keys_destroyed"
    PERSON_FORGETTING_ASKED = "person_forgetting_asked"
    PERSON_FORGOTTEN = "person_forgotten"
    PASS_KEY_RETIREMENT_ASKED = "pass_key_retirement_asked"  # noqa: S105 - words
    PASS_KEY_RETIRED = "pass_key_retired"  # noqa: S105 - words
    SHARD_OPENED = "shard_opened"
    SHARD_PRUNED = "shard_pruned"
    LOSS_ACCEPTED = "loss_accepted"
    EXPOSURE_ASKED = "exposure_asked"
    JOURNAL_EXPORTED = "journal_exported"
    JOURNAL_PROVED = "journal_proved"
    INCIDENT = "incident"
    INCIDENT_READ = "incident_read"
    RECIPIENT_SET = "recipient_set"
    CONTAINED = "contained"
    CAPS_SET = "caps_set"
    PASS_ISSUED = "pass_issued"  # noqa: S105 - a word
    PASS_REVOKED = "pass_revoked"  # noqa: S105 - a word
    OPENINGS_TOLD = "openings_told"
    OPENING_DENIED = "opening_denied"
    LOOKUPS_FROZEN = "lookups_frozen"
    RIB_CHANGE = "rib_change"
    DECOYS = "decoys"
    SESSIONS_ENDED = "sessions_ended"
    PASSKEY_CHANGED = "passkey_changed"
    PROMISE_WITHDRAWN = "promise_withdrawn"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An entry in the order of its bytes: a MessagePack array. `sealed` holds what the person's key opens.

    That is the engagement a rights check gave, or the lines a quote priced. `who` is the member's number, birth date and rank
    (`journal/member.py`), sealed under the person's key: it leads a reference back to a member, until that key is destroyed.
    `network` is a prefix, never an address; `software` the client of the token; `session` what the issuer calls this login.
    """

    format: int
    ts_us: int
    operation: Operation
    account: str
    practice: str
    insurer: str
    person: bytes
    presence: int
    fields: int
    outcome: str
    engagement: str
    request: str
    sealed: bytes
    who: bytes = b""
    network: str = ""
    software: str = ""
    session: str = ""

    @property
    def gives_engagement(self) -> bool:
        """Whether `sealed` is an engagement, which a store of engagements keeps."""
        return bool(self.sealed) and self.operation is Operation.RIGHTS_CHECK


def act(
    operation: Operation,
    ts_us: int,
    request: str,
    outcome: str,
    *,
    account: str = "operator",
    insurer: str = "",
    person: bytes = b"",
    about: str = "",
    sealed: bytes = b"",
) -> Entry:
    """The entry of what was done and showed nobody anything: of a hub, an operator, or an account that loads files."""
    return Entry(FORMAT, ts_us, operation, account, "", insurer, person, 0, 0, outcome, about, request, sealed)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


def encode(entry: Entry) -> bytes:
    """The entry's bytes. At most `ENTRY_BYTES_MAX`: a longer one is a bug, for every field is limited before."""
    encoded = _encode(entry)
    assert len(encoded) <= ENTRY_BYTES_MAX
    return encoded


def decode(encoded: bytes) -> Entry:
    """The entry these bytes are. Raises `msgspec.ValidationError` on anything else."""
    return _decode(encoded)
