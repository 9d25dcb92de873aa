"""`.reana-bridge.yaml` to a `ProjectFile`, or all its mistakes with line, key and what to write instead.

A file names its analyses under `analyses`, or is itself one analysis (`analysis` unless it says `name`).
Without the file, `reana.yaml` alone is one analysis of that same name, run on pushes to the default branch
and on merge requests.
"""

from pydantic import ValidationError

from reana_bridge.model.analyses import (
    Analysis,
    BaselinePlace,
    BaselineWish,
    HistoryLimit,
    HistoryTest,
    MetricHint,
    MetricsFile,
    NoteWhen,
    OnMergeRequest,
    OnPush,
    OnSchedule,
    ProjectFile,
    Rule,
    Target,
    Triggers,
)
from reana_bridge.model.bridge_baseline import BaselineSection
from reana_bridge.model.bridge_files import file_rule
from reana_bridge.model.bridge_metrics import MetricsSection
from reana_bridge.model.bridge_problems import explain
from reana_bridge.model.bridge_reference import documented_keys, json_schema
from reana_bridge.model.bridge_rules import HintSection, RuleSection
from reana_bridge.model.bridge_schema import (
    AnalysisSection,
    NoteChoice,
    OnSection,
    SeveralFile,
    SingleFile,
)
from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.findings import MAX_PROBLEMS, Findings
from reana_bridge.model.metrics import Direction
from reana_bridge.model.yamlfile import load

__all__ = ["DEFAULT_TRIGGERS", "FILE", "default_project_file", "documented_keys", "json_schema", "parse"]

FILE = ".reana-bridge.yaml"
DEFAULT_NAME = "analysis"
DEFAULT_TRIGGERS = Triggers(push=OnPush(), merge_request=OnMergeRequest())


def default_project_file(file: str = "reana.yaml") -> ProjectFile:
    """What a repository with nothing but a `reana.yaml` means.

    Args:
        file: The specification, relative to the repository.
    """
    return ProjectFile(analyses=(Analysis(name=DEFAULT_NAME, file=file, on=DEFAULT_TRIGGERS),))


def parse(text: bytes | str, *, file: str = FILE) -> ProjectFile:
    """The project file in `text`.

    Args:
        text: The file's content.
        file: Its path inside the repository, for messages.

    Raises:
        ConfigurationError: It is wrong; all errors that were found, by line.
    """
    document = load(text, file=file)
    several = "analyses" in document.data
    try:
        if several:
            return _several(SeveralFile.model_validate(document.data))
        return _single(SingleFile.model_validate(document.data))
    except ValidationError as error:
        findings = Findings(document)
        for details in error.errors(include_url=False)[:MAX_PROBLEMS]:
            explain(findings, details, several=several)
        findings.warnings()
        raise


def _single(section: SingleFile) -> ProjectFile:
    analysis = _analysis(section.name, section)
    return ProjectFile(analyses=(analysis,), cancel_superseded=section.cancel_superseded)


def _several(section: SeveralFile) -> ProjectFile:
    for_all = section.cancel_superseded
    analyses = tuple(
        _analysis(name, analysis, cancel=for_all, note=section.note)
        for name, analysis in section.analyses.items()
    )
    return ProjectFile(analyses=analyses, cancel_superseded=for_all)


def _analysis(
    name: str, section: AnalysisSection, *, cancel: bool | None = None, note: NoteChoice | None = None
) -> Analysis:
    own = section.cancel_superseded
    own_note = section.note or note
    return Analysis(
        name=name,
        file=section.file,
        on=_triggers(section.on) if section.on else DEFAULT_TRIGGERS,
        parameters=section.parameters,
        backend=section.backend,
        timeout=section.timeout,
        network=section.network,
        priority=section.priority,
        metrics=tuple(_metrics(entry) for entry in section.metrics),
        artifacts=tuple(section.artifacts or ()),
        hints=tuple(_hint(metric, hint) for metric, hint in section.hints.items()),
        rules=tuple(_rule(rule) for rule in section.rules),
        files=tuple(file_rule(rule) for rule in section.files),
        cancel_superseded=cancel if own is None else own,
        note=NoteWhen(own_note) if own_note else None,
        baseline=_baseline(section.baseline) if section.baseline else BaselineWish(),
        checks=RuleEffect(section.checks),
    )


def _metrics(section: MetricsSection) -> MetricsFile:
    return MetricsFile(
        path=section.path or "",
        format=section.format,
        prefix=section.prefix,
        log=section.log,
        pattern=section.pattern,
        name=section.name,
    )


def _triggers(section: OnSection) -> Triggers:
    push, merge = section.push, section.merge_request
    return Triggers(
        push=push
        and OnPush(
            branches=None if push.branches is None else tuple(push.branches),
            paths=tuple(push.paths or ()),
            paths_ignore=tuple(push.paths_ignore or ()),
        ),
        merge_request=merge
        and OnMergeRequest(
            branches=tuple(merge.branches or ()),
            labels=tuple(merge.labels or ()),
            drafts=merge.drafts,
            paths=tuple(merge.paths or ()),
            paths_ignore=tuple(merge.paths_ignore or ()),
        ),
        tags=None if section.tag is None else tuple(section.tag),
        schedules=tuple(
            OnSchedule(cron=entry.cron, timezone=entry.timezone, parameters=entry.parameters)
            for entry in section.schedule
        ),
        comment=section.comment,
        manual=section.manual,
    )


def _baseline(section: BaselineSection) -> BaselineWish:
    return BaselineWish(
        places=tuple(BaselinePlace(place) for place in section.places),
        tag=section.tag,
        run=section.run,
        rolling=section.rolling,
        run_missing=section.missing == "run",
    )


def _hint(metric: str, section: HintSection) -> MetricHint:
    direction = Direction(section.direction) if section.direction else None
    return MetricHint(
        name=metric,
        unit=section.unit,
        direction=Direction.TARGET if section.target is not None else direction,
        target=section.target,
        description=section.description,
    )


def _rule(section: RuleSection) -> Rule:
    history, target = section.history, section.target
    return Rule(
        metric=section.metric,
        absolute=section.absolute,
        relative=section.relative,
        sigmas=section.sigmas,
        minimum=section.minimum,
        maximum=section.maximum,
        effect=RuleEffect(section.effect),
        correlation=section.correlation or 0.0,
        history=history
        and HistoryLimit(
            test=HistoryTest(history.test),
            runs=history.runs,
            minimum_runs=history.least_runs,
            sigmas=history.sigmas,
        ),
        target=target
        and Target(minimum=target.minimum, design=target.design, stretch=target.stretch, value=target.value),
        where=section.where or {},
    )
