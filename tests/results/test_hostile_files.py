"""Files that were made to harm whoever opens them: each has a clear verdict, and nothing happens."""

import io
import pickle
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from reana_bridge.model.readings import Reading
from reana_bridge.results.isolation import IsolationLimits
from reana_bridge.results.readers import MetricsContent, read_metrics

LIMITS = IsolationLimits(memory=1 << 30, seconds=20, output=1 << 20)
SHORT = IsolationLimits(seconds=2)


class Bomb:
    """Unpickled, it would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def array_header(descr: str, shape: str) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def zip_of(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(f"{name}.npy", member)
    return content.getvalue()


def zip_bomb() -> bytes:
    return zip_of(
        bomb=array_header("'<f8'", "(300000000,)") + bytes(1 << 20),
        good=array_header("'<f8'", "()") + bytes(8),
    )


def zeros() -> bytes:
    """Zeros that are no array, in a thousandth of their size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(packer.compress(bytes(1 << 24)) for _ in range(2)) + packer.flush()
    size, name = 1 << 25, b"bomb.npy"
    local = (
        struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0)
        + name
        + packed
    )
    head = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0, 0, 0, 0, 0, 0
    )
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(head + name), len(local), 0)
    return local + head + name + end


def pickled(tmp_path: Path) -> bytes:
    content = io.BytesIO()
    np.save(content, np.array([Bomb(tmp_path / "exploded")], dtype=object), allow_pickle=True)
    return content.getvalue()


def bare_pickle(tmp_path: Path) -> bytes:
    return pickle.dumps(Bomb(tmp_path / "exploded"))


def database(*statements: str, tmp_path: Path) -> bytes:
    path = tmp_path / "made.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return path.read_bytes()


MLFLOW = (
    "CREATE TABLE experiments(experiment_id INTEGER, name TEXT)",
    "CREATE TABLE runs(run_uuid, name, experiment_id INTEGER, status, lifecycle_stage, start_time INTEGER)",
    "CREATE TABLE metrics(run_uuid, key, value REAL, timestamp INTEGER, step INTEGER, is_nan BOOLEAN)",
    "CREATE TABLE params(run_uuid TEXT, key TEXT, value TEXT)",
    "CREATE TABLE tags(run_uuid TEXT, key TEXT, value TEXT)",
)
RUN = "INSERT INTO runs VALUES('r', 'r', 1, 'FINISHED', 'active', 1)"
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'r', 'k', x, 1, x, 0 FROM n"


def without(table: str) -> tuple[str, ...]:
    return tuple(statement for statement in MLFLOW if f"TABLE {table}(" not in statement)


def store_with(*more: str) -> Callable[[Path], bytes]:
    return lambda tmp_path: database(*MLFLOW, RUN, *more, tmp_path=tmp_path)


def view_for_table(tmp_path: Path) -> bytes:
    view = f"CREATE VIEW metrics(run_uuid, key, value, timestamp, step, is_nan) AS {ENDLESS}"
    return database(*without("metrics"), RUN, view, tmp_path=tmp_path)


def root_file(tmp_path: Path) -> bytes:
    with uproot.recreate(tmp_path / "made.root") as file:
        file["h"] = np.histogram(np.random.default_rng(1).normal(size=1000), bins=100)
    return (tmp_path / "made.root").read_bytes()


def overwritten(at: float, size: int = 40) -> Callable[[Path], bytes]:
    def make(tmp_path: Path) -> bytes:
        content = bytearray(root_file(tmp_path))
        place = int(len(content) * at)
        content[place : place + size] = b"\xff" * size
        return bytes(content)

    return make


def cut(part: float) -> Callable[[Path], bytes]:
    return lambda tmp_path: root_file(tmp_path)[: int(len(root_file(tmp_path)) * part)]


XML = '<testsuite><testcase name="{}"/></testsuite>'
LAUGHS = (
    '<!DOCTYPE t [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12))
    + "]><testsuite>&m;</testsuite>"
)

FILES: list[tuple[str, Any, str]] = [
    # name, content or what makes it, a part of the verdict
    (
        "a.npz",
        zip_bomb,
        "`bomb` is larger than the memory|`bomb` is damaged|used more than its 1 GiB|is no array",
    ),
    ("b.npz", zeros, "`bomb` is no array"),
    ("c.npy", array_header("'<f8'", "(99999999999,)"), "larger than the memory|is no array"),
    ("d.npy", array_header("'<f8'", "(-1,)"), "is no array|negative"),
    ("e.npy", array_header("__import__('os').system('true')", "(1,)"), "is no array"),
    ("f.npy", array_header("[" * 3000, "(1,)"), "is no array|cannot be opened|takes its reader down"),
    ("g.npy", pickled, "holds Python objects, which are never loaded"),
    ("h.npy", bare_pickle, "is no array of NumPy"),
    ("i.npz", b"PK\3\4" + b"\0" * 100, "is no archive of arrays"),
    ("j.npy", b"\x93NUMPY\x01\x00\xff\xff", "is no array"),
    ("k.db", b"SQLite format 3\0" + b"\xff" * 4096, "is no SQLite database|cannot be opened"),
    ("l.db", b"nothing of the kind" * 100, "is no SQLite database"),
    ("m.db", view_for_table, "its `metrics` is no plain table"),
    ("n.db", store_with("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END"), ""),
    (
        "p.db",
        store_with("INSERT INTO metrics VALUES('r', 'k', x'00ff', 1, 1, 0)"),
        "holds no numbers, of the key `k`",
    ),
    ("q.db", store_with("INSERT INTO metrics VALUES('r', '../../etc/passwd', 1, 1, 1, 0)"), ""),
    (
        "r.db",
        lambda tmp_path: database("CREATE TABLE x(y)", tmp_path=tmp_path),
        "it has no table `experiments`",
    ),
    ("s.db", store_with("CREATE TABLE big(x)", "INSERT INTO big VALUES(zeroblob(20000000))"), ""),
    (
        "t.db",
        store_with("INSERT INTO params VALUES('r', 'p', printf('%.*c', 20000000, 'x'))"),
        "is no SQLite database|",
    ),
    ("u.root", b"root" + b"\xff" * 1000, "is no ROOT file that can be read|used more|took more"),
    ("v.root", cut(0.2), "is cut off: "),
    ("w.root", overwritten(0.2), "|cannot be read"),
    ("x.root", overwritten(0.9, 200), "|is no ROOT file|cannot be read"),
    ("y.root", b"", "is no ROOT file that can be read"),
    ("a.xml", LAUGHS.encode(), "declares a document type"),
    (
        "b.xml",
        b'<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite>&x;</testsuite>',
        "declares a document type",
    ),
    ("c.xml", b'<!DOCTYPE t SYSTEM "http://127.0.0.1/x.dtd"><testsuite/>', "declares a document type"),
    ("d.xml", b"<testsuite>" * 100_000, "is nested deeper than 50 levels"),
    ("e.xml", b"<html><script>alert(1)</script></html>", "its outermost tag is `html`"),
    ("f.xml", XML.format("a" * 100_000).encode(), ""),
    ("g.xml", b"<testsuite>&undefined;</testsuite>", "is no XML"),
    ("h.xml", b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "is no XML"),
    ("i.xml", b"<testsuite><testcase name='\x00'/></testsuite>", "is no XML"),
    ("a.json", b"[" * 1_000_000, "is nested too deeply|more than 500,000 parts"),
    ("b.json", b'{"a": ' + b"9" * 1_000_000 + b"}", "has 1,000,000 digits"),
    ("c.json", b'{"a": {"value": 1, "series": [' + b"1e999," * 1000 + b"1]}}", ""),
    (
        "a.yaml",
        b"a: &a [x]\n"
        + b"".join(
            b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((c + 1, c + 1) + (c,) * 8)
            for c in range(97, 120)
        ),
        "more than 500,000 parts",
    ),
    ("b.yaml", b"!!python/object/apply:os.system [touch exploded]", "is an object|holds a single value|"),
    ("a.csv", b"step," + b",".join(b"c%d" % n for n in range(5000)) + b"\n" + b"1," * 5000 + b"1", ""),
    ("a.prom", b"a" * 1_000_000 + b"{" + b'x="' * 100_000, "is no sample"),
    ("b.prom", b'a{x="' + b"\\" * 200_000, "is no sample"),
]


def reading_of(name: str, content: bytes, tmp_path: Path) -> Reading:
    file = tmp_path / "blob"
    file.write_bytes(content)
    if name.endswith((".npy", ".npz", ".db", ".root")):
        return read_metrics([MetricsContent(path=name, file=file)], limits=LIMITS)
    return read_metrics([MetricsContent(path=name, content=content)])


@pytest.mark.parametrize(("name", "content", "verdict"), FILES, ids=[name for name, _, _ in FILES])
def test_hostile_files(name: str, content: Any, verdict: str, tmp_path: Path) -> None:
    made = content
    if callable(content):
        made = content(tmp_path) if content not in (zip_bomb, zeros) else content()
    reading = reading_of(name, made, tmp_path)
    said = " | ".join(item.reason for item in reading.unreadable)
    assert any(part in said for part in verdict.split("|")), said
    assert len(said) < 60_000
    assert not (tmp_path / "exploded").exists()
    assert all(len(metric.name) <= 200 and metric.name.isprintable() for metric in reading.metrics)


PATTERNS = [
    ("(?P<value>(a+)+)$", "a" * 40 + "!", "took more than its 2 s"),
    ("(?P<v>(.*)*x)", "a" * 60, "took more than its 2 s|fits nowhere"),
    ("(?P<v>a)" + "?" * 1, "a" * 300_000, "fits more than 100,000 times"),
    ("(?P<v>", "a", "is wrong"),
    ("(" * 400 + "?P<v>a" + ")" * 400, "a", ""),
    ("(?P<v>a){0,65535}" * 20, "a" * 1000, "|is wrong|took more"),
    (r"x(?P<value>\d+)", "x" + "9" * 100_000, "has 100,000 digits"),
]


@pytest.mark.parametrize(("pattern", "text", "verdict"), PATTERNS, ids=range(len(PATTERNS)))
def test_hostile_patterns(pattern: str, text: str, verdict: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    options = {"pattern": pattern, "name": "m"}
    reading = read_metrics([MetricsContent(path="log of fit", file=log, options=options)], limits=SHORT)
    said = " | ".join(item.reason for item in reading.unreadable)
    assert any(part in said for part in verdict.split("|")), said


META = b"run_name: r\nstatus: 3\nlifecycle_stage: active\nstart_time: 1\n"
FOLDERS = [
    (
        {
            "1/r/meta.yaml": b"artifact_uri: ../../../etc\nrun_name: ../x\nstatus: 3\n",
            "1/r/metrics/a": b"1 2 0\n",
        },
        "",
    ),
    (
        {"1/r/meta.yaml": b"!!python/object/apply:os.system [true]", "1/r/metrics/a": b"1 2 0\n"},
        "holds no mapping",
    ),
    ({"1/r/meta.yaml": META, "1/r/metrics/a": b"1 x 0\n"}, "line 1: is no `timestamp value step`"),
    ({"1/r/meta.yaml": META, "1/r/metrics/a": b"\xff\xfe\x00"}, "is no UTF-16 text"),
    ({"1/r/meta.yaml": META, "1/r/metrics/a": b"1 " + b"9" * 5000 + b" 0\n"}, ""),
    ({"1/r/meta.yaml": META, "1/r/metrics/a": b"1 2 " + b"9" * 5000 + b"\n"}, "is no `timestamp value step`"),
    ({"1/r/meta.yaml": META, "1/r/metrics/../../../x": b"1 2 0\n"}, ""),
    ({"1/r/metrics/a": b"1 2 0\n"}, "has no run of MLflow in it"),
]


@pytest.mark.parametrize(("files", "verdict"), FOLDERS, ids=range(len(FOLDERS)))
def test_hostile_stores(files: dict[str, bytes], verdict: str) -> None:
    contents = {path: (lambda content=content: content) for path, content in files.items()}
    reading = read_metrics([MetricsContent(path="mlruns", files=contents)])
    assert verdict in " | ".join(item.reason for item in reading.unreadable)
