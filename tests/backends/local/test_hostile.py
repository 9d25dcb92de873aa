"""Jobs that mean harm, or know no better: each ends with a clear verdict, and the server is unharmed."""

import os
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendError, BackendRefused, JobState
from reana_bridge.backends.local import sandbox
from reana_bridge.model.runs import FailureKind
from tests.backends.local.conftest import Bench, both, eventually, processes_with

MIB = 1 << 20
HOG = "x = []\nwhile True: x.append(bytearray(8 << 20))"
WRITER = "with open('big', 'wb') as f:\n  while True: f.write(b'x' * (1 << 20)); f.flush()"
MANY = "import itertools\nfor i in itertools.count(): open(f'f{i}', 'wb').write(b'x' * 1000000)"
DEEP = "import os\nwhile True: os.mkdir('d' * 200); os.chdir('d' * 200)"
THREADS = "from threading import *\nwhile True: Thread(target=Event().wait, daemon=True).start()"


def python(code: str) -> str:
    return f"python3 - <<'END'\n{code}\nEND"


@both
@pytest.mark.parametrize(
    ("command", "limits", "kind", "message"),
    [
        ("sleep 600", {"seconds": 0.5}, "limit", "took longer than its 0.5 s"),
        ("trap '' TERM; while :; do sleep 1; done", {"seconds": 0.5}, "limit", "took longer than its 0.5 s"),
        (python(HOG), {"memory": 200 * MIB}, "limit", "used more than its 200 MiB of memory"),
        (
            "for i in 1 2 3; do head -c 120M /dev/zero | tail & done; wait",
            {"memory": 200 * MIB},
            "limit",
            "used more than its 200 MiB of memory",
        ),
        (python(WRITER), {"disk": 20 * MIB}, "limit", "used more than its 20 MiB of disk in the workspace"),
        (
            "head -c 50M /dev/zero > big",
            {"disk": 20 * MIB},
            "limit",
            "used more than its 20 MiB of disk in the workspace",
        ),
        (python(MANY), {"disk": 20 * MIB}, "limit", "used more than its 20 MiB of disk in the workspace"),
        (
            "head -c 15M /dev/zero > a; head -c 15M /dev/zero > $TMPDIR/b; true",
            {"disk": 20 * MIB},
            "limit",
            "used more than its 20 MiB of disk in the workspace",
        ),
        (python(DEEP), {}, "limit", "made directories in the workspace that are nested too deep"),
        (
            "while :; do sleep 30 & done",
            {"processes": 60},
            "limit",
            "started more than its 60 processes and threads",
        ),
        (python(THREADS), {"processes": 100}, "limit", "started more than its 100 processes and threads"),
    ],
    ids=[
        "sleeps too long",
        "ignores SIGTERM",
        "takes all memory",
        "takes memory in parts",
        "writes one large file",
        "writes a file over its limit",
        "writes many files",
        "fills the disk through /tmp",
        "nests directories without end",
        "starts processes without end",
        "threads without end",
    ],
)
def test_a_limit_ends_the_run_and_says_so(
    make_bench: Callable[..., Bench],
    sandbox: str,
    command: str,
    limits: dict[str, int],
    kind: str,
    message: str,
) -> None:
    token = f"t{uuid.uuid4().hex}"
    bench = make_bench(sandbox=sandbox)
    seen = bench.run(f"#{token}\n{command}", limits=limits)
    assert seen.failure is not None
    if "processes" not in limits or seen.failure.kind is not FailureKind.ANALYSIS:
        # Else the kernel itself refused to start more, and the job gave up by itself.
        assert (seen.failure.kind, seen.failure.message) == (FailureKind(kind), message)
    assert seen.failure.step == "step 1"
    assert seen.state is JobState.FAILED
    eventually(lambda: not processes_with(token), 5)


def test_a_fork_bomb_in_a_sandbox(bench: Bench) -> None:
    token = f"t{uuid.uuid4().hex}"
    seen = bench.run(f"#{token}\n:(){{ sleep 30 & : & : & }}; : & wait; sleep 30", limits={"processes": 60})
    assert seen.failure is not None
    assert processes_with(token) == []
    assert bench.run("true").state is JobState.FINISHED


ESCAPES = [
    ("exec -a TOKEN sleep 500 & true", "background"),
    ("(setsid bash -c 'exec -a TOKEN sleep 500' </dev/null >/dev/null 2>&1 &) ; true", "own session"),
    (
        python(
            "import os\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n"
            "    [os.close(n) for n in range(3)]\n    os.execv('/bin/sleep', ['TOKEN', '500'])\n  os._exit(0)"
        ),
        "double fork",
    ),
    (
        "trap '' TERM HUP INT; nohup bash -c 'trap \"\" TERM; exec -a TOKEN sleep 500' & true",
        "ignores signals",
    ),
]


@both
@pytest.mark.parametrize("how", ["ends", "cancelled"])
@pytest.mark.parametrize("command", [command for command, _ in ESCAPES], ids=[name for _, name in ESCAPES])
def test_nothing_outlives_the_run(
    make_bench: Callable[..., Bench], sandbox: str, how: str, command: str
) -> None:
    token = f"t{uuid.uuid4().hex}"
    bench = make_bench(sandbox=sandbox)
    command = command.replace("TOKEN", token)
    if how == "ends":
        seen = bench.run(command, "true")
        assert (seen.state, seen.failure) == (JobState.FINISHED, None)
    else:
        identity = bench.submit(f"{command}\ntouch begun; trap '' TERM; sleep 500; sleep 500")
        eventually((bench.workspace(identity) / "begun").exists)
        bench.backend.cancel(identity)
        assert bench.end(identity).state is JobState.CANCELLED
    assert processes_with(token) == []


@pytest.mark.parametrize(
    ("command", "size"),
    [
        ("head -c 60M /dev/zero | tr '\\0' x; echo; echo the end; exit 1", 60 * MIB),
        ("seq 2000000; echo the end; exit 1", 14_888_896),
        ("head -c 30M /dev/urandom; echo; echo the end; exit 1", 30 * MIB),
    ],
)
def test_a_long_log_keeps_its_beginning_and_end(bench: Bench, command: str, size: int) -> None:
    identity = bench.submit(f"echo the beginning; {command}", limits={"log": 64 * 1024})
    seen = bench.end(identity)
    log = bench.backend.log(identity, "step 1")
    assert log.startswith(b"the beginning\n")
    assert log.endswith(b"\nthe end\n")
    assert b" left out ...\n" in log
    assert 64 * 1024 < len(log) < 65 * 1024
    assert seen.failure is not None
    assert seen.failure.log_tail[-1] == "the end"
    assert all(len(line) <= 500 for line in seen.failure.log_tail)


def test_binary_output_is_kept_as_it_came(bench: Bench) -> None:
    identity = bench.submit("printf '\\x00\\xff\\xfe\\r\\n\\x1b[0m'")
    assert bench.end(identity).state is JobState.FINISHED
    assert bench.backend.log(identity, "step 1") == b"\x00\xff\xfe\r\n\x1b[0m"


@pytest.fixture
def loopback() -> Iterator[int]:
    """A server on this machine's loopback; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"secret")
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


REACH = (
    "import socket, sys\nfor host in ('127.0.0.1', '10.0.2.2'):\n  try:\n"
    "    print(socket.create_connection((host, PORT), 2).recv(9))\n"
    "  except OSError as e:\n    print('closed')"
)


@pytest.mark.parametrize(
    ("network", "settings", "printed"),
    [
        (False, {}, "closed\nclosed\n"),
        (True, {}, "closed\nclosed\n"),
        (False, {"host_network_allowed": True}, "closed\nclosed\n"),
        (True, {"host_network_allowed": True}, "b'secret'\nclosed\n"),
    ],
)
def test_loopback_is_out_of_reach(
    make_bench: Callable[..., Bench],
    bench: Bench,
    loopback: int,
    network: bool,
    settings: dict[str, bool],
    printed: str,
) -> None:
    if network and not settings and not sandbox.slirp():
        pytest.skip("needs slirp4netns: apt-get install slirp4netns")
    told = make_bench(**settings).printed(python(REACH.replace("PORT", str(loopback))), network=network)
    assert told == printed


def test_a_network_of_its_own_has_a_way_out(bench: Bench) -> None:
    if not sandbox.slirp():
        pytest.skip("needs slirp4netns: apt-get install slirp4netns")
    told = bench.printed("cat /proc/net/dev /etc/resolv.conf", network=True)
    assert "tap0" in told
    assert "nameserver 10.0.2.3" in told


@pytest.mark.parametrize(
    "command",
    [
        "cat FILE",
        "cat ROOT/other/workspace/secret",
        "ls ROOT/other",
        "cat ../job.json",
        "cat /workspace/../../job.json",
        "cat /proc/PID/environ",
        "cat $HOME/../../root/.bashrc /root/.bashrc /home/*/.bashrc",
        "cat /etc/shadow",
        "kill -0 PID",
        "touch /usr/harm || touch /etc/harm || touch /harm || touch /dev/harm",
        "cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern",
        "mount -t tmpfs none /tmp || unshare -r true || unshare -m true",
        "mknod null c 1 3",
        "env | grep -E 'SECRET_OF_THE_SERVER|TEST_|CACHE'",
        "test -w /sys/kernel || ls /sys/kernel",
    ],
)
def test_the_server_and_other_runs_are_out_of_sight(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "hunter2")
    (tmp_path / "secret").write_text("hunter2")
    bench.end(bench.submit("echo hunter2 > secret", name="other"))
    for name, value in (("SECRET", tmp_path / "secret"), ("ROOT", bench.root), ("PID", os.getpid())):
        command = (
            command.replace(name, str(value)) if name != "SECRET" or "cat SECRET" in command else command
        )
    identity = bench.submit(f"if {{ {command}; }} 2>/dev/null; then echo reached; exit 1; fi")
    seen = bench.end(identity)
    log = bench.backend.log(identity, "step 1")
    assert (seen.state, log) == (JobState.FINISHED, b""), log


@pytest.mark.parametrize("settings", [{"sandbox": "required"}, {"sandbox": "preferred"}, {"sandbox": "off"}])
@pytest.mark.parametrize("trusted", [True, False])
def test_without_a_sandbox(
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    trusted: bool,
) -> None:
    monkeypatch.setattr(sandbox, "probe", lambda: sandbox.Probe(problem="there is no bubblewrap here"))
    bench = make_bench(**settings)
    refused = not trusted or settings["sandbox"] == "required"
    if settings["sandbox"] != "off":
        assert "there is no bubblewrap here" in bench.backend.check()[0]
    if refused:
        with pytest.raises(BackendRefused, match=r"without a sandbox.*there is no bubblewrap here"):
            bench.submit("true", trusted=trusted)
        assert not [entry for entry in os.listdir(bench.root) if not entry.startswith(".")]
    else:
        assert bench.run("true", trusted=trusted).environment["sandbox"].startswith("none: ")


def test_the_network_is_refused_without_slirp4netns(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "slirp", lambda: "")
    with pytest.raises(BackendRefused, match="install slirp4netns"):
        bench.submit("true", network=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs: run as root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize(
    "command",
    ["head -c 100M /dev/zero > big", "head -c 100M /dev/zero > big; sleep 60", "yes > big; true"],
)
def test_a_full_disk_is_the_infrastructures_fault(small_disk: Path, command: str) -> None:
    bench = Bench(small_disk / "runs", minimum_free=8 * MIB)
    seen = bench.run(command)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.INFRASTRUCTURE
    assert seen.failure.message.startswith("the disk under the workspaces is full: ")
    with pytest.raises(BackendError, match="are free on the disk"):
        bench.submit("true")
    (identity,) = bench.backend.sweep(set())
    assert bench.backend.find(identity) is None
    assert bench.run("true").state is JobState.FINISHED


def test_cores_are_limited(bench: Bench) -> None:
    told = bench.printed(python("import os; print(len(os.sched_getaffinity(0)))"), limits={"cpus": 1})
    assert told == "1\n"
