"""Every answer of the fake REANA against the published descriptions, and the checker against itself."""

import copy
import json
from dataclasses import replace

import httpx
import pytest

from reana_bridge.testing.reana import FakeReana, Plan
from reana_bridge.testing.reana.api import Answer, Call
from reana_bridge.testing.reana.app import ROUTES, Exchange
from tests.contract.openapi import Contract
from tests.contract.talking import OCTETS, SPECIFICATION, Talk, bundle, serial

PROTOCOLS = ["released", "next"]


@pytest.fixture
def world(request, tmp_path, describe):
    """A watched fake of the protocol, and its user's client."""
    protocol = request.param
    contract = Contract(describe(protocol))
    with FakeReana(tmp_path / "reana", protocol=protocol) as reana:
        user = reana.user()
        with Talk(reana, user.token) as talk:
            yield contract.watch(reana), reana, talk, user


def whole_life(reana, talk):
    identity = talk.made()
    path = f"/workflows/{identity}"
    talk.upload(identity, "in.txt", b"some input")
    talk.upload(identity, "out/x.tmp", b"")
    talk.begin(identity, input_parameters={"word": "bye"}, operational_options={"CACHE": "off"})
    reana.wait(reana.workflow(identity))
    for rest in ("status", "logs", "specification", "parameters", "disk_usage", "retention_rules"):
        assert talk.get(f"{path}/{rest}").status_code == 200, rest
    assert talk.files(identity, file_name="out/*", page=1, size=1) == {"out/a.txt": 6}
    talk.get(f"{path}/workspace", params={"search": json.dumps({"name": ["a"]})})
    assert talk.get(f"{path}/workspace/out/a.txt").content == b"bye 2\n"
    assert talk.get(f"{path}/workspace/out").headers["content-type"] == "application/zip"
    assert talk.delete(f"{path}/workspace/out/x.tmp").json()["deleted"] == {"out/x.tmp": {"size": 0}}
    talk.begin(identity, restart=True)
    reana.wait(reana.workflow("fit.1.1"))
    talk.post(f"{path}/prune", params={"include_inputs": "true"})
    talk.all(include_progress="true", include_workspace_size="true", verbose="true", page=1, size=2)
    talk.all(status=["finished", "failed"], sort="asc", search=json.dumps({"name": ["fi"]}))
    assert talk.change(identity, "deleted", {"workspace": True, "all_runs": True}).status_code == 200


def stopping(reana, talk):
    reana.pretend(Plan(running_seconds=None))
    identity = talk.made(name="long")
    talk.begin(identity)
    reana.wait(reana.workflow(identity), "running")
    assert talk.get(f"/workflows/{identity}/status").json()["progress"]["running"]["total"] == 1
    assert talk.change(identity, "deleted").status_code == 500
    assert talk.change(identity, "stop").status_code == 200
    assert talk.change(identity, "stop").status_code == 409


def refusals(reana, talk):
    identity = talk.made()
    path = f"/workflows/{identity}"
    asked = [
        (talk.create(name="a.b"), 403),
        (talk.create(name="3c9b117c-d40a-49e3-a6de-5f89fcada5a3"), 400),
        (talk.all(status="strange"), 400),
        (talk.all(size=0), 400),
        (talk.get("/workflows/nothing.1/status"), 404),
        (talk.begin("nothing.1"), 403),
        (talk.begin(identity, input_parameters={"new": 1}), 400),
        (talk.upload(identity, "../x", b"x"), 400),
        (talk.post(f"{path}/workspace", params={"file_name": "x"}, files={"file": b"x"}), 400),
        (talk.get(f"{path}/workspace/none.txt"), 404),
        (talk.delete(f"{path}/workspace/none.txt"), 404),
        (talk.change(identity, "stop"), 409),
        (talk.change(identity, "pause"), 400),
        (talk.change(identity, "deleted", {"workspace": False}), 400),
        (talk.begin(identity), 200),
        (talk.begin(identity), 403),
    ]
    assert [(answer.url.path, answer.status_code) for answer, _ in asked] == [
        (answer.url.path, status) for answer, status in asked
    ]


def accounts(reana, talk):
    assert httpx.get(f"{reana.url}/api/ping", trust_env=False).status_code == 200
    assert talk.get("/you").json()["email"] == "user@example.org"
    assert talk.get("/info").status_code == 200
    assert talk.post("/secrets/", json={"A": {"type": "env", "value": "x"}}).status_code == 201
    assert talk.post("/secrets/", json={"A": {"type": "env", "value": "x"}}).status_code == 409
    assert talk.get("/secrets").json() == [{"name": "A", "type": "env"}]
    assert talk.request("DELETE", "/secrets/", json=["B"]).status_code == 404
    assert talk.request("DELETE", "/secrets/", json=["A"]).json() == ["A"]
    with Talk(reana, "") as nobody, Talk(reana, "wrong") as stranger:
        assert nobody.get("/you").status_code == 401
        assert stranger.get("/you").status_code in {401, 403}
    reana.limit(1)
    assert {talk.get("/you").status_code for _ in range(3)} == {200, 429}


@pytest.mark.parametrize("world", PROTOCOLS, indirect=True)
@pytest.mark.parametrize("scenario", [whole_life, stopping, refusals, accounts])
def test_the_fake_answers_as_described(world, scenario):
    contract, reana, talk, user = world
    user.disk_limit, user.cpu_limit = 10**9, 10**9
    scenario(reana, talk)
    assert contract.problems == []
    assert contract.seen


@pytest.mark.parametrize("world", ["next"], indirect=True)
def test_bundles_as_described(world):
    contract, reana, talk, _ = world
    good, bad = bundle(SPECIFICATION), bundle({"workflow": {"type": "serial"}})
    sent = [talk.post("/workflows/validate", params={"environments": "true"}, files={"bundle": good})]
    sent += [talk.post("/workflows/validate", files={"bundle": bad})]
    assert [answer.json()["valid"] for answer in sent] == [True, False]
    assert talk.create({"workflow": {"type": "serial"}}).status_code == 400
    identity = talk.made(serial("exit 1"))
    talk.begin(identity)
    reana.wait(reana.workflow(identity), "failed")
    files = {"replacement": json.dumps(serial("exit 0"))}
    again = talk.post(f"/workflows/{identity}/restart", files=files, data={"parameters": "{}"})
    assert again.json()["workflow_name"] == "fit.1.1"
    reana.wait(reana.workflow("fit.1.1"), "finished")
    assert contract.problems == []
    assert {"validate_workflow_specification", "create_workflow", "restart_workflow"} <= contract.seen


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_route_of_the_fake_is_described(describe, protocol):
    description = describe(protocol)
    only_next = {"/workflows/validate", "/workflows/:id/restart"}
    for route in ROUTES:
        path = "/api" + route.path.replace(":id", "x").replace("*file", "a/b.txt")
        slashed = path + "/" if route.path == "/secrets" and route.method != "GET" else path
        found = description.operation(route.method, slashed)
        known = found is not None and "_id_or_name}/open" not in found.path
        assert known is not (protocol == "released" and route.path in only_next), route


# -- the checker --


def exchange(**changes):
    """A good upload."""
    call = Call(
        world=None,
        method="POST",
        path="/api/workflows/fit.1/workspace",
        query=[],
        headers={"content-type": "application/octet-stream", "content-length": "1"},
        body=b"x",
    )
    answer = Answer(value={"message": "ok"})
    pairs = [("file_name", "x"), ("access_token", "t")]
    made = Exchange(call=call, pairs=pairs, path=call.path, answer=answer)
    return replace(
        made,
        **{key: value for key, value in changes.items() if key != "call"},
        call=replace(call, **changes.get("call", {})),
    )


START = {"path": "/api/workflows/fit.1/start", "headers": {"content-type": "application/json"}}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"pairs": [("file_name", "x")]}, "there is no token"),
        ({"pairs": [("access_token", "t")]}, "the query lacks `file_name`"),
        (
            {"pairs": [("file_name", "x"), ("access_token", "t"), ("new", "1")]},
            "`new`, which is not",
        ),
        ({"pairs": [("file_name", "x"), ("access_token", "t"), ("preview", "yes")]}, "not of type boolean"),
        ({"call": {"headers": {"content-type": OCTETS["Content-Type"]}}}, "the body has no length"),
        ({"call": {"headers": {}, "body": b""}}, "the body is missing"),
        ({"call": {"headers": {"content-type": "text/plain"}}}, "the body is text/plain"),
        ({"call": {"path": "/api/nothing"}}, "no such operation"),
        (
            {"call": START | {"body": b'{"restart": 1}'}, "pairs": [("access_token", "t")]},
            "at restart: 1",
        ),
        ({"call": START | {"body": b'{"restart": true}'}, "pairs": [("access_token", "t")]}, ""),
        ({"answer": Answer(value={"message": 1})}, "the answer at message: 1 is not of type 'string'"),
        ({"answer": Answer(value=[])}, "the answer: [] is not of type 'object'"),
        ({"answer": Answer(value=b"x")}, "the answer is a file"),
        ({"answer": Answer(status=418, value={"message": "x"})}, "the status 418 is not described"),
        ({"answer": Answer(status=429, value={})}, "'message' is a required property"),
        ({"answer": Answer(status=429, value={"message": "x"})}, ""),
    ],
)
def test_the_checker_sees_what_does_not_fit(describe, changes, problem):
    contract = Contract(copy.deepcopy(describe("released")))
    contract.check(exchange(**changes))
    assert (problem in "\n".join(contract.problems)) if problem else contract.problems == []


def test_a_nullable_value_may_be_null(describe):
    contract = Contract(describe("released"))
    call = {"method": "GET", "path": "/api/workflows/x/status", "body": b"", "headers": {}}
    for progress, count in (({"run_started_at": None}, 0), ({"total": None}, 1)):
        value = Answer(value={"progress": progress})
        contract.check(exchange(call=call, pairs=[("access_token", "t")], answer=value))
        assert len(contract.problems) == count
