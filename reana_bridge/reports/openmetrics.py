"""Metrics as OpenMetrics text, which GitLab's own metrics widget and Prometheus read.

https://prometheus.io/docs/specs/om/open_metrics_spec/: each metric is a gauge, its uncertainty another one
with `_uncertainty` at its end; texts are `info` metrics. Names keep letters, digits, `_` and `:`; where that
changes a name, the whole of it stands in the label `metric`, so that no two metrics become one.
"""

import math
import re
from collections.abc import Iterator, Sequence

from reana_bridge.model.metrics import Metric

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_OTHER = re.compile(r"[^a-zA-Z0-9_:]+")
_RESERVED = re.compile(r"_(?:total|created|count|sum|bucket|gcount|gsum|info)$")
_LONGEST = 1_000


def openmetrics(metrics: Sequence[Metric]) -> str:
    """The text of all `metrics`, sorted by name; it ends with `# EOF`."""
    families: dict[str, list[str]] = {}
    heads: dict[str, list[str]] = {}
    for metric in sorted(metrics, key=lambda one: one.name):
        for family, kind, sample in _samples(metric):
            heads.setdefault(family, _head(family, kind, metric.description))
            families.setdefault(family, []).append(sample)
    lines = [
        line for family, samples in families.items() for line in (*heads[family], *dict.fromkeys(samples))
    ]
    return "\n".join([*lines, "# EOF"]) + "\n"


def family_name(name: str) -> str:
    """`name` with the characters that OpenMetrics has, without an ending that means something there."""
    plain = _OTHER.sub("_", name).strip("_") or "metric"
    if plain[0].isdigit():
        plain = f"_{plain}"
    while _RESERVED.search(plain):
        plain = f"{plain}_value"
    return plain


def _samples(metric: Metric) -> Iterator[tuple[str, str, str]]:
    """(family, type, line) of each sample of a metric."""
    family = family_name(metric.name)
    labels = {"metric": metric.name} if family != metric.name else {}
    if metric.unit:
        labels["unit"] = metric.unit
    if isinstance(metric.value, str):
        # A family has one type; texts have families of their own.
        family = f"{family}_text"
        yield family, "info", f"{family}_info{_labelled(labels | {'value': metric.value})} 1"
        return
    yield family, "gauge", f"{family}{_labelled(labels)} {_number(metric.value)}"
    if metric.uncertainty is not None:
        own = f"{family}_uncertainty"
        yield own, "gauge", f"{own}{_labelled(labels)} {_number(metric.uncertainty)}"


def _head(family: str, kind: str, description: str) -> list[str]:
    lines = [f"# TYPE {family} {kind}"]
    return [*lines, f"# HELP {family} {_escaped(description)}"] if description else lines


def _labelled(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    plain = text[:_LONGEST].encode("utf-8", "replace").decode().replace("\r", " ")
    return plain.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float | int | bool) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    return repr(value)
