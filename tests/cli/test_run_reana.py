"""`run --backend` and `doctor`, with a REANA that the settings name."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reana_bridge.testing.reana import FakeReana
from tests import processes

SPECIFICATION = """\
workflow:
  type: serial
  specification:
    steps:
      - name: measure
        environment: "python:3.11"
        commands: ['echo "{\\"a\\": 7}" > metrics.json']
outputs: {files: [metrics.json]}
"""
WHO = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def reana(tmp_path: Path) -> Iterator[FakeReana]:
    with FakeReana(tmp_path / "reana") as fake:
        (tmp_path / "token").write_text(fake.user().token)
        (tmp_path / "settings.toml").write_text(
            f'[backends.far]\nkind = "reana"\nurl = "{fake.url}"\ntoken_file = "{tmp_path}/token"\n'
            'poll_fastest = "0.05s"\npoll_slowest = "0.2s"\n'
            f'[database]\nurl = "sqlite:///{tmp_path}/bridge.db"\n[storage]\n'
            + "".join(
                f'{name} = "{tmp_path}/{name}"\n'
                for name in ("artifacts", "runs", "repositories", "environments", "secrets")
            )
        )
        tree = tmp_path / "tree"
        tree.mkdir()
        (tree / "reana.yaml").write_text(SPECIFICATION)
        for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run(["git", *arguments], cwd=tree, check=True, env={**os.environ, **WHO})
        yield fake


def bridge(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    config = str(tmp_path / "settings.toml")
    return processes.run(*arguments, "--config", config, cwd=tmp_path / "tree", env=environment)


def test_the_working_tree_runs_there(reana: FakeReana, tmp_path: Path) -> None:
    done = bridge(tmp_path, "run", "--backend", "far", "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert report["result"]["environment"]["backend"] == "REANA"
    assert [metric["value"] for metric in report["result"]["metrics"]] == [7]
    assert [one.starts for one in reana.workflows()] == [1]


def test_an_unknown_backend_is_named(reana: FakeReana, tmp_path: Path) -> None:
    done = bridge(tmp_path, "run", "--backend", "near")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no such backend; write `far`" in done.stderr


def test_the_doctor_tells_of_it(reana: FakeReana, tmp_path: Path) -> None:
    told = json.loads(bridge(tmp_path, "doctor", "--json").stdout)
    lines = {line["subject"]: line["problem"] for line in told}
    assert lines["backend far"] == ""
    assert any("compute backends: kubernetes" in line for line in lines)
    (tmp_path / "token").write_text("another")
    told = json.loads(bridge(tmp_path, "doctor", "--json").stdout)
    (problem,) = [line["problem"] for line in told if line["subject"] == "backend far"]
    assert "Token is not valid" in problem
    assert "another" not in problem
