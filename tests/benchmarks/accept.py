"""Durable accept of signed deliveries against a bare ASGI app and Debian's `webhook`, in one run."""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import serving
from tests.benchmarks.table import Figure

SECONDS = 5.0
CONNECTIONS = 32
SIZE = 10_000


def _load(port: int, path: str, secret: str, kind: str = "standard") -> dict[str, float]:
    arguments = [str(port), path, secret, str(CONNECTIONS), str(SECONDS), str(SIZE), kind]
    command = [*serving.pinned(1), sys.executable, "-m", "tests.benchmarks.load", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@contextlib.contextmanager
def _process(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [*serving.pinned(0), *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        serving.wait_for(port, "", process)
        yield
    finally:
        serving.end(process)


def _bare() -> dict[str, float]:
    port = serving.free_port()
    with _process([sys.executable, "-m", "tests.benchmarks.bare", str(port)], port):
        return _load(port, "/", "s")


def _ours(place: Path) -> dict[str, float]:
    place.mkdir()
    (place / "git").mkdir()
    port = serving.free_port()
    config = place / "reana-bridge.toml"
    config.write_text(serving.CONFIG.format(port=port, place=place, secret="secret"))
    with _process([sys.executable, "-m", "tests.benchmarks.door", str(config)], port):
        return _load(port, "/webhooks/local", "secret")


def _debian(place: Path) -> dict[str, float] | None:
    program = shutil.which("webhook")
    if program is None:
        return None
    signature = {"source": "header", "name": "X-Hub-Signature-256"}
    match = {"match": {"type": "payload-hmac-sha256", "secret": "secret", "parameter": signature}}
    hooks = place / "hooks.json"
    hooks.write_text(json.dumps([{"id": "x", "execute-command": "/bin/true", "trigger-rule": match}]))
    port = serving.free_port()
    with _process([program, "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port)], port):
        return _load(port, "/hooks/x", "secret", "hmac")


def measure(place: Path) -> list[Figure]:
    """Bare, ours, bare, ours, ...: ratios within one run."""
    bare, ours = [], []
    for turn in range(3):
        bare.append(_bare())
        ours.append(_ours(place / f"ours{turn}"))
    best = sorted(range(3), key=lambda i: ours[i]["per_second"] / bare[i]["per_second"])[1]
    ratio = ours[best]["per_second"] / bare[best]["per_second"]
    figures = [
        Figure("bare ASGI app", f"{bare[best]['per_second']:,.0f} /s", ""),
        Figure("durable accept, SQLite FULL", f"{ours[best]['per_second']:,.0f} /s", ""),
        Figure(
            "ratio to the bare app (median of 3)", f"{ratio:.2f}", "at least 0.20, aim 0.25", ratio >= 0.2
        ),
        Figure(
            "p99 of an accept", f"{ours[best]['p99_ms']:.0f} ms", "below 50 ms", ours[best]["p99_ms"] < 50
        ),
        Figure("refused or lost", f"{ours[best]['bad']:.0f}", "0", ours[best]["bad"] == 0),
    ]
    debian = _debian(place)
    if debian is None:
        return [*figures, Figure("Debian's webhook", "not installed", "")]
    more = ours[best]["per_second"] > debian["per_second"]
    return [
        *figures,
        Figure("Debian's webhook, stores nothing", f"{debian['per_second']:,.0f} /s", "less", more),
    ]
