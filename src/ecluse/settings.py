"""Settings: `ecluse.toml` of the hub's directory, then environment variables `ECLUSE_<SECTION>_<NAME>` over it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from ecluse.kernel.errors import refusal
from ecluse.kernel.patterns import END

FILE = "ecluse.toml"
KEEP_MONTHS_FREE = 12  # CNIL, délibération 2021-122: longer where a risk was shown
DELAY_H_MIN = 24  # a notice that is sent in the evening is read the next day
EXAMPLE_ORIGIN = ".invalid/"  # in the template: no name ends so (RFC 2606)
EXAMPLE_IBAN = "FR7630006000011234567890189"  # in the template: banks print it in their own examples

HeaderName = Annotated[str, Meta(pattern=f"^[A-Za-z0-9-]*{END}", max_length=64)]
Acr = Annotated[str, Meta(pattern=rf"^[!#-\[\]-~]+{END}")]  # it is told between quotes (RFC 9470 §3)
Scope = Acr  # RFC 6749 §3.3 has the same characters
Subject = Annotated[
    str, Meta(pattern=rf"^[^:*\s]+(:[^*\s]+\*?)?{END}", max_length=128)
]  # a scheme, an account, accounts
Algorithm = Literal["EdDSA", "Ed25519", "ES256", "PS256", "RS256"]

NOT_A_HUB = refusal(
    "not_a_hub", 500, "This directory is no hub", fix="Run `ecluse init DIR`, or name another with --dir."
)
SETTINGS_INVALID = refusal(
    "settings_invalid", 500, "A setting is wrong", fix="Compare with the comments in ecluse.toml."
)


DATA = (
    "*.db",
    "journal/shards.json",
    "journal/*/wal",
    "rights/*.db",
    "keys/*.keys",
)  # a mount point or a passphrase is none
RESTORE_SETTINGS = f"Restore {FILE} from the backup, and what else is lost; or name another directory."


class HubSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[hub]`."""

    mode: Literal["development", "production"] = "development"


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[http]`."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8400
    in_flight_max: Annotated[int, Meta(ge=1, le=1024)] = 64
    drain_s: Annotated[float, Meta(ge=0, le=300)] = 0
    address_header: HeaderName = ""
    certificate_header: HeaderName = ""
    public_url: Annotated[str, Meta(pattern=rf"^(https?://[A-Za-z0-9.:\[\]-]+)?{END}")] = ""
    dpop_nonce: bool = True


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[store]`."""

    url: str = "sqlite:hub.db"
    connections_max: Annotated[int, Meta(ge=1, le=100)] = 8
    servers: dict[str, str] = field(default_factory=dict)
    insurers: dict[str, str] = field(default_factory=dict)


class KeysSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[keys]`."""

    url: str = "file:keys/hub.keys"
    passphrase: str = ""
    passphrase_file: str = ""
    lookups_per_s_max: Annotated[int, Meta(ge=0)] = 20_000
    rows_per_s_max: Annotated[int, Meta(ge=0)] = 0


class WitnessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[journal.witnesses]]`: who signs the journal's heads from outside (C2SP tlog-witness)."""

    url: str
    vkey: str


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[journal]`."""

    url: str = "local:journal"
    origin: str = "dev.ecluse.invalid/journal"
    heads: str = "heads"
    keep_months: Annotated[int, Meta(ge=6, le=36)] = 12
    keep_reason: str = ""
    witness_s: Annotated[float, Meta(ge=1, le=86_400)] = 60
    witnesses: tuple[WitnessSettings, ...] = ()

    def __post_init__(self) -> None:
        if self.keep_months > KEEP_MONTHS_FREE and not self.keep_reason.strip():
            raise ValueError(f"keep_months past {KEEP_MONTHS_FREE} needs keep_reason")

    @property
    def place(self) -> str:
        """Where the engine of `url` keeps it."""
        return self.url.partition(":")[2]


class LakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[lake]`."""

    url: str = "duckdb:lake"
    every_s: Annotated[float, Meta(ge=0, le=86_400)] = 60


class GateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[gate]`: how many people an account may open without them. `caps`: a TOML file, or the built-in table.

    `beginning_until`: the last day (YYYY-MM-DD) of the weeks in which everybody is new to every account; empty: no such weeks.
    `detectors`: whether what they find moves limits, is only told, or nothing is watched. `watch_s`: how often they look.
    `delay_h`: hours between the two operators of a changed RIB, and of a reset.
    """

    caps: str = ""
    beginning_until: str = ""
    detectors: Literal["act", "tell", "off"] = "act"
    watch_s: Annotated[float, Meta(ge=0.05, le=60)] = 0.25
    delay_h: Annotated[int, Meta(ge=0, le=720)] = 72


class IncidentsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[incidents]`. `organisations`: a TOML file of what forms ask of the hub and of each insurer, whatever happened."""

    organisations: str = "organismes.toml"


class BankSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[bank]`: the hub's own account."""

    name: str = "ECLUSE"
    iban: str = ""
    bic: str = ""
    creditor_id: str = ""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[log]`."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    requests: Literal["all", "refused", "none"] = "refused"


class TracesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[traces]`."""

    endpoint: str = ""
    ratio: Annotated[float, Meta(ge=0, le=1)] = 0.01


class PortalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Section `[portal]`: sessions of browsers, by an OpenID provider. Off without a `client_id`.

    `issuer`: one of `[[issuers]]`; `practice_claim`, `profession_claim`: of its ID tokens. `session_s`, `idle_s`: the most a
    session lasts, and unused; `passkey_days`: how long after a login a passkey stands for it (0: there are none);
    `pushed_required`: whether logins are refused while the provider takes no pushed requests.
    """

    issuer: str = ""
    client_id: str = ""
    key: str = "keys/portal.jwk.json"
    client_secret: str = ""
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[Acr, ...] = ()
    practice_claim: str = "practice"
    profession_claim: str = "profession"
    session_s: Annotated[int, Meta(ge=300, le=4 * 3600)] = 4 * 3600
    idle_s: Annotated[int, Meta(ge=120, le=3600)] = 1800
    passkey_days: Annotated[int, Meta(ge=0, le=180)] = 90
    pushed_required: bool = False

    def __post_init__(self) -> None:
        if self.client_id and "openid" not in self.scopes:
            raise ValueError("portal.scopes needs openid")


class IssuerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[issuers]]`: a trusted issuer of access tokens."""

    name: str
    audience: str
    jwks: str = ""
    development: bool = False
    algorithms: tuple[Algorithm, ...] = ("EdDSA", "Ed25519", "ES256", "PS256")
    acr_values: tuple[Acr, ...] = ()
    subjects: tuple[Subject, ...] = ()
    scopes: tuple[Scope, ...] = ()
    bearer: bool = False
    outage_s: Annotated[int, Meta(ge=600, le=7 * 86_400)] = 86_400


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting of a hub."""

    hub: HubSettings = field(default_factory=HubSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    keys: KeysSettings = field(default_factory=KeysSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    lake: LakeSettings = field(default_factory=LakeSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    incidents: IncidentsSettings = field(default_factory=IncidentsSettings)
    bank: BankSettings = field(default_factory=BankSettings)
    log: LogSettings = field(default_factory=LogSettings)
    traces: TracesSettings = field(default_factory=TracesSettings)
    portal: PortalSettings = field(default_factory=PortalSettings)
    issuers: tuple[IssuerSettings, ...] = ()

    def __post_init__(self) -> None:
        if len({each.name for each in self.issuers}) < len(self.issuers):
            raise ValueError("two issuers have the same name")
        if self.production and self.gate.delay_h < DELAY_H_MIN:
            raise ValueError(f"gate.delay_h is {DELAY_H_MIN} at least in production")
        self._check_portal()

    def _check_portal(self) -> None:
        if not self.portal.client_id:
            return
        issuer = next((each for each in self.issuers if each.name == self.portal.issuer), None)
        if issuer is None or issuer.development:
            raise ValueError("portal.issuer is the name of one of the issuers, the development issuer aside")
        if issuer.acr_values and not {*self.portal.acr_values} <= {*issuer.acr_values}:
            raise ValueError("portal.acr_values are some of its issuer's: another level would open nothing")
        if self.production and not self.http.public_url.startswith("https://"):
            raise ValueError("the portal needs http.public_url, with https, in production")

    @property
    def production(self) -> bool:
        """Whether unsafe engines must refuse."""
        return self.hub.mode == "production"


def read_settings(directory: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the hub in `directory`. Raises `not_a_hub` or `settings_invalid`."""
    path = directory / FILE
    if not path.is_file():
        found = data_in(directory)
        told = f"no {FILE} in {directory}" + (f", which holds a hub's {', '.join(found)}" if found else "")
        raise NOT_A_HUB(told, fix=RESTORE_SETTINGS if found else None)
    return _settings(path.read_bytes(), environment)


def new_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a hub made now begins with. Raises `settings_invalid`."""
    return _settings(template().encode(), environment)


def data_in(directory: Path) -> list[str]:
    """What a hub left in `directory`, its settings aside: files and folders, by name."""
    found = {path.relative_to(directory) for pattern in DATA for path in directory.glob(pattern)}
    return sorted({each.parts[0] if each.parts[0] in ("journal", "rights") else str(each) for each in found})


def passphrase(settings: Settings, directory: Path) -> str:
    """The key file's passphrase, from the environment or its file; empty when there is none. Raises `settings_invalid`."""
    if not settings.keys.passphrase_file:
        return settings.keys.passphrase
    try:
        file = (
            directory / settings.keys.passphrase_file
        ).resolve()  # "../x" of a directory that `init` has yet to make
        return file.read_text().strip()
    except OSError as broken:
        raise SETTINGS_INVALID(f"keys.passphrase_file: {broken.strerror}") from None


def client_secret(settings: Settings, directory: Path) -> str:
    """The secret the portal shares with its provider, from the environment or its file; empty: it has a key instead."""
    if settings.portal.client_secret_file:
        return (directory / settings.portal.client_secret_file).read_text().strip()
    return settings.portal.client_secret


def unknown_variables(environment: Mapping[str, str] = os.environ) -> tuple[tuple[str, str], ...]:
    """Variables `ECLUSE_…` that nothing reads, each with the one that was probably meant, or empty."""
    known = {"ECLUSE_DIR", "ECLUSE_ISSUERS"}
    for section in Settings.__struct_fields__[:-1]:
        known |= {f"ECLUSE_{section}_{name}".upper() for name in _names(section)}
    return tuple(
        (name, next(iter(get_close_matches(name, known, 1)), ""))
        for name in sorted(environment)
        if name.startswith("ECLUSE_") and name not in known
    )


def template() -> str:
    """A fresh `ecluse.toml`, every setting with its default and a comment."""
    return (files("ecluse") / "settings.toml").read_text()


def _settings(text: bytes, environment: Mapping[str, str]) -> Settings:
    try:
        plain: dict[str, Any] = msgspec.toml.decode(text)
        return msgspec.convert(_overridden(plain, environment), Settings, strict=False)
    except msgspec.MsgspecError as wrong:
        raise SETTINGS_INVALID(str(wrong)) from None


def _overridden(plain: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    for section in Settings.__struct_fields__[:-1]:
        for name in _names(section):
            variable = f"ECLUSE_{section}_{name}".upper()
            if variable in environment:
                plain.setdefault(section, {})[name] = _value(environment[variable])
    if "ECLUSE_ISSUERS" in environment:
        plain["issuers"] = msgspec.json.decode(environment["ECLUSE_ISSUERS"])
    return plain


def _value(text: str) -> Any:
    """A variable's value; a table or a list of them is given as JSON."""
    return msgspec.json.decode(text) if text.startswith(("{", "[")) else text


def _names(section: str) -> tuple[str, ...]:
    return tuple(getattr(Settings(), section).__struct_fields__)
