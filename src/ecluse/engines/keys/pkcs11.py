"""`pkcs11:token=ecluse?module-path=…&pin-source=file:…` (RFC 7512): index, signing and wrapping keys in a token.

They are drawn in the token, sensitive and not extractable; nobody can copy them, the hub included. Every call goes through
one thread of the process: the loop never waits for the token, and no module is asked to be safe for threads (SoftHSM 2.6.1
aborted here when two threads used two sessions).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import NoSuchKey, PKCS11Error, UserAlreadyLoggedIn

from ecluse.app.ports import Pseudonyms, Signing
from ecluse.engines.keys.address import KEYS_URL_INVALID, parameters, secret
from ecluse.engines.keys.envelope import Envelope
from ecluse.engines.keys.keyring import Keyring, Opening, opened
from ecluse.engines.keys.outside import KEYS_UNREACHABLE, new_name
from ecluse.engines.keys.ring import KEY_BYTES, NONCE_BYTES, PSEUDONYM_BYTES

ED25519 = bytes.fromhex("06032b6570")  # the OID 1.3.101.112 in DER (RFC 8410)
TAG_BITS = 128
STAYS = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}
SECRET, PRIVATE, PUBLIC = ObjectClass.SECRET_KEY, ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY

Result = TypeVar("Result")
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="token")


class _Token:
    """The `Vault` and the `Wrapper` of one token. Names are labels."""

    place = "the token, never outside it"

    def __init__(self, module: str, label: str, pin: str) -> None:
        self._module, self._label, self._pin = module, label, pin
        self._session: pkcs11.Session | None = None
        self._found: dict[tuple[str, ObjectClass], Any] = {}

    def draw_index(self, scope: str) -> bytes:
        name = new_name(f"index.{scope}")
        self._call(
            lambda: self._open().generate_key(
                KeyType.GENERIC_SECRET,
                KEY_BYTES * 8,
                label=name,
                store=True,
                mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
                capabilities=MechanismFlag.SIGN,
                template=STAYS,
            )
        )
        return name.encode()

    def draw_signing(self, purpose: Signing) -> bytes:
        name = new_name(f"signing.{purpose}")

        def draw() -> None:
            curve = self._open().create_domain_parameters(
                KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: ED25519}, local=True
            )
            curve.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, label=name, store=True, private_template=STAYS
            )

        self._call(draw)
        return name.encode()

    def draw_wrapping(self, family: str) -> str:
        name = new_name(f"wrap.{family}")
        can = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT
        self._call(
            lambda: self._open().generate_key(
                KeyType.AES, KEY_BYTES * 8, label=name, store=True, capabilities=can, template=STAYS
            )
        )
        return name

    async def chain(self, keys: Sequence[bytes], message: bytes) -> Pseudonyms:
        def work() -> Pseudonyms:
            chain = [message]
            for key in keys:
                chain.append(self._keyed(key, chain[-1]))
            return tuple(chain[1:])

        return await asyncio.get_running_loop().run_in_executor(_THREAD, self._tried, work)

    def keyed(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        return self._call(lambda: [self._keyed(key, message) for message in messages])

    def sign(self, key: bytes, message: bytes) -> bytes:
        return self._call(lambda: bytes(self._key(key.decode(), PRIVATE).sign(message, mechanism=Mechanism.EDDSA)))

    def public_key(self, key: bytes) -> bytes:
        return self._call(lambda: bytes(self._key(key.decode(), PUBLIC)[Attribute.EC_POINT][-32:]))

    def forget(self, key: bytes) -> None:
        self.drop(key.decode())

    def audited(self, log: bytes) -> int | None:
        """PKCS #11 has no counter; what the token's maker writes down, no standard says."""
        return None

    def wrap(self, name: str, key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._call(lambda: bytes(self._key(name, SECRET).encrypt(key, **_gcm(nonce, name))))

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        nonce, sealed = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]

        def work() -> bytes:
            try:
                return bytes(self._key(name, SECRET).decrypt(sealed, **_gcm(nonce, name)))
            except (NoSuchKey, pkcs11.EncryptedDataInvalid, pkcs11.EncryptedDataLenRange, pkcs11.GeneralError):
                raise ValueError(name) from None  # SoftHSM says GeneralError for a wrong tag

        return self._call(work)

    def wrapping(self, family: str) -> list[str]:
        start = f"ecluse.wrap.{family}."

        def work() -> list[str]:
            keys = self._open().get_objects({Attribute.CLASS: SECRET, Attribute.KEY_TYPE: KeyType.AES})
            return [label for key in keys if (label := key[Attribute.LABEL]).startswith(start)]

        return self._call(work)

    def drop(self, name: str) -> None:
        """Every object of this name: a key that signs has two."""

        def work() -> None:
            for kind in (SECRET, PRIVATE, PUBLIC):
                self._found.pop((name, kind), None)
            for key in list(self._open().get_objects({Attribute.LABEL: name})):
                key.destroy()

        self._call(work)

    def _keyed(self, key: bytes, message: bytes) -> bytes:
        signed: bytes = self._key(key.decode(), SECRET).sign(message, mechanism=Mechanism.SHA256_HMAC)
        return signed[:PSEUDONYM_BYTES]

    def _key(self, name: str, kind: ObjectClass) -> Any:
        if (name, kind) not in self._found:
            self._found[name, kind] = self._open().get_key(object_class=kind, label=name)
        return self._found[name, kind]

    def _call(self, work: Callable[[], Result]) -> Result:
        return _THREAD.submit(self._tried, work).result()

    def _tried(self, work: Callable[[], Result]) -> Result:
        """What the token answers; a session that broke is opened again by the next call."""
        try:
            return work()
        except PKCS11Error as broken:
            self._session = None
            self._found.clear()
            raise KEYS_UNREACHABLE(f"the token answered {type(broken).__name__}") from None

    def _open(self) -> pkcs11.Session:
        if self._session is None:
            token = pkcs11.lib(self._module).get_token(token_label=self._label)
            try:
                self._session = token.open(rw=True, user_pin=self._pin)
            except UserAlreadyLoggedIn:  # by this very process: a login is the process's, not the session's
                self._session = token.open(rw=True)
        return self._session


def _gcm(nonce: bytes, name: str) -> dict[str, Any]:
    return {
        "mechanism": Mechanism.AES_GCM,
        "mechanism_param": pkcs11.GCMParams(nonce, name.encode(), TAG_BITS),
    }


def handle(opening: Opening) -> Keyring:
    """The keyring of a token, whether its file is there or not. Raises `keys_url_invalid`."""
    path, _, query = opening.place.partition("?")
    found = parameters(path, ";", frozenset({"token"})) | parameters(
        query, "&", frozenset({"module-path", "pin-source"})
    )
    if not (found.get("token") and found.get("module-path")):
        raise KEYS_URL_INVALID("token and module-path are needed")
    pin = secret(opening.directory, found.get("pin-source", ""), opening.passphrase)
    token = _Token(found["module-path"], found["token"], pin)
    return Keyring(opening.file, Envelope(b"pkcs11", token), token, opening.budget)


def open_keys(opening: Opening, *, new: bool) -> Keyring:
    """The keys of a hub in a token. Raises `keys_missing` unless `new`, `keys_locked`, `keys_unreachable`."""
    return opened(handle(opening), new=new)
