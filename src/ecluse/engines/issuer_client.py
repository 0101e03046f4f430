"""An issuer's keys asked over HTTPS. It is somebody else's machine: short times, small answers, no redirect.

Where the keys are is in the issuer's own metadata (OpenID Connect Discovery §4, RFC 8414 §3), which must be of that very issuer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from ssl import SSLContext
from urllib.parse import urlsplit

import httpx
import msgspec

from ecluse.gate.signature import KEY_SET_BYTES_MAX

TIMEOUT_S = 5  # nobody waits for it longer than a second (`issuers.py`)
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",
}  # a few bytes packed may be gigabytes: not unpacked
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class _Named(msgspec.Struct):
    issuer: str


class _Metadata(msgspec.Struct):
    jwks_uri: str


class IssuerClient:
    """Asks issuers. `http` without TLS is spoken with this machine only, and not in production.

    Which authorities are believed, and through which proxy it goes, is as the process found it: `SSL_CERT_FILE`, `HTTPS_PROXY`
    (httpx).
    """

    def __init__(self, *, production: bool) -> None:
        self._production = production

    async def __call__(self, name: str, url: str) -> bytes:
        """The JWK Set of the issuer `name`, from `url` or where its metadata says. Raises `OSError`, `ValueError`."""
        async with new_client() as client:
            return await self._got(client, url or await self._keys_of(client, name))

    async def metadata(self, name: str) -> bytes:
        """The issuer's own metadata. Raises `OSError`, `ValueError`."""
        async with new_client() as client:
            return await self._discovered(client, name)

    async def _keys_of(self, client: httpx.AsyncClient, name: str) -> str:
        return msgspec.json.decode(await self._discovered(client, name), type=_Metadata).jwks_uri

    async def _discovered(self, client: httpx.AsyncClient, name: str) -> bytes:
        failed: OSError | None = None
        for url in metadata_urls(name):
            try:
                told = await self._got(client, url)
            except OSError as broken:
                failed = failed or broken
                continue
            if msgspec.json.decode(told, type=_Named).issuer != name:  # RFC 8414 §3.3: else one could speak for another
                raise ValueError("its metadata is of another issuer")
            return told
        raise failed or OSError("no metadata")

    async def _got(self, client: httpx.AsyncClient, url: str) -> bytes:
        status, got = await answered(client, "GET", url, HEADERS, production=self._production)
        if status != httpx.codes.OK:
            raise OSError(f"status {status}")
        return got


def new_client() -> httpx.AsyncClient:
    """What asks once."""
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, verify=_authorities())


@cache
def _authorities() -> SSLContext:
    """Whom TLS believes, read once: that takes 40 ms, in which nobody is answered, and strangers may have a provider asked."""
    return httpx.create_ssl_context()


async def answered(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    *,
    production: bool,
    form: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """The status and body of an answer. Raises `OSError`, also when it is too long, or not asked over TLS."""
    parts = urlsplit(url)
    if parts.scheme != "https" and (production or parts.hostname not in LOOPBACK):
        raise OSError("not https")
    try:
        async with client.stream(method, url, headers=headers, data=form) as answer:
            got = b""
            async for part in answer.aiter_raw():
                got += part
                if len(got) > KEY_SET_BYTES_MAX:
                    raise OSError("its answer is too long")
            return answer.status_code, got
    except (httpx.HTTPError, httpx.InvalidURL) as broken:
        raise OSError(type(broken).__name__) from None


def metadata_urls(name: str) -> tuple[str, str]:
    """Where an issuer's metadata may be: OpenID Connect's place at the end of the path, OAuth's before it (RFC 8414 §5)."""
    parts = urlsplit(name.rstrip("/"))
    root = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{root}{parts.path}/.well-known/openid-configuration",
        f"{root}/.well-known/oauth-authorization-server{parts.path}",
    )
