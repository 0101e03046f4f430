"""The keys that sign passes, in the ring of the hub: one more, one retired, one destroyed. Each is a scope made of another.

A retired key stays in the ring until it is destroyed where it lives, and its public half for ever: a kill in between leaves
a key that is refused and still there, which the next try destroys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from ecluse.engines.keys.ring import Issuer, Scope
from ecluse.kernel.errors import refusal
from ecluse.passes.refusals import PASS_KEY_SIGNS, PASS_KEY_UNKNOWN

TRUSTED_MAX = 8  # each has a list of revoked passes, signed each minute; drawn once a quarter, two are enough

PASS_KEYS_MANY = refusal(
    "pass_keys_many",
    409,
    "This hub has as many keys for passes as it may have",
    fix="Retire one whose passes have expired: ecluse pass keys, then ecluse keys retire.",
)

Issuers = Mapping[int, Issuer]


def grown(known: Issuers, scope: Scope, draw: Callable[[], Issuer]) -> Scope:
    """The scope with one more key, the newest, beside those that are `known`. Raises `pass_keys_many`; then none is drawn."""
    if sum(not each.is_retired for each in known.values()) >= TRUSTED_MAX:
        raise PASS_KEYS_MANY()
    signing = {purpose: key for purpose, key in scope.signing.items() if purpose != "pass"}
    return replace(scope, signing=signing, issuers={**known, max(known) + 1: draw()})


def retired(scope: Scope, version: int) -> Scope:
    """The scope with a key refused; the very same if it was. Raises `pass_key_unknown`, `pass_key_signs`."""
    known = scope.issuers
    if version == max(known, default=1):
        raise PASS_KEY_SIGNS()
    if version not in known:
        raise PASS_KEY_UNKNOWN()
    if known[version].is_retired:
        return scope
    return replace(scope, issuers={**known, version: replace(known[version], is_retired=True)})


def destroyed(scope: Scope, version: int) -> Scope:
    """The scope without the key itself."""
    return replace(scope, issuers={**scope.issuers, version: replace(scope.issuers[version], key=b"")})
