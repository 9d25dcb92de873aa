"""The sections of `.reana-bridge.yaml` on metrics: what is known of them, and what may not happen to them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import Finite, Fraction, MetricGlob, NotNegative, mistake


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


class RuleSection(Section):
    """What may not happen to a metric."""

    metric: MetricGlob = Field(description="The metric's name, or a pattern.", examples=["fit.upper_limit"])
    absolute: NotNegative | None = Field(
        None, description="Largest allowed difference to the baseline, in the metric's unit."
    )
    relative: Fraction | None = Field(
        None, description="Largest allowed difference as a part of the baseline.", examples=["5%", 0.05]
    )
    sigmas: NotNegative | None = Field(
        None, description="Largest allowed difference in combined standard deviations.", examples=[3]
    )
    minimum: Finite | None = Field(None, description="Lowest allowed value.")
    maximum: Finite | None = Field(None, description="Highest allowed value.")
    effect: Literal["block", "warn", "inform"] = Field(
        "warn",
        description="What breaking it does: `block` fails the status, `warn` warns in the report, "
        "`inform` only tells.",
    )

    @model_validator(mode="after")
    def _some_limit(self) -> "RuleSection":
        limits = (self.absolute, self.relative, self.sigmas, self.minimum, self.maximum)
        if all(limit is None for limit in limits):
            hint = "add `absolute`, `relative`, `sigmas`, `minimum` or `maximum`"
            raise mistake("has no limit, so it can never be broken", hint)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise mistake("is below `minimum`", "exchange the two", at="maximum")
        return self
