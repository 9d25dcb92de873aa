"""The state of one fake GitHub and the rules of who may do what. Everything is done under `lock`."""

import secrets
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reana_bridge.testing.github.things import ROLES, App, Hook, Installation, Project, Pull, Token, User
from reana_bridge.testing.state import ForgeState

LEVELS = {"": 0, "none": 0, "read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks: a person or an installation with a token, an App with a signed one, or nobody."""

    token: Token | None = None
    app: App | None = None

    @property
    def user(self) -> User | None:
        """The person or bot; None for nobody and for an App itself."""
        return self.token.user if self.token else None

    @property
    def name(self) -> str:
        """For the log."""
        return self.user.login if self.user else "app" if self.app else ""


# What a person with a role may at most do, by permission: (role to read, role to write).
_PEOPLE = {
    "metadata": ("read", "admin"),
    "contents": ("read", "write"),
    "statuses": ("read", "write"),
    "pull_requests": ("read", "read"),
    "repository_hooks": ("admin", "admin"),
}
_SCOPES = {"statuses": "repo:status", "repository_hooks": "admin:repo_hook"}


@dataclass(eq=False, kw_only=True)
class World(ForgeState[Project]):
    """Everything that a GitHub knows.

    Attributes:
        limit: Requests of one token in an hour; None for no limit.
        limit_headers: Whether answers tell of the limit.
    """

    users: dict[int, User] = field(default_factory=dict[int, User])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    apps: dict[int, App] = field(default_factory=dict[int, App])
    installations: dict[int, Installation] = field(default_factory=dict[int, Installation])
    used: dict[str, int] = field(default_factory=dict[str, int])
    limit: int | None = None
    limit_headers: bool = True
    _ids: "count[int]" = field(default_factory=lambda: count(1001))

    @property
    def api(self) -> str:
        """The API's address."""
        return f"{self.url}/api/v3"

    def add_user(self, login: str, *, bot: bool = False) -> User:
        """The user of this name, made when there is none."""
        known = next((user for user in self.users.values() if user.login == login), None)
        if known is None:
            known = User(id=self.new_id(), login=login, bot=bot)
            self.users[known.id] = known
        return known

    def add_token(self, user: User, **more: Any) -> Token:
        """A new token of a user."""
        prefix = "ghs" if "installation" in more else "ghp"
        token = Token(value=f"{prefix}_{secrets.token_hex(18)}", user=user, **more)
        self.tokens[token.value] = token
        return token

    def add_app(
        self, slug: str, permissions: dict[str, str], events: set[str], settings: dict[str, str]
    ) -> App:
        """A new App with a key and a hook of its own."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        hook = Hook(id=self.new_id(), settings=settings, events=events, active=bool(settings.get("url")))
        app = App(
            id=self.new_id(),
            slug=slug,
            client_id=f"Iv23{secrets.token_hex(8)}",
            key=pem.decode(),
            public_key=key.public_key(),
            bot=self.add_user(f"{slug}[bot]", bot=True),
            permissions=permissions,
            hook=hook,
        )
        hook.app = app
        self.apps[app.id] = app
        return app

    # -- finding --

    def installation_on(self, project: Project, app: App) -> Installation | None:
        """Where the App is installed so that it may use the repository."""
        found = (one for one in self.installations.values() if one.app is app and project in one.repositories)
        return next(found, None)

    def pulls_of(self, project: Project, branch: str) -> list[tuple[Project, Pull]]:
        """Open pull requests, each with its target, that want to merge this branch."""
        return [
            (target, pull)
            for target in self.projects.values()
            for pull in target.pulls.values()
            if pull.source is project and pull.source_branch == branch and pull.state == "open"
        ]

    # -- who may do what --

    def role(self, project: Project, user: User | None) -> str:
        """What a person is on a repository."""
        role = project.members.get(user.id, "none") if user else "none"
        return "read" if role == "none" and not project.private else role

    def level(self, project: Project, actor: Actor, permission: str) -> int:
        """How far the actor may go: 0 nothing, 1 read, 2 write."""
        public = 1 if not project.private and permission != "repository_hooks" else 0
        token = actor.token
        if token is None:
            return public
        if token.installation is not None:
            if project not in token.installation.repositories or token.installation.suspended_at:
                return public
            granted = "read" if permission == "metadata" else token.permissions.get(permission, "")
            return max(public, min(2, LEVELS[granted]))
        if permission == "checks":
            return min(1, self.level(project, actor, "contents"))
        scopes = token.scopes
        if not scopes & {"repo", _SCOPES.get(permission, "repo")}:
            return (
                min(public, 1)
                if not (scopes & {"public_repo"} and not project.private)
                else self._of_role(project, token.user, permission)
            )
        return self._of_role(project, token.user, permission)

    def _of_role(self, project: Project, user: User, permission: str) -> int:
        reads, writes = _PEOPLE[permission]
        place = ROLES.index(self.role(project, user))
        return (place >= ROLES.index(reads)) + (place >= ROLES.index(writes) and not project.archived)
