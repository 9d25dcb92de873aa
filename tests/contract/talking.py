"""A plain client of a fake REANA, for both protocols."""

import io
import json
import zipfile
from typing import Any

import httpx
import yaml

from reana_bridge.testing.reana import FakeReana

OCTETS = {"Content-Type": "application/octet-stream"}
SPECIFICATION: dict[str, Any] = {
    "version": "0.9.0",
    "inputs": {"files": ["in.txt"], "parameters": {"word": "hello", "times": 2}},
    "workflow": {
        "type": "serial",
        "specification": {
            "steps": [
                {"name": "copy", "environment": "py:3", "commands": ["cat in.txt >out/copy.txt"]},
                {
                    "name": "say",
                    "environment": "python:3.11",
                    "commands": ["echo ${word} ${times} >out/a.txt"],
                },
            ]
        },
    },
    "outputs": {"files": ["out/a.txt"]},
    "workspace": {"retention_days": {"out/*.tmp": 3}},
}


def serial(*commands: str, **parameters: Any) -> dict[str, Any]:
    """A workflow with one step for each command."""
    steps = [
        {"name": f"step{n}", "environment": "python:3.11", "commands": [command]}
        for n, command in enumerate(commands)
    ]
    workflow = {"type": "serial", "specification": {"steps": steps}}
    return {"inputs": {"parameters": parameters}, "workflow": workflow}


def bundle(specification: Any, *, compressed: bool = False, **members: str) -> bytes:
    """A ZIP of a specification."""
    packed = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(packed, "w", kind) as archive:
        archive.writestr("reana.yaml", yaml.safe_dump(specification))
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


class Talk(httpx.Client):
    """Requests of one user; paths are below `/api`."""

    def __init__(self, reana: FakeReana, token: str) -> None:
        self.bearer = reana.world.protocol == "next"
        super().__init__(
            base_url=f"{reana.url}/api",
            headers={"Authorization": f"Bearer {token}"} if self.bearer and token else {},
            params={} if self.bearer or not token else {"access_token": token},
            trust_env=False,
            timeout=20,
        )

    def create(self, specification: Any = SPECIFICATION, name: str = "fit") -> httpx.Response:
        """Create by the protocol's own way."""
        given: dict[str, Any] = {"json": specification}
        if self.bearer:
            given = {"files": {"bundle": ("bundle.zip", bundle(specification), "application/zip")}}
        return self.post("/workflows", params={"workflow_name": name}, **given)

    def made(self, specification: Any = SPECIFICATION, name: str = "fit") -> str:
        """Create; the identity."""
        answer = self.create(specification, name)
        assert answer.status_code == 201, answer.text
        return answer.json()["workflow_id"]

    def upload(self, workflow: str, name: str, content: bytes) -> httpx.Response:
        return self.post(
            f"/workflows/{workflow}/workspace", params={"file_name": name}, content=content, headers=OCTETS
        )

    def begin(self, workflow: str, **body: Any) -> httpx.Response:
        return self.post(f"/workflows/{workflow}/start", json=body)

    def change(self, workflow: str, status: str, body: Any = None) -> httpx.Response:
        return self.put(f"/workflows/{workflow}/status", params={"status": status}, json=body or {})

    def all(self, **params: Any) -> httpx.Response:
        return self.get("/workflows", params={"type": "batch", **params})

    def names(self, **params: Any) -> list[str]:
        return [item["name"] for item in self.all(**params).json()["items"]]

    def files(self, workflow: str, **params: Any) -> dict[str, int]:
        items = self.get(f"/workflows/{workflow}/workspace", params=params).json()["items"]
        return {item["name"]: item["size"]["raw"] for item in items}

    def logs(self, workflow: str) -> dict[str, Any]:
        return json.loads(self.get(f"/workflows/{workflow}/logs").json()["logs"])
