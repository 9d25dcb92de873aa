"""Git over http(s) for hosted forges: what is asked with which credentials, and what refusals become."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited
from reana_bridge.forges.remote_git import Login, RemoteGit, parse_listing
from reana_bridge.forges.submodules import SubmodulePolicy, SubmoduleRefused
from reana_bridge.model.projects import Project
from reana_bridge.settings import Settings
from tests.forges.conftest import Repository, git
from tests.forges.githttp import GitHttp, serve

PROJECT = Project("lab", "group/name")
LOGIN = Login("robot", "s3cret")


@pytest.fixture
def server(root: Path) -> Iterator[GitHttp]:
    with serve(root) as state:
        yield state


def remote(server: GitHttp, login: Login | None = LOGIN, **changes: Any) -> RemoteGit:
    values: dict[str, Any] = {
        "base_url": server.url,
        "url_of": lambda project: f"{server.url}/{project.path}.git",
        "credentials": lambda project: login,
    }
    return RemoteGit(**(values | changes))


def test_heads(server: GitHttp, repository: Repository):
    first = repository.commit({"a": b"1"})
    repository.git("tag", "-a", "v1", "-m", "x")
    repository.push("refs/tags/v1")
    git(repository.bare, "update-ref", "refs/merge-requests/5/head", first)
    asked = remote(server)
    assert asked.heads(PROJECT) == {"refs/heads/main": first, "refs/tags/v1": first}
    assert asked.head(PROJECT, "refs/merge-requests/5/head") == first
    assert asked.head(PROJECT, "refs/heads/gone") is None
    assert asked.default_branch(PROJECT) == "main"


def test_heads_are_always_asked_and_the_default_branch_comes_with_them(
    server: GitHttp, repository: Repository
):
    repository.commit({"a": b"1"})
    now = [0.0]
    asked = remote(server, clock=lambda: now[0])
    asked.head(PROJECT, "refs/heads/main")
    cost = len(server.asked)
    asked.default_branch(PROJECT)
    assert len(server.asked) == cost
    second = repository.commit({"a": b"2"})
    assert asked.head(PROJECT, "refs/heads/main") == second
    assert len(server.asked) == 2 * cost
    now[0] = 61.0
    asked.default_branch(PROJECT)
    assert len(server.asked) == 3 * cost


def test_an_empty_repository(server: GitHttp, repository: Repository):
    assert remote(server).heads(PROJECT) == {}
    with pytest.raises(ForgeRefused, match="push a first commit"):
        remote(server).default_branch(PROJECT)


@pytest.mark.parametrize(
    ("lines", "refs", "default"),
    [
        (b"ref: refs/heads/main\tHEAD\n1\tHEAD\n1\trefs/heads/main\n", {"refs/heads/main": "1"}, "main"),
        (b"1\trefs/tags/a\n2\trefs/tags/a^{}\n", {"refs/tags/a": "2"}, ""),
        (b"1\trefs/heads/\xff\n2\trefs/heads/b\n", {"refs/heads/b": "2"}, ""),
        (b"ref: refs/other/x\tHEAD\n", {}, ""),
        (b"", {}, ""),
    ],
)
def test_listings(lines: bytes, refs: dict[str, str], default: str):
    listing = parse_listing(lines, 0.0)
    assert (listing.refs, listing.default_branch) == (refs, default)


def test_fetch_and_checkout(server: GitHttp, repository: Repository, tmp_path: Path):
    server.private = {"group"}
    sha = repository.commit({"a": b"1\n", "b/c": b"2"})
    repository.commit({"a": b"3"})
    cache = tmp_path / "cache"
    asked = remote(server)
    asked.fetch(PROJECT, sha, cache)
    assert asked.checkout(PROJECT, sha, cache, tmp_path / "out") == []
    assert (tmp_path / "out" / "a").read_bytes() == b"1\n"
    assert {header for _, header in server.asked} == {server.authorization()}


def test_no_credentials_on_the_command_line_in_the_url_or_in_the_configuration(
    server: GitHttp, repository: Repository, tmp_path: Path, monkeypatch
):
    seen = tmp_path / "seen"
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "git"
    real = git(tmp_path, "--exec-path") + "/git"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {seen}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:/usr/bin:/bin")
    sha = repository.commit({"a": b"1"})
    asked = remote(server)
    asked.heads(PROJECT)
    asked.fetch(PROJECT, sha, tmp_path / "cache")
    secrets = ["s3cret", server.authorization().split()[1]]
    files = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    for text in [seen.read_text(), *(path.read_bytes().decode("latin-1") for path in files)]:
        assert not any(secret in text for secret in secrets)
    assert "s3cret" not in repr(LOGIN)


def test_a_commit_that_is_not_there(server: GitHttp, repository: Repository, tmp_path: Path):
    repository.commit({"a": b"1"})
    with pytest.raises(CommitGone, match="has no commit"):
        remote(server).fetch(PROJECT, "1" * 40, tmp_path / "cache")
    with pytest.raises(CommitGone):
        remote(server).fetch(PROJECT, "--upload-pack=x", tmp_path / "cache")


@pytest.mark.parametrize(
    ("status", "headers", "error", "said"),
    [
        (401, {"WWW-Authenticate": 'Basic realm="x"'}, ForgeError, "does not take our token"),
        (403, {}, ForgeRefused, "right to read code"),
        (404, {}, ForgeRefused, "is not there"),
        (301, {"Location": "http://127.0.0.1:9/x"}, ForgeRefused, "is not there"),
        (429, {}, RateLimited, "less often"),
        (500, {}, ForgeError, "500"),
    ],
)
def test_refusals(
    server: GitHttp, repository: Repository, tmp_path: Path, status: int, headers: Any, error: Any, said: str
):
    server.answers["/group"] = (status, headers)
    for act in (
        lambda: remote(server).heads(PROJECT),
        lambda: remote(server).fetch(PROJECT, "1" * 40, tmp_path / "cache"),
    ):
        with pytest.raises(error, match=said) as raised:
            act()
        assert type(raised.value) is error or status == 500
        assert "s3cret" not in str(raised.value)


def test_a_private_repository_without_a_token(server: GitHttp, repository: Repository):
    server.private = {"group"}
    with pytest.raises(ForgeRefused, match="configure a token"):
        remote(server, login=None).heads(PROJECT)


def test_an_unreachable_forge(server: GitHttp):
    with pytest.raises(ForgeError):
        remote(server, base_url="http://127.0.0.1:9", url_of=lambda _: "http://127.0.0.1:9/x.git").heads(
            PROJECT
        )


def test_a_renamed_project_is_found_once_more(server: GitHttp, make_repository: Callable[[str], Repository]):
    sha = make_repository("group/new").commit({"a": b"1"})
    path = ["group/old"]

    def relocate(project: Project) -> bool:
        path[0] = "group/new"
        return True

    asked = remote(server, url_of=lambda _: f"{server.url}/{path[0]}.git", relocate=relocate)
    assert asked.head(PROJECT, "refs/heads/main") == sha


def test_a_project_that_was_not_renamed(server: GitHttp):
    asked: list[Project] = []

    def relocate(project: Project) -> bool:
        asked.append(project)
        return False

    with pytest.raises(ForgeRefused):
        remote(server, relocate=relocate).heads(PROJECT)
    assert asked == [PROJECT]


def test_nothing_is_fetched_from_elsewhere(server: GitHttp):
    with pytest.raises(ForgeRefused, match="is not below"):
        remote(server, url_of=lambda _: "https://elsewhere.example/x.git").heads(PROJECT)


@pytest.mark.parametrize(
    ("name", "fetched", "with_credentials"),
    [
        ("group/shared", True, True),
        ("group/other", False, False),
        ("group/shared-not", False, False),
        ("open/other", True, False),
        ("secret/other", False, False),
    ],
)
def test_only_submodules_that_the_settings_name_get_credentials(
    server: GitHttp,
    repository: Repository,
    make_repository: Callable[[str], Repository],
    tmp_path: Path,
    name: str,
    fetched: bool,
    with_credentials: bool,
):
    server.private = {"group", "secret"}
    inner = make_repository(name).commit({"inside": b"2"})
    repository.commit({".gitmodules": f'[submodule "m"]\n\tpath = m\n\turl = ../../{name}.git\n'.encode()})
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{inner},m")
    repository.git("commit", "-qm", "m")
    repository.push()
    sha = repository.git("rev-parse", "HEAD")
    asked = remote(server, may_hold=lambda of, other: (of, other.path) == (PROJECT, "group/shared"))
    asked.fetch(PROJECT, sha, tmp_path / "cache")
    missing = asked.checkout(PROJECT, sha, tmp_path / "cache", tmp_path / "out")
    assert (tmp_path / "out" / "m" / "inside").exists() is fetched
    assert (missing == []) is fetched
    headers = {header for path, header in server.asked if path.startswith(f"/{name}")}
    assert headers == ({server.authorization()} if with_credentials else {""})


@pytest.mark.parametrize(
    ("project", "other", "allowed"),
    [
        ("lab:group/name", "lab:group/shared-x", True),
        ("lab:group/name", "lab:group/other", False),
        ("lab:group/name", "mirror:group/shared-x", False),
        ("lab:group/another", "lab:group/shared-x", False),
        ("lab:unregistered/x", "lab:group/shared-x", False),
    ],
)
def test_whose_code_a_project_may_hold(project: str, other: str, allowed: bool):
    rules = [
        {"match": "lab:group/name", "submodules": ["lab:group/shared-*"]},
        {"match": "lab:group/*"},
    ]
    forges = {"lab": {"kind": "git"}, "mirror": {"kind": "git"}}
    settings = Settings.model_validate({"forges": forges, "projects": rules})
    assert settings.may_hold(Project.parse(project), Project.parse(other)) is allowed


@pytest.mark.parametrize(
    "path",
    [
        "group/shared/../secret",
        "group/shared/%2e%2e/secret",
        "group//shared",
        "group/shared?x",
        "group/./shared",
        ".git/x",
        "shared",
        "",
    ],
)
def test_a_path_that_could_be_read_in_two_ways_gets_no_credentials(server: GitHttp, path: str):
    asked = remote(server, may_hold=lambda of, other: True)
    assert "KEY_0" not in " ".join(asked._environment_for(PROJECT, f"{server.url}/{path}"))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("../other.git", "http://lab:1/group/other.git"),
        ("http://lab:1/else/other.git", "http://lab:1/else/other.git"),
        ("https://code.example/x.git", "https://code.example/x.git"),
        ("http://code.example/x.git", None),
        ("http://lab:1.evil.example/x.git", None),
        ("http://lab:1@evil.example/x.git", None),
        ("http://user@lab:1/x.git", None),
        ("http://lab:1/a/../b.git", None),
        ("http://lab:1/a?x", None),
        ("file:///etc", None),
        ("/etc", None),
    ],
)
def test_where_submodules_may_come_from(url: str, found: str | None):
    policy = SubmodulePolicy(
        url="http://lab:1/group/name.git", hosts=frozenset(["code.example"]), forge="http://lab:1"
    )
    if found is None:
        with pytest.raises(SubmoduleRefused):
            policy.locate(url, base=policy.url)
    else:
        assert policy.locate(url, base=policy.url).url == found


def with_pointer(repository: Repository, content: bytes, size: int | None = None) -> str:
    oid = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size or len(content)}\n"
    return repository.commit(
        {
            ".gitattributes": b"*.bin filter=lfs\n",
            "big.bin": pointer.encode(),
            ".lfsconfig": b"[lfs]\nurl=http://e/",
        }
    )


def checked_out(server: GitHttp, sha: str, tmp_path: Path, **changes: Any) -> list[str]:
    asked = remote(server, **changes)
    asked.fetch(PROJECT, sha, tmp_path / "cache")
    return asked.checkout(PROJECT, sha, tmp_path / "cache", tmp_path / "out")


def test_lfs_files(server: GitHttp, repository: Repository, tmp_path: Path):
    server.private = {"group"}
    content = b"large" * 1000
    server.lfs[hashlib.sha256(content).hexdigest()] = content
    assert checked_out(server, with_pointer(repository, content), tmp_path) == []
    assert (tmp_path / "out" / "big.bin").read_bytes() == content
    [download] = [header for path, header in server.asked if "lfs-content" in path]
    assert download == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lfs": {}}, "the forge does not have it (Object does not exist)"),
        ({"lfs_href": "https://elsewhere.example/"}, "keeps it at https://elsewhere.example"),
        ({"lfs_href": "http://code.example/"}, "keeps it at http://code.example"),
        ({"answers": {"/group/name.git/info/lfs": (403, {})}}, "check that its token may read code"),
        ({"answers": {"/lfs-content": (404, {})}}, "the forge does not have it"),
        ({"answers": {"/lfs-content": (302, {"Location": "https://evil.example/"})}}, "https://evil.example"),
        ({"answers": {"/lfs-content": (302, {"Location": "/lfs-content/x"})}}, "from one place to the next"),
    ],
)
def test_lfs_files_that_cannot_be_had(
    server: GitHttp, repository: Repository, tmp_path: Path, change: dict[str, Any], said: str
):
    content = b"large" * 1000
    server.lfs[hashlib.sha256(content).hexdigest()] = content
    for name, value in change.items():
        setattr(server, name, value)
    [missing] = checked_out(
        server, with_pointer(repository, content), tmp_path, submodule_hosts=["code.example"]
    )
    assert said in missing
    assert (tmp_path / "out" / "big.bin").read_bytes().startswith(b"version https://git-lfs")


@pytest.mark.parametrize(
    ("size", "served", "said"),
    [(3, b"four", "another size"), (9, b"four", "damaged"), (4, b"fuor", "damaged")],
)
def test_damaged_lfs_content(
    server: GitHttp, repository: Repository, tmp_path: Path, size: int, served: bytes, said: str
):
    server.lfs[hashlib.sha256(b"four").hexdigest()] = served
    [missing] = checked_out(server, with_pointer(repository, b"four", size), tmp_path)
    assert said in missing


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (500, ForgeError)])
@pytest.mark.parametrize("where", ["/group/name.git/info/lfs", "/lfs-content"])
def test_an_lfs_server_that_is_away(
    server: GitHttp, repository: Repository, tmp_path: Path, where: str, status: int, error: type[Exception]
):
    content = b"large"
    server.lfs[hashlib.sha256(content).hexdigest()] = content
    server.answers[where] = (status, {})
    with pytest.raises(error):
        checked_out(server, with_pointer(repository, content), tmp_path)
