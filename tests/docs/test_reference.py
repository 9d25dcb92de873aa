"""The pages say what the code does: generated parts are fresh, and nothing that users meet is left out."""

import re
from pathlib import Path

import pytest

from reana_bridge.model.decisions import Outcome
from reana_bridge.model.specification import WorkflowType
from reana_bridge.settings import documented
from tests.docs import reference
from tests.docs.examples import PAGES, ROOT

PAGE_NAMES = ["settings", "commands", "in-repo-file", "api", "metrics", "events", "workflows"]


def page(name: str) -> str:
    return (reference.PAGES / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGE_NAMES)
def test_generated_parts_are_fresh(name: str) -> None:
    assert page(name) == reference.renewed(page(name)), "run `make docs`, and commit what it writes"


def test_every_part_is_on_some_page() -> None:
    there = {found[1] for name in PAGE_NAMES for found in reference.PART.findall(page(name))}
    assert there == reference.PARTS.keys()


def test_every_setting_is_documented() -> None:
    tables = {f"{s}.{key}" for s, model in reference.SECTIONS.items() for key in model.model_fields}
    assert tables == documented().keys()
    empty = [key for key, text in documented().items() if not text.strip()]
    assert not empty, f"these settings have no description: {empty}"


def test_every_command_and_option_is_documented_with_an_example() -> None:
    text = page("commands")
    for name, command in reference.leaves(reference.command_tree()):
        assert f"### {name}\n" in text
        assert "Example: `reana-bridge " in (command.help or ""), f"{name} --help shows no example"
        silent = [p.name for p in command.params if not p.help and p.name != "help"]
        assert not silent, f"{name}: {silent} have no help"


def test_every_address_is_documented() -> None:
    text = page("api")
    with reference.an_app() as (app, _):
        paths = {route.path.replace(":path}", "}") for route in app.routes if hasattr(route, "path")}
    missing = [path for path in paths if path not in text]
    assert not missing
    silent = [f"{method} {path}" for method, path, meaning in reference.addresses() if not meaning]
    assert not silent, "these have no docstring, and nothing in SAID"


def test_every_metric_is_documented() -> None:
    text = page("metrics")
    families = reference.metric_families()
    assert len(families) > 5
    for name, _, _, meaning in families:
        assert f"`{name}`" in text
        assert meaning


@pytest.mark.parametrize("name", ["administration", "reference/metrics"])
def test_metrics_in_the_pages_exist(name: str) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    known = {name for name, *_ in reference.metric_families()}
    known |= {f"{name}_bucket" for name in known}
    assert {found for found in re.findall(r"\breana_bridge_[a-z_]+", text) if found.count("_") > 2} <= known


def test_every_event_and_outcome_is_documented() -> None:
    text = page("events")
    assert all(f"`{kind.__name__}`" in text for kind in reference.event_types() if kind.__name__ != "Event")
    assert all(f"| `{outcome}` |" in text for outcome in Outcome)


def test_every_workflow_type_is_documented() -> None:
    assert all(f"| `{kind}` |" in page("workflows") for kind in WorkflowType)


def test_settings_in_the_pages_exist() -> None:
    names = [re.escape(key).replace("NAME", "[a-zA-Z-]+") for key in documented()]
    known = re.compile("|".join(names))
    section = re.compile(r"`((?:server|database|storage|limits|forges|backends|projects)(?:\.[a-zA-Z_-]+)+)`")
    wrong = [
        f"{path.name}: {found}"
        for path in PAGES
        for found in section.findall(path.read_text(encoding="utf-8"))
        if not known.fullmatch(found) and found not in reference.SECTIONS
    ]
    assert not wrong


def anchors(path: Path) -> set[str]:
    """Names of a page's headings, as forges make them."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken: list[str] = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert not broken


def test_every_page_is_reached_from_the_first() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs").rglob("*.md"):
        name = path.relative_to(ROOT / "docs").as_posix()
        assert name == "README.md" or f"({name})" in index, f"docs/README.md does not link {name}"
