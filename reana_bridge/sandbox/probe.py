"""What sandbox this machine can give: found out by really running it, once a process."""

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass

from reana_bridge.sandbox import bwrap

INSTALL = "install bubblewrap (Debian, Ubuntu, Fedora: the package `bubblewrap`)"

# From the strictest down: without a user namespace only root gets a sandbox.
_FLAGS = (
    ("--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"),
    ("--unshare-user", "--uid", "1000", "--gid", "1000"),
    (),
)


@dataclass(frozen=True)
class Probe:
    """What was found.

    Attributes:
        program: Path of bwrap; empty where there is none.
        version: Such as `0.8.0`.
        flags: The strictest flags that work here.
        problem: Why there is no sandbox, and what to do; empty when it works.
    """

    program: str = ""
    version: str = ""
    flags: tuple[str, ...] = ()
    problem: str = ""


def _run(argv: list[str]) -> tuple[bool, str]:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return False, str(problem)
    return done.returncode == 0, (done.stdout or done.stderr).strip()


@functools.cache
def probe() -> Probe:
    """The strictest sandbox that works here."""
    program = shutil.which("bwrap")
    if program is None:
        return Probe(problem=f"bubblewrap was not found on PATH; {INSTALL}")
    answered = "it did not start"
    for flags in _FLAGS:
        works, answered = _run([*bwrap.box(program, flags, network=False), "--", "/bin/sh", "-c", "exit 0"])
        if works:
            version = re.search(r"\d[\d.]*", _run([program, "--version"])[1])
            return Probe(program, version.group() if version else "", flags)
    last = answered.splitlines()[-1] if answered else "no message"
    return Probe(
        program,
        problem=f"bubblewrap does not work on this machine ({last}); allow unprivileged user namespaces, "
        "in a container also a seccomp profile and /proc that permit them",
    )
