"""Pull requests, their comments and reactions: the API of the fake."""

from datetime import datetime

from reana_bridge.testing.answering import Answer, Route
from reana_bridge.testing.github import happenings
from reana_bridge.testing.github.api import Call, invalid, said
from reana_bridge.testing.github.things import Comment, Project, Pull

LIMIT = 65_536
REACTIONS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})


def _pulls(call: Call) -> Answer:
    project = call.project("pull_requests")
    state = call.query.get("state", "open")
    pulls = sorted(project.pulls.values(), key=lambda pull: -pull.number)
    return call.page([call.bodies.pull(project, p) for p in pulls if state in {"all", p.state}])


def _pull(call: Call) -> Answer:
    project = call.project("pull_requests")
    return Answer(value=call.bodies.pull(project, call.pull(project)))


def _list(call: Call) -> Answer:
    project = call.project("pull_requests")
    pull = call.pull(project)
    return call.page([call.bodies.comment(project, pull, one) for one in pull.comments.values()])


def _list_all(call: Call) -> Answer:
    """Of all pull requests together; the fake knows no other issues."""
    project = call.project("pull_requests")
    since = call.query.get("since")
    least = datetime.fromisoformat(since).timestamp() if since else 0.0
    found = [
        (pull, one)
        for pull in project.pulls.values()
        for one in pull.comments.values()
        if int(one.updated_at) >= least
    ]
    found.sort(key=lambda each: each[1].updated_at, reverse=call.query.get("direction") == "desc")
    return call.page([call.bodies.comment(project, pull, one) for pull, one in found])


def _create(call: Call) -> Answer:
    project = call.project("pull_requests", 2)
    pull, text = call.pull(project), _text(call)
    comment = happenings.comment(call.world, call.bodies, project, pull, call.user(), text)
    return Answer(value=call.bodies.comment(project, pull, comment), status=201)


def _text(call: Call) -> str:
    text = call.values().get("body")
    if not isinstance(text, str) or not text.strip():
        raise invalid("IssueComment", "body", "Body can't be blank")
    if len(text) > LIMIT:
        raise invalid("IssueComment", "body", f"body is too long (maximum is {LIMIT} characters)")
    return text


def _one(call: Call, level: int) -> tuple[Project, Pull, Comment]:
    project = call.project("pull_requests", level)
    number = call.number("comment")
    for pull in project.pulls.values():
        if number in pull.comments:
            return project, pull, pull.comments[number]
    raise said(404, "Not Found")


def _own(call: Call) -> tuple[Project, Pull, Comment]:
    project, pull, comment = _one(call, 2)
    may = comment.author is call.user() or call.world.role(project, call.user()) in {"maintain", "admin"}
    if not may:
        raise said(403, "Must have admin rights to Repository.")
    return project, pull, comment


def _show(call: Call) -> Answer:
    return Answer(value=call.bodies.comment(*_one(call, 1)))


def _edit(call: Call) -> Answer:
    project, pull, comment = _own(call)
    happenings.edit_comment(call.world, call.bodies, project, pull, comment, call.user(), _text(call))
    return Answer(value=call.bodies.comment(project, pull, comment))


def _delete(call: Call) -> Answer:
    project, pull, comment = _own(call)
    happenings.delete_comment(call.world, call.bodies, project, pull, comment, call.user())
    return Answer(status=204)


def _react(call: Call) -> Answer:
    _, _, comment = _one(call, 1)
    content = call.values().get("content")
    if content not in REACTIONS:
        raise invalid("Reaction", "content", "is not a reaction")
    reaction = (call.user(), str(content))
    known = reaction in comment.reactions
    if not known:
        comment.reactions.append(reaction)
    value = {"id": comment.id, "content": content, "user": call.bodies.user(call.user())}
    return Answer(value=value, status=200 if known else 201)


_AT = "/repos/:owner/:repo"
ROUTES = (
    Route(method="GET", path=f"{_AT}/pulls", run=_pulls),
    Route(method="GET", path=f"{_AT}/pulls/:number", run=_pull),
    Route(method="GET", path=f"{_AT}/issues/:number/comments", run=_list),
    Route(method="POST", path=f"{_AT}/issues/:number/comments", run=_create),
    Route(method="GET", path=f"{_AT}/issues/comments", run=_list_all),
    Route(method="GET", path=f"{_AT}/issues/comments/:comment", run=_show),
    Route(method="PATCH", path=f"{_AT}/issues/comments/:comment", run=_edit),
    Route(method="DELETE", path=f"{_AT}/issues/comments/:comment", run=_delete),
    Route(method="POST", path=f"{_AT}/issues/comments/:comment/reactions", run=_react),
)
"""What is answered here."""
