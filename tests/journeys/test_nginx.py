"""The nginx example, by the real nginx: a certificate opens, none does not, a certificate written in a header is dropped."""

from __future__ import annotations

import datetime
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ecluse.settings import HttpSettings
from tests.journeys.site import DOCTOR, MEMBER, PRACTICE, Site, question

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
EXAMPLE = Path(__file__).parents[2] / "examples" / "nginx" / "ecluse.conf"
START_S = 10

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not here: apt-get install nginx-light")

Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, signer: Pair | None = None) -> Pair:
    """A certificate for a day: an authority, or one that `signer` signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    )
    return built.sign(signer[1] if signer else key, hashes.SHA256()), key


def write(folder: Path, name: str, pair: Pair) -> None:
    (folder / f"{name}.pem").write_bytes(pair[0].public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret = pair[1].private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(secret)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub that believes the certificate nginx writes; its engine makes no difference here."""
    made = Site(tmp_path_factory.mktemp("site") / "hub", ECLUSE_HTTP_CERTIFICATE_HEADER="X-Client-Certificate")
    made.make()
    made.load([{}])
    made.start()
    yield made
    made.stop()


@dataclass
class Front:
    """nginx in front of something that listens on `behind`."""

    folder: Path
    port: int

    def client(self, who: str = "") -> httpx.Client:
        """A client that trusts the server, with the certificate of `who`, or with none."""
        context = ssl.create_default_context(cafile=self.folder / "clients-ca.pem")
        if who:
            context.load_cert_chain(self.folder / f"{who}.pem", self.folder / f"{who}.key")
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=context, timeout=20)

    def logged(self) -> str:
        return "".join(each.read_text() for each in self.folder.glob("*.log"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


Start = Callable[[int], Front]  # in front of the port that a hub answers on


@pytest.fixture
def fronted(tmp_path: Path) -> Iterator[Start]:
    """Starts nginx with the example, changed only in its port, its files and what is behind it."""
    assert NGINX
    authority = certificate("authority")
    for name, pair in {
        "clients-ca": authority,
        "server": certificate("localhost", authority),
        "editor": certificate("editor", authority),
        "other": certificate("other", authority),
        "stranger": certificate("stranger", certificate("elsewhere")),
    }.items():
        write(tmp_path, name, pair)
    started: list[subprocess.Popen[bytes]] = []

    def start(behind: int) -> Front:
        port = free_port()
        text = EXAMPLE.read_text()
        for old, new in {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "127.0.0.1:8400": f"127.0.0.1:{behind}",
            "/etc/ecluse/tls": str(tmp_path),
            "/var/log/nginx": str(tmp_path),
        }.items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "ecluse.conf").write_text(text)
        bodies = "".join(
            f"{each}_temp_path {tmp_path}/{each};\n" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        http = f"http {{\n{bodies}include {tmp_path}/ecluse.conf;\n}}\n"
        main = f"pid {tmp_path}/nginx.pid;\ndaemon off;\nworker_processes 1;\nevents {{}}\n{http}"
        (tmp_path / "nginx.conf").write_text(main)
        words = [
            NGINX or "",
            "-p",
            str(tmp_path),
            "-c",
            str(tmp_path / "nginx.conf"),
            "-e",
            str(tmp_path / "start.log"),
        ]
        started.append(subprocess.Popen(words))
        _wait(port, started[-1], tmp_path)
        return Front(tmp_path, port)

    yield start
    for each in started:
        each.terminate()
        each.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            said = (folder / "start.log").read_text() if (folder / "start.log").exists() else ""
            assert process.poll() is None, said
            assert time.monotonic() < deadline_s, "nginx did not start"
            time.sleep(0.05)


def test_a_check_passes_with_a_certificate_and_without_one_is_refused(site: Site, fronted: Start) -> None:
    front = fronted(int(site.url.rpartition(":")[2]))
    token = site.token()
    headers = {"Authorization": f"Bearer {token}"}
    with front.client("editor") as client:
        answer = client.post("/v1/rights/checks", json=question(), headers=headers)
        assert (answer.status_code, answer.json()["outcome"]) == (200, "confirmed")
        assert client.post("/v1/rights/checks", content=b" " * (2 << 20), headers=headers).status_code == 413
        assert client.get("/v1/claims", params={"nir": MEMBER["nir"]}, headers=headers).status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.get("/journal/shards.json").status_code == 200
        assert client.get("/healthz").status_code == 404
    with front.client() as client:
        refused = client.post("/v1/rights/checks", json=question(), headers=headers)
        assert refused.status_code == 400
        assert "certificate" in refused.text
    with front.client("stranger") as client:
        assert client.post("/v1/rights/checks", json=question(), headers=headers).status_code == 400
    logged = front.logged()
    assert answer.headers["x-request-id"] in logged
    for personal in (MEMBER["nir"], MEMBER["birth_date"], token[:20], "editor"):
        assert personal not in logged


def test_whoever_may_be_asked_is_asked_through_it(site: Site, fronted: Start) -> None:
    """What the hub answers under has a place in the example, but for the probe of one process alone."""
    front = fronted(int(site.url.rpartition(":")[2]))
    with front.client("editor") as client:
        assert client.get("/healthz").status_code == 404
        (issuer,) = client.get("/passes/issuers.json").json()["issuers"]
        status = client.get(issuer["status"])
        assert (status.status_code, status.headers["content-type"]) == (200, "application/statuslist+cwt")
        assert client.get("/schema").status_code == 200
        for path in client.get("/schema").json()["paths"]:
            answer = client.get(path.replace("{", "").replace("}", ""))
            assert answer.headers.get("x-request-id"), f"{path} does not come to the hub: {answer.status_code}"


def test_a_token_bound_to_a_certificate_opens_with_it_alone(site: Site, fronted: Start) -> None:
    front = fronted(int(site.url.rpartition(":")[2]))
    bound = site.run(
        "dev", "token", "--account", DOCTOR, "--practice", PRACTICE, "--certificate", str(front.folder / "editor.pem")
    ).stdout.strip()
    headers = {"Authorization": f"Bearer {bound}"}
    spoofed = {**headers, "X-Client-Certificate": quote((front.folder / "editor.pem").read_text())}
    with front.client("editor") as client:
        assert client.post("/v1/rights/checks", json=question(), headers=headers).json()["outcome"] == "confirmed"
        assert client.post("/v1/rights/checks", json=question(), headers=spoofed).json()["outcome"] == "confirmed"
    with front.client("other") as client:
        for sent in (headers, spoofed):
            refused = client.post("/v1/rights/checks", json=question(), headers=sent)
            assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    twice = [*headers.items(), *[("X-Client-Certificate", spoofed["X-Client-Certificate"])] * 2]
    assert httpx.post(f"{site.url}/v1/rights/checks", json=question(), headers=twice).status_code == 401
    assert httpx.post(f"{site.url}/v1/rights/checks", json=question(), headers=headers).status_code == 401


def test_only_tls_1_3_is_spoken(site: Site, fronted: Start) -> None:
    front = fronted(int(site.url.rpartition(":")[2]))
    context = ssl.create_default_context(cafile=front.folder / "clients-ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", front.port)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost")


class Holding(BaseHTTPRequestHandler):
    """In the hub's place: answers once nobody else is let through."""

    def do_GET(self) -> None:
        self.server.may_answer.wait(START_S)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_one_address_takes_a_quarter_of_a_workers_places(fronted: Start) -> None:
    holding = ThreadingHTTPServer(("127.0.0.1", 0), Holding)
    holding.may_answer = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=holding.serve_forever, daemon=True).start()
    front, places, more = fronted(holding.server_address[1]), HttpSettings().in_flight_max // 4, 5
    refused: list[int] = []

    def ask(_: int) -> int:
        with front.client("editor") as client:
            status = client.get("/v1/claims").status_code
        if status == 429:
            refused.append(status)
            if len(refused) == more:
                holding.may_answer.set()  # type: ignore[attr-defined]
        return status

    with ThreadPoolExecutor(places + more) as pool:
        statuses = list(pool.map(ask, range(places + more)))
    holding.shutdown()
    assert (statuses.count(200), statuses.count(429)) == (places, more)


class Echo(BaseHTTPRequestHandler):
    """In the hub's place: remembers the headers that reach it."""

    heard: dict[str, list[str]]

    def do_GET(self) -> None:
        self.server.heard = [(name.lower(), value) for name, value in self.headers.items()]  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_certificate_written_in_a_header_is_dropped_and_the_verified_one_set(fronted: Start) -> None:
    echo = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    front = fronted(echo.server_address[1])
    spoofed = {
        "X-Client-Certificate": "spoofed",
        "Client-Cert": ":c3Bvb2ZlZA==:",
        "X-Forwarded-For": "10.0.0.1",
        "Forwarded": "for=10.0.0.1",
    }
    with front.client("editor") as client:
        assert client.get("/v1/claims", headers=spoofed).status_code == 200
    heard: list[tuple[str, str]] = echo.heard  # type: ignore[attr-defined]
    echo.shutdown()
    sent = [value for name, value in heard if name == "x-client-certificate"]
    assert [unquote(value).strip() for value in sent] == [(front.folder / "editor.pem").read_text().strip()]
    assert not {"x-forwarded-for", "forwarded", "client-cert", "client-cert-chain"} & {name for name, _ in heard}
