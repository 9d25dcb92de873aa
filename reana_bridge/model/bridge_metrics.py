"""The section `metrics` of `.reana-bridge.yaml`: where metrics are read from, and how."""

import re
from typing import Annotated

from pydantic import Field, model_validator

from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import Pattern, Text, mistake

MAX_PATTERN = 500


class MetricsSection(Section):
    """A file, a folder or a step's log with metrics."""

    path: Pattern | None = Field(
        None, description="The file or folder, or a pattern.", examples=["results/metrics.json"]
    )
    format: str = Field(
        "",
        description="Its format, such as `json`, `csv`, `mlflow` or `root`. Left out: by the name's ending.",
        max_length=50,
    )
    prefix: Text = Field("", description="Put before the name of each of its metrics.", examples=["fit."])
    log: Annotated[str, Field(max_length=200)] = Field(
        "",
        description="Instead of `path`: the step whose log is read by `pattern`; `*` for all steps.",
        examples=["fit"],
    )
    pattern: Annotated[str, Field(max_length=MAX_PATTERN)] = Field(
        "",
        description="A regular expression of Python that finds metrics in the text. A named group is a "
        "metric; or the groups are `value` and perhaps `name`, `uncertainty`, `up`, `down` and `unit`.",
        examples=["nsig = (?P<value>[-+0-9.eE]+)"],
    )
    name: Text = Field(
        "",
        description="The metric's name for a pattern with a group `value` and none called `name`. "
        "Left out: the name of the step, or of the file without its ending.",
        examples=["nsig"],
    )

    @model_validator(mode="after")
    def _one_place(self) -> "MetricsSection":
        if self.path is None and not self.log:
            hint = "name a file or folder, or a step's `log:` with a `pattern:`"
            raise mistake("is missing", hint, at="path")
        if self.path is not None and self.log:
            raise mistake("stands beside `path`", "write two entries, one for each", at="log")
        if self.log and not self.pattern:
            raise mistake(
                "has a `log` but no `pattern`", "add `pattern:` with a regular expression", at="log"
            )
        if self.pattern and self.format:
            raise mistake("has a `format` beside a `pattern`", "remove one of them", at="format")
        if self.name and not self.pattern:
            raise mistake("has a `name` but no `pattern`", "remove it, or add `pattern:`", at="name")
        if self.pattern:
            _check(self.pattern)
        return self


def _check(pattern: str) -> None:
    try:
        groups = re.compile(pattern, re.MULTILINE).groupindex
    except (re.error, RecursionError, OverflowError) as error:
        raise mistake(f"is no regular expression: {error}", "correct it", at="pattern") from None
    if not groups:
        hint = "write `(?P<value>...)`, or `(?P<nsig>...)` for the metric `nsig`"
        raise mistake("has no named group, so it finds no value", hint, at="pattern")
