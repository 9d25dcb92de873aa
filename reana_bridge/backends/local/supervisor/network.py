"""A network of the sandbox's own: slirp4netns carries it out, and this machine's loopback stays away."""

from __future__ import annotations

import fcntl
import os
import select

RESOLVER = "nameserver 10.0.2.3\noptions timeout:3\n"
_GET_OWNER = 0xB701  # NS_GET_USERNS: the user namespace that owns a namespace


class NetworkError(Exception):
    """The sandbox's network could not be set up; the message says why."""


def _same_namespace(descriptor: int) -> bool:
    ours, theirs = os.stat("/proc/self/ns/user"), os.fstat(descriptor)
    return (ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino)


class Slirp:
    """One slirp4netns process; it ends when `close` is called or this process dies.

    Args:
        program: Path of slirp4netns.
        pid: A process in the sandbox's network namespace.

    Raises:
        NetworkError: It did not come up within 10 s.
    """

    def __init__(self, program: str, pid: int) -> None:
        ready, says_ready = os.pipe2(os.O_CLOEXEC)
        until, self._hold = os.pipe2(os.O_CLOEXEC)
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        # The owner is asked for: the process itself may sit in a namespace below it by now.
        owner = fcntl.ioctl(namespace, _GET_OWNER)
        try:
            command = [program, "--configure", "--mtu=65520", "--disable-host-loopback"]
            command += ["--netns-type=path", "-r", str(says_ready), "-e", str(until)]
            keep = [says_ready, until, namespace]
            if not _same_namespace(owner):
                command.append(f"--userns-path=/proc/self/fd/{owner}")
                keep.append(owner)
            command += [f"/proc/self/fd/{namespace}", "tap0"]
            self.pid = _spawn(command, keep)
            os.close(says_ready)
            says_ready = -1
            self._wait(ready)
        except BaseException:
            os.close(self._hold)
            raise
        finally:
            for descriptor in (ready, says_ready, until, namespace, owner):
                if descriptor >= 0:
                    os.close(descriptor)

    def _wait(self, ready: int) -> None:
        if not select.select([ready], [], [], 10.0)[0] or not os.read(ready, 1):
            raise NetworkError("slirp4netns could not set up the sandbox's network")

    def close(self) -> None:
        """End it; the caller's next reaping takes leave of the process."""
        os.close(self._hold)


def _spawn(command: list[str], keep: list[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(null, target)
        for descriptor in keep:
            os.set_inheritable(descriptor, True)
        os.execv(command[0], command)  # noqa: S606
    finally:
        os._exit(127)
