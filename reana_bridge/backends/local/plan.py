"""A job as the supervisor gets it: everything decided, as plain values (the record `job.json`)."""

import functools
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from reana_bridge.backends.base import BackendError, BackendRefused, Job
from reana_bridge.backends.local import sandbox
from reana_bridge.backends.local.images import environment_for
from reana_bridge.backends.local.settings import Environment, LocalSettings
from reana_bridge.backends.local.supervisor import environments, records
from reana_bridge.backends.local.supervisor.jobs import SYSTEM_PATH
from reana_bridge.backends.local.supervisor.workflow import ENGINE
from reana_bridge.model.specification import SerialStep, Specification, WorkflowType

_UNCUT = "on: it cannot be cut off without a sandbox"


def make_plan(job: Job, *, root: Path, settings: LocalSettings, now: float) -> dict[str, Any]:
    """What the supervisor of `job` shall do.

    Args:
        job: What to run.
        root: Where runs live.
        settings: How this machine runs jobs.
        now: UTC seconds since the epoch.

    Raises:
        BackendRefused: It needs a sandbox or a network that this machine cannot give.
        BackendError: An environment of the settings is not there.
    """
    box, said = _sandbox(job, root, settings)
    plan: dict[str, Any] = {
        "version": 1,
        "name": job.name,
        "type": job.specification.type.value,
        "created_at": now,
        "sandbox": box,
        "support": str(sandbox.support(root)),
        "limits": {
            "seconds": job.limits.seconds,
            "cpus": job.limits.cpus,
            "memory": job.limits.memory,
            "disk": job.limits.disk,
            "processes": job.limits.processes,
            "log": job.limits.log,
        },
        "variables": {
            "REANA_BRIDGE_RUN_ID": job.run_id,
            "REANA_BRIDGE_SHA": job.sha,
            "MLFLOW_EXPERIMENT_NAME": f"{job.project}/{job.analysis}",
            "MLFLOW_RUN_NAME": job.run_id,
        },
        "grace": settings.grace,
        "minimum_free": settings.minimum_free,
        "tether": records.identity_of(os.getpid()) if settings.tether else None,
        "environments": {},
    }
    chosen = _steps(plan, job.specification, root, settings)
    plan["environment"] = {**said, "system": _system(), **chosen}
    return plan


def _sandbox(job: Job, root: Path, settings: LocalSettings) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The sandbox as the supervisor gets it (None for none), and what the result says of it."""
    if settings.sandbox == "off" and job.trusted:
        return None, {"sandbox": "none: switched off in the settings", "network": _UNCUT}
    found = sandbox.probe()
    if found.problem:
        if settings.sandbox == "preferred" and job.trusted:
            return None, {"sandbox": f"none: {found.problem}", "network": _UNCUT}
        who = "code from a fork is never run" if not job.trusted else "the settings forbid to run jobs"
        raise BackendRefused(f"{who} without a sandbox, and there is none here: {found.problem}")
    network = _network(job, settings)
    place = sandbox.support(root)
    flags = list(found.flags)
    resolver = {"none": "", "host": os.path.realpath("/etc/resolv.conf"), "slirp": str(place / "resolv.conf")}
    box = {
        "bwrap": found.program,
        "flags": flags,
        "support": str(place),
        "visible": [str(path) for path in settings.visible],
        "network": network,
        "slirp": sandbox.slirp() if network == "slirp" else "",
        "resolver": resolver[network] if os.path.exists(resolver[network]) else "",
    }
    said = {"none": "off", "host": "on, shared with this machine", "slirp": "on, without this machine's own"}
    return box, {"sandbox": f"bubblewrap {found.version}", "network": said[network]}


def _network(job: Job, settings: LocalSettings) -> str:
    if not job.network:
        return "none"
    if settings.host_network_allowed and job.trusted:
        return "host"
    if not sandbox.slirp():
        raise BackendRefused(
            "the analysis asks for the network, which this machine can only give out of a sandbox with "
            f"slirp4netns and /dev/net/tun; {sandbox.INSTALL_NETWORK}, or switch its network off"
        )
    return "slirp"


def _steps(
    plan: dict[str, Any], wanted: Specification, root: Path, settings: LocalSettings
) -> dict[str, str]:
    """Put steps, or the engine's work, and their environments into `plan`; what the result says of them."""
    if wanted.type is not WorkflowType.SERIAL:
        return _engine(plan, wanted, root, settings)
    steps = _wanted_steps(wanted)
    used = {step.environment: environment_for(step.environment, settings) for step in steps}
    keys = {image: _add(plan, found or settings.default, root, settings) for image, found in used.items()}
    plan["steps"] = [_serial(step, keys[step.environment]) for step in steps]
    images = {image: keys[image] for image in used if image}
    return (
        {"images": ", ".join(f"{image} -> {key}" for image, key in sorted(images.items()))} if images else {}
    )


def _wanted_steps(wanted: Specification) -> list[SerialStep]:
    """The steps from the one that the option FROM names to the one that TARGET names.

    Raises:
        BackendRefused: No step has that name.
    """
    names = [step.name for step in wanted.steps]
    first, last = 0, len(names)
    for option in ("FROM", "TARGET"):
        name = wanted.options.get(option)
        if name and name not in names:
            raise BackendRefused(f"the option {option} names a step {name!r}; there are {', '.join(names)}")
        if name and option == "FROM":
            first = names.index(name)
        elif name:
            last = names.index(name) + 1
    return list(wanted.steps[first:last])


def _serial(step: SerialStep, key: str) -> dict[str, Any]:
    return {
        "name": step.name,
        "commands": list(step.commands),
        "image": step.environment,
        "environment": key,
    }


def _engine(
    plan: dict[str, Any], wanted: Specification, root: Path, settings: LocalSettings
) -> dict[str, str]:
    packages: tuple[str, ...] = getattr(settings.engines, wanted.type.value)
    engine = Environment(name=wanted.type.value, packages=packages)
    plan["environments"][ENGINE] = describe(engine, root, settings)
    default = _add(plan, settings.default, root, settings)
    mapped = [[rule.image, _add(plan, rule.environment, root, settings)] for rule in settings.environments]
    plan["engine"] = {
        "file": wanted.file,
        "parameters": {name: value for name, value in wanted.parameters.items() if name != "input"},
        "parameters_file": str(wanted.parameters.get("input") or _parameters_file(wanted.document)),
        "options": wanted.options,
        "outputs": [*wanted.output_files, *wanted.output_directories],
        "default": default,
        "images": mapped,
    }
    return {}


def _parameters_file(document: dict[str, Any]) -> str:
    """The file that newer specifications name under `workflow.parameters.file`; empty for none."""
    value: Any = document
    for key in ("workflow", "parameters", "file"):
        value = cast(dict[str, Any], value).get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _add(plan: dict[str, Any], environment: Environment, root: Path, settings: LocalSettings) -> str:
    plan["environments"].setdefault(environment.name, describe(environment, root, settings))
    return environment.name


def describe(environment: Environment, root: Path, settings: LocalSettings) -> dict[str, Any]:
    """`environment` as the supervisor gets it: where it is, or how it is made.

    Args:
        environment: One of the settings', or an engine's.
        root: Where runs live.
        settings: How this machine runs jobs.

    Raises:
        BackendError: Its directory is not there.
    """
    value: dict[str, Any] = {
        "label": environment.name,
        "bins": [],
        "binds": [],
        "prefix": "/usr",
        "build": None,
        "shims": not _system_programs()[0],
        "python": _system_programs()[1],
    }
    if environment.packages:
        return value | {"build": _build(environment, root, settings), "prefix": "", "shims": False}
    if environment.prefix is not None:
        places = [environment.prefix.absolute()]
        bins = [places[0] / "bin"]
    else:
        bins = [path.absolute() for path in environment.bins]
        places = [_prefix(path) for path in bins]
    for path in bins:
        if not path.is_dir():
            raise BackendError(f"the environment {environment.name!r} needs {path}, which is not a directory")
    binds = [path for place in places for path in (*environments.visible(str(place)), *_linked(place))]
    if places:
        prefix = str(places[0])
        value |= {"prefix": prefix, "python": environments.python_version(prefix), "shims": False}
    value |= {"bins": [str(path) for path in bins], "binds": list(dict.fromkeys(binds))}
    return value


def _prefix(bin_directory: Path) -> Path:
    """The environment that `bin_directory` belongs to, or itself where it belongs to none."""
    parent = bin_directory.parent
    is_made = (parent / "pyvenv.cfg").is_file() or (parent / "conda-meta").is_dir()
    return parent if is_made or any(parent.glob("lib/python3*/os.py")) else bin_directory


def _linked(prefix: Path) -> list[str]:
    """Directories that packages installed in place (`pip install -e`) are read from."""
    if not (prefix / "pyvenv.cfg").is_file():
        return []
    lines = [
        line.strip()
        for file in prefix.glob("lib/python3*/site-packages/*.pth")
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    return [line for line in lines if line.startswith("/") and os.path.isdir(line)]


def _build(environment: Environment, root: Path, settings: LocalSettings) -> dict[str, Any]:
    python = environment.python or sys.executable
    wanted = repr((sorted(environment.packages), python, sys.version_info[:2]))
    place = settings.environments_directory or root / ".environments"
    return {
        "name": environment.name,
        "packages": list(environment.packages),
        "python": python,
        "uv": _uv(),
        "prefix": str(place.absolute() / f"{environment.name}-{_digest(wanted)}"),
        "timeout": settings.environment_seconds,
    }


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:12]


@functools.cache
def _uv() -> str:
    """Path of uv beside our own python or on PATH; empty where there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    return beside if os.access(beside, os.X_OK) else shutil.which("uv") or ""


@functools.cache
def _system_programs() -> tuple[bool, str]:
    """Whether the machine has a program `python`, and the version of its `python3` (empty for none)."""
    path = ":".join(SYSTEM_PATH)
    program = shutil.which("python3", path=path)
    if program is None:
        return False, ""
    show = "import platform; print(platform.python_version())"
    done = subprocess.run([program, "-I", "-c", show], capture_output=True, text=True, timeout=30)
    return shutil.which("python", path=path) is not None, done.stdout.strip()


@functools.cache
def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, {platform.machine()}"
