"""Scenarios of `tests.files` as reana-commons judges them: its own functions are asked the same."""

import hashlib
import json
import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.model.readings import CheckState
from reana_bridge.results.gherkin import features
from reana_bridge.results.gherkin.facts import Facts
from tests.results.oracles import ORACLES, interpreter

CONTENT = b"Hello Jane Doe!\n" + b"x" * 2_000
SHA256, MD5 = (hashlib.new(name, CONTENT).hexdigest() for name in ("sha256", "md5"))
WORKSPACE = {
    "results/greetings.txt": CONTENT,
    "results/binary.bin": b"\xff\xfe\x00",
    "code/hello.py": b"print()\n",
}
LOGS = {"hello": "Greeting\nJane 42\n", "plot": "done\n"}
ENGINE = "Publishing step:0\n"

# Each sentence after `Then`, and whether it holds.
SENTENCES = [
    ("the workflow should be finished", True),
    ('the workflow status should be "finished"', True),
    ("The Workflow status should be failed", False),
    ("all the outputs should be included in the workspace", True),
    ("the outputs should be included in the workspace", True),
    ('the workspace should include "results/greetings.txt"', True),
    ('the workspace should contain "/results/greetings.txt"', True),
    ("results/greetings.txt should be in the workspace", True),
    ('the workspace should include "results"', True),
    ('the workspace should include "nothing.txt"', False),
    ("the workspace should not include nothing.txt", True),
    ("the workspace should not contain results/greetings.txt", False),
    ("nothing.txt should not be in the workspace", True),
    ('the logs should contain "Jane 42"', True),
    ('the logs should contain "Publishing"', True),
    ('the logs should contain "nobody"', False),
    ('the engine logs should contain "Publishing"', True),
    ('the engine logs should contain "Jane"', False),
    ('the job logs should contain "done"', True),
    ('the job logs should contain "Publishing"', False),
    ('the job logs for the step "hello" should contain "Jane"', True),
    ('the job logs for the hello step should contain "Jane"', True),
    ('the job logs for the "plot" step should contain "Jane"', False),
    ('the job logs for the step nobody should contain "Jane"', False),
    ('the file "results/greetings.txt" should contain "Jane Doe!"', True),
    ('the file results/greetings.txt should include "John"', False),
    ('the file results/binary.bin should include "x"', False),
    ('the file nothing.txt should include "x"', False),
    (
        f"the sha256 checksum of the file results/greetings.txt should be {SHA256}",
        True,
    ),
    (
        f'the "md5" checksum of the file "results/greetings.txt" should be "{MD5}"',
        True,
    ),
    (f"the adler32 checksum of the file results/greetings.txt should be 0x{zlib.adler32(CONTENT):x}", True),
    ("the sha512 checksum of the file results/greetings.txt should be 12", False),
    ("the crc32 checksum of the file results/greetings.txt should be 12", False),
    ("the workflow run duration should be less than 2 minutes", True),
    ('the workflow run duration should be less than "0.5" minutes', False),
    ("the duration of the step hello should be less than 1 minutes", True),
    ("the duration of the step hello should be less than 0.1 minutes", False),
    ("the duration of the step nobody should be less than 1 minutes", False),
    (f"the size of the file results/greetings.txt should be exactly {len(CONTENT)}", True),
    (f"the size of the file results/greetings.txt should be exactly {len(CONTENT)} bytes", True),
    ("the size of the file results/greetings.txt should be exactly 1 KiB", False),
    ("the size of the file results/greetings.txt should be between 1.5 KiB and 2.5KiB", True),
    ("the size of the file results/greetings.txt should be between 3 KiB and 1 KiB", True),
    ("the size of the file results/greetings.txt should be between 1 and 2", False),
    ("the size of the file ./results/greetings.txt should be between 1 and 2 lightyears", False),
    ("the size of the file nothing.txt should be exactly 3", False),
    ("the workspace size should be less than 1 MiB", True),
    ("the workspace size should be less than 10 bytes", False),
    ("the workspace size should be more than 1 KiB", True),
    ("the workspace size should be more than 1 GiB", False),
]
FEATURE = "Feature: All\n" + "".join(
    f"  Scenario: {number}\n    When the workflow execution completes\n    Then {sentence}\n"
    for number, (sentence, _) in enumerate(SENTENCES)
)


def facts(**changed: Any) -> Facts:
    known: dict[str, Any] = {
        "status": "finished",
        "sizes": {path: len(content) for path, content in WORKSPACE.items()},
        "outputs": ("results/greetings.txt", "results"),
        "open": lambda path: BytesIO(WORKSPACE[path]),
        "most": 1 << 20,
        "engine_log": lambda: ENGINE,
        "job_logs": {name: (lambda text=text: text) for name, text in LOGS.items()},
        "seconds": 60.0,
        "step_seconds": {"hello": 12.0, "plot": None},
    }
    return Facts(**{**known, **changed})


def states(text: str, **changed: Any) -> list[CheckState]:
    reading = features.read(text, source="tests/x.feature", facts=facts(**changed))
    assert reading.unreadable == ()
    return [check.state for check in reading.checks]


@pytest.mark.parametrize(("sentence", "holds"), SENTENCES, ids=range(len(SENTENCES)))
def test_sentences(sentence: str, holds: bool) -> None:
    wanted = CheckState.PASSED if holds else CheckState.FAILED
    assert states(f"Feature: f\n  Scenario: s\n    Then {sentence}\n") == [wanted]


@pytest.fixture(scope="module")
def commons(request: pytest.FixtureRequest) -> Path:
    """An interpreter with reana-commons, whose pins clash with ours."""
    return interpreter(request.config, "reana-commons", "reana-commons>=0.95.0a22,<0.96")


def test_reana_commons_judges_the_same(commons: Path, tmp_path: Path) -> None:
    (tmp_path / "all.feature").write_text(FEATURE)
    files = {name: list(content) for name, content in WORKSPACE.items()}
    (tmp_path / "given").write_text(json.dumps({"files": files, "logs": LOGS, "engine": ENGINE}))
    argv = [
        str(commons),
        str(ORACLES / "commons_gherkin.py"),
        str(tmp_path / "all.feature"),
        str(tmp_path / "given"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs = dict(zip([sentence for sentence, _ in SENTENCES], json.loads(done.stdout), strict=True))
    ours = dict(zip(theirs, [str(state) for state in states(FEATURE)], strict=True))
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "changed", "expected"),
    [
        ("When the workflow is failed\n Then the workflow should be failed", {}, CheckState.SKIPPED),
        ("When the workflow execution completes", {"status": "stopped"}, CheckState.SKIPPED),
        ("When the workflow is finished\n And the workflow status is finished", {}, CheckState.PASSED),
        ('Then the engine logs should contain "x"', {"engine_log": None}, CheckState.SKIPPED),
        ('Then the file results should contain "x"', {}, CheckState.SKIPPED),
        ("Then the moon should be full", {}, CheckState.ERROR),
        ("Words that are no sentence", {}, CheckState.SKIPPED),
        ("Given the workflow should be finished", {}, CheckState.ERROR),
        ('Then the logs should contain\n """\n Jane 42\n """', {}, CheckState.PASSED),
        (
            "Then the workflow run duration should be less than 1 minutes",
            {"seconds": None},
            CheckState.FAILED,
        ),
        ("Then " + "x" * 5000, {}, CheckState.ERROR),
        ('Then the file results/greetings.txt should include "J"', {"most": 10}, CheckState.FAILED),
    ],
)
def test_scenarios(text: str, changed: dict[str, Any], expected: CheckState) -> None:
    assert states(f"Feature: f\n Scenario: s\n {text}\n", **changed) == [expected]


def test_outlines_and_backgrounds() -> None:
    text = """Feature: Files
      Background:
        When the workflow is finished
      Scenario Outline: <name> is there
        Then the workspace should include "<name>"
        Examples:
          | name                  |
          | results/greetings.txt |
          | nothing.txt           |
    """
    reading = features.read(text, source="x.feature", facts=facts())
    assert [(check.name, check.state.value, check.group) for check in reading.checks] == [
        ("results/greetings.txt is there", "passed", "Files"),
        ("nothing.txt is there", "failed", "Files"),
    ]
    assert reading.checks[1].message == 'the workspace should include "nothing.txt": it is not there'


@pytest.mark.parametrize(
    "text", ["", "# nothing", "Scenario: s", "Feature: f\n Scenario: s\n  Then x\n  Nonsense here\n", "\x00"]
)
def test_what_is_no_gherkin(text: str) -> None:
    reading = features.read(text, source="x.feature", facts=facts())
    assert reading.checks == ()
    assert "is no Gherkin" in reading.unreadable[0].reason
