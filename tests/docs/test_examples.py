"""Every example in the pages is tried: settings load, files parse, commands run and print what is shown."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from reana_bridge.model.bridge_yaml import parse as parse_project_file
from reana_bridge.model.reana_yaml import parse as parse_specification
from reana_bridge.results.readers import csv as csv_reader
from reana_bridge.results.readers import json as json_reader
from reana_bridge.settings import Settings
from tests.docs import reference
from tests.docs.examples import PAGES, ROOT, Command, Example, calls_of_ours, commands, examples
from webhooks import git
from webhooks.events import Push

LANGUAGES = {"toml", "yaml", "json", "csv", "console", "text", "python"}


def where(value: Any) -> str:
    return str(value) if isinstance(value, Example) else str(value.relative_to(ROOT))


def test_every_block_says_what_it_is() -> None:
    for path in PAGES:
        fences = re.findall(r"^```.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) % 2 == 0
        bare = [fence for fence in fences[::2] if fence == "```"]
        assert not bare, f"{path}: a block without a language"
    assert {example.language for example in examples()} <= LANGUAGES


@pytest.mark.parametrize("example", examples("toml"), ids=where)
def test_settings_load(example: Example, tmp_path: Path) -> None:
    text = example.text
    for number, value in enumerate(re.findall(r'^\w+_file = "(.+)"', text, re.MULTILINE)):
        secret = tmp_path / str(number)
        secret.write_text("postgresql://bridge:x@localhost/bridge\n")
        text = text.replace(value, str(secret))
    assert Settings(**tomllib.loads(text))


@pytest.mark.parametrize("example", examples("yaml"), ids=where)
def test_files_parse(example: Example) -> None:
    match example.note:
        case ".reana-bridge.yaml":
            assert parse_project_file(example.text).analyses
        case "reana.yaml":
            _, warnings = parse_specification(example.text.encode(), file="reana.yaml", parameters={})
            assert not warnings
        case "prometheus":
            groups = yaml.safe_load(example.text)["groups"]
            assert all({"alert", "expr"} <= rule.keys() for group in groups for rule in group["rules"])
        case ".gitlab-ci.yml":
            assert all(job["script"] for job in yaml.safe_load(example.text).values())
        case other:
            pytest.fail(f"{example}: say behind `yaml` which file it is, not {other!r}")


@pytest.mark.parametrize("example", examples("json", "csv"), ids=where)
def test_data_is_read(example: Example) -> None:
    content = example.text.encode()
    if '"ref"' in example.text:
        event = git.parse({}, content)
        assert isinstance(event, Push)
        return
    reader = json_reader if example.language == "json" else csv_reader
    reading = reader.read(content, source="metrics")
    assert reading.metrics
    assert not reading.unreadable


@pytest.mark.parametrize("example", examples("python"), ids=where)
def test_programs_run(example: Example) -> None:
    exec(compile(example.text, str(example), "exec"), {"__name__": "example"})


def test_skipped_examples_say_why() -> None:
    notes = {example.note for example in examples("console") if example.note}
    assert all(re.fullmatch(r"skip: .{8,}", note) for note in notes), notes


def test_metrics_in_the_reference_are_those_it_names() -> None:
    page = reference.PAGES / "in-repo-file.md"
    (example,) = examples("json", page=page)
    names = [m.name for m in json_reader.read(example.text.encode(), source="metrics.json").metrics]
    assert all(f"`{name}`" in page.read_text(encoding="utf-8") for name in names)
    assert len(names) == 4


@pytest.mark.parametrize("example", examples("console"), ids=where)
def test_commands_of_ours_exist(example: Example) -> None:
    """Also in examples that are not run here: the names of commands and options are right."""
    known = dict(reference.leaves(reference.command_tree()))
    for command in commands(example):
        for words in calls_of_ours(command.text):
            if words and words[0].startswith("--"):
                continue
            name = next((n for n in known if " ".join(["reana-bridge", *words]).startswith(n)), None)
            assert name, f"{command.where}: there is no command `reana-bridge {' '.join(words[:2])}`"
            options = {option for p in known[name].params for option in (*p.opts, *p.secondary_opts)}
            given = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert given <= options | {"--help"}, f"{command.where}: {name} knows no {given - options}"


PAGES_TO_RUN = sorted({e.page for e in examples("console") if not e.note})
TOOLS = {
    "docs/quick-start.md": {"bwrap": "bubblewrap", "curl": "curl"},
    "docs/administration.md": {"sqlite3": "sqlite3"},
}


@pytest.mark.parametrize("page", PAGES_TO_RUN, ids=where)
def test_console_examples_run(page: Path, tmp_path: Path) -> None:
    needed = TOOLS.get(where(page), {})
    missing = [package for tool, package in needed.items() if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"install {', '.join(missing)}")
    steps = [
        step for example in examples("console", page=page) if not example.note for step in commands(example)
    ]
    with Shell(tmp_path) as shell:
        for step in steps:
            shell.run(step)


class Shell:
    """A bash in which one page's commands are run one after the other, on a free port instead of 8800."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        self._directory = directory
        home = directory / "home"
        (home / "storage" / "artifacts").mkdir(parents=True)
        (home / ".gitconfig").write_text("[user]\n\tname = Jane\n\temail = jane@localhost\n")
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LANG": "C.UTF-8",
            "COLUMNS": "120",
        }

    def __enter__(self) -> "Shell":
        work = self._directory / "work"
        work.mkdir()
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            cwd=work,
            env=self._environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return self

    def run(self, step: Command) -> None:
        """Run it, and compare what it prints with what the page shows (`...` stands for anything)."""
        with numbered(self._directory) as (output, status):
            text = step.text.replace("8800", self._port)
            stdin = self._bash.stdin
            assert stdin
            told = f"{{ {text}\n}} > {output} 2>&1 < /dev/null\necho $? > {status}.new\n"
            stdin.write(f"{told}mv {status}.new {status}\n")
            stdin.flush()
            self._wait(step, output, status)
            said = output.read_text(encoding="utf-8", errors="replace").strip()
        assert status.read_text().strip() == "0", f"{step.where}: `{step.text}` failed:\n{said}"
        wanted = ".*".join(re.escape(part) for part in step.output.replace("8800", self._port).split("..."))
        if step.output:
            assert re.fullmatch(wanted, said, re.DOTALL), f"{step.where}: `{step.text}` printed\n{said}"

    def _wait(self, step: Command, output: Path, status: Path) -> None:
        for _ in range(6000):
            if status.exists():
                return
            if self._bash.poll() is not None:
                break
            signal.sigtimedwait([], 0.02)
        said = output.read_text(errors="replace") if output.exists() else ""
        logs = [path.read_text(errors="replace")[-3000:] for path in self._directory.rglob("server.log")]
        pytest.fail("\n".join([f"{step.where}: `{step.text}` did not come to its end:", said, *logs]))

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._bash.pid, number)
            except ProcessLookupError:
                break
            try:
                self._bash.wait(15)
            except subprocess.TimeoutExpired:
                continue
        if self._bash.stdin:
            self._bash.stdin.close()


@contextmanager
def numbered(directory: Path) -> Iterator[tuple[Path, Path]]:
    """Fresh files for a command's output and exit status."""
    number = len(list(directory.glob("*.output")))
    output = directory / f"{number}.output"
    output.touch()
    yield output, directory / f"{number}.status"


def test_a_command_of_several_lines_is_one_command() -> None:
    text = io.StringIO("$ cat <<END\n> one\n>\n> two\n> END\none\n\ntwo\n$ true\n").read()
    found = commands(Example(ROOT / "README.md", 1, "console", "", text))
    assert [command.text for command in found] == ["cat <<END\none\n\ntwo\nEND", "true"]
    assert found[0].output == "one\n\ntwo"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reana-bridge serve 2> log &", [["serve"]]),
        ("cd x && reana-bridge run --compare main", [["run", "--compare", "main"]]),
        ("until reana-bridge doctor > out; do sleep 1; done", [["doctor"]]),
        ("git push", []),
        (".venv/bin/reana-bridge token create a --scope read", [["token", "create", "a", "--scope", "read"]]),
    ],
)
def test_calls_are_found_in_shell_commands(text: str, expected: list[list[str]]) -> None:
    assert calls_of_ours(text) == expected
