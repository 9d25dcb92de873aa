"""What GitHub really sent means what it should."""

from dataclasses import replace

import pytest

from tests.webhooks.corpus import bodies, github_kind, needs_bodies
from webhooks import github
from webhooks.events import (
    Change,
    Event,
    Ignored,
    Installation,
    MergeRequest,
    Ping,
    Push,
    Rerun,
    Tag,
)

pytestmark = needs_bodies

EC, FIRST = "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
ZOO, CI = "anbraten/test-ready-release-go", "6543/test_ci_tmp"
HELLO = {"project": "Codertocat/Hello-World", "project_id": "186853002"}
CODERTOCAT = {"actor": "Codertocat", "actor_id": "21031067"}
TAG = Tag(**HELLO, **CODERTOCAT, ref="refs/tags/simple-tag", sha=None)
PUSH = Push(
    **HELLO,
    **CODERTOCAT,
    ref="refs/heads/master",
    before=None,
    after=FIRST,
    message="Initial commit",
    default_branch="master",
)
REQUEST = MergeRequest(
    **HELLO,
    **CODERTOCAT,
    changes=frozenset({Change.OPENED}),
    number=2,
    sha=EC,
    source_branch="changes",
    target_branch="master",
    source_project="Codertocat/Hello-World",
    source_project_id="186853002",
    title="Update the README with new information.",
    labels=("bug",),
    default_branch="master",
)
READY = MergeRequest(
    project="anbraten/test-ready-release-go",
    project_id="576689461",
    actor="anbraten",
    actor_id="6918444",
    changes=frozenset({Change.CLOSED}),
    number=62,
    sha="c88b9ee719285134957cbc698c9b7ef9b78007bf",
    source_branch="anbraten-patch-3",
    target_branch="main",
    source_project="anbraten/test-ready-release-go",
    source_project_id="576689461",
    title="Change file",
    default_branch="main",
)
LABELLED = MergeRequest(
    project="6543/test_ci_tmp",
    project_id="1028609128",
    actor="demoaccount2-commits",
    actor_id="223550959",
    changes=frozenset({Change.LABELLED}),
    number=1,
    sha="36b5813240a9d2daa29b05046d56a53e18f39a3e",
    source_branch="6543-patch-1",
    target_branch="main",
    source_project="6543/test_ci_tmp",
    source_project_id="1028609128",
    title="Some ned more AAAA",
    labels=("bug",),
    default_branch="main",
)
SIX = {"actor": "6543", "actor_id": "24977596"}
OCTOCAT = {"project": "github/hello-world", "project_id": "526", "actor": "octocat", "actor_id": "5346"}
AGAIN = Rerun(**OCTOCAT, sha="d6fde92930d4715a2b49857d24b940956b26d2d3", context="randscape")
SUITE = Rerun(**HELLO, actor="octocoders-linter[bot]", actor_id="49795351", sha=EC)
APP = Installation(project="", **CODERTOCAT, installation="957387")
PINGED = Ping(project="Octocoders/Hello-World", project_id="186853261", **CODERTOCAT)


def changed(change: Change, request: MergeRequest = REQUEST, **others: object) -> MergeRequest:
    return replace(request, changes=frozenset({change}), **others)


IDS = {"Codertocat/Hello-World": "186853002", ZOO: "576689461", CI: "1028609128"}


def ignored(reason: str, project: str = "Codertocat/Hello-World") -> Ignored:
    return Ignored(project=project, project_id=IDS[project], reason=reason)


def nothing(action: str, project: str = "Codertocat/Hello-World") -> Ignored:
    return ignored(
        f"`{action}` of a pull request changes neither commits, labels, draft state nor base", project
    )


def unpressed(action: str) -> Ignored:
    return ignored(f"nobody pressed a button at the check: it was only `{action}`")


def suite(action: str) -> Ignored:
    return ignored(f"`{action}` of a check suite: pushes and pull requests say what is to run")


ON_ISSUE = ignored("a comment on a pull request can hold commands, this one is on an issue")

# Names as `@octokit/webhooks-examples` 7.6.1 has them: event, number, action.
OCTOKIT: dict[str, Event] = {
    "push/00": replace(TAG, sha=FIRST, message="Adding a .gitignore file"),
    **dict.fromkeys(("push/01", "push/02", "push/03", "push/06"), TAG),
    **dict.fromkeys(("push/04", "push/05"), PUSH),
    "pull_request/00.opened": changed(Change.OPENED, labels=()),
    **dict.fromkeys((f"pull_request/{n}.opened" for n in (12, 13, 14)), REQUEST),
    **dict.fromkeys((f"pull_request/0{n}.closed" for n in (3, 4)), changed(Change.CLOSED)),
    **dict.fromkeys(
        (f"pull_request/0{n}.converted_to_draft" for n in (5, 6, 7)), changed(Change.DRAFT, draft=True)
    ),
    **dict.fromkeys((f"pull_request/{n}.ready_for_review" for n in (15, 16, 17)), changed(Change.DRAFT)),
    **dict.fromkeys((f"pull_request/0{n}.labeled" for n in (8, 9)), changed(Change.LABELLED)),
    **dict.fromkeys((f"pull_request/{n}.unlabeled" for n in (25, 26)), changed(Change.LABELLED)),
    **dict.fromkeys((f"pull_request/{n}.reopened" for n in (18, 19)), changed(Change.REOPENED)),
    "pull_request/22.synchronize": changed(Change.UPDATED, before="f95f852bd8fca8fcc58a9a2d6c842781e32a215e"),
    **dict.fromkeys((f"pull_request/0{n}.assigned" for n in (1, 2)), nothing("assigned")),
    **dict.fromkeys((f"pull_request/{n}.unassigned" for n in (23, 24)), nothing("unassigned")),
    **dict.fromkeys((f"pull_request/{n}.locked" for n in (10, 11)), nothing("locked")),
    **dict.fromkeys((f"pull_request/{n}.unlocked" for n in (27, 28)), nothing("unlocked")),
    "pull_request/20.review_request_removed": nothing("review_request_removed"),
    "pull_request/21.review_requested": nothing("review_requested"),
    **dict.fromkeys((f"issue_comment/0{n}.created" for n in range(5)), ON_ISSUE),
    **dict.fromkeys((f"issue_comment/0{n}.deleted" for n in (5, 6)), ON_ISSUE),
    **dict.fromkeys((f"issue_comment/0{n}.edited" for n in (7, 8)), ON_ISSUE),
    **dict.fromkeys((f"check_run/0{n}.created" for n in (0, 4, 5)), unpressed("created")),
    **dict.fromkeys((f"check_run/0{n}.completed" for n in (1, 2, 3)), unpressed("completed")),
    "check_run/06.requested_action": Rerun(
        project="electron/electron",
        project_id="9384267",
        actor="codebytere",
        actor_id="2036040",
        sha="5bd5f196a46b8222fb7484f05faba41a73cf34bd",
        context="API Review",
        action="lgtm|26764",
    ),
    **dict.fromkeys((f"check_run/0{n}.rerequested" for n in (7, 8)), AGAIN),
    **dict.fromkeys((f"check_suite/0{n}.completed" for n in range(4)), suite("completed")),
    **dict.fromkeys((f"check_suite/0{n}.requested" for n in (4, 5, 6)), suite("requested")),
    **dict.fromkeys((f"check_suite/0{n}.rerequested" for n in (7, 8)), SUITE),
    **dict.fromkeys((f"ping/0{n}" for n in range(3)), PINGED),
    "ping/03": Ping(project="", **CODERTOCAT),
    **dict.fromkeys(
        (f"installation/0{n}.created" for n in (1, 2)), replace(APP, added=("Codertocat/Hello-World",))
    ),
    **dict.fromkeys(
        (f"installation/0{n}.deleted" for n in (0, 3)),
        Installation(
            project="",
            actor="octocat",
            actor_id="1",
            installation="2",
            removed=("octocat/Hello-World",),
        ),
    ),
    "installation/04.new_permissions_accepted": APP,
    "installation/05.suspend": replace(APP, installation="16598467"),
    "installation/06.unsuspend": replace(APP, installation="16598467"),
    **dict.fromkeys(
        (f"installation_repositories/0{n}.added" for n in (0, 1)), replace(APP, added=("Codertocat/Space",))
    ),
    "installation_repositories/02.removed": Installation(
        project="", actor="octocat", actor_id="1", installation="2", removed=("octocat/Hello-World",)
    ),
}
WOODPECKER: dict[str, Event] = {
    "HookPullRequest": MergeRequest(
        project="baxterthehacker/public-repo",
        project_id="35129377",
        actor="octocat",
        changes=frozenset({Change.OPENED}),
        number=1,
        sha="0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",
        source_branch="changes",
        target_branch="main",
        title="Update the README with new information",
        default_branch="main",
    ),
    "HookPullRequestClosed": READY,
    "HookPullRequestMerged": changed(Change.MERGED, READY),
    "HookPullRequestEdited": nothing("edited", ZOO),
    "HookPullRequestLabelAdded": replace(LABELLED, labels=("documentation", "enhancement")),
    "HookPullRequestLabelRemoved": LABELLED,
    "HookPullRequestLabelsCleared": replace(LABELLED, **SIX, labels=()),
    "HookPullRequestReopened": changed(Change.REOPENED, LABELLED, **SIX, labels=("documentation",)),
    "HookPullRequestAssigneeAdded": nothing("assigned", CI),
    "HookPullRequestAssigneeRemoved": nothing("unassigned", CI),
    "HookPullRequestMilestoneAdded": nothing("milestoned", CI),
    "HookPullRequestMilestoneRemoved": nothing("demilestoned", CI),
    "HookPullRequestReviewRequested": nothing("review_requested", CI),
    "HookPush": Push(
        project="woodpecker-ci/woodpecker",
        project_id="179344069",
        **SIX,
        ref="refs/heads/main",
        before="2f780193b136b72bfea4eeb640786a8c4450c7a2",
        after="366701fde727cb7a9e7f21eb88264f59f6f9b89c",
        message="Fix multiline secrets replacer (#700)\n\n"
        "* Fix multiline secrets replacer\r\n\r\n* Add tests",
        default_branch="main",
    ),
    "HookTag": Tag(
        project="6543/test_ci_tmp",
        project_id="1028609128",
        **SIX,
        ref="refs/tags/the-tag-v1",
        sha="67012991d6c69b1c58378346fca366b864d8d1a1",
        message="Update .woodpecker.yml",
    ),
}
EXPECTED = {f"octokit-webhooks-examples/{name}.json": event for name, event in OCTOKIT.items()}
EXPECTED |= {f"woodpecker/{name}.json": event for name, event in WOODPECKER.items()}
FORCED = "woodpecker/HookPushForced.json"
BODIES = bodies("github")


def parse(path: str) -> Event:
    return github.parse({"X-GitHub-Event": github_kind(path)}, BODIES[path])


@pytest.mark.parametrize("path", EXPECTED)
def test_the_event(path: str):
    assert parse(path) == EXPECTED[path]


def test_a_forced_push():
    event = parse(FORCED)
    assert isinstance(event, Push)
    assert (event.project, event.project_id, event.branch) == ("6543/oxiduct", "1256442359", "main")
    assert event.before == "5ea737297f2e2e88f4cdf796e72cbcb12d40fd9c"
    assert event.after == "f7220f1f753260bf6f1c533357c70213e9fd4abe"
    assert event.message.startswith("feat: initial implementation")


@pytest.mark.parametrize("path", [path for path in BODIES if path not in {*EXPECTED, FORCED}])
def test_all_others_are_ignored(path: str):
    kind, event = github_kind(path), parse(path)
    assert isinstance(event, Ignored)
    if kind in ("create", "delete"):
        assert event.reason == f"the push event says the same as this `{kind}`; the hook need not send it"
    else:
        assert event.reason.startswith(f"GitHub's `{kind}` events mean nothing to the bridge")
