"""Who we are on GitLab, what others may do on a project, and what our token lacks."""

import datetime
from collections.abc import Callable
from typing import Any, cast

from reana_bridge.forges.base import Access, ForgeError, ForgeRefused, Identity, MergeRequestFacts
from reana_bridge.forges.gitlab.client import Client, Json, project_path
from reana_bridge.forges.gitlab.errors import Answered, Asked
from reana_bridge.model.projects import Project

GUEST, REPORTER, DEVELOPER, MAINTAINER = 10, 20, 30, 40
"""GitLab's levels, see https://docs.gitlab.com/api/access_requests/#valid-access-levels"""

_WARN_DAYS = 14
_ACTIVE = {"active", "", "None"}


class People:
    """Users and rights on one GitLab."""

    def __init__(self, client: Client, id_of: Callable[[Project], str], clock: Callable[[], float]) -> None:
        """Args: `id_of` gives a project's id or path for the API; `clock` UTC seconds."""
        self._client = client
        self._id_of = id_of
        self._clock = clock
        self._identity: Identity | None = None

    def identity(self) -> Identity:
        """Who we are; asked once."""
        if self._identity is None:
            answer = self._client.get("/user", Asked(what="say who we are", right="the scope `api`"))
            if not isinstance(answer.get("id"), int):
                raise ForgeError("GitLab did not say who we are; check the forge's url")
            self._identity = Identity(id=str(answer["id"]), name=str(answer.get("username", "")))
        return self._identity

    def access(self, project: Project, user: str, user_id: str) -> Access:
        """What a person may do on the project now; a membership that has ended gives nothing."""
        user_id = user_id if user_id.isascii() and user_id.isdigit() else self._id_of_user(user)
        if not user_id:
            return Access.NONE
        asked = Asked(what=f"say what {user or user_id} may do on {project}", right="the Reporter role")
        path = f"{project_path(self._id_of(project))}/members/all/{user_id}"
        try:
            answer = self._client.raw("get", path, asked)
        except Answered as refusal:
            if refusal.status == 404 and "project" not in refusal.said.lower():
                return Access.NONE
            raise self._client.errors.answered(asked, refusal) from refusal
        return self.level(self._client.object_of(answer, asked))

    def pushed_by(self, merge_request: MergeRequestFacts, user_id: str) -> bool:
        """Whether the source project's newest push of the very head was this person's.

        A hook names who pushed, but the head in its body is that of the moment when the body was made: one of
        somebody else, who pushed right after. Where our token may not see the source project, nobody is.
        """
        source, sha = merge_request.source_project_id, merge_request.sha
        if not (source and user_id):
            return False
        asked = Asked(what=f"say who pushed {sha[:10]}", right="the right to see the fork")
        try:
            pages = self._client.pages(
                f"{project_path(source)}/events", asked, most=1, query={"action": "pushed"}
            )
            pushes = [event for page in pages for event in page]
        except ForgeRefused:
            return False
        for event in pushes:  # the newest first
            pushed: Any = event.get("push_data")
            data = cast(Json, pushed) if isinstance(pushed, dict) else {}
            if (data.get("commit_to"), data.get("ref")) == (sha, merge_request.source_branch):
                return str(event.get("author_id")) == user_id
        return False

    def level(self, member: Json) -> Access:
        """The access of a member as the API describes it."""
        if str(member.get("state", "")) not in _ACTIVE or self._days_left(member.get("expires_at")) < 0:
            return Access.NONE
        if str(member.get("membership_state") or "active") != "active":
            return Access.NONE
        return access_of(member.get("access_level"))

    def rights(self, project: Project | None) -> list[str]:
        """What our token may not do that we need, one sentence each."""
        missing = self._token_problems()
        return missing if project is None else [*missing, *self._role_problems(project)]

    def _token_problems(self) -> list[str]:
        asked = Asked(what="describe our token", right="the scope `api`")
        where = f"forges.{self._client.errors.forge}.token"
        try:
            token = self._client.get("/personal_access_tokens/self", asked)
        except ForgeRefused:
            return [f"{where}: GitLab does not describe it; use an access token with the scope `api`"]
        found: list[str] = []
        scopes = cast(list[Any], token.get("scopes")) if isinstance(token.get("scopes"), list) else []
        if "api" not in scopes:
            have = ", ".join(str(scope) for scope in scopes) or "none"
            found.append(f"{where}: it lacks the scope `api` (it has {have}); make one with it")
        if token.get("active") is False or token.get("revoked") is True:
            found.append(f"{where}: it is revoked or has expired; make a new one")
        elif (days := self._days_left(token.get("expires_at"))) <= _WARN_DAYS:
            found.append(f"{where}: it expires in {days:.0f} days; rotate it, so that its user is the same")
        return found

    def _role_problems(self, project: Project) -> list[str]:
        asked = Asked(what=f"tell of the project {project}", right="the Developer role")
        try:
            answer = self._client.get(project_path(self._id_of(project)), asked)
        except ForgeRefused:
            return [f"{project}: our token may not see it; add its user to the project as Developer"]
        level = role_of(answer)
        if level is None:
            return []
        if level < DEVELOPER:
            return [f"{project}: our token has less than the Developer role; statuses need it"]
        if level < MAINTAINER:
            return [
                f"{project}: our token is Developer; hooks, badges and statuses on protected branches "
                "need the Maintainer role"
            ]
        return []

    def _id_of_user(self, user: str) -> str:
        if not user:
            return ""
        asked = Asked(what=f"find the user {user}", right="the scope `api`")
        for page in self._client.pages("/users", asked, most=1, query={"username": user}):
            for found in page:
                if str(found.get("username", "")).lower() == user.lower():
                    return str(found.get("id", ""))
        return ""

    def _days_left(self, date: Any) -> float:
        """Days until the end of a date such as `2026-12-31`; infinite without one."""
        try:
            last = datetime.date.fromisoformat(str(date)[:10])
        except ValueError:
            return float("inf")
        today = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC).date()
        return (last - today).days


def access_of(level: Any) -> Access:
    """Our word for one of GitLab's levels."""
    if not isinstance(level, int) or level < GUEST:
        return Access.NONE
    if level >= MAINTAINER:
        return Access.MAINTAIN
    return Access.WRITE if level >= DEVELOPER else Access.READ


def role_of(project: Json) -> int | None:
    """Our own highest level by a project's `permissions`; None where they are not told."""
    permissions: Any = project.get("permissions")
    if not isinstance(permissions, dict):
        return None
    levels = [0]
    for kind in ("project_access", "group_access"):
        access: Any = cast(Json, permissions).get(kind)
        if isinstance(access, dict) and isinstance(cast(Json, access).get("access_level"), int):
            levels.append(cast(Json, access)["access_level"])
    return max(levels)
