"""The next protocol: a workflow comes as a ZIP of its specification, which the server reads by itself."""

import io
import json
import zipfile
from email import message_from_bytes
from email.message import Message
from typing import Any, cast

import yaml

from reana_bridge.testing.reana.api import Answer, Call, Refused, Route
from reana_bridge.testing.reana.checking import problems, serial_steps, warnings
from reana_bridge.testing.reana.things import Protocol
from reana_bridge.testing.reana.workflows import create, start

_MOST_MEMBERS = 1000


def _parts(call: Call) -> dict[str, bytes]:
    """The named parts of a multipart body."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise Refused(400, "The request must be multipart/form-data.")
    if len(call.body) > call.world.most_bundle_bytes:
        raise Refused(413, f"The request exceeds the limit of {call.world.most_bundle_bytes} bytes.")
    whole = message_from_bytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + call.body)
    found: dict[str, bytes] = {}
    for part in cast(list[Message], whole.get_payload()) if whole.is_multipart() else []:
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content
    return found


def _part(call: Call, name: str) -> bytes:
    found = _parts(call)
    if name not in found:
        raise Refused(400, f"The multipart field '{name}' is missing.")
    return found[name]


def _document(call: Call) -> dict[str, Any]:
    """reana.yaml of the bundle, with the other files of it that the workflow names.

    Raises:
        Refused: The archive is not what the server takes.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(_part(call, "bundle")))
    except zipfile.BadZipFile:
        raise Refused(400, "The bundle is not a ZIP archive.") from None
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise Refused(413, "The bundle has too many members.")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise Refused(400, "The bundle must not be compressed.")
    names = [member.filename for member in members]
    if any(name.startswith("/") or ".." in name.split("/") for name in names) or len(set(names)) < len(names):
        raise Refused(400, "The bundle has an unsafe or repeated member.")
    if "reana.yaml" not in names:
        raise Refused(400, "The bundle has no reana.yaml.")
    document = _yaml(archive.read("reana.yaml"))
    if isinstance(document, dict):
        _complete(cast(dict[str, Any], document), names)
    return cast(dict[str, Any], document)


def _yaml(text: bytes) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(400, f"reana.yaml cannot be read: {error}") from None


def _complete(document: dict[str, Any], names: list[str]) -> None:
    workflow: Any = document.get("workflow")
    file = cast(dict[str, Any], workflow).get("file") if isinstance(workflow, dict) else None
    if file is not None and file not in names:
        raise Refused(400, f"The workflow file {file} is not in the bundle.")


def _only_next(call: Call) -> None:
    if call.world.protocol is not Protocol.NEXT:
        raise Refused(404, "Not found.")


def _create(call: Call) -> Answer:
    document = _document(call)
    wrong = problems(call.world, document)
    if wrong:
        raise Refused(400, "; ".join(f"{one['path']}: {one['message']}" for one in wrong))
    answer = create(call, document)
    return Answer(status=201, value=answer.value | {"validation_warnings": warnings(document)})


def _validate(call: Call) -> Answer:
    _only_next(call)
    document = _document(call)
    wrong = problems(call.world, document)
    known = document if isinstance(cast(Any, document), dict) else {}
    value: dict[str, Any] = {"valid": not wrong, "errors": wrong, "warnings": warnings(known)}
    if call.flag("environments"):
        steps = [] if wrong or known["workflow"]["type"] != "serial" else serial_steps(known)
        images = dict.fromkeys(str(step["environment"]) for step in steps)
        told = [{"image": image, "runtime_uid": 1000, "runtime_gid": 0} for image in images]
        value |= {"environments": told, "environments_truncated": False}
    return Answer(value=value)


def _restart(call: Call) -> Answer:
    _only_next(call)
    workflow = call.workflow()
    parts = _parts(call)
    document = _yaml(_part(call, "replacement"))
    wrong = problems(call.world, document)
    if wrong:
        raise Refused(400, "; ".join(f"{one['path']}: {one['message']}" for one in wrong))
    try:
        given = json.loads(parts.get("parameters", b"{}"))
    except ValueError:
        raise Refused(400, "The field 'parameters' is not JSON.") from None
    if not isinstance(given, dict):
        raise Refused(400, "The field 'parameters' must be a JSON object.")
    known = cast(dict[str, Any], given)
    return start(call, workflow, known | {"restart": True, "reana_specification": document})


ROUTES = (
    Route(method="POST", path="/workflows/validate", run=_validate),
    Route(method="POST", path="/workflows/:id/restart", run=_restart),
)
"""Besides creating, which has the path of the released protocol's."""


def creates_by_bundle(call: Call) -> bool:
    """Whether this request creates a workflow from a bundle."""
    kind = call.headers.get("content-type", "")
    return call.world.protocol is Protocol.NEXT and kind.startswith("multipart/form-data")


create_by_bundle = _create
