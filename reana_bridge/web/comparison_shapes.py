"""From comparisons to the API's shapes: what is stored of a run's own, and what is made of any two runs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import (
    CheckComparison,
    Comparison,
    FileComparison,
    FilePart,
    Measure,
    MetricComparison,
    RuleOutcome,
    Test,
)
from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.store.tables import ComparisonRow, Run
from reana_bridge.web import shapes
from reana_bridge.web.shaping import finite, metric
from reana_bridge.web.templating import iso

Figures = dict[str, float | int | str | None]


def summary(row: ComparisonRow) -> shapes.ComparisonSummary:
    """A comparison, as lists have it."""
    return shapes.ComparisonSummary(**_stored(row, from_data(Comparison, row.document or {})))


def whole(row: ComparisonRow) -> shapes.ComparisonShape:
    """A run's own comparison with its rows."""
    document = from_data(Comparison, row.document or {})
    return _shape(_stored(row, document), document, f"/runs/{row.run_id}/pictures")


def pair(before: Run, after: Run, document: Comparison) -> shapes.ComparisonShape:
    """The comparison of any two runs."""
    values = {
        "id": f"{before.id}-{after.id}",
        "run_id": after.id,
        "baseline_run_id": before.id,
        "blocked": document.blocked,
        "url": f"/compare/{before.id}/{after.id}",
        **_summary(document, document.made_at),
    }
    return _shape(values, document, f"{values['url']}/pictures")


def _stored(row: ComparisonRow, document: Comparison) -> dict[str, Any]:
    return {
        "id": row.id,
        "run_id": row.run_id,
        "baseline_run_id": row.baseline_run_id,
        "blocked": row.blocked,
        "url": f"/comparisons/{row.id}",
        **_summary(document, row.made_at),
    }


def _summary(document: Comparison, made_at: float) -> dict[str, Any]:
    return {
        "interim": document.interim,
        "made_at": iso(made_at),
        "no_baseline": document.no_baseline,
        "verdicts": dict(Counter(str(one.verdict) for one in document.metrics)),
    }


def _shape(values: dict[str, Any], document: Comparison, place: str) -> shapes.ComparisonShape:
    """The comparison; `place` is the path below which its pictures are."""
    base = document.baseline
    return shapes.ComparisonShape(
        **values,
        baseline=shapes.BaselineShape(
            run_id=base.run_id,
            sha=base.sha,
            branch=base.branch,
            reason=str(base.reason),
            distance=base.distance,
            ahead=base.ahead,
            ended_at=iso(base.ended_at),
        )
        if base
        else None,
        metrics=[_metric(one, place) for one in document.metrics],
        files=[_file(one, place) for one in document.files],
        contents={path: _content(one, place) for path, one in document.contents.items()},
        checks=[_check(one) for one in document.checks],
        drift=list(document.drift),
        tests=document.tests,
        false_discovery=document.false_discovery,
    )


def _metric(one: MetricComparison, place: str) -> shapes.MetricComparisonShape:
    return shapes.MetricComparisonShape(
        name=one.name,
        verdict=str(one.verdict),
        explanation=one.explanation,
        baseline=metric(one.baseline) if one.baseline else None,
        head=metric(one.head) if one.head else None,
        difference=finite(one.difference),
        relative=finite(one.relative),
        sigmas=finite(one.sigmas),
        rules=[_rule(rule) for rule in one.rules],
        test=_test(one.test),
        pictures=_pictures(one.pictures, place),
    )


def _rule(outcome: RuleOutcome) -> shapes.RuleShape:
    accepted = outcome.accepted
    return shapes.RuleShape(
        rule=outcome.rule,
        effect=str(outcome.effect),
        broken=outcome.broken,
        explanation=outcome.explanation,
        proposed=outcome.proposed,
        accepted_by=accepted.by if accepted else "",
        accepted_reason=accepted.reason if accepted else "",
        test=_test(outcome.test),
    )


def _test(test: Test | None) -> shapes.TestShape | None:
    if test is None:
        return None
    return shapes.TestShape(
        name=test.name,
        version=test.version,
        statistic=finite(test.statistic),
        p_value=finite(test.p_value),
        limit=finite(test.limit),
        sample=[finite(value) for value in test.sample],
        correlation=finite(test.correlation),
        significant=test.significant,
        explanation=test.explanation,
    )


def _file(one: FileComparison, place: str) -> shapes.FileComparisonShape:
    return shapes.FileComparisonShape(
        path=one.path,
        verdict=str(one.verdict),
        baseline_digest=one.baseline_digest,
        head_digest=one.head_digest,
        kind=one.kind,
        explanation=one.explanation,
        figures=_figures(one.measures),
        parts=[_part(part, place) for part in one.parts],
        rules=[_rule(rule) for rule in one.rules],
        pictures=_pictures(one.pictures, place),
    )


def _content(one: DrawnFile, place: str) -> shapes.ContentShape:
    return shapes.ContentShape(pictures=_pictures(one.pictures, place), cut=one.cut, problem=one.problem)


def _pictures(pictures: Sequence[Picture], place: str) -> list[shapes.PictureShape]:
    return [
        shapes.PictureShape(shows=one.shows, title=one.title, url=f"{place}/{one.digest}") for one in pictures
    ]


def _part(part: FilePart, place: str) -> shapes.FilePartShape:
    return shapes.FilePartShape(
        name=part.name,
        verdict=str(part.verdict),
        explanation=part.explanation,
        figures=_figures(part.measures),
        pictures=_pictures(part.pictures, place),
    )


def _figures(measures: Sequence[Measure]) -> Figures:
    return {one.name: finite(one.value) if isinstance(one.value, float) else one.value for one in measures}


def _check(one: CheckComparison) -> shapes.CheckShape:
    return shapes.CheckShape(
        name=one.name,
        source=one.source,
        baseline=str(one.baseline) if one.baseline else None,
        head=str(one.head) if one.head else None,
        message=one.message,
    )
