"""Loads CWL, Snakemake and Yadage workflows for servers that want them loaded.

Promises: a commit's code is only ever read by its own engine, in an environment apart, inside the sandbox,
without a network, within limits of time, memory and size; without a sandbox nothing is loaded.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from reana_bridge.backends.base import BackendError, BackendRefused, Job
from reana_bridge.backends.local import plan, sandbox
from reana_bridge.backends.local.settings import Engines, Environment, LocalSettings
from reana_bridge.backends.local.supervisor import environments
from reana_bridge.backends.local.supervisor.command import Program
from reana_bridge.backends.local.supervisor.log import Log
from reana_bridge.backends.reana import loaders
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.specification import Specification, WorkflowType
from reana_bridge.sandbox import bwrap

_ENGINES = {WorkflowType.CWL: "cwltool", WorkflowType.SNAKEMAKE: "snakemake", WorkflowType.YADAGE: "yadage"}
_SECONDS = 300
_MEMORY = 8 * 1024**3
_FILE = 256 * 1024**2
_RESULT = 32 * 1024**2
_SAID = 8 * 1024
_BUILD_SECONDS = 1800
_BUILD_LOG = 1 << 20


class Loader:
    """Makes of a commit's files what the released protocol sends.

    Args:
        root: A directory of the backend's own.
        directory: Where the engines' environments are made, and kept.
        engines: What they are made of.
        seconds: How long loading may take.
    """

    def __init__(
        self, root: Path, directory: Path, *, engines: Engines | None = None, seconds: float = _SECONDS
    ) -> None:
        self._root = root.absolute()
        self._settings = LocalSettings(environments_directory=directory, engines=engines or Engines())
        self._seconds = seconds

    def __call__(self, job: Job, files: Path) -> Any:
        """The loaded specification; None for a serial workflow, which needs no loading.

        Args:
            job: What to load.
            files: The commit's files.

        Raises:
            ConfigurationError: The workflow is wrong.
            BackendRefused: There is no sandbox here.
            BackendError: The engine's environment cannot be made now.
        """
        specification = job.specification
        if specification.type is WorkflowType.SERIAL:
            return None
        found = self._sandbox(specification.type)
        engine = self._engine(specification.type)
        with self._copy(files) as (workspace, temporary):
            box: dict[str, Any] = {
                "bwrap": found.program,
                "flags": list(found.flags),
                "support": str(sandbox.support(self._root)),
                "visible": [],
                "network": "none",
            }
            place = os.path.dirname(loaders.__file__)
            inside = bwrap.arguments(
                box,
                workspace=str(workspace),
                temporary=str(temporary),
                binds=[*engine["binds"], place],
                resolver="",
            )
            python = os.path.join(engine["bins"][0], "python")
            return self._run(specification, [*inside, "--", python, "-I", place])

    def _sandbox(self, kind: WorkflowType) -> sandbox.Probe:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = sandbox.probe()
        if found.problem:
            raise BackendRefused(
                f"this REANA wants a {kind} workflow loaded, which is only done in a sandbox, and there is "
                f"none on the bridge's host: {found.problem}"
            )
        return found

    def _engine(self, kind: WorkflowType) -> dict[str, Any]:
        """The engine's environment, made at its first use."""
        packages: tuple[str, ...] = getattr(self._settings.engines, kind.value)
        wanted = Environment(name=kind.value, packages=packages)
        described = plan.describe(wanted, self._root, self._settings)
        if not environments.is_complete(described["build"]):
            with tempfile.TemporaryDirectory(dir=self._root) as place:
                log = Log(os.path.join(place, "log"), _BUILD_LOG)
                try:
                    environments.make(described["build"], log, _build)
                except (environments.EnvironmentFailed, OSError, subprocess.SubprocessError) as error:
                    raise BackendError(
                        f"the environment of {_ENGINES[kind]} is not there: {error}"
                    ) from error
                finally:
                    log.close()
        return environments.settled(described)

    @contextlib.contextmanager
    def _copy(self, files: Path) -> Generator[tuple[Path, Path]]:
        """A copy of the files, so that what the workflow's code changes is not what is sent; and a /tmp."""
        place = Path(tempfile.mkdtemp(prefix="load.", dir=self._root))
        try:
            (place / "tmp").mkdir()
            workspace = place / "workspace"
            shutil.copytree(files, workspace, symlinks=True)
            yield workspace, place / "tmp"
        except OSError as error:
            raise BackendError(f"the commit's files could not be copied to {place}: {error}") from error
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _run(self, specification: Specification, argv: list[str]) -> Any:
        order = {
            "type": specification.type.value,
            "workspace": bwrap.WORKSPACE,
            "file": specification.file,
            "parameters": {n: v for n, v in specification.parameters.items() if n != "input"},
            "parameters_file": str(specification.parameters.get("input") or ""),
            "options": specification.options,
        }
        with _memory() as given, _memory() as result, tempfile.TemporaryFile() as said:
            os.write(given, json.dumps(order, default=str).encode())
            os.lseek(given, 0, os.SEEK_SET)
            status = self._wait([*argv, str(given), str(result)], (given, result), said.fileno())
            size = os.fstat(result).st_size
            if status != 0 or size > _RESULT:
                said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID))
                raise _wrong(specification, _why(status, size, said.read().decode("utf-8", "replace")))
            try:
                return json.loads(os.pread(result, size, 0))
            except ValueError:
                raise _wrong(specification, "loading it left nothing that can be read") from None

    def _wait(self, argv: list[str], kept: tuple[int, int], output: int) -> int | None:
        """The exit status; None where it took too long."""
        confine = os.path.join(os.path.dirname(loaders.__file__), "confine.py")
        limits = [str(int(self._seconds) + 1), str(_MEMORY), str(_FILE)]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", confine, *limits, *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"},  # noqa: S108 - the sandbox's own
            pass_fds=kept,
            start_new_session=True,
        )
        try:
            return process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Everything in the sandbox dies with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def _memory() -> Generator[int]:
    descriptor = os.memfd_create("reana-load")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _build(program: Program, log: Log) -> int:
    done = subprocess.run(
        program.argv,
        env=program.environment,
        cwd=program.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_BUILD_SECONDS,
    )
    log.write(done.stdout)
    return done.returncode


def _why(status: int | None, size: int, said: str) -> str:
    if status is None:
        return "takes too long to be loaded"
    if size > _RESULT:
        return f"is more than {_RESULT} bytes when loaded"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"cannot be loaded: {' / '.join(lines[-3:])[:1000] or f'its engine ended with status {status}'}"


def _wrong(specification: Specification, message: str) -> ConfigurationError:
    return ConfigurationError((Problem(message=message, file=specification.file),))
