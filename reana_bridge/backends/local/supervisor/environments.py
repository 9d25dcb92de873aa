"""Environments for jobs: what of an existing one has to be visible, and how a new one is made.

A new one is made at its final place under a lock, and counts only once its marker is there: a crash in
the middle leaves nothing that is taken for complete, the next run makes it again.
"""

from __future__ import annotations

import fcntl
import os
import sys

from reana_bridge.backends.local.supervisor.command import Program
from reana_bridge.backends.local.supervisor.trees import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from reana_bridge.backends.local.supervisor.log import Log

MARKER = ".complete"


class EnvironmentFailed(Exception):
    """An environment could not be made; the message says which, and why."""


def configuration(prefix: str) -> dict[str, str]:
    """What `pyvenv.cfg` of a virtual environment says; empty where `prefix` is none."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8") as file:
            pairs = (line.partition("=") for line in file if "=" in line)
            return {key.strip().lower(): value.strip() for key, _, value in pairs}
    except OSError:
        return {}


def _is_system(path: str) -> bool:
    return path in ("/", "/usr", "/bin", "/lib") or path.startswith(("/usr/", "/lib/"))


def visible(prefix: str) -> list[str]:
    """Directories that have to be seen for programs in `prefix` to run, the system's own left out."""
    wanted = [prefix, os.path.realpath(prefix)]
    home = configuration(prefix).get("home", "")
    if home:
        # A virtual environment starts the python that it was made from, often through links.
        python = os.path.join(prefix, "bin", "python")
        places = (home, os.path.realpath(home), os.path.dirname(os.path.realpath(python)))
        wanted.extend(map(os.path.dirname, places))
    return [path for path in dict.fromkeys(wanted) if not _is_system(path) and os.path.isdir(path)]


def python_version(prefix: str) -> str:
    """The version of python in a virtual environment, such as `3.11.7`; empty where it is not known."""
    found = configuration(prefix)
    version = found.get("version_info") or found.get("version") or ""
    return ".".join(version.split(".")[:3])


def packages(prefix: str) -> dict[str, str]:
    """The Python packages in an environment: name -> version, at most 400."""
    found: dict[str, str] = {}
    for library in sorted(_listed(os.path.join(prefix, "lib"))):
        if not library.startswith("python3"):
            continue
        for kind in ("site-packages", "dist-packages"):
            for entry in sorted(_listed(os.path.join(prefix, "lib", library, kind))):
                stem, _, ending = entry.rpartition(".")
                name, _, version = stem.partition("-")
                if ending in ("dist-info", "egg-info") and version and len(found) < 400:
                    found.setdefault(name.replace("_", "-").lower(), version.partition("-py")[0])
    return found


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def settled(environment: dict[str, Any]) -> dict[str, Any]:
    """`environment` with the directories of what was made for it."""
    prefix = environment["build"]["prefix"]
    places = {"bins": [f"{prefix}/bin"], "binds": visible(prefix), "prefix": prefix}
    return environment | places | {"python": python_version(prefix)}


def is_complete(build: dict[str, Any]) -> bool:
    """Whether the environment was made to its end."""
    return os.path.exists(os.path.join(build["prefix"], MARKER))


def commands(build: dict[str, Any]) -> list[list[str]]:
    """The programs that make the environment, one after another."""
    prefix, python, packages = build["prefix"], build["python"], build["packages"]
    inner = os.path.join(prefix, "bin", "python")
    if build["uv"]:
        quiet = ["--no-progress", "--color", "never"]
        return [
            [build["uv"], "venv", *quiet, "--python", python, prefix],
            [build["uv"], "pip", "install", "--compile-bytecode", *quiet, "--python", inner, *packages],
        ]
    install = [inner, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *packages]
    return [[python, "-m", "venv", prefix], install]


def make(build: dict[str, Any], log: Log, run: Callable[[Program, Log], int]) -> None:
    """Make the environment unless it is there; waits while another run makes it.

    Args:
        build: `prefix`, `name`, `packages`, `python`, `uv` (a path, or empty for venv and pip).
        log: Takes what the programs print.
        run: Runs a program to its end, and ends it when the run should end.

    Raises:
        EnvironmentFailed: A program failed.
        OSError: The place cannot be written.
    """
    os.makedirs(os.path.dirname(build["prefix"]), mode=0o700, exist_ok=True)
    with open(f"{build['prefix']}.lock", "w", encoding="ascii") as lock:
        # Waiting is a program of its own, so that a cancelled run need not wait for it.
        while not _locked(lock.fileno()):
            run(_waiter(lock.name), log)
        if is_complete(build):
            return
        remove_tree(build["prefix"])
        for argv in commands(build):
            status = run(Program(argv, dict(os.environ), "/"), log)
            if status != 0:
                remove_tree(build["prefix"])
                what = f"`{' '.join(argv[:3])} ...` ended with status {status}"
                raise EnvironmentFailed(f"the environment {build['name']} could not be made: {what}")
        _mark(build["prefix"])


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _waiter(path: str) -> Program:
    wait = "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX)"
    return Program([sys.executable, "-I", "-S", "-c", wait, path], {}, "/")


def _mark(prefix: str) -> None:
    with open(os.path.join(prefix, MARKER), "w", encoding="ascii") as marker:
        marker.flush()
        os.fsync(marker.fileno())
