"""What is unsafe shouts in development, and refuses in production."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from time import time

import pytest

from ecluse.gate.identity import Account, header_claims
from tests.journeys.site import Site
from tests.tokens import compact, elliptic, proof

NAME = "https://psc.example"
PASSPHRASE = {"ECLUSE_KEYS_PASSPHRASE": "écluse du Sanitas"}
PRODUCTION = {"ECLUSE_HUB_MODE": "production", "ECLUSE_JOURNAL_ORIGIN": "hub.test/journal"}


def refused(site: Site, *words: str) -> str:
    done = site.run(*words, check=False)
    assert done.returncode == 2
    return done.stderr.splitlines()[-1]


def test_development_shouts(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    assert "DevelopmentOnly: keys are not sealed" in site.run("init", str(site.directory)).stderr
    token = site.run("dev", "token", "--account", "rpps:10000000001")
    assert "DevelopmentOnly: the development issuer" in token.stderr


def test_production_refuses_unsealed_keys(tmp_path: Path) -> None:
    Site(tmp_path / "hub").run("init", str(tmp_path / "hub"))
    assert refused(Site(tmp_path / "hub", **PRODUCTION), "pay", "list").startswith("keys_unsealed: ")


def test_sealed_keys_open_with_their_passphrase_only(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **PASSPHRASE)
    assert "keys are not sealed" not in site.run("init", str(site.directory)).stderr
    site.run("pay", "list")
    assert refused(Site(site.directory), "pay", "list").startswith("keys_locked: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["dev", "token", "--account", "rpps:10000000001"], "dev_issuer_refused"),
        (["pay", "run"], "bank_settings_invalid"),
    ],
)
def test_production_refuses_what_is_for_development(tmp_path: Path, words: list[str], code: str) -> None:
    Site(tmp_path / "hub", **PASSPHRASE).run("init", str(tmp_path / "hub"))
    assert refused(Site(tmp_path / "hub", **PASSPHRASE, **PRODUCTION), *words).startswith(f"{code}: ")


def test_a_token_of_the_development_issuer_opens_nothing_in_production(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **PASSPHRASE)
    site.run("init", str(site.directory))
    token = site.token()
    production = Site(site.directory, **PASSPHRASE, **PRODUCTION)
    production.start()
    with production.client(token) as client:
        assert client.get("/v1/claims").status_code == 401
    assert production.stop() == 0


def issuer(**settings: object) -> dict[str, str]:
    """A configured issuer whose keys are in a file of the hub's directory."""
    return {"ECLUSE_ISSUERS": json.dumps([{"name": NAME, "audience": "ecluse", "jwks": "psc.json", **settings}])}


def test_production_takes_bound_tokens_only_under_its_public_name(tmp_path: Path) -> None:
    Site(tmp_path / "hub", **PASSPHRASE).run("init", str(tmp_path / "hub"))
    key, holder, now_ts = elliptic("k1"), elliptic(), int(time())
    (tmp_path / "hub" / "psc.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    loose = Site(tmp_path / "hub", **PASSPHRASE, **PRODUCTION, **issuer(bearer=True))
    assert refused(loose, "pay", "list").startswith("bearer_refused: ")

    def token(**account: str) -> str:
        claims = header_claims(Account("rpps:1", "370000028", scopes=frozenset({"claims"}), **account))
        claims |= {"iss": NAME, "aud": "ecluse", "iat": now_ts, "exp": now_ts + 300}
        return compact({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, key)

    bound = token(jkt=holder.thumbprint())
    for public_url, code in (("https://hub.test", "use_dpop_nonce"), ("", "invalid_dpop_proof")):
        site = Site(tmp_path / "hub", **PASSPHRASE, **PRODUCTION, **issuer(), ECLUSE_HTTP_PUBLIC_URL=public_url)
        site.start()
        with site.client(token()) as client:
            assert client.get("/v1/claims").json()["code"] == "unauthenticated"
        for name in ("https://hub.test", site.url, ""):
            sent = proof(holder, method="GET", url=f"{name}/v1/claims", token=bound, now_ts=int(time()))
            headers = {"Authorization": f"DPoP {bound}", "DPoP": sent}
            with site.client("") as client:
                told = client.get("/v1/claims", headers=headers).json()
            assert told["code"] == (code if name and name == public_url else "invalid_dpop_proof")
        assert site.stop() == 0


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"ECLUSE_HTTP_PORT": "door"}, "$.http.port"),
        ({"ECLUSE_HUB_MODE": "prod"}, "$.hub.mode"),
        ({"ECLUSE_STORE_URL": "mysql:hub"}, "engine_unknown: no engine for 'mysql'"),
        ({"ECLUSE_DIR": "/nowhere"}, "not_a_hub"),
    ],
)
def test_a_wrong_setting_says_which(tmp_path: Path, environment: dict[str, str], said: str) -> None:
    Site(tmp_path / "hub").run("init", str(tmp_path / "hub"))
    assert said in refused(Site(tmp_path / "hub", **environment), "pay", "list")


def test_a_hub_is_made_once(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.run("init", str(site.directory))
    assert refused(site, "init", str(site.directory)).startswith("already_a_hub: ")


def test_a_token_by_account_alone_has_a_practice_of_its_own(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.make()
    site.start()
    invoice = {"invoice": "1", "engagement": "E26UNKNOWN", "lines": [
        {"line": 1, "act": "CS", "date": "2026-11-24", "expense_cents": 1, "base_cents": 1, "amo_rate": "70%"}]}  # fmt: skip
    tokens = [site.run("dev", "token", "--account", f"rpps:1000000000{digit}").stdout.strip() for digit in (1, 2)]
    told = []
    for token in tokens:
        with site.client(token) as client:
            told.append(client.post("/v1/claims", json=invoice).json())
    assert [each["status"] for each in told] == ["refused", "refused"]
    assert told[0]["claim_id"] != told[1]["claim_id"]
    assert site.stop() == 0


def test_a_journal_is_not_signed_in_production_under_the_made_up_name(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **PASSPHRASE)
    site.run("init", str(site.directory))
    unnamed = Site(site.directory, **PASSPHRASE, ECLUSE_HUB_MODE="production")
    assert refused(unnamed, "serve", "--port", "0").startswith("journal_origin_unset: ")


def test_a_journal_begun_in_development_keeps_its_name(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", **PASSPHRASE)
    site.make()
    renamed = Site(site.directory, **PASSPHRASE, **PRODUCTION)
    assert refused(renamed, "serve", "--port", "0").startswith(
        "journal_origin_changed: signed as dev.ecluse.invalid/journal"
    )
    site.start()
    assert site.stop() == 0


EDITOR = r"""#!/bin/sh
sed -i -e 's/^mode = .*/mode = "production"/' -e 's#^origin = .*#origin = "hub.example.org/journal"#' \
    -e 's/FR7630006000011234567890189/FR1420041010050500013M02606/' -e 's/^port = .*/port = 0/' \
    -e 's#^public_url = .*#public_url = "https://hub.example.fr"#' \
    -e '/^\[\[issuers\]\]/,$d' "$1"
printf '[[issuers]]\nname = "https://psc.example"\naudience = "ecluse"\njwks = "psc.json"\n' >> "$1"
"""


def test_a_hub_made_as_the_documents_say_starts_in_production(tmp_path: Path) -> None:
    """`docs/operations.md`, "Start", word by word, in another directory; the operator's editor is a script."""
    root = Path(__file__).parents[2]
    start = (root / "docs" / "operations.md").read_text().partition("## Start")[2].partition("## ")[0]
    lines = [line.removeprefix("$ ") for line in re.findall(r"^\$ .*$", start, re.M)]
    serve = next(line for line in lines if line.startswith("ecluse serve"))
    walk = "\n".join(line for line in lines if line != serve)
    site = Site(tmp_path / "hub")
    editor = tmp_path / "editor"
    editor.write_text(EDITOR)
    editor.chmod(0o700)
    key = json.dumps({"keys": [elliptic("k1").as_dict(private=False)]})
    script = walk.replace("/srv/ecluse", str(site.directory)).replace("…", "écluse du Sanitas")
    script = script.replace("$EDITOR", f"echo '{key}' > {site.directory}/psc.json; {editor}")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command, plain = ["bash", "-euc", script], {**os.environ, "PATH": path}
    done = subprocess.run(command, env=plain, cwd=root / "examples", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Next, for production, in " in done.stdout  # ecluse init
    production = Site(site.directory, **PASSPHRASE)
    production.start()
    assert production.stop() == 0
