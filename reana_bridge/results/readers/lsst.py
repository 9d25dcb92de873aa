"""lsst.verify's job documents: measurements with the metrics' definitions, and specifications as checks.

https://sqr-019.lsst.io: a metric is apart from its specifications, each of which has an operator, a value and
a level as tag (minimum, design, stretch). A specification without a measurement is skipped, not failed.
"""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

from reana_bridge.model.readings import Check, CheckState
from reana_bridge.results.readers.branches import inner, keys, mappings, number, text
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TAGS,
    MAX_UNIT,
    Gathering,
)
from reana_bridge.results.readers.tree import Branch

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "=": operator.eq,
        "!=": operator.ne,
    }
)


def recognises(document: Branch) -> bool:
    """Whether `document` is a job of lsst.verify."""
    return {"measurements", "metrics", "specs"} <= keys(document) and inner(document, "measurements").is_list


def gather(document: Branch, found: Gathering) -> None:
    """Take its measurements as metrics, and its specifications as checks."""
    defined = {text(metric, "name"): metric for metric in mappings(document, "metrics")}
    measured: dict[str, Branch] = {}
    for measurement in mappings(document, "measurements"):
        name = text(measurement, "metric")
        measured.setdefault(name, measurement)
        _measurement(name, measurement, defined.get(name, Branch()), found)
    for specification in mappings(document, "specs"):
        _specification(specification, measured, found)


def _measurement(name: str, measurement: Branch, metric: Branch, found: Gathering) -> None:
    tags = [entry.value for entry in inner(metric, "tags")][:MAX_TAGS]
    found.add(
        name,
        number(measurement, "value"),
        unit=one_line(text(measurement, "unit") or text(metric, "unit"), MAX_UNIT),
        description=one_line(text(metric, "description"), MAX_DESCRIPTION),
        tags={one_line(tag, MAX_UNIT): "" for tag in tags if isinstance(tag, str)},
    )


def _specification(specification: Branch, measured: Mapping[str, Branch], found: Gathering) -> None:
    name = text(specification, "name")
    threshold = inner(specification, "threshold")
    word, limit, unit = text(threshold, "operator"), number(threshold, "value"), text(threshold, "unit")
    metric = next((known for known in measured if name.startswith(f"{known}.")), name.rpartition(".")[0])
    value = number(measured.get(metric, Branch()), "value")
    compare = _OPERATORS.get(word)
    wanted = f"{metric} {word} {limit} {unit}".rstrip()
    if compare is None or limit is None:
        state, message = CheckState.ERROR, "has no threshold that is understood"
    elif value is None:
        state, message = CheckState.SKIPPED, f"not measured: {wanted}"
    elif unit != text(measured[metric], "unit"):
        state = CheckState.ERROR
        message = f"measured in `{text(measured[metric], 'unit')}`, but specified in `{unit}`"
    else:
        state = CheckState.PASSED if compare(value, limit) else CheckState.FAILED
        message = "" if state is CheckState.PASSED else f"{value} {unit}, but wanted {wanted}"
    name, message = one_line(name, MAX_NAME), one_line(message, MAX_DESCRIPTION)
    found.check(Check(name=name, state=state, message=message, source=found.source))
