"""Settings of who asks: what is taken, and what is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecluse.kernel.errors import Refused
from ecluse.settings import FILE, Settings, read_settings, template

ISSUER = {"name": "https://psc.example", "audience": "ecluse"}


def read(directory: Path, **environment: str) -> Settings:
    (directory / FILE).write_text(template())
    return read_settings(directory, environment)


def test_an_issuer_is_a_name_and_an_audience_and_all_else_is_strict(tmp_path: Path) -> None:
    [issuer] = read(tmp_path, ECLUSE_ISSUERS=json.dumps([ISSUER])).issuers
    assert (issuer.jwks, issuer.bearer, issuer.development, issuer.outage_s) == ("", False, False, 86_400)
    assert "RS256" not in issuer.algorithms


def test_a_variable_may_turn_the_nonce_off(tmp_path: Path) -> None:
    assert read(tmp_path).http.dpop_nonce
    assert not read(tmp_path, ECLUSE_HTTP_DPOP_NONCE="false").http.dpop_nonce


@pytest.mark.parametrize(
    "url", ["https://hub.test", "https://hub.test:8443", "http://127.0.0.1:8400", "https://[::1]:1", ""]
)
def test_a_public_address_is_scheme_host_and_port(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, ECLUSE_HTTP_PUBLIC_URL=url).http.public_url == url


WRONG = [
    *(({"ECLUSE_HTTP_PUBLIC_URL": url}, "$.http.public_url")
      for url in ("hub.test", "https://hub.test/", "https://hub.test/path", "https://me@hub.test", "ftp://hub.test",
                  "https://hub.test\n")),
    ({"ECLUSE_ISSUERS": json.dumps([ISSUER, {**ISSUER, "bearer": True}])}, "two issuers have the same name"),
    ({"ECLUSE_HTTP_CERTIFICATE_HEADER": "X Client"}, "$.http.certificate_header"),
    ({"ECLUSE_HTTP_ADDRESS_HEADER": "X-Real-IP\n"}, "$.http.address_header"),
    *(({"ECLUSE_ISSUERS": json.dumps([{**ISSUER, name: value}])}, f"$.issuers[0].{name}")
      for name, value in (("algorithms", ["HS256"]), ("algorithms", ["none"]), ("acr_values", ['e"1']),
                          ("acr_values", ["e 1"]), ("acr_values", ["e1\n"]), ("subjects", ["rpps\n"]),
                          ("outage_s", 0), ("outage_s", 10**9), ("bearer", "perhaps"))),
    *(({"ECLUSE_PORTAL_CLIENT_ID": "ecluse", "ECLUSE_PORTAL_ISSUER": ISSUER["name"],
        "ECLUSE_ISSUERS": json.dumps([{**ISSUER, "acr_values": ["eidas2"]}]), **changes}, place)
      for changes, place in (
          ({"ECLUSE_PORTAL_ISSUER": "https://other.example"}, "portal.issuer"),
          ({"ECLUSE_ISSUERS": json.dumps([{**ISSUER, "development": True}])}, "portal.issuer"),
          ({"ECLUSE_PORTAL_ACR_VALUES": '["eidas2", "eidas3"]'}, "portal.acr_values"),
          ({"ECLUSE_PORTAL_SCOPES": '["profile"]'}, "portal.scopes"),
          ({"ECLUSE_PORTAL_SESSION_S": "14401"}, "$.portal.session_s"),
          ({"ECLUSE_HUB_MODE": "production", "ECLUSE_HTTP_PUBLIC_URL": "http://hub.test"}, "http.public_url"),
          ({"ECLUSE_HUB_MODE": "production"}, "http.public_url"))),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "place"), WRONG)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, environment: dict[str, str], place: str) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path, **environment)
    assert place in refused.value.detail
