"""The whole way with real processes: a push through the hook, the run, the note, the pages, the commands."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from reana_bridge.demo.repository import Repository
from reana_bridge.demo.server import FORGE, demo_server
from reana_bridge.forges import git_hook
from reana_bridge.forges.git import GitForge
from reana_bridge.model.projects import Project

PATH = "group/name"
SPECIFICATION = """\
workflow:
  type: serial
  specification:
    steps:
      - name: measure
        environment: "python:3.11"
        commands: ["mkdir -p results && cp value results/metrics.json"]
outputs: {files: [results/metrics.json]}
"""


@pytest.fixture
def way(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("")
    place = tmp_path / "place"
    place.mkdir()
    with demo_server(place, requirements=requirements, environments=tmp_path / "environments") as server:
        yield connected(server, tmp_path / "copy")


def connected(server, copy):
    """A repository of its own, connected to the server."""
    repository = Repository(server.git / f"{PATH}.git", copy)
    url = f"{server.url}/webhooks/{FORGE}"
    git_hook.install(repository.bare, url=url, project=PATH, secret=server.secret)
    return Way(server, repository)


class Way:
    """A server, a repository that is connected to it, and what both say."""

    def __init__(self, server, repository):
        self.server, self.repository = server, repository
        self.token = (server.config.parent / "secrets" / "operator.token").read_text().strip()

    def push(self, branch, value):
        (self.repository.copy / "reana.yaml").write_text(SPECIFICATION)
        (self.repository.copy / "value").write_text(json.dumps(value))
        sha = self.repository.commit(f"{branch} {value}")
        said = self.repository.push(branch)
        assert "run accepted" in said
        return sha

    def note(self, sha, word, *contains, seconds=60):
        """The commit's note once its status lines say `word` and all of it says `contains`."""
        forge = GitForge(FORGE, root=self.server.git)
        deadline = time.monotonic() + seconds
        text = None
        while time.monotonic() < deadline:
            text = forge.read_note(Project(FORGE, PATH), sha)
            if text and word in text.partition("\n\n")[0] and all(part in text for part in contains):
                return text
            time.sleep(0.1)
        raise AssertionError(f"no {word} or {contains} in {text}")

    def get(self, path, token=True):
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        request = urllib.request.Request(f"{self.server.url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def command(self, *arguments):
        command = [sys.executable, "-m", "reana_bridge", *arguments, "--config", str(self.server.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)


def test_from_a_push_to_the_report(way):
    first = way.push("main", {"a": 1, "b": 2})
    way.note(first, "success", "nothing to compare with yet")
    way.repository.branch("topic")
    second = way.push("topic", {"a": 1, "b": 3, "c": "new"})
    way.note(second, "success", "merge-base", "1 metric unchanged")
    third = way.push("topic", {"a": float("nan")})
    way.note(third, "success", "not a number", "missing")

    status, body = way.get(f"/api/v1/runs?sha={second}")
    assert status == 200
    (run,) = json.loads(body)["items"]
    assert run["state"] == "finished"
    for path in (f"/runs/{run['id']}", "/", f"/projects/{FORGE}/{PATH}", "/metrics"):
        assert way.get(path)[0] == 200, path
    assert way.get(f"/runs/{run['id']}", token=False)[0] == 404

    explained = way.command("explain", second[:10])
    assert explained.returncode == 0, explained.stderr
    assert "is a proposal for `main`" in explained.stdout
    doctor = way.command("doctor", "--json")
    wrong = [finding for finding in json.loads(doctor.stdout) if finding["problem"]]
    assert doctor.returncode == (1 if wrong else 0), doctor.stderr
    assert all("sandbox" in finding["problem"] for finding in wrong), wrong


def test_a_wrong_file_is_a_failed_report_with_its_line(way):
    (way.repository.copy / ".reana-bridge.yaml").write_text("on:\n  push:\n    branch: [main]\n")
    sha = way.push("main", {"a": 1})
    way.note(sha, "failure", "line 3", "`branches`")


def test_a_job_that_fails_is_reported_with_its_step_and_log(way):
    sha = way.push("main", {"a": 1})
    way.note(sha, "success")
    way.repository.branch("broken")
    text = SPECIFICATION.replace("cp value", "echo the reason >&2; cp nothing")
    (way.repository.copy / "reana.yaml").write_text(text)
    broken = way.repository.commit("break it")
    way.repository.push("broken")
    way.note(broken, "failure", "`measure`", "the reason", "exit status 1")
