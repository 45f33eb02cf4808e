"""The proxies of compose/'s examples as programs of this machine, their places and names replaced."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers.mariadb import free_port

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 20.0


@contextmanager
def nginx(api: str, share: Path, folder: Path, *, more: str = "") -> Iterator[str]:
    """nginx before the API at this address; `more`: further lines of its server."""
    port = free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=farm.example"]
    subprocess.run(
        ["openssl", *words, "-keyout", str(key), "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL
    )
    site = _replaced(
        ROOT / "compose" / "nginx.example.conf",
        {
            "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
            "    listen [::]:443 ssl http2;\n": "",
            "/etc/ssl/farm.example.pem": str(certificate),
            "/etc/ssl/farm.example.key": str(key),
            "    location / {": f"    {more}\n    location / {{",
            "http://127.0.0.1:8080": api,
            "/srv/omkt/": f"{share}/",
        },
    )
    config = folder / "nginx.conf"
    user = "user root;" if _is_root() else ""
    config.write_text(
        f"{user}daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {_scratch(folder)}\n{site}}}\n"
    )
    with _running(["nginx", "-c", str(config), "-p", str(folder)], f"https://127.0.0.1:{port}", folder):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def caddy(api: str, share: Path, folder: Path) -> Iterator[str]:
    """Caddy before the API at this address."""
    port = free_port()
    site = _replaced(
        ROOT / "compose" / "Caddyfile.example",
        {
            "\nfarm.example {": f"\nhttp://127.0.0.1:{port} {{",
            "127.0.0.1:8080": api.removeprefix("http://"),
            "/srv/omkt": str(share),
        },
    )
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + site)
    words = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    with _running(words, f"http://127.0.0.1:{port}", folder):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(words: list[str], url: str, folder: Path) -> Iterator[None]:
    program = shutil.which(words[0], path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert program is not None
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [program, *words[1:]], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env={"HOME": str(folder)}
        )
    try:
        _wait(url, process, log)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", trust_env=False, verify=anything()).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"the proxy does not start:\n{log.read_text()}")


def _replaced(example: Path, changes: dict[str, str]) -> str:
    text = example.read_text()
    for old, new in changes.items():
        assert old in text, f"{example.name} has no {old!r} any more"
        text = text.replace(old, new)
    return text


def _scratch(folder: Path) -> str:
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return " ".join(f"{name}_temp_path {folder}/{name};" for name in names)


def anything() -> ssl.SSLContext:
    """Trusts every certificate: ours is the test's own, for a name that is not this machine's."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _is_root() -> bool:
    return Path("/proc/self").stat().st_uid == 0
