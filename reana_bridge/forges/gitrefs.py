"""Where some refs of a repository are, in one request: protocol 2's `ls-refs`.

Git itself would ask twice and start two processes for it, and would be told of every merge request that there
ever was.
See https://git-scm.com/docs/protocol-v2#_ls_refs
"""

import re
from collections.abc import Iterable

from reana_bridge.forges.githttp import AnsweredOtherwise, GitHttp, command, lines

LIMIT = 64 * 1024**2
"""Bytes of an answer."""

_LINE = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([^ ]+)((?: [a-z-]+:[^ ]+)*)")


def ask_refs(http: GitHttp, url: str, prefixes: Iterable[str], *, authorization: str) -> bytes:
    """Every ref that begins with one of `prefixes`, as lines of `git ls-remote --symref`.

    Args:
        http: Asks the forge's servers.
        url: The repository.
        prefixes: Such as `HEAD` and `refs/heads/`.
        authorization: Value of the `Authorization` header; empty for none.

    Raises:
        AnsweredOtherwise: Git should be asked instead; it says best what is wrong.
        ForgeError: The server could not be reached.
    """
    return listing(http.ask(url, question(prefixes), authorization=authorization, limit=LIMIT))


def question(prefixes: Iterable[str]) -> bytes:
    """The request's body."""
    return command("ls-refs", ["peel", "symrefs", *(f"ref-prefix {prefix}" for prefix in prefixes)])


def listing(answer: bytes) -> bytes:
    """The answer's refs as lines of `git ls-remote --symref`.

    Raises:
        AnsweredOtherwise: It is none of this protocol.
    """
    found: list[bytes] = []
    for line in lines(answer):
        ref = _LINE.fullmatch(line.removesuffix(b"\n"))
        if ref is None:
            raise AnsweredOtherwise("a line that is no ref")
        found += _refs(ref[1], ref[2], ref[3].split())
    return b"".join(line + b"\n" for line in found)


def _refs(sha: bytes, ref: bytes, attributes: list[bytes]) -> Iterable[bytes]:
    for attribute in attributes:
        if attribute.startswith(b"symref-target:"):
            yield b"ref: " + attribute.partition(b":")[2] + b"\t" + ref
    yield sha + b"\t" + ref
    for attribute in attributes:
        if attribute.startswith(b"peeled:"):
            yield attribute.partition(b":")[2] + b"\t" + ref + b"^{}"
