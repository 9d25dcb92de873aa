"""Asks a git server over https where some refs are, in one request: protocol 2's `ls-refs`.

Git itself would ask twice and start two processes for it, and would be told of every merge request that there
ever was. A server that does not speak protocol 2 as expected is left to git.
See https://git-scm.com/docs/protocol-v2#_ls_refs
"""

import re
import ssl
import time
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from reana_bridge.forges.base import ForgeError

MEDIA_TYPE = "application/x-git-upload-pack"
LIMIT = 64 * 1024**2
"""Bytes of an answer."""

_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([^ ]+)((?: [a-z-]+:[^ ]+)*)")


class AnsweredOtherwise(Exception):
    """The server did not answer as protocol 2 has it (a refusal, an older server)."""


class RefLister:
    """Asks the git servers of one forge; may be used by any number of threads."""

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

    def ask(self, url: str, prefixes: Iterable[str], *, authorization: str) -> bytes:
        """Every ref that begins with one of `prefixes`, as lines of `git ls-remote --symref`.

        Args:
            url: The repository.
            prefixes: Such as `HEAD` and `refs/heads/`.
            authorization: Value of the `Authorization` header; empty for none.

        Raises:
            AnsweredOtherwise: Git should be asked instead; it says best what is wrong.
            ForgeError: The server could not be reached.
        """
        import httpx

        headers = {
            "Content-Type": f"{MEDIA_TYPE}-request",
            "Accept": f"{MEDIA_TYPE}-result",
            "Git-Protocol": "version=2",
            "User-Agent": "git/reana-bridge",
        }
        if authorization:
            headers["Authorization"] = authorization
        deadline = self._clock() + self._timeout
        try:
            client = self._client()
            with client.stream(
                "POST", f"{url}/git-upload-pack", headers=headers, content=question(prefixes)
            ) as answer:
                kind = str(answer.headers.get("content-type", ""))
                if answer.status_code != 200 or kind != f"{MEDIA_TYPE}-result":
                    raise AnsweredOtherwise(f"{answer.status_code} {kind}")
                content = bytearray()
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > LIMIT or self._clock() > deadline:
                        raise ForgeError(f"{url} lists its refs without end; ask its administrator")
        except httpx.HTTPError as error:
            raise ForgeError(f"{url} could not be asked for its refs: {type(error).__name__}") from error
        return listing(bytes(content))

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


def question(prefixes: Iterable[str]) -> bytes:
    """The request's body: the command, then its arguments, each line with its length before it."""
    arguments = ["peel\n", "symrefs\n", *(f"ref-prefix {prefix}\n" for prefix in prefixes)]
    return _line("command=ls-refs\n") + b"0001" + b"".join(map(_line, arguments)) + b"0000"


def listing(answer: bytes) -> bytes:
    """The answer's refs as lines of `git ls-remote --symref`.

    Raises:
        AnsweredOtherwise: It is none of this protocol.
    """
    lines: list[bytes] = []
    at = 0
    while answer[at : at + 4] != b"0000":
        try:
            size = int(answer[at : at + 4], 16)
        except ValueError as error:
            raise AnsweredOtherwise("a line without a length") from error
        found = _LINE.fullmatch(answer[at + 4 : at + size].removesuffix(b"\n"))
        if size <= 4 or at + size > len(answer) or found is None:
            raise AnsweredOtherwise("a line that is no ref")
        lines += _refs(found[1], found[2], found[3].split())
        at += size
    return b"".join(line + b"\n" for line in lines)


def _refs(sha: bytes, ref: bytes, attributes: list[bytes]) -> Iterable[bytes]:
    for attribute in attributes:
        if attribute.startswith(b"symref-target:"):
            yield b"ref: " + attribute.partition(b":")[2] + b"\t" + ref
    yield sha + b"\t" + ref
    for attribute in attributes:
        if attribute.startswith(b"peeled:"):
            yield attribute.partition(b":")[2] + b"\t" + ref + b"^{}"


def _line(text: str) -> bytes:
    content = text.encode("utf-8")
    return f"{len(content) + 4:04x}".encode("ascii") + content
