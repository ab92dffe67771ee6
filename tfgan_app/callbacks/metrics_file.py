"""`metrics.csv`: one row per logged step, robust against crashes, with columns added as needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from tfgan_app.files import atomic_path

METRICS_FILE = "metrics.csv"


class MetricsFile:
    """A CSV file of numbers by training step.

    Rows are appended, and the last row may still grow. A new column rewrites the file atomically, with empty cells in
    earlier rows. Opening keeps only complete rows, so the first write repairs a line that a killed process left
    incomplete.

    Args:
        path: The file; it need not exist.

    Attributes:
        columns: Column names, `step` first.
        rows: The rows as `{column: value}` without empty cells. Values are rounded to six digits as in the file, so
            that a resumed run sees exactly the same numbers.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.columns, self.rows = _read_whole_rows(self.path)
        self._last_row_offset: int | None = None  # None: the file may differ from `rows`.

    def rewind(self, step: int) -> None:
        """Drops the rows after `step` and repairs the file.

        Raises:
            OSError: If the file cannot be written.
        """
        self.rows = [row for row in self.rows if row["step"] <= step]
        if self.path.exists():
            self._rewrite()

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Adds values to the row of `step`, the last row or a new one.

        Args:
            step: Training step, at least that of the last row.
            values: Numbers by column name; new names become new columns.

        Raises:
            ValueError: If `step` is less than that of the last row.
            OSError: If the file cannot be written; the values are kept and written with the next row.
        """
        if self.rows and step < self.rows[-1]["step"]:
            raise ValueError(
                f"`step` must be at least that of the last row, {self.rows[-1]['step']}. Received: step={step}."
            )
        is_new_row = not self.rows or step > self.rows[-1]["step"]
        if is_new_row:
            self.rows.append({"step": int(step)})
        row = self.rows[-1]
        row.update({name: _rounded(value) for name, value in values.items()})

        new_columns = [name for name in row if name not in self.columns]
        self.columns += new_columns
        if new_columns or self._last_row_offset is None:
            self._rewrite()
        else:
            self._store_last_row(is_new_row)

    def _rewrite(self) -> None:
        self._last_row_offset = None
        lines = [self._line(self.columns)] + [self._row_line(row) for row in self.rows]
        with atomic_path(self.path) as unfinished:
            unfinished.write_bytes(b"".join(lines))
        self._last_row_offset = sum(map(len, lines[:-1])) if self.rows else len(lines[0])

    def _store_last_row(self, is_new_row: bool) -> None:
        offset, self._last_row_offset = self._last_row_offset, None
        with open(self.path, "r+b", buffering=0) as file:
            if is_new_row:
                offset = file.seek(0, io.SEEK_END)
            file.seek(offset)
            line = self._row_line(self.rows[-1])
            if file.write(line) != len(line):
                raise OSError(f"Only part of a row was written to {self.path}.")
            file.truncate()
        self._last_row_offset = offset

    def _row_line(self, row: Mapping[str, float]) -> bytes:
        return self._line([_cell(row.get(name)) for name in self.columns])

    @staticmethod
    def _line(cells: list[str]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        return text.getvalue().encode()


def read_metrics(run_dir: str | Path) -> list[dict[str, float]]:
    """Returns the complete rows of a run's `metrics.csv`, oldest first.

    Args:
        run_dir: The run directory.

    Returns:
        One `{column: value}` per row, with `step` in each and without empty cells. Empty if there is no file.
    """
    return _read_whole_rows(Path(run_dir) / METRICS_FILE)[1]


def _read_whole_rows(path: Path) -> tuple[list[str], list[dict[str, float]]]:
    if not path.is_file():
        return ["step"], []
    # Text after the last newline is an incomplete line of a killed process.
    whole = path.read_bytes().decode("utf-8", errors="replace").rpartition("\n")[0]
    lines = list(csv.reader(line for line in whole.split("\n") if "\0" not in line))
    if not lines or lines[0][:1] != ["step"]:
        return ["step"], []
    columns = lines[0]
    rows: list[dict[str, float]] = []
    for cells in lines[1:]:
        row = _parsed_row(columns, cells)
        if row is not None and (not rows or row["step"] > rows[-1]["step"]):
            rows.append(row)
    return columns, rows


def _parsed_row(columns: list[str], cells: list[str]) -> dict[str, float] | None:
    if len(cells) != len(columns):
        return None
    try:
        values = {name: float(cell) for name, cell in zip(columns, cells, strict=True) if cell}
        return {**values, "step": int(values["step"])}
    except (KeyError, OverflowError, ValueError):
        return None


def _rounded(value: float) -> float:
    return float(f"{float(value):.6g}")


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.6g}"
