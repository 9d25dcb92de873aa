"""The local backend: runs are directories, and everything that is known of one stands in its directory.

Nothing is kept in memory that matters: another process, or this one after a crash, finds every run again.
"""

import contextlib
import os
import re
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from reana_bridge.backends.base import BackendError, Job, JobState, Observation, OutputFile
from reana_bridge.backends.local import outputs, plan, sandbox, supervisor
from reana_bridge.backends.local.observe import is_running, lost, observe
from reana_bridge.backends.local.settings import LocalSettings
from reana_bridge.backends.local.supervisor import environments, records, trees
from reana_bridge.backends.local.supervisor.log import size
from reana_bridge.backends.local.watcher import Watcher

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,199}")
_LOG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.log")
_PLANS = 128
"""Plans of runs that are kept in memory."""
_INCOMING = ".incoming"
_REMOVED = ".removed"
_SIZE = "size.json"
_START_SECONDS = 60.0
_PASSED_ON = re.compile(r"(PIP_|UV_|SSL_CERT_|REQUESTS_CA_BUNDLE$|(https?|no|all)_proxy$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an ended run takes.

    Attributes:
        identity: The run.
        size: Bytes on the disk.
        ended_at: UTC seconds since the epoch.
    """

    identity: str
    size: int
    ended_at: float


class LocalBackend:
    """Runs on this machine.

    Args:
        name: As configured.
        root: Where runs live; made when absent. No other backend may use it.
        settings: How jobs are run.
    """

    kind = "local"

    def __init__(self, name: str, *, root: Path, settings: LocalSettings) -> None:
        self.name = name
        self._root = root.absolute()
        self._settings = settings
        self._plans: dict[str, dict[str, Any]] = {}
        for place in (self._root, self._root / _INCOMING, self._root / _REMOVED):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; empty when runs can be started."""
        problems: list[str] = []
        found = sandbox.probe() if self._settings.sandbox != "off" else None
        if found and found.problem:
            outcome = "no run can be started" if self._settings.sandbox == "required" else "runs have none"
            problems.append(f"sandbox: {found.problem}; until then {outcome}")
        with contextlib.suppress(BackendError):
            self._check_room()
            return problems
        return [*problems, self._room()]

    def _room(self) -> str:
        status = os.statvfs(self._root)
        free = status.f_bavail * status.f_frsize
        if free >= self._settings.minimum_free:
            return ""
        return (
            f"only {size(free)} are free on the disk under {self._root}, {size(self._settings.minimum_free)} "
            "are wanted; remove old runs, or lower the backend's `minimum_free`"
        )

    def _check_room(self) -> None:
        if problem := self._room():
            raise BackendError(problem)

    def submit(self, job: Job, checkout: Callable[[Path], None]) -> str:
        """Start `job` unless one of its name exists; its identity, which is its name.

        Args:
            job: What to run.
            checkout: Fills the directory that it is given with exactly the commit's files.

        Raises:
            BackendRefused: It needs a sandbox or a network that this machine cannot give.
            BackendError: Not now: the disk is full, an environment is missing, no process can be started.
        """
        if not _NAME.fullmatch(job.name):
            raise ValueError(f"{job.name!r} is no job name; use letters, digits and `-`")
        if not records.exists(str(self._root / job.name), records.JOB):
            self._check_room()
            made = plan.make_plan(job, root=self._root, settings=self._settings, now=time.time())
            self._prepare(job.name, made, checkout)
        self._start(job.name)
        return job.name

    def _prepare(self, name: str, made: dict[str, Any], checkout: Callable[[Path], None]) -> None:
        """Make the run's directory beside and move it to its place: it is there as a whole or not at all."""
        draft = self._root / _INCOMING / f"{name}.{secrets.token_hex(4)}"
        workspace = draft / records.WORKSPACE
        try:
            draft.mkdir(mode=0o700)
            workspace.mkdir(mode=0o700)
            lock = records.try_lock(str(draft))  # says to `sweep` that somebody is at work here
        except OSError as problem:
            raise BackendError(f"the run's directory {draft} could not be made: {problem}") from problem
        try:
            checkout(workspace)
            records.write(str(draft), records.JOB, made)
            # Another submission of the same name may have been quicker: then its directory is the run.
            with contextlib.suppress(OSError):
                draft.rename(self._root / name)
        finally:
            if lock is not None:
                os.close(lock)
            if draft.exists():
                trees.remove_tree(str(draft))
        if not records.exists(str(self._root / name), records.JOB):
            raise BackendError(f"the run's directory {self._root / name} could not be made")

    def _start(self, name: str) -> None:
        """Start the supervisor of a run unless it has, or had, one; more than one would leave at once."""
        place = self._root / name
        if any(records.exists(str(place), record) for record in (records.SUPERVISOR, records.EXIT)):
            return
        told, tell = os.pipe()
        try:
            with (place / "supervisor.log").open("ab") as output:
                first = subprocess.Popen(
                    [sys.executable, "-I", "-S", os.path.dirname(supervisor.__file__), str(place), str(tell)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env=self._supervisor_environment(),
                    start_new_session=True,
                    pass_fds=(tell,),
                )
            os.close(tell)
            tell = -1
            first.wait()
            in_charge = bool(select.select([told], [], [], _START_SECONDS)[0]) and bool(os.read(told, 1))
        except OSError as problem:
            raise BackendError(f"the supervisor of run {name} could not be started: {problem}") from problem
        finally:
            os.close(told)
            if tell >= 0:
                os.close(tell)
        if not in_charge:
            said = (place / "supervisor.log").read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise BackendError(f"the supervisor of run {name} could not be started: {said}")

    def _supervisor_environment(self) -> dict[str, str]:
        """What making an environment needs, and nothing else of ours; jobs get none of it."""
        kept = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
        for name in ("PATH", "HOME", "XDG_CACHE_HOME"):
            if name in os.environ:
                kept[name] = os.environ[name]
        return kept | {"LANG": "C.UTF-8"}

    def find(self, name: str) -> str | None:
        """The identity of the job that was submitted under `name`; None when there is none."""
        return name if _NAME.fullmatch(name) and self._plan(name) is not None else None

    def _plan(self, identity: str) -> dict[str, Any] | None:
        if not _NAME.fullmatch(identity):
            return None
        place = str(self._root / identity)
        if identity not in self._plans:
            made = records.read(place, records.JOB)
            if made is None:
                return None
            while len(self._plans) >= _PLANS:  # the oldest goes: a long-lived server has seen many runs
                del self._plans[next(iter(self._plans))]
            self._plans[identity] = made
        elif not records.exists(place, records.JOB):
            del self._plans[identity]
            return None
        return self._plans[identity]

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        """What is known of each of `identities`; `lost` for one that is unknown here."""
        return {identity: self._observe(identity) for identity in identities}

    def _observe(self, identity: str) -> Observation:
        made = self._plan(identity)
        if made is None:
            return lost("its directory is gone from this machine")
        seconds = self._settings.start_seconds
        return observe(self._root / identity, made, now=time.time(), start_seconds=seconds)

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call `changed` with a run's identity, from another thread, when something changed in it.

        It must be quick and not raise. It may be called without need, and not at all after a crash: poll
        too, seldom. What is returned ends it.
        """
        return Watcher(self._root, changed).stop

    def cancel(self, identity: str) -> None:
        """Ask for the end of the job; `follow` tells when it is over."""
        if self._plan(identity) is None:
            return
        place = self._root / identity
        if records.exists(str(place), records.EXIT):
            return
        (place / records.CANCEL).touch(mode=0o600)
        supervisor_record = records.read(str(place), records.SUPERVISOR)
        if supervisor_record is None:
            self._end_unstarted(str(place))
        elif records.is_alive(supervisor_record):
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor_record["pid"], signal.SIGUSR1)

    def _end_unstarted(self, place: str) -> None:
        """Write the exit record of a run that has no supervisor; one that starts now finds it, and leaves."""
        lock = records.try_lock(place)
        if lock is None:  # one is starting: it looks for the request itself
            return
        try:
            if not records.exists(place, records.SUPERVISOR) and not records.exists(place, records.EXIT):
                exit_record: dict[str, Any] = {"state": "cancelled", "failure": None, "ended_at": time.time()}
                records.write(place, records.EXIT, exit_record, durable=True)
        finally:
            os.close(lock)

    def _workspace(self, identity: str) -> Path | None:
        return self._root / identity / records.WORKSPACE if self._plan(identity) is not None else None

    def outputs(self, identity: str, patterns: Sequence[str]) -> Iterator[OutputFile]:
        """The workspace's files that match any of `patterns` (path, directory or glob), by path."""
        workspace = self._workspace(identity)
        return outputs.find(workspace, patterns) if workspace is not None else iter(())

    def read(self, identity: str, path: str) -> BinaryIO:
        """The content of one workspace file, never following a link out of the workspace.

        Raises:
            FileNotFoundError: It is gone, or may not be read.
        """
        workspace = self._workspace(identity)
        if workspace is None:
            raise FileNotFoundError(f"there is no run {identity} on this machine")
        return outputs.read(workspace, path)

    def log(self, identity: str, step: str, offset: int = 0, limit: int = 1 << 20) -> bytes:
        """At most `limit` bytes of a log from `offset`; empty where there is none (yet).

        Args:
            identity: The run.
            step: A step's name, the `log` of its record, or `environment` for the making of one.
            offset: Where to begin, in bytes.
            limit: At most so many bytes.
        """
        made = self._plan(identity)
        if made is None:
            return b""
        name = "environment.log" if step == "environment" else step
        if not _LOG.fullmatch(name):
            steps = self._observe(identity).steps
            name = next((record.log for record in steps if record.name == step and record.log), "")
        path = self._root / identity / records.LOGS / name
        if not name or not path.is_file():
            return b""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(limit)

    def remove(self, identity: str) -> None:
        """Drop the workspace and everything else of an ended job; nothing happens when it is gone.

        Raises:
            BackendError: It still runs, or cannot be removed.
        """
        if not _NAME.fullmatch(identity):
            return
        place = self._root / identity
        aside = self._root / _REMOVED / f"{identity}.{secrets.token_hex(4)}"
        try:
            # With an exit record nothing is left of it but a supervisor about to leave.
            if place.exists() and not records.exists(str(place), records.EXIT) and is_running(place):
                raise BackendError(f"the run {identity} still runs; cancel it first")
            # Aside first: a crash in the middle leaves no half of a run.
            place.rename(aside)
            trees.remove_tree(str(aside))
        except FileNotFoundError:  # it is gone already, or another call is just removing it
            pass
        except OSError as problem:
            raise BackendError(
                f"the directory of run {identity} could not be removed: {problem}"
            ) from problem
        self._plans.pop(identity, None)

    def _runs(self) -> list[str]:
        return [entry.name for entry in os.scandir(self._root) if _NAME.fullmatch(entry.name)]

    def usage(self) -> list[Usage]:
        """What each ended run takes on the disk, the one that ended first at the front."""
        found: list[Usage] = []
        for identity in self._runs():
            place = str(self._root / identity)
            ended = records.read(place, records.EXIT)
            if ended is None:
                continue
            taken = records.read(place, _SIZE)
            if taken is None:
                taken = _measure(place)
                records.write(place, _SIZE, taken)
            found.append(Usage(identity=identity, size=taken, ended_at=ended["ended_at"]))
        return sorted(found, key=lambda one: one.ended_at)

    def sweep(self, keep: set[str]) -> list[str]:
        """Remove what nobody needs: ended or lost runs that are not in `keep`, and leftovers of crashes.

        Args:
            keep: Runs that stay whatever their state. Those that run stay too.

        Returns:
            The runs that were removed.
        """
        for leftovers in (_INCOMING, _REMOVED):
            for entry in os.scandir(self._root / leftovers):
                self._sweep_leftover(Path(entry.path))
        removed: list[str] = []
        for identity in self._runs():
            if identity not in keep and self._observe(identity).state not in (
                JobState.QUEUED,
                JobState.RUNNING,
            ):
                self.remove(identity)
                removed.append(identity)
        return removed

    def _sweep_leftover(self, path: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            lock = records.try_lock(str(path))
            if lock is not None:
                os.close(lock)
                trees.remove_tree(str(path))

    def environments(self) -> list[str]:
        """Names of the environments that were made, each with a digest of what it was made of."""
        place = self._settings.environments_directory or self._root / ".environments"
        return sorted(marker.parent.name for marker in place.glob(f"*/{environments.MARKER}"))


def _measure(place: str) -> int:
    try:
        return trees.usage(place)[0]
    except RecursionError:  # deeper than can be looked at: the largest of all, so it goes first
        return 1 << 62
