"""What a commit adds to those that are here already, in one request: protocol 2's `fetch`.

For the usual push alone: its history is known but for the last few commits, and little is new. A first fetch,
one with much to bring, and one of a history that the server does not join to ours are left to git.
See https://git-scm.com/docs/protocol-v2#_fetch
"""

from collections.abc import Sequence

from reana_bridge.forges.githttp import AnsweredOtherwise, AnswerTooLong, GitHttp, command, lines

LIMIT = 8 * 1024**2
"""Bytes of an answer, which is held in memory."""

_DATA, _PROGRESS = 1, 2


def ask_pack(http: GitHttp, url: str, sha: str, here: Sequence[str], *, authorization: str) -> bytes:
    """A pack of the objects of `sha`'s history that the histories of `here` have not; it may be thin.

    Args:
        http: Asks the forge's servers.
        url: The repository.
        sha: The commit that is missing.
        here: Commits that are not, with their whole histories; at least one.
        authorization: Value of the `Authorization` header; empty for none.

    Raises:
        AnsweredOtherwise: Git should fetch instead.
        ForgeError: The server could not be reached.
    """
    try:
        answer = http.ask(url, question(sha, here), authorization=authorization, limit=LIMIT)
    except AnswerTooLong as error:
        raise AnsweredOtherwise("much to bring") from error
    return pack(answer)


def question(sha: str, here: Sequence[str]) -> bytes:
    """The request's body; without a `done`, so that the server sends only what it can join to ours."""
    if len(sha) != 40:
        raise AnsweredOtherwise("a repository of another object format than the usual one")
    wishes = ["thin-pack", "no-progress", "ofs-delta", f"want {sha}", *(f"have {one}" for one in here)]
    return command("fetch", wishes)


def pack(answer: bytes) -> bytes:
    """The pack that an answer holds.

    Raises:
        AnsweredOtherwise: It holds none: the server joins nothing to what is here, or has no such commit.
    """
    sections = lines(answer)
    if b"ready\n" not in sections:
        raise AnsweredOtherwise("nothing in common")
    found = bytearray()
    for line in sections:
        if line[:1] == bytes([_DATA]):
            found += line[1:]
        elif line and line != b"packfile\n" and line[:1] != bytes([_PROGRESS]):
            raise AnsweredOtherwise("a line that is no part of a pack")
    if not found.startswith(b"PACK"):
        raise AnsweredOtherwise("no pack")
    return bytes(found)
