"""Fitted values in the place of a sheet's own: the only way a fitted number enters a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanotrial.catalogue.lookup import ROOT, read_toml
from nanotrial.catalogue.schema import KINDS
from nanotrial.errors import CatalogueError, nearest
from nanotrial.units import to_si
from nanotrial.values import Value, read_value

if TYPE_CHECKING:
    from nanotrial.study import Study


@dataclass(frozen=True)
class Overlay:
    """Values by ``kind/id:key.path`` and the facts (or curves) they were fitted to."""

    values: Mapping[str, Value] = field(default_factory=dict)
    facts: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    draws: tuple[Mapping[str, tuple[float, ...]], ...] = ()

    @classmethod
    def of_study(cls, study: Study) -> Overlay:
        """Return the fits that a study names, joined; a parameter fitted twice is an error."""
        return load_fits(study.fits, study.path)

    def apply(self, kind: str, identifier: str, sheet: Any) -> Any:
        """Return the sheet with fitted values in place; a key that the sheet does not have is an error."""
        for key, value in self.values.items():
            place, _, path = key.partition(":")
            if place == f"{kind}/{identifier}":
                sheet = _replace(sheet, path.split("."), value, key)
        return sheet

    def with_values(self, values: Mapping[str, Value]) -> Overlay:
        """Return a copy with more values."""
        return dataclasses.replace(self, values={**self.values, **values})


def parameter_name(key: str) -> str:
    """Return the network parameter of a sheet key: ``materials/a:b.c`` is the parameter ``a.b.c``."""
    return key.partition("/")[2].replace(":", ".") if ":" in key else key


def _replace(sheet: Any, path: list[str], value: Value, key: str) -> Any:
    head, rest = path[0], path[1:]
    if isinstance(sheet, dict):
        if head not in sheet:
            raise CatalogueError(f"fit: {key}", f"`{head}`", "a key of the sheet", nearest(head, sheet))
        return {**sheet, head: _replace(sheet[head], rest, value, key) if rest else value}
    known = [f.name for f in dataclasses.fields(sheet)]
    if head not in known:
        raise CatalogueError(f"fit: {key}", f"`{head}`", "a key of the sheet", nearest(head, known))
    if rest:
        return dataclasses.replace(sheet, **{head: _replace(getattr(sheet, head), rest, value, key)})
    old = getattr(sheet, head)
    if not isinstance(old, Value) or old.dimension != value.dimension:
        raise CatalogueError(f"fit: {key}", f"a value in {value.unit}", f"the dimension of {old}")
    return dataclasses.replace(sheet, **{head: value})


def get_value(catalogue: Any, key: str) -> Value:
    """Return the sheet value at ``kind/id:key.path``; wrong keys raise with the nearest names."""
    place, _, path = key.partition(":")
    kind, _, identifier = place.partition("/")
    if kind not in KINDS or not path:
        raise CatalogueError(
            f"parameter {key}", f"`{key}`", "kind/id:key, e.g. materials/calcium_peroxide:dissolution.acid_rate"
        )
    from nanotrial.catalogue.lookup import values_in

    found = dict(values_in(catalogue.load(kind, identifier, f"parameter {key}")))
    if path not in found:
        raise CatalogueError(f"parameter {key}", f"`{path}`", "a value of the sheet", nearest(path, found))
    return found[path]


def load_fits(names: tuple[str, ...], beside: Path | None = None) -> Overlay:
    """Return the joined overlay of fits given by id (``catalogue/fits``) or by path beside the study."""
    values: dict[str, Value] = {}
    facts: set[str] = set()
    draws: list[Mapping[str, tuple[float, ...]]] = []
    for name in names:
        path = _fit_path(name, beside)
        table = read_toml(path)
        for i, row in enumerate(_rows(table, path), 1):
            key = row.pop("key", None)
            if not isinstance(key, str) or key in values:
                raise CatalogueError(f"{path.name}: parameter[{i}].key", f"{key!r}", "a sheet key of its own")
            values[key] = read_value(row, str(row.get("unit", "1")), f"{path.name}: {key}")
        named = table.get("facts", [])
        if not isinstance(named, list) or not all(isinstance(f, str) for f in named):
            raise CatalogueError(f"{path.name}: facts", f"{named!r}", "a list of the ids the fit was made to")
        facts.update(named)
        if "draws" in table:
            draws.append(_read_draws(table["draws"], values, path))
    return Overlay(values, frozenset(facts), names, tuple(draws))


def _rows(table: dict[str, Any], path: Path) -> list[dict[str, Any]]:
    rows = table.get("parameter")
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        raise CatalogueError(
            f"{path.name}: parameter", f"{rows!r}", "[[parameter]] tables as `nanotrial fit` writes them"
        )
    return [dict(r) for r in rows]


def _read_draws(table: Any, values: Mapping[str, Value], path: Path) -> dict[str, tuple[float, ...]]:
    """Return network parameter -> joint draws in SI."""
    where = f"{path.name}: draws"
    columns = list(table.values()) if isinstance(table, dict) else []
    number = [isinstance(v, int | float) for c in columns if isinstance(c, list) for v in c]
    whole = columns and all(isinstance(c, list) and c for c in columns) and all(number)
    if not whole or len({len(c) for c in columns}) > 1 or any(key not in values for key in table):
        raise CatalogueError(where, "lists that do not match", "equally long lists of numbers for fitted parameters")
    return {parameter_name(k): tuple(to_si(float(v), values[k].unit) for v in column) for k, column in table.items()}


def _fit_path(name: str, beside: Path | None) -> Path:
    near = beside.parent / name if beside is not None else None
    if name.endswith(".toml") and near is not None and near.is_file():
        return near
    path = ROOT / "fits" / f"{name}.toml"
    if path.is_file():
        return path
    known = [p.stem for p in (ROOT / "fits").glob("*.toml")]
    raise CatalogueError(
        f"{beside.name if beside else 'fits'}: fits",
        f"`{name}`",
        "a fit of the catalogue or a file",
        nearest(name, known),
    )
