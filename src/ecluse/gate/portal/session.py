"""A session of the portal: what a cookie stands for, until when it holds, and the account it makes. Pure.

The cookie alone opens nothing: with it goes a proof, for each request, of the key that the browser made at the login and
cannot give away (`gate/holder.py` checks it as that of any token bound to a key).
"""

from __future__ import annotations

import msgspec

from ecluse.gate.dpop import same_url
from ecluse.gate.identity import PROFESSIONAL, Account
from ecluse.gate.portal.id_token import LoggedIn
from ecluse.gate.portal.login import fingerprint
from ecluse.gate.portal.refusals import CROSS_SITE

SESSION_COOKIE = "__Host-ecluse"
LOGIN_COOKIE = "__Host-ecluse-login"
SOFTWARE = "portal"
TOUCH_S = 60  # a session that is used is written down as often: `idle_s` is good to a minute
READS = frozenset({"GET", "HEAD"})


class Session(msgspec.Struct, frozen=True):
    """A session. `id`: what the journal calls it, no secret; `way`: how the person came in, `login` or `passkey`.

    `acr`, `auth_ts`: of the login at the provider, also when a passkey was used since; times in Unix seconds. `sid`: hash of what
    the provider calls its own session; empty when it does not say, or a passkey was used.
    """

    id: str
    sub: str
    practice: str
    profession: str
    issuer: str
    acr: str
    auth_ts: int
    jkt: str
    way: str
    begun_ts: int
    until_ts: int
    seen_ts: int
    sid: bytes = b""


def begin(person: LoggedIn, *, id_: str, issuer: str, jkt: str, way: str, now_ts: int, session_s: int) -> Session:
    """A new session of somebody who has just come in, for `session_s` seconds at most."""
    return Session(
        id_,
        person.sub,
        person.practice,
        person.profession,
        issuer,
        person.acr,
        person.auth_ts,
        jkt,
        way,
        begun_ts=now_ts,
        until_ts=now_ts + session_s,
        seen_ts=now_ts,
        sid=fingerprint(person.sid) if person.sid else b"",
    )


def ends_ts(session: Session, idle_s: int) -> int:
    """When it ends if nothing more is asked."""
    return min(session.until_ts, session.seen_ts + idle_s)


def is_over(session: Session, idle_s: int, now_ts: int) -> bool:
    """Whether it holds no more. A clock that went back before its beginning ends it too."""
    return now_ts >= ends_ts(session, idle_s) or now_ts < session.begun_ts - TOUCH_S


def is_due(session: Session, now_ts: int) -> bool:
    """Whether it is time to write down that it is used."""
    return now_ts - session.seen_ts >= TOUCH_S


def account_of(session: Session, scopes: frozenset[str] = PROFESSIONAL) -> Account:
    """The account that asks, as a token bound to the browser's key would make it: a professional's."""
    return Account(
        session.sub,
        session.practice,
        session.profession,
        scopes=scopes,
        expires_ts=session.until_ts,
        software=SOFTWARE,
        session=session.id,
        issuer=session.issuer,
        acr=session.acr,
        auth_ts=session.auth_ts,
        jkt=session.jkt,
    )


def check_own_site(method: str, own: str, origin: str, site: str) -> None:
    """Raise `cross_site` unless a page of the hub's own (`own`: scheme, host, port) sent this, as far as the browser says.

    `origin`, `site`: the headers `Origin` and `Sec-Fetch-Site`, empty where there is none. A request that changes something
    has one of them in every browser since 2023; one that says neither is not from a page.
    """
    if (origin and not _is_same(origin, own)) or (site and site != "same-origin"):
        raise CROSS_SITE()
    if method not in READS and not (origin or site):
        raise CROSS_SITE()


def check_no_page(origin: str, site: str) -> None:
    """Raise `cross_site` when a browser sent this: what one server tells another is from no page, the hub's own or another's."""
    if origin or site:
        raise CROSS_SITE()


def _is_same(origin: str, own: str) -> bool:
    try:
        return same_url(origin, own)
    except ValueError:  # `null`, of a page that has no origin
        return False


def check_own_navigation(site: str) -> None:
    """Raise `cross_site` when another site leads here, or a link from outside any page (`none`): mail has those."""
    if site not in ("", "same-origin"):
        raise CROSS_SITE()
