"""The fake GitLab's webhooks: which are sent when, what they say, how they are signed, when they stop."""

import base64
import json

import pytest

from reana_bridge.testing.gitlab import FakeGitLab, Level
from reana_bridge.testing.gitlab.things import ZERO
from tests.testing.conftest import Api
from tests.webhooks.corpus import bodies, needs_bodies
from webhooks import gitlab
from webhooks.events import Change, Comment, Ignored, MergeRequest, Push, Tag

SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def hook(place, receiver):
    return place.fake.hook(place.project, receiver.url, token="secret")


def sent(place, receiver):
    """What came since the last time."""
    place.fake.deliveries.wait()
    came, receiver.received = receiver.received, []
    return came


def meaning(received):
    return gitlab.parse(received.headers, received.raw)


# -- which are sent --


def developer(place):
    return place.people["developer"]


CASES = {
    "push to a branch": (
        lambda p: p.fake.push(p.project, "other", {"x": "1"}, user=developer(p)),
        ["Push Hook"],
    ),
    "push to a merge request": (
        lambda p: p.fake.push(p.project, "topic", {"x": "1"}, user=developer(p)),
        ["Push Hook", "Merge Request Hook update", "Merge Request Hook update"],
    ),
    "delete a branch": (
        lambda p: p.fake.move(p.project, {"refs/heads/topic": None}),
        ["Push Hook"],
    ),
    "tag": (lambda p: p.fake.tag(p.project, "v1", p.base), ["Tag Push Hook"]),
    "annotated tag": (lambda p: p.fake.tag(p.project, "v1", p.base, annotated=True), ["Tag Push Hook"]),
    "three branches": (
        lambda p: p.fake.move(p.project, {f"refs/heads/{n}": p.base for n in "abc"}),
        ["Push Hook"] * 3,
    ),
    "four branches": (lambda p: p.fake.move(p.project, {f"refs/heads/{n}": p.base for n in "abcd"}), []),
    "four branches and a tag": (
        lambda p: p.fake.move(
            p.project, {f"refs/heads/{n}": p.base for n in "abcd"} | {"refs/tags/v": p.base}
        ),
        ["Tag Push Hook"],
    ),
    "open": (lambda p: p.fake.open(p.project, "topic", title="two"), ["Merge Request Hook open"]),
    "close": (lambda p: p.fake.close(p.project, p.merge_request), ["Merge Request Hook close"]),
    "label": (
        lambda p: p.fake.edit(p.project, p.merge_request, labels=["x"]),
        ["Merge Request Hook update"],
    ),
    "the same label": (lambda p: p.fake.edit(p.project, p.merge_request, labels=[]), []),
    "merge": (
        lambda p: p.fake.merge(p.project, p.merge_request),
        ["Push Hook", "Merge Request Hook merge"],
    ),
    "comment": (
        lambda p: p.fake.comment(p.project, p.merge_request, developer(p), "/reana run"),
        ["Note Hook create"],
    ),
    "internal comment": (
        lambda p: p.fake.comment(p.project, p.merge_request, developer(p), "x", internal=True),
        [],
    ),
    "comment by the API": (
        lambda p: p.api().ask("POST", f"{p.path}/merge_requests/1/notes", body="x"),
        ["Note Hook create"],
    ),
    "status": (
        lambda p: p.api().ask("POST", f"{p.path}/statuses/{p.head}", state="pending", ref="topic"),
        [],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_sent(place, hook, receiver, case):
    act, expected = CASES[case]
    act(place)
    came = [f"{one.event} {one.action}".strip() for one in sent(place, receiver)]
    assert came == expected
    assert [event.status for event in hook.events] == ["202"] * len(expected)


def test_what_a_push_to_a_merge_request_says(place, hook, receiver):
    old = place.head
    new = place.fake.push(place.project, "topic", {"x": "1"}, user=developer(place))
    push, update, second = sent(place, receiver)
    assert (push.body["before"], push.body["after"], push.body["checkout_sha"]) == (old, new, new)
    assert push.body["commits"][0]["added"] == ["x"]
    assert update.body["object_attributes"]["oldrev"] == old
    assert update.body["object_attributes"]["last_commit"]["id"] == new
    assert "oldrev" not in second.body["object_attributes"]


def test_held_hooks_tell_of_the_state_when_they_go_out(place, hook, receiver):
    with place.fake.hooks_held():
        place.fake.push(place.project, "topic", {"x": "1"})
        last = place.fake.push(place.project, "topic", {"x": "2"})
    updates = [one for one in sent(place, receiver) if one.event == "Merge Request Hook"]
    assert {one.body["object_attributes"]["last_commit"]["id"] for one in updates} == {last}


def test_only_the_newest_commits_are_told(place, hook, receiver):
    shas = place.fake.push_many(place.project, "other", 25)
    (push,) = sent(place, receiver)
    assert push.body["total_commits_count"] == 25
    assert [one["id"] for one in push.body["commits"]] == shas[-20:]


def test_what_is_not_subscribed_is_not_sent(place, receiver):
    place.fake.hook(place.project, receiver.url, push_events=False, note_events=False)
    place.fake.push(place.project, "topic", {"x": "1"})
    place.fake.comment(place.project, place.merge_request, developer(place), "x")
    assert {one.event for one in sent(place, receiver)} == {"Merge Request Hook"}


# -- what they mean to those who read them --


def merge_request(place, receiver, act):
    act(place.fake, place.project, place.merge_request)
    return [meaning(one) for one in sent(place, receiver)]


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        (lambda fake, project, of: fake.close(project, of), {Change.CLOSED}),
        (lambda fake, project, of: fake.edit(project, of, labels=["a"]), {Change.LABELLED}),
        (lambda fake, project, of: fake.edit(project, of, title="Draft: x"), {Change.DRAFT}),
        (lambda fake, project, of: fake.edit(project, of, target_branch="b"), {Change.RETARGETED}),
    ],
)
def test_changes_of_a_merge_request(place, hook, receiver, act, changes):
    (event,) = merge_request(place, receiver, act)
    assert isinstance(event, MergeRequest)
    assert (event.changes, event.number, event.sha) == (changes, 1, place.head)
    assert (event.project, event.project_id) == (place.project.path, str(place.project.id))


def test_a_description_means_nothing(place, hook, receiver):
    (event,) = merge_request(
        place, receiver, lambda fake, project, of: fake.edit(project, of, description="x")
    )
    assert isinstance(event, Ignored)


def test_open_close_reopen_push_merge(place, hook, receiver):
    fake, project = place.fake, place.project
    made = fake.open(project, "topic", title="again", labels=["b", "a"])
    fake.close(project, made)
    fake.reopen(project, made)
    head = fake.push(project, "topic", {"x": "1"})
    fake.merge(project, made)
    found = [one for one in map(meaning, sent(place, receiver)) if isinstance(one, MergeRequest)]
    mine = [one for one in found if one.number == 2]
    assert [one.changes for one in mine] == [
        {change} for change in (Change.OPENED, Change.CLOSED, Change.REOPENED, Change.UPDATED, Change.MERGED)
    ]
    assert (mine[0].labels, mine[3].before, mine[3].sha) == (("a", "b"), place.head, head)


def test_a_fork_says_where_it_comes_from(place, hook, receiver):
    stranger = place.people["stranger"]
    fork = place.fake.fork(place.project, f"{place.project.path}-fork", stranger)
    head = place.fake.push(fork, "theirs", {"x": "1"}, user=stranger)
    assert sent(place, receiver) == []
    place.fake.open(place.project, "theirs", source=fork, user=stranger)
    place.fake.remove(fork)
    place.fake.edit(place.project, place.project.merge_requests[2], labels=["x"])
    opened, orphan = (meaning(one) for one in sent(place, receiver))
    assert (opened.source_project, opened.source_project_id) == (fork.path, str(fork.id))
    assert (opened.sha, opened.actor) == (head, stranger.username)
    assert orphan.source_project == ""


def test_pushes_tags_and_comments_mean_what_they_are(place, hook, receiver):
    fake, project = place.fake, place.project
    head = fake.push(project, "main", {"x": "1"}, user=place.people["maintainer"], message="say it\n")
    tag = fake.tag(project, "v1", place.base, annotated=True)
    fake.move(project, {"refs/tags/v1": None})
    fake.comment(project, place.merge_request, developer(place), "/reana run")
    fake.comment(project, place.merge_request, developer(place), "moved", system=True)
    push, made, gone, comment, system = map(meaning, sent(place, receiver))
    assert isinstance(push, Push)
    assert (push.before, push.after, push.message.strip()) == (place.base, head, "say it")
    assert isinstance(made, Tag)
    assert tag != place.base
    assert made.sha == place.base
    assert isinstance(gone, Tag)
    assert gone.sha is None
    assert isinstance(comment, Comment)
    assert (comment.body, comment.actor, comment.sha) == ("/reana run", developer(place).username, place.head)
    assert isinstance(system, Ignored)


# -- fields, against bodies that were really sent --


def keys(value, path=""):
    """Every path of keys in a body; lists stand for their first element."""
    if isinstance(value, list):
        return keys(value[0], f"{path}[]") if value else set()
    if not isinstance(value, dict):
        return set()
    below = [keys(one, f"{path}.{name}") for name, one in value.items()]
    return {f"{path}.{name}" for name in value}.union(*below)


def readable(body):
    """What a capture says; None for those that were not copied well."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def known(*kinds):
    """Paths of keys in the captures of these kinds."""
    found = [parsed for body in bodies("gitlab").values() if (parsed := readable(body))]
    return set().union(*(keys(one) for one in found if one.get("object_kind") in kinds))


@needs_bodies
@pytest.mark.parametrize("case", ["push to a merge request", "merge", "label", "tag", "comment", "open"])
def test_fields_are_those_of_real_bodies(place, hook, receiver, case):
    CASES[case][0](place)
    for one in sent(place, receiver):
        kind = one.body["object_kind"]
        kinds = {"push", "tag_push"} if "push" in kind else {"merge_request", "note"}
        mine, real = keys(one.body), known(*kinds)
        # Newer versions tell of a comment's merge request as they do of one that changed.
        real |= {path.replace(".object_attributes.", ".merge_request.") for path in real}
        unknown = {path for path in mine - real if path.rpartition(".")[2] not in TOLERATED}
        assert not unknown, sorted(unknown)
        missing = REQUIRED[kind] - mine
        assert not missing, sorted(missing)


# Fields that GitLab added after the captures were made.
TOLERATED = {
    *("ci_config_path", "push_options", "prepared_at", "imported", "internal", "force_remove_source_branch"),
    *("ref_protected", "message", "user_email", "draft", "detailed_merge_status", "first_contribution"),
}
PROJECT = {f".project.{name}" for name in ("id", "path_with_namespace", "git_http_url", "default_branch")}
REQUIRED = {
    "push": PROJECT
    | {f".{name}" for name in ("before", "after", "checkout_sha", "ref", "user_username", "project_id")}
    | {f".commits[].{name}" for name in ("id", "message", "title", "author", "added", "removed")},
    "tag_push": PROJECT | {f".{name}" for name in ("before", "after", "checkout_sha", "ref")},
    "merge_request": PROJECT
    | {f".object_attributes.{name}" for name in ("iid", "action", "source", "target", "last_commit", "state")}
    | {".user.username", ".labels", ".changes", ".object_attributes.source_project_id"},
    "note": PROJECT
    | {f".object_attributes.{name}" for name in ("id", "note", "noteable_type", "system", "action")}
    | {".merge_request.iid", ".merge_request.last_commit.id", ".merge_request.source_project_id"},
}


# -- how they are signed --


@pytest.mark.parametrize(
    ("version", "settings", "names"),
    [
        ("19.1.0", {"token": "t", "signing_token": SIGNING}, "token signature id idempotency"),
        ("19.0.0", {"token": "t"}, "token id idempotency"),
        ("19.0.0", {"signing_token": SIGNING}, "signature id idempotency"),
        ("17.5.0", {"token": "t", "signing_token": SIGNING}, "token idempotency"),
        ("17.2.0", {"signing_token": SIGNING}, ""),
    ],
)
def test_headers(tmp_path, receiver, version, settings, names):
    with FakeGitLab(tmp_path, version=version) as fake:
        project = fake.project("group/name")
        fake.hook(project, receiver.url, **settings)
        fake.push(project, "main", {"x": "1"})
        fake.deliveries.wait()
    (one,) = receiver.received
    headers = {
        "token": "x-gitlab-token",
        "signature": "webhook-signature",
        "id": "webhook-id",
        "idempotency": "idempotency-key",
    }
    assert {name for name, header in headers.items() if header in one.headers} == set(names.split())
    assert one.headers["x-gitlab-event"] == "Push Hook"
    assert one.headers["x-gitlab-instance"] == fake.url
    if "signature" in names:
        now = int(one.headers["webhook-timestamp"])
        gitlab.verify(one.headers, one.raw, secrets=[SIGNING], now=now)
    elif "token" in names:
        gitlab.verify(one.headers, one.raw, secrets=["t"], now=0)


# -- hooks over the API --


def hooks_path(place):
    return f"{place.path}/hooks"


@pytest.mark.parametrize(("version", "signed"), [("19.1.0", True), ("17.9.0", None)], ids=["new", "old"])
def test_an_old_gitlab_ignores_a_signing_token(tmp_path, version, signed):
    with FakeGitLab(tmp_path, version=version) as fake:
        project = fake.project("group/name")
        api = Api(fake, fake.project_token(project, Level.MAINTAINER).value)
        path = f"/projects/{project.id}/hooks"
        made = api.ask("POST", path, url="https://b.example.org/x", signing_token=SIGNING, token="t")
        assert made.status_code == 201
        assert made.json().get("signing_token_present") is signed
        assert "t" not in (made.json().get("token"), made.json().get("signing_token"))
        refused = api.ask("POST", path, url="https://b.example.org/x", signing_token="whsec_short")
        assert refused.status_code == (400 if signed else 201)


def test_making_changing_and_removing_a_hook(place):
    hooks = place.api().client.projects.get(place.project.id).hooks
    made = hooks.create({"url": "https://b.example.org/x", "token": "t", "note_events": True})
    assert (made.push_events, made.note_events, made.merge_requests_events) == (True, True, False)
    assert (made.alert_status, made.token_present, made.enable_ssl_verification) == ("executable", True, True)
    made.merge_requests_events = True
    made.save()
    assert hooks.get(made.id).merge_requests_events is True
    assert hooks.get(made.id).token_present is True
    made.url = "https://b.example.org/y"
    made.save()
    assert hooks.get(made.id).token_present is False
    made.delete()
    assert hooks.list(get_all=True) == []
    assert place.api().ask("POST", hooks_path(place), url="file:///x").status_code == 400


def test_failing_hooks_are_disabled_for_longer_and_longer(place, hook, receiver, clock):
    receiver.answer = lambda: 500
    api, path = place.api(), f"{hooks_path(place)}/{hook.id}"

    def push(times):
        for _ in range(times):
            place.fake.push(place.project, "other", {})
            place.fake.deliveries.wait()
        return len(sent(place, receiver))

    assert push(3) == 3
    assert api.ask("GET", path).json()["alert_status"] == "executable"
    assert push(1) == 1
    assert api.ask("GET", path).json()["alert_status"] == "temporarily_disabled"
    assert hook.disabled_until == clock.now + 60
    assert push(1) == 0
    for pause in (60, 120, 240):
        clock.now += pause
        assert push(2) == 1
    assert hook.disabled_until == clock.now + 480
    for _ in range(40):
        clock.now += 86400
        push(1)
    shown = api.ask("GET", path).json()
    assert (shown["alert_status"], shown["disabled_until"]) == ("disabled", None)
    clock.now += 10 * 86400
    assert push(1) == 0
    failed = api.ask("POST", f"{path}/test/push_events")
    assert (failed.status_code, api.ask("GET", path).json()["alert_status"]) == (422, "disabled")
    receiver.answer = lambda: 202
    assert api.ask("POST", f"{path}/test/push_events").status_code == 201
    assert api.ask("GET", path).json()["alert_status"] == "executable"
    sent(place, receiver)
    assert push(1) == 1


def test_a_success_forgets_failures(place, hook, receiver):
    answers = iter([500, 500, 500, 202, 500])
    receiver.answer = lambda: next(answers)
    for _ in range(5):
        place.fake.push(place.project, "other", {})
    sent(place, receiver)
    assert (hook.failures, hook.disabled_until) == (1, None)


def test_events_and_sending_again(place, hook, receiver):
    answers = iter([202, 500, 404, 202])
    receiver.answer = lambda: next(answers)
    for number in range(3):
        place.fake.push(place.project, f"branch{number}", {})
    first = sent(place, receiver)
    api, path = place.api(), f"{hooks_path(place)}/{hook.id}/events"

    def listed(*status):
        return [one["response_status"] for one in api.ask("GET", path, **{"status[]": status}).json()]

    assert listed() == ["404", "500", "202"]
    assert listed("server_failure") == ["500"]
    assert listed("server_failure", "client_failure") == ["404", "500"]
    assert listed("404") == ["404"]
    failed = next(one for one in api.ask("GET", path).json() if one["response_status"] == "500")
    answer = api.ask("POST", f"{path}/{failed['id']}/resend")
    assert (answer.status_code, answer.json()) == (201, {"response_status": 202})
    (again,) = sent(place, receiver)
    assert again.raw == first[1].raw
    assert again.headers["webhook-id"] == first[1].headers["webhook-id"]
    assert again.headers["x-gitlab-webhook-uuid"] != first[1].headers["x-gitlab-webhook-uuid"]
    assert "secret" not in json.dumps(failed)


def test_an_unreachable_receiver_is_an_internal_error(place, receiver):
    hook = place.fake.hook(place.project, "http://127.0.0.1:1/x")
    place.fake.push(place.project, "other", {})
    sent(place, receiver)
    api, path = place.api(), f"{hooks_path(place)}/{hook.id}/events"
    (event,) = api.ask("GET", path, status="server_failure").json()
    assert event["response_status"] == "internal error"
    assert api.ask("POST", f"{path}/{event['id']}/resend").status_code == 422
    hook.settings["url"] = receiver.url
    assert "URL has changed" in api.ask("POST", f"{path}/{event['id']}/resend").text
    assert api.ask("POST", f"{path}/123456/resend").status_code == 404


def test_tests_are_few_a_minute(place, hook, receiver, clock):
    api, path = place.api(), f"{hooks_path(place)}/{hook.id}/test/push_events"
    assert [api.ask("POST", path).status_code for _ in range(6)] == [201] * 5 + [429]
    clock.now += 60
    assert api.ask("POST", path).status_code == 201


@pytest.mark.parametrize(
    ("trigger", "event"),
    [
        ("push_events", "Push Hook"),
        ("tag_push_events", "Tag Push Hook"),
        ("merge_requests_events", "Merge Request Hook"),
        ("note_events", ""),
        ("nonsense", ""),
    ],
)
def test_what_a_test_sends(place, hook, receiver, trigger, event):
    answer = place.api().ask("POST", f"{hooks_path(place)}/{hook.id}/test/{trigger}")
    assert answer.status_code == (201 if event else 422 if trigger == "note_events" else 400)
    assert [one.event for one in sent(place, receiver)] == ([event] if event else [])


def test_an_empty_project_has_nothing_to_test_with(fake, receiver):
    project = fake.project("group/empty")
    hook = fake.hook(project, receiver.url)
    api = Api(fake, fake.token(fake.root))
    assert api.ask("POST", f"/projects/{project.id}/hooks/{hook.id}/test/push_events").status_code == 422
    first = fake.push(project, "main", {"x": "1"})
    fake.deliveries.wait()
    assert (receiver.received[0].body["before"], receiver.received[0].body["after"]) == (ZERO, first)


def test_every_second_delivery_is_lost_without_a_trace(place, hook, receiver):
    place.fake.deliveries.dropped = lambda number: number % 2 == 0
    try:
        for _ in range(4):
            place.fake.push(place.project, "other", {})
        assert len(sent(place, receiver)) == len(hook.events) == 2
    finally:
        place.fake.deliveries.dropped = lambda number: False


def test_both_hooks_of_a_project_get_their_own(place, hook, receiver):
    place.fake.hook(place.project, receiver.url + "/two", token="other")
    place.fake.push(place.project, "other", {})
    first, second = sorted(sent(place, receiver), key=lambda one: one.headers["x-gitlab-token"])
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert [one.headers["x-gitlab-token"] for one in (first, second)] == ["other", "secret"]
