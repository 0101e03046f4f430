"""The facts of an incident as they are sent: one JSON object whose keys are all known, or it is refused by name.

The vocabulary is the project's (docs/breach.md). A key left out is not known; `false` and `"none"` are facts.
"""

from __future__ import annotations

import json
import re
import typing
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import msgspec
from msgspec import Meta

from ecluse.kernel.errors import Refused, place_of, refusal

BYTES_MAX = 256 * 1024  # a report of eighty fields for fifty insurers has less; more is not facts of one incident
LIST_MAX = 1000
YEARS = (2000, 2200)

BAD_FACTS = refusal(
    "facts_invalid", 400, "These are not facts of an incident", fix="`ecluse breach assess --help` has an example."
)

Cause = Literal["external_malicious", "internal_malicious", "external_accidental", "internal_accidental", "unknown"]
Nature = Literal["confidentiality", "integrity", "availability"]
Exfiltration = Literal["proved", "possible", "none_proved"]
RecipientName = Literal[
    "criminal",
    "public",
    "many_wrong_persons",
    "wrong_person",
    "wrong_person_cooperative",
    "former_employee",
    "trusted_bound_by_secrecy",
]
ConsequenceName = Literal[
    "none", "minor", "minor_delay", "unwanted_marketing", "fraud_possible", "harm_possible", "care_delayed"
]
ClassName = Literal["simple", "behavioural", "financial", "sensitive", "credential", "national_identifier"]
Role = Literal["controller", "processor"]
Device = Literal["stolen", "lost", "paper", "stolen_paper", "lost_paper", "discarded"]
Hash = Literal["strong_salted", "salted", "unsalted", "weak", "none"]
Score = Annotated[float, Meta(ge=0, le=10)]
Hours = Annotated[float, Meta(ge=0, le=1_000_000)]
Short = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=0, le=10_000_000_000)]
Instant = Annotated[datetime, Meta(tz=True)]


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read from outside: no key but those it declares, and no instant out of the years a deadline can be counted in."""

    def __post_init__(self) -> None:
        """Refuse an instant that adding a deadline would carry out of the calendar."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            for each in value.values() if isinstance(value, dict) else (value,):
                if isinstance(each, datetime) and not YEARS[0] <= each.year <= YEARS[1]:
                    raise ValueError(f"Expected a year from {YEARS[0]} to {YEARS[1]} in {name}")


class Classified(Sent, frozen=True):
    """A category that the table does not name, with its class."""

    category: Short
    kind: ClassName = msgspec.field(name="class")


class Context(Sent, frozen=True):
    """ENISA's data processing context, as somebody judged it. `opens`: what stolen credentials let one reach."""

    category: Literal["simple", "behavioural", "financial", "sensitive", "credentials"]
    assumption: Literal["none", "profile_or_financial_status", "sensitive", "vulnerable_or_safety"] | None = None
    insight: Literal["none", "easily_public", "some", "detailed_profile", "sensitive_profile", "full"] | None = None
    reveals: Literal["almost_nothing", "general", "some", "assumptions", "full"] | None = None
    opens: Context | None = None


class Identification(Sent, frozen=True):
    """ENISA's ease of identification: an identifier and what makes it easier (law/enisa.toml lists both)."""

    identifier: Short
    condition: Short


class Circumstances(Sent, frozen=True):
    """ENISA's circumstances of the breach; each one left out counts for nothing."""

    confidentiality: Literal["no_evidence_of_access", "known_recipients", "unknown_recipients"] | None = None
    integrity: (
        Literal[
            "restored_before_use", "altered_recoverable", "recoverable", "not_recoverable", "altered_not_recoverable"
        ]
        | None
    ) = None
    availability: Literal["easy_recovery", "temporary", "permanent"] | None = None
    malice: Literal["no", "yes"] | bool | None = None


class Enisa(Sent, frozen=True):
    """Terms of SE = DPC × EI + CB: as words, or as numbers. `se` alone gives its band."""

    dpc: Context | Score | None = None
    ei: Identification | Score | None = None
    cb: Circumstances | Score | None = None
    se: Score | None = None


class Clock(Sent, frozen=True, kw_only=True):
    """What one regime's deadlines are counted from; instants carry their offset.

    A controller whose processor tells it is aware from then on: `told_by_processor` takes the place of `aware`.
    """

    regime: Literal["gdpr", "nis2", "lopmi"] = "gdpr"
    role: Role | None = None
    aware: Instant | None = None
    told_by_processor: Instant | None = None
    notified: Instant | None = None
    reasons: Annotated[str, Meta(max_length=10_000)] | None = None
    ongoing: bool | None = None


class Article34(Sent, frozen=True):
    """What may spare telling each person (GDPR 34(3)); left out: not so."""

    high_risk: bool = True
    unintelligible: bool = False
    key_compromised: bool | None = None
    subsequent_measures: bool = False
    disproportionate_effort: bool = False
    public_communication: bool | None = None
    ordered_by_authority: bool = False


class LetterContents(Sent, frozen=True):
    """What a letter to the people says (GDPR 34(2)); left out: not stated, hence not there."""

    nature: bool = False
    dpo_contact: bool = False
    likely_consequences: bool = False
    measures_for_person: bool = False
    measures_taken: bool = True
    plain_language: bool = True


class CnilBand(Sent, frozen=True):
    """A number of people, to be said in CNIL's published bands."""

    persons: Count


class Login(Sent, frozen=True):
    """The factors of a login. `context` (address, place) and a code sent by e-mail are none."""

    factors: Annotated[
        list[Literal["knowledge", "possession", "inherence", "context", "email_code"]], Meta(max_length=20)
    ]


class Logging(Sent, frozen=True):
    """How long a log is kept: case 1 ordinary, 2 main data kept under six months, 3 internal control."""

    case: Literal[1, 2, 3]
    months: Annotated[float, Meta(ge=0, le=1200)]
    log_contains_main_data: bool = False
    risk_shown: bool = False
    procedures: bool = False


class Facts(Sent, frozen=True):
    """All that `ecluse breach assess` reads."""

    cause: Cause | None = None
    nature: Annotated[list[Nature], Meta(max_length=3)] | None = None
    data: Annotated[list[Short | Classified], Meta(max_length=LIST_MAX)] | None = None
    persons: Count | Short | None = None
    exfiltration: Exfiltration | None = None
    recipient: RecipientName | None = None
    device: Device | None = None
    duration_days: Hours | None = None
    encrypted_at_rest: bool | None = None
    key_safe: bool | None = None
    unintelligible: bool | None = None
    hash: Hash | None = None
    remote_wiped: bool = False
    forced_reset: bool = False
    recipient_confirmed_deletion: bool = False
    backup: bool | None = None
    restored_within_h: Hours | None = None
    consequence_on_persons: ConsequenceName | None = None
    vulnerable_persons: bool = False
    impersonation: bool = False
    systemic: bool | Literal["no", "possible", "proved"] = False
    accounts_opened: bool | Count = 0
    special_category_certain: bool | None = None
    role: Role | None = None
    enisa: Enisa | None = None
    clock: Clock | None = None
    art34: Article34 | None = None
    letter: LetterContents | None = None
    cnil_band: CnilBand | None = None
    mfa: Login | None = None
    logging: Logging | None = None


T = TypeVar("T", bound=Sent)


def read(data: bytes, kind: type[T]) -> T:
    """Read one JSON object into `kind`: no key twice, no unknown key, no value out of its list. Raises `facts_invalid`."""
    if len(data) > BYTES_MAX:
        raise BAD_FACTS(f"more than {BYTES_MAX} bytes", fix="Send the facts of one incident.")
    try:
        values = json.loads(data, object_pairs_hook=_once, parse_constant=_not_a_number)
    except (ValueError, RecursionError):  # ValueError: not JSON, not UTF-8, or a number of thousands of digits
        raise BAD_FACTS("standard input is not one JSON object in UTF-8") from None
    return convert(values, kind)


def convert(values: object, kind: type[T]) -> T:
    """The same from a value already read."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise _told(str(error), kind) from None


def _told(message: str, kind: type[Sent]) -> Refused:
    what, pointer = place_of(_UNPRINTABLE.sub("?", message))
    accepted = _accepted(kind, pointer)
    fix = f"Accepted here: {', '.join(accepted)}." if accepted else None
    return BAD_FACTS(f"{what[:200]}{f' at {pointer[:200]}' if pointer else ''}", pointer=pointer or None, fix=fix)


def _accepted(kind: Any, pointer: str) -> list[str]:
    """The words or keys a place takes, where they are a closed list."""
    for step in pointer.split("/")[1:]:
        if not step.isdigit():  # a place in a list: `_parts` looks through lists
            structs = [each for each in _parts(kind) if isinstance(each, type) and issubclass(each, Sent)]
            kind = next((found for each in structs if (found := _field(each, step)) is not None), None)
    words = [str(word) for each in _parts(kind) for word in typing.get_args(each) if typing.get_origin(each) is Literal]
    keys = [each for part in _parts(kind) if isinstance(part, type) and issubclass(part, Sent) for each in _keys(part)]
    return words or keys


def _field(kind: type[Sent], name: str) -> Any:
    named = dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)).get(name)
    return typing.get_type_hints(kind).get(named) if named else None


def _keys(kind: type[Sent]) -> tuple[str, ...]:
    return kind.__struct_encode_fields__


def _parts(kind: Any) -> list[Any]:
    """The plain types inside an annotation: through Annotated, unions and lists."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, UnionType, list, Annotated):
        return [part for each in typing.get_args(kind) for part in _parts(each)]
    return [kind]


_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")  # what a key may bring along must not break the line on standard error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise BAD_FACTS("a key stands twice", fix="Keep one of them.")
    return dict(pairs)


def _not_a_number(_text: str) -> NoReturn:
    raise BAD_FACTS("NaN and Infinity are not facts")
