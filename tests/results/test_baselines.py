import pytest

from reana_bridge.model.comparisons import BaselineReason
from reana_bridge.results.baselines import Candidate, choose_baseline

A, B, C, D = (letter * 40 for letter in "abcd")


def done(sha, distance=0):
    return Candidate(sha=sha, distance=distance, run_id=f"run-{sha[0]}", ended_at=5.0)


def live(sha, distance=0):
    return Candidate(sha=sha, distance=distance, live_run_id=f"live-{sha[0]}")


def bare(sha, distance=0):
    return Candidate(sha=sha, distance=distance)


BASE, PARENT, ANCESTOR, TIP = (
    BaselineReason.MERGE_BASE,
    BaselineReason.FIRST_PARENT,
    BaselineReason.ANCESTOR,
    BaselineReason.TARGET_TIP,
)


@pytest.mark.parametrize(
    ("ancestors", "tip", "proposal", "chosen", "waiting_for"),
    [
        ([done(A)], None, True, ("run-a", BASE, 0), ""),
        ([done(A)], None, False, ("run-a", PARENT, 0), ""),
        ([bare(A), done(B, 1), done(C, 2)], done(D), True, ("run-b", ANCESTOR, 1), ""),
        ([done(C, 2), done(B, 1), bare(A)], done(D), True, ("run-b", ANCESTOR, 1), ""),
        ([live(A), done(B, 1)], None, True, ("run-b", ANCESTOR, 1), A),
        ([bare(A), live(B, 1), done(C, 2)], None, False, ("run-c", ANCESTOR, 2), B),
        ([done(A), live(B, 1)], None, True, ("run-a", BASE, 0), ""),
        ([bare(A)], done(D), True, ("run-d", TIP, 0), ""),
        ([live(A)], done(D), True, ("run-d", TIP, 0), A),
        ([], done(D), True, ("run-d", TIP, 0), ""),
        ([bare(A)], done(D), False, None, ""),
        ([bare(A)], live(D), True, None, D),
        ([live(A)], live(D), True, None, A),
        ([], None, True, None, ""),
    ],
)
def test_choice(ancestors, tip, proposal, chosen, waiting_for):
    choice = choose_baseline(ancestors=ancestors, tip=tip, proposal=proposal, branch="main", ahead=2)
    found = choice.baseline
    assert (found and (found.run_id, found.reason, found.distance)) == chosen
    assert choice.waiting_for == waiting_for
    assert bool(choice.no_baseline) is (found is None)
    assert found is None or (found.branch, found.ahead, found.ended_at) == ("main", 2, 5.0)


def test_a_finished_run_is_not_replaced_by_its_rerun():
    both = Candidate(sha=A, distance=0, run_id="r", live_run_id="again")
    choice = choose_baseline(ancestors=[both], branch="main", proposal=True)
    assert (choice.waiting_for, choice.baseline and choice.baseline.run_id) == ("", "r")


@pytest.mark.parametrize(
    ("ancestors", "proposal", "sentence"),
    [
        ([bare(A)], True, "main has no successful run at the merge-base aaaaaaa or before it"),
        ([bare(A)], False, "main has no successful run at the first parent aaaaaaa or before it"),
        ([live(A)], True, "the first run to compare with, at aaaaaaa on main, has not ended yet"),
        ([], True, "This branch shares no commit with main"),
        ([], False, "This is the first commit of main"),
    ],
)
def test_why_there_is_none(ancestors, proposal, sentence):
    assert choose_baseline(ancestors=ancestors, proposal=proposal, branch="main").no_baseline == sentence
