"""A workspace's files: which match, that they come as a whole, and what becomes of a workspace."""

from typing import Any

import pytest

from reana_bridge.backends.base import BackendError
from reana_bridge.backends.reana import names
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.joblogs import JobLogs
from reana_bridge.backends.reana.values import Logs
from reana_bridge.testing.reana import How, Plan, Status
from tests.backends.reana.conftest import TAG, Bench, serial

FILES = {
    "results/a.json": b"{}",
    "results/deep/b.json": b"[]",
    "results/plot one.png": b"png" * 1000,
    "results/empty": b"",
    "logs/x.txt": b"x",
    "résumé.txt": b"accent",
    "odd[1].txt": b"odd",
    "big.bin": b"0123456789" * 100_000,
}


@pytest.fixture
def run(bench: Bench) -> str:
    bench.fake.pretend(Plan(files=FILES))
    identity = bench.submit(bench.job(serial("true")))
    bench.end(identity)
    return identity


@pytest.mark.parametrize(
    ("patterns", "paths"),
    [
        (["results/a.json"], ["results/a.json"]),
        (["./results/"], ["results/a.json", "results/deep/b.json", "results/empty", "results/plot one.png"]),
        (["results/*.json"], ["results/a.json"]),
        (["results/**/*.json"], ["results/a.json", "results/deep/b.json"]),
        (["results/d*"], ["results/deep/b.json"]),
        (["*.txt"], ["odd[1].txt", "résumé.txt"]),
        (["nothing", "logs"], ["logs/x.txt"]),
        (["résumé.txt"], ["résumé.txt"]),
        (["resul"], []),
        (["!results"], []),
        (["!*"], []),
        (["."], sorted(FILES)),
        ([], []),
    ],
)
def test_what_matches(bench: Bench, run: str, patterns: list[str], paths: list[str]) -> None:
    found = list(bench.backend.outputs(run, patterns))
    assert [one.path for one in found] == paths
    assert all(one.size == len(FILES[one.path]) for one in found)


@pytest.mark.parametrize("path", sorted(set(FILES) - {"odd[1].txt"}))
def test_every_file_comes_as_a_whole(bench: Bench, run: str, path: str) -> None:
    with bench.backend.read(run, path) as file:
        assert file.read() == FILES[path]


def test_a_name_that_would_be_a_pattern_is_said(bench: Bench, run: str) -> None:
    (found,) = bench.backend.outputs(run, ["odd[1].txt"])
    assert "takes for a pattern" in found.problem
    with pytest.raises(FileNotFoundError):
        bench.backend.read(run, found.path)


@pytest.mark.parametrize("path", ["nothing.txt", "../secret", "/etc/passwd", "results", ""])
def test_what_is_no_file_is_not_read(bench: Bench, run: str, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        bench.backend.read(run, path)


@pytest.mark.parametrize("silent", [True, False])
def test_a_download_that_breaks_off_is_made_again(bench: Bench, run: str, silent: bool) -> None:
    bench.fake.truncate("big.bin", after=1000, times=1, silent=silent)
    with bench.backend.read(run, "big.bin") as file:
        assert file.read() == FILES["big.bin"]


@pytest.mark.parametrize("silent", [True, False])
def test_a_download_that_always_breaks_off_is_no_file(bench: Bench, run: str, silent: bool) -> None:
    bench.fake.truncate("big.bin", after=1000, times=9, silent=silent)
    with pytest.raises(BackendError, match=r"does not give big\.bin as a whole|the connection broke"):
        bench.backend.read(run, "big.bin")


def test_many_pages_of_files(bench: Bench, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reana_bridge.backends.reana.calls.FILES_PAGE", 3)
    assert len(list(bench.backend.outputs(run, ["."]))) == len(FILES)


def test_more_files_than_are_listed(bench: Bench, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reana_bridge.backends.reana.outputs.MOST_FILES", 4)
    found = list(bench.backend.outputs(run, ["."]))
    assert len([one for one in found if not one.problem or one.path != "..."]) == 4
    assert "others are left out" in found[-1].problem


def test_a_deleted_workspace_has_no_files(bench: Bench, run: str) -> None:
    bench.fake.delete(bench.workflow(run))
    assert list(bench.backend.outputs(run, ["."])) == []


def test_away_while_collecting(bench: Bench, run: str) -> None:
    bench.fake.fail("GET", "/workspace", how=How.CLOSE_BEFORE, times=None)
    with pytest.raises(BackendError):
        list(bench.backend.outputs(run, ["."]))
    bench.fake.mend()
    assert list(bench.backend.outputs(run, ["."]))


# -- logs --


def test_logs_by_piece_and_name(bench: Bench) -> None:
    identity = bench.submit(bench.job(serial("echo 0123456789", "echo more")))
    steps = bench.end(identity).steps
    assert [step.log for step in steps] == ["1-step1.log", "2-step2.log"]
    assert bench.backend.log(identity, "1-step1.log", 4, 3) == b"456"
    assert bench.backend.log(identity, "1-step1.log", 11) == b""
    assert bench.backend.log(identity, "step2") == b"more\n"
    assert bench.backend.log(identity, "nothing") == b""
    assert bench.backend.log("default/00000000-0000-4000-8000-000000000000", "step2") == b""


def test_an_answer_that_takes_long_is_asked_for_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = bench.submit(bench.job(serial("echo 0123456789")))
    bench.end(identity)
    now, asked = [0.0], [0]
    real = Calls.logs

    def slowly(self: Calls, workflow: str) -> Logs:
        asked[0] += 1
        now[0] += 60.0
        return real(self, workflow)

    monkeypatch.setattr(Calls, "logs", slowly)
    bench.backend._logs = JobLogs(lambda: now[0])
    pieces = [bench.backend.log(identity, "1-step1.log", offset, 4) for offset in (0, 4, 8)]
    assert (b"".join(pieces), asked) == (b"0123456789\n", [1])


def test_commands_of_a_step_share_a_log(bench: Bench) -> None:
    document: dict[str, Any] = serial("true")
    document["workflow"]["specification"]["steps"] = [
        {"environment": "x", "commands": ["echo one", "echo two"]},
        {"environment": "x", "commands": ["echo three"]},
    ]
    identity = bench.submit(bench.job(document))
    assert [step.name for step in bench.end(identity).steps] == ["step 1", "step 2"]
    assert bench.backend.log(identity, "1-step-1.log") == b"one\ntwo\n"


# -- what is kept, and for how long --


def test_usage_and_removal(bench: Bench, run: str) -> None:
    bench.fake.add(bench.user, "somebody-elses", status=Status.FINISHED)
    bench.fake.add(bench.user, names.name_of("rb-x-1", "ffffffff", 1.0), status=Status.FINISHED)
    bench.fake.add(bench.user, names.name_of("rb-live-1", TAG, 1.0), status=Status.RUNNING)
    forgotten = bench.fake.add(bench.user, names.name_of("rb-old-1", TAG, 1.0))
    usage = bench.backend.usage()
    assert [one.identity for one in usage] == [run, f"default/{forgotten.id}"]
    assert usage[0].size >= len(FILES["big.bin"])
    # One that was only created is not old before some days have passed.
    assert usage[1].ended_at > usage[0].ended_at + 86400
    for one in usage:
        bench.backend.remove(one.identity)
        bench.backend.remove(one.identity)
    assert bench.backend.usage() == []
    assert len(bench.fake.workflows("somebody-elses")) == 1


def test_what_runs_is_not_removed(bench: Bench) -> None:
    running = bench.fake.add(bench.user, names.name_of("rb-live-1", TAG, 1.0), status=Status.RUNNING)
    with pytest.raises(BackendError, match="still runs"):
        bench.backend.remove(f"default/{running.id}")
