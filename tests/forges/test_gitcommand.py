"""Git runs clean, ends in time, and tells no secrets."""

import time
from pathlib import Path

import pytest

from reana_bridge.forges.gitcommand import GitFailed, OutputTooLarge, run_git
from tests.forges.conftest import Repository


def test_no_configuration_of_others_is_read(repository: Repository, monkeypatch, tmp_path: Path):
    elsewhere = tmp_path / "gitconfig"
    elsewhere.write_text("[user]\n\tname = Somebody\n")
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(elsewhere))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'user.name=Somebody'")
    monkeypatch.setenv("HOME", str(tmp_path))
    status, output = run_git(["config", "user.name"], directory=repository.bare, accept=(0, 1))
    assert (status, output) == (1, b"")


def test_no_hook_runs(repository: Repository, tmp_path: Path):
    sha = repository.commit({"a": b"1"})
    hook = repository.bare / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    run_git(["update-ref", "refs/heads/other", sha], directory=repository.bare)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "url", ["ext::sh -c true", "ssh://host/x", "http://127.0.0.1:9/x", "git://127.0.0.1:9/x"]
)
def test_other_protocols_are_not_spoken(repository: Repository, url: str):
    with pytest.raises(GitFailed, match="not allowed"):
        run_git(["fetch", url], directory=repository.bare, protocols=["file", "https"])


def test_credentials_are_not_shown(repository: Repository):
    with pytest.raises(GitFailed) as failure:
        run_git(
            ["fetch", "https://jane:geheim@127.0.0.1:1/x.git"], directory=repository.bare, protocols=["https"]
        )
    assert "geheim" not in str(failure.value) + failure.value.output
    assert failure.value.status == 128


def test_too_much_output_is_stopped(repository: Repository):
    oid = repository.blob(b"x" * 1_000_000)
    with pytest.raises(OutputTooLarge) as large:
        run_git(["cat-file", "blob", oid], directory=repository.bare, limit=1000)
    assert len(large.value.partial) > 1000


def test_git_and_its_children_end_in_time(repository: Repository, tmp_path: Path):
    pid = tmp_path / "pid"
    slow = f"!sh -c 'echo $$ > {pid}; sleep 60'"
    with pytest.raises(GitFailed, match="more than 1 s and was stopped"):
        run_git(["-c", f"alias.slow={slow}", "slow"], directory=repository.bare, timeout=1)
    process = Path(f"/proc/{pid.read_text().strip()}/stat")
    deadline = time.monotonic() + 5
    while process.exists() and process.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process.exists() or process.read_text().split()[2] == "Z"


def test_no_git(repository: Repository, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitFailed, match="install git"):
        run_git(["--version"], directory=repository.bare)


def test_the_error_says_what_and_where(repository: Repository):
    with pytest.raises(GitFailed, match=r"git rev-parse in .*name\.git failed: .*unknown"):
        run_git(["rev-parse", "unknown"], directory=repository.bare)
