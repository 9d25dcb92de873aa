import pytest

from reana_bridge.model.comparisons import BaselineReason
from reana_bridge.results.baselines import Candidate, Place, choose_baseline

A, B, C, D = (letter * 40 for letter in "abcd")
BASE, ANCESTOR, TIP, TAG, PINNED, ROLLING = (
    BaselineReason.MERGE_BASE,
    BaselineReason.ANCESTOR,
    BaselineReason.TARGET_TIP,
    BaselineReason.TAG,
    BaselineReason.PINNED,
    BaselineReason.ROLLING,
)


def done(sha, reason=BASE, distance=0, **more):
    candidate = Candidate(sha=sha, distance=distance, run_id=f"run-{sha[0]}", ended_at=5.0)
    return Place(candidate=candidate, reason=reason, **more)


def live(sha, reason=BASE, distance=0):
    return Place(candidate=Candidate(sha=sha, distance=distance, live_run_id=f"live-{sha[0]}"), reason=reason)


def bare(sha, reason=BASE, distance=0):
    return Place(candidate=Candidate(sha=sha, distance=distance), reason=reason)


@pytest.mark.parametrize(
    ("places", "chosen", "waiting_for"),
    [
        ([done(A)], ("run-a", BASE, 0), ""),
        ([bare(A), done(B, ANCESTOR, 1), done(C, ANCESTOR, 2), done(D, TIP)], ("run-b", ANCESTOR, 1), ""),
        ([live(A), done(B, ANCESTOR, 1)], ("run-b", ANCESTOR, 1), A),
        ([bare(A), live(B, ANCESTOR, 1), done(C, ANCESTOR, 2)], ("run-c", ANCESTOR, 2), B),
        ([done(A), live(B, ANCESTOR, 1)], ("run-a", BASE, 0), ""),
        ([bare(A), done(D, TIP)], ("run-d", TIP, 0), ""),
        ([live(A), done(D, TIP)], ("run-d", TIP, 0), A),
        ([done(D, TIP)], ("run-d", TIP, 0), ""),
        ([bare(A), live(D, TIP)], None, D),
        ([live(A), live(D, TIP)], None, A),
        ([bare(A)], None, ""),
        ([], None, ""),
        ([done(D, TAG, tag="v2"), done(A)], ("run-d", TAG, 0), ""),
        ([bare(D, PINNED), done(A)], ("run-a", BASE, 0), ""),
        ([done(C, ROLLING, runs=7)], ("run-c", ROLLING, 0), ""),
    ],
)
def test_choice(places, chosen, waiting_for):
    choice = choose_baseline(places, branch="main", none="no run", ahead=2)
    found = choice.baseline
    assert (found and (found.run_id, found.reason, found.distance)) == chosen
    assert choice.waiting_for == waiting_for
    assert bool(choice.no_baseline) is (found is None)
    assert found is None or (found.branch, found.ahead, found.ended_at) == ("main", 2, 5.0)


def test_what_the_place_says_goes_with_it():
    tagged = choose_baseline([done(A, TAG, tag="v2")], branch="main").baseline
    rolling = choose_baseline([done(A, ROLLING, runs=7)], branch="main").baseline
    assert (tagged and tagged.tag, rolling and rolling.runs) == ("v2", 7)


def test_a_finished_run_is_not_replaced_by_its_rerun():
    both = Candidate(sha=A, distance=0, run_id="r", live_run_id="again")
    choice = choose_baseline([Place(candidate=both, reason=BASE)], branch="main")
    assert (choice.waiting_for, choice.baseline and choice.baseline.run_id) == ("", "r")


@pytest.mark.parametrize(
    ("places", "branch", "sentence"),
    [
        ([bare(A)], "main", "nothing"),
        ([live(A)], "main", "the first run to compare with, at aaaaaaa on main, has not ended yet"),
        ([live(A)], "", "the first run to compare with, at aaaaaaa, has not ended yet"),
    ],
)
def test_why_there_is_none(places, branch, sentence):
    assert choose_baseline(places, branch=branch, none="nothing").no_baseline == sentence
