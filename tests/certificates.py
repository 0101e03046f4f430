"""Certificates for one test: an authority of its own, and what a server on this machine shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """PEM bytes: a certificate, its key, and that of the authority that signed it."""

    certificate: bytes
    key: bytes
    authority: bytes


def certificate(host: str = "127.0.0.1") -> Certificate:
    """A certificate for an address of this machine, signed by an authority made for it alone."""
    authority_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    authority = _signed("an authority", authority_key, "an authority", authority_key, _authority(authority_key))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    signed = _signed(host, key, "an authority", authority_key, [(address, False)])
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(signed, private, authority)


def _authority(key: EllipticCurvePrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    may = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    itself = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return [(x509.BasicConstraints(ca=True, path_length=0), True), (may, True), (itself, False)]


def _signed(
    name: str, key: EllipticCurvePrivateKey, signer: str, signer_key: EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> bytes:  # fmt: skip
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(signer)).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    signer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key())
    for extension, critical in [*extensions, (signer_id, False)]:
        made = made.add_extension(extension, critical)
    return made.sign(signer_key, SHA256()).public_bytes(Encoding.PEM)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
