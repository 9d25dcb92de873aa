"""A command of the job as a program: inside the sandbox, or beside it where none is used."""

from __future__ import annotations

import json
import os
import resource
import select
import zlib

from reana_bridge.backends.local.supervisor import processes, records
from reana_bridge.backends.local.supervisor.command import Program
from reana_bridge.backends.local.supervisor.network import NetworkError, Slirp
from reana_bridge.backends.local.supervisor.trees import remove_tree
from reana_bridge.sandbox import bwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SANDBOX_SECONDS = 30.0
SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


class Job:
    """Makes programs of a job's commands.

    Args:
        directory: The run's directory.
        plan: The record `job.json`.
    """

    def __init__(self, directory: str, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._sandbox: dict[str, Any] | None = plan["sandbox"]
        self._temporary = os.path.join(directory, records.TEMPORARY)
        self._outside = os.path.join(directory, records.WORKSPACE)
        self._slirp: Slirp | None = None
        self._options: int | None = None
        self._theirs: tuple[int, ...] = ()
        self._handshake: tuple[int, int, int] | None = None

    @property
    def workspace(self) -> str:
        """The workspace's path as the job sees it."""
        return bwrap.WORKSPACE if self._sandbox else self._outside

    def variables(self, environment: dict[str, Any]) -> dict[str, str]:
        """Everything that the job finds in its environment."""
        temporary = "/tmp" if self._sandbox else self._temporary  # noqa: S108
        path = [*environment["bins"], *SYSTEM_PATH]
        if environment["shims"]:
            path.append(bwrap.SHIMS if self._sandbox else os.path.join(self._plan["support"], "bin"))
        return {
            "PATH": ":".join(path),
            "HOME": f"{temporary}/home",
            "LANG": "C.UTF-8",
            "TMPDIR": temporary,
            "REANA_WORKSPACE": self.workspace,
            **self._plan["variables"],
        }

    def fresh_temporary(self) -> None:
        """Give the next command an empty /tmp and home: nothing but the workspace passes between commands."""
        remove_tree(self._temporary)
        os.mkdir(self._temporary, 0o700)
        os.mkdir(os.path.join(self._temporary, "home"), 0o700)

    def program(
        self,
        argv: list[str],
        environment: dict[str, Any],
        *,
        more: dict[str, str] | None = None,
        keep: tuple[int, ...] = (),
        binds: tuple[str, ...] = (),
    ) -> Program:
        """`argv` (with an absolute path) as a program in `environment`.

        Args:
            argv: The program as the job sees it.
            environment: A settled environment of the plan.
            more: Variables beside the usual ones.
            keep: Descriptors to inherit.
            binds: Further directories to be seen, read-only.
        """
        self.fresh_temporary()
        variables = self.variables(environment) | (more or {})
        if self._sandbox is None:
            return Program(argv, variables, self._outside, keep=keep, confine=self._confine())
        prefix = bwrap.arguments(
            self._sandbox,
            workspace=self._outside,
            temporary=self._temporary,
            binds=[*environment["binds"], *binds],
            resolver=self._sandbox["resolver"],
        )
        processes_limit = self._plan["limits"]["processes"]
        if processes_limit is not None and "--unshare-user" in self._sandbox["flags"]:
            # Counted within the sandbox's own user namespace, so that other runs do not count.
            limit = f'ulimit -u {int(processes_limit)} 2>/dev/null; exec "$@"'
            argv = ["/bin/bash", "-c", limit, "bash", *argv]
        if self._sandbox["network"] == "slirp":
            argv, more_options, descriptors = self._wait_for_network(argv)
            prefix += more_options
            keep = (*keep, *descriptors)
        # Handed over in memory: the job can read its sandbox's command line, and need not see our paths.
        options = os.memfd_create("arguments")
        os.write(options, b"\0".join(part.encode() for part in prefix[1:]) + b"\0")
        os.lseek(options, 0, os.SEEK_SET)
        self._options = options
        command = [prefix[0], "--args", str(options), "--", *argv]
        return Program(command, variables, "/", keep=(*keep, options), confine=self._confine())

    def _wait_for_network(self, argv: list[str]) -> tuple[list[str], list[str], tuple[int, ...]]:
        """Let the sandbox say when it stands, and wait for its network before it becomes `argv`.

        bwrap sets up the loopback of its own: two at once get into each other's way.
        """
        tells, tell = os.pipe2(os.O_CLOEXEC)
        stands, stand = os.pipe2(os.O_CLOEXEC)
        waits, go = os.pipe2(os.O_CLOEXEC)
        self._handshake = (tells, stands, go)
        self._theirs = (tell, stand, waits)
        script = f'echo >&{stand}; read -r _ <&{waits}; exec {stand}>&- {waits}<&-; exec "$@"'
        wrapped = ["/bin/bash", "-c", script, "bash", *argv]
        return wrapped, ["--info-fd", str(tell)], self._theirs

    def connect(self, _pid: int) -> None:
        """Called when the sandbox is started: bring up its network, where it has one, and let it go on.

        Raises:
            NetworkError: The network did not come up.
        """
        if self._options is not None:
            os.close(self._options)
            self._options = None
        if self._sandbox is None or self._handshake is None:
            return
        for descriptor in self._theirs:
            os.close(descriptor)
        tells, stands, go = self._handshake
        self._handshake = None
        try:
            if not select.select([stands], [], [], _SANDBOX_SECONDS)[0]:
                raise NetworkError("the sandbox did not start")
            if os.read(stands, 1):  # else it is gone, and why stands in its log
                self._slirp = Slirp(
                    self._sandbox["slirp"], int(json.loads(os.read(tells, 65536))["child-pid"])
                )
                os.write(go, b"\n")
        finally:
            for descriptor in (tells, stands, go):
                os.close(descriptor)

    def disconnect(self) -> None:
        """Called when the command is over."""
        if self._slirp is not None:
            self._slirp.close()
            self._slirp = None

    def _confine(self) -> Callable[[], None]:
        limits = self._plan["limits"]
        sandboxed = self._sandbox is not None
        seed = zlib.crc32(self._plan["name"].encode())

        def confine() -> None:
            if limits["disk"] is not None:
                _lower(resource.RLIMIT_FSIZE, limits["disk"])
            if limits["memory"] is not None:
                # Only a net below the watch: it also counts memory that was asked for and never used.
                _lower(resource.RLIMIT_DATA, max(2 * limits["memory"], limits["memory"] + (1 << 30)))
            if limits["cpus"] is not None:
                os.sched_setaffinity(0, _some(sorted(os.sched_getaffinity(0)), limits["cpus"], seed))
            if not sandboxed:
                if limits["processes"] is not None:
                    # The kernel counts by user, so what runs already is added.
                    used = processes.count_of(os.getuid())
                    _lower(resource.RLIMIT_NPROC, used + limits["processes"])
                processes.forbid_new_privileges()
            _offer_to_the_oom_killer()

        return confine


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def _some(cpus: list[int], count: int, seed: int) -> set[int]:
    """`count` of `cpus`, begun at a place that differs from run to run."""
    begin = seed % len(cpus)
    return set((cpus[begin:] + cpus[:begin])[: max(1, count)])


def _offer_to_the_oom_killer() -> None:
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("500")
    except OSError:  # not allowed here: then the kernel chooses without our advice
        return
