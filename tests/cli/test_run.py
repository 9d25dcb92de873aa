import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reana_bridge.cli.run import search_path
from tests import processes

SPECIFICATION = """\
inputs: {parameters: {b: 2}}
workflow:
  type: serial
  specification:
    steps:
      - name: measure
        environment: "python:3.11"
        commands:
          - mkdir -p results
          - >-
            echo '{"a": {"value": '$$(cat value)', "uncertainty": 0.1}, "b": ${b}}' > results/metrics.json
outputs: {files: [results/metrics.json]}
"""
WHO = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def tree(tmp_path):
    copy = tmp_path / "tree"
    copy.mkdir()
    git(copy, "init", "-q", "-b", "main")
    (copy / "reana.yaml").write_text(SPECIFICATION)
    (copy / "value").write_text("1.5")
    git(copy, "add", ".")
    git(copy, "commit", "-qm", "one")
    return copy


def git(tree, *arguments):
    done = subprocess.run(
        ["git", *arguments], cwd=tree, check=True, capture_output=True, text=True, env={**os.environ, **WHO}
    )
    return done.stdout.strip()


def run(tree, *arguments):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tree.parent / "cache")}
    return processes.run("run", *arguments, cwd=tree, env=environment)


def test_the_working_tree_is_compared_and_left_alone(tree):
    (tree / "value").write_text("2.5")
    before = (git(tree, "status", "--porcelain"), git(tree, "count-objects"))
    done = run(tree, "--compare", "main", "--output", str(tree.parent / "out"))
    assert done.returncode == 0, done.stderr
    assert "1 of 2 metrics changed" in done.stdout
    assert "+7.1" in done.stdout
    assert json.loads((tree.parent / "out" / "results" / "metrics.json").read_text())["a"]["value"] == 2.5
    assert before == (git(tree, "status", "--porcelain"), git(tree, "count-objects"))
    again = json.loads(run(tree, "--compare", "main", "-p", "b=7", "--json").stdout)
    (report,) = again
    assert report["parameters"] == {"b": "7"}
    assert report["comparison"]["baseline"]["reason"] == "asked for"
    assert {row["name"]: row["verdict"] for row in report["comparison"]["metrics"]}["b"] == "changed"


@pytest.mark.parametrize(
    ("edit", "arguments", "status", "words"),
    [
        ("mkdir -p results", [], 1, "exit status 3"),
        ("", ["-p", "nothing=1"], 1, "nothing"),
        ("", ["--compare", "nowhere"], 2, "git knows no commit"),
        ("", ["--analysis", "other"], 1, "there is no analysis `other`"),
        ("", ["-p", "b"], 2, "write NAME=VALUE"),
    ],
)
def test_what_goes_wrong_is_said(tree, edit, arguments, status, words):
    if edit:
        text = (tree / "reana.yaml").read_text().replace(edit, "exit 3")
        (tree / "reana.yaml").write_text(text)
    done = run(tree, *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (f'exec {sys.executable} "$@"', [Path(sys.prefix) / "bin"]),
        ('exec /usr/bin/python3 "$@"', []),
        ("exit 127", []),
    ],
)
def test_python_is_found_behind_a_script_that_picks_one(tmp_path, monkeypatch, script, found):
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    assert search_path(None) == found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupting_leaves_nothing_running(tree, number):
    mark = f"86{os.getpid()}"
    text = (tree / "reana.yaml").read_text().replace("mkdir -p results", f"sleep {mark}")
    (tree / "reana.yaml").write_text(text)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tree.parent / "cache")}
    said = tree.parent / "said"
    with said.open("wb") as file:
        process = processes.start(["run"], errors=file, cwd=tree, env=environment)
    try:
        assert wait_until(lambda: sleeping(mark))
        process.send_signal(number)
        assert process.wait(60) == 130, said.read_text()
        assert wait_until(lambda: not sleeping(mark))
    finally:
        process.kill()
        process.wait()


def sleeping(mark):
    found = subprocess.run(["pgrep", "-f", f"sleep {mark}"], capture_output=True, text=True)
    return bool(found.stdout.strip())


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False
