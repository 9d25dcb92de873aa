"""The fake REANA against what is known of the real one: each trap a row."""

import contextlib
import json
import time
import zipfile
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from io import BytesIO

import httpx
import pytest

from reana_bridge.testing.reana import FakeReana, How, Plan, Status
from reana_bridge.testing.reana.things import TRANSITIONS
from tests.contract.talking import OCTETS, SPECIFICATION, Talk, bundle, serial

UUID4 = "3c9b117c-d40a-49e3-a6de-5f89fcada5a3"
PRETENDED = {"workflow": {"type": "serial", "specification": {"steps": []}}}


@pytest.fixture(scope="module")
def fakes(tmp_path_factory) -> Iterator[dict[str, FakeReana]]:
    with (
        FakeReana(tmp_path_factory.mktemp("released"), protocol="released") as released,
        FakeReana(tmp_path_factory.mktemp("next"), protocol="next") as coming,
    ):
        yield {"released": released, "next": coming}


@pytest.fixture(params=["released"])
def reana(request, fakes) -> Iterator[FakeReana]:
    yield fakes[request.param]
    fakes[request.param].reset()


@pytest.fixture
def user(reana):
    return reana.user()


@pytest.fixture
def talk(reana, user) -> Iterator[Talk]:
    with Talk(reana, user.token) as made:
        yield made


both = pytest.mark.parametrize("reana", ["released", "next"], indirect=True)
coming = pytest.mark.parametrize("reana", ["next"], indirect=True)


# -- who asks --


@pytest.mark.parametrize(
    ("reana", "how", "status"),
    [
        ("released", "query", 200),
        ("released", "bearer", 401),
        ("released", "none", 401),
        ("released", "wrong", 403),
        ("next", "query", 401),
        ("next", "bearer", 200),
        ("next", "none", 401),
        ("next", "wrong", 401),
    ],
    indirect=["reana"],
)
def test_each_protocol_takes_a_token_in_its_own_place(reana, user, how, status):
    wrong = {"params": {"access_token": "x"}, "headers": {"Authorization": "Bearer x"}}
    given = {
        "query": {"params": {"access_token": user.token}},
        "bearer": {"headers": {"Authorization": f"Bearer {user.token}"}},
        "none": {},
        "wrong": wrong,
    }[how]
    answer = httpx.get(f"{reana.url}/api/you", trust_env=False, **given)
    assert answer.status_code == status
    assert "message" in answer.json() or status == 200


@pytest.mark.parametrize(
    ("reana", "capabilities"),
    [("released", None), ("next", ["workflow-specification-bundles-v1"])],
    indirect=["reana"],
)
def test_ping_tells_the_protocol(reana, capabilities):
    answer = httpx.get(f"{reana.url}/api/ping", trust_env=False).json()
    assert (answer["status"], answer.get("api_capabilities")) == ("200", capabilities)


@both
def test_a_token_ends(reana, talk, user):
    assert talk.get("/you").status_code == 200
    new = reana.rotate(user)
    assert talk.get("/you").status_code in {401, 403}
    with Talk(reana, new) as again:
        assert again.get("/you").json()["id_"] == user.id


def test_nobody_sees_another_ones_workflow(reana, talk):
    identity = talk.made()
    with Talk(reana, reana.user("bob@example.org").token) as bob:
        assert bob.get(f"/workflows/{identity}/status").status_code == 404
        assert bob.all().json()["total"] == 0


# -- create --


@pytest.mark.parametrize(
    ("name", "status", "made"),
    [
        ("fit", 201, "fit.1"),
        ("", 201, "workflow.1"),
        ("rb-0123-fit", 201, "rb-0123-fit.1"),
        ("fit.1", 403, ""),
        (UUID4, 400, ""),
        ("müon", 400, ""),
        ("x" * 256, 400, ""),
    ],
)
def test_names(talk, name, status, made):
    answer = talk.create(name=name)
    assert answer.status_code == status
    assert answer.json().get("workflow_name", "") == made


def test_the_same_name_is_the_next_run(talk):
    names = [talk.create(name=name).json()["workflow_name"] for name in ("fit", "fit", "other", "fit")]
    assert names == ["fit.1", "fit.2", "other.1", "fit.3"]


@pytest.mark.parametrize(
    ("specification", "status"),
    [
        ({"workflow": {"type": "serial"}}, 201),
        ({"workflow": {"type": "serial", "specification": {"steps": [{"commands": ["ls"]}]}}}, 201),
        ({"workflow": {"type": "snakemake"}}, 201),
        ({"workflow": {"type": "strange"}}, 500),
        ({"workflow": {}}, 400),
        ({"inputs": {}}, 400),
        ({}, 500),
        ([], 500),
        (SPECIFICATION | {"workspace": {"retention_days": {"*": 5000}}}, 400),
    ],
)
def test_create_hardly_looks(talk, specification, status):
    assert talk.create(specification).status_code == status


def test_quota_stops_a_creation(talk, user):
    user.cpu_limit, user.cpu_used = 1000, 2000
    answer = talk.create()
    assert (answer.status_code, answer.json()["message"]) == (403, "User quota exceeded.")
    assert talk.get("/you").json()["quota"]["cpu"]["health"] == "critical"


def test_quota_stops_an_upload(talk, user):
    identity = talk.made()
    user.disk_limit = 10
    assert talk.upload(identity, "a", b"x" * 10).status_code == 200
    assert talk.upload(identity, "b", b"x").status_code == 403
    assert talk.files(identity) == {"a": 10}


# -- upload --


@pytest.mark.parametrize(
    ("name", "status", "stored"),
    [
        ("a.txt", 200, "a.txt"),
        ("deep/er/a.txt", 200, "deep/er/a.txt"),
        ("/rooted.txt", 200, "rooted.txt"),
        ("a b?#%.txt", 200, "a b?#%.txt"),
        ("..a/b..c", 200, "..a/b..c"),
        ("../a", 400, ""),
        ("a/../../b", 400, ""),
        ("/../a", 400, ""),
        ("", 400, ""),
        ("dir/", 500, ""),
    ],
)
def test_upload_names(talk, name, status, stored):
    identity = talk.made()
    assert talk.upload(identity, name, b"12345").status_code == status
    assert talk.files(identity) == ({stored: 5} if stored else {})


@pytest.mark.parametrize(
    ("given", "status", "size"),
    [
        ({"content": b"12345", "headers": OCTETS}, 200, 5),
        ({"content": b"", "headers": OCTETS}, 200, 0),
        ({"content": iter([b"123", b"45"]), "headers": OCTETS}, 200, 0),  # chunked: nothing is stored
        ({"content": b"12345"}, 400, None),
        ({"files": {"file": b"12345"}}, 400, None),
        ({"json": {"a": 1}}, 400, None),
    ],
)
def test_upload_bodies(talk, given, status, size):
    identity = talk.made()
    answer = talk.post(f"/workflows/{identity}/workspace", params={"file_name": "a"}, **given)
    assert answer.status_code == status
    assert talk.files(identity) == ({} if size is None else {"a": size})


def test_upload_overwrites_and_a_file_is_no_directory(talk):
    identity = talk.made()
    for content, status in ((b"long one", 200), (b"short", 200)):
        assert talk.upload(identity, "a", content).status_code == status
    assert talk.upload(identity, "a/b", b"x").status_code == 500
    assert talk.files(identity) == {"a": 5}


def test_a_link_leads_nobody_out_of_the_workspace(reana, talk, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("x")
    identity = talk.made()
    reana.workflow(identity).workspace.joinpath("link").symlink_to(tmp_path / "outside")
    assert talk.upload(identity, "link/new", b"x").status_code == 400
    assert talk.get(f"/workflows/{identity}/workspace/link/secret").status_code == 404
    assert talk.files(identity, file_name="link/*") == {}
    assert not (tmp_path / "outside" / "new").exists()


# -- list files, download, delete --


@pytest.fixture
def filled(talk) -> str:
    identity = talk.made()
    for name in ("a.txt", "b.log", "d/c.txt", "d/e/f.txt"):
        talk.upload(identity, name, name.encode())
    return identity


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, "a.txt b.log d/c.txt d/e/f.txt"),
        ({"file_name": "a.txt"}, "a.txt"),
        ({"file_name": "*.txt"}, "a.txt"),
        ({"file_name": "*"}, "a.txt b.log d"),  # directories too
        ({"file_name": "d"}, "d/c.txt d/e d/e/f.txt"),
        ({"file_name": "**/*.txt"}, "a.txt d/c.txt d/e/f.txt"),
        ({"file_name": "none"}, ""),
        ({"file_name": "../*"}, ""),
        ({"search": '{"name": ["TXT"]}'}, "a.txt d/c.txt d/e/f.txt"),
        ({"size": 3}, "a.txt b.log d/c.txt"),
        ({"size": 3, "page": 2}, "d/e/f.txt"),
        ({"size": 3, "page": 3}, ""),
    ],
)
def test_ls(talk, filled, params, names):
    assert " ".join(talk.files(filled, **params)) == names


@pytest.mark.parametrize(
    "params", [{"size": 0}, {"page": 0}, {"size": "x"}, {"search": "x"}, {"search": "[]"}]
)
def test_ls_refuses(talk, filled, params):
    assert talk.get(f"/workflows/{filled}/workspace", params=params).status_code == 400


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("a.txt", None),
        ("d/e/f.txt", None),
        ("*.txt", "a.txt"),
        ("d", "d/c.txt d/e/f.txt"),
        ("**/*.txt", "a.txt d/c.txt d/e/f.txt"),
    ],
)
def test_download(talk, filled, name, members):
    answer = talk.get(f"/workflows/{filled}/workspace/{name}")
    assert "content-length" not in answer.headers
    assert answer.headers["content-disposition"].startswith("attachment")
    if members is None:
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.content == name.encode()
    else:
        assert answer.headers["content-type"] == "application/zip"
        assert " ".join(zipfile.ZipFile(BytesIO(answer.content)).namelist()) == members


@pytest.mark.parametrize("name", ["none", "none*", "%2e%2e/a.txt", "d%2f..%2fa.txt"])
def test_download_of_nothing(talk, filled, name):
    answer = talk.get(f"/workflows/{filled}/workspace/{name}")
    assert (answer.status_code, "does not exist" in answer.json()["message"]) == (404, True)


@pytest.mark.parametrize("silent", [True, False])
def test_a_download_ends_early(reana, talk, silent):
    identity = talk.made()
    talk.upload(identity, "big", b"x" * 200_000)
    reana.truncate("big$", after=100_000, silent=silent)
    path = f"/workflows/{identity}/workspace/big"
    with contextlib.nullcontext() if silent else pytest.raises(httpx.RemoteProtocolError):
        assert len(talk.get(path).content) == 100_000
    assert len(talk.get(path).content) == 200_000


def test_delete_files(talk, filled):
    path = f"/workflows/{filled}/workspace"
    assert talk.delete(f"{path}/*.txt").json() == {"deleted": {"a.txt": {"size": 5}}, "failed": {}}
    assert talk.delete(f"{path}/d").status_code == 200
    assert talk.delete(f"{path}/d").status_code == 404
    assert talk.files(filled) == {"b.log": 5}


# -- start, run --


@pytest.mark.parametrize(
    ("specification", "body", "status"),
    [
        (SPECIFICATION, {}, 200),
        (SPECIFICATION, {"input_parameters": {"word": "x"}}, 200),
        (SPECIFICATION, {"input_parameters": {"other": "x"}}, 400),
        (SPECIFICATION, {"operational_options": {"FROM": "say", "TARGET": "say", "CACHE": "off"}}, 200),
        (SPECIFICATION, {"operational_options": {"toplevel": "x"}}, 400),
        (SPECIFICATION, {"colour": "red"}, 400),
        ({"workflow": {"type": "serial"}}, {}, 400),
        ({"workflow": {"type": "serial", "specification": {}}}, {}, 400),
        ({"workflow": {"type": "cwl"}}, {"operational_options": {"TARGET": "x"}}, 200),
        ({"workflow": {"type": "cwl"}}, {"operational_options": {"FROM": "x"}}, 400),
    ],
)
def test_start(reana, talk, specification, body, status):
    reana.pretend()
    assert talk.begin(talk.made(specification), **body).status_code == status


def test_start_refuses_an_unknown_backend(reana, talk):
    specification = serial("ls")
    specification["workflow"]["specification"]["steps"][0]["compute_backend"] = "moon"
    assert talk.begin(talk.made(specification)).status_code == 400


@pytest.mark.parametrize("name", [UUID4, "none", "none.1"])
def test_starting_what_is_not_there_is_403(talk, name):
    assert talk.begin(name).status_code == 403
    assert talk.get(f"/workflows/{name}/status").status_code == 404


def test_a_second_start_is_403(reana, talk):
    reana.hold()
    identity = talk.made()
    assert [talk.begin(identity).status_code for _ in range(2)] == [200, 403]
    reana.wait(reana.workflow(identity), "pending")
    assert talk.begin(identity).status_code == 403
    reana.release()
    reana.wait(reana.workflow(identity))
    assert (talk.begin(identity).status_code, reana.workflow(identity).starts) == (403, 1)


@pytest.mark.parametrize(
    ("commands", "status", "logs"),
    [
        (["echo one", "echo two >&2"], "finished", ["one\n", "two\n"]),
        (["echo one; exit 3", "echo two"], "failed", ["one\n"]),
        (["echo a > f", "cat f; test -z $$SECRET_OF_THE_SERVER"], "finished", ["", "a\n"]),
        (["echo ${word}"], "finished", ["hi\n"]),
        (["no-such-program"], "failed", None),
        (["kill -9 $$$$"], "failed", [""]),
        (['cd / && pwd && test "$$HOME" = "$$REANA_WORKSPACE"'], "finished", ["/\n"]),
    ],
)
def test_serial_workflows_really_run(reana, talk, monkeypatch, commands, status, logs):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    identity = talk.made(serial(*commands, word="hi"))
    talk.begin(identity)
    reana.wait(reana.workflow(identity))
    answer = talk.get(f"/workflows/{identity}/status").json()
    assert answer["status"] == status
    assert answer["progress"]["total"]["total"] == len(commands)
    assert answer["progress"]["failed"]["total"] == (status == "failed")
    jobs = list(talk.logs(identity)["job_logs"].values())
    assert [job["logs"] for job in jobs] == logs or logs is None
    assert [job["job_name"] for job in jobs] == [f"step{n}" for n in range(len(jobs))]


@pytest.mark.parametrize("command", ["echo ${missing}", "echo $HOME", "echo 5$ more"])
def test_an_undefined_parameter_hangs_for_ever_and_keeps_its_slot(reana, talk, command):
    reana.schedule(most_running=1)
    hanging, next_one = talk.made(serial(command)), talk.made(serial("true"))
    for identity in (hanging, next_one):
        assert talk.begin(identity).status_code == 200
    reana.wait(reana.workflow(hanging), "pending")
    assert reana.workflow(next_one).status == "queued"
    assert talk.change(hanging, "stop").status_code == 409
    assert talk.change(hanging, "deleted").status_code == 200
    assert reana.wait(reana.workflow(next_one)).status == "finished"


def test_secrets_of_the_account_enter_every_job(reana, talk, user):
    reana.secret(user, "TOKEN_OF_MINE", "s3cret")
    reana.secret(user, "cert", "x", kind="file")
    identity = talk.made(serial("echo $$TOKEN_OF_MINE"))
    talk.begin(identity)
    reana.wait(reana.workflow(identity))
    assert [job["logs"] for job in talk.logs(identity)["job_logs"].values()] == ["s3cret\n"]
    assert talk.get("/secrets").json()[0] == {"name": "TOKEN_OF_MINE", "type": "env"}


def test_options_choose_steps_and_parameters_are_told(reana, talk):
    identity = talk.made(serial("echo 0", "echo ${n}", "echo 2", n=1))
    options = {"FROM": "step1", "TARGET": "step1"}
    talk.begin(identity, input_parameters={"n": 7}, operational_options=options)
    reana.wait(reana.workflow(identity))
    assert [job["cmd"] for job in talk.logs(identity)["job_logs"].values()] == ["echo 7"]
    assert talk.get(f"/workflows/{identity}/parameters").json()["parameters"] == {"n": 7}
    told = talk.get(f"/workflows/{identity}/specification").json()
    assert (told["parameters"], told["specification"]["inputs"]["parameters"]) == ({"n": 7}, {"n": 1})


def test_a_job_has_a_time_limit(reana, talk):
    specification = serial("sleep 60")
    specification["workflow"]["specification"]["steps"][0]["kubernetes_job_timeout"] = 0
    identity = talk.made(specification)
    talk.begin(identity)
    assert reana.wait(reana.workflow(identity)).status == "failed"
    assert "killed" in next(iter(talk.logs(identity)["job_logs"].values()))["logs"]


def test_logs_by_step_and_page(reana, talk):
    identity = talk.made(serial("echo 0", "echo 1", "echo 2"))
    talk.begin(identity)
    reana.wait(reana.workflow(identity))
    path = f"/workflows/{identity}/logs"
    one = json.loads(talk.request("GET", path, json=["step1"]).json()["logs"])
    assert [job["logs"] for job in one["job_logs"].values()] == ["1\n"]
    assert one["workflow_logs"] is None
    paged = json.loads(talk.get(path, params={"size": 2, "page": 2}).json()["logs"])
    assert [job["logs"] for job in paged["job_logs"].values()] == ["2\n"]
    assert "step0" in paged["workflow_logs"]


# -- stop, delete, restart --


@pytest.mark.parametrize(
    ("status", "stop", "delete"),
    [
        ("created", 409, 200),
        ("queued", 409, 200),
        ("pending", 409, 200),
        ("running", 200, 500),
        ("finished", 409, 200),
        ("failed", 409, 200),
        ("stopped", 409, 200),
        ("deleted", 409, 200),
    ],
)
def test_stop_and_delete_by_status(reana, talk, user, status, stop, delete):
    for wanted, answer, then in (("stop", stop, "stopped"), ("deleted", delete, "deleted")):
        workflow = reana.add(user, "fit", status=Status(status))
        assert talk.change(workflow.id, wanted).status_code == answer
        assert workflow.status == (then if answer == 200 else status)


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        ("stop", {}, 200),
        ("stop", {"force_stop": True}, 400),
        ("deleted", {"workspace": False}, 400),
        ("paused", {}, 400),
        ("", {}, 400),
    ],
)
def test_what_a_change_may_say(reana, talk, user, status, body, answer):
    workflow = reana.add(user, "fit", status=Status.RUNNING)
    assert talk.change(workflow.id, status, body).status_code == answer


def test_a_stop_kills_the_job_and_its_children(reana, talk):
    identity = talk.made(serial("sleep 300 & echo $$! > child; echo $$$$ > me; wait"))
    talk.begin(identity)
    workflow = reana.wait(reana.workflow(identity), "running")
    _until(lambda: (workflow.workspace / "me").exists() and (workflow.workspace / "me").read_text().strip())
    process = int((workflow.workspace / "child").read_text())
    assert talk.change(identity, "stop").status_code == 200
    _until(lambda: not _alive(process))
    assert talk.get(f"/workflows/{identity}/status").json()["status"] == "stopped"


def _alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until(true, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


def test_a_deleted_run_answers_still_but_its_files_are_gone(talk):
    identity = talk.made()
    talk.upload(identity, "a", b"x")
    talk.change(identity, "deleted")
    assert talk.get(f"/workflows/{identity}/status").json()["status"] == "deleted"
    assert talk.get(f"/workflows/{identity}/workspace").status_code == 404
    assert talk.upload(identity, "a", b"x").status_code == 404
    assert talk.begin(identity).status_code == 403


def test_delete_of_all_runs_spares_the_running(reana, talk, user):
    made = [
        reana.add(user, "fit", status=status) for status in (Status.FAILED, Status.RUNNING, Status.QUEUED)
    ]
    assert talk.change(made[0].id, "deleted", {"workspace": True, "all_runs": True}).status_code == 200
    assert [one.status for one in made] == ["deleted", "running", "deleted"]


def test_a_restart_is_another_run_in_the_same_workspace(reana, talk):
    identity = talk.made(serial("echo x >> log"))
    talk.begin(identity)
    reana.wait(reana.workflow(identity))
    first = talk.begin(identity, restart=True).json()
    assert (first["workflow_name"], first["workflow_id"] == identity) == ("fit.1.1", False)
    reana.wait(reana.workflow("fit.1.1"))
    changed = talk.begin(identity, restart=True, reana_specification=serial("echo y >> log")).json()
    reana.wait(reana.workflow(changed["workflow_id"]))
    assert changed["workflow_name"] == "fit.1.2"
    path = f"/workflows/{changed['workflow_id']}/workspace/log"
    assert talk.get(path).text == "x\nx\ny\n"
    assert talk.create().json()["workflow_name"] == "fit.2"


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("created", 403),
        ("queued", 403),
        ("running", 403),
        ("stopped", 403),
        ("finished", 200),
        ("failed", 200),
    ],
)
def test_only_what_ended_by_itself_is_restarted(reana, talk, user, status, answer):
    workflow = reana.add(user, "fit", status=Status(status))
    assert talk.begin(workflow.id, restart=True).status_code == answer


def test_nine_restarts_are_the_most(reana, talk, user):
    workflow = reana.add(user, "fit", status=Status.FINISHED)
    answers = [talk.begin(workflow.id, restart=True) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [400]


def test_retention_rules_begin_at_the_end(reana, talk):
    identity = talk.made(serial("true") | {"workspace": {"retention_days": {"*.tmp": 3}}})
    path = f"/workflows/{identity}/retention_rules"
    assert {rule["status"] for rule in talk.get(path).json()["retention_rules"]} == {"created"}
    talk.begin(identity)
    reana.wait(reana.workflow(identity))
    rules = {rule["workspace_files"]: rule for rule in talk.get(path).json()["retention_rules"]}
    assert rules["*.tmp"]["apply_on"].endswith("T23:59:59")
    assert (rules["*.tmp"]["retention_days"], rules["*.tmp"]["status"]) == (3, "active")


def test_disk_usage(talk, filled):
    path = f"/workflows/{filled}/disk_usage"
    whole = talk.request("GET", path, json={"summarize": True}).json()["disk_usage_info"]
    assert [one["size"]["raw"] for one in whole] == [5 + 5 + 7 + 9]
    assert [one["name"] for one in talk.get(path).json()["disk_usage_info"]][:2] == ["/a.txt", "/b.log"]


# -- list --


@pytest.fixture
def shelf(reana, user):
    rows = (
        ("fit", "finished"),
        ("fit", "running"),
        ("plot", "queued"),
        ("refit", "failed"),
        ("old", "deleted"),
    )
    return {one.full_name: one for one in [reana.add(user, name, status=Status(to)) for name, to in rows]}


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, "old.1 refit.1 plot.1 fit.2 fit.1"),
        ({"sort": "asc"}, "fit.1 fit.2 plot.1 refit.1 old.1"),
        ({"status": "running"}, "fit.2"),
        ({"status": ["running", "queued", "failed"]}, "refit.1 plot.1 fit.2"),
        ({"status": "pending"}, ""),
        ({"search": '{"name": ["FIT"]}'}, "refit.1 fit.2 fit.1"),
        ({"search": '{"name": ["fit"]}', "status": "failed"}, "refit.1"),
        ({"workflow_id_or_name": "fit"}, "fit.2 fit.1"),
        ({"workflow_id_or_name": "fit.1"}, ""),  # a name with its number matches nothing
        ({"size": 2}, "old.1 refit.1"),
        ({"size": 2, "page": 2}, "plot.1 fit.2"),
        ({"size": 2, "page": 3}, "fit.1"),
        ({"size": 2, "page": 4}, ""),
        ({"type": "interactive"}, ""),
    ],
)
def test_list(talk, shelf, params, names):
    assert " ".join(talk.names(**params)) == names


def test_list_finds_by_identity(talk, shelf):
    assert talk.names(workflow_id_or_name=shelf["fit.1"].id) == ["fit.1"]


@pytest.mark.parametrize(
    "params",
    [
        {"status": "strange"},
        {"status": ["running", "RUNNING"]},
        {"size": 0},
        {"page": "x"},
        {"sort": "up"},
        {"search": "{"},
        {"include_progress": "perhaps"},
        {"type": "other"},
    ],
)
def test_list_refuses(talk, params):
    assert talk.all(**params).status_code == 400


def test_list_pages_say_where_they_are(talk, shelf):
    told = [talk.all(size=2, page=page).json() for page in (1, 2, 3)]
    assert [(one["total"], one["has_next"], one["has_prev"]) for one in told] == [
        (5, True, False),
        (5, True, True),
        (5, False, True),
    ]
    assert "next" not in told[2]["links"]


@pytest.mark.parametrize(
    ("params", "total", "size"),
    [({}, False, False), ({"include_progress": "true"}, True, False), ({"verbose": "true"}, True, True)],
)
def test_list_tells_progress_when_asked(talk, shelf, params, total, size):
    item = talk.all(**params).json()["items"][0]
    assert ("total" in item["progress"], "size" in item) == (total, size)


# -- the scheduler --


def test_slots_are_given_in_order(reana, talk):
    reana.schedule(most_running=2)
    reana.pretend(Plan(running_seconds=None))
    identities = [talk.made(PRETENDED, f"w{n}") for n in range(4)]
    for identity in identities:
        talk.begin(identity)
    for identity in identities[:2]:
        reana.wait(reana.workflow(identity), "running")
    assert talk.names(status="queued", sort="asc") == ["w2.1", "w3.1"]
    talk.change(identities[2], "deleted")
    talk.change(identities[0], "stop")
    reana.wait(reana.workflow(identities[3]), "running")


def test_queued_too_long_fails(reana, talk):
    reana.schedule(most_running=0, requeue_seconds=0.01, most_requeues=3)
    identity = talk.made()
    talk.begin(identity)
    assert reana.wait(reana.workflow(identity)).status == "failed"
    assert "failed to schedule after 3 retries" in talk.logs(identity)["workflow_logs"]
    assert talk.get(f"/workflows/{identity}/status").json()["progress"]["total"]["total"] == 0


@pytest.mark.parametrize(
    ("plan", "status", "jobs"),
    [
        (Plan(), "finished", {"a": "finished"}),
        (Plan(steps=("x", "y")), "finished", {"x": "finished", "y": "finished"}),
        (Plan(steps=("x", "y"), outcome=Status.FAILED), "failed", {"x": "finished", "y": "failed"}),
        (Plan(running_seconds=None, steps=("x", "y")), "running", {"x": "running"}),
        (Plan(pending_seconds=None), "pending", {}),
    ],
)
def test_plans(reana, talk, plan, status, jobs):
    reana.pretend(plan)
    steps = [{"name": "a", "environment": "x", "commands": ["never run"]}]
    identity = talk.made({"workflow": {"type": "serial", "specification": {"steps": steps}}})
    talk.begin(identity)
    reana.wait(reana.workflow(identity), status)
    told = talk.logs(identity)["job_logs"].values()
    assert {job["job_name"]: job["status"] for job in told} == jobs


def test_a_plan_leaves_files_and_logs(reana, talk):
    plan = Plan(files={"out/a": b"1"}, log="engine", job_log="job", outcome=Status.FAILED)
    reana.pretend(plan, name="^cwl")
    identity = talk.made({"workflow": {"type": "cwl"}}, "cwl")
    talk.begin(identity)
    reana.wait(reana.workflow(identity), "failed")
    assert talk.files(identity) == {"out/a": 1}
    logs = talk.logs(identity)
    assert logs["workflow_logs"] == "engine"
    assert [job["logs"] for job in logs["job_logs"].values()] == ["job"]


@pytest.mark.parametrize(
    ("status", "following"),
    [
        ("created", "queued deleted"),
        ("queued", "pending failed deleted"),
        ("pending", "running deleted"),
        ("running", "finished failed stopped"),
        ("finished", "deleted"),
        ("failed", "deleted"),
        ("stopped", "deleted"),
        ("deleted", "deleted"),
    ],
)
def test_transitions(reana, user, status, following):
    assert {str(one) for one in TRANSITIONS[Status(status)]} == set(following.split())
    for to in Status:
        workflow = reana.add(user, "fit", status=Status(status))
        with reana.world.lock:
            assert reana.world.move(workflow, to) is (to in following.split())


def test_ten_thousand_live_ones(reana, talk, user):
    reana.schedule(most_running=1000)
    reana.pretend(Plan(running_seconds=None))
    with reana.world.lock:
        for number in range(10_000):
            workflow = reana.world.add(user, f"w{number}", PRETENDED)
            reana.world.move(workflow, Status.QUEUED)
            reana.world.enqueue(workflow)
    reana.wait(reana.workflow("w999.1"), "running")
    live = {"status": ["queued", "pending", "running"], "size": 500, "include_progress": "true"}
    pages = [talk.all(**live, page=page).json() for page in range(1, 22)]
    assert [len(page["items"]) for page in pages] == [500] * 20 + [0]
    assert len({item["id"] for page in pages for item in page["items"]}) == 10_000
    assert talk.all(status="running", size=1).json()["total"] == 1000


# -- what goes wrong --


@pytest.mark.parametrize(
    ("how", "status", "done"),
    [
        (How.BEFORE, 502, False),
        (How.AFTER, 502, True),
        (How.CLOSE_BEFORE, 0, False),
        (How.CLOSE_AFTER, 0, True),
        (How.HANG_AFTER, 0, True),
        (How.SLOW, 201, True),
    ],
)
def test_failures(reana, talk, how, status, done):
    reana.fail("POST", "/workflows", how=how, seconds=0.01)
    with contextlib.nullcontext() if status else pytest.raises(httpx.TransportError):
        assert talk.create().status_code == status
    assert len(reana.workflows("fit")) == done
    assert [(one.status, one.applied) for one in reana.requests(method="POST")] == [(status, done)]
    assert talk.create().status_code == 201


def test_a_rate_limit_tells_when_to_come_again(reana, talk):
    reana.limit(2, 60)
    answers = [talk.get("/you") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    assert httpx.get(f"{reana.url}/api/ping", trust_env=False).status_code == 200
    reana.mend()
    assert talk.get("/you").status_code == 200


def test_away_and_back_while_a_workflow_goes_on(reana, talk):
    identity = talk.made(serial("echo done > out"))
    talk.begin(identity)
    reana.stop()
    with pytest.raises(httpx.ConnectError):
        talk.get("/you")
    reana.wait(reana.workflow(identity))
    reana.start()
    assert talk.get(f"/workflows/{identity}/status").json()["status"] == "finished"


@pytest.mark.parametrize("shown", ["running", "strange", "queued"])
def test_a_status_that_is_not_true(reana, talk, user, shown):
    workflow = reana.add(user, "fit", status=Status.FINISHED)
    reana.show(workflow, shown)
    assert talk.get(f"/workflows/{workflow.id}/status").json()["status"] == shown
    assert talk.all().json()["items"][0]["status"] == shown
    assert talk.names(status="finished") == []
    reana.show(workflow, None)
    assert talk.names(status="finished") == ["fit.1"]


@pytest.mark.parametrize("status", list(Status))
def test_deleted_or_forgotten_by_hand(reana, talk, user, status):
    first, second = reana.add(user, "a", status=status), reana.add(user, "b", status=status)
    reana.delete(first)
    reana.forget(second)
    assert talk.get(f"/workflows/{first.id}/status").json()["status"] == "deleted"
    assert talk.get(f"/workflows/{second.id}/status").status_code == 404
    assert talk.names() == ["a.1"]
    assert reana.world.slots == 0


def test_the_servers_clock_may_be_wrong(reana, talk):
    reana.world.clock_offset = 3600.0
    answer = talk.get("/you")
    there = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert len(answer.headers.get_list("date")) == 1
    assert abs(there - reana.world.clock() - 3600) < 60


def test_the_log_has_no_token(reana, talk, user):
    talk.all(size=5)
    (one,) = reana.requests(path="/workflows$")
    assert (one.method, one.query, one.status, one.user) == ("GET", "type=batch&size=5", 200, user.email)
    assert user.token not in repr(one)
    assert reana.writes() == []


# -- the next protocol --


@coming
@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (bundle(SPECIFICATION), 201, ""),
        (bundle(SPECIFICATION, compressed=True), 400, "compressed"),
        (b"no zip", 400, "not a ZIP"),
        (bundle({"workflow": {"type": "strange"}}), 400, "workflow.type"),
        (bundle(serial("echo ${missing}")), 400, "not defined"),
        (bundle({"workflow": {"type": "cwl", "file": "w.cwl"}}), 400, "w.cwl is not in the bundle"),
        (bundle({"workflow": {"type": "cwl", "file": "w"}}, w="x"), 201, ""),
        (bundle(["a"]), 400, "mapping"),
        (bundle(SPECIFICATION, **{"../x": "1"}), 400, "unsafe"),
        (bundle(SPECIFICATION, big="x" * 3000), 413, "limit"),
    ],
)
def test_create_by_bundle(reana, talk, content, status, message):
    reana.world.most_bundle_bytes = 3000
    answer = talk.post("/workflows", params={"workflow_name": "fit"}, files={"bundle": content})
    assert answer.status_code == status
    assert message in answer.json()["message"]


@coming
@pytest.mark.parametrize("given", [{"json": SPECIFICATION}, {"files": {"other": b"x"}}, {}])
def test_the_next_protocol_takes_nothing_but_bundles(reana, talk, given):
    assert talk.post("/workflows", params={"workflow_name": "fit"}, **given).status_code == 400


@coming
def test_a_bundle_runs(reana, talk):
    identity = talk.made(serial("cat in > out"))
    assert talk.files(identity) == {}
    talk.upload(identity, "in", b"x")
    talk.begin(identity)
    assert reana.wait(reana.workflow(identity)).status == "finished"
    assert talk.files(identity) == {"in": 1, "out": 1}
    replaced = {"replacement": json.dumps(serial("cat ${name} > out2", name="out"))}
    data = {"parameters": json.dumps({"input_parameters": {"name": "in"}})}
    again = talk.post(f"/workflows/{identity}/restart", files=replaced, data=data).json()
    assert reana.wait(reana.workflow(again["workflow_id"])).status == "finished"
    assert again["workflow_name"] == "fit.1.1"


def test_the_released_protocol_has_no_bundles(talk):
    for path in ("/workflows/validate", "/workflows/fit.1/restart"):
        assert talk.post(path, files={"bundle": b""}).status_code == 404


def test_reset_forgets_everything(reana, talk, user):
    identity = talk.made(serial("sleep 300"))
    talk.begin(identity)
    workflow = reana.wait(reana.workflow(identity), "running")
    reana.limit(1)
    reana.schedule(most_running=1)
    reana.hold()
    url = reana.url
    reana.stop()
    reana.reset()
    assert (reana.workflows(), reana.requests(), reana.url) == ([], [], url)
    assert not workflow.workspace.exists()
    # On a connection of its own: what a client kept open went with the server that was away.
    with Talk(reana, user.token) as fresh:
        assert fresh.get("/you").status_code == 403
    with Talk(reana, reana.user().token) as again:
        identity = again.made(serial("true"))
        again.begin(identity)
        assert reana.wait(reana.workflow(identity)).status == "finished"
