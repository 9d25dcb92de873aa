"""Git over HTTP for the fake: clones, fetches and pushes with real git behind them and the token's rights.

A token that is no good is refused also for a public repository, as by the real one. A renamed repository is
redirected.
"""

from collections.abc import Mapping

from reana_bridge.testing import git_http
from reana_bridge.testing.answering import Answer
from reana_bridge.testing.git_http import GitRequest
from reana_bridge.testing.github import happenings
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.things import Project
from reana_bridge.testing.github.world import Actor, World


def answer(
    world: World,
    bodies: Bodies,
    request: GitRequest,
    actor: Actor | None,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """The answer to one request; `actor` is None for a token that is no good."""
    with world.lock:
        if actor is None or actor.app is not None:
            return _refused(401, "Invalid username or token.")
        project = world.project_at(request.path)
        moved = None if project else world.moved_from(request.path)
        if moved is not None and world.level(moved, actor, "contents"):
            place = f"{world.url}/{moved.path}.git/" + (
                f"info/refs?service={request.service}" if request.advertise else request.service
            )
            return Answer(status=301, value=b"", headers={"Location": place})
        if project is None or world.level(project, actor, "contents") < 1:
            return _refused(404, "Repository not found.") if actor.token else _refused(401, "Sign in.")
        if request.writes and world.level(project, actor, "contents") < 2:
            return _refused(403 if actor.token else 401, "Permission denied.")
    body = git_http.unpacked(headers, body)
    if not request.writes or request.advertise:
        return git_http.answer(project.repository, request, headers, body)
    return _push(world, bodies, project, request, actor, headers, body)


def _push(
    world: World,
    bodies: Bodies,
    project: Project,
    request: GitRequest,
    actor: Actor,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    with world.lock:
        refs = git_http.pushed_refs(body)
        if actor.user is None or any(not ref.startswith(("refs/heads/", "refs/tags/")) for ref in refs):
            return _refused(403, "deny updating a hidden ref")
        before = project.repository.refs()
        answered = git_http.answer(project.repository, request, headers, body)
        happenings.pushed(world, bodies, project, before, project.repository.refs(), actor.user)
    return answered


def _refused(status: int, message: str) -> Answer:
    return git_http.refused(status, message, realm="GitHub")
