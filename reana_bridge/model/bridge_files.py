"""The section `files` of `.reana-bridge.yaml`: how far artifacts may differ from the baseline's."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.model.bridge_section import Section
from reana_bridge.model.bridge_types import Fraction, MetricGlob, NotNegative, Pattern, mistake
from reana_bridge.model.comparisons import RuleEffect

ADVICE = frozenset({"image", "pdf"})
"""Kinds of files whose difference is shown and never fails a status."""
MAX_PARTS = 100
MAX_IGNORED = 100

Chance = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PartSection(Section):
    """How far apart one part of a file may be."""

    absolute: NotNegative | None = Field(None, description="Largest allowed difference of two numbers.")
    relative: Fraction | None = Field(
        None, description="Largest allowed difference as a part of the baseline.", examples=["1%", 1e-6]
    )
    p_value: Chance | None = Field(
        None, description="Histograms: the smallest chance (p) at which the two still agree."
    )

    @model_validator(mode="after")
    def _some_limit(self) -> "PartSection":
        if self.absolute is None and self.relative is None and self.p_value is None:
            raise mistake("says nothing", "add `absolute`, `relative` or `p-value`")
        return self


class FileSection(Section):
    """How files are compared, and what it means when they differ."""

    path: Pattern = Field(
        description="The file, or a pattern; of several entries that match a file the first one counts.",
        examples=["results/*.csv"],
    )
    kind: Annotated[str, Field(max_length=50)] = Field(
        "",
        description="What it is compared as: `csv`, `json`, `yaml`, `text`, `arrays`, `histograms`, `pyhf`, "
        "`image`, `pdf`, or `bytes` (the checksum alone). Left out: by the file's ending.",
        examples=["text"],
    )
    absolute: NotNegative | None = Field(
        None,
        description="Largest allowed difference of two numbers. Added to `relative` where both are given.",
    )
    relative: Fraction | None = Field(
        None,
        description="Largest allowed difference as a part of the baseline. Left out, with `absolute`: "
        "1e-9 for numbers with a decimal point, none for whole numbers.",
        examples=["1%", 1e-6],
    )
    p_value: Chance | None = Field(
        None,
        description="Histograms: the smallest chance (p) at which the two still agree. "
        "Left out: 0.0027, three sigma.",
    )
    parts: Annotated[dict[MetricGlob, PartSection], Field(max_length=MAX_PARTS)] = Field(
        default_factory=dict,
        description="By part (a column, a key such as `fit.mu`, an array or a histogram; a name or a "
        "pattern): its own limits, over those of the file.",
        examples=[{"mass": {"absolute": 0.1}}],
    )
    ignore: Annotated[list[MetricGlob], Field(max_length=MAX_IGNORED)] = Field(
        default_factory=list[str],
        description="Parts that are not looked at, as names or patterns; of a text: lines.",
        examples=[["*.created", "timestamp"]],
    )
    effect: Literal["block", "warn", "inform"] = Field(
        "warn",
        description="What a file does that differs, is missing or cannot be compared: `block` fails the "
        "status, `warn` warns in the report, `inform` only tells. Pictures are advice and never block.",
    )

    @model_validator(mode="after")
    def _pictures_are_advice(self) -> "FileSection":
        if self.kind in ADVICE and self.effect == "block":
            hint = "write `warn`; to insist on every byte write `kind: bytes`"
            raise mistake(
                f"cannot be `block` for `kind: {self.kind}`: pictures are advice", hint, at="effect"
            )
        return self


def file_rule(section: FileSection) -> FileRule:
    """The rule that an entry of `files` stands for."""
    return FileRule(
        path=section.path,
        kind=section.kind,
        absolute=section.absolute,
        relative=section.relative,
        p_value=section.p_value,
        parts=tuple(
            PartRule(name=name, absolute=part.absolute, relative=part.relative, p_value=part.p_value)
            for name, part in section.parts.items()
        ),
        ignore=tuple(section.ignore),
        effect=RuleEffect(section.effect),
    )
