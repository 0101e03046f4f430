"""`openbao:http://127.0.0.1:8200?mount=transit&token-file=…`: index, signing and wrapping keys in OpenBao's transit engine.

The index key never leaves the server, which counts its use (audit log) and limits it (a rate-limit quota, set when the hub is
made). The hub's token needs the policy of docs/operations.md and no more. Calls are made in a few threads: about a millisecond.
"""

from __future__ import annotations

import asyncio
import warnings
from base64 import b64decode, b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from ecluse.app.ports import Pseudonyms, Signing
from ecluse.engines.keys.address import KEYS_URL_INVALID, parameters, secret
from ecluse.engines.keys.envelope import Envelope
from ecluse.engines.keys.keyring import Keyring, Opening, opened
from ecluse.engines.keys.meter import KEYS_RATE_LIMITED
from ecluse.engines.keys.outside import KEYS_UNREACHABLE, new_name
from ecluse.engines.keys.ring import PSEUDONYM_BYTES
from ecluse.kernel.errors import refusal

TIMEOUT_S = 5  # a question at the counter has no use for a later answer
THREADS = 8  # look-ups under way at once: past a dozen a server on two cores answers no faster
BATCH_MAX = 400  # rows in one request: OpenBao reads at most 1 000 strings in one, and a row is two

KEYS_IN_CLEAR = refusal(
    "keys_in_clear",
    500,
    "The key server would be spoken to in clear",
    fix="Write https: in keys.url; http: is for a server on the same machine.",
)


class QuotaNotSet(UserWarning):
    """The key server does not limit look-ups."""


class _Transit:
    """The `Vault` and the `Wrapper` of one transit mount. Names are key names."""

    place = "OpenBao, never outside it"

    def __init__(self, client: httpx.Client, mount: str) -> None:
        self._client = client
        self._mount = mount
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="openbao")

    def draw_index(self, scope: str) -> bytes:
        return self._draw(f"index.{scope}", {"type": "hmac", "key_size": 32}).encode()

    def draw_signing(self, purpose: Signing) -> bytes:
        return self._draw(f"signing.{purpose}", {"type": "ed25519"}).encode()

    def draw_wrapping(self, family: str) -> str:
        return self._draw(f"wrap.{family}", {"type": "aes256-gcm96"})

    async def chain(self, keys: Sequence[bytes], message: bytes) -> Pseudonyms:
        def work() -> Pseudonyms:
            chain = [message]
            for key in keys:
                answer = self._ask("POST", f"hmac/{key.decode()}/sha2-256", {"input": _text(chain[-1])})
                chain.append(_pseudonym(answer["hmac"]))
            return tuple(chain[1:])

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def keyed(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        done: list[bytes] = []
        for first in range(0, len(messages), BATCH_MAX):
            batch = {"batch_input": [{"input": _text(each)} for each in messages[first : first + BATCH_MAX]]}
            answer = self._ask("POST", f"hmac/{key.decode()}/sha2-256", batch)
            done += [_pseudonym(each["hmac"]) for each in answer["batch_results"]]
        return done

    def sign(self, key: bytes, message: bytes) -> bytes:
        return _bytes(self._ask("POST", f"sign/{key.decode()}", {"input": _text(message)})["signature"])

    def public_key(self, key: bytes) -> bytes:
        return b64decode(self._ask("GET", f"keys/{key.decode()}")["keys"]["1"]["public_key"])

    def forget(self, key: bytes) -> None:
        self.drop(key.decode())

    def wrap(self, name: str, key: bytes) -> bytes:
        answer: str = self._ask("POST", f"encrypt/{name}", {"plaintext": _text(key)})["ciphertext"]
        return answer.encode()

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        cipher = {"ciphertext": wrapped.decode()}
        return b64decode(self._ask("POST", f"decrypt/{name}", cipher, absent=ValueError)["plaintext"])

    def wrapping(self, family: str) -> list[str]:
        names = self._ask("GET", "keys?list=true")["keys"]
        return [name for name in names if name.startswith(f"ecluse.wrap.{family}.")]

    def drop(self, name: str) -> None:
        with suppress(KeyError):
            self._ask("POST", f"keys/{name}/config", {"deletion_allowed": True}, absent=KeyError)
            self._ask("DELETE", f"keys/{name}", absent=KeyError)

    def audited(self, log: bytes) -> int | None:
        """HMAC answered, by OpenBao's audit log (JSON lines of a file device): every item of every batch."""
        return sum(_computed(line, f"{self._mount}/hmac/ecluse.index.") for line in log.splitlines())

    def limit(self, per_s: int) -> None:
        """Have the server refuse more look-ups a second, from all who hold its tokens; warn if this token may not say so."""
        if per_s:
            quota = {"path": f"{self._mount}/hmac/*", "rate": per_s, "interval": "1s"}
            answer = self._send("POST", "sys/quotas/rate-limit/ecluse-lookups", quota)
            if answer.is_error:
                warnings.warn(
                    "OpenBao limits no look-ups: set the quota of docs/operations.md", QuotaNotSet, stacklevel=2
                )

    def _draw(self, what: str, kind: dict[str, Any]) -> str:
        name = new_name(what)
        self._ask("POST", f"keys/{name}", kind)
        return name

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, absent: type[Exception] | None = None
    ) -> dict[str, Any]:
        """The data of an answer. Raises `absent`, if given, when there is no such key or it opens no such bytes.

        The text of an error is left out: it may quote what was asked.
        """
        answer = self._send(method, f"{self._mount}/{path}", body)
        if absent and answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND):
            raise absent(path)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise KEYS_RATE_LIMITED()
        if answer.is_error:
            raise KEYS_UNREACHABLE(f"OpenBao answered {answer.status_code}")
        data: dict[str, Any] = answer.json().get("data") or {} if answer.content else {}
        return data

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        try:
            return self._client.request(method, f"/v1/{path}", json=body)
        except httpx.TransportError as broken:
            raise KEYS_UNREACHABLE(f"OpenBao: {type(broken).__name__}") from None


def _computed(line: bytes, start: str) -> int:
    said = msgspec.json.decode(line)
    if said.get("type") != "response" or said.get("error") or not said["request"].get("path", "").startswith(start):
        return 0
    return len(said["request"].get("data", {}).get("batch_input", ["one"]))


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _bytes(answer: str) -> bytes:
    """The bytes of `vault:v1:…`."""
    return b64decode(answer.rpartition(":")[2])


def _pseudonym(answer: str) -> bytes:
    return _bytes(answer)[:PSEUDONYM_BYTES]


def handle(opening: Opening) -> Keyring:
    """The keyring of an OpenBao server, whether its file is there or not. Raises `keys_url_invalid`, `keys_in_clear`."""
    return _handle(opening)[0]


def open_keys(opening: Opening, *, new: bool) -> Keyring:
    """The keys of a hub in OpenBao. Raises `keys_missing` unless `new`, `keys_locked`, `keys_unreachable`."""
    keyring, transit = _handle(opening)
    if new:
        transit.limit(opening.budget.lookups_per_s_max)
    return opened(keyring, new=new)


def _handle(opening: Opening) -> tuple[Keyring, _Transit]:
    address, _, query = opening.place.partition("?")
    found = parameters(query, "&", frozenset({"mount", "token-file", "ca-file"}))
    where = urlsplit(address)
    if where.scheme not in ("http", "https") or not where.hostname:
        raise KEYS_URL_INVALID("openbao: is followed by http: or https: and a host")
    if opening.production and where.scheme == "http" and where.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise KEYS_IN_CLEAR()
    token = secret(opening.directory, found.get("token-file", ""), opening.passphrase)
    trusted: Any = str(opening.directory / found["ca-file"]) if "ca-file" in found else True
    client = httpx.Client(
        base_url=address, headers={"X-Vault-Token": token}, timeout=TIMEOUT_S, verify=trusted, trust_env=False
    )
    transit = _Transit(client, found.get("mount", "transit"))
    return Keyring(opening.file, Envelope(b"openbao", transit), transit, opening.budget), transit
