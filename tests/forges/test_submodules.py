"""Submodules come at their recorded commit and only from where they may."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reana_bridge.forges.checkout import CheckoutReport, checkout
from reana_bridge.forges.git import GitForge
from reana_bridge.forges.submodules import Location, SubmodulePolicy, SubmoduleRefused, urls_by_path
from reana_bridge.model.projects import Project
from tests.forges.conftest import Repository

Make = Callable[[str], Repository]
PROJECT = Project("local", "group/name")
POLICY = SubmodulePolicy(
    url="https://forge.example.org/group/sub/name.git",
    hosts=frozenset({"forge.example.org", "other.example.org:8443"}),
)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("../lib.git", "https://forge.example.org/group/sub/lib.git"),
        ("../../lib", "https://forge.example.org/group/lib"),
        ("./lib", "https://forge.example.org/group/sub/name.git/lib"),
        ("../../../lib/", "https://forge.example.org/lib"),
        ("https://forge.example.org/x.git", "https://forge.example.org/x.git"),
        ("https://FORGE.example.org/x.git", "https://FORGE.example.org/x.git"),
        ("https://other.example.org:8443/x", "https://other.example.org:8443/x"),
        ("git@forge.example.org:group/x.git", "https://forge.example.org/group/x.git"),
        ("forge.example.org:/group/x.git", "https://forge.example.org/group/x.git"),
    ],
)
def test_allowed(url: str, found: str):
    assert POLICY.locate(url, base=POLICY.url) == Location(found, "https")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "is not a URL"),
        ("-x", "is not a URL"),
        ("--upload-pack=x", "is not a URL"),
        ("https://forge.example.org/a\nb", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://forge.example.org:99999/x", "is not a URL"),
        ("../../../../lib", "leads out of the forge"),
        ("https://evil.example.org/x", "another host"),
        ("https://forge.example.org.evil.org/x", "another host"),
        ("https://forge.example.org:8443/x", "another host"),
        ("https://other.example.org/x", "another host"),
        ("https://127.0.0.1/x", "another host"),
        ("git@evil.example.org:x", "another host"),
        ("https://user:geheim@forge.example.org/x", "no user"),
        ("https://forge.example.org@evil.org/x", "no user"),
        ("https://forge.example.org/x?private_token=1", "no user"),
        ("http://forge.example.org/x", "only https"),
        ("ssh://git@forge.example.org/x", "only https"),
        ("git://forge.example.org/x", "only https"),
        ("ext::sh -c id", "only https"),
        ("lib", "only https"),
        ("/etc", "no repository of this forge"),
        ("file:///etc", "no repository of this forge"),
    ],
)
def test_refused(url: str, reason: str):
    with pytest.raises(SubmoduleRefused) as refusal:
        POLICY.locate(url, base=POLICY.url)
    assert reason in str(refusal.value)
    assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (b"submodule.a.path\nlib/a\0submodule.a.url\n../a\0", {b"lib/a": "../a"}),
        (b"submodule.a.b.path\nx\0submodule.a.b.url\n../a\0", {b"x": "../a"}),
        (b"submodule.a.path\nx\0", {}),
        (b"submodule.a.url\n../a\0", {}),
        (b"core.path\nx\0core.url\ny\0", {}),
        (b"", {}),
        (b"submodule.path\0submodule..url", {}),
    ],
)
def test_gitmodules(settings: bytes, found: dict[bytes, str]):
    assert dict(urls_by_path(settings)) == found


def add_submodule(repository: Repository, path: str, url: str, sha: str) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")
    for key, value in {"path": path, "url": url}.items():
        repository.git("config", "--file", ".gitmodules", f"submodule.{path}.{key}", value)
    repository.git("add", ".gitmodules")


def commit_and_checkout(repository: Repository, root: Path, out: Path) -> CheckoutReport:
    repository.git("commit", "--quiet", "-m", "Submodule")
    repository.push()
    sha = repository.git("rev-parse", "HEAD")
    forge = GitForge("local", root=root)
    cache = out.parent / "cache" / "name.git"
    forge.fetch(PROJECT, sha, cache)
    return checkout(cache, sha, out, submodules=forge.submodules(PROJECT), lfs=forge.lfs(PROJECT))


@pytest.mark.parametrize(
    "url", ["../lib.git", "../lib", "../../group/lib.git", "{root}/group/lib.git", "file://{root}/group/lib"]
)
def test_the_recorded_commit_of_the_same_forge(
    make_repository: Make, repository: Repository, root: Path, tmp_path: Path, url: str
):
    lib = make_repository("group/lib")
    recorded = lib.commit({"version": b"1"})
    lib.commit({"version": b"2"})
    add_submodule(repository, "deps/lib", url.format(root=root), recorded)
    report = commit_and_checkout(repository, root, tmp_path / "out")
    assert report.not_fetched == ()
    assert [(found.path, found.sha) for found in report.submodules] == [("deps/lib", recorded)]
    assert (tmp_path / "out" / "deps" / "lib" / "version").read_bytes() == b"1"
    assert not list((tmp_path / "out").rglob(".git"))
    assert report.files == 2


def test_submodules_of_submodules(make_repository: Make, repository: Repository, root: Path, tmp_path: Path):
    inner, outer = make_repository("deep/inner"), make_repository("group/outer")
    sha = inner.commit({"in": b"1"})
    add_submodule(outer, "inner", "../../deep/inner.git", sha)
    outer.git("commit", "--quiet", "-m", "x")
    outer.push()
    add_submodule(repository, "outer", "../outer.git", outer.git("rev-parse", "HEAD"))
    report = commit_and_checkout(repository, root, tmp_path / "out")
    assert (tmp_path / "out" / "outer" / "inner" / "in").read_bytes() == b"1"
    assert [found.path for found in report.submodules] == ["outer/inner", "outer"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("{outside}", "no repository of this forge"),
        ("file://{outside}", "no repository of this forge"),
        ("../../../outside.git", "no repository of this forge"),
        ("../link.git", "no repository of this forge"),
        ("../none.git", "no repository of this forge"),
        ("https://evil.example.org/x.git", "another host"),
        ("ext::touch x", "only https"),
        ("../lib.git", "has no commit"),
    ],
)
def test_what_is_refused_is_named_and_its_directory_is_empty(
    make_repository: Make, repository: Repository, root: Path, tmp_path: Path, url: str, reason: str
):
    outside = Repository(tmp_path / "outside.git", tmp_path / "outside")
    sha = outside.commit({"secret": b"1"})
    (root / "group" / "link.git").symlink_to(outside.bare)
    make_repository("group/lib").commit({"x": b"1"})
    add_submodule(repository, "sub", url.format(outside=outside.bare), sha)
    report = commit_and_checkout(repository, root, tmp_path / "out")
    assert [(gap.path, gap.what) for gap in report.not_fetched] == [("sub", "submodule")]
    assert reason in report.not_fetched[0].reason
    assert str(report.not_fetched[0]).startswith("submodule sub not fetched: ")
    assert list((tmp_path / "out" / "sub").iterdir()) == []


@pytest.mark.parametrize(
    "gitmodules", [None, b"not = [ a config", b"\xff", b'[submodule "sub"]\n\tpath = other\n', b"[submodule]"]
)
def test_a_submodule_without_a_url(repository: Repository, root: Path, tmp_path: Path, gitmodules):
    entries = [("160000", "1" * 40, b"sub")]
    if gitmodules is not None:
        entries.append(("100644", repository.blob(gitmodules), b".gitmodules"))
    sha = repository.tree(entries)
    policy = GitForge("local", root=root).submodules(PROJECT)
    report = checkout(repository.bare, sha, tmp_path / "out", submodules=policy)
    assert [gap.reason for gap in report.not_fetched] == ["`.gitmodules` has no URL for it"]


def test_a_repository_that_holds_itself(repository: Repository, root: Path, tmp_path: Path):
    sha = repository.commit({"a": b"1"})
    for _ in range(7):
        add_submodule(repository, "self", "../name.git", sha)
        repository.git("commit", "--quiet", "-m", "x")
        repository.push()
        sha = repository.git("rev-parse", "HEAD")
    (repository.copy / "a").write_bytes(b"2")
    repository.git("add", "a")
    report = commit_and_checkout(repository, root, tmp_path / "out")
    assert len(report.submodules) == 5
    assert "too many submodules" in report.not_fetched[0].reason


def test_without_a_policy_submodules_are_left_out(repository: Repository, tmp_path: Path):
    add_submodule(repository, "sub", "../lib.git", "1" * 40)
    repository.git("commit", "--quiet", "-m", "x")
    repository.push()
    report = checkout(repository.bare, repository.git("rev-parse", "HEAD"), tmp_path / "out")
    assert [gap.reason for gap in report.not_fetched] == ["submodules are off for this project"]
