"""Serial workflows as REANA runs them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendRefused, JobState
from reana_bridge.backends.local import ImageEnvironment
from reana_bridge.model.results import StepState
from reana_bridge.model.runs import FailureKind
from tests.backends.local.conftest import Bench, both, needs_bwrap, serial, tool


@both
@pytest.mark.parametrize(
    ("commands", "printed"),
    [
        (("echo hello",), "hello\n"),
        (("echo out; echo err >&2",), "out\nerr\n"),
        (('echo "$BASH_VERSION" | grep -c .',), "1\n"),
        (("printf '%s' \"$REANA_BRIDGE_RUN_ID $REANA_BRIDGE_SHA\"",), "r-1 c0ffee" + "0" * 34),
        (("echo $MLFLOW_EXPERIMENT_NAME $MLFLOW_RUN_NAME",), "forge:group/name/fit r-1\n"),
        (('test "$PWD" = "$REANA_WORKSPACE" && echo same',), "same\n"),
        (('touch "$HOME/a" "$TMPDIR/b" && echo ok',), "ok\n"),
        (("cat data/names.txt",), "Marie\n"),
        (("cat; echo end of input",), "end of input\n"),
        (("python -c 'print(6 * 7)'",), "42\n"),
        (("yes | head -1; echo ${PIPESTATUS[0]}",), "y\n141\n"),
    ],
)
def test_a_command_sees_the_workspace_and_prints(
    make_bench: Callable[..., Bench], sandbox: str, commands: tuple[str, ...], printed: str
) -> None:
    def checkout(place: Path) -> None:
        (place / "data").mkdir()
        (place / "data" / "names.txt").write_text("Marie\n")

    assert make_bench(sandbox=sandbox).printed(*commands, checkout=checkout) == printed


@both
def test_steps_share_the_workspace_and_nothing_else(make_bench: Callable[..., Bench], sandbox: str) -> None:
    bench = make_bench(sandbox=sandbox)
    seen = bench.run(
        "echo 1 > kept; touch $TMPDIR/gone $HOME/gone; export VARIABLE=1; cd /",
        "test -f kept && ! test -e $TMPDIR/gone && ! test -e $HOME/gone && test -z $VARIABLE",
        one_step=True,
    )
    assert (seen.state, seen.failure) == (JobState.FINISHED, None)


@both
@pytest.mark.parametrize(
    ("commands", "one_step", "states", "message", "step", "status", "command"),
    [
        (("true", "exit 3", "touch never"), False, "FXW", "exit status 3", "step 2", 3, "exit 3"),
        (("true", "exit 3", "touch never"), True, "X", "exit status 3", "step 1", 3, "exit 3"),
        (("kill -SEGV $$",), False, "X", "killed by SIGSEGV", "step 1", None, "kill -SEGV $$"),
        (("no-such-program",), False, "X", "exit status 127", "step 1", 127, "no-such-program"),
        (("exit 255",), False, "X", "exit status 255", "step 1", 255, "exit 255"),
    ],
)
def test_the_first_failing_command_ends_the_run(
    make_bench: Callable[..., Bench],
    sandbox: str,
    commands: tuple[str, ...],
    one_step: bool,
    states: str,
    message: str,
    step: str,
    status: int | None,
    command: str,
) -> None:
    bench = make_bench(sandbox=sandbox)
    identity = bench.submit(*commands, one_step=one_step)
    seen = bench.end(identity)
    letters = {StepState.FINISHED: "F", StepState.FAILED: "X", StepState.WAITING: "W"}
    assert "".join(letters[record.state] for record in seen.steps) == states
    assert seen.state is JobState.FAILED
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.message) == (FailureKind.ANALYSIS, message)
    assert seen.failure.step == step
    failed = next(record for record in seen.steps if record.state is StepState.FAILED)
    assert failed.command == command
    assert status is None or failed.exit_status == status
    assert not (bench.workspace(identity) / "never").exists()


def test_a_failure_carries_the_last_lines_without_control_characters(bench: Bench) -> None:
    odd = "\\033[31mred\\033[0m\\a 50%%\\r100%%\\n\\xff\\n"
    seen = bench.run(f"for i in $(seq 30); do echo line $i; done; printf '{odd}'; exit 1")
    assert seen.failure is not None
    assert seen.failure.log_tail == (*(f"line {i}" for i in range(13, 31)), "100%", "\ufffd")


@needs_bwrap
def test_images_are_mapped_to_environments(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    fit = tool("which-fit", "#!/bin/sh\necho mapped\n", tmp_path / "fit-env")
    bench = make_bench(environments=(ImageEnvironment(image="docker.io/group/fit:*", environment=fit),))
    identity = bench.submit("which-fit", image="group/fit:1.2")
    seen = bench.end(identity)
    assert seen.state is JobState.FINISHED
    assert (seen.steps[0].image, seen.steps[0].environment) == ("group/fit:1.2", "fit-env")
    assert seen.environment["images"] == "group/fit:1.2 -> fit-env"
    assert bench.backend.log(identity, "step 1") == b"mapped\n"
    other = bench.run("which-fit", image="group/other")
    assert other.failure is not None
    assert other.steps[0].environment == "system"


@both
def test_the_result_says_what_it_ran_in(make_bench: Callable[..., Bench], sandbox: str) -> None:
    seen = make_bench(sandbox=sandbox).run("true")
    expected = "bubblewrap" if sandbox == "required" else "none: switched off in the settings"
    assert seen.environment["sandbox"].startswith(expected)
    assert seen.environment["python"].startswith("3.")
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.started_at <= seen.ended_at


def test_steps_are_seen_live(bench: Bench) -> None:
    identity = bench.submit("echo begun; while ! test -e go; do sleep 0.01; done", "true")
    seen = bench.wait_for_step(identity)
    assert [record.state for record in seen.steps] == [StepState.RUNNING, StepState.WAITING]
    assert seen.steps[0].command.startswith("echo begun")
    while bench.backend.log(identity, "step 1") != b"begun\n":
        pass
    (bench.workspace(identity) / "go").touch()
    assert bench.end(identity).state is JobState.FINISHED


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ({"TARGET": "step 2"}, ["step 1", "step 2"]),
        ({"FROM": "step 2"}, ["step 2", "step 3"]),
        ({"FROM": "step 2", "TARGET": "step 2", "CACHE": "on"}, ["step 2"]),
    ],
)
def test_operational_options(bench: Bench, options: dict[str, str], ran: list[str]) -> None:
    seen = bench.run(specification=replace(serial("true", "true", "true"), options=options))
    assert (seen.state, [step.name for step in seen.steps]) == (JobState.FINISHED, ran)


def test_an_option_that_names_no_step(bench: Bench) -> None:
    with pytest.raises(BackendRefused, match="TARGET names a step 'fit'; there are step 1"):
        bench.submit(specification=replace(serial("true"), options={"TARGET": "fit"}))


def test_many_steps(bench: Bench) -> None:
    seen = bench.run(*["true"] * 60)
    assert seen.state is JobState.FINISHED
    assert len(seen.steps) == 60
