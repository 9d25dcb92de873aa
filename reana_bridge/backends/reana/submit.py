"""Submitting: create, bring the inputs, start; the same call again takes up where the last one ended.

Promises: of all workflows with a job's name at most one is ever started. A started one is the job, else the
one with the lowest run number, for every process that looks; the others are deleted. Nothing is started
before the server lists every input with its right size.
"""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from reana_bridge.backends.base import BackendError, BackendRefused, Job
from reana_bridge.backends.reana import inputs, names
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.checking import check
from reana_bridge.backends.reana.documents import bundle, document_of, overrides
from reana_bridge.backends.reana.errors import Away, ReanaError
from reana_bridge.backends.reana.settings import ReanaSettings
from reana_bridge.backends.reana.values import Workflow
from reana_bridge.crashpoints import reach

_LEFTOVER_SECONDS = 86400.0
_TURNS = 5
_log = structlog.get_logger()
Load = Callable[[Job, Path], Any]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One job on its way to the server.

    Attributes:
        job: What to run.
        calls: Of the account that runs it.
        settings: How this REANA is used.
        by_bundle: Whether the server takes bundles (the next protocol).
        info: What the instance says of itself.
        load: Loads a CWL, Snakemake or Yadage workflow from the commit's files.
    """

    job: Job
    calls: Calls
    settings: ReanaSettings
    by_bundle: bool
    info: Mapping[str, Any]
    load: Load

    def run(self, checkout: Callable[[Path], None]) -> str:
        """Bring the job to its start; the workflow's UUID.

        Raises:
            ConfigurationError: It cannot run as written.
            BackendRefused: The server will never take it.
            BackendError: Not now.
        """
        known = self.known()
        if (started := started_of(known)) is not None:
            self._delete_others(known, started.id)
            return started.id
        with self._directory() as root:
            checkout(root)
            check(self.job.specification, self.info)
            files = inputs.wanted(self.job.specification, root)
            return self._bring(known, root, files)

    def known(self) -> list[Workflow]:
        """All workflows of this job, lowest run number first."""
        return workflows_of(self.calls, self.settings.tag, self.job.name)

    def _bring(self, known: list[Workflow], root: Path, files: dict[str, int]) -> str:
        for _ in range(_TURNS):
            chosen = first_of(known)
            if chosen is None:
                identity = self._create(root)
                reach("reana.created")
            else:
                identity = chosen.id
            inputs.send(self.calls, identity, root, files, at_once=self.settings.uploads)
            reach("reana.uploaded")
            # Another process, or an answer that came late, may have made one as well.
            known = self.known()
            if (started := started_of(known)) is not None:
                self._delete_others(known, started.id)
                return started.id
            first = first_of(known)
            if first is not None and first.id == identity:
                self._start(identity)
                reach("reana.started")
                self._delete_others(known, identity)
                return identity
        raise BackendError(f"the workflow {self.job.name} on REANA changed again and again while it was made")

    def _create(self, root: Path) -> str:
        job, settings = self.job, self.settings
        name = names.name_of(job.name, settings.tag, job.limits.seconds)
        days = settings.retention_days
        try:
            if self.by_bundle:
                return self.calls.create_by_bundle(name, bundle(job.specification, root, retention=days))
            loaded = self.load(job, root)
            return self.calls.create(name, document_of(job.specification, root, loaded, retention=days))
        except ReanaError as error:
            raise _refused(error) from None

    def _start(self, identity: str) -> None:
        specification = self.job.specification
        try:
            self.calls.start(identity, overrides(specification), specification.options)
        except ReanaError as error:
            if isinstance(error, Away) or error.status >= 500:
                raise
            # It says 403 or 409 also to a second start, and that one counts.
            if self.calls.status(identity).status == "created":
                raise _refused(error) from None

    def _delete_others(self, known: list[Workflow], kept: str) -> None:
        for extra in known:
            if extra.id != kept and extra.status == "created":
                _log.warning("reana.extra_deleted", workflow=extra.id, kept=kept)
                self.calls.delete(extra.id)

    @contextlib.contextmanager
    def _directory(self) -> Generator[Path]:
        """A directory for the commit's files; what a crash left of others is removed."""
        place = self.settings.scratch
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in place.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another submission has just removed it
                if old.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        root = Path(tempfile.mkdtemp(prefix=f"{self.job.name}.", dir=place))
        try:
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)


def workflows_of(calls: Calls, tag: str, job: str) -> list[Workflow]:
    """All workflows of a job, lowest run number first."""
    first, turn = names.origin(job)
    return [one for one in family(calls, tag, first) if one.number[1:] == ((turn,) if turn else ())]


def family(calls: Calls, tag: str, job: str) -> list[Workflow]:
    """All workflows of a job and of its restarts, lowest run number first."""
    stem = names.stem(job, tag)
    return [one for one in calls.named(stem) if one.name.startswith(stem)]


def started_of(known: list[Workflow]) -> Workflow | None:
    """The one that was started, if there is one; it may have ended, or been deleted since."""
    return next((one for one in known if _was_started(one)), None)


def first_of(known: list[Workflow]) -> Workflow | None:
    """The one that is to be started: of those that were only created the lowest run number."""
    return next((one for one in known if one.status == "created"), None)


def _was_started(one: Workflow) -> bool:
    if one.status == "deleted":
        return one.progress.started_at is not None
    return one.status != "created"


def _refused(error: ReanaError) -> BackendError | BackendRefused:
    """What a refusal to create or start means: a plain 400 will be said again to the same."""
    if error.status in (400, 413) and error.said:
        return BackendRefused(f"REANA does not take the workflow: {error.said}")
    return error
