"""What a note looks like, outcome by outcome.

After a wanted change: `REANA_BRIDGE_GOLDEN=write pytest tests/reports`, and look at the difference.
"""

import os
from pathlib import Path

import pytest

from reana_bridge.reports.markdown import section
from reana_bridge.reports.terminal import to_text
from tests.reports.samples import SAMPLES

GOLDEN = Path(__file__).parent / "golden"
RENDERED = {"md": section, "txt": lambda report: to_text(report, width=80)}


@pytest.mark.parametrize("ending", RENDERED)
@pytest.mark.parametrize("name", SAMPLES)
def test_golden(name, ending):
    shown = RENDERED[ending](SAMPLES[name])
    file = GOLDEN / f"{name}.{ending}"
    if os.environ.get("REANA_BRIDGE_GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert {file.name for file in GOLDEN.iterdir()} == {
        f"{name}.{end}" for name in SAMPLES for end in RENDERED
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_eighty_columns_suffice(name):
    copied = ("https://", "  reana-bridge run")  # lines to copy from are never broken
    lines = to_text(SAMPLES[name], width=80).splitlines()
    assert all(len(line) <= 80 for line in lines if not line.startswith(copied))
