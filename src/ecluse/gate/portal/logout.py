"""A session ended at the provider too (OpenID Connect RP-Initiated Logout 1.0), seen from the hub. Pure.

The browser is sent there with the hub's name and nothing of the person: no ID token, which the hub does not keep, and no
`logout_hint`, which would write who somebody is into an address. The provider knows whose browser it is, and asks (§2, §6).
What comes back is believed of the browser that was sent, once, and soon; it says that the person is back, not what they chose.
"""

from __future__ import annotations

from ecluse.gate.identity import CLOCK_SKEW_S
from ecluse.gate.portal.login import LOGIN_S_MAX, Begun, Client, led_to
from ecluse.kernel.errors import refusal

LOGOUT_REFUSED = refusal(
    "logout_refused",
    403,
    "This is not the return of a logout that was begun here",
    fix="Log out at the identity provider itself, if you are not sure; the session here has ended.",
)
LOGOUT_NOT_OFFERED = refusal(
    "logout_not_offered",
    503,
    "The identity provider cannot be asked to end its session",
    fix="Log out at the identity provider itself; the session here has ended.",
)


def logout_url(endpoint: str, client: Client, redirect_uri: str, state: str) -> str:
    """Where the browser is sent to end the provider's session."""
    asked = {"client_id": client.client_id, "post_logout_redirect_uri": redirect_uri, "state": state}
    return led_to(endpoint, asked)


def check_return(begun: Begun | None, now_ts: int) -> None:
    """Raise `logout_refused` unless a logout waits, and not for too long."""
    if begun is None or not -CLOCK_SKEW_S <= now_ts - begun.begun_ts < LOGIN_S_MAX:
        raise LOGOUT_REFUSED()
