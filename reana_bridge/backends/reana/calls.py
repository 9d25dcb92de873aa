"""The calls of REANA's API that the bridge makes, one function each, for one account."""

import contextlib
import json
from collections.abc import Callable, Generator, Iterator
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

import httpx

from reana_bridge.backends.reana import values
from reana_bridge.backends.reana.client import Client, Query
from reana_bridge.backends.reana.errors import ReanaError
from reana_bridge.backends.reana.values import Logs, RemoteFile, Workflow

FILES_PAGE = 1000
_LONG = 300.0
"""Seconds for what a server may work on for long: loading a workflow, storing a file."""

_STREAM = {"Content-Type": "application/octet-stream"}


def by_name(part: str) -> tuple[str, str]:
    """The filter of lists of workflows that leaves those with `part` in their name."""
    return ("search", json.dumps({"name": [part]}))


class Calls:
    """What one account may ask of its server; every method may raise `ReanaError`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    # -- the account --

    def you(self) -> dict[str, Any]:
        """Who the token belongs to, with quota and the server's version; the token itself left out."""
        told = values.mapping(self.client.json("GET", "you", "say whose token it is"))
        return {name: value for name, value in told.items() if name != "reana_token"}

    def info(self) -> dict[str, Any]:
        """What the instance offers: name -> value."""
        told = values.mapping(self.client.json("GET", "info", "say what it offers"))
        return {name: values.mapping(one).get("value") for name, one in told.items()}

    def secrets(self) -> list[str]:
        """Names of the secrets that every job of the account gets."""
        told = values.items(self.client.json("GET", "secrets/", "list the account's secrets"))
        return [values.text(values.mapping(one).get("name")) or "?" for one in told]

    # -- lists --

    def named(self, part: str) -> list[Workflow]:
        """Workflows with `part` in their name, deleted ones too, lowest run number first."""
        pages = self.pages([by_name(part)], size=100, most=10)
        return sorted(chain.from_iterable(pages), key=lambda one: one.number)

    def pages(
        self, query: Query, *, size: int, most: int, what: str = "list workflows"
    ) -> Iterator[list[Workflow]]:
        """Pages of workflows, newest first; the next one is only asked for when it is wanted.

        Args:
            query: Filters.
            size: Workflows on a page.
            most: Pages.
            what: For messages.
        """
        for page in self._pages("workflows", what, [("type", "batch"), *query], size=size, most=most):
            yield [one for one in map(values.workflow_of, page) if one is not None]

    def _pages(self, path: str, what: str, query: Query, *, size: int, most: int) -> Iterator[list[Any]]:
        """Pages of any list, as they come."""
        for number in range(1, most + 1):
            place = [("page", str(number)), ("size", str(size))]
            told = values.mapping(self.client.json("GET", path, what, query=[*place, *query]))
            found = values.items(told.get("items"))
            yield found
            more, total = told.get("has_next"), told.get("total")
            if not isinstance(more, bool):
                more = isinstance(total, int) and number * size < total and bool(found)
            if not more:
                return

    # -- one workflow --

    def create(self, name: str, document: dict[str, Any]) -> str:
        """Create a workflow by the released protocol; its UUID."""
        query = [("workflow_name", name)]
        what = "create the workflow"
        told = self.client.json("POST", "workflows", what, query=query, data=document, seconds=_LONG)
        return _identity(told)

    def create_by_bundle(self, name: str, bundle: bytes) -> str:
        """Create a workflow by the next protocol from a ZIP archive; its UUID."""
        request = httpx.Request(
            "POST", "http://x", files={"bundle": ("bundle.zip", bundle, "application/zip")}
        )
        body, kind = request.read(), request.headers["Content-Type"]
        told = self.client.json(
            "POST",
            "workflows",
            "create the workflow",
            query=[("workflow_name", name)],
            content=lambda: body,
            headers={"Content-Type": kind},
            seconds=_LONG,
        )
        return _identity(told)

    def start(self, workflow: str, parameters: dict[str, Any], options: dict[str, Any]) -> None:
        """Start a workflow."""
        data = {"input_parameters": parameters, "operational_options": options}
        path = f"workflows/{workflow}/start"
        self.client.json("POST", path, "start the workflow", data=data, seconds=_LONG)

    def status(self, workflow: str) -> Workflow:
        """One workflow's status."""
        told = self.client.json("GET", f"workflows/{workflow}/status", "tell the workflow's status")
        found = values.workflow_of(told)
        if found is None:
            raise ReanaError(f"REANA's answer on the workflow {workflow} names none")
        return found

    def restart(self, workflow: str, parameters: dict[str, Any], options: dict[str, Any]) -> str:
        """Start an ended workflow again in its workspace, as another one; that one's UUID."""
        data = {"input_parameters": parameters, "operational_options": options, "restart": True}
        path = f"workflows/{workflow}/start"
        return _identity(self.client.json("POST", path, "restart the workflow", data=data, seconds=_LONG))

    def stop(self, workflow: str) -> None:
        """Stop a running workflow."""
        query = [("status", "stop")]
        path = f"workflows/{workflow}/status"
        self.client.json("PUT", path, "stop the workflow", query=query, data={}, again=True)

    def delete(self, workflow: str) -> None:
        """Delete a workflow that does not run, with its workspace."""
        query, data = [("status", "deleted")], {"workspace": True, "all_runs": False}
        path = f"workflows/{workflow}/status"
        self.client.json("PUT", path, "delete the workflow", query=query, data=data, again=True)

    def disk_usage(self, workflow: str) -> int | None:
        """Bytes in a workflow's workspace; None where the server does not say."""
        path, what = f"workflows/{workflow}/disk_usage", "tell the size of the workspace"
        told = values.mapping(self.client.json("GET", path, what, data={"summarize": True}))
        for one in values.items(told.get("disk_usage_info")):
            return values.whole(values.mapping(values.mapping(one).get("size")).get("raw"))
        return None

    def specification(self, workflow: str) -> dict[str, Any]:
        """The document that a workflow was created from."""
        told = self.client.json(
            "GET", f"workflows/{workflow}/specification", "tell the workflow's specification"
        )
        return values.mapping(values.mapping(told).get("specification"))

    def logs(self, workflow: str) -> Logs:
        """All logs of a workflow."""
        told = self.client.json("GET", f"workflows/{workflow}/logs", "give the workflow's logs")
        inner = values.text(values.mapping(told).get("logs"))
        try:
            return values.logs_of(json.loads(inner) if inner else {})
        except ValueError:
            raise ReanaError(f"REANA's logs of the workflow {workflow} are no JSON") from None

    # -- its workspace --

    def upload(self, workflow: str, path: str, size: int, content: Callable[[], Iterator[bytes]]) -> None:
        """Put a file of `size` bytes into the workspace; `content` is read anew for each try.

        The server answers 200 and stores nothing where the length is not told.
        """
        self.client.json(
            "POST",
            f"workflows/{workflow}/workspace",
            f"take the input {path}",
            query=[("file_name", path)],
            content=content,
            headers=_STREAM | {"Content-Length": str(size)},
            again=True,
            seconds=_LONG,
        )

    def files(self, workflow: str, *, most: int) -> Iterator[RemoteFile]:
        """Files of the workspace, at most `most`, without directories."""
        path = f"workflows/{workflow}/workspace"
        pages = self._pages(path, "list the workspace", (), size=FILES_PAGE, most=most // FILES_PAGE + 1)
        listed = map(values.file_of, chain.from_iterable(pages))
        return islice(filter(None, listed), most)

    @contextlib.contextmanager
    def download(self, workflow: str, path: str) -> Generator[httpx.Response]:
        """The content of one file, to be read in pieces."""
        place = f"workflows/{workflow}/workspace/{quote(path)}"
        with self.client.stream(place, f"give the file {path}") as answer:
            yield answer


def _identity(told: Any) -> str:
    identity = values.text(values.mapping(told).get("workflow_id"))
    if not identity:
        raise ReanaError("REANA's answer on a created workflow names none")
    return identity
