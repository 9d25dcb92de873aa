"""The sandbox: what a job sees of this machine, as bubblewrap's arguments.

It sees read-only system libraries, its environment, its own workspace and a /tmp of its own, and nothing
of the server: no home, no database, no other run, no process but its own, no network unless it was asked
for, and then never this machine's own loopback.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

WORKSPACE = "/workspace"
SHIMS = "/run/reana-bridge/bin"
SHARED_MEMORY = 1 << 30

_TOP = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# What programs read to find libraries, fonts, time zones and certificates; nothing with a secret in it.
_ETC = (
    "alternatives",
    "crypto-policies",
    "fonts",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "pki/ca-trust/extracted",
    "pki/tls/certs",
    "protocols",
    "R",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
# A job of a server that runs as root could change the kernel's settings through these.
_READ_ONLY_PROC = ("sys", "sysrq-trigger", "fs", "irq", "bus", "acpi", "scsi", "mtrr", "pressure")


def _system() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in _TOP:
        path = f"/{name}"
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    for name in _ETC:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for name in _READ_ONLY_PROC:
        arguments += ["--ro-bind-try", f"/proc/{name}", f"/proc/{name}"]
    return arguments


def box(program: str, flags: Sequence[str], *, network: bool) -> list[str]:
    """The namespaces and the system: what is the same for everything that runs in a sandbox.

    Args:
        program: Path of bwrap.
        flags: What was found to work here.
        network: Whether the network of this machine is shared.
    """
    arguments = [program, *flags]
    arguments += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    arguments += [] if network else ["--unshare-net"]
    arguments += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    return arguments + _system()


def base(sandbox: dict[str, Any], *, network: bool) -> list[str]:
    """Arguments that are the same for every job.

    Args:
        sandbox: `bwrap` (the program), `flags` (what was found to work here), `support` (directory with
            the generated files of /etc), `visible` (further read-only paths).
        network: Whether the network of this machine is shared.
    """
    arguments = box(sandbox["bwrap"], sandbox["flags"], network=network)
    arguments += ["--perms", "1777", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"]  # noqa: S108
    for name in ("passwd", "group", "nsswitch.conf", "hosts"):
        arguments += ["--ro-bind", os.path.join(sandbox["support"], name), f"/etc/{name}"]
    arguments += ["--ro-bind", os.path.join(sandbox["support"], "bin"), SHIMS]
    for path in sandbox["visible"]:
        arguments += ["--ro-bind-try", path, path]
    return arguments


def arguments(
    sandbox: dict[str, Any], *, workspace: str, temporary: str, binds: list[str], resolver: str
) -> list[str]:
    """Everything up to the command.

    Args:
        sandbox: As for `base`, and `network` (`none`, `slirp` or `host`).
        workspace: The run's workspace, seen as `/workspace`.
        temporary: An empty directory, seen as `/tmp`.
        binds: The environment's own directories, seen read-only where they are.
        resolver: A file to be seen as /etc/resolv.conf; empty for none.
    """
    result = base(sandbox, network=sandbox["network"] == "host")
    # Before the environment, which may lie below /tmp itself.
    result += ["--bind", temporary, "/tmp", "--symlink", "../tmp", "/var/tmp"]  # noqa: S108
    for path in binds:
        result += ["--ro-bind", path, path]
    if resolver:
        result += ["--ro-bind", resolver, "/etc/resolv.conf"]
    result += ["--bind", workspace, WORKSPACE, "--chdir", WORKSPACE]
    return [*result, "--remount-ro", "/dev", "--remount-ro", "/"]
