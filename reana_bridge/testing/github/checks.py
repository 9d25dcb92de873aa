"""Commit statuses and check runs: the API of the fake, with GitHub's limits."""

from typing import Any, cast

from reana_bridge.testing.answering import Answer, Route
from reana_bridge.testing.github.api import Call, invalid, said
from reana_bridge.testing.github.things import App, CheckRun, Project, Status

STATES = frozenset({"error", "failure", "pending", "success"})
CONCLUSIONS = frozenset(
    {"action_required", "cancelled", "failure", "neutral", "skipped", "success", "timed_out"}
)
MOST_STATUSES = 1000
DESCRIPTION = 140
TEXT = 65_535
_KEPT = ("details_url", "external_id", "started_at", "completed_at", "actions")
_ACTION = {"label": 20, "identifier": 20, "description": 40}
_ANNOTATION = {"path": str, "start_line": int, "end_line": int, "message": str}


def _status(call: Call) -> Answer:
    project = call.project("statuses", 2)
    values, sha = call.values(), call.commit(project, call.named["sha"])
    description, context = str(values.get("description") or ""), str(values.get("context") or "default")
    if values.get("state") not in STATES:
        raise invalid("Status", "state", "is not included in the list")
    if len(description) > DESCRIPTION:
        raise invalid("Status", "description", f"is too long (maximum is {DESCRIPTION} characters)")
    same = [one for one in project.statuses if (one.sha, one.context.lower()) == (sha, context.lower())]
    if len(same) >= MOST_STATUSES:
        raise said(422, "This SHA and context has reached the maximum number of statuses.")
    status = Status(
        id=call.world.new_id(),
        sha=sha,
        context=context,
        state=str(values["state"]),
        description=description,
        target_url=str(values.get("target_url") or ""),
        creator=call.user(),
        created_at=call.world.clock(),
    )
    project.statuses.append(status)
    return Answer(value=call.bodies.status(status), status=201)


def _statuses(call: Call) -> Answer:
    project = call.project("statuses")
    sha = call.commit(project, call.named["sha"])
    return call.page([call.bodies.status(one) for one in reversed(project.statuses) if one.sha == sha])


def _create(call: Call) -> Answer:
    project, app = _for_checks(call)
    values = call.values()
    name, sha = values.get("name"), values.get("head_sha")
    if not isinstance(name, str) or not name:
        raise invalid("CheckRun", "name", "is missing")
    check = CheckRun(
        id=call.world.new_id(),
        app=app,
        name=name,
        head_sha=call.commit(project, str(sha)),
    )
    _apply(check, values)
    project.checks.append(check)
    return Answer(value=call.bodies.check(project, check), status=201)


def _update(call: Call) -> Answer:
    project, app = _for_checks(call)
    check = _one(call, project)
    if app is not check.app:
        raise said(403, "Invalid app_id `0` - check run can only be modified by the GitHub App that made it.")
    _apply(check, call.values())
    check.changes += 1
    return Answer(value=call.bodies.check(project, check))


def _show(call: Call) -> Answer:
    project = call.project("checks")
    return Answer(value=call.bodies.check(project, _one(call, project)))


def _list(call: Call) -> Answer:
    project = call.project("checks")
    sha = call.commit(project, call.named["sha"])
    found = [one for one in project.checks if one.head_sha == sha]
    if name := call.query.get("check_name"):
        found = [one for one in found if one.name == name]
    if app := call.query.get("app_id"):
        found = [one for one in found if str(one.app.id) == app]
    if call.query.get("filter", "latest") == "latest":
        found = list({(one.app.id, one.name): one for one in found}.values())
    found.reverse()
    return call.page([call.bodies.check(project, one) for one in found], wrap="check_runs")


def _for_checks(call: Call) -> tuple[Project, App]:
    token = call.actor.token
    if token is None or token.installation is None:
        raise said(403, "You must authenticate via a GitHub App.")
    return call.project("checks", 2), token.installation.app


def _one(call: Call, project: Project) -> CheckRun:
    number = call.number("check")
    found = next((one for one in project.checks if one.id == number), None)
    if found is None:
        raise said(404, "Not Found")
    return found


def _apply(check: CheckRun, values: dict[str, Any]) -> None:
    status, conclusion = values.get("status", check.status), values.get("conclusion")
    if status not in {"queued", "in_progress", "completed"}:
        raise invalid("CheckRun", "status", f"{status} is not included in the list")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", f"{conclusion} is not included in the list")
    if conclusion is not None:
        status = "completed"
    if status == "completed" and conclusion is None and check.conclusion is None:
        raise invalid("CheckRun", "conclusion", "is needed for a completed check")
    output, actions = values.get("output"), cast(list[dict[str, Any]], values.get("actions") or [])
    annotations = _output(output) if output is not None else []
    _actions(actions)
    kept = {name: values[name] for name in _KEPT if name in values}
    ended = check.conclusion if status == "completed" else None
    check.values |= kept | {"status": status, "conclusion": conclusion or ended}
    if output is not None:
        shown = {name: output[name] for name in ("title", "summary", "text") if name in output}
        check.values["output"] = check.values.get("output", {}) | shown
    check.annotations += annotations


def _output(output: dict[str, Any]) -> list[dict[str, Any]]:
    for name in ("title", "summary"):
        if not output.get(name):
            raise invalid("CheckRun", f"output.{name}", "is missing")
    for name in ("summary", "text"):
        if len(str(output.get(name) or "").encode()) > TEXT:
            raise invalid("CheckRun", f"output.{name}", f"Only {TEXT} characters are allowed")
    annotations = cast(list[dict[str, Any]], output.get("annotations") or [])
    if len(annotations) > 50:
        raise invalid("CheckRun", "output.annotations", "exceeds a maximum quantity of 50")
    for one in annotations:
        wrong = [name for name, kind in _ANNOTATION.items() if not isinstance(one.get(name), kind)]
        if wrong or one.get("annotation_level") not in {"notice", "warning", "failure"}:
            raise invalid("CheckRun", "output.annotations", f"{wrong or 'annotation_level'} is not usable")
    return annotations


def _actions(actions: list[dict[str, Any]]) -> None:
    if len(actions) > 3:
        raise invalid("CheckRun", "actions", "exceeds a maximum quantity of 3")
    for one in actions:
        for name, most in _ACTION.items():
            if not 0 < len(str(one.get(name) or "")) <= most:
                raise invalid("CheckRun", f"actions.{name}", f"needs 1 to {most} characters")


_AT = "/repos/:owner/:repo"
ROUTES = (
    Route(method="POST", path=f"{_AT}/statuses/:sha", run=_status),
    Route(method="GET", path=f"{_AT}/commits/:sha/statuses", run=_statuses),
    Route(method="POST", path=f"{_AT}/check-runs", run=_create),
    Route(method="PATCH", path=f"{_AT}/check-runs/:check", run=_update),
    Route(method="GET", path=f"{_AT}/check-runs/:check", run=_show),
    Route(method="GET", path=f"{_AT}/commits/:sha/check-runs", run=_list),
)
"""What is answered here."""
