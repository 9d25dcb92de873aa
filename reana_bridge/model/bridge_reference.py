"""What `.reana-bridge.yaml` may hold: for editors (JSON Schema), the reference, and `did you mean`."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from reana_bridge.model.bridge_schema import SeveralFile, SingleFile


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors and `/schemas/reana-bridge.json`."""
    schema = TypeAdapter(SeveralFile | SingleFile).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": ".reana-bridge.yaml",
        "description": "Which analyses a project has, when they run, what is read, and what is judged.",
        **schema,
    }


@cache
def _definitions() -> dict[str, Any]:
    return json_schema()["$defs"]


def keys_at(path: tuple[str | int, ...], *, several: bool) -> tuple[str, ...]:
    """The keys that may stand in the section at `path`, in a file with or without `analyses`."""
    definitions = _definitions()
    here = [definitions["SeveralFile" if several else "SingleFile"]]
    for part in path:
        here = [deeper for one in here for deeper in _below(one, part, definitions)]
    return tuple(key for one in here for key in one.get("properties", {}))


def documented_keys() -> dict[str, str]:
    """Every key with its description; an analysis' keys as they stand in a file with one analysis.

    Lists are shown by `[]`, free names by `<name>`: `on.push.paths`, `rules[].metric`, `hints.<name>.unit`.
    """
    definitions = _definitions()
    found = {"analyses": definitions["SeveralFile"]["properties"]["analyses"]["description"], "name": ""}
    _document(definitions["SingleFile"], "", definitions, found)
    return found


def _document(
    section: dict[str, Any], prefix: str, definitions: dict[str, Any], found: dict[str, str]
) -> None:
    for key, value in section.get("properties", {}).items():
        found[prefix + key] = value["description"]
        inner = {
            ".": _shapes(value, definitions),
            "[].": _below_value(value, 0, definitions),
            ".<name>.": _below_value(value, "", definitions),
        }
        if any("properties" in shape for shape in inner["[]."]):
            del inner["."]  # one entry may stand alone, without its list
        for mark, shapes in inner.items():
            for shape in shapes:
                _document(shape, prefix + key + mark, definitions, found)


def _below(section: dict[str, Any], part: str | int, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if isinstance(part, str) and part in section.get("properties", {}):
        return _shapes(section["properties"][part], definitions)
    return _below_value(section, part, definitions)


def _below_value(value: dict[str, Any], part: str | int, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    key = "items" if isinstance(part, int) else "additionalProperties"
    inner = [shape[key] for shape in _shapes(value, definitions) if isinstance(shape.get(key), dict)]
    return [shape for one in inner for shape in _shapes(one, definitions)]


def _shapes(schema: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    if "$ref" in schema:
        return _shapes(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return [shape for variant in schema["anyOf"] for shape in _shapes(variant, definitions)]
    return [schema]
