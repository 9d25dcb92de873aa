"""Starts real servers for the measurements, and reads what the kernel says of a process."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG = """\
[server]
public_url = "http://127.0.0.1:{port}"
port = {port}
log_format = "json"
[database]
url = "sqlite:///{place}/bridge.db"
[storage]
artifacts = "{place}/artifacts"
runs = "{place}/runs"
repositories = "{place}/fetched"
secrets = "{place}/secrets"
environments = "{place}/environments"
minimum_free = "10MB"
[forges.local]
kind = "git"
root = "{place}/git"
webhook_secrets = ["{secret}"]
[backends.local]
kind = "local"
sandbox = "preferred"
[[projects]]
match = "local:*"
"""


@dataclass
class Served:
    """A running server: its process, address, place and secret."""

    process: subprocess.Popen[bytes]
    port: int
    place: Path
    secret: str
    started_in: float


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, path: str, process: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    """Until the server answers 200, or anything at all for an empty `path`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError):
            if not path:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                if answer.status == 200:
                    return
        time.sleep(0.01)
    raise RuntimeError("the server did not answer in time")


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that we started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pinned(core: int) -> list[str]:
    """What to put before a command to keep it on one core."""
    return ["taskset", "--cpu-list", str(core)] if (os.cpu_count() or 1) > 1 else []


@contextlib.contextmanager
def served(
    place: Path, *, extra: str = "", config: str = CONFIG, within: float = 30.0, **values: object
) -> Iterator[Served]:
    """`reana-bridge serve` in the empty directory `place`, until the block ends.

    Args:
        place: Made when absent.
        extra: Put under the settings.
        config: The settings, as a format.
        within: Seconds until it has to be ready.
        values: What the format names beside `port`, `place` and `secret`.
    """
    (place / "git").mkdir(parents=True)
    port, secret = free_port(), secrets.token_urlsafe(16)
    file = place / "reana-bridge.toml"
    file.write_text(config.format(port=port, place=place, secret=secret, **values) + extra)
    command = [sys.executable, "-m", "reana_bridge", "serve", "--config", str(file)]
    begun = time.monotonic()
    with open(place / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(port, "/readyz", process, within)
        yield Served(process, port, place, secret, time.monotonic() - begun)
    finally:
        end(process)


def memory(pid: int) -> float:
    """Resident memory of the process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time that the process has used, in seconds."""
    return _cpu_seconds(pid, 11)


def cpu_seconds_of_children(pid: int) -> float:
    """Processor time that the ended children of the process have used, in seconds."""
    return _cpu_seconds(pid, 13)


def _cpu_seconds(pid: int, field: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[field]) + int(fields[field + 1])) / os.sysconf("SC_CLK_TCK")
