"""Reads MLflow's SQLite store, `mlflow.db`; runs in the isolated process.

The file is opened as it lies there, without its write-ahead log, read-only, and only tables are read: a view
of a hostile schema can be an endless query.
"""

import math
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.gathering import MAX_TEXT, unusable
from reana_bridge.results.readers.mlflow_runs import Recorded, TrackedRun, reading_of

MAX_ROWS = 1_000_000
_TABLES = frozenset({"experiments", "runs", "metrics", "params", "tags"})
# An infinity is stored as the largest number, since SQL has none.
_LARGEST = {sys.float_info.max: math.inf, -sys.float_info.max: -math.inf}
_Texts = dict[str, dict[str, str]]


class _Unusable(Exception):
    """The store cannot be read; the message says why."""


def read(path: Path, *, source: str) -> Reading:
    """The metrics of the runs in the database at `path`; `source` is its path in the workspace."""
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 16 << 20)
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA mmap_size = 0")
            database.execute("PRAGMA temp_store = MEMORY")
            database.text_factory = _decoded
            _check(database)
            return reading_of(list(_runs(database)), source=source)
    except _Unusable as error:
        return unusable(source, str(error))
    except sqlite3.Error as error:
        return unusable(source, f"is no SQLite database that can be read: {error}")


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _check(database: sqlite3.Connection) -> None:
    schema = database.execute("SELECT name, type, sql FROM sqlite_master LIMIT 10000").fetchall()
    there = {name: (kind, sql or "") for name, kind, sql in schema if kind in {"table", "view"}}
    missing = sorted(_TABLES - there.keys())
    if missing:
        raise _Unusable(f"is no store of MLflow: it has no table `{missing[0]}`")
    for name in sorted(_TABLES):
        kind, sql = there[name]
        if kind != "table" or not sql.upper().startswith("CREATE TABLE"):
            raise _Unusable(f"is no store of MLflow: its `{name}` is no plain table")


def _runs(database: sqlite3.Connection) -> Iterator[TrackedRun]:
    experiments = _rows(database, "SELECT experiment_id, name FROM experiments")
    names = {identity: name for identity, name in experiments}
    params, tags, metrics = _texts(database, "params"), _texts(database, "tags"), _metrics(database)
    columns = "run_uuid, name, experiment_id, status, lifecycle_stage, start_time"
    query = f"SELECT {columns} FROM runs"  # noqa: S608 - the words above
    for run_id, name, experiment, status, stage, started in _rows(database, query):
        yield TrackedRun(
            run_id=str(run_id),
            name=str(name or ""),
            experiment=str(names.get(experiment, experiment)),
            status=str(status or ""),
            deleted=stage == "deleted",
            started=started if isinstance(started, int) else 0,
            metrics={key: tuple(found) for key, found in sorted(metrics[str(run_id)].items())},
            params=params.get(str(run_id), {}),
            tags=tags.get(str(run_id), {}),
        )


def _rows(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(database.execute(query)):
        if number >= MAX_ROWS:
            raise _Unusable(f"has more than {MAX_ROWS:,} rows in one table")
        yield row


def _texts(database: sqlite3.Connection, table: str) -> _Texts:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    query = f"SELECT run_uuid, key, substr(value, 1, {MAX_TEXT}) FROM {table}"  # noqa: S608 - ours
    for run_id, key, text in _rows(database, query):
        found[str(run_id)][str(key)] = str(text)
    return found


def _metrics(database: sqlite3.Connection) -> Mapping[str, Mapping[str, list[Recorded]]]:
    found: defaultdict[str, defaultdict[str, list[Recorded]]] = defaultdict(lambda: defaultdict(list))
    query = "SELECT run_uuid, key, value, timestamp, step, is_nan FROM metrics"
    for run_id, key, value, timestamp, step, is_nan in _rows(database, query):
        if not isinstance(value, int | float) or not isinstance(timestamp, int) or not isinstance(step, int):
            raise _Unusable(f"has a row in `metrics` that holds no numbers, of the key `{str(key)[:100]}`")
        number = math.nan if is_nan else _LARGEST.get(float(value), float(value))
        recorded = Recorded(timestamp=timestamp, value=number, step=step)
        found[str(run_id)][str(key)].append(recorded)
    return found
