"""The example analysis, run as a backend runs it: it measures what was put in, the same every time."""

import csv
import json
import struct
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.demo.variants import break_fit, change_selection, write_analysis
from reana_bridge.model.reana_yaml import parse
from reana_bridge.results.readers.json import read

Values = dict[str, Any]


def run(copy: Path, environment: dict[str, str], **parameters: Any) -> tuple[str, str]:
    """The step that failed and what it wrote to its standard error; two empty texts when none did."""
    specification, _ = parse((copy / "reana.yaml").read_bytes(), file="reana.yaml", parameters=parameters)
    for step in specification.steps:
        for command in step.commands:
            done = subprocess.run(["bash", "-c", command], cwd=copy, env=environment, capture_output=True)
            if done.returncode != 0:
                return step.name, done.stderr.decode()
    return "", ""


@pytest.fixture(scope="module")
def make(environment, tmp_path_factory) -> Callable[..., Path]:
    def make(edit: Callable[[Path], None] | None = None, **parameters: Any) -> Path:
        copy = tmp_path_factory.mktemp("copy")
        write_analysis(copy)
        if edit is not None:
            edit(copy)
        assert run(copy, environment, **parameters) == ("", "")
        return copy

    return make


@pytest.fixture(scope="module")
def main(make) -> Path:
    return make()


def metrics(copy: Path) -> dict[str, Any]:
    reading = read((copy / "results" / "metrics.json").read_bytes(), source="results/metrics.json")
    assert reading.unreadable == ()
    return {metric.name: metric for metric in reading.metrics}


def test_it_measures_what_was_put_in(main: Path):
    found = metrics(main)
    mu = found["fit.mu"]
    assert abs(mu.value - 1.0) < 2 * mu.uncertainty
    assert 0.1 < mu.uncertainty < 0.5
    assert 3 < found["fit.significance"].value < 6
    assert found["fit.p_value"].value > 0.05
    assert mu.value < found["limit.observed"].value < mu.value + 3 * mu.uncertainty
    assert found["limit.expected"].value < found["limit.observed"].value
    assert found["selection.signal_efficiency"].unit == "%"
    assert abs(found["yields.observed"].value - found["yields.background"].value) > 30


@pytest.mark.soak
def test_the_same_commit_gives_the_same_bytes(main: Path, make):
    again = make()
    for name in ("metrics.json", "spectrum.png", "yields.csv"):
        assert (main / "results" / name).read_bytes() == (again / "results" / name).read_bytes()


def test_the_picture_is_a_picture_and_names_no_software(main: Path):
    content = (main / "results" / "spectrum.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (1080, 930)
    assert b"matplotlib" not in content.lower()


def test_the_yields_add_up_to_the_selected_events(main: Path):
    with (main / "results" / "yields.csv").open() as file:
        rows = [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 30
    counts = json.loads((main / "data" / "selection.json").read_text())["counts"]
    assert sum(row["data"] for row in rows) <= counts["data"]["after"]
    expected = sum(row["background"] + row["signal"] for row in rows)
    assert expected == pytest.approx(sum(row["data"] for row in rows), abs=0.01)


@pytest.mark.soak
def test_the_changed_selection_moves_the_metrics(main: Path, make):
    before, after = metrics(main), metrics(make(change_selection))
    assert before.keys() == after.keys()
    for name in ("selection.signal_efficiency", "selection.background_efficiency", "yields.background"):
        old, new = before[name], after[name]
        assert abs(new.value - old.value) > 5 * (old.uncertainty**2 + new.uncertainty**2) ** 0.5
    assert after["limit.expected"].value > 1.05 * before["limit.expected"].value
    assert after["fit.p_value"].value > 0.01


@pytest.mark.soak
def test_more_simulation_leaves_the_data_alone(main: Path, make):
    before, after = metrics(main), metrics(make(events=20000))
    assert before["yields.observed"] == after["yields.observed"]
    assert before["selection.signal_efficiency"] != after["selection.signal_efficiency"]


def test_the_broken_fit_says_where_and_what(environment, tmp_path: Path):
    write_analysis(tmp_path)
    break_fit(tmp_path)
    step, errors = run(tmp_path, environment)
    assert step == "fit"
    lines = errors.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("fit.py" in line and "histograms" in line for line in lines)
    assert lines[-1] == "KeyError: 'mass'"


CHECKS = """
import numpy as np
from likelihood import Model, Tests

x = np.linspace(-1, 1, 30)
signal = 40 * np.exp(-0.5 * ((x + 0.15) / 0.06) ** 2) / 2.25
model = Model(x=x, signal=signal)
truth = np.exp(4 - 1.1 * x)

# What is put in comes out, whatever the strength.
for mu in (0.0, 0.5, 1.0, 3.0):
    fit = model.fit(mu * signal + truth)
    assert np.allclose(fit.values, [mu, 4, -1.1, 0], atol=1e-4), fit.values

# The slopes are those of the function.
counts = np.random.default_rng(1).poisson(signal + truth)
point = np.array([0.7, 3.9, -1.0, 0.3])
here, slopes = model.minus_log_likelihood(point, counts)
for i in range(4):
    there = model.minus_log_likelihood(point + 1e-6 * np.eye(4)[i], counts)[0]
    assert abs((there - here) / 1e-6 - slopes[i]) < 1e-2, i

# The minimum is one, and scipy's own minimiser finds no better one.
from scipy.optimize import minimize
fit = model.fit(counts)
other = minimize(lambda p: model.minus_log_likelihood(p, counts)[0], fit.values, method="Nelder-Mead",
                 options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 5000})
assert abs(2 * other.fun - fit.minimum) < 1e-6

# The uncertainty is where -2 ln L has risen by 1.
error = fit.covariance[0, 0] ** 0.5
assert abs(model.fit(counts, fit.values[0] + error).minimum - fit.minimum - 1) < 0.1

# Limits are where CLs is 5 %; without signal, the observed and the expected one are the same.
tests = Tests(model, counts)
assert abs(tests.cls(tests.limit()) - 0.05) < 1e-5
assert 0.4 < tests.cls(tests.best.values[0]) <= 0.51
nothing = Tests(model, truth)
assert abs(nothing.limit() / nothing.expected_limit() - 1) < 1e-3
assert nothing.significance() < 1e-3
deficit = Tests(model, truth - 0.3 * signal)
assert deficit.best.values[0] < 0 and deficit.limit() < nothing.limit() and deficit.significance() == 0

# A perfect description has chi2 0; the goodness of fit of random spectra is flat.
assert nothing.goodness()[0] < 1e-6
spectra = [np.random.default_rng(seed).poisson(signal + truth) for seed in range(300)]
values = [Tests(model, spectrum).goodness()[2] for spectrum in spectra[:60]]
assert 0.35 < np.mean(values) < 0.65, np.mean(values)

# Pulls of the signal strength have mean 0 and width 1.
fits = [model.fit(spectrum) for spectrum in spectra]
pulls = [(fit.values[0] - 1) / fit.covariance[0, 0] ** 0.5 for fit in fits]
assert abs(np.mean(pulls)) < 0.2 and 0.85 < np.std(pulls) < 1.15, (np.mean(pulls), np.std(pulls))

# Empty bins and an empty spectrum are no trouble.
sparse = np.where(counts > 60, 1.0, 0.0)
assert np.isfinite(Tests(model, sparse).limit())
"""


@pytest.mark.soak
def test_the_statistics(main: Path, environment):
    script = textwrap.dedent(CHECKS)
    done = subprocess.run(["python", "-c", script], cwd=main, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
