"""What a network conserves: kinds declared by content, and laws found in its stoichiometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nanotrial.network.model import Network


def stoichiometric_matrix(network: Network) -> NDArray[np.float64]:
    """Return the matrix of shape (species, processes)."""
    rows = {name: i for i, name in enumerate(network.species)}
    matrix = np.zeros((len(rows), len(network.processes)))
    for column, process in enumerate(network.processes.values()):
        for name, count in process.stoichiometry.items():
            matrix[rows[name], column] = count
    return matrix


def conservation_laws(network: Network) -> list[dict[str, float]]:
    """Return weights w with w . N = 0 for the stoichiometric matrix N: a basis with few terms per law.

    Gauss-Jordan elimination on the transposed matrix; every law is a set of species and weights.
    """
    matrix = stoichiometric_matrix(network).T.copy()
    pivots: list[int] = []
    row = 0
    for column in range(matrix.shape[1]):
        if row == matrix.shape[0]:
            break
        best = row + int(np.argmax(np.abs(matrix[row:, column])))
        if abs(matrix[best, column]) < 1e-9:
            continue
        matrix[[row, best]] = matrix[[best, row]]
        matrix[row] /= matrix[row, column]
        others = np.arange(matrix.shape[0]) != row
        matrix[others] -= np.outer(matrix[others, column], matrix[row])
        pivots.append(column)
        row += 1
    names = list(network.species)
    laws = []
    for free in (c for c in range(matrix.shape[1]) if c not in pivots):
        law = {names[free]: 1.0}
        law.update({names[p]: -float(matrix[i, free]) for i, p in enumerate(pivots) if abs(matrix[i, free]) > 1e-9})
        laws.append(law)
    return laws
