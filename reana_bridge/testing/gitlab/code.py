"""Commits, branches, files, archives and comparisons over the REST API."""

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import entities
from reana_bridge.testing.gitlab.api import Call, not_found
from reana_bridge.testing.gitlab.things import Project

_MOST_COMPARED = 1000


def _commit(call: Call, project: Project, name: str) -> str:
    sha = project.repository.commit_of(name)
    if sha is None:
        raise not_found("Commit")
    return sha


def commit(call: Call) -> Answer:
    """`GET /projects/:id/repository/commits/:sha`."""
    project = call.readable()
    sha = _commit(call, project, call.named["sha"])
    shown = entities.commit(call.instance, project.repository.commit(sha), project)
    newest = [pipeline for pipeline in project.pipelines if pipeline.sha == sha]
    last = entities.pipeline(call.instance, newest[-1], project) if newest else None
    status = newest[-1].status if newest else None
    return Answer(value=shown | {"status": status, "project_id": project.id, "last_pipeline": last})


def commits(call: Call) -> Answer:
    """`GET /projects/:id/repository/commits`."""
    project = call.readable()
    sha = _commit(call, project, call.text("ref_name") or project.default_branch)
    found = project.repository.commits(sha, limit=_MOST_COMPARED)
    return call.page([entities.commit(call.instance, one, project) for one in found])


def branches(call: Call) -> Answer:
    """`GET /projects/:id/repository/branches`."""
    project = call.readable()
    heads = [(ref, sha) for ref, sha in project.repository.refs().items() if ref.startswith("refs/heads/")]
    shown = [
        entities.branch(call.instance, project, ref.removeprefix("refs/heads/"), sha, call.user)
        for ref, sha in heads
    ]
    return call.page(shown)


def branch(call: Call) -> Answer:
    """`GET /projects/:id/repository/branches/:branch`."""
    project = call.readable()
    name = call.named["branch"]
    sha = project.repository.refs().get(f"refs/heads/{name}")
    if sha is None:
        raise not_found("Branch")
    return Answer(value=entities.branch(call.instance, project, name, sha, call.user))


def raw(call: Call) -> Answer:
    """`GET /projects/:id/repository/files/:path/raw`."""
    project = call.readable()
    sha = _commit(call, project, call.text("ref") or project.default_branch)
    content = project.repository.file(sha, call.named["path"])
    if content is None:
        raise not_found("File")
    return Answer(value=content, headers={"X-Gitlab-Commit-Id": sha, "Content-Type": "text/plain"})


def archive(call: Call) -> Answer:
    """`GET /projects/:id/repository/archive.tar.gz` (and `.zip`), few a minute."""
    project = call.readable()
    limit, now = call.instance.archive_limit, call.instance.clock()
    key = call.user.username if call.user else ""
    if limit is not None and not limit.take(key, now):
        message = {"error": "This endpoint has been requested too many times. Try again later."}
        raise Refused(429, {"message": message}, limit.describe(key, now, refused=True))
    sha = _commit(call, project, call.text("sha") or project.default_branch)
    kind = "zip" if call.path.endswith(".zip") else "tar.gz"
    name = f"{project.name}-{sha}"
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f'attachment; filename="{name}.{kind}"',
    }
    return Answer(value=project.repository.archive(sha, name, kind), headers=headers)


def merge_base(call: Call) -> Answer:
    """`GET /projects/:id/repository/merge_base?refs[]=&refs[]=`."""
    project = call.readable()
    names = call.listed("refs")
    if len(names) < 2:
        raise Refused(400, {"message": "Provide at least 2 refs"})
    shas = [project.repository.commit_of(name) for name in names]
    known = [sha for sha in shas if sha is not None]
    if len(known) < len(names):
        missing = [name for name, sha in zip(names, shas, strict=True) if sha is None]
        raise Refused(400, {"message": f"Could not find ref: {', '.join(missing)}"})
    base = project.repository.merge_base(*known)
    if base is None:
        raise not_found("Merge Base")
    return Answer(value=entities.commit(call.instance, project.repository.commit(base), project))


def compare(call: Call) -> Answer:
    """`GET /projects/:id/repository/compare?from=&to=`."""
    project = call.readable()
    old, new = (_commit(call, project, call.required(name)) for name in ("from", "to"))
    found = project.repository.commits(new, f"^{old}", limit=_MOST_COMPARED)
    shown = [entities.commit(call.instance, one, project) for one in reversed(found)]
    changed = project.repository.text("diff", "--name-only", f"{old}...{new}").splitlines()
    value = {
        "commit": shown[-1] if shown else None,
        "commits": shown,
        "diffs": [{"old_path": path, "new_path": path} for path in changed],
        "compare_timeout": False,
        "compare_same_ref": old == new,
    }
    return Answer(value=value)


_CODE = "/projects/:id/repository"
ROUTES = (
    Route(method="GET", path=f"{_CODE}/commits", run=commits),
    Route(method="GET", path=f"{_CODE}/commits/:sha", run=commit),
    Route(method="GET", path=f"{_CODE}/branches", run=branches),
    Route(method="GET", path=f"{_CODE}/branches/:branch", run=branch),
    Route(method="GET", path=f"{_CODE}/files/:path/raw", run=raw),
    Route(method="GET", path=f"{_CODE}/archive", run=archive),
    Route(method="GET", path=f"{_CODE}/archive.tar.gz", run=archive),
    Route(method="GET", path=f"{_CODE}/archive.zip", run=archive),
    Route(method="GET", path=f"{_CODE}/merge_base", run=merge_base),
    Route(method="GET", path=f"{_CODE}/compare", run=compare),
)
"""What this module answers."""
