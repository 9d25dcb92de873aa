"""The server itself and who asks: ping, info, quota, secrets."""

from typing import Any, cast

from reana_bridge.testing.reana.api import Answer, Call, Refused, Route, amount
from reana_bridge.testing.reana.things import Protocol, Secret
from reana_bridge.testing.reana.workflows import disk_used

BUNDLES = "workflow-specification-bundles-v1"
"""The capability that means the next protocol."""


def _ping(call: Call) -> Answer:
    value: dict[str, Any] = {"message": "OK", "status": "200"}
    if call.world.protocol is Protocol.NEXT:
        value |= {"reana_server_version": call.world.version, "api_capabilities": [BUNDLES]}
    return Answer(value=value)


def _you(call: Call) -> Answer:
    user = call.who
    name = user.email.partition("@")[0]
    value: dict[str, Any] = {
        "email": user.email,
        "id_": user.id,
        "full_name": name,
        "username": name,
        "reana_server_version": call.world.version,
        "quota": {
            "cpu": _quota(user.cpu_used, user.cpu_limit, _milliseconds),
            "disk": _quota(disk_used(call), user.disk_limit, amount),
        },
    }
    if call.world.protocol is Protocol.RELEASED:
        value["reana_token"] = {"value": user.token, "status": "active", "requested_at": None}
        del value["reana_token"]["requested_at"]
    return Answer(value=value)


def _quota(used: int, limit: int, written: Any) -> dict[str, Any]:
    """Use and limit; neither limit nor health where there is no limit."""
    told: dict[str, Any] = {"usage": written(used)}
    if limit:
        share = used / limit
        health = "healthy" if share < 0.8 else "warning" if share < 1 else "critical"
        told |= {"limit": written(limit), "health": health}
    return told


def _milliseconds(value: int) -> dict[str, Any]:
    minutes, seconds = divmod(value // 1000, 60)
    return {"raw": value, "human_readable": f"{minutes}m {seconds}s" if minutes else f"{seconds}s"}


def _info(call: Call) -> Answer:
    world = call.world
    most = world.most_retention_days
    told: dict[str, tuple[str, Any]] = {
        "compute_backends": ("List of supported compute backends", list(world.compute_backends)),
        "default_kubernetes_cpu_limit": ("Default CPU limit for Kubernetes jobs", None),
        "default_kubernetes_cpu_request": ("Default CPU request for Kubernetes jobs", "1"),
        "default_kubernetes_jobs_timeout": ("Default timeout for Kubernetes jobs", "604800"),
        "default_kubernetes_memory_limit": ("Default memory limit for Kubernetes jobs", "4Gi"),
        "default_kubernetes_memory_request": ("Default memory request for Kubernetes jobs", "1Gi"),
        "default_workspace": ("Default workspace", str(world.directory)),
        "kubernetes_max_memory_limit": ("Maximum allowed memory limit for Kubernetes jobs", "10Gi"),
        "maximum_kubernetes_jobs_timeout": ("Maximum timeout for Kubernetes jobs", "1209600"),
        "maximum_workspace_retention_period": (
            "Maximum retention period in days for workspace files",
            None if most is None else str(most),
        ),
        "workspaces_available": ("List of available workspaces", [str(world.directory)]),
    }
    return Answer(value={key: {"title": title, "value": value} for key, (title, value) in told.items()})


# -- secrets --


def _secrets(call: Call) -> Answer:
    found = call.who.secrets.values()
    return Answer(value=[{"name": secret.name, "type": secret.kind} for secret in found])


def _add_secrets(call: Call) -> Answer:
    given = call.json()
    if not isinstance(given, dict) or not given:
        raise Refused(400, "Malformed request.")
    made: dict[str, Secret] = {}
    for name, told in cast(dict[str, dict[str, str]], given).items():
        if told.get("type") not in {"env", "file"} or "value" not in told:
            raise Refused(400, f"Field '{name}': Malformed request.")
        made[name] = Secret(name=name, kind=told["type"], value=told["value"])
    clash = made.keys() & call.who.secrets.keys()
    if clash and not call.flag("overwrite"):
        raise Refused(409, f"The submitted secrets {', '.join(sorted(clash))} already exist.")
    call.who.secrets |= made
    return Answer(status=201, value={"message": "Secret(s) successfully added."})


def _delete_secrets(call: Call) -> Answer:
    given = call.json()
    names = [str(name) for name in cast(list[Any], given)] if isinstance(given, list) else []
    missing = [name for name in names if name not in call.who.secrets]
    if missing:
        return Answer(status=404, value=missing)
    for name in names:
        del call.who.secrets[name]
    return Answer(value=names)


ROUTES = (
    Route(method="GET", path="/ping", run=_ping, open=True),
    Route(method="GET", path="/you", run=_you),
    Route(method="GET", path="/info", run=_info),
    Route(method="GET", path="/secrets", run=_secrets),
    Route(method="POST", path="/secrets", run=_add_secrets),
    Route(method="DELETE", path="/secrets", run=_delete_secrets),
)
