"""Reads metrics from tables: `name,value[,uncertainty,unit,direction,...]`, one row of values, or series.

Commas, semicolons (then `1,5` is a number) or tabs; a byte order mark and `#` lines before the header
are passed over. In a table without a `name` and a `value` column each column is a metric: with one row of
values, or with a column `step` or `epoch` and a row for each; then the last one is the value. A table with
`name`, `value` and `step` has a series for each name.
"""

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest
from typing import cast

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.gathering import unusable
from reana_bridge.results.readers.scalars import scalar
from reana_bridge.results.readers.series import STEP_KEYS
from reana_bridge.results.readers.shapes import NAME_KEYS, metrics_of
from reana_bridge.results.readers.tree import Branch, Entry, FileUnusable, check_parts, decode

_TEXT_COLUMNS = frozenset({*NAME_KEYS, "unit", "units", "direction", "better", "description"})


def read(content: bytes, *, source: str) -> Reading:
    """The metrics in the table `content`; `source` is its path, for the messages."""
    try:
        return metrics_of(_load(decode(content)), source=source)
    except FileUnusable as error:
        return unusable(source, str(error))


def _load(text: str) -> Branch:
    check_parts(sum(map(text.count, ",;\t\n")))
    rows = _rows(text)
    try:
        line, header, separator = next(rows)
    except StopIteration:
        raise FileUnusable("is empty") from None
    columns = [column.strip() for column in header]
    if {column.lower() for column in columns} & set(NAME_KEYS) and _has(columns, "value"):
        records = [_record(columns, *row) for row in rows]
        return Branch(_joined(records) if _steps(columns) else records, is_list=True)
    if (counts := _steps(columns)) is not None:
        return _long(columns, list(rows), counts=counts)
    return _wide(columns, list(rows), header_line=line, separator=separator)


def _has(columns: list[str], name: str) -> bool:
    return any(column.lower() == name for column in columns)


def _steps(columns: list[str]) -> str | None:
    """The column that counts; None where none does."""
    return next((column for column in columns if column.lower() in STEP_KEYS), None)


def _joined(records: list[Entry]) -> list[Entry]:
    """One record for each name, with the values of all its rows as its series."""
    last: dict[str, Branch] = {}
    series: dict[str, list[Entry]] = {}
    for entry in records:
        record = cast("Branch", entry.value)
        named = record.get(*NAME_KEYS)
        name = str(named.value) if named else ""
        last[name] = record
        series.setdefault(name, []).append(entry)
    return [
        Entry(
            points[0].key,
            Branch([*last[name], Entry("series", Branch(points, is_list=True))]),
            points[0].line,
        )
        for name, points in series.items()
    ]


def _long(columns: list[str], rows: list[tuple[int, list[str], str]], *, counts: str) -> Branch:
    """Each column but the one that counts as a metric with its series; empty cells are gaps."""
    place = columns.index(counts)
    points: dict[str, list[Entry]] = {
        column: [] for column in columns if column and column.lower() not in STEP_KEYS
    }
    for line, row, separator in rows:
        cells = [scalar(cell, decimal_comma=separator == ";") for cell in row]
        step = Entry("step", cells[place] if place < len(cells) else None)
        for column, cell in zip(columns, cells, strict=False):
            if column in points and cell is not None:
                points[column].append(Entry(str(line), Branch([step, Entry("value", cell)]), line))
    first = rows[0][0] if rows else None
    return Branch(
        [
            Entry(column, Branch([Entry("series", Branch(found, is_list=True))]) if found else None, first)
            for column, found in points.items()
        ]
    )


def _rows(text: str) -> Iterator[tuple[int, list[str], str]]:
    lines = text.splitlines(keepends=True)
    skipped = next(
        (i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines)
    )
    separator = max(",;\t", key="".join(lines[skipped : skipped + 1]).count)
    reader = csv.reader(io.StringIO("".join(lines[skipped:]), newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield skipped + reader.line_num, row, separator
    except csv.Error as error:
        raise FileUnusable(f"line {skipped + reader.line_num}: is no table: {error}") from None


def _record(columns: list[str], line: int, row: list[str], separator: str) -> Entry:
    cells = list(zip_longest(columns, row[: len(columns)], fillvalue=""))
    record = Branch([_cell(column, cell, line, separator) for column, cell in cells])
    return Entry(str(line), record, line)


def _cell(column: str, cell: str, line: int, separator: str) -> Entry:
    if column.lower() in _TEXT_COLUMNS:
        return Entry(column, cell.strip(), line)
    return Entry(column, scalar(cell, decimal_comma=separator == ";"), line)


def _wide(
    columns: list[str], rows: list[tuple[int, list[str], str]], *, header_line: int, separator: str
) -> Branch:
    if len(rows) != 1:
        raise FileUnusable(
            f"line {header_line}: has {len(rows)} rows of values; a table of metrics has the columns `name` "
            "and `value`, or exactly one row of values"
        )
    line, row, _ = rows[0]
    if len(row) > len(columns):
        raise FileUnusable(f"line {line}: has {len(row)} cells for {len(columns)} columns")
    named = [(column, cell) for column, cell in zip(columns, row, strict=False) if column]
    return Branch(
        [Entry(column, scalar(cell, decimal_comma=separator == ";"), line) for column, cell in named]
    )
