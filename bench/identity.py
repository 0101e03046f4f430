"""Who asks: what it costs to know the sender of one request, the token being remembered.

On an envelope: a hash of the token and a look into a dictionary, 1 µs; a remembered certificate, 1 µs more; a proof: one
signature check (40 to 180 µs here in OpenSSL, whatever we do), base64 and JSON of 600 bytes 5 µs, hashes 3 µs, system calls
for the lock of one bucket 6 µs. Budget: 10 µs without a proof; with one, 40 µs beside its signature.

The peer does the least with joserfc: it decodes the same proof with the key in its header, and looks for its name in a set.
"""

from __future__ import annotations

import asyncio
import json
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import Key, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from ecluse.app.asker import Askers
from ecluse.engines.proofs import SharedProofs
from ecluse.gate.certificate import of_pem
from ecluse.gate.dpop import nonce
from ecluse.gate.holder import Sent
from ecluse.gate.identity import Account, Issuer, header_claims
from ecluse.gate.signature import public_key, take_apart, unbase64
from tests.certificates import certificate
from tests.tokens import compact, elliptic, proof

BUDGET_US, BUDGET_PROOF_US = 10, 40
REQUESTS, RUNS = 3_000, 5
ISSUER, URL = "https://issuer.invalid", "https://hub.invalid/v1/rights/checks"
CERTIFICATE = certificate().certificate.decode()
KEY = elliptic("k1")


class World:
    """One issuer, and a clock that stands still: proofs are made beforehand."""

    changed = 0

    def __init__(self) -> None:
        self.now_ts = int(time.time())
        self.trusted = {ISSUER: Issuer(ISSUER, "ecluse", (public_key(KEY.as_dict(private=False)),), bearer=True)}

    def now(self) -> datetime:
        """The instant it was made."""
        return datetime.fromtimestamp(self.now_ts, UTC)

    async def refresh(self, name: str) -> bool:
        """Nobody is asked."""
        return False

    def token(self, *, jkt: str = "", certificate: str = "") -> str:
        """An access token, bound as said."""
        claims = {"iss": ISSUER, "aud": "ecluse", "iat": self.now_ts, "exp": self.now_ts + 300}
        scopes = frozenset({"rights", "claims"})
        account = Account("rpps:10000000001", "370000028", scopes=scopes, jkt=jkt, certificate=certificate)
        return compact({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, {**claims, **header_claims(account)}, KEY)

    def proofs(self, key: Key, token: str, told: str) -> list[Sent]:
        """As many requests, each with a proof of its own."""
        made = (
            proof(key, method="POST", url=URL, token=token, now_ts=self.now_ts, nonce=told)
            for _ in range(REQUESTS * RUNS + 1)
        )
        return [Sent("dpop", token, "POST", URL, proofs=(each,)) for each in made]


def timed_us(work: Callable[[int], Any]) -> float:
    """Microseconds of the processor for one of `REQUESTS`: the median of the runs, each with its own numbers."""
    spent = []
    for run in range(RUNS):
        started_s = time.process_time()
        for number in range(run * REQUESTS, (run + 1) * REQUESTS):
            work(number)
        spent.append((time.process_time() - started_s) / REQUESTS * 1e6)
    return median(spent)


def recognised_us(askers: Askers, requests: list[Sent]) -> float:
    """What recognising the senders of these requests costs, one after the other, once their token is known."""
    asyncio.run(askers.recognise(requests[-1]))

    def drive(number: int) -> None:
        asked = askers.recognise(requests[number % len(requests)])
        try:
            asked.send(None)
        except StopIteration:
            return
        raise AssertionError("nothing is waited for here")

    return timed_us(drive)


def signature_us(requests: list[Sent]) -> float:
    """What the signature checks alone cost."""
    parts = [take_apart(each.proofs[0]) for each in requests]
    header = _header(requests[0].proofs[0])
    key, checking = import_key(header["jwk"]), JWSRegistry.algorithms[header["alg"]]
    return timed_us(lambda number: checking.verify(parts[number].message, parts[number].signature, key))


def peer_us(requests: list[Sent]) -> float:
    """The peer's cost for the same proofs."""
    seen: set[str] = set()
    registry = JWSRegistry(algorithms=["ES256", "Ed25519", "PS256"])
    registry.max_header_length = len(requests[0].proofs[0])  # its own limit has no room for an RSA key

    def decode(number: int) -> None:
        text = requests[number].proofs[0]
        key = import_key(_header(text)["jwk"])
        told = jwt.decode(text, key, registry=registry)
        assert told.claims["htu"] == URL
        assert told.claims["jti"] not in seen
        seen.add(told.claims["jti"])

    return timed_us(decode)


def _header(text: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(unbase64(text.partition(".")[0]))
    return header


def main() -> None:
    """Print each way to ask, its cost beside its budget, and the peer's."""
    warnings.simplefilter("ignore", SecurityWarning)
    world = World()
    with TemporaryDirectory() as folder:
        memory = SharedProofs(Path(folder))
        askers = Askers(world, world, memory)
        plain = [Sent("bearer", world.token(), "POST", URL)]
        by_certificate = world.token(certificate=of_pem(CERTIFICATE))
        shown = [Sent("bearer", by_certificate, "POST", URL, certificate=quote(CERTIFICATE, safe=""))]
        for name, requests in (("bearer", plain), ("certificate", shown)):
            print(f"{name}: {recognised_us(askers, requests):.1f} µs (budget {BUDGET_US})")
        for name, key in (
            ("ES256", elliptic()),
            ("Ed25519", OKPKey.generate_key("Ed25519")),
            ("PS256", RSAKey.generate_key(2048)),
        ):
            jkt = key.thumbprint()
            requests = world.proofs(key, world.token(jkt=jkt), nonce(memory.secrets(world.now_ts).current, jkt))
            whole, signature, peer = recognised_us(askers, requests), signature_us(requests), peer_us(requests)
            print(
                f"proof {name}: {whole:.1f} µs, its signature {signature:.1f}, the rest {whole - signature:.1f} "
                f"(budget {BUDGET_PROOF_US}); peer {peer:.1f} µs"
            )
        memory.close()


if __name__ == "__main__":
    main()
