"""Refusals that say how to come back: what `WWW-Authenticate` tells beside the status (RFC 6750, RFC 9449, RFC 9470).

Whatever is wrong with a token has the same words, and so has whatever is wrong with a proof.
"""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.gate.signature import ALGORITHMS
from ecluse.kernel.errors import Refusal, Refused, refusal

SCHEMES = ("Bearer", "DPoP")
INVALID_TOKEN = {"error": "invalid_token"}  # RFC 6750 §3.1

UNAUTHENTICATED = refusal(
    "unauthenticated",
    401,
    "No valid access token",
    fix="Send an access token of a trusted issuer, as `Authorization: DPoP <token>` with a proof if it is bound to a key.",
)
INVALID_PROOF = refusal(
    "invalid_dpop_proof",
    401,
    "No valid proof of the token's key",
    fix="Send one `DPoP` header: a proof made for this request, by the key the token is bound to (RFC 9449).",
)
USE_NONCE = refusal(
    "use_dpop_nonce",
    401,
    "The proof needs a nonce of this server",
    fix="Make the proof again with the nonce of the answer's `DPoP-Nonce` header.",
)
INSUFFICIENT = refusal(
    "insufficient_user_authentication",
    401,
    "This needs a stronger or a fresher login",
    fix="Let the person log in again as `acr_values` and `max_age` of `WWW-Authenticate` say (RFC 9470).",
)


class Challenged(Refused):
    """A refusal with the parameters of its challenge, for the `schemes` the asker may come back with. `nonce`: to be told in
    `DPoP-Nonce`; empty: none."""

    def __init__(
        self, kind: Refusal, parameters: Mapping[str, str], *, schemes: tuple[str, ...] = SCHEMES, nonce: str = ""
    ) -> None:
        super().__init__(kind, kind.title, None, kind.fix)
        self.parameters = dict(parameters)
        self.schemes = schemes
        self.nonce = nonce


def invalid_proof() -> Challenged:
    """The refusal of a proof, whatever is wrong with it (RFC 9449 §7.1)."""
    return Challenged(INVALID_PROOF, {"error": INVALID_PROOF.code}, schemes=("DPoP",))


def www_authenticate(refused: Refused) -> str:
    """The header's value: one challenge for each scheme, those of RFC 9449 with the algorithms a proof may have."""
    schemes = refused.schemes if isinstance(refused, Challenged) else SCHEMES
    parameters = refused.parameters if isinstance(refused, Challenged) else {}
    return ", ".join(_challenge(scheme, parameters) for scheme in schemes)


def _challenge(scheme: str, parameters: Mapping[str, str]) -> str:
    told = {**parameters, "algs": " ".join(ALGORITHMS)} if scheme == "DPoP" else parameters
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in told.items()) if told else scheme
