"""Git over HTTP: clones, fetches and pushes with real git behind them, with the rights of the token.

Merge request heads can be fetched, any commit of the repository by its sha too; nobody can push to a merge
request's ref.
"""

import dataclasses
from collections.abc import Mapping

from reana_bridge.testing import git_http
from reana_bridge.testing.answering import Answer
from reana_bridge.testing.git_http import GitRequest
from reana_bridge.testing.gitlab import changes
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import Level, Project, Token

DENIED = "HTTP Basic: Access denied"

_READS = frozenset({"api", "read_repository", "write_repository"})
_WRITES = frozenset({"api", "write_repository"})
_REFUSALS = {401: DENIED, 403: "You are not allowed to do that"}


def refused(status: int, message: str) -> Answer:
    """A refusal that git shows."""
    answer = git_http.refused(status, message, realm="GitLab")
    return dataclasses.replace(answer, headers={**answer.headers, "Cache-Control": "no-cache"})


def answer(
    instance: Instance,
    request: GitRequest,
    token: Token | None,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """The answer to one request; `token` is valid or None."""
    with instance.lock:
        project, status = _refusal(instance, request, token)
    if project is None:
        return refused(status, _REFUSALS.get(status, "The project you were looking for could not be found"))
    body = git_http.unpacked(headers, body)
    if not request.writes or request.advertise or token is None:
        return git_http.answer(project.repository, request, headers, body)
    return _push(instance, project, request, token, headers, body)


def _refusal(instance: Instance, request: GitRequest, token: Token | None) -> tuple[Project | None, int]:
    """The project, and 0 or the status that refuses."""
    project = instance.project_at(request.path) or instance.moved_from(request.path)
    user = token.user if token else None
    scopes: frozenset[str] = token.scopes if token else frozenset()
    if project is None or not instance.may_read_code(project, user) or (token and not scopes & _READS):
        # A stranger is asked who they are, whether there is such a project or not.
        return None, 401 if token is None else 404 if scopes & _READS else 403
    if request.writes and token is None:
        return None, 401
    if request.writes and (
        not scopes & _WRITES or instance.level(project, user) < Level.DEVELOPER or project.archived
    ):
        return None, 403
    return project, 0


def _push(
    instance: Instance,
    project: Project,
    request: GitRequest,
    token: Token,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    with instance.lock:
        for ref in git_http.pushed_refs(body):
            branch = ref.removeprefix("refs/heads/")
            if branch != ref and not instance.may_push(project, token.user, branch):
                return refused(403, "You are not allowed to push code to this branch")
        before = project.repository.refs()
        answered = git_http.answer(project.repository, request, headers, body)
        changes.pushed(instance, project, before, project.repository.refs(), token.user)
    return answered
