"""What an administrator says of the local backend, and its environments for jobs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Sandbox = Literal["required", "preferred", "off"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What a job's commands find on their PATH. At most one of `prefix`, `packages` and `bins` is given.

    Attributes:
        name: Shown in reports, such as `fit-env`.
        prefix: An existing environment (virtual environment or conda) with `bin` in it.
        packages: Requirements from PyPI, such as `scipy==1.16.3`; installed on first use into a virtual
            environment of the bridge's own.
        python: For `packages`: a version such as `3.12` (needs uv) or the path of an interpreter; empty
            for the bridge's own.
        bins: Directories with programs, such as `bin` of the caller's active virtual environment.
    """

    name: str
    prefix: Path | None = None
    packages: tuple[str, ...] = ()
    python: str = ""
    bins: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two sources at once.

        Raises:
            ValueError: More than one of `prefix`, `packages` and `bins` is given.
        """
        if sum((self.prefix is not None, bool(self.packages), bool(self.bins))) > 1:
            raise ValueError(f"environment {self.name!r}: give one of prefix, packages and bins, not several")


SYSTEM = Environment(name="system")
"""The programs of the machine itself in /usr, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class ImageEnvironment:
    """Steps that name an image matching `image` run in `environment` instead.

    Attributes:
        image: A glob over image names, such as `python:3.11*` or `docker.io/atlas/analysis:*`.
        environment: What stands in for it.
    """

    image: str
    environment: Environment


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The requirements from PyPI of each workflow engine's own environment."""

    snakemake: tuple[str, ...] = ("snakemake==9.27.1", "pygments==2.21.0")
    cwl: tuple[str, ...] = ("cwltool==3.3.20260925135507",)
    yadage: tuple[str, ...] = ("yadage==0.21.2", "packtivity==0.17.1", "adage==0.11.0")


@dataclass(frozen=True, kw_only=True)
class LocalSettings:
    """How this machine runs jobs.

    Attributes:
        sandbox: `required` (a job is refused without a working bubblewrap), `preferred` (it runs and the
            result says that it had none; code from forks is still refused), or `off`.
        environments: What stands in for container images; the first match wins.
        default: For steps whose image is not mapped.
        engines: What the workflow engines' environments are made of.
        environments_directory: Where environments are made; None for `.environments` beside the runs.
        minimum_free: Bytes that stay free on the disk under the runs: below that no run is started, and
            below half of it those that run are ended.
        grace: Seconds between asking a job to end (SIGTERM) and killing it.
        environment_seconds: Longest time to make one environment.
        host_network_allowed: A job that asks for the network shares this machine's, loopback included.
            For tools that run a person's own code; a server leaves it off and uses slirp4netns.
        tether: Runs end when the process that submitted them ends. For tools in the foreground.
        visible: Further paths that jobs may read, such as `/cvmfs`.
        start_seconds: How long a submitted run may take to get its supervisor before it counts as lost.
    """

    sandbox: Sandbox = "required"
    environments: tuple[ImageEnvironment, ...] = ()
    default: Environment = SYSTEM
    engines: Engines = field(default_factory=Engines)
    environments_directory: Path | None = None
    minimum_free: int = 1 << 30
    grace: float = 5.0
    environment_seconds: float = 1800.0
    host_network_allowed: bool = False
    tether: bool = False
    visible: tuple[Path, ...] = ()
    start_seconds: float = 60.0
