"""Workflows: list, create, start, follow, stop, delete, and what is told about one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from reana_bridge.testing.reana.api import Answer, Call, Refused, Route, amount, moment, searched
from reana_bridge.testing.reana.checking import TYPES, check_start, checked_name, parameters_of
from reana_bridge.testing.reana.things import Job, Protocol, Status, Workflow
from reana_bridge.testing.reana.world import World, is_uuid4

_PLAIN = ("created", "queued", "pending", "running", "finished", "failed", "stopped", "deleted")
_STATUSES = ("start", "stop", "deleted")


# -- list --


def _list(call: Call) -> Answer:
    if call.text("type") not in {"batch", "interactive"}:
        raise Refused(400, "Field 'type': Missing data for required field.")
    verbose = call.flag("verbose")
    progress = call.flag("include_progress") or verbose
    sizes = call.flag("include_workspace_size") or verbose
    part, told = call.page(_selected(call))
    items: list[dict[str, Any]] = []
    for workflow in part:
        item = _summary(workflow) | {"progress": progress_of(workflow, whole=progress)}
        if sizes:
            item["size"] = amount(workspace_size(workflow))
        if verbose:
            item |= {"session_type": None, "session_uri": None, "session_status": None}
            item = {key: value for key, value in item.items() if value is not None or key == "launcher_url"}
        items.append(item)
    return Answer(value=told | {"items": items, "user_has_workflows": bool(told["total"])})


def _selected(call: Call) -> list[Workflow]:
    """What the filters leave, in the asked order."""
    statuses = call.listed("status")
    if any(status not in _PLAIN for status in statuses):
        raise Refused(400, "Malformed request.")
    if call.text("type") == "interactive":
        return []
    shelf = call.world.shelves[call.who.id]
    # Without a filter REANA's own clients leave the deleted out, the server does not.
    found = shelf.with_status(statuses or [*_PLAIN, *(one.status_shown for one in shelf.shown.values())])
    wanted = call.text("workflow_id_or_name")
    if wanted:
        by_id = is_uuid4(wanted)
        found = [one for one in found if (one.id if by_id else one.name) == wanted]
    words = searched(call).get("name")
    if words:
        found = [one for one in found if any(word in one.name.lower() for word in words)]
    sort = call.text("sort") or "desc"
    if sort not in {"asc", "desc", "disk-desc", "cpu-desc"}:
        raise Refused(400, "Malformed request.")
    if sort == "disk-desc":
        return sorted(found, key=workspace_size, reverse=True)
    return found if sort == "asc" else found[::-1]


def _summary(workflow: Workflow) -> dict[str, Any]:
    return {
        "id": workflow.id,
        "name": workflow.full_name,
        "status": workflow.status_shown,
        "user": workflow.owner.id,
        "created": moment(workflow.created),
        "launcher_url": None,
    }


def progress_of(workflow: Workflow, *, whole: bool = True) -> dict[str, Any]:
    """How far a workflow is; only its times where not `whole`."""
    told: dict[str, Any] = {
        "run_started_at": moment(workflow.started),
        "run_finished_at": moment(workflow.finished),
        "run_stopped_at": moment(workflow.stopped),
    }
    if not whole:
        return told
    for status in ("running", "finished", "failed"):
        ids = [job.id for job in workflow.jobs if job.status == status]
        told[status] = {"total": len(ids), "job_ids": ids}
    told["total"] = {"total": workflow.total_jobs, "job_ids": []}
    current = next((job for job in workflow.jobs if job.status == "running"), None)
    told["current_command"] = current.command if current else None
    told["current_step_name"] = current.name if current else None
    return told


def workspace_size(workflow: Workflow) -> int:
    """Bytes of all files."""
    if workflow.files_deleted:
        return 0
    return sum(path.lstat().st_size for path in workflow.workspace.rglob("*") if path.is_file())


# -- create and start --


def create_route(call: Call) -> Answer:
    """Create by the released protocol."""
    if call.world.protocol is Protocol.NEXT:
        raise Refused(400, "A workflow specification bundle is required.")
    document: Any = call.json()
    if not isinstance(document, dict) or not document:
        raise Refused(500, "Either remote repository or a reana spec need to be provided")
    return create(call, cast(dict[str, Any], document))


def create(call: Call, specification: dict[str, Any]) -> Answer:
    """Make a workflow of a specification, hardly looked at."""
    over_quota(call)
    name = checked_name(call.text("workflow_name"))
    workflow_part: Any = specification.get("workflow")
    if not isinstance(workflow_part, dict):
        raise Refused(400, "'workflow'")
    kind = cast(dict[str, Any], workflow_part).get("type")
    if kind is None:
        raise Refused(400, "'type'")
    if kind not in TYPES:
        raise Refused(500, f"'{kind}' is not among the defined enum values.")
    days = _retention(call.world, specification)
    workflow = call.world.add(call.who, name, specification)
    workflow.retention = days
    value = {
        "message": "The workflow has been successfully created.",
        "workflow_id": workflow.id,
        "workflow_name": workflow.full_name,
    }
    return Answer(status=201, value=value)


def _retention(world: World, specification: Mapping[str, Any]) -> dict[str, int]:
    workspace: Any = specification.get("workspace") or {}
    rules: dict[str, int] = dict(workspace.get("retention_days") or {})
    most = world.most_retention_days
    for pattern, days in rules.items():
        if most is not None and days > most:
            text = f"Maximum workflow retention period was reached. Please use less than {most} days."
            raise Refused(400, f'Invalid retention rule "{pattern}: {days}". {text}')
    return {"**/*": most, **rules} if most is not None and rules else rules


def over_quota(call: Call) -> None:
    """Refuse somebody who has used up their quota.

    Raises:
        Refused: They have.
    """
    user = call.who
    cpu = 0 < user.cpu_limit < user.cpu_used
    disk = user.disk_limit and user.disk_limit < disk_used(call)
    if cpu or disk:
        raise Refused(403, "User quota exceeded.")


def disk_used(call: Call) -> int:
    """Bytes that a user's workspaces hold; restarts share theirs."""
    live = call.world.shelves[call.who.id].with_status(one for one in _PLAIN if one != "deleted")
    places = {workflow.workspace: workflow for workflow in live}
    return call.who.disk_used + sum(workspace_size(workflow) for workflow in places.values())


def _start(call: Call) -> Answer:
    over_quota(call)
    workflow = call.workflow(unknown=403)
    known = ["input_parameters", "operational_options", "restart"]
    known += ["reana_specification"] if call.world.protocol is Protocol.RELEASED else []
    given = call.fields(*known)
    return start(call, workflow, given)


def start(call: Call, workflow: Workflow, given: Mapping[str, Any]) -> Answer:
    """Queue a workflow, or a restart of it, with `given` of the request's body."""
    parameters = dict(given.get("input_parameters") or {})
    options = dict(given.get("operational_options") or {})
    restart, specification = bool(given.get("restart")), workflow.specification
    if restart:
        if workflow.status not in {Status.FINISHED, Status.FAILED}:
            raise Refused(403, "Only finished or failed workflows can be restarted.")
        specification = given.get("reana_specification") or specification
    elif workflow.status is not Status.CREATED:
        text = f"Workflow {workflow.full_name} is already {workflow.status} and cannot be started again."
        raise Refused(403, text)
    check_start(call.world, specification, parameters, options)
    if restart:
        made = call.world.again(workflow, specification)
        if made is None:
            raise Refused(400, f"Cannot restart a workflow more than 9 times: {workflow.full_name}")
        workflow = made
    workflow.parameters, workflow.options = parameters, options
    call.world.move(workflow, Status.QUEUED)
    call.world.enqueue(workflow)
    value = {
        "message": "Workflow submitted.",
        "workflow_id": workflow.id,
        "workflow_name": workflow.full_name,
        "status": str(workflow.status),
        "run_number": workflow.number,
        "user": workflow.owner.id,
    }
    return Answer(value=value)


# -- one workflow --


def _status(call: Call) -> Answer:
    workflow = call.workflow()
    value = _summary(workflow) | {
        "progress": progress_of(workflow),
        "logs": json.dumps(_job_logs(workflow.jobs, workflow)),
    }
    del value["launcher_url"]
    return Answer(value=value)


def _set_status(call: Call) -> Answer:
    wanted = call.required("status")
    if call.json() is None:
        raise Refused(400, "Your request contains not valid JSON.")
    given = call.fields("input_parameters", "operational_options", "restart", "all_runs", "workspace")
    if wanted not in _STATUSES:
        raise Refused(400, f"Status {wanted} is not one of: {', '.join(_STATUSES)}")
    if wanted == "start":
        return start(call, call.workflow(), given)
    workflow = call.workflow()
    if wanted == "stop":
        return _stop(call, workflow)
    return _delete(call, workflow, given)


def _stop(call: Call, workflow: Workflow) -> Answer:
    if workflow.status is not Status.RUNNING:
        raise Refused(409, f"Workflow {workflow.id} is not running.")
    workflow.stopped = call.world.now
    for job in workflow.jobs:
        if job.status in {"queued", "running"}:
            job.status = "stopped"
    call.world.move(workflow, Status.STOPPED)
    return _changed(workflow, "Workflow successfully stopped")


def _delete(call: Call, workflow: Workflow, given: Mapping[str, Any]) -> Answer:
    if given.get("workspace", True) is not True:
        raise Refused(400, "Workspace must always be deleted when deleting a workflow.")
    if workflow.status is Status.RUNNING:
        raise Refused(500, f"Workflow {workflow.full_name} cannot be deleted as it is currently running.")
    runs = [workflow]
    if given.get("all_runs"):
        runs += call.world.shelves[call.who.id].by_name[workflow.name]
    for one in runs:
        call.world.delete(one)
    return _changed(workflow, "Workflow successfully deleted")


def _changed(workflow: Workflow, message: str) -> Answer:
    value = {
        "message": message,
        "workflow_id": workflow.id,
        "workflow_name": workflow.full_name,
        "status": str(workflow.status),
        "user": workflow.owner.id,
    }
    return Answer(value=value)


def _logs(call: Call) -> Answer:
    workflow = call.workflow()
    steps = call.json()
    if steps is not None and not isinstance(steps, list):
        raise Refused(400, "Malformed request.")
    wanted = {str(step) for step in cast(list[Any], steps or [])}
    jobs, _ = call.page([job for job in workflow.jobs if not wanted or job.name in wanted])
    logs = {
        "workflow_logs": None if wanted else workflow.logs,
        "job_logs": _job_logs(jobs, workflow),
        "service_logs": {},
        "engine_specific": None,
    }
    value = {
        "workflow_id": workflow.id,
        "workflow_name": workflow.full_name,
        "logs": json.dumps(logs),
        "user": workflow.owner.id,
    }
    return Answer(value=value | ({"live_logs_enabled": False} if _next(call) else {}))


def _next(call: Call) -> bool:
    return call.world.protocol is Protocol.NEXT


def _job_logs(jobs: list[Job], workflow: Workflow) -> dict[str, Any]:
    return {
        job.id: {
            "workflow_uuid": workflow.id,
            "job_name": job.name,
            "compute_backend": job.compute_backend,
            "backend_job_id": f"reana-run-job-{job.id}",
            "docker_img": job.image,
            "cmd": job.command,
            "status": job.status,
            "logs": job.logs,
            "started_at": moment(job.started),
            "finished_at": moment(job.finished),
        }
        for job in jobs
    }


def _specification(call: Call) -> Answer:
    workflow = call.workflow()
    return Answer(value={"specification": workflow.specification, "parameters": workflow.parameters})


def _parameters(call: Call) -> Answer:
    workflow = call.workflow()
    value = {"id": workflow.id, "name": workflow.full_name, "type": workflow.kind}
    values = parameters_of(workflow.specification) | workflow.parameters
    return Answer(value=value | {"parameters": values})


def _disk_usage(call: Call) -> Answer:
    workflow = call.workflow()
    summarize = call.fields("search", "summarize").get("summarize", False)
    files = [] if workflow.files_deleted else sorted(p for p in workflow.workspace.rglob("*") if p.is_file())
    told = [
        {"name": f"/{path.relative_to(workflow.workspace)}", "size": amount(path.lstat().st_size)}
        for path in files
    ]
    whole = [{"name": "", "size": amount(workspace_size(workflow))}]
    value = {"workflow_id": workflow.id, "workflow_name": workflow.full_name, "user": workflow.owner.id}
    return Answer(value=value | {"disk_usage_info": whole if summarize else told})


def _retention_rules(call: Call) -> Answer:
    workflow = call.workflow()
    ended = workflow.finished or workflow.stopped
    rules: list[dict[str, Any]] = []
    for pattern, days in workflow.retention.items():
        apply_on = None
        if ended is not None:
            day = datetime.fromtimestamp(ended, UTC).date() + timedelta(days=days)
            apply_on = datetime.combine(day, time(23, 59, 59)).isoformat()
        rule = {
            "id": str(uuid5(NAMESPACE_URL, f"{workflow.id}/{pattern}")),
            "workspace_files": pattern,
            "retention_days": days,
            "apply_on": apply_on,
            "status": "active" if apply_on else "created",
        }
        rules.append(rule)
    value = {"workflow_id": workflow.id, "workflow_name": workflow.full_name}
    return Answer(value=value | {"retention_rules": rules})


ROUTES = (
    Route(method="GET", path="/workflows", run=_list),
    Route(method="POST", path="/workflows", run=create_route),
    Route(method="POST", path="/workflows/:id/start", run=_start),
    Route(method="GET", path="/workflows/:id/status", run=_status),
    Route(method="PUT", path="/workflows/:id/status", run=_set_status),
    Route(method="GET", path="/workflows/:id/logs", run=_logs),
    Route(method="GET", path="/workflows/:id/specification", run=_specification),
    Route(method="GET", path="/workflows/:id/parameters", run=_parameters),
    Route(method="GET", path="/workflows/:id/disk_usage", run=_disk_usage),
    Route(method="GET", path="/workflows/:id/retention_rules", run=_retention_rules),
)
