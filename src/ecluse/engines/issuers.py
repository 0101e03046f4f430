"""Trusted issuers and their keys: from a JWK Set file, from a URL, or discovered under the issuer's name (OpenID Connect
Discovery, RFC 8414). Only what the settings name is ever asked; nothing of a token chooses an address.

A set that reads replaces the one of before, also when it is empty: so keys are taken back. What does not read changes nothing.
Files are read again when they change. Keys from the network are fetched in the background, and kept on disk with their time, so
that a hub that starts while the issuer does not answer knows them; past `outage_s` they are not believed any more. A token that
names an unknown key has the issuer asked again, at most every `ASKED_AGAIN_S` seconds in a process: the request waits a second
at most, among a few.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ecluse.engines.durable import PART, write_whole
from ecluse.gate.identity import Issuer
from ecluse.gate.signature import read_key_set
from ecluse.kernel.errors import refusal

FOLDER = "issuers"
REFRESH_S = 600  # keys are asked for as often: a key taken back is believed no longer
ASKED_AGAIN_S = (
    30  # between two questions that tokens bring about, and between two tries when an issuer does not answer
)
WAIT_S = 1.0  # what a request waits for a new key; an issuer answers in 100 ms
WAITING_MAX = 8  # requests that wait at once, of 64 that a worker handles: unknown keys must not hold up the others

LOG = logging.getLogger(__name__)
JWKS_UNREADABLE = refusal("jwks_unreadable", 500, "An issuer's key file does not read", fix="Put its JWK Set there.")

Heard = Callable[[str, str], None]
Fetch = Callable[[str, str], Awaitable[bytes]]


class Source(msgspec.Struct, frozen=True):
    """An issuer as the settings describe it, without keys. `keys`: a file, an `https:` URL, or empty to discover it."""

    issuer: Issuer
    keys: str
    outage_s: int

    @property
    def is_file(self) -> bool:
        """Whether no network is asked."""
        return bool(self.keys) and not self.keys.startswith(("https://", "http://"))


class _Kept(msgspec.Struct):
    """What is kept of an issuer on disk. Keys fetched from elsewhere, before a setting changed, are not taken for these."""

    name: str
    source: str
    fetched_ts: int
    key_set: msgspec.Raw


class TrustedIssuers:
    """The `Issuers` port. `fetch`: gives the JWK Set of an issuer (its name, its URL or empty), or raises `OSError`;
    `heard` is told each issuer asked and what came of it: `changed`, `same` or `failed`. Raises `jwks_unreadable`."""

    changed = 0

    def __init__(
        self,
        sources: Sequence[Source],
        directory: Path,
        now: Callable[[], datetime],
        fetch: Fetch,
        heard: Heard = lambda _, __: None,
    ) -> None:
        self._sources = {each.issuer.name: each for each in sources}
        self._directory = directory
        self._now = now
        self._fetch = fetch
        self.heard = heard
        self._trusted: dict[str, Issuer] = {}
        self._raw: dict[str, bytes] = {}
        self._fetched_ts: dict[str, int] = {}
        self._tried_ts: dict[str, int] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}
        self._seen = {name: self._state(each) for name, each in self._sources.items()}
        self._waiting = 0
        for name, source in self._sources.items():
            self._take(name, *(self._of_file(source) if source.is_file else self._of_disk(source)))

    @property
    def trusted(self) -> Mapping[str, Issuer]:
        """The issuers by name, with the keys they have now."""
        return self._trusted

    async def refresh(self, name: str) -> bool:
        """Ask an issuer again, unless it was lately; whether it answered, so that its keys are as they should be."""
        asking = self._asking.get(name)
        if asking is None:
            if self._passed_s(self._tried_ts.get(name, 0)) < ASKED_AGAIN_S:
                return False
            asking = self._ask(name)
        if self._waiting >= WAITING_MAX:
            return False
        self._waiting += 1
        try:
            return await asyncio.wait_for(asyncio.shield(asking), WAIT_S)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1

    async def run(self) -> None:
        """Ask issuers on the network whenever their keys are due, and read files that changed, for as long as the hub answers."""
        while True:
            for name, source in self._sources.items():
                if name not in self._asking and (self._is_other(source) if source.is_file else self._is_due(source)):
                    await self._ask(name)
            await asyncio.sleep(1)

    def _is_other(self, source: Source) -> bool:
        """Whether a file is no longer the one that was seen; told once."""
        seen, state = self._seen[source.issuer.name], self._state(source)
        self._seen[source.issuer.name] = state
        return seen != state

    def _state(self, source: Source) -> tuple[int, ...]:
        """What changes with a file; nothing where there is none."""
        try:
            about = (self._directory / source.keys).stat()
        except OSError:
            return ()
        return about.st_mtime_ns, about.st_size, about.st_ino

    def _is_due(self, source: Source) -> bool:
        """Whether nobody of the hub has asked for so long, or tried just now; what another process got is taken."""
        name = source.issuer.name
        if self._passed_s(self._tried_ts.get(name, 0)) < ASKED_AGAIN_S:
            return False
        if self._passed_s(self._fetched_ts[name]) < REFRESH_S:
            return False
        self._look(source)
        return self._passed_s(self._fetched_ts[name]) >= REFRESH_S

    def _look(self, source: Source) -> bool:
        """Take what another process of the hub got since; whether these are other keys."""
        raw, fetched_ts = self._of_disk(source)
        name = source.issuer.name
        return fetched_ts > self._fetched_ts[name] and self._take(name, raw, fetched_ts)

    def _ask(self, name: str) -> asyncio.Task[bool]:
        """One question at a time to each issuer, whoever waits for it."""
        self._tried_ts[name] = self._ts()
        asking = asyncio.create_task(self._asked(self._sources[name]))
        self._asking[name] = asking
        asking.add_done_callback(lambda _: self._asking.pop(name, None))
        return asking

    async def _asked(self, source: Source) -> bool:
        name = source.issuer.name
        try:
            changed = await self._anew(source)
        except (OSError, ValueError) as broken:
            LOG.warning("keys of issuer %s not fetched: %s", name, broken)
            self.heard(name, "failed")
            return False
        self.heard(name, "changed" if changed else "same")
        return True

    async def _anew(self, source: Source) -> bool:
        name = source.issuer.name
        if source.is_file:
            return self._take(name, Path(self._directory, source.keys).read_bytes(), 0)
        if self._look(source):
            return True
        raw, now_ts = await self._fetch(name, source.keys), self._ts()
        changed = self._take(name, raw, now_ts)
        try:
            self._keep(source, raw, now_ts)
        except OSError as broken:  # believed all the same; a start without the issuer would not know them
            LOG.warning("keys of issuer %s not kept: %s", name, broken.strerror)
        return changed

    def _take(self, name: str, raw: bytes, fetched_ts: int) -> bool:
        """Believe these keys from now on; whether they are others. Raises `ValueError` when they are none."""
        source = self._sources[name]
        keys = read_key_set(raw) if raw else ()
        if raw and not keys:
            LOG.warning("issuer %s has no key: nobody whom it vouches for is recognised", name)
        until_ts = 0 if source.is_file else fetched_ts + source.outage_s
        self._trusted[name] = replace(source.issuer, keys=keys, until_ts=until_ts)
        self._fetched_ts[name] = fetched_ts
        changed = self._raw.get(name) != raw
        self._raw[name] = raw
        self.changed += changed
        return changed

    def _of_file(self, source: Source) -> tuple[bytes, int]:
        path = self._directory / source.keys
        try:
            raw = path.read_bytes()
            read_key_set(raw)
        except (OSError, ValueError):
            raise JWKS_UNREADABLE(f"{path.name} does not read as a JWK Set") from None
        return raw, 0

    def _of_disk(self, source: Source) -> tuple[bytes, int]:
        """Keys fetched before, and when; none when there are none, or they came from elsewhere."""
        try:
            kept = msgspec.json.decode(self._path(source).read_bytes(), type=_Kept)
            read_key_set(bytes(kept.key_set))
        except (OSError, ValueError):
            return b"", 0
        same = (kept.name, kept.source) == (source.issuer.name, source.keys)
        return (bytes(kept.key_set), kept.fetched_ts) if same and kept.fetched_ts <= self._ts() else (b"", 0)

    def _keep(self, source: Source, raw: bytes, fetched_ts: int) -> None:
        path = self._path(source)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        kept = msgspec.json.encode(_Kept(source.issuer.name, source.keys, fetched_ts, msgspec.Raw(raw)))
        write_whole(path, kept, part=path.with_suffix(f".{os.getpid()}{PART}"))  # every process keeps what it fetched

    def _path(self, source: Source) -> Path:
        return self._directory / FOLDER / f"{sha256(source.issuer.name.encode()).hexdigest()[:16]}.json"

    def _passed_s(self, ts: int) -> int:
        """Seconds since then; as many as matter if the clock went back."""
        passed_s = self._ts() - ts
        return passed_s if passed_s >= 0 else REFRESH_S

    def _ts(self) -> int:
        return int(self._now().timestamp())
