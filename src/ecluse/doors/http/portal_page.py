"""`/portal/`: the page, its script and its style, from this origin and from nowhere else; nothing of them is about anybody."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from litestar import Response, get

from ecluse.doors.http.portal import PAGE
from ecluse.rights.model import Domain

FOLDER = "ecluse.doors.portal"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-cache",
}
DOMAINS_FR = {
    Domain.MED: "Médecine",
    Domain.PHAR: "Pharmacie",
    Domain.LABO: "Laboratoire",
    Domain.OPTI: "Optique",
    Domain.DENT: "Dentaire",
    Domain.AUDI: "Audiologie",
    Domain.RADI: "Radiologie",
    Domain.AUXM: "Auxiliaires médicaux",
    Domain.HOSP: "Hôpital",
    Domain.TRAN: "Transport",
}
FILES = {
    PAGE: ("page.html", "text/html; charset=utf-8"),
    "/portal/portal.js": ("portal.js", "text/javascript; charset=utf-8"),
    "/portal/portal.css": ("portal.css", "text/css; charset=utf-8"),
}


def portal_page(*, passkeys: bool) -> list[Any]:
    """The handlers of the page's files, read once."""
    return [_file(path, _read(name, passkeys=passkeys), kind) for path, (name, kind) in FILES.items()]


def _read(name: str, *, passkeys: bool) -> bytes:
    text = (files(FOLDER) / name).read_text(encoding="utf-8")
    if name != "page.html":
        return text.encode()
    import jinja2  # a moment that only a hub with a portal pays

    told = {"passkeys": passkeys, "domains": DOMAINS_FR.items()}
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text).render(told).encode()


def _file(path: str, content: bytes, kind: str) -> Any:
    def told() -> Response[bytes]:
        """The file, the same for everybody."""
        return Response(content, media_type=kind, headers=HEADERS)

    handler: Callable[[Any], Any] = get(path, include_in_schema=False, sync_to_thread=False, name=path)
    return handler(told)
