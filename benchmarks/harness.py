"""What every benchmark shares: a row with a peer beside it, and how rows are printed.

python benchmarks/<name>.py          a table
python benchmarks/<name>.py --json   one JSON object for each row
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass
class Row:
    """One measured number; `ratio` is value over peer value unless it is given."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None

    def __post_init__(self) -> None:
        if self.ratio is None and self.peer_value:
            self.ratio = self.value / self.peer_value


def format_table(rows: Iterable[Row]) -> str:
    header = ("name", "value", "unit", "peer", "peer value", "ratio")
    lines = [header] + [
        (row.name, number(row.value), row.unit, row.peer or "-", number(row.peer_value), number(row.ratio))
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    numeric = {1, 4, 5}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def show(rows: Iterable[Row], note: str = "") -> None:
    """Print the rows as the command line asks; the note goes under the table only."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="one JSON object for each row")
    if parser.parse_args().json:
        for row in rows:
            print(json.dumps(asdict(row)))
        return
    print(format_table(rows))
    if note:
        print(f"\n{note}")
