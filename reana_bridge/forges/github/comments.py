"""Comments on pull requests: the one note, short answers, and reactions.

Promises: a comment is ours when it begins with our hidden marker and we wrote it; there is one note in the
end, of several the oldest stays; it is edited in place, only when its text changed, and made again once when
somebody deleted it; a comment is answered once.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from reana_bridge.forges.base import CommentFacts, ForgeRefused, Identity, Note, Posted
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.telling import settled
from reana_bridge.model.projects import Project

LIMIT = 65_536
"""Characters of a comment."""

NOTE_MARKER = "<!-- reana-bridge:v1 note -->"
"""The first line of a note; it stays as it is, as older notes are found by it."""

_REPLY_MARKER = "<!-- reana-bridge:v1 reply {} -->"
_AT_A_PULL = re.compile(r"/pull/([0-9]{1,9})#", re.ASCII)
_CUT = "\n\n… (shortened)"
_RIGHT = "the scope `repo`, or the permission `pull requests: write`"


class Comments:
    """Writes as one identity."""

    def __init__(self, api: Api, identity: Callable[[], Identity]) -> None:
        self._api = api
        self._identity = identity

    def post_note(self, project: Project, note: Note, posted: Posted) -> Posted:
        """Make the pull request show `note`; arguments and errors as `Forge.post_note`.

        Raises:
            ForgeRefused: It has no pull request, besides.
        """
        if note.merge_request is None:
            raise ForgeRefused(f"{project} at {note.sha[:10]}: GitHub shows notes at pull requests alone")
        text = _marked(NOTE_MARKER, note.body)
        mark = _digest(text)
        if posted.get("left"):
            return settled(posted)
        if posted.get("digest") == mark and "comment" in posted and not posted.get("unsure"):
            return posted
        comment, anew = posted.get("comment"), bool(posted.get("anew"))
        if comment is not None:
            ours = self._ours(project, note.merge_request, NOTE_MARKER) if posted.get("unsure") else {}
            if ours:
                kept = self._one_of(ours, project, note.merge_request, text)
                return {**settled(posted), "comment": kept, "digest": mark}
            if self._edit(project, note.merge_request, comment, text):
                return {**settled(posted), "digest": mark}
            if anew:
                return {**settled(posted), "left": True}  # deleted twice: nobody wants it
            anew = True
        made = self._one(project, note.merge_request, NOTE_MARKER, text)
        return {"comment": made, "digest": mark, "anew": anew}

    def reply(self, project: Project, number: int, comment: str, body: str, posted: Posted) -> Posted:
        """Answer the comment once; arguments and errors as `HostedForge.reply`.

        The answer grows with those to other commands of the comment; one that a person deleted stays away.
        """
        marker = _REPLY_MARKER.format("".join(c for c in comment if c.isalnum()))
        text = _marked(marker, body)
        mark = _digest(text)
        known = posted.get("comment")
        if known is None:
            return {"comment": self._one(project, number, marker, text), "digest": mark}
        ours = self._ours(project, number, marker) if posted.get("unsure") else {}
        if ours:
            known = self._one_of(ours, project, number, text)
        elif posted.get("digest") != mark:
            self._edit(project, number, known, text)
        return {"comment": known, "digest": mark}

    def since(self, project: Project, since: float) -> list[CommentFacts]:
        """What was written at pull requests since then; see `HostedForge.comments`."""
        found = self._api.pages(
            "/issues/comments",
            project,
            what=f"list the newest comments of {project}",
            right=_RIGHT,
            query={"sort": "updated", "direction": "asc", "since": _when(since)},
        )
        facts = [_facts(item) for item in found]
        return [each for each in facts if each is not None and each.at >= since]

    def react(self, project: Project, number: int, comment: str, reaction: str) -> None:
        """Put a reaction on a comment; GitHub itself makes it only once."""
        if not comment.isdigit():
            raise ForgeRefused(f"{project}: {comment[:40]!r} is not a comment's id")
        self._api.of(
            "POST",
            f"/issues/comments/{comment}/reactions",
            project,
            what=f"put a reaction on comment {comment} of {project}#{number}",
            right=_RIGHT,
            data={"content": reaction},
            repeatable=True,
        )

    def _one(self, project: Project, number: int, marker: str, text: str) -> int:
        """The id of the one comment with `marker`, which says `text` from now on."""
        ours = self._ours(project, number, marker)
        return self._one_of(ours, project, number, text) if ours else self._make(project, number, text)

    def _one_of(self, ours: Mapping[int, str], project: Project, number: int, text: str) -> int:
        """The oldest of several, which says `text` from now on; the others are removed."""
        kept = min(ours)
        for identity in sorted(ours.keys() - {kept}):
            self._delete(project, number, identity)
        if not _same(ours[kept], text):
            self._edit(project, number, kept, text)
        return kept

    def _ours(self, project: Project, number: int, marker: str) -> dict[int, str]:
        """Our comments with `marker`: id -> text."""
        author = self._identity()
        what = f"list the comments of {project}#{number}"
        found: dict[int, str] = {}
        for item in self._api.pages(f"/issues/{number}/comments", project, what=what, right=_RIGHT):
            identity, text = answers.number(item, "id"), answers.text(item, "body")
            by_us = answers.identity(item, "user", "id") == author.id
            if identity is not None and by_us and text.startswith(marker):
                found[identity] = text
        return found

    def _make(self, project: Project, number: int, text: str) -> int:
        what = f"write a comment at {project}#{number}"
        path = f"/issues/{number}/comments"
        answer = self._api.of("POST", path, project, what=what, right=_RIGHT, data={"body": text})
        return answers.number(answer.data, "id") or 0

    def _edit(self, project: Project, number: int, comment: int, text: str) -> bool:
        """Whether the comment is still there."""
        answer = self._api.of(
            "PATCH",
            f"/issues/comments/{comment}",
            project,
            what=f"edit our comment {comment} at {project}#{number}",
            right=_RIGHT,
            data={"body": text},
            accept={404},
            repeatable=True,
        )
        return answer.status != 404

    def _delete(self, project: Project, number: int, comment: int) -> None:
        self._api.of(
            "DELETE",
            f"/issues/comments/{comment}",
            project,
            what=f"delete our second comment {comment} at {project}#{number}",
            right=_RIGHT,
            accept={404},
            repeatable=True,
        )


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(item: Any) -> CommentFacts | None:
    """A comment's values; None where it was changed, or is at an issue that is no pull request."""
    at = answers.seconds(item, "created_at")
    identity = answers.identity(item, "id")
    unchanged = answers.text(item, "created_at") == answers.text(item, "updated_at")
    place = _AT_A_PULL.search(answers.text(item, "html_url"))
    if at is None or not identity or not unchanged or place is None:
        return None
    return CommentFacts(
        number=int(place[1]),
        id=identity,
        body=answers.text(item, "body"),
        author=answers.text(item, "user", "login"),
        author_id=answers.identity(item, "user", "id"),
        at=at,
    )


def _marked(marker: str, body: str) -> str:
    text = f"{marker}\n{body}"
    return text if len(text) <= LIMIT else text[: LIMIT - len(_CUT)] + _CUT


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
