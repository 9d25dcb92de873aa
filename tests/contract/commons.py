"""The published descriptions of REANA, out of its own package, which is unpacked and never imported.

The package's pins clash with ours: it is put into a directory of its own in pytest's cache, by the ordinary
client of the package index.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RELEASED = ("reana-commons==0.9.11",)
# A pre-release with bundles; where the index has lost it, the newest there is.
NEXT = ("reana-commons==0.95.0a26", "reana-commons>=0.95.0a22,<0.96", "reana-commons>=0.95.0a1,<0.96")

_SECONDS = 240


def unpacked(wanted: tuple[str, ...], cache: Path) -> Path:
    """The directory `reana_commons` of the first of `wanted` that can be had; skips where none can."""
    place = cache / wanted[0].replace("==", "-")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            _fetch(wanted, place)
    return place / "reana_commons"


def _fetch(wanted: tuple[str, ...], place: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        pytest.skip("install uv to fetch reana-commons, against which the contract is checked")
    said = ""
    for requirement in wanted:
        made = place.with_name(f"{place.name}.{os.getpid()}")
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--prerelease=allow", "--target", str(made)]
        try:
            done = subprocess.run(
                [*command, requirement], capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            said = f"no answer within {_SECONDS} s"
            break
        if done.returncode == 0:
            made.rename(place)
            return
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.returncode}"
        shutil.rmtree(made, ignore_errors=True)
    pytest.skip(
        f"{wanted[0]} cannot be had from the package index ({said}): connect it to check the contract"
    )


def openapi(package: Path) -> dict[str, Any]:
    """The description of the server's API."""
    return json.loads((package / "openapi_specifications" / "reana_server.json").read_bytes())


def analysis_schema(package: Path) -> dict[str, Any]:
    """The JSON Schema of reana.yaml."""
    path = package / "validation" / "schemas" / "reana_analysis_schema.json"
    return json.loads(path.read_bytes())
