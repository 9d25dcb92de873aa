"""What programs get: OpenMetrics text by Prometheus' own parser, JUnit XML by a parser of XML."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reana_bridge.model.metrics import Metric
from reana_bridge.reports.junit import junit
from reana_bridge.reports.openmetrics import family_name, openmetrics
from tests.reports.rich import SAMPLES as RICH_SAMPLES
from tests.reports.samples import HOSTILE, SAMPLES, failed
from tests.reports.test_escape import NASTY

SAMPLES = SAMPLES | RICH_SAMPLES


def parsed(*metrics):
    families = text_string_to_metric_families(openmetrics(metrics))
    return [(one.name, one.labels, one.value) for family in families for one in family.samples]


@pytest.mark.parametrize(
    ("metric", "samples"),
    [
        (Metric(name="fit:mu", value=1.02), [("fit:mu", {}, 1.02)]),
        (Metric(name="n", value=125000), [("n", {}, 125000.0)]),
        (Metric(name="ok", value=True), [("ok", {}, 1.0)]),
        (Metric(name="nan", value=-math.inf), [("nan", {}, -math.inf)]),
        (
            Metric(name="upper limit (95 % CL)", value=4.2, uncertainty=0.1, unit="fb"),
            [
                ("upper_limit_95_CL", {"metric": "upper limit (95 % CL)", "unit": "fb"}, 4.2),
                ("upper_limit_95_CL_uncertainty", {"metric": "upper limit (95 % CL)", "unit": "fb"}, 0.1),
            ],
        ),
        (Metric(name="gen", value='py"th\n8\\'), [("gen_text_info", {"value": 'py"th\n8\\'}, 1.0)]),
        (Metric(name="7_n_total", value=1), [("_7_n_total_value", {"metric": "7_n_total"}, 1.0)]),
        (Metric(name="\u03bc", value=1), [("metric", {"metric": "\u03bc"}, 1.0)]),
    ],
)  # fmt: skip
def test_openmetrics_is_what_prometheus_reads(metric, samples):
    assert parsed(metric) == samples


def test_metrics_whose_plain_names_are_alike_stay_apart():
    found = parsed(
        Metric(name="a b", value=1.0), Metric(name="a-b", value=2.0), Metric(name="a_b", value=3.0)
    )
    assert sorted(value for *_, value in found) == [1.0, 2.0, 3.0]


names = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), min_size=1, max_size=3).map("".join)


@given(st.dictionaries(names, st.floats() | st.integers(-9, 9) | names | st.booleans(), max_size=6))
def test_any_metrics_can_be_read_back(values):
    metrics = [Metric(name=name, value=value, description=name, unit=name) for name, value in values.items()]
    text = openmetrics(metrics)
    assert text.endswith("# EOF\n")
    found = parsed(*metrics)
    assert len(found) == len(metrics)
    assert all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", name) for name, *_ in found)
    assert all(re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", family_name(name)) for name in values)


@pytest.mark.parametrize(
    ("name", "failing", "skipped", "total"),
    [
        ("rich", ["The limit is in the log", "The plot has its checksum",
                  "upper limit (95 % CL) may change by at most 5 %"],
         ["The workspace is small"], 8),
        ("accepted", [], [], 2),
        ("blocked", ["upper limit (95 % CL) may change by at most 5 %"], [], 2),
        ("same", [], [], 0),
        ("failed", [], [], 1),
    ],
)  # fmt: skip
def test_junit_fails_where_the_status_or_a_check_fails(name, failing, skipped, total):
    root = ElementTree.fromstring(junit(SAMPLES[name]))
    cases = list(root.iter("testcase"))
    assert [case.get("name") for case in cases if case.find("failure") is not None] == failing
    assert [case.get("name") for case in cases if case.find("skipped") is not None] == skipped
    assert len(cases) == total
    for suite in root.iter("testsuite"):
        assert int(suite.get("failures", "0")) == sum(case.find("failure") is not None for case in suite)


def test_junit_holds_a_failure_and_whatever_a_log_says():
    text = "\x00\x1b[31m\ud800 ]]> </failure>" + HOSTILE
    report = failed(replace(SAMPLES["failed"].failure, message=text, log_tail=(text,)), analysis=HOSTILE)
    root = ElementTree.fromstring(junit(report))
    (error,) = root.iter("error")
    assert "</failure>" in error.get("message", "")
