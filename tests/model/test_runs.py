import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.runs import FINAL, LIVE, IllegalTransition, RunState, check_transition

ORDER = ["queued", "submitting", "running", "collecting", "comparing", "finished"]


def allowed(before: RunState, after: RunState) -> bool:
    try:
        check_transition(before, after)
    except IllegalTransition:
        return False
    return True


def expected(before: RunState, after: RunState) -> bool:
    """The rule in words: a live run goes one step on, stays, starts again, fails or is cancelled.

    One that waits for an approval has not begun: it is queued or cancelled.
    """
    if before in FINAL:
        return False
    if before == "waiting":
        return after in {"waiting", "queued", "cancelled"}
    following = ORDER[ORDER.index(before) + 1]
    return after in {following, before, "queued", "failed", "cancelled"}


@pytest.mark.parametrize("before", RunState)
@pytest.mark.parametrize("after", RunState)
def test_each_move(before, after):
    assert allowed(before, after) is expected(before, after)


def test_every_state_is_either_live_or_final():
    assert set(RunState) == LIVE | FINAL
    assert not LIVE & FINAL
    assert {state.value for state in FINAL} == {"finished", "failed", "cancelled"}


@pytest.mark.parametrize("final", sorted(FINAL))
def test_each_final_state_is_reached_from_each_live_one(final):
    for start in sorted(LIVE):
        reached = {start}
        while True:
            more = {after for before in reached for after in RunState if allowed(before, after)}
            if more <= reached:
                break
            reached |= more
        assert final in reached


@given(st.lists(st.sampled_from(RunState), max_size=40))
def test_a_run_never_leaves_its_end_whatever_is_asked_of_it(asked):
    state, ends = RunState.QUEUED, []
    for after in asked:
        if allowed(state, after):
            state = after
        if state in FINAL:
            ends.append(state)
    assert len(set(ends)) <= 1
    assert not ends or state == ends[0]


@given(st.lists(st.sampled_from(["retry", "stay"]), max_size=30))
def test_a_run_that_goes_on_ends_in_five_moves_however_often_it_was_retried(history):
    state = RunState.QUEUED
    for what in history:
        following = RunState(ORDER[min(ORDER.index(state) + 1, 4)])
        after = RunState.QUEUED if what == "retry" else following
        check_transition(state, after)
        state = after
    moves = 0
    while state not in FINAL:
        following = RunState(ORDER[ORDER.index(state) + 1])
        check_transition(state, following)
        state, moves = following, moves + 1
    assert moves <= 5
