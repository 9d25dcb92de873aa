"""The sections of `.reana-bridge.yaml` on metrics: what is known of them, and what may not happen to them."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import (
    Also,
    Finite,
    Fraction,
    MetricGlob,
    NotNegative,
    ParameterName,
    mistake,
)

MAX_RUNS = 500
MAX_SIGMAS = 30

Sigmas = Annotated[float, Field(ge=0, le=MAX_SIGMAS, allow_inf_nan=False)]


def _switch(value: Any) -> Any:
    """`true` stands for the test as it is, `false` for none."""
    if value is True:
        return {}
    return None if value is False else value


class HintSection(Section):
    """What is known of metrics beside their values."""

    unit: Annotated[str, Field(max_length=50)] = Field(
        "", description="The unit, as it is shown beside the value.", examples=["fb"]
    )
    direction: Literal["higher", "lower", "target", "none"] | None = Field(
        None, description="Which way is better: `higher`, `lower`, near a `target`, or `none`."
    )
    target: Finite | None = Field(None, description="The value to come near to.", examples=[1.0])
    description: Annotated[str, Field(max_length=500)] = Field("", description="What it is, in one sentence.")

    @model_validator(mode="after")
    def _one_target(self) -> "HintSection":
        if self.direction == "target" and self.target is None:
            raise mistake("has no `target`", "add `target:` with the value to come near to", at="direction")
        if self.target is not None and self.direction not in (None, "target"):
            raise mistake(
                f"a target makes no sense with `direction: {self.direction}`",
                "remove one of them",
                at="target",
            )
        return self


class HistorySection(Section):
    """How far a metric may be from what the default branch had."""

    test: Literal["t", "z", "mad", "iqr"] = Field(
        "t",
        description="`t` (Student's t, for few runs), `z` (spread taken as known, for many runs), `mad` or "
        "`iqr` (median absolute deviation or interquartile range, which outliers do not move).",
    )
    runs: Annotated[int, Field(ge=4, le=MAX_RUNS)] = Field(
        50, description="How many of the last successful runs on the default branch count."
    )
    minimum_runs: Annotated[int, Field(ge=4, le=MAX_RUNS)] | None = Field(
        None,
        description="With fewer values since the metric last moved it is not judged. "
        "Left out: 8, and 30 for `z`; at most `runs`.",
        examples=[20],
    )
    sigmas: Sigmas = Field(
        3.0, description="The limit, in standard deviations of a normal distribution.", examples=[3]
    )

    @property
    def least_runs(self) -> int:
        """`minimum-runs`, or what stands for it."""
        return self.minimum_runs or min(30 if self.test == "z" else 8, self.runs)

    @model_validator(mode="after")
    def _enough_runs(self) -> "HistorySection":
        if self.minimum_runs is not None and self.minimum_runs > self.runs:
            message = f"is more than the {self.runs} runs that count"
            raise mistake(message, "make it smaller, or `runs` larger", at="minimum-runs")
        return self


class TargetSection(Section):
    """What a metric is to reach."""

    minimum: Finite | None = Field(
        None, description="What it must reach: missing it breaks the rule.", examples=[0.8]
    )
    design: Finite | None = Field(
        None, description="What it should reach: missing it warns.", examples=[0.85]
    )
    stretch: Finite | None = Field(
        None, description="What it could reach: missing it is only told.", examples=[0.9]
    )
    value: Finite | None = Field(
        None,
        description="Where it is to be; then the levels are the largest distances from it. Left out: the "
        "levels are values, and more is better where `stretch` is above `minimum`.",
        examples=[1.0],
    )

    @model_validator(mode="after")
    def _in_order(self) -> "TargetSection":
        given = [
            (name, level)
            for name, level in (("minimum", self.minimum), ("design", self.design), ("stretch", self.stretch))
            if level is not None
        ]
        if not given:
            raise mistake("has no level", "add `minimum`, `design` or `stretch`")
        levels = [level for _, level in given]
        if self.value is not None:
            negative = next((name for name, level in given if level < 0), "")
            if negative:
                raise mistake("is a distance from `value`, and negative", "write it without `-`", at=negative)
            if levels != sorted(levels, reverse=True):
                raise mistake(
                    "levels are distances from `value`: each is smaller than the one before", _ORDER
                )
        elif levels not in (sorted(levels), sorted(levels, reverse=True)):
            raise mistake("its levels neither rise nor fall", _ORDER)
        return self


_ORDER = "order them from `minimum` over `design` to `stretch`, which is the best"


class RuleSection(Section):
    """What may not happen to a metric."""

    metric: MetricGlob = Field(description="The metric's name, or a pattern.", examples=["fit.upper_limit"])
    absolute: NotNegative | None = Field(
        None, description="Largest allowed difference to the baseline, in the metric's unit."
    )
    relative: Fraction | None = Field(
        None, description="Largest allowed difference as a part of the baseline.", examples=["5%", 0.05]
    )
    sigmas: Sigmas | None = Field(
        None,
        description="Largest allowed difference in standard deviations of the metric's own uncertainty.",
        examples=[3],
    )
    correlation: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = Field(
        None,
        description="How the uncertainties of the two sides are correlated, from -1 to 1: 1 for the same "
        "events, 0 for independent samples. It counts for the verdict too. Left out: 0.",
        examples=[0.9],
    )
    history: Annotated[HistorySection | None, BeforeValidator(_switch), Also({"type": "boolean"})] = Field(
        None,
        description="Against the spread of the last runs on the default branch; `true` for the t-test.",
        examples=[{"test": "mad", "sigmas": 4}],
    )
    target: TargetSection | None = Field(
        None,
        description="Levels that it is to reach.",
        examples=[{"minimum": 0.8, "design": 0.85, "stretch": 0.9}],
    )
    minimum: Finite | None = Field(None, description="Lowest allowed value.")
    maximum: Finite | None = Field(None, description="Highest allowed value.")
    where: Annotated[dict[ParameterName, MetricGlob], Field(min_length=1, max_length=20)] | None = Field(
        None,
        description="Only for metrics with these tags, as values or patterns: one data set, say. "
        "Left out: for all.",
        examples=[{"dataset": "2018*"}],
    )
    effect: Literal["block", "warn", "inform"] = Field(
        "warn",
        description="What breaking it does: `block` fails the status, `warn` warns in the report, "
        "`inform` only tells.",
    )

    @model_validator(mode="after")
    def _some_limit(self) -> "RuleSection":
        plain = (self.absolute, self.relative, self.sigmas, self.minimum, self.maximum)
        if all(limit is None for limit in (*plain, self.history, self.target)):
            hint = "add `absolute`, `relative`, `sigmas`, `history`, `minimum`, `maximum` or `target`"
            raise mistake("has no limit, so it can never be broken", hint)
        if self.correlation is not None and self.sigmas is None:
            raise mistake("says nothing without `sigmas`", "add `sigmas`", at="correlation")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise mistake("is below `minimum`", "exchange the two", at="maximum")
        return self
