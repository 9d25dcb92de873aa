"""Notes on merge requests, reactions on them, and the commands to GitLab itself that they may hold."""

import re
from collections.abc import Callable, Iterator

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import changes, entities
from reana_bridge.testing.gitlab.api import Call, forbidden, invalid, not_found
from reana_bridge.testing.gitlab.instance import Instance, QuickAction
from reana_bridge.testing.gitlab.things import Level, MergeRequest, Note, Project, User

LONGEST = 1_000_000
"""Characters of a note."""

QUICK_ACTIONS = frozenset(
    [
        *("approve", "assign", "assign_reviewer", "award", "cc", "close", "confidential", "copy_metadata"),
        *("done", "draft", "due", "duplicate", "estimate", "label", "link", "lock", "merge", "milestone"),
        *("move", "promote", "publish", "react", "ready", "reassign", "reassign_reviewer", "rebase"),
        *("relabel", "remove_due_date", "remove_estimate", "remove_milestone", "remove_time_spent", "reopen"),
        *("request_changes", "request_review", "severity", "ship", "shrug", "spend", "spent", "status"),
        *("submit_review", "subscribe", "tableflip", "tag", "target_branch", "timeline", "title", "todo"),
        *("unapprove", "unassign", "unassign_reviewer", "unlabel", "unlock", "unsubscribe", "weight", "zoom"),
    ]
)
"""Names of the commands, as written behind the slash."""

EMOJI = frozenset(
    [
        *("eyes", "rocket", "confused", "thumbsup", "thumbsdown", "tada", "heart", "white_check_mark"),
        *("x", "hourglass", "no_entry", "warning"),
    ]
)
"""Names of reactions that the fake knows."""

_LINE = re.compile(r"^/([a-zA-Z_]+)(?:[ \t]+(.*?))?[ \t]*$")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})")


def quick_actions(body: str) -> Iterator[tuple[int, str, str]]:
    """Line (from 0), command and argument of each, outside code blocks, quotes and comments."""
    fence = ""
    comment = False
    for number, raw in enumerate(body.split("\n")):
        line = raw.rstrip("\r")
        if (opened := _FENCE.match(line)) and not comment:
            mark = opened[1]
            if not fence:
                fence = mark
            elif mark.startswith(fence[0] * len(fence)) and not line.strip(" \t" + fence[0]):
                fence = ""
            continue
        if not fence:
            comment = comment or line.startswith("<!--")
            found = None if comment else _LINE.match(line)
            if found and found[1].lower() in QUICK_ACTIONS:
                yield number, found[1].lower(), found[2] or ""
            comment = comment and "-->" not in line


def obey(instance: Instance, project: Project, merge_request: MergeRequest, who: User, body: str) -> str:
    """Carry out the commands of a note with its writer's rights; what is left of the note."""
    found = list(quick_actions(body))
    may = instance.may_push(project, who, merge_request.target_branch)
    for _, command, argument in found:
        instance.quick_actions.append(
            QuickAction(
                user=who.username,
                project=project.path,
                merge_request=merge_request.iid,
                command=command,
                argument=argument,
                allowed=may,
            )
        )
        if may and command in _OBEYED:
            _OBEYED[command](instance, project, merge_request, who, argument)
    gone = {number for number, _, _ in found}
    return "\n".join(line for number, line in enumerate(body.split("\n")) if number not in gone)


def _label(
    instance: Instance, project: Project, merge_request: MergeRequest, who: User, argument: str
) -> None:
    names = [*merge_request.labels, *argument.replace("~", "").split()]
    changes.edit(instance, project, merge_request, who, labels=names)


def _title(
    instance: Instance, project: Project, merge_request: MergeRequest, who: User, argument: str
) -> None:
    changes.edit(instance, project, merge_request, who, title=argument)


def _draft(
    instance: Instance, project: Project, merge_request: MergeRequest, who: User, argument: str
) -> None:
    if not merge_request.draft:
        changes.edit(instance, project, merge_request, who, title=f"Draft: {merge_request.title}")


_OBEYED: dict[str, Callable[[Instance, Project, MergeRequest, User, str], object]] = {
    "close": lambda instance, project, merge_request, who, _: changes.close(
        instance, project, merge_request, who
    ),
    "reopen": lambda instance, project, merge_request, who, _: changes.reopen(
        instance, project, merge_request, who
    ),
    "merge": lambda instance, project, merge_request, who, _: changes.merge(
        instance, project, merge_request, who
    ),
    "label": _label,
    "title": _title,
    "draft": _draft,
}


def _checked(call: Call) -> str:
    body = call.required("body")
    if not body.strip():
        raise invalid("note", "can't be blank")
    if len(body) > LONGEST:
        raise invalid("note", f"is too long (maximum is {LONGEST} characters)")
    return body


def create(call: Call) -> Answer:
    """`POST .../notes`."""
    who = call.who()
    project, merge_request = call.merge_request(changes=True)
    body = _checked(call)
    limit, now = call.instance.note_limit, call.instance.clock()
    if limit is not None and not limit.take(who.username, now):
        message = {"error": "This endpoint has been requested too many times. Try again later."}
        raise Refused(429, {"message": message}, limit.describe(who.username, now, refused=True))
    if len(merge_request.notes) >= call.instance.notes_of_a_merge_request:
        raise invalid("base", "Maximum number of comments exceeded")
    body = obey(call.instance, project, merge_request, who, body)
    if not body.strip():
        return Answer(value={"commands_changes": {}, "summary": ["Commands applied"]}, status=202)
    internal = bool(call.flag("internal", False))
    note = changes.comment(call.instance, project, merge_request, who, body, internal=internal)
    return Answer(value=entities.note(call.instance, note, merge_request, project), status=201)


def _note(call: Call, *, change: bool = False) -> tuple[Project, MergeRequest, Note]:
    project, merge_request = call.merge_request(changes=change)
    number = call.named["note"]
    note = merge_request.notes.get(int(number)) if number.isdigit() else None
    if note is None:
        raise not_found("Note")
    return project, merge_request, note


def edit(call: Call) -> Answer:
    """`PUT .../notes/:note`; the writer's alone."""
    who = call.who()
    project, merge_request, note = _note(call, change=True)
    if note.author is not who and not who.admin:
        raise forbidden()
    body = _checked(call)
    body = obey(call.instance, project, merge_request, who, body)
    changes.edit_comment(call.instance, project, merge_request, note, who, body)
    return Answer(value=entities.note(call.instance, note, merge_request, project))


def delete(call: Call) -> Answer:
    """`DELETE .../notes/:note`; the writer's, or a maintainer's."""
    who = call.who()
    project, merge_request, note = _note(call, change=True)
    if note.author is not who and call.instance.level(project, who) < Level.MAINTAINER:
        raise forbidden()
    call.instance.deleted_notes.append(merge_request.notes.pop(note.id))
    return Answer(status=204)


def show(call: Call) -> Answer:
    """`GET .../notes/:note`."""
    project, merge_request, note = _note(call)
    return Answer(value=entities.note(call.instance, note, merge_request, project))


def listed(call: Call) -> Answer:
    """`GET .../notes`, newest first unless asked otherwise."""
    project, merge_request = call.merge_request()
    key = "updated_at" if call.text("order_by") == "updated_at" else "created_at"
    notes = sorted(merge_request.notes.values(), key=lambda note: (getattr(note, key), note.id))
    if call.text("sort", "desc") != "asc":
        notes.reverse()
    if call.text("activity_filter") == "only_comments":
        notes = [note for note in notes if not note.system]
    return call.page([entities.note(call.instance, note, merge_request, project) for note in notes])


def react(call: Call) -> Answer:
    """`POST .../notes/:note/award_emoji`."""
    who, name = call.who(), call.required("name")
    _, _, note = _note(call, change=True)
    if name not in EMOJI:
        raise not_found("Award Emoji Name is not a valid emoji name")
    if any(given == name and by is who for _, given, by in note.awards):
        raise not_found("Award Emoji Name has already been taken")
    number = call.instance.new_id()
    note.awards.append((number, name, who))
    value = entities.award(call.instance, number, name, who, note, call.instance.clock())
    return Answer(value=value, status=201)


def reactions(call: Call) -> Answer:
    """`GET .../notes/:note/award_emoji`."""
    _, _, note = _note(call)
    now = call.instance.clock()
    return call.page([entities.award(call.instance, *award, note, now) for award in note.awards])


def discuss(call: Call) -> Answer:
    """`POST .../discussions/:discussion/notes`: an answer in the thread of a note."""
    _, merge_request = call.merge_request(changes=True)
    threads = {note.discussion_id for note in merge_request.notes.values()}
    if call.named["discussion"] not in threads:
        raise not_found("Discussion")
    answer = create(call)
    if answer.status == 201:
        merge_request.notes[answer.value["id"]].discussion_id = call.named["discussion"]
    return answer


_NOTES = "/projects/:id/merge_requests/:iid/notes"
ROUTES = (
    Route(method="GET", path=_NOTES, run=listed),
    Route(method="POST", path=_NOTES, run=create),
    Route(method="GET", path=f"{_NOTES}/:note", run=show),
    Route(method="PUT", path=f"{_NOTES}/:note", run=edit),
    Route(method="DELETE", path=f"{_NOTES}/:note", run=delete),
    Route(method="GET", path=f"{_NOTES}/:note/award_emoji", run=reactions),
    Route(method="POST", path=f"{_NOTES}/:note/award_emoji", run=react),
    Route(method="POST", path="/projects/:id/merge_requests/:iid/discussions/:discussion/notes", run=discuss),
)
"""What this module answers."""
