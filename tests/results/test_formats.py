"""What each format means: small files, and the metrics and checks in them."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
import uproot
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reana_bridge.model.readings import CheckState, Reading
from reana_bridge.results.readers import MetricsContent, csv, junit, openmetrics, read_metrics, yaml
from reana_bridge.results.readers import json as json_reader


def found(reading: Reading) -> dict[str, Any]:
    assert reading.unreadable == ()
    return {metric.name: metric.value for metric in reading.metrics}


def series(reading: Reading, name: str) -> list[tuple[float, float]]:
    metric = next(metric for metric in reading.metrics if metric.name == name)
    return [(point.step, point.value) for point in metric.series]


def isolated(tmp_path: Path, path: str, content: bytes, /, **options: str) -> Reading:
    file = tmp_path / "blob"
    file.write_bytes(content)
    return read_metrics([MetricsContent(path=path, file=file, options=options)])


BOTH = {"statistical": (3, 3), "systematic": (4, 4)}


@pytest.mark.parametrize(
    ("text", "uncertainty", "down", "up", "parts"),
    [
        ("{value: 1, error: 0.5}", 0.5, None, None, {}),
        ("{value: 1, error: [0.1, 0.3]}", 0.3, 0.1, 0.3, {}),
        ("{value: 1, error: [-0.3, 0.1]}", 0.3, 0.3, 0.1, {}),
        ("{value: 1, error: {up: 0.2, down: 0.2}}", 0.2, None, None, {}),
        ("{value: 1, error: {up: 0.2}}", 0.2, None, None, {}),
        ("{value: 1, error_up: 0.5, error_down: 0.4}", 0.5, 0.4, 0.5, {}),
        ("{value: 1, stat: 3, syst: 4}", 5.0, None, None, {"statistical": (3, 3), "systematic": (4, 4)}),
        (
            "{value: 1, error_stat: 3, error_syst: 4}",
            5.0,
            None,
            None,
            {"statistical": (3, 3), "systematic": (4, 4)},
        ),
        (
            "{value: 1, error: {stat: 3, syst: [4, 0], lumi: 0}}",
            *(5.0, 5.0, 3.0),
            {"statistical": (3, 3), "systematic": (4, 0), "lumi": (0, 0)},
        ),
        ("1\na_err_up: 0.2\na_err_down: 0.1", 0.2, 0.1, 0.2, {}),
        ("1\na_stat: 3\na_syst: 4", 5.0, None, None, BOTH),
    ],
)
def test_uncertainties(
    text: str, uncertainty: float, down: float | None, up: float | None, parts: dict[str, tuple[float, float]]
) -> None:
    reading = yaml.read(f"a: {text}".encode(), source="m.yaml")
    (metric,) = reading.metrics
    assert (metric.uncertainty, metric.down, metric.up) == (uncertainty, down, up)
    assert {part.name: (part.down, part.up) for part in metric.parts} == parts


@pytest.mark.parametrize(
    ("read", "text", "points"),
    [
        (yaml.read, "a: {series: [3, 2, 1]}", [(0, 3), (1, 2), (2, 1)]),
        (yaml.read, "a: {value: 1, history: [[10, 3], [5, 2]]}", [(5, 2), (10, 3)]),
        (yaml.read, "a: {series: [{epoch: 1, value: 3}, {epoch: 2, value: 1}]}", [(1, 3), (2, 1)]),
        (csv.read, "step,a\n0,3\n1,\n2,1\n", [(0, 3), (2, 1)]),
        (csv.read, "epoch;a\n0;3,5\n1;1\n", [(0, 3.5), (1, 1)]),
        (csv.read, "name,value,step\na,3,0\na,1,1\n", [(0, 3), (1, 1)]),
    ],
)
def test_series(read: Callable[..., Reading], text: str, points: list[tuple[float, float]]) -> None:
    assert series(read(text.encode(), source="m"), "a") == points


def test_long_series_are_thinned_with_both_ends() -> None:
    rows = "\n".join(f"{n},{n * 2}" for n in range(20_000))
    points = series(csv.read(f"step,a\n{rows}\n".encode(), source="m"), "a")
    assert (len(points), points[0], points[-1]) == (1_000, (0, 0), (19_999, 39_998))


OPENMETRICS = """# HELP fit_mu Signal strength
# TYPE fit_mu gauge
# UNIT fit_mu seconds
fit_mu 1.5
# TYPE events counter
events_total{cut="m > 1",region="a\\"b"} 17
events_created{cut="m > 1",region="a\\"b"} 100
# TYPE h histogram
h_bucket{le="1.0"} 2
h_bucket{le="+Inf"} 3
h_count 3
h_sum 2.5
# EOF
"""


def test_openmetrics_as_its_own_client_reads_it() -> None:
    text = OPENMETRICS.replace("# UNIT fit_mu seconds\n", "")  # the client wants the unit in the name too
    theirs = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    reading = openmetrics.read(text.encode(), source="m.prom")
    assert reading.unreadable == ()
    ours = {
        (metric.name.partition("{")[0], tuple(sorted(metric.tags.items()))): metric.value
        for metric in reading.metrics
    }
    assert ours == theirs


def test_openmetrics_tells_unit_and_description() -> None:
    metric = openmetrics.read(OPENMETRICS.encode(), source="m.prom").metrics[0]
    assert (metric.unit, metric.description) == ("seconds", "Signal strength")


def test_junit_as_pytest_writes_it(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\ndef test_good(): pass\ndef test_bad(): assert 1 == 2\n"
        "@pytest.fixture\ndef broken(): raise ValueError('no')\ndef test_error(broken): pass\n"
        "@pytest.mark.skip(reason='later')\ndef test_skipped(): pass\n"
    )
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=junit.xml", "test_it.py"]
    subprocess.run(argv, cwd=tmp_path, capture_output=True, timeout=120)
    reading = junit.read((tmp_path / "junit.xml").read_bytes(), source="junit.xml")
    assert {check.name: check.state for check in reading.checks} == {
        "test_good": CheckState.PASSED,
        "test_bad": CheckState.FAILED,
        "test_error": CheckState.ERROR,
        "test_skipped": CheckState.SKIPPED,
    }
    assert found(reading) == {"tests.passed": 1, "tests.failed": 2, "tests.skipped": 1}
    messages = {check.name: check.message for check in reading.checks}
    assert "assert 1 == 2" in messages["test_bad"]
    assert messages["test_good"] == ""
    assert all(check.seconds is not None for check in reading.checks)


LSST = {
    "metrics": [
        {"name": "validate.AM1", "description": "Astrometry", "unit": "marcsec", "tags": ["photo"]},
        {"name": "validate.AF1", "description": "", "unit": "%"},
    ],
    "measurements": [{"metric": "validate.AM1", "value": 12.5, "unit": "marcsec", "identifier": "x"}],
    "specs": [
        {"name": "validate.AM1.design", "threshold": {"operator": "<=", "value": 10, "unit": "marcsec"}},
        {"name": "validate.AM1.minimum", "threshold": {"operator": "<=", "value": 20, "unit": "marcsec"}},
        {"name": "validate.AM1.other", "threshold": {"operator": "<=", "value": 20, "unit": "deg"}},
        {"name": "validate.AF1.design", "threshold": {"operator": "<", "value": 1, "unit": "%"}},
    ],
}


def test_lsst_verify() -> None:
    reading = json_reader.read(json.dumps(LSST).encode(), source="job.json")
    (metric,) = reading.metrics
    assert (metric.name, metric.value, metric.unit, metric.description) == (
        *("validate.AM1", 12.5),
        *("marcsec", "Astrometry"),
    )
    assert [(check.name.rpartition(".")[2], check.state.value) for check in reading.checks] == [
        ("design", "failed"),
        ("minimum", "passed"),
        ("other", "error"),
        ("design", "skipped"),
    ]


SHAPE = {"type": "shapesys", "data": [5, 12]}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"CLs_obs": 0.5, "CLs_exp": [0.1, 0.2, 0.3, 0.4, 0.5]},
            {"CLs_obs": 0.5, "CLs_exp.-2sigma": 0.1, "CLs_exp.-1sigma": 0.2, "CLs_exp.median": 0.3}
            | {"CLs_exp.+1sigma": 0.4, "CLs_exp.+2sigma": 0.5},
        ),
        (
            {"mle_parameters": {"mu": [0.68], "shape": [0.99, 1.01]}, "twice_nll": 23.3},
            {"mu": 0.68, "shape.0": 0.99, "shape.1": 1.01, "twice_nll": 23.3},
        ),
        ({"mle_parameters": {"mu": [[0.68, 0.1]]}}, {"mu": 0.68}),
        (
            {
                "version": "1.0.0",
                "measurements": [],
                "observations": [{"name": "SR", "data": [53, 65]}],
                "channels": [
                    {
                        "name": "SR",
                        "samples": [
                            {
                                "name": "bkg",
                                "data": [50, 60],
                                "modifiers": [{"type": "shapesys", "data": [5, 12]}],
                            }
                        ],
                    }
                ],
            },
            {"SR.observed": 118, "SR.bkg.yield": 110},
        ),
    ],
)
def test_pyhf(document: dict[str, Any], expected: dict[str, float]) -> None:
    reading = json_reader.read(json.dumps(document).encode(), source="pyhf.json")
    assert found(reading) == expected
    if "channels" in document:
        assert reading.metrics[1].uncertainty == 13.0


def array(value: Any) -> bytes:
    content = BytesIO()
    np.save(content, value)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("mu.npy", array(np.float64(1.5)), {"mu": 1.5}),
        ("mu.npy", array(np.array([[3]])), {"mu": 3}),
        (
            "x.npy",
            array(np.array([1.0, 3.0, np.nan])),
            {"x.mean": 2.0, "x.std": 1.0, "x.min": 1.0, "x.max": 3.0, "x.size": 3, "x.nan": 1},
        ),
        ("x.npy", array(np.zeros(0)), {"x.size": 0}),
        (
            "x.npy",
            array(np.array([True, False])),
            {"x.mean": 0.5, "x.std": 0.5, "x.min": False, "x.max": True, "x.size": 2},
        ),
    ],
)
def test_numpy(tmp_path: Path, name: str, content: bytes, expected: dict[str, float]) -> None:
    assert found(isolated(tmp_path, name, content)) == expected


def test_numpy_archive(tmp_path: Path) -> None:
    content = BytesIO()
    np.savez_compressed(content, mu=1.5, n=np.int64(3))
    assert found(isolated(tmp_path, "fit.npz", content.getvalue())) == {"mu": 1.5, "n": 3}


def test_root_histograms_as_hist_has_them(tmp_path: Path) -> None:
    histogram = hist.Hist(
        hist.axis.Regular(20, 0, 10, name="m", label="m [GeV]"), storage=hist.storage.Weight()
    )
    rng = np.random.default_rng(5)
    values, weights = rng.normal(5, 1, 1000), rng.uniform(0.5, 1.5, 1000)
    histogram.fill(values, weight=weights)
    with uproot.recreate(tmp_path / "h.root") as file:
        file["dir/mass"] = histogram
        file.mktree("events", {"x": "f8"})
        file["events"].extend({"x": values})
    reading = isolated(tmp_path, "h.root", (tmp_path / "h.root").read_bytes())
    assert reading.unreadable == ()
    metrics = {metric.name: metric for metric in reading.metrics}
    bins, centres = histogram.values(), histogram.axes[0].centers
    mean = np.average(centres, weights=bins)
    assert metrics["events.entries"].value == 1000
    assert metrics["dir.mass.integral"].value == pytest.approx(histogram.sum().value)
    assert metrics["dir.mass.integral"].uncertainty == pytest.approx(histogram.sum().variance ** 0.5)
    assert metrics["dir.mass.mean"].value == pytest.approx(mean)
    assert metrics["dir.mass.std"].value == pytest.approx(
        np.average((centres - mean) ** 2, weights=bins) ** 0.5
    )
    assert metrics["dir.mass.mean"].unit == "GeV"


LOG = "iteration 1\nnsig = 10.5 +/- 2\niteration 2\nnsig = 12.5 +/- 1.5\nmean=3e2 GeV\n"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (r"nsig = (?P<value>\S+)", "fit", [("fit", 12.5, None, "", 2)]),
        (r"nsig = (?P<nsig>\S+)", "fit", [("nsig", 12.5, None, "", 2)]),
        (r"nsig = (?P<value>\S+) \+/- (?P<uncertainty>\S+)", "n", [("n", 12.5, 1.5, "", 2)]),
        (r"^(?P<name>\w+) ?= ?(?P<value>\S+) (?P<unit>GeV)$", "", [("mean", 300.0, None, "GeV", 0)]),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, name: str, expected: list[Any]) -> None:
    reading = isolated(tmp_path, "log of fit", LOG.encode(), pattern=pattern, name=name)
    assert reading.unreadable == ()
    assert [(m.name, m.value, m.uncertainty, m.unit, len(m.series)) for m in reading.metrics] == expected


def test_readers_of_all_kinds_keep_their_order(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    file.write_bytes(array(np.float64(1)))
    text = MetricsContent(path="b.json", content=b'{"b": 2, "a": 3}')
    numbers = MetricsContent(path="a.npy", file=file)
    assert [(m.name, m.source) for m in read_metrics([numbers, text]).metrics] == [
        ("a", "a.npy"),
        ("b", "b.json"),
    ]
    assert [(m.name, m.source) for m in read_metrics([text, numbers]).metrics] == [
        ("b", "b.json"),
        ("a", "b.json"),
    ]


def test_an_archive_with_one_bad_member_gives_the_others(tmp_path: Path) -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("bad.npy", b"nothing")
        archive.writestr("good.npy", array(np.float64(2)))
    reading = isolated(tmp_path, "x.npz", content.getvalue())
    assert [metric.name for metric in reading.metrics] == ["good"]
    assert "`bad` is no array" in reading.unreadable[0].reason
