"""A bare repository of the bridge's own for each project, into which exact commits are fetched.

Promises: once `fetch_commit` returned, the commit and its whole history stay in the cache under
`refs/bridge/<sha>`, whatever happens to the branch; several processes may fetch into one cache; one killed
at any moment leaves a cache that the next fetch repairs.
"""

import fcntl
import os
import re
import shutil
import time
import zlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from reana_bridge.forges.base import CommitGone, ForgeError
from reana_bridge.forges.gitcommand import GitFailed, run_git
from reana_bridge.forges.githttp import AnsweredOtherwise

FETCH_TIMEOUT = 600.0
"""Seconds for one fetch."""

LOCK_TIMEOUT = 630.0
"""Seconds to wait for another fetch into the same cache; longer than that fetch may take."""

_HAVES = 32
"""Commits that are named as here when what is missing is asked for."""

_FEW = 100
_PACKED = re.compile(r"^[0-9a-f]{40,64} refs/bridge/([0-9a-f]{40,64})$", re.ASCII | re.MULTILINE)
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
# What git reads as text is left alone, see `source.checkout`.
_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding -export-subst -export-ignore\n"


def require_sha(sha: str) -> str:
    """`sha` itself, when it is a whole object name.

    Raises:
        CommitGone: It is anything else (a branch, an option, a shortened name).
    """
    if not _SHA.fullmatch(sha):
        raise CommitGone(f"{sha[:80]!r} is not a commit: 40 or 64 lower-case hexadecimal digits are needed")
    return sha


def has_commit(repository: Path, sha: str) -> bool:
    """Whether `repository` holds the commit `sha`."""
    # What was just fetched is mostly a file of its own, and a file is read sooner than git is started.
    loose = repository / "objects" / require_sha(sha)[:2] / sha[2:]
    try:
        with loose.open("rb") as file:
            if zlib.decompressobj().decompress(file.read(128), 16).startswith(b"commit "):
                return True
    except (FileNotFoundError, zlib.error):
        pass  # packed, or nothing that can be read: git knows
    arguments = ["rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}"]
    status, _ = run_git(arguments, directory=repository, accept=(0, 1, 128))
    return status == 0


def is_fetched(cache: Path, sha: str) -> bool:
    """Whether `sha` and its whole history are in `cache`."""
    ref = f"refs/bridge/{require_sha(sha)}"
    # The files are read here, as this is asked far more often than a process should be started.
    try:
        return (cache / ref).read_text("ascii").strip() == sha
    except FileNotFoundError:
        pass
    try:
        return f"{sha} {ref}\n" in (cache / "packed-refs").read_text("utf-8", "replace")
    except FileNotFoundError:
        return False


def fetch_commit(
    url: str,
    sha: str,
    cache: Path,
    *,
    protocol: str,
    timeout: float = FETCH_TIMEOUT,
    environment: Mapping[str, str] | None = None,
    ask: Callable[[list[str]], bytes] | None = None,
) -> None:
    """Bring `sha` and its history from `url` into `cache` (made when absent); quick when it is there.

    Args:
        url: An absolute path (`protocol` is `file`), or an `https://` (in tests `http://`) URL.
        sha: The commit.
        cache: The bare repository; `CACHE.lock` beside it guards it.
        protocol: The only one that git may speak.
        timeout: Seconds.
        environment: Over git's clean environment: credentials for the URL.
        ask: Given commits that are here with their histories, a pack of what `sha` adds to them, as
            `gitpack.ask_pack`; tried before git itself.

    Raises:
        CommitGone: The repository has no such commit.
        ForgeError: Not now.
    """
    if is_fetched(cache, require_sha(sha)):
        return
    cache.parent.mkdir(parents=True, exist_ok=True)
    with locked(cache.with_name(cache.name + ".lock")) as lock:
        if is_fetched(cache, sha):
            return
        _make(cache, sha)
        if ask is not None and _add(ask, sha, cache, lock):
            return
        _despite_stale_locks(cache, lambda: _fetch(url, sha, cache, protocol, timeout, lock, environment))
        if not has_commit(cache, sha):
            _drop(cache, sha, lock)
            raise CommitGone(f"{sha} is not a commit")


def forget(cache: Path, sha: str) -> None:
    """Stop keeping `sha`; the next `tidy` may drop what nothing else needs."""
    if (cache / "HEAD").exists():
        with locked(cache.with_name(cache.name + ".lock")) as lock:
            _drop(cache, require_sha(sha), lock)


def tidy(cache: Path, *, timeout: float = FETCH_TIMEOUT) -> None:
    """Pack what is loose and drop what no kept commit needs; slow, so never on a push's way."""
    if (cache / "HEAD").exists():
        with locked(cache.with_name(cache.name + ".lock")) as lock:
            remove_stale_locks(cache)
            settings = {"gc.auto": "500", "gc.autoDetach": "false"}
            variables = {"GIT_CONFIG_COUNT": str(len(settings))}
            for number, (key, value) in enumerate(settings.items()):
                variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
            arguments = ["gc", "--auto", "--quiet"]
            run_git(arguments, directory=cache, environment=variables, timeout=timeout, keep_open=[lock])


@contextmanager
def locked(path: Path, *, timeout: float = LOCK_TIMEOUT) -> Generator[int]:
    """Hold the lock file `path`; gives its descriptor, for the children that must hold it as well.

    A child that got the descriptor keeps the lock when this process is killed: whoever gets it next can be
    sure that no git is still writing.

    Raises:
        ForgeError: Somebody else held it for more than `timeout` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ForgeError(
                        f"{path} has been locked for {timeout:.0f} s by another process"
                    ) from None
                time.sleep(0.005)
        yield descriptor
    finally:
        os.close(descriptor)


def remove_stale_locks(repository: Path) -> None:
    """Remove git's own lock files in the cache `repository`; only while `locked` is held.

    Git leaves them behind when it is killed, and then refuses every later write.
    """
    for pattern in ("*.lock", "refs/**/*.lock", "objects/**/*.lock"):
        for path in repository.glob(pattern):
            path.unlink(missing_ok=True)


def _despite_stale_locks(cache: Path, act: Callable[[], object]) -> None:
    try:
        act()
    except GitFailed as failure:
        if ".lock'" not in failure.output and "cannot lock ref" not in failure.output:
            raise
        remove_stale_locks(cache)
        act()


def _drop(cache: Path, sha: str, lock: int) -> None:
    arguments = ["update-ref", "-d", f"refs/bridge/{sha}"]
    _despite_stale_locks(cache, lambda: run_git(arguments, directory=cache, keep_open=[lock]))


def _make(cache: Path, sha: str) -> None:
    """Make the empty cache in one rename, so that it is never seen half made."""
    if (cache / "HEAD").exists():
        return
    for leftover in cache.parent.glob(f".{cache.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = Path(mkdtemp(prefix=f".{cache.name}-", dir=cache.parent))
    kind = "sha256" if len(sha) == 64 else "sha1"
    run_git(["init", "--quiet", "--bare", "--template=", f"--object-format={kind}"], directory=fresh)
    (fresh / "info").mkdir(exist_ok=True)
    (fresh / "info" / "attributes").write_text(_ATTRIBUTES)
    fresh.rename(cache)


def _add(ask: Callable[[list[str]], bytes], sha: str, cache: Path, lock: int) -> bool:
    """Whether what the commit adds to those that are here could be asked for, and is all here now."""
    here = _newest(cache)
    try:
        pack = ask(here) if here else b""
        if not pack:
            return False
        # As git does: few objects are files of their own, many stay together.
        few = int.from_bytes(pack[8:12], "big") < _FEW
        unpack = ["unpack-objects", "-q"] if few else ["index-pack", "--stdin", "--fix-thin"]
        run_git(unpack, directory=cache, data=pack, timeout=FETCH_TIMEOUT, keep_open=[lock])
        whole = ["rev-list", "--objects", "--quiet", sha, "--not", *here, "--"]
        run_git(whole, directory=cache, timeout=FETCH_TIMEOUT)
    except (AnsweredOtherwise, GitFailed):
        return False  # git says best what is wrong
    if not has_commit(cache, sha):
        return False
    _keep(cache, sha)
    return True


def _newest(cache: Path) -> list[str]:
    """Some of the commits that are here with their histories, those that came last before all."""
    try:
        with os.scandir(cache / "refs" / "bridge") as entries:
            loose = [(entry.stat().st_mtime, entry.name) for entry in entries if _SHA.fullmatch(entry.name)]
    except FileNotFoundError:
        loose = []
    if loose:
        return [sha for _, sha in sorted(loose, reverse=True)[:_HAVES]]
    try:
        packed = (cache / "packed-refs").read_text("utf-8", "replace")
    except FileNotFoundError:
        return []
    return _PACKED.findall(packed)[-_HAVES:]


def _keep(cache: Path, sha: str) -> None:
    """Write the ref by which the commit stays, as git does."""
    fresh, place = cache / "bridge.ref", cache / "refs" / "bridge"
    place.mkdir(parents=True, exist_ok=True)
    with fresh.open("w", encoding="ascii") as file:
        file.write(f"{sha}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(place / sha)


def _fetch(
    url: str,
    sha: str,
    cache: Path,
    protocol: str,
    timeout: float,
    lock: int,
    environment: Mapping[str, str] | None,
) -> None:
    def fetch(*refspecs: str) -> None:
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-recurse-submodules"]
        arguments = ["fetch", *options, "--end-of-options", url, *refspecs]
        run_git(
            arguments,
            directory=cache,
            environment=environment,
            protocols=[protocol],
            timeout=timeout,
            keep_open=[lock],
        )

    try:
        fetch(f"+{sha}:refs/bridge/{sha}")
    except GitFailed as failure:
        if "not our ref" in failure.output or "bad object" in failure.output:
            raise CommitGone(f"the repository has no commit {sha} (any more)") from failure
        if "unadvertised object" not in failure.output:
            raise
        # An old server that gives away only what a branch or tag points to.
        fetch("+refs/heads/*:refs/remote/heads/*", "+refs/tags/*:refs/remote/tags/*")
        if not has_commit(cache, sha):
            raise CommitGone(f"no branch or tag of the repository leads to {sha} (any more)") from failure
        run_git(["update-ref", f"refs/bridge/{sha}", sha], directory=cache, keep_open=[lock])
