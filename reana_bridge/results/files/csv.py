"""Compares tables row by row, cell by cell, with a tolerance for each column; any size in little memory.

Commas, semicolons (then `1,5` is a number) or tabs. Columns go by their names where the first row has them,
else by their position. Lines with `#` in front of the table are compared as the part `comments`. A row that
was put in or taken out moves all that follow it: then the explanation is the number of rows.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.lines import lines_of
from reana_bridge.results.files.pair import MAX_NAME, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Number, Tolerance, Tolerances, number
from reana_bridge.results.readers.clean import one_line

MAX_COLUMNS = 10_000
COMMENTS = "comments"
_DELIMITERS = ",;\t"

Row = list[str]


@dataclass(kw_only=True)
class _Table:
    """One side: what stands in front of it, its columns, and its rows, to be read once."""

    comments: list[str]
    columns: dict[str, int]
    rows: Iterator[Row]
    decimal_comma: bool
    count: int = 0


@dataclass(kw_only=True)
class _Column:
    """One column that both sides have."""

    name: str
    baseline: int
    head: int
    tolerance: Tolerance
    extent: Extent = field(default_factory=Extent)


def compare(pair: Pair) -> FileComparison:
    """The comparison of two tables.

    Raises:
        NotComparable: one is no table, or has a line or a cell without an end.
    """
    baseline, head = _opened(pair, "baseline"), _opened(pair, "head")
    columns = list(_common(baseline, head, pair.tolerances))
    differing = _walk(baseline, head, columns)
    rows_moved = baseline.count != head.count
    parts = _one_sided(baseline.columns, head.columns, pair.tolerances)
    parts += _comments(baseline.comments, head.comments, pair.tolerances)
    # The column that is furthest off comes first.
    columns.sort(key=lambda column: (-column.extent.beyond, -column.extent.relative))
    parts += [column.extent.part(column.name) for column in columns]
    explanation = ""
    if rows_moved:
        explanation = f"{baseline.count:,} rows, now {head.count:,}"
        parts.append(FilePart(name="rows", verdict=FileVerdict.DIFFERENT, explanation=explanation))
    elif differing:
        worst = columns[0]
        explanation = (
            f"{differing:,} of {head.count:,} rows differ; column {worst.name}: {worst.extent.words}"
        )
    measures = (Measure(name="rows", value=head.count), Measure(name="rows that differ", value=differing))
    return compared(pair, parts, noun="column", explanation=explanation, measures=measures)


def _walk(baseline: _Table, head: _Table, columns: list[_Column]) -> int:
    """Compare all rows; how many differ beyond tolerance."""
    same = differing = 0
    same_places = all(column.baseline == column.head for column in columns)
    try:
        for before, after in zip_longest(baseline.rows, head.rows):
            baseline.count += before is not None
            head.count += after is not None
            if before is None or after is None:
                continue
            if same_places and before == after:
                same += 1
                continue
            near = [_cells(column, before, after, baseline, head) for column in columns]
            differing += not all(near)
    except csv.Error as error:
        row = max(baseline.count, head.count) + 1
        raise NotComparable(f"row {row:,} is no row of a table: {error}") from None
    for column in columns:
        column.extent.compared += same
    return differing


def _cells(column: _Column, before: Row, after: Row, baseline: _Table, head: _Table) -> bool:
    old = before[column.baseline] if column.baseline < len(before) else ""
    new = after[column.head] if column.head < len(after) else ""
    if old == new:
        column.extent.compared += 1
        return True
    where = f"row {head.count:,}"
    first, second = _number(old, baseline), _number(new, head)
    if first is None or second is None:
        return column.extent.texts(old, new, where)
    return column.extent.numbers(first, second, where, column.tolerance)


def _number(cell: str, table: _Table) -> Number | None:
    return number(cell.replace(",", ".") if table.decimal_comma else cell)


def _opened(pair: Pair, side: str) -> _Table:
    lines = lines_of(pair.baseline if side == "baseline" else pair.head, side)
    comments: list[str] = []
    for first in lines:
        if first.strip() and not first.startswith("#"):
            break
        comments.append(first.rstrip("\r\n"))
        if len(comments) > MAX_COLUMNS:
            raise NotComparable(f"{side}: has more than {MAX_COLUMNS:,} lines in front of the table")
    else:
        return _Table(comments=comments, columns={}, rows=iter(()), decimal_comma=False)
    delimiter = max(_DELIMITERS, key=first.count)
    rows = csv.reader(chain([first], lines), delimiter=delimiter)
    decimal_comma = delimiter == ";"
    try:
        top = next(rows)
    except csv.Error as error:
        raise NotComparable(f"{side}: its first row is no row of a table: {error}") from None
    if len(top) > MAX_COLUMNS:
        raise NotComparable(f"{side}: has more than {MAX_COLUMNS:,} columns")
    named = not any(number(cell.replace(",", ".") if decimal_comma else cell) is not None for cell in top)
    columns = _columns(top if named else [str(position) for position in range(1, len(top) + 1)])
    body = filter(None, rows if named else chain([top], rows))
    return _Table(comments=comments, columns=columns, rows=body, decimal_comma=decimal_comma)


def _columns(names: Row) -> dict[str, int]:
    """Name -> position; a name that comes again gets its position behind it."""
    found: dict[str, int] = {}
    for position, name in enumerate(names):
        plain = name.strip() or str(position + 1)
        found[f"{plain} ({position + 1})" if plain in found else plain] = position
    return found


def _common(baseline: _Table, head: _Table, tolerances: Tolerances) -> Iterator[_Column]:
    for name, position in head.columns.items():
        tolerance = tolerances.of(name)
        if name in baseline.columns and tolerance is not None:
            yield _Column(name=name, baseline=baseline.columns[name], head=position, tolerance=tolerance)


def _one_sided(baseline: Iterable[str], head: Iterable[str], tolerances: Tolerances) -> list[FilePart]:
    """Columns that only one side has."""
    before, after = set(baseline), set(head)
    found = {name: FileVerdict.MISSING for name in sorted(before - after)}
    found |= {name: FileVerdict.NEW for name in sorted(after - before)}
    named = ((one_line(name, MAX_NAME), verdict) for name, verdict in found.items() if tolerances.of(name))
    return [FilePart(name=name, verdict=verdict) for name, verdict in named]


def _comments(baseline: list[str], head: list[str], tolerances: Tolerances) -> list[FilePart]:
    if baseline == head or tolerances.of(COMMENTS) is None:
        return []
    extent = Extent()
    for position, (old, new) in enumerate(zip_longest(baseline, head, fillvalue=""), 1):
        extent.texts(old, new, f"line {position}")
    return [extent.part(COMMENTS)]
