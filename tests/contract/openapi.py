"""Holds requests and answers to a Swagger 2.0 description: `Contract` says what does not fit.

    contract = Contract(described("released"))
    contract.watch(reana)          # a FakeReana: from now on every request to it and every answer of it
    ...
    assert contract.problems == []

What the description leaves out and the real server does all the same stands in `UNDECLARED`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import jsonschema

from reana_bridge.testing.reana import FakeReana
from reana_bridge.testing.reana.app import Exchange

# Statuses that a real server answers where the description does not say so.
UNDECLARED = {
    401: "no token: the released description knows it for few operations",
    403: "a wrong token, likewise",
    404: "an unknown path or workflow",
    405: "a method that there is not",
    429: "too many requests: no released operation declares it",
}

_TYPES = {"string": str, "integer": int, "boolean": bool, "number": float}


def converted(schema: Any, definitions: dict[str, Any]) -> Any:
    """A Swagger 2.0 schema as JSON Schema: `x-nullable` means null too, references are put in."""
    if isinstance(schema, list):
        return [converted(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return converted(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    made = {key: converted(value, definitions) for key, value in schema.items() if key != "x-nullable"}
    if schema.get("x-nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: dict[str, Any]
    definitions: dict[str, Any]

    @property
    def name(self) -> str:
        return self.told["operationId"]

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is for this operation; the last parameter of a path may hold slashes."""
        mine, theirs = self.path.strip("/").split("/"), path.strip("/").split("/")
        if self.method != method or len(theirs) < len(mine):
            return False
        if len(theirs) > len(mine) and mine[-1] != "{file_name}":
            return False
        return all(part.startswith("{") or part == their for part, their in zip(mine, theirs, strict=False))

    def parameters(self, place: str) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.told.get("parameters", []) if one["in"] == place}

    @cached_property
    def body(self) -> dict[str, Any] | None:
        return next(iter(self.parameters("body").values()), None)

    def schema(self, schema: Any) -> Any:
        return converted(schema, self.definitions)


class Description:
    """A Swagger 2.0 document."""

    def __init__(self, document: dict[str, Any]) -> None:
        definitions = document.get("definitions", {})
        self.bearer = "BearerAuth" in document.get("securityDefinitions", {})
        self.operations = [
            Operation(method.upper(), path, told, definitions)
            for path, methods in document["paths"].items()
            for method, told in methods.items()
        ]

    def operation(self, method: str, path: str) -> Operation | None:
        """What a request is for. A path without parameters goes before one with them."""
        found = [one for one in self.operations if one.fits(method, path)]
        return min(found, key=lambda one: (one.path.count("{"), -len(one.path)), default=None)


@dataclass
class Contract:
    """Watches a fake; `problems` are what did not fit, `seen` the operations that were used."""

    description: Description
    problems: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def watch(self, reana: FakeReana) -> "Contract":
        """Check everything from now on."""
        reana.application.witness = self.check
        return self

    def check(self, exchange: Exchange) -> None:
        """Hold one request and its answer to the description."""
        call = exchange.call
        operation = self.description.operation(call.method, unquote(call.path))
        answered = exchange.answer.status if exchange.answer else 0
        if operation is None:
            if answered not in {404, 405}:
                self.problems.append(f"{call.method} {exchange.path}: no such operation")
            return
        self.seen.add(operation.name)
        said = [*self._request(operation, exchange)] if answered < 400 else []
        if exchange.answer is not None:
            said += self._answer(operation, exchange)
        self.problems += [f"{operation.name} ({answered}): {one}" for one in said]

    # -- requests --

    def _request(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        call = exchange.call
        known = operation.parameters("query")
        for name, value in exchange.pairs:
            if name not in known:
                yield f"the query has `{name}`, which is not described"
            else:
                yield from _value(known[name], name, value)
        given = {name for name, _ in exchange.pairs}
        for name, told in known.items():
            if told.get("required") and name not in given:
                yield f"the query lacks `{name}`"
        if self.description.bearer and operation.told.get("security") != []:
            if not call.headers.get("authorization", "").startswith("Bearer "):
                yield "there is no bearer token"
        elif "access_token" in known and "access_token" not in given:
            yield "there is no token"
        yield from self._body(operation, exchange)

    def _body(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        call, kind = exchange.call, exchange.call.headers.get("content-type", "").partition(";")[0]
        form = operation.parameters("formData")
        if kind == "application/octet-stream" and "content-length" not in call.headers:
            yield "the body has no length: the real server stores nothing of it"
        elif not call.body and kind != "application/octet-stream":
            if form or (operation.body or {}).get("required"):
                yield "the body is missing"
            return
        consumed = operation.told.get("consumes") or ["application/json"]
        if kind not in consumed:
            yield f"the body is {kind or 'of no type'}, not one of {consumed}"
        elif form:
            for name, told in form.items():
                if told.get("required") and f'name="{name}"'.encode() not in call.body:
                    yield f"the form lacks `{name}`"
        elif operation.body is None:
            yield "there is a body, and none is described"
        elif kind == "application/json":
            yield from _schema(operation.schema(operation.body["schema"]), json.loads(call.body), "the body")

    # -- answers --

    def _answer(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        answer = exchange.answer
        assert answer is not None
        told = operation.told["responses"].get(str(answer.status))
        if told is None:
            if answer.status not in UNDECLARED:
                yield f"the status {answer.status} is not described"
            told = {"schema": {"type": "object", "required": ["message"]}}
        schema = operation.schema(told.get("schema", {}))
        if schema.get("type") == "file" or answer.file is not None or isinstance(answer.value, bytes):
            kind = answer.headers.get("Content-Type", "")
            if not any(_kind_fits(kind, one) for one in operation.told.get("produces", [])):
                yield f"the answer is {kind}, not one of {operation.told.get('produces')}"
            if schema.get("type") not in {"file", None}:
                yield "the answer is a file, and an object is described"
            return
        yield from _schema(schema, answer.value, "the answer")


def _kind_fits(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith("/*") and kind.startswith(pattern[:-1]))


def _schema(schema: Any, value: Any, what: str) -> Iterator[str]:
    for error in jsonschema.Draft4Validator(schema).iter_errors(value):
        path = "/".join(str(part) for part in error.absolute_path)
        yield f"{what}{f' at {path}' if path else ''}: {error.message}"


def _value(told: dict[str, Any], name: str, value: str) -> Iterator[str]:
    kind = told["items"]["type"] if told["type"] == "array" else told["type"]
    try:
        if kind == "boolean" and value.lower() not in {"true", "false"}:
            raise ValueError(value)
        _TYPES[kind](value)
    except ValueError:
        yield f"the query's `{name}` is `{value}`, not of type {kind}"
    if value not in told.get("enum", [value]):
        yield f"the query's `{name}` is `{value}`, not one of {told['enum']}"
