"""The supervisor's parts that need no processes."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reana_bridge.backends.local.supervisor import image_names, records
from reana_bridge.backends.local.supervisor.events import Events
from reana_bridge.backends.local.supervisor.limits import duration
from reana_bridge.backends.local.supervisor.log import Log, clean_lines, size
from reana_bridge.backends.local.supervisor.progress import Progress
from reana_bridge.backends.local.supervisor.workflow import exit_message


@pytest.mark.parametrize(
    ("show", "value", "text"),
    [
        (size, 0, "0 bytes"),
        (size, 512 << 20, "512 MiB"),
        (size, 1.25 * (1 << 30), "1.25 GiB"),
        (size, 4 << 40, "4 TiB"),
        (duration, 0.5, "0.5 s"),
        (duration, 90, "90 s"),
        (duration, 1200, "20 min"),
        (duration, 3 * 3600, "3 h"),
        (exit_message, 1, "exit status 1"),
        (exit_message, 128, "exit status 128"),
        (exit_message, -9, "killed by SIGKILL"),
        (exit_message, 139, "killed by SIGSEGV"),
        (exit_message, 255, "exit status 255"),
    ],
)
def test_figures_for_a_person(show: Callable[[float], str], value: float, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    ("chunks", "cap", "kept"),
    [
        ([b"abc"], 100, b"abc"),
        ([b""], 100, b""),
        ([b"a" * 10], 10, b"a" * 10),
        ([b"0123456789", b"abcdefghij"], 10, b"01234\n... 10 bytes left out ...\nfghij"),
        ([b"0123456789abcdefghij"], 10, b"01234\n... 10 bytes left out ...\nfghij"),
        ([bytes([n]) for n in b"0123456789abcdefghij"], 10, b"01234\n... 10 bytes left out ...\nfghij"),
        ([b"x" * 1000] * 1000, 4, b"xx\n... 977 KiB left out ...\nxx"),
    ],
)
def test_a_log_has_a_cap(tmp_path: Path, chunks: list[bytes], cap: int, kept: bytes) -> None:
    path = tmp_path / "log"
    log = Log(str(path), cap)
    for chunk in chunks:
        log.write(chunk)
    log.close()
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n\n\nb\n\n", ["a", "b"]),
        (b"1%\r50%\r100%\n", ["100%"]),
        (b"\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\n", ["red link"]),
        (b"\x00\xff\x9b", ["\ufffd\ufffd"]),
        (b"x" * 600, ["x" * 499 + "…"]),
        (b"1\n2\n3\n4", ["2", "3", "4"]),
    ],
)
def test_lines_are_clean(data: bytes, lines: list[str]) -> None:
    assert clean_lines(data, 3) == lines


@pytest.mark.parametrize(
    ("glob", "image", "same"),
    [
        ("python:3.11*", "docker.io/library/python:3.11-slim", True),
        ("docker.io/library/python:*", "python:3", True),
        ("docker://group/fit:1", "docker.io/group/fit:1", True),
        ("group/*", "group/fit:2", True),
        ("python", "python:3", False),
        ("registry.example.org/fit:*", "fit:1", False),
        ("*", "anything", True),
    ],
)
def test_images_match(glob: str, image: str, same: bool) -> None:
    assert image_names.matches(glob, image) is same


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("requirements:\n  DockerRequirement:\n    dockerPull:\n      group/tool:1", {"group/tool:1"}),
        ('{"class": "DockerRequirement", "dockerPull": "group/tool:1"}', {"group/tool:1"}),
        ('rule a:\n    container:\n        "docker://group/tool:1"\n', {"group/tool:1"}),
        ("environment_type: docker-encapsulated\nimage: group/tool\nimagetag: '2'", {"group/tool:2"}),
        ("image: 'group/tool'", {"group/tool"}),
        ("nothing here", set()),
    ],
)
def test_images_are_found_in_a_workflow(tmp_path: Path, text: str, images: set[str]) -> None:
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "main").write_text(text)
    os.mkfifo(tmp_path / "workflow" / "fifo")
    (tmp_path / "workflow" / "link").symlink_to("/dev/zero")
    assert image_names.in_workflow(str(tmp_path), "workflow/main") == images


HOSTILE_EVENTS = [
    b"not json\n",
    b"[]\n",
    b'{"event": "begin"}\n',
    b'{"event": "begin", "id": [1], "name": null}\n',
    b'{"event": "end", "id": "never begun", "status": 0}\n',
    b'{"event": "end", "id": "1", "status": "x"}\n',
    b"[" * 100_000 + b"\n",
    b"x" * 1_000_000,
    b"\n\xff\xfe\n",
]


def test_events_become_steps_whatever_comes_between(tmp_path: Path) -> None:
    progress = Progress(str(tmp_path))
    events = Events(progress, {"log": "cwl.log", "environment": "system"})
    events.take(b'{"event": "begin", "id": 1, "name": "a", "command": "do a"}\n{"event": "beg')
    events.take(b'in", "id": 2, "name": "b", "image": "i"}\n')
    for line in HOSTILE_EVENTS:
        events.take(line)
    events.take(b'{"event": "end", "id": 1, "status": 0}\n')
    events.close(succeeded=False)
    said = [(step["name"], step["state"]) for step in progress.steps if step["name"] in "ab"]
    assert said == [("a", "finished"), ("b", "failed")]
    assert events.failed is not None


@pytest.mark.parametrize(
    ("change", "alive"),
    [({}, True), ({"start": "1"}, False), ({"boot": "another"}, False), ({"pid": 1 << 22}, False)],
)
def test_a_process_is_known_again(change: dict[str, str], alive: bool) -> None:
    assert records.is_alive(records.identity_of(os.getpid()) | change) is alive


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    first = records.try_lock(str(tmp_path))
    assert first is not None
    assert records.try_lock(str(tmp_path)) is None
    os.close(first)
    second = records.try_lock(str(tmp_path))
    assert second is not None
    os.close(second)


@pytest.mark.parametrize("text", ["", "{", "\x00"])
def test_a_torn_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / records.EXIT).write_text(text)
    assert records.read(str(tmp_path), records.EXIT) is None
