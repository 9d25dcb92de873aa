"""What runs left, and comparisons, as programs read them: JSON, OpenMetrics, JUnit, Markdown, and whole.

`report` is the report as the bridge itself holds it, from which every other form can be made again; that is
what `reana-bridge compare --server` asks for.
"""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Result
from reana_bridge.reports import junit, markdown, openmetrics
from reana_bridge.steps.comparing.pair import pair_report
from reana_bridge.steps.reporting import report_of
from reana_bridge.steps.showing import with_own_text
from reana_bridge.web import comparison_shapes, shapes, shaping
from reana_bridge.web.access import open_pair, open_run
from reana_bridge.web.api import ERRORS, bearer
from reana_bridge.web.problems import NotThere
from reana_bridge.web.site import site_of

router = APIRouter(prefix="/api/v1", responses=ERRORS, dependencies=[bearer])
_MARKDOWN = "text/markdown; charset=utf-8"
_REPORT = "application/vnd.reana-bridge.report+json"

MetricsForm = Annotated[Literal["json", "openmetrics"], Query(description="`openmetrics`: as text.")]
ComparisonForm = Annotated[
    Literal["json", "junit", "markdown", "report"],
    Query(description="`junit`: XML; `markdown`: a note's section; `report`: for `reana-bridge compare`."),
]


def _also(*types: str) -> dict[int | str, dict[str, Any]]:
    plain = [kind.partition(";")[0] for kind in types]
    forms = {kind: {"schema": {"type": "object" if kind.endswith("+json") else "string"}} for kind in plain}
    return {200: {"content": forms, "description": "In the form that was asked for."}}


@router.get(
    "/runs/{run_id}/metrics",
    response_model=list[shapes.MetricShape],
    responses=_also(openmetrics.CONTENT_TYPE),
)
def metrics(request: Request, run_id: str, format: MetricsForm = "json") -> Any:
    """The metrics that a run left; as OpenMetrics text for GitLab's `reports:metrics`."""
    with site_of(request).bridge.database.read() as session:
        run = open_run(request, session, run_id, links="ignore").run
        result = from_data(Result, run.result) if run.result else Result()
    if format == "openmetrics":
        return _text(openmetrics.openmetrics(result.metrics), openmetrics.CONTENT_TYPE)
    return [shaping.metric(metric) for metric in result.metrics]


@router.get(
    "/runs/{run_id}/comparison",
    response_model=shapes.ComparisonShape,
    responses=_also(junit.CONTENT_TYPE, _MARKDOWN, _REPORT),
)
def comparison(request: Request, run_id: str, format: ComparisonForm = "json") -> Any:
    """A run's result against its baseline; as JUnit XML for GitLab's `reports:junit`, of failed runs too."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_run(request, session, run_id, links="ignore")
        if format != "json":
            return _formed(request, report_of(site.bridge, session, opened.run), format)
        if opened.comparison is None:
            raise NotThere
        return comparison_shapes.whole(opened.comparison)


@router.get(
    "/compare/{before}/{after}",
    response_model=shapes.ComparisonShape,
    responses=_also(junit.CONTENT_TYPE, _MARKDOWN, _REPORT),
)
def compare(request: Request, before: str, after: str, format: ComparisonForm = "json") -> Any:
    """Any two runs against each other; both must be the caller's to see."""
    with site_of(request).bridge.database.read() as session:
        one, other = open_pair(request, session)
    report = pair_report(site_of(request).bridge, one.run, other.run)
    if format != "json":
        return _formed(request, report, format)
    if report.comparison is None:
        raise NotThere
    return comparison_shapes.pair(one.run, other.run, report.comparison)


def _formed(request: Request, report: Report, format: str) -> Response:
    report = with_own_text(site_of(request).bridge, report)
    if format == "junit":
        return _text(junit.junit(report), junit.CONTENT_TYPE)
    # Without the keys in its addresses: those are for notes alone.
    report = from_data(Report, shaping.without_keys(to_data(report)))
    if format == "markdown":
        return _text(markdown.section(report), _MARKDOWN)
    return _text(json.dumps(to_data(report)), _REPORT)


def _text(content: str, kind: str) -> Response:
    return Response(content.encode("utf-8", "replace"), headers={"content-type": kind})
