"""A workflow's steps as they run: from counts while it runs, from its logs once it has ended.

REANA runs each command of a serial step as a job of its own; here they are one step again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reana_bridge.backends.reana.values import JobLog, Progress, items, mapping, text
from reana_bridge.model.results import StepRecord, StepState

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_STATES = {
    "finished": StepState.FINISHED,
    "failed": StepState.FAILED,
    "stopped": StepState.FAILED,
    "running": StepState.RUNNING,
}
_COMMAND = 1000


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The steps of a serial workflow in order; empty for other types, whose steps only their engine knows.

    Attributes:
        names: Of each step.
        images: Of each step.
        owners: For each job in order, the index of its step.
    """

    names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    owners: tuple[int, ...] = ()

    def since(self, jobs: Sequence[JobLog]) -> "Layout":
        """From the first step on that one of these jobs is of, as a restart leaves out those before it."""
        places = [self.names.index(job.step) for job in jobs if job.step in self.names]
        return self._from(min(places, default=0))

    def ending(self, jobs: int) -> "Layout":
        """The last steps, those that have so many jobs together; all where none have."""
        first = self.owners[-jobs] if 0 < jobs <= len(self.owners) else 0
        cut = self._from(first)
        return cut if len(cut.owners) == jobs else self

    def _from(self, first: int) -> "Layout":
        owners = tuple(owner - first for owner in self.owners if owner >= first)
        return Layout(names=self.names[first:], images=self.images[first:], owners=owners)


def layout_of(document: dict[str, Any], options: dict[str, Any] | None = None) -> Layout:
    """The layout that a workflow's document says.

    Args:
        document: As the workflow was created from.
        options: Operational options; those of the document by default.
    """
    workflow = mapping(document.get("workflow"))
    if workflow.get("type") != "serial":
        return Layout()
    steps = [mapping(step) for step in items(mapping(workflow.get("specification")).get("steps"))]
    given = mapping(mapping(document.get("inputs")).get("options")) if options is None else options
    named = _unique([text(step.get("name")) or f"step {i}" for i, step in enumerate(steps, start=1)])
    first, last = 0, len(steps)
    if given.get("FROM") in named:
        first = named.index(given["FROM"])
    if given.get("TARGET") in named:
        last = named.index(given["TARGET"]) + 1
    chosen = range(first, last)
    return Layout(
        names=tuple(named[i] for i in chosen),
        images=tuple(text(steps[i].get("environment")) for i in chosen),
        owners=tuple(place for place, i in enumerate(chosen) for _ in items(steps[i].get("commands"))),
    )


def _unique(names: Sequence[str]) -> list[str]:
    """Names as reports show them: `fit`, `fit (2)`."""
    found: list[str] = []
    for name in names:
        taken, number = name, 2
        while taken in found:
            taken, number = f"{name} ({number})", number + 1
        found.append(taken)
    return found


def while_running(layout: Layout, progress: Progress) -> tuple[StepRecord, ...]:
    """The steps of a running workflow, as far as counts of jobs tell."""
    if layout.names:
        return _serial(layout, progress)
    done, running = progress.finished, max(progress.running, 1 if progress.step else 0)
    total = max(progress.total, done + running + progress.failed)
    states = [StepState.FINISHED] * done + [StepState.FAILED] * progress.failed
    states += [StepState.RUNNING] * running + [StepState.WAITING] * total
    named = progress.step if running == 1 else ""
    return tuple(
        StepRecord(
            name=named if named and state == StepState.RUNNING else f"job {number}",
            state=state,
            command=progress.command[:_COMMAND] if state == StepState.RUNNING and running == 1 else "",
        )
        for number, state in enumerate(states[: min(total, 1000)], start=1)
    )


def _serial(layout: Layout, progress: Progress) -> tuple[StepRecord, ...]:
    done = min(progress.finished, len(layout.owners))
    busy = progress.running > 0 or (progress.failed == 0 and done < len(layout.owners))
    current = layout.owners[done] if done < len(layout.owners) else len(layout.names)
    records: list[StepRecord] = []
    for place, name in enumerate(layout.names):
        state = StepState.FINISHED if place < current else StepState.WAITING
        if place == current:
            begun = StepState.RUNNING if busy else StepState.WAITING
            state = StepState.FAILED if progress.failed else begun
        running = state == StepState.RUNNING
        records.append(
            StepRecord(
                name=name,
                state=state,
                command=progress.command[:_COMMAND] if running else "",
                image=layout.images[place],
                log=log_name(place, name) if state != StepState.WAITING else "",
            )
        )
    return tuple(records)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The jobs of one step."""

    name: str
    log: str
    image: str
    jobs: tuple[JobLog, ...] = ()


def groups(layout: Layout, jobs: Sequence[JobLog]) -> list[Group]:
    """Jobs put together by step: by position in a serial workflow, else each job is a step."""
    if layout.names:
        return [
            Group(
                name=name,
                log=log_name(place, name),
                image=layout.images[place],
                jobs=tuple(job for job, owner in zip(jobs, layout.owners, strict=False) if owner == place),
            )
            for place, name in enumerate(layout.names)
        ]
    names = _unique([job.step or "job" for job in jobs])
    return [
        Group(name=name, log=log_name(place, name), image=job.image, jobs=(job,))
        for place, (name, job) in enumerate(zip(names, jobs, strict=True))
    ]


def records(found: Sequence[Group], ours: Callable[[float | None], float | None]) -> tuple[StepRecord, ...]:
    """The steps of a workflow whose logs are known.

    Args:
        found: Jobs by step.
        ours: A time of the server's clock by our clock.
    """
    return tuple(_record(group, ours) for group in found)


def _record(group: Group, ours: Callable[[float | None], float | None]) -> StepRecord:
    states = [_STATES.get(job.status, StepState.WAITING) for job in group.jobs]
    state = StepState.FINISHED if states else StepState.WAITING
    for worse in (StepState.WAITING, StepState.RUNNING, StepState.FAILED):
        state = worse if worse in states else state
    last = group.jobs[-1] if group.jobs else None
    return StepRecord(
        name=group.name,
        state=state,
        started_at=ours(group.jobs[0].started_at) if group.jobs else None,
        ended_at=ours(last.ended_at) if last else None,
        exit_status=0 if state == StepState.FINISHED else None,
        command=last.command[:_COMMAND] if last and state != StepState.FINISHED else "",
        image=group.image,
        environment=_place(last.compute_backend) if last else "",
        log=group.log if group.jobs else "",
    )


def _place(compute_backend: str) -> str:
    """REANA runs each job in its image, wherever it does."""
    return f"container on {compute_backend}" if compute_backend else "container"


def log_name(place: int, name: str) -> str:
    """Name of a step's log: `2-fit.log`."""
    fit = _UNFIT.sub("-", name).strip("-")[:60] or "step"
    return f"{place + 1}-{fit}.log"
