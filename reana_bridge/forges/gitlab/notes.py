"""The one note of a merge request, and short replies: found by a hidden marker and by who wrote them.

Promises: at most one of ours remains for each marker, the oldest; it is written only when its text changed;
before a first post, and after every doubt, it is looked for; one that a person deleted is made again once;
what a person wrote is never touched, even with our marker in it.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from reana_bridge.forges.base import ForgeRefused, Posted
from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Answered, Asked
from reana_bridge.forges.telling import settled
from reana_bridge.model.projects import Project

NOTE_LIMIT = 990_000
"""Characters of a note's body; GitLab takes a million, our marker among them."""

REACTIONS = {"eyes": "eyes", "rocket": "rocket", "confused": "confused"}
"""Our names of reactions -> GitLab's names of emoji."""

_THERE, _ANOTHERS, _DELETED = 200, 403, 404
_PAGES = 50
_REPLY_PAGES = 3
_RIGHT = "the scope `api` and the Reporter role"
_COMMENT = re.compile(r"[0-9]{1,20}", re.ASCII)


class Notes:
    """Notes on the merge requests of one GitLab."""

    def __init__(
        self, client: Client, id_of: Callable[[Project], str], who_we_are: Callable[[], str]
    ) -> None:
        """Args: `id_of` gives a project's id or path for the API, `who_we_are` our own user's id."""
        self._client = client
        self._id_of = id_of
        self._who_we_are = who_we_are

    def post(
        self, project: Project, number: int, text: str, marker: str, posted: Posted, *, pages: int = _PAGES
    ) -> Posted:
        """Make merge request `number` show `text` once; see `Forge.post_note`.

        Args:
            project: The project.
            number: Of the merge request.
            text: Markdown without the marker.
            marker: A line that nobody sees, by which the note is found again.
            posted: What the last call returned.
            pages: How far back it is looked for, in pages of 100 notes, newest first.
        """
        body = f"{text.rstrip()}\n\n{marker}"
        digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
        note, anew, unsure = posted.get("id"), bool(posted.get("anew")), bool(posted.get("unsure"))
        if posted.get("left"):
            return settled(posted)
        if note is not None and posted.get("digest") == digest and not unsure:
            return posted
        path = f"{project_path(self._id_of(project))}/merge_requests/{number}/notes"
        what = f"write the note on !{number} of {project}"
        remembered = {"digest": digest, "user": self._who_we_are()}
        looks = unsure or not isinstance(note, int)
        ours = self._ours(path, marker, what, pages) if looks else []
        status = _ANOTHERS
        if isinstance(note, int) and not ours:
            status = self._edited(path, note, body, what, posted)
            if status == _DELETED and anew:
                return {**remembered, "id": note, "left": True}  # deleted twice: nobody wants it
            if status != _THERE and not looks:
                ours = self._ours(path, marker, what, pages)
        if status != _THERE:
            note = self._one_of(ours, path, body, what) if ours else self._made(path, body, what)
        again = {"anew": True} if anew or status == _DELETED else {}
        return {**remembered, "id": note, **again}

    def react(self, project: Project, number: int, comment: str, reaction: str) -> None:
        """Put a reaction on the comment; there already is fine."""
        asked = Asked(
            what=f"put a reaction on a comment of !{number} of {project}",
            right=_RIGHT,
            writes=True,
            repeatable=True,
        )
        if reaction not in REACTIONS:
            raise ForgeRefused(f"{reaction!r} is not a reaction; use one of {', '.join(REACTIONS)}")
        if not _COMMENT.fullmatch(comment):
            raise ForgeRefused(f"{comment[:40]!r} is not the id of a comment on GitLab")
        path = f"{project_path(self._id_of(project))}/merge_requests/{number}/notes/{comment}/award_emoji"
        try:
            self._client.raw("post", path, asked, data={"name": REACTIONS[reaction]})
        except Answered as answer:
            if "already been taken" not in answer.said:
                raise self._client.errors.answered(asked, answer) from answer

    def reply(self, project: Project, number: int, comment: str, text: str, posted: Posted) -> Posted:
        """Answer the comment once; see `HostedForge.reply`."""
        if not _COMMENT.fullmatch(comment):
            raise ForgeRefused(f"{comment[:40]!r} is not the id of a comment on GitLab")
        marker = f"<!-- reana-bridge:reply v1 !{number} {comment} -->"
        return self.post(project, number, text, marker, posted, pages=_REPLY_PAGES)

    def _edited(self, path: str, note: int, body: str, what: str, posted: Posted) -> int:
        """Let the note with this id have the text: `_THERE`, `_DELETED`, or `_ANOTHERS` for its author's."""
        asked = Asked(what=what, right=_RIGHT, writes=True, repeatable=True)
        try:
            if posted.get("unsure"):
                there = self._client.raw("get", f"{path}/{note}", asked)
                if _plain(str(self._client.object_of(there, asked).get("body"))) == _plain(body):
                    return _THERE  # the edit whose answer was lost
            self._client.raw("put", f"{path}/{note}", asked, data={"body": body})
        except Answered as answer:
            if answer.status == _DELETED:
                return _DELETED
            if answer.status == _ANOTHERS and posted.get("user", "") != self._who_we_are():
                return _ANOTHERS  # written by the token before this one
            raise self._client.errors.answered(asked, answer) from answer
        return _THERE

    def _made(self, path: str, body: str, what: str) -> int:
        made = self._client.post(path, Asked(what=what, right=_RIGHT, writes=True), {"body": body})
        if not isinstance(made.get("id"), int):
            raise ForgeRefused(f"GitLab did not {what} but took it for commands; this is our mistake")
        return int(made["id"])

    def _one_of(self, ours: list[Json], path: str, body: str, what: str) -> int:
        """The oldest of several, which has the text from now on; the others are removed."""
        first, *others = sorted(ours, key=lambda note: int(note["id"]))
        for other in others:
            self._client.delete(f"{path}/{other['id']}", Asked(what="remove a second note", right=_RIGHT))
        if _plain(str(first.get("body"))) != _plain(body):
            repeatable = Asked(what=what, right=_RIGHT, writes=True, repeatable=True)
            self._client.put(f"{path}/{first['id']}", repeatable, {"body": body})
        return int(first["id"])

    def _ours(self, path: str, marker: str, what: str, pages: int) -> list[Json]:
        """Our own notes that end with the marker, newest first."""
        us = self._who_we_are()
        reading = Asked(what=f"list the notes, to {what}", right=_RIGHT)
        query = {"sort": "desc", "order_by": "created_at"}
        found = [
            note
            for page in self._client.pages(path, reading, most=pages, query=query)
            for note in page
            if _plain(str(note.get("body"))).endswith(marker)
        ]
        return [note for note in found if _author(note) == us and not note.get("system")]


def note_marker(project_id: str, number: int) -> str:
    """The hidden line that the one note of a merge request ends with."""
    return f"<!-- reana-bridge:note v1 {project_id} !{number} -->"


def _author(note: Json) -> str:
    author: Any = note.get("author")
    return str(author.get("id", "")) if isinstance(author, dict) else ""  # pyright: ignore


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip()
