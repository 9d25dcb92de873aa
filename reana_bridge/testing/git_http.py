"""Git over HTTP, as every forge speaks it: what a request asks of git, and git's answer to it.

Who may do what, the forges say. Any user name does; the token is the password.
"""

import base64
import binascii
import gzip
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from reana_bridge.testing.answering import Answer
from reana_bridge.testing.repository import Repository, environment

SERVICES = ("git-upload-pack", "git-receive-pack")


@dataclass(frozen=True, kw_only=True)
class GitRequest:
    """What a request asks of git: the repository's path, the service, and whether it only asks for refs."""

    path: str
    service: str
    advertise: bool

    @property
    def writes(self) -> bool:
        """Whether it is part of a push."""
        return self.service == "git-receive-pack"


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


def unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body as git wrote it."""
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


def pushed_refs(body: bytes) -> list[str]:
    """The refs that the body of a push wants to move."""
    found: list[str] = []
    at = 0
    while (size := int(body[at : at + 4] or b"0", 16)) >= 4:
        line = body[at + 4 : at + size].partition(b"\0")[0].decode("utf-8", "replace").strip()
        found.append(line.split(" ", 2)[-1])
        at += size
    return found


def answer(repository: Repository, request: GitRequest, headers: Mapping[str, str], body: bytes) -> Answer:
    """What git answers; `body` is unpacked."""
    protocol = headers.get("git-protocol", "")
    arguments = ["--stateless-rpc", *(["--advertise-refs"] if request.advertise else [])]
    done = subprocess.run(
        ["git", request.service.removeprefix("git-"), *arguments, str(repository.path)],
        env=environment() | ({"GIT_PROTOCOL": protocol} if protocol else {}),
        input=body,
        capture_output=True,
    )
    announced = request.advertise and "version=2" not in protocol
    kind = "advertisement" if request.advertise else "result"
    described = {"Content-Type": f"application/x-{request.service}-{kind}", "Cache-Control": "no-cache"}
    value = _announced(request.service) + done.stdout if announced else done.stdout
    return Answer(value=value, headers=described)


def refused(status: int, message: str, *, realm: str) -> Answer:
    """A refusal that git shows; with 401 it asks for a token."""
    headers = {"Content-Type": "text/plain"}
    if status == 401:
        headers["WWW-Authenticate"] = f'Basic realm="{realm}"'
    return Answer(status=status, value=message.encode(), headers=headers)


def _announced(service: str) -> bytes:
    line = f"# service={service}\n".encode()
    return b"%04x" % (len(line) + 4) + line + b"0000"
