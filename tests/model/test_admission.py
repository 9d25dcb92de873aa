"""Who may start now: limits of backend, accounts and projects, fairness, priority."""

from typing import Any

import pytest

from reana_bridge.model.admission import Candidate, Load, admit


def runs(*words: str) -> list[Candidate]:
    """`x1@a!5`: a run of project x and account a, with priority 5; earlier words have waited longer."""
    found: list[Candidate] = []
    for place, word in enumerate(words):
        rest, _, priority = word.partition("!")
        id, _, account = rest.partition("@")
        found.append(
            Candidate(
                id=id, project=id[0], account=account, priority=int(priority or 0), queued_at=float(place)
            )
        )
    return found


CASES: dict[str, tuple[list[Candidate], dict[str, Any], int, list[str]]] = {
    "nothing waits": ([], {}, 5, []),
    "no slot": (runs("x1"), {}, 0, []),
    "fewer slots than none": (runs("x1"), {}, -3, []),
    "the oldest first": (runs("x1", "x2", "x3"), {}, 2, ["x1", "x2"]),
    "projects in turn": (runs("x1", "x2", "x3", "y1", "y2"), {}, 4, ["x1", "y1", "x2", "y2"]),
    "what runs already counts": (runs("x1", "x2", "y1", "y2"), {"projects": {"x": 2}}, 3, ["y1", "y2", "x1"]),
    "priority before fairness": (runs("x1!1", "x2!1", "y1"), {}, 2, ["x1", "x2"]),
    "priority may be below": (runs("x1!-1", "y1"), {}, 2, ["y1", "x1"]),
    "a project's limit": (runs("x1", "x2", "y1"), {"project_limits": {"x": 1}}, 3, ["x1", "y1"]),
    "a project over its limit": (
        runs("x1", "y1"),
        {"projects": {"x": 3}, "project_limits": {"x": 2, "y": None}},
        3,
        ["y1"],
    ),
    "an account's limit": (
        runs("x1@a", "y1@a", "z1@a", "w1@b"),
        {"accounts": {"a": 1}, "account_limits": {"a": 3, "b": None}},
        9,
        ["x1", "y1", "w1"],
    ),
    "a full account holds up no other, not even of the same project": (
        runs("x1@forks!9", "x2@forks!9", "x3@own"),
        {"accounts": {"forks": 2}, "account_limits": {"forks": 2}},
        2,
        ["x3"],
    ),
    "both limits": (
        runs("x1@a", "x2@a", "x3@b", "y1@a", "y2@a"),
        {"project_limits": {"x": 2}, "account_limits": {"a": 2}},
        9,
        ["x1", "y1", "x3"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_admit(name: str) -> None:
    candidates, load, slots, admitted = CASES[name]
    assert admit(candidates, Load(**load), slots=slots) == admitted
