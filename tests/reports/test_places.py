from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.problems import Problem
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind
from reana_bridge.reports.places import in_log, places
from tests.reports.samples import SAMPLES, failed
from tests.reports.test_escape import NASTY

PYTHON = """\
Traceback (most recent call last):
  File "/workspace/fit.py", line 12, in <module>
    main()
  File "/workspace/code/model.py", line 88, in likelihood
    tracks = events['n_tracks']
  File "/usr/lib/python3.11/site-packages/pandas/core/frame.py", line 4102, in __getitem__
    indexer = self.columns.get_loc(key)
KeyError: 'n_tracks'"""
CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 1, in f
ValueError: first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2, in g
physics.Odd: second"""


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (PYTHON, [("code/model.py", 88, "KeyError: 'n_tracks'")]),
        (CHAINED, [("a.py", 1, "ValueError: first"), ("b.py", 2, "physics.Odd: second")]),
        ('  File "fit.py", line 3\n    x = (\n        ^\nSyntaxError: \'(\' was never closed',
         [("fit.py", 3, "SyntaxError: '(' was never closed")]),
        ('  File "fit.py", line 3, in f\nKeyboardInterrupt', [("fit.py", 3, "KeyboardInterrupt")]),
        ('  File "fit.py", line 3, in f', [("fit.py", 3, "The log ends with this place.")]),
        ("File ./fit.py:12, in load(path)\nOSError: gone", [("fit.py", 12, "OSError: gone")]),
        ('  File "/var/reana/users/ab/workflows/cd/code/fit.py", line 9, in f\nOSError: gone',
         [("code/fit.py", 9, "OSError: gone")]),
        ('  File "/srv/1/workspace/fit.py", line 9, in f\nOSError: gone', [("fit.py", 9, "OSError: gone")]),
        ('  File "/usr/lib/python3.11/json/x.py", line 9, in f\nOSError: gone', []),
        ('  File "<frozen runpy>", line 9, in f\nOSError: gone', []),
        ('  File "<stdin>", line 1\nSyntaxError: x', []),
        ('  File "../../etc/passwd", line 9, in f\nOSError: gone', []),
        ('  File "~/fit.py", line 9, in f\nOSError: gone', []),
        ('\x1b[31m  File "fit.py", line 9, in f\x1b[0m\nOSError: gone', [("fit.py", 9, "OSError: gone")]),
        ("src/main.cc:12:5: error: 'x' was not declared", [("src/main.cc", 12, "'x' was not declared")]),
        ("./hist.h:1:10: fatal error: TH1.h: No such file or directory",
         [("hist.h", 1, "TH1.h: No such file or directory")]),
        ("/workspace/macro.C:7:3: error: use of undeclared identifier 'h'",
         [("macro.C", 7, "use of undeclared identifier 'h'")]),
        ("main.f90:12: error: bad", [("main.f90", 12, "bad")]),
        ("input_line_9:2:2: error: unknown type name 'x'", []),
        ("main.cc:12:5: warning: unused", []),
        ("/usr/include/c++/12/x.h:3:1: error: bad", []),
        ("run.sh: line 3: rooot: command not found", [("run.sh", 3, "rooot: command not found")]),
        ("/bin/bash: line 1: rooot: command not found", []),
        ("NameError in line 12 of /workspace/Snakefile:", [("Snakefile", 12, "NameError")]),
        ('KeyError in file "/workspace/rules/fit.smk", line 4:', [("rules/fit.smk", 4, "KeyError")]),
        ("RuleException in rule fit in file Snakefile, line 4:", [("Snakefile", 4, "RuleException")]),
        ("12:30:01: error: nothing", []),
        ("everything is fine", []),
        ("fit.py:0:0: error: x", []),
        ("", []),
    ],
)  # fmt: skip
def test_what_a_log_points_to(log, found):
    assert [(place.path, place.line, place.message) for place in in_log(log.splitlines())] == found


def test_own_mistakes_with_their_lines_stand_first():
    found = places(SAMPLES["configuration"])
    assert [(place.path, place.line) for place in found] == [(".reana-bridge.yaml", 12), ("reana.yaml", 1)]
    assert found[0].message == "on.push.branch: is not known; did you mean branches?".replace(
        "branches", "`branches`"
    )


def test_a_mistake_without_a_line_is_no_place():
    problem = Problem(message="is missing", file="reana.yaml")
    assert places(replace(SAMPLES["configuration"], problems=(problem,))) == ()


def test_each_place_once_and_fifty_at_most():
    lines = tuple(f"a{i % 60}.cc:{i % 60 + 1}:1: error: x" for i in range(600))
    report = failed(Failure(kind=FailureKind.ANALYSIS, message="x", log_tail=lines))
    found = places(report)
    assert len(found) == len({(place.path, place.line) for place in found}) == 50


fragments = [
    *NASTY,
    '  File "',
    '", line ',
    "fit.py",
    ": line ",
    " in file ",
    ":1:1: error: ",
    "/",
    "../",
    "12",
]


@given(
    st.lists(st.lists(st.sampled_from(fragments) | st.text(max_size=4), max_size=8).map("".join), max_size=6)
)
def test_any_log_gives_places_inside_the_repository(lines):
    for place in in_log(lines):
        assert place.line >= 1
        assert place.message.strip()
        assert "\n" not in place.path + place.message
        assert place.path
        assert not place.path.startswith("/")
        assert ".." not in place.path.split("/")
