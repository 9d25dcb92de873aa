import pytest

from reana_bridge.model.wants import Want, WantKind, ended, reason_to_cancel

A, B = "a" * 40, "b" * 40


def want(kind: str = "branch", ref: str = "refs/heads/x", sha: str = A) -> Want:
    return Want(kind=WantKind(kind), ref=ref, sha=sha)


@pytest.mark.parametrize(
    ("kind", "head", "reason"),
    [
        ("branch", A, ""),
        ("branch", B, "refs/heads/x is now at bbbbbbb"),
        ("branch", None, "refs/heads/x is gone"),
        ("merge-request", A, ""),
        ("merge-request", B, "refs/heads/x is now at bbbbbbb"),
        ("tag", A, ""),
        ("tag", None, "refs/heads/x is gone"),
        ("manual", None, ""),
        ("manual", B, ""),
        ("schedule", B, ""),
    ],
)
def test_when_a_want_ends(kind, head, reason):
    assert ended(want(kind), head) == reason


LIVE, MOVED, GONE = (want(), A), (want(), B), (want(), None)
BY_HAND = (want("manual", ""), None)


@pytest.mark.parametrize(
    ("wants", "proposal", "asked", "reason"),
    [
        ([LIVE], True, None, ""),
        ([MOVED], True, None, "superseded: refs/heads/x is now at bbbbbbb"),
        ([GONE], True, None, "superseded: refs/heads/x is gone"),
        ([MOVED], False, None, ""),
        ([MOVED], False, True, "superseded: refs/heads/x is now at bbbbbbb"),
        ([MOVED], True, False, ""),
        ([MOVED, LIVE], True, None, ""),
        ([MOVED, BY_HAND], True, True, ""),
        ([MOVED, GONE], True, None, "superseded: refs/heads/x is gone"),
        ([], True, None, "nobody wants it any more"),
        ([], False, None, ""),
    ],
)
def test_when_a_run_is_cancelled(wants, proposal, asked, reason):
    assert reason_to_cancel(wants, proposal=proposal, cancel_superseded=asked) == reason


def test_a_head_that_returns_wants_its_run_again():
    assert ended(want(), B)
    assert not ended(want(), A)
