from dataclasses import replace

import pytest

from reana_bridge.model.results import Result
from reana_bridge.model.runs import RunState
from reana_bridge.reports.rows import Tone
from reana_bridge.reports.status import status
from reana_bridge.reports.view import view
from reana_bridge.results.comparison import compare
from tests.reports.samples import BASELINE, COMMON, SAMPLES, artifacts


@pytest.mark.parametrize(
    ("name", "state", "description"),
    [
        ("moved", "success", "1 of 9 metrics got worse, 1 missing, 1 better, 1 changed, 1 new"),
        ("same", "success", "all 8 metrics are the same"),
        ("within-noise", "success", "no significant change in 8 metrics"),
        ("better", "success", "1 of 8 metrics got better"),
        ("first-run", "success", "finished, nothing to compare with yet"),
        ("no-metrics", "success", "finished, but its metrics could not be read, 3 of 4 files changed"),
        ("failed", "failure", "step 3 of 4, `fit`, failed after 2 min: exit status 1"),
        ("limit", "failure", "step 2 of 4, `select`, failed after 2 min: used more than its 2 GiB of memory"),
        ("infrastructure", "error", "could not be run: the disk of the server is full"),
        ("cancelled", "cancelled", "cancelled: 5 newer commits were pushed to tighter-cuts"),
        ("waiting", "pending", "waits: 2 runs of this project are running, at most 2 may"),
        ("needs-approval", "pending", "needs approval: a member comments /reana approve 3f9c2a1..."),
        ("running", "running", "step 2 of 4, `select`, is running"),
    ],
)
def test_status(name, state, description):
    shown = status(SAMPLES[name])
    assert (shown.state, shown.description) == (state, description)


@pytest.mark.parametrize(
    ("before", "after", "description", "tone"),
    [
        ("1", "1", "all 4 files are the same, no metrics", Tone.GOOD),
        ("1", "2", "2 of 4 files changed, no metrics", Tone.NEUTRAL),
        (None, "1", "finished, wrote no metrics, nothing to compare its files with yet", Tone.NEUTRAL),
    ],
)
def test_a_result_of_files_alone(before, after, description, tone):
    sides = [Result(artifacts=artifacts(tag)) if tag else None for tag in (before, after)]
    baseline = BASELINE if sides[0] else None
    comparison = compare(baseline=baseline, baseline_result=sides[0], head=sides[1])
    report = replace(COMMON, result=sides[1], comparison=comparison)
    assert status(report).description == description
    assert view(report).headline.tone is tone


def test_a_broken_blocking_rule_fails():
    shown = status(SAMPLES["blocked"])
    assert shown.state == "failure"
    assert shown.description.startswith("`upper limit (95 % CL)` breaks a rule, +18.2 % exceeds 5 %; 1 of 9")


def test_a_configuration_error_fails_with_its_line():
    shown = status(SAMPLES["configuration"])
    assert shown.state == "failure"
    assert shown.description.startswith(".reana-bridge.yaml line 12: `on.push.branch`: is not known")


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_a_status(state):
    assert status(replace(COMMON, state=state)).description


@pytest.mark.parametrize("name", SAMPLES)
def test_the_description_keeps_its_limit(name):
    assert len(status(SAMPLES[name], limit=30).description) <= 30
    assert "\n" not in status(SAMPLES[name]).description
