"""A bridge of its own for the demo: settings, a real `serve` process on a free port, and its end."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

FORGE = "demo"
START_SECONDS = 60.0

_SETTINGS = """\
[server]
public_url = "{url}"
port = {port}
log_format = "text"
drain_seconds = 3

[database]
url = "sqlite:///{place}/bridge.db"

[storage]
artifacts = "{place}/artifacts"
runs = "{place}/runs"
repositories = "{place}/fetched"
secrets = "{place}/secrets"
environments = "{environments}"

[forges.{forge}]
kind = "git"
root = "{place}/git"
webhook_secrets = ["{secret}"]

[backends.local]
kind = "local"
sandbox = "{sandbox}"
network = true
host_network = true
tether = true
{environment}
[[projects]]
match = "{forge}:*"
network = true
"""


_ENVIRONMENT = """
[[backends.local.environments]]
image = "*"
name = "demo environment"
requirements = "{requirements}"
"""


class NotStarted(Exception):
    """The server did not start; the message has the end of its log."""


@dataclass(frozen=True, kw_only=True)
class DemoServer:
    """The running server.

    Attributes:
        url: Its address.
        config: Its settings file.
        secret: What hooks sign with.
        git: The directory of its repositories.
    """

    url: str
    config: Path
    secret: str
    git: Path


@contextlib.contextmanager
def demo_server(
    place: Path, *, requirements: Path | None, environments: Path, sandbox: str = "preferred"
) -> Generator[DemoServer, None, None]:
    """Serve from `place` while the block lasts; afterwards nothing of it runs.

    Args:
        place: An empty directory.
        requirements: What the analysis needs; None for nothing but the system's programs.
        environments: Where environments are kept from one demo to the next.
        sandbox: `preferred`, `required` or `off`.

    Raises:
        NotStarted: It did not become ready in time.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    server = DemoServer(
        url=url, config=place / "reana-bridge.toml", secret=secrets.token_urlsafe(24), git=place / "git"
    )
    server.git.mkdir()
    text = _SETTINGS.format(
        url=url,
        port=port,
        place=place,
        forge=FORGE,
        secret=server.secret,
        environment=_ENVIRONMENT.format(requirements=requirements) if requirements else "",
        sandbox=sandbox,
        environments=environments,
    )
    descriptor = os.open(server.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    with open(place / "server.log", "wb") as log:
        command = [sys.executable, "-m", "reana_bridge", "serve", "--config", str(server.config)]
        # A session of its own: Ctrl-C reaches the demo alone, which then ends the server in order.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(process, url, place / "server.log")
        yield server
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),  # not yet
            urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer,  # noqa: S310 - our own
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise NotStarted(f"the server did not become ready; the end of its log:\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
