"""Merge requests over the REST API: lists, one, opening, editing, merging, and their pipelines."""

from datetime import datetime

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import changes, entities
from reana_bridge.testing.gitlab.api import Call, forbidden, not_found
from reana_bridge.testing.gitlab.things import Level, MergeRequest, Project


def listed(call: Call) -> Answer:
    """`GET /projects/:id/merge_requests`."""
    project = call.readable()
    found = list(project.merge_requests.values())
    state = call.text("state", "all")
    found = [one for one in found if state in {"all", one.state}]
    for name in ("source_branch", "target_branch"):
        if (value := call.text(name)) is not None:
            found = [one for one in found if getattr(one, name) == value]
    if since := call.text("updated_after"):
        found = [one for one in found if one.updated_at > datetime.fromisoformat(since).timestamp()]
    if numbers := call.listed("iids"):
        found = [one for one in found if str(one.iid) in numbers]
    key = "updated_at" if call.text("order_by") == "updated_at" else "created_at"
    found.sort(key=lambda one: (getattr(one, key), one.id), reverse=call.text("sort", "desc") == "desc")
    return call.page([entities.merge_request(call.instance, one, project) for one in found])


def show(call: Call) -> Answer:
    """`GET /projects/:id/merge_requests/:iid`."""
    project, merge_request = call.merge_request()
    return Answer(value=entities.merge_request(call.instance, merge_request, project, single=True))


def create(call: Call) -> Answer:
    """`POST /projects/:id/merge_requests`, of the source project."""
    who = call.who()
    source = call.project(Level.DEVELOPER, changes=True)
    branch, into = call.required("source_branch"), call.required("target_branch")
    title = call.required("title")
    target = call.instance.projects.get(call.number("target_project_id", source.id))
    if target is None or not call.instance.may_read(target, who):
        raise not_found("Project")
    if source.repository.commit_of(branch) is None or target.repository.commit_of(into) is None:
        raise Refused(400, {"message": ["You can't use same project/branch for source and target"]})
    same = [mr for at, mr in call.instance.with_source(source, branch) if at is target]
    if any(one.target_branch == into for one in same):
        message = f"Another open merge request already exists for this source branch: !{same[0].iid}"
        raise Refused(409, {"message": [message]})
    made = changes.open_merge_request(
        call.instance,
        source=source,
        source_branch=branch,
        target=target,
        target_branch=into,
        who=who,
        title=title,
        description=call.text("description") or "",
        labels=_names(call, "labels"),
    )
    return Answer(value=entities.merge_request(call.instance, made, target, single=True), status=201)


def _names(call: Call, key: str) -> list[str]:
    """Labels, as a list or as text with commas."""
    listed = [name.strip() for text in call.listed(key) for name in text.split(",")]
    return [name for name in listed if name]


def _editable(call: Call) -> tuple[Project, MergeRequest]:
    who = call.who()
    project, merge_request = call.merge_request(changes=True)
    if merge_request.author is not who and call.instance.level(project, who) < Level.DEVELOPER:
        raise forbidden()
    return project, merge_request


def edit(call: Call) -> Answer:
    """`PUT /projects/:id/merge_requests/:iid`."""
    project, merge_request = _editable(call)
    labels = merge_request.labels if call.text("labels") is None else _names(call, "labels")
    labels = [*labels, *_names(call, "add_labels")]
    gone = _names(call, "remove_labels")
    changes.edit(
        call.instance,
        project,
        merge_request,
        call.who(),
        title=call.text("title"),
        description=call.text("description"),
        labels=[name for name in labels if name not in gone],
        target_branch=call.text("target_branch"),
    )
    if (event := call.text("state_event")) is not None:
        move = changes.close if event == "close" else changes.reopen
        move(call.instance, project, merge_request, call.who())
    return Answer(value=entities.merge_request(call.instance, merge_request, project, single=True))


def merge(call: Call) -> Answer:
    """`PUT /projects/:id/merge_requests/:iid/merge`."""
    project, merge_request = _editable(call)
    if not call.instance.may_push(project, call.who(), merge_request.target_branch):
        raise Refused(401, {"message": "401 Unauthorized"})
    if merge_request.state != "opened" or merge_request.draft:
        raise Refused(405, {"message": "405 Method Not Allowed"})
    if call.text("sha") not in (None, merge_request.sha):
        raise Refused(409, {"message": "SHA does not match HEAD of source branch"})
    method = "squash" if call.flag("squash") else "merge"
    changes.merge(call.instance, project, merge_request, call.who(), method)
    return Answer(value=entities.merge_request(call.instance, merge_request, project, single=True))


def pipelines(call: Call) -> Answer:
    """`GET /projects/:id/merge_requests/:iid/pipelines`: its own, and those of its commits' branch."""
    project, merge_request = call.merge_request()
    found = [
        (pipeline, place)
        for place in {project, merge_request.source_project or project}
        for pipeline in place.pipelines
        if (place is project and pipeline.merge_request == merge_request.iid)
        or (pipeline.sha == merge_request.sha and pipeline.merge_request is None)
    ]
    found.sort(key=lambda one: one[0].id, reverse=True)
    return call.page([entities.pipeline(call.instance, one, place) for one, place in found])


def run_pipeline(call: Call) -> Answer:
    """`POST /projects/:id/merge_requests/:iid/pipelines`."""
    project, merge_request = _editable(call)
    made = changes.run_pipeline(
        call.instance,
        project,
        sha=merge_request.sha,
        ref=merge_request.ref,
        who=call.who(),
        merge_request=merge_request,
    )
    if made is None:
        raise Refused(400, {"message": {"base": ["No stages / jobs for this pipeline."]}})
    return Answer(value=entities.pipeline(call.instance, made, project), status=201)


def project_pipelines(call: Call) -> Answer:
    """`GET /projects/:id/pipelines`."""
    project = call.readable()
    found = list(project.pipelines)
    for name in ("sha", "ref", "source", "status"):
        if (value := call.text(name)) is not None:
            found = [one for one in found if getattr(one, name) == value]
    found.sort(key=lambda one: one.id, reverse=True)
    return call.page([entities.pipeline(call.instance, one, project) for one in found])


def one_pipeline(call: Call) -> Answer:
    """`GET /projects/:id/pipelines/:pipeline`."""
    project = call.readable()
    for one in project.pipelines:
        if str(one.id) == call.named["pipeline"]:
            return Answer(value=entities.pipeline(call.instance, one, project))
    raise not_found("Pipeline")


_ONE = "/projects/:id/merge_requests/:iid"
ROUTES = (
    Route(method="GET", path="/projects/:id/merge_requests", run=listed),
    Route(method="POST", path="/projects/:id/merge_requests", run=create),
    Route(method="GET", path=_ONE, run=show),
    Route(method="PUT", path=_ONE, run=edit),
    Route(method="PUT", path=f"{_ONE}/merge", run=merge),
    Route(method="GET", path=f"{_ONE}/pipelines", run=pipelines),
    Route(method="POST", path=f"{_ONE}/pipelines", run=run_pipeline),
    Route(method="GET", path="/projects/:id/pipelines", run=project_pipelines),
    Route(method="GET", path="/projects/:id/pipelines/:pipeline", run=one_pipeline),
)
"""What this module answers."""
