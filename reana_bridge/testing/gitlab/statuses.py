"""Commit statuses: which pipeline and row a post belongs to, and which changes of state are legal."""

import time
from typing import Any

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import changes, entities
from reana_bridge.testing.gitlab.api import Call, forbidden, invalid, not_found
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import CommitStatus, Level, Pipeline, Project, User

LONGEST = 255
"""Characters of name, description and link."""

STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
LIVE = ("created", "pending", "running")
_FROM = {
    "enqueue": {"created": "pending"},
    "run": {"pending": "running"},
    "success": {state: "success" for state in LIVE},
    "drop": {state: "failed" for state in LIVE},
    "cancel": {state: "canceled" for state in LIVE},
    "skip": {"created": "skipped", "pending": "skipped"},
}
_EVENTS = {
    "pending": "enqueue",
    "success": "success",
    "failed": "drop",
    "canceled": "cancel",
    "skipped": "skip",
}


def transition(state: str, event: str) -> str:
    """The state after `event`.

    Raises:
        Refused: 400, in GitLab's words.
    """
    after = _FROM[event].get(state)
    if after is None:
        reason = f'(Reason(s): Status cannot transition via "{event}")'
        message = f"Cannot transition status via :{event} from :{state} {reason}"
        raise Refused(400, {"message": message})
    return after


def _moved(state: str, wanted: str) -> str:
    if wanted == "running":
        # The queueing is tried and its failure ignored, the start is not.
        return transition(_FROM["enqueue"].get(state, state), "run")
    return transition(state, _EVENTS[wanted])


def post(call: Call) -> Answer:
    """`POST /projects/:id/statuses/:sha`."""
    with call.instance.lock:
        project = call.project(Level.DEVELOPER, changes=True)
    lock = call.instance.status_lock(project, call.named["sha"])
    if not lock.acquire(timeout=call.instance.status_lock_seconds):
        message = "409 Conflict: Another update to this status is in progress"
        raise Refused(409, {"message": message})
    try:
        if call.instance.status_seconds:
            # Outside of the instance's lock: others go on meanwhile, as on the real one.
            time.sleep(call.instance.status_seconds)
        with call.instance.lock:
            return _post(call, project)
    finally:
        lock.release()


def _post(call: Call, project: Project) -> Answer:
    state = call.required("state")
    if state not in STATES:
        raise Refused(400, {"error": "state does not have a valid value"})
    name = call.text("name") or call.text("context") or "default"
    sha = project.repository.commit_of(call.named["sha"])
    if sha is None:
        raise not_found("Commit")
    pipeline, ref, made = _pipeline(call, project, sha)
    if not _may_change(call.instance, project, pipeline, call.who()):
        raise forbidden()
    row = _row(call, project, pipeline, name=name, ref=ref)
    after = _moved(row.state, state)
    if made:
        project.pipelines.append(pipeline)
    _store(call, project, row, after)
    return Answer(value=entities.status(call.instance, row), status=201)


def _pipeline(call: Call, project: Project, sha: str) -> tuple[Pipeline, str, bool]:
    """The pipeline, the ref of the row, and whether the pipeline is new."""
    ref, wanted = call.text("ref"), call.text("pipeline_id")
    found = [
        pipeline
        for pipeline in project.pipelines
        if pipeline.sha == sha
        and (ref is None or pipeline.ref == ref)
        and (wanted is None or str(pipeline.id) == wanted)
    ]
    if not found and wanted is not None:
        raise not_found("Pipeline for pipeline_id, sha and ref")
    if found:
        pipeline = max(found, key=lambda one: one.id)
        return pipeline, ref or pipeline.ref, False
    if ref is None:
        branches = project.repository.branches_with(sha)
        if not branches:
            raise not_found("References for commit")
        ref = branches[0]
    made = changes.new_pipeline(
        call.instance, project, sha=sha, ref=ref, who=call.who(), source="external", status="created"
    )
    return made, ref, True  # it becomes one of the project only where the status can be stored


def _may_change(instance: Instance, project: Project, pipeline: Pipeline, who: User) -> bool:
    return instance.may_push(project, who, pipeline.ref)


def _row(call: Call, project: Project, pipeline: Pipeline, *, name: str, ref: str) -> CommitStatus:
    """The row with the same pipeline, name, ref and user that has not ended, else a new one."""
    for field, value in (("name", name), *((f, call.text(f)) for f in ("description", "target_url"))):
        if value is not None and len(value) > LONGEST:
            raise invalid(field, f"is too long (maximum is {LONGEST} characters)")
    target = call.text("target_url")
    if target and not target.startswith(("http://", "https://")):
        raise invalid("target_url", "is blocked: Only allowed schemes are http, https")
    of_pipeline = [row for row in project.statuses if row.pipeline is pipeline]
    for row in of_pipeline:
        same = row.name == name and row.ref == ref and row.user is call.who()
        if same and row.state in {"pending", "running"}:
            return row
    if len(of_pipeline) >= call.instance.statuses_of_a_pipeline:
        raise Refused(422, {"message": "The number of jobs has exceeded the limit"})
    return CommitStatus(
        id=call.instance.new_id(),
        pipeline=pipeline,
        sha=pipeline.sha,
        ref=ref,
        name=name,
        user=call.who(),
        state="created",
        description=None,
        target_url=None,
        coverage=None,
        created_at=call.instance.clock(),
    )


def _store(call: Call, project: Project, row: CommitStatus, state: str) -> None:
    now = call.instance.clock()
    for name in ("description", "target_url"):
        if (value := call.text(name)) is not None:
            setattr(row, name, value)
    if (coverage := call.text("coverage")) is not None:
        row.coverage = float(coverage)
    row.state = state
    row.history.append(state)
    if state == "running":
        row.started_at = now
    if state not in LIVE:
        row.finished_at = now
    if row not in project.statuses:
        for other in project.statuses:
            if other.pipeline is row.pipeline and other.name == row.name:
                other.retried = True
        project.statuses.append(row)
    _judge(project, row.pipeline, now)


def _judge(project: Project, pipeline: Pipeline, now: float) -> None:
    """An external pipeline is what its newest rows are."""
    pipeline.updated_at = now
    if pipeline.source != "external":
        return
    states = {row.state for row in project.statuses if row.pipeline is pipeline and not row.retried}
    order = ("running", "pending", "failed", "canceled", "success", "skipped")
    pipeline.status = next(state for state in order if state in states)


def shown(project: Project, sha: str) -> list[CommitStatus]:
    """What the commit shows: rows that no later one hides, oldest first."""
    return [row for row in project.statuses if row.sha == sha and not row.retried]


def list_of_commit(call: Call) -> Answer:
    """`GET /projects/:id/repository/commits/:sha/statuses`."""
    project = call.readable()
    sha = project.repository.commit_of(call.named["sha"])
    if sha is None:
        raise not_found("Commit")
    rows = [row for row in project.statuses if row.sha == sha]
    if not call.flag("all", False):
        rows = [row for row in rows if not row.retried]
    wanted: dict[str, Any] = {"ref": call.text("ref"), "name": call.text("name")}
    rows = [r for r in rows if all(v is None or getattr(r, k) == v for k, v in wanted.items())]
    pipeline = call.text("pipeline_id")
    rows = [row for row in rows if pipeline in (None, str(row.pipeline.id))]
    rows.sort(key=lambda row: row.id, reverse=call.text("sort") == "desc")
    return call.page([entities.status(call.instance, row) for row in rows])


ROUTES = (
    Route(method="POST", path="/projects/:id/statuses/:sha", run=post, locked=False),
    Route(method="GET", path="/projects/:id/repository/commits/:sha/statuses", run=list_of_commit),
)
"""What this module answers."""
