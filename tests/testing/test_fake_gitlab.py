"""The fake GitLab's API against what is known of the real one, and against the usual client and real git."""

import subprocess
import tarfile
from io import BytesIO

import gitlab as python_gitlab
import httpx
import pytest

from reana_bridge.testing.gitlab import FakeGitLab, How, Level, RateLimit
from tests.testing.conftest import CLIENT


def post(place, state, who="developer", sha=None, **more):
    values = {"state": state, "name": "reana/fit", "ref": "topic"} | more
    values = {name: value for name, value in values.items() if value is not None}
    return place.api(who).ask("POST", f"{place.path}/statuses/{sha or place.head}", **values)


# -- commit statuses --


@pytest.mark.parametrize(
    ("states", "shown", "refusal"),
    [
        ("pending", "pending", ""),
        ("pending running success", "success", ""),
        ("pending success", "success", ""),
        ("running failed", "failed", ""),
        ("running canceled", "canceled", ""),
        ("success", "success", ""),
        ("skipped", "skipped", ""),
        ("pending skipped", "skipped", ""),
        ("pending pending", "pending", "via :enqueue from :pending"),
        ("running pending", "running", "via :enqueue from :running"),
        ("running running", "running", "via :run from :running"),
        ("running skipped", "running", "via :skip from :running"),
    ],
)
def test_states_of_a_status(place, states, shown, refusal):
    *first, last = states.split()
    for state in first:
        assert post(place, state).status_code == 201
    answer = post(place, last)
    assert answer.status_code == (400 if refusal else 201)
    if refusal:
        assert answer.json()["message"].startswith(f"Cannot transition status {refusal}")
    assert [row.state for row in place.fake.statuses(place.project, place.head)] == [shown]


@pytest.mark.parametrize("late", ["running", "pending", "success"])
def test_a_post_after_the_end_opens_a_new_row(place, late):
    first = post(place, "success").json()
    second = post(place, late).json()
    assert second["id"] > first["id"]
    assert second["pipeline_id"] == first["pipeline_id"]
    assert place.fake.status(place.project, place.head, "reana/fit").state == late
    everything = (
        place.api().ask("GET", f"{place.path}/repository/commits/{place.head}/statuses", all="true").json()
    )
    assert [row["status"] for row in everything] == ["success", late]


def test_another_user_cannot_finish_the_row(place):
    post(place, "pending", "developer")
    other = post(place, "success", "maintainer")
    assert other.status_code == 201
    (shown,) = place.fake.statuses(place.project, place.head)
    assert (shown.state, shown.user.username) == ("success", place.people["maintainer"].username)
    assert [row.state for row in place.project.statuses] == ["pending", "success"]


def test_a_rotated_token_is_the_same_user(place):
    token = place.fake.project_token(place.project, Level.DEVELOPER).value
    api = place.api()
    api.token = token
    assert (
        api.ask("POST", f"{place.path}/statuses/{place.head}", state="pending", ref="topic").status_code
        == 201
    )
    api.token = place.fake.rotate(token)
    assert (
        api.ask("POST", f"{place.path}/statuses/{place.head}", state="success", ref="topic").status_code
        == 201
    )
    assert len(place.project.statuses) == 1


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({"state": None}, 400, "state is missing"),
        ({"state": "failure"}, 400, "state does not have a valid value"),
        ({"name": "x" * 255}, 201, ""),
        ({"name": "x" * 256}, 400, "is too long (maximum is 255 characters)"),
        ({"description": "x" * 256}, 400, "is too long (maximum is 255 characters)"),
        ({"description": "ü" * 255}, 201, ""),
        ({"target_url": "https://a/" + "x" * 250}, 400, "is too long (maximum is 255 characters)"),
        ({"target_url": "javascript:x"}, 400, "Only allowed schemes are http, https"),
        ({"pipeline_id": 999_999}, 404, "404 Pipeline for pipeline_id, sha and ref Not Found"),
        ({"sha": "f" * 40}, 404, "404 Commit Not Found"),
        ({"who": "reporter"}, 403, "403 Forbidden"),
        ({"who": "stranger"}, 404, "404 Project Not Found"),
        ({"who": ""}, 404, "404 Project Not Found"),
    ],
)
def test_what_a_status_may_be(place, changed, status, message):
    answer = post(place, **({"state": "pending"} | changed))
    assert answer.status_code == status
    assert message in answer.text
    assert len(place.project.statuses) == (status == 201)
    assert len(place.project.pipelines) == (status == 201)


@pytest.mark.parametrize(("who", "status"), [("developer", 403), ("maintainer", 201)])
def test_a_protected_branch_wants_a_maintainer(place, who, status):
    assert post(place, "pending", who, sha=place.base, ref="main").status_code == status


def test_without_a_ref_the_first_branch_that_holds_the_commit(place):
    assert post(place, "pending", "maintainer", sha=place.base, ref=None).json()["ref"] == "main"


@pytest.mark.parametrize("with_ref", [True, False])
def test_the_newest_pipeline_of_commit_and_ref_is_taken(place, with_ref):
    mine = place.fake.pipeline(place.project, place.head, "topic")
    other = place.fake.pipeline(
        place.project, place.head, place.merge_request.ref, source="merge_request_event"
    )
    row = post(place, "pending", ref="topic" if with_ref else None).json()
    assert row["pipeline_id"] == (mine.id if with_ref else other.id)
    assert len(place.project.pipelines) == 2


def test_a_detached_pipeline_needs_its_own_ref(place):
    pipeline = place.fake.pipeline(place.project, place.head, place.merge_request.ref)
    assert post(place, "pending", pipeline_id=pipeline.id).status_code == 404
    answer = post(place, "pending", pipeline_id=pipeline.id, ref=place.merge_request.ref)
    assert answer.json()["pipeline_id"] == pipeline.id


def test_without_a_pipeline_an_external_one_is_made_once(place):
    ids = {post(place, "pending", name=f"reana/{name}").json()["pipeline_id"] for name in "abc"}
    (pipeline,) = place.project.pipelines
    assert ids == {pipeline.id}
    assert (pipeline.source, pipeline.ref, pipeline.status) == ("external", "topic", "pending")
    shown = place.api().ask("GET", f"{place.path}/merge_requests/1").json()["head_pipeline"]
    assert (shown["id"], shown["source"]) == (pipeline.id, "external")


def test_a_fork_needs_rights_on_the_fork(place):
    fork = place.fake.fork(place.project, f"{place.project.path}-fork", place.people["stranger"])
    head = place.fake.push(fork, "theirs", {"c": "3"}, user=place.people["stranger"])
    place.fake.open(place.project, "theirs", source=fork, user=place.people["stranger"])
    api = place.api("maintainer")
    assert (
        api.ask("POST", f"/projects/{fork.id}/statuses/{head}", state="pending", ref="theirs").status_code
        == 404
    )
    fork.visibility = "public"
    assert (
        api.ask("POST", f"/projects/{fork.id}/statuses/{head}", state="pending", ref="theirs").status_code
        == 403
    )
    there = api.ask("POST", f"{place.path}/statuses/{head}", state="pending")
    assert there.json()["message"] == "404 References for commit Not Found"
    assert (
        place.api("stranger")
        .ask("POST", f"/projects/{fork.id}/statuses/{head}", state="pending", ref="theirs")
        .status_code
        == 201
    )


def test_one_update_of_a_commit_at_a_time(place):
    instance = place.fake.instance
    instance.status_lock_seconds = 0.0
    try:
        with instance.status_lock(place.project, place.head):
            assert post(place, "pending").status_code == 409
    finally:
        instance.status_lock_seconds = 2.0
    assert post(place, "pending").status_code == 201


def test_a_pipeline_holds_so_many_jobs(place):
    place.fake.instance.statuses_of_a_pipeline = 2
    try:
        answers = [post(place, "pending", name=name).status_code for name in "abc"]
    finally:
        place.fake.instance.statuses_of_a_pipeline = 1000
    assert answers == [201, 201, 422]


@pytest.mark.parametrize(
    ("query", "names"),
    [({}, "a b"), ({"name": "a"}, "a"), ({"ref": "main"}, ""), ({"all": "true"}, "a b a")],
)
def test_the_list_of_statuses(place, query, names):
    for name in "aba":
        post(place, "success", name=name)
    listed = place.api().ask("GET", f"{place.path}/repository/commits/{place.head}/statuses", **query).json()
    expected = sorted(names.split(), key=lambda name: (name != "a", name)) if not query else names.split()
    assert sorted(row["name"] for row in listed) == sorted(expected)


# -- who may what --


@pytest.mark.parametrize(
    ("who", "visibility", "method", "path", "status"),
    [
        ("", "private", "GET", "", 404),
        ("", "public", "GET", "", 200),
        ("stranger", "private", "GET", "", 404),
        ("stranger", "internal", "GET", "", 200),
        ("guest", "private", "GET", "", 200),
        ("guest", "private", "GET", "/merge_requests/1", 403),
        ("reporter", "private", "GET", "/merge_requests/1", 200),
        ("reporter", "private", "GET", "/merge_requests/7", 404),
        ("stranger", "public", "GET", "/merge_requests", 200),
        ("reporter", "private", "GET", "/hooks", 403),
        ("developer", "private", "GET", "/hooks", 403),
        ("maintainer", "private", "GET", "/hooks", 200),
        ("developer", "private", "POST", "/badges", 403),
        ("reporter", "private", "GET", "/repository/branches", 200),
        ("guest", "private", "GET", "/repository/branches", 403),
        ("reporter", "private", "GET", "/nothing", 404),
    ],
)
def test_rights(place, who, visibility, method, path, status):
    place.project.visibility = visibility
    assert place.api(who).ask(method, place.path + path).status_code == status


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ({"read_api"}, "GET", "", 200),
        ({"read_api"}, "POST", "/merge_requests/1/notes", 403),
        ({"read_repository"}, "GET", "", 403),
        ({"api"}, "POST", "/merge_requests/1/notes", 201),
    ],
)
def test_scopes(place, scopes, method, path, status):
    answer = place.api("developer", scopes).ask(method, place.path + path, **({"body": "x"} if path else {}))
    assert answer.status_code == status
    assert status != 403 or answer.json()["error"] == "insufficient_scope"


@pytest.mark.parametrize("kind", ["unknown", "revoked", "expired"])
def test_a_token_that_is_worth_nothing(place, clock, kind):
    api = place.api()
    token = place.fake.instance.tokens[api.token]
    if kind == "unknown":
        api.token = "glpat-unknown"
    token.revoked = kind == "revoked"
    token.expires_at = clock.now - 1 if kind == "expired" else None
    for path in (place.path, "/user", "/personal_access_tokens/self"):
        assert api.ask("GET", path).status_code == 401
    url = f"{place.fake.url}/{place.project.path}.git/info/refs?service=git-upload-pack"
    assert CLIENT.get(url, auth=("x", api.token)).status_code == 401


def test_a_renamed_project_is_found_by_its_old_path(place):
    old = place.project.path
    place.fake.rename(place.project, f"{old}-renamed")
    client = place.api().client
    assert client.projects.get(old).path_with_namespace == f"{old}-renamed"
    escaped = old.replace("/", "%2F")
    moved = place.api().ask("GET", f"/projects/{escaped}/merge_requests", state="opened")
    assert (moved.status_code, moved.headers["location"]) == (
        301,
        f"{place.fake.url}/api/v4{place.path}/merge_requests?state=opened",
    )
    assert place.api().ask("POST", f"/projects/{escaped}/badges").status_code == 405


def test_an_archived_project_is_only_read(place):
    place.project.archived = True
    assert post(place, "pending").status_code == 403
    assert place.api().ask("POST", f"{place.path}/merge_requests/1/notes", body="x").status_code == 403
    assert place.api().ask("GET", f"{place.path}/merge_requests/1").json()["state"] == "opened"


@pytest.mark.parametrize(("who", "level"), [("developer", 30), ("maintainer", 40), ("stranger", None)])
def test_members(place, who, level):
    number = place.people[who].id
    answer = place.api().ask("GET", f"{place.path}/members/all/{number}")
    assert answer.status_code == (200 if level else 404)
    assert answer.json().get("access_level") == level


def test_users_and_tokens(place):
    api = place.api("developer", {"read_api"})
    name = place.people["developer"].username
    assert [one["id"] for one in api.ask("GET", "/users", username=name).json()] == [
        place.people["developer"].id
    ]
    assert api.ask("GET", "/user").json()["username"] == name
    own = api.ask("GET", "/personal_access_tokens/self").json()
    assert (own["scopes"], own["active"], own["revoked"]) == (["read_api"], True, False)
    assert api.ask("GET", "/version").json()["version"] == "19.1.0"


# -- notes --


def notes_path(place):
    return f"{place.path}/merge_requests/1/notes"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (None, 400, "body is missing"),
        (" \n", 400, "can't be blank"),
        ("x" * 1_000_000, 201, ""),
        ("x" * 1_000_001, 400, "is too long (maximum is 1000000 characters)"),
    ],
)
def test_what_a_note_may_be(place, body, status, message):
    answer = place.api("reporter").ask("POST", notes_path(place), **({} if body is None else {"body": body}))
    assert (answer.status_code, message in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("who", "method", "status"),
    [
        ("developer", "PUT", 200),
        ("maintainer", "PUT", 403),
        ("developer", "DELETE", 204),
        ("reporter", "DELETE", 403),
        ("maintainer", "DELETE", 204),
    ],
)
def test_whose_note_it_is(place, who, method, status):
    note = place.fake.comment(place.project, place.merge_request, place.people["developer"], "first")
    values = {"body": "second"} if method == "PUT" else {}
    answer = place.api(who).ask(method, f"{notes_path(place)}/{note.id}", **values)
    assert answer.status_code == status
    assert [n.body for n in place.fake.notes(place.project, place.merge_request)] == (
        [] if status == 204 else ["second" if status == 200 else "first"]
    )


def test_notes_in_pages_newest_first(place):
    for number in range(5):
        place.fake.comment(place.project, place.merge_request, place.people["developer"], str(number))
    first = place.api().ask("GET", notes_path(place), per_page=2)
    assert [note["body"] for note in first.json()] == ["4", "3"]
    headers = first.headers
    assert [headers[f"x-{name}"] for name in ("page", "per-page", "total", "total-pages", "next-page")] == [
        *("1", "2", "5", "3", "2")
    ]
    assert 'rel="next"' in headers["link"]
    merge_request = place.api().client.projects.get(place.project.id).mergerequests.get(1)
    assert [note.body for note in merge_request.notes.list(iterator=True, per_page=2, sort="asc")] == [
        *"01234"
    ]


def test_the_number_of_notes_is_limited(place):
    place.fake.instance.notes_of_a_merge_request = 1
    try:
        answers = [place.api().ask("POST", notes_path(place), body="x") for _ in range(2)]
    finally:
        place.fake.instance.notes_of_a_merge_request = 5000
    assert [answer.status_code for answer in answers] == [201, 400]


def test_reactions(place):
    note = place.fake.comment(place.project, place.merge_request, place.people["developer"], "x")
    path = f"{notes_path(place)}/{note.id}/award_emoji"
    answers = [
        place.api().ask("POST", path, name=name).status_code for name in ("eyes", "nonsense", "rocket")
    ]
    assert answers == [201, 404, 201]
    assert note.reactions == ["eyes", "rocket"]
    assert [one["name"] for one in place.api().ask("GET", path).json()] == ["eyes", "rocket"]
    api = place.api("developer")
    assert [api.ask("POST", path, name="eyes").status_code for _ in range(2)] == [201, 404]


@pytest.mark.parametrize(
    ("body", "commands"),
    [
        ("/merge", "merge"),
        ("text\n/close\n/label ~x", "close label"),
        ("/MERGE", "merge"),
        ("a /merge", ""),
        (" /merge", ""),
        ("`/merge`", ""),
        ("> /merge", ""),
        ("```\n/merge\n```", ""),
        ("~~~ text\n/merge\n~~~\n/close", "close"),
        ("````\n```\n/merge\n````", ""),
        ("<!-- x\n/merge\n-->\n/close", "close"),
        ("/reana run", ""),
        ("/unknown", ""),
    ],
)
def test_commands_to_gitlab_itself_are_seen(place, body, commands):
    before = len(place.fake.quick_actions)
    place.api("reporter").ask("POST", notes_path(place), body=body)
    found = place.fake.quick_actions[before:]
    assert [one.command for one in found] == commands.split()
    assert not any(one.allowed for one in found)
    assert place.merge_request.state == "opened"


def test_a_command_is_obeyed_with_its_writers_rights(place):
    answer = place.api("maintainer").ask("POST", notes_path(place), body="/close")
    assert (answer.status_code, place.merge_request.state) == (202, "closed")
    assert place.fake.notes(place.project, place.merge_request) == []


# -- merge requests, code, files --


def test_merge_requests_and_conditional_requests(place):
    api = place.api("reporter")
    first = api.ask("GET", f"{place.path}/merge_requests", state="opened")
    assert [(one["iid"], one["sha"]) for one in first.json()] == [(1, place.head)]
    again = {"If-None-Match": first.headers["etag"]}
    assert api.ask("GET", f"{place.path}/merge_requests", state="opened", headers=again).status_code == 304
    place.fake.push(place.project, "topic", {"b": "3"})
    assert api.ask("GET", f"{place.path}/merge_requests", state="opened", headers=again).status_code == 200
    place.fake.close(place.project, place.merge_request)
    assert api.ask("GET", f"{place.path}/merge_requests", state="opened").json() == []
    assert api.ask("GET", f"{place.path}/merge_requests/1").json()["state"] == "closed"


def test_a_merge_request_through_the_client(place):
    place.fake.push(place.project, "second", {"x": "y"})
    project = place.api("developer").client.projects.get(place.project.path)
    made = project.mergerequests.create(
        {"source_branch": "second", "target_branch": "main", "title": "Draft: s", "labels": "a,b"}
    )
    assert (made.iid, made.draft, made.labels) == (2, True, ["a", "b"])
    made.title, made.labels = "s", ["b"]
    made.save()
    assert (made.draft, made.labels) == (False, ["b"])
    with pytest.raises(python_gitlab.GitlabAuthenticationError):
        place.api("developer").client.projects.get(place.project.id).mergerequests.get(2).merge()
    merged = place.api().client.projects.get(place.project.id).mergerequests.get(2).merge()
    assert merged["state"] == "merged"
    assert place.project.repository.commit_of("main") == merged["merge_commit_sha"]


@pytest.mark.parametrize("ci", ["", "branch", "merge_request"])
def test_pipelines_of_a_merge_request(place, ci):
    place.project.ci = ci
    head = place.fake.push(place.project, "topic", {".gitlab-ci.yml": "x"})
    listed = place.api().ask("GET", f"{place.path}/merge_requests/1/pipelines").json()
    refs = {"branch": ["topic"], "merge_request": ["refs/merge-requests/1/head"], "": []}
    assert [(one["ref"], one["sha"]) for one in listed] == [(ref, head) for ref in refs[ci]]


def test_code_over_the_api(place):
    api = place.api("reporter")
    code = f"{place.path}/repository"
    assert api.ask("GET", f"{code}/files/b/raw", ref=place.head).content == b"2"
    assert api.ask("GET", f"{code}/files/b/raw", ref=place.base).status_code == 404
    query = [("refs[]", "main"), ("refs[]", place.head)]
    url = f"{place.fake.url}/api/v4{code}/merge_base"
    answer = CLIENT.get(url, params=query, headers={"PRIVATE-TOKEN": api.token})
    assert answer.json()["id"] == place.base
    compared = api.ask("GET", f"{code}/compare", **{"from": "main", "to": "topic"}).json()
    assert [one["id"] for one in compared["commits"]] == [place.head]
    assert api.ask("GET", f"{code}/branches/topic").json()["commit"]["parent_ids"] == [place.base]
    packed = api.ask("GET", f"{code}/archive.tar.gz", sha=place.head)
    with tarfile.open(fileobj=BytesIO(packed.content)) as archive:
        assert {name.rpartition("/")[2] for name in archive.getnames()} >= {"a", "b"}


def test_archives_are_few_a_minute(place, clock):
    api = place.api("reporter")
    path = f"{place.path}/repository/archive.tar.gz"
    assert [api.ask("GET", path).status_code for _ in range(6)] == [200] * 5 + [429]
    clock.now += 61
    assert api.ask("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "picture"),
    [
        ("plot.png", b"\x89PNG\r\n\r\n--x--\r\n\x00", True),
        ("data.csv", b"a,b\n", False),
        ("a b.png", b"", True),
    ],
)
def test_uploads(place, name, content, picture):
    answer = (
        place.api("reporter").ask("POST", f"{place.path}/uploads", files={"file": (name, content)}).json()
    )
    safe = name.replace(" ", "_")
    assert answer["markdown"] == f"{'!' if picture else ''}[{answer['alt']}]({answer['url']})"
    assert answer["url"].startswith("/uploads/")
    assert answer["url"].endswith(f"/{safe}")
    assert answer["full_path"] == f"/-/project/{place.project.id}{answer['url']}"
    shown = CLIENT.get(place.fake.url + answer["full_path"])
    assert (shown.status_code, shown.content if picture else b"") == (
        200 if picture else 404,
        content * picture,
    )


def test_badges(place):
    badges = place.api().client.projects.get(place.project.id).badges
    made = badges.create({"name": "reana", "link_url": "https://b/x", "image_url": "https://b/x.svg"})
    made.image_url = "https://b/y.svg"
    made.save()
    assert [(one.name, one.image_url) for one in badges.list(get_all=True)] == [("reana", "https://b/y.svg")]
    made.delete()
    assert place.project.badges == {}


# -- git --


def git(*arguments, cwd=None):
    return subprocess.run(
        [
            "git",
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "-c",
            "credential.helper=",
            *arguments,
        ],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": "/nowhere"},
    )


def remote(place, who, scopes=("api",)):
    credentials = f"any:{place.fake.token(place.people[who], scopes)}@" if who else ""
    return place.fake.url.replace("//", f"//{credentials}") + f"/{place.project.path}.git"


@pytest.mark.parametrize(
    ("who", "scopes", "visibility", "works"),
    [
        ("reporter", {"read_repository"}, "private", True),
        ("reporter", {"api"}, "private", True),
        ("reporter", {"read_api"}, "private", False),
        ("guest", {"api"}, "private", False),
        ("stranger", {"api"}, "private", False),
        ("", (), "private", False),
        ("", (), "public", True),
    ],
)
def test_reading_by_git(place, who, scopes, visibility, works):
    place.project.visibility = visibility
    done = git("ls-remote", "--symref", remote(place, who, scopes))
    assert (done.returncode == 0) == works, done.stderr
    if works:
        refs = dict(
            line.split("\t")[::-1] for line in done.stdout.splitlines() if not line.startswith("ref:")
        )
        assert refs["refs/heads/topic"] == refs["refs/merge-requests/1/head"] == place.head
        assert not any("keep-around" in ref for ref in refs)
        assert "ref: refs/heads/main\tHEAD" in done.stdout


@pytest.mark.parametrize("version", ["0", "2"])
def test_any_commit_is_fetched_by_its_sha(place, tmp_path, version):
    fork = place.fake.fork(place.project, f"{place.project.path}-fork", place.people["stranger"])
    first = place.fake.push(fork, "theirs", {"c": "3"})
    place.fake.open(place.project, "theirs", source=fork)
    place.fake.push(fork, "theirs", {"c": "4"}, force=True)
    git("init", "--bare", "--quiet", ".", cwd=tmp_path)
    address = remote(place, "reporter")
    done = git("-c", f"protocol.version={version}", "fetch", address, first, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert git("cat-file", "blob", f"{first}:c", cwd=tmp_path).stdout == "3"


@pytest.mark.parametrize(
    ("who", "scopes", "ref", "works"),
    [
        ("developer", {"write_repository"}, "refs/heads/topic", True),
        ("developer", {"api"}, "refs/heads/new", True),
        ("developer", {"read_repository"}, "refs/heads/topic", False),
        ("reporter", {"api"}, "refs/heads/topic", False),
        ("developer", {"api"}, "refs/heads/main", False),
        ("maintainer", {"api"}, "refs/heads/main", True),
        ("maintainer", {"api"}, "refs/merge-requests/1/head", False),
    ],
)
def test_writing_by_git(place, tmp_path, who, scopes, ref, works):
    copy = tmp_path / "copy"
    assert git("clone", "--quiet", remote(place, "reporter"), str(copy)).returncode == 0
    git("checkout", "--quiet", "-B", "work", "origin/topic", cwd=copy)
    git("commit", "--quiet", "--allow-empty", "-m", "more", cwd=copy)
    done = git("push", remote(place, who, scopes), f"work:{ref}", cwd=copy)
    assert (done.returncode == 0) == works, done.stderr
    pushed = git("rev-parse", "HEAD", cwd=copy).stdout.strip()
    assert (place.project.repository.refs().get(ref) == pushed) == works
    if ref == "refs/heads/topic" and works:
        assert place.merge_request.sha == pushed


# -- what goes wrong --


@pytest.mark.parametrize(
    ("how", "stored", "seen"),
    [
        (How.BEFORE, 0, 502),
        (How.AFTER, 1, 502),
        (How.CLOSE_BEFORE, 0, httpx.RemoteProtocolError),
        (How.CLOSE_AFTER, 1, httpx.RemoteProtocolError),
        (How.HANG_AFTER, 1, httpx.RemoteProtocolError),
        (How.SLOW, 1, 201),
    ],
)
def test_failures_on_demand(place, how, stored, seen):
    rule = place.fake.fail("POST", r"/notes$", how=how, seconds=0.05)
    api = place.api()
    if isinstance(seen, int):
        assert api.ask("POST", notes_path(place), body="x").status_code == seen
    else:
        with pytest.raises((seen, httpx.ReadError)):
            api.ask("POST", notes_path(place), body="x")
    assert len(place.fake.notes(place.project, place.merge_request)) == stored
    assert rule.struck == 1
    assert api.ask("POST", notes_path(place), body="y").status_code == 201
    log = place.fake.requests(method="POST", path=f"{notes_path(place)}$")
    assert [(one.status, one.applied) for one in log] == [
        (seen if isinstance(seen, int) else 0, bool(stored)),
        (201, True),
    ]


def test_a_failure_has_a_status_headers_and_an_end(place):
    place.fake.fail(
        "*", f"{place.path}$", times=2, status=429, headers={"Retry-After": "7"}, body="Retry later"
    )
    answers = [place.api().ask("GET", place.path) for _ in range(3)]
    assert [(one.status_code, one.headers.get("retry-after")) for one in answers] == [
        *((429, "7"), (429, "7"), (200, None))
    ]


@pytest.mark.parametrize("headers", [True, False])
def test_rate_limits(place, clock, headers):
    place.fake.limit(2, headers=headers)
    api = place.api("developer")
    answers = [api.ask("GET", "/user") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers.get("ratelimit-remaining") for one in answers] == (
        ["1", "0", "0"] if headers else [None] * 3
    )
    assert answers[2].headers.get("retry-after") == ("60" if headers else None)
    assert place.api("reporter").ask("GET", "/user").status_code == 200
    clock.now += 60
    assert api.ask("GET", "/user").status_code == 200


def test_notes_have_a_limit_of_their_own(place):
    before, place.fake.instance.note_limit = place.fake.instance.note_limit, RateLimit(most=1, seconds=60)
    try:
        answers = [place.api("developer").ask("POST", notes_path(place), body="x") for _ in range(1)]
        answers.append(place.api("developer").ask("POST", notes_path(place), body="x"))
    finally:
        place.fake.instance.note_limit = before
    assert [one.status_code for one in answers] == [201, 429]


def test_it_comes_back_at_the_same_address(tmp_path):
    with FakeGitLab(tmp_path) as fake:
        url = f"{fake.url}/api/v4/version"
        token = {"PRIVATE-TOKEN": fake.token(fake.root)}
        assert CLIENT.get(url, headers=token).status_code == 200
        fake.stop()
        with pytest.raises(httpx.ConnectError):
            CLIENT.get(url, headers=token)
        fake.start()
        assert CLIENT.get(url, headers=token).status_code == 200
        assert [one.status for one in fake.reads("/version$")] == [200, 200]
        assert fake.writes() == []
