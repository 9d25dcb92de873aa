"""The example analysis is right by our own rules, and its variants change what they say."""

from pathlib import Path

import pytest

from reana_bridge.demo.variants import ANALYSIS, REQUIREMENTS, break_fit, change_selection, write_analysis
from reana_bridge.model.bridge_yaml import parse as parse_project_file
from reana_bridge.model.reana_yaml import parse as parse_specification


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    write_analysis(tmp_path)
    return tmp_path


def changed(copy: Path) -> dict[str, tuple[str, str]]:
    """The files that differ from the shipped ones: before, now."""
    pairs = {path.name: (path.read_text(), (copy / path.name).read_text()) for path in ANALYSIS.glob("*.*")}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def test_the_copy_is_the_analysis_and_nothing_more(copy: Path):
    assert changed(copy) == {}
    shipped = {path.name for path in ANALYSIS.iterdir() if path.name != "__pycache__"}
    assert {path.name for path in copy.iterdir()} == shipped


@pytest.mark.parametrize("edit", [lambda copy: None, change_selection, break_fit])
def test_both_files_are_right(copy: Path, edit):
    edit(copy)
    specification, problems = parse_specification(
        (copy / "reana.yaml").read_bytes(), file="reana.yaml", parameters={}
    )
    assert problems == ()
    assert [step.name for step in specification.steps] == ["simulate", "select", "fit", "plot"]
    assert all((copy / name).is_file() for name in specification.input_files)
    scripts = {path.name for path in copy.glob("*.py")}
    assert set(specification.input_files) == scripts
    [analysis] = parse_project_file((copy / ".reana-bridge.yaml").read_bytes(), file="x").analyses
    assert (analysis.name, analysis.file) == ("fit", "reana.yaml")


def test_the_selection_changes_in_one_place(copy: Path):
    change_selection(copy)
    [(name, (before, now))] = changed(copy).items()
    assert (name, now) == ("reana.yaml", before.replace("score_min: 0.55", "score_min: 0.80"))


def test_the_mistake_leaves_the_fit_as_it_was(copy: Path):
    break_fit(copy)
    assert set(changed(copy)) == {"simulate.py", "selection.py"}


@pytest.mark.parametrize("edit", [change_selection, break_fit])
def test_a_second_time_and_elsewhere_it_says_so(copy: Path, tmp_path_factory, edit):
    edit(copy)
    with pytest.raises(ValueError, match="is not the example analysis"):
        edit(copy)
    with pytest.raises(FileNotFoundError):
        edit(tmp_path_factory.mktemp("empty"))


def test_every_requirement_is_pinned():
    for line in REQUIREMENTS.read_text().splitlines():
        name, pin, version = line.partition("==")
        assert name
        assert pin
        assert version.replace(".", "").isdigit()


def test_no_script_hides_a_module_of_python():
    import sys

    assert not {path.stem for path in ANALYSIS.glob("*.py")} & set(sys.stdlib_module_names)
