"""What is wrong with a value of `.reana-bridge.yaml`, in words, and what to write instead."""

import re
from typing import Any

from pydantic_core import ErrorDetails

from reana_bridge.model.bridge_reference import keys_at
from reana_bridge.model.findings import Findings, kind_of
from reana_bridge.model.suggestions import did_you_mean, one_of
from reana_bridge.model.yamlfile import Document, Path


def explain(findings: Findings, details: ErrorDetails, *, several: bool) -> None:
    """Record what the model says of one value as a problem at the place where it stands in the file.

    Args:
        findings: The document and its problems so far.
        details: What the model says.
        several: Whether the file has `analyses`.
    """
    context = details.get("ctx", {})
    path = _in_file(findings.document, details["loc"])
    kind, value = details["type"], details["input"]
    if kind == "extra_forbidden":
        findings.error(path, "is not known", _meant(details["loc"], several=several))
    elif kind == "bridge":
        at = context["at"]
        findings.error((*path, at) if at else path, context["message"], context["hint"])
    elif kind == "literal_error":
        words = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        hint = (did_you_mean(value, words) if isinstance(value, str) else "") or one_of(words)
        findings.error(path, f"must be one of its words, not {kind_of(value)}", hint)
    elif kind == "missing":
        findings.error((*path, str(details["loc"][-1])), "is missing", "add it")
    else:
        message, hint = _message(kind, context, value)
        if path[-1:] == ("on",):
            hint = "write a trigger below it, such as `push: true`"
        findings.error(path, message, hint)


_EXPECTED = {
    "string_type": ("a text", "put it in quotes"),
    "int_type": ("a whole number", "write it without quotes"),
    "int_from_float": ("a whole number", "write it without a decimal point"),
    "float_type": ("a number", "write it without quotes"),
    "finite_number": ("a finite number", "leave the key out where there is no limit"),
    "bool_type": ("`true` or `false`", "write `true` or `false`"),
    "list_type": ("a list", "write one `- ` line for each entry"),
    "dict_type": ("keys with values", "write lines such as `key: value` below it"),
    "model_type": ("keys with values", "write lines such as `key: value` below it"),
    "model_attributes_type": ("keys with values", "write lines such as `key: value` below it"),
}


def _message(kind: str, context: dict[str, Any], value: Any) -> tuple[str, str]:
    if kind in _EXPECTED:
        expected, hint = _EXPECTED[kind]
        if kind in ("int_type", "float_type") and not _is_quoted_number(value):
            hint = f"write {expected}, such as `10`"
        return f"must be {expected}, not {kind_of(value)}", hint
    if kind == "too_short":
        return "is empty", "leave the key out, or name at least one"
    if kind in ("too_long", "string_too_long"):
        what = "characters" if kind == "string_too_long" else "entries"
        return f"has more than {context['max_length']} {what}", "make it shorter"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']:g}, not {kind_of(value)}", "write a larger number"
    if kind == "less_than_equal":
        return f"must be at most {context['le']:g}, not {kind_of(value)}", "write a smaller number"
    return f"cannot be used ({kind})", ""


def _is_quoted_number(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9][0-9.eE+-]*\s*", value) is not None


def _in_file(document: Document, location: tuple[str | int, ...]) -> Path:
    """Where a checked value stands: short forms have fewer levels than the full ones that were checked."""
    path: tuple[str | int, ...] = ()
    for part in location:
        if len(document.known((*path, part))) == len(path) + 1:
            path = (*path, part)
    return path


def _meant(location: tuple[str | int, ...], *, several: bool) -> str:
    key, above = str(location[-1]), location[:-1]
    known = keys_at(above, several=several)
    if several and not above and key in keys_at((), several=False):
        return "move it below an analysis, such as `analyses.fit`"
    if not several and not above:
        known = (*known, "analyses")
    return did_you_mean(key, known) or (one_of(known) if 0 < len(known) <= 8 else "")
