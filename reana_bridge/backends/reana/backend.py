"""The REANA backend: runs are workflows of REANA accounts.

Nothing that matters is kept in memory: a workflow's name says whose run it is, its identity which account's.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import httpx
import structlog

from reana_bridge.backends.base import (
    BackendError,
    CannotRestart,
    Job,
    JobState,
    Observation,
    OutputFile,
    Usage,
)
from reana_bridge.backends.reana import names, setup
from reana_bridge.backends.reana.accounts import Accounts
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.errors import Away, NotThere, ReanaError
from reana_bridge.backends.reana.follow import Follower
from reana_bridge.backends.reana.joblogs import ENGINE, JobLogs
from reana_bridge.backends.reana.layout import layout_of
from reana_bridge.backends.reana.limiter import Pace
from reana_bridge.backends.reana.outputs import Outputs
from reana_bridge.backends.reana.restart import Restarted, check_step, next_name
from reana_bridge.backends.reana.settings import ReanaSettings
from reana_bridge.backends.reana.submit import Load, Submission, first_of, started_of, workflows_of
from reana_bridge.backends.reana.usage import Living, living_of, usage_of
from reana_bridge.model.restarts import Restart
from reana_bridge.model.results import Failure, Resources
from reana_bridge.model.runs import FailureKind

_CANCEL_TRIES = 3
_log = structlog.get_logger()


class ReanaBackend:
    """Runs on a REANA instance.

    Args:
        name: As configured.
        settings: How the instance is used.
        load: Loads a CWL, Snakemake or Yadage workflow from a commit's files, for servers that cannot.
        transport: Instead of the network, for tests.
    """

    kind = "reana"
    further_logs = (ENGINE,)

    def __init__(
        self,
        name: str,
        *,
        settings: ReanaSettings,
        load: Load,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.poll_bounds = settings.poll
        self.accounts = tuple(one.name for one in settings.every_account())
        self._settings = settings
        self._load = load
        self._accounts = Accounts(settings, transport=transport)
        self._followers: dict[str, Follower] = {}
        self._outputs = Outputs()
        self._logs = JobLogs()
        self._lock = threading.Lock()

    @property
    def account_limits(self) -> dict[str, int | None]:
        """How many runs each account may have at once; None for no limit of its own."""
        return {one.name: one.most for one in self._settings.every_account()}

    def account_of(self, project: str, *, trusted: bool) -> str:
        """The account that runs the project's code (or a fork's of it); empty where none may."""
        account = self._settings.account_of(project, trusted=trusted)
        return account.name if account else ""

    def share(self, pace: Pace) -> None:
        """Keep the limit of requests together with other processes."""
        self._accounts.limiter.shared = pace

    def close(self) -> None:
        """Close the connections to the server."""
        self._accounts.close()

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; empty when runs can be started."""
        return setup.problems(self._settings, self._accounts)

    def describe(self) -> list[str]:
        """What there is to know of the set-up, one line each: version, quota, compute backends."""
        return setup.description(self._settings, self._accounts)

    def submit(self, job: Job, checkout: Callable[[Path], None]) -> str:
        """Start `job` unless one of its name was started; its identity.

        Args:
            job: What to run.
            checkout: Fills the directory that it is given with exactly the commit's files.

        Raises:
            ConfigurationError: It cannot run as written.
            BackendRefused: The server, or we, will never run it.
            CannotRestart: What it restarts is not taken up.
            BackendError: Not now.
        """
        account, calls = self._accounts.of(job)
        if not job.trusted:
            self._accounts.require_no_secrets(calls)
        options = job.specification.options
        if job.restart is not None:
            restarted = self._restarted(job, job.restart, account, calls)
            workflow, options = restarted.run(names.split(job.restart.job)[1]), restarted.options()
        else:
            workflow = self._submission(job, calls).run(checkout)
        self._follower(account, calls).learn(workflow, layout_of(job.specification.document, options))
        return names.identity_of(account, workflow)

    def _submission(self, job: Job, calls: Calls) -> Submission:
        return Submission(
            job=job,
            calls=calls,
            settings=self._settings,
            by_bundle=self._accounts.takes_bundles,
            info=self._accounts.info(calls),
            load=self._load,
        )

    def _restarted(self, job: Job, restart: Restart, account: str, calls: Calls) -> Restarted:
        check_step(job)
        if names.split(restart.job)[0] != account:
            raise CannotRestart("it ran with another REANA account")
        return Restarted(job=job, calls=calls, tag=self._settings.tag)

    def restart_name(self, identity: str) -> str:
        """The name that the next restart of an ended job will have.

        Raises:
            CannotRestart: It is gone, or still runs.
            BackendError: The server does not say.
        """
        calls, workflow = self._of(identity)
        return next_name(calls, self._settings.tag, workflow)

    def resources(self, identity: str) -> Resources:
        """What an ended job used: the time of its jobs, and its workspace. REANA tells no processor time.

        Raises:
            BackendError: The server does not say.
        """
        calls, workflow = self._of(identity)
        seconds = self._logs.job_seconds(calls, workflow)
        return Resources(job_seconds=seconds, disk=calls.disk_usage(workflow))

    def find(self, name: str) -> str | None:
        """The identity of the job that was submitted under `name`; None when there is none."""
        for account, calls in self._accounts.every():
            known = workflows_of(calls, self._settings.tag, name)
            one = started_of(known) or first_of(known)
            if one is not None:
                return names.identity_of(account, one.id)
        return None

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        """What the server says of each; those of which nothing can be said now are left out.

        Raises:
            BackendError: Nothing can be said of any.
        """
        wanted: dict[str, list[str]] = {}
        for identity in identities:
            account, workflow = names.split(identity)
            wanted.setdefault(account, []).append(workflow)
        seen: dict[str, Observation] = {}
        failed: ReanaError | None = None
        for account, workflows in sorted(wanted.items()):
            try:
                seen |= self._look(account, workflows)
            except Away:
                raise
            except ReanaError as error:  # such as a token that is no more accepted: others may go on
                _log.warning("reana.account_failed", account=account, error=str(error))
                failed = error
        if failed is not None and not seen:
            raise failed
        return seen

    def _look(self, account: str, workflows: list[str]) -> dict[str, Observation]:
        calls = self._accounts.calls(account)
        if calls is None:
            gone = _without_account(account)
            return {names.identity_of(account, workflow): gone for workflow in workflows}
        found = self._follower(account, calls).look(workflows)
        return {names.identity_of(account, workflow): told for workflow, told in found.items()}

    def _follower(self, account: str, calls: Calls) -> Follower:
        with self._lock:
            if account not in self._followers:
                self._followers[account] = Follower(
                    calls, self._settings, self._environment, ended=self._logs.ended
                )
            return self._followers[account]

    def _environment(self) -> dict[str, str]:
        said = {"backend": "REANA", "instance": self._settings.url}
        version = self._accounts.version
        return said | ({"reana": version} if version else {})

    def cancel(self, identity: str) -> None:
        """Ask for the end of the job: a running workflow is stopped, one before that deleted.

        Raises:
            BackendError: It could not be done now.
        """
        calls, workflow = self._of(identity)
        for tried in range(1, _CANCEL_TRIES + 1):
            try:
                status = calls.status(workflow).status
                if status == "running":
                    calls.stop(workflow)
                elif status in ("created", "queued", "pending"):
                    calls.delete(workflow)
                return
            except NotThere:
                return
            except ReanaError as error:
                # It may have moved on between the two calls.
                if error.status not in (403, 409, 500) or tried == _CANCEL_TRIES:
                    raise

    def outputs(self, identity: str, patterns: Sequence[str]) -> Iterator[OutputFile]:
        """The workspace's files that match any of the `patterns` (path, directory or glob), by path.

        Raises:
            BackendError: The server does not list them.
        """
        calls, workflow = self._of(identity)
        return self._outputs.find(calls, workflow, patterns)

    def read(self, identity: str, path: str) -> BinaryIO:
        """The content of one workspace file, as a whole.

        Raises:
            FileNotFoundError: It is gone, or may not be read.
            BackendError: It does not come as a whole.
        """
        calls, workflow = self._of(identity)
        return self._outputs.read(calls, workflow, path)

    def log(self, identity: str, step: str, offset: int = 0, limit: int = 1 << 20) -> bytes:
        """At most `limit` bytes of a log from `offset`; empty where there is none (yet).

        Args:
            identity: The run.
            step: A step's name, the `log` of its record, or `engine.log` for the workflow engine's own.
            offset: Where to begin, in bytes.
            limit: At most so many bytes.

        Raises:
            BackendError: The server does not give it.
        """
        calls, workflow = self._of(identity)
        return self._logs.read(calls, workflow, step)[offset : offset + limit]

    def usage(self) -> Sequence[Usage]:
        """What each ended job's workspace takes there, the one that ended first at the front.

        Raises:
            BackendError: The server does not say.
        """
        found: list[Usage] = []
        for account, calls in self._accounts.every():
            found += usage_of(account, calls, self._settings)
        return sorted(found, key=lambda one: one.ended_at)

    def living(self) -> list[Living]:
        """Jobs of this bridge that have not ended there, whoever knows of them here.

        Raises:
            BackendError: The server does not say.
        """
        found: list[Living] = []
        for account, calls in self._accounts.every():
            found += living_of(account, calls, self._settings)
        return found

    def remove(self, identity: str) -> None:
        """Delete an ended job with its workspace; nothing happens when it is gone.

        Raises:
            BackendError: It still runs, or cannot be deleted.
        """
        calls, workflow = self._of(identity)
        try:
            status = calls.status(workflow).status
            if status == "running":
                raise BackendError(f"the workflow {workflow} still runs on REANA; cancel it first")
            if status != "deleted":
                calls.delete(workflow)
        except NotThere:
            return

    def _of(self, identity: str) -> tuple[Calls, str]:
        account, workflow = names.split(identity)
        return self._calls(account), workflow

    def _calls(self, account: str) -> Calls:
        calls = self._accounts.calls(account)
        if calls is None:
            raise BackendError(f"the settings of the backend {self.name} know no REANA account `{account}`")
        return calls


def _without_account(account: str) -> Observation:
    failure = Failure(
        kind=FailureKind.INFRASTRUCTURE,
        message=f"the REANA account `{account}` is no more in the bridge's settings",
    )
    return Observation(state=JobState.LOST, failure=failure)
