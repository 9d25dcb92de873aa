"""The whole life of a run, on a server of each generation."""

import pytest

from reana_bridge.backends.base import JobState
from reana_bridge.model.results import StepState
from tests.backends.reana.conftest import FILES, Bench

both = pytest.mark.parametrize("protocol", ["released", "next"], indirect=True)


@both
def test_a_run_from_its_start_to_its_outputs(bench: Bench) -> None:
    identity = bench.submit()
    seen = bench.end(identity)
    assert seen.state == JobState.FINISHED
    assert [(s.name, s.state, s.exit_status) for s in seen.steps] == [
        ("make", StepState.FINISHED, 0),
        ("greet", StepState.FINISHED, 0),
    ]
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.ended_at >= seen.started_at
    (found,) = bench.backend.outputs(identity, ["results/greeting.txt"])
    assert (found.path, found.size, found.problem) == ("results/greeting.txt", 12, "")
    with bench.backend.read(identity, found.path) as file:
        assert file.read() == b"hello world\n"
    assert bench.backend.log(identity, "1-make.log") == b"made\n"
    assert bench.workflow(identity).starts == 1


@both
def test_only_what_is_declared_is_sent(bench: Bench) -> None:
    workspace = bench.workflow(bench.submit()).workspace
    sent = {name: content for name, content in FILES.items() if name != "other.txt"}
    assert {name: (workspace / name).read_bytes() for name in sent} == sent
    assert not (workspace / "other.txt").exists()


@both
def test_the_runs_own_parameters_count(bench: Bench) -> None:
    identity = bench.submit(bench.job(parameters={"who": "moon"}))
    assert bench.end(identity).state == JobState.FINISHED
    with bench.backend.read(identity, "results/greeting.txt") as file:
        assert file.read() == b"hello moon\n"
