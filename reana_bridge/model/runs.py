"""A run's life: its states, and the moves between them.

    (waiting ->) queued -> submitting -> running -> collecting -> comparing -> finished

`waiting` is the code of a stranger until somebody with rights approves this very commit. Each of the others
may also go straight to `failed` or `cancelled`, and back to `queued` as a new attempt after an
infrastructure failure. A final state is left by nobody.
"""

from enum import StrEnum
from itertools import pairwise


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    SUBMITTING = "submitting"
    RUNNING = "running"
    COLLECTING = "collecting"
    COMPARING = "comparing"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Wanted(StrEnum):
    """What a run should come to: `run` until a person, a newer commit or a deadline says `cancel`."""

    RUN = "run"
    CANCEL = "cancel"


class FailureKind(StrEnum):
    """Whose failure it is: retried within a budget only when it is the infrastructure's."""

    ANALYSIS = "analysis"
    CONFIGURATION = "configuration"
    LIMIT = "limit"
    INFRASTRUCTURE = "infrastructure"


FINAL = frozenset({RunState.FINISHED, RunState.FAILED, RunState.CANCELLED})
LIVE = frozenset(RunState) - FINAL

_ORDER = [
    RunState.QUEUED,
    RunState.SUBMITTING,
    RunState.RUNNING,
    RunState.COLLECTING,
    RunState.COMPARING,
    RunState.FINISHED,
]
_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    state: frozenset({following, state, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED})
    for state, following in pairwise(_ORDER)
}
_TRANSITIONS[RunState.WAITING] = frozenset({RunState.WAITING, RunState.QUEUED, RunState.CANCELLED})


class IllegalTransition(Exception):
    """A step tried to move a run where it may not go: a defect of ours, never a user's mistake."""


def check_transition(before: RunState, after: RunState) -> None:
    """Allow the move from `before` to `after`.

    Raises:
        IllegalTransition: a run in `before` may not become `after`.
    """
    if after not in _TRANSITIONS.get(before, frozenset()):
        raise IllegalTransition(f"a run that is {before} cannot become {after}")
