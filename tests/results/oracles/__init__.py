"""Programs of others that are asked the same as ours, each in an environment of its own.

The scripts beside this file run with such an environment's interpreter and import nothing of ours.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ORACLES = Path(__file__).parent
_SECONDS = 300


def interpreter(config: pytest.Config, name: str, *requirements: str) -> Path:
    """An interpreter with `requirements`, made once and kept in pytest's cache; skips where it cannot be."""
    cache = config.cache.mkdir("oracles")
    place = cache / name
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "ready").exists():
            _make(place, requirements)
    return place / "bin" / "python"


def _make(place: Path, requirements: tuple[str, ...]) -> None:
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    python = str(place / "bin" / "python")
    install = [uv, "pip", "install", "--quiet", "--prerelease=if-necessary-or-explicit", "--python", python]
    for command in ([uv, "venv", "--quiet", "--clear", str(place)], [*install, *requirements]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
        if done.returncode:
            pytest.skip(f"{requirements} cannot be had from the package index: {done.stderr[-300:]}")
    (place / "ready").touch()
