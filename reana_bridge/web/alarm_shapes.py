"""Alarms of rules, as the API answers with them."""

from pydantic import BaseModel, ConfigDict, Field

from reana_bridge.results.alarms import RuleRecord
from reana_bridge.web.shapes import ProjectName


class RuleRecordShape(BaseModel):
    """What became of the alarms of one rule, over the last runs of its analysis."""

    model_config = ConfigDict(frozen=True)

    project: ProjectName
    analysis: str
    pattern: str = Field(description="The metric or file, or pattern of such, that the rule is on.")
    rule: str = Field(description="Its limit in words.")
    effect: str = Field(description="`block` or `warn`.")
    raised: int = Field(description="Alarms: by metric and merge request (or commit of a branch).")
    accepted: int = Field(description="Those that somebody accepted.")
    vanished: int = Field(description="Those that another run of the same commit did not have.")
    false_share: float = Field(description="The share of alarms that are one or the other, from 0 to 1.")
    noisy: bool = Field(description="Whether so many are false that the rule should be looked at.")
    metrics: list[str] = Field(description="What broke it.")


def record_shape(project: str, analysis: str, record: RuleRecord) -> RuleRecordShape:
    """The record of one rule of an analysis."""
    return RuleRecordShape(
        project=project,
        analysis=analysis,
        pattern=record.rule.pattern,
        rule=record.rule.limit,
        effect=record.rule.effect,
        raised=record.raised,
        accepted=record.accepted,
        vanished=record.vanished,
        false_share=record.share,
        noisy=record.is_noisy,
        metrics=list(record.metrics),
    )
