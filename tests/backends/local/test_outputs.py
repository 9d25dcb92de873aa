"""What is read out of a workspace, and what is never read."""

import contextlib
import os
import socket
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendError, JobState
from reana_bridge.backends.local import outputs
from reana_bridge.backends.local.supervisor import trees
from tests.backends.local.conftest import Bench

FIFO, OUT, LOOP = "a FIFO", "a symbolic link out of the workspace", "a symbolic link that leads in a circle"

RESULTS = {"results/deep/er/plot.png": "", "results/deep/table.csv": "", "results/metrics.json": ""}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with everything that a job may leave."""
    root = tmp_path / "workspace"
    (root / "results" / "deep" / "er").mkdir(parents=True)
    (root / "results" / "metrics.json").write_text("{}")
    (root / "results" / "deep" / "er" / "plot.png").write_bytes(b"png")
    (root / "results" / "deep" / "table.csv").write_text("a,b\n")
    (root / "name with\nnewline").write_text("odd")
    (root / ".hidden").write_text("h")
    (tmp_path / "secret").write_text("hunter2")
    odd = root / "odd"
    odd.mkdir()
    os.mkfifo(odd / "fifo")
    links = {
        "passwd": "/etc/passwd",
        "up": "../../secret",
        "up-dir": "../..",
        "nothing": "gone",
        "circle": "circle",
        "inside": "../results/metrics.json",
        "absolute": f"{root}/results/metrics.json",
        "in-sandbox": "/workspace/results/metrics.json",
        "sandbox-up": "/workspace/../secret",
        "directory": "../results",
        "chain": "inside",
    }
    for name, target in links.items():
        (odd / name).symlink_to(target)
    with contextlib.chdir(odd), socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    return root


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["results/metrics.json"], {"results/metrics.json": ""}),
        (["./results//metrics.json"], {"results/metrics.json": ""}),
        (["results"], RESULTS),
        (
            ["results/"],
            dict.fromkeys(["results/deep/er/plot.png", "results/deep/table.csv"], "")
            | {"results/metrics.json": ""},
        ),
        (
            ["results/*"],
            dict.fromkeys(["results/deep/er/plot.png", "results/deep/table.csv"], "")
            | {"results/metrics.json": ""},
        ),
        (["results/*.json"], {"results/metrics.json": ""}),
        (["**/*.csv", "**/*.png"], {"results/deep/er/plot.png": "", "results/deep/table.csv": ""}),
        (["results/**/plot.*"], {"results/deep/er/plot.png": ""}),
        (["name*"], {"name with\nnewline": ""}),
        ([".hidden", ".hid*"], {".hidden": ""}),
        (["absent", "absent/*", "results/metrics.json/x", ""], {}),
        (["/etc/passwd"], {"/etc/passwd": "a path out of the workspace"}),
        (["../secret"], {"../secret": "a path out of the workspace"}),
        (["results/../../secret"], {"../secret": "a path out of the workspace"}),
        (["odd/up-dir/secret"], {"odd/up-dir/secret": "a path out of the workspace"}),
        (["odd/fifo"], {"odd/fifo": FIFO}),
        (["odd/socket"], {"odd/socket": "a socket"}),
        (["odd/passwd"], {"odd/passwd": OUT}),
        (["odd/up"], {"odd/up": "a path out of the workspace"}),
        (["odd/sandbox-up"], {"odd/sandbox-up": "a path out of the workspace"}),
        (["odd/circle"], {"odd/circle": LOOP}),
        (["odd/inside", "odd/chain"], {"odd/inside": "", "odd/chain": ""}),
        (["odd/absolute", "odd/in-sandbox"], {"odd/absolute": "", "odd/in-sandbox": ""}),
        (["odd/directory/metrics.json"], {"odd/directory/metrics.json": ""}),
        (
            ["odd"],
            {
                "odd/absolute": "",
                "odd/chain": "",
                "odd/circle": LOOP,
                "odd/directory": "a symbolic link to a directory",
                "odd/fifo": FIFO,
                "odd/in-sandbox": "",
                "odd/inside": "",
                "odd/nothing": "a symbolic link to nothing",
                "odd/passwd": OUT,
                "odd/sandbox-up": "a path out of the workspace",
                "odd/socket": "a socket",
                "odd/up": "a path out of the workspace",
                "odd/up-dir": "a path out of the workspace",
            },
        ),
    ],
)
def test_what_is_found(workspace: Path, patterns: list[str], found: dict[str, str]) -> None:
    listed = list(outputs.find(workspace, [pattern for pattern in patterns if pattern]))
    assert {file.path: file.problem for file in listed} == found
    assert [file.path for file in listed] == sorted(found)
    for file in listed:
        if not file.problem:
            with outputs.read(workspace, file.path) as content:
                assert len(content.read()) == file.size


@pytest.mark.parametrize(
    "path",
    [
        *("absent", "/etc/passwd", "../secret", "odd/up", "odd/passwd", "odd/fifo", "odd/socket"),
        *("odd/circle", "results", "odd/directory", "odd/sandbox-up", "results/../../secret", "a\0b"),
        "odd/up-dir/secret",
    ],
)
def test_what_is_not_read(workspace: Path, path: str) -> None:
    with pytest.raises(FileNotFoundError, match="in the workspace"):
        outputs.read(workspace, path)


def test_too_many_files(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "MOST_FILES", 2)
    *listed, last = outputs.find(workspace, ["results"])
    assert len(listed) == 2
    assert last.problem == "more than 2 files; the others are left out"


def test_outputs_of_a_real_run(bench: Bench) -> None:
    identity = bench.submit(
        "mkdir results; echo 1 > results/a; ln -s $PWD/results/a link; ln -s /etc/passwd results/p;"
        "mkfifo results/f; chmod 600 results/a"
    )
    assert bench.end(identity).state is JobState.FINISHED
    listed = {file.path: file.problem for file in bench.backend.outputs(identity, ["results", "link"])}
    assert listed == {"link": "", "results/a": "", "results/f": FIFO, "results/p": OUT}
    with bench.backend.read(identity, "link") as file:
        assert file.read() == b"1\n"
    assert list(bench.backend.outputs("never-heard-of", ["*"])) == []
    with pytest.raises(FileNotFoundError, match="no run"):
        bench.backend.read("never-heard-of", "results/a")


def test_logs_are_read_in_parts(bench: Bench) -> None:
    identity = bench.submit("echo 0123456789")
    bench.end(identity)
    parts = [bench.backend.log(identity, "step 1", offset, 4) for offset in (0, 4, 8, 12)]
    assert parts == [b"0123", b"4567", b"89\n", b""]
    for step in ("step 2", "../exit.json", "", "environment", "../../x.log"):
        assert bench.backend.log(identity, step) == b""
    assert bench.backend.log("never-heard-of", "step 1") == b""


def test_a_tree_with_closed_and_deep_directories_is_removed(bench: Bench, tmp_path: Path) -> None:
    identity = bench.submit(
        "mkdir -p a/b/c && touch a/b/c/x && chmod 000 a/b/c a/b && chmod 500 a;"
        "python3 -c \"import os\nfor _ in range(1500): os.mkdir('d' * 100); os.chdir('d' * 100)\""
    )
    seen = bench.end(identity)
    assert seen.failure is not None
    assert "nested too deep" in seen.failure.message
    assert bench.backend.usage()[0].size == 1 << 62
    bench.backend.remove(identity)
    bench.backend.remove(identity)
    assert bench.backend.find(identity) is None
    assert bench.backend.follow([identity])[identity].state is JobState.LOST
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    trees.remove_tree(str(tmp_path / "link"))
    assert [(tmp_path / name).exists() for name in ("kept", "link")] == [True, False]


def test_retention(bench: Bench) -> None:
    names = [bench.submit(f"head -c {size} /dev/zero > file") for size in (300_000, 200_000, 100_000)]
    for name in names:
        bench.end(name)
    running = bench.submit("sleep 600")
    usage = bench.backend.usage()
    assert sorted(one.identity for one in usage) == sorted(names)
    assert [one.ended_at for one in usage] == sorted(one.ended_at for one in usage)
    sizes = {one.identity: one.size for one in usage}
    assert sizes[names[0]] > sizes[names[1]] > sizes[names[2]] > 100_000
    assert bench.backend.usage() == usage
    with pytest.raises(BackendError, match="still runs"):
        bench.backend.remove(running)
    (bench.root / ".incoming" / "left.1").mkdir()
    (bench.root / ".removed" / "left.2" / "closed").mkdir(parents=True)
    assert sorted(bench.backend.sweep({names[1]})) == sorted([names[0], names[2]])
    assert [bench.backend.find(name) is None for name in (*names, running)] == [True, False, True, False]
    assert [list((bench.root / place).iterdir()) for place in (".incoming", ".removed")] == [[], []]
