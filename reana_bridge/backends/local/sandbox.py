"""What sandbox this machine can give: found out by really running it, once a process."""

import contextlib
import functools
import os
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reana_bridge.backends.local.supervisor import bwrap, network

INSTALL = "install bubblewrap (Debian, Ubuntu, Fedora: the package `bubblewrap`)"
INSTALL_NETWORK = "install slirp4netns (the package `slirp4netns`)"

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


def support(root: Path) -> Path:
    """The directory with the files that stand for /etc's own inside sandboxes; made when absent."""
    place = root / ".sandbox"
    if (place / "group").exists():
        return place
    (place / "bin").mkdir(mode=0o700, parents=True, exist_ok=True)
    # Many analyses call `python`, which some systems only have as `python3`.
    with contextlib.suppress(FileExistsError):
        (place / "bin" / "python").symlink_to("/usr/bin/python3")
    uid, gid = os.getuid(), os.getgid()
    names = {0: "root", 1000: "analysis", uid: "analysis" if uid else "root"}
    groups = {0: "root", 1000: "analysis", gid: "analysis" if gid else "root"}
    files = {
        "passwd": [f"{name}:x:{number}:{number}::/tmp/home:/bin/bash" for number, name in names.items()],
        "nsswitch.conf": ["passwd: files", "group: files", "hosts: files dns"],
        "hosts": ["127.0.0.1 localhost sandbox", "::1 localhost"],
        "resolv.conf": network.RESOLVER.splitlines(),
        "group": [f"{name}:x:{number}:" for number, name in groups.items()],
    }
    for name, lines in files.items():
        draft = place / f"{name}.{secrets.token_hex(4)}"
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(place / name)
    return place


@functools.cache
def probe(root: Path) -> Probe:
    """Find the strictest sandbox that works for runs below `root`."""
    program = shutil.which("bwrap")
    if program is None:
        return Probe(problem=f"bubblewrap was not found on PATH; {INSTALL}")
    answered = "it did not start"
    for flags in _FLAGS:
        sandbox: dict[str, Any] = {
            "bwrap": program,
            "flags": flags,
            "support": str(support(root)),
            "visible": [],
        }
        works, answered = _run([*bwrap.base(sandbox, network=False), "--", "/bin/sh", "-c", "exit 0"])
        if works:
            version = re.search(r"\d[\d.]*", _run([program, "--version"])[1])
            return Probe(program, version.group() if version else "", flags)
    last = answered.splitlines()[-1] if answered else "no message"
    return Probe(
        program,
        problem=f"bubblewrap does not work on this machine ({last}); allow unprivileged user namespaces, "
        "in a container also a seccomp profile and /proc that permit them",
    )


@functools.cache
def slirp() -> str:
    """Path of slirp4netns; empty where it cannot be used."""
    program = shutil.which("slirp4netns")
    return program if program and os.access("/dev/net/tun", os.R_OK | os.W_OK) else ""
