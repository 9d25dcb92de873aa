"""Repositories, people and who we are: the API of the fake."""

from typing import Any

from reana_bridge.testing.answering import Answer, Route
from reana_bridge.testing.github.api import Call, said
from reana_bridge.testing.github.things import ROLES, Project


def _described(call: Call, project: Project) -> dict[str, Any]:
    place = ROLES.index(call.world.role(project, call.actor.user))
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    permissions = {name: place >= ROLES.index(role) for name, role in names.items()}
    return call.bodies.repository(project) | {"permissions": permissions}


def _show(call: Call) -> Answer:
    return Answer(value=_described(call, call.project()))


def _show_by_id(call: Call) -> Answer:
    project = call.world.projects.get(call.number("id"))
    if project is None:
        raise said(404, "Not Found")
    return Answer(value=_described(call, call.allowed(project, "metadata", 1)))


def _permission(call: Call) -> Answer:
    project = call.project()
    login = call.named["user"].lower()
    user = next((user for user in call.world.users.values() if user.login.lower() == login), None)
    if user is None:
        raise said(404, f"{call.named['user']} is not a user")
    role = call.world.role(project, user)
    permission = {"maintain": "write", "triage": "read"}.get(role, role)
    value = {"permission": permission, "role_name": role, "user": call.bodies.user(user)}
    return Answer(value=value)


def _me(call: Call) -> Answer:
    user = call.user()
    if user.bot:
        raise said(403, "Resource not accessible by integration")
    return Answer(value=call.bodies.user(user))


def _user(call: Call) -> Answer:
    if call.actor.app is not None:
        raise said(401, "Bad credentials")
    user = next((one for one in call.world.users.values() if one.login == call.named["user"]), None)
    if user is None:
        raise said(404, "Not Found")
    return Answer(value=call.bodies.user(user))


ROUTES = (
    Route(method="GET", path="/repos/:owner/:repo", run=_show),
    Route(method="GET", path="/repositories/:id", run=_show_by_id),
    Route(method="GET", path="/repos/:owner/:repo/collaborators/:user/permission", run=_permission),
    Route(method="GET", path="/user", run=_me),
    Route(method="GET", path="/users/:user", run=_user),
)
"""What is answered here."""
