"""Correlated parameters: a Gaussian copula over those that a source says go together.

    z = L w,  p = Phi(z),  L L^T = R

with independent standard normal w and the matrix R of stated coefficients. Every parameter keeps its own distribution;
the even strata of a Latin hypercube survive for the first name of a group alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nanotrial.errors import CatalogueError
from nanotrial.fit.overlay import get_value, parameter_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.catalogue.lookup import Catalogue
    from nanotrial.values import Value

    Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Parameters that are drawn together: sorted names and the lower triangle of their matrix."""

    names: tuple[str, ...]
    factor: tuple[tuple[float, ...], ...]

    def join(self, independent: Mapping[str, Vector]) -> dict[str, Vector]:
        """Return correlated probabilities from independent ones."""
        from scipy import special

        normal = np.array([special.ndtri(independent[name]) for name in self.names])
        # Row by row, so that a slice gives the same bits as the whole.
        joined = [sum(c * normal[j] for j, c in enumerate(row) if c) for row in self.factor]
        return {
            name: np.clip(special.ndtr(z), 2.0**-54, 1.0 - 2.0**-53) for name, z in zip(self.names, joined, strict=True)
        }


def correlated_groups(values: Mapping[str, Value], catalogue: Catalogue) -> tuple[Group, ...]:
    """Return the groups of parameters whose distributions name each other.

    A partner that no arm uses is left out; it must exist all the same.

    Arguments:
        values: sourced values with a spread by network parameter.
        catalogue: where the keys of partners are looked up.

    Raises:
        CatalogueError: a partner that does not exist or has no spread, coefficients that contradict each other, or a
            matrix that is not positive definite.
    """
    stated: dict[tuple[str, str], float] = {}
    for name, value in values.items():
        assert value.distribution is not None
        for key, coefficient in value.distribution.correlation:
            partner = get_value(catalogue, key)
            if partner.distribution is None:
                raise CatalogueError(f"{name}: correlation", f"`{key}`, a value without a spread", "a value with one")
            for other in _parameters_of(key, partner, values):
                if other == name:
                    raise CatalogueError(f"{name}: correlation", f"`{key}`, the value itself", "another value")
                pair = (min(name, other), max(name, other))
                if stated.setdefault(pair, coefficient) != coefficient:
                    raise CatalogueError(
                        f"{name}: correlation",
                        f"{coefficient} with `{other}` and {stated[pair]} the other way round",
                        "one coefficient",
                    )
    return tuple(_group(names, stated) for names in _connected(stated))


def _parameters_of(key: str, partner: Value, values: Mapping[str, Value]) -> list[str]:
    """Return the network parameters of a sheet's value: by its name, else where the very same value is used."""
    name = parameter_name(key)
    return [name] if name in values else [other for other, value in values.items() if value == partner]


def _connected(pairs: Mapping[tuple[str, str], float]) -> list[tuple[str, ...]]:
    groups: list[set[str]] = []
    for first, second in pairs:
        near = [g for g in groups if first in g or second in g]
        groups = [g for g in groups if g not in near] + [set().union({first, second}, *near)]
    return sorted(tuple(sorted(g)) for g in groups)


def _group(names: tuple[str, ...], stated: Mapping[tuple[str, str], float]) -> Group:
    matrix = np.eye(len(names))
    for (first, second), coefficient in stated.items():
        if first in names:
            i, j = names.index(first), names.index(second)
            matrix[i, j] = matrix[j, i] = coefficient
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        listed = ", ".join(f"`{name}`" for name in names)
        raise CatalogueError(
            "correlation", f"coefficients of {listed} that exclude each other", "a positive definite matrix"
        ) from error
    return Group(names, tuple(tuple(row) for row in factor.tolist()))
