"""Environments that are made on first use: once, under a lock, and again after a crash."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendError, JobState
from reana_bridge.backends.local import Environment, ImageEnvironment, plan
from reana_bridge.backends.local.supervisor import environments
from reana_bridge.model.runs import FailureKind
from tests.backends.local.conftest import Bench, eventually, needs_bwrap

pytestmark = needs_bwrap


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """A requirement that needs no index: a package `greeter` with one module and one program."""
    path = tmp_path / "greeter-1.2-py3-none-any.whl"
    info = "greeter-1.2.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeter.py", "def main():\n    print('hello')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: 1.2\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ngreet = greeter:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"greeter @ file://{path}"


def mapped(*packages: str) -> tuple[ImageEnvironment, ...]:
    return (ImageEnvironment(image="greeter:*", environment=Environment(name="fit", packages=packages)),)


@pytest.mark.parametrize("with_uv", [True, False])
def test_made_on_first_use(
    make_bench: Callable[..., Bench], wheel: str, monkeypatch: pytest.MonkeyPatch, with_uv: bool
) -> None:
    if not with_uv:
        monkeypatch.setattr(plan, "_uv", lambda: "")
    bench = make_bench(environments=mapped(wheel))
    first = bench.submit("greet; python -c 'import greeter; greeter.main()'", image="greeter:1")
    second = bench.submit("greet", image="greeter:2")
    for identity, printed in ((first, b"hello\nhello\n"), (second, b"hello\n")):
        seen = bench.end(identity)
        assert seen.state is JobState.FINISHED, (seen.failure, bench.backend.log(identity, "environment"))
        assert bench.backend.log(identity, "step 1") == printed
        assert seen.environment["greeter"] == "1.2"
        assert seen.environment["python"].startswith("3.")
    made = [bench.backend.log(identity, "environment") for identity in (first, second)]
    assert sum(b"greeter" in log for log in made) == 1
    assert len(bench.backend.environments()) == 1


def test_made_again_after_a_crash(bench: Bench, make_bench: Callable[..., Bench], wheel: str) -> None:
    bench = make_bench(environments=mapped(wheel))
    bench.run("greet", image="greeter:1")
    (made,) = (bench.root / ".environments").glob("fit-*/")
    (made / environments.MARKER).unlink()
    (made / "bin" / "greet").write_text("half of")
    assert bench.backend.environments() == []
    assert bench.printed("greet", image="greeter:1") == "hello\n"


def test_one_that_cannot_be_made(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    bench = make_bench(environments=mapped(f"missing @ file://{tmp_path}/missing-1-py3-none-any.whl"))
    seen = bench.run("greet", image="greeter:1")
    assert seen.failure is not None
    assert (seen.state, seen.failure.kind) == (JobState.FAILED, FailureKind.INFRASTRUCTURE)
    assert seen.failure.message.startswith("the environment fit could not be made: ")
    assert any("missing" in line for line in seen.failure.log_tail)
    assert bench.backend.environments() == []


@pytest.mark.parametrize("how", ["cancelled", "too slow"])
def test_making_one_is_seen_and_can_be_ended(
    make_bench: Callable[..., Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    slow = tmp_path / "uv"
    slow.write_text("#!/bin/sh\necho slow; exec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setattr(plan, "_uv", lambda: str(slow))
    seconds = 0.3 if how == "too slow" else 60.0
    bench = make_bench(environments=mapped("anything"), environment_seconds=seconds)
    identity = bench.submit("true", image="greeter:1")
    if how == "cancelled":
        seen = eventually(lambda: (one := bench.backend.follow([identity])[identity]).activity and one)
        assert seen.activity == "making the fit environment"
        bench.backend.cancel(identity)
        assert bench.end(identity).state is JobState.CANCELLED
    else:
        seen = bench.end(identity)
        assert seen.failure is not None
        assert seen.failure.message == "making the environment fit took longer than its 0.3 s"
        assert seen.failure.log_tail == ("slow",)


def test_one_that_is_gone(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    gone = Environment(name="fit", prefix=tmp_path / "gone")
    bench = make_bench(environments=(ImageEnvironment(image="*", environment=gone),))
    with pytest.raises(BackendError, match=r"'fit' needs .*gone/bin, which is not a directory"):
        bench.submit("true", image="any")


def test_the_active_virtual_environment_as_default(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    import sys

    active = Environment(name="active", bins=(Path(sys.executable).parent,))
    told = make_bench(default=active).printed(
        "python -c 'import yaml, sys; print(sys.prefix, yaml.__name__)'"
    )
    assert told == f"{sys.prefix} yaml\n"


def test_only_one_source_is_given(tmp_path: Path) -> None:
    environment = Environment(name="both", prefix=tmp_path)
    with pytest.raises(ValueError, match="give one of"):
        replace(environment, packages=("numpy",))
