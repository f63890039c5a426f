"""What may change in an arm, each as one input on (0, 1): unknown parameters, factors of a subject, rows of fits.

An unknown parameter follows the quantiles of its own spread, a factor of a subject those of its lognormal of median 1
at the central size of variability. The joint draws of a fit are one input: rows ordered along the direction in which
they differ most. Correlations that sheets state are left out, for indices are defined for independent inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.sampling.draws import matched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.schema import Variability
    from nanotrial.fit.overlay import Overlay
    from nanotrial.network.model import Parameter
    from nanotrial.values import Value

    Vector = NDArray[np.float64]

UNKNOWN, BETWEEN, FITTED = "unknown", "between subjects", "joint draws of a fit"


@dataclass(frozen=True)
class Input:
    """One input: its name, of which kind, where its spread comes from, and the parameters it moves."""

    name: str
    kind: str
    source: str
    grade: str
    value: Value | None = None
    parameter: str = ""
    rows: Mapping[str, tuple[float, ...]] | None = None


def inputs_of_arm(
    parameters: Mapping[str, Parameter], overlay: Overlay, variability: Variability | None
) -> tuple[Input, ...]:
    """Return everything that may change in an arm, sorted by name.

    Arguments:
        parameters: network parameters of the arm.
        overlay: fits in force.
        variability: sheet of the place; None leaves subjects alike.
    """
    joint = {name for table in overlay.draws for name in table}
    found = []
    for name, one in parameters.items():
        value = one.provenance
        if value is not None and value.distribution is not None and name not in joint:
            found.append(Input(name, UNKNOWN, value.source, value.grade, value, name))
    for table in overlay.draws:
        own = {n: tuple(c) for n, c in table.items() if n in parameters and parameters[n].provenance is not None}
        if own:
            moved = ", ".join(sorted(own))
            found.append(Input(f"fit of {min(table)}", FITTED, moved, "fitted", rows=_ordered(own)))
    for entry in variability.between if variability is not None else []:
        assert variability is not None
        for name in matched(entry, parameters, variability.between):
            size = entry.geometric_sd
            found.append(Input(f"{name} ({entry.name})", BETWEEN, size.source, size.grade, size, name))
    return tuple(sorted(found, key=lambda one: one.name))


def changes_of(inputs: tuple[Input, ...], points: Vector, parameters: Mapping[str, Parameter]) -> dict[str, Vector]:
    """Return SI values of shape (rows,) by parameter name for points of the unit cube.

    Arguments:
        inputs: of the arm.
        points: shape (rows, inputs), inside (0, 1).
        parameters: network parameters of the arm.
    """
    from scipy import special

    changes: dict[str, Vector] = {}
    for i, one in enumerate(inputs):
        if one.kind == UNKNOWN and one.value is not None:
            changes[one.parameter] = one.value.sample(points[:, i])
        elif one.rows is not None:
            count = len(next(iter(one.rows.values())))
            places = np.minimum((points[:, i] * count).astype(int), count - 1)
            changes |= {name: np.asarray(column)[places] for name, column in one.rows.items()}
    for i, one in enumerate(inputs):
        if one.kind == BETWEEN and one.value is not None:
            factor = one.value.si ** special.ndtri(points[:, i])
            changes[one.parameter] = factor * changes.get(one.parameter, np.full(1, parameters[one.parameter].value))
    return changes


def _ordered(table: Mapping[str, tuple[float, ...]]) -> dict[str, tuple[float, ...]]:
    """Return joint draws with rows along their first principal direction, so that neighbours resemble each other."""
    columns = np.array(list(table.values()))
    spread = columns.std(axis=1, keepdims=True)
    standard = (columns - columns.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    _, directions = np.linalg.eigh(standard @ standard.T)
    main = directions[:, -1] * np.sign(directions[np.argmax(np.abs(directions[:, -1])), -1])
    order = np.argsort(main @ standard, kind="stable")
    return {name: tuple(columns[i][order].tolist()) for i, name in enumerate(table)}
