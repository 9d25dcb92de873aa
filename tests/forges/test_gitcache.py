"""A cache keeps what it fetched, for several processes at once, through every kill."""

import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reana_bridge.forges import gitcommand
from reana_bridge.forges.base import CommitGone, ForgeError
from reana_bridge.forges.gitcache import fetch_commit, forget, has_commit, is_fetched, locked, tidy
from reana_bridge.forges.gitcommand import run_git
from tests.forges.conftest import Repository, git


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "caches" / "name.git"


def fetch(repository: Repository, sha: str, cache: Path) -> None:
    fetch_commit(str(repository.bare), sha, cache, protocol="file")


@pytest.mark.parametrize(
    "sha",
    ["main", "HEAD", "--upload-pack=touch x", "a" * 39, "A" * 40, "a" * 40 + "\n", "", "-" * 40, "é" * 40],
)
def test_only_whole_commit_ids_are_taken(repository: Repository, cache: Path, sha: str):
    with pytest.raises(CommitGone, match="is not a commit"):
        fetch(repository, sha, cache)
    assert not cache.exists()


def test_history_comes_along_and_a_second_time_asks_nobody(repository: Repository, cache: Path):
    first = repository.commit({"a": b"1"})
    second = repository.commit({"a": b"2"})
    fetch(repository, second, cache)
    assert has_commit(cache, first)
    repository.bare.rename(repository.bare.with_name("away"))
    fetch(repository, second, cache)
    assert is_fetched(cache, second)


def test_what_was_force_pushed_away_stays(repository: Repository, cache: Path):
    repository.commit({"a": b"1"})
    gone = repository.commit({"a": b"2"})
    fetch(repository, gone, cache)
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    new = repository.commit({"a": b"3"}, push=False)
    repository.push("--force", "HEAD")
    git(repository.bare, "reflog", "expire", "--expire=now", "--all")
    git(repository.bare, "gc", "--quiet", "--prune=now")
    fetch(repository, new, cache)
    fetch(repository, gone, cache)
    tidy(cache)
    run_git(["gc", "--quiet", "--prune=now"], directory=cache)
    assert has_commit(cache, gone)


def test_what_is_on_no_branch_any_more_is_still_fetched(repository: Repository, cache: Path):
    repository.commit({"a": b"1"})
    repository.git("checkout", "--quiet", "-b", "proposal")
    lost = repository.commit({"a": b"2"})
    repository.push("--delete", "proposal")
    fetch(repository, lost, cache)
    assert has_commit(cache, lost)


def test_a_commit_that_is_gone(repository: Repository, cache: Path):
    repository.commit()
    with pytest.raises(CommitGone, match="has no commit"):
        fetch(repository, "1" * 40, cache)
    assert not is_fetched(cache, "1" * 40)


def test_an_object_that_is_no_commit(repository: Repository, cache: Path):
    oid = repository.blob(b"text")
    with pytest.raises(CommitGone, match="is not a commit"):
        fetch(repository, oid, cache)
    assert run_git(["for-each-ref"], directory=cache)[1] == b""


def test_a_repository_that_is_gone(tmp_path: Path, cache: Path):
    with pytest.raises(ForgeError, match="git fetch"):
        fetch_commit(str(tmp_path / "nothing.git"), "1" * 40, cache, protocol="file")


def test_sha256_repositories(tmp_path: Path, cache: Path):
    work = tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--object-format=sha256", str(work))
    git(work, "commit", "--quiet", "--allow-empty", "-m", "x")
    sha = git(work, "rev-parse", "HEAD")
    fetch_commit(str(work), sha, cache, protocol="file")
    assert len(sha) == 64
    assert is_fetched(cache, sha)


def test_forget(repository: Repository, cache: Path):
    sha = repository.commit()
    fetch(repository, sha, cache)
    forget(cache, sha)
    assert not is_fetched(cache, sha)
    fetch(repository, sha, cache)
    assert is_fetched(cache, sha)


@pytest.mark.parametrize("name", ["packed-refs.lock", "config.lock", "shallow.lock", "HEAD.lock"])
def test_lock_files_of_a_killed_git(repository: Repository, cache: Path, name: str):
    fetch(repository, repository.commit({"a": b"1"}), cache)
    (cache / name).touch()
    sha = repository.commit({"a": b"2"})
    fetch(repository, sha, cache)
    forget(cache, sha)
    assert not is_fetched(cache, sha)


def test_the_lock_file_of_a_ref(repository: Repository, cache: Path):
    fetch(repository, repository.commit({"a": b"1"}), cache)
    sha = repository.commit({"a": b"2"})
    (cache / "refs" / "bridge" / f"{sha}.lock").touch()
    fetch(repository, sha, cache)
    assert is_fetched(cache, sha)


def test_a_half_made_cache_is_never_seen(repository: Repository, cache: Path):
    leftover = cache.parent / f".{cache.name}-killed"
    leftover.mkdir(parents=True)
    fetch(repository, repository.commit(), cache)
    assert not leftover.exists()


def test_many_at_once(repository: Repository, cache: Path):
    shas = [repository.commit({"a": str(number).encode()}, push=number == 7) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda sha: fetch(repository, sha, cache), shas * 3))
    assert all(is_fetched(cache, sha) for sha in shas)


def _fetch_for_ever(bare: str, shas: list[str], cache: str) -> None:
    os.setsid()
    while True:
        for sha in shas:
            fetch_commit(bare, sha, Path(cache), protocol="file")
            forget(Path(cache), sha)


def test_killed_at_any_moment(repository: Repository, cache: Path):
    shas = [repository.commit({"a": str(number).encode()}, push=number == 2) for number in range(3)]
    spawn = multiprocessing.get_context("spawn")
    for _ in range(4):
        process = spawn.Process(target=_fetch_for_ever, args=(str(repository.bare), shas, str(cache)))
        process.start()
        process.join(0.6)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        for sha in shas:
            fetch(repository, sha, cache)
            assert is_fetched(cache, sha)
    run_git(["fsck", "--connectivity-only"], directory=cache)


def test_a_child_keeps_the_lock_of_a_killed_parent(tmp_path: Path):
    program = (
        "import os, signal, subprocess, sys\n"
        "from pathlib import Path\n"
        "from reana_bridge.forges.gitcache import locked\n"
        "with locked(Path(sys.argv[1])) as lock:\n"
        "    child = subprocess.Popen(['sleep', '60'], pass_fds=[lock], stdout=subprocess.DEVNULL)\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "lock")], stdout=subprocess.PIPE)
    child = int(done.stdout)
    try:
        with pytest.raises(ForgeError, match="locked"), locked(tmp_path / "lock", timeout=0.05):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
    with locked(tmp_path / "lock", timeout=5):
        pass


@pytest.fixture
def old_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with servers that give away only what a branch or tag points to."""
    configuration = tmp_path / "git.config"
    configuration.write_text(gitcommand._CONFIGURATION.read_text().replace("version = 2", "version = 0"))
    monkeypatch.setattr(gitcommand, "_CONFIGURATION", configuration)


@pytest.mark.usefixtures("old_protocol")
def test_an_old_server(repository: Repository, cache: Path):
    inner = repository.commit({"a": b"1"})
    repository.commit({"a": b"2"})
    fetch(repository, inner, cache)
    assert is_fetched(cache, inner)
    with pytest.raises(CommitGone, match="no branch or tag"):
        fetch(repository, "1" * 40, cache)
