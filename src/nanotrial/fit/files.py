"""A fit as a file: values, spreads, joint draws, the facts used and how each is met."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nanotrial.errors import EvidenceError

if TYPE_CHECKING:
    from nanotrial.fit.estimate import FitResult


def write_fit(result: FitResult, path: Path) -> None:
    """Write a fit as TOML: parameters with spread, correlation, the facts used and how they are met.

    Raises:
        EvidenceError: the file exists.
    """
    if path.exists():
        raise EvidenceError(str(path), "a file that exists", "a new file", "Fits are never overwritten.")
    lines = [f'study = "{result.study}"', f"facts = {_texts(sorted({t.id for t in result.targets}))}", ""]
    for key, value, pull in zip(result.keys, result.values, result.pulls, strict=True):
        d = value.distribution
        assert d is not None
        widths = {"geometric_sd": d.geometric_sd, "sd": d.sd, "low": d.low, "high": d.high}
        shown = {k: v for k, v in widths.items() if v is not None and math.isfinite(v)}
        spread = ", ".join([f'kind = "{d.kind}"', *(f"{k} = {v:.6g}" for k, v in shown.items())])
        lines += [
            "[[parameter]]",
            f'key = "{key}"',
            f"value = {value.value:.8g}",
            f'unit = "{value.unit}"',
            f'source = "{value.source}"',
            'grade = "fitted"',
            f'note = "{value.note}; {pull:+.2f} prior widths away from the sheet"',
            f"distribution = {{ {spread} }}",
            "",
        ]
    if result.quality["acceptance"] > 0:
        lines += _draws(result)
    lines += ["[quality]", *(f"{k} = {v:.5g}" for k, v in result.quality.items()), ""]
    for row in result.target_rows:
        lines += ["[[target]]", *(f"{k} = {_toml(v)}" for k, v in row.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _draws(result: FitResult) -> list[str]:
    lines = [
        "# Joint draws from the posterior, one list per parameter in its unit; row i of all lists is one draw.",
        "[draws]",
    ]
    columns = zip(result.keys, result.draws.T, strict=True)
    lines += [f'"{k}" = [{", ".join(f"{v:.5g}" for v in column)}]' for k, column in columns]
    return [*lines, ""]


def _texts(items: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{i}"' for i in items) + "]"


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.6g}"
