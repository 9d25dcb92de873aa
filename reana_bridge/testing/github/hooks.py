"""Hooks and Apps: the API of the fake."""

from typing import Any, cast

from reana_bridge.testing.answering import Answer, Route
from reana_bridge.testing.github.api import Call, invalid, said
from reana_bridge.testing.github.bodies import when
from reana_bridge.testing.github.things import Attempt, Hook, Installation
from reana_bridge.testing.github.world import LEVELS

TOKEN_SECONDS = 3600.0


def _list(call: Call) -> Answer:
    project = call.project("repository_hooks")
    return call.page([call.bodies.hook(project, one) for one in project.hooks.values()])


def _create(call: Call) -> Answer:
    project = call.project("repository_hooks", 2)
    values = call.values()
    if values.get("name", "web") != "web":
        raise invalid("Hook", "name", "has to be web")
    hook = Hook(id=call.world.new_id(), settings={}, events={"push"}, repository=project)
    _apply(hook, values)
    same = (one for one in project.hooks.values() if one.settings["url"] == hook.settings["url"])
    if any(one.events == hook.events for one in same):
        raise invalid("Hook", "config", "Hook already exists on this repository")
    project.hooks[hook.id] = hook
    call.deliveries.ping(hook)
    return Answer(value=call.bodies.hook(project, hook), status=201)


def _apply(hook: Hook, values: dict[str, Any]) -> None:
    config = cast(dict[str, Any], values.get("config") or {})
    url = str(config.get("url", hook.settings.get("url", "")))
    if not url.startswith(("http://", "https://")):
        raise invalid("Hook", "url", "is not a URL")
    fresh = {"content_type": "form", "insecure_ssl": "0"} if not hook.settings else hook.settings
    hook.settings = fresh | {name: str(value) for name, value in config.items()}
    hook.events = set(cast(list[str], values.get("events", list(hook.events))))
    hook.active = bool(values.get("active", hook.active))


def _hook(call: Call, level: int = 1) -> Hook:
    hook = call.project("repository_hooks", level).hooks.get(call.number("hook"))
    if hook is None:
        raise said(404, "Not Found")
    return hook


def _update(call: Call) -> Answer:
    hook = _hook(call, 2)
    _apply(hook, call.values())
    return Answer(value=call.bodies.hook(call.project("repository_hooks"), hook))


def _delete(call: Call) -> Answer:
    hook = _hook(call, 2)
    del call.project("repository_hooks").hooks[hook.id]
    return Answer(status=204)


def _ping(call: Call) -> Answer:
    call.deliveries.ping(_hook(call))
    return Answer(status=204)


def _deliveries(call: Call) -> Answer:
    return _attempts(call, _hook(call))


def _attempts(call: Call, hook: Hook) -> Answer:
    return call.page([call.bodies.attempt(one) for one in reversed(hook.deliveries)])


def _again(call: Call) -> Answer:
    return _send_again(call, _hook(call))


def _send_again(call: Call, hook: Hook) -> Answer:
    call.deliveries.again(hook, _attempt(call, hook))
    return Answer(value={}, status=202)


def _attempt(call: Call, hook: Hook) -> Attempt:
    number = call.number("delivery")
    found = next((one for one in hook.deliveries if one.id == number), None)
    if found is None:
        raise said(404, "Not Found")
    return found


def _app(call: Call) -> Answer:
    return Answer(value=call.bodies.app(call.app()))


def _installations(call: Call) -> Answer:
    app = call.app()
    found = [one for one in call.world.installations.values() if one.app is app]
    return call.page([call.bodies.installation(one) for one in found])


def _installation(call: Call) -> Answer:
    app = call.app()
    path = f"{call.named['owner']}/{call.named['repo']}"
    project = call.world.project_at(path) or call.world.moved_from(path)
    found = call.world.installation_on(project, app) if project else None
    if found is None:
        raise said(404, "Not Found")
    return Answer(value=call.bodies.installation(found))


def _access_token(call: Call) -> Answer:
    app = call.app()
    installation = call.world.installations.get(call.number("installation"))
    if installation is None or installation.app is not app:
        raise said(404, "Not Found")
    if installation.suspended_at is not None:
        raise said(403, "This installation has been suspended")
    wanted = cast(dict[str, str], call.values().get("permissions") or {})
    _within(wanted, installation)
    token = call.world.add_token(
        app.bot,
        installation=installation,
        permissions=dict(wanted or installation.permissions),
        expires_at=call.world.clock() + TOKEN_SECONDS,
    )
    value = {
        "token": token.value,
        "expires_at": when(token.expires_at or 0.0),
        "permissions": token.permissions,
        "repository_selection": "selected",
    }
    return Answer(value=value, status=201)


def _within(wanted: dict[str, str], installation: Installation) -> None:
    for name, level in wanted.items():
        if LEVELS.get(level, 9) > LEVELS[installation.permissions.get(name, "none")]:
            raise said(422, "The permissions requested are not granted to this installation.")


def _app_hook(call: Call) -> Answer:
    return Answer(value=call.bodies.hook_config(call.app().hook))


def _app_deliveries(call: Call) -> Answer:
    return _attempts(call, call.app().hook)


def _app_again(call: Call) -> Answer:
    return _send_again(call, call.app().hook)


_AT = "/repos/:owner/:repo"
ROUTES = (
    Route(method="GET", path=f"{_AT}/hooks", run=_list),
    Route(method="POST", path=f"{_AT}/hooks", run=_create),
    Route(method="PATCH", path=f"{_AT}/hooks/:hook", run=_update),
    Route(method="DELETE", path=f"{_AT}/hooks/:hook", run=_delete),
    Route(method="POST", path=f"{_AT}/hooks/:hook/pings", run=_ping),
    Route(method="GET", path=f"{_AT}/hooks/:hook/deliveries", run=_deliveries),
    Route(method="POST", path=f"{_AT}/hooks/:hook/deliveries/:delivery/attempts", run=_again),
    Route(method="GET", path="/app", run=_app),
    Route(method="GET", path="/app/installations", run=_installations),
    Route(method="GET", path=f"{_AT}/installation", run=_installation),
    Route(method="POST", path="/app/installations/:installation/access_tokens", run=_access_token),
    Route(method="GET", path="/app/hook/config", run=_app_hook),
    Route(method="GET", path="/app/hook/deliveries", run=_app_deliveries),
    Route(method="POST", path="/app/hook/deliveries/:delivery/attempts", run=_app_again),
)
"""What is answered here."""
