"""Restarting: an ended workflow is taken up in its workspace, as a workflow of its own.

Promises: REANA makes and starts a restart at once, so it is asked for only once: who does not know whether
that was heard looks for the restart by its run number, and never asks again. No two workflows are at work in
one workspace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reana_bridge.backends.base import CannotRestart, Job, RestartUnsure
from reana_bridge.backends.reana import names
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.documents import overrides
from reana_bridge.backends.reana.errors import Away, NotAccepted, NotThere, OverQuota, ReanaError
from reana_bridge.backends.reana.layout import Group
from reana_bridge.backends.reana.submit import family, workflows_of
from reana_bridge.backends.reana.values import ENDED, Workflow, items, mapping, text
from reana_bridge.crashpoints import reach
from reana_bridge.model.specification import WorkflowType

_MOST = 9
_LATER = (Away, NotAccepted, OverQuota)


@dataclass(frozen=True, kw_only=True)
class Restarted:
    """One job that takes up another one's workspace.

    Attributes:
        job: With its `restart`.
        calls: Of the account whose workflow is taken up.
        tag: This bridge's.
    """

    job: Job
    calls: Calls
    tag: str

    def run(self, workflow: str) -> str:
        """Restart `workflow` unless that was done; the restart's UUID.

        Raises:
            CannotRestart: REANA does not take it up.
            RestartUnsure: It may have been begun.
            BackendError: Not now.
        """
        for made in workflows_of(self.calls, self.tag, self.job.name):
            if made.status == "created":  # made, but its start was lost within REANA
                self.calls.start(made.id, overrides(self.job.specification), self.options())
            return made.id
        identity = self._ask(workflow)
        reach("reana.restarted")
        return identity

    def options(self) -> dict[str, Any]:
        """The operational options: those of the run, and where to begin."""
        step = self.job.restart.step if self.job.restart else ""
        return self.job.specification.options | ({"FROM": step} if step else {})

    def _ask(self, workflow: str) -> str:
        specification = self.job.specification
        try:
            return self.calls.restart(workflow, overrides(specification), self.options())
        except ReanaError as error:
            if error.sent:
                raise RestartUnsure(str(error)) from None
            if isinstance(error, _LATER) or error.status == 429:
                raise
            raise CannotRestart(str(error)) from None


def check_step(job: Job) -> None:
    """See that REANA can begin where the restart says.

    Raises:
        CannotRestart: It cannot.
    """
    kind, step = job.specification.type, job.restart.step if job.restart else ""
    if kind is not WorkflowType.SERIAL:
        raise CannotRestart(f"{kind} workflows are not taken up where they stopped")
    workflow = mapping(job.specification.document.get("workflow"))
    steps = map(mapping, items(mapping(workflow.get("specification")).get("steps")))
    if step and [text(one.get("name")) for one in steps].count(step) != 1:
        raise CannotRestart(f"the workflow names no step, or several, `{step}`")


def resume_at(steps: Sequence[Group], failed: str) -> str | None:
    """The step to begin with when a workflow is taken up; empty for the first one, None where none is known.

    Args:
        steps: Of a serial workflow, with their jobs.
        failed: The one that failed; empty where none did.
    """
    names = [group.name for group in steps]
    undone = [g.name for g in steps if not g.jobs or any(job.status != "finished" for job in g.jobs)]
    step = failed or next(iter(undone), "")
    if step not in names:
        return None
    return "" if step == names[0] else step


def next_name(calls: Calls, tag: str, workflow: str) -> str:
    """The name of the job that the next restart of a workflow is.

    Raises:
        CannotRestart: There can be none.
        ReanaError: The server does not say.
    """
    try:
        said = names.parse(calls.status(workflow).name)
    except NotThere:
        raise CannotRestart("REANA does not know the workflow any more") from None
    if said is None or said.tag != tag:
        raise CannotRestart("the workflow is not one of this bridge")
    return names.restarted(said.job, _turn(family(calls, tag, said.job), workflow))


def _turn(known: Sequence[Workflow], workflow: str) -> int:
    mine = next((one for one in known if one.id == workflow), None)
    if mine is None or mine.status not in ENDED[:2]:
        raise CannotRestart(f"REANA restarts no workflow that is {mine.status if mine else 'gone'}")
    related = [one for one in known if one.number[:1] == mine.number[:1]]
    if any(one.status not in (*ENDED, "deleted") for one in related):
        raise CannotRestart("another restart of it is at work in its workspace")
    turn = 1 + max((one.number[1] for one in related if len(one.number) > 1), default=0)
    if turn > _MOST:
        raise CannotRestart(f"REANA restarts a workflow at most {_MOST} times")
    return turn
