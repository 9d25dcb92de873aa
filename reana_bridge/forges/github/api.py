"""GitHub's API as the forge's parts ask it: paths, tokens, pages and refusals in one place.

Promises: a repository that was renamed is found again; lists end at a limit; a page that did not change is
not sent again where the caller wants that; what headers tell of limits and the clock is kept.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any, Protocol, cast
from urllib.parse import quote, urlsplit

from reana_bridge.forges.base import Allowance, ForgeError, ForgeRefused
from reana_bridge.forges.github import answers
from reana_bridge.forges.github.answers import Answer, Asked
from reana_bridge.forges.github.client import Bearer, Client
from reana_bridge.forges.telling import NoAnswer, date_seconds
from reana_bridge.model.projects import Project

PER_PAGE = 100
MOST_PAGES = 50
"""Pages of any list that are read."""

_REMEMBERED = 500
_MOVED = frozenset({301, 302, 307, 308})
_UNCHANGED = 304
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="next"')


class Credentials(Protocol):
    """Whose rights are used for what."""

    def of(self, project: Project | None) -> Bearer:
        """Who asks about a project; about ourselves where it is None."""
        ...

    def renew(self, project: Project | None) -> bool:
        """After the answer that a token is not valid: whether there is another one to try."""
        ...


class Api:
    """One GitHub, asked with one token or as one App; may be used by any number of threads."""

    def __init__(
        self,
        name: str,
        client: Client,
        *,
        settled_after: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is asked yet; `credentials` has to be set before anything is.

        Args:
            name: The forge's configured name.
            client: The way to it.
            settled_after: Seconds after which a write without an answer has happened or not.
            clock: UTC seconds.
        """
        self.name = name
        self.client = client
        self.credentials: Credentials
        self._settled_after = settled_after
        self._clock = clock
        self._lock = Lock()
        self._ids: dict[Project, str] = {}
        self._paths: dict[Project, str] = {}
        self._pages: OrderedDict[tuple[Project, str], tuple[str, list[Any], str]] = OrderedDict()
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()
        self.clock_offset: float | None = None

    def remember(self, project: Project, project_id: str) -> None:
        """From now on `project` is the repository with this id, wherever it is moved."""
        with self._lock:
            if project_id and self._ids.get(project) != project_id:
                self._ids[project] = project_id
                self._paths.pop(project, None)

    def id_of(self, project: Project) -> str:
        """The repository's id, where it was told; else empty."""
        with self._lock:
            return self._ids.get(project, "")

    def path(self, project: Project) -> str:
        """The repository's `owner/name` as far as known.

        Raises:
            ForgeRefused: It cannot be one.
        """
        with self._lock:
            path = self._paths.get(project, project.path)
        if path.count("/") != 1:
            raise ForgeRefused(f"{project} cannot be on GitHub: its path has to be owner/name")
        return path

    def repository(self, project: Project) -> str:
        """The API's path of the repository."""
        return "/repos/" + quote(self.path(project))

    def relocate(self, project: Project) -> bool:
        """Ask where the repository is now; whether that is elsewhere than it was believed to be."""
        known = self.id_of(project)
        where = f"/repositories/{quote(known)}" if known else self.repository(project)
        answer = self.call("GET", where, project, what=f"say where {project} is", accept={404})
        path = answers.text(answer.data, "full_name")
        if answer.status == 404 or path.count("/") != 1 or path.casefold() == self.path(project).casefold():
            return False
        with self._lock:
            self._paths[project] = path
        return True

    def of(
        self,
        method: str,
        path: str,
        project: Project,
        *,
        what: str,
        right: str = "the right to read the repository",
        query: Mapping[str, Any] | None = None,
        data: Any = None,
        accept: set[int] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Ask about what is below the project's repository, such as `/pulls/5`; see `call`."""
        codes = (accept or set()) | _MOVED

        def ask() -> Answer:
            url = self.repository(project) + path
            return self.call(
                method,
                url,
                project,
                what=what,
                right=right,
                query=query,
                data=data,
                accept=codes,
                repeatable=repeatable,
            )

        answer = ask()
        # Reads are led to the new place by PyGithub, writes are answered with it.
        if answer.status in _MOVED and self.relocate(project):
            answer = ask()
        if answer.status in _MOVED:
            raise ForgeError(f"forge {self.name}: {project} has moved and could not be found again to {what}")
        return answer

    def call(
        self,
        method: str,
        path: str,
        project: Project | None,
        *,
        what: str,
        right: str = "the right to read the repository",
        query: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        accept: set[int] | None = None,
        bearer: Bearer | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """One request; its answer when it is a success or its status in `accept`.

        Args:
            method: As in HTTP.
            path: Below the API's address, or a whole URL there.
            project: With whose rights, where `bearer` does not say.
            what: Completes "GitHub did not ...", for messages.
            right: What it needs, for messages.
            query: Parameters of the URL.
            data: JSON to send.
            headers: More of them.
            accept: Statuses that the caller deals with.
            bearer: Who asks; None for who is right for `project`.
            repeatable: Whether a write may be done twice without harm, so that a lost answer is only a
                failure.

        Raises:
            ForgeError: Not now (also `RateLimited` and `Unanswered`).
            ForgeRefused: Never (also `CommitGone`).
        """
        asked = Asked(what=what, right=right, writes=method != "GET" and not repeatable)
        for renewed in (False, True):
            who = bearer or self.credentials.of(project)
            try:
                answer = self.client.send(who, method, path, query=query, data=data, headers=headers)
            except NoAnswer as none:
                raise answers.lost(asked, none, forge=self.name, settled_after=self._settled_after) from none
            self._listen(who, answer)
            if answer.status != 401 or bearer or renewed or not self.credentials.renew(project):
                break
        if 200 <= answer.status < 300:
            if answer.data is None and answer.status != 204 and not repeatable:
                raise self._odd(what)
            return answer
        if answer.status in (accept or ()):
            return answer
        raise answers.refusal(
            asked, answer, forge=self.name, settled_after=self._settled_after, now=self._clock()
        )

    def pages(
        self,
        path: str,
        project: Project | None,
        *,
        what: str,
        right: str = "the right to read the repository",
        query: Mapping[str, Any] | None = None,
        items: str = "",
        bearer: Bearer | None = None,
    ) -> Iterator[Any]:
        """The items of a list below the repository (or at `path`, without a project), page by page.

        `items` names the list in an answer that is an object.
        """
        url = path if project is None else self.repository(project) + path
        parameters = {"per_page": PER_PAGE, **(query or {})}
        for _ in range(MOST_PAGES):
            answer = self.call("GET", url, project, what=what, right=right, query=parameters, bearer=bearer)
            yield from answers.each(answer.data, items) if items else self._list(answer, what)
            url, parameters = self._next(answer, url), {}
            if not url:
                return

    def conditional(
        self, path: str, project: Project, *, what: str, parse: Callable[[Any], Any], query: Mapping[str, Any]
    ) -> list[Any]:
        """All items of a list as `parse` gives them; pages that did not change are not sent again."""
        url = self.repository(project) + path
        parameters = {"per_page": PER_PAGE, **query}
        found: list[Any] = []
        for _ in range(MOST_PAGES):
            page, url = self._page(url, project, what, parse, parameters)
            found += page
            parameters = {}
            if not url:
                break
        return found

    def allowance(self) -> Allowance | None:
        """What the last answers said of the rate limit: that of whoever has the least left."""
        now = self._clock()
        with self._lock:
            current = [a for a in self._allowances.values() if a.reset_at is None or a.reset_at > now]
            latest = next(reversed(self._allowances.values()), None)
        return min(current, key=lambda one: one.remaining, default=latest)

    def _page(
        self, url: str, project: Project, what: str, parse: Callable[[Any], Any], query: dict[str, Any]
    ) -> tuple[list[Any], str]:
        key = (project, f"{url}?{sorted(query.items())}")
        with self._lock:
            etag, items, following = self._pages.get(key, ("", [], ""))
        headers = {"If-None-Match": etag} if etag else {}
        answer = self.call("GET", url, project, what=what, query=query, headers=headers, accept={_UNCHANGED})
        if answer.status == _UNCHANGED:
            return items, following
        items, following = [parse(item) for item in self._list(answer, what)], self._next(answer, url)
        with self._lock:
            self._pages[key] = (answer.headers.get("etag", ""), items, following)
            self._pages.move_to_end(key)
            while len(self._pages) > _REMEMBERED:
                self._pages.popitem(last=False)
        return items, following

    def _list(self, answer: Answer, what: str) -> list[Any]:
        data: Any = answer.data
        if not isinstance(data, list):
            raise self._odd(what)
        return cast(list[Any], data)

    def _odd(self, what: str) -> ForgeError:
        return ForgeError(
            f"forge {self.name}: what answered when it was to {what} is not GitHub's API; "
            f"check forges.{self.name}.url and api_url"
        )

    def _next(self, answer: Answer, url: str) -> str:
        """The address of the next page; empty for none, and for one that is not of this list."""
        match = _NEXT.search(answer.headers.get("link", ""))
        if not match or not match[1].startswith(f"{self.client.api_url}/"):
            return ""
        path = urlsplit(match[1]).path.removeprefix(urlsplit(self.client.api_url).path)
        same = path == urlsplit(url).path.removeprefix(urlsplit(self.client.api_url).path)
        # GitHub names a renamed repository by its id in the links of its pages.
        return match[1] if same or path.startswith("/repositories/") else ""

    def _listen(self, bearer: Bearer, answer: Answer) -> None:
        date = date_seconds(answer.headers.get("date"))
        allowance = answers.allowance(answer.headers)
        with self._lock:
            if date is not None:
                self.clock_offset = date - self._clock()
            if allowance is not None:
                self._allowances[bearer.owner] = allowance
                self._allowances.move_to_end(bearer.owner)
                while len(self._allowances) > _REMEMBERED:
                    self._allowances.popitem(last=False)
