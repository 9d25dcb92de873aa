"""Tasks that do what hostile files make libraries do; they run in the isolated process alone."""

import ctypes
import os
import socket
import sys
from pathlib import Path
from typing import Any

Inputs = dict[str, Path]


def echo(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return {"job": job, "files": {name: path.read_text() for name, path in inputs.items()}}


def talks(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    print('{"value": "forged"}')
    os.write(1, b'{"value": "forged"}\n')
    sys.stdout.flush()
    return "mine"


def hog(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return len(bytearray(2 << 30))


def spin(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    while True:
        pass


def sleep(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return os.read(os.pipe()[0], 1)


def crash(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return ctypes.string_at(8)


def leave(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    os._exit(3)


def fail(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    raise ValueError("line 1\n" + "x" * 10_000)


def recurse(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return recurse(job, inputs, output)


def chatter(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return "x" * job["size"]


def write(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    assert output is not None
    (output / "picture.png").write_bytes(b"x" * job["size"])
    return "written"


def overwrite(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return inputs["file"].write_text("changed")


def look(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return [os.path.exists(path) for path in job["paths"]]


def call(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    with socket.create_connection(("127.0.0.1", job["port"]), timeout=2):
        return "connected"


def by_job(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return globals()[job["does"]](job, inputs, output)


def surroundings(job: dict[str, Any], inputs: Inputs, output: Path | None) -> Any:
    return dict(os.environ)
