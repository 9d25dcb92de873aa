"""What a job's sandbox needs beside bubblewrap: files that stand for /etc's own, and a network of its own."""

import contextlib
import functools
import os
import secrets
import shutil
from pathlib import Path

from reana_bridge.backends.local.supervisor import network
from reana_bridge.sandbox.probe import Probe, probe

__all__ = ["INSTALL_NETWORK", "Probe", "probe", "slirp", "support"]

INSTALL_NETWORK = "install slirp4netns (the package `slirp4netns`)"


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
def slirp() -> str:
    """Path of slirp4netns; empty where it cannot be used."""
    program = shutil.which("slirp4netns")
    return program if program and os.access("/dev/net/tun", os.R_OK | os.W_OK) else ""
