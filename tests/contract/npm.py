"""Programs from npm for contract tests: installed once into a cache, with exact versions.

The cache is pytest's own. Where npm or its registry is absent, the tests that need them are skipped and
say so.
"""

import fcntl
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

INSTALL_SECONDS = 300
START_SECONDS = 60


def installed(config: pytest.Config, *packages: str) -> Path:
    """The `node_modules` with these packages, each `name@version`; skips the test where that cannot be."""
    cache = config.cache
    if cache is None:
        pytest.skip("run pytest with its cache, into which programs from npm are installed")
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not there: install Node.js 20 or newer with npm for the contract tests")
    name = "-".join(package.replace("/", "_").strip("@") for package in packages)
    place = cache.mkdir("npm") / name
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            _install(place, packages)
            (place / "complete").touch()
    return place / "node_modules"


def _install(place: Path, packages: Sequence[str]) -> None:
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
    try:
        done = subprocess.run(
            ["npm", "install", *options, *packages], capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {packages} within {INSTALL_SECONDS} s; is its registry reachable?")
    if done.returncode:
        pytest.skip(f"npm cannot install {packages}; is its registry reachable? {done.stderr.strip()[-300:]}")


@contextmanager
def running(command: Sequence[str | Path], *, port: int, host: str = "127.0.0.1") -> Generator[str]:
    """The address of a program that listens on `port`, until the end of the block."""
    url = f"http://{host}:{port}"
    with subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            _wait(process, url)
            yield url
        finally:
            process.kill()


def _wait(process: "subprocess.Popen[str]", url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5, trust_env=False)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                output = process.stdout.read() if process.stdout else ""
                pytest.fail(f"{process.args} did not start: {output[-2000:]}")
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
