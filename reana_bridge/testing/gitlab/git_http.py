"""Git over HTTP: clones, fetches and pushes with real git behind them, with the rights of the token.

Any user name does; the token is the password. Merge request heads can be fetched, any commit of the
repository by its sha too; nobody can push to a merge request's ref.
"""

import asyncio
import base64
import binascii
import gzip
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from reana_bridge.testing.gitlab import changes
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.repository import environment
from reana_bridge.testing.gitlab.things import Level, Project, Token

SERVICES = ("git-upload-pack", "git-receive-pack")
_READS = frozenset({"api", "read_repository", "write_repository"})
_WRITES = frozenset({"api", "write_repository"})


@dataclass(frozen=True, kw_only=True)
class GitRequest:
    """What a request asks of git: the repository's path, the service, and whether it only asks for refs."""

    path: str
    service: str
    advertise: bool


@dataclass(frozen=True, kw_only=True)
class GitAnswer:
    """Status, type and body of an answer; `user` is who asked."""

    status: int
    kind: str = "text/plain"
    body: bytes = b""
    user: str = ""


def recognise(path: str, query: Mapping[str, str]) -> GitRequest | None:
    """What `path` asks of git; None where it is something else."""
    if path.endswith("/info/refs") and query.get("service") in SERVICES:
        place, service, advertise = path.removesuffix("/info/refs"), query["service"], True
    else:
        place, _, service = path.rpartition("/")
        advertise = False
    if service not in SERVICES:
        return None
    return GitRequest(path=place.strip("/").removesuffix(".git"), service=service, advertise=advertise)


def credentials(headers: Mapping[str, str]) -> str:
    """The token of `Authorization: Basic ...` or `Bearer ...`; empty where there is none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _refusal(instance: Instance, request: GitRequest, token: Token | None) -> tuple[Project | None, int]:
    """The project, and 0 or the status that refuses."""
    project = instance.project_at(request.path) or instance.moved_from(request.path)
    user = token.user if token else None
    scopes: frozenset[str] = token.scopes if token else frozenset()
    writes = request.service == "git-receive-pack"
    if project is None or not instance.may_read_code(project, user) or (token and not scopes & _READS):
        # A stranger is asked who they are, whether there is such a project or not.
        return None, 401 if token is None else 404 if scopes & _READS else 403
    if writes and token is None:
        return None, 401
    if writes and (
        not scopes & _WRITES or instance.level(project, user) < Level.DEVELOPER or project.archived
    ):
        return None, 403
    return project, 0


async def answer(
    instance: Instance,
    request: GitRequest,
    token: Token | None,
    headers: Mapping[str, str],
    body: bytes,
) -> GitAnswer:
    """The answer to one request; `token` is valid or None."""
    with instance.lock:
        project, status = _refusal(instance, request, token)
    name = token.user.username if token else ""
    if project is None:
        text = {401: "HTTP Basic: Access denied", 403: "You are not allowed to do that"}
        shown = text.get(status, "The project you were looking for could not be found").encode()
        return GitAnswer(status=status, body=shown, user=name)
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    output = await asyncio.to_thread(_serve, instance, project, request, token, headers, body)
    if output is None:
        return GitAnswer(status=403, body=b"You are not allowed to push code to this branch", user=name)
    kind = "advertisement" if request.advertise else "result"
    return GitAnswer(status=200, kind=f"application/x-{request.service}-{kind}", body=output, user=name)


def _serve(
    instance: Instance,
    project: Project,
    request: GitRequest,
    token: Token | None,
    headers: Mapping[str, str],
    body: bytes,
) -> bytes | None:
    """What git answers; None where a branch may not be pushed to."""
    protocol = headers.get("git-protocol", "")
    if request.service == "git-upload-pack" or request.advertise or token is None:
        return _run(project, request, protocol, body)
    with instance.lock:
        for ref in pushed_refs(body):
            branch = ref.removeprefix("refs/heads/")
            if branch != ref and not instance.may_push(project, token.user, branch):
                return None
        before = project.repository.refs()
        output = _run(project, request, protocol, body)
        changes.pushed(instance, project, before, project.repository.refs(), token.user)
    return output


def pushed_refs(body: bytes) -> list[str]:
    """The refs that the body of a push wants to move."""
    found: list[str] = []
    at = 0
    while (size := int(body[at : at + 4] or b"0", 16)) >= 4:
        line = body[at + 4 : at + size].partition(b"\0")[0].decode("utf-8", "replace").strip()
        found.append(line.split(" ", 2)[-1])
        at += size
    return found


def _run(project: Project, request: GitRequest, protocol: str, body: bytes) -> bytes:
    service = request.service.removeprefix("git-")
    arguments = ["--stateless-rpc", *(["--advertise-refs"] if request.advertise else [])]
    done = subprocess.run(
        ["git", service, *arguments, str(project.repository.path)],
        env=environment() | ({"GIT_PROTOCOL": protocol} if protocol else {}),
        input=body,
        capture_output=True,
    )
    if request.advertise and "version=2" not in protocol:
        return _announced(request.service) + done.stdout
    return done.stdout


def _announced(service: str) -> bytes:
    line = f"# service={service}\n".encode()
    return b"%04x" % (len(line) + 4) + line + b"0000"
