"""What the reconciler makes of branches that nobody told of."""

import os
import subprocess

import pytest
from sqlalchemy import select

from reana_bridge.cli.common import opened
from reana_bridge.settings import Settings
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.store.tables import Delivery, ProjectRow
from webhooks import git

WHO = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def bridge(tmp_path):
    settings = Settings.model_validate(
        {
            "database": {"url": f"sqlite:///{tmp_path}/bridge.db"},
            "storage": {
                name: tmp_path / name
                for name in ("artifacts", "runs", "repositories", "environments", "secrets")
            },
            "forges": {"local": {"kind": "git", "root": tmp_path / "git"}},
            "projects": [{"match": "local:*"}],
        }
    )
    bridge = opened(settings, exclusive=True)
    bridge.inbox.start()
    with bridge.database.transaction() as session:
        session.add(ProjectRow(name="local:x", seen_at=0.0))
    yield bridge
    bridge.close()


@pytest.fixture
def repository(tmp_path):
    bare = tmp_path / "git" / "x.git"
    bare.mkdir(parents=True)
    run(bare, "init", "-q", "--bare", "-b", "main")
    tree = run(bare, "mktree")
    for branch in ("main", "old", "older"):
        run(bare, "update-ref", f"refs/heads/{branch}", run(bare, "commit-tree", tree, "-m", branch))
    return bare


def run(directory, *arguments):
    done = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**os.environ, **WHO},
        input="",
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def told(bridge):
    with bridge.database.transaction() as session:
        rows = list(session.execute(select(Delivery).where(Delivery.decided_at.is_(None))).scalars())
        for row in rows:
            row.decided_at = 1.0
        return [(event.ref, event.after) for event in (git.parse({}, row.body) for row in rows)]


def test_the_first_look_only_remembers(bridge, repository):
    reconcile = Reconcile(bridge)
    reconcile.heads(bridge.forges["local"])
    assert told(bridge) == []
    new = run(repository, "commit-tree", run(repository, "mktree"), "-m", "new")
    run(repository, "update-ref", "refs/heads/old", new)
    run(repository, "update-ref", "refs/heads/fresh", new)
    run(repository, "update-ref", "-d", "refs/heads/older")
    reconcile.heads(bridge.forges["local"])
    expected = {("refs/heads/fresh", new), ("refs/heads/old", new), ("refs/heads/older", None)}
    assert set(told(bridge)) == expected
