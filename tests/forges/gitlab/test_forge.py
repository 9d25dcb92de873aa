"""The whole forge: code by git, projects and merge requests, people, hooks, badges, rights, set-up."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reana_bridge.forges.base import Access, CommitGone, Forge, ForgeError, ForgeRefused
from reana_bridge.forges.gitlab.forge import GitLabForge
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.forges.make import gitlab as make_gitlab
from reana_bridge.model.projects import Project
from reana_bridge.settings import ForgeSettings, Settings, SettingsError
from reana_bridge.testing.gitlab import FakeGitLab, Level
from tests.forges.gitlab.conftest import World

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_it_is_a_hosted_forge(scripted_forge: GitLabForge):
    checked: HostedForge = scripted_forge
    plain: Forge = scripted_forge
    assert is_hosted(plain)
    assert (checked.name, checked.kind) == ("lab", "gitlab")


def test_code(world: World, tmp_path: Path):
    merge_request = world.merge_request()
    refs = world.there.repository.refs()
    assert world.forge.heads(world.project) == {
        "refs/heads/main": refs["refs/heads/main"],
        "refs/heads/feature": merge_request.sha,
    }
    assert world.forge.default_branch(world.project) == "main"
    assert world.forge.head(world.project, merge_request.ref) == merge_request.sha
    world.forge.fetch(world.project, merge_request.sha, tmp_path / "cache")
    assert world.forge.checkout(world.project, merge_request.sha, tmp_path / "cache", tmp_path / "out") == []
    assert (tmp_path / "out" / "b").read_text() == "1"
    assert world.gitlab.requests() == [], "no API for code"


def test_a_forks_head_comes_from_the_target(world: World, tmp_path: Path):
    user = world.gitlab.user("stranger")
    world.there.members[user.id] = Level.REPORTER
    fork = world.gitlab.fork(world.there, "stranger/ttbar", user)
    sha = world.gitlab.push(fork, "feature", {"c": "1"}, user=user)
    world.gitlab.open(world.there, "feature", source=fork, user=user)
    world.forge.fetch(world.project, sha, tmp_path / "cache")
    with pytest.raises(CommitGone):
        world.forge.fetch(world.project, "1" * 40, tmp_path / "cache")


def test_a_renamed_project(world: World):
    world.gitlab.rename(world.there, "physics/top")
    assert world.forge.default_branch(world.project) == "main"
    assert world.forge.facts(world.project).path == "physics/top"
    assert world.forge.heads(world.project)


def test_a_token_that_was_revoked(world: World):
    world.gitlab.revoke(world.token.value)
    with pytest.raises(ForgeError, match="does not take our token"):
        world.forge.heads(world.project)
    with pytest.raises(ForgeError, match=r"forges\.lab\.token"):
        world.forge.facts(world.project)
    world.gitlab.restore(world.token.value)
    assert world.forge.facts(world.project).id == str(world.there.id)


def test_a_project_that_is_not_there(world: World):
    with pytest.raises(ForgeRefused):
        world.forge.heads(Project("lab", "atlas/none"))
    with pytest.raises(ForgeRefused):
        world.forge.facts(Project("lab", "atlas/none"))


def test_facts(world: World):
    facts = world.forge.facts(world.project)
    assert (facts.id, facts.path, facts.default_branch) == (str(world.there.id), "atlas/ttbar", "main")
    assert facts.private
    assert not facts.archived


def test_merge_requests(world: World):
    one = world.merge_request(labels=["ana"])
    found = world.forge.merge_request(world.project, one.iid)
    assert found is not None
    assert (found.sha, found.source_branch, found.labels, found.fork) == (one.sha, "feature", ("ana",), False)
    assert world.forge.merge_request(world.project, 999) is None
    world.gitlab.remove(world.there)
    with pytest.raises(ForgeRefused):
        world.forge.merge_request(world.project, one.iid)


@pytest.mark.parametrize("method", ["merge", "squash", "fast-forward"])
def test_a_merged_one_says_by_which_commit(world: World, method: str):
    one = world.merge_request()
    before = world.forge.merge_request(world.project, one.iid)
    merged = world.gitlab.merge(world.there, one, method=method)
    after = world.forge.merge_request(world.project, one.iid)
    assert before is not None
    assert after is not None
    assert (before.merged_sha, after.merged_sha) == ("", merged)
    assert (after.sha == merged) == (method == "fast-forward")


def test_open_merge_requests(world: World):
    one, two = world.merge_request("one"), world.merge_request("two")
    assert [each.number for each in world.forge.open_merge_requests(world.project)] == [one.iid, two.iid]
    assert [each.number for each in world.forge.open_merge_requests(world.project)] == [one.iid, two.iid]
    world.gitlab.close(world.there, one)
    assert [each.number for each in world.forge.open_merge_requests(world.project)] == [two.iid]


@pytest.mark.parametrize(
    ("level", "access"),
    [
        (None, Access.NONE),
        (Level.GUEST, Access.READ),
        (Level.REPORTER, Access.READ),
        (Level.DEVELOPER, Access.WRITE),
        (Level.MAINTAINER, Access.MAINTAIN),
        (Level.OWNER, Access.MAINTAIN),
    ],
)
def test_access(world: World, level: Level | None, access: Access):
    user = world.gitlab.user("bob")
    if level is not None:
        world.there.members[user.id] = level
    assert world.forge.access(world.project, "bob", str(user.id)) is access
    assert world.forge.access(world.project, "bob") is access


@pytest.mark.parametrize(("user", "user_id"), [("nobody", ""), ("", ""), ("x", "999999"), ("x", "1/../2")])
def test_access_of_nobody(world: World, user: str, user_id: str):
    assert world.forge.access(world.project, user, user_id) is Access.NONE


def test_identity_is_asked_once(world: World):
    first = world.forge.identity()
    assert world.forge.identity() == first
    assert (first.id, first.name) == (str(world.token.user.id), world.token.user.username)
    assert len(world.gitlab.requests()) == 1


class _Receiver(BaseHTTPRequestHandler):
    received: list[dict[str, str]]
    answer: int = 202

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).received.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(type(self).answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Any]:
    handler = type("Handler", (_Receiver,), {"received": [], "answer": 202})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/lab"  # pyright: ignore
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("version", "signed"), [("19.1.0", True), ("18.4.0", False)])
def test_a_hook(tmp_path: Path, receiver: Any, version: str, signed: bool):
    with FakeGitLab(tmp_path / "gitlab", version=version) as gitlab:
        there = gitlab.project("a/b")
        gitlab.push(there, "main", {"a": "1"})
        forge = GitLabForge("lab", url=gitlab.url, token=gitlab.project_token(there).value, timeout=20.0)
        project = Project("lab", "a/b")
        made = forge.install_hook(project, f"{receiver.url}/h1", SECRET, None)
        assert (made.signed, made.disabled, made.problems) == (signed, "", ())
        assert forge.hooks(project, receiver.url) == [made]
        forge.test_hook(project, made.id)
        [headers] = receiver.received
        assert ("webhook-signature" in headers) is signed
        assert headers.get("x-gitlab-token") == (None if signed else SECRET)


def test_a_hook_is_repaired(world: World, receiver: Any):
    url = f"{receiver.url}/h1"
    first = world.gitlab.hook(world.there, url, note_events=False, job_events=True)
    second = world.gitlab.hook(world.there, url)
    other = world.gitlab.hook(world.there, "https://elsewhere.example/")
    assert len(world.forge.hooks(world.project, receiver.url)[0].problems) == 3
    made = world.forge.install_hook(world.project, url, SECRET, None)
    assert (made.id, made.signed, made.problems) == (str(first.id), True, ())
    assert second.id not in world.there.hooks
    assert other.id in world.there.hooks


def test_a_hook_gets_another_address(world: World, receiver: Any):
    made = world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, None)
    moved = world.forge.install_hook(world.project, f"{receiver.url}/h2", SECRET, made.id)
    assert (moved.id, moved.url) == (made.id, f"{receiver.url}/h2")
    assert len(world.there.hooks) == 1


def test_a_hook_that_is_gone_is_made_again(world: World, receiver: Any):
    made = world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, "999")
    assert [made.id] == [str(hook) for hook in world.there.hooks]
    for _ in range(2):
        world.forge.remove_hook(world.project, made.id)
    assert world.there.hooks == {}


@pytest.mark.parametrize("how", ["after", "close_after"])
def test_a_lost_answer_makes_no_second_hook(world: World, receiver: Any, how: str):
    world.gitlab.fail("POST", "/hooks$", how=how)
    with pytest.raises(ForgeError):
        world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, None)
    world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, None)
    assert len(world.there.hooks) == 1


def test_failed_deliveries_are_sent_again(world: World, receiver: Any):
    made = world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, None)
    receiver.answer = 503
    with pytest.raises(ForgeError):
        world.forge.test_hook(world.project, made.id)
    [failed] = world.forge.failed_deliveries(world.project, made.id, 0.0)
    assert (failed.event, failed.status) == ("push", "503")
    assert world.forge.failed_deliveries(world.project, made.id, failed.at + 60) == []
    receiver.answer = 202
    world.forge.resend(world.project, made.id, failed.id)
    assert world.forge.failed_deliveries(world.project, made.id, 0.0) == []


def test_too_many_tests_do_not_stop_the_forge(world: World, receiver: Any):
    made = world.forge.install_hook(world.project, f"{receiver.url}/h1", SECRET, None)
    for _ in range(5):
        world.forge.test_hook(world.project, made.id)
    with pytest.raises(ForgeError) as raised:
        world.forge.test_hook(world.project, made.id)
    assert type(raised.value) is ForgeError
    assert raised.value.retry_after


def test_hooks_need_maintainer(world: World):
    world.there.members[world.token.user.id] = Level.DEVELOPER
    with pytest.raises(ForgeRefused, match="Maintainer"):
        world.forge.install_hook(world.project, "https://b/h", SECRET, None)


def test_badges(world: World):
    for image in ("https://b/1.svg", "https://b/2.svg", "https://b/2.svg"):
        assert world.forge.install_badge(world.project, "https://b/", image, "reana")
    [badge] = world.there.badges.values()
    assert (badge.name, badge.link_url, badge.image_url) == ("reana", "https://b/", "https://b/2.svg")
    assert len(world.gitlab.writes()) == 2
    for _ in range(2):
        world.forge.remove_badge(world.project, "reana")
    assert world.there.badges == {}


def test_badges_of_others_are_left_alone(world: World):
    world.forge.install_badge(world.project, "https://o/", "https://o/1.svg", "other")
    world.forge.install_badge(world.project, "https://b/", "https://b/1.svg", "reana")
    world.forge.remove_badge(world.project, "reana")
    assert [badge.name for badge in world.there.badges.values()] == ["other"]


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (Level.MAINTAINER, None),
        (Level.DEVELOPER, "need the Maintainer role"),
        (Level.REPORTER, "less than the Developer role"),
        (Level.NONE, "may not see it"),
    ],
)
def test_rights_on_a_project(world: World, level: Level, said: str | None):
    world.there.members[world.token.user.id] = level
    found = list(world.forge.rights(world.project))
    assert (said is None and found == []) or (said is not None and said in found[0])


@pytest.mark.parametrize(
    ("scopes", "expires", "said"),
    [
        (["api"], None, None),
        (["read_api", "read_repository"], None, "lacks the scope `api`"),
        (["api"], 5.0, "expires in"),
        (["api"], 50.0, None),
    ],
)
def test_rights_of_a_token(world: World, scopes: list[str], expires: float | None, said: str | None):
    token = world.gitlab.project_token(world.there, scopes=scopes)
    if expires is not None:
        token.expires_at = world.gitlab.instance.clock() + expires * 86400
    found = list(world.another_forge(token.value).rights(None))
    assert (said is None and found == []) or (said is not None and said in found[0])


def test_check(world: World):
    assert world.forge.check() == []
    offset = world.forge.clock_offset()
    assert offset is not None
    assert abs(offset) < 60
    world.gitlab.revoke(world.token.value)
    [problem] = world.another_forge().check()
    assert "forges.lab.token" in problem
    world.gitlab.stop()
    [problem] = world.another_forge().check()
    assert "no connection" in problem


def test_check_says_that_the_clocks_differ(world: World):
    forge = GitLabForge("lab", url=world.gitlab.url, token=world.token.value, clock=lambda: 1_000_000_000.0)
    assert any("s apart" in problem for problem in forge.check())


def test_the_allowance(world: World):
    assert world.forge.allowance() is None
    world.gitlab.fail("GET", "/user$", status=200, headers=LIMITS, body='{"id": 1, "username": "x"}')
    world.forge.identity()
    allowance = world.forge.allowance()
    assert allowance is not None
    assert (allowance.remaining, allowance.limit, allowance.reset_at) == (9, 10, 1_790_000_000)


LIMITS = {"RateLimit-Limit": "10", "RateLimit-Remaining": "9", "RateLimit-Reset": "1790000000"}


@pytest.mark.parametrize("project_id", ["", "a/b", "-1", "1/../2", "²"])
def test_ids_that_are_none(scripted_forge: GitLabForge, project_id: str):
    with pytest.raises(ValueError, match="is not the id"):
        scripted_forge.remember(Project("lab", "a/b"), project_id)


def made(**values: Any) -> GitLabForge:
    entry = ForgeSettings.model_validate({"kind": "gitlab", **values})
    return make_gitlab("lab", entry, Settings())


def test_making():
    forge = made(url="https://gitlab.example.org/", token="glpat-x\n")
    assert (forge.name, forge.base_url) == ("lab", "https://gitlab.example.org")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"token": "x"}, "forges.lab.url: is missing"),
        ({"url": "http://gitlab.example.org", "token": "x"}, "has to be an https"),
        ({"url": "https://user:pass@gitlab.example.org", "token": "x"}, "has to be an https"),
        ({"url": "gitlab.example.org", "token": "x"}, "has to be an https"),
        ({"url": "https://gitlab.example.org?x", "token": "x"}, "has to be an https"),
        ({"url": "https://gitlab.example.org"}, "forges.lab.token: is missing"),
        ({"url": "https://gitlab.example.org", "token": "two words"}, "forges.lab.token: is no token"),
        ({"url": "https://gitlab.example.org", "token": "x\r\nX: y"}, "forges.lab.token: is no token"),
    ],
)
def test_settings_that_cannot_be_used(values: dict[str, str], said: str):
    with pytest.raises(SettingsError, match="for example") as raised:
        made(**values)
    assert said in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080"])
def test_http_on_this_machine(url: str):
    assert made(url=url, token="x").base_url == url


@pytest.mark.parametrize(
    ("visibility", "last", "asked", "expected"),
    [
        ("public", "alice", "alice", True),
        ("public", "mallory", "alice", False),
        ("public", "alice", "mallory", False),
        ("private", "alice", "alice", False),
    ],
)
def test_who_pushed_the_head_of_a_fork(world: World, visibility: str, last: str, asked: str, expected: bool):
    users = {name: world.gitlab.user(name) for name in ("alice", "mallory")}
    fork = world.gitlab.fork(
        world.there, f"fork-{visibility}-{last}-{asked}/x", users["alice"], visibility=visibility
    )
    fork.members[users["mallory"].id] = Level.DEVELOPER
    world.gitlab.push(fork, "theirs", {"b": "1"}, user=users["alice"])
    world.gitlab.push(fork, "theirs", {"b": "2"}, user=users[last])
    opened = world.gitlab.open(world.there, "theirs", source=fork, user=users["alice"])
    facts = world.forge.merge_request(world.project, opened.iid)
    assert facts is not None
    assert world.forge.pushed_by(world.project, facts, str(users[asked].id)) is expected
