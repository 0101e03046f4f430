"""The issuers of the settings, as engines know them. Production takes no token that anybody could have sent."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ecluse.app.ports import Clock
from ecluse.engines.issuers import Source, TrustedIssuers
from ecluse.gate.identity import PROFESSIONAL, Issuer
from ecluse.kernel.errors import refusal
from ecluse.settings import IssuerSettings, Settings

CLIENT = "ecluse.engines.issuer_client"  # imports httpx: a moment that only a hub whose issuers are on the network pays

BEARER_REFUSED = refusal(
    "bearer_refused",
    500,
    "An issuer's tokens must be bound to their holder in production",
    fix="Take `bearer = true` from the issuer, and let it bind its tokens (DPoP or mTLS).",
)


def trusted_issuers(settings: Settings, directory: Path, clock: Clock) -> TrustedIssuers:
    """The issuers of access tokens this hub believes. Raises `jwks_unreadable`, `bearer_refused`."""
    trusted = [each for each in settings.issuers if not (each.development and settings.production)]
    if settings.production and (loose := [each.name for each in trusted if each.bearer]):
        raise BEARER_REFUSED(f"bearer = true for {loose[0]}")

    async def fetch(name: str, url: str) -> bytes:
        got: bytes = await import_module(CLIENT).IssuerClient(production=settings.production)(name, url)
        return got

    return TrustedIssuers([_source(each) for each in trusted], directory, clock.now, fetch)


def _source(told: IssuerSettings) -> Source:
    issuer = Issuer(
        told.name,
        told.audience,
        keys=(),
        algorithms=told.algorithms,
        acr_values=told.acr_values,
        bearer=told.bearer or told.development,
        subjects=told.subjects,
        scopes=_scopes(told),
    )
    return Source(issuer, told.jwks, told.outage_s)


def _scopes(told: IssuerSettings) -> frozenset[str] | None:
    """What an issuer may give: of one whose accounts are named and scopes are not, nothing beyond a professional's."""
    if told.scopes:
        return frozenset(told.scopes)
    return PROFESSIONAL if told.subjects else None
