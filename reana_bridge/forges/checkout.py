"""Exactly a commit's files in a directory: nothing more, nothing changed, nothing run.

Promises: every file has the bytes, the executable bit or the link target that the commit has (no filters, no
end-of-line conversion, no `$Id$`, no export rules); no `.git` is left; submodules come at the recorded commit
and only from where the policy says; whatever was left out is named with its reason; a commit that is larger
than the limits is refused before its files are written.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from reana_bridge.forges import lfs as lfs_files
from reana_bridge.forges.base import CommitGone, ForgeRefused
from reana_bridge.forges.gitcache import fetch_commit, has_commit, require_sha
from reana_bridge.forges.gitcommand import GitFailed, OutputTooLarge, run_git
from reana_bridge.forges.submodules import SubmodulePolicy, SubmoduleRefused, urls_by_path

CHECKOUT_TIMEOUT = 600.0
"""Seconds for writing one commit's files."""

SUBMODULE_TIMEOUT = 300.0
"""Seconds for fetching one submodule."""

# What git says of a repository that is private or not there, however often it is asked.
_NEVER = (
    "could not read Username",
    "Authentication failed",
    "not found",
    "not appear to be a git repository",
)
_LISTING = 128 * 1024**2
_GITMODULES = 1 << 20
# The highest place that git reads attributes from, so that none in the commit has an effect.
_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding\n"


class TooLarge(ForgeRefused):
    """The commit, or a file of it, is larger than what is allowed; the message says what and how much."""


@dataclass(frozen=True, kw_only=True)
class CheckoutLimits:
    """What a checkout may hold, submodules and LFS files included.

    Attributes:
        files: Number of files.
        size: Bytes.
    """

    files: int = 200_000
    size: int = 20 * 1024**3


@dataclass(frozen=True, kw_only=True)
class FetchedSubmodule:
    """A submodule that is in the checkout: its path, where it came from, and its commit."""

    path: str
    url: str
    sha: str


@dataclass(frozen=True, kw_only=True)
class NotFetched:
    r"""Something of the commit that is not in the checkout.

    Attributes:
        path: Relative to the checkout; bytes that are not UTF-8 shown as `\xff`.
        what: `submodule` or `LFS file`.
        reason: Why, and what the reader can do.
    """

    path: str
    what: str
    reason: str

    def __str__(self) -> str:
        """One line for a report."""
        return f"{self.what} {self.path} not fetched: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class CheckoutReport:
    """What a checkout brought.

    Attributes:
        files: Number of files.
        size: Bytes.
        submodules: Those that were fetched.
        not_fetched: What is missing.
    """

    files: int
    size: int
    submodules: tuple[FetchedSubmodule, ...] = ()
    not_fetched: tuple[NotFetched, ...] = ()


def checkout(
    cache: Path,
    sha: str,
    destination: Path,
    *,
    submodules: SubmodulePolicy | None = None,
    lfs: lfs_files.LfsSource | None = None,
    limits: CheckoutLimits | None = None,
) -> CheckoutReport:
    """Fill `destination` with exactly the files of the commit.

    Args:
        cache: The bare repository that holds the commit; submodules are kept inside, in `submodules/`.
        sha: The commit.
        destination: Empty, or made here. After an exception it may be half full.
        submodules: Where they may come from; None leaves them out.
        lfs: Where LFS files come from; None leaves their pointers.
        limits: None for the usual ones.

    Raises:
        CommitGone: The cache does not hold the commit.
        TooLarge: The commit is beyond `limits`.
        ForgeRefused: The commit holds a path that may not be written (such as `.git/config`).
        FileExistsError: `destination` is not empty.
        ForgeError: Not now (a disk that is full, a git that was stopped).
    """
    destination.mkdir(parents=True, exist_ok=True)
    if any(destination.iterdir()):
        raise FileExistsError(f"{destination} is not empty; a checkout needs a directory of its own")
    work = _Checkout(cache, destination.resolve(), submodules, lfs, limits or CheckoutLimits())
    work.fill(cache, require_sha(sha), b"", url=submodules.url if submodules else "", depth=0)
    return CheckoutReport(
        files=work.files, size=work.size, submodules=tuple(work.fetched), not_fetched=tuple(work.missing)
    )


@dataclass(frozen=True)
class _Entry:
    mode: str
    oid: str
    size: int
    path: bytes


@dataclass
class _Checkout:
    """One checkout under way: what it may still hold, and what it did so far."""

    cache: Path
    destination: Path
    policy: SubmodulePolicy | None
    lfs: lfs_files.LfsSource | None
    limits: CheckoutLimits
    files: int = 0
    size: int = 0
    fetched: list[FetchedSubmodule] = field(default_factory=list[FetchedSubmodule])
    missing: list[NotFetched] = field(default_factory=list[NotFetched])
    started: int = 0

    def fill(self, cache: Path, sha: str, prefix: bytes, *, url: str, depth: int) -> None:
        entries = list(_entries(cache, sha, self.limits.files - self.files))
        files = [entry for entry in entries if entry.mode != "160000"]
        self._count(len(files), sum(entry.size for entry in files))
        _write(cache, sha, self._place(prefix))
        self._replace_pointers(files, prefix)
        links = [entry for entry in entries if entry.mode == "160000"]
        if links:
            urls = _submodule_urls(cache, entries)
            for link in links:
                self._submodule(link, prefix, urls.get(link.path), base=url, depth=depth + 1)

    def _count(self, files: int, size: int) -> None:
        self.files += files
        self.size += size
        if self.files > self.limits.files:
            raise TooLarge(f"the commit has more than {self.limits.files} files")
        if self.size > self.limits.size:
            raise TooLarge(f"the commit's files have more than {self.limits.size} bytes")

    def _place(self, path: bytes) -> Path:
        """Where `path` lies, sure that no symbolic link of the commit leads elsewhere."""
        place = self.destination
        for part in Path(os.fsdecode(path)).parts:
            if place.is_symlink():
                break
            place /= part
        if place.is_symlink() or ".." in place.relative_to(self.destination).parts:
            raise ForgeRefused(f"{_shown(path)} of the commit lies behind a symbolic link")
        return place

    def _replace_pointers(self, files: list[_Entry], prefix: bytes) -> None:
        attributes = [entry for entry in files if entry.path.rpartition(b"/")[2] == b".gitattributes"]
        if not any(b"filter=lfs" in self._content(entry, prefix) for entry in attributes):
            return
        for entry in files:
            if lfs_files.SMALLEST_POINTER <= entry.size <= lfs_files.LARGEST_POINTER:
                pointer = lfs_files.parse_pointer(self._content(entry, prefix))
                if pointer is not None:
                    self._replace_pointer(_under(prefix, entry.path), pointer)

    def _replace_pointer(self, path: bytes, pointer: lfs_files.Pointer) -> None:
        self._count(0, pointer.size)
        place = self._place(path)
        with tempfile.TemporaryDirectory(dir=self.destination, prefix=".lfs-") as scratch:
            content = Path(scratch) / "content"
            try:
                if self.lfs is None:
                    raise lfs_files.LfsUnavailable("LFS is off for this project")
                self.lfs.fetch(pointer, content)
            except lfs_files.LfsUnavailable as unavailable:
                self.missing.append(NotFetched(path=_shown(path), what="LFS file", reason=str(unavailable)))
                return
            content.chmod(stat.S_IMODE(place.stat().st_mode))
            content.replace(place)

    def _content(self, entry: _Entry, prefix: bytes) -> bytes:
        """A regular file's bytes as they were written; nothing for a link."""
        if not entry.mode.startswith("100"):
            return b""
        return self._place(_under(prefix, entry.path)).read_bytes()

    def _submodule(self, link: _Entry, prefix: bytes, url: str | None, *, base: str, depth: int) -> None:
        path = _under(prefix, link.path)
        try:
            if self.policy is None:
                raise SubmoduleRefused("submodules are off for this project")
            if url is None:
                raise SubmoduleRefused("`.gitmodules` has no URL for it")
            self.started += 1
            if depth > self.policy.depth or self.started > self.policy.count:
                most = f"{self.policy.count} in all and {self.policy.depth} in each other"
                raise SubmoduleRefused(f"there are too many submodules; at most {most} are fetched")
            location = self.policy.locate(url, base=base)
            name = sha256(location.url.encode("utf-8", "surrogateescape")).hexdigest()[:32]
            store = self.cache / "submodules" / name
            fetch_commit(
                location.url,
                link.oid,
                store,
                protocol=location.protocol,
                timeout=SUBMODULE_TIMEOUT,
                environment=self.policy.environment(location.url),
            )
        except (SubmoduleRefused, CommitGone) as refusal:
            self.missing.append(NotFetched(path=_shown(path), what="submodule", reason=str(refusal)))
            return
        except GitFailed as failure:
            if not any(words in failure.output for words in _NEVER):
                raise
            reason = (
                "its host does not give it to the bridge; make it public, check its URL, or ask an "
                "administrator to name it in the project's `submodules`"
            )
            self.missing.append(NotFetched(path=_shown(path), what="submodule", reason=reason))
            return
        self._place(path).mkdir(parents=True, exist_ok=True)
        self.fill(store, link.oid, path, url=location.url, depth=depth)
        self.fetched.append(FetchedSubmodule(path=_shown(path), url=location.url, sha=link.oid))


def _entries(cache: Path, sha: str, most: int) -> Iterator[_Entry]:
    arguments = ["ls-tree", "-r", "-l", "-z", "--full-tree", sha]
    try:
        _, output = run_git(arguments, directory=cache, limit=_LISTING, records=most)
    except OutputTooLarge as error:
        raise TooLarge(f"the commit has more than {most} files, or {_LISTING} bytes of names") from error
    except GitFailed as failure:
        if not has_commit(cache, sha):
            raise CommitGone(f"{cache.name} does not hold the commit {sha}") from failure
        raise
    for line in output.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, _, oid, size = head.decode("ascii").split()
            yield _Entry(mode, oid, int(size) if size.isdigit() else 0, path)


def _write(cache: Path, sha: str, place: Path) -> None:
    """Let git write the files, from a git directory made for this: no configuration, no attributes."""
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as scratch:
        directory = Path(scratch)
        for name in ("objects", "refs", "info"):
            (directory / name).mkdir()
        (directory / "HEAD").write_text("ref: refs/heads/none\n")
        (directory / "info" / "attributes").write_text(_ATTRIBUTES)
        version = "[core]\n\trepositoryformatversion = 1\n\tsymlinks = true\n\tfileMode = true\n"
        kind = "sha256" if len(sha) == 64 else "sha1"
        (directory / "config").write_text(f"{version}[extensions]\n\tobjectFormat = {kind}\n")
        environment = {
            "GIT_OBJECT_DIRECTORY": str((cache / "objects").absolute()),
            "GIT_INDEX_FILE": str(directory / "index"),
            "GIT_WORK_TREE": str(place.absolute()),
        }
        try:
            run_git(["read-tree", sha], directory=directory, environment=environment)
        except GitFailed as failure:
            if "invalid path" in failure.output.lower():
                raise ForgeRefused(f"the commit holds a path that git does not write: {failure}") from failure
            raise
        arguments = ["checkout-index", "--all", "--quiet"]
        run_git(arguments, directory=directory, environment=environment, timeout=CHECKOUT_TIMEOUT)


def _submodule_urls(cache: Path, entries: list[_Entry]) -> dict[bytes, str]:
    file = next((entry for entry in entries if entry.path == b".gitmodules"), None)
    if file is None or not file.mode.startswith("100") or file.size > _GITMODULES:
        return {}
    _, content = run_git(["cat-file", "blob", file.oid], directory=cache)
    arguments = ["config", "--file", "-", "--null", "--list"]
    status, settings = run_git(arguments, directory=cache, data=content, accept=(0, 1, 3, 128))
    return dict(urls_by_path(settings)) if status == 0 else {}


def _under(prefix: bytes, path: bytes) -> bytes:
    return prefix + b"/" + path if prefix else path


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
