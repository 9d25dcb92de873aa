import json

import pytest
from typer.testing import CliRunner

from reana_bridge.cli.main import app
from tests import processes

GOOD = """\
workflow:
  type: serial
  specification:
    steps: [{environment: "python:3.11", commands: [echo hello]}]
"""
SHA = "1" * 40


def check(directory, *arguments):
    return CliRunner().invoke(app, ["check", str(directory), *arguments])


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ({"reana.yaml": GOOD}, 0, ["the configuration is right", "analysis: reana.yaml runs on pushes"]),
        ({}, 1, ["reana.yaml: there is no such file", "write a reana.yaml"]),
        (
            {"reana.yaml": GOOD.replace("serial", "cereal")},
            1,
            ["reana.yaml line 2", "workflow.type", "serial"],
        ),
        (
            {"reana.yaml": GOOD, ".reana-bridge.yaml": "on:\n  push:\n    branch: [main]\n"},
            1,
            [".reana-bridge.yaml line 3", "on.push.branch", "did you mean `branches`"],
        ),
        ({".reana-bridge.yaml": "file: other.yaml\n"}, 1, ["other.yaml", "no such file"]),
        ({"reana.yaml": GOOD + "inputs: {files: [data.csv]}\n"}, 0, ["warning", "`data.csv` is named"]),
    ],
)
def test_files(tmp_path, files, status, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    result = check(tmp_path)
    assert result.exit_code == status, result.output
    for word in words:
        assert word in result.output


@pytest.mark.parametrize(
    ("event", "outcome", "reason"),
    [
        ({"ref": "refs/heads/main", "after": SHA}, "run", "push to the default branch `main`"),
        ({"ref": "refs/heads/topic", "after": SHA}, "run", "is a proposal for `main`"),
        ({"ref": "refs/heads/topic", "after": SHA, "message": "x [skip ci]"}, "skip", "[skip ci]"),
        ({"ref": "refs/heads/topic", "before": SHA, "after": None}, "skip", "was deleted"),
        ({"ref": "refs/tags/v1", "after": SHA}, "skip", "tag"),
        ({"ping": True}, "ignored", "anybody listens"),
        ({"ref": "nonsense", "after": SHA}, "ignored", ""),
    ],
)
def test_events(tmp_path, event, outcome, reason):
    (tmp_path / "reana.yaml").write_text(GOOD)
    body = {"project": "group/name", "before": None, "default_branch": "main", **event}
    (tmp_path / "event.json").write_text(json.dumps(body))
    result = check(tmp_path, "--event", str(tmp_path / "event.json"), "--json")
    assert result.exit_code == 0, result.output
    decision = json.loads(result.stdout)["decision"]
    assert decision["outcome"] == outcome
    assert reason in decision["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "/does/not/exist"], "there is no directory"),
        (["check", ".", "--event", "/does/not/exist"], "cannot be read"),
        (["check", ".", "--event", "-", "--kind", "svn"], "is no kind of forge"),
        (["explain", "xyz"], "is not a commit's sha"),
        (["run", "/", "--compare", "main"], "is not in a git repository"),
        (["connect", "/does/not/exist"], "there is no directory"),
        (["serve", "--role", "worker"], "SQLite serves one process"),
        (["replay", "nothing"], "there is no delivery"),
        (["token", "create", "x", "--scope", "all"], "is not a scope"),
        (["token", "revoke", "nothing"], "there is no live token"),
        (["token", "rotate", "local:x"], "has sent no delivery"),
    ],
)
def test_wrong_use_is_a_sentence_and_status_2(tmp_path, arguments, words):
    done = processes.run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_every_command_has_help_with_an_example():
    for command in app.registered_commands:
        text = CliRunner().invoke(app, [str(command.name), "--help"], env={"COLUMNS": "200"}).output
        assert f"reana-bridge {command.name}" in text.partition("Example")[2], command.name
