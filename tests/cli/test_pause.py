"""`pause` and `resume` on the command line: what is asked for wrongly is told so, lists are plain."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reana_bridge.cli.common import Failure
from reana_bridge.cli.main import app

SETTINGS = """
[database]
url = "sqlite:///{place}/bridge.db"
[storage]
artifacts = "{place}/artifacts"
secrets = "{place}/secrets"
[forges.git]
kind = "git"
root = "{place}"
[[projects]]
match = "git:a/*"
"""


def run(place: Path, *words: str) -> tuple[int, str]:
    """Exit status and what was said."""
    config = place / "bridge.toml"
    config.write_text(SETTINGS.format(place=place), encoding="utf-8")
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    if isinstance(result.exception, Failure):
        return result.exception.status, str(result.exception)
    return result.exit_code, result.output


def test_a_pause_is_listed_until_it_is_resumed(tmp_path: Path) -> None:
    assert run(tmp_path, "pause") == (0, "nothing is paused\n")
    status, said = run(tmp_path, "pause", "backend", "local", "--reason", "new disks")
    assert (status, "backend local: new disks" in said) == (0, True)
    (row,) = json.loads(run(tmp_path, "pause", "--json")[1])
    assert (row["kind"], row["name"], row["reason"]) == ("backend", "local", "new disks")
    assert run(tmp_path, "resume", "backend", "local")[0] == 0
    assert run(tmp_path, "pause") == (0, "nothing is paused\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["pause", "forge"], "which forge"),
        (["pause", "forge", "git"], "say why"),
        (["pause", "forge", "absent", "--reason", "r"], "it is one of git"),
        (["pause", "project", "git:b/x", "--reason", "r"], "no project git:b/x"),
        (["resume", "forge", "git"], "is not paused"),
        (["pause", "moon", "x", "--reason", "r"], "moon"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, words: list[str], says: str) -> None:
    status, said = run(tmp_path, *words)
    assert status == 2
    assert says in said
