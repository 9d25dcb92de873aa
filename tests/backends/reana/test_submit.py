"""Submitting under all that goes wrong: never two started workflows, nothing sent that cannot run."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.backends.base import BackendError, BackendRefused, JobState
from reana_bridge.backends.reana import names
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.testing.reana import How, Status
from tests.backends.reana.conftest import FILES, HELLO, TAG, Bench, serial

NAME = names.name_of("rb-one-1", TAG, 3600.0)


def again(bench: Bench, times: int = 8) -> str:
    """Submit as the step does: until it works."""
    for _ in range(times):
        try:
            return bench.submit()
        except BackendError:
            continue
    raise AssertionError("it was never submitted")


def settled(bench: Bench, identity: str) -> None:
    """One workflow ran, once, with all that it needs; no other is left."""
    assert bench.end(identity).state == JobState.FINISHED
    runs = bench.fake.workflows(NAME)
    assert [one.starts for one in runs if one.starts] == [1]
    assert {one.status for one in runs} <= {Status.FINISHED, Status.DELETED}
    assert identity.endswith(next(one.id for one in runs if one.starts))


def test_submitting_twice_starts_once(bench: Bench) -> None:
    first = bench.submit()
    assert bench.submit() == first
    assert bench.another().submit() == first
    settled(bench, first)


def test_a_job_is_found_by_its_name(bench: Bench) -> None:
    assert bench.backend.find("rb-one-1") is None
    identity = bench.submit()
    assert bench.backend.find("rb-one-1") == identity
    assert bench.backend.find("rb-one-11") is None
    assert bench.backend.find("rb-one") is None


CALLS = [
    ("GET", "/api/ping"),
    ("GET", "/api/workflows\\?"),
    ("POST", "/api/workflows\\?"),
    ("GET", "/workspace"),
    ("POST", "/workspace"),
    ("POST", "/start"),
]


@pytest.mark.parametrize("how", [How.AFTER, How.CLOSE_BEFORE])
@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("protocol", ["released", "next"], indirect=True)
def test_an_answer_is_lost(bench: Bench, method: str, path: str, how: How) -> None:
    bench.fake.fail(method, path, how=how, times=1)
    settled(bench, again(bench))


@pytest.mark.parametrize("how", [How.AFTER, How.CLOSE_AFTER])
def test_every_answer_is_lost_for_a_while(bench: Bench, how: How) -> None:
    bench.fake.fail("POST", "/start", how=how, times=2)
    bench.fake.fail("POST", "/api/workflows\\?", how=how, times=3)
    settled(bench, again(bench))
    assert len(bench.fake.workflows(NAME)) >= 1


def test_away_and_back(bench: Bench) -> None:
    bench.fake.stop()
    with pytest.raises(BackendError, match="no connection"):
        bench.submit()
    bench.fake.start()
    settled(bench, bench.submit())


@pytest.mark.parametrize("left", ["nothing", "one file", "half a file", "two", "a younger one with files"])
def test_what_a_crash_left_is_taken_up(bench: Bench, left: str) -> None:
    made = [bench.fake.add(bench.user, NAME, specification=HELLO)]
    if left in ("two", "a younger one with files"):
        made.append(bench.fake.add(bench.user, NAME, specification=HELLO))
    if left == "one file":
        (made[0].workspace / "hello.py").write_bytes(FILES["hello.py"])
    if left == "half a file":
        (made[0].workspace / "hello.py").write_bytes(FILES["hello.py"][:5])
    if left == "a younger one with files":
        (made[1].workspace / "hello.py").write_bytes(FILES["hello.py"])
    identity = bench.submit()
    assert identity == f"default/{made[0].id}"
    settled(bench, identity)
    sent = len([one for one in bench.fake.requests(method="POST", path="/workspace")])
    assert sent == (3 if left == "one file" else 4)


def test_one_that_was_started_is_the_job_whatever_its_number(bench: Bench) -> None:
    first = bench.fake.add(bench.user, NAME, specification=HELLO)
    started = bench.fake.add(bench.user, NAME, specification=HELLO, status=Status.QUEUED)
    assert bench.submit() == f"default/{started.id}"
    assert first.status == Status.DELETED
    assert not bench.fake.requests(method="POST")


def test_one_that_was_deleted_before_its_start_is_made_again(bench: Bench) -> None:
    bench.fake.add(bench.user, NAME, specification=HELLO, status=Status.DELETED)
    settled(bench, bench.submit())


def test_two_processes_at_once_start_one(bench: Bench) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda each=each: found.append(again(each)))
        for each in (bench.another(), bench.another(), bench.another())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert sum(one.starts for one in bench.fake.workflows(NAME)) <= 1
    (identity,) = set(found)
    settled(bench, identity)


def test_names_of_other_bridges_and_jobs_are_left_alone(bench: Bench) -> None:
    others = [
        bench.fake.add(bench.user, names.name_of("rb-one-1", "ffffffff", 3600.0), status=Status.QUEUED),
        bench.fake.add(bench.user, names.name_of("xrb-one-1", TAG, 3600.0)),
        bench.fake.add(bench.user, names.name_of("rb-one-1-1", TAG, 3600.0)),
    ]
    settled(bench, bench.submit())
    assert [one.status for one in others] == [Status.QUEUED, Status.CREATED, Status.CREATED]


CRASHER = """
import sys
from dataclasses import replace
from pathlib import Path
from reana_bridge.backends.reana import Account, ReanaSettings
from tests.backends.reana.conftest import Bench, backend_of
url, token, scratch = sys.argv[1:]
settings = ReanaSettings(
    url=url, accounts=(Account(name="default", token=token),), scratch=Path(scratch), tag="0a1b2c3d"
)
bench = Bench(fake=None, user=None, scratch=Path(scratch), settings=settings, backend=backend_of(settings))
bench.submit()
"""


@pytest.mark.parametrize("point", ["reana.created", "reana.uploaded", "reana.started"])
def test_killed_between_two_steps(bench: Bench, point: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CRASHER, bench.fake.url, bench.user.token, str(bench.scratch)],
        env=os.environ | {"REANA_BRIDGE_CRASH": point},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    settled(bench, bench.submit())
    assert len(bench.fake.workflows(NAME)) == 1


def test_extra_ones_are_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation whose answer came too late lands while another one is filled."""
    late: list[Any] = []
    checkout = bench.checkout

    def slow(place: Path) -> None:
        late.append(bench.fake.add(bench.user, NAME, specification=HELLO))
        checkout(place)

    identity = bench.backend.submit(bench.job(), slow)
    assert identity == f"default/{late[0].id}"
    settled(bench, identity)


# -- before anything is sent --


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("an image is missing", serial("true", image=""), "environment"),
    (
        "an unknown compute backend",
        {
            "workflow": {
                "type": "serial",
                "specification": {
                    "steps": [{"environment": "x", "compute_backend": "slurmcern", "commands": ["true"]}]
                },
            }
        },
        "compute_backend",
    ),
    ("a missing file", serial("true", inputs={"files": ["no.txt"]}), "inputs.files"),
    ("a missing directory", serial("true", inputs={"directories": ["nowhere"]}), "inputs.directories"),
    ("a link out", serial("true", inputs={"files": ["link"]}), "inputs.files"),
    ("too long a retention", serial("true", workspace={"retention_days": {"*": 9999}}), "retention_days"),
]


@pytest.mark.parametrize(("document", "key"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_cannot_run_is_not_sent(bench: Bench, document: dict[str, Any], key: str) -> None:
    bench.fake.world.compute_backends = ("kubernetes",)

    def checkout(place: Path) -> None:
        bench.checkout(place)
        (place / "link").symlink_to("/etc/passwd")

    with pytest.raises(ConfigurationError) as caught:
        bench.backend.submit(bench.job(document), checkout)
    assert key in caught.value.problems[0].key
    assert not bench.fake.writes()


def test_a_link_inside_is_sent_as_its_content(bench: Bench) -> None:
    def checkout(place: Path) -> None:
        bench.checkout(place)
        (place / "link.py").symlink_to("hello.py")
        (place / ".git").mkdir()
        (place / ".git/config").write_text("secret")

    document = serial("python3 link.py you", inputs={"files": ["link.py"], "directories": ["."]})
    identity = bench.backend.submit(bench.job(document), checkout)
    assert bench.end(identity).state == JobState.FINISHED
    assert (bench.workflow(identity).workspace / "link.py").read_bytes() == FILES["hello.py"]
    assert not (bench.workflow(identity).workspace / ".git").exists()


def test_what_the_server_will_never_take_is_refused(bench: Bench) -> None:
    bench.fake.fail(
        "POST", "/api/workflows\\?", status=400, body='{"message": "Malformed request."}', times=None
    )
    with pytest.raises(BackendRefused, match=r"Malformed request\."):
        bench.submit()


def test_a_used_up_quota_is_tried_again(bench: Bench) -> None:
    bench.user.cpu_limit, bench.user.cpu_used = 1, 2
    with pytest.raises(BackendError, match=r"User quota exceeded"):
        bench.submit()
    bench.user.cpu_limit = 0
    settled(bench, bench.submit())


def test_options_and_retention_reach_the_server(bench: Bench) -> None:
    document = serial(
        "touch a", "touch b", "touch c", inputs={"options": {"FROM": "step2", "TARGET": "step2"}}
    )
    identity = bench.another(retention_days=30).submit(bench.job(document))
    seen = bench.end(identity)
    assert [step.name for step in seen.steps] == ["step2"]
    workflow = bench.workflow(identity)
    assert [(workflow.workspace / name).exists() for name in "abc"] == [False, True, False]
    assert workflow.retention["**/*"] == 30


def test_nothing_is_left_on_our_disk(bench: Bench) -> None:
    settled(bench, bench.submit())
    assert not list(bench.scratch.iterdir())


def test_many_files_are_sent_at_once_and_all_arrive(bench: Bench) -> None:
    bench.files |= {f"data/{i}.bin": bytes([i % 256]) * (i * 100) for i in range(60)}
    identity = bench.submit()
    workspace = bench.workflow(identity).workspace
    assert all((workspace / name).read_bytes() == bench.files[name] for name in bench.files if "data" in name)


def test_a_server_that_loses_uploads_is_found_out(bench: Bench, fake_loses: None) -> None:
    with pytest.raises(BackendError, match=r"did not keep 1 input files as they were sent: hello\.py"):
        bench.submit()
    assert not bench.fake.requests(path="/start")


@pytest.fixture
def fake_loses(bench: Bench) -> None:
    bench.fake.fail(
        "POST", "/workspace\\?file_name=hello.py", status=200, body='{"message": "ok"}', times=None
    )


def test_the_environment_of_a_job_holds_nothing_of_ours(bench: Bench) -> None:
    workflow = bench.workflow(bench.submit())
    text = repr(workflow.specification) + repr(workflow.parameters) + repr(workflow.options)
    assert bench.user.token not in text
    assert "REANA_BRIDGE" not in text
