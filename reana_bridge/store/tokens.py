"""Who may see and do what: bearer tokens, and the read-only keys in the links of reports.

A token is kept as a digest, has scopes (`read`, `write`, `admin`; each holds the ones before it) and a glob
over project names, and can expire and be revoked. A link's key is an HMAC over the run and its project's
key generation: the same link every time, valid until the run is removed or the generation moves on.
"""

import fnmatch
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from reana_bridge.store.database import Database
from reana_bridge.store.tables import ProjectRow, Token

SCOPES = ("read", "write", "admin")
_PREFIX = "rb_"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What the bearer of a token may.

    Attributes:
        name: The token's name, for the log.
        scope: The highest of its scopes.
        project: Glob over project names.
        token_id: The token's id, by which it is revoked; empty for a grant that is no token's.
    """

    name: str
    scope: str
    project: str
    token_id: str = ""

    def allows(self, scope: str, project: str | None = None) -> bool:
        """Whether `scope` is granted, on `project` (None: on the server as a whole)."""
        enough = SCOPES.index(self.scope) >= SCOPES.index(scope)
        if project is None:
            return enough and self.project == "*"
        return enough and fnmatch.fnmatchcase(project, self.project)


def create(
    database: Database, *, name: str, scope: str, project: str = "*", expires_at: float | None = None
) -> str:
    """Make a token; returned once, kept only as a digest.

    Raises:
        ValueError: There is no such scope.
    """
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is not a scope; write one of {', '.join(SCOPES)}")
    secret = _PREFIX + secrets.token_urlsafe(32)
    with database.transaction() as session:
        token = Token(
            name=name,
            digest=_digest(secret),
            scopes=scope,
            project=project,
            created_at=database.now(session),
            expires_at=expires_at,
        )
        session.add(token)
    return secret


def check(database: Database, session: Session, secret: str) -> Grant | None:
    """What the bearer of `secret` may; None for an unknown, expired or revoked one."""
    table = cast(Any, Token)
    found = session.execute(select(Token).where(table.digest == _digest(secret))).scalar_one_or_none()
    return _grant(database, session, found)


def check_id(database: Database, session: Session, token_id: str) -> Grant | None:
    """What the token of this id grants now, for a session that was opened with it; None as for `check`."""
    return _grant(database, session, session.get(Token, token_id))


def _grant(database: Database, session: Session, found: Token | None) -> Grant | None:
    if found is None or found.revoked_at is not None:
        return None
    if found.expires_at is not None and found.expires_at <= database.now(session):
        return None
    return Grant(name=found.name, scope=found.scopes, project=found.project, token_id=found.id)


def revoke(database: Database, token_id: str) -> bool:
    """End a token by its id; whether there was such a live one."""
    table = cast(Any, Token)
    with database.transaction() as session:
        result: Any = session.execute(
            update(Token)
            .where(table.id == token_id, table.revoked_at.is_(None))
            .values(revoked_at=database.now(session))
        )
        return result.rowcount == 1


def operator_token(database: Database, directory: Path) -> tuple[Path, bool]:
    """The file (0600) with the operator's token, and whether it was made just now."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / "operator.token"
    if path.exists():
        with database.read() as session:
            if check(database, session, path.read_text(encoding="ascii").strip()):
                return path, False
    secret = create(database, name="operator", scope="admin")
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    os.replace(aside, path)
    return path, True


def link_key(server_key: bytes, project: ProjectRow, run_id: str) -> str:
    """The read-only key for one run's pages, 32 characters."""
    message = f"run/{project.name}/{project.key_generation}/{run_id}".encode()
    return hmac.new(server_key, message, hashlib.sha256).hexdigest()[:32]


def link_opens(server_key: bytes, project: ProjectRow, run_id: str, key: str) -> bool:
    """Whether `key` is the one for this run's pages."""
    return hmac.compare_digest(
        link_key(server_key, project, run_id).encode(), key.encode("utf-8", "surrogatepass")
    )


def badge_key(server_key: bytes, project: ProjectRow) -> str:
    """The key that shows a private project's badges, and nothing else, 32 characters."""
    message = f"badge/{project.name}/{project.key_generation}".encode()
    return hmac.new(server_key, message, hashlib.sha256).hexdigest()[:32]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
