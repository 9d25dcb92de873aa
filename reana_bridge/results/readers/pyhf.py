"""pyhf's documents: what `pyhf cls` and `pyhf fit` write, and the yields of a workspace.

CLs_obs, CLs_exp             the band as `CLs_exp.-2sigma` ... `CLs_exp.median` ... `CLs_exp.+2sigma`
mle_parameters, twice_nll    each parameter by its name, one with several values as `name.0`, `name.1`
channels, observations       `CHANNEL.SAMPLE.yield` with its statistical uncertainty, `CHANNEL.observed`
"""

import math

from reana_bridge.results.readers.branches import inner, keys, mappings, numbers, text
from reana_bridge.results.readers.gathering import Gathering
from reana_bridge.results.readers.tree import Branch, Tree

_BAND = ("-2sigma", "-1sigma", "median", "+1sigma", "+2sigma")
_WORKSPACE = {"channels", "observations", "measurements", "version"}
_STATISTICAL = frozenset({"staterror", "shapesys"})  # both list one absolute deviation a bin


def recognises(document: Branch) -> bool:
    """Whether `document` is of pyhf."""
    there = keys(document)
    return there >= _WORKSPACE or "mle_parameters" in there or {"CLs_obs", "CLs_exp"} <= there


def gather(document: Branch, found: Gathering) -> None:
    """Take its results, or its workspace's yields, as metrics."""
    if keys(document) >= _WORKSPACE:
        _workspace(document, found)
        return
    for entry in document:
        if entry.key == "CLs_exp" and len(inner(document, "cls_exp").entries) == len(_BAND):
            for word, level in zip(_BAND, inner(document, "cls_exp"), strict=True):
                found.add(f"CLs_exp.{word}", _bare(level.value))
        elif entry.key == "mle_parameters":
            _parameters(inner(document, "mle_parameters"), found)
        else:
            found.add(entry.key, _bare(entry.value), line=entry.line)


def _bare(value: Tree) -> Tree:
    """The number in a list of one, as pyhf writes a parameter."""
    while isinstance(value, Branch) and value.is_list and len(value.entries) == 1:
        value = value.entries[0].value
    return value


def _parameters(parameters: Branch, found: Gathering) -> None:
    """Each parameter's list: of values, or of values with their uncertainties."""
    for entry in parameters:
        values = [item.value for item in entry.value] if isinstance(entry.value, Branch) else [entry.value]
        for place, value in enumerate(values):
            name = entry.key if len(values) == 1 else f"{entry.key}.{place}"
            pair = numbers(value) if isinstance(value, Branch) else None
            if pair and len(pair) == 2 and pair[1] >= 0:
                found.add(name, pair[0], uncertainty=pair[1] if math.isfinite(pair[1]) else None)
            else:
                found.add(name, _bare(value))


def _workspace(document: Branch, found: Gathering) -> None:
    for observation in mappings(document, "observations"):
        counts = numbers(inner(observation, "data"))
        name = f"{text(observation, 'name')}.observed"
        if counts is None:
            found.complain(name, "has data that are no numbers")
        else:
            found.add(name, sum(counts))
    for channel in mappings(document, "channels"):
        for sample in mappings(channel, "samples"):
            _yield(f"{text(channel, 'name')}.{text(sample, 'name')}.yield", sample, found)


def _yield(name: str, sample: Branch, found: Gathering) -> None:
    bins = numbers(inner(sample, "data"))
    if bins is None:
        found.complain(name, "has data that are no numbers")
        return
    deviations: list[float] = []
    for modifier in mappings(sample, "modifiers"):
        if text(modifier, "type") in _STATISTICAL:
            deviations += numbers(inner(modifier, "data")) or []
    size = math.hypot(*deviations)
    found.add(name, sum(bins), uncertainty=size if deviations and math.isfinite(size) else None)
