"""The section `baseline` of `.reana-bridge.yaml`: what a result is compared with."""

from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, model_validator

from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import Also, Glob, mistake

PlaceName = Literal["merge-base", "ancestor", "target", "tag", "pinned", "rolling"]

_PLACES: tuple[str, ...] = ("merge-base", "ancestor", "target", "tag", "pinned", "rolling")


def baseline_section(value: Any) -> Any:
    """One place, or a list of places, stands for the section with nothing else said."""
    if isinstance(value, str):
        return {"places": [value]}
    return {"places": cast("list[Any]", value)} if isinstance(value, list) else value


class BaselineSection(Section):
    """What a result is compared with."""

    places: Annotated[list[PlaceName], Field(min_length=1, max_length=len(_PLACES))] = Field(
        default_factory=lambda: cast("list[PlaceName]", ["merge-base", "ancestor", "target"]),
        description="Where a baseline is looked for, the best first: `merge-base` (on the default branch the "
        "first parent), its nearest `ancestor` with a result, the tip of the `target` branch, the newest "
        "`tag`, the `pinned` run, or `rolling`, the medians of the last runs.",
        examples=[["tag", "merge-base"]],
    )
    tag: Glob = Field("**", description="Which tags count, for the place `tag`.", examples=["v*"])
    run: Annotated[str, Field(max_length=100)] = Field(
        "", description="The run's id, for the place `pinned`.", examples=["r-2f81"]
    )
    rolling: Annotated[int, Field(ge=2, le=200)] = Field(
        10, description="How many of the last runs, for the place `rolling`."
    )
    missing: Literal["report", "run"] = Field(
        "report",
        description="What happens where a merge request has no baseline: `report` says so, `run` runs the "
        "merge-base first.",
    )

    @model_validator(mode="after")
    def _names_its_run(self) -> "BaselineSection":
        if "pinned" in self.places and not self.run:
            raise mistake("has the place `pinned`, but names no run", "add `run:` with its id", at="places")
        if len(set(self.places)) < len(self.places):
            raise mistake("names a place twice", "name each place once", at="places")
        return self


Baseline = Annotated[
    BaselineSection,
    BeforeValidator(baseline_section),
    Also(
        {"type": "string", "enum": list(_PLACES)},
        {"type": "array", "items": {"type": "string", "enum": list(_PLACES)}},
    ),
]
