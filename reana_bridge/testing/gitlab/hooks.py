"""A project's webhooks over the REST API: making, repairing, testing, and what became of deliveries."""

import json
from collections.abc import Mapping
from typing import Any

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import bodies, entities
from reana_bridge.testing.gitlab.api import Call, invalid
from reana_bridge.testing.gitlab.delivering import EVENTS, INTERNAL_ERROR, usable_signing_token
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import ZERO, Hook, HookEvent, Level, Project, User

_TEXTS = ("name", "description", "push_events_branch_filter", "custom_webhook_template")
_BY_CLASS = {
    "successful": range(200, 300),
    "client_failure": range(400, 500),
    "server_failure": range(500, 600),
}


def new_hook(instance: Instance, project: Project, url: str, values: Mapping[str, Any]) -> Hook:
    """A hook with GitLab's defaults and what `values` says; it is not checked."""
    settings: dict[str, Any] = {name: False for name in entities.HOOK_FLAGS}
    settings |= {"push_events": True, "enable_ssl_verification": True, "branch_filter_strategy": "wildcard"}
    settings |= {name: "" for name in _TEXTS}
    settings["url"] = url
    hook = Hook(id=instance.new_id(), project_id=project.id, created_at=instance.clock(), settings=settings)
    change(instance, hook, values)
    project.hooks[hook.id] = hook
    return hook


def change(instance: Instance, hook: Hook, values: Mapping[str, Any]) -> None:
    """Take over what `values` says; another URL forgets the secret token."""
    if "url" in values and values["url"] != hook.url:
        hook.settings["url"] = values["url"]
        hook.token = ""
    for name in (*entities.HOOK_FLAGS, "enable_ssl_verification"):
        if name in values:
            hook.settings[name] = str(values[name]).lower() in {"true", "1"}
    for name in (*_TEXTS, "branch_filter_strategy"):
        if name in values:
            hook.settings[name] = values[name]
    if "token" in values:
        hook.token = values["token"] or ""
    if "signing_token" in values and instance.release >= (19, 0):
        hook.signing_token = values["signing_token"] or ""


def _check(call: Call, *, new: bool) -> dict[str, Any]:
    url = call.required("url") if new else call.text("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise invalid("url", "is blocked: Only allowed schemes are http, https")
    signing = call.text("signing_token")
    if signing and call.instance.release >= (19, 0) and not usable_signing_token(signing):
        raise invalid("signing_token", "must be `whsec_` followed by 32 bytes in base64")
    if "url" in call.values and call.values["url"] is None:
        raise Refused(400, {"error": "url is invalid"})
    return call.values


def _hook(call: Call) -> tuple[Project, Hook]:
    project = call.project(Level.MAINTAINER)
    number = call.named["hook"]
    hook = project.hooks.get(int(number)) if number.isdigit() else None
    if hook is None:
        raise Refused(404, {"message": "404 Not found"})
    return project, hook


def listed(call: Call) -> Answer:
    """`GET /projects/:id/hooks`."""
    project = call.project(Level.MAINTAINER)
    return call.page([entities.hook(call.instance, hook) for hook in project.hooks.values()])


def show(call: Call) -> Answer:
    """`GET /projects/:id/hooks/:hook`."""
    return Answer(value=entities.hook(call.instance, _hook(call)[1]))


def create(call: Call) -> Answer:
    """`POST /projects/:id/hooks`."""
    project = call.project(Level.MAINTAINER, changes=True)
    if len(project.hooks) >= 100:
        raise Refused(422, {"message": "Maximum number of project webhooks (100) exceeded"})
    hook = new_hook(call.instance, project, call.required("url"), _check(call, new=True))
    return Answer(value=entities.hook(call.instance, hook), status=201)


def edit(call: Call) -> Answer:
    """`PUT /projects/:id/hooks/:hook`."""
    _, hook = _hook(call)
    change(call.instance, hook, _check(call, new=False))
    return Answer(value=entities.hook(call.instance, hook))


def delete(call: Call) -> Answer:
    """`DELETE /projects/:id/hooks/:hook`."""
    project, hook = _hook(call)
    del project.hooks[hook.id]
    return Answer(status=204)


def test(call: Call) -> Answer:
    """`POST /projects/:id/hooks/:hook/test/:trigger`: sent also when the hook is disabled."""
    with call.instance.lock:
        project, hook = _hook(call)
        trigger = call.named["trigger"]
        if trigger not in EVENTS:
            raise Refused(400, {"error": "trigger does not have a valid value"})
        _take(call, "test")
        body = json.dumps(_example(call.instance, project, trigger, call.who())).encode()
    event = call.deliveries.send_now(hook, trigger, body)
    if not event.status.startswith("2"):
        said = event.response_body if event.status == INTERNAL_ERROR else f"HTTP {event.status}"
        raise Refused(422, {"message": f"Hook execution failed: {said}"})
    return Answer(value={"message": "201 Created"}, status=201)


def _take(call: Call, what: str) -> None:
    limit, now = call.instance.test_limit, call.instance.clock()
    key = f"{call.who().username} {what}"
    if limit is not None and not limit.take(key, now):
        message = {"error": "This endpoint has been requested too many times. Try again later."}
        raise Refused(429, {"message": message}, limit.describe(key, now, refused=True))


def _example(instance: Instance, project: Project, trigger: str, who: User) -> dict[str, Any]:
    """The newest thing of the kind that there is, as the real one sends."""
    if trigger in {"push_events", "tag_push_events"}:
        sha = project.repository.commit_of(project.default_branch)
        if sha is None:
            raise Refused(422, {"message": "Ensure the project has at least one commit."})
        ref = f"refs/heads/{project.default_branch}" if trigger == "push_events" else "refs/tags/v1.1.0"
        before = next(iter(project.repository.commit(sha).parents), ZERO)
        return bodies.push(instance, project, ref, before, sha, who)
    merge_request = next(reversed(project.merge_requests.values()), None)
    if merge_request is None:
        raise Refused(422, {"message": "Ensure the project has merge requests."})
    if trigger == "merge_requests_events":
        return bodies.merge_request(instance, merge_request, project, who, "update")
    note = next(reversed(merge_request.notes.values()), None)
    if note is None:
        raise Refused(422, {"message": "Ensure the project has notes."})
    return bodies.note(instance, note, merge_request, project, who, "create")


def events(call: Call) -> Answer:
    """`GET /projects/:id/hooks/:hook/events`, newest first, of the last 7 days."""
    if call.instance.release < (17, 3):
        raise Refused(404, {"error": "404 Not Found"})
    _, hook = _hook(call)
    since = call.instance.clock() - 7 * 86400
    found = [event for event in reversed(hook.events) if event.created_at >= since]
    if wanted := call.listed("status"):
        found = [event for event in found if any(_fits(event, one) for one in wanted)]
    return call.page([entities.hook_event(event) for event in found])


def _fits(event: HookEvent, wanted: str) -> bool:
    if wanted not in _BY_CLASS:
        return event.status == wanted
    if event.status == INTERNAL_ERROR:
        return wanted == "server_failure"
    return int(event.status) in _BY_CLASS[wanted]


def resend(call: Call) -> Answer:
    """`POST /projects/:id/hooks/:hook/events/:event/resend`: the same body and identity again."""
    with call.instance.lock:
        if call.instance.release < (17, 4):
            raise Refused(404, {"error": "404 Not Found"})
        _, hook = _hook(call)
        event = next((one for one in hook.events if str(one.id) == call.named["event"]), None)
        if event is None:
            raise Refused(404, {"message": "404 Not found"})
        _take(call, "resend")
        if event.url != hook.url:
            raise Refused(422, {"message": "The hook URL has changed. Unable to resend"})
        trigger = next(name for name, shown in EVENTS.items() if shown == event.event)
    again = call.deliveries.send_now(
        hook, trigger, event.request_data.encode(), event.request_headers.get("Idempotency-Key")
    )
    if again.status == INTERNAL_ERROR:
        raise Refused(422, {"message": again.response_body})
    return Answer(value={"response_status": int(again.status)}, status=201)


_ONE = "/projects/:id/hooks/:hook"
ROUTES = (
    Route(method="GET", path="/projects/:id/hooks", run=listed),
    Route(method="POST", path="/projects/:id/hooks", run=create),
    Route(method="GET", path=_ONE, run=show),
    Route(method="PUT", path=_ONE, run=edit),
    Route(method="DELETE", path=_ONE, run=delete),
    Route(method="POST", path=f"{_ONE}/test/:trigger", run=test, locked=False),
    Route(method="GET", path=f"{_ONE}/events", run=events),
    Route(method="POST", path=f"{_ONE}/events/:event/resend", run=resend, locked=False),
)
"""What this module answers."""
