"""The development issuer of access tokens, which signs for tests and demos.

Its private key lies in the hub's directory: whoever reads it is everybody. It shouts, and production
refuses it.
"""

from __future__ import annotations

import os
import secrets
import warnings
from hashlib import sha256
from pathlib import Path

import msgspec
from joserfc import jwt
from joserfc.jwk import OKPKey
from stdnum import luhn

from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.gate.identity import INSURER_SCHEME, Account, header_claims
from ecluse.kernel.errors import refusal

TOKEN_S = 24 * 3600  # a demo lasts a day; an issuer in life gives minutes
SECRET = "dev-issuer.secret.json"  # noqa: S105 - a file's name
PUBLIC = "dev-issuer.jwks.json"
SOFTWARE = "ecluse-dev"  # the `client_id` of its tokens
ACCOUNTS = "dev-accounts.json"  # who practises where, as the simulator leaves it: {account: [practice, profession]}

DEV_ISSUER_REFUSED = refusal(
    "dev_issuer_refused",
    403,
    "The development issuer is refused in production",
    fix="Use a token of a configured issuer.",
)


def create_development_issuer(keys: Path) -> None:
    """Draw the development issuer's key pair in `keys`, unless it is there."""
    if (keys / SECRET).exists():
        return
    pair = OKPKey.generate_key("Ed25519", parameters={"kid": "dev-1", "alg": "Ed25519", "use": "sig"})
    handle = os.open(keys / SECRET, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as secret:
        secret.write(msgspec.json.encode(pair.as_dict(private=True)))
    public = {"keys": [pair.as_dict(private=False)]}
    (keys / PUBLIC).write_bytes(msgspec.json.encode(public))


def write_development_accounts(keys: Path, accounts: dict[str, tuple[str, str]]) -> None:
    """Remember where accounts practise (practice, profession), so that a token can be asked for by account alone."""
    (keys / ACCOUNTS).write_bytes(msgspec.json.encode(accounts))


class DevelopmentIssuer:
    """Signs access tokens for any account asked for. For tests and demos only."""

    def __init__(self, keys: Path, name: str, audience: str) -> None:
        warnings.warn("the development issuer signs for anybody: development only", DevelopmentOnly, stacklevel=2)
        self._key = OKPKey.import_key(msgspec.json.decode((keys / SECRET).read_bytes()))
        self._keys = keys
        self._name = name
        self._audience = audience

    def placed(self, account: Account) -> Account:
        """The account with a practice: its own if it has one, the one remembered, or one made up from its number."""
        if account.practice or account.sub.startswith(f"{INSURER_SCHEME}:"):
            return account
        practice, profession = self._accounts().get(account.sub, (_made_up_finess(account.sub), account.profession))
        return msgspec.structs.replace(account, practice=practice, profession=account.profession or profession)

    def _accounts(self) -> dict[str, tuple[str, str]]:
        file = self._keys / ACCOUNTS
        return msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[str, str]]) if file.exists() else {}

    def token(self, account: Account, now_ts: int, *, lifetime_s: int = TOKEN_S) -> str:
        """An access token (RFC 9068) for `account`, valid from `now_ts` (Unix seconds)."""
        claims = {"iss": self._name, "aud": self._audience, "iat": now_ts, "exp": now_ts + lifetime_s}
        claims |= {"client_id": SOFTWARE, "jti": secrets.token_urlsafe(12), "auth_time": now_ts}
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self._key.kid}
        return jwt.encode(header, {**claims, **header_claims(account)}, self._key, algorithms=["Ed25519"])


def _made_up_finess(account: str) -> str:
    """A FINESS number that passes its check, always the same for an account; its département is Indre-et-Loire."""
    digits = f"37{int.from_bytes(sha256(account.encode()).digest()[:4]) % 1_000_000:06d}"
    return digits + luhn.calc_check_digit(digits)
