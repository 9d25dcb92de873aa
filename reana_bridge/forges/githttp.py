"""Asks a git server over https in protocol 2, one request a question, over connections that are kept.

Git itself makes a connection of its own each time, and asks first what the server can do. A server that does
not speak protocol 2 as expected is left to git, and so is whatever is out of the common.
See https://git-scm.com/docs/protocol-v2
"""

import ssl
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from reana_bridge.forges.base import ForgeError

MEDIA_TYPE = "application/x-git-upload-pack"
_HEADERS = {
    "Content-Type": f"{MEDIA_TYPE}-request",
    "Accept": f"{MEDIA_TYPE}-result",
    "Git-Protocol": "version=2",
    "User-Agent": "git/reana-bridge",
}


class AnsweredOtherwise(Exception):
    """The server did not answer as protocol 2 has it (a refusal, an older server)."""


class AnswerTooLong(ForgeError):
    """The answer went on beyond the limit of bytes or seconds."""


class GitHttp:
    """The git servers of one forge; may be asked by any number of threads."""

    def __init__(
        self,
        *,
        timeout: float,
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `timeout` in seconds for an answer, `ca_file` to trust instead of the system's."""
        self._timeout = timeout
        self._ca_file = ca_file
        self._clock = clock
        self._opened: Any = None
        self._lock = Lock()

    def ask(self, url: str, question: bytes, *, authorization: str, limit: int) -> bytes:
        """What the repository answers to a command.

        Args:
            url: The repository.
            question: As `command` puts it together.
            authorization: Value of the `Authorization` header; empty for none.
            limit: Bytes that the answer may have.

        Raises:
            AnsweredOtherwise: Git should be asked instead; it says best what is wrong.
            AnswerTooLong: There is more of it.
            ForgeError: The server could not be reached.
        """
        import httpx

        headers = _HEADERS | ({"Authorization": authorization} if authorization else {})
        deadline = self._clock() + self._timeout
        content = bytearray()
        try:
            with self._client().stream(
                "POST", f"{url}/git-upload-pack", headers=headers, content=question
            ) as answer:
                kind = str(answer.headers.get("content-type", ""))
                if answer.status_code != 200 or kind != f"{MEDIA_TYPE}-result":
                    raise AnsweredOtherwise(f"{answer.status_code} {kind}")
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > limit or self._clock() > deadline:
                        raise AnswerTooLong(f"{url} answers without end; ask its administrator")
        except httpx.HTTPError as error:
            raise ForgeError(f"{url} could not be asked: {type(error).__name__}") from error
        return bytes(content)

    def _client(self) -> Any:
        import httpx

        with self._lock:
            if self._opened is None:
                verify: Any = True
                if self._ca_file is not None:
                    verify = ssl.create_default_context(cafile=str(self._ca_file))
                self._opened = httpx.Client(verify=verify, timeout=self._timeout, follow_redirects=False)
                weakref.finalize(self, self._opened.close)
            return self._opened


def command(name: str, arguments: Iterable[str]) -> bytes:
    """A request's body: the command, then its arguments, each line with its length before it."""
    return b"".join([_line(f"command={name}\n"), b"0001", *(_line(f"{a}\n") for a in arguments), b"0000"])


def lines(answer: bytes) -> Iterator[bytes]:
    """The lines of an answer up to its end; an empty one where a new section begins.

    Raises:
        AnsweredOtherwise: It is cut off, or none of this protocol.
    """
    at = 0
    while (length := answer[at : at + 4]) != b"0000":
        try:
            size = 4 if length == b"0001" else int(length, 16)
        except ValueError as error:
            raise AnsweredOtherwise("a line without a length") from error
        if size <= 4 - (length == b"0001") or at + size > len(answer):
            raise AnsweredOtherwise("a line that is cut off")
        yield answer[at + 4 : at + size]
        at += size


def _line(text: str) -> bytes:
    content = text.encode("utf-8")
    return f"{len(content) + 4:04x}".encode("ascii") + content
