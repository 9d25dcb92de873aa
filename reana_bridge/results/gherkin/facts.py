"""What the sentences of a scenario are asked of: one ended run and its workspace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One ended run.

    Attributes:
        status: In REANA's words: `finished`, `failed` or `stopped`.
        sizes: Of every file in the workspace, bytes by path.
        outputs: The declared output files and directories.
        open: The content of a file in the workspace; OSError where it cannot be had.
        most: Bytes of one file that are read at most.
        engine_log: The engine's log; None where the backend keeps none.
        job_logs: For each step its log, read when it is asked for.
        seconds: From the start to the end of the run; None where unknown.
        step_seconds: The same of each step.
    """

    status: str
    sizes: Mapping[str, int]
    outputs: tuple[str, ...]
    open: Callable[[str], BinaryIO]
    most: int
    engine_log: Callable[[], str] | None
    job_logs: Mapping[str, Callable[[], str]]
    seconds: float | None
    step_seconds: Mapping[str, float | None]

    @cached_property
    def directories(self) -> frozenset[str]:
        """Every directory that has a file in it."""
        found: set[str] = set()
        for path in self.sizes:
            while "/" in path and (path := path.rpartition("/")[0]) not in found:
                found.add(path)
        return frozenset(found)
