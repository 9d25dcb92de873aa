"""Whatever a library does to its process, the server goes on, and says what became of the file."""

import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from reana_bridge.results import isolation
from reana_bridge.results.isolation import IsolationFailed, IsolationLimits, Item, run, run_each
from reana_bridge.sandbox.probe import Probe, probe

TASKS = "tests.results.hostile_tasks"
LIMITS = IsolationLimits(memory=512 << 20, seconds=1, output=1 << 20)

needs_bwrap = pytest.mark.skipif(bool(probe().problem), reason=probe().problem)


@pytest.fixture(params=["boxed", "bare"])
def box(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With bubblewrap, and without."""
    if request.param == "bare":
        monkeypatch.setattr(isolation, "probe", lambda: Probe(problem="there is none"))
    elif probe().problem:
        pytest.skip(probe().problem)
    return request.param


def task(name: str, job: dict[str, Any] | None = None, **further: Any) -> Any:
    return run(f"{TASKS}:{name}", job or {}, inputs=further.pop("inputs", {}), limits=LIMITS, **further)


def test_a_task_gets_its_job_and_its_files(box: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "b c").write_text("two")
    inputs = {"head": tmp_path / "a", "base/line": tmp_path / "b c"}
    files = {"head": "one", "base/line": "two"}
    assert task("echo", {"n": 1}, inputs=inputs) == {"job": {"n": 1}, "files": files}


def test_what_libraries_print_is_no_answer(box: str) -> None:
    assert task("talks") == "mine"


@pytest.mark.parametrize(
    ("does", "job", "said"),
    [
        ("hog", {}, "used more than its 512 MiB of memory"),
        ("spin", {}, "took more than its 1 s"),
        ("sleep", {}, "took more than its 1 s"),
        ("crash", {}, "takes its reader down (signal 11)"),
        ("leave", {}, "ends its reader (exit status 3)"),
        ("fail", {}, "ValueError: line 1 xxx"),
        ("recurse", {}, "RecursionError: maximum recursion depth exceeded"),
        ("chatter", {"size": 2 << 20}, "gives an answer of more than 1 MiB"),
        ("write", {"size": 2 << 20}, "File too large"),
    ],
)
def test_what_goes_wrong_is_said(box: str, does: str, job: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(IsolationFailed) as failed:
        task(does, job, output=tmp_path)
    assert said in str(failed.value)
    assert len(str(failed.value)) < 1000


def test_the_other_files_are_read_all_the_same(box: str) -> None:
    does = ["echo", "hog", "echo", "crash", "fail", "echo"]
    found = run_each(f"{TASKS}:by_job", [Item(job={"does": name}) for name in does], limits=LIMITS)
    assert [bool(answer.problem) for answer in found] == [False, True, False, True, True, False]
    assert all(answer.value["job"] == {"does": "echo"} for answer in found if not answer.problem)


def test_more_files_than_one_process_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_AT_ONCE", 2)
    found = run_each(f"{TASKS}:echo", [Item(job={"n": n}) for n in range(5)], limits=LIMITS)
    assert [answer.value["job"]["n"] for answer in found] == [0, 1, 2, 3, 4]


def test_many_that_break_their_process_cannot_occupy_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_PATIENCE", 2)
    does = ["crash", "echo", "leave", "echo", "echo"]
    found = run_each(f"{TASKS}:by_job", [Item(job={"does": name}) for name in does], limits=LIMITS)
    said = "is not opened, after 2 that broke their process"
    assert [answer.problem for answer in found[3:]] == [said, said]
    assert found[1].value["job"] == {"does": "echo"}


def test_no_files_need_no_process() -> None:
    assert run_each("read", []) == []


def test_what_a_task_writes_is_there(box: str, tmp_path: Path) -> None:
    assert task("write", {"size": 10}, output=tmp_path) == "written"
    assert (tmp_path / "picture.png").read_bytes() == b"x" * 10


def test_a_file_that_is_gone_is_said(box: str, tmp_path: Path) -> None:
    with pytest.raises(IsolationFailed, match="FileNotFoundError"):
        task("echo", inputs={"file": tmp_path / "gone"})


def test_it_gets_nothing_of_the_servers_environment(box: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REANA_BRIDGE_TOKEN", "secret")
    assert "REANA_BRIDGE_TOKEN" not in task("surroundings")


@needs_bwrap
def test_it_sees_nothing_else_of_this_machine(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("token")
    beside = Path(__file__).parents[2] / "pyproject.toml"  # where a server's own files may lie
    assert beside.exists()
    assert task("look", {"paths": [str(secret), str(beside), "/etc/shadow", "/usr"]}) == [*[False] * 3, True]


@needs_bwrap
def test_it_reaches_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(IsolationFailed, match="refused"):
        task("call", {"port": server.getsockname()[1]})


@needs_bwrap
def test_it_cannot_change_what_it_reads(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("as it was")
    with pytest.raises(IsolationFailed, match="Read-only file system"):
        task("overwrite", inputs={"file": file})
    assert file.read_text() == "as it was"


def test_no_process_and_no_file_is_left(box: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation.tempfile, "tempdir", str(tmp_path))
    for does in ("echo", "spin"):
        run_each(f"{TASKS}:{does}", [Item(job={})], limits=LIMITS)
    assert os.listdir(tmp_path) == []
    left = psutil.Process().children(recursive=True)
    assert not [child for child in left if "reana_bridge.results.isolated" in child.cmdline()]
