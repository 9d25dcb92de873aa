"""Projects, their badges and uploaded files over the REST API."""

import re
import secrets

from reana_bridge.testing.answering import Answer, Refused, Route
from reana_bridge.testing.gitlab import entities
from reana_bridge.testing.gitlab.api import Call, forbidden, invalid
from reana_bridge.testing.gitlab.things import Badge, Level, Project, Upload

MOST_UPLOADED = 100 * 2**20
"""Bytes of one file."""

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tiff", ".ico", ".webp")
"""Names of files that Markdown shows as pictures."""

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_FILE = re.compile(rb'content-disposition:[^\r\n]*\bname="file"', re.IGNORECASE)
_NAME = re.compile(rb'filename="([^"]*)"')
_UNUSUAL = re.compile(r"[^A-Za-z0-9_.-]")


def show(call: Call) -> Answer:
    """`GET /projects/:id`."""
    return Answer(value=entities.project(call.instance, call.project(), call.user))


def listed(call: Call) -> Answer:
    """`GET /projects`."""
    found = [one for one in call.instance.projects.values() if call.instance.may_read(one, call.user)]
    if call.flag("membership", False):
        found = [one for one in found if call.instance.level(one, call.who())]
    if (search := call.text("search")) is not None:
        found = [one for one in found if search.lower() in one.name.lower()]
    return call.page([entities.project(call.instance, one, call.user) for one in found])


def upload(call: Call) -> Answer:
    """`POST /projects/:id/uploads`; the same content again becomes another file."""
    who = call.who()
    project = call.readable(changes=True)
    if call.instance.level(project, who) < Level.GUEST and project.visibility == "private":
        raise forbidden()
    name, content = _file(call)
    if len(content) > MOST_UPLOADED:
        raise Refused(413, {"message": "413 Request Entity Too Large"})
    made = Upload(
        id=call.instance.new_id(), secret=secrets.token_hex(16), name=name, content=content, user=who
    )
    project.uploads[made.secret] = made
    relative = f"/uploads/{made.secret}/{name}"
    alt = name.rpartition(".")[0] if name.lower().endswith(PICTURES) else name
    mark = "!" if name.lower().endswith(PICTURES) else ""
    value = {
        "id": made.id,
        "alt": alt,
        "url": relative,
        "full_path": f"/-/project/{project.id}{relative}",
        "markdown": f"{mark}[{alt}]({relative})",
    }
    return Answer(value=value, status=201)


def _file(call: Call) -> tuple[str, bytes]:
    kind = call.headers.get("content-type", "")
    boundary = _BOUNDARY.search(kind)
    if not kind.startswith("multipart/form-data") or boundary is None:
        raise Refused(400, {"error": "file is missing"})
    for part in call.body.split(b"--" + boundary[1].encode()):
        head, found, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if found and name and _FILE.search(head):
            clean = _UNUSUAL.sub("_", name[1].decode("utf-8", "replace").rpartition("/")[2]) or "file"
            return clean, content.removesuffix(b"\r\n")
    raise Refused(400, {"error": "file is missing"})


def uploads(call: Call) -> Answer:
    """`GET /projects/:id/uploads`; maintainers only."""
    project = call.project(Level.MAINTAINER)
    values = [
        {"id": one.id, "size": len(one.content), "filename": one.name} for one in project.uploads.values()
    ]
    return call.page(values)


def badges(call: Call) -> Answer:
    """`GET /projects/:id/badges`."""
    project = call.project()
    name = call.text("name")
    found = [one for one in project.badges.values() if name in (None, one.name)]
    return call.page([entities.badge(one) for one in found])


def _checked(call: Call, name: str, value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise invalid(name, "is blocked: Only allowed schemes are http, https")
    return value


def add_badge(call: Call) -> Answer:
    """`POST /projects/:id/badges`."""
    project = call.project(Level.MAINTAINER, changes=True)
    made = Badge(
        id=call.instance.new_id(),
        name=call.text("name") or "",
        link_url=_checked(call, "link_url", call.required("link_url")),
        image_url=_checked(call, "image_url", call.required("image_url")),
    )
    project.badges[made.id] = made
    return Answer(value=entities.badge(made), status=201)


def _badge(call: Call) -> tuple[Project, Badge]:
    project = call.project(Level.MAINTAINER)
    number = call.named["badge"]
    badge = project.badges.get(int(number)) if number.isdigit() else None
    if badge is None:
        raise Refused(404, {"message": "404 Badge Not Found"})
    return project, badge


def edit_badge(call: Call) -> Answer:
    """`PUT /projects/:id/badges/:badge`."""
    _, badge = _badge(call)
    badge.name = call.text("name") or badge.name
    badge.link_url = _checked(call, "link_url", call.text("link_url") or badge.link_url)
    badge.image_url = _checked(call, "image_url", call.text("image_url") or badge.image_url)
    return Answer(value=entities.badge(badge))


def delete_badge(call: Call) -> Answer:
    """`DELETE /projects/:id/badges/:badge`."""
    project, badge = _badge(call)
    del project.badges[badge.id]
    return Answer(status=204)


def events(call: Call) -> Answer:
    """`GET /projects/:id/events`: the pushes of branches, the newest first."""
    project = call.project()
    call.who()
    return call.page([entities.push_event(call.instance, project, push) for push in reversed(project.pushes)])


ROUTES = (
    Route(method="GET", path="/projects", run=listed),
    Route(method="GET", path="/projects/:id", run=show),
    Route(method="GET", path="/projects/:id/events", run=events),
    Route(method="GET", path="/projects/:id/uploads", run=uploads),
    Route(method="POST", path="/projects/:id/uploads", run=upload),
    Route(method="GET", path="/projects/:id/badges", run=badges),
    Route(method="POST", path="/projects/:id/badges", run=add_badge),
    Route(method="PUT", path="/projects/:id/badges/:badge", run=edit_badge),
    Route(method="DELETE", path="/projects/:id/badges/:badge", run=delete_badge),
)
"""What this module answers."""
