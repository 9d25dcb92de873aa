"""What GitLab really sent means what it should."""

import json

import pytest

from tests.webhooks.corpus import bodies, needs_bodies
from webhooks import gitlab
from webhooks.events import Change, Comment, Event, Ignored, MergeRequest, Push, Tag

pytestmark = needs_bodies

DA = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"
MERGED = "Merge branch 'some-feature' into 'master'\n\nRelease v1.0.0\n\nSee merge request jsmith/example!1"
TAGGED = "82b3d5ae55f7080f1e6022629cdb57bfae7cccc7"
PEELED = "5937ac0a7beb003549fc5fd26fc247adbce4a52e"


def push(actor: str = "", message: str = "fixed readme") -> Push:
    return Push(
        project="mike/diaspora",
        project_id="15",
        actor=actor,
        actor_id="4",
        ref="refs/heads/master",
        before="95790bf891e76fee5e1747ab589903a6a1f80f22",
        after=DA,
        message=message,
        default_branch="master",
    )


def tag(sha: str, actor: str = "", message: str = "") -> Tag:
    return Tag(
        project="jsmith/example",
        project_id="1",
        actor=actor,
        actor_id="1",
        ref="refs/tags/v1.0.0",
        sha=sha,
        message=message,
    )


def viewport(actor: str) -> MergeRequest:
    return MergeRequest(
        project="gitlabhq/gitlab-test",
        project_id="1",
        actor=actor,
        actor_id="1",
        changes=frozenset({Change.OPENED}),
        number=1,
        sha=DA,
        source_branch="ms-viewport",
        target_branch="master",
        source_project="awesome_space/awesome_project",
        source_project_id="14",
        title="MS-Viewport",
        labels=("API",),
        message="fixed readme",
        default_branch="master",
    )


def comment(discussion: str = "") -> Comment:
    return Comment(
        project="gitlab-org/gitlab-test",
        project_id="5",
        actor="root",
        actor_id="1",
        number=1,
        comment="1244",
        discussion=discussion,
        body="This MR needs work.",
        sha="562e173be03b8ff2efb05345d12df18815438a4b",
    )


def ignored(reason: str, project: str = "gitlab-org/gitlab-test", project_id: str = "") -> Ignored:
    return Ignored(project=project, project_id=project_id, reason=reason)


TEST_DELIVERY = "the merge request has no `action`, so nothing happened to it: a test delivery"
ELSEWHERE = "a comment on a merge request can hold commands, this one is on: {}"
# The publishers' own slips: a backslash that JSON does not have, and names with a blank at their end.
NO_JSON = "the body is not JSON (JSONDecodeError)"
NO_NUMBER = "`object_attributes.iid` is not a number from 1 to 2147483647"

EXPECTED: dict[str, Event] = {
    "gitlab4j/push-event.json": push("jsmith"),
    "gitlab4j/push-system-hook-event.json": push(message=""),
    "go-playground/push-event.json": push(),
    "go-playground/system-push-event.json": push(message=""),
    "xanzy-go-gitlab/push.json": push("jsmith", "fixed readme\n"),
    "gitlab4j/tag-push-event.json": tag(TAGGED),
    "gitlab4j/tag-push-system-hook-event.json": tag(PEELED),
    "go-playground/tag-event.json": tag(TAGGED),
    "go-playground/system-tag-event.json": tag(PEELED),
    "xanzy-go-gitlab/tag_push.json": tag(TAGGED, "jsmith", MERGED),
    "gitlab4j/merge-request-event.json": viewport("root"),
    "go-playground/merge-request-event.json": viewport("root"),
    "xanzy-go-gitlab/merge_request.json": viewport("user1"),
    "xanzy-go-gitlab/service_merge_request.json": MergeRequest(
        project="test/woodpecker",
        project_id="2",
        actor="test",
        actor_id="2",
        changes=frozenset({Change.UPDATED}),
        number=2,
        sha="0ab96a10266b95b4b533dcfd98738015fbe70889",
        before="6ef047571374c96a2bf13c361efd1fb008b0063e",
        source_branch="next-feature",
        target_branch="master",
        source_project="test/woodpecker",
        source_project_id="2",
        title="Update client.go 🎉",
        message="Update state.go",
        default_branch="master",
    ),
    "gitlab4j/external-status-check-event.json": MergeRequest(
        project="a_group/a_project",
        project_id="499",
        actor="jsmith",
        actor_id="37",
        changes=frozenset({Change.OPENED}),
        number=20,
        sha="93bcabc3d474e18a8c744139be0d2dea45ebb3a3",
        source_branch="patch-2",
        target_branch="main",
        source_project="a_group/a_project",
        source_project_id="499",
        title="Update readme.adoc Test",
        message="Update readme.adoc",
        default_branch="main",
    ),
    "xanzy-go-gitlab/group_merge_request.json": ignored(NO_NUMBER, "exm-namespace/example-project"),
    "gitlab4j/merge-request-system-hook-event.json": ignored(TEST_DELIVERY, "jsmith/example"),
    "go-playground/system-merge-request-event.json": ignored(TEST_DELIVERY, "jsmith/example"),
    "gitlab4j/note-merge-request-event.json": comment("56e2b4210419aed077d47ca2dc00551c7c4ac882"),
    "go-playground/comment-merge-request-event.json": comment(),
    "xanzy-go-gitlab/note_merge_request.json": comment(),
    "gitlab4j/note-commit-event.json": ignored(NO_JSON, ""),
    "go-playground/comment-commit-event.json": ignored(NO_JSON, ""),
    "xanzy-go-gitlab/note_commit.json": ignored(NO_JSON, ""),
    "gitlab4j/note-issue-event.json": ignored(ELSEWHERE.format("issue"), project_id="5"),
    "go-playground/comment-issue-event.json": ignored(ELSEWHERE.format("issue"), project_id="5"),
    "go-playground/confidential-comment-event.json": ignored(ELSEWHERE.format("issue"), project_id="5"),
    "xanzy-go-gitlab/note_issue.json": ignored(ELSEWHERE.format("issue"), project_id="5"),
    "gitlab4j/note-snippet-event.json": ignored(ELSEWHERE.format("snippet"), project_id="5"),
    "go-playground/comment-snippet-event.json": ignored(ELSEWHERE.format("snippet"), project_id="5"),
    "xanzy-go-gitlab/note_snippet.json": ignored(ELSEWHERE.format("snippet"), project_id="5"),
}
BODIES = bodies("gitlab")


@pytest.mark.parametrize("path", EXPECTED)
def test_the_event(path: str):
    assert gitlab.parse({}, BODIES[path]) == EXPECTED[path]


@pytest.mark.parametrize("path", [path for path in BODIES if path not in EXPECTED])
def test_all_others_are_ignored(path: str):
    document = json.loads(BODIES[path])
    kind = document.get("object_kind") or document["event_name"]
    event = gitlab.parse({}, BODIES[path])
    assert isinstance(event, Ignored)
    assert event.reason == f"GitLab's `{kind}` events mean nothing to the bridge; the hook need not send them"
    project = document.get("project")
    project = project if isinstance(project, dict) else {}
    assert event.project_id == str(project.get("id") or document.get("project_id") or "")
    assert event.project == project.get("path_with_namespace", "")
