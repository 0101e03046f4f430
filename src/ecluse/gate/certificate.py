"""Tokens bound to a client's certificate (RFC 8705): the certificate that the TLS proxy verified, and its thumbprint.

The proxy writes it in one header that it sets itself for every request: URL-encoded PEM (nginx, `$ssl_client_escaped_cert`) or
base64 between colons (RFC 9440, `Client-Cert`). Whether the certificate is good was the proxy's to say; here it is only hashed.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import unquote

from ecluse.gate.signature import base64url

HEADER_BYTES_MAX = 16 << 10  # URL-encoded; a certificate of IGC-Santé is under 4 KiB
REMEMBERED_MAX = 4096  # certificates of software that asks in a day; some 12 MB at most
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_DER_SEQUENCE = b"\x30"  # how every certificate begins (RFC 5280 §4.1)


@lru_cache(REMEMBERED_MAX)
def thumbprint(header: str) -> str:
    """`x5t#S256` of the one certificate in the header: SHA-256 of its DER, base64url. Raises `ValueError` for anything else."""
    if len(header) > HEADER_BYTES_MAX:
        raise ValueError("too long")
    if header.startswith(":") and header.endswith(":"):
        return of_der(base64.b64decode(header[1:-1], validate=True))
    return of_pem(unquote(header, errors="strict"))


def of_pem(text: str) -> str:
    """The same, of the one certificate in a PEM text."""
    found = _PEM.fullmatch(text.strip() + "\n")
    if not found:
        raise ValueError("not one certificate")
    return of_der(base64.b64decode("".join(found[1].split()), validate=True))


def of_der(der: bytes) -> str:
    """The same, of a certificate's DER bytes."""
    if not der.startswith(_DER_SEQUENCE):
        raise ValueError("not DER")
    return base64url(sha256(der).digest())
