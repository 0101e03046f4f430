"""A browser at the portal: cookies, a key it cannot give away, and a proof for every request. Not more than a page can do."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from joserfc.jwk import ECKey

from tests.tokens import elliptic, proof

SESSION, LOGIN = "__Host-ecluse", "__Host-ecluse-login"
OWN = {"sec-fetch-site": "same-origin"}
REDIRECTS_MAX = 20


class Browser:
    """One browser with a jar of its own. `client`: speaks to every site; `hub`: the portal's origin."""

    def __init__(self, client: httpx.Client, hub: str) -> None:
        self.client, self.hub = client, hub
        self.jar: dict[str, dict[str, str]] = {}
        self.key: ECKey = elliptic()
        self.ath = self.nonce = ""

    @property
    def cookies(self) -> dict[str, str]:
        """Those of the hub."""
        return self.jar.setdefault(_origin(self.hub), {})

    def send(self, method: str, url: str, **given: Any) -> httpx.Response:
        """One request, with the cookies of its origin; what it answers is kept in the jar."""
        jar = self.jar.setdefault(_origin(url), {})
        headers = dict(given.pop("headers", {}))
        if jar:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        answer = self.client.request(method, url, headers=headers, follow_redirects=False, **given)
        self.client.cookies.clear()  # it would keep them for everybody
        for line in answer.headers.get_list("set-cookie"):
            self._keep(jar, line)
        return answer

    def _keep(self, jar: dict[str, str], line: str) -> None:
        pair, *attributes = [each.strip() for each in line.split(";")]
        name, _, value = pair.partition("=")
        said = {each.partition("=")[0].lower(): each.partition("=")[2] for each in attributes}
        if name.startswith("__Host-"):
            assert {"secure", "httponly"} <= said.keys(), line
            assert (said["path"], "domain" in said) == ("/", False), line
        if said.get("max-age") == "0" or not value.strip('"'):
            jar.pop(name, None)
        else:
            jar[name] = value

    def leave(self, *, step_up: bool = False) -> str:
        """Ask for the login; the provider's address the hub leads to."""
        answer = self.begin(step_up=step_up)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def begin(self, *, step_up: bool = False, **headers: str) -> httpx.Response:
        """What the hub says to a page that wants to log in."""
        told = {"jkt": self.key.thumbprint(), "step_up": step_up}
        return self.send("POST", f"{self.hub}/portal/login", json=told, headers={**OWN, **headers})

    def arrive(self, url: str) -> str:
        """Follow the provider until it leads back; the address it leads to."""
        for _ in range(REDIRECTS_MAX):
            if url.startswith(self.hub):
                return url
            answer = self.send("GET", url)
            assert answer.is_redirect, (answer.status_code, answer.text[:200])
            url = urljoin(url, answer.headers["location"])
        raise AssertionError("led round and round")

    def back(self, url: str, **headers: str) -> httpx.Response:
        """Come back from the provider."""
        answer = self.send("GET", url, headers={"sec-fetch-site": "cross-site", **headers})
        _, _, told = answer.headers.get("location", "").partition("#ath=")
        self.ath = told or self.ath
        return answer

    def log_in(self, *, step_up: bool = False) -> httpx.Response:
        """The whole login."""
        return self.back(self.arrive(self.leave(step_up=step_up)))

    def ask(
        self, method: str, path: str, *, key: ECKey | None = None, headers: dict[str, str] | None = None, **given: Any
    ) -> httpx.Response:
        """One call of the page: the cookie, and a proof; made again when the hub wants its nonce in it."""
        for _ in range(2):
            made = self.proved(method, path, key)
            answer = self.send(method, self.hub + path, headers={**OWN, "dpop": made, **(headers or {})}, **given)
            self.nonce = answer.headers.get("dpop-nonce", self.nonce)
            if answer.status_code != 401 or answer.json()["code"] != "use_dpop_nonce":
                break
        return answer

    def proved(self, method: str, path: str, key: ECKey | None = None, **claims: Any) -> str:
        """A proof for one request."""
        said = {"ath": self.ath, "nonce": self.nonce or None, **claims}
        return proof(key or self.key, method=method, url=self.hub + path, token="", now_ts=int(time.time()), **said)


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
