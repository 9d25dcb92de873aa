import pytest

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.decisions import within_server_limits

LIMITS = {
    "allowed_backends": ["reana", "local"],
    "default_backend": "local",
    "max_timeout": 3600.0,
    "network_allowed": False,
    "max_priority": 10,
}


@pytest.mark.parametrize(
    ("asked", "limits", "got", "problem"),
    [
        ({}, {}, {"backend": "local", "timeout": None, "network": None, "priority": 0}, None),
        ({"backend": "reana"}, {}, {"backend": "reana"}, None),
        ({"backend": "local"}, {"allowed_backends": []}, {"backend": "local"}, None),
        ({"backend": "raena"}, {}, {"backend": "raena"}, ("error", "backend", "did you mean `reana`?")),
        ({"backend": "slurm"}, {}, {"backend": "slurm"}, ("error", "backend", "write `local` or `reana`")),
        ({"timeout": 60.0}, {}, {"timeout": 60.0}, None),
        ({"timeout": 7200.0}, {}, {"timeout": 3600.0}, ("warning", "timeout", "7200 s is cut to")),
        ({"timeout": 7200.0}, {"max_timeout": None}, {"timeout": 7200.0}, None),
        ({"network": True}, {}, {"network": False}, ("warning", "network", "no network")),
        ({"network": True}, {"network_allowed": True}, {"network": True}, None),
        ({"network": False}, {"network_allowed": True}, {"network": False}, None),
        ({"network": None}, {"network_allowed": True}, {"network": None}, None),
        ({"priority": 11}, {}, {"priority": 10}, ("warning", "priority", "11 is cut to this server's 10")),
        ({"priority": -50}, {}, {"priority": -50}, None),
    ],
)
def test_within_server_limits(asked, limits, got, problem):
    analysis, problems = within_server_limits(Analysis(name="fit", **asked), **{**LIMITS, **limits})
    assert {key: getattr(analysis, key) for key in got} == got
    if problem is None:
        assert problems == ()
    else:
        (found,) = problems
        severity, key, fragment = problem
        assert (found.severity, found.key) == (severity, f"analyses.fit.{key}")
        assert fragment in str(found)


def test_everything_at_once():
    asked = Analysis(name="fit", backend="x", timeout=1e9, network=True, priority=99)
    _, problems = within_server_limits(asked, **LIMITS)
    assert [problem.severity for problem in problems] == ["error", "warning", "warning", "warning"]
