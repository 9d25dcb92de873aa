"""What callers send to the API, checked as it comes in."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NewPause(BaseModel):
    """What to stop, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "backend", "name": "reana", "reason": "maintenance until Tuesday"}]
        },
    )

    kind: Literal["forge", "backend", "project"]
    name: str = Field(max_length=500)
    reason: str = Field(max_length=500, description="One line that everyone reads.")


class NewRun(BaseModel):
    """What to run."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"project": "gitlab-cern:atlas/ttbar", "ref": "refs/heads/main", "analysis": "fit"}]
        },
    )

    project: str = Field(max_length=500)
    ref: str | None = Field(None, max_length=500, description="A branch or tag, full or short.")
    sha: str | None = Field(None, pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$", description="A commit.")
    analysis: str | None = Field(None, max_length=200, description="One analysis; none for all.")
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=200)


class Rerun(BaseModel):
    """How to run it again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"from_step": "fit", "parameters": {"toys": 2000}}]},
    )

    from_step: str = Field(
        "",
        max_length=200,
        description="The first step that runs, in the workspace of the ended run; empty to begin anew.",
    )
    parameters: dict[str, str | int | float | bool] = Field(
        default_factory=dict, max_length=200, description="Over those of the run."
    )
