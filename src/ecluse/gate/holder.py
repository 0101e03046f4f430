"""Whether the sender is whom the token was given to: a token bound to a key or a certificate opens nothing without it.

Which way a token is bound decides what must come with it, on every request, also when the token itself was verified before:

| `cnf` of the token | scheme | what must come with it |
|---|---|---|
| `jkt` | `DPoP` | one proof of that key, for this request (RFC 9449) |
| `x5t#S256` | `Bearer` | that certificate, in the proxy's header (RFC 8705) |
| both | `DPoP` | both |
| none | `Bearer` | nothing, if the issuer's setting allows it |

A cookie of the portal is bound to a key like the first, and has no scheme to be sent with.
"""

from __future__ import annotations

import msgspec

from ecluse.gate.certificate import thumbprint
from ecluse.gate.challenge import (
    INSUFFICIENT,
    INVALID_TOKEN,
    UNAUTHENTICATED,
    USE_NONCE,
    Challenged,
    invalid_proof,
)
from ecluse.gate.dpop import AHEAD_S_MAX, Proof, Secrets, nonce, nonce_state, read_proof
from ecluse.gate.identity import CLOCK_SKEW_S, Account, Issuer

SESSION = "session"  # the scheme of a cookie: no `Authorization` header can name it


class Sent(msgspec.Struct, frozen=True):
    """What of a request tells who sent it. `scheme`: `bearer`, `dpop` or `SESSION`; `url`: without query; `proofs`: every `DPoP`
    header; `certificate`: what the TLS proxy wrote, empty where no proxy is trusted."""

    scheme: str
    token: str
    method: str
    url: str
    proofs: tuple[str, ...] = ()
    certificate: str = ""


class Memory(msgspec.Struct, frozen=True):
    """What the hub knows of proofs: the secrets of nonces, whether a proof needs one, and since when it remembers proofs (Unix
    seconds): one made before may have been used, so it needs a nonce, which is younger."""

    secrets: Secrets
    nonce_required: bool
    since_ts: int


def check_scheme(account: Account, sent: Sent, issuer: Issuer) -> None:
    """Raise `unauthenticated` unless the token came the way it is bound, with the certificate if it is bound to one."""
    bound = bool(account.jkt or account.certificate)
    if sent.scheme != ("dpop" if account.jkt else "bearer") or not (bound or issuer.bearer):
        raise Challenged(UNAUTHENTICATED, INVALID_TOKEN)
    if account.certificate and account.certificate != _shown(sent):
        raise Challenged(UNAUTHENTICATED, INVALID_TOKEN)


def _shown(sent: Sent) -> str:
    try:
        return thumbprint(sent.certificate)
    except ValueError:
        return ""


def check_proof(account: Account, sent: Sent, memory: Memory, now_ts: int) -> tuple[Proof, str]:
    """The proof, which must still be new to the store, and the nonce to tell the client (empty: it has it).

    Raises `invalid_dpop_proof`, or `use_dpop_nonce` when all else is right.
    """
    try:
        proof = read_proof(
            sent.proofs, method=sent.method, url=sent.url, token=sent.token, jkt=account.jkt, now_ts=now_ts
        )
    except (ValueError, LookupError, TypeError):
        raise invalid_proof() from None
    state = nonce_state(proof, memory.secrets)
    if state == "current":
        return proof, ""
    fresh = nonce(memory.secrets.current, proof.jkt)
    needed = memory.nonce_required or proof.iat_ts <= memory.since_ts + AHEAD_S_MAX  # its clock may have been ahead
    if state == "wrong" or (state == "absent" and needed):
        raise Challenged(USE_NONCE, {"error": USE_NONCE.code}, schemes=("DPoP",), nonce=fresh)
    return proof, fresh


def check_level(account: Account, issuer: Issuer) -> None:
    """Raise `insufficient_user_authentication` unless the login was of a level that the issuer's setting expects."""
    if issuer.acr_values and account.acr not in issuer.acr_values:
        raise _step_up(account, issuer.acr_values, None)


def require_fresh(account: Account, now_ts: int, *, max_age_s: int, acr_values: tuple[str, ...] = ()) -> None:
    """Raise `insufficient_user_authentication` unless the person proved who they are within `max_age_s` seconds, at a level
    of `acr_values` (none: any). RFC 9470: the client asks the issuer again with what the challenge says, and comes back.

    A token that does not say when the person logged in is not fresh.
    """
    age_s = now_ts - account.auth_ts
    if not -CLOCK_SKEW_S <= age_s <= max_age_s + CLOCK_SKEW_S or (acr_values and account.acr not in acr_values):
        raise _step_up(account, acr_values, max_age_s)


def _step_up(account: Account, acr_values: tuple[str, ...], max_age_s: int | None) -> Challenged:
    parameters = {"error": INSUFFICIENT.code}
    if acr_values:
        parameters["acr_values"] = " ".join(acr_values)
    if max_age_s is not None:
        parameters["max_age"] = str(max_age_s)
    return Challenged(INSUFFICIENT, parameters, schemes=("DPoP" if account.jkt else "Bearer",))
