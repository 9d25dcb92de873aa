import stat
from pathlib import Path

import pytest
from sqlalchemy import select, update

from reana_bridge.store.database import Database
from reana_bridge.store.tables import ProjectRow, Token
from reana_bridge.store.tokens import (
    Grant,
    badge_key,
    check,
    check_id,
    create,
    link_key,
    link_opens,
    operator_token,
    revoke,
)

KEY = b"k" * 32


def grant_of(database: Database, secret: str) -> Grant | None:
    with database.read() as session:
        found = check(database, session, secret)
        if found is not None:
            assert check_id(database, session, found.token_id) == found
        return found


def tokens(database: Database) -> list[Token]:
    with database.read() as session:
        return list(session.execute(select(Token)).scalars())


@pytest.mark.parametrize(
    ("scope", "project", "asked", "on", "allowed"),
    [
        ("read", "*", "read", "f:a/b", True),
        ("read", "*", "write", "f:a/b", False),
        ("read", "*", "read", None, True),
        ("write", "*", "read", "f:a/b", True),
        ("write", "*", "admin", "f:a/b", False),
        ("admin", "*", "write", None, True),
        ("admin", "*", "admin", "f:a/b", True),
        ("read", "f:a/*", "read", "f:a/b", True),
        ("read", "f:a/*", "read", "f:ab/b", False),
        ("read", "f:a/b", "read", "f:a/bc", False),
        ("read", "f:a/b", "read", "g:a/b", False),
        ("read", "F:A/*", "read", "f:a/b", False),
        ("admin", "f:a/*", "read", None, False),
    ],
)
def test_a_token_grants_its_scope_on_its_projects(
    database: Database, scope: str, project: str, asked: str, on: str | None, allowed: bool
) -> None:
    grant = grant_of(database, create(database, name="ci", scope=scope, project=project))
    assert grant is not None
    assert (grant.name, grant.allows(asked, on)) == ("ci", allowed)


def test_no_scope_but_the_known_ones(database: Database) -> None:
    with pytest.raises(ValueError, match="read, write, admin"):
        create(database, name="x", scope="root")
    assert tokens(database) == []


@pytest.mark.parametrize("wrong", ["", "rb_", "rb_x", "\udc00", "ü" * 2000])
def test_an_unknown_secret_grants_nothing(database: Database, wrong: str) -> None:
    create(database, name="x", scope="admin")
    assert grant_of(database, wrong) is None


def test_a_secret_is_kept_as_a_digest_only(database: Database) -> None:
    secrets = {create(database, name="x", scope="read") for _ in range(3)}
    assert len(secrets) == 3
    for token in tokens(database):
        assert not any(secret in str(token.model_dump()) for secret in secrets)


@pytest.mark.parametrize(("seconds", "live"), [(-1.0, False), (0.0, False), (3600.0, True), (None, True)])
def test_a_token_ends_by_the_databases_clock(database: Database, seconds: float | None, live: bool) -> None:
    with database.read() as session:
        ends = None if seconds is None else database.now(session) + seconds
    secret = create(database, name="x", scope="read", expires_at=ends)
    assert (grant_of(database, secret) is not None) is live


def test_a_revoked_token_grants_nothing_from_then_on(database: Database) -> None:
    secret, other = (create(database, name=name, scope="read") for name in "xy")
    grant = grant_of(database, secret)
    assert grant is not None
    assert revoke(database, grant.token_id)
    assert grant_of(database, secret) is None
    with database.read() as session:
        assert check_id(database, session, grant.token_id) is None
    assert grant_of(database, other) is not None
    assert not revoke(database, grant.token_id), "it was revoked already"
    assert not revoke(database, "nothing")


def test_the_operators_token_is_made_once_and_again_when_it_no_longer_works(
    database: Database, tmp_path: Path
) -> None:
    directory = tmp_path / "secrets"
    path, made = operator_token(database, directory)
    assert made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    first = path.read_text().strip()
    assert operator_token(database, directory) == (path, False)
    with database.transaction() as session:
        session.execute(update(Token).values(revoked_at=1.0))
    assert operator_token(database, directory) == (path, True)
    second = path.read_text().strip()
    assert first != second
    grant = grant_of(database, second)
    assert grant is not None
    assert grant.allows("admin")


def test_a_links_key_is_the_same_every_time_and_opens_that_run_only() -> None:
    project = ProjectRow(name="f:x", seen_at=0.0)
    key = link_key(KEY, project, "r1")
    assert key == link_key(KEY, ProjectRow(name="f:x", seen_at=9.0, public=True), "r1")
    assert link_opens(KEY, project, "r1", key)
    others = [
        (KEY, ProjectRow(name="f:y", seen_at=0.0), "r1"),
        (KEY, project, "r2"),
        (b"q" * 32, project, "r1"),
        (KEY, ProjectRow(name="f:x", seen_at=0.0, key_generation=2), "r1"),
    ]
    for server_key, other, run in others:
        assert not link_opens(server_key, other, run, key)


@pytest.mark.parametrize("key", ["", "x", "\udc00" * 32, "0" * 32, "0" * 10_000])
def test_a_wrong_key_opens_nothing(key: str) -> None:
    assert not link_opens(KEY, ProjectRow(name="f:x", seen_at=0.0), "r1", key)


def test_keys_are_rotated_by_their_projects_generation() -> None:
    one, two = (ProjectRow(name="f:x", seen_at=0.0, key_generation=n) for n in (1, 2))
    assert link_key(KEY, one, "r1") != link_key(KEY, two, "r1")
    assert badge_key(KEY, one) != badge_key(KEY, two)


def test_a_badges_key_opens_no_run() -> None:
    project = ProjectRow(name="f:x", seen_at=0.0)
    assert not link_opens(KEY, project, "", badge_key(KEY, project))
