"""The `Authenticators` port by py_webauthn: what an authenticator signed is verified as WebAuthn level 2 §7 says.

Whatever is wrong is `ValueError`, without its reason. Attestation is not asked for, and tells nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import CredentialDeviceType

from ecluse.gate.portal.passkey import ALGORITHMS, Answered, Passkey, Site
from ecluse.gate.signature import read_json, unbase64

KINDS = {CredentialDeviceType.SINGLE_DEVICE: "device", CredentialDeviceType.MULTI_DEVICE: "synced"}  # level 3 §6.1.3


class _Client(msgspec.Struct):
    """What the browser says: which page asked, and for what challenge."""

    challenge: str
    crossOrigin: bool = False  # noqa: N815 - WebAuthn §5.8.1


class WebAuthn:
    """Verifies with user verification required, for pages of the hub's own that are in no other site's frame."""

    def challenge_of(self, sent: Mapping[str, Any]) -> str:
        """The challenge in an answer's `clientDataJSON`."""
        try:
            client = read_json(unbase64(sent["response"]["clientDataJSON"]), _Client)
        except (LookupError, TypeError, AttributeError):
            raise ValueError("no answer") from None
        if client.crossOrigin:
            raise ValueError("in a frame")
        return client.challenge

    def created(self, sent: Mapping[str, Any], challenge: str, site: Site) -> Answered:
        """A new credential."""
        try:
            made = verify_registration_response(
                credential=cast("dict[str, Any]", sent),
                expected_challenge=unbase64(challenge),
                expected_rp_id=site.rp_id,
                expected_origin=site.origin,
                require_user_verification=True,
                supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
            )
        except Exception as wrong:  # noqa: BLE001 - what strangers send makes this library raise whatever its parsers do
            raise ValueError(type(wrong).__name__) from None
        kind = KINDS[made.credential_device_type]
        return Answered(made.credential_id, made.sign_count, made.credential_public_key, kind)

    def signed(self, sent: Mapping[str, Any], challenge: str, site: Site, passkey: Passkey) -> Answered:
        """A use of a passkey."""
        try:
            used = verify_authentication_response(
                credential=cast("dict[str, Any]", sent),
                expected_challenge=unbase64(challenge),
                expected_rp_id=site.rp_id,
                expected_origin=site.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.count,
                require_user_verification=True,
            )
        except Exception as wrong:  # noqa: BLE001 - as above
            raise ValueError(type(wrong).__name__) from None
        return Answered(used.credential_id, used.new_sign_count)
