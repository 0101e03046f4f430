"""What a browser that cannot be let in is told. Whatever is wrong with what came back from a login has the same words."""

from __future__ import annotations

from ecluse.kernel.errors import refusal

LOGIN_REFUSED = refusal(
    "login_refused",
    403,
    "This login was not taken",
    fix="Begin again from /portal/, in the same browser, within ten minutes.",
)
LOGIN_DECLINED = refusal(
    "login_declined",
    403,
    "The identity provider let nobody in",
    fix="Begin again from /portal/, and finish the login there.",
)
PROVIDER_SILENT = refusal(
    "login_provider_silent",
    503,
    "The identity provider does not answer",
    fix="Try again in a minute; practice software and passes go on working meanwhile.",
)
PROVIDER_BUSY = refusal(
    "login_provider_busy",
    503,
    "The identity provider cannot be asked just now",
    fix="Come back in some seconds with the same answer: the login waits, for ten minutes after it was begun.",
)
PROVIDER_UNFIT = refusal(
    "login_provider_unfit",
    503,
    "The identity provider does not offer what this hub requires",
    fix="Tell the operators: `portal.pushed_required` holds only for a provider that takes pushed authorization requests.",
)
REQUEST_REFUSED = refusal(
    "login_request_refused",
    502,
    "The identity provider did not take the hub's request",
    fix="Tell the operators: client id, key, redirect address and scopes must be those the provider knows.",
)
CROSS_SITE = refusal(
    "cross_site", 403, "This request came from another site", fix="Use the portal's own page, at the hub's own address."
)
"""Cookies open nothing that was not asked by a page of the hub's own."""
