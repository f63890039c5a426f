"""Values with unit, source, grade and spread: the only way a number enters the catalogue."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from nanotrial.errors import CatalogueError, UnitError, nearest
from nanotrial.units import Dimension, difference_to_si, dimension_of, to_si

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Grade = Literal["measured", "derived", "fitted", "assumed"]
Kind = Literal["normal", "lognormal", "uniform"]
_KEYS = {"value", "unit", "source", "locator", "grade", "conditions", "note", "distribution"}
_SHAPE_KEYS = {"normal": {"sd"}, "lognormal": {"geometric_sd"}, "uniform": {"low", "high"}}


@dataclass(frozen=True)
class Distribution:
    """Spread of a value: normal (sd), lognormal (geometric_sd around the median) or uniform, with truncation.

    Numbers are in the unit of the value that holds the distribution. ``correlation`` names values of the catalogue
    (``kind/id:key``) with the coefficient of a Gaussian copula.
    """

    kind: Kind
    sd: float | None = None
    geometric_sd: float | None = None
    low: float = -math.inf
    high: float = math.inf
    correlation: tuple[tuple[str, float], ...] = ()

    def quantile(self, probability: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
        """Return quantiles of the truncated distribution around ``centre`` (same unit)."""
        import numpy as np
        from scipy import special

        if self.kind == "uniform":
            return self.low + (self.high - self.low) * probability
        log = self.kind == "lognormal"
        middle = math.log(centre) if log else centre
        scale = math.log(self.geometric_sd or 1.0) if log else float(self.sd or 0.0)
        low, high = (_log(self.low), _log(self.high)) if log else (self.low, self.high)
        start, end = special.ndtr((low - middle) / scale), special.ndtr((high - middle) / scale)
        inside = middle + scale * special.ndtri(start + (end - start) * probability)
        values: NDArray[np.float64] = np.clip(np.exp(inside) if log else inside, self.low, self.high)
        return values


def _log(number: float) -> float:
    if number == math.inf:
        return math.inf
    return math.log(number) if number > 0 else -math.inf


@dataclass(frozen=True)
class Value:
    """A number with unit, source, grade and, where known, a spread."""

    value: float
    unit: str
    source: str
    grade: Grade
    locator: str = ""
    conditions: str = ""
    note: str = ""
    distribution: Distribution | None = None
    dimension: Dimension = field(default=Dimension(), compare=False)

    @property
    def si(self) -> float:
        """Return the number in SI base units."""
        return to_si(self.value, self.unit)

    def sample(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return SI samples at the given probabilities (0 to 1, any shape); constant without a spread."""
        import numpy as np

        if self.distribution is None:
            return np.full(np.shape(probability), self.si)
        quantiles = self.distribution.quantile(probability, self.value)
        return quantiles * difference_to_si(1.0, self.unit) + to_si(0.0, self.unit)

    def __str__(self) -> str:
        """Write number, unit, spread and grade in one line."""
        spread = ""
        if self.distribution is not None:
            d = self.distribution
            spread = {
                "normal": f" ± {d.sd:.3g}" if d.sd is not None else "",
                "lognormal": f" ×/÷ {d.geometric_sd:.3g}" if d.geometric_sd is not None else "",
                "uniform": f" ({d.low:.3g} to {d.high:.3g})",
            }[d.kind]
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.value:.4g}{spread}{unit} [{self.grade}]"


def read_value(table: object, unit: str, where: str) -> Value:
    """Return the Value that an inline table of a sheet describes.

    Arguments:
        table: mapping with value, unit, source, grade and optional locator, conditions, note, distribution.
        unit: any unit of the wanted dimension.
        where: sheet and key for the message.

    Raises:
        CatalogueError: unknown or missing key, unknown grade, no source, impossible spread.
        UnitError: unknown unit or wrong dimension.
    """
    if not isinstance(table, dict):
        raise CatalogueError(
            where, f"{table!r}", "a table { value, unit, source, grade }", "A number without a source does not load."
        )
    for key in table:
        if key not in _KEYS:
            raise CatalogueError(where, f"the key `{key}`", "a key of a value", nearest(key, _KEYS))
    for key in ("value", "unit", "source", "grade"):
        given = table.get(key)
        if given is None or (key != "value" and (not isinstance(given, str) or not given.strip())):
            raise CatalogueError(where, f"no `{key}`", f"a value with `{key}`", "Every number has a unit and a source.")
    if table["grade"] not in get_args(Grade):
        raise CatalogueError(where, f"grade `{table['grade']}`", "measured, derived, fitted or assumed")
    number = table["value"]
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise CatalogueError(where, f"the value {number!r}", "a finite number")
    dimension = dimension_of(str(table["unit"]), where)
    if dimension != dimension_of(unit):
        raise UnitError(where, f"unit `{table['unit']}` ({dimension})", f"a unit like `{unit}` ({dimension_of(unit)})")
    spread = _read_distribution(table.get("distribution"), float(number), where)
    if table["grade"] == "assumed" and spread is None:
        raise CatalogueError(where, "an assumed value without a distribution", "a wide distribution for every guess")
    texts = {key: str(table.get(key, "")) for key in ("locator", "conditions", "note")}
    return Value(
        value=float(number),
        unit=str(table["unit"]),
        source=str(table["source"]),
        grade=table["grade"],
        distribution=spread,
        dimension=dimension,
        **texts,
    )


def _read_distribution(table: Any, centre: float, where: str) -> Distribution | None:
    if table is None:
        return None
    place = f"{where}.distribution"
    kind = table.get("kind") if isinstance(table, dict) else None
    if not isinstance(kind, str) or kind not in _SHAPE_KEYS:
        raise CatalogueError(place, f"kind {kind!r}", "normal, lognormal or uniform")
    allowed = {"kind", "low", "high", "correlation"} | _SHAPE_KEYS[kind]
    for key in table:
        if key not in allowed:
            raise CatalogueError(place, f"the key `{key}`", f"keys of a {kind} distribution", nearest(key, allowed))
    for key in (_SHAPE_KEYS[kind] | set(table)) - {"kind", "correlation"}:
        given = table.get(key)
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise CatalogueError(place, f"no number `{key}`", f"`{key}` for a {kind} distribution")
        if key in _SHAPE_KEYS[kind] and not math.isfinite(given):
            raise CatalogueError(place, f"`{key}` of {given}", "a finite number")
    spread = Distribution(**{**table, "correlation": _read_correlation(table.get("correlation", []), place)})
    positive = (spread.sd is None or spread.sd > 0) and (spread.geometric_sd is None or spread.geometric_sd > 1)
    if not positive or not spread.low <= centre <= spread.high or spread.low >= spread.high:
        raise CatalogueError(place, f"{table}", "a positive width and limits that hold the value")
    if kind == "lognormal" and centre <= 0:
        raise CatalogueError(place, f"a lognormal spread around {centre}", "a positive value")
    return spread


def _read_correlation(rows: Any, place: str) -> tuple[tuple[str, float], ...]:
    """Return (key of the partner, coefficient) per row; whether the partner exists is asked when it is drawn."""
    where = f"{place}.correlation"
    if not isinstance(rows, list):
        raise CatalogueError(where, f"{rows!r}", 'a list of { with = "kind/id:key", coefficient = 0.6 }')
    found: dict[str, float] = {}
    for i, row in enumerate(rows):
        if not isinstance(row, dict) or set(row) != {"with", "coefficient"}:
            raise CatalogueError(f"{where}[{i}]", f"{row!r}", 'a table { with = "kind/id:key", coefficient = 0.6 }')
        partner, number = row["with"], row["coefficient"]
        if not isinstance(partner, str) or not re.fullmatch(r"[a-z_]+/\w+:\S+", partner) or partner in found:
            raise CatalogueError(f"{where}[{i}].with", f"{partner!r}", "another value, as `kind/id:key`, named once")
        if isinstance(number, bool) or not isinstance(number, int | float) or not -1.0 < number < 1.0:
            raise CatalogueError(f"{where}[{i}].coefficient", f"{number!r}", "a number between -1 and 1")
        found[partner] = float(number)
    return tuple(found.items())
