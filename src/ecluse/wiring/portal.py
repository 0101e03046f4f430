"""The portal of the settings: its provider, and how the hub shows that provider who it is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ecluse.app.ports.portal import Passkeys, PortalPorts, Sessions, UnderWay
from ecluse.engines.portal_key import create_portal_key, draw, public_key_set
from ecluse.gate.portal.id_token import Names
from ecluse.gate.portal.login import Client
from ecluse.gate.portal.passkey import DAY_S
from ecluse.settings import Settings, client_secret

AUTHENTICATORS = "ecluse.engines.webauthn"  # a tenth of a second to import
PROVIDER = "ecluse.engines.login_provider"  # imports httpx: a moment that only a hub with a portal pays

__all__ = ["create_portal_key", "open_portal", "public_key_set"]


def check_portal(settings: Settings, directory: Path) -> None:
    """Raise `portal_key_invalid` where the settings want a portal, and it has neither key nor secret."""
    if settings.portal.client_id and not client_secret(settings, directory):
        public_key_set(directory / settings.portal.key)


def open_portal(
    settings: Settings, directory: Path, sessions: Sessions, under_way: UnderWay, passkeys: Passkeys
) -> PortalPorts | None:
    """The portal, None without a client id. Raises `portal_key_invalid` where it has neither key nor secret."""
    told = settings.portal
    if not told.client_id:
        return None
    issuer = next(each for each in settings.issuers if each.name == told.issuer)
    key, secret = directory / told.key, client_secret(settings, directory)
    check_portal(settings, directory)
    provider = import_module(PROVIDER).OpenIdProvider(
        told.issuer, told.client_id, key, secret, production=settings.production
    )
    return PortalPorts(
        provider=provider,
        sessions=sessions,
        under_way=under_way,
        draw=draw,
        client=Client(
            told.issuer, told.client_id, told.scopes, told.acr_values or issuer.acr_values, told.pushed_required
        ),
        names=Names(told.practice_claim, told.profession_claim),
        session_s=told.session_s,
        idle_s=told.idle_s,
        passkeys=passkeys,
        authenticators=import_module(AUTHENTICATORS).WebAuthn(),
        passkey_s=told.passkey_days * DAY_S,
    )
