"""Git over https for forges with an API: heads, fetches and checkouts of the projects on one host.

Promises: credentials go to the forge's own address alone, and there only to the project's own repository and
those that the settings name for it, so that a `.gitmodules` cannot fetch private code of others with the
bridge's rights; they are on no command line, in no URL and in no error text; no redirect is followed.
"""

import base64
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit

from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited
from reana_bridge.forges.checkout import checkout
from reana_bridge.forges.gitcache import fetch_commit, require_sha
from reana_bridge.forges.gitcommand import GitFailed, run_git
from reana_bridge.forges.githttp import AnsweredOtherwise, GitHttp
from reana_bridge.forges.gitpack import ask_pack
from reana_bridge.forges.gitrefs import ask_refs
from reana_bridge.forges.remote_lfs import RemoteLfs
from reana_bridge.forges.submodules import SubmodulePolicy
from reana_bridge.model.projects import Project

REMEMBERED_SECONDS = 60.0
"""How long a default branch's name is good without asking again; where heads are is always asked."""

_EVERYTHING = ("HEAD", "refs/heads/", "refs/tags/")
_T = TypeVar("_T")
# Nothing that anybody could read in another way than we do: no `..`, no `//`, no `%2e`.
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+", re.ASCII)
_PROJECTS = 1000
_LISTING = 64 * 1024**2
_AWAY = ("Authentication failed", "could not read Username", "could not read Password", "error: 401")
_GONE = ("not found", "error: 404", "error: 301", "error: 302", "error: 307", "error: 308", "redirect")
_FORBIDDEN = ("error: 403", "access denied", "not allowed")
_LIMITED = ("error: 429", "too many requests")


@dataclass(frozen=True)
class Login:
    """A user name and password for git over https, as the forge wants them for its tokens."""

    user: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of the `Authorization` header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a repository answered: full ref -> commit (annotated tags peeled), and its default branch."""

    refs: dict[str, str]
    default_branch: str
    at: float


def parse_listing(output: bytes, at: float) -> Listing:
    """The answer of `git ls-remote --symref`; names that are not UTF-8 are left out, as no event has them."""
    refs: dict[str, str] = {}
    default = ""
    for line in output.split(b"\n"):
        value, _, name = line.partition(b"\t")
        try:
            sha, ref = value.decode("utf-8"), name.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if ref == "HEAD" and sha.startswith("ref: refs/heads/"):
            default = sha.removeprefix("ref: refs/heads/")
        elif ref.startswith("refs/"):
            # The line of a tag's commit follows that of the tag itself.
            refs[ref.removesuffix("^{}")] = sha
    return Listing(refs=refs, default_branch=default, at=at)


MayHold = Callable[[Project, Project], bool]
"""Whether a project's commits may hold another's code although not everybody may read that."""


def only_itself(project: Project, other: Project) -> bool:
    """Nothing of another project."""
    return project == other


class RemoteGit:
    """The git side of a hosted forge.

    Attributes:
        base_url: The forge's address without a slash at the end, such as `https://gitlab.example.org`.
    """

    def __init__(
        self,
        *,
        base_url: str,
        url_of: Callable[[Project], str],
        credentials: Callable[[Project], Login | None],
        ca_file: Path | None = None,
        submodule_hosts: Iterable[str] = (),
        may_hold: MayHold = only_itself,
        timeout: float = 60.0,
        relocate: Callable[[Project], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet.

        Args:
            base_url: The forge's address; only where it begins with `http://` is http spoken.
            url_of: A project's repository below `base_url`.
            credentials: What the project's repository is read with; None for what everybody may read.
            ca_file: Certificates to trust instead of the system's, for the forge alone.
            submodule_hosts: Other hosts that submodules and LFS files may come from, over https.
            may_hold: Which other projects' repositories are read with our credentials, as submodules of one.
            timeout: Seconds for one answer to a question (fetches have their own limit).
            relocate: Asked where the forge says that a repository is not there: whether `url_of` gives
                another address from now on (a renamed project).
            clock: Seconds that only grow.
        """
        self.base_url = base_url.rstrip("/")
        self._url_of = url_of
        self._credentials = credentials
        self._ca_file = ca_file
        self._hosts = frozenset(submodule_hosts)
        self._may_hold = may_hold
        self._timeout = timeout
        self._relocate = relocate
        self._clock = clock
        self._http = GitHttp(timeout=timeout, ca_file=ca_file, clock=clock)
        self._listings: OrderedDict[Project, Listing] = OrderedDict()
        self._lock = Lock()

    def heads(self, project: Project) -> dict[str, str]:
        """Every branch and tag: full ref -> commit sha (annotated tags peeled)."""
        refs = self._ask(project, _EVERYTHING).refs
        return {ref: sha for ref, sha in refs.items() if ref.startswith(("refs/heads/", "refs/tags/"))}

    def head(self, project: Project, ref: str) -> str | None:
        """The commit that the full ref (also a merge request's) points to now; None when it is gone."""
        if not ref.startswith("refs/") or not ref.isprintable() or " " in ref:
            return None
        return self._ask(project, ("HEAD", ref)).refs.get(ref)

    def default_branch(self, project: Project) -> str:
        """Name of the project's default branch; from the last answer where that is no minute old.

        Raises:
            ForgeRefused: The project is empty, or there is none.
        """
        with self._lock:
            known = self._listings.get(project)
        if known is None or not known.default_branch or self._clock() - known.at > REMEMBERED_SECONDS:
            known = self._ask(project, ("HEAD",))
        if not known.default_branch:
            raise ForgeRefused(f"{project} has no default branch; push a first commit to it")
        return known.default_branch

    def fetch(self, project: Project, sha: str, cache: Path) -> None:
        """Bring `sha` and its history into the bare repository at `cache`; see `Forge.fetch`."""

        def fetch() -> None:
            url, authorization = self.url(project), self._authorization(project)
            fetch_commit(
                url,
                require_sha(sha),
                cache,
                protocol=self._protocol,
                environment=self.environment(project),
                ask=lambda here: ask_pack(self._http, url, sha, here, authorization=authorization),
            )

        try:
            self._with_relocation(project, fetch)
        except CommitGone as gone:
            raise CommitGone(f"{project} has no commit {sha} (any more)") from gone

    def checkout(self, project: Project, sha: str, cache: Path, destination: Path) -> list[str]:
        """Fill `destination` with exactly the commit's files; what is missing and why; see `Forge.checkout`.

        Submodules and LFS files come from this forge or the allowed hosts.
        """
        policy = SubmodulePolicy(
            url=self.url(project),
            hosts=self._hosts,
            forge=self.base_url,
            environment=lambda url: self._environment_for(project, url),
        )
        with RemoteLfs(
            f"{self.url(project)}/info/lfs",
            authorization=self._authorization(project),
            forge=self.base_url,
            hosts=self._hosts,
            ca_file=self._ca_file,
            timeout=self._timeout,
        ) as lfs:
            report = checkout(cache, sha, destination, submodules=policy, lfs=lfs)
        return [str(missing) for missing in report.not_fetched]

    def url(self, project: Project) -> str:
        """The project's repository.

        Raises:
            ForgeRefused: It is not below the forge's address.
        """
        url = self._url_of(project)
        if not url.startswith(f"{self.base_url}/"):
            raise ForgeRefused(f"{project} is not below {self.base_url}; nothing is fetched from elsewhere")
        return url

    def environment(self, project: Project) -> dict[str, str]:
        """What git is started with, so that it shows our credentials to this project's repository alone."""
        return self._environment(self.url(project), self._credentials(project))

    def _environment_for(self, project: Project, url: str) -> dict[str, str]:
        """The same for a submodule at `url`: without credentials, unless the settings allow it."""
        path = url.removeprefix(f"{self.base_url}/").removesuffix("/").removesuffix(".git")
        ours = url.startswith(f"{self.base_url}/") and _PATH.fullmatch(path) is not None
        allowed = ours and (url == self.url(project) or self._may_hold(project, Project(project.forge, path)))
        return self._environment(url, self._credentials(project) if allowed else None)

    def _environment(self, url: str, login: Login | None) -> dict[str, str]:
        settings: list[tuple[str, str]] = []
        if self._ca_file is not None:
            settings.append((f"http.{self.base_url}/.sslCAInfo", str(self._ca_file.absolute())))
        if login is not None:
            settings.append((f"http.{url}.extraHeader", f"Authorization: {login.header}"))
        variables = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings):
            variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return variables

    def _authorization(self, project: Project) -> str:
        login = self._credentials(project)
        return login.header if login else ""

    @property
    def _protocol(self) -> str:
        return urlsplit(self.base_url).scheme

    def _ask(self, project: Project, prefixes: tuple[str, ...]) -> Listing:
        asked_at = self._clock()
        listing = self._with_relocation(project, lambda: self._list(project, prefixes, asked_at))
        with self._lock:
            self._listings[project] = listing
            self._listings.move_to_end(project)
            while len(self._listings) > _PROJECTS:
                self._listings.popitem(last=False)
        return listing

    def _list(self, project: Project, prefixes: tuple[str, ...], at: float) -> Listing:
        url, authorization = self.url(project), self._authorization(project)
        try:
            return parse_listing(ask_refs(self._http, url, prefixes, authorization=authorization), at)
        except AnsweredOtherwise:
            return self._list_by_git(project, at)

    def _list_by_git(self, project: Project, at: float) -> Listing:
        _, output = run_git(
            ["ls-remote", "--symref", "--quiet", "--", self.url(project)],
            directory=Path("/nonexistent"),
            environment=self.environment(project),
            protocols=[self._protocol],
            timeout=self._timeout,
            limit=_LISTING,
        )
        return parse_listing(output, at)

    def _with_relocation(self, project: Project, act: Callable[[], _T]) -> _T:
        """`act`, once more where the project has moved; git's own words as our errors."""
        try:
            return act()
        except GitFailed as failure:
            if not (_says(failure, _GONE) and self._relocate is not None and self._relocate(project)):
                raise self._explained(project, failure) from failure
        try:
            return act()
        except GitFailed as failure:
            raise self._explained(project, failure) from failure

    def _explained(self, project: Project, failure: GitFailed) -> Exception:
        who = f"the repository of {project} at {self.base_url}"
        if _says(failure, _LIMITED):
            return RateLimited(f"{self.base_url} asks to fetch less often")
        if _says(failure, _AWAY):
            if self._credentials(project) is None:
                return ForgeRefused(f"{who} is private or not there; configure a token that may read it")
            return ForgeError(f"{who} does not take our token; check that it is valid and may read code")
        if _says(failure, _GONE):
            return ForgeRefused(f"{who} is not there, or our token may not see it")
        if _says(failure, _FORBIDDEN):
            return ForgeRefused(f"{who} may not be read with our token; give it the right to read code")
        return failure


def _says(failure: GitFailed, words: tuple[str, ...]) -> bool:
    text = failure.output.lower()
    return any(word.lower() in text for word in words)
