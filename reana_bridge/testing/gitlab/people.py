"""Users, tokens, members and the version over the REST API."""

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import entities
from reana_bridge.testing.gitlab.api import Call, not_found
from reana_bridge.testing.gitlab.things import User


def version(call: Call) -> Answer:
    """`GET /version` and `GET /metadata`."""
    call.who()
    shown = {"version": call.instance.version, "revision": "0123456789a"}
    return Answer(value=shown | ({"enterprise": False} if call.path.endswith("/metadata") else {}))


def me(call: Call) -> Answer:
    """`GET /user`."""
    return Answer(value=entities.current_user(call.instance, call.who()))


def users(call: Call) -> Answer:
    """`GET /users?username=`."""
    call.who()
    name = call.text("username")
    found = [one for one in call.instance.users.values() if name is None or one.username == name.lower()]
    return call.page([entities.user(call.instance, one) for one in found])


def _user(call: Call) -> User:
    number = call.named["user"]
    found = call.instance.users.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found("User")
    return found


def one_user(call: Call) -> Answer:
    """`GET /users/:user`."""
    call.who()
    return Answer(value=entities.user(call.instance, _user(call)))


def own_token(call: Call) -> Answer:
    """`GET /personal_access_tokens/self`."""
    return Answer(value=entities.token(call.own_token(), call.instance.clock()))


def rotate(call: Call) -> Answer:
    """`POST /personal_access_tokens/self/rotate`: a new token of the same user, shown this once."""
    made = call.instance.rotate(call.own_token())
    return Answer(value=entities.token(made, call.instance.clock()) | {"token": made.value})


def member(call: Call) -> Answer:
    """`GET /projects/:id/members/all/:user` (and without `all`)."""
    project = call.project()
    call.who()
    number = call.named["user"]
    level = project.members.get(int(number), 0) if number.isdigit() else 0
    if not level:
        raise Refused(404, {"message": "404 Not found"})
    return Answer(value=entities.member(call.instance, call.instance.users[int(number)], level))


def members(call: Call) -> Answer:
    """`GET /projects/:id/members/all` (and without `all`)."""
    project = call.project()
    call.who()
    query = (call.text("query") or "").lower()
    found = [(call.instance.users[number], level) for number, level in sorted(project.members.items())]
    found = [(user, level) for user, level in found if query in user.username]
    return call.page([entities.member(call.instance, *one) for one in found])


ROUTES = (
    Route(method="GET", path="/version", run=version),
    Route(method="GET", path="/metadata", run=version),
    Route(method="GET", path="/user", run=me),
    Route(method="GET", path="/users", run=users),
    Route(method="GET", path="/users/:user", run=one_user),
    Route(method="GET", path="/personal_access_tokens/self", run=own_token),
    Route(method="POST", path="/personal_access_tokens/self/rotate", run=rotate),
    Route(method="GET", path="/projects/:id/members/all", run=members),
    Route(method="GET", path="/projects/:id/members", run=members),
    Route(method="GET", path="/projects/:id/members/all/:user", run=member),
    Route(method="GET", path="/projects/:id/members/:user", run=member),
)
"""What this module answers."""
