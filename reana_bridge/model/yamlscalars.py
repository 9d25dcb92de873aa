"""What a plain scalar of a YAML file means: text, number, truth value or nothing.

Two readings. `CORE` is YAML 1.2's core schema, in which only `true` and `false` are truth values and `on` is
a word. `REANA` is how REANA itself reads `reana.yaml` (PyYAML, YAML 1.1): `yes` is true and `1e-3` a text;
dates stay texts, as they do when they are put into a command.
"""

import re
from enum import Enum
from typing import Any

import yaml

Scalar = str | int | float | bool | None

MAX_NUMBER = 300

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAMED: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_PYYAML: Any = yaml.SafeLoader("")
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float")}


class Reading(Enum):
    """Which YAML a file is read as."""

    CORE = "core"
    REANA = "reana"


def value_of(text: str, reading: Reading) -> Scalar:
    """The value of the plain (unquoted) scalar `text`. Numbers above 300 characters stay texts."""
    if len(text) > MAX_NUMBER:
        return text
    return _core(text) if reading is Reading.CORE else _pyyaml(text)


def _core(text: str) -> Scalar:
    if text in _NAMED:
        return _NAMED[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    return text


def _pyyaml(text: str) -> Scalar:
    tag = _PYYAML.resolve(yaml.ScalarNode, text, (True, False))
    if tag not in _TAGS:
        return text
    try:
        return _PYYAML.yaml_constructors[tag](_PYYAML, yaml.ScalarNode(tag, text))
    except (ValueError, OverflowError):  # such as `0b`, which looks like a number to the resolver alone
        return text
