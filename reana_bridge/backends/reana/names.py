"""Names of workflows and identities of jobs: both say all that is needed to find and judge a run again.

A workflow is called `JOB-TAG-LIMITs`: the job's name, the bridge's own tag, and the seconds that it may run,
so that any process can hold it to its limit. A restart keeps the name, and its run number has a second part:
the second restart of the job `rb-1` is the job `rb-1.2`. An identity is `ACCOUNT/UUID`.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

_NAME = re.compile(r"(?P<job>.+)-(?P<tag>[0-9a-f]{8})-(?P<limit>\d+)s")


@dataclass(frozen=True, kw_only=True)
class Name:
    """What a workflow's name says; `limit` is None for no limit."""

    job: str
    tag: str
    limit: float | None


def tag_of(key: bytes) -> str:
    """The tag of the bridge with this key of its own."""
    return hmac.new(key, b"workflow names", hashlib.sha256).hexdigest()[:8]


def stem(job: str, tag: str) -> str:
    """How all workflows of a job begin, whatever their limit."""
    return f"{job}{mark(tag)}"


def mark(tag: str) -> str:
    """What stands in the names of all workflows of the bridge of this tag, and rarely in others."""
    return f"-{tag}-"


def name_of(job: str, tag: str, limit: float | None) -> str:
    """The name of a new workflow."""
    return f"{stem(job, tag)}{int(limit or 0)}s"


def parse(name: str) -> Name | None:
    """What a workflow's name says; None for one that is not a bridge's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return Name(job=found["job"], tag=found["tag"], limit=float(found["limit"]) or None)


def job_of(said: Name, number: tuple[int, ...]) -> str:
    """The name of the job that a workflow of this name and run number is."""
    return restarted(said.job, number[1]) if len(number) > 1 else said.job


def restarted(job: str, turn: int) -> str:
    """The name of a job's restart, counted from 1."""
    return f"{job}.{turn}"


def origin(job: str) -> tuple[str, int]:
    """Which job a job restarts, and which restart of it that is; 0 for one that restarts none."""
    first, _, turn = job.partition(".")
    return first, int(turn) if turn.isdigit() else 0


def identity_of(account: str, workflow: str) -> str:
    """The identity of a job."""
    return f"{account}/{workflow}"


def split(identity: str) -> tuple[str, str]:
    """The account's name and the workflow's UUID."""
    account, _, workflow = identity.rpartition("/")
    return account, workflow
