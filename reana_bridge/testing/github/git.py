"""Git over HTTP for the fake: clones, fetches and pushes with real git behind them and the token's rights.

Any user name does; the token is the password. A token that is no good is refused also for a public
repository, as by the real one. A renamed repository is redirected.
"""

import gzip
import subprocess
from collections.abc import Mapping

from reana_bridge.testing.github import happenings
from reana_bridge.testing.github.api import Answer
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.things import Project
from reana_bridge.testing.github.world import Actor, World
from reana_bridge.testing.gitlab.git_http import GitRequest, pushed_refs
from reana_bridge.testing.gitlab.repository import environment


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
        writes = request.service == "git-receive-pack"
        if moved is not None and world.level(moved, actor, "contents"):
            place = f"{world.url}/{moved.path}.git/" + (
                f"info/refs?service={request.service}" if request.advertise else request.service
            )
            return Answer(status=301, value=b"", headers={"Location": place})
        if project is None or world.level(project, actor, "contents") < 1:
            return _refused(404, "Repository not found.") if actor.token else _refused(401, "Sign in.")
        if writes and world.level(project, actor, "contents") < 2:
            return _refused(403 if actor.token else 401, "Permission denied.")
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    if not writes or request.advertise:
        return _of_git(project, request, headers, body)
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
        refs = pushed_refs(body)
        if actor.user is None or any(not ref.startswith(("refs/heads/", "refs/tags/")) for ref in refs):
            return _refused(403, "deny updating a hidden ref")
        before = project.repository.refs()
        answered = _of_git(project, request, headers, body)
        happenings.pushed(world, bodies, project, before, project.repository.refs(), actor.user)
    return answered


def _of_git(project: Project, request: GitRequest, headers: Mapping[str, str], body: bytes) -> Answer:
    protocol = headers.get("git-protocol", "")
    arguments = ["--stateless-rpc", *(["--advertise-refs"] if request.advertise else [])]
    done = subprocess.run(
        ["git", request.service.removeprefix("git-"), *arguments, str(project.repository.path)],
        env=environment() | ({"GIT_PROTOCOL": protocol} if protocol else {}),
        input=body,
        capture_output=True,
    )
    output = done.stdout
    if request.advertise and "version=2" not in protocol:
        line = f"# service={request.service}\n".encode()
        output = b"%04x" % (len(line) + 4) + line + b"0000" + output
    kind = "advertisement" if request.advertise else "result"
    described = {"Content-Type": f"application/x-{request.service}-{kind}", "Cache-Control": "no-cache"}
    return Answer(value=output, headers=described)


def _refused(status: int, message: str) -> Answer:
    headers = {"Content-Type": "text/plain"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="GitHub"'
    return Answer(status=status, value=message.encode(), headers=headers)
