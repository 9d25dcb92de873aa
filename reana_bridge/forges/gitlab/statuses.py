"""Posts commit statuses to GitLab: every first post looks for its pipeline, every doubt is looked up.

Promises: see `transitions`; beyond them, a status is posted to the project that holds the merge request's
source branch and nowhere else; a lock that another writer holds is waited for; after an unknown answer the
forge is asked what it shows before anything is sent again.
"""

import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast
from urllib.parse import quote

from reana_bridge.forges.base import ForgeError, ForgeRefused, Posted, Status, Unanswered
from reana_bridge.forges.gitlab.client import Client, project_path
from reana_bridge.forges.gitlab.errors import Answered, Asked
from reana_bridge.forges.gitlab.transitions import (
    agrees,
    body,
    choose_pipeline,
    is_as_told,
    is_news,
    is_settled,
    short_ref,
)
from reana_bridge.forges.telling import settled
from reana_bridge.model.projects import Project

PIPELINE_SECONDS = 5.0
"""How long a first status waits for the pipeline that the commit's own CI should get."""

_LOOK_AGAIN = 1.0
_LOCKED = 4
_REMEMBERED = 10_000
_RIGHT = "the scope `api` and the Developer role (Maintainer where the branch is protected)"


@dataclass(frozen=True)
class _Place:
    """Where a status goes: `fork` is the id of the fork, empty for the project itself."""

    path: str
    fork: str
    ref: str
    pipeline: int | None = None


class Statuses:
    """Commit statuses on one GitLab."""

    def __init__(
        self,
        client: Client,
        id_of: Callable[[Project], str],
        *,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `id_of` gives a project's id or path for the API."""
        self._client = client
        self._id_of = id_of
        self._sleep = sleep
        self._chance = chance
        self._monotonic = monotonic
        self._lock = Lock()
        self._asked_first: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._unsure: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def post(self, project: Project, status: Status, posted: Posted) -> Posted:
        """Make GitLab show `status`; see `Forge.post_status`.

        `posted` may also hold `unsure`: then what is shown is looked up first.
        """
        own = ("", self._id_of(project))
        fork = "" if status.source_project_id in own else status.source_project_id
        before = str(posted.get("fork", ""))
        known: Posted = posted if fork == ("" if before in own else before) else {}
        key = (str(project), status.sha, status.context)
        if not is_news(status, known) and not (self._is_unsure(key, known) and is_as_told(status, known)):
            return settled(posted)
        place = self._place(project, status, fork, known)
        asked = Asked(what=f"show the status {status.context} of {project}", right=_RIGHT, writes=True)
        try:
            if self._is_unsure(key, known):
                shown = self._shown(place, status, asked)
                if shown is not None and is_settled(str(shown.get("status")), status, known):
                    return self._settled(key, status, place, shown)
            if place.pipeline is None and status.has_pipelines and not known.get("state"):
                place = self._with_pipeline(key, project, status, place)
            answer = self._send(place, status, asked, known)
        except Unanswered:
            self._note_unsure(key)
            raise
        except ForgeRefused as refused:
            if not fork:
                raise
            raise ForgeRefused(
                f"the fork takes no status from us, so the note says it: {refused}"
            ) from refused
        return self._settled(key, status, place, answer)

    def _place(self, project: Project, status: Status, fork: str, known: Posted) -> _Place:
        path = project_path(fork or self._id_of(project))
        pipeline = known.get("pipeline")
        ref = str(known.get("ref") or short_ref(status))
        return _Place(path, fork, ref, pipeline if isinstance(pipeline, int) else None)

    def _send(self, place: _Place, status: Status, asked: Asked, known: Posted) -> dict[str, Any]:
        """Post it; what GitLab shows now."""
        try:
            answer = self._through_locks(place, status, asked)
        except Answered as refusal:
            if place.pipeline is not None and refusal.status in {404, 422} and "ipeline" in refusal.said:
                # The pipeline was deleted, or takes no more jobs: another one will do.
                return self._send(_Place(place.path, place.fork, short_ref(status)), status, asked, known)
            if refusal.status != 400 or "cannot transition" not in refusal.said.lower():
                raise self._client.errors.answered(asked, refusal) from refusal
            # The message does not say what is shown, and it may be another's: look.
            return self._required(place, status, asked, refusal.said)
        user, before = _user(answer), known.get("user")
        if before is not None and user is not None and before != user:
            # A row of another identity cannot be ended by us; ours has to be the one that is shown.
            return self._required(place, status, asked, "another identity began it")
        return answer

    def _through_locks(self, place: _Place, status: Status, asked: Asked) -> dict[str, Any]:
        path = f"{place.path}/statuses/{quote(status.sha, safe='')}"
        sent = body(status, ref=place.ref, pipeline=place.pipeline)
        for turn in range(_LOCKED):
            try:
                answer = self._client.raw("post", path, asked, data=sent).json()
                return cast(dict[str, Any], answer) if isinstance(answer, dict) else {}
            except Answered as refusal:
                if refusal.status != 409 or turn == _LOCKED - 1:
                    raise
                self._sleep(0.15 * 2**turn * (0.5 + self._chance()))
            except ValueError as error:
                raise Unanswered(f"GitLab's answer to {asked.what} is cut off") from error
        raise AssertionError("unreachable")

    def _required(self, place: _Place, status: Status, asked: Asked, why: str) -> dict[str, Any]:
        shown = self._shown(place, status, asked)
        if shown is None or not agrees(str(shown.get("status")), status):
            there = "nothing" if shown is None else f"`{shown.get('status')}`"
            raise ForgeError(f"GitLab did not {asked.what} and shows {there} instead ({why})")
        return shown

    def _shown(self, place: _Place, status: Status, asked: Asked) -> dict[str, Any] | None:
        """The newest row of this context that the commit shows."""
        path = f"{place.path}/repository/commits/{quote(status.sha, safe='')}/statuses"
        reading = Asked(what=f"say what it shows instead, to {asked.what}", right=asked.right)
        query = {"name": status.context, "all": "false"} | ({"ref": place.ref} if place.ref else {})
        rows = [row for page in self._client.pages(path, reading, query=query) for row in page]
        fitting = [
            row for row in rows if row.get("name") == status.context and isinstance(row.get("id"), int)
        ]
        return max(fitting, key=lambda row: cast(int, row["id"]), default=None)

    def _with_pipeline(self, key: tuple[str, ...], project: Project, status: Status, place: _Place) -> _Place:
        """The place with the pipeline of the commit's own CI; without one when there is none for long.

        Raises:
            ForgeError: There is none yet; asked again a second later.
        """
        found = choose_pipeline(self._pipelines(project, status, place), sha=status.sha, project=place.fork)
        if found is not None:
            return _Place(place.path, place.fork, str(found.get("ref") or place.ref), int(found["id"]))
        now = self._monotonic()
        with self._lock:
            first = self._asked_first.setdefault(key, now)
            _trim(self._asked_first)
        if now - first < PIPELINE_SECONDS:
            raise ForgeError(
                f"{status.sha[:8]} of {project} has no pipeline of its own CI yet", retry_after=_LOOK_AGAIN
            )
        return place

    def _pipelines(self, project: Project, status: Status, place: _Place) -> list[dict[str, Any]]:
        asked = Asked(what=f"list the pipelines of {project}", right="the scope `api`")
        if status.merge_request is not None:
            path = f"{project_path(self._id_of(project))}/merge_requests/{status.merge_request}/pipelines"
            pages = self._client.pages(path, asked, most=1, size=20)
        else:
            query = {"sha": status.sha, "ref": place.ref}
            pages = self._client.pages(f"{place.path}/pipelines", asked, most=1, size=20, query=query)
        try:
            return [pipeline for page in pages for pipeline in page]
        except ForgeRefused:
            return []  # CI is off or not for our token: no pipeline will be found

    def _settled(
        self, key: tuple[str, ...], status: Status, place: _Place, shown: dict[str, Any]
    ) -> dict[str, Any]:
        """What is remembered of a status that GitLab shows."""
        with self._lock:
            self._unsure.pop(key, None)
            self._asked_first.pop(key, None)
        pipeline = shown.get("pipeline_id", place.pipeline)
        return {
            "state": str(shown.get("status") or body(status, ref="", pipeline=None)["state"]),
            "attempt": status.attempt,
            "ref": str(shown.get("ref") or place.ref),
            "pipeline": pipeline if isinstance(pipeline, int) else None,
            "user": _user(shown),
            "fork": place.fork,
        }

    def _is_unsure(self, key: tuple[str, ...], known: Posted) -> bool:
        """Whether something may have been sent that is not known of; waiting for a pipeline sends nothing."""
        with self._lock:
            return key in self._unsure or (bool(known.get("unsure")) and key not in self._asked_first)

    def _note_unsure(self, key: tuple[str, ...]) -> None:
        with self._lock:
            self._unsure[key] = None
            _trim(self._unsure)


def _user(row: dict[str, Any]) -> int | None:
    author: Any = row.get("author")
    found: Any = cast(dict[str, Any], author).get("id") if isinstance(author, dict) else None
    return found if isinstance(found, int) else None


def _trim(memory: OrderedDict[tuple[str, ...], Any]) -> None:
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
